-- +goose Up
-- An answer that comes when its question is over finds it (dialogues with "late").
create index prompt_late on prompt (address_id, closed_at);

-- +goose Down
drop index prompt_late;
