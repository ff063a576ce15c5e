-- Deliver puts an item into a web mailbox; the outbox key makes it idempotent.
-- name: Deliver :one
insert into mailbox (channel, chat, seq, key, item, photo)
select sqlc.arg(channel)::text, sqlc.arg(chat)::text, coalesce(max(m.seq), 0) + 1, sqlc.arg(key)::text, sqlc.arg(item)::bytea, sqlc.narg(photo)::bytea
from mailbox m where m.channel = sqlc.arg(channel)::text and m.chat = sqlc.arg(chat)::text
on conflict (channel, chat, key) do update set key = excluded.key
returning seq;

-- name: MailboxAfter :many
select seq, key, item, at from mailbox
where channel = $1 and chat = $2 and seq > sqlc.arg(after)::bigint order by seq limit sqlc.arg(max_rows);

-- name: MailboxPhoto :one
select photo from mailbox where channel = $1 and chat = $2 and seq = sqlc.arg(seq)::bigint and photo is not null;

-- name: AddBlob :exec
insert into blob (id, kind, mime, size, body, conversation_id) values ($1, $2, $3, $4, $5, $6);

-- name: AddPendingBlob :exec
insert into blob (id, kind, mime, size, pending, conversation_id) values ($1, $2, $3, 0, $4, $5);

-- name: Blob :one
select id, kind, mime, size, body, pending, transcript, conversation_id, at from blob where id = $1;

-- name: FillBlob :exec
update blob set body = $2, mime = $3, size = $4, pending = null where id = $1;

-- name: SetTranscript :exec
update blob set transcript = $2 where id = $1;
