-- name: AddDeskLink :exec
insert into desk_link (hash, staff_id, expires_at)
values (sqlc.arg(hash), sqlc.arg(staff_id), now() + make_interval(secs => sqlc.arg(valid_seconds)::int));

-- TakeDeskLink uses a link up; nothing comes back for one that is used, over
-- or unknown.
-- name: TakeDeskLink :one
update desk_link set used_at = now()
where hash = $1 and used_at is null and expires_at > now() returning staff_id;

-- name: AddDeskSession :exec
insert into desk_session (hash, staff_id) values ($1, $2);

-- TouchDeskSession keeps a session alive and says whose it is.
-- name: TouchDeskSession :one
update desk_session set seen_at = now()
where hash = sqlc.arg(hash) and seen_at > now() - make_interval(secs => sqlc.arg(idle_seconds)::int) returning staff_id;

-- name: EndDeskSession :exec
delete from desk_session where hash = $1;

-- name: EndIdleDeskSessions :exec
delete from desk_session where seen_at < now() - interval '1 day';

-- ForgetDeskForms forgets forms that nobody sends again.
-- name: ForgetDeskForms :exec
delete from desk_once where at < now() - interval '2 days';

-- OnceDeskForm notes that a form was sent; no row when it was sent before. A
-- second sender waits here until the first has committed.
-- name: OnceDeskForm :execrows
insert into desk_once (word, staff_id) values ($1, $2) on conflict (word) do nothing;

-- name: LedDeskForm :exec
update desk_once set led_to = $2 where word = $1;

-- name: DeskFormLed :one
select led_to from desk_once where word = $1 and staff_id = $2;

-- DeskOpen is a page of the open tickets of some areas, by deadline. An area is
-- its county and the beginning of its code, read side by side.
-- name: DeskOpen :many
select x.id, x.due::timestamptz as due
from (select unnest(sqlc.arg(counties)::text[]) as county, unnest(sqlc.arg(prefixes)::text[]) as prefix) a
cross join unnest(sqlc.arg(states)::text[]) s(state)
cross join lateral (
    select t.id, coalesce(t.deadline, t.dispatch_due, t.received_at) as due from ticket t
    where left(t.division, 6) = a.county and t.state = s.state and t.closed_at is null
      and starts_with(t.division, a.prefix) and (sqlc.arg(matter)::text = '' or t.matter = sqlc.arg(matter))
      and (coalesce(t.deadline, t.dispatch_due, t.received_at), t.id) > (sqlc.arg(after_due)::timestamptz, sqlc.arg(after_id)::bigint)
    order by coalesce(t.deadline, t.dispatch_due, t.received_at), t.id limit sqlc.arg(max_rows)::int) x
order by x.due, x.id limit sqlc.arg(max_rows)::int;

-- DeskOver is DeskOpen for tickets that are over, the latest first.
-- name: DeskOver :many
select x.id, x.closed_at::timestamptz as due
from (select unnest(sqlc.arg(counties)::text[]) as county, unnest(sqlc.arg(prefixes)::text[]) as prefix) a
cross join unnest(sqlc.arg(states)::text[]) s(state)
cross join lateral (
    select t.id, t.closed_at from ticket t
    where left(t.division, 6) = a.county and t.state = s.state and t.closed_at is not null
      and starts_with(t.division, a.prefix) and (sqlc.arg(matter)::text = '' or t.matter = sqlc.arg(matter))
      and (t.closed_at, t.id) < (sqlc.arg(after_due)::timestamptz, sqlc.arg(after_id)::bigint)
    order by t.closed_at desc, t.id desc limit sqlc.arg(max_rows)::int) x
order by x.closed_at desc, x.id desc limit sqlc.arg(max_rows)::int;

-- InOrder keeps the lists of the desk on the indexes that have their order: the
-- planner takes areas, states and matters for independent and would rather read
-- and sort all that are over. It holds for the transaction.
-- name: InOrder :exec
set local enable_bitmapscan = off;

-- DeskHeld is a page of what lies on desks, by the deadline of the desk. Kinds
-- and codes of desks are read side by side; what is merged is worked on in its
-- master. A ticket that a desk leads and helps
-- with is there once for each.
-- name: DeskHeld :many
select x.ticket_id as id, x.due::timestamptz as due, x.role::text as role
from (select unnest(sqlc.arg(kinds)::text[]) as kind, unnest(sqlc.arg(codes)::text[]) as code) d
cross join lateral (
    select a.ticket_id, coalesce(a.due, a.dispatched_at) as due, a.role
    from assignment a join ticket t on t.id = a.ticket_id
    where a.desk_kind = d.kind and a.desk = d.code and a.ended_at is null and (d.kind <> 'named' or a.desk_staff = sqlc.arg(staff)::bigint)
      and a.role in ('lead', 'co') and a.state <> 'finished' and t.closed_at is null and t.state not in ('handled', 'callback', 'merged')
      and (sqlc.arg(matter)::text = '' or t.matter = sqlc.arg(matter)) and starts_with(t.division, sqlc.arg(area)::text)
      and (coalesce(a.due, a.dispatched_at), a.ticket_id) > (sqlc.arg(after_due)::timestamptz, sqlc.arg(after_id)::bigint)
    order by coalesce(a.due, a.dispatched_at), a.ticket_id limit sqlc.arg(max_rows)::int) x
