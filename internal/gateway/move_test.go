package gateway

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/internal/postgres"
)

// inGroup makes an event of the Telegram group chat.
func inGroup(chat bots.ChatID, ev bots.Event) bots.Event {
	ev = on(tg, ev)
	ev.Chat, ev.Group = chat, true
	return ev
}

// group lets users speak in a residents' group.
func (m *manyRig) group(chat bots.ChatID, users ...bots.UserID) {
	m.t.Helper()
	m.bindOn(tg, chat, flows.GroupResidents)
	for _, u := range users {
		m.send(inGroup(chat, m.text(u, "您好")))
	}
}

func (m *manyRig) moves(user bots.UserID, from, to bots.ChatID) bots.Event {
	ev := inGroup(from, m.event(user, bots.KindMoved))
	ev.NewChat = to
	return ev
}

// chats lists the conversations of a user in the order of their ids.
func (m *manyRig) chats(user bots.UserID) []string {
	m.t.Helper()
	return one[[]string](m.rig, `select array_agg(chat order by id) from conversation where user_id = $1`, string(user))
}

// moved changes the answer of the network to the old chat.
func (m *manyRig) hasMoved(from, to bots.ChatID) {
	m.nets[tg].on(func(_ context.Context, a bots.Address, _ bots.Message) error {
		if a.Chat == from {
			return &bots.Error{Class: bots.ClassMoved, NewChat: to, Err: errBroken}
		}
		return nil
	})
}

func TestAGroupMovesWithAllThatItHas(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"by a send", "by an event", "by both"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			m := newManyRig(t)
			m.group("old", "a", "b")
			for _, s := range []string{"您好", "您好", "选一选"} {
				m.send(inGroup("old", m.text("b", s)))
				m.send(inGroup("old", m.text("a", "您好")))
			}
			waiting := m.count(`select count(*) from outbox where chat = 'old' and state = 'queued'`)
			m.hasMoved("old", "new")
			ev := m.moves("a", "old", "new")
			if how != "by a send" {
				m.send(ev)
				m.send(ev) // delivered twice
			}
			if how != "by an event" {
				m.exec(`update outbox set chat = 'old'`)
			}
			m.flush()
			if !slices.Equal(m.chats("a"), []string{"new"}) || !slices.Equal(m.chats("b"), []string{"new"}) {
				t.Fatalf("a is in %q, b in %q", m.chats("a"), m.chats("b"))
			}
			if n := m.count(`select count(*) from address where chat = 'old'`); n != 0 {
				t.Errorf("%d addresses stayed", n)
			}
			got := m.nets[tg].all()
			if len(got) != int(waiting) || len(m.nets[tg].to("old")) != 0 {
				t.Fatalf("%d arrived, want %d", len(got), waiting)
			}
			var keys []string
			for _, d := range got {
				keys = append(keys, d.key)
			}
			if want := one[[]string](m.rig, `select array_agg(id || '/0' order by id) from outbox`); !slices.Equal(keys, want) {
				t.Errorf("arrived in the order %q", keys)
			}
			if n := m.count(`select count(*) from trail where kind = 'chat.moved'`); n != 1 {
				t.Errorf("%d moves in the trail, want 1", n)
			}
			if f := one[string](m.rig, `select b.flow || ' ' || g.bound_as from conversation b join conversation g on g.chat = b.chat and g.is_group
				where b.user_id = 'b'`); f != "poll residents" {
				t.Errorf("b's conversation is %q", f)
			}
			m.send(inGroup("new", m.text("b", "2"))) // the dialogue goes on
			m.flush()
			if all := m.nets[tg].to("new"); all[len(all)-1] != "选了红的。" {
				t.Errorf("the new chat got %q", all)
			}
			if n := m.count(`select count(*) from inbox where state <> 'done'`) + int64(len(m.lost.all())); n != 0 {
				t.Errorf("%d events wait or messages are lost", n)
			}
		})
	}
}

