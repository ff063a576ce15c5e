package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"shaoying/internal/clock"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
)

// Worker does what has come due, one batch at a time, and returns how much it
// was: gateway.Runner and gateway.Drainer.
type Worker interface {
	Once(ctx context.Context) (int, error)
}

// Planner makes the slots of schedules and runs them: gateway.Planner. Next is
// the instant before which Once has nothing to do, false for none.
type Planner interface {
	Worker
	Next(ctx context.Context) (time.Time, bool, error)
}

// Bounds of a journey.
const (
	// maxLeap is the longest leap: the calendar of the demo ends with the year.
	maxLeap = 366 * 24 * time.Hour
	// maxSearch is how far Next looks for something to happen: beyond the 28
	// days after which a resident is asked whether all is still well.
	maxSearch = 62 * 24 * time.Hour
	// maxJourney is how long (wall time) a journey may take, well below the
	// write timeout of the HTTP server; it then ends where it is.
	maxJourney = 40 * time.Second
	// patience is how long (wall time) an instant is waited for while nothing
	// in it moves, and look how long a pause between two looks is.
	patience = 3 * time.Second
	look     = 20 * time.Millisecond
)

// Why a journey is refused.
var (
	ErrBackwards = errors.New("the clock goes forwards only")
	ErrTooFar    = errors.New("at most 366 days at a time")
)

// Happening is something that came to its end at a stop.
type Happening struct {
	// Kind of due row, or name of the schedule.
	Kind string `json:"kind"`
	// State it ended in: done, dropped, cleared, expired, failed, skipped.
	State string `json:"state"`
	Count int64  `json:"count"`

	slot bool
}

// Stop is an instant at which something was due.
type Stop struct {
	At       time.Time   `json:"at"`
	Happened []Happening `json:"happened"`
	// Left counts what was due and could not be finished.
	Left int64 `json:"left,omitempty"`
}

// Journey is what happened while the clock was moved.
type Journey struct {
	From  time.Time `json:"from"`
	Now   time.Time `json:"now"`
	Stops []Stop    `json:"stops"`
	// Arrived is false when the journey was cut short: go on with another one.
	Arrived bool `json:"arrived"`
	// Nothing says that Next found nothing for two months.
	Nothing bool `json:"nothing,omitempty"`
}

// Traveller moves the product clock of a demo. It is safe for use by many
// goroutines; one goes at a time.
type Traveller struct {
	db      *postgres.DB
	bus     *postgres.Bus
	clock   *clock.Clock
	log     *slog.Logger
	planner Planner
	workers []Worker

	mu sync.Mutex
	// settled is product time of the last look at which all that was due by
	// then had been offered to the workers; stuck is what they had left.
	settled time.Time
	stuck   int64
}

// NewTraveller makes the traveller over the workers of this process.
func NewTraveller(d *postgres.DB, bus *postgres.Bus, clk *clock.Clock, log *slog.Logger, planner Planner, workers ...Worker) *Traveller {
	return &Traveller{db: d, bus: bus, clock: clk, log: log, planner: planner, workers: append([]Worker{planner}, workers...)}
}

// Advance moves the clock by d and stops at each instant on the way at which
// something is due. Errors: ErrBackwards, ErrTooFar, or the database's.
func (t *Traveller) Advance(ctx context.Context, d time.Duration) (Journey, error) {
	switch {
	case d <= 0:
		return Journey{}, ErrBackwards
	case d > maxLeap:
		return Journey{}, ErrTooFar
	}
	return t.travel(ctx, func(j *Journey) error {
		to := j.From.Add(d)
		for began := t.clock.Wall(); t.clock.Since(began) < maxJourney; {
			if ok, err := t.step(ctx, j, to); err != nil {
				return err
			} else if !ok {
				j.Arrived = true
				return t.move(ctx, to)
			}
		}
		return nil
	})
}

// Next moves the clock to the next instant at which something is done or said,
// whatever the hour: where quiet hours put a message off, that is the morning.
// When nothing happens for two months the journey does not arrive.
func (t *Traveller) Next(ctx context.Context) (Journey, error) {
	return t.travel(ctx, func(j *Journey) error {
		said, err := t.db.LastOutbox(ctx)
		if err != nil {
			return fmt.Errorf("look what was said: %w", err)
		}
		far := j.From.Add(maxSearch)
		for began := t.clock.Wall(); t.clock.Since(began) < maxJourney; {
			ok, err := t.step(ctx, j, far)
			if j.Nothing = !ok; err != nil || !ok {
				return err
			}
			last, err := t.db.LastOutbox(ctx)
			if err != nil {
				return fmt.Errorf("look whether something was said: %w", err)
			}
			if j.Arrived = last > said || j.Stops[len(j.Stops)-1].didSomething(); j.Arrived {
				return nil
			}
		}
		return nil
	})
}

