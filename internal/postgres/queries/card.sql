-- PutCard lays a ticket into a staff chat under the lowest free handle, or
-- finds the card that is there.
-- name: PutCard :one
insert into card (conversation_id, handle, ticket_id, ticket_version)
select sqlc.arg(conversation_id)::bigint, coalesce(
         (select min(h) from generate_series(1, 99) h where not exists (
             select 1 from card c where c.conversation_id = sqlc.arg(conversation_id)::bigint and c.handle = h and c.closed_at is null)), 100)::int,
       sqlc.arg(ticket_id)::bigint, sqlc.arg(version)::int
on conflict (conversation_id, ticket_id) where closed_at is null do update set ticket_version = excluded.ticket_version
returning handle;

-- name: CardByHandle :one
select ticket_id from card where conversation_id = $1 and handle = $2 and closed_at is null;

-- name: CardsIn :many
select c.handle, c.ticket_id, t.number, t.state, t.matter, t.urgency, t.deadline from card c join ticket t on t.id = c.ticket_id
where c.conversation_id = $1 and c.closed_at is null order by c.handle;

-- name: CloseCard :exec
update card set closed_at = product_now() where conversation_id = $1 and ticket_id = $2 and closed_at is null;
