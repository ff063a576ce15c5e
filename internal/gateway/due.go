package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// Due is one due row that was claimed.
type Due struct {
	ID                 int64
	Kind, Subject, Key string
	Person             int64
	Version            int32
	Data               json.RawMessage
	At                 time.Time
	NotAfter           *time.Time
	Tries              int32
	// Why is what put it off last, "" when nothing did.
	Why string
}

// SubjectID reads the id of a subject such as "ticket:17".
func (d Due) SubjectID(kind string) (int64, error) {
	id, ok := strings.CutPrefix(d.Subject, kind+":")
	if !ok {
		return 0, fmt.Errorf("due %s %s: the subject is no %s", d.Kind, d.Subject, kind)
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("due %s %s: %w", d.Kind, d.Subject, err)
	}
	return n, nil
}

// Kind is a kind of due thing.
type Kind struct {
	Name string
	// Workers limits how many of this kind run at once in one process.
	Workers int
	// Class is the class of quiet hours that binds it; empty for what is no
	// push.
	Class scheduler.Class
	// ClassOf is the class of one row, where they differ; nil for Class.
	ClassOf func(Due) scheduler.Class
	// Replaces names the dialogue whose open prompts do not stand in the way of
	// this kind: Run joins what they asked to its own question (Turn.Join).
	Replaces string
	// Opens is true when it opens a prompt: it then never breaks into a
	// dialogue or another prompt.
	Opens bool
	// Target names the conversation it speaks into; nil for work that speaks
	// to nobody. ErrNoAddress leads to Lost.
	Target func(ctx context.Context, d *postgres.DB, due Due) (int64, error)
	// Lost does what is done when there is nobody to write to, and speaks to
	// nobody itself; nil drops the row.
	Lost func(ctx context.Context, t *Turn, due Due) (Outcome, error)
	// Late does what a person has to do instead where a row comes too late, or quiet
	// hours leave it no time and its class hands it over (hours.yaml: too_late); nil
	// does nothing. It speaks to nobody, as Lost.
	Late func(ctx context.Context, t *Turn, due Due) error
	// Still is asked once more when the sender takes what Run said: is it still
	// to be said? If not, why says what changed, for the ledger. Nil asks the check
	// of its reason alone (Fresh). It changes nothing and locks nothing.
	Still func(ctx context.Context, tx *postgres.Tx, due Due, now time.Time) (ok bool, why string, err error)
	// Stale does what follows where what Run said was not sent because it is no
	// longer so; nil does nothing.
	Stale func(ctx context.Context, tx *postgres.Tx, due int64) error
	// Again: what it said is sent once more when its outcome stays unknown on a
	// network that costs money (reports.yaml: again). A second copy of a reminder
	// costs a glance, a visit to a closed door costs a morning.
	Again bool
	// Run does it. With a Target, t is a turn of that conversation under its
	// lock; without, t has only the transaction and the time.
	Run func(ctx context.Context, t *Turn, due Due) (Outcome, error)
}

func (k Kind) class(d Due) scheduler.Class {
	if k.ClassOf != nil {
		return k.ClassOf(d)
	}
	return k.Class
}

func (k Kind) tooLate(ctx context.Context, t *Turn, d Due) error {
	if k.Late == nil {
		return nil
	}
	return k.Late(ctx, t, d)
}

// replaces reports whether the question of an open prompt may be asked again as a
// part of this kind's: nobody has begun to answer it.
func (k Kind) replaces(p *dialogue) bool {
	return k.Replaces != "" && outermost(p.State) == k.Replaces && p.State.Turn <= 1
}

// Outcome is what becomes of a due row.
type Outcome struct {
	State  string
	Reason string
	// At is when to come again (state "later").
	At time.Time
}

// Done is the plain end of a due row.
var Done = Outcome{State: "done"}

// Dropped ends a row that has lost its reason; why goes to the ledger.
func Dropped(why string) Outcome { return Outcome{State: "dropped", Reason: why} }

// Later puts a row off.
func Later(at time.Time, why string) Outcome { return Outcome{State: "later", At: at, Reason: why} }

