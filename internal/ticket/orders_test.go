package ticket_test

import (
	"slices"
	"testing"
	"time"

	"shaoying/internal/ticket"
)

const day = 24 * time.Hour

var (
	transport = ticket.Desk{Kind: ticket.DeskUnit, Code: "transport"}
	water     = ticket.Desk{Kind: ticket.DeskUnit, Code: "water"}
)

func of(d ticket.Desk, as ticket.Capacity, staff int64) ticket.Actor {
	return ticket.Actor{As: as, Staff: staff, Desk: d}
}

// onUnit is a ticket that lies signed on unitDesk.
func onUnit(t *testing.T, r *ticket.Rules, more ...act) (ticket.Ticket, []ticket.Event, time.Time) {
	t.Helper()
	return play(t, r, start, ticket.Ticket{}, append([]act{
		{reporter, file, 0},
		{dispatcher, ticket.Dispatch{Lead: unitDesk, Co: []ticket.Desk{transport}}, 0},
		{of(unitDesk, ticket.AsHandler, handlerID), ticket.Take{}, time.Hour},
	}, more...)...)
}

func refused(t *testing.T, r *ticket.Rules, tk ticket.Ticket, by ticket.Actor, c ticket.Command, now time.Time, want string) {
	t.Helper()
	if _, _, err := r.Apply(tk, by, c, now); key(err) != want {
		t.Errorf("%s by %s: %v, want %s", c.Name(), by.As, err, want)
	}
}

var objection = ticket.Object{Reason: "not_our_duty", HasBasis: true}

func TestAnObjectionIsReviewedWhileTheClockRuns(t *testing.T) {
	r := newRules(t)
	handling := of(unitDesk, ticket.AsHandler, handlerID)
	signed, _, now := onUnit(t, r)
	refused(t, r, signed, handling, ticket.Object{Reason: "no_time", HasBasis: true}, now, ticket.KeyReason)
	refused(t, r, signed, handling, ticket.Object{Reason: "not_our_duty"}, now, ticket.KeyNoBasis)
	refused(t, r, signed, handling, objection, now.Add(2*day), ticket.KeyObjectLate)
	asked, _, now := play(t, r, now, signed, act{handling, objection, time.Hour})
	if asked.State != ticket.Disputed || !asked.Deadline.Equal(signed.Deadline) || len(r.Nudges(asked)) == 0 {
		t.Fatalf("the clock must run on: %+v", asked)
	}
	refused(t, r, asked, handling, finish, now, ticket.KeyState)
	refused(t, r, asked, of(unitDesk, ticket.AsDispatcher, handlerID), ticket.Decide{}, now, ticket.KeyOwnWork)

	no, _, _ := play(t, r, now, asked, act{dispatcher, ticket.Decide{}, time.Hour})
	if no.State != ticket.Signed || no.Request.Kind != "" {
		t.Errorf("a refused objection leaves the ticket where it was: %+v", no)
	}
	refused(t, r, no, handling, objection, now.Add(time.Hour), ticket.KeyObjected)

	yes, _, _ := play(t, r, now, asked, act{dispatcher, ticket.Decide{Granted: true}, time.Hour})
	if _, ok := yes.Lead(); ok || yes.State != ticket.Received || !yes.Deadline.Equal(signed.Deadline) || yes.DispatchDue.IsZero() {
		t.Errorf("a granted objection lies before the dispatcher, with the promise as it was: %+v", yes)
	}
}

func TestTheThirdUnitThatRefusesRaisesTheTicket(t *testing.T) {
	r := newRules(t)
	tk, _, now := play(t, r, start, ticket.Ticket{}, act{reporter, file, 0})
	for _, d := range []ticket.Desk{unitDesk, transport} {
		tk, _, now = play(t, r, now, tk, act{dispatcher, ticket.Dispatch{Lead: d}, 0},
			act{of(d, ticket.AsHandler, handlerID), objection, time.Hour}, act{dispatcher, ticket.Decide{Granted: true}, time.Hour})
	}
	tk, events, _ := play(t, r, now, tk, act{dispatcher, ticket.Dispatch{Lead: water}, 0}, act{of(water, ticket.AsHandler, handlerID), objection, time.Hour})
	if tk.State != ticket.Received || tk.Level != 1 || tk.Request.Kind != "" {
		t.Errorf("three refused: %+v", tk)
	}
	last := events[len(events)-1]
	if last.Kind != ticket.EventEscalated || last.Data["reason"] != ticket.EscalateRefusals || last.Data["level"] != "1" {
		t.Errorf("the last event is %+v", last)
	}
}

