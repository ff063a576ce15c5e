-- Family beds: applications, beds, visits and what is due around them. The rows
-- are read and written whole (internal/postgres/care.go).

-- name: ClinicByCode :one
select * from clinic where code = $1;

-- name: GetClinic :one
select * from clinic where id = $1;

-- name: Clinics :many
select * from clinic order by tier, code;

-- ClinicsFor lists the clinics that serve one of the divisions.
-- name: ClinicsFor :many
select * from clinic where tier = 'clinic' and townships && sqlc.arg(divisions)::text[] order by code;

-- PutClinic writes a clinic; its hospital is there before it.
-- name: PutClinic :execrows
insert into clinic as c (code, name, tier, hospital_id, phone, hours, townships, costs)
values ($1, $2, $3, (select id from clinic where code = sqlc.arg(hospital)::text), sqlc.arg(phone), sqlc.arg(hours), sqlc.arg(townships)::text[], sqlc.arg(costs))
on conflict (code) do update
set name = excluded.name, tier = excluded.tier, hospital_id = excluded.hospital_id, phone = excluded.phone, hours = excluded.hours,
    townships = excluded.townships, costs = excluded.costs
where (c.name, c.tier, c.hospital_id, c.phone, c.hours, c.townships, c.costs) is distinct from
      (excluded.name, excluded.tier, excluded.hospital_id, excluded.phone, excluded.hours, excluded.townships, excluded.costs);

-- name: InsertApplication :one
insert into care_application (state, person_id, patient, applicant_id, address_id, conversation_id, clinic_id, entered_by, answers,
    just_discharged, reason, due_at, state_at, filed_at, assessed_by, version, words, home)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
returning id;

-- name: UpdateApplication :execrows
update care_application set state = $2, patient = $3, clinic_id = $4, answers = $5, just_discharged = $6, reason = $7, due_at = $8,
    state_at = $9, assessed_by = $10, version = $11, home = $12
where id = $1 and version = sqlc.arg(was);

-- name: GetApplication :one
select * from care_application where id = $1;

-- name: LockApplication :one
select * from care_application where id = $1 for no key update;

-- CareOf tells of a person's application or bed that is not over, as a
-- subject: nobody has two.
-- name: CareOf :one
select coalesce(
    (select 'bed:' || b.id from bed b join kin k on k.kin_id = b.person_id
     where k.person_id = sqlc.arg(person) and b.programme = 'family_bed' and b.state <> 'closed' limit 1),
    (select 'application:' || a.id from care_application a join kin k on k.kin_id = a.person_id
     where k.person_id = sqlc.arg(person) and a.state not in ('registered', 'rejected', 'withdrawn') limit 1), '')::text as subject;

-- ApplicationsOfPatient lists what was ever wished for a patient, under whatever face.
-- name: ApplicationsOfPatient :many
select a.id, a.state from care_application a join kin k on k.kin_id = a.person_id where k.person_id = sqlc.arg(person) order by a.id;

-- HasDied tells whether a person has, under whatever face.
-- name: HasDied :one
select exists (select 1 from kin k join person p on p.id = k.kin_id where k.person_id = sqlc.arg(person) and p.died_at is not null)::boolean;

-- name: InsertBed :one
insert into bed (programme, number, application_id, clinic_id, hospital_id, person_id, patient, type, state, reason, doctor_id, nurse_id,
    agreement, periods, items, pauses, just_discharged, outcome, opened_at, state_at, consent_lost_at, stopped_at, version, home, diagnosis, closing)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
returning id;

-- name: UpdateBed :execrows
update bed set number = $2, clinic_id = $3, hospital_id = $4, patient = $5, type = $6, state = $7, reason = $8, doctor_id = $9, nurse_id = $10,
    agreement = $11, periods = $12, items = $13, pauses = $14, just_discharged = $15, outcome = $16, opened_at = $17, state_at = $18,
    consent_lost_at = $19, stopped_at = $20, version = $21, home = $22, diagnosis = $23, closing = $24
