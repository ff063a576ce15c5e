package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

func TestOneMessageIsOneTurnHoweverOftenItComes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "报修")
	ev := r.text("li", "楼道灯坏了")
	other := r.another()
	var wg sync.WaitGroup
	for i := range 20 {
		g := r.Gateway
		if i%2 == 1 {
			g = other
		}
		wg.Go(func() {
			if err := g.Sink(t.Context(), []bots.Event{ev}); err != nil {
				t.Errorf("delivery %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	r.want(r.heard("li"), "在什么地方？")
	if n := r.count(`select count(*) from inbox where event_key = $1`, ev.Key); n != 1 {
		t.Fatalf("%d inbox rows, want 1", n)
	}
	if n := r.count(`select count(*) from message where direction = 'in'`); n != 2 {
		t.Fatalf("%d messages kept, want 2", n)
	}
}

func TestTheFirstMessageOfAStrangerDeliveredTwentyTimes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := r.another()
	ev := r.text("new", "报修")
	var wg sync.WaitGroup
	for i := range 20 {
		g := r.Gateway
		if i%2 == 1 {
			g = other
		}
		wg.Go(func() {
			if err := g.Sink(t.Context(), []bots.Event{ev}); err != nil {
				t.Errorf("delivery %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	r.want(r.heard("new"), "请说说是什么事。")
	if n := r.count(`select count(*) from address where user_id = 'new'`); n != 1 {
		t.Fatalf("%d addresses, want 1", n)
	}
}

// A whole report, so that the rows of one turn are seen together.
func TestATurnLeavesEverythingTogether(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.want(r.says("li", "报修"), "请说说是什么事。")
	r.want(r.says("li", "楼道灯坏了"), "在什么地方？")
	r.want(r.says("li", "昌盛小区3栋"), "已受理，编号 1001。")
	if f := r.flow("li"); f != "" {
		t.Fatalf("dialogue %q is still open", f)
	}
	if n := r.count(`select count(*) from trail where kind = 'called'`); n != 1 {
		t.Fatalf("%d trail rows, want 1", n)
	}
	if n := r.count(`select count(*) from inbox where state = 'done'`); n != 3 {
		t.Fatalf("%d inbox rows done, want 3", n)
	}
}

// trouble is each way in which a turn can go wrong under an action.
func trouble() map[string]func(context.Context, *Turn) error {
	return map[string]func(context.Context, *Turn) error{
		"error": broken,
		"panic": func(context.Context, *Turn) error { panic("broken on purpose") },
		"SQL": func(ctx context.Context, t *Turn) error {
			_, err := t.AddTrail(ctx, db.AddTrailParams{Data: []byte("no JSON")})
			return err
		},
		"too slow": func(ctx context.Context, _ *Turn) error { <-ctx.Done(); return ctx.Err() },
		"words that no column takes": func(context.Context, *Turn) error {
			return fmt.Errorf("坏\x00了\xff: %s", strings.Repeat("灯", 200))
		},
	}
}

func TestWhatCannotBeDoneWaitsAndLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, fault := range trouble() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.says("li", "报修")
			r.says("li", "楼道灯坏了")
			before := r.count(`select turn from conversation`)
			r.acts.on("ticket.file", fault)
			usual := r.cfg.TurnTimeout
			if name == "too slow" { // nothing else may fail on a busy machine
				r.cfg.TurnTimeout = 500 * time.Millisecond
			}
			r.want(r.says("li", "昌盛小区3栋"))
			r.cfg.TurnTimeout = usual
			if n := r.count(`select count(*) from trail`); n != 0 {
				t.Fatalf("%d trail rows of a turn that failed", n)
			}
			if n := r.count(`select turn from conversation`); n != before {
				t.Fatalf("turn %d, was %d", n, before)
			}
			if n := r.count(`select count(*) from inbox where state = 'waiting'`); n != 1 {
				t.Fatalf("%d events wait, want 1", n)
			}
			if f := r.flow("li"); f != "report" {
				t.Fatalf("dialogue %q, want report", f)
			}
			r.acts.on("ticket.file", nil)
			r.drain(1)
			r.want(r.heard("li"), fmt.Sprintf("已受理，编号 %d。", 1000+len(r.acts.named("ticket.file"))))
			if n := r.count(`select count(*) from inbox where state = 'done' and event is null`); n != 3 {
				t.Fatalf("%d inbox rows done without their event, want 3", n)
			}
		})
	}
}

func TestLaterEventsJoinBehindAndRunInOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "报修")
	r.says("li", "楼道灯坏了")
	r.acts.on("ticket.file", broken)
	r.says("li", "昌盛小区3栋")
	r.want(r.says("li", "选一选")) // cannot pass
	r.want(r.says("li", "蓝的"))
	r.want(r.says("wang", "选一选"), "选哪一个？") // somebody else is not held up
	r.drain(2)
	if n := r.count(`select count(*) from inbox where state = 'waiting'`); n != 3 {
		t.Fatalf("%d events wait, want 3: the head failed", n)
	}
	if n := r.count(`select max(tries) from inbox`); n != 2 {
		t.Fatalf("%d tries, want 2", n)
	}
	r.acts.on("ticket.file", nil)
	r.drain(3)
	r.want(r.heard("li"), "已受理，编号 1004。", "选哪一个？", "选了蓝的。")
}

func TestADeadLetterHoldsNobodyAndCanBeReplayed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "报修")
	r.says("li", "楼道灯坏了")
	r.acts.on("ticket.file", broken)
	r.says("li", "昌盛小区3栋")
	r.says("li", "人工") // behind it
	r.drain(maxEventTries)
	r.want(r.heard("li"), "对不起，这条没办成。请回“人工”。")
	inbox := r.count(`select id from inbox where state = 'dead'`)
	if got := r.dead.all(); len(got) != 1 || got[0] != postgres.Subject("inbox", inbox) {
		t.Fatalf("the staff heard %q", got)
	}
	r.drain(1)
	// 人工 abandoned the report; what was known went to ticket.file_incomplete.
	r.want(r.heard("li"), "刚才的先记下了，编号 1007。", "请稍等，工作人员来找您。")
	if n := len(r.acts.named("ticket.file_incomplete")); n != 1 {
		t.Fatalf("the report was kept %d times, want 1", n)
	}
	r.acts.on("ticket.file", nil)
	if n, err := r.DB.ReplayDead(t.Context(), inbox); err != nil || n != 1 {
		t.Fatalf("ReplayDead: %d, %v", n, err)
	}
	r.drain(1)
	r.want(r.heard("li"), "您好，有事请直说。") // done, in the dialogue of today
	if n := r.count(`select count(*) from inbox where state <> 'done'`); n != 0 {
		t.Fatalf("%d inbox rows are not done", n)
	}
}

