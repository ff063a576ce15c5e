package gateway

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"shaoying/bots"
)

// slice makes pending events of users who were heard before.
func (r *rig) slice(words string, users ...bots.UserID) []*pending {
	r.t.Helper()
	var slice []*pending
	for _, u := range users {
		slice = append(slice, newPending(r.text(u, words)))
	}
	return slice
}

// known lets users be heard once, so that their conversations are there.
func (r *rig) known(users ...bots.UserID) {
	r.t.Helper()
	for _, u := range users {
		r.says(u, "您好")
	}
}

// told is what became of a pending event: "done", "alone" or "".
func told(p *pending) string {
	select {
	case err := <-p.done:
		if err != nil {
			return err.Error()
		}
		return "done"
	case <-p.alone:
		return "alone"
	default:
		return ""
	}
}

func (r *rig) wantTold(slice []*pending, want ...string) {
	r.t.Helper()
	for i, p := range slice {
		if got := told(p); got != want[i] {
			r.t.Errorf("event %d of the slice was told %q, want %q", i, got, want[i])
		}
	}
}

func TestASliceIsOneTransaction(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.known("a", "b", "c")
	slice := r.slice("报修", "a", "b", "c", "new")
	if err := r.together(t.Context(), slice); err != nil {
		t.Fatal(err)
	}
	r.wantTold(slice, "done", "done", "done", "alone")
	for _, u := range []bots.UserID{"a", "b", "c"} {
		r.want(r.heard(u), "请说说是什么事。")
		if r.flow(u) != "report" {
			t.Errorf("%s is in dialogue %q", u, r.flow(u))
		}
	}
	const keys = `event_key in ($1, $2, $3)`
	if n := r.count(`select count(distinct xmin::text) from inbox where `+keys, slice[0].ev.Key, slice[1].ev.Key, slice[2].ev.Key); n != 1 {
		t.Errorf("%d transactions for one slice", n)
	}
	if n := r.count(`select count(*) from inbox where event_key = $1`, slice[3].ev.Key); n != 0 {
		t.Error("an event that was told to go alone left a row")
	}
	again := []*pending{newPending(slice[0].ev), newPending(r.text("b", "楼道灯坏了"))}
	if err := r.together(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	r.wantTold(again, "done", "done")
	r.want(r.heard("a")) // it was taken before
	r.want(r.heard("b"), "在什么地方？")
}

// A conversation that another process holds is left out; nobody waits for it.
func TestASliceWaitsForNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.known("a", "b")
	tx, err := r.sql.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	if _, err := tx.Exec(t.Context(), `select 1 from conversation where user_id = 'a' for no key update`); err != nil {
		t.Fatal(err)
	}
	slice := r.slice("报修", "a", "b")
	if err := r.together(t.Context(), slice); err != nil {
		t.Fatal(err)
	}
	r.wantTold(slice, "alone", "done")
}

// What a turn that fails had written is undone; its event waits, and those
// beside it are done as if it were not there.
func TestATurnThatFailsIsNotTheOthersFate(t *testing.T) {
	t.Parallel()
	for name, fault := range trouble() {
		if name == "too slow" {
			continue // that is the whole slice's: see the next test
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.known("a", "evil", "c")
			r.acts.on("desk.call", func(ctx context.Context, turn *Turn) error {
				if turn.User == "evil" {
					return fault(ctx, turn)
				}
				return nil
			})
			slice := r.slice("人工", "a", "evil", "c")
			if err := r.together(t.Context(), slice); err != nil {
				t.Fatal(err)
			}
			r.wantTold(slice, "done", "done", "done")
			if n := r.count(`select count(*) from trail`); n != 2 {
				t.Errorf("%d trail rows of two turns that were done", n)
			}
			if n := r.count(`select count(*) from inbox where state = 'waiting' and event is not null and error <> ''`); n != 1 {
				t.Errorf("%d events wait, want 1", n)
			}
			for _, u := range []bots.UserID{"a", "c"} {
				r.want(r.heard(u), "请稍等，工作人员来找您。")
			}
			r.want(r.heard("evil"))
			r.acts.on("desk.call", nil)
			r.drain(1)
			r.want(r.heard("evil"), "请稍等，工作人员来找您。")
		})
	}
}

