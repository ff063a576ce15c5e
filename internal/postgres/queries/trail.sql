-- name: AddTrail :one
insert into trail (actor, kind, subject, data, digest) values ($1, $2, $3, $4, $5) returning id;

-- name: AddTrailWords :exec
insert into trail_words (trail_id, salt, body) values ($1, $2, $3);

-- UnsealedTrail gives committed rows that are not chained yet. Rows of
-- transactions at or above the oldest running one wait, so that nothing can
-- appear later before them; no transaction lives for an hour (the second half
-- matters after a restore into a new cluster, where old xids mean nothing).
-- name: UnsealedTrail :many
select t.id, t.at, t.actor, t.kind, t.subject, t.data, t.digest
from trail t
where t.id > coalesce((select max(trail_id) from trail_link), 0) - 100000
  and not exists (select 1 from trail_link l where l.trail_id = t.id)
  and (t.xid < pg_snapshot_xmin(pg_current_snapshot()) or t.at < product_now() - interval '1 hour')
order by t.id limit $1;

-- name: TrailHead :one
select position, trail_id, hash from trail_link order by position desc limit 1;

-- name: LinkTrail :exec
insert into trail_link (position, trail_id, hash)
select unnest(sqlc.arg(positions)::bigint[]), unnest(sqlc.arg(ids)::bigint[]), unnest(sqlc.arg(hashes)::bytea[]);

-- TrailChain reads the chain in its own order.
-- name: TrailChain :many
select l.position, l.hash, l.trail_id, t.at, t.actor, t.kind, t.subject, t.data, t.digest
from trail_link l left join trail t on t.id = l.trail_id
where l.position > sqlc.arg(after) order by l.position limit sqlc.arg(max_rows);

-- name: TrailTail :one
select count(*) from trail t where not exists (select 1 from trail_link l where l.trail_id = t.id);

-- name: TrailOf :many
select id, at, actor, kind, subject, data from trail where subject = $1 order by id;

-- name: TryTrailLock :one
select pg_try_advisory_xact_lock(1510539266) as held;
