package gateway

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shaoying/bots"
)

// paid is a network that wants money and can be asked.
type paid struct {
	*network
	// answer is what it says when it is asked; nil knows nothing.
	answer func(key string, r bots.Receipt) (bots.Report, error)
	asked  []string
}

// Parts bills 40 characters a part.
func (p *paid) Parts(m bots.Message) int { return (len([]rune(m.Text)) + 39) / 40 }

func (p *paid) Settle(_ context.Context, _ bots.Address, key string, r bots.Receipt, _ time.Time) (bots.Report, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, key)
	if p.answer == nil {
		return bots.Report{}, bots.ErrNoReport
	}
	return p.answer(key, r)
}

// paidRig is a rig whose web channel costs money, and whose people may also be
// known on Telegram.
func paidRig(t testing.TB, change ...func(*Config, *Deps)) (*manyRig, *paid) {
	var p *paid
	m := newManyRig(t, append([]func(*Config, *Deps){func(_ *Config, d *Deps) {
		p = &paid{network: d.Channels[web].(*network)}
		p.caps.Paid = true
		d.Channels[web] = p
	}}, change...)...)
	return m, p
}

// reports gives the gateway what the network says of a message.
func (m *manyRig) reports(user bots.UserID, r bots.Report) {
	m.t.Helper()
	ev := m.event(user, bots.KindReport)
	ev.Report = &r
	m.send(ev)
}

// settleAll writes the reports that are there.
func (m *manyRig) settleAll() { m.posts[web].report(m.t.Context()) }

// greet lets a user in and forgets what was said.
func (m *manyRig) greet(users ...bots.UserID) {
	m.t.Helper()
	for _, u := range users {
		m.says(u, "您好")
	}
	m.flush()
	m.exec(`delete from outbox`)
	m.exec(`delete from spend`)
	m.nets[web].mu.Lock()
	m.nets[web].sent = nil
	m.nets[web].mu.Unlock()
}

func TestAReportIsNoTurn(t *testing.T) {
	t.Parallel()
	m, _ := paidRig(t)
	m.greet("li")
	before := m.count(`select (select count(*) from inbox) + (select count(*) from message) + (select sum(turn)::bigint from conversation)`)
	ev := m.event("li", bots.KindReport)
	ev.Report = &bots.Report{ID: "x", State: bots.ReportDelivered, Code: "DELIVRD"}
	if err := m.Sink(t.Context(), []bots.Event{ev, ev, m.text("li", "您好"), ev}); err != nil {
		t.Fatal(err)
	}
	if n := m.count(`select count(*) from report`); n != 1 {
		t.Errorf("%d reports kept of one that came three times", n)
	}
	after := m.count(`select (select count(*) from inbox) + (select count(*) from message) + (select sum(turn)::bigint from conversation)`)
	if after != before+3 { // the text alone: inbox row, message, turn
		t.Errorf("%d rows and turns, want 3", after-before)
	}
}