// The new chat was heard before the move was told: what is older keeps its id,
// and what the younger brought is a part of it.
func TestAMoveThatIsToldLate(t *testing.T) {
	t.Parallel()
	m := newManyRig(t)
	m.group("old", "a", "b")
	older := m.conversation("a")
	m.exec(`insert into prompt (address_id, conversation_id, due_id, flow, state, codes, subject, subject_version, open_until)
		select address_id, id, 1, 'survey', '', '{}', 'x:1', 0, product_now() + interval '1 day' from conversation where user_id = 'b'`)
	m.group("new", "a", "c") // c was never in the old one
	m.send(inGroup("new", m.text("a", "选一选")))
	younger := m.count(`select id from conversation where user_id = 'a' and chat = 'new'`)
	sendsTo := m.count(`select count(*) from outbox where state = 'queued'`)
	m.exec(`insert into due (kind, subject, key, due_at) values ($1, $2, '2/0', product_now() + interval '1 day')`, KindExpire, postgres.Subject("conversation", younger))
	m.exec(`insert into inbox (channel, event_key, conversation_id, kind, state) values ('tg', 'dead', $1, 'text', 'dead')`, younger)
	heard := m.count(`select count(*) from message where conversation_id in ($1, $2)`, older, younger)
	for range 2 {
		m.send(m.moves("a", "old", "new"))
	}
	if got := m.count(`select id from conversation where user_id = 'a'`); got != older {
		t.Fatalf("conversation %d stayed, want the older %d of %d", got, older, younger)
	}
	for table, where := range map[string]string{
		"message": "true", "inbox": "state = 'dead'", "outbox": "state = 'queued' and conversation_id not in (select id from conversation where user_id in ('b', 'c'))",
	} {
		if n := m.count(`select count(*) from ` + table + ` where conversation_id = ` + postgres.Subject("", younger)[1:] + ` and ` + where); n != 0 {
			t.Errorf("%d rows of %s are left with the conversation that is no more", n, table)
		}
	}
	if n := m.count(`select count(*) from message where conversation_id = $1`, older); n != heard {
		t.Errorf("%d messages kept, want %d", n, heard)
	}
	if n := m.count(`select count(*) from due where subject = $1 and state = 'planned'`, postgres.Subject("conversation", older)); n != 1 {
		t.Error("the clock of the open question did not go along")
	}
	if !slices.Equal(m.chats("b"), []string{"new"}) || !slices.Equal(m.chats("c"), []string{"new"}) {
		t.Errorf("b is in %q, c in %q", m.chats("b"), m.chats("c"))
	}
	m.send(inGroup("new", m.text("a", "3")))
	m.flush()
	all := m.nets[tg].to("new")
	if len(all) != int(sendsTo)+1 || all[len(all)-1] != "选了蓝的。" {
		t.Fatalf("the new chat got %q, want %d and the answer", all, sendsTo)
	}
	// A word that was on its way to the old chat is kept, and the next that is
	// told of the move brings it along.
	b := m.conversation("b")
	before := m.count(`select count(*) from message where conversation_id = $1`, b)
	m.send(inGroup("old", m.text("b", "选一选")))
	m.send(m.moves("b", "old", "new"))
	if !slices.Equal(m.chats("b"), []string{"new"}) || m.count(`select count(*) from message where conversation_id = $1`, b) != before+1 {
		t.Fatalf("b is in %q", m.chats("b"))
	}
}

