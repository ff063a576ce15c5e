package pgtest

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { Main(m) }

var migrations atomic.Int32

func createWords(ctx context.Context, dsn string) error {
	migrations.Add(1)
	return execute(ctx, dsn, "create table words (word text)")
}

func createNumbers(ctx context.Context, dsn string) error {
	return execute(ctx, dsn, "create table numbers (n int)")
}

func failing(context.Context, string) error { return errors.New("no such schema") }

func execute(ctx context.Context, dsn, sql string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

func one(t *testing.T, dsn, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var got string
	if err := conn.QueryRow(context.Background(), "select ("+sql+")::text").Scan(&got); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

func TestEveryTestHasItsOwnDatabase(t *testing.T) {
	before := migrations.Load()
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			dsn := DSN(t, createWords)
			if got := one(t, dsn, "select count(*) from words"); got != "0" {
				t.Errorf("found %s words of another test", got)
			}
			if err := execute(t.Context(), dsn, "insert into words values ('哨应')"); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		if n := migrations.Load() - before; n > 1 {
			t.Errorf("migrated %d times, want once per binary", n)
		}
	})
}

func TestMigrationsDoNotMix(t *testing.T) {
	words, numbers := DSN(t, createWords), DSN(t, createNumbers)
	if got := one(t, words, "to_regclass('numbers') is null"); got != "true" {
		t.Error("a table of the other migration")
	}
	if got := one(t, numbers, "select count(*) from numbers"); got != "0" {
		t.Error(got)
	}
	if got := one(t, DSN(t, nil), "to_regclass('words') is null"); got != "true" {
		t.Error("without a migration the database is not empty")
	}
}

func TestDatabaseSpeaksChinese(t *testing.T) {
	dsn := DSN(t, createWords)
	if got := one(t, dsn, "select datctype from pg_database where datname = current_database()"); got != "C.UTF-8" {
		t.Errorf("locale %s: pg_trgm would see no letters in Chinese", got)
	}
}

func TestDroppedAtTheEndThoughConnected(t *testing.T) {
	var conn *pgx.Conn
	t.Run("uses it", func(t *testing.T) {
		var err error
		if conn, err = pgx.Connect(t.Context(), DSN(t, createWords)); err != nil {
			t.Fatal(err)
		}
	})
	if conn == nil {
		t.Fatal("no database")
	}
	defer conn.Close(context.Background()) // after the database is gone
	name := conn.Config().Database
	if got := one(t, shared.admin, "select count(*) from pg_database where datname = '"+name+"'"); got != "0" {
		t.Errorf("%s outlived its test", name)
	}
}

func TestFailingMigrationLeavesNothing(t *testing.T) {
	DSN(t, nil) // connects
	_, _, err := shared.newDatabase(t.Context(), failing)
	if err == nil || !strings.Contains(err.Error(), "migrate the template: no such schema") {
		t.Fatalf("error %v", err)
	}
	for _, name := range shared.templates {
		if got := one(t, shared.admin, "select count(*) from pg_database where datname = '"+name+"'"); got != "1" {
			t.Errorf("template %s is remembered but not there", name)
		}
	}
	made := one(t, shared.admin, "select count(*) from pg_database where starts_with(datname, '"+prefix+shared.run+"_template')")
	if want := strconv.Itoa(len(shared.templates)); made != want {
		t.Errorf("%s templates in the server, %s remembered", made, want)
	}
}

func TestSweepDropsOnlyWhatTheDeadLeft(t *testing.T) {
	dsn := DSN(t, nil)
	// No process has this number: the kernel's limit is 4194304.
	const dead = prefix + "99999999_aaaa_test_1"
	if err := execute(t.Context(), shared.admin, "create database "+dead); err != nil {
		t.Fatal(err)
	}
	if err := shared.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := one(t, shared.admin, "select count(*) from pg_database where datname = '"+dead+"'"); got != "0" {
		t.Error("the database of a dead process is still there")
	}
	if got := one(t, dsn, "1"); got != "1" {
		t.Error("our own database was swept away")
	}
}

func TestGivenServer(t *testing.T) {
	dsn := DSN(t, nil)
	t.Setenv(Variable, dsn)
	var b binary
	inside, name, err := b.newDatabase(t.Context(), createWords)
	if err != nil {
		t.Fatal(err)
	}
	if b.server != nil {
		t.Error("a server was started though one was given")
	}
	if got := one(t, inside, "select count(*) from words"); got != "0" {
		t.Error(got)
	}
	if err := b.drop(t.Context(), name); err != nil {
		t.Error(err)
	}
	if err := b.close(); err != nil {
		t.Error(err)
	}
	if got := one(t, dsn, "select count(*) from pg_database where starts_with(datname, '"+prefix+b.run+"')"); got != "0" {
		t.Errorf("%s databases left by a binary that has closed", got)
	}
}

func TestServerThatIsNotThere(t *testing.T) {
	t.Setenv(Variable, "host=/nonexistent user=nobody")
	var b binary
	if _, _, err := b.newDatabase(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "connect to the test server") {
		t.Fatalf("error %v", err)
	}
}

func TestWithDatabase(t *testing.T) {
	t.Setenv("PGDATABASE", "elsewhere")
	for _, dsn := range []string{
		"host=/run/x port=5432 user=shaoying dbname='postgres'",
		"host='/a dir/it\\'s' user=a",
		"postgres://a:b@db.example:6432/postgres?sslmode=disable",
		"postgresql://a@/postgres?host=/run/x&dbname=other",
		"postgres://a@localhost",
	} {
		before, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		after, err := pgx.ParseConfig(withDatabase(dsn, "fresh"))
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		if after.Database != "fresh" {
			t.Errorf("%s leads to %q, want fresh", withDatabase(dsn, "fresh"), after.Database)
		}
		if after.Host != before.Host || after.Port != before.Port || after.User != before.User || after.Password != before.Password {
			t.Errorf("%s became %s", dsn, withDatabase(dsn, "fresh"))
		}
	}
}

type fakeRun struct {
	code int
	ran  *bool
}

func (f fakeRun) Run() int { *f.ran = true; return f.code }

func TestWrapKeepsTheCode(t *testing.T) {
	if os.Getenv(Variable) == "" {
		t.Setenv(Variable, DSN(t, nil))
	}
	for _, code := range []int{0, 1, 2} {
		ran := false
		saved := takeShared()
		got := Wrap(fakeRun{code, &ran}).Run()
		saved()
		if got != code || !ran {
			t.Errorf("code %d came back as %d, ran %v", code, got, ran)
		}
	}
}

// takeShared puts the server of this binary aside, so that a Run inside a test
// does not take it away.
func takeShared() (putBack func()) {
	admin, server, run, templates := shared.admin, shared.server, shared.run, shared.templates
	shared.admin, shared.server, shared.templates = "", nil, nil
	return func() { shared.admin, shared.server, shared.run, shared.templates = admin, server, run, templates }
}
