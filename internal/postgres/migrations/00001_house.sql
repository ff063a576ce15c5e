-- +goose Up
-- The house: clock, definitions, places, people, conversations, messages, time.
-- Times: columns named *_at hold product time (product_now()), except leases,
-- epochs and inbox/outbox stamps, which hold bare database time: the demo may
-- move the first, never the second.

create table setting (
    key   text primary key,
    value text not null
);

create table clock_offset (
    one   boolean  primary key default true check (one),
    shift interval not null default '0'
);
insert into clock_offset default values;

-- +goose StatementBegin
create function product_now() returns timestamptz language sql stable as
$$ select now() + (select shift from clock_offset) $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- in_default tells whether the default partition of base holds rows of a month:
-- such a month stays there, because PostgreSQL would refuse its partition.
create function in_default(base text, month date) returns boolean language plpgsql as $$
declare
    found boolean;
begin
    execute format('select exists (select 1 from %I where at >= $1 and at < $2)', base || '_default')
        into found using month::timestamp at time zone 'UTC', (month + interval '1 month')::timestamp at time zone 'UTC';
    return found;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- drop_partitions drops the months of base that ended before until.
create function drop_partitions(base text, until timestamptz) returns int language plpgsql as $$
declare
    part    text;
    dropped int := 0;
begin
    for part in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = base::regclass and c.relname ~ ('^' || base || '_[0-9]{4}_[0-9]{2}$')
          and to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= until at time zone 'UTC'
    loop
        execute format('drop table %I', part);
        dropped := dropped + 1;
    end loop;
    return dropped;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- make_partitions adds the monthly partitions of the three growing tables from
-- the month of since to the third month after until. Rows outside go to the
-- default partition, so nothing is ever refused for want of a partition.
create function make_partitions(since timestamptz, until timestamptz) returns void language plpgsql as $$
declare
    first date := date_trunc('month', since at time zone 'UTC')::date;
    last  date := (date_trunc('month', until at time zone 'UTC') + interval '3 months')::date;
    part  text;
    base  text;
begin
    while first <= last loop
        foreach base in array array['message', 'trail', 'blob'] loop
            part := base || to_char(first, '_YYYY_MM');
            if to_regclass(part) is null and not in_default(base, first) then
                execute format('create table %I partition of %I for values from (%L) to (%L)',
                    part, base, first::timestamp at time zone 'UTC',
                    (first + interval '1 month')::timestamp at time zone 'UTC');
            end if;
        end loop;
        first := (first + interval '1 month')::date;
    end loop;
end $$;
-- +goose StatementEnd

create table definition (
    id         bigint generated always as identity primary key,
    kind       text not null,
    name       text not null,
    version    int  not null,
    sha        bytea not null,
    body       text not null,
    source     text not null check (source in ('embedded', 'file', 'console')),
    created_at timestamptz not null default now(),
    unique (kind, name, version)
);

-- Places -------------------------------------------------------------------

create table division (
    code   text primary key,
    level  text not null check (level in ('city', 'county', 'township', 'village')),
    name   text not null,
    parent text references division
);
create index division_parent on division (parent);

create table grid (
    id          text primary key,
    village     text not null references division,
    name        text not null,
    party_group text not null default ''
);
create index grid_village on grid (village);

create table unit (
    code text primary key,
    name text not null unique,
    kind text not null
);

create table place (
    id      bigint generated always as identity primary key,
    kind    text not null,
    name    text not null,
    village text not null references division,
    grid    text references grid,
    lat     double precision,
    lon     double precision,
    unique (village, name)
);

create table place_alias (
    place_id    bigint not null references place on delete cascade,
    alias       text not null,
    proposed_by bigint,
    accepted_at timestamptz,
    primary key (place_id, alias)
);

-- People -------------------------------------------------------------------

create table person (
    id             bigint generated always as identity primary key,
    name           bytea,
    phone          bytea,
    phone_index    bytea,
    lang           text not null default 'zh-Hans',
    kind           text not null default 'resident',
    notice_version int not null default 0,
    noticed_at     timestamptz,
    merged_into    bigint references person,
    created_at     timestamptz not null default product_now()
);
create index person_phone on person (phone_index) where phone_index is not null;

