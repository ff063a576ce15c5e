-- +goose Up
-- How staff get from their chat to the desk page. Tokens are kept as keyed
-- hashes; who steals the tables can open nothing.

create table desk_link (
    hash       bytea primary key,
    staff_id   bigint not null references staff,
    expires_at timestamptz not null,
    used_at    timestamptz
);

-- seen_at is database time: a demo that moves the product clock ends nobody's
-- session.
create table desk_session (
    hash     bytea primary key,
    staff_id bigint not null references staff,
    seen_at  timestamptz not null default now()
);
create index desk_session_seen on desk_session (seen_at);
