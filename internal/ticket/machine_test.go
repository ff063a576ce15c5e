package ticket_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shaoying/internal/ticket"
)

// anyCommand draws a command and an actor, likely ones as often as absurd ones.
func anyCommand(t *rapid.T, now ticket.Ticket) (ticket.Actor, ticket.Command) {
	desks := []ticket.Desk{gridDesk, unitDesk, named, {Kind: ticket.DeskUnit, Code: "transport"}}
	desk := rapid.SampledFrom(desks)
	actors := []ticket.Actor{reporter, dispatcher, worker, handler, private, clerk, completer, system, {As: ticket.AsReporter, Person: 99}, {As: ticket.AsCallback, Staff: workerID}}
	if lead, ok := now.Lead(); ok {
		actors = append(actors, ticket.Actor{As: ticket.AsHandler, Staff: max(lead.Desk.Staff, 1), Desk: lead.Desk})
	}
	commands := []ticket.Command{
		ticket.Complete{Content: ticket.Content{
			Claim: "投诉", Matter: "garbage", Urgency: rapid.SampledFrom(ticket.Urgencies()).Draw(t, "urgency"),
			Sensitive: rapid.IntRange(0, 9).Draw(t, "sensitive") == 0,
		}},
		ticket.Dispatch{Lead: desk.Draw(t, "lead"), Informed: []ticket.Desk{desk.Draw(t, "informed")}},
		ticket.Take{},
		ticket.AutoSign{},
		ticket.Transfer{To: desk.Draw(t, "to"), Reason: "other_unit"},
		ticket.Return{Reason: "need_information"},
		ticket.Contact{Via: ticket.ViaRelay},
		finish, finish,
		ticket.Ask{},
		happy, unhappy, unhappy, unreached,
		ticket.Judge{Reasonable: true},
		ticket.Judge{Reasonable: true},
		ticket.Judge{},
		ticket.Relapse{},
		ticket.Relapse{FromSurvey: true},
		ticket.Withdraw{},
		ticket.Reject{Reason: "petition"},
		file,
	}
	return rapid.SampledFrom(actors).Draw(t, "actor"), rapid.SampledFrom(commands).Draw(t, "command")
}

// checkStep holds what must be true of every applied command.
func checkStep(t *rapid.T, before, after ticket.Ticket, by ticket.Actor, c ticket.Command, events []ticket.Event) {
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
	if after.State == ticket.Closed {
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
}

// checkTicket holds what must be true of every ticket.
func checkTicket(t *rapid.T, tk ticket.Ticket, p ticket.CallbackPolicy) {
	leads := 0
	for _, a := range tk.Assignments {
		if !a.EndedAt.IsZero() {
			continue
		}
		if a.Role == ticket.RoleLead {
			leads++
		}
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

func TestLifeProperties(t *testing.T) {
	r := newRules(t)
	rapid.Check(t, func(t *rapid.T) {
		now := start
		tk, _, err := r.Apply(ticket.Ticket{}, reporter, file, now)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 80).Draw(t, "length") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(30*time.Hour)).Draw(t, "pause")))
			by, c := anyCommand(t, tk)
			before := clone(tk)
			next, events, err := r.Apply(tk, by, c, now)
			if !equal(before, tk) {
				t.Fatalf("%s wrote into the ticket it was given", c.Name())
			}
			if err != nil {
				if key(err) == "" {
					t.Fatalf("%s failed: %v", c.Name(), err)
				}
				continue
			}
			checkStep(t, before, next, by, c, events)
			checkTicket(t, next, r.Callbacks())
			checkDeadline(t, before, next, c)
			tk = next
		}
	})
}

// checkDeadline: the promise is loosened only when a new round starts, and
// never lies before its own start.
func checkDeadline(t *rapid.T, before, after ticket.Ticket, c ticket.Command) {
	newRound := after.Redos > before.Redos || after.Relapses > before.Relapses || before.DispatchedAt.IsZero()
	if !newRound && (after.Deadline.After(before.Deadline) || c.Name() != ticket.CmdDispatch && !after.Deadline.Equal(before.Deadline)) {
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
	rapid.Check(t, func(t *rapid.T) {
		c := content
		c.Confidential = rapid.Bool().Draw(t, "confidential")
		c.Anonymous = !c.Confidential && rapid.Bool().Draw(t, "anonymous")
		c.Sensitive = !c.Confidential && !c.Anonymous
		if rapid.Bool().Draw(t, "about the named handler") {
			c.AgainstStaff = []int64{handlerID}
		}
		tk, _, err := r.Apply(ticket.Ticket{}, reporter, ticket.File{Number: number, Content: c, ReporterID: reporterID}, start)
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			by, cmd := anyCommand(t, tk)
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

func clone(t ticket.Ticket) ticket.Ticket {
	t.Assignments = slices.Clone(t.Assignments)
	return t
}

func equal(a, b ticket.Ticket) bool {
	return a.Version == b.Version && a.State == b.State && slices.Equal(a.Assignments, b.Assignments) && a.Facts == b.Facts
}

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
		if slices.Contains(row.To, ticket.Closed) {
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
