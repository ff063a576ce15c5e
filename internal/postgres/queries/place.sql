-- name: PutDivision :exec
insert into division (code, level, name, parent) values ($1, $2, $3, sqlc.narg(parent))
on conflict (code) do update set name = excluded.name, level = excluded.level, parent = excluded.parent;

-- name: FillDivisions :exec
insert into division (code, level, name, parent)
select unnest(sqlc.arg(codes)::text[]), unnest(sqlc.arg(levels)::text[]), unnest(sqlc.arg(names)::text[]), nullif(unnest(sqlc.arg(parents)::text[]), '')
on conflict (code) do update set name = excluded.name, level = excluded.level, parent = excluded.parent;

-- name: Divisions :many
select code, level, name, coalesce(parent, '')::text as parent from division order by code;

-- name: FillGrids :exec
insert into grid (id, village, name, party_group)
select unnest(sqlc.arg(ids)::text[]), unnest(sqlc.arg(villages)::text[]), unnest(sqlc.arg(names)::text[]), unnest(sqlc.arg(groups)::text[])
on conflict (id) do update set name = excluded.name, party_group = excluded.party_group;

-- name: CountGrids :one
select count(*) from grid;

-- name: GetGrid :one
select * from grid where id = $1;

-- name: GridsOfVillage :many
select id, name from grid where village = $1 order by id;

-- name: PutUnit :exec
insert into unit (code, name, kind) values ($1, $2, $3) on conflict (code) do update set name = excluded.name, kind = excluded.kind;

-- name: FillPlaces :exec
insert into place (kind, name, village, grid, lat, lon)
select unnest(sqlc.arg(kinds)::text[]), unnest(sqlc.arg(names)::text[]), unnest(sqlc.arg(villages)::text[]), nullif(unnest(sqlc.arg(grids)::text[]), ''),
       unnest(sqlc.arg(lats)::float8[]), unnest(sqlc.arg(lons)::float8[])
on conflict (village, name) do update set kind = excluded.kind, grid = excluded.grid, lat = excluded.lat, lon = excluded.lon;

-- name: PlaceByName :one
select id from place where village = $1 and name = $2;

-- name: AddAlias :exec
insert into place_alias (place_id, alias, proposed_by, accepted_at) values ($1, $2, $3, $4)
on conflict (place_id, alias) do update set accepted_at = excluded.accepted_at;

-- name: Places :many
select id, kind, name, village, coalesce(grid, '')::text as grid, coalesce(lat, 0)::float8 as lat, coalesce(lon, 0)::float8 as lon from place order by id;

-- name: Aliases :many
select place_id, alias from place_alias where accepted_at is not null order by place_id, alias;

-- name: PlacesChangedAt :one
select (select count(*) from place) + (select count(*) from place_alias where accepted_at is not null) as n;