// unpack reads the data of a due row.
func unpack(due Due, into any) error {
	if err := json.Unmarshal(due.Data, into); err != nil {
		return fmt.Errorf("read the data of %s: %w", due.Kind, err)
	}
	return nil
}

// ErrNoAddress says that there is nobody to write to.
var ErrNoAddress = errors.New("no address can be written to")

// whyQuiet ends a push that would have had to wait until it meant nothing.
const whyQuiet = "quiet hours until it was too late"

const (
	// busyRetry is how soon a push looks again when a dialogue stands in the way.
	busyRetry = 10 * time.Minute
	// maxDueTries is how often a failing due row is tried before it is given
	// up and counted as failed.
	maxDueTries = 5
	// duePoll is how often the runner looks without being woken.
	duePoll = time.Second
)

// Runner runs what is due. Any number of processes may run one: rows are
// claimed with a lease that a dead worker's row outlives by at most 30 s.
type Runner struct {
	g     *Gateway
	kinds map[string]Kind
	names []string
	slots map[string]chan struct{}
}

// NewRunner makes the runner of the gateway's kinds, or of those named. What
// waits for machines of others is better run apart: a batch ends with its
// slowest row.
func NewRunner(g *Gateway, only ...string) *Runner {
	r := &Runner{g: g, kinds: map[string]Kind{}, slots: map[string]chan struct{}{}}
	for _, k := range g.Kinds {
		if len(only) > 0 && !slices.Contains(only, k.Name) {
			continue
		}
		r.kinds[k.Name] = k
		r.names = append(r.names, k.Name)
		r.slots[k.Name] = make(chan struct{}, max(k.Workers, 1))
	}
	return r
}

// Run works until ctx ends, then waits for what it has begun.
func (r *Runner) Run(ctx context.Context) error {
	wake, stop := r.g.Bus.Subscribe(topicDue)
	defer stop()
	tick := time.NewTicker(duePoll)
	defer tick.Stop()
	for {
		n, err := r.Once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			r.g.Log.Warn("run what is due", "error", err)
		}
		if n > 0 && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-tick.C:
		}
	}
}

// Once claims one batch, runs it and returns how many rows it was. The demo
// clock uses it to drain what is due at an instant.
func (r *Runner) Once(ctx context.Context) (int, error) {
	if _, err := r.g.DB.FreeDue(ctx); err != nil {
		return 0, fmt.Errorf("free abandoned due rows: %w", err)
	}
	rows, err := r.g.DB.ClaimDue(ctx, r.names, 64)
	if err != nil {
		return 0, fmt.Errorf("claim due rows: %w", err)
	}
	slices.SortFunc(rows, func(a, b db.ClaimDueRow) int { return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID)) })
	// A claimed row is finished even while the process stops.
	work := context.WithoutCancel(ctx)
	var wg sync.WaitGroup
	for _, row := range rows {
		d := dueOf(row)
		slot := r.slots[d.Kind]
		slot <- struct{}{}
		wg.Go(func() {
			defer func() { <-slot }()
			r.run(work, d)
		})
	}
	wg.Wait()
	return len(rows), nil
}

// DueOf is a row that a kind claimed itself, along with the one that runs.
func DueOf(row db.GatherCareRow) Due { return dueOf(db.ClaimDueRow(row)) }

// EndGathered ends such a row.
func (t *Turn) EndGathered(ctx context.Context, d Due, out Outcome) error { return t.end(ctx, d, out) }

func dueOf(row db.ClaimDueRow) Due {
	d := Due{
		ID: row.ID, Kind: row.Kind, Subject: row.Subject, Key: row.Key, Version: row.SubjectVersion,
		Data: row.Data, At: row.DueAt, NotAfter: row.NotAfter, Tries: row.Tries, Why: row.Reason,
	}
	if row.PersonID != nil {
		d.Person = *row.PersonID
	}
	return d
}

// run does one due row and writes what became of it.
func (r *Runner) run(ctx context.Context, d Due) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	err := r.try(ctx, d)
	r.g.Metrics.due(d.Kind, err)
	if err == nil {
		return
	}
	r.g.Log.Error("a due thing failed", "kind", d.Kind, "subject", d.Subject, "try", d.Tries, "error", err)
	err = r.g.DB.FailedDue(ctx, maxDueTries, errorCode(err), d.ID)
	if err != nil {
		r.g.Log.Error("note a failed due row", "kind", d.Kind, "error", err)
	}
}

