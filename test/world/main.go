package world

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"shaoying/internal/postgres/pgtest"
)

// Main builds the program, starts a demo city that all tests of a package
// share, gives it to use, runs the tests and stops what serves returns by then.
// It is for TestMain and returns the exit code.
func Main(m *testing.M, use func(*World, *Server), serves func() *Server) int {
	code, err := share(m, use, serves)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func share(m *testing.M, use func(*World, *Server), serves func() *Server) (code int, err error) {
	dir, err := os.MkdirTemp("", "shaoying-test-")
	if err != nil {
		return 0, fmt.Errorf("make a directory for the test: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// In one test the program runs as another user.
	if err := os.Chmod(dir, 0o755); err != nil {
		return 0, fmt.Errorf("open the directory of the test: %w", err)
	}
	bin, err := Build(dir)
	if err != nil {
		return 0, err
	}
	home, err := os.MkdirTemp(pgtest.Place(), "shaoying-test-")
	if err != nil {
		return 0, fmt.Errorf("make a directory for the database of the test: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	if err := os.Chmod(home, 0o755); err != nil {
		return 0, fmt.Errorf("open the directory for the database of the test: %w", err)
	}
	w, err := New(bin, home)
	if err != nil {
		return 0, err
	}
	s, err := w.Start("--demo")
	if err != nil {
		return 0, err
	}
	use(w, s)
	code = m.Run()
	if code != 0 && os.Getenv("SHAOYING_TEST_LOGS") != "" {
		fmt.Fprintln(os.Stderr, w.Logs())
	}
	if _, err = serves().Stop(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, w.Logs())
	}
	return code, nil
}
