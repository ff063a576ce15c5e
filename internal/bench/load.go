package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"shaoying/internal/gateway"
)

// fileReserve is how many residents stand ready to file, as a share of the
// turns of the same length: a turn that files takes longer than one that does
// not. When all have filed, the measurement ends before its time.
const fileReserve = 0.6

// poisonEvery is how many healthy messages come for a poisoned one (R13).
const poisonEvery = 100

// turns measures mid-dialogue answers a second of n senders: each says the next
// one when the last was acknowledged.
func (b *bench) turns(ctx context.Context, g *gateway.Gateway, n int) (float64, error) {
	speakers, err := b.stage.residents(ctx, g, n, beginTurn)
	if err != nil {
		return 0, err
	}
	before, err := b.stage.queued(ctx)
	if err != nil {
		return 0, err
	}
	var done atomic.Int64
	start, end := b.clock.Wall(), b.length()
	err = together(speakers, n, func(r *resident) error {
		for b.clock.Since(start) < end {
			if err := r.answer(ctx); err != nil {
				return err
			}
			done.Add(1)
		}
		return nil
	})
	took := b.clock.Since(start)
	if err != nil {
		return 0, err
	}
	return float64(done.Load()) / took.Seconds(), b.stage.held(ctx, before, int(done.Load()))
}

// poisoned measures the turns of n senders while every hundredth message is of
// somebody whose turn panics. What was poisoned waits afterwards, so this is
// the last of the measurements.
func (b *bench) poisoned(ctx context.Context, n int, healthy float64) (float64, error) {
	victims, err := b.stage.residents(ctx, b.stage.shared, int(healthy*b.length().Seconds()/poisonEvery)+n, beginPoison)
	if err != nil {
		return 0, err
	}
	speakers, err := b.stage.residents(ctx, b.stage.shared, n, beginTurn)
	if err != nil {
		return 0, err
	}
	before, err := b.stage.queued(ctx)
	if err != nil {
		return 0, err
	}
	var done, ill atomic.Int64
	start, end := b.clock.Wall(), b.length()
	err = together(speakers, n, func(r *resident) error {
		for b.clock.Since(start) < end {
			if k := int(done.Add(1)); k%poisonEvery == 0 && k/poisonEvery <= len(victims) {
				ill.Add(1)
				if err := victims[k/poisonEvery-1].say(ctx, yes); err != nil {
					return err
				}
			}
			if err := r.answer(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	took := b.clock.Since(start)
	if err != nil {
		return 0, err
	}
	return float64(done.Load()) / took.Seconds(), b.stage.heldBut(ctx, before, int(done.Load()), int(ill.Load()))
}

// files measures tickets filed a second. Every ticket is filed by another
// resident, who was brought to the last question before the clock started:
// one address may not file many in an hour.
func (b *bench) files(ctx context.Context, turns float64) (float64, error) {
	ready := int(turns*b.length().Seconds()*fileReserve) + senders
	speakers, err := b.stage.residents(ctx, b.stage.alone, ready, beginFile)
	if err != nil {
		return 0, err
	}
	before, err := b.stage.queued(ctx)
	if err != nil {
		return 0, err
	}
	var done atomic.Int64
	start, end := b.clock.Wall(), b.length()
	err = together(speakers, senders, func(r *resident) error {
		if b.clock.Since(start) >= end {
			return nil
		}
		if err := r.say(ctx, yes); err != nil {
			return err
		}
		done.Add(1)
		return nil
	})
	took := b.clock.Since(start)
	if err != nil {
		return 0, err
	}
	return float64(done.Load()) / took.Seconds(), b.stage.held(ctx, before, int(done.Load()))
}

// acknowledge offers turns at a rate whatever becomes of them, and measures
// from when each message was due until it was acknowledged.
func (b *bench) acknowledge(ctx context.Context, perSecond float64) (Latency, error) {
	speakers, err := b.stage.residents(ctx, b.stage.shared, crowd, beginTurn)
	if err != nil {
		return Latency{}, err
	}
	before, err := b.stage.queued(ctx)
	if err != nil {
		return Latency{}, err
	}
	plan := arrivals(perSecond, b.length(), uint64(b.stage.made))
	waits := make([]time.Duration, len(plan))
	failed := make([]error, crowd)
	start := b.clock.Wall()
	var wg sync.WaitGroup
	queues := make([]chan int, crowd)
	for i, r := range speakers {
		// Room for all that is due to one resident: the plan never waits.
		queues[i] = make(chan int, len(plan)/crowd+1)
		wg.Go(func() {
			for n := range queues[i] {
				if failed[i] = r.answer(ctx); failed[i] != nil {
					return
				}
				waits[n] = b.clock.Since(start) - plan[n]
			}
		})
	}
	for n, at := range plan {
		if err := sleep(ctx, at-b.clock.Since(start)); err != nil {
			break
		}
		queues[n%crowd] <- n
	}
	for _, q := range queues {
		close(q)
	}
	wg.Wait()
	if err := errors.Join(append(failed, ctx.Err())...); err != nil {
		return Latency{}, err
	}
	return latency(waits, perSecond), b.stage.held(ctx, before, len(plan))
}

// arrivals are random instants at the given rate (a Poisson process), the same
// ones for the same seed.
func arrivals(perSecond float64, length time.Duration, seed uint64) []time.Duration {
	random := rand.New(rand.NewPCG(seed, seed))
	var plan []time.Duration
	for at := 0.0; ; {
		at += random.ExpFloat64() / perSecond
		if at >= length.Seconds() {
			return plan
		}
		plan = append(plan, time.Duration(at*float64(time.Second)))
	}
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// profile writes a CPU profile of one more measurement of turns.
func (b *bench) profile(ctx context.Context) (err error) {
	f, err := os.Create(b.cfg.Profile)
	if err != nil {
		return fmt.Errorf("make the profile: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return fmt.Errorf("start the profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	if _, err := b.turns(ctx, b.stage.shared, crowded); err != nil {
		return fmt.Errorf("profile turns: %w", err)
	}
	return nil
}
