-- +goose Up
-- By which address somebody joined: it may be written to, as what came by it may be
-- answered there, though nothing is proven of it.
alter table care_member add column address_id bigint references address;

-- +goose Down
alter table care_member drop column address_id;
