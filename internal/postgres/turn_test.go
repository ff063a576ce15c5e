package postgres

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"shaoying/internal/postgres/db"
)

func from(user, key string) Incoming {
	return Incoming{Channel: "web", Chat: user, User: user, Trust: "session", Kind: "text", Key: key}
}

// turn begins a turn of one event.
func turn(t testing.TB, d *DB, in Incoming) (*Turn, TurnRow) {
	t.Helper()
	tx, rows, err := d.BeginTurn(t.Context(), []Incoming{in})
	if err != nil {
		t.Fatal(err)
	}
	return tx, rows[0]
}

func stateOf(r TurnRow) ConversationState {
	return ConversationState{ID: r.ConversationID, Turn: r.Turn + 1, FloodAt: r.FloodAt, AddressID: r.AddressID, Inbound: true}
}

func commit(t testing.TB, tx *Turn, r TurnRow) {
	t.Helper()
	if err := tx.Commit(t.Context(), []ConversationState{stateOf(r)}, nil, nil); err != nil {
		t.Fatal(err)
	}
}

func TestTurnMakesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	tx, r := turn(t, d, from("li", "k1"))
	if !r.Fresh || r.InboxID == 0 || r.ConversationID == 0 || r.AddressID == 0 || r.PersonID == 0 || r.Trust != "session" || r.Lang != "zh-Hans" || r.AddressState != "active" {
		t.Fatalf("%+v", r)
	}
	commit(t, tx, r)
	tx, again := turn(t, d, from("li", "k1"))
	if again.Fresh || again.ConversationID != r.ConversationID || again.Turn != 1 {
		t.Fatalf("the same event again: %+v", again)
	}
	tx.Rollback(t.Context())
	tx.Rollback(t.Context()) // harmless
	if d.Free() != 5 {
		t.Fatalf("%d connections are free, want all 5", d.Free())
	}
}

