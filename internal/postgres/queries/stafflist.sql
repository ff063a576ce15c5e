-- Writing many staff at once: imports and the demo city.

-- name: NewPersons :many
insert into person (kind) select 'staff' from generate_series(1, sqlc.arg(n)::int) returning id;

-- name: StaffSlugs :many
select slug from staff order by slug;

-- FillStaff changes a known slug in place and leaves its person alone; the
-- person given for it is then not used, so callers give new slugs alone a new
-- person and known ones their own.
-- name: FillStaff :execrows
insert into staff as s (person_id, slug, name, phone)
select unnest(sqlc.arg(persons)::bigint[]), unnest(sqlc.arg(slugs)::text[]), unnest(sqlc.arg(names)::text[]), unnest(sqlc.arg(phones)::text[])
on conflict (slug) do update set name = excluded.name, phone = excluded.phone, ended_at = null
where (s.name, s.phone) is distinct from (excluded.name, excluded.phone) or s.ended_at is not null;

-- name: StaffIDs :many
select id, slug, person_id from staff where slug = any(sqlc.arg(slugs)::text[]);

-- name: FillSubstitutes :execrows
update staff s set substitute = o.id
from (select unnest(sqlc.arg(slugs)::text[]) as slug, unnest(sqlc.arg(substitutes)::text[]) as substitute) u
left join staff o on o.slug = u.substitute
where s.slug = u.slug and s.substitute is distinct from o.id;

-- name: FillGrants :execrows
insert into staff_role (staff_id, role, area_kind, area)
select s.id, u.role, u.kind, u.area
from (select unnest(sqlc.arg(slugs)::text[]) as slug, unnest(sqlc.arg(roles)::text[]) as role,
             unnest(sqlc.arg(kinds)::text[]) as kind, unnest(sqlc.arg(areas)::text[]) as area) u
join staff s on s.slug = u.slug
on conflict do nothing;

-- DropOtherGrants takes away what the file of a staff import no longer names.
-- name: DropOtherGrants :execrows
delete from staff_role r using staff s
where s.id = r.staff_id and s.slug = any(sqlc.arg(slugs)::text[])
  and not exists (
    select 1 from (select unnest(sqlc.arg(grant_slugs)::text[]) as slug, unnest(sqlc.arg(roles)::text[]) as role,
                          unnest(sqlc.arg(kinds)::text[]) as kind, unnest(sqlc.arg(areas)::text[]) as area) u
    where u.slug = s.slug and u.role = r.role and u.kind = r.area_kind and u.area = r.area);
