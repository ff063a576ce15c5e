-- EnsureSchedules makes the rows of schedules that are new; their first slot is
-- the first one after this moment.
-- name: EnsureSchedules :exec
insert into schedule (name, last_slot) select unnest(sqlc.arg(names)::text[]), product_now() on conflict (name) do nothing;

-- name: Schedules :many
select name, last_slot, paused_at, product_now()::timestamptz as now from schedule order by name;

-- LockSchedule also tells whether a slot is being run; one whose worker died is not.
-- name: LockSchedule :one
select s.last_slot, s.paused_at, product_now()::timestamptz as now,
    exists (select 1 from slot w where w.schedule = s.name and w.state = 'running' and w.lease > now())::boolean as running
from schedule s where s.name = $1 for update skip locked;

-- name: AdvanceSchedule :exec
update schedule set last_slot = $2 where name = $1;

-- name: AddSlot :exec
insert into slot (schedule, nominal_at, due_at, not_after, state, reason)
values ($1, $2, $3, $4, $5, $6) on conflict (schedule, nominal_at) do nothing;

-- ClaimSlots takes slots that are due, and those whose worker died.
-- name: ClaimSlots :many
update slot s set state = 'running', lease = now() + interval '60 seconds'
where (s.schedule, s.nominal_at) in (
    select schedule, nominal_at from slot
    where state in ('planned', 'running') and due_at <= product_now() and (lease is null or lease < now())
    order by due_at limit 4 for update skip locked)
returning s.schedule, s.nominal_at, s.due_at, s.not_after, s.cursor;

-- LockSlot finds a slot where its worker left it; another worker that took it
-- over meanwhile has moved the cursor, and then there is no row.
-- name: LockSlot :one
select not_after from slot where schedule = $1 and nominal_at = $2 and state = 'running' and cursor = $3 for update;

-- name: MoveSlot :exec
update slot set cursor = $3, lease = now() + interval '60 seconds' where schedule = $1 and nominal_at = $2;

-- name: EndSlot :exec
update slot set state = $3, reason = $4, lease = null where schedule = $1 and nominal_at = $2;

-- name: NextSlotAt :one
select due_at from slot where state = 'planned' order by due_at limit 1;

-- name: Slots :many
select schedule, nominal_at, due_at, state, reason from slot order by nominal_at desc limit $1;