create table address (
    id              bigint generated always as identity primary key,
    channel         text not null,
    user_id         text not null,
    chat            text not null,
    person_id       bigint not null references person,
    trust           text not null check (trust in ('none', 'session', 'stable', 'verified')),
    state           text not null default 'active' check (state in ('active', 'gone', 'stopped')),
    last_inbound_at timestamptz,
    created_at      timestamptz not null default product_now(),
    unique (channel, user_id)
);
create index address_person on address (person_id);

create table opt_out (
    person_id  bigint not null references person,
    topic      text not null,
    created_at timestamptz not null default product_now(),
    primary key (person_id, topic)
);

create table consent (
    id           bigint generated always as identity primary key,
    person_id    bigint not null references person,
    kind         text not null,
    version      int not null,
    address_id   bigint references address,
    given_at     timestamptz not null default product_now(),
    withdrawn_at timestamptz
);
create index consent_person on consent (person_id, kind);

create table one_time_code (
    id         bigint generated always as identity primary key,
    person_id  bigint not null references person,
    address_id bigint not null references address,
    sent_to    bigint not null references address,
    request    text not null,
    hash       bytea not null,
    tries      int not null default 0,
    expires_at timestamptz not null,
    used_at    timestamptz,
    created_at timestamptz not null default product_now()
);
create index one_time_code_open on one_time_code (address_id) where used_at is null;

create table staff (
    id         bigint generated always as identity primary key,
    person_id  bigint not null unique references person,
    slug       text not null unique,
    name       text not null,
    phone      text not null default '',
    on_duty    boolean not null default true,
    substitute bigint references staff,
    ended_at   timestamptz,
    created_at timestamptz not null default product_now()
);

create table staff_role (
    staff_id  bigint not null references staff,
    role      text not null,
    area_kind text not null,
    area      text not null,
    primary key (staff_id, role, area_kind, area)
);
create index staff_role_area on staff_role (area_kind, area, role);

create table invite (
    hash       bytea primary key,
    name       text not null,
    role       text not null,
    area_kind  text not null,
    area       text not null,
    created_by text not null,
    created_at timestamptz not null default product_now(),
    expires_at timestamptz not null,
    used_at    timestamptz,
    used_by    bigint references staff
);

-- Conversations and messages -------------------------------------------------

create table conversation (
    id            bigint generated always as identity primary key,
    channel       text not null,
    chat          text not null,
    user_id       text not null,
    address_id    bigint not null references address,
    bound_as      text not null default '' check (bound_as in ('', 'work', 'residents')),
    flow          text not null default '',
    state         bytea,
    turn          bigint not null default 0,
    flood_at      timestamptz not null default now(),
    flood_count   int not null default 0,
    updated_at    timestamptz not null default product_now(),
    unique (channel, chat, user_id)
) with (fillfactor = 70);
create index conversation_address on conversation (address_id);

create table inbox (
    id              bigint generated always as identity primary key,
    channel         text not null,
    event_key       text not null,
    conversation_id bigint not null,
    kind            text not null,
    state           text not null check (state in ('done', 'waiting', 'dead', 'refused')),
    tries           int not null default 0,
    event           bytea,
    error           text not null default '',
    next_try        timestamptz not null default now(),
    received_at     timestamptz not null default now(),
    unique (channel, event_key)
);
create index inbox_waiting on inbox (conversation_id, id) where state = 'waiting';
create index inbox_dead on inbox (id) where state = 'dead';
create index inbox_received on inbox (received_at);

create table message (
    id              bigint generated always as identity,
    at              timestamptz not null default product_now(),
    conversation_id bigint not null,
    direction       text not null check (direction in ('in', 'out')),
    inbox_id        bigint,
    outbox_id       bigint,
    kind            text not null,
    body            bytea not null,
    primary key (id, at)
) partition by range (at);
create index message_conversation on message (conversation_id, at);
create table message_default partition of message default;

create table blob (
    id              text not null,
    at              timestamptz not null default product_now(),
    kind            text not null check (kind in ('photo', 'voice')),
    mime            text not null,
    size            int not null,
    body            bytea,
    pending         bytea,
    transcript      bytea,
    conversation_id bigint,
    primary key (id, at)
) partition by range (at);
create table blob_default partition of blob default;

create table trail (
    id      bigint generated always as identity,
    at      timestamptz not null default product_now(),
    actor   text not null,
    kind    text not null,
    subject text not null,
    data    jsonb not null default '{}',
    digest  bytea,
    xid     xid8 not null default pg_current_xact_id(),
    primary key (id, at)
) partition by range (at);
create index trail_subject on trail (subject, id);
create table trail_default partition of trail default;

