-- LockFigures lets one fold at a time; it is held to the end of the transaction.
-- name: LockFigures :exec
select pg_advisory_xact_lock(1718183283);

-- TakeDirty takes tickets whose figures are old.
-- name: TakeDirty :many
with taken as (
    delete from figure_dirty where ctid = any(array(select d.ctid from figure_dirty d limit sqlc.arg(max_rows))) returning ticket_id)
select distinct taken.ticket_id from taken order by taken.ticket_id;

-- FigureTickets is what is folded beside the trail.
-- name: FigureTickets :many
select t.id, t.division, t.matter, t.claim, t.finding, coalesce(s.answer, '')::text as rating,
       s.answered_at as rated_at, t.address_id
from ticket t left join survey s on s.ticket_id = t.id and s.kind = 'rating' and s.answered_at is not null
where t.id = any(sqlc.arg(ids)::bigint[]);

-- name: FigureTrail :many
select subject, kind, at, data from trail where subject = any(sqlc.arg(subjects)::text[]) order by subject, id;

-- name: DropFigures :many
delete from figure where ticket_id = any(sqlc.arg(ids)::bigint[]) returning month, at, unit, area, matter, m;

-- AddFigureCells adds to months; each cell is given once.
-- name: AddFigureCells :exec
insert into figure_month (side, month, unit, area, matter, m)
select unnest(sqlc.arg(sides)::text[]), unnest(sqlc.arg(months)::date[]), unnest(sqlc.arg(units)::text[]), unnest(sqlc.arg(areas)::text[]),
       unnest(sqlc.arg(matters)::text[]), unnest(sqlc.arg(sums)::text[])::int[]
on conflict (side, month, unit, area, matter) do update set m = figure_add(figure_month.m, excluded.m);

-- name: FiguresRolledUntil :one
select rolled_until from figure_state;

-- FirstFigureAt is the first figure at or after an instant and before another.
-- name: FirstFigureAt :one
select at from figure where at >= sqlc.arg(since)::timestamptz and at < sqlc.arg(until)::timestamptz order by at limit 1;

-- name: SetFiguresRolledUntil :exec
update figure_state set rolled_until = $1;

-- name: FiguresBetween :many
select month, unit, area, matter, m from figure where at >= sqlc.arg(since)::timestamptz and at < sqlc.arg(until)::timestamptz;

-- FigureCells are one side of the months asked for: what is rolled up, and what
-- has come since, which has all sides. Empty filters take everything.
-- name: FigureCells :many
select month, unit, area, matter, m from figure_month
where side = sqlc.arg(side)::text and month >= sqlc.arg(since)::date and month <= sqlc.arg(until)::date
  and area like sqlc.arg(area)::text || '%' and (sqlc.arg(unit)::text = '' or unit = sqlc.arg(unit)::text)
union all
select month, unit, area, matter, m from figure
where at >= (select coalesce(rolled_until, '-infinity') from figure_state) and at <= sqlc.arg(now)::timestamptz
  and month >= sqlc.arg(since)::date and month <= sqlc.arg(until)::date
  and area like sqlc.arg(area)::text || '%' and (sqlc.arg(unit)::text = '' or unit = sqlc.arg(unit)::text);

-- FigureTime are median and 90th percentile of minutes.
-- name: FigureTime :one
select count(*) as n,
       coalesce(percentile_disc(array[0.5, 0.9]) within group (order by work), '{0,0}')::int[] as work,
       coalesce(percentile_disc(array[0.5, 0.9]) within group (order by clock), '{0,0}')::int[] as clock
from figure
where clock >= 0 and month >= sqlc.arg(since)::date and month <= sqlc.arg(until)::date and at <= sqlc.arg(now)::timestamptz
  and area like sqlc.arg(area)::text || '%' and (sqlc.arg(unit)::text = '' or unit = sqlc.arg(unit)::text);

-- UnansweredSupervisions counts, by desk, what is past its deadline without an
-- answer.
-- name: UnansweredSupervisions :many
select desk, count(*) as n from supervision where answered_at is null and deadline < sqlc.arg(before)::timestamptz group by desk;

-- RatingsBy are the ratings in a time by addresses that gave several in it.
-- name: RatingsBy :many
with often as materialized (
    select rated_by from figure
    where rated_by <> 0 and rated_at >= sqlc.arg(since)::timestamptz and rated_at < sqlc.arg(until)::timestamptz
    group by rated_by having count(*) >= sqlc.arg(several)::int)
