-- +goose Up
-- Figures: what each ticket adds to which month, the months added up, and which
-- tickets have changed since. Package figures says what is counted; m is its
-- array of measures, which only grows at the end.

-- figure_dirty names tickets whose rows in figure are old. It has no key: a turn
-- appends and never waits for whoever folds.
create table figure_dirty (
    ticket_id bigint not null
) with (autovacuum_vacuum_scale_factor = 0.05);

-- +goose StatementBegin
create function figure_touch() returns trigger language plpgsql as $$
begin
    insert into figure_dirty values (new.id);
    return null;
end $$;
-- +goose StatementEnd
create trigger figure_touch after insert or update of version on ticket for each row execute function figure_touch();

-- +goose StatementBegin
create function figure_rated() returns trigger language plpgsql as $$
begin
    insert into figure_dirty values (new.ticket_id);
    return null;
end $$;
-- +goose StatementEnd
create trigger figure_rated after update of answer on survey for each row execute function figure_rated();

-- Who somebody is may turn out later.
-- +goose StatementBegin
create function figure_person() returns trigger language plpgsql as $$
begin
    insert into figure_dirty select id from ticket where reporter_id = new.id;
    return null;
end $$;
-- +goose StatementEnd
create trigger figure_person after update of phone_index, merged_into on person for each row
    when (old.phone_index is distinct from new.phone_index or old.merged_into is distinct from new.merged_into)
    execute function figure_person();

create table figure (
    ticket_id bigint not null,
    part      smallint not null,
    -- The month that it is counted in, and from when on it is.
    month     date not null,
    at        timestamptz not null,
    unit      text not null,
    area      text not null,
    matter    text not null,
    m         int[] not null,
    work      int not null default -1, -- minutes from dispatch to report, -1: none
    clock     int not null default -1,
    rated_at  timestamptz,
    rated_by  bigint not null default 0,
    -- Who rated signed for the ticket, or has the telephone of who did.
    rated_own boolean not null default false,
    primary key (ticket_id, part)
);
create index figure_at on figure (at);
create index figure_time on figure (month) include (unit, area, at, work, clock) where clock >= 0;
create index figure_rater on figure (rated_at, rated_by, ticket_id) where rated_by <> 0;
create index figure_own on figure (rated_at) where rated_own;

-- figure_month is figure added up, as far as figure_state.rolled_until. Unit,
-- area and matter together make as many cells as there are tickets, so each two
-- of them are added up by themselves: by unit and area, by matter and area, by
-- unit and matter. The third is empty.
create table figure_month (
    side   text not null check (side in ('unit', 'matter', 'unit_matter')),
    month  date not null,
    unit   text not null,
    area   text not null,
    matter text not null,
    m      int[] not null,
    primary key (side, month, unit, area, matter)
);

create table figure_state (
    one          boolean primary key default true check (one),
    rolled_until timestamptz
);
insert into figure_state default values;

-- +goose StatementBegin
create function figure_add(a int[], b int[]) returns int[] language sql immutable as $$
    select array_agg(coalesce(x, 0) + coalesce(y, 0) order by n) from unnest(a, b) with ordinality as u(x, y, n)
$$;
-- +goose StatementEnd

-- What was here before.
insert into figure_dirty select id from ticket;

-- What a resident answered is never changed nor taken out; only its words are
-- forgotten in time.
-- +goose StatementBegin
create function callback_kept() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.ended <> '' and
       (old.ticket_id, old.try, old.by_staff, old.via, old.at, old.contacted, old.solved, old.satisfied, old.ended)
       is distinct from
       (new.ticket_id, new.try, new.by_staff, new.via, new.at, new.contacted, new.solved, new.satisfied, new.ended) then
        raise exception 'callback % is kept as it was answered', old.id using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger callback_kept before update or delete on callback for each row execute function callback_kept();

-- worry_answer is the monthly question 您最烦心的是, answered by who joined.
create table worry_answer (
    person_id   bigint not null references person,
    month       date not null,
    kind        text not null check (kind in ('resident', 'firm')),
    area        text not null default '',
    asked_at    timestamptz not null default product_now(),
    answered_at timestamptz,
    worry       text not null default '',
    primary key (person_id, month)
);
create index worry_answer_month on worry_answer (month) where worry <> '';

-- The list page over a million tickets: which are shown is found in indexes.
create index ticket_list on ticket (deadline, id) include (state, division, grid) where state not in ('closed', 'rejected', 'withdrawn');
create index assignment_list on assignment (desk, ticket_id) where ended_at is null;
create index assignment_named on assignment (desk_staff, ticket_id) where ended_at is null and desk_staff <> 0;
