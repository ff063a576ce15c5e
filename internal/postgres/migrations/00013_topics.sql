-- +goose Up
-- From one case to one class: which tickets look like the same case, special
-- topics 专项, and what was suggested already.

-- shared_ticket are the tickets that may be counted, offered and told together
-- with those of others: nothing private, nothing about somebody who could learn
-- of it that way, nothing unfinished. ticket.Ticket.Shared says the same.
create view shared_ticket as
select id, number, state, claim, matter, division, grid, place_id, place_label, reporter_id, address_id, received_at, master_id, finding
from ticket
where not confidential and not anonymous and not sensitive and against = '{}' and against_staff = '{}' and state <> 'draft';

-- Near tickets at filing, and everything of one matter for the scan.
create index ticket_matter on ticket (matter, division, received_at);

-- suggestion says that something was suggested: once for each key.
create table suggestion (
    kind text not null check (kind in ('merge', 'patrol')),
    key  text not null,
    at   timestamptz not null default product_now(),
    primary key (kind, key)
);

create table topic (
    id           bigint generated always as identity primary key,
    matter       text not null,
    area         text not null, -- code of a village or a county
    why          text not null check (why in ('village', 'county', 'rise')),
    found        int not null,  -- tickets when it was proposed
    usual        double precision not null,
    state        text not null default 'proposed' check (state in ('proposed', 'declined', 'open', 'closed')),
    -- The unit or the member of the staff that answers for it.
    owner_unit   text not null default '',
    owner_staff  bigint references staff,
    plan         bytea,
    outcome      bytea,
    proposed_at  timestamptz not null default product_now(),
    decided_at   timestamptz,
    decided_by   bigint references staff,
    closed_at    timestamptz,
    closed_by    bigint references staff,
    before_count int,
    after_count  int
);
create unique index topic_live on topic (matter, area) where state in ('proposed', 'open');

create table topic_ticket (
    topic_id  bigint not null references topic,
    ticket_id bigint not null references ticket,
    linked_at timestamptz not null default product_now(),
    primary key (topic_id, ticket_id)
);
create index topic_ticket_ticket on topic_ticket (ticket_id);
