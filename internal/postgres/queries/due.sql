-- PlanDue writes due rows; the key decides, so planning twice does nothing.
-- name: PlanDue :exec
insert into due (kind, subject, key, person_id, subject_version, data, due_at, not_after)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (kind, subject, key) do nothing;

-- name: ReplanDue :exec
insert into due (kind, subject, key, person_id, subject_version, data, due_at, not_after)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (kind, subject, key) do update
set due_at = excluded.due_at, not_after = excluded.not_after, data = excluded.data,
    subject_version = excluded.subject_version, state = 'planned', reason = '', tries = 0
where due.state in ('planned', 'cleared', 'done', 'expired', 'dropped');

-- name: ClaimDue :many
update due d set state = 'running', lease = now() + interval '30 seconds', tries = d.tries + 1
where d.id in (
    select id from due
    where (state = 'planned' and due_at <= product_now()) and kind = any(sqlc.arg(kinds)::text[])
    order by due_at, id limit sqlc.arg(max_rows)
    for update skip locked)
returning d.id, d.kind, d.subject, d.key, d.person_id, d.subject_version, d.data, d.due_at, d.not_after, d.tries;

-- FreeDue gives back rows whose worker died.
-- name: FreeDue :execrows
update due set state = 'planned', lease = null where state = 'running' and lease < now();

-- name: LockDue :one
select id, kind, subject, key, person_id, subject_version, data, due_at, not_after, tries
from due where id = $1 and state = 'running' for update;

-- name: EndDue :exec
update due set state = $2, reason = $3, lease = null, done_at = product_now() where id = $1;

-- name: PutOffDue :exec
update due set state = 'planned', due_at = $2, reason = $3, lease = null where id = $1;

-- ClearDue takes back what was planned for a subject: one UPDATE.
-- name: ClearDue :execrows
update due set state = 'cleared', reason = sqlc.arg(reason), done_at = product_now(), lease = null
where subject = sqlc.arg(subject) and state in ('planned', 'running')
  and (sqlc.arg(kind)::text = '' or kind = sqlc.arg(kind));

-- name: NextDueAt :one
select min(due_at)::timestamptz as at from due where state = 'planned';

-- name: DueBacklog :many
select kind, count(*) as n from due where state = 'planned' and due_at <= product_now() group by kind;

-- FailedDue counts a failed try. A row that was cleared, or done by another
-- worker, in the meantime is left alone.
-- name: FailedDue :exec
update due set state = case when tries >= sqlc.arg(max_tries)::int then 'failed' else 'planned' end,
       reason = sqlc.arg(reason), lease = null,
       due_at = due_at + make_interval(secs => (tries * tries)::int)
where id = sqlc.arg(id) and state = 'running';

-- name: EnsureSchedule :exec
insert into schedule (name, last_slot) values ($1, $2) on conflict (name) do nothing;

-- name: LockSchedule :one
select name, last_slot, paused_at from schedule where name = $1 for update skip locked;

-- name: AdvanceSchedule :exec
update schedule set last_slot = $2 where name = $1;

-- name: PauseSchedule :exec
update schedule set paused_at = case when sqlc.arg(pause)::bool then product_now() else null end where name = sqlc.arg(name);

-- name: AddSlot :exec
insert into slot (schedule, nominal_at, due_at, not_after, state, reason)
values ($1, $2, $3, $4, $5, $6) on conflict (schedule, nominal_at) do nothing;

-- name: ClaimSlot :many
update slot s set state = 'running', lease = now() + interval '60 seconds'
where (s.schedule, s.nominal_at) in (
    select schedule, nominal_at from slot
    where state in ('planned', 'running') and due_at <= product_now() and (lease is null or lease < now())
    order by due_at limit 4 for update skip locked)
returning s.schedule, s.nominal_at, s.due_at, s.not_after, s.cursor;

-- name: MoveSlot :exec
update slot set cursor = $3, lease = now() + interval '60 seconds' where schedule = $1 and nominal_at = $2;

-- name: EndSlot :exec
update slot set state = $3, reason = $4, lease = null where schedule = $1 and nominal_at = $2;

-- name: NextSlotAt :one
select min(due_at)::timestamptz as at from slot where state = 'planned';

-- name: Slots :many
select schedule, nominal_at, due_at, state, reason from slot order by nominal_at desc limit $1;
