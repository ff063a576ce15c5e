-- Pauses, preview and ledger of the programmes.

-- PausesOfCare tells what stands still; programme '' is all of them.
-- name: PausesOfCare :many
select p.programme, p.at, p.by_staff, p.reason from care_pause p order by p.programme;

-- PausedDues locks what waits because of a pause, soonest visit first. News of
-- applications carry no programme: they are the family bed's.
-- name: PausedDues :many
select d.id, d.not_after from due d left join visit v on d.subject = 'visit:' || v.id
where d.state = 'planned' and d.reason = 'paused' and d.kind = any(sqlc.arg(kinds)::text[])
  and (sqlc.arg(programme)::text = '' or coalesce(d.data ->> 'programme', 'family_bed') = sqlc.arg(programme))
order by v.day, v.starts, d.not_after, d.due_at, d.id for update of d;

-- ReleaseDues lets rows go that a pause had held.
-- name: ReleaseDues :exec
update due d set due_at = u.due_at, reason = ''
from (select unnest(sqlc.arg(ids)::bigint[]) as id, unnest(sqlc.arg(due_ats)::timestamptz[]) as due_at limit cardinality(sqlc.arg(ids)::bigint[])) u
where d.id = u.id and d.state = 'planned';

-- ExpireDues ends rows that have lost their meaning.
-- name: ExpireDues :exec
update due set state = 'expired', reason = sqlc.arg(reason), done_at = product_now(), lease = null
where id = any(sqlc.arg(ids)::bigint[]) and state = 'planned';

-- ToldTogether finds the rows that another one told along.
-- name: ToldTogether :many
select id, kind, subject, key, person_id, subject_version, data, due_at, not_after, tries, reason from due
where person_id = sqlc.arg(person) and kind = sqlc.arg(kind) and state = 'done' and reason = sqlc.arg(reason)::text;
