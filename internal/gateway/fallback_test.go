package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// Beside the web page a person may be heard on these.
const (
	tg  = bots.ChannelID("tg")
	sms = bots.ChannelID("sms")
)

// manyRig is a rig with three networks. Nothing is sent but by post.
type manyRig struct {
	*rig
	nets  map[bots.ChannelID]*network
	posts map[bots.ChannelID]*post
}

func newManyRig(t testing.TB, change ...func(*Config, *Deps)) *manyRig {
	m := &manyRig{nets: map[bots.ChannelID]*network{tg: newNetwork(), sms: newNetwork()}, posts: map[bots.ChannelID]*post{}}
	more := func(c *Config, d *Deps) {
		c.FloodPerMinute, c.TurnTimeout, c.SendTimeout = 100_000, limit, limit // a busy machine is no part of these tests
		for id, n := range m.nets {
			d.Channels[id] = n
		}
	}
	m.rig = pushRig(t, append([]func(*Config, *Deps){more}, change...)...)
	m.nets[web] = m.net
	for id := range m.nets {
		own, err := m.DB.TryOwn(t.Context(), string(id))
		if err != nil || own == nil {
			t.Fatalf("own %s: %v, %v", id, own, err)
		}
		t.Cleanup(own.Release)
		c, err := NewChannel(m.Gateway, id)
		if err != nil {
			t.Fatal(err)
		}
		m.posts[id] = &post{c, own.Epoch}
	}
	return m
}

// post sends what waits for a channel, one round at a time, as its owner does.
type post struct {
	*Channel
	epoch int64
}

// once sends the head row of each chat and returns how many there were.
func (p *post) once(t testing.TB) int {
	t.Helper()
	rows, err := p.g.DB.ClaimOutbox(t.Context(), p.epoch, string(p.id), maxInFlight)
	if err != nil {
		t.Fatal(err)
	}
	batch := p.deliver(t.Context(), rows)
	if left := p.markAll(t.Context(), p.epoch, batch); len(left) > 0 {
		t.Fatalf("%d outcomes could not be written", len(left))
	}
	return len(rows)
}

// deliver prepares rows and sends them, one after the other.
func (p *post) deliver(ctx context.Context, rows []db.ClaimOutboxRow) []outcome {
	batch := p.prepare(ctx, rows)
	for i, o := range batch {
		if o.state == "" {
			batch[i] = p.perform(ctx, o)
		}
	}
	return batch
}

// flush sends until nothing waits any more.
func (m *manyRig) flush() {
	m.t.Helper()
	for n := 1; n > 0; {
		n = 0
		m.hurry()
		for _, p := range m.posts {
			n += p.once(m.t)
		}
	}
}

// also gives a person one more address with a private chat there.
func (m *manyRig) also(of bots.UserID, channel bots.ChannelID, user bots.UserID, trust bots.Trust) {
	m.t.Helper()
	m.exec(`with a as (insert into address (channel, user_id, chat, person_id, trust, last_inbound_at)
			select $2, $3, $3, person_id, $4, product_now() - interval '1 hour' from address where user_id = $1 returning id)
		insert into conversation (channel, chat, user_id, address_id) select $2, $3, $3, id from a`,
		string(of), string(channel), string(user), trust.String())
}

// fails makes a network answer every send with a class.
func (m *manyRig) fails(id bots.ChannelID, class bots.Class) {
	m.nets[id].on(func(context.Context, bots.Address, bots.Message) error {
		return &bots.Error{Class: class, Err: errBroken}
	})
}

// on makes an event of another channel than the web page.
func on(channel bots.ChannelID, ev bots.Event) bots.Event {
	ev.Channel, ev.Key = channel, string(channel)+ev.Key
	return ev
}

// ends lists all outbox rows as "channel state".
func (m *manyRig) ends() []string {
	m.t.Helper()
	return strings.Fields(one[string](m.rig, `select coalesce(string_agg(channel || ':' || state, ' ' order by id), '') from outbox`))
}

// greeted lets li in on the web page, who is also known on Telegram.
func greeted(t testing.TB, change ...func(*Config, *Deps)) *manyRig {
	m := newManyRig(t, change...)
	m.says("li", "您好")
	m.also("li", tg, "li-tg", bots.TrustStable)
	m.flush()
	m.exec(`delete from outbox`)
	return m
}

