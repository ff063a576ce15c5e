-- +goose Up
-- Family beds 家庭病床 and the other programmes that remind, ask and visit.

-- Organisations in two tiers. The code is that of the unit in which its staff hold
-- their roles.
create table clinic (
  id          bigint generated always as identity primary key,
  code        text   not null unique references unit,
  name        text   not null,
  tier        text   not null check (tier in ('hospital', 'clinic')),
  hospital_id bigint references clinic,
  phone       text   not null, -- of the duty desk, told to families
  hours       text   not null default '',
  townships   text[] not null default '{}', -- codes of the divisions that it serves
  costs       text   not null default ''    -- what it costs and what insurance pays, as families are told
);

-- Whoever died is written to no more, in no programme and about no ticket.
alter table person add column died_at timestamptz;

drop view opted_out;
create view opted_out as
    select k.person_id, o.topic from kin k join opt_out o on o.person_id = k.kin_id
    where not exists (select 1 from kin l where l.person_id = k.person_id and l.kin_id = o.lifted_by)
    union all
    select k.person_id, 'all' from kin k join person p on p.id = k.kin_id where p.died_at is not null;

-- Applications 建床申请. Words and the address lie sealed.
create table care_application (
  id              bigint generated always as identity primary key,
  state           text        not null,
  person_id       bigint      not null references person,
  patient         jsonb       not null, -- care.Patient without its person
  applicant_id    bigint      not null references person,
  address_id      bigint      references address,
  conversation_id bigint,
  clinic_id       bigint      references clinic,
  entered_by      bigint      references staff,
  answers         jsonb       not null default '{}',
  just_discharged boolean     not null default false,
  reason          text        not null default '',
  due_at          timestamptz,
  state_at        timestamptz not null,
  filed_at        timestamptz not null,
  assessed_by     bigint      references staff,
  version         int         not null,
  words           bytea,
  home            bytea
);
create index care_application_open on care_application (clinic_id, due_at) where state not in ('registered', 'rejected', 'withdrawn');
create index care_application_person on care_application (person_id);
create index care_application_applicant on care_application (applicant_id);

-- Beds 家床. A person enrolled in another programme with a cadence is a row too:
-- what is planned for both is the same.
create table bed (
  id              bigint generated always as identity primary key,
  programme       text        not null default 'family_bed',
  number          text        unique, -- as the clinic writes it
  application_id  bigint      unique references care_application,
  clinic_id       bigint      references clinic,
  hospital_id     bigint      references clinic,
  person_id       bigint      not null references person,
  patient         jsonb       not null,
  type            text        not null default '',
  state           text        not null,
  reason          text        not null default '',
  doctor_id       bigint      references staff,
  nurse_id        bigint      references staff,
  agreement       jsonb       not null default '{}',
  periods         jsonb       not null default '[]',
  items           jsonb       not null default '[]',
  pauses          jsonb       not null default '[]',
  just_discharged boolean     not null default false,
  outcome         text        not null default '',
  opened_at       timestamptz,
  state_at        timestamptz not null,
  consent_lost_at timestamptz,
  stopped_at      timestamptz,
  version         int         not null,
  home            bytea,
  diagnosis       bytea,
  closing         bytea
);
create unique index bed_of_person on bed (person_id, programme) where state <> 'closed';
create index bed_of_clinic on bed (clinic_id, state);
create sequence bed_item;

-- Carers 照护人 in the order in which they are asked.
create table bed_carer (
  bed_id     bigint  not null references bed,
  position   int     not null,
  person_id  bigint  not null references person,
  relation   text    not null,
  address_id bigint  references address,
  shared     boolean not null default false,
  stopped    boolean not null default false,
  primary key (bed_id, position)
);
create index bed_carer_person on bed_carer (person_id);

-- Agreements, kept for ever: what was signed, and what was withdrawn.
create table bed_agreement (
  id     bigint generated always as identity primary key,
  bed_id bigint      not null references bed,
  body   jsonb       not null,
  at     timestamptz not null default product_now()
);
create index bed_agreement_bed on bed_agreement (bed_id);

-- Visits 上门: one row for each slot that has one.
create table visit (
  id           bigint generated always as identity primary key,
  bed_id       bigint      not null references bed,
  item_id      bigint      not null,
  slot         int         not null,
  kind         text        not null,
  state        text        not null,
  reason       text        not null default '',
  version      int         not null,
  day          date        not null,
  starts       int         not null, -- minutes after midnight
  ends         int         not null,
  minutes      int         not null,
  staff_id     bigint      not null references staff,
  grid         text        not null default '',
  nominal      date        not null,
  earliest     date        not null,
  latest       date        not null,
  told         boolean     not null default false,
  asked_at     timestamptz,
  confirmed_by bigint      not null default 0,
  crowded      boolean     not null default false, -- no free window was left
  off          boolean     not null default false, -- no workday, or nobody at work
  make_ups     int         not null default 0,
  moves        int         not null default 0,
  noted        boolean     not null default false,
  present      bigint      not null default 0,
  made_at      timestamptz not null,
  changed_at   timestamptz,
  changed_by   bigint      not null default 0,
  state_at     timestamptz not null,
  left_at      timestamptz,
  arrived_at   timestamptz,
  done_at      timestamptz,
  help_at      timestamptz,
  code_at      timestamptz,
  code_tries   int         not null default 0
);
create unique index visit_slot on visit (item_id, slot) where state <> 'released';
create index visit_bed on visit (bed_id, state);
create index visit_staff on visit (staff_id, day) where state in ('planned', 'notified', 'confirmed', 'move_asked', 'declined', 'en_route', 'arrived', 'to_make_up');
create index visit_day on visit (day);