func TestUrgentIsDoneFirst(t *testing.T) {
	r := newRules(t)
	c := content
	c.Urgency = ticket.Urgent
	tk, _, now := play(t, r, start, ticket.Ticket{}, act{reporter, ticket.File{Number: number, Content: c, ReporterID: reporterID}, 0},
		act{dispatcher, ticket.Dispatch{Lead: unitDesk}, 0}, act{of(unitDesk, ticket.AsHandler, handlerID), ticket.Take{}, 0})
	for _, c := range []ticket.Command{objection, ticket.AskSuspension{Until: now.Add(day), Reason: "works"}} {
		refused(t, r, tk, of(unitDesk, ticket.AsHandler, handlerID), c, now, ticket.KeyActFirst)
	}
}

func TestAnExtensionIsAskedInTimeAndOnce(t *testing.T) {
	r := newRules(t)
	handling := of(unitDesk, ticket.AsHandler, handlerID)
	tk, _, now := onUnit(t, r)
	ask := func(d time.Duration) ticket.AskExtension {
		return ticket.AskExtension{Until: tk.Deadline.Add(d), Reason: "materials"}
	}
	refused(t, r, tk, handling, ask(8*day), now, ticket.KeyExtendSpan)
	refused(t, r, tk, handling, ask(-time.Hour), now, ticket.KeyExtendSpan)
	refused(t, r, tk, handling, ask(day), tk.Deadline, ticket.KeyExtendLate)
	before := tk.Deadline
	tk, _, now = play(t, r, now, tk, act{handling, ask(3 * day), day})
	refused(t, r, tk, handling, ask(4*day), now, ticket.KeyAsked)
	tk, _, now = play(t, r, now, tk, act{dispatcher, ticket.Decide{Granted: true}, day})
	if !tk.Deadline.Equal(before.Add(3*day)) || tk.Extensions != 1 || tk.State != ticket.Signed {
		t.Fatalf("granted: %+v", tk)
	}
	tk, _, now = play(t, r, now, tk, act{handling, ask(day), day})
	refused(t, r, tk, dispatcher, ticket.Decide{Granted: true}, now, ticket.KeyNeedsSupervisor)
	tk, _, now = play(t, r, now, tk, act{supervisor, ticket.Decide{Granted: true}, 0})
	refused(t, r, tk, handling, ask(time.Hour), now, ticket.KeyExtended)
}

func TestASuspensionStopsTheClock(t *testing.T) {
	r := newRules(t)
	handling := of(unitDesk, ticket.AsHandler, handlerID)
	tk, _, now := onUnit(t, r)
	refused(t, r, tk, handling, ticket.AskSuspension{Until: now.Add(31 * day), Reason: "court"}, now, ticket.KeySuspendSpan)
	deadline := tk.Deadline
	tk, _, now = play(t, r, now, tk, act{handling, ticket.AskSuspension{Until: now.Add(10 * day), Reason: "court"}, 0},
		act{dispatcher, ticket.Decide{Granted: true}, 0})
	if tk.State != ticket.Suspended || len(r.Nudges(tk)) != 0 || tk.Overdue(now.Add(9*day)) {
		t.Fatalf("suspended: %+v", tk)
	}
	refused(t, r, tk, system, ticket.Resume{}, now.Add(9*day), ticket.KeyNotDue)
	tk, _, _ = play(t, r, now, tk, act{system, ticket.Resume{}, 10 * day})
	if tk.State != ticket.Signed || !tk.Deadline.Equal(deadline.Add(10*day)) {
		t.Errorf("resumed with deadline %s, want ten days after %s: %+v", tk.Deadline, deadline, tk)
	}
}

func TestACoHandlerRepliesInItsOwnTime(t *testing.T) {
	r := newRules(t)
	tk, _, now := onUnit(t, r)
	co := of(transport, ticket.AsCoHandler, 41)
	i := slices.IndexFunc(tk.Assignments, func(a ticket.Assignment) bool { return a.Role == ticket.RoleCo })
	if want := start.Add(7 * day * 6 / 10); !tk.Assignments[i].Deadline.Equal(want) {
		t.Errorf("the co-handler has until %s, want 60 %% of the lead's time: %s", tk.Assignments[i].Deadline, want)
	}
	refused(t, r, tk, of(water, ticket.AsCoHandler, 42), ticket.CoSign{}, now, ticket.KeyNotYourDesk)
	refused(t, r, tk, co, finish, now, ticket.KeyNotYours)
	refused(t, r, tk, co, ticket.CoReply{}, now, ticket.KeyNoReply)
	replied, _, later := play(t, r, now, tk, act{co, ticket.CoSign{}, time.Hour}, act{co, ticket.CoReply{HasReply: true}, time.Hour})
	refused(t, r, replied, co, ticket.CoReply{HasReply: true}, later, ticket.KeyCoDone)

	// Silence is supervised at the co-handler, and the lead goes on.
	silent, _, _ := play(t, r, now, tk, act{system, ticket.Supervise{Number: other, Desk: transport, Reason: ticket.SuperviseCoSilent}, day},
		act{of(unitDesk, ticket.AsHandler, handlerID), finish, time.Hour})
	if silent.State != ticket.Handled || len(silent.Supervisions) != 1 || silent.Supervisions[0].Desk != transport {
		t.Errorf("silent: %+v", silent)
	}
}

