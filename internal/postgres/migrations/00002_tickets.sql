-- +goose Up
-- Work orders. Words of residents and staff are sealed; division, grid and
-- matter stay plain so that desks, rates and charts can be computed in SQL.

create table ticket (
    id              bigint generated always as identity primary key,
    number          text not null unique,
    state           text not null,
    claim           text not null,
    matter          text not null,
    urgency         text not null,
    danger          text not null default '',
    division        text not null default '',
    grid            text not null default '',
    place_id        bigint not null default 0,
    place_label     bytea,
    words           bytea not null,
    reported_for    bytea,
    public_reply    bytea,
    internal_reply  bytea,
    confidential    boolean not null default false,
    anonymous       boolean not null default false,
    sensitive       boolean not null default false,
    finding         boolean not null default false,
    against         text[] not null default '{}',
    against_staff   bigint[] not null default '{}',
    reporter_id     bigint not null references person,
    address_id      bigint not null references address,
    conversation_id bigint not null references conversation,
    version         int not null,
    redos           int not null default 0,
    relapses        int not null default 0,
    tries           int not null default 0,
    received_at     timestamptz not null,
    dispatched_at   timestamptz,
    signed_at       timestamptz,
    contacted_at    timestamptz,
    handled_at      timestamptz,
    closed_at       timestamptz,
    dispatch_due    timestamptz,
    sign_due        timestamptz,
    contact_due     timestamptz,
    deadline        timestamptz,
    unit_result     text not null default '',
    contacted       text not null default '',
    solved          text not null default '',
    satisfied       text not null default '',
    outcome         text not null default '',
    grams           int[] not null default '{}'
);
create index ticket_reporter on ticket (reporter_id, id desc);
create index ticket_open on ticket (state, deadline) where state not in ('closed', 'rejected', 'withdrawn');
create index ticket_grams on ticket using gin (grams);
create index ticket_received on ticket (received_at);

create table assignment (
    id            bigint generated always as identity primary key,
    ticket_id     bigint not null references ticket,
    role          text not null check (role in ('lead', 'co', 'informed')),
    desk_kind     text not null check (desk_kind in ('grid', 'unit', 'named', 'dispatcher')),
    desk          text not null,
    desk_staff    bigint not null default 0,
    state         text not null,
    signed_by     bigint not null default 0,
    dispatched_at timestamptz not null,
    signed_at     timestamptz,
    finished_at   timestamptz,
    ended_at      timestamptz
);
create index assignment_ticket on assignment (ticket_id);
create index assignment_desk on assignment (desk_kind, desk) where ended_at is null;
create index assignment_staff on assignment (signed_by) where ended_at is null;

-- card is a ticket as it lies in one staff chat, with its short handle (接 3).
create table card (
    conversation_id bigint not null references conversation,
    handle          int not null,
    ticket_id       bigint not null references ticket,
    ticket_version  int not null default 0,
    closed_at       timestamptz
);
create unique index card_handle on card (conversation_id, handle) where closed_at is null;
create unique index card_ticket on card (conversation_id, ticket_id) where closed_at is null;
create index card_by_ticket on card (ticket_id) where closed_at is null;

create table ticket_file (
    ticket_id bigint not null references ticket,
    blob_id   text not null,
    use       text not null check (use in ('report', 'evidence', 'voice')),
    added_by  text not null,
    added_at  timestamptz not null default product_now(),
    primary key (ticket_id, blob_id)
);

create table ticket_note (
    id        bigint generated always as identity primary key,
    ticket_id bigint not null references ticket,
    author    text not null,
    audience  text not null check (audience in ('all', 'staff')),
    body      bytea not null,
    at        timestamptz not null default product_now()
);
create index ticket_note_ticket on ticket_note (ticket_id);

-- task is something a named desk of people must do by hand.
create table task (
    id         bigint generated always as identity primary key,
    kind       text not null,
    subject    text not null,
    ticket_id  bigint references ticket,
    role       text not null,
    area_kind  text not null,
    area       text not null,
    staff_id   bigint references staff,
    state      text not null default 'open' check (state in ('open', 'done', 'cleared')),
    data       bytea,
    due_at     timestamptz,
    outcome    text not null default '',
    created_at timestamptz not null default product_now(),
    done_at    timestamptz,
    done_by    bigint references staff,
    unique (kind, subject)
);
create index task_open on task (role, area_kind, area) where state = 'open';

-- callback is one try to ask the resident whether the matter is settled.
create table callback (
    id        bigint generated always as identity primary key,
    ticket_id bigint not null references ticket,
    try       int not null,
    by_staff  bigint references staff,
    via       text not null,
    at        timestamptz not null default product_now(),
    contacted text not null default '',
    solved    text not null default '',
    satisfied text not null default '',
    words     bytea,
    ended     text not null default ''
);
create index callback_ticket on callback (ticket_id);

create table survey (
    id          bigint generated always as identity primary key,
    kind        text not null,
    person_id   bigint not null references person,
    ticket_id   bigint not null references ticket,
    sent_at     timestamptz not null default product_now(),
    answered_at timestamptz,
    answer      text not null default '',
    unique (kind, ticket_id)
);
create index survey_person on survey (person_id, sent_at);

create table rider (
    person_id   bigint primary key references person,
    platform    text not null,
    township    text not null default '',
    enrolled_at timestamptz not null default product_now()
);
