-- Tokens of programs and the answers they were given. Their times are database
-- time.

-- name: AddAPIToken :one
insert into api_token (staff_id, hash, role, area_kind, area, expires_at)
values (sqlc.arg(staff_id), sqlc.arg(hash), sqlc.arg(role), sqlc.arg(area_kind), sqlc.arg(area), sqlc.narg(expires_at))
returning id;

-- FindAPIToken finds a token that may be used now.
-- name: FindAPIToken :one
select t.id, t.staff_id, s.person_id, s.name, t.role, t.area_kind, t.area, coalesce(t.last_used = current_date, false)::boolean as used_today
from api_token t join staff s on s.id = t.staff_id
where t.hash = any(sqlc.arg(hashes)::bytea[]) and t.revoked_at is null and (t.expires_at is null or t.expires_at > now());

-- name: UseAPIToken :exec
update api_token set last_used = current_date where id = $1;

-- name: ListAPITokens :many
select t.id, s.name, t.role, t.area_kind, t.area, t.created_at, t.expires_at, t.revoked_at, coalesce(t.last_used::text, '')::text as last_used
from api_token t join staff s on s.id = t.staff_id order by t.id;

-- RevokeAPIToken returns whose token it was; nothing where there is none to revoke.
-- name: RevokeAPIToken :one
update api_token set revoked_at = now() where id = $1 and revoked_at is null returning staff_id;

-- name: EndStaff :exec
update staff set ended_at = product_now(), on_duty = false where id = $1 and ended_at is null;

-- TryAPIKey takes the key of a write for this transaction; false while another
-- one has it.
-- name: TryAPIKey :one
select pg_try_advisory_xact_lock(hashtextextended(sqlc.arg(key)::text, 1510539267)) as held;

-- name: APIAnswer :one
select request, status, answer from api_request where token_id = $1 and key = $2;

-- name: KeepAPIAnswer :exec
insert into api_request (token_id, key, request, status, answer) values ($1, $2, $3, $4, $5);

-- name: ForgetAPIAnswers :execrows
delete from api_request where (token_id, key) in (
    select r.token_id, r.key from api_request r where r.at < now() - make_interval(secs => sqlc.arg(keep_seconds)::int)
    order by r.at limit sqlc.arg(max_rows));

-- TicketsIn lists the tickets of a division or grid below a number, the newest
-- first. Whether they may be seen is asked of each again.
-- name: TicketsIn :many
select * from ticket t
where t.id < sqlc.arg(before)::bigint and (sqlc.arg(state)::text = '' or t.state = sqlc.arg(state)::text)
  and (t.division like sqlc.arg(area)::text || '%' or t.grid like sqlc.arg(area)::text || '%'
       or t.division = '' and t.grid = '' and sqlc.arg(unplaced)::boolean)
order by t.id desc limit sqlc.arg(max_rows);

-- TicketsAt is TicketsIn for the tickets that lie on the desk of a unit or grid.
-- name: TicketsAt :many
select t.* from ticket t
where t.id < sqlc.arg(before)::bigint and (sqlc.arg(state)::text = '' or t.state = sqlc.arg(state)::text)
  and t.id in (select a.ticket_id from assignment a where a.desk = sqlc.arg(desk)::text and a.ended_at is null
               and a.desk_kind in ('unit', 'grid', 'named'))
order by t.id desc limit sqlc.arg(max_rows);

-- TrailPage is a part of what happened to a subject.
-- name: TrailPage :many
select id, at, actor, kind, data from trail where subject = $1 and id > sqlc.arg(after)::bigint order by id limit sqlc.arg(max_rows);

-- TicketFeed is the sealed part of the trail that is about tickets, in the order
-- in which it was sealed: no position ever appears behind one that was read.
-- name: TicketFeed :many
select l.position, r.at, r.actor, r.kind, r.subject, r.data
from trail_link l join trail r on r.id = l.trail_id
where l.position > sqlc.arg(after)::bigint order by l.position limit sqlc.arg(max_rows);

-- WhistlesBelow lists the whistles that run, or ran, in a division or grid, or
-- call a desk, below an id, the newest first. What is private is no list's.
-- name: WhistlesBelow :many
select w.id from whistle w
where w.id < sqlc.arg(before)::bigint and not w.private and (sqlc.arg(state)::text = '' or w.state = sqlc.arg(state)::text)
  and (starts_with(w.division, sqlc.arg(area)::text) or starts_with(w.grid, sqlc.arg(area)::text)
    or exists (select 1 from whistle_unit u where u.whistle_id = w.id and u.desk = sqlc.arg(area)::text))
order by w.id desc limit sqlc.arg(max_rows);

-- TopicsBelow lists the topics that run, or ran, in a division, or belong to a
-- unit, below an id, the newest first.
-- name: TopicsBelow :many
select * from topic k
where k.id < sqlc.arg(before)::bigint and k.state in ('open', 'closed') and (sqlc.arg(state)::text = '' or k.state = sqlc.arg(state)::text)
  and (starts_with(k.area, sqlc.arg(area)::text) or k.owner_unit = sqlc.arg(area)::text)
order by k.id desc limit sqlc.arg(max_rows);
