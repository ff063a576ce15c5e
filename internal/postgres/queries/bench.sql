-- What only `shaoying bench` asks, over a database of its own.

-- name: RankOutbox :exec
update outbox set rank = sqlc.arg(rank) where state = 'queued' and channel = sqlc.arg(channel);

-- name: OutboxCounts :one
select count(*) filter (where state in ('queued', 'sending')) as pending, count(*) filter (where state = 'sent') as sent,
       count(*) filter (where state not in ('queued', 'sending', 'sent')) as failed,
       coalesce(min(state || ' ' || error_class || ' ' || error) filter (where state not in ('queued', 'sending', 'sent')), '')::text as why
from outbox where channel = $1;
