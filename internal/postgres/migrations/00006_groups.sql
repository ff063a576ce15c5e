-- +goose Up
-- Groups. A group is itself a conversation of its channel (is_group), with an
-- address and a person of kind group, so that it can be written to; how it is
-- bound, and which area it serves, stands in that row and nowhere else. What a
-- member says in a group is a conversation of the member (in_group), which no
-- push for that person ever goes to. The group's own row has both flags.

alter table conversation
    add column is_group   boolean not null default false,
    add column in_group   boolean not null default false,
    add column area_kind  text not null default '',
    add column area       text not null default '',
    -- bound_by is the member of the staff who bound the group.
    add column bound_by   bigint references staff,
    -- blocked_at is since when somebody in a work group is no verified staff,
    -- and they were told so.
    add column blocked_at timestamptz,
    -- left_at is when a member left a group.
    add column left_at    timestamptz,
    -- former_chat is where a group was before it moved: a word that was on its
    -- way there still belongs to it.
    add column former_chat text not null default '',
    -- Only a group can be bound, and what is bound serves an area.
    add constraint conversation_bound check (bound_as = '' or is_group and area <> ''),
    add constraint conversation_in_group check (in_group or not is_group);
create unique index conversation_group on conversation (channel, chat) where is_group;
create index conversation_former on conversation (channel, former_chat) where former_chat <> '';
create index conversation_serves on conversation (area) where bound_as <> '';
create index conversation_members on conversation (channel, chat) where in_group;