// didSomething reports whether a due row was done; slots alone are housework.
func (s Stop) didSomething() bool {
	for _, h := range s.Happened {
		if !h.slot && h.State == "done" {
			return true
		}
	}
	return false
}

// travel runs a journey between two moments at which all is settled.
func (t *Traveller) travel(ctx context.Context, along func(*Journey) error) (Journey, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	j := Journey{Stops: []Stop{}}
	if _, err := t.settle(ctx); err != nil {
		return j, err
	}
	var err error
	if j.From, err = t.db.ProductNow(ctx); err != nil {
		return j, fmt.Errorf("read the product clock: %w", err)
	}
	if err := along(&j); err != nil {
		return j, err
	}
	if _, err := t.settle(ctx); err != nil {
		return j, err
	}
	if j.Now, err = t.db.ProductNow(ctx); err != nil {
		return j, fmt.Errorf("read the product clock: %w", err)
	}
	return j, nil
}

// step goes to the next instant at which something is due and finishes it. It
// returns false, and goes nowhere, when there is none up to the limit.
func (t *Traveller) step(ctx context.Context, j *Journey, limit time.Time) (bool, error) {
	at, ok, err := t.next(ctx)
	if err != nil || !ok || at.After(limit) {
		return false, err
	}
	s, err := t.stop(ctx, at)
	if err != nil {
		return false, err
	}
	j.Stops = append(j.Stops, s)
	return true, nil
}

// next is the first instant after the last settled one at which a due row or a
// slot wakes up. What is stuck from before does not count.
func (t *Traveller) next(ctx context.Context) (time.Time, bool, error) {
	at, err := t.db.NextDueAfter(ctx, t.settled)
	if err != nil && !errors.Is(err, postgres.ErrNoRows) {
		return at, false, fmt.Errorf("look for what is due next: %w", err)
	}
	found := err == nil
	slot, ok, err := t.planner.Next(ctx)
	if err != nil {
		return at, false, fmt.Errorf("look for the next slot: %w", err)
	}
	if ok && slot.After(t.settled) && (!found || slot.Before(at)) {
		at, found = slot, true
	}
	return at, found, nil
}

// move sets the clock, never backwards: time goes on while work is done.
func (t *Traveller) move(ctx context.Context, to time.Time) error {
	now, err := t.db.ProductNow(ctx)
	if err != nil {
		return fmt.Errorf("read the product clock: %w", err)
	}
	if !to.After(now) {
		return nil
	}
	if err := t.db.SetProductTime(ctx, to); err != nil {
		return err
	}
	t.bus.Wake(gateway.TopicClock)
	return nil
}

// stop goes to an instant and finishes what is due there.
func (t *Traveller) stop(ctx context.Context, at time.Time) (Stop, error) {
	s := Stop{At: at.UTC(), Happened: []Happening{}}
	if err := t.move(ctx, at); err != nil {
		return s, err
	}
	var err error
	if s.Left, err = t.settle(ctx); err != nil {
		return s, err
	}
	rows, err := t.db.HappenedSince(ctx, &at)
	if err != nil {
		return s, fmt.Errorf("read what happened: %w", err)
	}
	for _, r := range rows {
		s.Happened = append(s.Happened, Happening{Kind: r.Kind, State: r.State, Count: r.N, slot: r.Slot})
	}
	return s, nil
}

// settle lets the workers finish all that is due now and returns what is left
// because it does not move. The loops of the process may have taken rows
// themselves, and the senders send: both are waited for.
func (t *Traveller) settle(ctx context.Context) (int64, error) {
	moved := t.clock.Wall()
	before := int64(-1)
	for {
		at, err := t.db.ProductNow(ctx)
		if err != nil {
			return 0, fmt.Errorf("read the product clock: %w", err)
		}
		n := t.work(ctx)
		left, err := t.db.Unsettled(ctx)
		if err != nil {
			return 0, fmt.Errorf("look what is left to do: %w", err)
		}
		if n > 0 || left != before {
			moved, before = t.clock.Wall(), left
		}
		if n == 0 && (left <= t.stuck || t.clock.Since(moved) > patience) {
			t.settled, t.stuck = at, left
			return left, nil
		}
		if n > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return left, ctx.Err()
		case <-time.After(look):
		}
	}
}

// work asks each worker once. What fails is tried again by its own rules, so
// it does not end the journey.
func (t *Traveller) work(ctx context.Context) int {
	total := 0
	for _, w := range t.workers {
		n, err := w.Once(ctx)
		total += n
		if err != nil && ctx.Err() == nil {
			t.log.Warn("something failed while the demo's clock was moved", "error", err)
		}
	}
	return total
}
