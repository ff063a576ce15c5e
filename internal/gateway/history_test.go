package gateway

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
)

// history does at random what can happen to the messages of three people who
// are known on three networks, and keeps what the networks saw.
type history struct {
	*manyRig
	rnd   *rand.Rand
	calm  bool // the networks take everything
	users []seat
	tries map[int64][]bots.Class // of each outbox row, 0 for taken
	wrong []string
}

type seat struct {
	channel bots.ChannelID
	user    bots.UserID
}

// R4, R16: whatever happens, every message ends once: sent, of unknown outcome,
// stale, or with people. Each address has it once, by the rules of its tries, and
// one that was stopped or lies in a group never gets what was meant for another.
func TestEveryMessageEndsOnce(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2, 3, 4} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			h := newHistory(t, seed)
			for range 300 {
				h.step()
			}
			h.calm = true
			h.flush()
			h.check()
		})
	}
}

func newHistory(t testing.TB, seed uint64) *history {
	h := &history{manyRig: newManyRig(t), rnd: rand.New(rand.NewPCG(seed, 1)), tries: map[int64][]bots.Class{}}
	for _, p := range []string{"p", "q", "r"} {
		first := bots.UserID(p + "-web")
		h.says(first, "您好")
		h.users = append(h.users, seat{web, first})
		for _, id := range []bots.ChannelID{tg, sms} {
			for n := range 1 + h.rnd.IntN(3) {
				user := bots.UserID(fmt.Sprintf("%s-%s%d", p, id, n))
				h.also(first, id, user, []bots.Trust{bots.TrustNone, bots.TrustSession, bots.TrustStable, bots.TrustVerified}[h.rnd.IntN(4)])
				h.users = append(h.users, seat{id, user})
			}
		}
		h.also(first, tg, bots.UserID(p+"-group"), bots.TrustVerified)
	}
	h.exec(`update conversation set in_group = true where user_id like '%-group'`)
	for id, n := range h.nets {
		n.on(func(_ context.Context, to bots.Address, m bots.Message) error { return h.answer(id, to, m) })
	}
	return h
}

// answer is what a network says of one send.
func (h *history) answer(id bots.ChannelID, to bots.Address, m bots.Message) error {
	row, _, _ := strings.Cut(m.Key, "/")
	outbox, err := strconv.ParseInt(row, 10, 64)
	if err != nil {
		return err
	}
	state := one[string](h.rig, `select a.state || case when c.in_group then ' group' else '' end || case when o.fallback_of is null then '' else ' second' end
		from outbox o join address a on a.id = o.address_id join conversation c on c.id = o.conversation_id where o.id = $1`, outbox)
	if strings.Contains(state, "second") && state != "active second" || strings.HasPrefix(state, "gone") {
		h.wrong = append(h.wrong, fmt.Sprintf("row %d went to %s of %s, which is %s", outbox, to.Chat, id, state))
	}
	var class bots.Class
	switch {
	case h.calm:
	case outbox%7 == 0: // some are unknown each time
		class = bots.ClassUnknown
	case h.rnd.IntN(100) < 50:
		class = bots.Classes()[h.rnd.IntN(len(bots.Classes()))]
	}
	h.tries[outbox] = append(h.tries[outbox], class)
	if class == 0 {
		return nil
	}
	return &bots.Error{Class: class, NewChat: to.Chat, Err: errBroken}
}

// step lets one thing happen.
func (h *history) step() {
	who := h.users[h.rnd.IntN(len(h.users))]
	switch key := strconv.Itoa(h.rnd.IntN(1 << 30)); h.rnd.IntN(20) {
	case 0, 1, 2, 3:
		h.plan("tell", who.user, key, time.Time{})
	case 4, 5:
		h.plan("ask.survey", who.user, key, time.Time{})
	case 6, 7, 8:
		h.send(on(who.channel, h.text(who.user, []string{"您好", "选一选", "满意", "1", "报修"}[h.rnd.IntN(5)])))
	case 9:
		h.send(on(who.channel, h.event(who.user, bots.KindLeave)))
	case 10:
		h.exec(`update address set state = case state when 'stopped' then 'active' else 'stopped' end where user_id = $1`, string(who.user))
	case 11, 12, 13:
		h.due()
	default:
		h.hurry()
		h.posts[who.channel].once(h.t)
	}
}