where id = $1;

-- name: GetBeds :many
select * from bed where id = any(sqlc.arg(ids)::bigint[]) order by id;

-- name: LockBeds :many
select * from bed where id = any(sqlc.arg(ids)::bigint[]) order by id for no key update;

-- name: BedOfVisit :one
select bed_id from visit where id = $1;

-- Visitor is what a family hears of who comes.
-- name: Visitor :one
select s.name, array(select distinct r.role from staff_role r where r.staff_id = s.id)::text[] as roles from staff s where s.id = $1;

-- name: BedByNumber :one
select id from bed where number = $1;

-- BedsOf lists the beds of somebody who is the patient or a carer.
-- name: BedsOf :many
select distinct b.id from bed b
where b.state <> 'closed' and (b.person_id in (select kin_id from kin where kin.person_id = sqlc.arg(person))
   or exists (select 1 from bed_carer c where c.bed_id = b.id and c.person_id in (select kin_id from kin where kin.person_id = sqlc.arg(person))))
order by b.id;

-- name: CarersOf :many
select * from bed_carer where bed_id = any(sqlc.arg(beds)::bigint[]) order by bed_id, position;

-- VouchAddresses notes of numbers that they are somebody's still (proven_at is what the
-- silence of a number is counted from), if they are, and were known since a time: who
-- was silent for longer has to prove it. What a number may do is not changed by it.
-- name: VouchAddresses :exec
update address a set proven_at = product_now()
from (select unnest(sqlc.arg(addresses)::bigint[]) as address, unnest(sqlc.arg(persons)::bigint[]) as person) h
where a.id = h.address and a.person_id in (select kin_id from kin where kin.person_id = h.person)
  and coalesce(greatest(a.last_inbound_at, a.proven_at), a.created_at) > sqlc.arg(since)::timestamptz;

-- name: DropCarers :exec
delete from bed_carer where bed_id = $1;

-- name: AddCarer :exec
insert into bed_carer (bed_id, position, person_id, relation, address_id, shared, stopped) values ($1, $2, $3, $4, $5, $6, $7);

-- name: AddAgreement :exec
insert into bed_agreement (bed_id, body) values ($1, $2);

-- name: NextItem :one
select nextval('bed_item')::bigint;

-- VisitsToPlan reads what Plan needs: what is open, and what is settled ahead of
-- its item.
-- name: VisitsToPlan :many
select v.* from visit v left join (
    select unnest(sqlc.arg(item_ids)::bigint[]) as item, unnest(sqlc.arg(seqs)::int[]) as seq) i on i.item = v.item_id
where v.bed_id = any(sqlc.arg(beds)::bigint[])
  and (v.state in ('planned', 'notified', 'confirmed', 'move_asked', 'declined', 'en_route', 'arrived', 'to_make_up')
       or v.state in ('done', 'missed', 'cancelled') and v.slot > coalesce(i.seq, 0))
order by v.id;

-- name: GetVisit :one
select * from visit where id = $1;

-- name: VisitsByID :many
select * from visit where id = any(sqlc.arg(ids)::bigint[]) order by id;

-- VisitsOfBed lists what was and what is to come, for people to read.
-- name: VisitsOfBed :many
select * from visit where bed_id = $1 and day between sqlc.arg(from_day)::date and sqlc.arg(to_day)::date order by day, starts, id;

-- VisitsOfStaff lists the visits of a day of some of the staff.
-- name: VisitsOfStaff :many
select v.* from visit v where v.staff_id = any(sqlc.arg(staff)::bigint[]) and v.day between sqlc.arg(from_day)::date and sqlc.arg(to_day)::date
  and v.state <> 'released' order by v.day, v.starts, v.id;

