-- name: TaskBy :one
select * from task where kind = $1 and subject = $2;

-- GatherDue ends every other row of a kind and subject that is due too, for a
-- row that does the work of all.
-- name: GatherDue :many
update due set state = 'done', reason = 'merged', done_at = product_now(), lease = null
where kind = $1 and subject = $2 and id <> $3 and state in ('planned', 'running') and due_at <= product_now()
returning id, data;

-- name: ConversationOfAddress :one
select id from conversation where address_id = $1 and not in_group order by id limit 1;

-- StaffWithWork lists who has something open on the desk, in the order of ids:
-- who signed; who is named; where nobody signed, everybody of the desk.
-- name: StaffWithWork :many
select w.id from (
    select a.signed_by as id from assignment a where a.ended_at is null and a.role = 'lead' and a.signed_by <> 0
    union
    select a.desk_staff from assignment a where a.ended_at is null and a.role = 'lead' and a.desk_staff <> 0
    union
    select r.staff_id from assignment a join staff_role r on r.area = a.desk and r.area_kind = a.desk_kind
        and r.role = case a.desk_kind when 'grid' then 'grid_worker' else 'handler' end
    where a.ended_at is null and a.role = 'lead' and a.signed_by = 0 and a.desk_staff = 0
) w join staff s on s.id = w.id
where s.id > sqlc.arg(after)::bigint and s.ended_at is null and s.on_duty order by w.id limit sqlc.arg(max_rows);

-- StaffLoad counts what lies on one person's desk, by StaffWithWork's rule; what
-- is about them is not among it.
-- name: StaffLoad :one
select count(*) as open,
       count(*) filter (where t.deadline >= product_now() and t.deadline < sqlc.arg(tomorrow)::timestamptz) as today,
       count(*) filter (where t.deadline < product_now()) as overdue
from ticket t join assignment a on a.ticket_id = t.id and a.ended_at is null and a.role = 'lead'
where t.state in ('dispatched', 'disputed', 'signed', 'redo')
  and not sqlc.arg(staff)::bigint = any(t.against_staff)
  and not exists (select 1 from staff_role r join staff s on s.id = r.staff_id where r.area = any(t.against)
        and (s.id = sqlc.arg(staff)::bigint or s.substitute = sqlc.arg(staff)::bigint and not s.on_duty and s.ended_at is null and r.role = any(sqlc.arg(stand_in)::text[])))
  and (a.signed_by = sqlc.arg(staff)::bigint or a.desk_staff = sqlc.arg(staff)::bigint
   or a.signed_by = 0 and a.desk_staff = 0 and exists (
        select 1 from staff_role r where r.staff_id = sqlc.arg(staff)::bigint and r.area = a.desk and r.area_kind = a.desk_kind
          and r.role = case a.desk_kind when 'grid' then 'grid_worker' else 'handler' end));

-- BoardLoad counts what lies on the desks of an area, of what a group may see: a
-- unit's own, or those of the grids in it.
-- name: BoardLoad :one
select count(*) as open,
       count(*) filter (where t.deadline >= product_now() and t.deadline < sqlc.arg(tomorrow)::timestamptz) as today,
       count(*) filter (where t.deadline < product_now()) as overdue
from ticket t join assignment a on a.ticket_id = t.id and a.ended_at is null and a.role = 'lead'
where t.state in ('dispatched', 'disputed', 'signed', 'redo')
  and not t.confidential and not t.anonymous and not t.sensitive and t.against = '{}' and t.against_staff = '{}'
  and (a.desk_kind = 'unit' and a.desk = sqlc.arg(area)::text or a.desk_kind = 'grid' and starts_with(a.desk, sqlc.arg(area)::text));

-- name: StillFineTickets :many
select t.id, t.reporter_id, t.version, t.closed_at from ticket t
where t.state = 'closed' and not t.finding and t.closed_at > sqlc.arg(since) and t.closed_at <= sqlc.arg(until) and t.id > sqlc.arg(after)
  and not exists (select 1 from survey s where s.kind = 'still_fine' and s.ticket_id = t.id and s.sent_at > t.closed_at)
order by t.id limit sqlc.arg(max_rows);

-- name: MakePartitions :exec
select make_partitions(product_now(), product_now());
