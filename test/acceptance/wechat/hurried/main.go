// Command hurried is the product, but for how long an account may be out before
// its messages go another way and staff are told: seconds. These times are not of
// the demo's clock, which nothing moves.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"shaoying/internal/app"
	"shaoying/internal/gateway"
	"shaoying/internal/privacy"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "hurried:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(privacy.NewLogHandler(os.Stderr, slog.LevelInfo, privacy.LogKeys()))
	if len(os.Args) > 1 && os.Args[1] == "wechat-agent" {
		return app.Agent(ctx, os.Stdin, os.Stdout, log)
	}
	env, err := app.FromEnvironment()
	if err != nil {
		return err
	}
	env.Demo = true
	env.Alter = func(_ *gateway.Config, deps *gateway.Deps) {
		deps.Logins.Move, deps.Logins.Alarm, deps.Logins.Look = time.Second, 2*time.Second, 500*time.Millisecond
	}
	h, err := app.Open(ctx, env, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return app.Serve(ctx, h, os.Stdout)
}