func TestADeadLetterIsGivenUpOnlyWhenTheStaffKnow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.acts.on("desk.call", broken)
	r.says("li", "人工")
	r.dead.err = errBroken
	r.drain(maxEventTries + 2)
	r.want(r.heard("li"))
	if n := r.count(`select count(*) from inbox where state = 'waiting' and tries = $1`, maxEventTries-1); n != 1 {
		t.Fatal("the event was given up although nobody could be told")
	}
	r.dead.err = nil
	r.drain(1)
	r.want(r.heard("li"), "对不起，这条没办成。请回“人工”。")
}

func TestAPoisonedSenderStopsNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.acts.on("desk.call", func(context.Context, *Turn) error { panic("poison") })
	for range 3 {
		r.says("evil", "人工")
	}
	r.acts.on("desk.call", nil)
	r.says("good", "报修")
	r.acts.on("desk.call", func(_ context.Context, t *Turn) error {
		if t.User == "evil" {
			panic("poison")
		}
		return nil
	})
	stop := r.start(NewDrainer(r.Gateway).Run)
	r.want(r.says("good", "人工"), "请稍等，工作人员来找您。")
	r.until("the drainer tried", func() bool { return r.count(`select coalesce(max(tries), 0) from inbox`) > 0 })
	stop()
}

func TestASlowTurnIsPutAsideInTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "您好")
	r.acts.on("desk.call", func(ctx context.Context, _ *Turn) error { <-ctx.Done(); return ctx.Err() })
	begun := r.Clock.Wall()
	r.says("li", "人工")
	if took := r.Clock.Since(begun); took < 2900*time.Millisecond || took > 10*time.Second {
		t.Fatalf("answered after %v, want about 3 s", took)
	}
	if n := r.count(`select count(*) from inbox where state = 'waiting'`); n != 1 {
		t.Fatalf("%d events wait, want 1", n)
	}
}

func TestWithoutADatabaseNothingIsAcknowledged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	g := r.another()
	g.DB.Close()
	err := g.Sink(t.Context(), []bots.Event{r.text("li", "报修")})
	if err == nil || errors.Is(err, ErrRefused) {
		t.Fatalf("Sink said %v, want an error that lets the network deliver again", err)
	}
	if n := r.count(`select count(*) from inbox`); n != 0 {
		t.Fatalf("%d inbox rows", n)
	}
}

func TestADatabaseThatRefusesBothTransactions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "您好")
	r.exec(`create function no() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`)
	r.exec(`create trigger no before insert on inbox for each row execute function no()`)
	ev := r.text("li", "报修")
	if err := r.Sink(t.Context(), []bots.Event{ev}); err == nil {
		t.Fatal("Sink acknowledged what is nowhere")
	}
	r.exec(`drop trigger no on inbox`)
	r.send(ev) // the network delivers again
	r.want(r.heard("li"), "请说说是什么事。")
}

func TestAnEventThatNoNetworkCouldSend(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	good, bad := r.text("li", "报修"), r.text("li", "报修")
	bad.Key = ""
	if err := r.Sink(t.Context(), []bots.Event{good, bad}); !errors.Is(err, ErrRefused) {
		t.Fatalf("Sink said %v, want ErrRefused", err)
	}
	if n := r.count(`select count(*) from inbox`); n != 0 {
		t.Fatal("half of a batch was taken")
	}
}

func TestAWaitingEventThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.acts.on("desk.call", broken)
	r.says("li", "人工")
	r.exec(`update inbox set event = 'cut'`)
	r.drain(maxEventTries)
	r.want(r.heard("li"), "对不起，这条没办成。请回“人工”。")
	if n := r.count(`select count(*) from conversation`); n != 1 {
		t.Fatalf("%d conversations, want 1", n)
	}
}

func TestLeavingMakesAnAddressGoneAndWritingBringsItBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "您好")
	r.send(r.event("li", bots.KindLeave))
	if s := one[string](r, `select state from address`); s != "gone" {
		t.Fatalf("the address is %s after leaving, want gone", s)
	}
	r.says("li", "您好")
	if s := one[string](r, `select state from address`); s != "active" {
		t.Fatalf("the address is %s after writing, want active", s)
	}
}
