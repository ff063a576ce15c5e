-- The Fill queries write what differs and return how many rows that was: an
-- import that is run again changes nothing and says so.

-- FillDivisions leaves the name of a known division alone when the file only
-- made it up from its code.
-- name: FillDivisions :execrows
insert into division as d (code, level, name, parent)
select unnest(sqlc.arg(codes)::text[]), unnest(sqlc.arg(levels)::text[]), unnest(sqlc.arg(names)::text[]), nullif(unnest(sqlc.arg(parents)::text[]), '')
on conflict (code) do update set level = excluded.level, name = excluded.name, parent = excluded.parent
where excluded.name <> excluded.code and (d.level, d.name, d.parent) is distinct from (excluded.level, excluded.name, excluded.parent);

-- name: Divisions :many
select code, level, name, coalesce(parent, '')::text as parent from division order by code;

-- name: FillGrids :execrows
insert into grid as g (id, village, name, party_group)
select unnest(sqlc.arg(ids)::text[]), unnest(sqlc.arg(villages)::text[]), unnest(sqlc.arg(names)::text[]), unnest(sqlc.arg(groups)::text[])
on conflict (id) do update set name = excluded.name, party_group = excluded.party_group
where (g.name, g.party_group) is distinct from (excluded.name, excluded.party_group);

-- name: Grids :many
select id, village, name, party_group from grid order by id;

-- name: GetGrid :one
select * from grid where id = $1;

-- name: FillUnits :execrows
insert into unit as u (code, name, kind)
select unnest(sqlc.arg(codes)::text[]), unnest(sqlc.arg(names)::text[]), unnest(sqlc.arg(kinds)::text[])
on conflict (code) do update set name = excluded.name, kind = excluded.kind
where (u.name, u.kind) is distinct from (excluded.name, excluded.kind);

-- name: UnitCodes :many
select code from unit order by code;

-- FillPlaces writes NaN as no position.
-- name: FillPlaces :execrows
insert into place as p (kind, name, village, grid, lat, lon)
select unnest(sqlc.arg(kinds)::text[]), unnest(sqlc.arg(names)::text[]), unnest(sqlc.arg(villages)::text[]), nullif(unnest(sqlc.arg(grids)::text[]), ''),
       nullif(unnest(sqlc.arg(lats)::float8[]), 'NaN'), nullif(unnest(sqlc.arg(lons)::float8[]), 'NaN')
on conflict (village, name) do update set kind = excluded.kind, grid = excluded.grid, lat = excluded.lat, lon = excluded.lon
where (p.kind, p.grid, p.lat, p.lon) is distinct from (excluded.kind, excluded.grid, excluded.lat, excluded.lon);

-- FillAliases accepts other names of places; one that was only proposed is
-- accepted by it.
-- name: FillAliases :execrows
insert into place_alias as a (place_id, alias, accepted_at)
select p.id, u.alias, product_now()
from (select unnest(sqlc.arg(villages)::text[]) as village, unnest(sqlc.arg(names)::text[]) as name, unnest(sqlc.arg(aliases)::text[]) as alias) u
join place p on p.village = u.village and p.name = u.name
on conflict (place_id, alias) do update set accepted_at = excluded.accepted_at where a.accepted_at is null;

-- name: GetPlace :one
select id, kind, name, village, coalesce(grid, '')::text as grid from place where id = $1;

-- name: ProposeAlias :execrows
insert into place_alias (place_id, alias, proposed_by) values ($1, $2, $3) on conflict do nothing;

-- name: AcceptAlias :execrows
update place_alias set accepted_at = product_now() where place_id = $1 and alias = $2 and accepted_at is null;

-- name: RefuseAlias :execrows
delete from place_alias where place_id = $1 and alias = $2 and accepted_at is null;

-- ProposedAliases lists what waits for a yes below a division code.
-- name: ProposedAliases :many
select a.place_id, a.alias, p.name as place, p.village, coalesce(s.name, '')::text as proposed_by
from place_alias a join place p on p.id = a.place_id left join staff s on s.id = a.proposed_by
where a.accepted_at is null and starts_with(p.village, sqlc.arg(division)::text)
order by a.place_id, a.alias limit sqlc.arg(max_rows);

-- Places have NaN where no position is known.
-- name: Places :many
select id, kind, name, village, coalesce(grid, '')::text as grid, coalesce(lat, 'NaN')::float8 as lat, coalesce(lon, 'NaN')::float8 as lon from place order by id;

-- name: Aliases :many
select place_id, alias from place_alias where accepted_at is not null order by place_id, alias;

-- WakePlaces tells every process, when this transaction commits, that places
-- have changed. The topic is city.TopicPlaces.
-- name: WakePlaces :exec
select pg_notify('shaoying', 'places');