func (r *Runner) try(ctx context.Context, d Due) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	k := r.kinds[d.Kind]
	if k.Target == nil {
		return r.inTx(ctx, k, d)
	}
	conv, err := k.Target(ctx, r.g.DB, d)
	if errors.Is(err, ErrNoAddress) || errors.Is(err, postgres.ErrNoRows) {
		return r.lost(ctx, k, d)
	}
	if err != nil {
		return fmt.Errorf("find whom %s speaks to: %w", d.Kind, err)
	}
	c, err := r.g.DB.Conversation(ctx, conv)
	if err != nil {
		return fmt.Errorf("load a conversation: %w", err)
	}
	ev := bots.Event{
		Channel: bots.ChannelID(c.Channel), Chat: bots.ChatID(c.Chat), Kind: bots.KindDue, Group: c.InGroup,
		From: bots.Identity{User: bots.UserID(c.UserID)},
	}
	leave, err := r.g.lanes.enter(ctx, keyOf(ev))
	if err != nil {
		return err
	}
	defer leave()
	return postgres.Retry(func() error { return r.inTurn(ctx, ev, k, d) })
}

// lost ends a row that has nobody to be said to.
func (r *Runner) lost(ctx context.Context, k Kind, d Due) error {
	k.Run = k.Lost
	if k.Run == nil {
		k.Run = func(context.Context, *Turn, Due) (Outcome, error) { return Dropped(ErrNoAddress.Error()), nil }
	}
	return r.inTx(ctx, k, d)
}

// inTx runs a kind that speaks to nobody.
func (r *Runner) inTx(ctx context.Context, k Kind, d Due) error {
	var t *Turn
	err := r.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		t = &Turn{Tx: tx, g: r.g}
		return t.runDue(ctx, k, d)
	})
	if err != nil {
		return err
	}
	for topic := range t.wake {
		r.g.Bus.Wake(topic)
	}
	return nil
}

func (t *Turn) runDue(ctx context.Context, k Kind, d Due) (err error) {
	if t.Now, err = t.ProductNow(ctx); err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	if t.Wall, err = t.DatabaseNow(ctx); err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	if _, err := t.LockDue(ctx, d.ID); errors.Is(err, postgres.ErrNoRows) {
		return nil // cleared while it waited
	} else if err != nil {
		return fmt.Errorf("lock a due row: %w", err)
	}
	out, late := d.late(t.Now)
	if late {
		err = k.tooLate(ctx, t, d)
	} else {
		out, err = k.Run(ctx, t, d)
	}
	if err != nil {
		return err
	}
	return t.end(ctx, d, out)
}

// inTurn runs a push through the same turn as an inbound message.
func (r *Runner) inTurn(ctx context.Context, ev bots.Event, k Kind, d Due) error {
	tx, rows, err := r.g.DB.BeginTurn(ctx, []postgres.Incoming{incoming(ev)})
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if _, err := tx.LockDue(ctx, d.ID); errors.Is(err, postgres.ErrNoRows) {
		return nil
	} else if err != nil {
		return fmt.Errorf("lock a due row: %w", err)
	}
	t := r.g.newTurn(&tx.Tx, rows[0], ev)
	t.due = d.ID
	out, ok, err := t.inTheWay(ctx, k, d)
	if err != nil {
		return err
	}
	if !ok {
		t.push, t.Class = &pushing{reason: k.Name, subject: d.Subject, version: d.Version}, k.class(d)
		if out, err = k.Run(ctx, t, d); err != nil {
			return err
		}
	}
	if err := t.end(ctx, d, out); err != nil {
		return err
	}
	return r.g.commit(ctx, tx, []*Turn{t})
}

// late ends a row that has lost its meaning. What had put it off is the reason.
func (d Due) late(now time.Time) (Outcome, bool) {
	if d.NotAfter == nil || !now.After(*d.NotAfter) {
		return Outcome{}, false
	}
	why := d.Why
	if why == "" {
		why = tooLate(*d.NotAfter)
	}
	return Outcome{State: "expired", Reason: why}, true
}

