package gateway

import (
	"testing"
	"time"

	"shaoying/bots"
)

// What may go is told before it is claimed, and never more than a quarter of a
// second's worth at once: after a kill all of that is sent again.
func TestPaceTellsWhatMayGo(t *testing.T) {
	now := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	p := newPace(bots.Caps{Rate: bots.Rate{PerSecond: 30, PerChatPerSecond: 1}}, func() time.Time { return now })
	if n, _ := p.room(100); n != 7 {
		t.Fatalf("%d may go at first, want 7", n)
	}
	for i := range 7 {
		if wait := p.wait(bots.ChatID(rune('a'+i)), false); wait > 0 {
			t.Errorf("message %d waits %s", i, wait)
		}
	}
	n, next := p.room(100)
	if n != 0 || next <= 0 || next > time.Second/30+2*time.Millisecond {
		t.Errorf("with an empty bucket %d may go, the next in %s", n, next)
	}
	now = now.Add(next)
	if n, _ := p.room(100); n != 1 {
		t.Errorf("after that time %d may go, want 1", n)
	}
	p.pause(5 * time.Second)
	if n, next := p.room(100); n != 100 || next != 0 {
		t.Errorf("in a pause of 5 s %d are claimed to be put off, the next in %s", n, next)
	}
}

func TestPaceWithoutLimits(t *testing.T) {
	p := newPace(bots.Caps{}, time.Now)
	if n, next := p.room(maxInFlight); n != maxInFlight || next != 0 {
		t.Errorf("%d may go, the next in %s", n, next)
	}
	if wait := p.wait("chat", false); wait > 0 {
		t.Errorf("a message waits %s", wait)
	}
}
