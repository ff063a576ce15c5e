package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// stage is a group of loops that start together and stop together.
type stage struct {
	name string
	run  []func(context.Context) error
}

// runStages starts stages in order and runs until ctx ends or one loop fails.
// Then it stops them in the reverse order, each stage waited for before the
// one below it is told to stop.
func runStages(ctx context.Context, stages []stage) error {
	failed := make(chan error, 1)
	type running struct {
		cancel context.CancelFunc
		wait   func()
	}
	started := make([]running, len(stages))
	for i, s := range stages {
		// A stage outlives the signal: it ends when its turn has come.
		c, cancel := context.WithCancel(context.WithoutCancel(ctx))
		var wg sync.WaitGroup
		for _, f := range s.run {
			wg.Go(func() {
				if err := f(c); err != nil && c.Err() == nil {
					select {
					case failed <- fmt.Errorf("%s: %w", s.name, err):
					default:
					}
				}
			})
		}
		started[i] = running{cancel, wg.Wait}
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	for i := len(started) - 1; i >= 0; i-- {
		started[i].cancel()
		started[i].wait()
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