func TestASupervisionIsAnsweredByNameOrRaisesTheTicket(t *testing.T) {
	r := newRules(t)
	tk, _, now := onUnit(t, r)
	refused(t, r, tk, dispatcher, ticket.Supervise{Number: other, Desk: unitDesk, Reason: "leader"}, now, ticket.KeyNotYours)
	refused(t, r, tk, supervisor, ticket.Supervise{Number: other, Desk: water, Reason: "leader"}, now, ticket.KeyNoDesk)
	tk, _, now = play(t, r, now, tk, act{supervisor, ticket.Supervise{Number: other, Desk: unitDesk, Reason: "leader"}, 0})
	refused(t, r, tk, supervisor, ticket.Supervise{Number: numbers[0], Desk: unitDesk, Reason: "media"}, now, ticket.KeySupervised)
	v := tk.Supervisions[0]
	if !v.Deadline.Equal(now.Add(3 * day)) {
		t.Errorf("deadline %s, want three working days after %s", v.Deadline, now)
	}
	refused(t, r, tk, of(transport, ticket.AsSupervised, 41), ticket.AnswerSupervision{Number: other, HasReply: true}, now, ticket.KeyNotYourDesk)
	refused(t, r, tk, of(unitDesk, ticket.AsSupervised, 0), ticket.AnswerSupervision{Number: other, HasReply: true}, now, ticket.KeyNotYours)
	answered, _, _ := play(t, r, now, tk, act{of(unitDesk, ticket.AsSupervised, handlerID), ticket.AnswerSupervision{Number: other, HasReply: true}, day})
	if answered.Supervisions[0].SignedBy != handlerID || answered.Level != 0 {
		t.Errorf("answered: %+v", answered.Supervisions)
	}
	refused(t, r, tk, system, ticket.LapseSupervision{Number: other}, now.Add(2*day), ticket.KeyNotDue)
	lapsed, _, _ := play(t, r, now, tk, act{system, ticket.LapseSupervision{Number: other}, 3 * day},
		act{of(unitDesk, ticket.AsSupervised, handlerID), ticket.AnswerSupervision{Number: other, HasReply: true}, day})
	if lapsed.Level != 1 || lapsed.Supervisions[0].LapsedAt.IsZero() || lapsed.State != ticket.Signed {
		t.Errorf("a late answer does not take the lapse back: %+v", lapsed)
	}
	merged, _, _ := play(t, r, now, tk, act{dispatcher, ticket.Merge{Master: master(ticket.Signed)}, 0},
		act{system, ticket.LapseSupervision{Number: other}, 3 * day})
	if merged.Level != 0 || merged.Supervisions[0].LapsedAt.IsZero() {
		t.Errorf("a merged ticket was raised for a lapse: %+v", merged)
	}
}

func TestMergeGuards(t *testing.T) {
	r := newRules(t)
	tk, _, now := onUnit(t, r)
	private := master(ticket.Signed)
	private.Confidential = true
	self := master(ticket.Signed)
	self.ID = tk.ID
	child := master(ticket.Merged)
	child.MasterID = 5
	for want, c := range map[string]ticket.Merge{
		ticket.KeyMergeState:   {Master: master(ticket.Callback)},
		ticket.KeyMergeMaster:  {Master: child},
		ticket.KeyMergeLeads:   {Master: master(ticket.Signed), Leads: true},
		ticket.KeyMergePrivate: {Master: private},
	} {
		refused(t, r, tk, dispatcher, c, now, want)
	}
	refused(t, r, tk, dispatcher, ticket.Merge{Master: self}, now, ticket.KeyMergeMaster)
	about := content
	about.Against = []string{unitDesk.Code}
	complaint, _, _ := play(t, r, start, ticket.Ticket{}, act{reporter, ticket.File{Number: number, Content: about, ReporterID: reporterID}, 0})
	refused(t, r, complaint, dispatcher, ticket.Merge{Master: master(ticket.Signed)}, now, ticket.KeyAgainst)
}

