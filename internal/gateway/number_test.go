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
	"shaoying/scheduler"
)

// quarter is how long a number may be silent in these tests.
const quarter = 90 * 24 * time.Hour

// phoneCaps are those of a carrier: words alone, paid, forgeable, three codes.
func phoneCaps() bots.Caps {
	return bots.Caps{MaxText: 500, TextUnit: bots.UTF16, Phone: true, Paid: true, Extensions: 3}
}

// phoneRig is a rig with a carrier beside the web page and Telegram.
func phoneRig(t testing.TB, change ...func(*Config, *Deps)) *manyRig {
	m := newManyRig(t, append([]func(*Config, *Deps){func(c *Config, d *Deps) {
		c.Silent = quarter
		d.Kinds[len(d.Kinds)-1].Class = scheduler.Normal
	}}, change...)...)
	m.nets[sms].caps = phoneCaps()
	return m
}

// mo is a text from a number; code is the one behind ours to which it was sent.
func (m *manyRig) mo(user bots.UserID, text, code string) bots.Event {
	ev := on(sms, m.text(user, text))
	ev.From.Trust, ev.From.Phone, ev.Extension = bots.TrustNone, "+8613800001234", code
	return ev
}

// texts sends a text from a number and returns what is answered.
func (m *manyRig) texts(user bots.UserID, text, code string) []said {
	m.t.Helper()
	m.send(m.mo(user, text, code))
	return m.heard(user)
}

func TestANumberProvesNothing(t *testing.T) {
	t.Parallel()
	m := phoneRig(t)
	m.hire("wang")
	m.also("wang", sms, "n1", bots.TrustVerified)
	m.want(m.texts("n1", "接 3", ""), "您好，有事请直说。")
	if n := len(m.acts.named("card.take")); n != 0 {
		t.Fatal("a forged number took a card")
	}
	var seen []string
	m.acts.on("desk.call", func(_ context.Context, t *Turn) error {
		seen = append(seen, fmt.Sprint(t.Trust, t.Staff, t.Forgeable()))
		return nil
	})
	m.texts("n1", "人工", "")
	m.says("wang", "人工")
	if want := []string{"none 0 true", fmt.Sprint("session ", m.count(`select id from staff`), " false")}; !slices.Equal(seen, want) {
		t.Fatalf("believed %q, want %q", seen, want)
	}
}

func TestANumberIsThatOfItsPerson(t *testing.T) {
	t.Parallel()
	m := phoneRig(t)
	m.texts("n1", "您好", "")
	phone := func(user string) (string, []byte) {
		row := one[[]byte](m.rig, `select coalesce(p.phone, '') from person p join address a on a.person_id = p.id where a.user_id = $1`, user)
		index := one[[]byte](m.rig, `select coalesce(p.phone_index, '') from person p join address a on a.person_id = p.id where a.user_id = $1`, user)
		plain, err := m.Keys.Open(row, SealPhone)
		if err != nil {
			t.Fatal(err)
		}
		return string(plain), index
	}
	number, index := phone("n1")
	if number != "+8613800001234" || string(index) != string(m.Keys.Index(IndexPhone, number)) {
		t.Fatalf("kept %q", number)
	}
	// Also for who was known before, and never in the place of another number.
	m.says("li", "您好")
	m.also("li", sms, "n2", bots.TrustVerified)
	m.texts("n2", "您好", "")
	if number, _ := phone("li"); number != "+8613800001234" {
		t.Fatalf("a known person has %q", number)
	}
	ev := m.mo("n2", "您好", "")
	ev.From.Phone = "+8613900009999"
	m.send(ev)
	if number, _ := phone("li"); number != "+8613800001234" {
		t.Fatalf("another number came in its place: %q", number)
	}
	// An event that had to wait keeps it too.
	m.acts.on("desk.call", broken)
	m.send(m.mo("n3", "人工", ""))
	m.acts.on("desk.call", nil)
	m.drain(1)
	if number, _ := phone("n3"); number != "+8613800001234" {
		t.Fatalf("who had to wait has %q", number)
	}
	if n := m.count(`select count(*) from inbox i, outbox o where i.event_key || coalesce(encode(o.params, 'escape'), '') like '%13800001234%'`); n != 0 {
		t.Fatal("a number stands in a row")
	}
}

