// Package pgtest gives every test a PostgreSQL database of its own.
//
// # Where the server comes from
//
// SHAOYING_TEST_DSN, when set, leads to a running server as a role that may
// create databases; cmd/withpg sets it for a whole `go test ./...`. Otherwise
// the test binaries of one user share a server without fsync, whose cluster is
// made once per machine and version, in memory where there is room: the first
// binary starts it, the last one stops it, and what a killed one left running
// is adopted by the next run.
//
// # Databases
//
// A template is migrated once per binary and migration; each test gets a copy
// of it, about 25 ms, which is dropped when the test ends. Databases of killed
// binaries are dropped by the next one that finds itself alone.
//
// A package that uses DSN declares
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
// or, with goleak, goleak.VerifyTestMain(pgtest.Wrap(m)).
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"shaoying/internal/postgres/managed"
)

// Variable names the environment variable with the connection string of a
// running server.
const Variable = "SHAOYING_TEST_DSN"

// Migrate brings the database at dsn to the schema that a test wants, and
// leaves no connection open.
type Migrate = func(ctx context.Context, dsn string) error

// shared is the one server of this binary. Tests have no other place to keep
// what outlives them.
var shared binary

// binary is what the tests of one binary share.
type binary struct {
	mu        sync.Mutex
	admin     string          // connection string of the server, "" until used
	server    *managed.Server // nil when SHAOYING_TEST_DSN leads to it
	run       string          // part of every name, so that binaries do not meet
	templates map[uintptr]string
	databases int

	talk sync.Mutex // held while conn is used
	conn *pgx.Conn
}

// DSN makes an empty database, migrates it and returns its connection string.
// The database is dropped when the test ends, whoever is still connected. nil
// migrates nothing. Give migrate as a declared function: closures of the same
// text count as one. Without a server the test fails with what to do.
func DSN(t testing.TB, migrate Migrate) string {
	t.Helper()
	dsn, name, err := shared.newDatabase(t.Context(), migrate)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		if err := shared.drop(context.Background(), name); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return dsn
}

// newDatabase copies the template of migrate.
func (b *binary) newDatabase(ctx context.Context, migrate Migrate) (dsn, name string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.connect(ctx); err != nil {
		return "", "", err
	}
	template, err := b.template(ctx, migrate)
	if err != nil {
		return "", "", err
	}
	name = b.nextName("test")
	// Copied as files it costs a quarter of what the log of every page does.
	if err := b.exec(ctx, "create database "+name+" template "+template+" strategy file_copy"); err != nil {
		return "", "", err
	}
	return withDatabase(b.admin, name), name, nil
}

// template returns the database that migrate has made, making it at first use.
func (b *binary) template(ctx context.Context, migrate Migrate) (string, error) {
	if migrate == nil {
		return "template0", nil
	}
	key := reflect.ValueOf(migrate).Pointer()
	if name, ok := b.templates[key]; ok {
		return name, nil
	}
	name := b.nextName("template")
	if err := b.exec(ctx, "create database "+name+" template template0 encoding 'UTF8' locale 'C.UTF-8'"); err != nil {
		return "", err
	}
	if err := migrate(ctx, withDatabase(b.admin, name)); err != nil {
		return "", errors.Join(fmt.Errorf("migrate the template: %w", err), b.drop(ctx, name))
	}
	b.templates[key] = name
	return name, nil
}

// prefix begins the names of all our databases.
const prefix = "pgtest_"

func (b *binary) nextName(kind string) string {
	b.databases++
	return fmt.Sprintf("%s%s_%s_%d", prefix, b.run, kind, b.databases)
}

// connect finds or starts the server at first use.
func (b *binary) connect(ctx context.Context) error {
	if b.admin != "" {
		return nil
	}
	b.run = fmt.Sprintf("%d_%s", os.Getpid(), strings.ToLower(rand.Text()[:8]))
	b.templates = map[uintptr]string{}
	if dsn := os.Getenv(Variable); dsn != "" {
		b.admin = dsn
		return nil
	}
	server, err := Start(ctx)
	if err != nil {
		return err
	}
	b.server, b.admin = server, server.DSN("postgres")
	if server.Owner() {
		return b.sweep(ctx)
	}
	return nil
}

// sweep drops what killed binaries left.
func (b *binary) sweep(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, b.admin)
	if err != nil {
		return fmt.Errorf("look for databases of killed tests: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, `select datname from pg_database where starts_with(datname, $1)`, prefix)
	if err != nil {
		return fmt.Errorf("look for databases of killed tests: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for databases of killed tests: %w", err)
	}
	for _, name := range names {
		if !inUse(name) {
			if err := b.drop(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// inUse tells whether the process that a database is named after still lives;
// another binary may have come since we found ourselves alone.
func inUse(name string) bool {
	pid, _, _ := strings.Cut(strings.TrimPrefix(name, prefix), "_")
	_, err := os.Stat("/proc/" + pid)
	return err == nil
}

// drop removes a database and throws out whoever uses it, also when the test
// that made it has been cancelled.
func (b *binary) drop(ctx context.Context, name string) error {
	return b.exec(ctx, "drop database if exists "+name+" with (force)")
}

// exec runs one statement over the binary's own connection, made at first use:
// a connection costs a server as much as copying a database does.
func (b *binary) exec(ctx context.Context, sql string) error {
	b.talk.Lock()
	defer b.talk.Unlock()
	if b.conn == nil || b.conn.IsClosed() {
		conn, err := pgx.Connect(ctx, b.admin)
		if err != nil {
			return fmt.Errorf("connect to the test server: %w", err)
		}
		b.conn = conn
	}
	// The end of the test that asks does not break the connection of the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if _, err := b.conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// hangUp closes the binary's own connection.
func (b *binary) hangUp(ctx context.Context) error {
	b.talk.Lock()
	defer b.talk.Unlock()
	if b.conn == nil {
		return nil
	}
	err := b.conn.Close(ctx)
	b.conn = nil
	return err
}

// close drops the templates and gives up the server.
func (b *binary) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var errs []error
	for _, name := range b.templates {
		errs = append(errs, b.drop(ctx, name))
	}
	errs = append(errs, b.hangUp(ctx))
	if b.server != nil {
		errs = append(errs, b.server.Stop(ctx))
	}
	b.admin, b.server, b.templates = "", nil, nil
	return errors.Join(errs...)
}
