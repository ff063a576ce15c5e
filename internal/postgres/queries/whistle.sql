-- Whistles 吹哨报到.

-- name: InsertWhistle :one
insert into whistle (ticket_id, kind, source, state, division, grid, place_label, words, private, against, against_staff,
    version, level, proposed_by, proposed_at, changed_at, blow_due)
values (sqlc.narg(ticket_id), sqlc.arg(kind), sqlc.arg(source), sqlc.arg(state), sqlc.arg(division), sqlc.arg(grid),
    sqlc.arg(place_label), sqlc.arg(words), sqlc.arg(private), sqlc.arg(against), sqlc.arg(against_staff),
    sqlc.arg(version), sqlc.arg(level), sqlc.arg(proposed_by), sqlc.arg(proposed_at), sqlc.arg(changed_at), sqlc.narg(blow_due))
returning id;

-- UpdateWhistle writes a whistle that moved on by one version.
-- name: UpdateWhistle :execrows
update whistle set state = sqlc.arg(state), private = sqlc.arg(private), against = sqlc.arg(against), against_staff = sqlc.arg(against_staff),
    version = sqlc.arg(version), level = sqlc.arg(level), returns = sqlc.arg(returns), reason = sqlc.arg(reason), solved = sqlc.arg(solved),
    blown_by = sqlc.arg(blown_by), assigned_by = sqlc.arg(assigned_by), closed_by = sqlc.arg(closed_by),
    blown_at = sqlc.narg(blown_at), assigned_at = sqlc.narg(assigned_at), handled_at = sqlc.narg(handled_at),
    closed_at = sqlc.narg(closed_at), raised_at = sqlc.narg(raised_at), changed_at = sqlc.arg(changed_at),
    blow_due = sqlc.narg(blow_due), assign_due = sqlc.narg(assign_due), deadline = sqlc.narg(deadline), appraise_due = sqlc.narg(appraise_due)
where id = sqlc.arg(id) and version = sqlc.arg(version)::int - 1;

-- name: GetWhistle :one
select * from whistle where id = $1;

-- name: LockWhistle :one
select * from whistle where id = $1 for no key update;

-- name: WhistleUnits :many
select * from whistle_unit where whistle_id = any(sqlc.arg(ids)::bigint[]) order by id;

-- name: InsertWhistleUnit :one
insert into whistle_unit (whistle_id, lead, desk_kind, desk, desk_staff, state, called_at, answer_due, arrive_due)
values (sqlc.arg(whistle_id), sqlc.arg(lead), sqlc.arg(desk_kind), sqlc.arg(desk), sqlc.arg(desk_staff), sqlc.arg(state),
    sqlc.arg(called_at), sqlc.arg(answer_due), sqlc.arg(arrive_due))
returning id;

-- name: UpdateWhistleUnit :exec
update whistle_unit set state = sqlc.arg(state), answered_at = sqlc.narg(answered_at), arrived_at = sqlc.narg(arrived_at),
    handled_at = sqlc.narg(handled_at), appraised_at = sqlc.narg(appraised_at), answered_by = sqlc.arg(answered_by),
    arrived_by = sqlc.arg(arrived_by), handled_by = sqlc.arg(handled_by), appraised_by = sqlc.arg(appraised_by),
    speed = sqlc.arg(speed), quality = sqlc.arg(quality), misuse = sqlc.arg(misuse), misuse_at = sqlc.narg(misuse_at), misuse_by = sqlc.arg(misuse_by)
where id = sqlc.arg(id);

-- name: SetWhistlePosition :exec
update whistle_unit set position = $2 where id = $1;

-- name: SetWhistleReport :exec
update whistle_unit set report = $2 where id = $1;

-- name: AddWhistleFile :exec
insert into whistle_file (unit_id, blob_id, use, added_by) values ($1, $2, $3, $4) on conflict do nothing;

-- name: WhistleFiles :many
select f.blob_id, f.use, f.unit_id from whistle_file f join whistle_unit u on u.id = f.unit_id
where u.whistle_id = $1 order by f.added_at, f.blob_id;

-- OpenWhistleOf is the whistle that runs over a ticket.
-- name: OpenWhistleOf :one
select id from whistle where ticket_id = $1 and state not in ('declined', 'closed') order by id desc limit 1;

-- ClearTasksOn ends the tasks about a subject that is no ticket.
-- name: ClearTasksOn :exec
update task set state = 'cleared', outcome = sqlc.arg(outcome), done_at = product_now()
where subject = sqlc.arg(subject) and state = 'open' and kind = any(sqlc.arg(kinds)::text[]);

-- OpenWhistles lists what runs in one of the divisions, or calls one of the
-- desks, the newest first.
-- name: OpenWhistles :many
select w.* from whistle w
where w.state not in ('declined', 'closed')
  and (exists (select 1 from unnest(sqlc.arg(divisions)::text[]) d where starts_with(w.division, d) or starts_with(w.grid, d))
    or exists (select 1 from whistle_unit u where u.whistle_id = w.id and u.desk = any(sqlc.arg(desks)::text[])))
order by w.id desc limit sqlc.arg(max_rows);

-- WhistleMarks counts the appraisals of each unit since a time, by their two
-- grades. A private whistle stays out: with few of them a figure would tell.
-- name: WhistleMarks :many
select u.desk, u.speed, u.quality, count(*) as n, count(*) filter (where u.arrived_at is null or u.arrived_at > u.arrive_due) as late
from whistle_unit u join whistle w on w.id = u.whistle_id
where u.appraised_at >= sqlc.arg(since) and u.appraised_at is not null and not w.private
group by u.desk, u.speed, u.quality order by u.desk, u.speed, u.quality;

-- WhistleMisuse counts the whistles of each township that were blown since a
-- time, and those that a unit called misuse.
-- name: WhistleMisuse :many
select left(w.division, 9)::text as township, count(*) as blown,
       count(*) filter (where exists (select 1 from whistle_unit u where u.whistle_id = w.id and u.misuse <> '')) as misuse
from whistle w where w.blown_at >= sqlc.arg(since) and not w.private
group by 1 order by 1;

-- ChangeWhistleCalls lets what was sent of a whistle run again, so that it shows
-- how the whistle stands.
-- name: ChangeWhistleCalls :execrows
update due set state = 'planned', due_at = product_now(), subject_version = sqlc.arg(version), reason = '', tries = 0, lease = null
where kind = any(sqlc.arg(kinds)::text[]) and subject = sqlc.arg(subject) and subject_version < sqlc.arg(version);

-- ForgetWhistles erases what was said about whistles and where somebody stood;
-- codes, times and appraisals stay for the figures.
-- name: ForgetWhistles :execrows
with old as (
    select w.id from whistle w where w.closed_at < product_now() - make_interval(days => sqlc.arg(days)::int) and w.words is not null
    order by w.id limit sqlc.arg(max_rows)
), units as (
    update whistle_unit u set position = null, report = null from old where u.whistle_id = old.id
)
update whistle w set words = null, place_label = null from old where w.id = old.id;
