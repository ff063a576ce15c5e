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
