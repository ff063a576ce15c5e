-- Figures of family beds. A slot belongs to the month of its nominal day; formulas
-- stand with internal/tally/care.go. No clinics are all of them.

-- name: CareVisitFigures :many
select b.clinic_id::bigint as clinic,
       count(*) filter (where v.state = 'done')::int as done,
       count(*) filter (where v.state = 'missed')::int as missed,
       count(*) filter (where v.state = 'cancelled')::int as cancelled,
       count(*) filter (where v.state not in ('done', 'missed', 'cancelled'))::int as open,
       count(*) filter (where v.make_ups > 0)::int as made_up,
       count(*) filter (where v.make_ups > 0 and v.state = 'done')::int as made_good,
       count(*) filter (where v.answered or v.asked_at is not null and v.day < sqlc.arg(today)::date)::int as asked,
       count(*) filter (where v.confirmed)::int as confirmed,
       count(*) filter (where v.answered)::int as answered,
       sum(v.nobody)::int as nobody, sum(v.lost_minutes)::int as lost_minutes,
       count(s.id)::int as surveys, count(s.answered_at)::int as replies,
       count(*) filter (where s.answer in ('3', '4', '5'))::int as satisfied,
       count(*) filter (where s.answer in ('4', '5'))::int as top
from visit v join bed b on b.id = v.bed_id
left join survey s on s.kind = 'visit' and s.ticket_id is null and s.subject = 'visit:' || v.id
where v.nominal >= sqlc.arg(from_day)::date and v.nominal < sqlc.arg(to_day)::date and v.state <> 'released' and b.programme = 'family_bed'
  and b.clinic_id is not null and (coalesce(cardinality(sqlc.arg(clinics)::bigint[]), 0) = 0 or b.clinic_id = any(sqlc.arg(clinics)::bigint[]))
group by b.clinic_id;

-- CareReasons says why slots were not done: missed, cancelled, or skipped without a
-- visit.
-- name: CareReasons :many
select b.clinic_id::bigint as clinic, x.state::text as state, x.reason::text as reason, count(*)::int as n
from (select v.bed_id, v.state, v.reason from visit v
      where v.nominal >= sqlc.arg(from_day)::date and v.nominal < sqlc.arg(to_day)::date and v.state in ('missed', 'cancelled')
      union all
      select k.bed_id, 'skipped', k.reason from visit_skip k where k.nominal >= sqlc.arg(from_day)::date and k.nominal < sqlc.arg(to_day)::date) x
join bed b on b.id = x.bed_id
where b.programme = 'family_bed' and b.clinic_id is not null
  and (coalesce(cardinality(sqlc.arg(clinics)::bigint[]), 0) = 0 or b.clinic_id = any(sqlc.arg(clinics)::bigint[]))
group by 1, 2, 3;

-- CareBedFigures counts beds and their days: from the day of opening up to, and
-- without, the day of closing; held are the days of suspensions, without the day on
-- which care goes on. to_day is tomorrow at the latest.
-- name: CareBedFigures :many
select x.clinic_id::bigint as clinic, count(*) filter (where x.until >= sqlc.arg(to_day)::date)::int as beds,
       count(*) filter (where x.since >= sqlc.arg(from_day)::date)::int as opened,
       count(*) filter (where x.ended < sqlc.arg(to_day)::date and x.ended >= sqlc.arg(from_day)::date)::int as closed,
       sum(greatest(0, x.until - greatest(x.since, sqlc.arg(from_day)::date)))::int as days,
       sum(coalesce((select sum(greatest(0, least(h.until, x.until) - greatest(h.since, x.since, sqlc.arg(from_day)::date)))
            from (select make_date((p->'From'->>'Year')::int, (p->'From'->>'Month')::int, (p->'From'->>'Day')::int) as since,
                         case when (p->'To'->>'Year')::int = 0 then sqlc.arg(to_day)::date
                              else make_date((p->'To'->>'Year')::int, (p->'To'->>'Month')::int, (p->'To'->>'Day')::int) end as until
                  from jsonb_array_elements(x.pauses) p) h), 0))::int as held
from (select b.clinic_id, b.pauses, (b.opened_at at time zone sqlc.arg(zone)::text)::date as since,
             case when b.state = 'closed' then (b.state_at at time zone sqlc.arg(zone)::text)::date end as ended,
             least(case when b.state = 'closed' then (b.state_at at time zone sqlc.arg(zone)::text)::date else sqlc.arg(to_day)::date end, sqlc.arg(to_day)::date) as until
      from bed b
      where b.programme = 'family_bed' and b.opened_at is not null and b.clinic_id is not null
        and (coalesce(cardinality(sqlc.arg(clinics)::bigint[]), 0) = 0 or b.clinic_id = any(sqlc.arg(clinics)::bigint[]))) x
where x.since < sqlc.arg(to_day)::date and (x.ended is null or x.ended >= sqlc.arg(from_day)::date)
group by x.clinic_id;

-- CareVisitors are the figures of each visitor; satisfaction only from so many
-- answers on that nobody who answered is known by it.
-- name: CareVisitors :many
select v.staff_id, f.name, count(*) filter (where v.state = 'done')::int as done, count(*) filter (where v.state = 'missed')::int as missed,
       sum(v.lost_minutes)::int as lost_minutes,
       case when count(s.answered_at) >= sqlc.arg(least)::int then count(s.answered_at) else 0 end::int as replies,
       case when count(s.answered_at) >= sqlc.arg(least)::int then count(*) filter (where s.answer in ('3', '4', '5')) else 0 end::int as satisfied,
       case when count(s.answered_at) >= sqlc.arg(least)::int then count(*) filter (where s.answer in ('4', '5')) else 0 end::int as top
from visit v join bed b on b.id = v.bed_id join staff f on f.id = v.staff_id
left join survey s on s.kind = 'visit' and s.ticket_id is null and s.subject = 'visit:' || v.id
where v.nominal >= sqlc.arg(from_day)::date and v.nominal < sqlc.arg(to_day)::date and v.state <> 'released' and b.programme = 'family_bed'
  and b.clinic_id = any(sqlc.arg(clinics)::bigint[])
group by v.staff_id, f.name order by f.name, v.staff_id;

-- CareFigureReaders lists staff, by id, who may read figures of beds.
-- name: CareFigureReaders :many
select distinct s.id from staff s join staff_role r on r.staff_id = s.id
where s.ended_at is null and s.id > sqlc.arg(after)
  and (r.role = 'liaison' or r.role = 'leader' and r.area_kind = 'unit' and r.area = any(sqlc.arg(units)::text[]))
order by s.id limit sqlc.arg(max_rows);
