package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"

	"shaoying/internal/app"
	"shaoying/internal/bench"
	"shaoying/internal/privacy"
)

type benchCmd struct {
	Figures benchFiguresCmd `cmd:"" help:"Measure lists, rates and the worry index over many tickets, on a temporary database."`
	SMS     benchSMSCmd     `cmd:"" name:"sms" help:"Measure how fast texts leave by SMPP, on a temporary database; needs node."`
	Visits  benchVisitsCmd  `cmd:"" help:"Measure how fast the visits of family beds are planned and reminded, on a temporary database."`
	Turn    benchTurnCmd    `cmd:"" default:"withargs" help:"Measure turns, acknowledgements and the first reply against pgbench, on a temporary database."`
}

type benchTurnCmd struct {
	Rounds  int    `help:"Measurements of each rate; the median counts." default:"3"`
	Seconds int    `help:"Length of one measurement." default:"5"`
	Replies int    `help:"Visitors who wait for a first reply." default:"200"`
	Profile string `help:"Write a CPU profile of one more round of turns to this file." placeholder:"FILE"`
	JSON    bool   `help:"Print the report as JSON." name:"json"`
}

// Run prints the report. A figure below its promise is printed as such and is
// no failure: it may be the machine.
func (c *benchTurnCmd) Run(e *env) error {
	// Only warnings: a line per start and stop is not what was asked for.
	log := slog.New(privacy.NewLogHandler(os.Stderr, slog.LevelWarn, privacy.LogKeys()))
	cfg := bench.Config{Rounds: c.Rounds, Seconds: c.Seconds, FirstReplies: c.Replies, Profile: c.Profile, Log: log}
	report, err := bench.Turn(e.ctx, cfg, app.Bench(log))
	if err != nil {
		return err
	}
	return show(c.JSON, report)
}

type benchFiguresCmd struct {
	Tickets int  `help:"How many tickets there are." default:"1000000"`
	Asked   int  `help:"How often each query is measured." default:"100"`
	JSON    bool `help:"Print the report as JSON." name:"json"`
}

// Run prints the report, as that of turns.
func (c *benchFiguresCmd) Run(e *env) error {
	log := slog.New(privacy.NewLogHandler(os.Stderr, slog.LevelWarn, privacy.LogKeys()))
	cfg := bench.FiguresConfig{Config: bench.Config{Log: log}, Tickets: c.Tickets, Asked: c.Asked}
	report, err := bench.Figures(e.ctx, cfg, app.Bench(log))
	if err != nil {
		return err
	}
	return show(c.JSON, report)
}

type benchSMSCmd struct {
	Rounds int  `help:"Measurements of each rate; the median counts." default:"3"`
	Texts  int  `help:"How many texts wait." default:"20000"`
	Number int  `help:"How many of them are for one phone number." default:"4"`
	Urgent int  `help:"How many urgent texts are sent through them." default:"100"`
	JSON   bool `help:"Print the report as JSON." name:"json"`
}

// Run prints the report, as that of turns.
func (c *benchSMSCmd) Run(e *env) error {
	log := slog.New(privacy.NewLogHandler(os.Stderr, slog.LevelWarn, privacy.LogKeys()))
	cfg := bench.SMSConfig{Config: bench.Config{Rounds: c.Rounds, Seconds: 5, Log: log}, Texts: c.Texts, Number: c.Number, Urgent: c.Urgent}
	report, err := bench.SMS(e.ctx, cfg, app.Bench(log))
	if err != nil {
		return err
	}
	return show(c.JSON, report)
}

type benchVisitsCmd struct {
	Beds    int    `help:"How many beds there are; each has three visits in the horizon." default:"5000"`
	Profile string `help:"Write a CPU profile to this file." placeholder:"FILE"`
	JSON    bool   `help:"Print the report as JSON." name:"json"`
}

// Run prints the report, as that of turns.
func (c *benchVisitsCmd) Run(e *env) error {
	log := slog.New(privacy.NewLogHandler(os.Stderr, slog.LevelWarn, privacy.LogKeys()))
	cfg := bench.VisitsConfig{Config: bench.Config{Seconds: 5, Profile: c.Profile, Log: log}, Beds: c.Beds}
	report, err := bench.Visits(e.ctx, cfg, app.Bench(log))
	if err != nil {
		return err
	}
	return show(c.JSON, report)
}

// show prints a report for people or for programs.
func show(asJSON bool, report interface{ Print(io.Writer) error }) error {
	if !asJSON {
		return report.Print(os.Stdout)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(report); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}