-- name: VisitsOfClinic :many
select v.* from visit v join bed b on b.id = v.bed_id
where b.clinic_id = sqlc.arg(clinic) and v.day between sqlc.arg(from_day)::date and sqlc.arg(to_day)::date
order by v.day, v.starts, v.id;

-- VisitLoad counts what visitors have to do, by day and window. Where nobody goes
-- (minutes 0) nothing is to do.
-- name: VisitLoad :many
select staff_id, day, starts, count(*)::int as n from visit
where staff_id = any(sqlc.arg(staff)::bigint[]) and day >= sqlc.arg(from_day)::date and minutes > 0
  and state in ('planned', 'notified', 'confirmed', 'move_asked', 'declined', 'en_route', 'arrived')
group by staff_id, day, starts;

-- name: AbsencesOf :many
select staff_id, from_day, to_day from staff_absence where staff_id = any(sqlc.arg(staff)::bigint[]) and to_day >= sqlc.arg(from_day)::date;

-- name: AddAbsence :one
insert into staff_absence (staff_id, from_day, to_day, reason, by_staff) values ($1, $2, $3, $4, $5) returning id;

-- LockStaffDays lets one planner at a time give out the hours of these visitors.
-- name: LockStaffDays :exec
select pg_advisory_xact_lock(7301, s::int) from (select unnest(sqlc.arg(staff)::bigint[]) as s order by 1) o;

-- BedsToPlan lists what the planner goes over, in chunks.
-- name: BedsToPlan :many
select id from bed where id > sqlc.arg(after) and state in ('open', 'suspended') order by id limit sqlc.arg(max_rows);

-- name: VisitHistories :many
select v.id, (select count(*) from visit d where d.bed_id = v.bed_id and d.state = 'done' and d.id <> v.id)::int as done,
    (s.id is not null)::boolean as asked, coalesce(s.answer, '')::text as answer, s.answered_at,
    exists (select 1 from task k where k.kind = 'care.low_call' and k.subject = 'visit:' || v.id and k.state = 'done')::boolean as called
from visit v left join survey s on s.kind = 'visit' and s.subject = 'visit:' || v.id and s.ticket_id is null
where v.id = any(sqlc.arg(ids)::bigint[]);

-- LastSurveys tells when a person, and when an address, was last asked, over all
-- programmes.
-- name: LastSurveys :one
select coalesce((select max(s.sent_at) from survey s where s.person_id in (select kin_id from kin where kin.person_id = sqlc.arg(person))), 'epoch')::timestamptz as person_at,
       coalesce((select max(s.sent_at) from survey s where s.address_id = sqlc.arg(address)), 'epoch')::timestamptz as address_at;

-- name: AddCareSurvey :one
insert into survey (kind, person_id, subject, address_id) values ($1, $2, $3, $4)
on conflict (kind, subject) where ticket_id is null do nothing returning id;

-- name: AnswerCareSurvey :execrows
update survey set answered_at = product_now(), answer = $3 where kind = $1 and subject = $2 and answered_at is null;

-- name: AddVisitNote :exec
insert into visit_note (visit_id, staff_id, body) values ($1, $2, $3);

-- LastNote is the last record of a bed.
-- name: LastNote :one
select n.body, n.at, n.staff_id from visit_note n join visit v on v.id = n.visit_id where v.bed_id = $1 order by n.id desc limit 1;

-- CareDues lists what is planned for some subjects, kept back with a reason, or
-- over: what was taken back alone may be planned again.
-- name: CareDues :many
select id, kind, subject, key, due_at, not_after, state, reason from due
where subject = any(sqlc.arg(subjects)::text[]) and state <> 'cleared' and kind = any(sqlc.arg(kinds)::text[]);

-- ClearDues takes rows back that nothing calls for any more.
-- name: ClearDues :exec
update due set state = 'cleared', reason = sqlc.arg(reason), done_at = product_now(), lease = null
where id = any(sqlc.arg(ids)::bigint[]) and state in ('planned', 'suppressed');

