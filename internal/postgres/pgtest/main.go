package pgtest

import (
	"fmt"
	"os"
)

// Runner is *testing.M, seen from here.
type Runner interface{ Run() int }

// Main is the TestMain of a package that uses DSN: it runs the tests, gives up
// the server and exits.
func Main(m Runner) { os.Exit(Wrap(m).Run()) }

// Wrap returns m with the server given up after its run, for those who have
// something to do between the tests and the exit.
func Wrap(m Runner) Runner { return runner{m} }

type runner struct{ m Runner }

// Run runs the tests. A server that cannot be given up fails them: it would
// outlive the binary.
func (r runner) Run() int {
	code := r.m.Run()
	if err := shared.close(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest: give up the test server:", err)
		return max(code, 1)
	}
	return code
}
