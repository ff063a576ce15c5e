package managed

import (
	"context"
	"time"
)

// watchEvery is how often Run looks after the server.
const watchEvery = time.Second

// Run looks after the server until ctx ends, and starts it again when it has
// crashed or was killed. A start that fails is logged and tried again a second
// later. Any user of the server may run it; they take turns by the start lock.
func (s *Server) Run(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.revive(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.ErrorContext(ctx, "the database server is down and cannot be started", "error", err)
		}
	}
}

// revive starts the server when it does not run.
func (s *Server) revive(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, running := findPostmaster(s.home.data()); running || s.stopped {
		return nil
	}
	starting, err := s.home.startLock(ctx)
	if err != nil {
		return err
	}
	defer starting.release()
	s.cfg.Log.WarnContext(ctx, "the database server is gone; starting it again")
	return s.bringUp(ctx)
}