// Whatever the order: an answer or none, reports before and after it, twice, in
// any order, a process killed between. A row never goes back, the first final
// report stands, and nobody is written to twice.
func TestReportsInAnyOrder(t *testing.T) {
	t.Parallel()
	m, _ := paidRig(t)
	post := m.posts[web]
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 1))
	var users []bots.UserID
	for i := range 150 {
		users = append(users, bots.UserID(fmt.Sprint("u", i)))
	}
	m.greet(users...)
	for i, user := range users {
		m.says(user, "您好")
		answer := rnd.IntN(3) // taken, unknown, killed before the answer
		var said []bots.ReportState
		byKey := rnd.IntN(2) == 0 || answer == 2
		trace := fmt.Sprintf("seed %d, %s, answer %d, by key %v:", seed, user, answer, byKey)
		id := m.count(`select max(id) from outbox where chat = $1`, string(user))
		r := bots.Report{ID: fmt.Sprint("id-", i)}
		if byKey {
			r.Key = fmt.Sprint(id, "/0")
		}
		m.nets[web].on(func(context.Context, bots.Address, bots.Message) error {
			if answer == 1 {
				return &bots.Error{Class: bots.ClassUnknown, Err: errBroken}
			}
			return nil
		})
		rank := map[string]int{"": 0, "buffered": 1, "delivered": 2, "failed": 2}
		last := ""
		check := func() {
			now := m.outbox(string(user))
			if rank[now.Report] < rank[last] || rank[last] == 2 && now.Report != last {
				t.Fatalf("%s the report went from %q to %q", trace, last, now.Report)
			}
			last = now.Report
		}
		var batch []outcome
		steps := []string{"claim", "mark"}
		for range rnd.IntN(5) {
			steps = slices.Insert(steps, rnd.IntN(len(steps)+1), "report")
		}
		for range rnd.IntN(3) {
			steps = slices.Insert(steps, rnd.IntN(len(steps)+1), "write")
		}
		for _, step := range steps {
			trace += " " + step
			switch step {
			case "claim":
				rows, err := m.DB.ClaimOutbox(t.Context(), post.epoch, string(web), 1)
				if err != nil || len(rows) != 1 {
					t.Fatalf("%s claimed %d, %v", trace, len(rows), err)
				}
				if batch = post.deliver(t.Context(), rows); answer == 0 {
					batch[0].receipt = r.ID
				}
			case "mark":
				if answer == 2 { // the next owner finds the row
					m.exec(`update outbox set epoch = epoch - 1 where id = $1`, id)
					rows, err := m.DB.ClaimOutbox(t.Context(), post.epoch, string(web), 1)
					if err != nil || len(rows) != 1 {
						t.Fatalf("%s claimed %d, %v", trace, len(rows), err)
					}
					batch = post.deliver(t.Context(), rows)
				}
				if left := post.markAll(t.Context(), post.epoch, batch); len(left) > 0 {
					t.Fatalf("%s not marked", trace)
				}
			case "report":
				r.State = []bots.ReportState{bots.ReportBuffered, bots.ReportDelivered, bots.ReportFailed}[rnd.IntN(3)]
				said = append(said, r.State)
				trace += " " + string(r.State)
				for range 1 + rnd.IntN(2) {
					m.reports(user, r)
				}
			case "write":
				m.settleAll()
			}
			check()
		}
		m.settleAll()
		m.reports(user, bots.Report{ID: r.ID, Key: fmt.Sprint(id, "/0"), State: bots.ReportBuffered}) // late: it changes nothing
		said = append(said, bots.ReportBuffered)
		m.settleAll()
		check()
		want := bots.ReportBuffered
		if final := slices.IndexFunc(said, func(s bots.ReportState) bool { return s != bots.ReportBuffered }); final >= 0 {
			want = said[final]
		}
		row, state := m.outbox(string(user)), "sent"
		if want == bots.ReportFailed {
			state = "failed"
		}
		if row.Report != string(want) || row.State != state {
			t.Fatalf("%s ended %s, reported %q; want %s, %q", trace, row.State, row.Report, state, want)
		}
		if n := m.count(`select count(*) from message where outbox_id = $1`, id); state == "sent" && n != 1 {
			t.Fatalf("%s kept %d messages", trace, n)
		}
		if n := m.count(`select count(*) from due where kind = $1 and subject = $2 and state = 'planned'`, KindSettle, outboxSubject(id)); n != 0 {
			t.Fatalf("%s: somebody still asks", trace)
		}
		if n := len(m.nets[web].to(bots.ChatID(user))); answer == 0 && n != 1 || n > 1 {
			t.Fatalf("%s sent %d times", trace, n)
		}
	}
	if n := m.count(`select count(*) from report`); n != 0 {
		t.Errorf("%d reports left", n)
	}
}

