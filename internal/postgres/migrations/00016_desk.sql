-- +goose Up
-- The desk page: lists by role and deadline, and forms that count once.

-- What a list is ordered by: the promise to the resident, until there is one
-- the time to dispatch. One county and one state are one run of the index, so
-- a page of a list reads a page of rows, however many tickets there are.
create index ticket_desk on ticket (left(division, 6), state, coalesce(deadline, dispatch_due, received_at), id) where closed_at is null;
create index ticket_over on ticket (left(division, 6), state, closed_at, id) where closed_at is not null;

-- What a desk's list is ordered by: its own deadline, else that of the ticket.
-- It stands in the assignment, so that a page of a list is one run of an index.
alter table assignment add column due timestamptz;
update assignment a set due = coalesce(a.deadline, t.deadline) from ticket t where t.id = a.ticket_id and a.ended_at is null;
create index assignment_due on assignment (desk_kind, desk, coalesce(due, dispatched_at), ticket_id) where ended_at is null;

create index task_by_role on task (role, coalesce(due_at, created_at), id) where state = 'open';
create index task_ticket on task (ticket_id) where state = 'open';

-- A form carries a word that nobody else has. It is kept with where its sender
-- was led, so that sending it again does nothing twice.
create table desk_once (
    word     text primary key,
    staff_id bigint not null references staff,
    led_to   text not null default '',
    at       timestamptz not null default now()
);
create index desk_once_at on desk_once (at);
