//go:build acceptance

// Package badinput throws at the running program what nobody should send, and
// proves that each is answered clearly and changes nothing: the rows of every
// table are counted before and after.
package badinput

import (
	"context"
	"maps"
	"os"
	"testing"
	"time"

	"shaoying/test/world"
)

// city is the installation that all tests share, and server its process.
var (
	city   *world.World
	server *world.Server
)

func TestMain(m *testing.M) {
	os.Exit(world.Main(m,
		func(w *world.World, s *world.Server) { city, server = w, s },
		func() *world.Server { return server }))
}

// own are tables in which the program writes down its own work while it does
// nothing for anybody.
var own = []string{"product_clock", "schedule", "slot", "lease", "trail_link"}

// unchanged runs f and compares all tables before and after; besides names
// tables in which the message itself, or its answer, may leave rows.
func unchanged(t *testing.T, besides []string, f func()) {
	t.Helper()
	ctx := context.Background()
	d, err := city.Look(ctx)
	world.Must(t, err)
	defer func() { world.Must(t, d.Close(ctx)) }()
	count := func() map[string]int64 {
		settle(t, d)
		rows, err := d.Rows(ctx)
		world.Must(t, err)
		maps.DeleteFunc(rows, func(table string, _ int64) bool {
			for _, name := range append(besides, own...) {
				if table == name {
					return true
				}
			}
			return false
		})
		return rows
	}
	before := count()
	f()
	after := count()
	if len(before) < 20 {
		t.Fatalf("only %d tables are counted", len(before))
	}
	for table, n := range after {
		if n != before[table] {
			t.Errorf("table %s had %d rows and has %d", table, before[table], n)
		}
	}
}

// settle waits until nothing is on its way: a page has its line a moment before
// the sender writes down that it was sent, and a demo city that was just made still
// tells its families of their beds.
func settle(t *testing.T, d *world.Database) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	limit := time.After(world.Patience)
	for {
		var pending int
		world.Must(t, d.Scan(t.Context(), `select (select count(*) from outbox where state in ('queued', 'sending'))
			+ (select count(*) from inbox where state = 'waiting')
			+ (select count(*) from due where state in ('planned', 'running') and due_at <= product_now())
			+ (select count(*) from slot where state in ('planned', 'running') and due_at <= product_now())`, nil, &pending))
		if pending == 0 {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("%d rows are still on their way", pending)
		}
	}
}
