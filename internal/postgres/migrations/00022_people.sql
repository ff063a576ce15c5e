-- +goose Up
-- How many messages an address took since its user last wrote, where the network
-- counts them (bots.Caps.WindowQuota); 0 everywhere else.
alter table address add column window_used int not null default 0;

-- The first of the addresses by which one contact was known, where the ids of a
-- network change: they follow each other by a hint, and what came by one of them is
-- answered at the one that lives.
alter table address add column origin bigint references address;
create index address_origin on address (origin) where origin is not null;

-- Since when a channel account is logged out, by bare database time, and whether
-- people were told of it.
alter table channel_owner
  add column out_since timestamptz,
  add column out_told  boolean not null default false;

-- What a network lets an account remember of a user whose id does not last
-- (bots.Identity.Hints), as a keyed hash. A hint leads back to whom it was last
-- seen with; it proves nothing.
create table address_hint (
  channel    text        not null,
  hint       bytea       not null,
  address_id bigint      not null references address,
  at         timestamptz not null default product_now(),
  primary key (channel, hint)
);
create index address_hint_address on address_hint (address_id);

-- Which persons were found to be one, by whom and why. person.merged_into is what
-- follows from the rows that are not undone: the root above each person. So taking
-- one row back restores exactly what was, in whatever order.
create table person_merge (
  id        bigint generated always as identity primary key,
  person_id bigint      not null references person,
  into_id   bigint      not null references person,
  by        text        not null,
  reason    bytea,
  at        timestamptz not null default product_now(),
  undone_at timestamptz,
  undone_by text        not null default ''
);
create unique index person_merge_live on person_merge (person_id) where undone_at is null;
create index person_merge_into on person_merge (into_id) where undone_at is null;
-- What was merged before is known by its root alone.
insert into person_merge (person_id, into_id, by) select id, merged_into, 'system' from person where merged_into is not null;

-- kin is everybody who is one with a person: itself, its root, and whoever has the
-- same root. The two halves are for the two indexes.
create view kin as
    select me.id as person_id, p.id as kin_id from person me join person p on p.id = coalesce(me.merged_into, me.id)
    union all
    select me.id, p.id from person me join person p on p.merged_into = coalesce(me.merged_into, me.id);

-- A stop of one person that another one took back, while both were one. It holds
-- again when they are parted.
alter table opt_out add column lifted_by bigint references person;

-- opted_out is what somebody, under whatever face, wants no more of.
create view opted_out as
    select k.person_id, o.topic from kin k join opt_out o on o.person_id = k.kin_id
    where not exists (select 1 from kin l where l.person_id = k.person_id and l.kin_id = o.lifted_by);

-- +goose Down
drop view opted_out;
alter table opt_out drop column lifted_by;
drop view kin;
drop table person_merge;
drop table address_hint;
alter table channel_owner drop column out_told, drop column out_since;
alter table address drop column origin, drop column window_used;
