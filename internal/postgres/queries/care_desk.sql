-- What the desk page lists of family beds. Clinics and hospitals are those at which
-- who asks may look.

-- ApplicationsAt lists what is open by deadline; without a clinic it is the city's.
-- name: ApplicationsAt :many
select * from care_application
where state not in ('registered', 'rejected', 'withdrawn')
  and (clinic_id = any(sqlc.arg(clinics)::bigint[]) or clinic_id is null and sqlc.arg(unplaced)::boolean)
order by due_at nulls last, id limit sqlc.arg(max_rows);

-- name: BedsAt :many
select id from bed
where (clinic_id = any(sqlc.arg(clinics)::bigint[]) or hospital_id = any(sqlc.arg(clinics)::bigint[]))
  and programme = 'family_bed' and (state = any(sqlc.arg(states)::text[]))
  and (sqlc.arg(query)::text = '' or number = sqlc.arg(query))
  and id > sqlc.arg(after)
order by id limit sqlc.arg(max_rows);

-- VisitsAt lists visits of some days with the numbers of their beds, by visitor.
-- name: VisitsAt :many
select sqlc.embed(v), coalesce(b.number, '')::text as number, s.name as visitor
from visit v join bed b on b.id = v.bed_id join staff s on s.id = v.staff_id
where (b.clinic_id = any(sqlc.arg(clinics)::bigint[]) or b.hospital_id = any(sqlc.arg(clinics)::bigint[]))
  and v.day between sqlc.arg(from_day)::date and sqlc.arg(to_day)::date and v.state <> 'released'
order by v.day, s.name, v.staff_id, v.starts, v.id limit sqlc.arg(max_rows);

-- VisitsToMakeUp lists what did not happen and is not over.
-- name: VisitsToMakeUp :many
select sqlc.embed(v), coalesce(b.number, '')::text as number, s.name as visitor
from visit v join bed b on b.id = v.bed_id join staff s on s.id = v.staff_id
where (b.clinic_id = any(sqlc.arg(clinics)::bigint[]) or b.hospital_id = any(sqlc.arg(clinics)::bigint[])) and v.state = 'to_make_up'
order by v.latest, v.id limit sqlc.arg(max_rows);

-- CareStaff are the doctors and nurses of some units.
-- name: CareStaff :many
select distinct s.id, s.slug, s.name, r.role, r.area from staff s join staff_role r on r.staff_id = s.id
where r.area_kind = 'unit' and r.area = any(sqlc.arg(units)::text[]) and r.role in ('doctor', 'nurse') and s.ended_at is null
order by r.role, s.name, s.id;

-- name: AbsencesAt :many
select a.id, a.staff_id, s.name, a.from_day, a.to_day, a.reason from staff_absence a join staff s on s.id = a.staff_id
where a.to_day >= sqlc.arg(from_day)::date and exists (
    select 1 from staff_role r where r.staff_id = a.staff_id and r.area_kind = 'unit' and r.area = any(sqlc.arg(units)::text[]))
order by a.from_day, a.id;

-- name: Agreements :many
select * from bed_agreement where bed_id = $1 order by id desc;

-- name: AddBedFile :exec
insert into bed_file (blob_id, bed_id, added_by) values ($1, $2, $3);

-- name: BedFiles :many
select blob_id from bed_file where bed_id = $1 order by added_at, blob_id;

-- name: NotesOfBed :many
select n.body, n.at, n.staff_id, v.day, v.kind from visit_note n join visit v on v.id = n.visit_id
where v.bed_id = $1 order by n.id desc limit sqlc.arg(max_rows);

-- name: SkipsOfBed :many
select nominal, reason from visit_skip where bed_id = $1 order by nominal desc limit sqlc.arg(max_rows);

-- BedsNumbered finds the beds that a file of plans names.
-- name: BedsNumbered :many
select id, number::text from bed where clinic_id = any(sqlc.arg(clinics)::bigint[]) and state in ('open', 'suspended') and number is not null
  and programme = 'family_bed';

-- name: NumberTaken :one
select exists (select 1 from bed where number = $1);

-- SubjectsAt are those of some subjects that lie at clinics at which who asks may
-- look, with the numbers of their beds.
-- name: SubjectsAt :many
select ('visit:' || v.id)::text as subject, coalesce(b.number, '')::text as number from visit v join bed b on b.id = v.bed_id
where v.id = any(sqlc.arg(visits)::bigint[]) and (b.clinic_id = any(sqlc.arg(clinics)::bigint[]) or b.hospital_id = any(sqlc.arg(clinics)::bigint[]))
union all
select 'bed:' || b.id, coalesce(b.number, '') from bed b
where b.id = any(sqlc.arg(beds)::bigint[]) and (b.clinic_id = any(sqlc.arg(clinics)::bigint[]) or b.hospital_id = any(sqlc.arg(clinics)::bigint[]))
union all
select 'application:' || a.id, '' from care_application a
where a.id = any(sqlc.arg(applications)::bigint[]) and a.clinic_id = any(sqlc.arg(clinics)::bigint[]);
