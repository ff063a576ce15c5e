package ticket_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"shaoying/internal/ticket"
)

// maker makes a command of the name.
type maker struct {
	name ticket.CommandName
	make func() ticket.Command
}

// anyCommand draws a command and an actor, likely ones as often as absurd ones.
func anyCommand(d *dice, now ticket.Ticket) (ticket.Actor, ticket.Command) {
	desks := []ticket.Desk{gridDesk, unitDesk, named, {Kind: ticket.DeskUnit, Code: "transport"}}
	actors := []ticket.Actor{reporter, dispatcher, worker, handler, private, clerk, completer, system, {As: ticket.AsReporter, Person: 99}, {As: ticket.AsCallback, Staff: workerID}}
	actors = append(actors, supervisor, reviewer, supervisor, dispatcher)
	for _, a := range now.Assignments {
		switch {
		case a.Role == ticket.RoleLead:
			actors = append(actors, ticket.Actor{As: ticket.AsHandler, Staff: max(a.Desk.Staff, 1), Desk: a.Desk})
		case a.Role == ticket.RoleCo:
			actors = append(actors, ticket.Actor{As: ticket.AsCoHandler, Staff: max(a.Desk.Staff, 2), Desk: a.Desk})
		}
	}
	supervision := other
	if n := len(now.Supervisions); n > 0 {
		v := now.Supervisions[d.IntN(n)]
		supervision = v.Number
		actors = append(actors, ticket.Actor{As: ticket.AsSupervised, Staff: max(v.Desk.Staff, 3), Desk: v.Desk})
	}
	until := now.Deadline.Add(pick(d, []time.Duration{24 * time.Hour, time.Hour, 80 * time.Hour, -time.Hour, 400 * time.Hour}))
	// Each is made only when it is chosen: ten thousand lives are to be short.
	commands := []maker{
		{ticket.CmdComplete, func() ticket.Command {
			return ticket.Complete{Content: ticket.Content{
				Claim: pick(d, []string{"complaint", "consultation"}), Matter: "garbage", Urgency: pick(d, ticket.Urgencies()),
				Sensitive: d.IntN(10) == 0,
			}}
		}},
		{ticket.CmdDispatch, func() ticket.Command {
			return ticket.Dispatch{Lead: pick(d, desks), Informed: []ticket.Desk{pick(d, desks)}}
		}},
		{ticket.CmdTake, func() ticket.Command { return ticket.Take{} }},
		{ticket.CmdAutoSign, func() ticket.Command { return ticket.AutoSign{} }},
		{ticket.CmdTransfer, func() ticket.Command { return ticket.Transfer{To: pick(d, desks), Reason: "other_unit"} }},
		{ticket.CmdReturn, func() ticket.Command { return ticket.Return{Reason: "need_information"} }},
		{ticket.CmdContact, func() ticket.Command { return ticket.Contact{Via: ticket.ViaRelay} }},
		{ticket.CmdFinish, func() ticket.Command { return finish }},
		{ticket.CmdFinish, func() ticket.Command { return finish }},
		{ticket.CmdAsk, func() ticket.Command { return ticket.Ask{} }},
		{ticket.CmdCallback, func() ticket.Command { return happy }},
		{ticket.CmdCallback, func() ticket.Command { return unhappy }},
		{ticket.CmdCallback, func() ticket.Command { return unhappy }},
		{ticket.CmdCallback, func() ticket.Command { return unreached }},
		{ticket.CmdJudge, func() ticket.Command { return ticket.Judge{Reasonable: true} }},
		{ticket.CmdJudge, func() ticket.Command { return ticket.Judge{Reasonable: true} }},
		{ticket.CmdJudge, func() ticket.Command { return ticket.Judge{} }},
		{ticket.CmdRelapse, func() ticket.Command { return ticket.Relapse{} }},
		{ticket.CmdRelapse, func() ticket.Command { return ticket.Relapse{FromSurvey: true} }},
		{ticket.CmdWithdraw, func() ticket.Command { return ticket.Withdraw{} }},
		{ticket.CmdReject, func() ticket.Command { return ticket.Reject{Reason: "petition"} }},
		{ticket.CmdFile, func() ticket.Command { return file }},
		{ticket.CmdDispatch, func() ticket.Command {
			return ticket.Dispatch{Lead: pick(d, desks), Co: []ticket.Desk{pick(d, desks), pick(d, desks)}, UnitDuty: true}
		}},
		{ticket.CmdAnswer, func() ticket.Command { return ticket.AnswerNow{HasReply: true} }},
		{ticket.CmdRefer, func() ticket.Command {
			return ticket.Refer{To: pick(d, []string{"110", "court", "nobody"})}
		}},
		{ticket.CmdInvolve, func() ticket.Command { return ticket.Involve{Co: []ticket.Desk{pick(d, desks)}} }},
		{ticket.CmdCoSign, func() ticket.Command { return ticket.CoSign{} }},
		{ticket.CmdCoReply, func() ticket.Command { return ticket.CoReply{HasReply: true} }},
		{ticket.CmdObject, func() ticket.Command { return ticket.Object{Reason: "not_our_duty", HasBasis: true} }},
		{ticket.CmdObject, func() ticket.Command { return ticket.Object{Reason: "not_our_area", HasBasis: true} }},
		{ticket.CmdAskExtension, func() ticket.Command { return ticket.AskExtension{Reason: "weather", Until: until} }},
		{ticket.CmdAskSuspension, func() ticket.Command { return ticket.AskSuspension{Reason: "works", Until: until} }},
		{ticket.CmdDecide, func() ticket.Command { return ticket.Decide{Granted: true} }},
		{ticket.CmdDecide, func() ticket.Command { return ticket.Decide{} }},
		{ticket.CmdDecide, func() ticket.Command { return ticket.Decide{Granted: true} }},
		{ticket.CmdResume, func() ticket.Command { return ticket.Resume{} }},
		{ticket.CmdSupervise, func() ticket.Command {
			return ticket.Supervise{Number: numbers[d.IntN(len(numbers))], Desk: pick(d, desks), Reason: "overdue"}
		}},
		{ticket.CmdAnswerSupervision, func() ticket.Command { return ticket.AnswerSupervision{Number: supervision, HasReply: true} }},
		{ticket.CmdLapseSupervision, func() ticket.Command { return ticket.LapseSupervision{Number: supervision} }},
		{ticket.CmdEscalate, func() ticket.Command { return ticket.Escalate{Reason: "overdue"} }},
		{ticket.CmdMerge, func() ticket.Command {
			return ticket.Merge{Master: master(pick(d, ticket.States()))}
		}},
		{ticket.CmdUnmerge, func() ticket.Command { return ticket.Unmerge{} }},
		{ticket.CmdUnmerge, func() ticket.Command { return ticket.Unmerge{} }},
		{ticket.CmdFollow, func() ticket.Command { return ticket.Follow{Master: master(ticket.Handled)} }},
		{ticket.CmdAskExclusion, func() ticket.Command { return ticket.AskExclusion{Reason: "malicious", HasEvidence: true} }},
		{ticket.CmdDecideExclusion, func() ticket.Command { return ticket.DecideExclusion{Granted: d.IntN(2) == 0} }},
	}
	if d.IntN(10) == 0 {
		return pick(d, actors), commands[d.IntN(len(commands))].make()
	}
	// Ends come seldom, so that lives are long enough to be interesting.
	early := d.IntN(10) > 0
	commands = slices.DeleteFunc(commands, func(m maker) bool {
		return !slices.Contains(table[m.name].From, now.State) || early && slices.Contains(ends, m.name)
	})
	if len(commands) == 0 {
		return reporter, ticket.Relapse{}
	}
	c := commands[d.IntN(len(commands))].make()
	actors = slices.DeleteFunc(actors, func(a ticket.Actor) bool { return !slices.Contains(table[c.Name()].By, a.As) })
	if len(actors) == 0 {
		return system, c
	}
	return pick(d, actors), c
}

