package gateway

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"shaoying/bots"
)

// cardRig is a rig whose network can change what it sent, with a wish that lays
// a card in the work group, or changes it.
func cardRig(t testing.TB, can bool) (*rig, *editing) {
	t.Helper()
	e := &editing{}
	r := groupRig(t, func(_ *Config, d *Deps) {
		if can {
			d.Channels = map[bots.ChannelID]bots.Adapter{web: e}
		}
	})
	e.network = r.net
	return r, e
}

// lay queues one text of a card in the work group.
func (r *rig) lay(l Laid) int64 {
	r.t.Helper()
	r.acts.on("card.take", func(_ context.Context, t *Turn) error {
		l.Params = map[string]string{"handle": strconv.Itoa(len(r.acts.named("card.take")))}
		return t.Lay(l)
	})
	r.addressed(workers, "wang", "接 1")
	// The reply of the dialogue is of no interest here.
	r.exec(`delete from outbox where text_key = 'steps.1.say' and state = 'queued'`)
	return r.count(`select max(id) from outbox where chat = $1`, string(workers))
}

func (r *rig) deliver() {
	r.t.Helper()
	stop := r.sender()
	r.until("the outbox is empty", r.outboxEmpty)
	stop()
}

func TestACardChangesInPlace(t *testing.T) {
	t.Parallel()
	r, net := cardRig(t, true)
	root := r.lay(Laid{Key: "card.lead"})
	r.deliver()
	r.lay(Laid{Key: "card.over", Edits: root, Short: "card.changed"})
	r.deliver()
	r.lay(Laid{Key: "card.over", Edits: root, Short: "card.changed"})
	r.deliver()
	if got := fmt.Sprint(net.changed()); got != "[{r1 【2】办了 0} {r1 【3】办了 0}]" {
		t.Fatalf("changed %s", got)
	}
	if sent := r.net.to(workers); len(sent) != 1 || sent[0] != "【1】卡片" {
		t.Fatalf("sent %q", sent)
	}
}

// A fast sequence of changes makes one edit, and one that was never shown is
// shown as it is now.
func TestChangesOvertakeEachOther(t *testing.T) {
	t.Parallel()
	r, net := cardRig(t, true)
	root := r.lay(Laid{Key: "card.lead"})
	r.deliver()
	for range 3 {
		r.lay(Laid{Key: "card.over", Edits: root})
	}
	r.deliver()
	if got := fmt.Sprint(net.changed()); got != "[{r1 【4】办了 0}]" {
		t.Fatalf("changed %s", got)
	}
	if n := r.count(`select count(*) from outbox where edits <> 0 and state = 'stale'`); n != 2 {
		t.Fatalf("%d changes were overtaken, want 2", n)
	}
	never := r.lay(Laid{Key: "card.lead"})
	r.exec(`update outbox set state = 'stale' where id = $1`, never)
	r.lay(Laid{Key: "card.over", Edits: never, Short: "card.changed"})
	r.deliver()
	r.lay(Laid{Key: "card.over", Edits: never, Short: "card.changed"})
	r.deliver()
	if sent := r.net.to(workers); len(sent) != 2 || sent[1] != "【6】办了" {
		t.Fatalf("sent %q", sent)
	}
	if got := net.changed(); len(got) != 2 || got[1].receipt != "r2" {
		t.Fatalf("changed %v", got)
	}
}

// Where a message cannot be changed a short line says what is new; without one
// nothing is said.
func TestWhatCannotBeChanged(t *testing.T) {
	t.Parallel()
	for _, can := range []bool{true, false} {
		r, net := cardRig(t, can)
		net.refuse = func(bots.Receipt) error { return &bots.Error{Class: bots.ClassRejected, Err: errBroken} }
		root := r.lay(Laid{Key: "card.lead"})
		r.deliver()
		r.lay(Laid{Key: "card.over", Edits: root, Short: "card.changed"})
		r.deliver()
		if sent := r.net.to(workers); len(sent) != 2 || sent[1] != "【2】变了" {
			t.Fatalf("sent %q", sent)
		}
		r.lay(Laid{Key: "card.over", Edits: root})
		r.deliver()
		if row := r.outbox(string(workers)); row.State != "stale" || len(r.net.to(workers)) != 2 {
			t.Fatalf("the change is %s: %s", row.State, row.Error)
		}
	}
}

// A change that fails for a while is tried again like any send.
func TestAChangeIsTriedAgain(t *testing.T) {
	t.Parallel()
	r, net := cardRig(t, true)
	root := r.lay(Laid{Key: "card.lead"})
	r.deliver()
	tries := 0
	net.refuse = func(bots.Receipt) error {
		if tries++; tries == 1 {
			return &bots.Error{Class: bots.ClassUnknown, Err: errBroken}
		}
		return nil
	}
	r.lay(Laid{Key: "card.over", Edits: root})
	stop := r.sender()
	r.until("the change is done", func() bool { r.hurry(); return r.outboxEmpty() })
	stop()
	if len(net.changed()) != 1 || tries != 2 {
		t.Fatalf("%d tries, changed %v", tries, net.changed())
	}
}

// A card that a group does not take must not lie there alone.
func TestALostCardLooksAtItsGroup(t *testing.T) {
	t.Parallel()
	r, _ := cardRig(t, true)
	r.net.on(func(context.Context, bots.Address, bots.Message) error {
		return &bots.Error{Class: bots.ClassGone, Err: errBroken}
	})
	r.lay(Laid{Key: "card.lead"})
	r.deliver()
	if n := r.count(`select count(*) from due where kind = $1 and state = 'planned'`, KindMembers); n != 1 {
		t.Fatalf("%d looks at the group", n)
	}
	if s := one[string](r, `select a.state from address a join conversation c on c.address_id = a.id where c.is_group and c.bound_as = 'work'`); s != "gone" {
		t.Fatalf("the group is %s", s)
	}
	r.mutters(workers, "wang", "在吗")
	if s := one[string](r, `select a.state from address a join conversation c on c.address_id = a.id where c.is_group and c.bound_as = 'work'`); s != "active" {
		t.Fatalf("a group that was heard is %s", s)
	}
}
