-- Reserve counts what is about to be paid for and returns what each counter
-- stands at then. It takes the counters in one order, so that two owners of
-- channels wait for each other and never lock each other out.
-- name: Reserve :many
insert into spend as s (scope, name, since, count)
select u.scope, u.name, u.since, u.count
from (select unnest(sqlc.arg(scopes)::text[]) as scope, unnest(sqlc.arg(names)::text[]) as name,
             unnest(sqlc.arg(sinces)::timestamptz[]) as since, unnest(sqlc.arg(counts)::bigint[]) as count) u
order by u.since, u.scope, u.name
on conflict (since, scope, name) do update set count = s.count + excluded.count
returning s.scope, s.name, s.since, s.count;
