package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Load writes n rows by COPY, as measurements need them: row makes the i-th. Many
// rows are never in memory together.
func (d *DB) Load(ctx context.Context, table string, columns []string, n int, row func(i int) ([]any, error)) error {
	_, err := d.pool.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(n, row))
	if err != nil {
		return fmt.Errorf("copy into %s: %w", table, err)
	}
	return nil
}

// Tidy does at once what autovacuum does in time, after Load.
func (d *DB) Tidy(ctx context.Context, tables ...string) error {
	for _, table := range tables {
		if _, err := d.pool.Exec(ctx, "vacuum (analyze) "+pgx.Identifier{table}.Sanitize()); err != nil {
			return fmt.Errorf("vacuum %s: %w", table, err)
		}
	}
	return nil
}