-- PlanCare writes what is due. A row that was taken back, or kept back, and is
-- called for again is planned again; what was done, was too late, or runs stays.
-- name: PlanCare :exec
insert into due as d (kind, subject, key, person_id, subject_version, data, due_at, not_after, state, reason)
select u.kind, u.subject, u.key, nullif(u.person, 0), u.version, u.data::jsonb, u.due_at, nullif(u.not_after, '0001-01-01 00:00:00+00'),
       case when u.why = '' then 'planned' else 'suppressed' end, u.why
from (select unnest(sqlc.arg(kinds)::text[]) as kind, unnest(sqlc.arg(subjects)::text[]) as subject,
             unnest(sqlc.arg(keys)::text[]) as key, unnest(sqlc.arg(persons)::bigint[]) as person,
             unnest(sqlc.arg(versions)::int[]) as version, unnest(sqlc.arg(data)::text[]) as data,
             unnest(sqlc.arg(due_ats)::timestamptz[]) as due_at, unnest(sqlc.arg(not_afters)::timestamptz[]) as not_after,
             unnest(sqlc.arg(whys)::text[]) as why
      limit cardinality(sqlc.arg(kinds)::text[])) u
on conflict (kind, subject, key) do update
set due_at = excluded.due_at, not_after = excluded.not_after, data = excluded.data, subject_version = excluded.subject_version,
    state = excluded.state, reason = excluded.reason, tries = 0, done_at = null
where d.state in ('planned', 'cleared', 'suppressed');

-- ClearPersonDues takes back what is planned to be said to a person, under whatever
-- face.
-- name: ClearPersonDues :execrows
update due set state = 'cleared', reason = sqlc.arg(reason), done_at = product_now(), lease = null
where person_id in (select kin_id from kin where kin.person_id = sqlc.arg(person)) and state in ('planned', 'running', 'suppressed')
  and kind = any(sqlc.arg(kinds)::text[]);

-- name: ClosePersonPrompts :exec
update prompt p set closed_at = product_now(), outcome = sqlc.arg(outcome)
from address a where a.id = p.address_id and p.closed_at is null
  and a.person_id in (select kin_id from kin where kin.person_id = sqlc.arg(person));

-- name: Died :execrows
update person set died_at = product_now() where id = $1 and died_at is null;

-- OpenCareTasks lists tasks of the programme about some subjects.
-- name: OpenCareTasks :many
select id, kind, subject from task where subject = any(sqlc.arg(subjects)::text[]) and state = 'open' and kind like 'care.%';

-- name: ClearTasks :exec
update task set state = 'cleared', outcome = sqlc.arg(outcome), done_at = product_now()
where id = any(sqlc.arg(ids)::bigint[]) and state = 'open';

-- name: PauseCare :execrows
insert into care_pause (programme, by_staff, reason) values ($1, $2, $3) on conflict do nothing;

-- name: ResumeCare :execrows
delete from care_pause where programme = $1;

-- name: InsertOccasions :many
insert into care_occasion (programme, event_id, clinic_id, person_id, staff_id, at)
select sqlc.arg(programme), sqlc.narg(event), sqlc.narg(clinic), nullif(p, 0), nullif(s, 0), sqlc.arg(at)
from (select unnest(sqlc.arg(persons)::bigint[]) as p, unnest(sqlc.arg(staff)::bigint[]) as s) u
on conflict do nothing returning *;

-- name: GetOccasion :one
select * from care_occasion where id = $1;

-- name: LockOccasion :one
select * from care_occasion where id = $1 for no key update;

-- name: SaveOccasion :exec
update care_occasion set state = $2, state_at = $3, at = $4, answer = $5, version = $6 where id = $1;

-- name: OccasionsOfEvent :many
select * from care_occasion where event_id = $1 and id > sqlc.arg(after) order by id limit sqlc.arg(max_rows);

