// Package altered is the main function of programs that are the product with
// something changed on purpose, for tests of the whole system.
package altered

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

// Main is `serve` with what change makes of its environment. Where serve starts
// the program again for a WeChat account, it is agent; nil is the product's.
func Main(change func(*app.Env) error, agent func(context.Context, *slog.Logger) error) {
	if err := run(change, agent); err != nil {
		fmt.Fprintln(os.Stderr, "altered:", err)
		os.Exit(1)
	}
}

func run(change func(*app.Env) error, agent func(context.Context, *slog.Logger) error) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(privacy.NewLogHandler(os.Stderr, slog.LevelInfo, privacy.LogKeys()))
	if len(os.Args) > 1 && os.Args[1] == "wechat-agent" {
		if agent == nil {
			return app.Agent(ctx, os.Stdin, os.Stdout, log)
		}
		return agent(ctx, log)
	}
	env, err := app.FromEnvironment()
	if err != nil {
		return err
	}
	if err := change(&env); err != nil {
		return err
	}
	h, err := app.Open(ctx, env, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return app.Serve(ctx, h, os.Stdout)
}
