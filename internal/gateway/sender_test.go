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

// sender owns the web channel and sends until stop.
func (r *rig) sender() (stop func()) {
	r.t.Helper()
	return r.start(channel(r.t, r.Gateway).Run)
}

func channel(t testing.TB, g *Gateway) *Channel {
	t.Helper()
	c, err := NewChannel(g, web)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (r *rig) outboxEmpty() bool {
	r.t.Helper()
	n, err := r.DB.OutboxPending(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return n == 0
}

// hurry takes the pauses between tries away; they are the database's time.
func (r *rig) hurry() {
	r.exec(`update outbox set not_before = now() - interval '1 second' where state = 'queued'`)
}

// outbox tells what became of the last row of a chat.
func (r *rig) outbox(chat string) (row db.Outbox) {
	r.t.Helper()
	row, err := r.DB.LoadOutbox(r.t.Context(), r.count(`select max(id) from outbox where chat = $1`, chat))
	if err != nil {
		r.t.Fatal(err)
	}
	return row
}

func TestOrderIsKeptInEachChat(t *testing.T) {
	t.Parallel()
	r := pushRig(t, func(c *Config, _ *Deps) { c.FloodPerMinute = 1000 })
	n := 0
	r.net.on(func(context.Context, bots.Address, bots.Message) error {
		r.net.mu.Lock()
		defer r.net.mu.Unlock()
		if n++; n%7 == 0 {
			return &bots.Error{Class: bots.ClassThrottled, Err: errBroken}
		}
		return nil
	})
	stop := r.sender()
	var wg sync.WaitGroup
	for u := range 20 {
		user := bots.UserID(fmt.Sprint("user", u))
		events := make([]bots.Event, 0, 10)
		for i := range 5 {
			events = append(events, r.text(user, "选一选"), r.text(user, fmt.Sprint(1+i%3)))
		}
		wg.Go(func() {
			if err := r.Sink(t.Context(), events); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.until("200 messages are out", func() bool { return r.outboxEmpty() })
	stop()
	for u := range 20 {
		chat := bots.ChatID(fmt.Sprint("user", u))
		want := "选哪一个？|选了帮助。|选哪一个？|选了红的。|选哪一个？|选了蓝的。|选哪一个？|选了帮助。|选哪一个？|选了红的。"
		if got := strings.Join(r.net.to(chat), "|"); got != want {
			t.Errorf("%s got %s", chat, got)
		}
	}
	if len(r.net.all()) != 200 || r.net.most != 1 {
		t.Fatalf("%d sent, at most %d at once in one chat; want 200 and 1", len(r.net.all()), r.net.most)
	}
	if n := r.count(`select count(*) from message where direction = 'out'`); n != 200 {
		t.Fatalf("%d messages kept, want 200", n)
	}
}

// Each class of a failed send, on a free and on a paid channel.
func TestHowEachErrorEnds(t *testing.T) {
	t.Parallel()
	fail := func(e bots.Error) error { e.Err = errBroken; return &e }
	for _, c := range []struct {
		name    string
		paid    bool
		err     error
		fails   int // how often, then it works; 99: always
		state   string
		class   string
		tries   int32
		sends   int // calls of the network
		lost    int
		address string
	}{
		{"works", false, nil, 0, "sent", "", 1, 1, 0, "active"},
		{"temporary, once", false, fail(bots.Error{Class: bots.ClassTemporary}), 1, "sent", "", 2, 2, 0, "active"},
		{"temporary, always", false, fail(bots.Error{Class: bots.ClassTemporary}), 99, "failed", "temporary", 8, 8, 1, "active"},
		{"throttled", false, fail(bots.Error{Class: bots.ClassThrottled, After: time.Millisecond}), 12, "sent", "", 1, 13, 0, "active"},
		{"closed", false, fail(bots.Error{Class: bots.ClassClosed}), 99, "failed", "closed", 1, 1, 1, "active"},
		{"gone", false, fail(bots.Error{Class: bots.ClassGone}), 99, "failed", "gone", 1, 1, 1, "gone"},
		{"rejected", false, fail(bots.Error{Class: bots.ClassRejected}), 99, "failed", "rejected", 1, 1, 1, "active"},
		{"moved", false, fail(bots.Error{Class: bots.ClassMoved, NewChat: "new home"}), 1, "sent", "", 2, 2, 0, "active"},
		{"logged out", false, fail(bots.Error{Class: bots.ClassLoggedOut}), 12, "sent", "", 1, 13, 0, "active"},
		{"unknown, free, once", false, fail(bots.Error{Class: bots.ClassUnknown}), 1, "sent", "", 2, 2, 0, "active"},
		{"unknown, free, always", false, fail(bots.Error{Class: bots.ClassUnknown}), 99, "unknown", "unknown", 3, 3, 1, "active"},
		{"unknown, paid", true, fail(bots.Error{Class: bots.ClassUnknown}), 99, "unknown", "unknown", 1, 1, 0, "active"},
		{"an error of no class", true, errBroken, 99, "unknown", "unknown", 1, 1, 0, "active"},
		{"no answer in time", true, context.DeadlineExceeded, 99, "unknown", "unknown", 1, 1, 0, "active"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(g *Config, _ *Deps) { g.SendTimeout = 2 * time.Second })
			r.net.caps.Paid = c.paid
			r.says("li", "您好")
			sends := 0
			r.net.on(func(ctx context.Context, _ bots.Address, _ bots.Message) error {
				r.net.mu.Lock()
				defer r.net.mu.Unlock()
				if sends++; sends <= c.fails {
					return c.err
				}
				return nil
			})
			stop := r.sender()
			r.until("it ended", func() bool { r.hurry(); return r.outboxEmpty() })
			stop()
			row := r.outbox(one[string](r, `select chat from outbox`))
			if row.State != c.state || row.ErrorClass != c.class || row.Tries != c.tries || sends != c.sends {
				t.Errorf("%s, class %q after %d tries and %d sends; want %s, %q, %d, %d",
					row.State, row.ErrorClass, row.Tries, sends, c.state, c.class, c.tries, c.sends)
			}
			if got := r.lost.all(); len(got) != c.lost || c.lost > 0 && got[0] != c.class {
				t.Errorf("people heard %q, want %d notes", got, c.lost)
			}
			if s := one[string](r, `select state from address`); s != c.address {
				t.Errorf("the address is %s, want %s", s, c.address)
			}
			if c.name == "moved" && len(r.net.to("new home")) != 1 {
				t.Error("nothing came to the new home")
			}
			if c.name == "works" && (row.Receipt == "" || row.SentAt == nil) {
				t.Errorf("no receipt: %+v", row)
			}
		})
	}
}

func TestASendThatHangsIsUnknown(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config, _ *Deps) { c.SendTimeout = 100 * time.Millisecond })
	r.net.caps.Paid = true
	r.says("li", "您好")
	r.net.on(func(ctx context.Context, _ bots.Address, _ bots.Message) error { <-ctx.Done(); return ctx.Err() })
	stop := r.sender()
	r.until("it ended", r.outboxEmpty)
	stop()
	if row := r.outbox("li"); row.State != "unknown" {
		t.Fatalf("the row is %s, want unknown", row.State)
	}
}

func TestAnAdapterThatPanicsStopsNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("evil", "您好")
	r.says("good", "您好")
	r.net.on(func(_ context.Context, to bots.Address, _ bots.Message) error {
		if to.Chat == "evil" {
			panic("broken on purpose")
		}
		return nil
	})
	stop := r.sender()
	r.until("both ended", r.outboxEmpty)
	stop()
	if evil, good := r.outbox("evil").State, r.outbox("good").State; evil != "failed" || good != "sent" {
		t.Fatalf("evil %s, good %s", evil, good)
	}
}

