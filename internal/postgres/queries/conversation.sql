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

-- BestConversation is where a person is written to: the private chat of the
-- active address that was heard last.
-- name: BestConversation :one
select c.id, c.channel, c.chat, c.user_id, c.address_id, a.trust
from address a join conversation c on c.address_id = a.id and not c.in_group
where a.person_id = $1 and a.state = 'active'
order by a.last_inbound_at desc nulls last, a.id
limit 1;

-- name: SetAddressState :exec
update address set state = $2 where id = $1;

-- name: SetTrust :exec
update address set trust = $2 where id = $1;

-- name: ChannelOfConversation :one
select channel from conversation where id = $1;
