-- name: OpenPrompt :one
insert into prompt (address_id, conversation_id, due_id, flow, state, codes, subject, subject_version, open_until, extension)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
returning id;

-- PromptsOf lists what waits for an answer in a conversation.
-- name: PromptsOf :many
select id, extension, state, subject from prompt
where address_id = $1 and conversation_id = $2 and closed_at is null and open_until > product_now()
order by id;

-- FreeExtension finds a code for the next prompt of an address: of those that no
-- open prompt has, the one used longest ago, so that a late answer to an old
-- question meets the code of no new one. No row when all are taken.
-- name: FreeExtension :one
select n::text from generate_series(1, sqlc.arg(codes)::int) n
where not exists (select 1 from prompt p where p.address_id = sqlc.arg(address) and p.extension = n::text and p.closed_at is null)
order by (select max(p.id) from prompt p where p.address_id = sqlc.arg(address) and p.extension = n::text) nulls first, n limit 1;

-- LastUnder is what the last prompt under a code was about.
-- name: LastUnder :one
select subject from prompt where address_id = $1 and extension = $2 and extension <> '' order by id desc limit 1;

-- CloseLatePrompts closes the prompts of an address whose answer is no longer
-- expected, so that the next one can be opened.
-- name: CloseLatePrompts :exec
update prompt set closed_at = product_now(), outcome = 'expired'
where address_id = $1 and closed_at is null and open_until <= product_now();

-- CloseAddressPrompts closes all of an address.
-- name: CloseAddressPrompts :exec
update prompt set closed_at = product_now(), outcome = $2 where address_id = $1 and closed_at is null;

-- name: KeepPrompt :exec
update prompt set state = $2, codes = $3 where id = $1 and closed_at is null;

-- name: ClosePrompt :exec
update prompt set closed_at = product_now(), outcome = $2 where id = $1 and closed_at is null;

-- name: ClosePromptsOf :exec
update prompt set closed_at = product_now(), outcome = sqlc.arg(outcome)
where subject = sqlc.arg(subject) and closed_at is null;

-- OpenPrompts gives those of the prompts whose answer is still expected.
-- name: OpenPrompts :many
select id from prompt where id = any(sqlc.arg(ids)::bigint[]) and closed_at is null and open_until > product_now();

-- MovePrompt lets a prompt wait at another address for its answer, under a code
-- of that one, when it still waits at the one it is thought to.
-- name: MovePrompt :execrows
update prompt set address_id = sqlc.arg(to_address), conversation_id = sqlc.arg(conversation_id), extension = sqlc.arg(extension)
where id = sqlc.arg(id) and address_id = sqlc.arg(from_address) and closed_at is null;

-- LatePrompts lists what was asked in a conversation and is over since a while,
-- the last first: under a code where the answer came with one.
-- name: LatePrompts :many
select id, extension, state, subject, flow, coalesce(least(closed_at, open_until), open_until)::timestamptz as over_at from prompt
where address_id = sqlc.arg(address) and conversation_id = sqlc.arg(conversation) and (sqlc.arg(extension)::text = '' or extension = sqlc.arg(extension))
  and (closed_at > sqlc.arg(since)::timestamptz or closed_at is null and open_until between sqlc.arg(since) and product_now())
  and outcome not in ('joined', 'parted', 'stopped')
order by id desc limit 3;

-- ReopenPrompt lets a prompt wait for an answer again, when no other waits in its
-- place.
-- name: ReopenPrompt :execrows
update prompt p set closed_at = null, outcome = '', open_until = sqlc.arg(until)
where p.id = sqlc.arg(id) and not exists (
    select 1 from prompt o where o.address_id = p.address_id and o.extension = p.extension and o.closed_at is null and o.id <> p.id);
