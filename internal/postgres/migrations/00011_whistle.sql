-- +goose Up
-- Whistles 吹哨报到: several units are called to one place. Package ticket
-- (whistle.go) says what the columns mean. What somebody wrote and where they
-- stood is sealed.

create table whistle (
    id            bigint generated always as identity primary key,
    ticket_id     bigint references ticket,
    kind          text not null,
    source        text not null,
    state         text not null,
    division      text not null,
    grid          text not null default '',
    place_label   bytea,
    words         bytea,
    private       boolean not null default false,
    against       text[] not null default '{}',
    against_staff bigint[] not null default '{}',
    version       int not null,
    level         int not null,
    returns       int not null default 0,
    reason        text not null default '',
    solved        text not null default '',
    proposed_by   bigint not null default 0,
    blown_by      bigint not null default 0,
    assigned_by   bigint not null default 0,
    closed_by     bigint not null default 0,
    proposed_at   timestamptz not null,
    blown_at      timestamptz,
    assigned_at   timestamptz,
    handled_at    timestamptz,
    closed_at     timestamptz,
    raised_at     timestamptz,
    changed_at    timestamptz not null,
    blow_due      timestamptz,
    assign_due    timestamptz,
    deadline      timestamptz,
    appraise_due  timestamptz
);
create index whistle_ticket on whistle (ticket_id) where ticket_id is not null;
create index whistle_open on whistle (division text_pattern_ops) where state not in ('declined', 'closed');

-- whistle_unit is one unit's part; never deleted.
create table whistle_unit (
    id           bigint generated always as identity primary key,
    whistle_id   bigint not null references whistle,
    lead         boolean not null default false,
    desk_kind    text not null,
    desk         text not null,
    desk_staff   bigint not null default 0,
    state        text not null,
    called_at    timestamptz not null,
    answer_due   timestamptz not null,
    arrive_due   timestamptz not null,
    answered_at  timestamptz,
    arrived_at   timestamptz,
    handled_at   timestamptz,
    appraised_at timestamptz,
    answered_by  bigint not null default 0,
    arrived_by   bigint not null default 0,
    handled_by   bigint not null default 0,
    appraised_by bigint not null default 0,
    speed        text not null default '',
    quality      text not null default '',
    misuse       text not null default '',
    misuse_at    timestamptz,
    misuse_by    bigint not null default 0,
    -- Sealed: where who arrived stood, what the unit reported.
    position     bytea,
    report       bytea
);
create unique index whistle_unit_desk on whistle_unit (whistle_id, desk_kind, desk, desk_staff);
create index whistle_unit_open on whistle_unit (desk) where state <> 'appraised';
create index whistle_unit_appraised on whistle_unit (appraised_at) where appraised_at is not null;

-- Photos of whoever arrived, and of what was done.
create table whistle_file (
    unit_id  bigint not null references whistle_unit,
    blob_id  text not null,
    use      text not null check (use in ('arrival', 'evidence')),
    added_by text not null,
    added_at timestamptz not null default product_now(),
    primary key (unit_id, blob_id)
);
create index whistle_file_blob on whistle_file (blob_id);
