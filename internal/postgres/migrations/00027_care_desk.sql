-- +goose Up
-- Pictures that belong to a bed: scans of its agreements. They are kept as long as
-- the agreements, for ever.
create table bed_file (
    blob_id  text        primary key,
    bed_id   bigint      not null references bed,
    added_by bigint      not null references staff,
    added_at timestamptz not null default product_now()
);
create index bed_file_bed on bed_file (bed_id);
create index bed_of_hospital on bed (hospital_id) where state <> 'closed';

-- +goose Down
drop index bed_of_hospital;
drop table bed_file;
