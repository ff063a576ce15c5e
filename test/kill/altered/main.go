// Command altered is the product with one thing changed on purpose. Two of its
// alterations break a promise: a test of the whole system that does not see
// them break it proves nothing. KILL_ALTER names the alteration; everything
// else is `shaoying serve`.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"shaoying/internal/app"
	"shaoying/internal/privacy"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "altered:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	env, err := app.FromEnvironment()
	if err != nil {
		return err
	}
	if env.Alter, err = alteration(os.Getenv("KILL_ALTER")); err != nil {
		return err
	}
	h, err := app.Open(ctx, env, slog.New(privacy.NewLogHandler(os.Stderr, slog.LevelInfo, privacy.LogKeys())))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return app.Serve(ctx, h, os.Stdout)
}
