package actions

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"shaoying/bots"
	"shaoying/internal/gateway"
)

// byNumber is a carrier: words alone, paid, and its senders can be forged.
type byNumber struct{ network }

func (byNumber) Caps() bots.Caps {
	return bots.Caps{MaxText: 500, TextUnit: bots.UTF16, Phone: true, Paid: true, Extensions: 9}
}

const carrier = bots.ChannelID("carrier")

// withCarrier is the same gateway with a carrier beside the web page.
func withCarrier(t *testing.T, r *rig) *rig {
	t.Helper()
	deps := r.Gateway.Deps
	deps.Channels = map[bots.ChannelID]bots.Adapter{web: network{}, carrier: byNumber{}}
	g, err := gateway.New(gateway.Config{FloodPerMinute: 1000}, deps)
	if err != nil {
		t.Fatal(err)
	}
	r.Gateway, r.ask = g, gateway.NewRunner(g)
	return r
}

// mo is a text from a number.
func (r *rig) mo(user bots.UserID, text string) bots.Event {
	ev := r.event(user, bots.KindText, text)
	ev.Channel, ev.Key = carrier, "sms-"+ev.Key
	ev.From.Trust, ev.From.Phone = bots.TrustNone, "+8613800001234"
	return ev
}

// R2, S2: 20 copies of one text at the same time, of which some came again under
// another key, are one ticket and one answer.
func TestTwentyCopiesAreOneTicket(t *testing.T) {
	t.Parallel()
	r := withCarrier(t, newRig(t))
	first := r.mo("n1", garbage)
	var wg sync.WaitGroup
	for n := range 20 {
		ev := first
		ev.Repeat = first.Key + "/"
		ev.Key = fmt.Sprintf("%s/%d", first.Key, n%5)
		wg.Go(func() {
			if err := r.Sink(t.Context(), []bots.Event{ev}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := r.tickets(); n != 1 {
		t.Fatalf("%d tickets", n)
	}
	said := r.heard("n1")
	if len(said) == 0 || len(said) > 2 || !strings.Contains(strings.Join(said, " "), r.number()) {
		t.Fatalf("said %q", said)
	}
}

// S3: what a forged number must not change, where it is bound to somebody.
func TestAForgedNumberChangesNobody(t *testing.T) {
	t.Parallel()
	r := withCarrier(t, newRig(t))
	r.says("li", "您好")
	r.exec(`update person p set lang = 'zh-Hans' from address a where a.person_id = p.id and a.user_id = 'li'`)
	r.exec(`with a as (insert into address (channel, user_id, chat, person_id, trust, proven_at)
			select 'carrier', 'n1', 'n1', person_id, 'verified', product_now() from address where user_id = 'li' returning id)
		insert into conversation (channel, chat, user_id, address_id) select 'carrier', 'n1', 'n1', id from a`)
	state := func() string {
		return one[string](r, `select concat_ws(' ', p.kind, p.lang, p.name is null, (select count(*) from consent), (select count(*) from rider), (select count(*) from staff))
			from person p join address a on a.person_id = p.id where a.user_id = 'li'`)
	}
	before := state()
	var answers []string
	for _, text := range []string{"骑士登记", "外卖", "王五", "13900009999", "English", "加入 7KQ2 M9XD", "参与调查", "我是居民", "我的工单"} {
		answers = append(answers, r.send(r.mo("n1", text))...)
	}
	if after := state(); after != before {
		t.Fatalf("%q became %q; said %q", before, after, answers)
	}
	for _, want := range []string{"这件请在您绑定的网页或聊天里办", "请在网页或工作聊天里用激活码加入"} {
		if !slices.ContainsFunc(answers, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("nobody said %q: %q", want, answers)
		}
	}
	// The number itself is kept, and no other.
	if n := one[int64](r, `select count(*) from person where phone_index = $1`, r.Keys.Index(gateway.IndexPhone, "+8613900009999")); n != 0 {
		t.Fatal("a number that was only said is somebody's")
	}
}
