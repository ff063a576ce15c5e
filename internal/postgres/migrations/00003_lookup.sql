-- +goose Up
-- lookup_guard counts the ticket numbers that an address asked for and that
-- were not its own (promise S4: numbers cannot be walked).
create table lookup_guard (
    address_id   bigint primary key references address,
    since        timestamptz not null,
    misses       int not null,
    locked_until timestamptz
);