func TestWhatFailsGoesToTheNextAddress(t *testing.T) {
	t.Parallel()
	m := greeted(t)
	m.fails(web, bots.ClassGone)
	m.plan("tell", "li", "灯修好了", time.Time{})
	m.due()
	m.flush()
	if got := m.ends(); !slices.Equal(got, []string{"web:failed", "tg:sent"}) {
		t.Fatalf("the rows are %q", got)
	}
	if got := m.nets[tg].to("li-tg"); !slices.Equal(got, []string{"通知：灯修好了"}) {
		t.Fatalf("the other address got %q", got)
	}
	old, row := m.outbox("li"), m.outbox("li-tg")
	if row.FallbackOf == nil || *row.FallbackOf != old.ID || row.Reason != old.Reason || row.Subject != old.Subject ||
		row.TextKey != old.TextKey || row.TextVersion != old.TextVersion || row.SubjectVersion != old.SubjectVersion {
		t.Errorf("%+v stands for %+v", row, old)
	}
	if s := one[string](m.rig, `select state from address where user_id = 'li'`); s != "gone" || len(m.lost.all()) != 0 {
		t.Errorf("the address is %s, people heard %q", s, m.lost.all())
	}
	if n := m.count(`select count(*) from message where direction = 'out' and conversation_id = $1`, m.conversation("li-tg")); n != 1 {
		t.Errorf("%d messages kept at the other address", n)
	}
}

// Which ends of which messages travel (decision 9).
func TestWhatMayTravel(t *testing.T) {
	t.Parallel()
	m := greeted(t)
	for _, c := range []struct {
		class  bots.Class
		push   bool
		travel bool
	}{
		{bots.ClassGone, true, true},
		{bots.ClassGone, false, true},
		{bots.ClassClosed, true, true},
		{bots.ClassClosed, false, true},
		{bots.ClassTemporary, true, true},
		{bots.ClassTemporary, false, true},
		{bots.ClassRejected, true, false},
		{bots.ClassRejected, false, false},
		{bots.ClassUnknown, true, true},
		{bots.ClassUnknown, false, false},
	} {
		m.exec(`delete from outbox`)
		m.exec(`update address set state = 'active'`)
		lost := len(m.lost.all())
		if c.push {
			m.plan("tell", "li", fmt.Sprint(c), time.Time{})
			m.due()
		} else {
			m.says("li", "您好")
		}
		m.fails(web, c.class)
		m.flush()
		got, want := len(m.nets[tg].all()), 0
		if c.travel {
			want = 1
		}
		if got != want || len(m.lost.all())-lost != 1-want {
			t.Errorf("%s, push %v: %d at the other address, %d tasks; rows %q", c.class, c.push, got, len(m.lost.all())-lost, m.ends())
		}
		m.nets[tg].mu.Lock()
		m.nets[tg].sent = nil
		m.nets[tg].mu.Unlock()
	}
}

func TestAQuestionInADialogueStaysThere(t *testing.T) {
	t.Parallel()
	m := greeted(t)
	m.says("li", "选一选")
	m.fails(web, bots.ClassGone)
	m.flush()
	if got := m.ends(); !slices.Equal(got, []string{"web:failed"}) || !slices.Equal(m.lost.all(), []string{"gone"}) {
		t.Fatalf("rows %q, people heard %q", got, m.lost.all())
	}
}

