-- +goose Up
-- Networks of phone numbers: a number may be given to somebody else, and an
-- answer finds its question by the code behind our number.

-- proven_at is when a code last proved that an address is its person's.
alter table address add column proven_at timestamptz;

alter table outbox add column if not exists extension text not null default '';

-- Which code of an address was used longest ago.
create index prompt_codes on prompt (address_id, extension, id) where extension <> '';
