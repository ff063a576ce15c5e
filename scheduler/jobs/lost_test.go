package jobs_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler/jobs"
)

const tg = bots.ChannelID("tg")

// choosy takes what is sent, except to chats that have left.
type choosy struct {
	network
	mu   sync.Mutex
	left map[bots.ChatID]bool
	got  map[bots.ChatID][]bots.Message
}

func (c *choosy) Send(_ context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left[to.Chat] {
		return bots.Receipt{}, &bots.Error{Class: bots.ClassGone, Err: errors.New("blocked")}
	}
	c.got[to.Chat] = append(c.got[to.Chat], m)
	return bots.Receipt{ID: "1"}, nil
}

// to returns what a chat got.
func (c *choosy) to(chat bots.ChatID) (texts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.got[chat] {
		texts = append(texts, m.Text)
	}
	return texts
}

func (c *choosy) leaves(chat bots.ChatID, left bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left[chat] = left
}

// sending gives the rig two networks that send for the rest of the test.
func sending(t testing.TB, r *rig) (page, chat *choosy) {
	t.Helper()
	page, chat = newChoosy(), newChoosy()
	sendingOver(t, r, map[bots.ChannelID]bots.Adapter{web: page, tg: chat})
	return page, chat
}

func newChoosy() *choosy {
	return &choosy{left: map[bots.ChatID]bool{}, got: map[bots.ChatID][]bots.Message{}}
}

// sendingOver is sending with networks of one's own.
func sendingOver(t testing.TB, r *rig, nets map[bots.ChannelID]bots.Adapter) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	maps.Copy(r.Channels, nets)
	for id := range nets {
		c, err := gateway.NewChannel(r.Gateway, id)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := c.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { cancel(); wg.Wait() })
}

// also gives a person a second address.
func (r *rig) also(of, user string) {
	r.exec(`with a as (insert into address (channel, user_id, chat, person_id, trust)
			select 'tg', $2, $2, person_id, 'stable' from address where user_id = $1 returning id)
		insert into conversation (channel, chat, user_id, address_id) select 'tg', $2, $2, id from a`, of, user)
}

// settle runs what is due and waits until everything is sent, until neither
// brings anything new.
func (r *rig) settle() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), limit)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		r.drain()
		busy := one[int64](r, `select (select count(*) from outbox where state in ('queued', 'sending')) + (select count(*) from due where state = 'planned' and due_at <= product_now())`)
		if busy == 0 {
			return
		}
		select {
		case <-ctx.Done():
			r.t.Fatal("the outbox never got empty")
		case <-look.C:
		}
	}
}

// writes sends a text of a user of the second network.
func (r *rig) writes(user, text string) {
	r.t.Helper()
	r.keys++
	ev := bots.Event{
		Key: user + "/" + text, Channel: tg, Chat: bots.ChatID(user), Kind: bots.KindText, Text: text,
		From: bots.Identity{User: bots.UserID(user), Trust: bots.TrustStable},
	}
	if err := r.Sink(r.t.Context(), []bots.Event{ev}); err != nil {
		r.t.Fatal(err)
	}
	r.settle()
}

// A callback reaches the resident where they are, is answered there, and the
// next notice goes to the first address again once it was heard.
func TestACallbackFindsTheResident(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	page, chat := sending(t, r)
	r.also("li", "li-tg")
	id := r.files("li", ticket.Content{})
	r.handles(id)
	page.leaves("li", true)
	r.until("2026-03-04 10:00")
	r.settle()
	asked := chat.to("li-tg")
	if len(asked) == 0 || !strings.Contains(asked[len(asked)-1], "联系过您吗") {
		t.Fatalf("the other address got %q", asked)
	}
	for range 3 {
		r.writes("li-tg", "1"+strings.Repeat(" ", r.keys)) // a key of its own each time
	}
	if state := one[string](r, `select state from ticket where id = $1`, id); state != "closed" {
		t.Fatalf("the ticket is %s; the chat got %q", state, chat.to("li-tg"))
	}
	if n := one[int64](r, `select count(*) from task where kind = 'lost'`); n != 0 {
		t.Errorf("%d tasks though everything was delivered", n)
	}
	page.leaves("li", false)
	r.says("li", "您好")
	second := r.files("li", ticket.Content{})
	r.handles(second)
	before := len(chat.to("li-tg"))
	r.until("2026-03-05 10:00")
	r.settle()
	if got := page.to("li"); len(got) == 0 || !strings.Contains(got[len(got)-1], "联系过您吗") || len(chat.to("li-tg")) != before {
		t.Fatalf("the first address got %q", got)
	}
}

