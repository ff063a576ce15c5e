package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/webchat"
	"shaoying/internal/gateway"
)

// poison is the word on which the altered action panics.
const poison = "毒丸"

// alteration is what is changed before the gateway is made.
func alteration(name string) (func(*gateway.Config, *gateway.Deps), error) {
	switch name {
	case "ack-first":
		return adapters(func(a bots.Adapter) bots.Adapter { return ackFirst{a} }), nil
	case "mark-first":
		return adapters(func(a bots.Adapter) bots.Adapter { return markFirst{a, make(chan struct{}, 1)} }), nil
	case "no-limits":
		return noLimits, nil
	case "poison":
		return poisoned, nil
	}
	return nil, fmt.Errorf("KILL_ALTER %q: write ack-first, mark-first, no-limits or poison", name)
}

// adapters wraps every adapter but the page.
func adapters(wrap func(bots.Adapter) bots.Adapter) func(*gateway.Config, *gateway.Deps) {
	return func(_ *gateway.Config, deps *gateway.Deps) {
		for id, a := range deps.Channels {
			if _, page := a.(*webchat.Channel); !page {
				deps.Channels[id] = wrap(a)
			}
		}
	}
}

// ackFirst tells the network "received" before anything is kept: the first
// broken control. What the process has not committed when it is killed is lost.
type ackFirst struct{ bots.Adapter }

func (a ackFirst) Run(ctx context.Context, sink bots.Sink) error {
	return a.Adapter.Run(ctx, later(sink))
}

func (a ackFirst) Handler(sink bots.Sink) http.Handler {
	return a.Adapter.(bots.Webhook).Handler(later(sink))
}

// later takes events into memory and gives them to sink behind the network's
// back, as often as it takes.
func later(sink bots.Sink) bots.Sink {
	return func(ctx context.Context, events []bots.Event) error {
		ctx = context.WithoutCancel(ctx)
		go func() {
			for range 100 {
				if sink(ctx, events) == nil {
					return
				}
				<-time.After(50 * time.Millisecond)
			}
		}()
		return nil
	}
}

// markFirst says that a message was sent when it is taken from the queue, and
// sends it from memory then, one after the other: the second broken control. What
// the process still holds when it is killed is missing.
type markFirst struct {
	bots.Adapter
	sending chan struct{}
}

func (m markFirst) Handler(sink bots.Sink) http.Handler {
	return m.Adapter.(bots.Webhook).Handler(sink)
}

func (m markFirst) Send(_ context.Context, to bots.Address, msg bots.Message) (bots.Receipt, error) {
	go func() {
		m.sending <- struct{}{}
		defer func() { <-m.sending }()
		for range 100 {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			_, err := m.Adapter.Send(ctx, to, msg)
			cancel()
			if err == nil {
				return
			}
			<-time.After(50 * time.Millisecond)
		}
	}()
	return bots.Receipt{ID: "early"}, nil
}

// noLimits lets one sender write, and be written to, as fast as the machine
// goes, so that the order of many messages can be judged in a minute.
func noLimits(cfg *gateway.Config, deps *gateway.Deps) {
	cfg.FloodPerMinute = math.MaxInt32
	adapters(func(a bots.Adapter) bots.Adapter { return unpaced{a} })(cfg, deps)
}

type unpaced struct{ bots.Adapter }

func (u unpaced) Handler(sink bots.Sink) http.Handler { return u.Adapter.(bots.Webhook).Handler(sink) }

func (u unpaced) Caps() bots.Caps {
	caps := u.Adapter.Caps()
	caps.Rate = bots.Rate{}
	return caps
}

// poisoned makes the search for a place panic on one word, as a mistake in an
// action would on some message that nobody thought of.
func poisoned(_ *gateway.Config, deps *gateway.Deps) {
	find := deps.Actions["place.find"]
	deps.Actions["place.find"] = func(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
		if said, ok := args["text"].(string); ok && strings.Contains(said, poison) {
			panic("the poison of a test")
		}
		return find(ctx, t, args)
	}
}
