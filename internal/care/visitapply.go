package care

import (
	"slices"
	"strconv"
	"time"

	"shaoying/scheduler"
)

// Visit runs one command on a visit of the bed. On refusal (*Refused) or failure
// what comes back is what went in. A visit that ends is to be settled (Settle)
// and the bed to be planned again, in the same transaction.
func (r *Rules) Visit(b Bed, v Visit, by Actor, c VisitCommand, now time.Time) (Visit, []Event, error) {
	stranger := by.As == AsFamily && !b.family(by.Person) || by.As == AsVisitor && (by.Staff == 0 || by.Staff != v.Staff)
	if stranger || b.ID != v.BedID {
		return v, nil, refuse(KeyNotYours, "command", string(c.Name()), "capacity", string(by.As))
	}
	next := v
	s := &step[Visit]{Rules: r, t: &next, bed: b, by: by, now: now}
	events, err := run(r.visits, s, func(v *Visit) VisitState { return v.State }, c)
	if err != nil {
		return v, nil, err
	}
	return next, events, nil
}

func (s *step[T]) enterVisit(v *Visit, state VisitState, reason string) {
	v.State, v.Reason, v.StateAt = state, reason, s.now
}

// over reports whether the window is over: what the family says about it then
// says nothing.
func (s *step[T]) over(v *Visit) bool { return !s.now.Before(v.End(s.work.Location())) }

func (c Tell) apply(s *step[Visit]) error {
	v := s.t
	v.Told = true
	if !c.Asked {
		s.event(EventTold)
		return nil
	}
	if v.AskedAt.IsZero() {
		v.AskedAt = s.now
	}
	if v.State == VisitPlanned {
		s.enterVisit(v, VisitNotified, "")
	}
	s.event(EventAsked)
	return nil
}

func (Confirm) apply(s *step[Visit]) error {
	if s.over(s.t) {
		return refuse(KeyStarted)
	}
	s.t.Told, s.t.ConfirmedBy = true, s.by.Person
	s.enterVisit(s.t, VisitConfirmed, "")
	s.event(EventConfirmed)
	return nil
}

func (AskMove) apply(s *step[Visit]) error {
	if s.over(s.t) {
		return refuse(KeyStarted)
	}
	s.t.Told = true
	s.enterVisit(s.t, VisitMoveAsked, "")
	s.event(EventMoveAsked)
	return nil
}

func (c Decline) apply(s *step[Visit]) error {
	if s.over(s.t) {
		return refuse(KeyStarted)
	}
	s.t.Told = true
	s.enterVisit(s.t, VisitDeclined, "")
	s.event(EventDeclined, "cancel", strconv.FormatBool(c.Cancel))
	return nil
}

func (c Move) apply(s *step[Visit]) error {
	v := s.t
	switch {
	case c.Date == v.Date && c.Window == v.Window && v.State != VisitToMakeUp:
		return refuse(KeySame)
	case c.Date.Compare(v.Earliest) < 0 || c.Date.Compare(v.Latest) > 0:
		return refuse(KeyInterval, "from", v.Earliest.String(), "to", v.Latest.String())
	case !c.Free || !slices.ContainsFunc(s.policy.Windows.Of, func(w Window) bool { return w.Span == c.Window }):
		return refuse(KeyTaken)
	case !c.Date.At(c.Window.From, s.work.Location()).After(s.now):
		return refuse(KeyStarted)
	}
	v.Moves++
	s.change(v, c.Date, c.Window, v.Staff)
	if s.by.As == AsFamily || c.Agreed {
		v.Told, v.ConfirmedBy, v.ChangedBy = true, s.by.Person, s.by.Person
		s.enterVisit(v, VisitConfirmed, "")
	}
	s.event(EventMoved, "date", v.Date.String(), "window", v.Window.String())
	return nil
}

// change gives a visit a new time or visitor and so a new version: whatever was
// planned, asked or offered for the old one is dead.
func (s *step[T]) change(v *Visit, d scheduler.Date, w scheduler.Span, staff int64) {
	if v.State == VisitToMakeUp {
		v.MakeUps++
	}
	if v.Told || !v.ChangedAt.IsZero() {
		v.ChangedAt = s.now
	}
	v.Version++
	v.Date, v.Window, v.Staff, v.Order = d, w, staff, 0
	v.Told, v.AskedAt, v.ConfirmedBy, v.ChangedBy = false, time.Time{}, 0, 0
	v.LeftAt, v.ArrivedAt, v.HelpAt, v.CodeAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	s.enterVisit(v, VisitPlanned, "")
}

func (c Reassign) apply(s *step[Visit]) error {
	v := s.t
	if c.Staff == 0 || c.Staff == v.Staff {
		return refuse(KeySame)
	}
	if v.State == VisitToMakeUp {
		v.Staff, v.Order = c.Staff, 0
		v.Version++
		s.event(EventReassigned, "staff", strconv.FormatInt(c.Staff, 10))
		return nil
	}
	// Who will be at home was about the time, which stays.
	state, confirmed, asked := v.State, v.ConfirmedBy, v.AskedAt
	s.change(v, v.Date, v.Window, c.Staff)
	v.AskedAt, v.ConfirmedBy = asked, confirmed
	s.enterVisit(v, state, "")
	s.event(EventReassigned, "staff", strconv.FormatInt(c.Staff, 10))
	return nil
}

