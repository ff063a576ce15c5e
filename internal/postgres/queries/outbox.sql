-- ClaimOutbox takes the head of each free chat of a channel: the oldest row
-- that is not finished, when it is queued or was in flight under an older
-- epoch, and its time has come. One row in flight per chat keeps the order. An
-- owner whose epoch is over gets nothing, though it may not know yet. Of a row
-- that changes a message, standing is the receipt of that message, and overtaken
-- says that a newer change of it waits.
-- name: ClaimOutbox :many
update outbox o set state = 'sending', epoch = sqlc.arg(epoch), tries = o.tries + 1
from (select w.id, c.user_id, c.in_group, c.is_group, a.last_inbound_at, a.state as address_state, product_now()::timestamptz as at,
             case when w.edits <> 0 then coalesce((
                 select e.receipt from outbox e where (e.id = w.edits or e.edits = w.edits and e.edits <> 0) and e.state = 'sent' and e.receipt <> ''
                 order by e.id desc limit 1), '') else '' end as standing,
             w.edits <> 0 and exists (select 1 from outbox n where n.edits = w.edits and n.edits <> 0 and n.id > w.id and n.state = 'queued') as overtaken
      from outbox w join conversation c on c.id = w.conversation_id join address a on a.id = w.address_id
      where w.channel = sqlc.arg(channel) and w.state in ('queued', 'sending') and w.not_before <= now()
        and (w.state = 'queued' or w.epoch < sqlc.arg(epoch))
        and exists (select 1 from channel_owner own where own.channel = w.channel and own.epoch = sqlc.arg(epoch))
        and not exists (select 1 from outbox b where b.channel = w.channel and b.chat = w.chat
                        and b.state in ('queued', 'sending') and b.id < w.id)
      order by w.id limit sqlc.arg(max_rows)) h
where o.id = h.id
returning o.*, h.user_id, h.in_group, h.is_group, h.last_inbound_at, h.address_state, h.at,
    h.standing::text as standing, h.overtaken::boolean as overtaken;

-- MarkOutbox writes the outcome of sends, under the epoch that made them.
-- name: MarkOutbox :many
update outbox o set state = u.state, tries = u.tries, error_class = u.error_class, error = u.error, receipt = u.receipt,
       chat = case when u.chat <> '' then u.chat else o.chat end,
       not_before = now() + make_interval(secs => u.wait),
       sent_at = case when u.state in ('sent', 'unknown') then now() else o.sent_at end
from (select unnest(sqlc.arg(ids)::bigint[]) as id, unnest(sqlc.arg(states)::text[]) as state,
             unnest(sqlc.arg(classes)::text[]) as error_class, unnest(sqlc.arg(errors)::text[]) as error,
             unnest(sqlc.arg(receipts)::text[]) as receipt, unnest(sqlc.arg(waits)::float8[]) as wait,
             unnest(sqlc.arg(chats)::text[]) as chat, unnest(sqlc.arg(tries)::int[]) as tries) u
where o.id = u.id and o.state = 'sending' and o.epoch = sqlc.arg(epoch)
returning o.id;

-- name: KeepSaid :exec
insert into message (conversation_id, direction, outbox_id, kind, body)
select m.c, 'out', m.o, 'text', m.b
from (select unnest(sqlc.arg(conversations)::bigint[]) as c, unnest(sqlc.arg(outboxes)::bigint[]) as o,
             unnest(sqlc.arg(bodies)::bytea[]) as b) m;

-- Chain tells what is known of a message that an address did not take: which
-- addresses had it, whose it is, and by which address its matter came, 0 where
-- it is about no ticket.
-- name: Chain :one
with recursive chain(id, fallback_of, address_id) as (
    select o.id, o.fallback_of, o.address_id from outbox o where o.id = sqlc.arg(id)
    union all
    select o.id, o.fallback_of, o.address_id from outbox o join chain on o.id = chain.fallback_of
)
select (select array_agg(chain.address_id) from chain)::bigint[] as tried, a.person_id, coalesce(t.address_id, 0)::bigint as first
from outbox o join address a on a.id = o.address_id
left join ticket t on t.id = case when o.subject ~ '^ticket:[0-9]+$' then substr(o.subject, 8)::bigint end
where o.id = sqlc.arg(id);

-- PassOn queues the words of a row for another address.
-- name: PassOn :one
insert into outbox (channel, chat, conversation_id, address_id, class, source, text_key, text_version, lang, params,
                    reason, subject, subject_version, question_turn, prompt_id, nudge_seconds, expire_seconds, fallback_of)
select c.channel, c.chat, c.id, c.address_id, o.class, o.source, o.text_key, o.text_version, o.lang, sqlc.arg(params)::bytea,
       o.reason, o.subject, o.subject_version, o.question_turn, o.prompt_id, o.nudge_seconds, o.expire_seconds, o.id
from outbox o, conversation c where o.id = sqlc.arg(id) and c.id = sqlc.arg(conversation_id)
returning id;

-- OldestUnsent is how long the first message of a channel that is not out yet
-- has waited, in seconds; no row when nothing waits.
-- name: OldestUnsent :one
select extract(epoch from now() - o.created_at)::float8 as seconds
from outbox o where o.channel = $1 and o.state in ('queued', 'sending') order by o.id limit 1;

-- PauseChannel keeps for how long the network asked to wait, for whoever owns
-- the channel next.
-- name: PauseChannel :exec
update channel_owner set paused_until = greatest(paused_until, now() + make_interval(secs => sqlc.arg(wait)::float8))
where channel = sqlc.arg(channel) and epoch = sqlc.arg(epoch);

-- name: OutboxPending :one
select count(*) from outbox where state in ('queued', 'sending');

-- name: LoadOutbox :one
select * from outbox where id = $1;
