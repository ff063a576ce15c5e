-- +goose Up
-- Work orders as a city runs them: several desks, reviewed requests, merging,
-- supervision, escalation. Package ticket says what the columns mean.

alter table ticket
    -- Where a disputed, suspended or merged ticket goes back to.
    add column was              text not null default '',
    add column master_id        bigint references ticket,
    add column level            int not null default 0,
    add column extensions       int not null default 0,
    -- What the lead desk asks for and a dispatcher decides: objection,
    -- extension or suspension; empty when nothing is asked.
    add column request          text not null default '',
    add column request_reason   text not null default '',
    add column request_staff    bigint not null default 0,
    add column requested_at     timestamptz,
    add column requested_until  timestamptz,
    add column suspended_at     timestamptz,
    add column suspended_until  timestamptz,
    add column referred_to      text not null default '',
    add column exclusion        text not null default '',
    add column exclusion_reason text not null default '',
    -- How many rows of supervision there are: without any they are not read.
    add column supervisions     int not null default 0;
create index ticket_master on ticket (master_id) where master_id is not null;

alter table assignment
    add column deadline         timestamptz,
    add column objection        text not null default '',
    add column objection_reason text not null default '',
    add column objected_at      timestamptz,
    add column decided_at       timestamptz,
    -- The words of a desk: a co-handler's reply, the basis of an objection.
    add column reply            bytea,
    add column basis            bytea;

-- supervision 督办 lies over a ticket: its own number and deadline, aimed at one
-- desk, answered by a person who signs with their name.
create table supervision (
    id          bigint generated always as identity primary key,
    number      text not null unique,
    ticket_id   bigint not null references ticket,
    desk_kind   text not null,
    desk        text not null,
    desk_staff  bigint not null default 0,
    reason      text not null,
    opened_by   bigint not null default 0,
    opened_at   timestamptz not null,
    deadline    timestamptz not null,
    answered_at timestamptz,
    signed_by   bigint not null default 0,
    lapsed_at   timestamptz,
    words       bytea
);
create index supervision_ticket on supervision (ticket_id);
create index supervision_desk on supervision (desk_kind, desk) where answered_at is null;
