package postgres

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"shaoying/internal/clock"
	"shaoying/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Wrap(m)) }

// open connects to a database as a process would.
func open(t testing.TB, dsn string) *DB {
	t.Helper()
	d, err := Open(t.Context(), dsn, clock.New(), Options{MaxConns: 5, AllowUnsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func fresh(t testing.TB) *DB {
	t.Helper()
	return open(t, pgtest.DSN(t, Migrate))
}

// value runs a query for one value past the generated ones.
func value[T any](t testing.TB, d *DB, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := d.pool.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func exec(t testing.TB, d *DB, sql string, args ...any) {
	t.Helper()
	if _, err := d.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// until waits for something that other goroutines bring about.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatal("waited in vain: " + what)
		case <-look.C:
		}
	}
}

// waiting tells whether somebody in this database waits for a lock.
func waiting(t testing.TB, d *DB) func() bool {
	return func() bool {
		return value[bool](t, d, `select exists (select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')`)
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t, nil)
	d := open(t, dsn)
	if err := d.CheckSchema(t.Context()); err == nil {
		t.Fatal("an empty database passed for one that is up to date")
	}
	var wg sync.WaitGroup
	for range 2 { // two processes start at once
		wg.Go(func() {
			if err := Migrate(t.Context(), dsn); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := Migrate(t.Context(), dsn); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	if err := d.CheckSchema(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec(t, d, `delete from goose_db_version where version_id = (select max(version_id) from goose_db_version)`)
	if err := d.CheckSchema(t.Context()); !errors.Is(err, ErrNotMigrated) {
		t.Fatalf("CheckSchema said %v", err)
	}
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t, Migrate)
	exec(t, open(t, dsn), `insert into goose_db_version (version_id, is_applied) values (99999, true)`)
	err := Migrate(t.Context(), dsn)
	if err == nil || !strings.Contains(err.Error(), "start the newer program") {
		t.Fatalf("Migrate said %v", err)
	}
}

func TestADatabaseThatCouldLoseMessagesIsRefused(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t, nil)
	d := open(t, dsn)
	exec(t, d, `do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$`)
	_, err := Open(t.Context(), dsn, clock.New(), Options{})
	if err == nil || !strings.Contains(err.Error(), "messages could be lost") {
		t.Fatalf("Open said %v", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"port=no":                         "read DATABASE_URL",
		"host=/nowhere connect_timeout=1": "connect to the database",
	} {
		if _, err := Open(t.Context(), dsn, clock.New(), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q) said %v, want %q", dsn, err, want)
		}
	}
}

func TestInTxRunsADeadlockAgain(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	exec(t, d, `insert into setting values ('a', '0'), ('b', '0')`)
	exec(t, d, `do $$ begin execute format('alter database %I set deadlock_timeout = ''50ms''', current_database()); end $$`)
	var mu sync.Mutex
	runs := 0
	// Each locks its own row, waits until the other has done so, and then
	// wants the other's. Both meet once; the loser runs again alone.
	met := make(chan struct{}, 2)
	both := make(chan struct{})
	take := func(first, second string) error {
		once := true
		return d.InTx(t.Context(), func(ctx context.Context, tx *Tx) error {
			mu.Lock()
			runs++
			mu.Unlock()
			if _, err := tx.conn.Exec(ctx, `update setting set value = value || '1' where key = $1`, first); err != nil {
				return err
			}
			if once {
				once = false
				met <- struct{}{}
				<-both
			}
			_, err := tx.conn.Exec(ctx, `update setting set value = value || '1' where key = $1`, second)
			return err
		})
	}
	errs := make(chan error, 2)
	go func() { errs <- take("a", "b") }()
	go func() { errs <- take("b", "a") }()
	<-met
	<-met
	close(both)
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	// On a busy machine the server may end the second attempt as well.
	if runs < 3 || runs > 4 {
		t.Errorf("%d runs, want 3: two and the loser's second", runs)
	}
	if v := value[string](t, d, `select string_agg(value, ',' order by key) from setting`); v != "011,011" {
		t.Errorf("the rows hold %s", v)
	}
}

func TestRetryEnds(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	runs := 0
	err := d.InTx(t.Context(), func(ctx context.Context, tx *Tx) error {
		runs++
		_, err := tx.conn.Exec(ctx, `do $$ begin raise exception 'pushed out' using errcode = '40001'; end $$`)
		return err
	})
	if err == nil || runs != maxRuns {
		t.Fatalf("%d runs, %v; want %d", runs, err, maxRuns)
	}
	runs = 0
	plain := errors.New("plain")
	err = d.InTx(t.Context(), func(ctx context.Context, tx *Tx) error {
		runs++
		if _, err := tx.conn.Exec(ctx, `insert into setting values ('x', 'y')`); err != nil {
			return err
		}
		return plain
	})
	if !errors.Is(err, plain) || runs != 1 || value[int](t, d, `select count(*)::int from setting`) != 0 {
		t.Fatalf("%d runs, %v; want one and nothing left", runs, err)
	}
}

func TestIsAway(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	_, gone := pgx.Connect(t.Context(), "host=/nowhere")
	refused := d.InTx(t.Context(), func(ctx context.Context, tx *Tx) error {
		_, err := tx.conn.Exec(ctx, "select no")
		return err
	})
	killed := d.InTx(t.Context(), func(ctx context.Context, tx *Tx) error {
		_, err := tx.conn.Exec(ctx, "select pg_terminate_backend(pg_backend_pid())")
		return err
	})
	_, none := d.Setting(t.Context(), "nothing")
	for _, c := range []struct {
		what string
		err  error
		want bool
	}{{"nothing", nil, false}, {"nobody listens", gone, true}, {"refused", refused, false}, {"killed", killed, true}, {"no rows", none, false}, {"canceled", context.Canceled, false}} {
		if got := IsAway(c.err); got != c.want {
			t.Errorf("%s: IsAway(%v) = %v", c.what, c.err, got)
		}
	}
	closed := fresh(t)
	closed.Close()
	if _, _, err := closed.BeginTurn(t.Context(), []Incoming{{Channel: "web", Chat: "a", User: "a", Trust: "none"}}); err == nil {
		t.Error("a closed pool gave a turn")
	}
}

func TestBusWakesHereAndElsewhere(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t, Migrate)
	quiet := slog.New(slog.DiscardHandler)
	here, there := NewBus(open(t, dsn), quiet), NewBus(open(t, dsn), quiet)
	mine, stopMine := here.Subscribe("due")
	yours, stopYours := there.Subscribe("due")
	other, stopOther := there.Subscribe("waiting")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, b := range []*Bus{here, there} {
		wg.Go(func() {
			if err := b.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	get := func(what string, c <-chan struct{}) {
		t.Helper()
		select {
		case <-c:
		case <-time.After(time.Minute):
			t.Error("nobody woke " + what)
		}
	}
	get("a new listener", yours) // everything, once
	get("a new listener", other)
	get("a new listener", mine)
	here.Wake("due")
	get("the same process", mine)
	get("the other process", yours)
	select {
	case <-other:
		t.Error("another topic was woken")
	default:
	}
	// Who listened is killed and listens again; what it missed is made up for.
	exec(t, there.db, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query = 'listen shaoying'`)
	get("a listener that came back", other)
	stopMine()
	stopYours()
	stopOther()
	here.Wake("due") // to nobody
	cancel()
	wg.Wait()
}

func TestPayloadsFit(t *testing.T) {
	t.Parallel()
	var topics []string
	for range 200 {
		topics = append(topics, "outbox/"+strings.Repeat("x", 100))
	}
	n := 0
	for _, p := range payloads(topics) {
		if len(p) >= 8000 {
			t.Fatalf("a payload of %d bytes", len(p))
		}
		n += len(strings.Split(p, "\n"))
	}
	if n != len(topics) || len(payloads(nil)) != 0 {
		t.Fatalf("%d topics, want %d", n, len(topics))
	}
}

func TestProductTime(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t, Migrate)
	d, other := open(t, dsn), open(t, dsn)
	near := func(what string, got, want time.Time) {
		t.Helper()
		if diff := got.Sub(want).Abs(); diff > 5*time.Second {
			t.Errorf("%s is %v off", what, diff)
		}
	}
	if shifted, err := d.ClockIsShifted(t.Context()); err != nil || shifted {
		t.Fatalf("a new database is shifted: %v, %v", shifted, err)
	}
	want := time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC)
	if err := d.SetProductTime(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	near("clock.Now", d.clock.Now(), want)
	near("product_now()", value[time.Time](t, d, `select product_now()`), want)
	if err := other.SyncClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	near("the other process's clock", other.clock.Now(), want)
	near("wall time", value[time.Time](t, d, `select now()`), d.clock.Wall())
	if shifted, err := d.ClockIsShifted(t.Context()); err != nil || !shifted {
		t.Fatalf("not shifted: %v, %v", shifted, err)
	}
}

func TestPartitions(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	exec(t, d, `select make_partitions('2025-11-15', '2026-01-02')`)
	exec(t, d, `select make_partitions('2025-11-15', '2026-01-02')`) // again
	for _, table := range []string{"message", "trail", "blob"} {
		for _, month := range []string{"2025_11", "2025_12", "2026_01", "2026_02", "2026_03", "2026_04"} {
			if value[*string](t, d, `select to_regclass($1)::text`, table+"_"+month) == nil {
				t.Errorf("%s has no partition for %s", table, month)
			}
		}
	}
	exec(t, d, `insert into trail (at, actor, kind, subject) values ('2025-12-31 23:59:59Z', 'x', 'x', 'x'), ('2026-01-01 00:00:00Z', 'x', 'x', 'x'), ('1999-01-01', 'x', 'x', 'x')`)
	for table, want := range map[string]int{"trail_2025_12": 1, "trail_2026_01": 1, "trail_default": 1} {
		if n := value[int](t, d, `select count(*)::int from `+table); n != want {
			t.Errorf("%s holds %d rows, want %d", table, n, want)
		}
	}
}