// A member's conversation knows its group by the same statement; a private one
// never does.
func TestATurnInAGroup(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	in := from("li", "k1")
	in.Chat, in.Group = "hall", true
	tx, r := turn(t, d, in)
	if r.GroupID != 0 || r.BoundAs != "" {
		t.Fatalf("a group that was never bound: %+v", r)
	}
	person, err := tx.NewGroupPerson(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, err := tx.NewAddress(t.Context(), db.NewAddressParams{Channel: "web", UserID: "group", Chat: "hall", PersonID: person, Trust: "none"})
	if err != nil {
		t.Fatal(err)
	}
	g, err := tx.NewGroup(t.Context(), db.NewGroupParams{Channel: "web", Chat: "hall", UserID: "group", AddressID: a})
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.BindGroup(t.Context(), db.BindGroupParams{ID: g, BoundAs: "work", AreaKind: "grid", Area: "1"}); err != nil {
		t.Fatal(err)
	}
	commit(t, tx, r)
	in.Key = "k2"
	tx, r = turn(t, d, in)
	if r.GroupID != g || r.GroupAddress != a || r.BoundAs != "work" || r.GroupBlocked || r.GroupGone || r.Left {
		t.Fatalf("in the group: %+v", r)
	}
	if err := tx.LeaveGroup(t.Context(), r.ConversationID); err != nil {
		t.Fatal(err)
	}
	if err := tx.BlockGroup(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	commit(t, tx, r)
	in.Key = "k3"
	tx, r = turn(t, d, in)
	if !r.Left || !r.GroupBlocked {
		t.Fatalf("after leaving: %+v", r)
	}
	commit(t, tx, r)
	// The chat of an address is its private one, once there is any.
	if chat := value[string](t, d, `select chat from address where user_id = 'li'`); chat != "" {
		t.Fatalf("who was heard in a group only is written to in %q", chat)
	}
	tx, r = turn(t, d, from("li", "k4"))
	if r.GroupID != 0 || r.BoundAs != "" {
		t.Fatalf("in private: %+v", r)
	}
	commit(t, tx, r)
	if chat := value[string](t, d, `select chat from address where user_id = 'li'`); chat != "li" {
		t.Fatalf("the private chat is %q", chat)
	}
}

func TestATurnOfManyConversations(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	tx, r := turn(t, d, from("b", "old"))
	commit(t, tx, r)
	in := []Incoming{from("c", "3"), from("b", "old"), from("a", "1")}
	tx, rows, err := d.BeginTurn(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if !rows[0].Fresh || rows[1].Fresh || !rows[2].Fresh || rows[1].ConversationID != r.ConversationID {
		t.Fatalf("%+v", rows)
	}
	var states []ConversationState
	for _, r := range rows {
		states = append(states, stateOf(r))
	}
	lines := []Line{{Channel: "web", Chat: "c", ConversationID: rows[0].ConversationID, AddressID: rows[0].AddressID, Class: "reply", Source: "flow:x", Key: "k", Lang: "en", Params: []byte("p"), Nudge: time.Minute, Expire: time.Hour}}
	heard := []Heard{{ConversationID: rows[2].ConversationID, InboxID: rows[2].InboxID, Kind: "text", Body: []byte("b")}}
	if err := tx.Commit(t.Context(), states, heard, lines); err != nil {
		t.Fatal(err)
	}
	if n := value[int](t, d, `select nudge_seconds + expire_seconds from outbox`); n != 3660 {
		t.Fatalf("the delays are %d s", n)
	}
	if n := value[int](t, d, `select count(*)::int from conversation where turn > 0`); n != 3 {
		t.Fatalf("%d conversations moved on, want 3", n)
	}
}

func TestACommitThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	good := Line{Channel: "web", Chat: "li", Class: "reply", Params: []byte("p")}
	bad := good
	bad.Class = "shout"
	for name, prepare := range map[string]func(tx *Turn, r TurnRow) ([]Line, error){
		"a line that the table refuses": func(*Turn, TurnRow) ([]Line, error) { return []Line{good, bad}, nil },
		"a transaction that is broken already": func(tx *Turn, _ TurnRow) ([]Line, error) {
			_, err := tx.conn.Exec(t.Context(), "select no")
			return []Line{good}, err
		},
		"a constraint that is checked at the end": func(tx *Turn, r TurnRow) ([]Line, error) {
			_, err := tx.conn.Exec(t.Context(), `create temp table late (n int unique deferrable initially deferred) on commit drop`)
			if err == nil {
				_, err = tx.conn.Exec(t.Context(), `insert into late values (1), (1)`)
			}
			return []Line{good}, err
		},
	} {
		tx, r := turn(t, d, from("li", name))
		lines, _ := prepare(tx, r)
		if err := tx.Commit(t.Context(), []ConversationState{stateOf(r)}, nil, lines); err == nil {
			t.Errorf("%s: committed", name)
		}
		tx.Rollback(t.Context())
		if n := value[int](t, d, `select (select count(*) from inbox) + (select count(*) from outbox) + (select count(*) from conversation)`); n != 0 {
			t.Errorf("%s: %d rows stayed", name, n)
		}
	}
	tx, r := turn(t, d, from("li", "after")) // the pool is whole
	commit(t, tx, r)
	if d.Free() != 5 {
		t.Fatalf("%d connections are free, want all 5", d.Free())
	}
}

// What stands beside the conversation is read after its lock was got, not
// before the wait for it.
func TestATurnSeesWhatTheOneBeforeItDid(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	tx, r := turn(t, d, from("li", "1"))
	commit(t, tx, r)
	exec(t, d, `insert into prompt (address_id, conversation_id, due_id, flow, state, codes, subject, subject_version, open_until)
		values ($1, $2, 1, 'survey', 'old', '{}', 'ticket:1', 1, now() + interval '1 day')`, r.AddressID, r.ConversationID)
	exec(t, d, `insert into inbox (channel, event_key, conversation_id, kind, state) values ('web', 'w', $1, 'text', 'waiting')`, r.ConversationID)

	first, seen := turn(t, d, from("li", "2"))
	if seen.PromptFlow != "survey" || !seen.Behind {
		t.Fatalf("%+v", seen)
	}
	type result struct {
		tx  *Turn
		row []TurnRow
		err error
	}
	second := make(chan result, 1)
	go func() {
		tx, rows, err := d.BeginTurn(t.Context(), []Incoming{from("li", "3")})
		second <- result{tx, rows, err}
	}()
	until(t, "the second turn waits for the first", waiting(t, d))
	if err := first.ClosePrompt(t.Context(), seen.PromptID, "answered"); err != nil {
		t.Fatal(err)
	}
	if err := first.FinishWaiting(t.Context(), value[int64](t, d, `select id from inbox where event_key = 'w'`)); err != nil {
		t.Fatal(err)
	}
	commit(t, first, seen)
	got := <-second
	if got.err != nil {
		t.Fatal(got.err)
	}
	defer got.tx.Rollback(t.Context())
	if got.row[0].PromptID != 0 || got.row[0].Behind || got.row[0].Turn != seen.Turn+1 {
		t.Fatalf("the second turn sees what is over: %+v", got.row[0])
	}
}

func TestAPromptThatIsOverIsNotOpen(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	tx, r := turn(t, d, from("li", "1"))
	commit(t, tx, r)
	exec(t, d, `insert into prompt (address_id, conversation_id, due_id, flow, state, codes, subject, subject_version, open_until)
		values ($1, $2, 1, 'survey', 'old', '{}', 'ticket:1', 1, product_now() - interval '1 second')`, r.AddressID, r.ConversationID)
	tx, r = turn(t, d, from("li", "2"))
	defer tx.Rollback(t.Context())
	if r.PromptID != 0 {
		t.Fatalf("%+v", r)
	}
}

func TestTurnsOfOneConversationFollowEachOther(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			tx, rows, err := d.BeginTurn(t.Context(), []Incoming{from("li", strings.Repeat("k", i+1))})
			if err != nil {
				t.Error(err)
				return
			}
			if err := tx.Commit(t.Context(), []ConversationState{stateOf(rows[0])}, nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := value[int](t, d, `select turn::int from conversation`); n != 20 {
		t.Fatalf("turn %d, want 20", n)
	}
}

func TestACanceledTurnGivesItsConnectionBack(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	tx, r := turn(t, d, from("li", "1"))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, _, err := d.BeginTurn(ctx, []Incoming{from("li", "1")})
		done <- err
	}()
	until(t, "it waits", waiting(t, d))
	cancel()
	if err := <-done; err == nil {
		t.Fatal("a canceled turn began")
	}
	commit(t, tx, r)
	until(t, "all connections are back", func() bool { return d.Free() == 5 })
}

func TestAWaitingEventIsStoredOnce(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	for range 2 {
		err := d.InTx(t.Context(), func(ctx context.Context, tx *Tx) error {
			conv, err := tx.EnsureConversation(ctx, from("li", "1"))
			if err != nil {
				return err
			}
			return tx.StoreWaitingEvent(ctx, from("li", "1"), conv, []byte("sealed"), "why")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	heads, err := d.WaitingHeads(t.Context(), 9)
	if err != nil || len(heads) != 1 || string(heads[0].Event) != "sealed" {
		t.Fatalf("%+v, %v", heads, err)
	}
}

func TestDuplicateKeysAreKnownAsSuch(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	add := func() error {
		_, err := d.pool.Exec(t.Context(), `insert into setting values ('a', 'b')`)
		return err
	}
	if err := add(); err != nil {
		t.Fatal(err)
	}
	if err := add(); !IsDuplicate(err) || IsDuplicate(nil) {
		t.Fatalf("IsDuplicate(%v) is false", err)
	}
}

func TestOwnership(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	own, err := d.TryOwn(t.Context(), "web")
	if err != nil || own == nil || own.Epoch != 1 {
		t.Fatalf("%+v, %v", own, err)
	}
	if other, err := d.TryOwn(t.Context(), "sms"); err != nil || other == nil {
		t.Fatalf("another channel: %v, %v", other, err)
	} else {
		other.Release()
	}
	watched := make(chan error, 1)
	go func() { watched <- own.Watch(t.Context()) }()
	exec(t, d, `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())`)
	if err := <-watched; err == nil {
		t.Fatal("the loss of the lock went unseen")
	}
	own.Release()
	again, err := d.TryOwn(t.Context(), "web")
	if err != nil || again == nil || again.Epoch != 2 {
		t.Fatalf("after a kill: %+v, %v", again, err)
	}
	again.Release()
}
