package gateway

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
)

// Turns that come at the same time share a transaction: most of what a commit
// costs (the fsync, the round trips, the start of each statement) is then paid
// once for all of them. Nobody waits in order to share. An event that finds a
// free place runs at once, alone; what comes while all places are taken queues,
// and the next place takes the whole queue as one slice.
//
// The events of a slice are not each other's fate. What a turn that fails did is
// undone and its event waits for the Drainer; one whose conversation is new, or
// is locked by another process, goes alone. The others are done without them.
//
// There is no goroutine of its own. The callers that wait in share do the work:
// the first of a slice leads it and hands its place to the first of the next.

const (
	// defaultPlaces is how many shared transactions run at once: while one
	// waits for the disk, another one computes.
	defaultPlaces = 2
	// defaultSlice is how many events share a transaction at most.
	defaultSlice = 64
	// placePatience is how long an event queues before it opens a place beyond
	// the usual ones: a turn that is held up must not hold up the others.
	placePatience = 50 * time.Millisecond
	// morePlaces is how many such places there may be.
	morePlaces = 6
)

// pending is one event whose caller waits in share. Exactly one of alone and
// done is used, once.
type pending struct {
	ev bots.Event
	// lead makes the caller lead a slice that its own event is part of.
	lead chan []*pending
	// alone makes the caller run its event by itself.
	alone chan struct{}
	// done says what became of the event.
	done chan error
}

func newPending(ev bots.Event) *pending {
	return &pending{ev, make(chan []*pending, 1), make(chan struct{}, 1), make(chan error, 1)}
}

// places is the queue before the shared transactions.
type places struct {
	mu             sync.Mutex
	queue          []*pending
	running        int
	usual, longest int
}

// join queues p and returns the slice to lead where a place is free.
func (s *places) join(p *pending) []*pending {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, p)
	return s.open(s.usual)
}

// hurry opens a place beyond the usual ones, if p still queues.
func (s *places) hurry(p *pending) []*pending {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.queue, p) {
		return nil
	}
	return s.open(s.usual + morePlaces)
}

func (s *places) open(limit int) []*pending {
	if s.running >= limit {
		return nil
	}
	s.running++
	return s.cut()
}

// cut takes the next slice from the queue.
func (s *places) cut() []*pending {
	n := min(len(s.queue), s.longest)
	slice := slices.Clone(s.queue[:n])
	s.queue = slices.Delete(s.queue, 0, n)
	return slice
}

// next gives a place on to whoever queues, or closes it.
func (s *places) next() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 || s.running > s.usual {
		s.running--
		return
	}
	slice := s.cut()
	slice[0].lead <- slice
}

// leave takes p out of the queue; false says that it is being run.
func (s *places) leave(p *pending) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.queue, p)
	if i < 0 {
		return false
	}
	s.queue = slices.Delete(s.queue, i, i+1)
	return true
}

// share runs an event, together with others that come at the same time. What
// became of it is certain when share returns.
func (g *Gateway) share(ctx context.Context, ev bots.Event) error {
	p := newPending(ev)
	if slice := g.places.join(p); slice != nil {
		g.lead(ctx, slice)
	}
	late := time.NewTimer(placePatience)
	defer late.Stop()
	over := ctx.Done()
	for {
		select {
		case err := <-p.done:
			return err
		case <-p.alone:
			return g.runAlone(ctx, ev)
		case slice := <-p.lead:
			g.lead(ctx, slice)
		case <-late.C:
			if slice := g.places.hurry(p); slice != nil {
				g.lead(ctx, slice)
			}
		case <-over:
			if g.places.leave(p) {
				return fmt.Errorf("wait for a place: %w", ctx.Err())
			}
			over = nil // a slice has its own limit; what becomes of it is known soon
		}
	}
}

// runAlone does one event in a transaction of its own.
func (g *Gateway) runAlone(ctx context.Context, ev bots.Event) error {
	return postgres.Retry(func() error { return g.run(ctx, ev) })
}

// lead runs a slice, tells everybody in it, and gives the place on.
func (g *Gateway) lead(ctx context.Context, slice []*pending) {
	defer g.places.next()
	if len(slice) == 1 {
		slice[0].done <- g.runAlone(ctx, slice[0].ev)
		return
	}
	// The slice is not only the leader's: it outlives the leader's request.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.cfg.TurnTimeout)
	defer cancel()
	if err := g.together(ctx, slice); err != nil {
		g.Log.Warn("a slice is done one by one", "events", len(slice), "error", errorCode(err))
		for _, p := range slice {
			p.alone <- struct{}{}
		}
	}
}

// together does the turns of a slice in one transaction and tells everybody
// what became of theirs, or that they have to go alone. After an error nothing
// is done and nobody was told.
func (g *Gateway) together(ctx context.Context, slice []*pending) error {
	in := make([]postgres.Incoming, len(slice))
	for i, p := range slice {
		in[i] = incoming(p.ev)
	}
	tx, rows, err := g.DB.BeginSlice(ctx, in)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	turns, failed := make([]*Turn, 0, len(rows)), map[int]error{}
	for i, row := range rows {
		if !row.Fresh {
			continue
		}
		var t *Turn
		if t, failed[i], err = g.tryTurn(ctx, tx, row, slice[i].ev); err != nil {
			return err
		}
		if t != nil {
			turns = append(turns, t)
		}
	}
	if err := g.commit(ctx, tx, turns); err != nil {
		return err
	}
	for i, row := range rows {
		switch {
		case row.ConversationID == 0:
			slice[i].alone <- struct{}{}
			continue
		case !row.Fresh:
			g.Metrics.duplicate(slice[i].ev.Channel)
		case failed[i] != nil:
			g.waits(slice[i].ev, failed[i])
		}
		slice[i].done <- nil
	}
	return nil
}

// tryTurn does one turn of a slice. When it fails its event waits, and the
// transaction goes on for the others; err says that it cannot.
func (g *Gateway) tryTurn(ctx context.Context, tx *postgres.Turn, row postgres.TurnRow, ev bots.Event) (t *Turn, failed, err error) {
	failed, err = tx.Try(ctx, func() (err error) {
		t, err = g.turn(ctx, tx, row, ev)
		return err
	})
	if failed == nil || err != nil {
		return t, failed, err
	}
	sealed, err := g.sealEvent(ev)
	if err != nil {
		return nil, failed, err
	}
	return nil, failed, tx.PutAside(ctx, row.InboxID, sealed, errorCode(failed))
}