select f.rated_by, f.rated_at::timestamptz as rated_at, f.ticket_id from figure f join often o on o.rated_by = f.rated_by
where f.rated_by <> 0 and f.rated_at >= sqlc.arg(since)::timestamptz and f.rated_at < sqlc.arg(until)::timestamptz
order by f.rated_by, f.rated_at, f.ticket_id;

-- OwnRatings are the tickets, of those given with who rated them, that were rated
-- by somebody who signed for them, or from their telephone.
-- name: OwnRatings :many
with r as (select unnest(sqlc.arg(tickets)::bigint[]) as ticket_id, unnest(sqlc.arg(addresses)::bigint[]) as address_id)
select distinct r.ticket_id::bigint as ticket_id
from r
join address a on a.id = r.address_id
join person p on p.id = a.person_id
join assignment g on g.ticket_id = r.ticket_id and g.signed_by <> 0
join staff s on s.id = g.signed_by
join person o on o.id = s.person_id
where p.id = o.id or p.merged_into = o.id or p.phone_index = o.phone_index;

-- RatingsByHandlers are the ratings in a time that OwnRatings found.
-- name: RatingsByHandlers :many
select ticket_id, rated_at::timestamptz as rated_at from figure
where rated_own and rated_at >= sqlc.arg(since)::timestamptz and rated_at < sqlc.arg(until)::timestamptz
order by ticket_id;

-- name: TicketNumbers :many
select id, number from ticket where id = any(sqlc.arg(ids)::bigint[]) order by id;

-- VillagesIn counts the villages of the divisions, by township.
-- name: VillagesByTownship :many
select parent::text as township, count(*) as n from division where level = 'village' and parent is not null group by parent;

-- name: DivisionNames :many
select code, name from division where level in ('city', 'county', 'township');

-- PollMembers are who joined the monthly question, in the order of ids. Who turned
-- out to be somebody else since is asked as that person, once.
-- name: PollMembers :many
select coalesce(p.merged_into, p.id)::bigint as person_id, c.id, c.kind from consent c join person p on p.id = c.person_id
where c.kind in ('worry_poll', 'worry_poll_firm') and c.withdrawn_at is null and c.id > sqlc.arg(after)::bigint
order by c.id limit sqlc.arg(max_rows);

-- name: PollConsent :one
select kind, coalesce(address_id, 0)::bigint as address_id from consent where person_id in (select p.id from person p where p.id = $1 or p.merged_into = $1) and kind in ('worry_poll', 'worry_poll_firm') and withdrawn_at is null
order by id desc limit 1;

-- name: JoinPoll :exec
insert into consent (person_id, kind, version, address_id) values ($1, $2, 1, $3);

-- name: LeavePoll :execrows
update consent set withdrawn_at = product_now()
where person_id in (select p.id from person p where p.id = $1 or p.merged_into = $1) and kind in ('worry_poll', 'worry_poll_firm') and withdrawn_at is null;

-- AskWorry notes that somebody is asked this month; nothing comes back when they
-- were asked already.
-- name: AskWorry :one
insert into worry_answer (person_id, month, kind, area) values ($1, $2, $3, $4)
on conflict (person_id, month) do nothing returning person_id;

-- name: AnswerWorry :execrows
update worry_answer set worry = $3, answered_at = product_now() where person_id = $1 and month = $2 and worry = '';

-- name: WorryAnswers :many
select month, kind, area, worry, count(*) as n from worry_answer
where worry <> '' and month >= sqlc.arg(since)::date and month <= sqlc.arg(until)::date and area like sqlc.arg(area)::text || '%'
group by month, kind, area, worry;

-- HomeOfPerson is the township of the person's last ticket with a place.
-- name: HomeOfPerson :one
select division from ticket where reporter_id in (select p.id from person p where p.id = $1 or p.merged_into = $1) and division <> '' order by id desc limit 1;

-- FigureReaders are the staff with one of the roles, in the order of ids.
-- name: FigureReaders :many
select distinct s.id from staff s join staff_role r on r.staff_id = s.id
where r.role = any(sqlc.arg(roles)::text[]) and s.ended_at is null and s.id > sqlc.arg(after)::bigint
order by s.id limit sqlc.arg(max_rows);

-- SettleDirty says that the figures of all tickets are written: after a bulk load
-- that brought them along.
-- name: SettleDirty :exec
truncate figure_dirty;

-- name: MarkDirty :exec
insert into figure_dirty select unnest(sqlc.arg(ids)::bigint[]);
