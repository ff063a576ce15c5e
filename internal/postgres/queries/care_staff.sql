-- What nurses, doctors, clinic desks and liaisons do in chat.

-- EndCareTask ends a task that its holder has locked, also when what the holder did
-- has taken it off the lists in the same transaction.
-- name: EndCareTask :exec
update task set state = 'done', outcome = $2, done_at = product_now(), done_by = $3 where id = $1;

-- BedsOfClinic lists the beds of a clinic that are not closed.
-- name: BedsOfClinic :many
select id from bed where clinic_id = $1 and programme = 'family_bed' and state <> 'closed' order by number, id limit sqlc.arg(max_rows);

-- BedsOfHospital lists the beds whose hospital it is.
-- name: BedsOfHospital :many
select id from bed where hospital_id = $1 and programme = 'family_bed' and state <> 'closed' order by number, id limit sqlc.arg(max_rows);

-- OpenApplications lists the applications of a clinic that somebody still has to do
-- something about, the most pressing first; NULL for those that have no clinic.
-- name: OpenApplications :many
select * from care_application where clinic_id is not distinct from sqlc.narg(clinic) and state not in ('registered', 'rejected', 'withdrawn')
order by due_at nulls last, id limit sqlc.arg(max_rows);

-- UnnotedOf lists the visits of a visitor that were done and have no record yet.
-- name: UnnotedOf :many
select * from visit where staff_id = $1 and state = 'done' and not noted and day >= sqlc.arg(from_day)::date order by day, starts, id;

-- VisitorsOn lists who has visits on a day, with how many; those who have left are
-- left out.
-- name: VisitorsOn :many
select v.staff_id, count(*)::int as n from visit v join staff s on s.id = v.staff_id
where v.day = sqlc.arg(day)::date and s.ended_at is null and v.staff_id > sqlc.arg(after)
  and v.state in ('planned', 'notified', 'confirmed', 'move_asked', 'declined', 'en_route', 'arrived')
group by v.staff_id order by v.staff_id limit sqlc.arg(max_rows);

-- ClinicsOn lists the clinics of whose beds there are visits on a day.
-- name: ClinicsOn :many
select distinct b.clinic_id::bigint as clinic from visit v join bed b on b.id = v.bed_id
where v.day = sqlc.arg(day)::date and b.clinic_id is not null
  and v.state in ('planned', 'notified', 'confirmed', 'move_asked', 'declined', 'en_route', 'arrived') order by 1;

-- RoundsDue lists the rounds that are due until a day, with those that are overdue:
-- what waits past its nominal day, or is to be made up.
-- name: RoundsDue :many
select v.staff_id, b.clinic_id::bigint as clinic, count(*) filter (where v.nominal >= sqlc.arg(today)::date and v.state <> 'to_make_up')::int as due,
    count(*) filter (where v.nominal < sqlc.arg(today)::date or v.state = 'to_make_up')::int as overdue
from visit v join bed b on b.id = v.bed_id join staff s on s.id = v.staff_id
where b.clinic_id is not null and s.ended_at is null and v.kind = any(sqlc.arg(kinds)::text[])
  and v.nominal <= sqlc.arg(until)::date and v.state in ('planned', 'notified', 'confirmed', 'move_asked', 'declined', 'to_make_up')
group by v.staff_id, b.clinic_id order by v.staff_id, b.clinic_id;

-- AddFeed keeps the hash of the secret address of a calendar.
-- name: AddFeed :exec
insert into calendar_feed (staff_id, token_hash) values ($1, $2);

-- RevokeFeeds takes the calendars of somebody back.
-- name: RevokeFeeds :execrows
update calendar_feed set revoked_at = product_now() where staff_id = $1 and revoked_at is null;

-- FeedOf finds whose calendar it is; nobody's when it was revoked, or its reader has left.
-- name: FeedOf :one
select s.id, s.name from calendar_feed f join staff s on s.id = f.staff_id
where f.token_hash = $1 and f.revoked_at is null and s.ended_at is null;

-- HandVisit notes whose a visit was.
-- name: HandVisit :exec
insert into visit_handed (visit_id, staff_id) values ($1, $2) on conflict (staff_id, visit_id) do update set at = excluded.at;

-- FeedHanded lists what was given to somebody else after it was the visitor's.
-- name: FeedHanded :many
select sqlc.embed(v), h.at from visit_handed h join visit v on v.id = h.visit_id
where h.staff_id = sqlc.arg(staff) and v.staff_id <> h.staff_id and h.at > sqlc.arg(since)::timestamptz
order by h.at desc limit sqlc.arg(max_rows);

-- FeedVisits lists what a visitor's calendar tells: what is to come and was lately.
-- name: FeedVisits :many
select v.* from visit v where v.staff_id = sqlc.arg(staff) and v.day between sqlc.arg(from_day)::date and sqlc.arg(to_day)::date
order by v.day, v.starts, v.id limit sqlc.arg(max_rows);
