// Command withpg runs a command with a PostgreSQL server for tests at its side:
//
//	withpg go test ./...
//
// It starts this machine's test server, unless SHAOYING_TEST_DSN already leads
// to one, sets that variable for the command, stops the server afterwards and
// exits as the command did. Signals are left to the command, so that the server
// outlives it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"shaoying/internal/postgres/pgtest"
)

func main() { os.Exit(run(os.Args[1:])) }

// run returns the exit code: that of the command, 128 and the signal's number
// when one ended it, 2 for a wrong use, 1 when the server or the command could
// not be run.
func run(args []string) int {
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: withpg COMMAND [ARGUMENT...]")
		return 2
	}
	if os.Getenv(pgtest.Variable) != "" {
		return command(args, os.Environ())
	}
	start, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := pgtest.Start(start)
	if err != nil {
		return failed(err)
	}
	code := command(args, append(os.Environ(), pgtest.Variable+"="+server.DSN("postgres")))
	stop, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := server.Stop(stop); err != nil {
		return max(code, failed(err))
	}
	return code
}

// command runs the command and passes signals on to it. The terminal sends ^C
// to both; a second SIGINT does go test no harm.
func command(args, environment []string) int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	cmd := exec.CommandContext(context.Background(), args[0], args[1:]...)
	cmd.Env = environment
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return failed(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case sig := <-signals:
			if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
				failed(err)
			}
		case err := <-ended:
			return exitCode(err)
		}
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		return failed(err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, "withpg:", err)
	return 1
}
