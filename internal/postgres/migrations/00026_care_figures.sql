-- +goose Up
-- What the figures of family beds need of a visit once its state has moved on: that
-- the family answered, that somebody would be at home, and what a locked door cost.
alter table visit
  add column answered boolean not null default false,  -- the last question or the desk's call was answered
  add column confirmed boolean not null default false, -- and somebody was to be at home
  add column nobody int not null default 0,            -- how often nobody opened
  add column lost_minutes int not null default 0;      -- from departure, or the door, to giving up

-- +goose StatementBegin
create function visit_counts() returns trigger language plpgsql as $$
begin
  case new.state
    when 'planned' then
      new.answered := false;
      new.confirmed := false;
    when 'confirmed' then
      new.answered := true;
      new.confirmed := true;
    when 'move_asked', 'declined' then
      new.answered := true;
      new.confirmed := false;
    when 'to_make_up' then
      if new.reason = 'nobody_home' then
        new.nobody := old.nobody + 1;
        new.lost_minutes := old.lost_minutes + greatest(0, ceil(extract(epoch from new.state_at - coalesce(old.left_at, old.arrived_at, new.state_at)) / 60)::int);
      end if;
    else null;
  end case;
  return new;
end $$;
-- +goose StatementEnd
create trigger visit_counts before update on visit for each row
  when (old.state is distinct from new.state) execute function visit_counts();

create index visit_nominal on visit (nominal);
create index visit_skip_nominal on visit_skip (nominal);

-- +goose Down
drop index visit_skip_nominal;
drop index visit_nominal;
drop trigger visit_counts on visit;
drop function visit_counts();
alter table visit drop column answered, drop column confirmed, drop column nobody, drop column lost_minutes;