order by x.due, x.ticket_id limit sqlc.arg(max_rows)::int;

-- DeskTasks is a page of the open tasks of roles, by deadline. Roles and areas
-- are read side by side, one grant each.
-- name: DeskTasks :many
select sqlc.embed(k), coalesce(k.due_at, k.created_at)::timestamptz as due
from task k left join ticket t on t.id = k.ticket_id
where k.state = 'open' and k.role = any(sqlc.arg(roles)::text[]) and (k.staff_id is null or k.staff_id = sqlc.arg(staff)::bigint)
  and exists (select 1 from (select unnest(sqlc.arg(roles)::text[]) as role, unnest(sqlc.arg(areas)::text[]) as area) g
              where g.role = k.role and (starts_with(k.area, g.area) or starts_with(g.area, k.area)))
  and (sqlc.arg(matter)::text = '' or t.matter = sqlc.arg(matter))
  and (sqlc.arg(area)::text = '' or starts_with(coalesce(nullif(t.division, ''), k.area), sqlc.arg(area)))
  and (coalesce(k.due_at, k.created_at), k.id) > (sqlc.arg(after_due)::timestamptz, sqlc.arg(after_id)::bigint)
order by coalesce(k.due_at, k.created_at), k.id limit sqlc.arg(max_rows)::int;

-- TasksOfTicket are the open tasks about a ticket.
-- name: TasksOfTicket :many
select * from task where ticket_id = $1 and state = 'open' order by id;

-- DeferTask gives a task another deadline.
-- name: DeferTask :exec
update task set due_at = $2 where id = $1 and state = 'open';

-- name: TicketsByIDs :many
select * from ticket where id = any(sqlc.arg(ids)::bigint[]);

-- name: SearchTickets :many
select * from ticket where grams @> sqlc.arg(grams)::int[] order by id desc limit sqlc.arg(max_rows);

-- Counties are the counties below a division, itself included.
-- name: Counties :many
select code, name from division where level = 'county' and starts_with(code, sqlc.arg(within)::text) order by code;

-- AreasBelow are what a list can be narrowed to: counties and townships.
-- name: AreasBelow :many
select code, name, level from division
where level in ('county', 'township') and exists (select 1 from unnest(sqlc.arg(areas)::text[]) a where starts_with(code, a))
order by code limit sqlc.arg(max_rows);

-- GridsIn are the grids of areas.
-- name: GridsIn :many
select g.id from grid g where exists (select 1 from unnest(sqlc.arg(areas)::text[]) a where starts_with(g.id, a)) order by g.id;

-- name: TicketNotes :many
select id, author, audience, body, at from ticket_note where ticket_id = $1 order by id;

-- name: SurveysOf :many
select kind, sent_at, answered_at, answer from survey where ticket_id = sqlc.arg(ticket)::bigint order by id;

-- name: StaffNames :many
select id, name from staff where id = any(sqlc.arg(ids)::bigint[]);

-- AddCaller makes a person of somebody who rang.
-- name: AddCaller :one
insert into person (kind, phone, phone_index) values ('resident', sqlc.narg(phone), sqlc.narg(phone_index)) returning id;

-- PhoneAddress is where a caller's tickets come by: an address that proves
-- nothing and cannot be written to.
-- name: PhoneAddress :one
insert into address (channel, user_id, chat, person_id, trust, state) values ('phone', sqlc.arg(caller), sqlc.arg(caller), sqlc.arg(person), 'none', 'gone')
on conflict (channel, user_id) do update set state = 'gone' returning id, person_id;

-- name: PhoneConversation :one
insert into conversation (channel, chat, user_id, address_id) values ('phone', sqlc.arg(caller), sqlc.arg(caller), sqlc.arg(address))
on conflict (channel, chat, user_id) do update set address_id = excluded.address_id returning id;

-- CameByPhone reports whether a ticket was taken down on the telephone.
-- name: CameByPhone :one
select exists (select 1 from address where id = $1 and channel = 'phone');