func TestBackoffGrowsAndHasAnEnd(t *testing.T) {
	t.Parallel()
	last := time.Duration(0)
	for tries := range int32(40) {
		d := backoff(tries)
		if d < last || d > 300*time.Second {
			t.Fatalf("backoff(%d) = %v after %v", tries, d, last)
		}
		last = d
	}
	if backoff(1) != 2*time.Second || last != 300*time.Second {
		t.Fatalf("from %v to %v", backoff(1), last)
	}
}

func TestAFailedTryWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "您好")
	r.net.on(func(context.Context, bots.Address, bots.Message) error {
		return &bots.Error{Class: bots.ClassTemporary, Err: errBroken}
	})
	stop := r.sender()
	r.until("it was tried", func() bool { return r.count(`select count(*) from outbox where state = 'queued' and tries = 1`) == 1 })
	stop()
	if s := one[float64](r, `select extract(epoch from not_before - now())::float8 from outbox`); s <= 0.5 || s > 2 {
		t.Fatalf("the next try is in %.1f s, want 2", s)
	}
}

func TestThrottlingPausesTheWholeChannel(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.net.on(func(_ context.Context, to bots.Address, _ bots.Message) error {
		return &bots.Error{Class: bots.ClassThrottled, After: time.Hour, Err: errBroken}
	})
	r.says("li", "您好")
	stop := r.sender()
	r.until("the network said so", func() bool { return r.outbox("li").ErrorClass == "throttled" })
	r.net.on(nil)
	r.says("wang", "您好")
	r.until("the other is put off", func() bool {
		return r.count(`select count(*) from outbox where chat = 'wang' and state = 'queued' and not_before > now() + interval '50 minutes'`) == 1
	})
	stop()
	if n := len(r.net.all()); n != 0 {
		t.Fatalf("%d sent in the pause", n)
	}
	if row := r.outbox("wang"); row.Tries != 0 {
		t.Fatalf("waiting used up %d tries", row.Tries)
	}
}

