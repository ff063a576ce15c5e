-- What is forgotten. Times of the networks are database time, all others are
-- product time; every statement takes at most max_rows, so that no transaction
-- is long.

-- name: ForgetInbox :execrows
delete from inbox where id in (
    select i.id from inbox i where i.received_at < now() - make_interval(days => sqlc.arg(days)::int) and i.state in ('done', 'refused', 'dead')
    order by i.id limit sqlc.arg(max_rows));

-- ForgetEvents erases the words of events that were given up; their keys stay,
-- so that they cannot come twice.
-- name: ForgetEvents :execrows
update inbox set event = null where id in (
    select i.id from inbox i where i.event is not null and i.state <> 'waiting'
      and i.received_at < now() - make_interval(days => sqlc.arg(days)::int)
    order by i.id limit sqlc.arg(max_rows));

-- name: ForgetOutbox :execrows
delete from outbox where id in (
    select o.id from outbox o where o.state not in ('queued', 'sending') and o.created_at < now() - make_interval(days => sqlc.arg(days)::int)
    order by o.id limit sqlc.arg(max_rows));

-- ForgetMailbox leaves the last item of every chat: its number is where the
-- next one counts on from.
-- name: ForgetMailbox :execrows
delete from mailbox d using (
    select m.channel, m.chat, m.seq from mailbox m
    where m.at < product_now() - make_interval(days => sqlc.arg(days)::int)
      and exists (select 1 from mailbox n where n.channel = m.channel and n.chat = m.chat and n.seq > m.seq)
    limit sqlc.arg(max_rows)) old
where d.channel = old.channel and d.chat = old.chat and d.seq = old.seq;

-- name: ForgetMessages :execrows
delete from message where (id, at) in (
    select m.id, m.at from message m where m.at < product_now() - make_interval(days => sqlc.arg(days)::int) limit sqlc.arg(max_rows));

-- name: DropMessages :one
select drop_partitions('message', product_now() - make_interval(days => sqlc.arg(days)::int));

-- ForgetBlobs leaves what belongs to a ticket or a whistle that is open, or
-- closed not long enough ago, and the agreements of beds.
-- name: ForgetBlobs :execrows
delete from blob where (id, at) in (
    select b.id, b.at from blob b where b.at < product_now() - make_interval(days => sqlc.arg(days)::int)
      and not exists (select 1 from ticket_file f join ticket t on t.id = f.ticket_id
                      where f.blob_id = b.id and (t.closed_at is null or t.closed_at > product_now() - make_interval(days => sqlc.arg(days)::int)))
      and not exists (select 1 from whistle_file f join whistle_unit u on u.id = f.unit_id join whistle w on w.id = u.whistle_id
                      where f.blob_id = b.id and (w.closed_at is null or w.closed_at > product_now() - make_interval(days => sqlc.arg(days)::int)))
      and not exists (select 1 from bed_file f where f.blob_id = b.id)
    limit sqlc.arg(max_rows));

-- name: ForgetTrailWords :execrows
delete from trail_words where trail_id in (
    select w.trail_id from trail_words w join trail t on t.id = w.trail_id
    where t.at < product_now() - make_interval(days => sqlc.arg(days)::int) limit sqlc.arg(max_rows));

-- ForgetTickets erases what was said about tickets; codes, times and outcomes
-- stay for the figures. nothing is an empty text, sealed.
-- name: ForgetTickets :execrows
with old as (
    select t.id from ticket t where t.closed_at < product_now() - make_interval(days => sqlc.arg(days)::int)
      and t.state in ('closed', 'rejected', 'withdrawn', 'answered', 'referred') and octet_length(t.words) > octet_length(sqlc.arg(nothing)::bytea)
    order by t.id limit sqlc.arg(max_rows)
), notes as (
    delete from ticket_note n using old where n.ticket_id = old.id
), tasks as (
    update task k set data = null from old where k.ticket_id = old.id
), desks as (
    update assignment a set reply = null, basis = null from old where a.ticket_id = old.id and (a.reply is not null or a.basis is not null)
), demands as (
    update supervision v set words = null from old where v.ticket_id = old.id and v.words is not null
), callbacks as (
    update callback c set words = null from old where c.ticket_id = old.id
)
update ticket t set words = sqlc.arg(nothing)::bytea, place_label = null, reported_for = null, public_reply = null, internal_reply = null, grams = '{}'
from old where t.id = old.id;

-- ForgetApplications erases what was said for wishes that became no bed. What became
-- one is kept with the bed's records.
-- name: ForgetApplications :execrows
update care_application set words = null, home = null where id in (
    select a.id from care_application a
    where a.state in ('rejected', 'withdrawn') and (a.words is not null or a.home is not null)
      and a.state_at < product_now() - make_interval(days => sqlc.arg(days)::int)
    order by a.id limit sqlc.arg(max_rows));

-- name: ForgetPrompts :execrows
delete from prompt where id in (
    select p.id from prompt p where p.closed_at < product_now() - make_interval(days => sqlc.arg(days)::int) limit sqlc.arg(max_rows));

-- name: ForgetDue :execrows
delete from due where id in (
    select d.id from due d where d.done_at < product_now() - make_interval(days => sqlc.arg(days)::int)
       or d.state = 'suppressed' and d.due_at < product_now() - make_interval(days => sqlc.arg(days)::int) limit sqlc.arg(max_rows));

-- ForgetReports throws away reports whose message was not found.
-- name: ForgetReports :execrows
delete from report where id in (
    select r.id from report r where r.at < now() - make_interval(days => sqlc.arg(days)::int) limit sqlc.arg(max_rows));

-- name: ForgetSpend :execrows
delete from spend where (since, scope, name) in (
    select s.since, s.scope, s.name from spend s where s.since < product_now() - make_interval(days => sqlc.arg(days)::int) limit sqlc.arg(max_rows));
