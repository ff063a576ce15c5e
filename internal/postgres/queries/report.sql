-- KeepReports stores what networks say of messages; what is stored already is
-- left.
-- name: KeepReports :exec
insert into report (channel, event_key, chat, receipt, outbox_id, state, code)
select unnest(sqlc.arg(channels)::text[]), unnest(sqlc.arg(event_keys)::text[]), unnest(sqlc.arg(chats)::text[]),
       unnest(sqlc.arg(receipts)::text[]), unnest(sqlc.arg(outboxes)::bigint[]), unnest(sqlc.arg(states)::text[]), unnest(sqlc.arg(codes)::text[])
on conflict (channel, event_key) do nothing;

-- FreshReports gives reports of a channel that were not looked at since a row of
-- their chat ended, each with the row that it is about, 0 for none: the one that
-- it names; the one whose receipt it names; the only one of its chat whose
-- outcome is unknown, as long as no answer of the network is awaited there, which
-- could bring that receipt.
-- name: FreshReports :many
select r.id, r.receipt, r.state, r.code, r.at, coalesce((
    select about.id from (
        select o.id, 1 as rule from outbox o
        where o.id = r.outbox_id and o.channel = r.channel and o.state in ('sent', 'unknown', 'failed')
        union all
        select max(o.id), 2 from outbox o
        where o.channel = r.channel and o.receipt = r.receipt and o.parts > 0 and o.receipt <> '' and o.chat = r.chat and o.state in ('sent', 'unknown', 'failed')
        union all
        select min(o.id), 3 from outbox o
        where r.outbox_id = 0 and o.channel = r.channel and o.chat = r.chat and o.state = 'unknown' and o.receipt = ''
          and o.sent_at > now() - make_interval(days => sqlc.arg(unknown_days)::int)
          and not exists (select 1 from outbox f where f.channel = r.channel and f.chat = r.chat and f.state = 'sending')
        having count(*) = 1) about
    where about.id is not null order by about.rule limit 1), 0)::bigint as outbox_id
from report r
where r.channel = sqlc.arg(channel) and not r.waits
order by r.id limit sqlc.arg(max_rows) for update of r skip locked;

-- ParkReports lets reports wait for their row to end.
-- name: ParkReports :exec
update report set waits = true where id = any(sqlc.arg(ids)::bigint[]);

-- EndReports forgets reports that stand in their rows now.
-- name: EndReports :exec
delete from report where id = any(sqlc.arg(ids)::bigint[]);

-- ReviveReports lets reports that waited be looked at again: a row that they
-- name, or one of their chat, has ended.
-- name: ReviveReports :exec
update report r set waits = false
where r.waits and r.channel = sqlc.arg(channel) and (r.chat = any(sqlc.arg(chats)::text[]) or r.outbox_id = any(sqlc.arg(outboxes)::bigint[]));

-- ApplyReports writes reports into their rows, forward only. An unknown outcome
-- is known then; was is what the row was before.
-- name: ApplyReports :many
update outbox o set report = u.state, report_code = u.code, reported_at = u.at, settle = false,
       receipt = case when o.receipt = '' then u.receipt else o.receipt end,
       state = case when u.state = 'failed' then 'failed' when o.state = 'unknown' then 'sent' else o.state end,
       error_class = case when u.state = 'failed' and o.state <> 'failed' then sqlc.arg(failed_class) else o.error_class end,
       error = case when u.state = 'failed' and o.state <> 'failed' then 'reported: ' || u.code else o.error end
from (select unnest(sqlc.arg(ids)::bigint[]) as id, unnest(sqlc.arg(receipts)::text[]) as receipt, unnest(sqlc.arg(states)::text[]) as state,
             unnest(sqlc.arg(codes)::text[]) as code, unnest(sqlc.arg(ats)::timestamptz[]) as at
      limit cardinality(sqlc.arg(ids)::bigint[])) u, outbox was
where o.id = u.id and was.id = o.id and (o.report = '' or o.report = 'buffered' and u.state <> 'buffered')
returning o.id, was.state as was, o.state, o.report;

-- Unhanded lists rows of a channel that the network reported as failed and that
-- nobody else has yet.
-- name: Unhanded :many
select id from outbox where channel = $1 and report = 'failed' and not handed order by id limit sqlc.arg(max_rows);

-- name: HandOutbox :exec
update outbox set handed = true where id = $1;

-- AskOutbox has the owner of the channel ask its network about a row.
-- name: AskOutbox :exec
update outbox set settle = true where id = $1 and state = 'unknown' and not handed;

-- AskedOutbox lists what a channel's network is to be asked about.
-- name: AskedOutbox :many
select id, chat, receipt, coalesce(sent_at, created_at)::timestamptz as sent_at from outbox
where channel = $1 and settle and state = 'unknown' order by id limit sqlc.arg(max_rows);

-- name: EndAsking :exec
update outbox set settle = false where id = $1;

-- ReportsWaiting counts the reports of a channel whose row was not found.
-- name: ReportsWaiting :one
select count(*) from report where channel = $1 and waits;

-- OldestUnknown is for how long the first unknown outcome of a channel has
-- waited to be settled, in seconds; 0 for none.
-- name: OldestUnknown :one
select coalesce(extract(epoch from now() - min(sent_at)), 0)::float8 as seconds from outbox
where channel = $1 and state = 'unknown' and not handed;

-- ReviveAllReports is ReviveReports for a new owner of the channel, which does
-- not know what the old one was about to do.
-- name: ReviveAllReports :exec
update report set waits = false where channel = $1 and waits;
