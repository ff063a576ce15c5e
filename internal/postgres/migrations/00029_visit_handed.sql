-- +goose Up
-- Whose a visit was before it was given to another visitor: their calendars take it
-- back.
create table visit_handed (
    visit_id bigint      not null references visit,
    staff_id bigint      not null references staff,
    at       timestamptz not null default product_now(),
    primary key (staff_id, visit_id)
);

-- +goose Down
drop table visit_handed;
