package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// plannerPoll is how often the planner looks. Slots are whole minutes.
const plannerPoll = time.Second

// reasonPaused is the reason of slots that came while a schedule was paused.
const reasonPaused = "paused"

// reasonRunning is the reason of a slot that came while the one before was still
// being run: of a digest the latest is enough.
const reasonRunning = "still_running"

// Slot is one time of a schedule that has come and is being run.
type Slot struct {
	Schedule     string
	Nominal, Due time.Time
}

// SlotJob is what the slots of a schedule run. Run does one chunk in one
// transaction of its own, from cursor (empty at first) on, and returns where
// the next chunk begins; the cursor lies in the slot row, so that a restart
// goes on where the last commit was. t speaks to nobody.
type SlotJob struct {
	Name string
	Run  func(ctx context.Context, t *Turn, slot Slot, cursor string) (next string, done bool, err error)
}

// Planner makes the slots of schedules and runs them. Any number of processes
// may run one: the key of a slot decides, not leadership.
//
// Deciding (which slots there are) and running (what a slot does) are separate
// transactions. A slot is claimed with a lease of 60 s that each chunk renews;
// a worker that was overtaken finds the cursor moved and gives up. A chunk that
// fails is tried again when the lease is over, until the slot's NotAfter.
type Planner struct {
	g         *Gateway
	schedules map[string]*scheduler.Planner
	names     []string
	jobs      map[string]SlotJob
}

// NewPlanner compiles the schedules. Each must name a job of jobs.
func NewPlanner(g *Gateway, schedules []scheduler.Schedule, cal *scheduler.Calendar, jobs []SlotJob) (*Planner, error) {
	p := &Planner{g: g, schedules: map[string]*scheduler.Planner{}, jobs: map[string]SlotJob{}}
	for _, j := range jobs {
		p.jobs[j.Name] = j
	}
	for _, s := range schedules {
		if p.jobs[s.Do].Run == nil {
			return nil, fmt.Errorf("schedule %q: no job is called %q", s.Name, s.Do)
		}
		compiled, err := scheduler.NewPlanner(s, cal, g.Quiet)
		if err != nil {
			return nil, err
		}
		p.schedules[s.Name] = compiled
		p.names = append(p.names, s.Name)
	}
	return p, nil
}

// Run works until ctx ends.
func (p *Planner) Run(ctx context.Context) error {
	tick := time.NewTicker(plannerPoll)
	defer tick.Stop()
	for {
		n, err := p.Once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			p.g.Log.Warn("run the planner", "error", err)
		}
		if n > 0 && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Once decides about every slot that has come by now, runs those that are due
// to their ends and returns how many slots it decided or ended. The demo clock
// uses it to drain an instant: 0 without an error means that nothing is left.
func (p *Planner) Once(ctx context.Context) (int, error) {
	decided, err := p.plan(ctx)
	if err != nil {
		return decided, err
	}
	claimed, err := p.g.DB.ClaimSlots(ctx)
	if err != nil {
		return decided, fmt.Errorf("claim slots: %w", err)
	}
	var errs []error
	for _, c := range claimed {
		errs = append(errs, p.run(ctx, c))
	}
	return decided + len(claimed), errors.Join(errs...)
}

// Next returns the instant before which Once has nothing to do; false when
// there are no schedules, or all are paused and nothing is planned.
func (p *Planner) Next(ctx context.Context) (time.Time, bool, error) {
	rows, err := p.g.DB.Schedules(ctx)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read the schedules: %w", err)
	}
	var next time.Time
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for _, r := range rows {
		if s := p.schedules[r.Name]; s != nil && r.PausedAt == nil {
			sooner(s.NextWake(r.LastSlot))
		}
	}
	switch at, err := p.g.DB.NextSlotAt(ctx); {
	case err == nil:
		sooner(at)
	case !errors.Is(err, postgres.ErrNoRows):
		return time.Time{}, false, fmt.Errorf("look for the next slot: %w", err)
	}
	return next, !next.IsZero(), nil
}

// plan decides about the slots of every schedule that may have some.
func (p *Planner) plan(ctx context.Context) (int, error) {
	rows, err := p.g.DB.Schedules(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the schedules: %w", err)
	}
	known := make(map[string]bool, len(rows))
	decided := 0
	for _, r := range rows {
		known[r.Name] = true
		s := p.schedules[r.Name]
		if s == nil || s.NextWake(r.LastSlot).After(r.Now) {
			continue
		}
		n, err := p.decide(ctx, s)
		if err != nil {
			return decided, fmt.Errorf("plan schedule %s: %w", r.Name, err)
		}
		decided += n
	}
	for _, name := range p.names {
		if known[name] {
			continue
		}
		if err := p.g.DB.EnsureSchedules(ctx, p.names); err != nil {
			return decided, fmt.Errorf("note new schedules: %w", err)
		}
		break
	}
	return decided, nil
}

