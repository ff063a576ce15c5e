-- What a number wants to hear no more of.

-- LastPush tells why the last text went out that nobody had asked for: of those
-- with the code behind our number to which the answer came, if there are any.
-- name: LastPush :one
select o.reason from message m join outbox o on o.id = m.outbox_id
where m.conversation_id = sqlc.arg(conversation_id) and m.direction = 'out' and m.at > sqlc.arg(since)::timestamptz and o.class = 'push'
order by o.extension = sqlc.arg(extension)::text and o.extension <> '' desc, m.at desc, m.id desc limit 1;

-- PushedSince tells whether a text of one of the reasons went out since then.
-- name: PushedSince :one
select exists (select 1 from message m join outbox o on o.id = m.outbox_id
    where m.conversation_id = sqlc.arg(conversation_id) and m.direction = 'out' and m.at > sqlc.arg(since)::timestamptz
      and o.reason = any(sqlc.arg(reasons)::text[]));

-- StopTopic returns 0 when the topic was stopped before.
-- name: StopTopic :execrows
insert into address_stop (address_id, topic) values ($1, $2) on conflict do nothing;

-- name: StartTopics :exec
delete from address_stop where address_id = $1;

-- StoppedFor tells which of some addresses want to hear no more of a topic.
-- name: StoppedFor :many
select address_id from address_stop where topic = sqlc.arg(topic) and address_id = any(sqlc.arg(addresses)::bigint[]);

-- StaleQueued takes what waits for an address out of the outbox, and closes the
-- questions among it, because its reader asked for no more of it. An empty list
-- of reasons means all that nobody asked for.
-- name: StaleQueued :exec
with gone as (
    update outbox o set state = 'stale', error = 'the reader stopped it'
    from address a
    where a.id = sqlc.arg(address_id) and o.channel = a.channel and o.chat = a.chat and o.address_id = a.id
      and o.state = 'queued' and o.class = 'push'
      and (cardinality(sqlc.arg(reasons)::text[]) = 0 or o.reason = any(sqlc.arg(reasons)::text[]))
    returning o.prompt_id
)
update prompt p set closed_at = product_now(), outcome = 'stopped'
from gone where p.id = gone.prompt_id and p.closed_at is null;
