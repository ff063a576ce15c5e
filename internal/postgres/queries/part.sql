-- PutPart keeps a piece of a long text; a number that is there stays as it was.
-- name: PutPart :exec
insert into sms_part (channel, grp, number, total, chat, body)
values ($1, $2, $3, $4, $5, $6)
on conflict do nothing;

-- name: PartsOf :many
select number, total, chat, body, taken, at from sms_part where channel = $1 and grp = $2 order by number;

-- name: TakeParts :exec
update sms_part set taken = true where channel = $1 and grp = $2;

-- name: DropParts :exec
delete from sms_part where channel = $1 and grp = $2;

-- StaleParts are the groups whose last piece is older than age, by bare database
-- time: centres try again by their own clocks.
-- name: StaleParts :many
select grp, min(chat)::text as chat from sms_part where channel = $1
group by grp having max(at) < now() - sqlc.arg(age)::interval order by max(at) limit sqlc.arg(max_rows);
