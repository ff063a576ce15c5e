-- MembersAfter lists who takes part in a programme, in chunks: one face of each who
-- is alive.
-- name: MembersAfter :many
select m.person_id from care_member m join person p on p.id = m.person_id
where m.programme = sqlc.arg(programme) and m.left_at is null and p.died_at is null and m.person_id > sqlc.arg(after)
  and (p.merged_into is null or not exists (
      select 1 from care_member o join person q on q.id = o.person_id
      where o.programme = m.programme and o.left_at is null and (q.id = p.merged_into or q.merged_into = p.merged_into and q.id < p.id)))
order by m.person_id limit sqlc.arg(max_rows);

-- name: CountMembers :one
select count(*) from care_member where programme = sqlc.arg(programme) and left_at is null;

-- JoinedOf is Joined of many, with the address by which each joined.
-- name: JoinedOf :many
select distinct on (k.person_id) k.person_id, m.address_id from kin k join care_member m on m.person_id = k.kin_id
where k.person_id = any(sqlc.arg(persons)::bigint[]) and m.programme = sqlc.arg(programme) and m.left_at is null
order by k.person_id, m.at desc;

-- LivingOf leaves out of some persons those that there are not, or no more.
-- name: LivingOf :many
select id from person where id = any(sqlc.arg(persons)::bigint[]) and died_at is null order by id;

-- StaffOf leaves out of some members of the staff those that there are not, or no
-- more.
-- name: StaffOf :many
select id from staff where id = any(sqlc.arg(staff)::bigint[]) and ended_at is null order by id;

-- SpreadEvent gives the parts of an event what the event has become. What is over
-- for somebody stays as it is.
-- name: SpreadEvent :many
update care_occasion
set at = at || sqlc.arg(at)::jsonb, state = sqlc.arg(state), state_at = product_now(), version = version + 1
where id = any(sqlc.arg(ids)::bigint[]) and state = any(sqlc.arg(from_states)::text[])
returning *;

-- EventsAhead lists what is to be held, of some programmes.
-- name: EventsAhead :many
select * from care_event where programme = any(sqlc.arg(programmes)::text[]) and state = 'planned' and held_at > sqlc.arg(since)
order by held_at, id limit sqlc.arg(max_rows);

-- name: CountOccasions :one
select count(*) from care_occasion where event_id = $1 and state <> 'cancelled';

-- SupersedeOccasions ends what a programme held for a person before.
-- name: SupersedeOccasions :many
update care_occasion set state = 'done', state_at = product_now()
where person_id in (select kin_id from kin where kin.person_id = sqlc.arg(person)) and programme = sqlc.arg(programme) and event_id is null
  and state in ('planned', 'asked', 'confirmed', 'declined') and id <> sqlc.arg(but)
returning id;

-- OccasionsOfPerson lists what is open for a person in a programme.
-- name: OccasionsOfPerson :many
select * from care_occasion
where person_id in (select kin_id from kin where kin.person_id = sqlc.arg(person)) and programme = sqlc.arg(programme)
  and state not in ('missed', 'cancelled') order by id;

-- EnrolledIn finds what a cadence plans for a person in a programme.
-- name: EnrolledIn :many
select b.id from bed b join kin k on k.kin_id = b.person_id
where k.person_id = sqlc.arg(person) and b.programme = sqlc.arg(programme) and b.state <> 'closed' order by b.id;

-- ProgrammeVisits lists what a member of the staff has to do for programmes with a
-- cadence, up to a day.
-- name: ProgrammeVisits :many
select v.*, b.programme from visit v join bed b on b.id = v.bed_id
where v.staff_id = sqlc.arg(staff) and b.programme <> 'family_bed' and v.day <= sqlc.arg(to_day)::date
  and v.state in ('planned', 'notified', 'confirmed', 'declined', 'move_asked', 'en_route', 'arrived', 'to_make_up')
order by v.day, v.id limit sqlc.arg(max_rows);

-- ProgrammeNames are the names, sealed, and homes of who is called on.
-- name: ProgrammeNames :many
select b.id, p.name, b.home from bed b join person p on p.id = b.person_id where b.id = any(sqlc.arg(beds)::bigint[]);
