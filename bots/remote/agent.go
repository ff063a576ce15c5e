package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
	"shaoying/internal/clock"
)

// ErrReplaced is why an agent ends whose token is not known any more: its owner
// has gone, or has started another one.
var ErrReplaced = errors.New("the gateway has replaced this agent")

// AgentDeps is what an agent stands on.
type AgentDeps struct {
	Clock *clock.Clock
	Log   *slog.Logger
}

// Agent is the half that runs an adapter. Its adapter is made with State and
// Show. It is safe for use by many goroutines.
type Agent struct {
	cfg  Config
	log  *slog.Logger
	door *door

	mu    sync.Mutex
	shown bots.Standing // what the gateway should know
	fresh chan struct{} // holds one while it does not
}

// NewAgent makes the agent of an account that was told how to find the door.
func NewAgent(cfg Config, at Contact, deps AgentDeps) (*Agent, error) {
	if cfg.ID == "" || deps.Clock == nil || deps.Log == nil {
		return nil, errors.New("agent: a channel id, clock and log are needed")
	}
	if err := cfg.Limits.Validate(); err != nil {
		return nil, err
	}
	d, err := newDoor(cfg, at, deps.Clock)
	if err != nil {
		return nil, err
	}
	return &Agent{cfg: cfg, log: deps.Log, door: d, fresh: make(chan struct{}, 1)}, nil
}

// State is the memory of the adapter: the gateway's.
func (a *Agent) State() bots.State { return a.door }

// Show tells the gateway how the account stands. It returns at once; of several
// only the last is told when the gateway is away.
func (a *Agent) Show(s bots.Standing) {
	a.mu.Lock()
	a.shown = s
	a.mu.Unlock()
	select {
	case a.fresh <- struct{}{}:
	default:
	}
}

// Run runs an adapter for the gateway until ctx ends, the gateway does not know
// the agent any more, or the adapter cannot go on.
func (a *Agent) Run(ctx context.Context, adapter bots.Adapter) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer a.door.close()
	var wg sync.WaitGroup
	part := func(what string, f func() error) {
		wg.Go(func() {
			err := f()
			if err == nil && ctx.Err() == nil {
				err = errors.New("it ended by itself")
			}
			if err != nil {
				cancel(fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	part("receive", func() error { return adapter.Run(ctx, a.sink) })
	part("work", func() error { return a.work(ctx, adapter) })
	part("show", func() error { return a.show(ctx) })
	wg.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// sink hands events to the gateway: nil is its word that they are kept.
func (a *Agent) sink(ctx context.Context, events []bots.Event) error {
	return a.door.events(ctx, events)
}

// slowest is the longest pause before the gateway is asked again: it is on this
// machine, and its next life has another door.
const slowest = 2 * time.Second

// show tells how the account stands whenever that is new.
func (a *Agent) show(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.fresh:
		}
		for failures := 0; ctx.Err() == nil; {
			a.mu.Lock()
			s := a.shown
			a.mu.Unlock()
			err := a.door.standing(ctx, s)
			if err == nil {
				break
			}
			if errors.Is(err, ErrReplaced) || errors.Is(err, errRefused) {
				return err
			}
			failures++
			wire.Rest(ctx, failures, slowest)
		}
	}
}

// work asks for jobs and does them, so many at once.
func (a *Agent) work(ctx context.Context, adapter bots.Adapter) error {
	var jobs sync.WaitGroup
	defer jobs.Wait()
	room := make(chan struct{}, a.cfg.Limits.Parallel)
	for failures := 0; ctx.Err() == nil; {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		j, found, err := a.door.job(ctx)
		switch {
		case errors.Is(err, ErrReplaced):
			return err
		case err != nil && ctx.Err() == nil:
			<-room
			failures++
			if failures == 1 {
				a.log.Warn("the gateway cannot be asked for work", "error", err)
			}
			wire.Rest(ctx, failures, slowest)
		case err != nil || !found:
			<-room
			failures = 0
		default:
			failures = 0
			jobs.Go(func() {
				defer func() { <-room }()
				a.do(ctx, adapter, j)
			})
		}
	}
	return nil
}

// do does one job. What is under way when ctx ends has a moment more.
func (a *Agent) do(ctx context.Context, adapter bots.Adapter, j job) {
	within := time.Duration(j.Within) * time.Millisecond
	// The answer has a way to go as well: what the adapter itself says of a time
	// that ran out is worth more than our silence.
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), within-min(within/5, time.Second))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(a.cfg.Limits.Farewell)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-limit.Done():
		}
	})
	defer stop()
	answer, giveUp := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer giveUp()
	if j.Fetch != nil {
		a.fetch(answer, limit, adapter, j)
		return
	}
	r, err := a.send(limit, adapter, *j.Send)
	var out result
	if out.Receipt = r; err != nil {
		out = result{Failure: failed(err)}
	}
	a.answer(ctx, answer, j.Lease, out)
}

// send makes the one call. A panic of the library is an error of this message.
func (a *Agent) send(ctx context.Context, adapter bots.Adapter, s sendJob) (r bots.Receipt, err error) {
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("a send panicked", "kind", fmt.Sprintf("%T", p))
			err = lost("the library panicked while it sent")
		}
	}()
	return adapter.Send(ctx, s.To, s.Message)
}

func (a *Agent) fetch(answer, limit context.Context, adapter bots.Adapter, j job) {
	file, err := open(limit, adapter, *j.Fetch)
	if err != nil {
		a.answer(limit, answer, j.Lease, result{Failure: failed(err)})
		return
	}
	defer file.Close()
	if err := a.door.file(limit, j.Lease, file); err != nil && limit.Err() == nil {
		a.log.Warn("a file did not reach the gateway", "error", err)
	}
}

// answer gives a result to the gateway, again while it is away and somebody
// waits, but not once the agent is to end.
func (a *Agent) answer(living, limit context.Context, lease string, r result) {
	for failures := 1; ; failures++ {
		err := a.door.result(limit, lease, r)
		if err == nil || errors.Is(err, ErrReplaced) || errors.Is(err, errRefused) || errors.Is(err, errGone) || living.Err() != nil {
			return
		}
		if !wire.Rest(limit, failures, slowest) {
			return
		}
	}
}
