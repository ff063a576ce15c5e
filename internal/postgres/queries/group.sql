-- name: NewGroupPerson :one
insert into person (kind) values ('group') returning id;

-- name: NewGroup :one
insert into conversation (channel, chat, user_id, address_id, is_group, in_group) values ($1, $2, $3, $4, true, true) returning id;

-- name: GroupIn :one
select id from conversation where channel = $1 and chat = $2 and is_group;

-- FormerGroup is the group that was in a chat before it moved.
-- name: FormerGroup :one
select id, address_id, bound_as, (blocked_at is not null)::boolean as blocked from conversation
where channel = $1 and former_chat = $2 and former_chat <> '' and is_group order by id desc limit 1;

-- LockGroup keeps two from binding a group, or laying its cards, at once. It
-- comes before the lock of a ticket.
-- name: LockGroup :one
select g.id, g.channel, g.chat, g.bound_as, g.area_kind, g.area, coalesce(g.bound_by, 0)::bigint as bound_by, g.blocked_at, a.state as address_state
from conversation g join address a on a.id = g.address_id
where g.id = $1 and g.is_group for no key update of g;

-- BindGroup binds a group; bound_by is null where the configuration does.
-- name: BindGroup :exec
update conversation set bound_as = $2, area_kind = $3, area = $4, bound_by = $5, blocked_at = null where id = $1 and is_group;

-- LockBoards lets one process at a time bind groups as the configuration says.
-- name: LockBoards :exec
select pg_advisory_xact_lock(1718183284);

-- Boards are the work groups that the configuration bound: those of robots.
-- name: Boards :many
select id, channel, chat, area_kind, area from conversation
where bound_as <> '' and bound_as = 'work' and bound_by is null and is_group order by id;

-- OtherGroup is another group that can be written to and is bound in the same
-- way to the same area. What the configuration bound stands beside it.
-- name: OtherGroup :one
select exists (
    select 1 from conversation g join address a on a.id = g.address_id and a.state = 'active'
    where g.bound_as = sqlc.arg(bound_as) and g.area_kind = sqlc.arg(area_kind) and g.area = sqlc.arg(area) and g.id <> sqlc.arg(id) and g.bound_by is not null);

-- WorkGroups are the work groups that serve one of the areas and can be
-- written to, the narrowest first. "offset 0" keeps the planner, which knows
-- nothing of a young table, from beginning with every address there is, for each
-- ticket that is filed; that the group is bound is said in the words of its index.
-- name: WorkGroups :many
select g.id, g.channel, g.area_kind, g.area
from (select c.id, c.channel, c.address_id, c.area_kind, c.area from conversation c
      where c.bound_as <> '' and c.bound_as = 'work' and c.area = any(sqlc.arg(areas)::text[]) offset 0) g
cross join lateral (select a.id from address a where a.id = g.address_id and a.state = 'active' offset 0) a
order by length(g.area) desc, g.id;

-- Strangers counts who is in a group, as far as we know, and is no verified
-- member of the staff.
-- name: Strangers :one
select count(*) from conversation g
join conversation m on m.channel = g.channel and m.chat = g.chat and m.in_group and not m.is_group and m.left_at is null
join address a on a.id = m.address_id
left join staff s on s.person_id = a.person_id and s.ended_at is null
where g.id = $1 and (s.id is null or a.trust <> 'verified');

-- GroupFit is what a card must know of a group before it goes there.
-- name: GroupFit :one
select g.bound_as, a.state as address_state,
       (select count(*) from conversation m
        join address ma on ma.id = m.address_id
        left join staff s on s.person_id = ma.person_id and s.ended_at is null
        where m.channel = g.channel and m.chat = g.chat and m.in_group and not m.is_group and m.left_at is null
          and (s.id is null or ma.trust <> 'verified')) as strangers
from conversation g join address a on a.id = g.address_id
where g.id = $1 and g.is_group;

-- name: BlockGroup :exec
update conversation set blocked_at = product_now() where id = $1;

-- name: ClearGroup :exec
update conversation set blocked_at = null where id = $1 and blocked_at is not null;

-- name: LeaveGroup :exec
update conversation set left_at = product_now() where id = $1 and in_group;

-- name: ReturnToGroup :exec
update conversation set left_at = null where id = $1;

-- name: SetAddressChat :exec
update address set chat = $3 where channel = $1 and user_id = $2 and chat = '';

-- CardGroups are the groups in which a ticket lies open.
-- name: CardGroups :many
select v.id from card c join conversation v on v.id = c.conversation_id and v.is_group
where c.ticket_id = $1 and c.closed_at is null order by v.id;

-- ChangeCards plans that every message of a card of the ticket is changed: in
-- groups, and where the channel can change what it sent. A row that runs now
-- may have read what was before, so it runs again.
-- name: ChangeCards :execrows
insert into due (kind, subject, key, subject_version, data, due_at)
select sqlc.arg(kind)::text, 'ticket:' || w.ticket_id, w.conversation_id::text, sqlc.arg(version)::int,
       jsonb_build_object('conversation', w.conversation_id), product_now()
from (select distinct c.ticket_id, c.conversation_id
      from card c join conversation v on v.id = c.conversation_id
      where c.ticket_id = sqlc.arg(ticket_id)::bigint and not c.settled and (v.is_group or v.channel = any(sqlc.arg(editors)::text[]))) w
on conflict (kind, subject, key) do update
set state = 'planned', due_at = excluded.due_at, subject_version = excluded.subject_version, reason = '', tries = 0, lease = null;

-- ChangeCardsIn plans the same for every card of one chat.
-- name: ChangeCardsIn :execrows
insert into due (kind, subject, key, data, due_at)
select sqlc.arg(kind)::text, 'ticket:' || w.ticket_id, w.conversation_id::text, jsonb_build_object('conversation', w.conversation_id), product_now()
from (select distinct c.ticket_id, c.conversation_id from card c
      where c.conversation_id = sqlc.arg(conversation_id)::bigint and not c.settled) w
on conflict (kind, subject, key) do update
set state = 'planned', due_at = excluded.due_at, reason = '', tries = 0, lease = null;

-- CardOf is the latest card of a ticket in a chat.
-- name: CardOf :one
select handle, (closed_at is null)::boolean as open from card
where conversation_id = $1 and ticket_id = $2 order by closed_at desc nulls first limit 1;

-- CardMessage is the outbox row that laid the card of a ticket into a chat
-- last; its message is what changes.
-- name: CardMessage :one
select id from outbox
where conversation_id = sqlc.arg(conversation_id) and subject = sqlc.arg(subject) and reason = any(sqlc.arg(reasons)::text[]) and edits = 0
order by id desc limit 1;

-- SettleCards ends the changes of the closed cards of a ticket in a chat.
-- name: SettleCards :exec
update card set settled = true where conversation_id = $1 and ticket_id = $2 and closed_at is not null and not settled;

-- Areas that a group can serve, by their name.
-- name: DivisionsNamed :many
select code, level, name, coalesce((select p.name from division p where p.code = d.parent), '')::text as above
from division d
where d.level in ('township', 'village') and starts_with(d.code, sqlc.arg(within)::text) and strpos(d.name, sqlc.arg(name)::text) > 0
order by length(d.name), d.code limit sqlc.arg(max_rows);

-- name: GetDivision :one
select code, level, name from division where code = $1;

-- name: UnitName :one
select name from unit where code = $1;
