package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"shaoying/internal/bench"
)

// The whole bench at its smallest. It fails by itself when an answer was
// refused, put aside or not replied to, so this also proves that the measured
// dialogues, the actions and the served page fit together.
func TestBench(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for five seconds")
	}
	tmp := temporary(t)
	profile := filepath.Join(t.TempDir(), "cpu.prof")
	cfg := bench.Config{Rounds: 1, Seconds: 1, FirstReplies: 3, Profile: profile, Log: quiet()}
	r, err := bench.Turn(t.Context(), cfg, Bench(quiet()))
	if errors.Is(err, bench.ErrNoPgbench) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Pgbench.Runs) != 3 || len(r.Turn.Runs) != 1 || len(r.Slice.Runs) != 1 || len(r.File.Runs) != 1 {
		t.Errorf("runs: %v around them, turns %v, over slices %v, tickets %v", r.Pgbench.Runs, r.Turn.Runs, r.Slice.Runs, r.File.Runs)
	}
	if r.Turn.Ratio <= 0 || r.Slice.Ratio <= 0 || r.File.Ratio <= 0 || r.Acknowledge.Count == 0 || r.FirstReply.Count != 3 {
		t.Errorf("a figure is missing: %+v", r)
	}
	if info, err := os.Stat(profile); err != nil || info.Size() == 0 {
		t.Errorf("the profile: %v, %v", info, err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A bench that is interrupted takes its server and its files with it.
func TestBenchInterrupted(t *testing.T) {
	tmp := temporary(t)
	ctx, cancel := context.WithCancel(t.Context())
	interrupted := func(ctx context.Context, dir string) (*bench.Product, error) {
		p, err := Bench(quiet())(ctx, dir)
		cancel()
		return p, err
	}
	_, err := bench.Turn(ctx, bench.Config{Rounds: 1, Seconds: 1, FirstReplies: 1, Log: quiet()}, interrupted)
	if errors.Is(err, bench.ErrNoPgbench) {
		t.Skip(err)
	}
	if err == nil {
		t.Fatal("it measured")
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// temporary is where the bench puts its server. For root that runs as another
// account, which must pass through.
func temporary(t *testing.T) string {
	t.Helper()
	tmp := t.TempDir()
	for _, dir := range []string{tmp, filepath.Dir(tmp)} {
		if err := os.Chmod(dir, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TMPDIR", tmp)
	return tmp
}
