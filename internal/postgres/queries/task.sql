-- AddTask writes a task; one per (kind, subject).
-- name: AddTask :one
insert into task (kind, subject, ticket_id, role, area_kind, area, staff_id, data, due_at)
values (sqlc.arg(kind), sqlc.arg(subject), sqlc.narg(ticket_id), sqlc.arg(role), sqlc.arg(area_kind), sqlc.arg(area), sqlc.narg(staff_id), sqlc.arg(data), sqlc.narg(due_at))
on conflict (kind, subject) do update set data = excluded.data, state = 'open', due_at = excluded.due_at, done_at = null, outcome = '',
    role = excluded.role, area_kind = excluded.area_kind, area = excluded.area
returning id;

-- name: GetTask :one
select * from task where id = $1;

-- name: LockTask :one
select * from task where id = $1 for update;

-- name: EndTask :exec
update task set state = 'done', outcome = $2, done_at = product_now(), done_by = $3 where id = $1 and state = 'open';

-- ClearTasksOf takes the tasks about a ticket back: those of the kind given, or
-- all but those of the kind to keep.
-- name: ClearTasksOf :exec
update task set state = 'cleared', outcome = sqlc.arg(outcome), done_at = product_now()
where ticket_id = sqlc.arg(ticket_id) and state = 'open' and (sqlc.arg(kind)::text = '' or kind = sqlc.arg(kind))
  and kind <> sqlc.arg(keep)::text;

-- name: AddCallback :one
insert into callback (ticket_id, try, by_staff, via) values ($1, $2, $3, $4) returning id;

-- name: EndCallback :exec
update callback set contacted = $2, solved = $3, satisfied = $4, words = $5, ended = $6 where id = $1;

-- name: LastCallback :one
select * from callback where ticket_id = $1 order by id desc limit 1;

-- name: Callbacks :many
select * from callback where ticket_id = $1 order by id;

-- name: AddSurvey :one
insert into survey (kind, person_id, ticket_id) values (sqlc.arg(kind), sqlc.arg(person), sqlc.arg(ticket)::bigint)
on conflict (kind, ticket_id) do nothing returning id;

-- name: AnswerSurvey :exec
update survey set answered_at = product_now(), answer = sqlc.arg(answer) where kind = sqlc.arg(kind) and ticket_id = sqlc.arg(ticket)::bigint and answered_at is null;

-- name: LastSurvey :one
select coalesce(max(sent_at), 'epoch'::timestamptz)::timestamptz as at from survey
where person_id in (select p.id from person p where p.id = $1 or p.merged_into = $1);

-- name: UnratedTickets :many
select t.id, t.reporter_id, t.version from ticket t
where t.state = 'closed' and t.satisfied = '' and t.outcome not in ('withdrawn', 'rejected') and not t.finding
  and t.closed_at > sqlc.arg(since) and t.closed_at <= sqlc.arg(until) and t.id > sqlc.arg(after)
  and not exists (select 1 from survey s where s.kind = 'rating' and s.ticket_id = t.id)
order by t.id limit sqlc.arg(max_rows);
