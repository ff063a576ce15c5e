// Package postgres holds the one state that matters. It owns the pool, the
// migrations and every query; no pgx type leaves it.
//
// # Transactions
//
// Tx is concrete. It carries the generated queries (package db, made by sqlc
// from queries/*.sql) so that a caller reads and writes rows by named method.
// InTx runs a function in one READ COMMITTED transaction and runs it again, at
// most three times, when PostgreSQL reports a deadlock (40P01) or a
// serialisation failure (40001). Lock order everywhere: conversation, person,
// tickets by id, due, outbox.
//
// # Clocks
//
// product_now() is database time plus the one offset row; it stamps everything
// that people see or that comes due. now() stamps leases, epochs and pacing.
// A DB reads the offset at Open and after every AdvanceClock of any process
// (NOTIFY clock), and gives it to its clock.Clock.
//
// # Failure
//
// Every statement runs under the caller's context. A lost connection fails the
// transaction as a whole; nothing is retried below InTx.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"shaoying/internal/clock"
	"shaoying/internal/postgres/db"
)

// maxRuns is how often InTx runs a transaction that others pushed out.
const maxRuns = 3

// ErrNoRows is returned by a :one query that found nothing.
var ErrNoRows = pgx.ErrNoRows

// DB is the pool. It is safe for use by many goroutines.
type DB struct {
	*db.Queries
	pool  *pgxpool.Pool
	clock *clock.Clock
}

// Tx is one open transaction. It is used by one goroutine and dies with the
// function that InTx called.
type Tx struct {
	*db.Queries
	conn  execer
	ahead *ahead
}

// execer is what both a pooled transaction and the pipelined turn run on.
type execer interface {
	db.DBTX
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error)
}

// Open connects, proves that the server is one we can keep promises on
// (session connection, fsync and synchronous_commit on unless unsafe is
// allowed for tests) and reads the product clock.
func Open(ctx context.Context, dsn string, clk *clock.Clock, o Options) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read DATABASE_URL: %w", err)
	}
	cfg.MaxConns = int32(o.maxConns())
	cfg.ConnConfig.RuntimeParams["application_name"] = "shaoying"
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "60s"
	cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the database pool: %w", err)
	}
	d := &DB{Queries: db.New(pool), pool: pool, clock: clk}
	if err := d.prove(ctx, o); err != nil {
		pool.Close()
		return nil, err
	}
	return d, nil
}

// Options are the few things a caller decides about the pool.
type Options struct {
	// MaxConns limits the pool; 0 means 16.
	MaxConns int
	// AllowUnsafe accepts a server with fsync off. Tests only.
	AllowUnsafe bool
}

func (o Options) maxConns() int {
	if o.MaxConns == 0 {
		return 16
	}
	return o.MaxConns
}

// prove refuses servers on which "committed" would not mean "kept", and
// poolers on which a session lock would not be ours.
func (d *DB) prove(ctx context.Context, o Options) error {
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer conn.Release()
	var fsync, commit string
	var version int
	err = conn.QueryRow(ctx, `select current_setting('fsync'), current_setting('synchronous_commit'),
		current_setting('server_version_num')::int`).Scan(&fsync, &commit, &version)
	if err != nil {
		return fmt.Errorf("ask the database for its settings: %w", err)
	}
	if version < 150000 {
		return fmt.Errorf("PostgreSQL %d is too old: version 15 or newer is needed", version/10000)
	}
	if !o.AllowUnsafe && (fsync != "on" || commit == "off") {
		return fmt.Errorf("the database runs with fsync=%s, synchronous_commit=%s: messages could be lost; set both to on", fsync, commit)
	}
	return proveSession(ctx, conn.Conn())
}

// proveSession takes and frees a session advisory lock in separate statements.
// Behind a transaction-mode pooler the two may land on different servers.
func proveSession(ctx context.Context, conn *pgx.Conn) error {
	var before, after int
	var held, freed bool
	const key = 0x5a0e
	if err := conn.QueryRow(ctx, `select pg_backend_pid(), pg_try_advisory_lock_shared($1)`, key).Scan(&before, &held); err != nil {
		return fmt.Errorf("try a session lock: %w", err)
	}
	if err := conn.QueryRow(ctx, `select pg_backend_pid(), pg_advisory_unlock_shared($1)`, key).Scan(&after, &freed); err != nil {
		return fmt.Errorf("free a session lock: %w", err)
	}
	if before != after || !held || !freed {
		return errors.New("DATABASE_URL leads through a transaction-mode pooler: give a session connection (the server's own port)")
	}
	return nil
}

// Close ends all connections. It waits for those in use.
func (d *DB) Close() { d.pool.Close() }

// Ping answers whether the database can be reached now.
func (d *DB) Ping(ctx context.Context) error { return d.pool.Ping(ctx) }

// Free returns how many connections of the pool are not in use.
func (d *DB) Free() int {
	s := d.pool.Stat()
	return int(s.MaxConns() - s.AcquiredConns())
}

// InTx runs f in one transaction and commits when it returns nil. f may be run
// again, so it must do nothing but database work and computation.
func (d *DB) InTx(ctx context.Context, f func(context.Context, *Tx) error) error {
	return Retry(func() error {
		return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
			return f(ctx, &Tx{Queries: db.New(tx), conn: tx})
		})
	})
}

// Apart runs f, which is a part of the transaction that may fail alone. When it
// fails or panics, what it did is undone and the transaction goes on; err means that
// it cannot go on.
func (t *Tx) Apart(ctx context.Context, f func() error) (failed, err error) {
	if _, err := t.conn.Exec(ctx, "savepoint apart"); err != nil {
		return nil, fmt.Errorf("begin a part of a transaction: %w", err)
	}
	end := "release savepoint apart"
	if failed = recovered(f); failed != nil {
		end = "rollback to savepoint apart"
	}
	if pushedOut(failed) {
		return nil, failed // for Retry
	}
	if _, err := t.conn.Exec(ctx, end); err != nil {
		return nil, fmt.Errorf("%s: %w", end, errors.Join(err, failed))
	}
	return failed, nil
}

func recovered(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

// Retry runs f again, at most three times in all, while PostgreSQL says that
// others pushed the transaction out. The pauses between let those others finish:
// who comes back at once may take the same lock before them, and lose again.
func Retry(f func() error) error {
	var err error
	for run := range maxRuns {
		if run > 0 {
			time.Sleep(time.Duration(run) * (10*time.Millisecond + rand.N(20*time.Millisecond)))
		}
		if err = f(); !pushedOut(err) {
			return err
		}
	}
	return err
}

func pushedOut(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001")
}

// IsDuplicate reports whether err is the violation of a unique key.
func IsDuplicate(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}

// IsAway reports whether err means that the database could not be reached, as
// against having refused what was asked.
func IsAway(err error) bool {
	if err == nil {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "53")
	}
	return !errors.Is(err, pgx.ErrNoRows) && !errors.Is(err, context.Canceled) && isConnErr(err)
}

func isConnErr(err error) bool {
	var ce *pgconn.ConnectError
	return errors.As(err, &ce) || pgconn.SafeToRetry(err) || pgconn.Timeout(err) ||
		strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "unexpected EOF") ||
		strings.Contains(err.Error(), "broken pipe") || strings.Contains(err.Error(), "connection reset")
}

// Subject names a row for the trail, due rows and late binding: "ticket:17".
func Subject(kind string, id int64) string { return kind + ":" + strconv.FormatInt(id, 10) }
