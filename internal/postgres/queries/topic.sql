-- One case, one class. Everything here reads shared_ticket: what is private is
-- not in it.

-- NearTickets are open tickets of a matter in the same place: what a reporter may
-- mean too. place_id 0 stands for "only the village is known".
-- name: NearTickets :many
select t.id, t.place_id, t.received_at from shared_ticket t
where t.matter = sqlc.arg(matter) and t.division = any(sqlc.arg(divisions)::text[]) and t.received_at > sqlc.arg(since)
  and t.place_id = any(sqlc.arg(places)::bigint[]) and t.claim <> all(sqlc.arg(never)::text[])
  and not t.finding and t.state in ('received', 'dispatched', 'disputed', 'signed', 'redo', 'suspended')
order by t.received_at desc limit sqlc.arg(max_rows);

-- Spots are the reports of one matter since a time, with their position.
-- name: Spots :many
select t.id, t.state, t.division, t.grid, t.place_id, t.reporter_id, t.received_at, p.lat, p.lon
from shared_ticket t left join place p on p.id = t.place_id
where t.matter = sqlc.arg(matter) and t.received_at > sqlc.arg(since) and not t.finding and t.state not in ('rejected', 'withdrawn', 'referred');

-- WindowCounts counts the tickets of one matter by division and window, the
-- newest one 0; lately are those since another time.
-- name: WindowCounts :many
select t.division, floor(extract(epoch from product_now() - t.received_at) / (sqlc.arg(days)::int * 86400))::int as back, count(*) as n,
       count(*) filter (where t.received_at > sqlc.arg(lately)::timestamptz) as lately
from shared_ticket t
where t.matter = sqlc.arg(matter) and t.received_at > sqlc.arg(since) and t.state not in ('rejected', 'withdrawn', 'referred')
group by t.division, back order by t.division, back;

-- CountShared counts the tickets of a matter in an area and time.
-- name: CountShared :one
select count(*) from shared_ticket t
where t.matter = sqlc.arg(matter) and starts_with(t.division, sqlc.arg(area)::text)
  and t.received_at > sqlc.arg(since) and t.received_at <= sqlc.arg(until) and t.state not in ('rejected', 'withdrawn', 'referred');

-- FirstTicket is how far the city's past goes.
-- name: FirstTicket :one
select coalesce(min(received_at), product_now())::timestamptz as at from ticket;

-- Suggest notes that something is suggested; no row says that it was before.
-- name: Suggest :execrows
insert into suggestion (kind, key) values ($1, $2) on conflict do nothing;

-- ProposeTopic makes no second one while one lives.
-- name: ProposeTopic :execrows
insert into topic (matter, area, why, found, usual)
values (sqlc.arg(matter), sqlc.arg(area), sqlc.arg(why), sqlc.arg(found), sqlc.arg(usual))
on conflict (matter, area) where state in ('proposed', 'open') do nothing;

-- TopicsOf are the topics of a matter that live, and those decided since a time.
-- name: TopicsOf :many
select id, area, state from topic
where matter = sqlc.arg(matter) and (state in ('proposed', 'open') or coalesce(closed_at, decided_at) > sqlc.arg(since)::timestamptz)
order by id;

-- name: ProposedTopic :one
select id from topic where matter = $1 and area = $2 and state = 'proposed';

-- name: GetTopic :one
select * from topic where id = $1;

-- name: LockTopic :one
select * from topic where id = $1 for update;

-- name: DecideTopic :exec
update topic set state = sqlc.arg(state), owner_unit = sqlc.arg(owner_unit), owner_staff = sqlc.narg(owner_staff), plan = sqlc.narg(plan),
    decided_at = product_now(), decided_by = sqlc.arg(decided_by)
where id = sqlc.arg(id) and state = 'proposed';

-- name: CloseTopicRow :exec
update topic set state = 'closed', outcome = sqlc.arg(outcome), closed_at = product_now(), closed_by = sqlc.arg(closed_by)
where id = sqlc.arg(id) and state = 'open';

-- name: CompareTopicRow :exec
update topic set before_count = $2, after_count = $3 where id = $1;

