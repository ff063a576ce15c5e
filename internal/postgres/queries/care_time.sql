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

-- TellAgain lets rows that were told in one message, which was not sent, be told each
-- for itself: the others are looked for by the reason they ended with.
-- name: TellAgain :execrows
update due set state = 'planned', reason = '', due_at = product_now(), done_at = null, tries = 0
where state = 'done' and id in (
    select w.id from due m join due w on w.person_id = m.person_id and w.kind = m.kind and w.reason = sqlc.arg(reason)::text
    where m.id = sqlc.arg(main) and w.state = 'done'
    union all
    select m.id from due m where m.id = sqlc.arg(main) and exists (
        select 1 from due w where w.person_id = m.person_id and w.kind = m.kind and w.reason = sqlc.arg(reason)::text and w.state = 'done'));

-- LateAgain lets a row run once more whose message became too late on its way: it then
-- does what is done with what is late.
-- name: LateAgain :exec
update due set state = 'planned', due_at = product_now(), done_at = null, tries = 0
where id = $1 and state = 'done' and not_after < product_now();

-- DuesOfPerson, DuesOfBed and DuesAhead find what the ledger and the preview list,
-- DuesListed reads it, in the order in which it came or comes due.
-- name: DuesOfPerson :many
select id from due
where person_id in (select kin_id from kin where kin.person_id = sqlc.arg(person)) and kind = any(sqlc.arg(kinds)::text[])
  and due_at >= sqlc.arg(since)::timestamptz and due_at < sqlc.arg(until)::timestamptz
order by due_at, id limit sqlc.arg(max_rows);

-- name: DuesOfBed :many
select d.id from due d
where d.kind = any(sqlc.arg(kinds)::text[])
  and d.subject in (select 'bed:' || sqlc.arg(bed)::bigint union all select 'visit:' || v.id from visit v where v.bed_id = sqlc.arg(bed)
                    union all select 'application:' || b.application_id from bed b where b.id = sqlc.arg(bed))
  and d.due_at >= sqlc.arg(since)::timestamptz and d.due_at < sqlc.arg(until)::timestamptz
order by d.due_at, d.id limit sqlc.arg(max_rows);

-- name: DuesAhead :many
select d.id from due d
left join visit v on v.id = case when d.subject like 'visit:%' then split_part(d.subject, ':', 2)::bigint end
left join bed b on b.id = case when d.subject like 'bed:%' then split_part(d.subject, ':', 2)::bigint else v.bed_id end
left join care_application a on a.id = case when d.subject like 'application:%' then split_part(d.subject, ':', 2)::bigint end
where d.state = 'planned' and d.kind = any(sqlc.arg(kinds)::text[]) and d.due_at < sqlc.arg(until)::timestamptz
  and (sqlc.arg(everywhere)::boolean
       or b.clinic_id = any(sqlc.arg(orgs)::bigint[]) or b.hospital_id = any(sqlc.arg(orgs)::bigint[]) or a.clinic_id = any(sqlc.arg(orgs)::bigint[]))
order by d.due_at, d.id limit sqlc.arg(max_rows);

-- name: DuesListed :many
select id, kind, subject, person_id, subject_version, data, due_at, not_after, state, reason, done_at from due
where id = any(sqlc.arg(ids)::bigint[]) order by due_at, id;

-- SaidAbout lists the messages about some subjects, at product time.
-- name: SaidAbout :many
select o.id, o.due_id, o.subject, o.subject_version, o.text_key, o.channel, o.address_id, o.state, o.error, o.report,
       (o.created_at + (product_now() - now()))::timestamptz as queued_at,
       (coalesce(o.sent_at, 'epoch') + (product_now() - now()))::timestamptz as sent_at, (o.sent_at is not null)::boolean as went
from outbox o where o.subject = any(sqlc.arg(subjects)::text[]) and o.class = 'push' order by o.id;

-- name: PromptsOfDues :many
select due_id, opened_at, open_until, closed_at, outcome from prompt where due_id = any(sqlc.arg(dues)::bigint[]) order by id;

-- name: TrailAbout :many
select at, actor, kind, subject, data from trail
where subject = any(sqlc.arg(subjects)::text[]) and at >= sqlc.arg(since)::timestamptz and at < sqlc.arg(until)::timestamptz order by id;