var pauses = []time.Duration{time.Hour, 0, time.Minute, 7 * time.Hour, 30 * time.Hour, 100 * time.Hour}

var ends = []ticket.CommandName{ticket.CmdWithdraw, ticket.CmdReject, ticket.CmdAnswer, ticket.CmdRefer}

// table is the state machine by command.
var table = func() map[ticket.CommandName]ticket.Transition {
	rows := map[ticket.CommandName]ticket.Transition{}
	for _, row := range ticket.Transitions() {
		rows[row.Command] = row
	}
	return rows
}()

// checkStep holds what must be true of every applied command.
func checkStep(t *testing.T, before, after ticket.Ticket, by ticket.Actor, c ticket.Command, events []ticket.Event) {
	if after.Version != before.Version+1 {
		t.Fatalf("%s: version %d after %d", c.Name(), after.Version, before.Version)
	}
	if !slices.Contains(ticket.States(), after.State) {
		t.Fatalf("%s led to %q", c.Name(), after.State)
	}
	if len(events) == 0 {
		t.Fatalf("%s left no event", c.Name())
	}
	for _, e := range events {
		if e.From != before.State || e.To != after.State || e.Version != after.Version {
			t.Fatalf("event %+v does not tell of %s -> %s", e, before.State, after.State)
		}
	}
	if after.State == ticket.Closed && before.State != ticket.Closed {
		callbackSide := by.As == ticket.AsCallback || by.As == ticket.AsReporter
		if !callbackSide || after.SignedByStaff(by.Staff) {
			t.Fatalf("closed by %+v", by)
		}
	}
	if after.Number != before.Number || after.ReporterID != before.ReporterID || len(after.Assignments) < len(before.Assignments) {
		t.Fatalf("%s lost number, reporter or history", c.Name())
	}
	if before.Private() && !after.Private() {
		t.Fatalf("%s took protection away", c.Name())
	}
	if after.Level < before.Level || after.Extensions < before.Extensions || after.Redos < before.Redos || len(after.Supervisions) < len(before.Supervisions) {
		t.Fatalf("%s took back what only grows", c.Name())
	}
	for _, a := range after.Assignments {
		for _, at := range []time.Time{a.SignedAt, a.FinishedAt, a.EndedAt, a.ObjectedAt, a.DecidedAt} {
			if !at.IsZero() && a.Role != ticket.RoleLead && at.Before(a.DispatchedAt) {
				t.Fatalf("%s: a clock ran back: %+v", c.Name(), a)
			}
		}
	}
	for _, pair := range [][2]time.Time{
		{before.ReceivedAt, after.ReceivedAt},
		{after.ReceivedAt, after.DispatchedAt},
		{after.ReceivedAt, after.HandledAt},
		{after.ReceivedAt, after.ClosedAt},
	} {
		if !pair[1].IsZero() && pair[1].Before(pair[0]) {
			t.Fatalf("%s: a clock ran back from %s to %s", c.Name(), pair[0], pair[1])
		}
	}
}

