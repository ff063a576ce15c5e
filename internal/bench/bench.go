// Package bench measures the speed of the product on the machine it runs on:
// `shaoying bench turn` prints the first five figures of design 10, `shaoying
// bench figures` those over a million tickets, `shaoying bench sms` how fast texts
// leave (sms.go), `shaoying bench visits` how fast family beds are planned and
// reminded (visits.go).
//
// # What is measured
//
// The real gateway with the dialogues, words and actions that this binary
// serves with, over a PostgreSQL of its own in a temporary directory (fsync
// on, shared_buffers 256 MB) that is removed afterwards. Nothing of an
// installation is touched; load and answers stay on the machine.
//
//	first reply   the whole house serves over loopback and is otherwise idle;
//	              POST /chat/messages of a new visitor until the SSE frame
//	turn          8 senders, each in a dialogue of its own that keeps asking:
//	              answer stored, stepped, reply queued, committed, each in a
//	              transaction of its own. Closed loop
//	slice         the same with 64 senders, whose turns share transactions as
//	              they do in serve
//	poison        the same while every hundredth message is somebody's whose turn
//	              panics
//	file          a turn, but the answer files a ticket
//	acknowledge   turns at half the measured rate. Open loop with random
//	              arrivals; each wait counts from when the message was due, so
//	              a stall is paid by all who came during it
//
// # Ratios
//
// Machines differ, and one machine differs from minute to minute (up to
// threefold in reference sms-postgres-jobs 5). So rates are given as shares of
// what pgbench reaches with two bare inserts in one transaction on the same
// server, measured before, between and after, all as medians of the rounds.
//
// # Failure
//
// Every measured answer must have queued its reply, and none may have been put
// aside: a rate reached by refusing work is an error, not a figure. Everything
// is bounded by Config and ends with its context.
package bench

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"shaoying/bots"
	"shaoying/internal/clock"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres/managed"
	"shaoying/internal/tally"
)

// dialogues are those that are measured. They exist in the temporary
// database only.
//
//go:embed flows/*.yaml
var dialogues embed.FS

// Product is what is measured. Package app builds it as it does for serve.
type Product struct {
	Gateway *gateway.Gateway
	Tally   *tally.Tally
	// Care keeps family beds; Slots are what schedules run.
	Care  *homecare.Service
	Slots []gateway.SlotJob
	// Serve runs everything on a free port of loopback until ctx ends and
	// writes "ready http://…" to out.
	Serve func(ctx context.Context, out io.Writer) error
	// SMPP makes an account at a centre that sets no pace but its window.
	SMPP  func(id bots.ChannelID, addr, systemID, password string, window int) (bots.Adapter, error)
	Close func() error
}

// Open builds the product over the private database in dir, which may run
// already.
type Open func(ctx context.Context, dir string) (*Product, error)

// Config says how long and how hard is measured.
type Config struct {
	// Rounds is how often each rate is measured; the median counts.
	Rounds int
	// Seconds is the length of one measurement.
	Seconds int
	// FirstReplies is how many visitors come to the idle system.
	FirstReplies int
	// Profile is where a CPU profile of one more round of turns is written;
	// empty for none.
	Profile string
	Log     *slog.Logger
}

// The load of design 10.
const (
	senders = 8
	// crowded is how many senders there are over slices.
	crowded = 64
	// crowd is how many residents share the open-loop load.
	crowd = 256
	// ackShare is the share of the measured rate that the open loop offers.
	ackShare = 0.5
)

// settings of the measured server: what the ratio's reference was taken with.
// fsync is on by default; it is named because the figures mean nothing
// without it.
var settings = map[string]string{"shared_buffers": "256MB", "fsync": "on", "synchronous_commit": "on"}

// stopTime is how long the temporary server may take to end.
const stopTime = 20 * time.Second

// Turn measures the four figures that concern single turns.
func Turn(ctx context.Context, cfg Config, open Open) (report *Report, err error) {
	if cfg.Rounds < 1 || cfg.Seconds < 1 || cfg.FirstReplies < 1 {
		return nil, errors.New("bench: rounds, seconds and first replies must be at least 1")
	}
	installed, err := managed.Find(ctx)
	if err != nil {
		return nil, err
	}
	tool, err := findPgbench(installed)
	if err != nil {
		return nil, err
	}
	err = onServer(ctx, cfg, open, func(dir string, server *managed.Server, p *Product) (err error) {
		b := &bench{cfg: cfg, clock: clock.New(), product: p, pgbench: pgbench{tool: tool, dsn: server.DSN("postgres"), dir: dir}}
		report, err = b.turn(ctx)
		return err
	})
	return report, err
}

