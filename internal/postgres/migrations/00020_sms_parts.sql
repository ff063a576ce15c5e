-- +goose Up
-- Pieces of long texts of users that came by SMPP, until all of them are there.
-- A piece is acknowledged to its centre once its row is committed. Rows live for
-- minutes; taken says that the text was handed over and copies may still come.
create table sms_part (
  channel  text        not null,
  grp      text        not null,
  number   smallint    not null,
  total    smallint    not null,
  chat     text        not null,
  body     bytea       not null,
  taken    boolean     not null default false,
  at       timestamptz not null default now(),
  primary key (channel, grp, number)
);

-- +goose Down
drop table sms_part;
