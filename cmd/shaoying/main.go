// Command shaoying is the whole product in one binary: `shaoying serve` runs
// it, the other commands look after it. A file per subcommand; no logic here.
//
// Exit status: 0 done, 1 failed, 2 the command line was wrong.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"shaoying/internal/app"
	"shaoying/internal/privacy"
)

// cli is the command line; each field is a subcommand with its own file.
type cli struct {
	Serve    serveCmd    `cmd:"" help:"Run the gateway, the staff desk and the scheduler."`
	Migrate  migrateCmd  `cmd:"" help:"Bring the database to the schema of this program."`
	Import   importCmd   `cmd:"" help:"Import divisions, places, staff or the working calendar."`
	Staff    staffCmd    `cmd:"" help:"Look after the staff."`
	Token    tokenCmd    `cmd:"" help:"Look after the tokens of programs."`
	Flow     flowCmd     `cmd:"" help:"Check and test the dialogues."`
	Replay   replayCmd   `cmd:"" help:"List dead letters, or run them again."`
	Channels channelsCmd `cmd:"" help:"Look after the channel accounts."`
	Care     careCmd     `cmd:"" help:"Look after the programmes of family beds and others."`
	Audit    auditCmd    `cmd:"" help:"Verify the trail."`
	Bench    benchCmd    `cmd:"" help:"Measure speed on this machine."`
	Agent    agentCmd    `cmd:"" name:"wechat-agent" help:"Hold a personal WeChat account; serve starts this by itself."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// env is what every subcommand gets.
type env struct {
	ctx context.Context
	app app.Env
	log *slog.Logger
}

func main() {
	os.Exit(run())
}

func run() int {
	// The first signal asks to stop, the second stops at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	// A turn leaves much behind and the heap is small: collecting half as often
	// saves a tenth of the program's own time for some megabytes.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	var c cli
	parser, err := kong.New(&c, kong.Name("shaoying"), kong.UsageOnError(),
		kong.Description("Shaoying 哨应: residents' messages become tickets that are answered, called back and rated."))
	if err != nil {
		fmt.Fprintln(os.Stderr, "shaoying:", err)
		return 1
	}
	command, err := parser.Parse(os.Args[1:])
	if err != nil {
		parser.Errorf("%s", err)
		return 2
	}
	environment, err := app.FromEnvironment()
	if err == nil {
		log := slog.New(privacy.NewLogHandler(os.Stderr, slog.LevelInfo, privacy.LogKeys()))
		err = command.Run(&env{ctx, environment, log})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "shaoying:", err)
		return 1
	}
	return 0
}

// house opens the database and what lies in it for a command that needs no
// gateway.
func (e *env) house(f func(h *app.House) error) (err error) {
	h, err := app.Open(e.ctx, e.app, e.log)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := h.Close(); err == nil {
			err = closeErr
		}
	}()
	return f(h)
}
