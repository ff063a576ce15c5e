-- +goose Up
-- What every ticket asks is found by an index, however many tickets and due rows
-- there are.

-- How many tickets an address filed in the last hour.
create index ticket_address on ticket (address_id, received_at);

-- What is planned for a subject, also what runs now, is taken back together.
drop index due_subject;
create index due_subject on due (subject) where state in ('planned', 'running');
