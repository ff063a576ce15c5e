-- +goose Up
-- Programs that speak for the city: tokens, answers kept for a repeated key,
-- and where events are sent. Tokens and keys live by database time: a demo that
-- moves the product clock ends no token.

drop table api_token; -- of 00001, never written to

-- api_token is a program with one role in one area. Only a keyed hash of the
-- token is kept. staff_id names it wherever a colleague would be named; it has
-- no rows in staff_role, so nothing is ever dispatched to it.
create table api_token (
    id         bigint generated always as identity primary key,
    staff_id   bigint not null unique references staff,
    hash       bytea not null unique,
    role       text not null,
    area_kind  text not null,
    area       text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used  date
);

-- api_request keeps what a write was answered, so that the same key with the
-- same request is answered so again and does nothing. answer is sealed.
create table api_request (
    token_id bigint not null references api_token,
    key      text not null,
    request  bytea not null,
    status   int not null,
    answer   bytea not null,
    at       timestamptz not null default now(),
    primary key (token_id, key)
);
create index api_request_at on api_request (at);

-- webhook is where events of an area are posted to. Address and secret are
-- sealed: networks put tokens into addresses.
create table webhook (
    id         bigint generated always as identity primary key,
    url        bytea not null,
    secret     bytea not null,
    events     text[] not null default '{}',
    area_kind  text not null,
    area       text not null,
    created_by bigint not null references api_token,
    created_at timestamptz not null default now(),
    ended_at   timestamptz
);
