-- +goose Up
-- What grid workers found on patrol, by when it had to be handled: the figure of
-- patrol events. received_at stands in for what has no other time yet.
create index ticket_finding on ticket (least(handled_at, coalesce(deadline, dispatch_due, closed_at, received_at))) where finding;
