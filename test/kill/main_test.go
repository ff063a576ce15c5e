//go:build kill

// Package kill proves what is promised of messages (design 9: R1 to R5, R8, R9,
// R11, R13) on the real program: several processes over one PostgreSQL, a fake
// network beside them, kill -9 and database crashes in the middle of bursts.
//
// # What a run is
//
// The network delivers messages in bursts, each until it is acknowledged, and
// some of them again later. A keeper starts a process again whenever it ends.
// When everything has come to rest, a ledger compares three things that know
// nothing of each other: what the network saw acknowledged, what lies in the
// database, and what the network was given to deliver.
//
// # Void runs
//
// A test that cannot fail proves nothing. Two programs that break a promise on
// purpose (package altered) run under the same bursts and kills and must be
// caught; otherwise TestBrokenControls fails, and with it the run.
//
// # Chance
//
// Every run prints its seed; SHAOYING_KILL_SEED repeats it, as far as two
// machines agree on time. SHAOYING_SOAK makes it ten times as long (`make
// soak`), SHAOYING_KILL_REPORT names a file for the figures as JSON.
package kill

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"shaoying/test/world"
)

// bench is what all tests share.
var bench struct {
	dir     string   // for everything that a run leaves behind
	real    string   // the product
	altered string   // the product with one thing changed
	shared  *cluster // the database server of all runs that leave it in peace
	size    size
	seed    uint64
	figures figures
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "kill:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if bench.size, bench.seed, err = chosen(); err != nil {
		return 1, err
	}
	if bench.dir, err = os.MkdirTemp("", "shaoying-kill-"); err != nil {
		return 1, fmt.Errorf("make a directory for the test: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(bench.dir)) }()
	// As root the database runs as another account, which must pass through.
	if err := os.Chmod(bench.dir, 0o755); err != nil {
		return 1, fmt.Errorf("open the directory of the test: %w", err)
	}
	if bench.real, err = world.Build(bench.dir); err != nil {
		return 1, err
	}
	// The program whose promises are broken on purpose.
	if bench.altered, err = world.Compile(bench.dir, "test/kill/altered"); err != nil {
		return 1, err
	}
	// Most runs wait for the network's pace more than they work, so four go
	// side by side, however few processors there are; the longest begins first.
	if err := flag.Set("test.parallel", "4"); err != nil {
		return 1, fmt.Errorf("let the runs go side by side: %w", err)
	}
	if bench.shared, err = newCluster(context.Background(), filepath.Join(bench.dir, "shared")); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, bench.shared.stop()) }()
	fmt.Printf("kill: seed %d, %s\n", bench.seed, bench.size.name)
	code = m.Run()
	return code, bench.figures.publish(code == 0)
}
