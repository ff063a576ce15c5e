-- name: StoreWaiting :one
insert into inbox (channel, event_key, conversation_id, kind, state, event, error)
values ($1, $2, $3, $4, 'waiting', $5, $6)
on conflict (channel, event_key) do nothing
returning id;

-- name: JoinWaiting :exec
update inbox set state = 'waiting', event = $2 where id = $1;

-- PutAside is JoinWaiting for an event whose turn failed.
-- name: PutAside :exec
update inbox set state = 'waiting', event = sqlc.arg(event), error = sqlc.arg(error) where id = sqlc.arg(id);

-- name: RefuseInbox :exec
update inbox set state = 'refused', error = $2, event = null where id = $1;

-- WaitingHeads gives the oldest waiting event of each conversation that may be
-- tried now.
-- name: WaitingHeads :many
select h.id, h.channel, h.event_key, h.conversation_id, h.tries, h.event
from (select distinct on (conversation_id) id, channel, event_key, conversation_id, tries, event, next_try
      from inbox where state = 'waiting' order by conversation_id, id) h
where h.next_try <= now()
order by h.id
limit $1;

-- RepeatOfAnother reports whether a waiting event that may be a copy is one: of an
-- event that was taken around the same time and begins with the same key. Of two
-- copies that both wait the later one goes.
-- name: RepeatOfAnother :one
select exists (select 1 from inbox own join inbox i on i.channel = own.channel and i.id <> own.id
    and i.event_key >= sqlc.arg(prefix)::text and i.event_key < sqlc.arg(prefix) || chr(1114111) and starts_with(i.event_key, sqlc.arg(prefix))
    and i.received_at between own.received_at - make_interval(secs => sqlc.arg(within)::float8) and own.received_at + make_interval(secs => sqlc.arg(within)::float8)
    and (i.state <> 'waiting' or i.id < own.id)
    where own.id = sqlc.arg(id));

-- name: WaitingIsOpen :one
select exists (select 1 from inbox where id = $1 and state = 'waiting');

-- FinishWaiting ends an event that was run; one refused as a flood stays so.
-- name: FinishWaiting :exec
update inbox set state = 'done', event = null, error = '' where id = $1 and state = 'waiting';

-- name: FailWaiting :one
update inbox set tries = tries + 1, error = sqlc.arg(error),
       next_try = now() + make_interval(secs => least(power(2, tries), 60)::int),
       state = case when tries + 1 >= sqlc.arg(max_tries)::int then 'dead' else state end
where id = sqlc.arg(id) and state = 'waiting'
returning state;

-- name: DeadLetters :many
select i.id, i.channel, i.event_key, i.conversation_id, i.kind, i.tries, i.error, i.received_at
from inbox i where i.state = 'dead' order by i.id limit $1;

-- name: ReplayDead :execrows
update inbox set state = 'waiting', tries = 0, error = '', next_try = now()
where state = 'dead' and (id = sqlc.arg(id) or sqlc.arg(id) = 0);

-- name: InboxCounts :one
select count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'dead') as dead
from inbox where state in ('waiting', 'dead');