// What an unknown outcome comes to: a report, an answer of the network, a task.
func TestHowAnUnknownOutcomeIsSettled(t *testing.T) {
	t.Parallel()
	m, net := paidRig(t)
	delivered := func(string, bots.Receipt) (bots.Report, error) {
		return bots.Report{State: bots.ReportDelivered, Code: "DELIVRD"}, nil
	}
	failed := func(string, bots.Receipt) (bots.Report, error) {
		return bots.Report{State: bots.ReportFailed, Code: "UNDELIV 001"}, nil
	}
	broken := func(string, bots.Receipt) (bots.Report, error) { return bots.Report{}, errBroken }
	nothing := func() {}
	for i, c := range []struct {
		name   string
		answer func(string, bots.Receipt) (bots.Report, error)
		before func() // the first time it is asked
		asked  int
		state  string
		lost   int
	}{
		{"a report by id that is not ours", nil, func() { m.reports("u0", bots.Report{ID: "foreign", State: bots.ReportDelivered}) }, 0, "sent", 0},
		{"a report of failure", nil, func() { m.reports("u1", bots.Report{ID: "foreign", State: bots.ReportFailed}) }, 0, "failed", 1},
		{"the network says delivered", delivered, nothing, 1, "sent", 0},
		{"the network says failed", failed, nothing, 1, "failed", 1},
		{"the network knows nothing", nil, nothing, 3, "unknown", 1},
		{"the network cannot be asked", broken, nothing, 3, "unknown", 1},
	} {
		user := bots.UserID(fmt.Sprint("u", i))
		m.greet(user)
		lost := len(m.lost.all())
		net.answer, net.asked = c.answer, nil
		m.says(user, "您好")
		m.fails(web, bots.ClassUnknown)
		m.posts[web].once(t)
		m.nets[web].on(nil)
		if row := m.outbox(string(user)); row.State != "unknown" || len(m.lost.all()) != lost {
			t.Fatalf("%s: %s, people heard %q", c.name, row.State, m.lost.all()[lost:])
		}
		c.before()
		m.settleAll()
		for _, step := range []time.Duration{11 * time.Minute, 50 * time.Minute, 5 * time.Hour, 19 * time.Hour, 24 * time.Hour} {
			m.advance(step)
			m.due()
			if _, err := m.posts[web].ask(t.Context(), net); err != nil {
				t.Fatal(err)
			}
			m.settleAll()
			m.settleAll()
		}
		row := m.outbox(string(user))
		if row.State != c.state || len(net.asked) != c.asked || len(m.lost.all())-lost != c.lost {
			t.Errorf("%s: %s, asked %d times, people heard %q; want %s, %d, %d",
				c.name, row.State, len(net.asked), m.lost.all()[lost:], c.state, c.asked, c.lost)
		}
		if len(net.asked) > 0 && net.asked[0] != fmt.Sprint(row.ID, "/0") {
			t.Errorf("%s: asked about %q", c.name, net.asked[0])
		}
		if n := len(m.nets[web].to(bots.ChatID(user))); n != 0 {
			t.Errorf("%s: sent %d times again", c.name, n)
		}
		// What comes after all that is written down, and tells nobody again.
		m.reports(user, bots.Report{ID: "late", Key: fmt.Sprint(row.ID, "/0"), State: bots.ReportDelivered})
		m.settleAll()
		if late := m.outbox(string(user)); len(m.lost.all())-lost != c.lost || c.state == "unknown" && late.State != "sent" {
			t.Errorf("%s: %s after a late report, people heard %q", c.name, late.State, m.lost.all()[lost:])
		}
	}
}

