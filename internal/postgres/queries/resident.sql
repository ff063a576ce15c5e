-- LookupLocked tells whether an address may not ask for numbers now.
-- name: LookupLocked :one
select exists (select 1 from lookup_guard where address_id = $1 and locked_until > product_now()) as locked;

-- MissLookup counts a wrong number; misses older than since begin anew, and at
-- the allowed one the address is locked until the given time.
-- name: MissLookup :exec
insert into lookup_guard as g (address_id, since, misses) values (sqlc.arg(address_id), product_now(), 1)
on conflict (address_id) do update set
    since = case when g.since < sqlc.arg(since) then product_now() else g.since end,
    misses = case when g.since < sqlc.arg(since) then 1 else g.misses + 1 end,
    locked_until = case when g.since >= sqlc.arg(since) and g.misses + 1 >= sqlc.arg(allowed)::int then sqlc.arg(locked_until)::timestamptz else g.locked_until end;

-- CardHolders are the staff in whose chats a ticket lies open.
-- name: CardHolders :many
select distinct s.id from card c
join conversation v on v.id = c.conversation_id
join address a on a.id = v.address_id
join staff s on s.person_id = a.person_id and s.ended_at is null
where c.ticket_id = $1 and c.closed_at is null
order by s.id;

-- CountCodesSince counts the one-time codes that an address asked for.
-- name: CountCodesSince :one
select count(*) from one_time_code where address_id = $1 and created_at > $2;

-- ProvenAddress is where a person can prove who they are: the address with the
-- most trust, heard last, that is not the asking one.
-- name: ProvenAddress :one
select a.id, a.person_id from address a
where a.person_id in (select p.id from person p where p.id = any(sqlc.arg(persons)::bigint[]) or p.merged_into = any(sqlc.arg(persons)::bigint[])) and a.id <> sqlc.arg(asking) and a.state <> 'gone' and a.trust <> 'none'
order by case a.trust when 'verified' then 0 when 'stable' then 1 else 2 end, a.last_inbound_at desc nulls last, a.id
limit 1;
