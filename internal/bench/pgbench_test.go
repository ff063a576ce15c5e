package bench

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shaoying/internal/postgres/managed"
)

func TestParseTPS(t *testing.T) {
	out := "pgbench (15.18)\ntransaction type: turn.sql\nlatency average = 0.929 ms\ninitial connection time = 11.9 ms\ntps = 8611.127341 (without initial connection time)\n"
	if got, err := parseTPS(out); err != nil || got != 8611.127341 {
		t.Errorf("tps %v, %v", got, err)
	}
	for _, bad := range []string{"", "tps = \n", "tps = 0.000000 (without initial connection time)", "latency = 3"} {
		if got, err := parseTPS(bad); err == nil {
			t.Errorf("parseTPS(%q) = %v", bad, got)
		}
	}
}

func FuzzParseTPS(f *testing.F) {
	f.Add("tps = 8611.127341 (without initial connection time)")
	f.Add("tps = 1.2.3")
	f.Fuzz(func(t *testing.T, out string) {
		if got, err := parseTPS(out); err == nil && !(got > 0) {
			t.Errorf("parseTPS(%q) = %v", out, got)
		}
	})
}

func TestFindPgbench(t *testing.T) {
	beside, empty := t.TempDir(), t.TempDir()
	tool := filepath.Join(beside, "pgbench")
	if err := os.WriteFile(tool, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", empty)
	if got, err := findPgbench([]managed.Binaries{{Dir: empty}, {Dir: beside}}); err != nil || got != tool {
		t.Errorf("beside the server: %q, %v", got, err)
	}
	_, err := findPgbench([]managed.Binaries{{Dir: empty}})
	if !errors.Is(err, ErrNoPgbench) || !strings.Contains(err.Error(), "apt-get install") {
		t.Errorf("nowhere: %v", err)
	}
	t.Setenv("PATH", beside)
	if got, err := findPgbench(nil); err != nil || got != tool {
		t.Errorf("in PATH: %q, %v", got, err)
	}
}

func TestPgbenchSaysWhatWentWrong(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "pgbench")
	if err := os.WriteFile(tool, []byte("#!/bin/sh\necho 'connection to server failed' >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := pgbench{tool: tool, dsn: "host=nowhere", dir: t.TempDir()}.run(t.Context(), 1, 1)
	if err == nil || !strings.Contains(err.Error(), "connection to server failed") {
		t.Errorf("error %v", err)
	}
}

func TestTurnRefusesNothingToMeasure(t *testing.T) {
	for _, cfg := range []Config{{}, {Rounds: 1, Seconds: 1}, {Rounds: 1, FirstReplies: 1}, {Seconds: 1, FirstReplies: 1}} {
		if _, err := Turn(t.Context(), cfg, nil); err == nil {
			t.Errorf("%+v was measured", cfg)
		}
	}
}