// A ticket and its card stay with the chat, wherever it goes.
func TestTicketsAndCardsMoveAlong(t *testing.T) {
	t.Parallel()
	m := newManyRig(t)
	m.group("old", "a")
	m.group("new", "a")
	ids := one[[]int64](m.rig, `select array_agg(id order by id) from conversation where user_id = 'a'`)
	for i, number := range []string{"1", "2"} {
		m.exec(`insert into ticket (number, state, claim, matter, urgency, words, reporter_id, address_id, conversation_id, version, received_at)
			select $2, 'received', 'help', 'other', 'general', '', a.person_id, a.id, $1, 1, product_now() from address a where a.user_id = 'a'`, ids[i], number)
	}
	m.exec(`insert into card (conversation_id, handle, ticket_id) select $1, 1, id from ticket where number = '1'`, ids[0])
	m.exec(`insert into card (conversation_id, handle, ticket_id) select $1, 1, id from ticket where number = '1'`, ids[1]) // the same
	m.exec(`insert into card (conversation_id, handle, ticket_id) select $1, 2, id from ticket where number = '2'`, ids[1])
	m.send(m.moves("a", "old", "new"))
	if n := m.count(`select count(*) from ticket where conversation_id = $1`, ids[0]); n != 2 {
		t.Errorf("%d tickets", n)
	}
	if got := one[[]int32](m.rig, `select array_agg(handle order by handle) from card where closed_at is null and conversation_id = $1`, ids[0]); !slices.Equal(got, []int32{1, 2}) {
		t.Errorf("open cards %v", got)
	}
}

// A pause that the network asked for outlives the process that was told.
func TestAPauseBindsTheNextOwner(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.net.on(func(context.Context, bots.Address, bots.Message) error {
		return &bots.Error{Class: bots.ClassThrottled, After: time.Hour, Err: errBroken}
	})
	r.says("li", "您好")
	stop := r.sender()
	r.until("the network said so", func() bool { return r.outbox("li").ErrorClass == "throttled" })
	stop()
	r.net.on(nil)
	r.hurry()
	r.says("wang", "您好")
	next, err := NewChannel(r.another(), web)
	if err != nil {
		t.Fatal(err)
	}
	stop = r.start(next.Run)
	r.until("both are put off", func() bool {
		return r.count(`select count(*) from outbox where state = 'queued' and not_before > now() + interval '50 minutes'`) == 2
	})
	stop()
	if n := len(r.net.all()); n != 0 {
		t.Fatalf("%d sent in the pause", n)
	}
	r.exec(`update channel_owner set paused_until = now() - interval '1 second'`)
	r.hurry()
	after, err := NewChannel(r.another(), web)
	if err != nil {
		t.Fatal(err)
	}
	stop = r.start(after.Run)
	r.until("all is sent", r.outboxEmpty)
	stop()
}

func TestAPauseIsNeverShortened(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p := newPace(bots.Caps{}, func() time.Time { return now })
	p.pause(time.Hour)
	p.pause(time.Second)
	p.pause(0)
	if d := p.wait("a", false); d != time.Hour {
		t.Fatalf("the pause is %v, want 1h", d)
	}
}

func TestOldestUnsent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	reg := prometheus.NewRegistry()
	reg.MustRegister(Waiting(r.DB, web, false, r.Log)...)
	seconds := func() float64 {
		t.Helper()
		all, err := reg.Gather()
		if err != nil || len(all) != 1 || all[0].GetName() != "shaoying_oldest_unsent_seconds" {
			t.Fatalf("gathered %v, %v", all, err)
		}
		m := all[0].GetMetric()[0]
		if l := m.GetLabel()[0]; l.GetName() != "channel" || l.GetValue() != "web" {
			t.Fatalf("labels %v", m.GetLabel())
		}
		return m.GetGauge().GetValue()
	}
	if s := seconds(); s != 0 {
		t.Fatalf("%v s with nothing to send", s)
	}
	r.says("li", "您好")
	r.says("li", "您好")
	r.exec(`update outbox set created_at = now() - interval '3 minutes' where id = (select min(id) from outbox)`)
	if s := seconds(); s < 180 || s > 200 {
		t.Fatalf("%v s, want 180", s)
	}
	stop := r.sender()
	r.until("all is sent", r.outboxEmpty)
	stop()
	if s := seconds(); s != 0 {
		t.Fatalf("%v s after all was sent", s)
	}
	r.DB.Close()
	if s := seconds(); s == s {
		t.Fatalf("%v s while the database is away, want NaN", s)
	}
}
