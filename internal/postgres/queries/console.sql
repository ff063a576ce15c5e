-- name: AddDeskLink :exec
insert into desk_link (hash, staff_id, expires_at) values ($1, $2, $3);

-- TakeDeskLink uses a link up; nothing comes back for one that is used, over
-- or unknown.
-- name: TakeDeskLink :one
update desk_link set used_at = product_now()
where hash = $1 and used_at is null and expires_at > product_now() returning staff_id;

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

-- DeskTasks lists the open tasks of roles, each held in the area beside it. A
-- division covers what begins with its code; what is the city's is seen by
-- everybody who holds the role.
-- name: DeskTasks :many
with held as (select unnest(sqlc.arg(roles)::text[]) as role, unnest(sqlc.arg(areas)::text[]) as area)
select t.* from task t
where t.state = 'open' and exists (
    select 1 from held h where h.role = t.role and (t.area_kind = 'city' or t.area like h.area || '%'))
order by t.due_at nulls last, t.id limit sqlc.arg(max_rows);

-- DeskTickets lists tickets that may concern the holder of these areas, what
-- is overdue first. Whether they may be seen is asked of each again.
-- name: DeskTickets :many
select t.* from ticket t
where (sqlc.arg(state)::text = '' and t.state not in ('closed', 'rejected', 'withdrawn') or t.state = sqlc.arg(state)::text)
  and (exists (select 1 from unnest(sqlc.arg(areas)::text[]) a where t.grid like a || '%' or t.division like a || '%')
       or exists (select 1 from assignment s where s.ticket_id = t.id and s.ended_at is null
                  and (s.desk = any(sqlc.arg(areas)::text[]) or s.desk_staff = sqlc.arg(staff_id)))
       or t.division = '' and sqlc.arg(city)::boolean)
order by t.deadline nulls last, t.id limit sqlc.arg(max_rows);

-- name: SearchTickets :many
select * from ticket where grams @> sqlc.arg(grams)::int[] order by id desc limit sqlc.arg(max_rows);