func (Leave) apply(s *step[Visit]) error {
	if s.t.Date != s.today() {
		return refuse(KeyStarted)
	}
	s.t.LeftAt = s.now
	s.enterVisit(s.t, VisitEnRoute, "")
	s.event(EventLeft)
	return nil
}

// An adult must be there at infusions, and at every visit of who cannot care for
// himself (CHJ 四.8).
func (c Arrive) apply(s *step[Visit]) error {
	if s.t.Date != s.today() {
		return refuse(KeyStarted)
	}
	if !c.Adult && s.NeedsAdult(s.bed, *s.t) {
		return refuse(KeyAdult)
	}
	s.t.ArrivedAt = s.now
	s.enterVisit(s.t, VisitArrived, "")
	s.event(EventArrived)
	return nil
}

func (c Finish) apply(s *step[Visit]) error {
	v := s.t
	if c.At.IsZero() {
		c.At = s.now
	}
	if v.State != VisitArrived {
		// Written down later: by the desk, with both times, of that day.
		if c.From.IsZero() || s.by.As != AsDesk {
			return refuse(KeyIncomplete, "what", "arrival")
		}
		v.ArrivedAt = c.From
	}
	switch {
	case c.At.After(s.now) || c.At.Before(v.ArrivedAt):
		return refuse(KeyStarted)
	case c.Present == 0 && !c.Alone || c.Present != 0 && !s.bed.family(c.Present):
		return refuse(KeyPresent)
	}
	v.DoneAt, v.Present, v.Noted = c.At, c.Present, c.Noted
	s.enterVisit(v, VisitDone, "")
	s.event(EventDone, "minutes", strconv.Itoa(int(c.At.Sub(v.ArrivedAt).Minutes())))
	return nil
}

func (NobodyHome) apply(s *step[Visit]) error {
	s.t.Told = true
	s.enterVisit(s.t, VisitToMakeUp, ReasonNobodyHome)
	s.event(EventNobodyHome)
	return nil
}

func (c Fail) apply(s *step[Visit]) error {
	if err := among(c.Reason, s.policy.Reasons.Fail); err != nil {
		return err
	}
	s.enterVisit(s.t, VisitToMakeUp, c.Reason)
	s.event(EventFailed, "reason", c.Reason)
	return nil
}

func (c Miss) apply(s *step[Visit]) error {
	v := s.t
	if s.by.As == AsSystem && s.today().Compare(v.Latest) <= 0 {
		return refuse(KeyNotDue)
	}
	if v.State.Waiting() && s.by.As != AsSystem {
		return refuse(KeyState, "command", string(CmdMiss), "state", string(v.State))
	}
	if c.Reason == "" {
		c.Reason = v.Reason
	}
	if c.Reason == "" {
		c.Reason = ReasonNotRecorded
	}
	s.enterVisit(v, VisitMissed, c.Reason)
	s.event(EventMissed, "reason", c.Reason)
	return nil
}

func (c Cancel) apply(s *step[Visit]) error {
	if err := among(c.Reason, s.policy.Reasons.Cancel); err != nil {
		return err
	}
	s.enterVisit(s.t, VisitCancelled, c.Reason)
	s.event(EventCancelled, "reason", c.Reason)
	return nil
}

func (c Release) apply(s *step[Visit]) error {
	s.enterVisit(s.t, VisitReleased, c.Reason)
	s.event(EventReleased, "reason", c.Reason)
	return nil
}

func (Note) apply(s *step[Visit]) error {
	if s.t.Noted {
		return refuse(KeySame)
	}
	s.t.Noted = true
	s.event(EventNoted)
	return nil
}

func (WrongCode) apply(s *step[Visit]) error {
	s.t.CodeAt = s.now
	s.event(EventWrongCode)
	return nil
}

func (Help) apply(s *step[Visit]) error {
	s.t.HelpAt = s.now
	s.event(EventHelp)
	return nil
}

// The reasons that the rules themselves give.
const (
	ReasonNobodyHome  = "nobody_home"
	ReasonNotRecorded = "not_recorded" // the day was over and nobody said anything
	ReasonTooLate     = "too_late"     // the interval was over when the planner came
	ReasonHoliday     = "holiday"
	ReasonOrderEnded  = "order_ended"
	ReasonPeriodEnd   = "period_end"
	ReasonReplanned   = "replanned" // the rhythm has changed
	ReasonClosed      = "closed"
)

// reasonsOfOrders are those that release one visit while the bed goes on.
var reasonsOfOrders = []string{ReasonOrderEnded, ReasonPeriodEnd, ReasonReplanned}

// NeedsAdult reports whether an adult of the household must be there.
func (r *Rules) NeedsAdult(b Bed, v Visit) bool {
	return b.Patient.Dependent || r.policy.Kinds[v.Kind].Adult
}
