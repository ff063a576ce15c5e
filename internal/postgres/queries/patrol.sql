-- The figure of patrol events 网格排查事件办结率.

-- PatrolHandled counts findings by area, for those that were due in a span: what
-- was handled before its time counts when it was handled, all else when its time
-- was over. What was taken out of handling (rejected, withdrawn, referred,
-- answered, merged, granted exclusion, suspended) is counted apart. A check that
-- found it undone takes the handling back.
-- name: PatrolHandled :many
select f.area::text as area, coalesce(d.name, '')::text as name,
       count(*) filter (where not f.out) as due,
       count(*) filter (where not f.out and f.handled) as handled,
       count(*) filter (where not f.out and f.handled and f.late) as late,
       count(*) filter (where not f.out and f.checked) as checked,
       count(*) filter (where f.out) as excluded
from (
    select left(t.division, sqlc.arg(width)::int) as area,
           t.state in ('rejected', 'withdrawn', 'referred', 'answered', 'merged', 'suspended') or t.exclusion = 'granted' as out,
           t.handled_at is not null and t.solved <> 'no' as handled,
           t.handled_at > t.deadline as late,
           t.state = 'closed' and t.solved in ('yes', 'partly') as checked
    from ticket t
    where t.finding
      and least(t.handled_at, coalesce(t.deadline, t.dispatch_due, t.closed_at, t.received_at)) >= sqlc.arg(since)
      and least(t.handled_at, coalesce(t.deadline, t.dispatch_due, t.closed_at, t.received_at)) < sqlc.arg(until)
      and starts_with(t.division, sqlc.arg(division)::text)
) f left join division d on d.code = f.area
group by f.area, d.name order by f.area;
