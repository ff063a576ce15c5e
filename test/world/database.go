package world

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"

	"shaoying/internal/postgres/managed"
)

// Database is a look into the database of a world beside its server.
type Database struct {
	conn   *pgx.Conn
	server *managed.Server
}

// Look opens the database of w. Close must be called.
func (w *World) Look(ctx context.Context) (*Database, error) {
	server, err := managed.Open(ctx, managed.Config{Dir: w.Data, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, server.DSN(managed.Database))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("look into the database: %w", err), server.Stop(ctx))
	}
	return &Database{conn, server}, nil
}

// Close ends the look.
func (d *Database) Close(ctx context.Context) error {
	return errors.Join(d.conn.Close(ctx), d.server.Stop(ctx))
}

// DSN is where the database is.
func (d *Database) DSN() string { return d.server.DSN(managed.Database) }

// Rows counts the rows of every table.
func (d *Database) Rows(ctx context.Context) (map[string]int64, error) {
	rows, err := d.conn.Query(ctx, `select c.relname,
		(xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %I.%I', n.nspname, c.relname), false, true, '')))[1]::text::bigint
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition`)
	if err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	counts := map[string]int64{}
	var table string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&table, &n}, func() error {
		counts[table] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	return counts, nil
}

// Scan reads one row.
func (d *Database) Scan(ctx context.Context, query string, args []any, into ...any) error {
	if err := d.conn.QueryRow(ctx, query, args...).Scan(into...); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	return nil
}

// Shows lists the tables with a row in which text stands in the clear.
func (d *Database) Shows(ctx context.Context, text string) ([]string, error) {
	rows, err := d.conn.Query(ctx, `select c.relname
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
		  and (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %I.%I t where t::text like %L or t::text like %L',
		       n.nspname, c.relname, '%' || $1 || '%', '%' || encode(convert_to($1, 'UTF8'), 'hex') || '%'), false, true, '')))[1]::text::bigint > 0`, text)
	if err != nil {
		return nil, fmt.Errorf("search every table: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
