package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"shaoying/internal/postgres/db"
)

// guard stands before the connection of a slice. It sets a savepoint before the
// first statement of a turn, so that what a turn did can be undone without the
// others, and a turn that only steps its dialogue pays nothing.
//
// A connection that refuses the savepoint refuses the statement after it too,
// so the error of the statement tells both.
type guard struct {
	execer
	set bool
}

func (g *guard) arm(ctx context.Context) {
	if g.set {
		return
	}
	_, err := g.execer.Exec(ctx, "savepoint turn")
	g.set = err == nil
}

func (g *guard) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	g.arm(ctx)
	return g.execer.Exec(ctx, sql, args...)
}

func (g *guard) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	g.arm(ctx)
	return g.execer.Query(ctx, sql, args...)
}

func (g *guard) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	g.arm(ctx)
	return g.execer.QueryRow(ctx, sql, args...)
}

func (g *guard) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	g.arm(ctx)
	return g.execer.SendBatch(ctx, b)
}

func (g *guard) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error) {
	g.arm(ctx)
	return g.execer.CopyFrom(ctx, table, columns, src)
}

// Try runs f, which is one turn of a slice. When f fails, what it did to the
// database is undone and the transaction goes on; err means that it cannot.
func (t *Turn) Try(ctx context.Context, f func() error) (failed, err error) {
	t.guard.set = false
	if failed = f(); failed == nil || !t.guard.set {
		return failed, nil
	}
	if _, err := t.pooled.Exec(ctx, "rollback to savepoint turn"); err != nil {
		return failed, fmt.Errorf("undo one turn of a slice: %w, after: %w", err, failed)
	}
	return failed, nil
}

// PutAside makes the event of a turn that failed wait, in the transaction of
// the others.
func (t *Turn) PutAside(ctx context.Context, inbox int64, sealed []byte, why string) error {
	err := db.New(t.pooled).PutAside(ctx, sealed, why, inbox)
	if err != nil {
		return fmt.Errorf("put an event aside: %w", err)
	}
	return nil
}
