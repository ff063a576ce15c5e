package gateway

import (
	"context"
	"testing"

	"shaoying/bots"
	"shaoying/internal/postgres/db"
)

// killOwner ends the session that holds the lock of the web channel, as the
// death of its process would.
func (r *rig) killOwner() {
	r.t.Helper()
	n := r.exec(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 1 and granted
		and database = (select oid from pg_database where datname = current_database())`)
	if n != 1 {
		r.t.Fatalf("%d owners, want 1", n)
	}
}

func (r *rig) epoch() int64 {
	return r.count(`select coalesce(max(epoch), 0) from channel_owner`)
}

func TestTwoProcessesOneOwner(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := channel(t, r.Gateway), channel(t, r.another())
	stopA, stopB := r.start(a.Run), r.start(b.Run)
	for i := range 10 {
		r.says(bots.UserID(rune('a'+i)), "您好")
	}
	r.until("all is sent", r.outboxEmpty)
	if a.Owned() == b.Owned() {
		t.Fatalf("owners: %v and %v, want one", a.Owned(), b.Owned())
	}
	if r.net.runs != 1 || r.epoch() != 1 || len(r.net.all()) != 10 {
		t.Fatalf("%d receivers, epoch %d, %d sent; want 1, 1, 10", r.net.runs, r.epoch(), len(r.net.all()))
	}
	// The owner stops in order: the other takes over.
	first, second, stop := a, b, stopA
	if b.Owned() {
		first, second, stop = b, a, stopB
	}
	stop()
	r.until("the other owns", second.Owned)
	if first.Owned() || r.epoch() != 2 {
		t.Fatalf("epoch %d, the first still owns: %v", r.epoch(), first.Owned())
	}
	stopA()
	stopB()
}

func TestAKilledOwnersRowsAreFree(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "您好")
	hung, free := make(chan struct{}), make(chan struct{})
	first := true
	r.net.on(func(context.Context, bots.Address, bots.Message) error {
		r.net.mu.Lock()
		mine := first
		first = false
		r.net.mu.Unlock()
		if mine {
			close(hung)
			<-free
			return &bots.Error{Class: bots.ClassRejected, Err: errBroken}
		}
		return nil
	})
	stopA := r.start(channel(t, r.Gateway).Run)
	<-hung
	b := channel(t, r.another())
	stopB := r.start(b.Run)
	r.killOwner()
	r.until("the row that was in flight is sent", func() bool { return r.outbox("li").State == "sent" })
	epoch := r.epoch()
	if epoch < 2 || r.outbox("li").Epoch != epoch {
		t.Fatalf("epoch %d, row %d", epoch, r.outbox("li").Epoch)
	}
	close(free) // what the dead owner's send came to is nobody's business now
	stopA()
	stopB()
	if row := r.outbox("li"); row.State != "sent" || row.ErrorClass != "" || len(r.lost.all()) != 0 {
		t.Fatalf("the old owner wrote %s %q; people heard %q", row.State, row.ErrorClass, r.lost.all())
	}
}

func TestAnOldEpochClaimsNothingAndMarksNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "您好")
	ctx := t.Context()
	old, err := r.DB.TryOwn(ctx, string(web))
	if err != nil || old == nil {
		t.Fatalf("TryOwn: %v, %v", old, err)
	}
	if again, err := r.DB.TryOwn(ctx, string(web)); err != nil || again != nil {
		t.Fatalf("a second owner: %v, %v", again, err)
	}
	rows, err := r.DB.ClaimOutbox(ctx, old.Epoch, string(web), 32)
	if err != nil || len(rows) != 1 {
		t.Fatalf("claimed %d, %v", len(rows), err)
	}
	old.Release()
	var now interface{ Release() }
	r.until("the lock is free", func() bool {
		o, err := r.DB.TryOwn(ctx, string(web))
		if err != nil {
			t.Fatal(err)
		}
		if o != nil {
			now = o
		}
		return o != nil
	})
	defer now.Release()
	r.says("li", "您好")
	r.says("wang", "您好")
	if rows, err := r.DB.ClaimOutbox(ctx, old.Epoch, string(web), 32); err != nil || len(rows) != 0 {
		t.Fatalf("the old owner claimed %d rows, %v", len(rows), err)
	}
	marked, err := r.DB.MarkOutbox(ctx, db.MarkOutboxParams{
		Epoch: old.Epoch + 1, Ids: []int64{rows[0].ID}, States: []string{"sent"}, Classes: []string{""}, Errors: []string{""},
		Receipts: []string{""}, Waits: []float64{0}, Chats: []string{""}, Tries: []int32{1},
	})
	if err != nil || len(marked) != 0 {
		t.Fatalf("a row was marked under another epoch: %v, %v", marked, err)
	}
	again, err := r.DB.ClaimOutbox(ctx, r.epoch(), string(web), 32)
	if err != nil || len(again) != 2 {
		t.Fatalf("the new owner claimed %d rows, %v; want the head of each chat", len(again), err)
	}
}

func TestShutdownFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 3 {
		r.says("li", "您好")
	}
	begun, free := make(chan struct{}, 3), make(chan struct{})
	r.net.on(func(ctx context.Context, _ bots.Address, _ bots.Message) error {
		begun <- struct{}{}
		<-free
		return ctx.Err() // a send is not cut off by the shutdown
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- channel(t, r.Gateway).Run(ctx) }()
	<-begun
	cancel()
	select {
	case <-done:
		t.Fatal("Run returned with a message in flight")
	default:
	}
	close(free)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := r.count(`select count(*) from outbox where state = 'sent'`); n != 1 || len(r.net.all()) != 1 {
		t.Fatalf("%d marked, %d sent; want 1 and 1", n, len(r.net.all()))
	}
	stop := r.sender()
	r.until("the rest is sent", r.outboxEmpty)
	stop()
	if n := len(r.net.all()); n != 3 {
		t.Fatalf("%d sent in all, want 3", n)
	}
}

func TestAnAdapterThatGivesUpIsStartedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	flaky := &flakyNetwork{network: r.net}
	r.Channels[web] = flaky
	stop := r.sender()
	r.until("it ran twice", func() bool { flaky.mu.Lock(); defer flaky.mu.Unlock(); return flaky.tries == 2 })
	r.says("li", "您好")
	r.until("and sends", r.outboxEmpty)
	stop()
}

// flakyNetwork cannot go on the first time.
type flakyNetwork struct {
	*network
	tries int
}

func (n *flakyNetwork) Run(ctx context.Context, sink bots.Sink) error {
	n.mu.Lock()
	n.tries++
	first := n.tries == 1
	n.mu.Unlock()
	if first {
		return errBroken
	}
	return n.network.Run(ctx, sink)
}
