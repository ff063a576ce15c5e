-- What staff in chat need beside cards and tasks.

-- GrantsInStead are the grants that a member of the staff holds for colleagues
-- who are off duty and have named them as their substitute.
-- name: GrantsInStead :many
select r.staff_id, r.role, r.area_kind, r.area
from staff s join staff_role r on r.staff_id = s.id
where s.substitute = sqlc.arg(staff)::bigint and not s.on_duty and s.ended_at is null and r.role = any(sqlc.arg(roles)::text[])
order by r.staff_id, r.role, r.area;

-- CloseCardsOf takes a ticket out of every staff chat in which it lies open.
-- name: CloseCardsOf :exec
update card set closed_at = product_now() where ticket_id = $1 and closed_at is null;

-- name: SetSubstitute :exec
update staff set substitute = $2 where id = $1;

-- StaffInVillage are the grid staff of a village, by grid.
-- name: StaffInVillage :many
select s.id, s.name, s.on_duty, r.role, r.area
from staff_role r join staff s on s.id = r.staff_id
where r.area_kind = 'grid' and starts_with(r.area, sqlc.arg(village)::text) and r.role = any(sqlc.arg(roles)::text[]) and s.ended_at is null
order by r.area, s.id limit sqlc.arg(max_rows);

-- GridsNamed finds grids by a part of their name or of their village's name,
-- inside a division.
-- name: GridsNamed :many
select g.id, g.name, d.name as village from grid g join division d on d.code = g.village
where starts_with(g.id, sqlc.arg(division)::text)
  and (strpos(g.name, sqlc.arg(part)::text) > 0 or strpos(d.name, sqlc.arg(part)::text) > 0 or strpos(d.name || g.name, sqlc.arg(part)::text) > 0)
order by g.id limit sqlc.arg(max_rows);

-- OpenTasksFor lists the open tasks of the given roles and areas: the two lists
-- are read side by side, one grant each.
-- name: OpenTasksFor :many
select k.* from task k
where k.state = 'open' and (k.staff_id = sqlc.arg(staff)::bigint and k.kind like 'care.%'
  or (k.staff_id is null or k.staff_id = sqlc.arg(staff)::bigint) and exists (select 1 from (select unnest(sqlc.arg(roles)::text[]) as role, unnest(sqlc.arg(areas)::text[]) as area) g
              where g.role = k.role and (starts_with(k.area, g.area) or starts_with(g.area, k.area))))
order by k.due_at nulls last, k.id limit sqlc.arg(max_rows);
