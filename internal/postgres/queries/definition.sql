-- name: Definitions :many
select id, kind, name, version, sha, body, source from definition order by kind, name, version;

-- name: AddDefinition :one
insert into definition (kind, name, version, sha, body, source)
select sqlc.arg(kind), sqlc.arg(name), coalesce(max(version), 0) + 1, sqlc.arg(sha), sqlc.arg(body), sqlc.arg(source)
from definition where kind = sqlc.arg(kind) and name = sqlc.arg(name)
returning version;

-- name: Setting :one
select value from setting where key = $1;

-- name: PutSetting :exec
insert into setting (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value;

-- name: ProductNow :one
select product_now()::timestamptz as now;

-- name: DatabaseNow :one
select now()::timestamptz as now;

-- name: ClockShift :one
select extract(epoch from shift)::float8 as seconds from clock_offset;

-- name: SetClockShift :exec
update clock_offset set shift = make_interval(secs => sqlc.arg(seconds)::float8);

-- name: CalendarDays :many
select day, kind, name, source from calendar_day order by day;

-- name: PutCalendarDays :exec
insert into calendar_day (day, kind, name, source)
select unnest(sqlc.arg(days)::date[]), unnest(sqlc.arg(kinds)::text[]), unnest(sqlc.arg(names)::text[]), unnest(sqlc.arg(sources)::text[])
on conflict (day) do update set kind = excluded.kind, name = excluded.name, source = excluded.source;

-- name: LockDefinitions :exec
select pg_advisory_xact_lock(1510539265);
