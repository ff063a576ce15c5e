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

-- PersonsByPhone are the roots of whoever has a number.
-- name: PersonsByPhone :many
select distinct coalesce(merged_into, id)::bigint as id from person where phone_index = $1 order by 1;

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
insert into opt_out (person_id, topic) values ($1, $2)
on conflict (person_id, topic) do update set lifted_by = null, created_at = excluded.created_at
where opt_out.lifted_by is not null;

-- OptIn takes back what a person stopped, and lifts what others did who are one
-- with it.
-- name: OptIn :exec
with own as (delete from opt_out where person_id = sqlc.arg(person) and topic = sqlc.arg(topic))
update opt_out o set lifted_by = sqlc.arg(person)::bigint
from kin k
where k.person_id = sqlc.arg(person) and k.kin_id <> k.person_id and o.person_id = k.kin_id and o.topic = sqlc.arg(topic);

-- name: OptedOut :one
select exists (select 1 from opted_out o where o.person_id = sqlc.arg(person) and o.topic = any(sqlc.arg(topics)::text[]));

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

-- LockPersons locks persons in the order of their ids; staff says whether one is on
-- the staff.
-- name: LockPersons :many
select p.id, p.merged_into, exists (select 1 from staff s where s.person_id = p.id and s.ended_at is null)::bool as staff
from person p where p.id = any(sqlc.arg(ids)::bigint[]) order by p.id for no key update of p;

-- MergePersons notes that a person turned out to be another one, and who says so.
-- Nothing else is rewritten. Whoever was merged into it before is found in one step.
-- name: MergePersons :exec
with noted as (
    insert into person_merge (person_id, into_id, by, reason) values (sqlc.arg(id), sqlc.arg(root), sqlc.arg(by), sqlc.narg(reason))
)
update person set merged_into = sqlc.arg(root)::bigint where id = sqlc.arg(id)::bigint or merged_into = sqlc.arg(id)::bigint;

-- UndoMerge takes a merge back; no row where there is none.
-- name: UndoMerge :execrows
update person_merge set undone_at = product_now(), undone_by = sqlc.arg(by) where person_id = sqlc.arg(id) and undone_at is null;

-- PartPersons gives a person, and whoever was merged into it, what they were before
-- it was merged itself. Called after UndoMerge.
-- name: PartPersons :exec
with recursive below(id) as (
    select sqlc.arg(id)::bigint
    union
    select m.person_id from person_merge m join below b on m.into_id = b.id where m.undone_at is null
)
update person p set merged_into = nullif(sqlc.arg(id)::bigint, p.id) from below b where p.id = b.id;

-- FamilyOf are all who are one person with somebody.
-- name: FamilyOf :many
select kin_id from kin where person_id = $1 order by kin_id;

-- ClosePartedPrompts closes questions that wait at an address of one side about a
-- ticket of the other.
-- name: ClosePartedPrompts :exec
update prompt r set closed_at = product_now(), outcome = 'parted'
from address a, ticket t
where r.closed_at is null and a.id = r.address_id and t.id = case when r.subject ~ '^ticket:[0-9]+$' then substr(r.subject, 8)::bigint end
  and (a.person_id = any(sqlc.arg(one)::bigint[]) and t.reporter_id = any(sqlc.arg(other)::bigint[])
       or a.person_id = any(sqlc.arg(other)::bigint[]) and t.reporter_id = any(sqlc.arg(one)::bigint[]));

-- StaleParted takes out of the outbox what waits for an address of one side about a
-- ticket of the other.
-- name: StaleParted :exec
update outbox o set state = 'stale', error = 'the persons were parted'
from address a, ticket t
where a.person_id = any(sqlc.arg(one)::bigint[] || sqlc.arg(other)::bigint[]) and o.channel = a.channel and o.chat = a.chat and o.address_id = a.id
  and o.state = 'queued' and t.id = case when o.subject ~ '^ticket:[0-9]+$' then substr(o.subject, 8)::bigint end
  and (a.person_id = any(sqlc.arg(one)::bigint[]) and t.reporter_id = any(sqlc.arg(other)::bigint[])
       or a.person_id = any(sqlc.arg(other)::bigint[]) and t.reporter_id = any(sqlc.arg(one)::bigint[]));

-- MergesOf are the merges behind a root, the newest first.
-- name: MergesOf :many
select m.id, m.person_id, m.into_id, m.by, m.reason, m.at from person_merge m join person p on p.id = m.person_id
where m.undone_at is null and p.merged_into = $1 order by m.id desc;

-- Faces are what is known of everybody who is one with a person: the person, then
-- the root, then the others.
-- name: Faces :many
select p.id, p.name, p.phone from kin k join person p on p.id = k.kin_id
where k.person_id = $1 order by (p.id = k.person_id) desc, (p.merged_into is null) desc, p.id;

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
