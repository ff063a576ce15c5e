-- What programs ask about family beds. orgs are clinics and hospitals in whose beds
-- a token may look.

-- name: BedPage :many
select b.id from bed b
where b.id > sqlc.arg(after) and b.programme = 'family_bed'
  and (b.clinic_id = any(sqlc.arg(orgs)::bigint[]) or b.hospital_id = any(sqlc.arg(orgs)::bigint[]))
  and (sqlc.arg(state)::text = '' or b.state = sqlc.arg(state)::text)
order by b.id limit sqlc.arg(max_rows);

-- name: ApplicationPage :many
select a.id from care_application a
where a.id > sqlc.arg(after) and (sqlc.arg(state)::text = '' or a.state = sqlc.arg(state)::text)
  and (a.clinic_id = any(sqlc.arg(orgs)::bigint[])
       or exists (select 1 from clinic c where c.id = a.clinic_id and c.hospital_id = any(sqlc.arg(orgs)::bigint[])))
order by a.id limit sqlc.arg(max_rows);

-- StaffSlugsOf names staff as programs know them.
-- name: StaffSlugsOf :many
select id, slug from staff where id = any(sqlc.arg(ids)::bigint[]);