func TestAShutWindow(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.net.caps.Window = 48 * time.Hour
	r.says("li", "您好")
	stop := r.sender()
	r.until("the reply is out", r.outboxEmpty)
	r.advance(49 * time.Hour)
	r.plan("tell", "li", "a", time.Time{})
	r.due()
	r.until("the push ended", r.outboxEmpty)
	stop()
	if row := r.outbox("li"); row.State != "failed" || row.ErrorClass != "closed" || len(r.net.all()) != 1 {
		t.Fatalf("the push is %s, %s; %d sent", row.State, row.ErrorClass, len(r.net.all()))
	}
}

func TestLateBinding(t *testing.T) {
	t.Parallel()
	fresh := true
	r := pushRig(t, func(_ *Config, d *Deps) {
		d.Fresh["tell"] = func(_ context.Context, tx *postgres.Tx, subject string, version int32) (bool, string, error) {
			if tx == nil || !strings.HasPrefix(subject, "conversation:") {
				return false, "", errors.New("the subject is lost")
			}
			return fresh, "the ticket was withdrawn", nil
		}
	})
	r.says("li", "您好")
	r.plan("tell", "li", "a", time.Time{})
	r.due()
	fresh = false
	stop := r.sender()
	r.until("all ended", r.outboxEmpty)
	stop()
	if row := r.outbox("li"); row.State != "stale" || row.Error != "the ticket was withdrawn" {
		t.Fatalf("the row is %s: %s", row.State, row.Error)
	}
	if n := len(r.net.all()); n != 1 { // the reply, which has no reason to re-read
		t.Fatalf("%d sent, want 1", n)
	}
	if len(r.lost.all()) != 0 {
		t.Fatal("a stale message became a task")
	}
}

func TestAPersonWhoSaidStopGetsNoPush(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "您好")
	r.plan("tell", "li", "a", time.Time{})
	r.due()
	r.exec(`update address set state = 'stopped'`)
	stop := r.sender()
	r.until("all ended", r.outboxEmpty)
	stop()
	if row := r.outbox("li"); row.State != "stale" || len(r.net.all()) != 1 {
		t.Fatalf("the push is %s, %d sent", row.State, len(r.net.all()))
	}
}

