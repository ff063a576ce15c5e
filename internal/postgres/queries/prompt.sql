-- name: OpenPrompt :one
insert into prompt (address_id, conversation_id, due_id, flow, state, codes, subject, subject_version, open_until)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
returning id;

-- CloseLatePrompt closes a prompt whose answer is no longer expected, so that
-- the next one can be opened.
-- name: CloseLatePrompt :exec
update prompt set closed_at = product_now(), outcome = 'expired'
where address_id = $1 and extension = '' and closed_at is null and open_until <= product_now();

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

-- MovePrompt lets a prompt wait at another address for its answer, when it
-- still waits at the one it is thought to.
-- name: MovePrompt :execrows
update prompt set address_id = sqlc.arg(to_address), conversation_id = sqlc.arg(conversation_id)
where id = sqlc.arg(id) and address_id = sqlc.arg(from_address) and closed_at is null;
