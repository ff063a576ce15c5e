-- PlanDues writes due rows; the key decides, so planning twice does nothing. A
-- person of 0 and a last instant in the year 1, Go's zero time, are null.
-- name: PlanDues :exec
insert into due (kind, subject, key, person_id, subject_version, data, due_at, not_after)
select u.kind, u.subject, u.key, nullif(u.person, 0), u.version, u.data::jsonb, u.due_at, nullif(u.not_after, '0001-01-01 00:00:00+00')
from (select unnest(sqlc.arg(kinds)::text[]) as kind, unnest(sqlc.arg(subjects)::text[]) as subject,
             unnest(sqlc.arg(keys)::text[]) as key, unnest(sqlc.arg(persons)::bigint[]) as person,
             unnest(sqlc.arg(versions)::int[]) as version, unnest(sqlc.arg(data)::text[]) as data,
             unnest(sqlc.arg(due_ats)::timestamptz[]) as due_at, unnest(sqlc.arg(not_afters)::timestamptz[]) as not_after) u
on conflict (kind, subject, key) do nothing;

-- name: ReplanDue :exec
insert into due (kind, subject, key, person_id, subject_version, data, due_at, not_after)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (kind, subject, key) do update
set due_at = excluded.due_at, not_after = excluded.not_after, data = excluded.data,
    subject_version = excluded.subject_version, state = 'planned', reason = '', tries = 0
where due.state in ('planned', 'cleared', 'done', 'expired', 'dropped');

-- ClaimDue takes what has come due, the best rank first: urgent rows do not wait
-- behind a broadcast to thousands.
-- name: ClaimDue :many
update due d set state = 'running', lease = now() + interval '30 seconds', tries = d.tries + 1
where d.id = any(array(
    select next.id from generate_series(0, 2) r(rank) cross join lateral (
        select w.id from due w
        where w.state = 'planned' and w.rank = r.rank and w.due_at <= product_now() and w.kind = any(sqlc.arg(kinds)::text[])
        order by w.due_at, w.id limit sqlc.arg(max_rows)
        for update skip locked) next
    limit sqlc.arg(max_rows)))
returning d.id, d.kind, d.subject, d.key, d.person_id, d.subject_version, d.data, d.due_at, d.not_after, d.tries, d.reason;

-- FreeDue gives back rows whose worker died.
-- name: FreeDue :execrows
update due set state = 'planned', lease = null where state = 'running' and lease < now();

-- name: LockDue :one
select id, kind, subject, key, person_id, subject_version, data, due_at, not_after, tries
from due where id = $1 and state = 'running' for update;

-- DuesByID reads rows from which messages came, for late binding.
-- name: DuesByID :many
select id, kind, subject, key, person_id, subject_version, data, due_at, not_after, tries, reason from due where id = any(sqlc.arg(ids)::bigint[]);

-- name: EndDue :exec
update due set state = $2, reason = $3, lease = null, done_at = product_now() where id = $1;

-- name: PutOffDue :exec
update due set state = 'planned', due_at = $2, reason = $3, lease = null where id = $1;

-- ClearDue takes back what was planned for a subject, of the kinds given or of
-- all when none is: one UPDATE.
-- name: ClearDue :execrows
update due set state = 'cleared', reason = sqlc.arg(reason), done_at = product_now(), lease = null
where subject = sqlc.arg(subject) and state in ('planned', 'running')
  and (coalesce(cardinality(sqlc.arg(kinds)::text[]), 0) = 0 or kind = any(sqlc.arg(kinds)::text[]));

-- FailedDue counts a failed try; the next one is counted from now, for a row
-- may be long overdue. A row that was cleared, or done by another
-- worker, in the meantime is left alone.
-- name: FailedDue :exec
update due set state = case when tries >= sqlc.arg(max_tries)::int then 'failed' else 'planned' end,
       reason = sqlc.arg(reason), lease = null,
       due_at = product_now() + make_interval(secs => (tries * tries)::int)
where id = sqlc.arg(id) and state = 'running';
