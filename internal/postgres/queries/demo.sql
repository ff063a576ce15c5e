-- The demo city: making it, moving its clock, showing who holds what.

-- name: HasPeopleOrPlaces :one
select (exists (select 1 from person) or exists (select 1 from division))::bool as used;

-- FillAddresses gives members of the staff their seats before the web page.
-- name: FillAddresses :execrows
insert into address (channel, user_id, chat, person_id, trust)
select sqlc.arg(channel)::text, u.seat, u.seat, s.person_id, 'verified'
from (select unnest(sqlc.arg(slugs)::text[]) as slug, unnest(sqlc.arg(seats)::text[]) as seat) u
join staff s on s.slug = u.slug
on conflict do nothing;

-- name: FillConversations :execrows
insert into conversation (channel, chat, user_id, address_id)
select a.channel, a.chat, a.user_id, a.id
from address a join staff s on s.person_id = a.person_id where a.channel = $1
on conflict do nothing;

-- name: AnalyzeCity :exec
analyze division, grid, place, place_alias, person, address, staff, staff_role, conversation;

-- NextDueAfter is the first instant after another at which a due row wakes up.
-- name: NextDueAfter :one
select due_at from due where state = 'planned' and due_at > $1 order by due_at limit 1;

-- Unsettled counts what still moves at this instant: rows due or running, slots
-- due or running, events waiting for their turn, messages on their way.
-- name: Unsettled :one
select ((select count(*) from due where state = 'running' or state = 'planned' and due_at <= product_now())
     + (select count(*) from slot where state = 'running' or state = 'planned' and due_at <= product_now())
     + (select count(*) from inbox where state = 'waiting')
     + (select count(*) from outbox where state in ('queued', 'sending')))::bigint as n;

-- name: LastOutbox :one
select coalesce(max(id), 0)::bigint as id from outbox;

-- HappenedSince lists what came to its end after an instant of product time:
-- due rows by kind, and slots by schedule.
-- name: HappenedSince :many
select kind, state, false as slot, count(*) as n from due where done_at >= $1 group by kind, state
union all
select schedule, state, true, count(*) from slot where due_at >= $1 and due_at <= product_now() and state not in ('planned', 'running') group by schedule, state
order by 1, 2;

-- DemoSeat finds who sits in a chat of the web page by their link.
-- name: DemoSeat :one
select s.id, s.name from staff s join address a on a.person_id = s.person_id
where s.slug = $1 and a.channel = $2 and a.user_id = $3 and s.ended_at is null;

-- DemoStaff finds staff by slug.
-- name: DemoStaff :many
select s.id, s.slug, s.name, s.on_duty,
       coalesce((select string_agg(r.role || '|' || r.area_kind || '|' || r.area, ' ' order by r.role, r.area) from staff_role r where r.staff_id = s.id), '')::text as grants
from staff s where s.slug = any(sqlc.arg(slugs)::text[]) and s.ended_at is null order by s.id;

-- SearchStaff finds staff by a part of their name, or of the name of their
-- grid, village or unit.
-- name: SearchStaff :many
select s.slug from staff s
where s.ended_at is null and (strpos(s.name, sqlc.arg(q)::text) > 0 or exists (
    select 1 from staff_role r
    left join grid g on r.area_kind = 'grid' and g.id = r.area
    left join division d on d.code = case when r.area_kind = 'grid' then g.village else r.area end
    left join unit u on r.area_kind = 'unit' and u.code = r.area
    where r.staff_id = s.id and (strpos(g.name, sqlc.arg(q)::text) > 0 or strpos(d.name, sqlc.arg(q)::text) > 0 or strpos(u.name, sqlc.arg(q)::text) > 0)))
order by s.id limit 20;

-- Holding lists who has open tickets in their chat and is to deal with them,
-- the newest ticket first. Who was only informed is left out.
-- name: Holding :many
select s.slug, t.number, t.state, c.handle
from card c
join ticket t on t.id = c.ticket_id
join conversation v on v.id = c.conversation_id
join address a on a.id = v.address_id
join staff s on s.person_id = a.person_id and s.ended_at is null
where c.closed_at is null and exists (
    select 1 from assignment d where d.ticket_id = t.id and d.role <> 'informed' and d.ended_at is null
      and case when d.signed_by <> 0 then d.signed_by = s.id
               when d.desk_staff <> 0 then d.desk_staff = s.id
               else exists (select 1 from staff_role r where r.staff_id = s.id and r.area = d.desk) end)
order by t.id desc, s.id limit 40;

-- DemoTasks lists open tasks with the staff who may do them.
-- name: DemoTasks :many
select k.id, k.kind, coalesce(t.number, '')::text as number, min(s.slug)::text as slug
from task k
join staff_role r on r.role = k.role and r.area_kind = k.area_kind and r.area = k.area
join staff s on s.id = r.staff_id and s.ended_at is null and (k.staff_id is null or k.staff_id = s.id)
left join ticket t on t.id = k.ticket_id
where k.state = 'open' group by k.id, t.number order by k.id desc limit 40;

-- AreaNames gives grids, divisions and units their names.
-- name: AreaNames :many
select id as code, name from grid where id = any(sqlc.arg(codes)::text[])
union all select code, name from division where code = any(sqlc.arg(codes)::text[])
union all select code, name from unit where code = any(sqlc.arg(codes)::text[]);

-- ShownCodes are the one-time codes of the last minutes, sealed.
-- name: ShownCodes :many
select id, data, created_at from due where kind = $1 and created_at > product_now() - interval '10 minutes' order by id desc limit 5;