// decide writes the slots of one schedule that have come, in one short
// transaction. Another planner that is at it already is not waited for.
func (p *Planner) decide(ctx context.Context, s *scheduler.Planner) (n int, err error) {
	err = p.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		n = 0
		row, err := tx.LockSchedule(ctx, s.Name)
		if errors.Is(err, postgres.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("lock it: %w", err)
		}
		slots, last := s.Plan(row.LastSlot, row.Now)
		for _, slot := range slots {
			if row.PausedAt != nil && slot.State == scheduler.Planned {
				slot.State, slot.Reason = scheduler.Skipped, reasonPaused
			}
			if row.Running && s.CatchUp.Policy == scheduler.CatchUpLatest && slot.State == scheduler.Planned {
				slot.State, slot.Reason = scheduler.Skipped, reasonRunning
			}
			err := tx.AddSlot(ctx, db.AddSlotParams{
				Schedule: s.Name, NominalAt: slot.Nominal, DueAt: slot.Due, NotAfter: &slot.NotAfter,
				State: string(slot.State), Reason: slot.Reason,
			})
			if err != nil {
				return fmt.Errorf("add a slot: %w", err)
			}
		}
		n = len(slots)
		return tx.AdvanceSchedule(ctx, s.Name, last)
	})
	return n, err
}

// run takes a claimed slot to its end, chunk by chunk.
func (p *Planner) run(ctx context.Context, c db.ClaimSlotsRow) error {
	slot := Slot{Schedule: c.Schedule, Nominal: c.NominalAt, Due: c.DueAt}
	s := p.schedules[slot.Schedule]
	if s == nil {
		err := p.g.DB.EndSlot(ctx, db.EndSlotParams{
			Schedule: slot.Schedule, NominalAt: slot.Nominal, State: "skipped", Reason: "the schedule is gone",
		})
		if err != nil {
			return fmt.Errorf("end a slot of %s: %w", slot.Schedule, err)
		}
		return nil
	}
	for cursor, done := c.Cursor, false; !done && ctx.Err() == nil; {
		var err error
		// A chunk that was begun is finished even while the process stops.
		cursor, done, err = p.chunk(context.WithoutCancel(ctx), slot, p.jobs[s.Do], cursor)
		p.g.Metrics.due(s.Do, err)
		if err != nil {
			return fmt.Errorf("slot %s of %s: %w", slot.Nominal.Format(time.RFC3339), slot.Schedule, err)
		}
	}
	return nil
}

// chunk does one part of a slot in one transaction.
func (p *Planner) chunk(ctx context.Context, slot Slot, job SlotJob, cursor string) (next string, done bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var t *Turn
	err = p.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		t = &Turn{Tx: tx, g: p.g}
		next, done, err = p.inTx(ctx, t, slot, job, cursor)
		return err
	})
	if err != nil {
		return cursor, false, err
	}
	for topic := range t.wake {
		p.g.Bus.Wake(topic)
	}
	return next, done, nil
}

func (p *Planner) inTx(ctx context.Context, t *Turn, slot Slot, job SlotJob, cursor string) (next string, done bool, err error) {
	notAfter, err := t.LockSlot(ctx, slot.Schedule, slot.Nominal, cursor)
	if errors.Is(err, postgres.ErrNoRows) {
		return cursor, true, nil // another worker took it over
	}
	if err != nil {
		return cursor, false, fmt.Errorf("lock it: %w", err)
	}
	if t.Now, err = t.ProductNow(ctx); err != nil {
		return cursor, false, fmt.Errorf("read the clock: %w", err)
	}
	if t.Wall, err = t.DatabaseNow(ctx); err != nil {
		return cursor, false, fmt.Errorf("read the database's clock: %w", err)
	}
	end := func(state, why string) error {
		return t.EndSlot(ctx, db.EndSlotParams{Schedule: slot.Schedule, NominalAt: slot.Nominal, State: state, Reason: why})
	}
	if notAfter != nil && t.Now.After(*notAfter) {
		return cursor, true, end("expired", "not finished before it was too late")
	}
	if next, done, err = job.Run(ctx, t, slot, cursor); err != nil {
		return cursor, false, err
	}
	switch {
	case done:
		return next, true, end("done", "")
	case next == cursor:
		return cursor, false, fmt.Errorf("job %s does not move on from %q", job.Name, cursor)
	}
	return next, false, t.MoveSlot(ctx, slot.Schedule, slot.Nominal, next)
}