// checkTicket holds what must be true of every ticket.
func checkTicket(t *testing.T, tk ticket.Ticket, p ticket.CallbackPolicy) {
	leads := 0
	for _, a := range tk.Assignments {
		if !a.EndedAt.IsZero() {
			continue
		}
		if a.Role == ticket.RoleLead {
			leads++
		}
	}
	if owner, ok := tk.Owner(); ok != tk.State.Open() || ok && owner == (ticket.Owner{}) {
		t.Fatalf("state %s is owned by %+v, %t", tk.State, owner, ok)
	}
	if (tk.Was != "") != (tk.State == ticket.Disputed || tk.State == ticket.Suspended || tk.State == ticket.Merged) {
		t.Fatalf("state %s goes back to %q", tk.State, tk.Was)
	}
	if (tk.State == ticket.Disputed) != (tk.Request.Kind == ticket.RequestObjection) || !tk.State.OnDesk() && tk.Request.Kind != "" && tk.Request.Kind != ticket.RequestExclusion {
		t.Fatalf("state %s with request %+v", tk.State, tk.Request)
	}
	if (tk.State == ticket.Suspended) == tk.SuspendedAt.IsZero() {
		t.Fatalf("state %s suspended at %s", tk.State, tk.SuspendedAt)
	}
	if lead, ok := tk.Lead(); ok != (leads == 1) || leads > 1 || tk.State.OnDesk() && !ok || !tk.State.Open() && ok || tk.State == ticket.Received && ok {
		t.Fatalf("state %s with %d leads (%+v): somebody must answer for it, and only one", tk.State, leads, lead)
	}
	if tk.State.OnDesk() != (tk.State.OnDesk() && !tk.Deadline.IsZero() && !tk.DispatchedAt.IsZero()) {
		t.Fatalf("on a desk without a deadline: %+v", tk)
	}
	if tk.Redos > p.Redo.Max {
		t.Fatalf("%d redos", tk.Redos)
	}
	if tk.State.Open() == (tk.Outcome != "") {
		t.Fatalf("state %s with outcome %q", tk.State, tk.Outcome)
	}
	if tk.Outcome == ticket.OutcomeResolved && tk.Facts.Unhappy() {
		t.Fatalf("resolved against the resident's word %+v", tk.Facts)
	}
	if (tk.State == ticket.Dispatched || tk.State == ticket.Redo) && tk.SignDue.IsZero() || tk.State == ticket.Received && tk.DispatchDue.IsZero() {
		t.Fatalf("no clock runs in %s", tk.State)
	}
}

