-- +goose Up
-- Networks of phone numbers: what became of a message is told later, an unknown
-- outcome is settled and not sent again, and every part costs money.

alter table outbox
    -- rank is who goes first: 0 replies, codes and what is urgent, 1 other
    -- pushes, 2 surveys and bulk.
    add column rank smallint not null default 1 check (rank in (0, 1, 2)),
    -- extension is the code behind our number to which an answer comes.
    add column extension text not null default '',
    -- parts is what a sent message was paid for; 0 on networks that cost nothing.
    add column parts int not null default 0,
    -- report is what the network says of a message; it moves forward only.
    add column report text not null default '' check (report in ('', 'buffered', 'delivered', 'failed')),
    add column report_code text not null default '',
    add column reported_at timestamptz,
    -- settle: the owner of the channel is to ask its network about this row.
    add column settle boolean not null default false,
    -- handed: it was given up and handed to the next address or to people.
    add column handed boolean not null default false;
update outbox set rank = 0 where class = 'reply' and state in ('queued', 'sending');

drop index outbox_next;
-- "rank >= 0" holds always. Only the query that wants this index says so: the one
-- for the head of a chat must not take it for its own, which a planner without
-- statistics does, for then a claim reads the whole backlog once for each row.
create index outbox_next on outbox (channel, rank, id) where state in ('queued', 'sending') and rank >= 0;
create index outbox_receipt on outbox (channel, receipt) where parts > 0 and receipt <> '';
create index outbox_unknown on outbox (channel, chat) where state = 'unknown';
create index outbox_settle on outbox (channel, id) where settle;
create index outbox_unhanded on outbox (channel, id) where report = 'failed' and not handed;

-- report holds what networks said of messages until it is written into the row
-- that it is about. waits: no such row has ended yet.
create table report (
    id        bigint generated always as identity primary key,
    channel   text not null,
    event_key text not null,
    chat      text not null,
    -- What it is about: the network's id of the message, our row; '' and 0 where
    -- it does not say.
    receipt   text not null,
    outbox_id bigint not null,
    state     text not null check (state in ('buffered', 'delivered', 'failed')),
    code      text not null,
    waits     boolean not null default false,
    at        timestamptz not null default now(),
    unique (channel, event_key)
);
create index report_fresh on report (channel, id) where not waits;
create index report_row on report (outbox_id) where waits;
create index report_chat on report (channel, chat) where waits;

-- spend counts parts of paid messages (scope strange: messages) since the begin
-- of a product day, or of an hour.
create table spend (
    scope text not null check (scope in ('all', 'chat', 'reason', 'prefix', 'strange')),
    name  text not null,
    since timestamptz not null,
    count bigint not null,
    primary key (since, scope, name)
);
