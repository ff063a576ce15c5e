-- Where events are posted to. The rows of kind "webhook" in table due are the
-- deliveries, those that failed the dead letters.

-- name: Webhooks :many
select * from webhook where ended_at is null order by id;

-- name: AddWebhook :one
insert into webhook (url, secret, events, area_kind, area, created_by) values ($1, $2, $3, $4, $5, $6) returning id, created_at;

-- name: GetWebhook :one
select * from webhook where id = $1 and ended_at is null;

-- name: EndWebhook :execrows
update webhook set ended_at = now() where id = $1 and ended_at is null;

-- EndWebhooksOf ends those that a token made.
-- name: EndWebhooksOf :execrows
update webhook set ended_at = now() where created_by = $1 and ended_at is null;

-- name: WakeWebhooks :exec
select pg_notify('shaoying', 'webhooks');

-- name: DeadDues :many
select id, key, data, reason, tries, created_at, done_at from due
where kind = sqlc.arg(kind) and subject = sqlc.arg(subject) and state = 'failed' and id > sqlc.arg(after)::bigint
order by id limit sqlc.arg(max_rows);

-- ReviveDues plans dead letters anew: those of the keys given, all when none is.
-- name: ReviveDues :execrows
update due set state = 'planned', reason = '', tries = 0, due_at = product_now(), done_at = null
where kind = sqlc.arg(kind) and subject = sqlc.arg(subject) and state = 'failed'
  and (coalesce(cardinality(sqlc.arg(keys)::text[]), 0) = 0 or key = any(sqlc.arg(keys)::text[]));
