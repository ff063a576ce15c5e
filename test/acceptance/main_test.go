//go:build acceptance

// Package acceptance proves the whole program on what its users see: words in,
// lines out, the demo's clock, signals and exit codes. One installation of the
// demo city serves all tests, one after the other; its clock only goes forward.
package acceptance

import (
	"context"
	"fmt"
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
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "shaoying-acceptance-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	// The program runs as another user in one test and must be reachable.
	if err := os.Chmod(dir, 0o755); err != nil {
		return 1, err
	}
	bin, err := world.Build(dir)
	if err != nil {
		return 1, err
	}
	if city, err = world.New(bin, dir); err != nil {
		return 1, err
	}
	if server, err = city.Start("--demo"); err != nil {
		return 1, err
	}
	code = m.Run()
	if _, err := server.Stop(); err != nil {
		return 1, err
	}
	return code, nil
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