// A slice whose connection is lost, or whose time is over, leaves nothing and
// everybody goes alone.
func TestASliceThatFailsIsDoneOneByOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.known("a", "slow", "c")
	r.cfg.TurnTimeout = 300 * time.Millisecond // for the slice alone: a busy machine takes longer to let people in
	const rows = `select (select count(*) from inbox) + (select count(*) from outbox) + (select count(*) from trail)`
	before := r.count(rows)
	r.acts.on("desk.call", func(ctx context.Context, turn *Turn) error {
		if turn.User == "slow" {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	slice := r.slice("人工", "a", "slow", "c")
	r.places.running = 1 // lead gives its place back
	r.lead(t.Context(), slice)
	r.wantTold(slice, "alone", "alone", "alone")
	if n := r.count(rows); n != before {
		t.Errorf("%d rows stayed", n-before)
	}
	if r.places.running != 0 {
		t.Errorf("%d places are taken", r.places.running)
	}
}

// A turn that is held up opens the way for the others after a moment.
func TestAHeldUpTurnHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config, _ *Deps) { c.Places = 1 })
	r.known("slow", "a", "b")
	began, let := make(chan struct{}), make(chan struct{})
	r.acts.on("desk.call", func(context.Context, *Turn) error { close(began); <-let; return nil })
	var wg sync.WaitGroup
	wg.Go(func() { r.Sink(t.Context(), []bots.Event{r.text("slow", "人工")}) })
	<-began
	r.want(r.says("a", "报修"), "请说说是什么事。")
	r.want(r.says("b", "报修"), "请说说是什么事。")
	r.want(r.heard("slow"))
	close(let)
	wg.Wait()
	r.want(r.heard("slow"), "请稍等，工作人员来找您。")
}

func TestWhoLeavesTheQueueIsPutAside(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config, _ *Deps) { c.Places = 1 })
	r.known("a")
	r.places.running = 1 + morePlaces // every place is taken
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.share(ctx, r.text("a", "报修")); !errors.Is(err, context.Canceled) {
		t.Fatalf("share said %v", err)
	}
	if len(r.places.queue) != 0 {
		t.Error("it still queues")
	}
}

// Whatever comes at once, with poison in it: each message ends once, in the
// order of its sender, and no place and no connection is lost.
func TestManyAtOnceEndOnceEachAndInOrder(t *testing.T) {
	t.Parallel()
	const users, messages = 24, 12
	r := newRig(t, func(c *Config, _ *Deps) { c.FloodPerMinute = 1000 })
	r.acts.on("desk.call", func(context.Context, *Turn) error { panic("poison") })
	random := rand.New(rand.NewPCG(1, 2))
	var wg sync.WaitGroup
	var poisoned int64
	for u := range users {
		user := bots.UserID(fmt.Sprintf("u%d", u))
		var events []bots.Event
		for i := range messages {
			ev := r.text(user, fmt.Sprintf("第%d句", i))
			if u%8 == 0 && random.IntN(6) == 0 {
				ev.Text = "人工"
				poisoned++
			}
			events = append(events, ev)
		}
		wg.Go(func() {
			for _, ev := range events {
				for range 1 + u%2 { // some networks deliver twice
					if err := r.Sink(t.Context(), []bots.Event{ev}); err != nil {
						t.Errorf("%s: %v", ev.Key, err)
					}
				}
			}
		})
	}
	wg.Wait()
	if n := r.count(`select count(*) from inbox`); n != users*messages {
		t.Errorf("%d inbox rows, want %d", n, users*messages)
	}
	if n := r.count(`select count(*) from (select conversation_id, count(*) from inbox where state = 'waiting' group by 1) w`); n == 0 || poisoned == 0 {
		t.Error("no poison was met; the test shows nothing")
	}
	if n := r.count(`select count(*) from inbox i where state = 'done' and exists
		(select 1 from inbox w where w.conversation_id = i.conversation_id and w.state = 'waiting' and w.id < i.id)`); n != 0 {
		t.Errorf("%d events passed one that waits", n)
	}
	if n := r.count(`select count(*) from (
		select regexp_replace(event_key, '.*-', '')::int as k, lag(regexp_replace(event_key, '.*-', '')::int) over (partition by conversation_id order by id) as before
		from inbox) o where before > k`); n != 0 {
		t.Errorf("%d inversions", n)
	}
	if r.places.running != 0 || len(r.places.queue) != 0 {
		t.Errorf("%d places are taken, %d events queue", r.places.running, len(r.places.queue))
	}
	r.until("all connections are back", func() bool { return r.DB.Free() == 6 })
}
