-- What only `shaoying bench` asks, over a database of its own.

-- name: RankOutbox :exec
update outbox set rank = sqlc.arg(rank) where state = 'queued' and channel = sqlc.arg(channel);

-- name: OutboxCounts :one
select count(*) filter (where state in ('queued', 'sending')) as pending, count(*) filter (where state = 'sent') as sent,
       count(*) filter (where state not in ('queued', 'sending', 'sent')) as failed,
       coalesce(min(state || ' ' || error_class || ' ' || error) filter (where state not in ('queued', 'sending', 'sent')), '')::text as why
from outbox where channel = $1;

-- CareEvening tells what became of rows of family beds of some kinds that came due
-- in a time: how many there are, how many queued a text or a task, and how many did
-- so outside their own window.
-- name: CareEvening :one
select count(*)::int as rows, count(*) filter (where state = 'done')::int as done,
       count(*) filter (where state = 'done' and (done_at < due_at or done_at > not_after))::int as outside,
       count(*) filter (where state in ('failed', 'running') or state = 'planned' and due_at <= product_now())::int as behind
from due where kind = any(sqlc.arg(kinds)::text[]) and due_at >= sqlc.arg(since)::timestamptz and due_at < sqlc.arg(before)::timestamptz
  and state <> 'cleared';

-- name: CountVisits :one
select count(*)::int from visit;
