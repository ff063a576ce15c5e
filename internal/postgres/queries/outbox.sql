-- ClaimOutbox takes the heads of free chats of a channel, the best rank first: a
-- head is the oldest row of its chat that is not finished, and it goes at the
-- rank of the best row behind it. It is taken when it is queued or was in flight
-- under an older epoch, and its time has come. One row in flight per chat keeps
-- the order. An owner whose epoch is over gets nothing, though it may not know
-- yet. Of a row that changes a message, standing is the receipt of that message,
-- and overtaken says that a newer change of it waits. An abandoned row may have
-- been sent under the older epoch. "rank >= 0" is for the planner (00017).
-- name: ClaimOutbox :many
update outbox o set state = 'sending', epoch = sqlc.arg(epoch), tries = o.tries + 1
from (select w.id, c.user_id, c.in_group, c.is_group, a.last_inbound_at, coalesce(greatest(a.last_inbound_at, a.proven_at), a.created_at) as known_at, a.state as address_state, a.window_used, product_now()::timestamptz as at,
             case when w.edits <> 0 then coalesce((
                 select e.receipt from outbox e where (e.id = w.edits or e.edits = w.edits and e.edits <> 0) and e.state = 'sent' and e.receipt <> ''
                 order by e.id desc limit 1), '') else '' end as standing,
             w.edits <> 0 and exists (select 1 from outbox n where n.edits = w.edits and n.edits <> 0 and n.id > w.id and n.state = 'queued') as overtaken,
             w.state = 'sending' as abandoned
      from outbox w join conversation c on c.id = w.conversation_id join address a on a.id = w.address_id
      where w.id = any(array(
          select head.id
          from outbox q cross join lateral (
              select b.id, b.rank, b.state, b.epoch, b.not_before from outbox b
              where b.channel = q.channel and b.chat = q.chat and b.state in ('queued', 'sending')
              order by b.id limit 1) head
          where q.channel = sqlc.arg(channel) and q.state in ('queued', 'sending') and q.rank >= 0 and (q.id = head.id or q.rank < head.rank)
            and head.not_before <= now() and (head.state = 'queued' or head.epoch < sqlc.arg(epoch))
          order by q.rank, q.id limit sqlc.arg(max_rows)))
        and exists (select 1 from channel_owner own where own.channel = w.channel and own.epoch = sqlc.arg(epoch))) h
where o.id = h.id
returning o.*, h.user_id, h.in_group, h.is_group, h.last_inbound_at, h.known_at::timestamptz as known_at, h.address_state, h.window_used, h.at,
    h.standing::text as standing, h.overtaken::boolean as overtaken, h.abandoned::boolean as abandoned;

-- JoinOutbox takes what stands right behind heads that ClaimOutbox took, at most
-- max_rows of a chat, for networks where that goes out together. It ends before a
-- row whose time has not come: nothing is overtaken. Its columns are those of
-- ClaimOutbox.
-- name: JoinOutbox :many
update outbox o set state = 'sending', epoch = sqlc.arg(epoch), tries = o.tries + 1
from (select w.id, c.user_id, c.in_group, c.is_group, a.last_inbound_at, coalesce(greatest(a.last_inbound_at, a.proven_at), a.created_at) as known_at, a.state as address_state, a.window_used, product_now()::timestamptz as at,
             case when w.edits <> 0 then coalesce((
                 select e.receipt from outbox e where (e.id = w.edits or e.edits = w.edits and e.edits <> 0) and e.state = 'sent' and e.receipt <> ''
                 order by e.id desc limit 1), '') else '' end as standing,
             w.edits <> 0 and exists (select 1 from outbox n where n.edits = w.edits and n.edits <> 0 and n.id > w.id and n.state = 'queued') as overtaken,
             w.state = 'sending' as abandoned
      from outbox head cross join lateral (
          select b.id, bool_and(b.free) over (order by b.id) as free
          from (select n.id, n.not_before <= now() and (n.state = 'queued' or n.epoch < sqlc.arg(epoch)) as free from outbox n
                where n.channel = head.channel and n.chat = head.chat and n.id > head.id and n.state in ('queued', 'sending')
                order by n.id limit sqlc.arg(max_rows)) b) behind
      join outbox w on w.id = behind.id join conversation c on c.id = w.conversation_id join address a on a.id = w.address_id
      where head.id = any(sqlc.arg(heads)::bigint[]) and behind.free
        and exists (select 1 from channel_owner own where own.channel = w.channel and own.epoch = sqlc.arg(epoch))) h
where o.id = h.id
returning o.*, h.user_id, h.in_group, h.is_group, h.last_inbound_at, h.known_at::timestamptz as known_at, h.address_state, h.window_used, h.at,
    h.standing::text as standing, h.overtaken::boolean as overtaken, h.abandoned::boolean as abandoned;

-- EndedOutbox reads rows that ended as ClaimOutbox gave them, for what follows
-- from a report, or from the want of one. Its columns are those of ClaimOutbox.
-- name: EndedOutbox :many
select o.*, c.user_id, c.in_group, c.is_group, a.last_inbound_at, coalesce(greatest(a.last_inbound_at, a.proven_at), a.created_at) as known_at, a.state as address_state, a.window_used, product_now()::timestamptz as at,
    ''::text as standing, false as overtaken, false as abandoned
