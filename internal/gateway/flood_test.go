package gateway

import (
	"testing"
	"time"

	"shaoying/bots"
)

const slowDown = "您发得太快了，请过一分钟再发。"

func TestAFloodIsKeptNotRunAndAnsweredOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 20 {
		r.want(r.says("li", "唉"), "您好，有事请直说。")
	}
	r.want(r.says("li", "报修"), slowDown) // the 21st
	for range 5 {
		r.want(r.says("li", "报修"))
	}
	if f := r.flow("li"); f != "" {
		t.Fatalf("dialogue %q was begun in a flood", f)
	}
	if n := r.count(`select count(*) from inbox where state = 'refused' and error = 'flood'`); n != 6 {
		t.Fatalf("%d refused, want 6", n)
	}
	if n := r.count(`select count(*) from message where direction = 'in'`); n != 26 {
		t.Fatalf("%d messages kept, want all 26", n)
	}
	r.want(r.says("wang", "报修"), "请说说是什么事。") // somebody else's minute

	// A new process knows of it.
	r.Gateway = r.another()
	r.want(r.says("li", "报修"))

	// The minute is the database's own, which only time can end.
	r.exec(`update conversation set flood_at = flood_at - interval '61 seconds'`)
	r.want(r.says("li", "报修"), "请说说是什么事。")
}

func TestTheDemoClockDoesNotEndAFlood(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config, _ *Deps) { c.FloodPerMinute = 2 })
	r.says("li", "唉")
	r.says("li", "唉")
	r.want(r.says("li", "唉"), slowDown)
	r.advance(2 * time.Hour)
	r.want(r.says("li", "唉"))
}

func TestAFloodThatWaitedIsRefusedToo(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config, _ *Deps) { c.FloodPerMinute = 3 })
	r.says("li", "唉")
	r.acts.on("desk.call", broken)
	r.says("li", "人工")
	for range 4 {
		r.says("li", "唉") // join behind
	}
	r.acts.on("desk.call", nil)
	r.drain(8)
	if n := r.count(`select count(*) from inbox where state = 'refused' and error = 'flood' and event is null`); n != 3 {
		t.Fatalf("%d refused, want 3", n)
	}
	if n := r.count(`select count(*) from inbox where state = 'waiting'`); n != 0 {
		t.Fatalf("%d still wait", n)
	}
}

func TestTapsCountInAFlood(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config, _ *Deps) { c.FloodPerMinute = 2 })
	q := r.says("li", "选一选")
	r.taps("li", "x")
	r.want(r.taps("li", q[0].Choices[2].Data), slowDown)
	if n := r.count(`select count(*) from inbox where state = 'refused' and kind = $1`, string(bots.KindChoice)); n != 1 {
		t.Fatalf("%d taps refused, want 1", n)
	}
}