-- name: InsertEvent :one
insert into care_event (programme, title, place, held_at, by_staff) values ($1, $2, $3, $4, $5) returning *;

-- name: LockEvent :one
select * from care_event where id = $1 for no key update;

-- name: GetEvent :one
select * from care_event where id = $1;

-- name: SaveEvent :exec
update care_event set title = $2, place = $3, held_at = $4, state = $5, version = version + 1 where id = $1;

-- name: JoinProgramme :exec
insert into care_member (person_id, programme, address_id) values ($1, $2, $3)
on conflict (person_id, programme) do update set left_at = null, at = product_now(), address_id = coalesce(excluded.address_id, care_member.address_id);

-- name: LeaveProgramme :execrows
update care_member set left_at = product_now() where person_id in (select kin_id from kin where kin.person_id = sqlc.arg(person)) and programme = sqlc.arg(programme) and left_at is null;

-- name: Joined :one
select exists (select 1 from care_member m join kin k on k.kin_id = m.person_id
    where k.person_id = sqlc.arg(person) and m.programme = sqlc.arg(programme) and m.left_at is null)::boolean;

-- UnwrittenVisits counts what was done and has no record yet.
-- name: UnwrittenVisits :one
select count(*)::int from visit where bed_id = $1 and state = 'done' and not noted;

-- ClearBedDues takes back what is planned about a bed and all its visits, of the
-- kinds given.
-- name: ClearBedDues :exec
update due set state = 'cleared', reason = sqlc.arg(reason), done_at = product_now(), lease = null
where state in ('planned', 'suppressed') and kind = any(sqlc.arg(kinds)::text[])
  and subject in (select 'bed:' || sqlc.arg(bed)::bigint union all select 'visit:' || v.id from visit v where v.bed_id = sqlc.arg(bed));

-- CloseBedPrompts closes what waits for an answer about a bed's visits.
-- name: CloseBedPrompts :exec
update prompt set closed_at = product_now(), outcome = sqlc.arg(outcome)
where closed_at is null and subject in (select 'bed:' || sqlc.arg(bed)::bigint union all select 'visit:' || v.id from visit v where v.bed_id = sqlc.arg(bed));

-- ClosePromptsAbout closes what waits for an answer about some subjects.
-- name: ClosePromptsAbout :exec
update prompt set closed_at = product_now(), outcome = sqlc.arg(outcome)
where closed_at is null and subject = any(sqlc.arg(subjects)::text[]);

-- OtherBedsOf lists what else is planned around a patient.
-- name: OtherBedsOf :many
select b.id from bed b join kin k on k.kin_id = b.person_id
where k.person_id = sqlc.arg(person) and b.state <> 'closed' and b.id <> sqlc.arg(but) order by b.id;

-- EndOccasionsOf takes a person out of what programmes hold.
-- name: EndOccasionsOf :many
update care_occasion set state = 'cancelled', state_at = product_now(), version = version + 1
where person_id in (select kin_id from kin where kin.person_id = sqlc.arg(person)) and state in ('planned', 'asked', 'confirmed', 'declined')
returning id;

-- name: LeaveAll :exec
update care_member set left_at = product_now()
where person_id in (select kin_id from kin where kin.person_id = sqlc.arg(person)) and left_at is null;

-- GatherCare takes what else is due now to be told to the same person: it goes into
-- one message.
-- name: GatherCare :many
update due d set state = 'running', lease = now() + interval '30 seconds'
where d.id in (
    select x.id from due x where x.person_id = sqlc.arg(person) and x.kind = sqlc.arg(kind) and x.state in ('planned', 'running') and x.due_at <= product_now() and x.id <> sqlc.arg(but)
    order by x.due_at, x.id for update skip locked)
returning d.id, d.kind, d.subject, d.key, d.person_id, d.subject_version, d.data, d.due_at, d.not_after, d.tries, d.reason;