// sequences is how many random lives are lived: issue "work orders", done 1.
const sequences = 10_000

// dice decide a random life. That they are no rapid.T makes ten thousand lives
// a matter of a second; a failure names the seed instead of shrinking.
type dice struct{ *rand.Rand }

func pick[T any](d *dice, list []T) T { return list[d.IntN(len(list))] }

// lives runs f on n random lives.
func lives(t *testing.T, n int, f func(t *testing.T, d *dice)) {
	t.Helper()
	seed := rand.Uint64()
	for i := range n {
		f(t, &dice{rand.New(rand.NewPCG(seed, uint64(i)))})
		if t.Failed() {
			t.Fatalf("seed %d, life %d", seed, i)
		}
	}
}

func TestLifeProperties(t *testing.T) {
	r := newRules(t)
	applied, reached := map[ticket.CommandName]int{}, map[ticket.State]int{}
	defer func() {
		for _, row := range ticket.Transitions() {
			if applied[row.Command] < 10 && row.Command != ticket.CmdFile {
				t.Errorf("%s was applied only %d times", row.Command, applied[row.Command])
			}
		}
		for _, s := range ticket.States() {
			if reached[s] < 10 && s != ticket.Draft {
				t.Errorf("%s was reached only %d times", s, reached[s])
			}
		}
	}()
	lives(t, sequences, func(t *testing.T, d *dice) {
		now := start
		tk, _, err := r.Apply(ticket.Ticket{}, reporter, file, now)
		if err != nil {
			t.Fatal(err)
		}
		for range 30 {
			now = now.Add(pick(d, pauses))
			by, c := anyCommand(d, tk)
			before := clone(tk)
			next, events, err := r.Apply(tk, by, c, now)
			if d.IntN(8) == 0 && !equal(before, tk) {
				t.Fatalf("%s wrote into the ticket it was given", c.Name())
			}
			if err != nil {
				if key(err) == "" {
					t.Fatalf("%s failed: %v", c.Name(), err)
				}
				continue
			}
			applied[c.Name()]++
			reached[next.State]++
			checkStep(t, before, next, by, c, events)
			checkTicket(t, next, r.Callbacks())
			checkDeadline(t, before, next, c)
			tk = next
		}
	})
}

// checkDeadline: the promise is loosened only when a new round starts, and
// never lies before its own start.
func checkDeadline(t *testing.T, before, after ticket.Ticket, c ticket.Command) {
	newRound := after.Redos > before.Redos || after.Relapses > before.Relapses || before.DispatchedAt.IsZero() || after.DispatchedAt.IsZero()
	putOff := after.Extensions > before.Extensions || c.Name() == ticket.CmdResume
	if putOff && after.Deadline.Before(before.Deadline) {
		t.Fatalf("%s brought the deadline forward from %s to %s", c.Name(), before.Deadline, after.Deadline)
	}
	if !newRound && !putOff && (after.Deadline.After(before.Deadline) || c.Name() != ticket.CmdDispatch && !after.Deadline.Equal(before.Deadline)) {
		t.Fatalf("%s moved the deadline from %s to %s", c.Name(), before.Deadline, after.Deadline)
	}
	if !after.Deadline.IsZero() && after.Deadline.Before(after.DispatchedAt) {
		t.Fatalf("deadline %s before dispatch %s", after.Deadline, after.DispatchedAt)
	}
	if !after.ContactDue.IsZero() && after.ContactDue.After(after.Deadline) {
		t.Fatalf("contact due %s after the deadline %s", after.ContactDue, after.Deadline)
	}
}