-- trail_link chains committed rows in the order in which they were sealed. The
-- sealer numbers them without gaps: a missing position is a row taken out.
create table trail_link (
    position bigint primary key,
    trail_id bigint not null unique,
    hash     bytea not null
);

create table trail_words (
    trail_id bigint primary key,
    salt     bytea not null,
    body     bytea not null
);

create table outbox (
    id              bigint generated always as identity primary key,
    channel         text not null,
    chat            text not null,
    conversation_id bigint not null,
    address_id      bigint not null,
    class           text not null check (class in ('reply', 'push')),
    source          text not null,
    text_key        text not null,
    text_version    int not null,
    lang            text not null,
    params          bytea not null,
    reason          text not null default '',
    subject         text not null default '',
    subject_version int not null default 0,
    question_turn   bigint not null default 0,
    prompt_id       bigint not null default 0,
    nudge_seconds   int not null default 0,
    expire_seconds  int not null default 0,
    state           text not null default 'queued'
                    check (state in ('queued', 'sending', 'sent', 'failed', 'unknown', 'stale')),
    error_class     text not null default '',
    error           text not null default '',
    tries           int not null default 0,
    epoch           bigint not null default 0,
    not_before      timestamptz not null default now(),
    created_at      timestamptz not null default now(),
    sent_at         timestamptz,
    receipt         text not null default ''
) with (fillfactor = 70);
create index outbox_ready on outbox (channel, chat, id) where state in ('queued', 'sending');
create index outbox_next on outbox (channel, id) where state in ('queued', 'sending');
create index outbox_subject on outbox (subject) where subject <> '';

create table mailbox (
    channel text not null,
    chat    text not null,
    seq     bigint not null,
    key     text not null,
    item    bytea not null,
    photo   bytea,
    at      timestamptz not null default product_now(),
    primary key (channel, chat, seq),
    unique (channel, chat, key)
);

create table prompt (
    id              bigint generated always as identity primary key,
    address_id      bigint not null references address,
    extension       text not null default '',
    conversation_id bigint not null,
    due_id          bigint not null,
    flow            text not null,
    state           bytea not null,
    codes           jsonb not null,
    subject         text not null,
    subject_version int not null,
    opened_at       timestamptz not null default product_now(),
    open_until      timestamptz not null,
    closed_at       timestamptz,
    outcome         text not null default ''
);
create unique index prompt_open on prompt (address_id, extension) where closed_at is null;
create index prompt_subject on prompt (subject) where closed_at is null;

create table channel_owner (
    channel text primary key,
    epoch   bigint not null,
    since   timestamptz not null default now()
);

-- Time -----------------------------------------------------------------------

create table calendar_day (
    day    date primary key,
    kind   text not null check (kind in ('holiday', 'workday', 'provisional')),
    name   text not null,
    source text not null
);

create table schedule (
    name      text primary key,
    last_slot timestamptz not null,
    paused_at timestamptz
);

create table slot (
    schedule   text not null references schedule,
    nominal_at timestamptz not null,
    due_at     timestamptz not null,
    not_after  timestamptz,
    state      text not null check (state in ('planned', 'running', 'done', 'skipped', 'expired')),
    reason     text not null default '',
    cursor     text not null default '',
    lease      timestamptz,
    primary key (schedule, nominal_at)
);
create index slot_open on slot (due_at) where state in ('planned', 'running');

create table due (
    id              bigint generated always as identity primary key,
    kind            text not null,
    subject         text not null,
    key             text not null,
    person_id       bigint,
    subject_version int not null default 0,
    data            jsonb not null default '{}',
    due_at          timestamptz not null,
    not_after       timestamptz,
    state           text not null default 'planned'
                    check (state in ('planned', 'running', 'done', 'cleared', 'expired', 'dropped', 'failed')),
    reason          text not null default '',
    tries           int not null default 0,
    lease           timestamptz,
    created_at      timestamptz not null default product_now(),
    done_at         timestamptz,
    unique (kind, subject, key)
);
create index due_ready on due (due_at) where state = 'planned';
create index due_running on due (lease) where state = 'running';
create index due_subject on due (subject) where state = 'planned';
create index due_person on due (person_id) where state = 'planned';

create table api_token (
    hash       bytea primary key,
    name       text not null,
    scope      text not null,
    created_at timestamptz not null default product_now(),
    revoked_at timestamptz
);
