package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/gateway"
	"shaoying/internal/ticket"
	"shaoying/scheduler/jobs"
)

// account is an Official Account: two days after the last word, five messages, and
// notices that its users agreed to, or not.
type account struct {
	*choosy
	refuses bool
	notices []bots.Message
}

func (*account) Caps() bots.Caps {
	caps := (&network{}).Caps()
	caps.Window, caps.WindowQuota = 48*time.Hour, 5
	return caps
}

func (*account) HasNotice(t bots.Template) bool { return t.Key != "" }

func (a *account) Notice(_ context.Context, _ bots.Address, m bots.Message) (bots.Receipt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refuses {
		return bots.Receipt{}, &bots.Error{Class: bots.ClassClosed, Err: errors.New("43101")}
	}
	a.notices = append(a.notices, m)
	return bots.Receipt{ID: "1"}, nil
}

func (a *account) noticed() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.notices)
}

// One resident over three channels: the page is gone, the account's window is shut.
// A notice asks, the answer opens the window, and the rest is said in it. When the
// user agrees to no notice any more, the telephone gets the question, once.
func TestTheWindowOfAResident(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	page, oa, phone := newChoosy(), &account{choosy: newChoosy()}, newChoosy()
	sendingOver(t, r, map[bots.ChannelID]bots.Adapter{web: page, tg: oa, "sms": phone})
	r.also("li", "li-oa")
	first := r.files("li", ticket.Content{})
	r.handles(first)
	page.leaves("li", true)
	r.until("2026-03-04 10:00")
	r.settle()
	if n := oa.noticed(); n == 0 || len(oa.to("li-oa")) != 0 {
		t.Fatalf("%d notices, and %q", n, oa.to("li-oa"))
	}
	if m := oa.notices[len(oa.notices)-1]; m.Text != "" || m.Template.Key == "" {
		t.Errorf("the notice is %+v", m)
	}
	before := oa.noticed()
	for range 3 {
		r.writes("li-oa", "1"+strings.Repeat(" ", r.keys))
	}
	if state := one[string](r, `select state from ticket where id = $1`, first); state != "closed" {
		t.Fatalf("the ticket is %s; the account said %q", state, oa.to("li-oa"))
	}
	if oa.noticed() != before || len(oa.to("li-oa")) < 3 {
		t.Errorf("in the open window: %d notices, %q", oa.noticed()-before, oa.to("li-oa"))
	}

	r.exec(`with a as (insert into address (channel, user_id, chat, person_id, trust)
			select 'sms', 'li-sms', 'li-sms', person_id, 'verified' from address where user_id = 'li' returning id)
		insert into conversation (channel, chat, user_id, address_id) select 'sms', 'li-sms', 'li-sms', id from a`)
	second := r.files("li", ticket.Content{})
	oa.refuses = true
	r.until("2026-03-09 09:00")
	said := len(oa.to("li-oa"))
	r.handles(second)
	r.until("2026-03-10 10:00")
	r.settle()
	asked := 0
	for _, text := range phone.to("li-sms") {
		if strings.Contains(text, "联系过您吗") {
			asked++
		}
	}
	if asked != 1 || len(oa.to("li-oa")) != said {
		t.Fatalf("the telephone got %q, the account %q", phone.to("li-sms"), oa.to("li-oa")[said:])
	}
	if n := one[int64](r, `select count(*) from task where kind = 'lost'`); n != 0 {
		t.Errorf("%d tasks though everything was delivered", n)
	}
}

// An account that is out is one task of the administrators, with what to do; it ends
// when the account is back, and the next outage is another one.
func TestALoggedOutAccountIsATask(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 21:00")
	tell := func(out bool) {
		r.do("wang", func(ctx context.Context, t *gateway.Turn) error {
			return jobs.LoggedOut(r.deps)(ctx, t, gateway.Account{Channel: "wx-main", Out: out, Scan: true})
		})
		r.drain()
	}
	open := func() int64 {
		return one[int64](r, `select count(*) from task where kind = 'login' and state = 'open' and role = 'admin'`)
	}
	r.hire("root", "admin", "city", "3603")
	r.heard("root")
	tell(false)
	if open() != 0 {
		t.Fatal("a task about an account that is in")
	}
	tell(true)
	tell(true)
	if open() != 1 {
		t.Fatalf("%d tasks", open())
	}
	tell(false)
	if open() != 0 || one[string](r, `select outcome from task where kind = 'login'`) != "back" {
		t.Error("the task does not end by itself")
	}
	tell(true)
	if open() != 1 {
		t.Error("the next outage is told to nobody")
	}
	if got := strings.Join(r.heard("root"), "\n"); !strings.Contains(got, "wx-main") {
		t.Errorf("in the evening the administrator heard %q", got)
	}
}
