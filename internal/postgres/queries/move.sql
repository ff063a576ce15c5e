-- A chat that goes on under another id. See move.go; every statement is one step
-- of MoveChat.

-- name: LockChats :many
select id, chat, user_id from conversation
where channel = sqlc.arg(channel) and chat = any(sqlc.arg(chats)::text[])
order by id for no key update;

-- name: RenameChat :exec
update conversation set chat = $2, former_chat = case when is_group and chat <> $2 then chat else former_chat end where id = $1;

-- name: RenameAddresses :execrows
update address set chat = sqlc.arg(new_chat) where channel = sqlc.arg(channel) and chat = sqlc.arg(old_chat);

-- RenameOutbox keeps the order of what waits: its ids stay.
-- name: RenameOutbox :execrows
update outbox set chat = sqlc.arg(new_chat)
where channel = sqlc.arg(channel) and chat = sqlc.arg(old_chat) and state in ('queued', 'sending');

-- AdoptDialogue takes over the younger conversation's binding and dialogue
-- where the older one has none.
-- name: AdoptDialogue :exec
update conversation k set
    bound_as = case when k.bound_as = '' then g.bound_as else k.bound_as end,
    area_kind = case when k.bound_as = '' then g.area_kind else k.area_kind end,
    area = case when k.bound_as = '' then g.area else k.area end,
    bound_by = case when k.bound_as = '' then g.bound_by else k.bound_by end,
    blocked_at = case when k.bound_as = '' then g.blocked_at else k.blocked_at end,
    left_at = case when g.left_at is null then null else k.left_at end,
    flow = case when k.flow = '' then g.flow else k.flow end,
    state = case when k.flow = '' then g.state else k.state end,
    turn = greatest(k.turn, g.turn)
from conversation g where k.id = sqlc.arg(keep) and g.id = sqlc.arg(give);

-- name: AdoptMessages :exec
update message set conversation_id = sqlc.arg(keep) where conversation_id = sqlc.arg(give);

-- name: AdoptOutbox :exec
update outbox o set conversation_id = sqlc.arg(keep)
where o.channel = sqlc.arg(channel) and o.chat = any(sqlc.arg(chats)::text[]) and o.state in ('queued', 'sending')
  and o.conversation_id = sqlc.arg(give);

-- name: AdoptWaiting :exec
update inbox set conversation_id = sqlc.arg(keep) where conversation_id = sqlc.arg(give) and state = 'waiting';

-- name: AdoptDead :exec
update inbox set conversation_id = sqlc.arg(keep) where conversation_id = sqlc.arg(give) and state = 'dead';

-- name: AdoptPrompts :exec
update prompt set conversation_id = sqlc.arg(keep) where conversation_id = sqlc.arg(give) and closed_at is null;

-- name: AdoptTickets :exec
update ticket set conversation_id = sqlc.arg(keep) where conversation_id = sqlc.arg(give);

-- AdoptCards closes what lies in both chats: the older card stays.
-- name: AdoptCards :exec
update card g set conversation_id = sqlc.arg(keep)::bigint,
    closed_at = case when exists (select 1 from card k where k.conversation_id = sqlc.arg(keep)::bigint and k.closed_at is null
                                  and (k.ticket_id = g.ticket_id or k.handle = g.handle))
                     then coalesce(g.closed_at, product_now()) else g.closed_at end
where g.conversation_id = sqlc.arg(give)::bigint;

-- AdoptDue moves the clocks of an open question along; one that is there
-- already is enough.
-- name: AdoptDue :exec
update due g set subject = sqlc.arg(keep)
where g.subject = sqlc.arg(give) and g.state = 'planned'
  and not exists (select 1 from due k where k.kind = g.kind and k.subject = sqlc.arg(keep) and k.key = g.key);

-- name: DialogueOf :one
select flow, state, turn from conversation where id = $1;

-- name: DropConversation :exec
delete from conversation where id = $1;
