package ticket_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/configs"
	"shaoying/internal/ticket"
	"shaoying/scheduler"
)

// calendar counts every day as a working day of 24 hours, so that expected
// times can be read off; the real one is tested in package scheduler.
type calendar struct{}

func (calendar) Deadline(from time.Time, limit string) (time.Time, error) {
	l, err := scheduler.ParseLimit(limit)
	if err != nil {
		return time.Time{}, err
	}
	span := map[scheduler.LimitUnit]time.Duration{
		scheduler.Minutes: time.Minute, scheduler.Hours: time.Hour, scheduler.WorkHours: time.Hour,
		scheduler.Days: 24 * time.Hour, scheduler.WorkDays: 24 * time.Hour,
	}[l.Unit]
	return from.Add(time.Duration(l.N) * span), nil
}

func (calendar) Fraction(from, deadline time.Time, f float64) time.Time {
	return from.Add(time.Duration(f * float64(deadline.Sub(from))))
}

var start = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)

func policies(t testing.TB) (ticket.Policy, ticket.CallbackPolicy) {
	t.Helper()
	body, err := configs.Read("policies/tickets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ticket.ParsePolicy("tickets.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	if body, err = configs.Read("policies/callbacks.yaml"); err != nil {
		t.Fatal(err)
	}
	cb, err := ticket.ParseCallbackPolicy("callbacks.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	return p, cb
}

// drawNumbers draws n numbers, the same each time.
func drawNumbers(n int) []ticket.Number {
	source := rand.NewChaCha8([32]byte{1})
	list := make([]ticket.Number, n)
	for i := range list {
		var err error
		if list[i], err = ticket.NewNumber(source); err != nil {
			panic(err)
		}
	}
	return list
}

// master is a ticket of another reporter about the same thing.
func master(state ticket.State) ticket.Ticket {
	m := ticket.Ticket{
		ID: 77, Number: other, State: state, Claim: "complaint", Matter: "garbage", Urgency: ticket.General, ReporterID: 12,
		ReceivedAt: start, DispatchedAt: start, SignedAt: start, Deadline: start.Add(7 * 24 * time.Hour), UnitResult: ticket.UnitResolved,
	}
	if state == ticket.Handled || state.OnDesk() {
		m.Assignments = []ticket.Assignment{{
			Role: ticket.RoleLead, Desk: unitDesk, State: ticket.AssignmentFinished, SignedBy: handlerID, DispatchedAt: start, SignedAt: start,
		}}
	}
	return m
}

func newRules(t testing.TB) *ticket.Rules {
	t.Helper()
	p, cb := policies(t)
	r, err := ticket.NewRules(p, cb, calendar{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The cast of the stories.
const (
	reporterID = 11
	workerID   = 21
	handlerID  = 22
	clerkID    = 23
	number     = ticket.Number("4821093766")
)

var (
	gridDesk   = ticket.Desk{Kind: ticket.DeskGrid, Code: "360302001001001", Staff: workerID}
	unitDesk   = ticket.Desk{Kind: ticket.DeskUnit, Code: "urban_management"}
	supervisor = ticket.Actor{As: ticket.AsSupervisor, Staff: 31}
	reviewer   = ticket.Actor{As: ticket.AsReviewer, Staff: 32}
	numbers    = drawNumbers(3)
	other      = numbers[2]
	named      = ticket.Desk{Kind: ticket.DeskNamed, Code: "police", Staff: handlerID}

	reporter   = ticket.Actor{As: ticket.AsReporter, Person: reporterID}
	dispatcher = ticket.Actor{As: ticket.AsDispatcher, Staff: 24}
	worker     = ticket.Actor{As: ticket.AsHandler, Staff: workerID, Desk: gridDesk}
	handler    = ticket.Actor{As: ticket.AsHandler, Staff: handlerID, Desk: unitDesk}
	private    = ticket.Actor{As: ticket.AsHandler, Staff: handlerID, Desk: named}
	clerk      = ticket.Actor{As: ticket.AsCallback, Staff: clerkID, Person: 33}
	completer  = ticket.Actor{As: ticket.AsCompleter, Staff: 25}
	system     = ticket.Actor{As: ticket.AsSystem}

	content = ticket.Content{
		Claim: "求助", Matter: "manhole", Urgency: ticket.General,
		Place: ticket.PlaceRef{Division: "360302001001", Grid: "360302001001001", Label: "昌盛小区3栋"},
	}
	file      = ticket.File{Number: number, Content: content, ReporterID: reporterID, AddressID: 1, ConversationID: 1}
	dispatch  = ticket.Dispatch{Lead: gridDesk}
	finish    = ticket.Finish{Result: ticket.UnitResolved, HasReply: true, Photos: 1}
	happy     = ticket.CallbackResult{Facts: ticket.Facts{Contacted: ticket.Yes, Solved: ticket.Yes, Satisfied: ticket.Satisfied}}
	unhappy   = ticket.CallbackResult{Facts: ticket.Facts{Contacted: ticket.Yes, Solved: ticket.No, Satisfied: ticket.Dissatisfied}}
	unreached = ticket.CallbackResult{Unreached: true}
)

// act is one line of a story.
type act struct {
	by    ticket.Actor
	do    ticket.Command
	after time.Duration // since the line before
}

// play runs a story in which nothing is refused.
func play(t testing.TB, r *ticket.Rules, now time.Time, from ticket.Ticket, acts ...act) (ticket.Ticket, []ticket.Event, time.Time) {
	t.Helper()
	var all []ticket.Event
	for i, a := range acts {
		now = now.Add(a.after)
		next, events, err := r.Apply(from, a.by, a.do, now)
		if err != nil {
			t.Fatalf("act %d, %s in state %q: %v", i, a.do.Name(), from.State, err)
		}
		from = next
		all = append(all, events...)
	}
	return from, all, now
}

func kinds(events []ticket.Event) []ticket.EventKind {
	var out []ticket.EventKind
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return out
}

func key(err error) string {
	if refused := new(ticket.Refused); errors.As(err, &refused) {
		return refused.Key
	}
	return ""
}

func TestStoryToTheEnd(t *testing.T) {
	r := newRules(t)
	got, events, _ := play(t, r, start, ticket.Ticket{},
		act{reporter, file, 0},
		act{dispatcher, ticket.Dispatch{Lead: unitDesk, Informed: []ticket.Desk{gridDesk}}, time.Hour},
		act{handler, ticket.Take{}, time.Hour},
		act{handler, ticket.Contact{Via: ticket.ViaPhone, Reached: true}, time.Hour},
		act{handler, finish, time.Hour},
		act{system, ticket.Ask{Via: "web"}, 24 * time.Hour},
		act{reporter, happy, time.Minute},
	)
	if got.State != ticket.Closed || got.Outcome != ticket.OutcomeResolved || got.UnitResult != ticket.UnitResolved {
		t.Errorf("ended %s, outcome %s, unit %s", got.State, got.Outcome, got.UnitResult)
	}
	want := []ticket.EventKind{
		ticket.EventFiled, ticket.EventDispatched, ticket.EventSigned, ticket.EventContacted, ticket.EventHandled,
		ticket.EventAsked, ticket.EventAnswered, ticket.EventClosed,
	}
	if !slices.Equal(kinds(events), want) {
		t.Errorf("events %v, want %v", kinds(events), want)
	}
	if got.Version != 7 {
		t.Errorf("version %d after 7 commands", got.Version)
	}
	if d := start.Add(time.Hour + 7*24*time.Hour); !got.Deadline.Equal(d) {
		t.Errorf("deadline %s, want 7 days from dispatch %s", got.Deadline, d)
	}
	if len(got.Assignments) != 2 || got.Assignments[0].State != ticket.AssignmentFinished || got.Assignments[1].Role != ticket.RoleInformed {
		t.Errorf("assignments %+v", got.Assignments)
	}
	for _, e := range events {
		if e.Version == 0 || e.At.IsZero() || e.To == "" {
			t.Errorf("event %s lacks version, time or state: %+v", e.Kind, e)
		}
	}
}

func TestRedoTwiceThenRaisedOrExplained(t *testing.T) {
	r := newRules(t)
	round := []act{{worker, ticket.Take{}, time.Hour}, {worker, finish, time.Hour}, {system, ticket.Ask{}, time.Hour}, {reporter, unhappy, time.Hour}}
	got, _, now := play(t, r, start, ticket.Ticket{}, append([]act{{reporter, file, 0}, {dispatcher, dispatch, 0}}, round...)...)
	if got.State != ticket.Callback {
		t.Fatalf("an unhappy answer left state %s, want it to wait for the clerk", got.State)
	}
	for redo := 1; redo <= 2; redo++ {
		got, _, now = play(t, r, now, got, act{clerk, ticket.Judge{Reasonable: true}, time.Hour})
		if got.State != ticket.Redo || got.Redos != redo || got.Facts != (ticket.Facts{}) || got.UnitResult != "" {
			t.Fatalf("redo %d: %+v", redo, got)
		}
		if half := now.Add(84 * time.Hour); !got.Deadline.Equal(half) {
			t.Errorf("redo %d: deadline %s, want half of 7 days: %s", redo, got.Deadline, half)
		}
		if lead, ok := got.Lead(); !ok || lead.Desk != gridDesk {
			t.Errorf("redo %d went to %+v", redo, lead.Desk)
		}
		got, _, now = play(t, r, now, got, round...)
	}
	raised, _, _ := play(t, r, now, got, act{clerk, ticket.Judge{Reasonable: true}, 0})
	if raised.State != ticket.Received || raised.Level != got.Level+1 || raised.Redos != 2 || !raised.Deadline.IsZero() || raised.DispatchDue.IsZero() {
		t.Errorf("a third redo must lie before the dispatcher of the next level: %+v", raised)
	}
	later := now.Add(time.Hour)
	completed, _, _ := play(t, r, later, raised, act{completer, ticket.Complete{Content: content}, 0})
	if due := later.Add(24 * time.Hour); !completed.DispatchDue.Equal(due) {
		t.Errorf("completed after it was raised, dispatch is due %s, want a day from now: %s", completed.DispatchDue, due)
	}
	got.Level = 5
	if _, _, err := r.Apply(got, clerk, ticket.Judge{Reasonable: true}, now); key(err) != ticket.KeyRedoMax {
		t.Errorf("a third redo on the highest level: %v", err)
	}
	got, _, _ = play(t, r, now, got, act{clerk, ticket.Judge{BeyondDuty: true}, 0})
	if got.State != ticket.Closed || got.Outcome != ticket.OutcomeBeyondDuty || got.Facts.Solved != ticket.No {
		t.Errorf("closed as %s %s; the resident's word must stay: %+v", got.State, got.Outcome, got.Facts)
	}
}

func TestRelapse(t *testing.T) {
	r := newRules(t)
	closed, _, now := play(t, r, start, ticket.Ticket{}, act{reporter, file, 0}, act{dispatcher, dispatch, 0},
		act{worker, ticket.Take{}, 0}, act{worker, finish, 0}, act{system, ticket.Ask{}, 0}, act{reporter, happy, 0})
	day := 24 * time.Hour
	for _, c := range []struct {
		name string
		by   ticket.Actor
		cmd  ticket.Relapse
		at   time.Duration
		key  string
	}{
		{"on the fifteenth day", reporter, ticket.Relapse{}, 15 * day, ""},
		{"too late", reporter, ticket.Relapse{}, 15*day + 1, ticket.KeyRelapseLate},
		{"the survey asks later", reporter, ticket.Relapse{FromSurvey: true}, 28 * day, ""},
		{"survey answered too late", reporter, ticket.Relapse{FromSurvey: true}, 43 * day, ticket.KeyRelapseLate},
		{"somebody else", ticket.Actor{As: ticket.AsReporter, Person: 99}, ticket.Relapse{}, day, ticket.KeyNotYours},
		{"the unit", worker, ticket.Relapse{}, day, ticket.KeyNotYours},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := r.Apply(closed, c.by, c.cmd, now.Add(c.at))
			if key(err) != c.key {
				t.Fatalf("refusal %v, want %q", err, c.key)
			}
			if err == nil && (got.State != ticket.Received || got.Relapses != 1 || !got.Deadline.IsZero() || got.Outcome != "") {
				t.Errorf("reopened as %+v", got)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	r := newRules(t)
	received, _, _ := play(t, r, start, ticket.Ticket{}, act{reporter, file, 0})
	draft, _, _ := play(t, r, start, ticket.Ticket{}, act{system, ticket.File{Number: number, Incomplete: true, ReporterID: reporterID}, 0})
	dispatched, _, _ := play(t, r, start, received, act{dispatcher, dispatch, 0})
	signed, _, _ := play(t, r, start, dispatched, act{worker, ticket.Take{}, 0})
	handled, _, _ := play(t, r, start, signed, act{worker, finish, 0})
	asked, _, _ := play(t, r, start, handled, act{system, ticket.Ask{}, 0})
	secret := received
	secret.Confidential = true
	about := received
	about.Against, about.AgainstStaff = []string{unitDesk.Code}, []int64{workerID}
	danger := received
	danger.Danger = "manhole"
	passed, _, _ := play(t, r, start, dispatched, act{worker, ticket.Transfer{To: unitDesk, Reason: "other_unit"}, 0},
		act{handler, ticket.Transfer{To: gridDesk, Reason: "other_grid"}, 0}, act{worker, ticket.Transfer{To: unitDesk, Reason: "other_unit"}, 0})
	finding := asked
	finding.Finding = true
	secretSigned := signed
	secretSigned.Confidential = true

	for _, c := range []struct {
		name string
		t    ticket.Ticket
		by   ticket.Actor
		do   ticket.Command
		key  string
	}{
		{"bad number", ticket.Ticket{}, reporter, ticket.File{Number: "4821093761", Content: content, ReporterID: reporterID}, ticket.KeyIncomplete},
		{"file for somebody else's account", ticket.Ticket{}, reporter, ticket.File{Number: number, Content: content, ReporterID: 99}, ticket.KeyIncomplete},
		{"file without a matter", ticket.Ticket{}, reporter, ticket.File{Number: number, ReporterID: reporterID}, ticket.KeyIncomplete},
		{"handler files", ticket.Ticket{}, worker, file, ticket.KeyNotYours},
		{"file twice", received, reporter, file, ticket.KeyState},
		{"complete with nothing", draft, completer, ticket.Complete{}, ticket.KeyIncomplete},
		{"dispatch a draft", draft, dispatcher, dispatch, ticket.KeyState},
		{"dispatch to nowhere", received, dispatcher, ticket.Dispatch{}, ticket.KeyNoDesk},
		{"dispatch to the dispatcher", received, dispatcher, ticket.Dispatch{Lead: ticket.Desk{Kind: ticket.DeskDispatcher, Code: "x"}}, ticket.KeyNoDesk},
		{"private to a grid", secret, dispatcher, dispatch, ticket.KeyPrivateOnly},
		{"private to a unit", secret, dispatcher, ticket.Dispatch{Lead: unitDesk}, ticket.KeyPrivateOnly},
		{"complaint to its unit", about, dispatcher, ticket.Dispatch{Lead: unitDesk}, ticket.KeyAgainst},
		{"complaint to its person", about, dispatcher, dispatch, ticket.KeyAgainst},
		{"dispatcher the complaint is about", about, ticket.Actor{As: ticket.AsDispatcher, Staff: workerID}, dispatch, ticket.KeyAgainst},
		{"take another desk's", dispatched, handler, ticket.Take{}, ticket.KeyNotYourDesk},
		{"take twice", signed, worker, ticket.Take{}, ticket.KeyState},
		{"nobody takes", dispatched, ticket.Actor{As: ticket.AsHandler, Desk: gridDesk}, ticket.Take{}, ticket.KeyNotYourDesk},
		{"auto-sign too early", dispatched, system, ticket.AutoSign{}, ticket.KeyNotDue},
		{"transfer without a reason", dispatched, worker, ticket.Transfer{To: unitDesk}, ticket.KeyReason},
		{"transfer to itself", dispatched, worker, ticket.Transfer{To: gridDesk, Reason: "colleague"}, ticket.KeySameDesk},
		{"transfer once more", passed, handler, ticket.Transfer{To: gridDesk, Reason: "other_grid"}, ticket.KeyTransfers},
		{"return without a reason", dispatched, dispatcher, ticket.Return{Reason: "tired"}, ticket.KeyReason},
		{"a desk returns", dispatched, worker, ticket.Return{Reason: "not_our_duty"}, ticket.KeyNotYours},
		{"finish unsigned", dispatched, worker, finish, ticket.KeyState},
		{"finish without words", signed, worker, ticket.Finish{Result: ticket.UnitResolved}, ticket.KeyNoReply},
		{"finish without photo", signed, worker, ticket.Finish{Result: ticket.UnitResolved, HasReply: true, PhotoNeeded: true}, ticket.KeyNoPhoto},
		{"finish without result", signed, worker, ticket.Finish{HasReply: true}, ticket.KeyNoResult},
		{"contact by pigeon", signed, worker, ticket.Contact{Via: "pigeon"}, ticket.KeyReason},
		{"a visit that nothing shows", signed, worker, ticket.Contact{Via: ticket.ViaVisit, Reached: true}, ticket.KeyNoProof},
		{"phone a protected reporter", secretSigned, worker, ticket.Contact{Via: ticket.ViaPhone}, ticket.KeyNoPhone},
		{"the unit rates itself", handled, worker, happy, ticket.KeyNotYours},
		{"a clerk who signed", handled, ticket.Actor{As: ticket.AsCallback, Staff: workerID}, happy, ticket.KeyOwnWork},
		{"a reporter who signed", handled, ticket.Actor{As: ticket.AsReporter, Person: reporterID, Staff: workerID}, happy, ticket.KeyOwnWork},
		{"the finder checks", finding, ticket.Actor{As: ticket.AsCallback, Staff: 77, Person: reporterID}, happy, ticket.KeyOwnWork},
		{"the finder rates", finding, reporter, happy, ticket.KeyOwnWork},
		{"empty answer", asked, reporter, ticket.CallbackResult{}, ticket.KeyNoAnswer},
		{"half contacted", asked, reporter, ticket.CallbackResult{Facts: ticket.Facts{Contacted: ticket.Partly, Solved: ticket.Yes}}, ticket.KeyNoResult},
		{"give up at once", asked, clerk, unreached, ticket.KeyTriesLeft},
		{"reporter cannot be unreached", asked, reporter, unreached, ticket.KeyNotYours},
		{"unreached with answers", asked, clerk, ticket.CallbackResult{Unreached: true, Facts: happy.Facts}, ticket.KeyOutcomeMixed},
		{"judge nothing", asked, clerk, ticket.Judge{Reasonable: true}, ticket.KeyNoAnswer},
		{"withdraw when handled", handled, reporter, ticket.Withdraw{}, ticket.KeyState},
		{"withdraw a danger", danger, reporter, ticket.Withdraw{}, ticket.KeyDangerStays},
		{"reject without a reason", received, dispatcher, ticket.Reject{}, ticket.KeyReason},
		{"reject after dispatch", dispatched, dispatcher, ticket.Reject{Reason: "petition"}, ticket.KeyState},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, events, err := r.Apply(c.t, c.by, c.do, start)
			if key(err) != c.key {
				t.Fatalf("got %v, want %s", err, c.key)
			}
			if got.Version != c.t.Version || got.State != c.t.State || len(events) != 0 {
				t.Error("a refusal changed the ticket")
			}
		})
	}
}

func TestRefusalNamesWhatIsAllowed(t *testing.T) {
	r := newRules(t)
	dispatched, _, _ := play(t, r, start, ticket.Ticket{}, act{reporter, file, 0}, act{dispatcher, dispatch, 0})
	_, _, err := r.Apply(dispatched, worker, finish, start)
	refused := new(ticket.Refused)
	if !errors.As(err, &refused) || !slices.Equal(refused.Allowed, []ticket.CommandName{ticket.CmdTake, ticket.CmdObject, ticket.CmdTransfer}) {
		t.Errorf("refusal %v names %v", err, refused.Allowed)
	}
	if got := r.Allowed(dispatched, worker); !slices.Equal(got, refused.Allowed) {
		t.Errorf("buttons %v differ from what the refusal names %v", got, refused.Allowed)
	}
	if want := "refused: state command=finish state=dispatched allowed=[take object transfer]"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestDraftAndProtection(t *testing.T) {
	r := newRules(t)
	draft, _, _ := play(t, r, start, ticket.Ticket{}, act{system, ticket.File{
		Number: number, Incomplete: true, ReporterID: reporterID,
		Content: ticket.Content{Confidential: true, Against: []string{"a"}},
	}, 0})
	if draft.State != ticket.Draft || draft.Number != number || draft.Urgency != ticket.General {
		t.Fatalf("draft %+v", draft)
	}
	c := content
	c.Against = []string{"a", "b"}
	got, _, _ := play(t, r, start, draft, act{completer, ticket.Complete{Content: c}, time.Hour})
	if got.State != ticket.Received || !got.Confidential || !slices.Equal(got.Against, []string{"a", "b"}) {
		t.Errorf("completing lost protection: %+v", got)
	}
	if due := start.Add(24 * time.Hour); !got.DispatchDue.Equal(due) {
		t.Errorf("dispatch due %s, want it counted from receipt: %s", got.DispatchDue, due)
	}
	c.Danger = "fire"
	danger, _, _ := play(t, r, start, ticket.Ticket{}, act{system, ticket.File{Number: number, Incomplete: true, ReporterID: reporterID, Content: c}, 0})
	if danger.State != ticket.Received {
		t.Errorf("a danger waits as %s for somebody to complete it", danger.State)
	}
}

func TestInformedDesksAreScreened(t *testing.T) {
	r := newRules(t)
	c := content
	c.AgainstStaff = []int64{workerID}
	got, _, _ := play(t, r, start, ticket.Ticket{}, act{reporter, ticket.File{Number: number, Content: c, ReporterID: reporterID}, 0},
		act{dispatcher, ticket.Dispatch{Lead: unitDesk, Informed: []ticket.Desk{gridDesk, unitDesk}}, 0})
	if len(got.Assignments) != 1 {
		t.Errorf("informed whom the claim is about, or the lead twice: %+v", got.Assignments)
	}
}

func TestUnreachedAfterTries(t *testing.T) {
	r := newRules(t)
	got, _, now := play(t, r, start, ticket.Ticket{}, act{reporter, file, 0}, act{dispatcher, dispatch, 0}, act{worker, ticket.Take{}, 0},
		act{worker, finish, 0}, act{system, ticket.Ask{}, 0}, act{system, ticket.Ask{}, 0}, act{system, ticket.Ask{}, 0})
	if _, _, err := r.Apply(got, system, ticket.Ask{}, now); key(err) != ticket.KeyTriesDone {
		t.Errorf("a fourth automatic try: %v", err)
	}
	got, _, _ = play(t, r, now, got, act{clerk, ticket.Ask{Via: "phone"}, 0}, act{clerk, unreached, 0})
	if got.Outcome != ticket.OutcomeUnconfirmed || got.Facts != (ticket.Facts{}) {
		t.Errorf("nobody was reached, yet outcome %s facts %+v", got.Outcome, got.Facts)
	}
}

func TestAutoSignKeepsTheDeskAnswerable(t *testing.T) {
	r := newRules(t)
	got, _, now := play(t, r, start, ticket.Ticket{}, act{reporter, file, 0}, act{dispatcher, dispatch, 0}, act{system, ticket.AutoSign{}, 24 * time.Hour})
	lead, _ := got.Lead()
	if got.State != ticket.Signed || lead.SignedBy != 0 || lead.State != ticket.AssignmentSigned {
		t.Fatalf("auto-signed %+v", got)
	}
	got, _, _ = play(t, r, now, got, act{worker, finish, 0})
	if !got.SignedByStaff(workerID) {
		t.Error("who reports on an automatically signed ticket must own it")
	}
}

func TestReturnKeepsTheDeadline(t *testing.T) {
	r := newRules(t)
	got, _, now := play(t, r, start, ticket.Ticket{}, act{reporter, file, 0}, act{dispatcher, dispatch, 0})
	deadline := got.Deadline
	got, _, _ = play(t, r, now, got, act{dispatcher, ticket.Return{Reason: "not_our_duty"}, time.Hour},
		act{dispatcher, ticket.Dispatch{Lead: unitDesk}, time.Hour}, act{handler, ticket.Transfer{To: gridDesk, Reason: "other_grid"}, time.Hour})
	if !got.Deadline.Equal(deadline) {
		t.Errorf("deadline moved from %s to %s by passing the ticket on", deadline, got.Deadline)
	}
}

func TestRefusalKeys(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range ticket.RefusalKeys() {
		if seen[k] || !strings.HasPrefix(k, "ticket.refused.") {
			t.Errorf("key %q stands twice or outside its group", k)
		}
		seen[k] = true
	}
	if len(seen) != 47 {
		t.Errorf("%d keys", len(seen))
	}
}