// onServer runs f over a PostgreSQL of its own in a temporary directory, and
// leaves nothing behind.
func onServer(ctx context.Context, cfg Config, open Open, f func(dir string, server *managed.Server, p *Product) error) (err error) {
	dir, err := os.MkdirTemp("", "shaoying-bench-")
	if err != nil {
		return fmt.Errorf("make a temporary directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// For root the server runs as another account, which must pass through.
	if err := os.Chmod(dir, 0o711); err != nil {
		return fmt.Errorf("open the temporary directory to the server: %w", err)
	}
	server, err := managed.Open(ctx, managed.Config{Dir: filepath.Join(dir, "data"), Settings: settings, Log: cfg.Log})
	if err != nil {
		return fmt.Errorf("temporary PostgreSQL: %w", err)
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		err = errors.Join(err, server.Stop(stop))
	}()
	product, err := open(ctx, filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, product.Close()) }()
	return f(dir, server, product)
}

// bench is one run of measurements.
type bench struct {
	cfg     Config
	clock   *clock.Clock
	product *Product
	pgbench pgbench
	stage   *stage
}

func (b *bench) turn(ctx context.Context) (*Report, error) {
	r := &Report{Machine: machine()}
	var err error
	// First, while the database is small and nothing is due.
	if r.FirstReply, err = b.firstReply(ctx); err != nil {
		return nil, fmt.Errorf("first reply: %w", err)
	}
	if b.stage, err = newStage(ctx, b.product.Gateway); err != nil {
		return nil, err
	}
	for range b.cfg.Rounds {
		if err := b.round(ctx, r); err != nil {
			return nil, err
		}
	}
	if err := b.reference(ctx, r); err != nil {
		return nil, err
	}
	r.ratios()
	offered := ackShare * r.Turn.PerSecond
	for range b.cfg.Rounds {
		l, err := b.acknowledge(ctx, offered)
		if err != nil {
			return nil, fmt.Errorf("acknowledgement: %w", err)
		}
		r.acks = append(r.acks, l)
	}
	r.Acknowledge = middle(r.acks)
	if b.cfg.Profile != "" {
		if err := b.profile(ctx); err != nil {
			return nil, err
		}
	}
	if r.Poisoned, err = b.poison(ctx); err != nil {
		return nil, fmt.Errorf("turn beside poison: %w", err)
	}
	r.Machine.LoadAfter = loadAverage()
	return r, nil
}

// round measures the reference and the three rates once.
func (b *bench) round(ctx context.Context, r *Report) error {
	if err := b.reference(ctx, r); err != nil {
		return err
	}
	rate, err := b.turns(ctx, b.stage.alone, senders)
	if err != nil {
		return fmt.Errorf("turn: %w", err)
	}
	r.Turn.Runs = append(r.Turn.Runs, rate)
	shared, err := b.turns(ctx, b.stage.shared, crowded)
	if err != nil {
		return fmt.Errorf("turn over slices: %w", err)
	}
	r.Slice.Runs = append(r.Slice.Runs, shared)
	if err := b.reference(ctx, r); err != nil {
		return err
	}
	if rate, err = b.files(ctx, rate); err != nil {
		return fmt.Errorf("turn that files a ticket: %w", err)
	}
	r.File.Runs = append(r.File.Runs, rate)
	return nil
}

// poison measures what a poisoned hundredth costs the others, against a rate of
// the same minute.
func (b *bench) poison(ctx context.Context) (Poisoned, error) {
	var p Poisoned
	var err error
	if p.Healthy, err = b.turns(ctx, b.stage.shared, crowded); err != nil {
		return p, err
	}
	p.PerSecond, err = b.poisoned(ctx, crowded, p.Healthy)
	p.Drop = 1 - p.PerSecond/p.Healthy
	return p, err
}

func (b *bench) reference(ctx context.Context, r *Report) error {
	tps, err := b.pgbench.run(ctx, senders, b.cfg.Seconds)
	if err != nil {
		return err
	}
	r.Pgbench.Runs = append(r.Pgbench.Runs, tps)
	return nil
}

func (b *bench) length() time.Duration { return time.Duration(b.cfg.Seconds) * time.Second }
