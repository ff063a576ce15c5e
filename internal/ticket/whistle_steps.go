package ticket

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"shaoying/scheduler"
)

// Keys of refusals about whistles; the texts stand under the same keys in
// configs/texts.
const (
	KeyWhistleState    = "whistle.refused.state"     // not from this state; Allowed says what is
	KeyWhistleNotYours = "whistle.refused.not_yours" // not in this capacity
	KeyWhistleNoUnit   = "whistle.refused.no_unit"   // the unit is not called, or cannot be
	KeyWhistleTwice    = "whistle.refused.twice"     // the unit is called already, or has said so already
	KeyWhistleReason   = "whistle.refused.reason"    // reason missing or not in the list
	KeyWhistleSource   = "whistle.refused.source"    // kind, source or place missing
	KeyWhistleGrade    = "whistle.refused.grade"     // a grade is missing
	KeyWhistleNotYet   = "whistle.refused.not_yet"   // the unit is neither through nor late
	KeyWhistleLeft     = "whistle.refused.left"      // units without appraisal
	KeyWhistleSolved   = "whistle.refused.solved"    // whether it is settled was not said
	KeyWhistleTop      = "whistle.refused.top"       // as high as it goes already
)

// WhistleRefusalKeys lists them, so that a test can see that each has its text.
func WhistleRefusalKeys() []string {
	return []string{
		KeyWhistleState, KeyWhistleNotYours, KeyWhistleNoUnit, KeyWhistleTwice, KeyWhistleReason, KeyWhistleSource,
		KeyWhistleGrade, KeyWhistleNotYet, KeyWhistleLeft, KeyWhistleSolved, KeyWhistleTop,
	}
}

func guardPropose(_ *WhistleRules, _ Whistle, _ *Part, _ Actor, d Deed, _ time.Time) error {
	known := slices.Contains(WhistleKinds(), d.Kind) && slices.Contains(WhistleSources(), d.Source)
	if !known || len(d.Place.Division) < townshipDigits || d.Source == SourceTicket && d.TicketID == 0 {
		return refuse(KeyWhistleSource)
	}
	return nil
}

// townshipDigits is the length of a township code (GB/T 10114).
const townshipDigits = 9

// Township is the code of the township or street that blows the whistle.
func (w Whistle) Township() string {
	return w.Place.Division[:min(townshipDigits, len(w.Place.Division))]
}

func guardReason(r *WhistleRules, _ Whistle, _ *Part, _ Actor, d Deed, _ time.Time) error {
	codes := r.policy.Reasons.Decline
	if d.Command == WhistleReturn {
		codes = r.policy.Reasons.Return
	}
	return oneOf(codes, d.Reason)
}

func oneOf(codes []string, reason string) error {
	if !slices.Contains(codes, reason) {
		return refuse(KeyWhistleReason)
	}
	return nil
}

func guardMisuse(r *WhistleRules, _ Whistle, p *Part, _ Actor, d Deed, _ time.Time) error {
	if p.Misuse != "" {
		return refuse(KeyWhistleTwice)
	}
	return oneOf(r.policy.Reasons.Misuse, d.Reason)
}

func guardAssign(_ *WhistleRules, w Whistle, _ *Part, _ Actor, d Deed, _ time.Time) error {
	desks := slices.Clone(d.Co)
	if first := w.State == WhistleBlown; first != (d.Lead != Desk{}) {
		return refuse(KeyWhistleNoUnit)
	} else if first {
		desks = append([]Desk{d.Lead}, desks...)
	}
	if len(desks) == 0 {
		return refuse(KeyWhistleNoUnit)
	}
	for i, desk := range desks {
		if err := w.admits(desk); err != nil {
			return err
		}
		if w.part(desk) >= 0 || slices.ContainsFunc(desks[:i], desk.Same) {
			return refuse(KeyWhistleTwice)
		}
	}
	return nil
}

func guardAppraise(_ *WhistleRules, w Whistle, p *Part, by Actor, d Deed, now time.Time) error {
	if err := guardAppraisable(w, *p, by, now); err != nil {
		return err
	}
	if !slices.Contains(Grades(), d.Speed) || !slices.Contains(Grades(), d.Quality) {
		return refuse(KeyWhistleGrade)
	}
	return nil
}