func TestASilentNumberIsUnbound(t *testing.T) {
	t.Parallel()
	bound := func(t *testing.T, silent time.Duration) *manyRig {
		m := phoneRig(t)
		m.says("li", "您好")
		m.also("li", sms, "n1", bots.TrustVerified)
		m.exec(`update address set created_at = product_now() - interval '400 days'`)
		m.exec(`update person set created_at = product_now() - interval '400 days'`)
		m.exec(`update address set last_inbound_at = product_now() - make_interval(secs => $1) where user_id = 'n1'`, silent.Seconds())
		m.flush()
		m.exec(`delete from outbox`)
		return m
	}
	trust := func(m *manyRig) string { return one[string](m.rig, `select trust from address where user_id = 'n1'`) }
	same := func(m *manyRig) bool {
		return m.count(`select count(distinct person_id) from address where user_id in ('li', 'n1')`) == 1
	}
	t.Run("a message", func(t *testing.T) {
		t.Parallel()
		m := bound(t, quarter+time.Hour)
		m.want(m.texts("n1", "您好", ""), "您好，有事请直说。")
		if trust(m) != "none" || same(m) {
			t.Fatalf("trust %s, the same person %v", trust(m), same(m))
		}
		if n := m.count(`select count(*) from trail where kind = 'address.lapsed'`); n != 1 {
			t.Fatalf("%d rows in the trail", n)
		}
		m.texts("n1", "您好", "")
		if n := m.count(`select count(*) from trail where kind = 'address.lapsed'`); n != 1 || trust(m) != "none" {
			t.Fatal("it was bound again by a message")
		}
	})
	t.Run("a message in time", func(t *testing.T) {
		t.Parallel()
		m := bound(t, quarter-time.Hour)
		m.texts("n1", "您好", "")
		if trust(m) != "verified" || !same(m) {
			t.Fatal("it was unbound too early")
		}
	})
	t.Run("proven since", func(t *testing.T) {
		t.Parallel()
		m := bound(t, quarter+time.Hour)
		if err := m.DB.SetTrust(t.Context(), m.count(`select id from address where user_id = 'n1'`), "verified"); err != nil {
			t.Fatal(err)
		}
		m.texts("n1", "您好", "")
		if trust(m) != "verified" || !same(m) {
			t.Fatal("a fresh code counts for nothing")
		}
	})
	t.Run("a push finds another address", func(t *testing.T) {
		t.Parallel()
		m := bound(t, quarter+time.Hour)
		m.exec(`update address set trust = 'stable' where user_id = 'li'`)
		reach := telling(scheduler.Normal)
		reach.Name = "reach"
		reach.Target = func(ctx context.Context, db *postgres.DB, d Due) (int64, error) {
			list, err := Reach(ctx, db.Queries, []int64{d.Person}, m.count(`select id from address where user_id = 'n1'`))
			if len(list) == 0 {
				return 0, ErrNoAddress
			}
			return list[0].ID, err
		}
		m.Kinds = append(m.Kinds, reach)
		p, err := dueRows([]Plan{{Kind: "reach", Subject: "x:1", Key: "灯修好了", Person: m.count(`select person_id from address where user_id = 'li'`), At: m.now().Add(-time.Second)}})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.DB.PlanDues(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		m.due()
		m.flush()
		if got := m.ends(); !slices.Equal(got, []string{"web:sent"}) || trust(m) != "none" {
			t.Fatalf("rows %q, trust %s", got, trust(m))
		}
	})
	t.Run("what is about the number itself is dropped", func(t *testing.T) {
		t.Parallel()
		m := bound(t, quarter+time.Hour)
		m.plan("tell", "n1", "灯修好了", time.Time{})
		m.due()
		if s, why := m.dueRow("tell", "灯修好了"); s != "dropped" || why != "the number was silent for too long" {
			t.Fatalf("%s: %s", s, why)
		}
	})
	t.Run("a number that is not bound gets no push either", func(t *testing.T) {
		t.Parallel()
		m := phoneRig(t)
		m.texts("n1", "您好", "")
		m.plan("tell", "n1", "灯修好了", time.Time{})
		m.due()
		m.advance(quarter + time.Hour)
		m.flush() // a reply that is late is still theirs, a push is not
		m.plan("tell", "n1", "水管修好了", time.Time{})
		m.due()
		if got := m.ends(); !slices.Equal(got, []string{"sms:sent", "sms:failed"}) || !slices.Equal(m.lost.all(), []string{"closed"}) {
			t.Fatalf("rows %q, people heard %q", got, m.lost.all())
		}
		if s, why := m.dueRow("tell", "水管修好了"); s != "dropped" || why != "the number was silent for too long" {
			t.Fatalf("%s: %s", s, why)
		}
	})
	t.Run("who has it now is somebody else", func(t *testing.T) {
		t.Parallel()
		m := phoneRig(t)
		m.texts("n1", "您好", "")
		before := m.count(`select person_id from address where user_id = 'n1'`)
		m.advance(quarter + time.Hour)
		m.want(m.texts("n1", "您好", ""), "您好，有事请直说。")
		if m.count(`select person_id from address where user_id = 'n1'`) == before {
			t.Fatal("they are taken for who had it before")
		}
	})
	t.Run("a code goes to it", func(t *testing.T) {
		t.Parallel()
		m := bound(t, quarter+time.Hour)
		code := telling("")
		code.Name = "code"
		code.Target = func(ctx context.Context, db *postgres.DB, _ Due) (int64, error) { return m.conversation("n1"), nil }
		m.Kinds = append(m.Kinds, code)
		p, err := dueRows([]Plan{{
			Kind: "code", Subject: postgres.Subject("address", m.count(`select id from address where user_id = 'n1'`)), Key: "验证码",
			At: m.now().Add(-time.Second),
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.DB.PlanDues(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		m.due()
		m.flush()
		if got := m.ends(); !slices.Equal(got, []string{"sms:sent"}) || same(m) {
			t.Fatalf("rows %q, the same person %v", got, same(m))
		}
		m.plan("tell", "n1", "灯修好了", time.Time{})
		m.due()
		if n := m.count(`select count(*) from trail where kind = 'address.lapsed'`); n != 1 {
			t.Fatalf("it was parted from its person %d times", n)
		}
	})
}

func TestCopiesAreDropped(t *testing.T) {
	t.Parallel()
	m := phoneRig(t)
	first := m.mo("n1", "报修", "")
	first.Key += "/0"
	repeat := func(n int) bots.Event {
		ev := first
		ev.Key, ev.Repeat = fmt.Sprintf("%s%d", first.Key[:len(first.Key)-1], n), first.Key[:len(first.Key)-1]
		return ev
	}
	m.send(first)
	m.send(repeat(1))
	m.send(repeat(2))
	m.want(m.heard("n1"), "请说说是什么事。")
	other := m.mo("n1", "楼道灯坏了", "") // not a copy of anything
	other.Repeat, other.Key = "sms-n1-x/", "sms-n1-x/7"
	m.send(other)
	m.want(m.heard("n1"), "在什么地方？")
	// What is older than the network repeats itself is somebody saying it again.
	m.exec(`update inbox set received_at = received_at - interval '3 minutes'`)
	again := repeat(3)
	again.Text = "昌盛小区"
	m.send(again)
	m.want(m.heard("n1"), "已受理，编号 1001。")
}

func TestCopiesAtTheSameTime(t *testing.T) {
	t.Parallel()
	m := phoneRig(t)
	m.texts("n1", "报修", "")
	for _, process := range []string{"one process", "two processes"} {
		gateways := []*Gateway{m.Gateway}
		if process == "two processes" {
			second := m.another(func(c *Config, d *Deps) { c.TurnTimeout = limit; d.Channels[sms] = m.nets[sms] })
			gateways = append(gateways, second)
		}
		first := m.mo("n1", "楼道灯坏了", "")
		before := m.count(`select turn from conversation where user_id = 'n1'`)
		var wg sync.WaitGroup
		for n := range 20 {
			ev := first
			ev.Repeat, ev.Key = first.Key+"/", fmt.Sprintf("%s/%d", first.Key, n)
			wg.Go(func() {
				if err := gateways[n%len(gateways)].Sink(t.Context(), []bots.Event{ev}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		m.drain(2)
		if n := m.count(`select turn from conversation where user_id = 'n1'`) - before; n != 1 {
			t.Fatalf("%s: %d turns of 20 copies", process, n)
		}
	}
}

// Copies that could not be run when they came: of those that wait one is run, and
// none where the other was done.
func TestCopiesThatWait(t *testing.T) {
	t.Parallel()
	m := phoneRig(t)
	m.acts.on("desk.call", broken)
	for n := range 3 {
		ev := m.mo("n1", "人工", "")
		ev.Repeat, ev.Key = "k/", fmt.Sprintf("k/%d", n)
		// As another process would store it that could not see the first.
		if err := m.putAside(t.Context(), ev, errBroken); err != nil {
			t.Fatal(err)
		}
	}
	m.acts.on("desk.call", nil)
	m.drain(5)
	if n := len(m.acts.named("desk.call")); n != 1 {
		t.Fatalf("called %d times", n)
	}
	if got := one[string](m.rig, `select string_agg(state, ' ' order by id) from inbox`); got != "done refused refused" {
		t.Fatalf("the events are %s", got)
	}
}

// 500 events of 20 numbers, all at once, each number in its order.
func TestOrderOfManyNumbers(t *testing.T) {
	t.Parallel()
	m := phoneRig(t)
	const numbers, each = 20, 25
	var wg sync.WaitGroup
	for u := range numbers {
		user := bots.UserID(fmt.Sprintf("n%d", u))
		var list []bots.Event
		for n := range each {
			list = append(list, m.mo(user, fmt.Sprintf("第%d句", n), ""))
		}
		wg.Go(func() {
			for _, ev := range list {
				if err := m.Sink(t.Context(), []bots.Event{ev}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := m.count(`select count(*) from inbox where state = 'done'`); n != numbers*each {
		t.Fatalf("%d events done, want %d", n, numbers*each)
	}
	rows, err := m.sql.Query(t.Context(), `select c.user_id, m.body from message m join conversation c on c.id = m.conversation_id where m.direction = 'in' order by m.id`)
	if err != nil {
		t.Fatal(err)
	}
	next := map[string]int{}
	for rows.Next() {
		var user string
		var body []byte
		if err := rows.Scan(&user, &body); err != nil {
			t.Fatal(err)
		}
		plain, err := m.Keys.Open(body, aadMessage)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("第%d句", next[user]); !strings.Contains(string(plain), want) {
			t.Fatalf("%s: heard %s, want %s", user, plain, want)
		}
		next[user]++
	}
}