from outbox o join conversation c on c.id = o.conversation_id join address a on a.id = o.address_id
where o.id = any(sqlc.arg(ids)::bigint[])
order by o.id for update of o;

-- MarkOutbox writes the outcome of sends, under the epoch that made them.
-- name: MarkOutbox :many
update outbox o set state = u.state, tries = u.tries, error_class = u.error_class, error = u.error, receipt = u.receipt,
       chat = case when u.chat <> '' then u.chat else o.chat end,
       not_before = now() + make_interval(secs => u.wait), parts = u.parts, handed = u.handed,
       sent_at = case when u.state in ('sent', 'unknown') then now() else o.sent_at end
from (select unnest(sqlc.arg(ids)::bigint[]) as id, unnest(sqlc.arg(states)::text[]) as state,
             unnest(sqlc.arg(classes)::text[]) as error_class, unnest(sqlc.arg(errors)::text[]) as error,
             unnest(sqlc.arg(receipts)::text[]) as receipt, unnest(sqlc.arg(waits)::float8[]) as wait,
             unnest(sqlc.arg(chats)::text[]) as chat, unnest(sqlc.arg(tries)::int[]) as tries,
             unnest(sqlc.arg(parts)::int[]) as parts, unnest(sqlc.arg(handed)::bool[]) as handed
      limit cardinality(sqlc.arg(ids)::bigint[])) u
where o.id = u.id and o.state = 'sending' and o.epoch = sqlc.arg(epoch)
returning o.id;

-- WindowUsed counts what addresses took since their users last wrote.
-- name: WindowUsed :exec
update address a set window_used = a.window_used + u.n
from (select unnest(sqlc.arg(addresses)::bigint[]) as id, unnest(sqlc.arg(counts)::int[]) as n limit cardinality(sqlc.arg(addresses)::bigint[])) u
where a.id = u.id;

-- WaitOn puts a row back that no other address can have: it waits until its
-- account is logged in again.
-- name: WaitOn :exec
update outbox set state = 'queued', handed = false, not_before = now() + make_interval(secs => sqlc.arg(wait)::float8)
where id = sqlc.arg(id) and state = 'failed';

-- ChannelOut notes since when an account is logged out, ChannelBack that it is not
-- any more, and whether people had been told; TellOut is true for the one who is to
-- tell them. Times are the database's.
-- name: ChannelOut :one
update channel_owner set out_since = coalesce(out_since, now()) where channel = $1 and epoch = $2
returning extract(epoch from now() - out_since)::float8 as seconds;

-- name: ChannelBack :one
update channel_owner o set out_since = null, out_told = false
from (select c.channel, c.out_told from channel_owner c where c.channel = sqlc.arg(channel) for update) was
where o.channel = was.channel and o.epoch = sqlc.arg(epoch) and o.out_since is not null
returning was.out_told;

-- name: TellOut :execrows
update channel_owner set out_told = true
where channel = $1 and epoch = $2 and not out_told and out_since <= now() - make_interval(secs => sqlc.arg(patience)::float8);

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
                    reason, subject, subject_version, question_turn, prompt_id, nudge_seconds, expire_seconds, rank, due_id, extension, fallback_of)
select c.channel, c.chat, c.id, c.address_id, o.class, o.source, o.text_key, o.text_version, o.lang, sqlc.arg(params)::bytea,
       o.reason, o.subject, o.subject_version, o.question_turn, o.prompt_id, o.nudge_seconds, o.expire_seconds, o.rank, o.due_id,
       coalesce((select p.extension from prompt p where p.id = o.prompt_id), ''), o.id
from outbox o, conversation c where o.id = sqlc.arg(id) and c.id = sqlc.arg(conversation_id)
returning id;

-- OldestUnsent is how long the first message of a channel that is not out yet
-- has waited, in seconds, whatever its rank; 0 when nothing waits.
-- name: OldestUnsent :one
select coalesce(extract(epoch from now() - min(first.created_at)), 0)::float8 as seconds
from generate_series(0, 2) r(rank) cross join lateral (
    select o.created_at from outbox o where o.channel = $1 and o.rank = r.rank and o.rank >= 0 and o.state in ('queued', 'sending') order by o.id limit 1) first;

-- PauseChannel keeps for how long the network asked to wait, for whoever owns
-- the channel next.
-- name: PauseChannel :exec
update channel_owner set paused_until = greatest(paused_until, now() + make_interval(secs => sqlc.arg(wait)::float8))
where channel = sqlc.arg(channel) and epoch = sqlc.arg(epoch);

-- name: OutboxPending :one
select count(*) from outbox where state in ('queued', 'sending');

-- name: LoadOutbox :one
select * from outbox where id = $1;

-- TicketsByID and OptOutsOf read at once what late binding asks for one by one.
-- name: TicketsByID :many
select * from ticket where id = any(sqlc.arg(ids)::bigint[]);

-- name: OptOutsOf :many
select person_id, topic from opted_out where person_id = any(sqlc.arg(persons)::bigint[]);