// guardAppraisable: who appraises is not who did the work, and a unit that is
// not through is appraised only once it is late.
func guardAppraisable(w Whistle, p Part, by Actor, now time.Time) error {
	if by.Staff != 0 && slices.Contains([]int64{p.AnsweredBy, p.ArrivedBy, p.HandledBy}, by.Staff) {
		return refuse(KeyOwnWork)
	}
	if p.State.Running() && !p.Late(w.Deadline, now) {
		return refuse(KeyWhistleNotYet)
	}
	return nil
}

func guardRaise(r *WhistleRules, w Whistle, _ *Part, by Actor, d Deed, _ time.Time) error {
	if r.levelFor(w, by, d) <= w.Level {
		return refuse(KeyWhistleTop)
	}
	if by.As == AsSystem {
		return oneOf([]string{ReasonLateArrival, ReasonOverdue}, d.Reason)
	}
	return oneOf(r.policy.Reasons.Escalate, d.Reason)
}

// levelFor is the level to which a whistle rises: people raise it by one.
func (r *WhistleRules) levelFor(w Whistle, by Actor, d Deed) int {
	switch {
	case by.As != AsSystem:
		return min(w.Level+1, WhistleLevelTop)
	case d.Reason == ReasonOverdue:
		return r.policy.Escalation.Overdue
	}
	return r.policy.Escalation.LateArrival
}

func guardClose(_ *WhistleRules, w Whistle, _ *Part, _ Actor, d Deed, _ time.Time) error {
	if n := w.unappraised(); n > 0 {
		return refuse(KeyWhistleLeft, "count", strconv.Itoa(n))
	}
	if !slices.Contains([]Answer{Yes, Partly, No}, d.Solved) {
		return refuse(KeyWhistleSolved)
	}
	return nil
}

func (w Whistle) unappraised() int {
	n := 0
	for _, p := range w.Parts {
		if p.State != PartAppraised {
			n++
		}
	}
	return n
}

func doPropose(s *whistleStep) (err error) {
	w := s.w
	w.TicketID, w.Kind, w.Source, w.Place = s.d.TicketID, s.d.Kind, s.d.Source, s.d.Place
	w.State, w.Level, w.ProposedAt, w.ProposedBy = WhistleProposed, WhistleLevel, s.now, s.by.Staff
	s.data["kind"], s.data["source"] = string(w.Kind), string(w.Source)
	w.BlowDue, err = s.due(s.now, s.limits().Blow)
	return err
}

func doBlow(s *whistleStep) (err error) {
	w := s.w
	w.State, w.BlownAt, w.BlownBy, w.BlowDue, w.Reason = WhistleBlown, s.now, s.by.Staff, time.Time{}, ""
	w.AssignDue, err = s.due(s.now, s.limits().Assign)
	return err
}

func doDecline(s *whistleStep) error {
	s.reason()
	s.w.State, s.w.ClosedAt, s.w.ClosedBy = WhistleDeclined, s.now, s.by.Staff
	s.w.BlowDue, s.w.AssignDue = time.Time{}, time.Time{}
	return nil
}

func doReturn(s *whistleStep) (err error) {
	s.reason()
	s.w.State, s.w.AssignDue = WhistleReturned, time.Time{}
	s.w.Returns++
	s.w.BlowDue, err = s.due(s.now, s.limits().Blow)
	return err
}

func (s *whistleStep) reason() { s.w.Reason, s.data["reason"] = s.d.Reason, s.d.Reason }

// doAssign calls units, or more of them: the deadline is that of the first call.
func doAssign(s *whistleStep) (err error) {
	w, l := s.w, s.limits()
	p := Part{State: PartCalled, CalledAt: s.now}
	var answerErr, arriveErr error
	p.AnswerDue, answerErr = s.due(s.now, l.Answer)
	p.ArriveDue, arriveErr = s.due(s.now, l.Arrive)
	if w.State == WhistleBlown {
		w.State, w.AssignedAt, w.AssignedBy, w.AssignDue = WhistleAssigned, s.now, s.by.Staff, time.Time{}
		w.Deadline, err = s.due(s.now, l.Handle)
		p.Desk, p.Lead = s.d.Lead, true
		w.Parts = append(w.Parts, p)
		s.data["lead"] = s.d.Lead.Code
	}
	p.Lead = false
	for _, desk := range s.d.Co {
		p.Desk = desk
		w.Parts = append(w.Parts, p)
	}
	s.data["units"] = strconv.Itoa(len(w.Parts))
	for _, e := range []error{answerErr, arriveErr} {
		if e != nil {
			return e
		}
	}
	return err
}

