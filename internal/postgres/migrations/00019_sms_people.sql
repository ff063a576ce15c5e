-- +goose Up
-- What people say by SMS: topics that a number stopped, and codes that were sent
-- to it.

-- address_stop holds what an address wants to hear no more of. A person may have
-- others that go on: a stop by SMS can be forged, so it is about the number.
create table address_stop (
    address_id bigint not null references address on delete cascade,
    topic      text not null,
    created_at timestamptz not null default product_now(),
    primary key (address_id, topic)
);

-- How many codes went to a number lately is counted for each new one.
create index one_time_code_sent on one_time_code (sent_to, created_at);