// The prompt goes where its question goes: buttons and numbers work there, for
// its reader and nobody else, and the old ones are stale.
func TestAPromptMovesWithItsQuestion(t *testing.T) {
	t.Parallel()
	for _, buttons := range []int{8, 0} {
		t.Run(fmt.Sprint(buttons, " buttons"), func(t *testing.T) {
			t.Parallel()
			m := greeted(t)
			m.nets[tg].caps.Choices = buttons
			m.plan("ask.survey", "li", "ticket:5", time.Time{})
			m.due()
			old := m.heard("li")
			m.fails(web, bots.ClassGone)
			m.flush()
			got := m.nets[tg].all()
			if len(got) != 1 || !strings.HasPrefix(got[0].text, surveyQuestion) {
				t.Fatalf("the other address got %+v", got)
			}
			if n := m.count(`select count(*) from due where kind = $1 and subject = $2`, KindExpire, postgres.Subject("conversation", m.conversation("li-tg"))); n != 1 {
				t.Errorf("%d clocks of the question at the other address", n)
			}
			if n := m.count(`select count(*) from due where kind = $1`, KindExpire); n != 1 {
				t.Errorf("%d clocks in all, want 1", n)
			}
			m.want(m.taps("li", old[0].Choices[0].Data), staleText)
			ev := on(tg, m.text("li-tg", "2"))
			if buttons > 0 {
				foreign := on(tg, m.event("wang-tg", bots.KindChoice))
				foreign.Choice = got[0].m.Choices[1].Data
				m.send(foreign)
				ev = on(tg, m.event("li-tg", bots.KindChoice))
				ev.Choice = got[0].m.Choices[1].Data
			}
			m.send(ev)
			m.send(on(tg, m.text("li-tg", "灯又坏了")))
			if c := m.acts.named("survey.record"); len(c) != 1 || c[0].args["rating"] != "bad" || c[0].subject != "ticket:5" {
				t.Fatalf("recorded %v", c)
			}
		})
	}
}

// A question that cannot be asked at the other address is a matter for people.
func TestAPromptStandsBesideNoOther(t *testing.T) {
	t.Parallel()
	for name, busy := range map[string]func(m *manyRig){
		"a prompt of its own": func(m *manyRig) { m.plan("ask.visit", "li-tg", "b", time.Time{}); m.due() },
		"a dialogue":          func(m *manyRig) { m.send(on(tg, m.text("li-tg", "报修"))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := greeted(t)
			busy(m)
			m.flush()
			m.plan("ask.survey", "li", "a", time.Time{})
			m.plan("tell", "li", "灯修好了", time.Time{})
			m.due()
			m.fails(web, bots.ClassGone)
			m.flush()
			if got := m.nets[tg].to("li-tg"); len(got) != 2 || got[1] != "通知：灯修好了" {
				t.Fatalf("the other address got %q", got)
			}
			if !slices.Equal(m.lost.all(), []string{"gone"}) {
				t.Fatalf("people heard %q", m.lost.all())
			}
			if n := m.count(`select count(*) from prompt where closed_at is null and conversation_id = $1`, m.conversation("li")); n != 1 {
				t.Error("the prompt left its address")
			}
		})
	}
	t.Run("one that is over", func(t *testing.T) {
		t.Parallel()
		m := greeted(t)
		m.plan("ask.visit", "li-tg", "b", time.Time{})
		m.due()
		m.advance(3 * time.Hour)
		m.plan("ask.survey", "li", "a", time.Time{})
		m.due()
		m.fails(web, bots.ClassGone)
		m.flush()
		if n := m.count(`select count(*) from prompt where closed_at is null and flow = 'survey' and conversation_id = $1`, m.conversation("li-tg")); n != 1 {
			t.Fatalf("the prompt did not go along; rows %q", m.ends())
		}
	})
}

func TestAQuestionThatIsOverIsNotSent(t *testing.T) {
	t.Parallel()
	m := greeted(t)
	m.plan("ask.visit", "li", "a", time.Time{})
	m.due()
	m.advance(3 * time.Hour) // it was open for two
	m.flush()
	if got := m.ends(); !slices.Equal(got, []string{"web:stale"}) || len(m.lost.all()) != 0 {
		t.Fatalf("rows %q, people heard %q", got, m.lost.all())
	}
}

