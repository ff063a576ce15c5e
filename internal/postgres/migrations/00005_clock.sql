-- +goose Up
-- product_now() in PL/pgSQL: PostgreSQL cannot inline an SQL function that
-- holds a subquery, and starts an executor for each call, 40 µs; PL/pgSQL
-- keeps its plan and costs next to nothing. A turn asks four times, one that
-- files a ticket some thirty times.
-- +goose StatementBegin
create or replace function product_now() returns timestamptz language plpgsql stable as $$
begin
    return now() + (select shift from clock_offset);
end $$;
-- +goose StatementEnd
