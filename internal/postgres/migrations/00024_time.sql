-- +goose Up
-- A message that something due says knows its row: whether it has lost its meaning
-- is read again before it goes out, and the ledger finds what became of it.
alter table outbox add column due_id bigint not null default 0;
create index outbox_due on outbox (due_id) where due_id <> 0;
create index prompt_due on prompt (due_id);

-- rank is what is claimed first, by the class that a row carries: 0 urgent, 1 other,
-- 2 surveys and bulk, so that a broadcast to thousands stands in nobody's way.
alter table due add column rank smallint not null generated always as
    (case data ->> 'class' when 'emergency' then 0 when 'urgent' then 0 when 'survey' then 2 when 'bulk' then 2 else 1 end) stored;
create index due_next on due (rank, due_at, id) where state = 'planned';

-- +goose Down
drop index due_next;
alter table due drop column rank;
drop index prompt_due;
drop index outbox_due;
alter table outbox drop column due_id;