// end is one message with all the rows that it had.
type end struct {
	ids, addresses  []int64
	states, classes []string
	question        bool
}

func (h *history) check() {
	h.t.Helper()
	rows, err := h.sql.Query(h.t.Context(), `with recursive chain(root, id, address_id, state, class, question, depth) as (
			select id, id, address_id, state, class, question_turn <> 0, 0 from outbox where fallback_of is null
			union all select c.root, o.id, o.address_id, o.state, o.class, c.question, c.depth + 1 from outbox o join chain c on o.fallback_of = c.id)
		select array_agg(id order by depth), array_agg(address_id order by depth), array_agg(state order by depth), array_agg(class order by depth), bool_or(question)
		from chain group by root`)
	if err != nil {
		h.t.Fatal(err)
	}
	counts := map[string]int{}
	people, passed := 0, 0
	for rows.Next() {
		var e end
		if err := rows.Scan(&e.ids, &e.addresses, &e.states, &e.classes, &e.question); err != nil {
			h.t.Fatal(err)
		}
		last := len(e.ids) - 1
		passed += last
		counts[e.states[last]]++
		switch e.states[last] {
		case "failed", "unknown":
			people++
		case "sent", "stale":
		default:
			h.t.Errorf("a message ended as %v", e)
		}
		if slices.Sort(e.addresses); len(slices.Compact(slices.Clone(e.addresses))) != len(e.addresses) {
			h.t.Errorf("an address had it twice: %v", e)
		}
		taken, unknown := 0, 0
		for i, id := range e.ids {
			if i < last && e.states[i] != "failed" && (e.states[i] != "unknown" || e.classes[i] != "push" || e.question) {
				h.t.Errorf("a message went on from %s: %v", e.states[i], e)
			}
			taken += h.checkTries(id)
			if e.states[i] == "unknown" {
				unknown++
			}
		}
		if want := map[string]int{"sent": 1}[e.states[last]]; taken != want {
			h.t.Errorf("taken %d times, want %d: %v", taken, want, e)
		}
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	if n := len(h.lost.all()); n != people {
		h.t.Errorf("people heard of %d messages, %d were given up", n, people)
	}
	if n := h.count(`select count(*) from prompt p join conversation c on c.id = p.conversation_id where c.address_id <> p.address_id`); n != 0 {
		h.t.Errorf("%d prompts wait in a chat of another address", n)
	}
	for _, w := range h.wrong {
		h.t.Error(w)
	}
	h.t.Logf("%d rows passed on; ended as %v", passed, counts)
	if passed == 0 || counts["sent"] == 0 || people == 0 {
		h.t.Error("this history proves nothing")
	}
}

// checkTries wants a row tried by its rules and returns how often it was taken.
func (h *history) checkTries(id int64) (taken int) {
	h.t.Helper()
	counted, unknown := 0, 0
	for i, c := range h.tries[id] {
		switch c {
		case bots.ClassThrottled, bots.ClassLoggedOut:
			continue // the network's fault uses up no try
		case 0:
			taken++
		case bots.ClassUnknown:
			unknown++
		}
		counted++
		if certain := c != 0 && !c.Retry() && c != bots.ClassUnknown; (certain || c == 0) && i != len(h.tries[id])-1 {
			h.t.Errorf("row %d was tried again after %q", id, h.tries[id])
		}
	}
	if counted > maxSendTries || unknown > maxUnknownTries {
		h.t.Errorf("row %d was tried %d times, %d of unknown outcome", id, counted, unknown)
	}
	return taken
}
