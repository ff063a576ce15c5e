-- What families ask and answer about their beds.

-- OpenApplicationOf is the last application of somebody, as who asked or as who
-- would be the patient, that is not over.
-- name: OpenApplicationOf :one
select a.id from care_application a
where (a.applicant_id in (select kin_id from kin where kin.person_id = sqlc.arg(person)) or a.person_id in (select kin_id from kin where kin.person_id = sqlc.arg(person)))
  and a.state not in ('registered', 'rejected', 'withdrawn')
order by a.id desc limit 1;

-- ConsentTo keeps that somebody agrees to what a text asked.
-- name: ConsentTo :exec
insert into consent (person_id, kind, version, address_id)
select sqlc.arg(person), sqlc.arg(kind), sqlc.arg(version), nullif(sqlc.arg(address)::bigint, 0)
where not exists (select 1 from consent c where c.person_id = sqlc.arg(person) and c.kind = sqlc.arg(kind) and c.version = sqlc.arg(version) and c.withdrawn_at is null);

-- WithdrawConsentTo takes it back.
-- name: WithdrawConsentTo :execrows
update consent set withdrawn_at = product_now()
where kind = sqlc.arg(kind) and withdrawn_at is null and person_id in (select kin_id from kin where kin.person_id = sqlc.arg(person));

-- TryDoorCode counts a wrong code at the door and returns how often there was one before.
-- name: TryDoorCode :one
update visit set code_tries = code_tries + 1 where id = $1 returning (code_tries - 1)::int as before;