// A report that names nothing of ours is only about an unknown outcome where
// there is one, and no answer is awaited there.
func TestAReportThatNamesNothing(t *testing.T) {
	t.Parallel()
	m, _ := paidRig(t)
	m.greet("li", "wang")
	m.fails(web, bots.ClassUnknown)
	m.says("li", "您好")
	m.says("wang", "您好")
	m.says("wang", "您好")
	m.flush()
	m.reports("wang", bots.Report{ID: "foreign", State: bots.ReportDelivered})
	m.settleAll()
	if got := m.ends(); !slices.Equal(got, []string{"web:unknown", "web:unknown", "web:unknown"}) {
		t.Fatalf("which of two it was about was guessed: %q", got)
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(Waiting(m.DB, web, true, m.Log)...)
	m.exec(`update outbox set sent_at = now() - interval '2 minutes' where chat = 'li'`)
	families, err := reg.Gather()
	if err != nil || len(families) != 3 {
		t.Fatalf("%d gauges, %v", len(families), err)
	}
	for _, f := range families {
		v := f.GetMetric()[0].GetGauge().GetValue()
		if least := map[string]float64{"shaoying_oldest_unsent_seconds": 0, "shaoying_oldest_unknown_seconds": 120, "shaoying_reports_waiting": 1}[f.GetName()]; v < least || v > least+60 {
			t.Errorf("%s is %v, want %v", f.GetName(), v, least)
		}
	}
	// The answer of the next message is awaited: the report may be about that.
	m.nets[web].on(nil)
	m.says("li", "您好")
	post := m.posts[web]
	rows, err := m.DB.ClaimOutbox(t.Context(), post.epoch, string(web), 5)
	if err != nil || len(rows) != 1 {
		t.Fatalf("claimed %d, %v", len(rows), err)
	}
	batch := post.deliver(t.Context(), rows)
	m.reports("li", bots.Report{ID: batch[0].receipt, State: bots.ReportDelivered})
	m.settleAll()
	if n := m.count(`select count(*) from outbox where chat = 'li' and report <> ''`); n != 0 {
		t.Fatal("it was taken for one about the unknown outcome")
	}
	post.markAll(t.Context(), post.epoch, batch)
	m.settleAll()
	if got := m.count(`select id from outbox where chat = 'li' and report = 'delivered'`); got != rows[0].ID {
		t.Fatalf("row %d was delivered, want %d", got, rows[0].ID)
	}
}

// A failed report hands a push on to the next address, with its question.
func TestAFailedReportHandsOn(t *testing.T) {
	t.Parallel()
	m, _ := paidRig(t)
	m.greet("li")
	m.also("li", tg, "li-tg", bots.TrustStable)
	m.plan("ask.survey", "li", "ticket:5", time.Time{})
	m.due()
	m.flush()
	row := m.outbox("li")
	for range 2 {
		m.reports("li", bots.Report{ID: row.Receipt, State: bots.ReportFailed, Code: "EXPIRED"})
		m.settleAll()
	}
	m.flush()
	if got := m.ends(); !slices.Equal(got, []string{"web:failed", "tg:sent"}) || len(m.lost.all()) != 0 {
		t.Fatalf("rows %q, people heard %q", got, m.lost.all())
	}
	if got := m.nets[tg].to("li-tg"); len(got) != 1 || !strings.HasPrefix(got[0], surveyQuestion) {
		t.Fatalf("the other address got %q", got)
	}
	ev := on(tg, m.event("li-tg", bots.KindChoice))
	ev.Choice = m.nets[tg].all()[0].m.Choices[0].Data
	m.send(ev)
	if c := m.acts.named("survey.record"); len(c) != 1 {
		t.Fatalf("recorded %v", c)
	}
	if row = m.outbox("li"); row.Report != "failed" || row.ReportCode != "EXPIRED" || row.ReportedAt == nil || row.Error != "reported: EXPIRED" {
		t.Errorf("the row says %+v", row)
	}
}

// The owner does all of it by itself: it is woken by reports and by due rows.
func TestTheOwnerSettles(t *testing.T) {
	t.Parallel()
	m, net := paidRig(t)
	m.greet("li", "wang")
	net.answer = func(string, bots.Receipt) (bots.Report, error) { return bots.Report{State: bots.ReportDelivered}, nil }
	m.says("li", "您好")
	m.fails(web, bots.ClassUnknown)
	m.flush()
	m.nets[web].on(nil)
	m.says("wang", "您好")
	m.flush()
	s := newSending(m.posts[web].Channel, m.posts[web].epoch)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.send(ctx, s.epoch) }()
	defer func() { cancel(); <-done }()
	m.reports("wang", bots.Report{ID: m.outbox("wang").Receipt, State: bots.ReportDelivered})
	m.advance(11 * time.Minute)
	m.due()
	m.until("both are known", func() bool {
		return m.outbox("wang").Report == "delivered" && m.outbox("li").Report == "delivered" && m.outbox("li").State == "sent"
	})
}

// Each text says which template it came from, and where the answer goes.
func TestTemplatesAndExtensions(t *testing.T) {
	t.Parallel()
	m, _ := paidRig(t)
	m.greet("li")
	send := func(extensions int) bots.Message {
		m.nets[web].caps.Extensions = extensions
		m.says("li", "您好")
		m.exec(`update outbox set extension = '7' where state = 'queued'`)
		m.flush()
		all := m.nets[web].all()
		return all[len(all)-1].m
	}
	got := send(99)
	if got.Extension != "7" || got.Template.Source == "" || got.Template.Key == "" || got.Key == "" {
		t.Errorf("sent %+v", got)
	}
	if got := send(0); got.Extension != "" {
		t.Errorf("a channel without such codes got extension %q", got.Extension)
	}
	m.nets[web].caps.MaxText = 5
	if got := send(0); got.Template.Key != "" {
		t.Errorf("a piece of a text names template %q", got.Template.Key)
	}
}
