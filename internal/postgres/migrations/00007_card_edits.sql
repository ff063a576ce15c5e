-- +goose Up
-- A card in a chat changes when its ticket does: an outbox row with edits
-- replaces the message that the row of that id, or its last edit, became.

alter table outbox add column edits bigint not null default 0;
create index outbox_edits on outbox (edits, id) where edits <> 0;

-- settled says that the message of a card changes no more.
alter table card add column settled boolean not null default false;
update card set settled = true where closed_at is not null;
create index card_changing on card (ticket_id) where not settled;