// A private ticket never lies on anything but a named desk, whatever is tried;
// and never on what it is about.
func TestPrivacyProperties(t *testing.T) {
	r := newRules(t)
	lives(t, 1000, func(t *testing.T, d *dice) {
		c := content
		c.Confidential = d.IntN(2) == 0
		c.Anonymous = !c.Confidential && d.IntN(2) == 0
		c.Sensitive = !c.Confidential && !c.Anonymous
		if d.IntN(2) == 0 {
			c.AgainstStaff = []int64{handlerID}
		}
		tk, _, err := r.Apply(ticket.Ticket{}, reporter, ticket.File{Number: number, Content: c, ReporterID: reporterID}, start)
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			by, cmd := anyCommand(d, tk)
			next, _, err := r.Apply(tk, by, cmd, start)
			if err == nil {
				tk = next
			}
			for _, a := range tk.Assignments {
				if a.Desk.Kind != ticket.DeskNamed || slices.Contains(c.AgainstStaff, a.Desk.Staff) {
					t.Fatalf("private ticket on %+v", a.Desk)
				}
			}
		}
	})
}

// A ticket that was merged and un-merged is the one that never was, and goes on
// as that one would.
func TestMergedAndUnmergedEqualsNeverMerged(t *testing.T) {
	r := newRules(t)
	merged := 0
	lives(t, 1000, func(t *testing.T, d *dice) {
		now := start
		tk, _, err := r.Apply(ticket.Ticket{}, reporter, file, now)
		if err != nil {
			t.Fatal(err)
		}
		twin := tk
		for range 30 {
			now = now.Add(pick(d, pauses))
			if next, _, err := r.Apply(twin, dispatcher, ticket.Merge{Master: master(ticket.Signed)}, now); err == nil {
				if twin, _, err = r.Apply(next, dispatcher, ticket.Unmerge{}, now); err != nil {
					t.Fatalf("unmerge: %v", err)
				}
				merged++
			}
			by, c := anyCommand(d, tk)
			if c.Name() == ticket.CmdMerge || c.Name() == ticket.CmdUnmerge {
				continue
			}
			next, _, err := r.Apply(tk, by, c, now)
			other, _, otherErr := r.Apply(twin, by, c, now)
			if key(err) != key(otherErr) {
				t.Fatalf("%s: %v, and %v when it had been merged", c.Name(), err, otherErr)
			}
			tk, twin = next, other
			twin.Version = tk.Version
			if !reflect.DeepEqual(tk, twin) {
				t.Fatalf("after %s:\n%+v\n%+v", c.Name(), tk, twin)
			}
		}
	})
	if merged < 100 {
		t.Errorf("only %d tickets were ever merged", merged)
	}
}

func clone(t ticket.Ticket) ticket.Ticket {
	t.Assignments, t.Supervisions = slices.Clone(t.Assignments), slices.Clone(t.Supervisions)
	return t
}

func equal(a, b ticket.Ticket) bool { return reflect.DeepEqual(a, b) }

func TestTransitionsAreSound(t *testing.T) {
	reached := map[ticket.State]bool{}
	left := map[ticket.State]bool{}
	seen := map[ticket.CommandName]bool{}
	for _, row := range ticket.Transitions() {
		if seen[row.Command] {
			t.Errorf("%s stands twice", row.Command)
		}
		seen[row.Command] = true
		for _, s := range row.To {
			reached[s] = true
		}
		for _, s := range row.From {
			left[s] = true
		}
		if slices.Contains(row.To, ticket.Closed) && !slices.Contains(row.From, ticket.Closed) {
			for _, as := range row.By {
				if as != ticket.AsCallback && as != ticket.AsReporter {
					t.Errorf("%s may close as %s; only the callback side closes", row.Command, as)
				}
			}
		}
	}
	for _, s := range ticket.States() {
		if !reached[s] {
			t.Errorf("no command leads to %s", s)
		}
		if s.Open() && !left[s] {
			t.Errorf("no command leads out of %s", s)
		}
	}
}
