-- name: GetPerson :one
select * from person where id = $1;

-- name: RootPerson :one
with recursive up(id, merged_into) as (
    select person.id, person.merged_into from person where person.id = $1
    union all
    select p.id, p.merged_into from person p join up on p.id = up.merged_into)
select up.id from up where up.merged_into is null;

-- name: SetPersonName :exec
update person set name = $2 where id = $1;

-- name: SetPersonPhone :exec
update person set phone = $2, phone_index = $3 where id = $1;

-- name: SetPersonKind :exec
update person set kind = $2 where id = $1;

-- name: SetPersonLang :exec
update person set lang = $2 where id = $1;

-- name: GiveNotice :exec
update person set notice_version = $2, noticed_at = product_now() where id = $1;

-- name: PersonsByPhone :many
select id from person where phone_index = $1 and merged_into is null order by id;

-- name: AddressOwner :one
select person_id from address where id = $1;

-- name: AddressesOf :many
select * from address where person_id = $1 order by id;

-- name: MoveAddress :exec
update address set person_id = $2, trust = $3, proven_at = case when $3 = 'verified' then product_now() else proven_at end where id = $1;

-- name: StopAddress :exec
update address set state = 'stopped' where id = $1;

-- name: StartAddress :exec
update address set state = 'active' where id = $1 and state = 'stopped';

-- name: OptOut :exec
insert into opt_out (person_id, topic) values ($1, $2) on conflict do nothing;

-- name: OptIn :exec
delete from opt_out where person_id = $1 and topic = $2;

-- OptedOut also sees what was said before two persons turned out to be one.
-- name: OptedOut :one
select exists (select 1 from person p join opt_out o on o.person_id in (p.id, p.merged_into)
               where p.id = sqlc.arg(person) and o.topic = any(sqlc.arg(topics)::text[]));

-- name: AddCode :one
insert into one_time_code (person_id, address_id, sent_to, request, hash, expires_at) values ($1, $2, $3, $4, $5, $6) returning id;

-- OpenCode is the last code that an address asked for, for whatever request.
-- name: OpenCode :one
select * from one_time_code where address_id = $1 and used_at is null and expires_at > product_now()
order by id desc limit 1 for update;

-- ProvenCode is a code that was answered from its address since then: proof for
-- the request it was made for.
-- name: ProvenCode :one
select request, sent_to from one_time_code where id = sqlc.arg(id) and address_id = sqlc.arg(address_id) and used_at > sqlc.arg(since)::timestamptz;

-- CountCodesTo counts the codes that were sent to an address.
-- name: CountCodesTo :one
select count(*) from one_time_code where sent_to = $1 and created_at > $2;

-- MergePersons notes that persons turned out to be another one. Nothing else is
-- rewritten: whoever was merged before into one of them is found in one step.
-- name: MergePersons :exec
update person set merged_into = sqlc.arg(root)::bigint where id = sqlc.arg(id)::bigint or merged_into = sqlc.arg(id)::bigint;

-- name: TryCode :exec
update one_time_code set tries = tries + 1 where id = $1;

-- name: UseCode :exec
update one_time_code set used_at = product_now() where id = $1;

-- name: AddRider :exec
insert into rider (person_id, platform, township) values ($1, $2, $3)
on conflict (person_id) do update set platform = excluded.platform, township = excluded.township;

-- Staff ----------------------------------------------------------------------

-- name: AddStaff :one
insert into staff (person_id, slug, name, phone) values ($1, $2, $3, $4) returning id;

-- name: GetStaff :one
select * from staff where id = $1;

-- name: StaffBySlug :one
select * from staff where slug = $1;

-- name: StaffByPerson :one
select * from staff where person_id = $1 and ended_at is null;

-- name: AddGrant :exec
insert into staff_role (staff_id, role, area_kind, area) values ($1, $2, $3, $4) on conflict do nothing;

-- name: GrantsOf :many
select staff_id, role, area_kind, area from staff_role where staff_id = any(sqlc.arg(ids)::bigint[]) order by staff_id, role, area;

-- StaffWith finds who holds a role in any of the given areas, on duty first.
-- name: StaffWith :many
select s.id, s.person_id, s.slug, s.name, s.phone, s.on_duty, s.substitute, r.role, r.area_kind, r.area
from staff_role r join staff s on s.id = r.staff_id
where r.role = any(sqlc.arg(roles)::text[]) and r.area = any(sqlc.arg(areas)::text[]) and s.ended_at is null
order by s.on_duty desc, s.id;

-- name: SetDuty :exec
update staff set on_duty = $2 where id = $1;

-- name: AddInvite :exec
insert into invite (hash, name, role, area_kind, area, created_by, expires_at) values ($1, $2, $3, $4, $5, $6, $7);

-- name: OpenInvite :one
select * from invite where hash = $1 for update;

-- name: UseInvite :exec
update invite set used_at = product_now(), used_by = $2 where hash = $1;

-- name: ListStaff :many
select s.id, s.slug, s.name, s.on_duty, coalesce(string_agg(r.role || '@' || r.area, ' ' order by r.role), '')::text as grants
from staff s left join staff_role r on r.staff_id = s.id
where s.ended_at is null and not exists (select 1 from api_token k where k.staff_id = s.id) group by s.id order by s.id limit $1;
