//go:build acceptance

// Package acceptance proves the whole program on what its users see: words in,
// lines out, the demo's clock, signals and exit codes. One installation of the
// demo city serves all tests, one after the other; its clock only goes forward.
package acceptance

import (
	"context"
	"os"
	"testing"

	"shaoying/test/world"
)

// city is the demo city that all tests share, and server the process that
// serves it now.
var (
	city   *world.World
	server *world.Server
)

func TestMain(m *testing.M) {
	os.Exit(world.Main(m,
		func(w *world.World, s *world.Server) { city, server = w, s },
		func() *world.Server { return server }))
}

// one reads one value from the database beside the running server.
func one[T any](t *testing.T, query string, args ...any) T {
	t.Helper()
	ctx := context.Background()
	d, err := city.Look(ctx)
	world.Must(t, err)
	defer func() { world.Must(t, d.Close(ctx)) }()
	var v T
	world.Must(t, d.Scan(ctx, query, args, &v))
	return v
}

// staff opens the chat of a member of the staff, whose minute begins anew: all
// stories together write faster for one desk than its people ever type.
func staff(t *testing.T, slug string) *world.Chat {
	t.Helper()
	one[int](t, `with rested as (update conversation set flood_count = 0 where flood_count > 0 returning 1) select count(*) from rested`)
	return server.Staff(t, slug)
}
