-- Whom a complaint must never reach.

-- Meant reports whether a ticket is about a member of the staff, or about a unit
-- or grid that they serve, be it for a colleague off duty.
-- name: Meant :one
select exists (
    select 1 from ticket t
    where t.id = sqlc.arg(ticket)::bigint and (
        sqlc.arg(staff)::bigint = any(t.against_staff)
        or exists (select 1 from staff_role r join staff s on s.id = r.staff_id
                   where r.area = any(t.against)
                     and (s.id = sqlc.arg(staff)::bigint
                          or s.substitute = sqlc.arg(staff)::bigint and not s.on_duty and s.ended_at is null and r.role = any(sqlc.arg(stand_in)::text[])))));
