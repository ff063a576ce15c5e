package botstest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"shaoying/bots"
)

// errSink is what a failing sink returns.
var errSink = errors.New("the sink failed on purpose")

// Recorder is a sink that takes events as the gateway does: all or none, each
// (channel, key) once, and none that repeats another. It is safe for use by many goroutines.
type Recorder struct {
	mu      sync.Mutex
	rows    []bots.Event
	keys    map[string]bool
	invalid []error
	calls   int
	inside  map[bots.ChatID]int
	overlap bool
	before  func(ctx context.Context, call int, events []bots.Event) error
	changed chan struct{}
}

// NewRecorder returns a recorder that takes everything.
func NewRecorder() *Recorder {
	return &Recorder{keys: map[string]bool{}, inside: map[bots.ChatID]int{}, changed: make(chan struct{})}
}

// Sink takes events. It is a bots.Sink.
func (r *Recorder) Sink(ctx context.Context, events []bots.Event) error {
	call, before := r.enter(events)
	defer r.leave(events)
	if before != nil {
		if err := before(ctx, call, events); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ev := range events {
		key := string(ev.Channel) + "\x00" + ev.Key
		if r.keys[key] || r.repeats(ev) {
			continue
		}
		r.keys[key] = true
		r.rows = append(r.rows, ev)
	}
	r.wake()
	return nil
}

// repeats reports whether an event that may be a copy is one. The suite lasts
// less than bots.RepeatWithin.
func (r *Recorder) repeats(ev bots.Event) bool {
	if ev.Repeat == "" {
		return false
	}
	for key := range r.keys {
		if strings.HasPrefix(key, string(ev.Channel)+"\x00"+ev.Repeat) {
			return true
		}
	}
	return false
}

func (r *Recorder) enter(events []bots.Event) (int, func(context.Context, int, []bots.Event) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	for _, chat := range chats(events) {
		r.inside[chat]++
		r.overlap = r.overlap || r.inside[chat] > 1
	}
	for _, ev := range events {
		if err := ev.Validate(); err != nil {
			r.invalid = append(r.invalid, fmt.Errorf("%s of key %q: %w", ev.Kind, ev.Key, err))
		}
	}
	r.wake()
	return r.calls, r.before
}

func (r *Recorder) leave(events []bots.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, chat := range chats(events) {
		r.inside[chat]--
	}
	r.wake()
}

func chats(events []bots.Event) []bots.ChatID {
	seen := map[bots.ChatID]bool{}
	var out []bots.ChatID
	for _, ev := range events {
		if !seen[ev.Chat] {
			seen[ev.Chat] = true
			out = append(out, ev.Chat)
		}
	}
	return out
}

// wake tells whoever waits that something changed; the lock is held.
func (r *Recorder) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// Before makes f run at the start of each call: what it returns, panics with
// or waits for is what the adapter meets. nil takes everything again.
func (r *Recorder) Before(f func(ctx context.Context, call int, events []bots.Event) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before = f
}

// Rows returns the events taken so far, in the order in which they were.
func (r *Recorder) Rows() []bots.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]bots.Event(nil), r.rows...)
}

// Calls returns how often the sink was called.
func (r *Recorder) Calls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls
}

// Overlapped reports whether two calls ever held events of one chat at once.
func (r *Recorder) Overlapped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.overlap
}

// Invalid returns what bots.Event.Validate said against events.
func (r *Recorder) Invalid() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]error(nil), r.invalid...)
}

// until waits until ok holds, at most for limit, and reports whether it does.
// ok is asked again after every change.
func (r *Recorder) until(limit time.Duration, ok func() bool) bool {
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	for {
		r.mu.Lock()
		changed := r.changed
		r.mu.Unlock()
		if ok() {
			return true
		}
		select {
		case <-changed:
		case <-timeout.C:
			return ok()
		}
	}
}