-- Slots for which there was no visit, and why.
create table visit_skip (
  item_id bigint      not null,
  slot    int         not null,
  bed_id  bigint      not null references bed,
  nominal date        not null,
  reason  text        not null,
  at      timestamptz not null default product_now(),
  primary key (item_id, slot)
);
create index visit_skip_bed on visit_skip (bed_id);

-- Records of visits 上门记录, sealed; staff only.
create table visit_note (
  id       bigint generated always as identity primary key,
  visit_id bigint      not null references visit,
  staff_id bigint      not null references staff,
  body     bytea       not null,
  at       timestamptz not null default product_now()
);
create index visit_note_visit on visit_note (visit_id);

create table staff_absence (
  id       bigint generated always as identity primary key,
  staff_id bigint      not null references staff,
  from_day date        not null,
  to_day   date        not null,
  reason   text        not null default '',
  by_staff bigint      references staff,
  at       timestamptz not null default product_now()
);
create index staff_absence_staff on staff_absence (staff_id, to_day);

-- What programmes of events hold: a free clinic, a course, a donation. Each who
-- takes part is an occasion of their own, so one bad record holds nobody up.
create table care_event (
  id         bigint generated always as identity primary key,
  programme  text        not null,
  title      text        not null,
  place      text        not null default '',
  held_at    timestamptz not null,
  state      text        not null default 'planned' check (state in ('planned', 'done', 'cancelled')),
  version    int         not null default 1,
  by_staff   bigint      references staff,
  created_at timestamptz not null default product_now()
);
create table care_occasion (
  id        bigint generated always as identity primary key,
  programme text        not null,
  event_id  bigint      references care_event,
  clinic_id bigint      references clinic,
  person_id bigint      references person,
  staff_id  bigint      references staff,
  state     text        not null default 'planned',
  state_at  timestamptz not null default product_now(),
  at        jsonb       not null default '{}', -- anchors of the programme: instants by name
  answer    text        not null default '',
  version   int         not null default 1,
  made_at   timestamptz not null default product_now(),
  check (person_id is not null or staff_id is not null)
);
create unique index care_occasion_once on care_occasion (event_id, coalesce(person_id, -staff_id)) where event_id is not null;
create index care_occasion_person on care_occasion (person_id);
create index care_occasion_event on care_occasion (event_id);

-- Who wishes to hear of a programme that needs joining.
create table care_member (
  person_id bigint      not null references person,
  programme text        not null,
  at        timestamptz not null default product_now(),
  left_at   timestamptz,
  primary key (person_id, programme)
);

-- Programmes that stand still: programme '' is all of them.
create table care_pause (
  programme text primary key,
  at        timestamptz not null default product_now(),
  by_staff  bigint      references staff,
  reason    text        not null default ''
);

-- Calendars that members of the staff may read from outside, by a secret address.
create table calendar_feed (
  id         bigint generated always as identity primary key,
  staff_id   bigint      not null references staff,
  token_hash bytea       not null unique,
  made_at    timestamptz not null default product_now(),
  revoked_at timestamptz
);
create index calendar_feed_staff on calendar_feed (staff_id) where revoked_at is null;

-- Surveys are of visits and programmes as well: subject names what was asked about
-- when it is no ticket ("visit:9"), address_id where.
alter table survey
  alter column ticket_id drop not null,
  add column subject text not null default '',
  add column address_id bigint references address,
  add check (ticket_id is not null or subject <> '');
create unique index survey_subject on survey (kind, subject) where ticket_id is null;
create index survey_address on survey (address_id, sent_at) where address_id is not null;
drop trigger figure_rated on survey;
create trigger figure_rated after update of answer on survey for each row
    when (new.ticket_id is not null) execute function figure_rated();

-- What a rule kept from being sent is written down with its reason beside what is
-- planned, and becomes a plan when the reason is gone.
alter table due drop constraint due_state_check;
alter table due add constraint due_state_check
  check (state in ('planned', 'running', 'done', 'cleared', 'expired', 'dropped', 'failed', 'suppressed'));
create index due_suppressed on due (subject) where state = 'suppressed';
create index due_of_person on due (person_id, due_at) where person_id is not null;
drop index due_person;

-- +goose Down
create index due_person on due (person_id) where state = 'planned';
drop index due_of_person;
drop index due_suppressed;
update due set state = 'dropped' where state = 'suppressed';
alter table due drop constraint due_state_check;
alter table due add constraint due_state_check
  check (state in ('planned', 'running', 'done', 'cleared', 'expired', 'dropped', 'failed'));
delete from survey where ticket_id is null;
drop trigger figure_rated on survey;
create trigger figure_rated after update of answer on survey for each row execute function figure_rated();
drop index survey_address;
drop index survey_subject;
alter table survey drop column address_id, drop column subject, alter column ticket_id set not null;
drop table calendar_feed, care_pause, care_member, care_occasion, care_event, staff_absence, visit_note, visit_skip, visit, bed_agreement, bed_carer, bed, care_application;
drop sequence bed_item;
drop view opted_out;
create view opted_out as
    select k.person_id, o.topic from kin k join opt_out o on o.person_id = k.kin_id
    where not exists (select 1 from kin l where l.person_id = k.person_id and l.kin_id = o.lifted_by);
alter table person drop column died_at;
drop table clinic;
