-- name: InsertTicket :one
insert into ticket (number, state, claim, matter, urgency, danger, division, grid, place_id, place_label, words, reported_for,
    confidential, anonymous, sensitive, finding, against, against_staff, reporter_id, address_id, conversation_id, version,
    received_at, dispatch_due, grams)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
returning id;

-- name: UpdateTicket :execrows
update ticket set state = sqlc.arg(state), claim = sqlc.arg(claim), matter = sqlc.arg(matter), urgency = sqlc.arg(urgency),
    danger = sqlc.arg(danger), division = sqlc.arg(division), grid = sqlc.arg(grid), place_id = sqlc.arg(place_id),
    place_label = sqlc.narg(place_label), reported_for = sqlc.narg(reported_for),
    confidential = sqlc.arg(confidential), anonymous = sqlc.arg(anonymous), sensitive = sqlc.arg(sensitive),
    against = sqlc.arg(against), against_staff = sqlc.arg(against_staff),
    version = sqlc.arg(version), redos = sqlc.arg(redos), relapses = sqlc.arg(relapses), tries = sqlc.arg(tries),
    dispatched_at = sqlc.narg(dispatched_at), signed_at = sqlc.narg(signed_at), contacted_at = sqlc.narg(contacted_at),
    handled_at = sqlc.narg(handled_at), closed_at = sqlc.narg(closed_at), dispatch_due = sqlc.narg(dispatch_due),
    sign_due = sqlc.narg(sign_due), contact_due = sqlc.narg(contact_due), deadline = sqlc.narg(deadline),
    unit_result = sqlc.arg(unit_result), contacted = sqlc.arg(contacted), solved = sqlc.arg(solved),
    satisfied = sqlc.arg(satisfied), outcome = sqlc.arg(outcome),
    was = sqlc.arg(was), master_id = sqlc.narg(master_id), level = sqlc.arg(level), extensions = sqlc.arg(extensions),
    request = sqlc.arg(request), request_reason = sqlc.arg(request_reason), request_staff = sqlc.arg(request_staff),
    requested_at = sqlc.narg(requested_at), requested_until = sqlc.narg(requested_until),
    suspended_at = sqlc.narg(suspended_at), suspended_until = sqlc.narg(suspended_until),
    referred_to = sqlc.arg(referred_to), exclusion = sqlc.arg(exclusion), exclusion_reason = sqlc.arg(exclusion_reason),
    supervisions = sqlc.arg(supervisions)
where id = sqlc.arg(id) and version = sqlc.arg(version)::int - 1;

-- name: LockTicket :one
select * from ticket where id = $1 for update;

-- name: GetTicket :one
select * from ticket where id = $1;

-- name: TicketIDByNumber :one
select id from ticket where number = $1;

-- name: TicketsOfPerson :many
select * from ticket where reporter_id in (select p.id from person p where p.id = $1 or p.merged_into = $1) order by id desc limit $2;

-- TicketsOfAddress are those that a person filed by an address, or by one that it
-- follows. A number may have been somebody else's before.
-- name: TicketsOfAddress :many
select t.* from ticket t join person p on p.id = t.reporter_id
where t.address_id = any(array(
        select sqlc.arg(address)::bigint
        union select o.id from address me join address o on o.origin = me.origin where me.id = sqlc.arg(address)::bigint))
  and coalesce(p.merged_into, p.id) = sqlc.arg(person)::bigint order by t.id desc limit sqlc.arg(max_rows);

-- name: CountTicketsSince :one
select count(*) from ticket where address_id = $1 and received_at > $2;

-- name: SetTicketWords :exec
update ticket set words = $2, grams = $3 where id = $1;

-- name: SetReplies :exec
update ticket set public_reply = $2, internal_reply = $3 where id = $1;

-- name: AssignmentsOf :many
select * from assignment where ticket_id = any(sqlc.arg(tickets)::bigint[]) order by id;

-- name: InsertAssignment :one
insert into assignment (ticket_id, role, desk_kind, desk, desk_staff, state, signed_by, dispatched_at, signed_at, finished_at, ended_at,
    deadline, due)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, coalesce($12, (select t.deadline from ticket t where t.id = $1))) returning id;

-- name: UpdateAssignment :exec
update assignment set state = $2, signed_by = $3, signed_at = $4, finished_at = $5, ended_at = $6, deadline = $7, objection = $8,
    objection_reason = $9, objected_at = $10, decided_at = $11,
    due = coalesce($7, (select t.deadline from ticket t where t.id = assignment.ticket_id))
where assignment.id = $1;

-- name: SetAssignmentReply :exec
update assignment set reply = $2 where id = $1;

-- name: SetAssignmentBasis :exec
update assignment set basis = $2 where id = $1;

-- name: SupervisionsOf :many
select * from supervision where ticket_id = any(sqlc.arg(tickets)::bigint[]) order by id;

-- name: InsertSupervision :one
insert into supervision (number, ticket_id, desk_kind, desk, desk_staff, reason, opened_by, opened_at, deadline)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id;

-- name: UpdateSupervision :exec
update supervision set answered_at = $2, signed_by = $3, lapsed_at = $4 where id = $1;

-- name: SetSupervisionWords :exec
update supervision set words = $2 where id = $1;

-- name: SupervisionByNumber :one
select * from supervision where number = $1;

-- TicketsMergedInto are the tickets that lie behind a master now, oldest first.
-- name: TicketsMergedInto :many
select id from ticket where master_id = sqlc.arg(master)::bigint and state = 'merged' order by id;

-- name: AddTicketFile :exec
insert into ticket_file (ticket_id, blob_id, use, added_by) values ($1, $2, $3, $4) on conflict do nothing;

-- name: TicketFiles :many
select blob_id, use, added_by, added_at from ticket_file where ticket_id = $1 order by added_at, blob_id;

-- name: AddTicketNote :exec
insert into ticket_note (ticket_id, author, audience, body) values ($1, $2, $3, $4);

-- LastTicketOf is the last ticket that a person reported, under whatever face.
-- name: LastTicketOf :one
select t.id from kin k join ticket t on t.reporter_id = k.kin_id where k.person_id = $1 order by t.id desc limit 1;

-- AssignmentWords are what desks wrote about a ticket: the basis of an
-- objection, a co-handler's reply.
-- name: AssignmentWords :many
select id, reply, basis from assignment where ticket_id = $1 and (reply is not null or basis is not null) order by id;
