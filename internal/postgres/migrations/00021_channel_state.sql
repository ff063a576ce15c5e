-- +goose Up
-- What a channel account must remember between lives and processes (bots.State):
-- cursors, access tokens, cookies. Sealed; written by the owner of the account.
create table channel_state (
  channel  text        not null,
  name     text        not null,
  value    bytea       not null,
  at       timestamptz not null default now(),
  primary key (channel, name)
);

-- +goose Down
drop table channel_state;