func tooLate(notAfter time.Time) string { return "too late: " + notAfter.UTC().Format(time.RFC3339) }

// inTheWay decides what stands against a push: too late, quiet hours, an open
// dialogue or another prompt. What waits gets a later due_at, nothing is
// queued: whatever is in the outbox may go now. What lies there into the night
// all the same is the sender's matter (night.go).
func (t *Turn) inTheWay(ctx context.Context, k Kind, d Due) (out Outcome, stands bool, err error) {
	if t.Group && t.Conversation != t.GroupID && k.Name != KindExpire {
		return Dropped("nobody is written to in a group"), true, nil
	}
	lapsed, err := t.lapse(ctx)
	if err != nil {
		return out, false, err
	}
	if lapsed && d.Subject != postgres.Subject("address", t.Address) { // a code goes to whoever has the number
		return t.unreachable(d, "the number was silent for too long"), true, nil
	}
	if out, late := d.late(t.Now); late {
		return out, true, k.tooLate(ctx, t, d)
	}
	class := k.class(d)
	if class != "" {
		notAfter := time.Time{}
		if d.NotAfter != nil {
			notAfter = *d.NotAfter
		}
		switch at, verdict := t.g.Quiet.Shift(t.Now, notAfter, class, scheduler.QuietLater); verdict {
		case scheduler.Moved:
			return Later(at, "quiet hours"), true, nil
		case scheduler.ToHuman:
			return Outcome{State: "expired", Reason: whyQuiet}, true, k.tooLate(ctx, t, d)
		case scheduler.Dropped:
			return Outcome{State: "expired", Reason: whyQuiet}, true, nil
		}
	}
	if k.Opens && t.row.Flow != "" {
		return t.putOff(d, t.Now.Add(busyRetry), "a dialogue is open"), true, nil
	}
	if k.Opens {
		open, err := t.prompts(ctx)
		if err != nil {
			return out, false, err
		}
		open = slices.DeleteFunc(slices.Clone(open), k.replaces)
		if len(open) >= promptsAt(t.caps) {
			return t.putOff(d, t.Now.Add(busyRetry), "another prompt is open"), true, nil
		}
	}
	if t.row.AddressState != "active" && class != "" {
		return t.unreachable(d, "the address is "+t.row.AddressState), true, nil
	}
	if stopped, err := t.g.stopped(ctx, t.Queries, t.caps, k.Name, t.Address); err != nil || len(stopped) > 0 {
		return t.unreachable(d, whyStopped), true, err
	}
	return out, false, nil
}

// unreachable ends a push whose address was lost since its target was found: it
// is found anew, unless the push is about this very conversation or address.
func (t *Turn) unreachable(d Due, why string) Outcome {
	if d.Subject == postgres.Subject("conversation", t.Conversation) || d.Subject == postgres.Subject("address", t.Address) {
		return Dropped(why)
	}
	return t.putOff(d, t.Now, why)
}

func (t *Turn) putOff(d Due, at time.Time, why string) Outcome {
	if d.NotAfter != nil && at.After(*d.NotAfter) {
		return Outcome{State: "expired", Reason: why + " until it was too late"}
	}
	return Later(at, why)
}

// end writes the outcome of a due row in the transaction that did it.
func (t *Turn) end(ctx context.Context, d Due, out Outcome) error {
	var err error
	if out.State == "later" {
		err = t.PutOffDue(ctx, d.ID, out.At, out.Reason)
	} else {
		err = t.EndDue(ctx, d.ID, out.State, out.Reason)
	}
	if err != nil {
		return fmt.Errorf("end due %s: %w", d.Kind, err)
	}
	return nil
}

// leave gives what the turn leaves behind in its conversation.
func (t *Turn) leave() postgres.ConversationState {
	return postgres.ConversationState{
		ID: t.Conversation, Flow: t.row.Flow, State: t.row.State, Turn: t.row.Turn, FloodAt: t.row.FloodAt,
		FloodCount: t.row.FloodCount, AddressID: t.Address,
		// What is said in a group opens nobody's private chat.
		Inbound: t.row.Silent && len(t.heard) > 0 && !t.Group,
	}
}
