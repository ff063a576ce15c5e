package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"strconv"
	"sync"

	"shaoying/bots"
	"shaoying/internal/gateway"
)

// channel is the account that the load comes by. Nobody sends for it, so what
// is measured is the turn and not its delivery.
const channel = bots.ChannelID("bench")

// Words that begin the dialogues, and the answers that keep the first one asking
// for ever.
const (
	beginTurn   = "测速问答"
	beginFile   = "测速工单"
	beginPoison = "测速毒药"
	yes         = "对"
)

// poison is the action that panics.
const poison = "bench.poison"

var answers = []string{"昌盛小区3栋东头路灯下面", "不对"}

// stage is the gateway with the dialogues to be measured, and the residents
// who talk to it.
type stage struct {
	// shared lets turns share transactions, as serve does; alone gives every
	// turn one of its own and runs as many at once as there are senders.
	shared, alone *gateway.Gateway
	made          int
}

// newStage builds gateways on what the product's own stands on. They differ
// from it in four things: the measured dialogues, a channel account that nobody
// sends for, no limit on how fast one resident may write, and no log.
func newStage(ctx context.Context, g *gateway.Gateway) (*stage, error) {
	deps := g.Deps
	var err error
	if deps.Library, err = gateway.LoadLibrary(ctx, deps.DB, dialogues, "file"); err != nil {
		return nil, fmt.Errorf("load the measured dialogues: %w", err)
	}
	deps.Channels = maps.Clone(deps.Channels)
	for _, a := range deps.Channels {
		deps.Channels[channel] = a
		break
	}
	deps.Actions = maps.Clone(deps.Actions)
	deps.Actions[poison] = func(context.Context, *gateway.Turn, map[string]any) (map[string]any, error) { panic(poison) }
	deps.Log = slog.New(slog.DiscardHandler) // each panic would be told with its stack
	s := &stage{}
	if s.shared, err = gateway.New(gateway.Config{FloodPerMinute: math.MaxInt32}, deps); err != nil {
		return nil, err
	}
	s.alone, err = gateway.New(gateway.Config{FloodPerMinute: math.MaxInt32, Places: senders, Slice: 1}, deps)
	return s, err
}

// resident is one who writes. It is used by one goroutine at a time.
type resident struct {
	gateway *gateway.Gateway
	id      string
	said    int
}

// residents makes n that have begun a dialogue with g and are being asked.
func (s *stage) residents(ctx context.Context, g *gateway.Gateway, n int, begin string) ([]*resident, error) {
	all := make([]*resident, n)
	for i := range all {
		s.made++
		all[i] = &resident{gateway: g, id: "bench-" + strconv.Itoa(s.made)}
	}
	return all, together(all, senders, func(r *resident) error { return r.say(ctx, begin) })
}

// together runs f for every resident, so many at a time, and stops at the first
// error.
func together(all []*resident, atOnce int, f func(*resident) error) error {
	next := make(chan *resident)
	failed := make([]error, atOnce)
	stop := make(chan struct{})
	var once sync.Once
	var wg sync.WaitGroup
	for i := range atOnce {
		wg.Go(func() {
			for r := range next {
				if failed[i] = f(r); failed[i] != nil {
					once.Do(func() { close(stop) })
					return
				}
			}
		})
	}
feed:
	for _, r := range all {
		select {
		case next <- r:
		case <-stop:
			break feed
		}
	}
	close(next)
	wg.Wait()
	return errors.Join(failed...)
}

// say gives one message to the gateway and returns when it is acknowledged.
func (r *resident) say(ctx context.Context, text string) error {
	r.said++
	return r.gateway.Sink(ctx, []bots.Event{{
		Key: r.id + "/" + strconv.Itoa(r.said), Channel: channel, Chat: bots.ChatID(r.id), Kind: bots.KindText, Text: text,
		From: bots.Identity{User: bots.UserID(r.id), Trust: bots.TrustSession},
	}})
}

// answer says what keeps the dialogue of turns going.
func (r *resident) answer(ctx context.Context) error {
	return r.say(ctx, answers[(r.said-1)%len(answers)])
}

// queued is how many replies lie in the outbox; each measured answer adds one.
func (s *stage) queued(ctx context.Context) (int64, error) {
	n, err := s.shared.DB.OutboxPending(ctx)
	if err != nil {
		return 0, fmt.Errorf("count the outbox: %w", err)
	}
	return n, nil
}

// held proves that n answers since before were really done: each queued its
// reply and none was put aside.
func (s *stage) held(ctx context.Context, before int64, n int) error {
	return s.heldBut(ctx, before, n, 0)
}

// heldBut is held where so many others were put aside.
func (s *stage) heldBut(ctx context.Context, before int64, n, aside int) error {
	after, err := s.queued(ctx)
	if err != nil {
		return err
	}
	inbox, err := s.shared.DB.InboxCounts(ctx)
	if err != nil {
		return fmt.Errorf("count the inbox: %w", err)
	}
	if inbox.Waiting != int64(aside) || inbox.Dead != 0 || after-before != int64(n) {
		return fmt.Errorf("%d answers queued %d replies, %d wait and %d were given up: this is no figure; see the log",
			n, after-before, inbox.Waiting, inbox.Dead)
	}
	return nil
}