-- RecentTopics are the topics that run, and those closed since a time.
-- name: RecentTopics :many
select * from topic where state = 'open' or closed_at > sqlc.arg(since)::timestamptz order by state = 'open' desc, id desc limit sqlc.arg(max_rows);

-- LinkTickets links the tickets of a topic's matter and area since a time.
-- name: LinkTickets :execrows
insert into topic_ticket (topic_id, ticket_id)
select k.id, t.id from topic k join shared_ticket t on t.matter = k.matter and starts_with(t.division, k.area)
where k.id = sqlc.arg(topic) and k.state = 'open' and t.received_at > sqlc.arg(since) and t.state not in ('rejected', 'withdrawn', 'referred')
order by t.id -- a link holds its ticket: in the order in which tickets are locked
on conflict do nothing;

-- TopicTickets are the newest tickets of a topic.
-- name: TopicTickets :many
select t.number, t.state, t.received_at from topic_ticket l join shared_ticket t on t.id = l.ticket_id
where l.topic_id = sqlc.arg(topic) order by t.id desc limit sqlc.arg(max_rows);

-- name: TopicCounts :one
select count(*) as tickets, count(*) filter (where t.state not in ('closed', 'rejected', 'withdrawn', 'answered', 'referred')) as open,
       count(distinct coalesce(p.merged_into, p.id)) as reporters
from topic_ticket l join shared_ticket t on t.id = l.ticket_id join person p on p.id = t.reporter_id where l.topic_id = $1;

-- TopicReporters are the people behind a topic's tickets, each once with the
-- newest of their tickets: persons who were merged are one. Who took a ticket
-- back wants to hear no more of it.
-- name: TopicReporters :many
with recursive told as (
    select t.id, t.reporter_id from topic_ticket l join shared_ticket t on t.id = l.ticket_id
    where l.topic_id = sqlc.arg(topic) and t.state not in ('rejected', 'withdrawn')
), up(person, id, merged_into) as (
    select p.id, p.id, p.merged_into from person p where p.id in (select told.reporter_id from told)
    union all
    select up.person, p.id, p.merged_into from up join person p on p.id = up.merged_into
)
select distinct on (up.id) up.id as person, told.id as ticket
from told join up on up.person = told.reporter_id and up.merged_into is null
order by up.id, told.id desc;

-- SeasonCounts are the matters that a grid had often in a time, the most frequent
-- first, of the grids after one.
-- name: SeasonCounts :many
select t.grid, t.matter, count(*) as n from shared_ticket t
where t.received_at >= sqlc.arg(since) and t.received_at < sqlc.arg(until) and t.grid > sqlc.arg(after) and t.state not in ('rejected', 'withdrawn', 'referred')
group by t.grid, t.matter having count(*) >= sqlc.arg(least)::int
order by t.grid, n desc, t.matter limit sqlc.arg(max_rows);

-- SetTaskData replaces what a task says.
-- name: SetTaskData :exec
update task set data = $2 where id = $1;

-- ForgetTasks erases what tasks about no ticket said.
-- name: ForgetTasks :execrows
update task set data = null where id in (
    select k.id from task k where k.ticket_id is null and k.data is not null and k.done_at < product_now() - make_interval(days => sqlc.arg(days)::int)
    order by k.id limit sqlc.arg(max_rows));

-- ForgetTopics erases plan and outcome; counts stay for the figures.
-- name: ForgetTopics :execrows
update topic set plan = null, outcome = null where id in (
    select k.id from topic k where (k.plan is not null or k.outcome is not null) and k.closed_at < product_now() - make_interval(days => sqlc.arg(days)::int)
    order by k.id limit sqlc.arg(max_rows));

-- StaffNamed finds who may lead a topic by a part of their name: whoever serves
-- in an area, or at a unit's desk.
-- name: StaffNamed :many
select s.id, s.name from staff s
where s.ended_at is null and strpos(s.name, sqlc.arg(part)::text) > 0
  and exists (select 1 from staff_role r where r.staff_id = s.id and (r.area_kind = 'unit' or starts_with(r.area, sqlc.arg(area)::text) or starts_with(sqlc.arg(area)::text, r.area)))
order by s.name, s.id limit sqlc.arg(max_rows);