func TestAMergedTicketFollowsItsMasterAndHasItsOwnCallback(t *testing.T) {
	r := newRules(t)
	tk, _, now := onUnit(t, r, act{dispatcher, ticket.Merge{Master: master(ticket.Signed)}, time.Hour})
	if len(r.Nudges(tk)) != 0 || len(r.Allowed(tk, of(unitDesk, ticket.AsHandler, handlerID))) != 0 {
		t.Error("while merged nobody is reminded and nothing is done with it")
	}
	m := master(ticket.Handled)
	got, events, now := play(t, r, now, tk, act{system, ticket.Follow{Master: m}, day})
	if got.State != ticket.Handled || got.UnitResult != m.UnitResult || got.MasterID != m.ID {
		t.Fatalf("followed: %+v", got)
	}
	if !slices.ContainsFunc(events, func(e ticket.Event) bool { return e.Kind == ticket.EventHandled }) {
		t.Error("its own callback hangs on the event handled")
	}
	redone, _, _ := play(t, r, now, got, act{reporter, unhappy, time.Hour}, act{clerk, ticket.Judge{Reasonable: true}, time.Hour})
	if lead, _ := redone.Lead(); redone.State != ticket.Redo || lead.Desk != unitDesk || redone.MasterID != 0 {
		t.Errorf("an unhappy reporter's ticket is redone by itself: %+v", redone)
	}
}

func TestADepartmentsDutyIsNotSentToTheGrid(t *testing.T) {
	r := newRules(t)
	received, _, now := play(t, r, start, ticket.Ticket{}, act{reporter, file, 0})
	refused(t, r, received, dispatcher, ticket.Dispatch{Lead: gridDesk, UnitDuty: true}, now, ticket.KeyUnitDuty)
	tk, _, now := onUnit(t, r)
	refused(t, r, tk, of(unitDesk, ticket.AsHandler, handlerID), ticket.Transfer{To: gridDesk, Reason: "other_grid", UnitDuty: true}, now, ticket.KeyUnitDuty)
}

func TestAnswersAndReferrals(t *testing.T) {
	r := newRules(t)
	received, _, now := play(t, r, start, ticket.Ticket{}, act{reporter, file, 0})
	refused(t, r, received, dispatcher, ticket.AnswerNow{HasReply: true}, now, ticket.KeyNoQuestion)
	refused(t, r, received, dispatcher, ticket.Refer{To: "somebody"}, now, ticket.KeyReason)
	referred, _, _ := play(t, r, now, received, act{system, ticket.Refer{To: "12315"}, 0})
	if referred.State != ticket.Referred || referred.Outcome != ticket.OutcomeReferred || referred.ReferredTo != "12315" || referred.State.Open() {
		t.Errorf("referred: %+v", referred)
	}
	received.Claim = "consultation"
	refused(t, r, received, dispatcher, ticket.AnswerNow{}, now, ticket.KeyNoReply)
	answered, _, _ := play(t, r, now, received, act{dispatcher, ticket.AnswerNow{HasReply: true}, 0})
	if answered.State != ticket.Answered || answered.Outcome != ticket.OutcomeAnswered {
		t.Errorf("answered: %+v", answered)
	}
}

func TestAnExclusionIsAnIndependentReviewers(t *testing.T) {
	r := newRules(t)
	handling := of(unitDesk, ticket.AsHandler, handlerID)
	closed, _, now := onUnit(t, r, act{handling, finish, 0}, act{reporter, happy, 0})
	ask := ticket.AskExclusion{Reason: "malicious", HasEvidence: true}
	refused(t, r, closed, handling, ticket.AskExclusion{Reason: "malicious"}, now, ticket.KeyNoBasis)
	asked, _, now := play(t, r, now, closed, act{handling, ask, day})
	refused(t, r, asked, dispatcher, ticket.DecideExclusion{Granted: true}, now, ticket.KeyNotYours)
	refused(t, r, asked, ticket.Actor{As: ticket.AsReviewer, Staff: handlerID}, ticket.DecideExclusion{Granted: true}, now, ticket.KeyOwnWork)
	decided, _, now := play(t, r, now, asked, act{reviewer, ticket.DecideExclusion{Granted: true}, 0})
	if decided.Exclusion != ticket.Granted || decided.State != ticket.Closed {
		t.Errorf("decided: %+v", decided)
	}
	refused(t, r, decided, handling, ask, now, ticket.KeyExcluded)
}