// R16: what no address took is a task that says whom to call about which
// ticket, told once.
func TestWhoCannotBeReachedIsCalled(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	page, _ := sending(t, r)
	id := r.files("li", ticket.Content{})
	r.settle()
	page.leaves("li", true)
	tell := func(key string) {
		r.do("wang", func(ctx context.Context, t *gateway.Turn) error {
			o, err := r.deps.Orders.Load(ctx, t, id, true)
			if err != nil {
				return err
			}
			return r.deps.Orders.Notify(ctx, t, o, key, workorder.NoticeDue{
				Key: "notice.relay", Params: map[string]string{"number": o.Number.Spoken()}, Words: t.Seal(workorder.SealNotice, "我下午到"),
			})
		})
		r.settle()
	}
	tell("one")
	tasks := `select count(*) from task where kind = 'lost' and state = 'open' and role = 'callback_clerk' and ticket_id = $1`
	if n := one[int64](r, tasks, id); n != 1 {
		t.Fatalf("%d tasks", n)
	}
	r.exec(`update address set state = 'active' where user_id = 'li'`)
	tell("two") // lost as well, but the task stands for it
	told := slices.DeleteFunc(page.to("hui"), func(s string) bool { return !strings.Contains(s, "有话没送到") })
	number := one[string](r, `select number from ticket where id = $1`, id)
	if len(told) != 1 || !strings.Contains(strings.ReplaceAll(told[0], " ", ""), number) || strings.Contains(told[0], "下午") {
		t.Fatalf("the clerk was told %q of ticket %s", told, number)
	}
	if n := one[int64](r, `select count(*) from outbox where state = 'failed' and error_class = 'gone'`); n != 2 {
		t.Errorf("%d messages failed, want 2", n)
	}
	// A code that does not arrive is no task: anybody can ask for one to any number.
	r.do("wang", func(ctx context.Context, t *gateway.Turn) error {
		return jobs.Undelivered(r.deps)(ctx, t, gateway.Undelivered{Class: "rejected", Subject: postgres.Subject("address", t.Address)})
	})
	if n := one[int64](r, `select count(*) from task where kind = 'lost'`); n != 1 {
		t.Errorf("%d tasks after a code was lost", n)
	}
	// Now nobody is left to write to: the clerk rings, as before.
	tell("three")
	if n := one[int64](r, tasks, id); n != 2 {
		t.Errorf("%d tasks, want one more, of who has no address", n)
	}
}

// What does not reach a desk is the dispatcher's, and does not go round in
// circles when the dispatcher is not reached either.
func TestStaffWhoCannotBeReached(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	page, _ := sending(t, r)
	r.exec(`update staff set phone = '07991234567' where slug = 'wang'`)
	page.leaves("wang", true)
	page.leaves("pai", true)
	id := r.files("li", ticket.Content{})
	r.settle()
	if n := one[int64](r, `select count(*) from task where kind = 'lost' and role = 'dispatcher' and ticket_id = $1`, id); n != 1 {
		t.Fatalf("%d tasks about the ticket", n)
	}
	if n := one[int64](r, `select count(*) from task where kind = 'lost'`); n != 2 { // the ticket's, and that of the line about it
		t.Fatalf("%d tasks in all, want 2", n)
	}
	var sheet string
	r.do("hui", func(ctx context.Context, t *gateway.Turn) error {
		var sealed []byte
		if err := r.sql.QueryRow(ctx, `select data from task where kind = 'lost' and ticket_id = $1`, id).Scan(&sealed); err != nil {
			return err
		}
		var err error
		sheet, err = t.Open(workorder.SealTask, sealed)
		return err
	})
	for _, want := range []string{`"who":"wang"`, `"phone":"07991234567"`, `"reason":"lost_staff"`, `"class":"gone"`} {
		if !strings.Contains(sheet, want) {
			t.Errorf("%s is missing in %s", want, sheet)
		}
	}
}

// A card that goes to the other chat of its reader lies there, with a handle
// that works.
func TestACardFindsItsReader(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	page, chat := sending(t, r)
	r.also("wang", "wang-tg")
	other := r.files("li", ticket.Content{})
	r.settle()
	r.exec(`update card set conversation_id = (select id from conversation where user_id = 'wang-tg') where ticket_id = $1`, other)
	page.leaves("wang", true)
	id := r.files("li", ticket.Content{})
	r.settle()
	got := chat.to("wang-tg")
	if len(got) != 1 || !strings.Contains(got[0], "2") {
		t.Fatalf("the other chat got %q", got)
	}
	if n := one[int64](r, `select count(*) from card c join conversation v on v.id = c.conversation_id
		where c.ticket_id = $1 and c.closed_at is null and v.user_id = 'wang-tg' and c.handle = 2`, id); n != 1 {
		t.Fatal("the card does not lie in the other chat under its handle")
	}
	if n := one[int64](r, `select count(*) from card where ticket_id = $1 and closed_at is null`, id); n != 1 {
		t.Errorf("the card lies in %d chats", n)
	}
}