// Who may be written to, and in which order.
func TestOrderOfAddresses(t *testing.T) {
	t.Parallel()
	m := newManyRig(t)
	m.says("li", "您好")
	m.says("other", "您好")
	m.also("li", tg, "old", bots.TrustVerified)
	m.also("li", tg, "new", bots.TrustStable)
	m.also("li", tg, "stopped", bots.TrustVerified)
	m.also("li", tg, "gone", bots.TrustVerified)
	m.also("li", sms, "number", bots.TrustNone)
	m.also("li", tg, "page", bots.TrustSession)
	m.also("li", tg, "grouped", bots.TrustVerified)
	m.also("li", tg, "merged", bots.TrustVerified)
	m.also("other", tg, "foreign", bots.TrustVerified)
	m.exec(`update address set last_inbound_at = product_now() - interval '3 hours' where user_id in ('old', 'merged')`)
	m.exec(`update address set last_inbound_at = product_now() - interval '4 hours' where user_id = 'merged'`)
	m.exec(`update address set state = user_id where user_id in ('stopped', 'gone')`)
	m.exec(`update conversation set in_group = true where user_id = 'grouped'`)
	m.exec(`with p as (insert into person (merged_into) select person_id from address where user_id = 'li' returning id)
		update address set person_id = p.id from p where user_id = 'merged'`)
	id := func(user string) int64 { return m.count(`select id from address where user_id = $1`, user) }
	person := m.count(`select person_id from address where user_id = 'li'`)
	younger := m.count(`select person_id from address where user_id = 'merged'`)
	for _, c := range []struct {
		name   string
		person int64
		first  string
		tried  []int64
		want   string
	}{
		{"nothing is known", person, "", nil, "new old merged"},
		{"the page that the matter came by", person, "page", nil, "page new old merged"},
		{"the number that it came by", person, "number", nil, "number new old merged"},
		{"a number is no way round", person, "number", []int64{id("old")}, "new merged"},
		{"a page is, when it was its matter", person, "page", []int64{id("old")}, "page new merged"},
		{"what is stopped is not first either", person, "stopped", nil, "new old merged"},
		{"a merged person is the same", younger, "", nil, "new old merged"},
		{"a stranger's address is not first", person, "foreign", nil, "new old merged"},
		{"each once", person, "", []int64{id("new"), id("old"), id("merged")}, ""},
	} {
		first := int64(0)
		if c.first != "" {
			first = id(c.first)
		}
		list, err := Reach(t.Context(), m.DB.Queries, []int64{c.person}, first, c.tried...)
		if err != nil {
			t.Fatal(err)
		}
		var users []string
		for _, r := range list {
			users = append(users, r.UserID)
		}
		if got := strings.Join(users, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Every address is tried once, then people hear of it once.
func TestEachAddressIsTriedOnce(t *testing.T) {
	t.Parallel()
	m := greeted(t)
	m.also("li", sms, "li-sms", bots.TrustVerified)
	for id := range m.nets {
		m.fails(id, bots.ClassClosed)
	}
	m.plan("tell", "li", "a", time.Time{})
	m.due()
	m.flush()
	got := m.ends()
	slices.Sort(got)
	if !slices.Equal(got, []string{"sms:failed", "tg:failed", "web:failed"}) || !slices.Equal(m.lost.all(), []string{"closed"}) {
		t.Fatalf("rows %q, people heard %q", got, m.lost.all())
	}
}

// Who blocked us is not written to in vain, and is written to again once heard.
func TestAGoneAddressIsNotTriedInVain(t *testing.T) {
	t.Parallel()
	m := greeted(t)
	m.plan("tell", "li", "a", time.Time{})
	m.due()
	m.send(m.event("li", bots.KindLeave))
	before := len(m.net.all())
	m.flush()
	if len(m.net.all()) != before || len(m.nets[tg].all()) != 1 {
		t.Fatalf("%d tried in vain; rows %q", len(m.net.all())-before, m.ends())
	}
	m.says("li", "您好")
	m.plan("tell", "li", "b", time.Time{})
	m.due()
	m.flush()
	if got := m.net.to("li"); got[len(got)-1] != "通知：b" {
		t.Fatalf("the first address got %q", got)
	}
}

// Neither a failed reply nor a message of its user starts what was stopped.
func TestStoppedStaysStopped(t *testing.T) {
	t.Parallel()
	m := greeted(t)
	m.exec(`update address set state = 'stopped' where user_id = 'li'`)
	m.says("li", "您好")
	m.fails(web, bots.ClassGone)
	m.flush()
	m.nets[web].on(nil)
	m.says("li", "您好")
	m.send(m.event("li", bots.KindLeave))
	if s := one[string](m.rig, `select state from address where user_id = 'li'`); s != "stopped" {
		t.Fatalf("the address is %s", s)
	}
	m.plan("tell", "li", "a", time.Time{})
	m.due()
	m.flush()
	if got := append(m.net.to("li"), m.nets[tg].to("li-tg")...); slices.Contains(got, "通知：a") {
		t.Fatalf("who stopped heard %q", got)
	}
}

func TestWhyIsReadAgainAtTheOtherAddress(t *testing.T) {
	t.Parallel()
	fresh := true
	m := greeted(t, func(_ *Config, d *Deps) {
		d.Fresh["tell"] = func(context.Context, *postgres.Tx, string, int32) (bool, string, error) {
			return fresh, "withdrawn", nil
		}
	})
	m.plan("tell", "li", "a", time.Time{})
	m.due()
	m.fails(web, bots.ClassGone)
	m.posts[web].once(t)
	fresh = false
	m.flush()
	if got := m.ends(); !slices.Equal(got, []string{"web:failed", "tg:stale"}) || len(m.lost.all()) != 0 {
		t.Fatalf("rows %q, people heard %q", got, m.lost.all())
	}
}

// What the other address needs beside the words goes along.
func TestCarry(t *testing.T) {
	t.Parallel()
	var from, to int64
	m := greeted(t, func(_ *Config, d *Deps) {
		d.Carry = map[string]Carry{"tell": func(_ context.Context, _ *postgres.Tx, _ string, _ int32, a, b int64, params map[string]string) error {
			from, to = a, b
			params["what"] += "，号是7"
			return nil
		}}
	})
	m.plan("tell", "li", "接单", time.Time{})
	m.due()
	m.fails(web, bots.ClassGone)
	m.flush()
	if got := m.nets[tg].to("li-tg"); !slices.Equal(got, []string{"通知：接单，号是7"}) {
		t.Fatalf("the other address got %q", got)
	}
	if from != m.conversation("li") || to != m.conversation("li-tg") {
		t.Errorf("carried from %d to %d", from, to)
	}
}

// What was said in a group, or for one address alone, goes nowhere else.
func TestWhatIsBoundToItsAddress(t *testing.T) {
	t.Parallel()
	failed := func(r db.ClaimOutboxRow) outcome { return outcome{row: r, state: "failed", class: "gone"} }
	for name, c := range map[string]struct {
		row  db.ClaimOutboxRow
		want bool
	}{
		"a push":                {db.ClaimOutboxRow{Class: "push", AddressID: 7}, true},
		"in a group":            {db.ClaimOutboxRow{InGroup: true, Class: "push", AddressID: 7}, false},
		"a one-time code":       {db.ClaimOutboxRow{Class: "push", AddressID: 7, Subject: "address:7"}, false},
		"a reminder":            {db.ClaimOutboxRow{Class: "push", AddressID: 7, Reason: KindNudge}, false},
		"a dialogue's question": {db.ClaimOutboxRow{Class: "reply", AddressID: 7, QuestionTurn: 3}, false},
		"a prompt's question":   {db.ClaimOutboxRow{Class: "reply", AddressID: 7, QuestionTurn: 3, PromptID: 2}, true},
	} {
		if got := travels(failed(c.row)); got != c.want {
			t.Errorf("%s travels: %v", name, got)
		}
	}
	unknown := outcome{row: db.ClaimOutboxRow{Class: "push", QuestionTurn: 3, PromptID: 2}, state: "unknown", class: "unknown"}
	if travels(unknown) {
		t.Error("a question with an unknown outcome travels: it would be open in two places")
	}
}

// An outcome that cannot be written leaves no second copy behind.
func TestAMarkThatFailsPassesNothingOn(t *testing.T) {
	t.Parallel()
	broken := true
	m := greeted(t, func(_ *Config, d *Deps) {
		d.Carry = map[string]Carry{"tell": func(context.Context, *postgres.Tx, string, int32, int64, int64, map[string]string) error {
			if broken {
				return errBroken
			}
			return nil
		}}
	})
	m.plan("tell", "li", "a", time.Time{})
	m.due()
	m.fails(web, bots.ClassGone)
	p := m.posts[web]
	rows, err := m.DB.ClaimOutbox(t.Context(), p.epoch, string(web), 1)
	if err != nil || len(rows) != 1 {
		t.Fatalf("claimed %d, %v", len(rows), err)
	}
	left := p.markAll(t.Context(), p.epoch, p.deliver(t.Context(), rows))
	if len(left) != 1 || m.count(`select count(*) from outbox`) != 1 {
		t.Fatalf("%d left, rows %q", len(left), m.ends())
	}
	broken = false
	if left = p.markAll(t.Context(), p.epoch, left); len(left) != 0 {
		t.Fatal("the outcome is still not written")
	}
	if left = p.markAll(t.Context(), p.epoch, []outcome{{row: rows[0], state: "failed", class: "gone"}}); len(left) != 0 {
		t.Fatal("marking twice fails")
	}
	m.flush()
	if got := m.ends(); !slices.Equal(got, []string{"web:failed", "tg:sent"}) {
		t.Fatalf("rows %q", got)
	}
}

// Two processes, two networks, nothing by hand.
func TestFallbackThroughTwoOwners(t *testing.T) {
	t.Parallel()
	other := newNetwork()
	r := pushRig(t, func(_ *Config, d *Deps) { d.Channels[tg] = other })
	m := &manyRig{rig: r}
	r.says("li", "您好")
	m.also("li", tg, "li-tg", bots.TrustVerified)
	second, err := NewChannel(r.another(func(_ *Config, d *Deps) { d.Channels[tg] = other }), tg)
	if err != nil {
		t.Fatal(err)
	}
	stopA, stopB := r.sender(), r.start(second.Run)
	r.until("the reply is out", r.outboxEmpty)
	stopA()
	r.net.on(func(context.Context, bots.Address, bots.Message) error {
		return &bots.Error{Class: bots.ClassGone, Err: errBroken}
	})
	r.plan("ask.survey", "li", "ticket:5", time.Time{})
	r.plan("tell", "li", "灯修好了", time.Time{})
	r.due() // both before one has failed: these kinds speak to this chat alone
	stopA = r.sender()
	r.until("both are at the other address", func() bool { return len(other.to("li-tg")) == 2 })
	r.until("all ended", r.outboxEmpty)
	stopA()
	stopB()
	ev := on(tg, r.text("li-tg", "满意"))
	r.send(ev)
	if c := r.acts.named("survey.record"); len(c) != 1 || c[0].args["rating"] != "good" {
		t.Fatalf("recorded %v", c)
	}
	if len(r.lost.all()) != 0 || other.most > 1 {
		t.Fatalf("people heard %q; %d at once", r.lost.all(), other.most)
	}
}

// A push whose address is lost between finding it and speaking finds another.
func TestAPushFindsItsTargetAnew(t *testing.T) {
	t.Parallel()
	var m *manyRig
	first := true
	m = greeted(t, func(_ *Config, d *Deps) {
		kind := telling(scheduler.Normal)
		kind.Name = "reach"
		kind.Target = func(ctx context.Context, db *postgres.DB, d Due) (int64, error) {
			list, err := Reach(ctx, db.Queries, []int64{d.Person}, 0)
			if first && err == nil {
				first = false
				m.exec(`update address set state = 'gone' where id = $1`, list[0].AddressID)
			}
			if len(list) == 0 {
				return 0, ErrNoAddress
			}
			return list[0].ID, err
		}
		d.Kinds = append(d.Kinds, kind)
	})
	m.also("li", sms, "li-sms", bots.TrustVerified)
	m.exec(`update address set last_inbound_at = product_now() where user_id = 'li-tg'`)
	p, err := dueRows([]Plan{{Kind: "reach", Subject: "x:1", Key: "灯修好了", Person: m.count(`select person_id from address where user_id = 'li'`), At: m.now().Add(-time.Second)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.DB.PlanDues(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	m.due()
	m.flush()
	if got := m.ends(); !slices.Equal(got, []string{"sms:sent"}) {
		t.Fatalf("the rows are %q", got)
	}
}

func TestAChatThatMovesInCirclesIsGivenUp(t *testing.T) {
	t.Parallel()
	m := greeted(t)
	m.net.on(func(_ context.Context, to bots.Address, _ bots.Message) error {
		return &bots.Error{Class: bots.ClassMoved, NewChat: to.Chat + "'", Err: errBroken}
	})
	m.says("li", "您好")
	m.flush()
	if got := m.ends(); !slices.Equal(got, []string{"web:failed"}) || !slices.Equal(m.lost.all(), []string{"moved"}) {
		t.Fatalf("rows %q, people heard %q", got, m.lost.all())
	}
}
