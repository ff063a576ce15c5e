-- name: AddressByUser :one
select id from address where channel = $1 and user_id = $2;

-- name: NewPerson :one
insert into person default values returning id;

-- name: NewAddress :one
insert into address (channel, user_id, chat, person_id, trust)
values ($1, $2, $3, $4, $5)
on conflict (channel, user_id) do update set chat = coalesce(nullif(excluded.chat, ''), address.chat)
returning id;

-- name: NewConversation :one
insert into conversation (channel, chat, user_id, address_id, in_group)
values ($1, $2, $3, $4, $5)
on conflict (channel, chat, user_id) do update set address_id = excluded.address_id
returning id;

-- name: Conversation :one
select c.id, c.channel, c.chat, c.user_id, c.address_id, c.in_group, c.is_group, c.flow, c.turn,
       a.person_id, a.trust, a.state as address_state, p.lang
from conversation c join address a on a.id = c.address_id join person p on p.id = a.person_id
where c.id = $1;

-- Reach lists where people are written to, in the order in which it is tried:
-- first the address by which the matter came, then those that are proven to be
-- the same person's, heard last first. One that followed the first by a hint stands
-- for it. Persons who were merged are one. What
-- was tried, is gone or was stopped is left out. An address that proves nothing
-- is answered where a matter came by it and never gets what was meant for
-- another. Only private chats: in a group others read along. An address that
-- was only ever heard in groups has none, and no network lets us begin one.
-- "offset 0" keeps the planner, which knows nothing of a new table, from reading
-- it whole for the few rows of a family.
-- name: Reach :many
with recursive up(id, merged_into) as (
    select p.id, p.merged_into from person p where p.id = any(sqlc.arg(persons)::bigint[])
    union
    select p.id, p.merged_into from person p join up on p.id = up.merged_into
), family(id) as (
    select up.id from up where up.merged_into is null
    union
    select m.id from family f cross join lateral (select p.id from person p where p.merged_into = f.id offset 0) m
)
select c.id, c.channel, c.chat, c.user_id, c.address_id, (c.flow <> '')::bool as busy,
    array(select r.id from prompt r where r.address_id = a.id and r.closed_at is null and r.open_until > product_now())::bigint[] as prompts
from family cross join lateral (select * from address where address.person_id = family.id offset 0) a
cross join lateral (select * from conversation where conversation.address_id = a.id and not conversation.in_group offset 0) c
where a.state = 'active' and a.id <> all(sqlc.arg(tried)::bigint[])
  and (a.trust in ('stable', 'verified')
       or a.id = sqlc.arg(first)::bigint and (a.trust = 'session' or cardinality(sqlc.arg(tried)::bigint[]) = 0)
       or a.origin = (select f.origin from address f where f.id = sqlc.arg(first)::bigint))
order by (a.id = sqlc.arg(first)::bigint) desc, a.last_inbound_at desc nulls last, a.id, c.id;

-- AddressGone notes that a network refused an address, unless its user came back
-- after the message was claimed: the refusal is older than the return.
-- name: AddressGone :exec
update address a set state = 'gone'
where a.id = sqlc.arg(id) and a.state = 'active'
  and not exists (select 1 from conversation c where c.address_id = a.id and c.updated_at > sqlc.arg(claimed_at)::timestamptz);

-- SetAddressState leaves alone what its user has stopped: an address that is
-- gone comes back by itself with the next message, a stopped one does not.
-- name: SetAddressState :exec
update address set state = $2 where id = $1 and state <> 'stopped';

-- SetTrust and MoveAddress note when an address was proven.
-- name: SetTrust :exec
update address set trust = $2, proven_at = case when $2 = 'verified' then product_now() else proven_at end where id = $1;

-- UnbindAddresses takes a person's addresses on some channels out of those that
-- may be written to.
-- name: UnbindAddresses :exec
update address set trust = 'none'
where trust <> 'none' and channel = any(sqlc.arg(channels)::text[])
  and person_id in (select p.id from person p where p.id = sqlc.arg(person)::bigint or p.merged_into = sqlc.arg(person)::bigint);

-- name: ChannelOfConversation :one
select channel from conversation where id = $1;

-- HintedAddress is with whom a hint was seen last.
-- name: HintedAddress :one
select h.address_id, a.person_id, a.origin from address_hint h join address a on a.id = h.address_id where h.channel = $1 and h.hint = $2;

-- name: RememberHint :exec
insert into address_hint (channel, hint, address_id) values ($1, $2, $3)
on conflict (channel, hint) do update set address_id = excluded.address_id, at = product_now();

-- Provable tells whether a person has an address that proves something, or is on the
-- staff.
-- name: Provable :one
select (exists (select 1 from kin k join address a on a.person_id = k.kin_id where k.person_id = sqlc.arg(person) and a.trust <> 'none')
    or exists (select 1 from kin k join staff s on s.person_id = k.kin_id where k.person_id = sqlc.arg(person) and s.ended_at is null))::bool as yes;

-- FollowAddress lets an address stand for one whose id is no more.
-- name: FollowAddress :exec
update address a set origin = sqlc.arg(origin)::bigint, state = case when a.id = sqlc.arg(before) and a.state = 'active' then 'gone' else a.state end
where a.id in (sqlc.arg(before), sqlc.arg(address));

-- LikeFace gives a person the language of another one, and the notice that was given.
-- name: LikeFace :one
update person n set lang = o.lang, notice_version = greatest(n.notice_version, o.notice_version), noticed_at = coalesce(n.noticed_at, o.noticed_at)
from person o where n.id = sqlc.arg(person) and o.id = sqlc.arg(other)
returning n.lang, n.notice_version;
