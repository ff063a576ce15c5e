package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
)

func TestMoneyPolicyIsStrict(t *testing.T) {
	t.Parallel()
	good := string(configFile(t, "policies/money.yaml"))
	if _, err := ParseMoneyPolicy("money.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for old, bad := range map[string]string{
		"parts: 20\n":      "parts: 0\n",
		"reserve: 0.1":     "reserve: 1.5",
		"warn: 0.8":        "warn: 0",
		"digits: 9":        "digits: 15",
		"usual: 5 ":        "usual: 0 ",
		"reasons: [code]":  "reasons: []",
		"keep_days: 400":   "keep_days: 400\nkeep_year: 1",
		"accounts: {}":     "accounts: {a: -1}",
		"per_hour: 60":     "per_hour: 0",
		"per_hour: 1000":   "per_hour: -1",
		"keep_days: 400\n": "keep_days: 0\n",
	} {
		if text := strings.Replace(good, old, bad, 1); text == good {
			t.Errorf("%q is not in the policy", old)
		} else if _, err := ParseMoneyPolicy("money.yaml", []byte(text)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if text := strings.Replace(good, "source: \"[J]: public", "origin: \"[J]: public", 1); text == good {
		t.Error("the source of the price is not where the test looks for it")
	} else if _, err := ParseMoneyPolicy("money.yaml", []byte(text)); err == nil {
		t.Error("a price without a source was taken")
	}
}

func TestReportPolicyIsStrict(t *testing.T) {
	t.Parallel()
	good := string(configFile(t, "policies/reports.yaml"))
	for old, bad := range map[string]string{
		"ask: [10m, 1h, 6h]": "ask: [10m, 5m]",
		"give_up: 24h":       "give_up: 5h",
		"unknown_days: 3":    "unknown_days: 0",
		"parked_days: 14":    "parked_days: 1",
		"source:":            "origin:",
	} {
		if text := strings.Replace(good, old, bad, 1); text == good {
			t.Errorf("%q is not in the policy", old)
		} else if _, err := ParseReportPolicy("reports.yaml", []byte(text)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// alarms collects what people were told of money.
type alarms struct {
	mu   sync.Mutex
	list []Spent
}

func (a *alarms) hook(_ context.Context, _ *Turn, s Spent) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, s)
	return nil
}

// moneyRig is a paid rig with limits of its own and residents u0, u1 …, whose chats
// are pseudonyms of numbers of one range where numbers is true.
func moneyRig(t *testing.T, change func(*MoneyPolicy)) (*manyRig, *alarms) {
	told := &alarms{}
	m, _ := paidRig(t, func(_ *Config, d *Deps) {
		change(&d.Money.Policy)
		d.Overspent = told.hook
	})
	return m, told
}

// queue lays pushes of a reason before users, past the due rows, and returns
// what became of them, in their order, once they are sent.
func (m *manyRig) queue(reason string, rank int, users ...bots.UserID) []string {
	m.t.Helper()
	first := m.count(`select coalesce(max(id), 0) from outbox`)
	for _, u := range users {
		m.plan("tell", u, fmt.Sprint(reason, m.keys), time.Time{})
		m.keys++
	}
	m.due()
	m.exec(`update outbox set reason = $1, rank = $2 where id > $3`, reason, rank, first)
	for n := 1; n > 0; {
		m.hurry()
		n = m.posts[web].once(m.t)
	}
	return strings.Fields(one[string](m.rig, `select coalesce(string_agg(state, ' ' order by id), '') from outbox where id > $1 and channel = 'web'`, first))
}

func ended(list []string, state string) (n int) {
	for _, s := range list {
		if s == state {
			n++
		}
	}
	return n
}

func TestALimitOfANumber(t *testing.T) {
	t.Parallel()
	m, _ := moneyRig(t, func(p *MoneyPolicy) { p.Number.Parts = 3 })
	m.greet("u0", "u1")
	for i := range 5 {
		m.queue("news", 1, "u0")
		_ = i
	}
	m.queue("news", 1, "u1")
	// One text has one part: three go, two are kept back, one task is enough.
	if got := m.ends(); !slices.Equal(got, []string{"web:sent", "web:sent", "web:sent", "web:failed", "web:failed", "web:sent"}) {
		t.Fatalf("rows %q", got)
	}
	if row := m.count(`select count(*) from outbox where error_class = 'closed' and error = $1`, capReasons[scopeChat]); row != 2 {
		t.Errorf("%d rows say why", row)
	}
	if got := m.capped.all(); len(got) != 2 || got[0] == "" || got[0] != got[1] {
		t.Errorf("people were told of days %q", got)
	}
	// What is urgent goes all the same, and tomorrow is another day.
	if got := m.queue("news", 0, "u0"); ended(got, "sent") != 1 {
		t.Errorf("an urgent push ended %q", got)
	}
	if got := m.queue("code", 0, "u0"); ended(got, "failed") != 1 {
		t.Errorf("a code over the limit of its number ended %q", got)
	}
	m.advance(24 * time.Hour)
	if got := m.queue("news", 1, "u0"); ended(got, "sent") != 1 {
		t.Errorf("the next day's push ended %q", got)
	}
}

// A campaign ends at its limit within one batch, the next address gets the rest,
// and the counters outlive the process.
func TestALimitOfACampaignOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	m, _ := moneyRig(t, func(p *MoneyPolicy) { p.Campaign.Parts = 4 })
	users := []bots.UserID{"u0", "u1", "u2", "u3", "u4", "u5"}
	m.greet(users...)
	m.also("u5", tg, "u5-tg", bots.TrustStable)
	if got := m.queue("news", 1, users...); ended(got, "sent") != 4 || ended(got, "failed") != 2 {
		t.Fatalf("rows %q", got)
	}
	if got := m.queue("other", 1, "u0"); ended(got, "sent") != 1 {
		t.Errorf("another campaign ended %q", got)
	}
	next := m.another(func(_ *Config, d *Deps) {
		d.Money.Policy.Campaign.Parts = 4
		d.Channels = m.Channels
	})
	c, err := NewChannel(next, web)
	if err != nil {
		t.Fatal(err)
	}
	m.posts[web] = &post{c, m.posts[web].epoch}
	if got := m.queue("news", 1, "u1"); ended(got, "failed") != 1 {
		t.Errorf("after a restart the campaign went on: %q", got)
	}
	m.flush()
	before := len(m.nets[tg].all())
	m.queue("news", 1, "u5")
	m.flush()
	if n := len(m.nets[tg].to("u5-tg")); n != before+1 {
		t.Errorf("%d messages at the other address of u5, want %d", n, before+1)
	}
}

// The day's money: a tenth is kept for what is urgent, and each alarm comes once.
func TestTheMoneyOfADay(t *testing.T) {
	t.Parallel()
	m, told := moneyRig(t, func(p *MoneyPolicy) { p.All.Parts, p.All.Reserve, p.All.Warn = 10, 0.2, 0.5 })
	users := []bots.UserID{"u0", "u1", "u2", "u3", "u4", "u5"}
	m.greet(users...)
	told.list, m.Money.told = nil, nil
	m.queue("a", 1, users[:4]...)
	if len(told.list) != 0 {
		t.Fatalf("told %v at four of ten", told.list)
	}
	m.queue("b", 1, users[:2]...)
	m.queue("c", 1, users[0])
	if len(told.list) != 1 || told.list[0].Full || told.list[0].Limit != 10 {
		t.Fatalf("told %+v at seven of ten", told.list)
	}
	if got := m.queue("d", 1, users[:3]...); ended(got, "sent") != 1 || ended(got, "failed") != 2 {
		t.Errorf("over the limit: %q", got)
	}
	if got := m.queue("e", 0, users[:4]...); ended(got, "sent") != 2 {
		t.Errorf("urgent ones within what is kept back, and beyond: %q", got)
	}
	if len(told.list) != 2 || !told.list[1].Full {
		t.Errorf("told %+v", told.list)
	}
	if n := m.count(`select count from spend where scope = 'all'`); n != 10 {
		t.Errorf("%d parts counted, want 10", n)
	}
}

// What surely was not sent is not counted; what may have been is.
func TestWhatIsNotSentIsNotCounted(t *testing.T) {
	t.Parallel()
	m, _ := moneyRig(t, func(*MoneyPolicy) {})
	m.greet("u0")
	for i, c := range []struct {
		class bots.Class
		want  int64
	}{{bots.ClassRejected, 0}, {bots.ClassTemporary, 0}, {bots.ClassGone, 0}, {bots.ClassUnknown, 1}} {
		m.exec(`update address set state = 'active'`)
		m.fails(web, c.class)
		m.queue(fmt.Sprint("r", i), 1, "u0")
		if n := m.count(`select count from spend where scope = 'reason' and name = $1`, fmt.Sprint("r", i)); n != c.want {
			t.Errorf("%s: %d parts counted, want %d", c.class, n, c.want)
		}
	}
}

// Pumping: codes for numbers never heard from, and replies to one range of
// numbers, are limited by the hour; campaigns and other ranges are not.
func TestPumping(t *testing.T) {
	t.Parallel()
	m, _ := moneyRig(t, func(p *MoneyPolicy) { p.Strange.PerHour, p.Prefix.PerHour = 2, 3 })
	var near []bots.UserID
	for i := range 5 {
		near = append(near, bots.UserID(m.Keys.Pseudonym("phone", fmt.Sprint("+861380799000", i))))
	}
	far := bots.UserID(m.Keys.Pseudonym("phone", "+8615907990001"))
	m.greet(near...)
	m.greet(far)
	m.exec(`update address set last_inbound_at = null`)
	if got := m.queue("code", 0, near[:3]...); ended(got, "sent") != 2 {
		t.Errorf("codes for strangers: %q", got)
	}
	m.exec(`update address set last_inbound_at = product_now()`)
	if got := m.queue("code", 0, far); ended(got, "sent") != 1 {
		t.Errorf("a code for somebody who wrote: %q", got)
	}
	if got := m.queue("news", 1, near...); ended(got, "sent") != 5 {
		t.Errorf("a campaign: %q", got)
	}
	for _, u := range near {
		m.says(u, "您好")
	}
	m.says(far, "您好")
	m.flush()
	failed := m.count(`select count(*) from outbox where error = $1`, capReasons[scopePrefix])
	if sent := m.count(`select count(*) from outbox where class = 'reply' and state = 'sent'`); failed != 4 || sent != 2 {
		t.Errorf("%d replies to the range kept back, %d replies sent; want 4 and 2", failed, sent)
	}
	m.says(near[4], "家里着火了")
	m.flush()
	if held := m.count(`select count(*) from outbox where error = $1`, capReasons[scopePrefix]); held != failed {
		t.Errorf("an answer to danger was kept back: %d of %d", held-failed, held)
	}
	m.exec(`delete from outbox`)
	m.advance(time.Hour)
	m.says(near[0], "您好")
	m.flush()
	if got := m.ends(); !slices.Equal(got, []string{"web:sent"}) {
		t.Errorf("an hour later: %q", got)
	}
}

// What cannot be counted is not sent, and comes again.
func TestNothingIsSentUncounted(t *testing.T) {
	t.Parallel()
	m, _ := moneyRig(t, func(*MoneyPolicy) {})
	m.greet("u0")
	m.exec(`alter table spend rename to spent`)
	m.says("u0", "您好")
	m.posts[web].once(t)
	if row := m.outbox("u0"); row.State != "queued" || row.ErrorClass != "temporary" || len(m.nets[web].all()) != 0 {
		t.Fatalf("the row is %s (%s), %d sent", row.State, row.ErrorClass, len(m.nets[web].all()))
	}
	m.exec(`alter table spent rename to spend`)
	m.flush()
	if row := m.outbox("u0"); row.State != "sent" {
		t.Errorf("the row is %s", row.State)
	}
}

// One check that fails in the database does not spoil the others of its batch.
func TestABatchWithOneCheckThatFails(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(context.Context, *postgres.Tx) error{
		"an error":         func(context.Context, *postgres.Tx) error { return errBroken },
		"a database error": func(ctx context.Context, tx *postgres.Tx) error { return tx.OptOut(ctx, -1, "x") },
		"a panic":          func(context.Context, *postgres.Tx) error { panic("broken on purpose") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var evil string
			m := newManyRig(t, func(_ *Config, d *Deps) {
				d.Fresh["tell"] = func(ctx context.Context, tx *postgres.Tx, subject string, _ int32) (bool, string, error) {
					if subject == evil {
						return false, "", fail(ctx, tx)
					}
					if _, err := tx.ProductNow(ctx); err != nil {
						return false, "", err
					}
					return true, "", nil
				}
			})
			users := []bots.UserID{"u0", "u1", "u2"}
			m.greet(users...)
			evil = postgres.Subject("conversation", m.conversation("u1"))
			for _, u := range users {
				m.plan("tell", u, "a", time.Time{})
			}
			m.due()
			if n := m.posts[web].once(t); n != 3 {
				t.Fatalf("a batch of %d", n)
			}
			want := "queued"
			if name == "a panic" {
				want = "failed"
			}
			if a, b, c := m.outbox("u0").State, m.outbox("u1").State, m.outbox("u2").State; a != "sent" || b != want || c != "sent" {
				t.Errorf("rows %s, %s, %s; want the second %s, the others sent", a, b, c, want)
			}
		})
	}
}

// What is urgent goes before bulk, in its own chat behind what was said there
// before.
func TestUrgentGoesFirst(t *testing.T) {
	t.Parallel()
	m := newManyRig(t)
	m.greet("li", "wang")
	m.exec(`insert into person (kind) select 'resident' from generate_series(1, 2000)`)
	m.exec(`insert into address (channel, user_id, chat, person_id, trust) select 'web', 'b' || p.id, 'b' || p.id, p.id, 'session' from person p order by id desc limit 2000`)
	m.exec(`insert into conversation (channel, chat, user_id, address_id) select 'web', chat, chat, id from address where chat like 'b%' order by id`)
	m.plan("tell", "wang", "bulk", time.Time{})
	m.due()
	m.exec(`update outbox set rank = 2`)
	m.exec(`insert into outbox (channel, chat, conversation_id, address_id, class, source, text_key, text_version, lang, params, rank)
		select 'web', c.chat, c.id, c.address_id, 'push', o.source, o.text_key, o.text_version, o.lang, o.params, 2 from conversation c, outbox o where c.chat like 'b%'`)
	m.says("li", "您好")   // alone in its chat
	m.says("wang", "您好") // behind bulk
	claim := func() (chats []string) {
		rows, err := m.DB.ClaimOutbox(t.Context(), m.posts[web].epoch, string(web), 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			chats = append(chats, r.Chat+"/"+r.Class)
		}
		slices.Sort(chats)
		m.posts[web].markAll(t.Context(), m.posts[web].epoch, m.posts[web].deliver(t.Context(), rows))
		return chats
	}
	if got := claim(); !slices.Equal(got, []string{"li/reply", "wang/push"}) {
		t.Fatalf("first went %q", got)
	}
	if got := claim(); !slices.Contains(got, "wang/reply") {
		t.Fatalf("then went %q", got)
	}
	if got := claim(); len(got) != 2 || strings.HasSuffix(got[0], "reply") {
		t.Fatalf("at last went %q", got)
	}
}
