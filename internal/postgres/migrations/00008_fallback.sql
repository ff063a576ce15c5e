-- +goose Up
-- A message that one address did not take goes on to the next. Each row names
-- the one that it stands for; two rows for one cannot be.
alter table outbox add column fallback_of bigint;
create unique index outbox_fallback on outbox (fallback_of) where fallback_of is not null;

-- Persons who were merged into one are one: their addresses are looked up
-- together.
create index person_merged on person (merged_into) where merged_into is not null;

-- Until when the network asked not to be sent to: the next owner must know it
-- too. Database time.
alter table channel_owner add column paused_until timestamptz;