func doAnswer(s *whistleStep) error {
	s.part.State, s.part.AnsweredAt, s.part.AnsweredBy = PartAnswered, s.now, s.by.Staff
	s.data["late"] = late(s.now, s.part.AnswerDue)
	return nil
}

// doArrive: who turns up has answered.
func doArrive(s *whistleStep) error {
	p := s.part
	if p.AnsweredAt.IsZero() {
		p.AnsweredAt, p.AnsweredBy = s.now, s.by.Staff
	}
	p.State, p.ArrivedAt, p.ArrivedBy = PartArrived, s.now, s.by.Staff
	s.data["late"] = late(s.now, p.ArriveDue)
	return nil
}

func doHandle(s *whistleStep) error {
	s.part.State, s.part.HandledAt, s.part.HandledBy = PartHandled, s.now, s.by.Staff
	s.data["late"] = late(s.now, s.w.Deadline)
	return s.through()
}

func late(now, due time.Time) string { return strconv.FormatBool(now.After(due)) }

// through moves the whistle on when no unit has anything left to do.
func (s *whistleStep) through() (err error) {
	running := func(p Part) bool { return p.State.Running() }
	if s.w.State != WhistleAssigned || slices.ContainsFunc(s.w.Parts, running) {
		return nil
	}
	s.w.State, s.w.HandledAt = WhistleHandled, s.now
	s.w.AppraiseDue, err = s.due(s.now, s.limits().Appraise)
	return err
}

func doMisuse(s *whistleStep) error {
	s.part.Misuse, s.part.MisuseAt, s.part.MisuseBy = s.d.Reason, s.now, s.by.Staff
	s.data["reason"] = s.d.Reason
	return nil
}

func doAppraise(s *whistleStep) error {
	p := s.part
	p.State, p.AppraisedAt, p.AppraisedBy, p.Speed, p.Quality = PartAppraised, s.now, s.by.Staff, s.d.Speed, s.d.Quality
	s.data["speed"], s.data["quality"] = string(s.d.Speed), string(s.d.Quality)
	return s.through()
}

func doRaise(s *whistleStep) error {
	s.reason()
	s.w.Level, s.w.RaisedAt = s.levelFor(*s.w, s.by, s.d), s.now
	s.data["level"] = strconv.Itoa(s.w.Level)
	return nil
}

func doClose(s *whistleStep) error {
	s.w.State, s.w.ClosedAt, s.w.ClosedBy, s.w.Solved, s.w.AppraiseDue = WhistleClosed, s.now, s.by.Staff, s.d.Solved, time.Time{}
	s.data["solved"] = string(s.d.Solved)
	return nil
}

func (s *whistleStep) limits() WhistleLimits { return s.policy.Kinds[s.w.Kind] }

func (s *whistleStep) due(from time.Time, l scheduler.Limit) (time.Time, error) {
	at, err := s.calendar.Deadline(from, l.String())
	if err != nil {
		return at, fmt.Errorf("whistle: reckon a limit: %w", err)
	}
	return at, nil
}

// WhistleNudge is when a unit is reminded of what it has to do.
type WhistleNudge struct {
	What CommandName // WhistleArrive or WhistleHandle
	At   time.Time
}

// Nudges lists the reminders of a part, as its whistle stands now.
func (r *WhistleRules) Nudges(w Whistle, p Part) []WhistleNudge {
	var all []WhistleNudge
	for _, share := range r.policy.Nudges.At {
		all = append(all,
			WhistleNudge{WhistleArrive, r.calendar.Fraction(p.CalledAt, p.ArriveDue, share)},
			WhistleNudge{WhistleHandle, r.calendar.Fraction(p.CalledAt, w.Deadline, share)})
	}
	return all
}
