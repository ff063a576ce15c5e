package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shaoying/internal/postgres/pgtest"
)

func TestExitCodes(t *testing.T) {
	t.Setenv(pgtest.Variable, "host=/somewhere")
	for _, c := range []struct {
		name string
		args []string
		want int
	}{
		{"nothing to run", nil, 2},
		{"good", []string{"true"}, 0},
		{"bad", []string{"false"}, 1},
		{"its own code", []string{"sh", "-c", "exit 42"}, 42},
		{"ended by a signal", []string{"sh", "-c", "kill -TERM $$"}, 128 + 15},
		{"no such program", []string{"/nonexistent/program"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := run(c.args); got != c.want {
				t.Errorf("run(%q) = %d, want %d", c.args, got, c.want)
			}
		})
	}
}

func TestGivenServerIsPassedOn(t *testing.T) {
	t.Setenv(pgtest.Variable, "host=/given")
	if got := said(t); got != "host=/given" {
		t.Errorf("the command was told %q", got)
	}
}

func TestServerOfItsOwn(t *testing.T) {
	t.Setenv(pgtest.Variable, "")
	got := said(t)
	if !strings.HasPrefix(got, "host=") || !strings.Contains(got, "dbname='postgres'") {
		t.Errorf("the command was told %q", got)
	}
}

// said runs a command under withpg and returns the server that it was given.
func said(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	if code := run([]string{"sh", "-c", `printf %s "$` + pgtest.Variable + `" > "$0"`, out}); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