// An outcome that cannot be written keeps its row in flight: the chat waits,
// nothing is sent twice, and the other chats go on.
func TestAnOutcomeThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.lost.mu.Lock()
	r.lost.err = errBroken
	r.lost.mu.Unlock()
	r.says("evil", "您好")
	r.says("evil", "您好")
	r.says("good", "您好")
	sends := 0
	r.net.on(func(_ context.Context, to bots.Address, _ bots.Message) error {
		if to.Chat != "evil" {
			return nil
		}
		r.net.mu.Lock()
		defer r.net.mu.Unlock()
		if sends++; sends == 1 {
			return &bots.Error{Class: bots.ClassRejected, Err: errBroken}
		}
		return nil
	})
	stop := r.sender()
	r.until("good is served", func() bool { return r.outbox("good").State == "sent" })
	r.until("the hook was asked again", func() bool { return len(r.lost.all()) > 2 })
	if n := r.count(`select count(*) from outbox where chat = 'evil' and state = 'sending'`); n != 1 {
		t.Fatalf("%d rows in flight, want 1", n)
	}
	r.lost.mu.Lock()
	r.lost.err = nil
	r.lost.mu.Unlock()
	r.until("all ended", r.outboxEmpty)
	stop()
	if sends != 2 {
		t.Fatalf("%d sends for two messages", sends)
	}
}

func TestPhotosAndLongTexts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.net.caps.MaxText = 20
	r.acts.on("desk.call", func(ctx context.Context, t *Turn) error {
		err := t.AddBlob(ctx, db.AddBlobParams{ID: "p1", Kind: "photo", Mime: "image/jpeg", Size: 3, Body: t.g.Keys.Seal([]byte("jpg"), aadBlob)})
		if err != nil {
			return err
		}
		if err := t.SayPhoto("note.told", map[string]string{"what": "看照片"}, "p1"); err != nil {
			return err
		}
		if err := t.SayPhoto("note.told", map[string]string{"what": "照片删了"}, "erased"); err != nil {
			return err
		}
		return t.Say("note.told", map[string]string{"what": strings.Repeat("很长的话。", 10)})
	})
	r.send(r.text("li", "人工"))
	stop := r.sender()
	r.until("all is sent", r.outboxEmpty)
	stop()
	all := r.net.all()
	if all[0].m.Photo == nil || string(all[0].m.Photo.Data) != "jpg" || all[1].m.Photo != nil {
		t.Fatalf("photos: %+v, %+v", all[0].m.Photo, all[1].m.Photo)
	}
	var long string
	for _, d := range all[2 : len(all)-1] {
		if len([]rune(d.text)) > 20 {
			t.Fatalf("a part of %d characters", len([]rune(d.text)))
		}
		long += d.text
	}
	if long != "通知："+strings.Repeat("很长的话。", 10) {
		t.Fatalf("the parts make %q", long)
	}
}

func TestChannelMustExist(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if _, err := NewChannel(r.Gateway, "nowhere"); err == nil {
		t.Fatal("a channel that is not configured was made")
	}
}

// A refusal that is told after its user came back says nothing of today.
func TestARefusalOlderThanTheReturn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		returns bool
		want    string
	}{"who came back": {true, "active"}, "who did not": {false, "gone"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.says("li", "您好")
			var once sync.Once
			r.net.on(func(context.Context, bots.Address, bots.Message) (err error) {
				once.Do(func() {
					if c.returns {
						r.send(r.text("li", "我又来了"))
					}
					err = &bots.Error{Class: bots.ClassGone, Err: errBroken}
				})
				return err
			})
			stop := r.sender()
			r.until("all is sent or given up", r.outboxEmpty)
			stop()
			if got := one[string](r, `select state from address`); got != c.want {
				t.Errorf("the address is %s, want %s", got, c.want)
			}
		})
	}
}
