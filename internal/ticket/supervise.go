package ticket

import (
	"slices"
	"strconv"
	"time"
)

// Supervision 督办 and escalation 提级 (reference civic-tickets 1.3): overlays
// that take nothing from the desk that handles the ticket.

// Supervision is one demand to a desk to answer for a ticket, with a number and
// a deadline of its own. A named person signs the answer.
type Supervision struct {
	ID         int64
	Number     Number
	Desk       Desk
	Reason     string // one of Policy.Reasons.Supervise
	OpenedBy   int64  // staff, 0 for the system
	OpenedAt   time.Time
	Deadline   time.Time
	AnsweredAt time.Time
	SignedBy   int64
	// LapsedAt is when the deadline passed without an answer; a later answer
	// does not take it back.
	LapsedAt time.Time
}

// Open reports whether the desk still owes the answer.
func (v Supervision) Open() bool { return v.AnsweredAt.IsZero() }

// Reasons that the system itself supervises for.
const (
	SuperviseUnsigned = "unsigned"
	SuperviseOverdue  = "overdue"
	SuperviseCoSilent = "co_silent"
)

// Reasons to escalate. Supervisors may give others of Policy.Reasons.Escalate.
const (
	EscalateRefusals    = "refusals"    // one objection too many
	EscalateRedos       = "redos"       // redone as often as allowed
	EscalateOverdue     = "overdue"     // by more than a whole limit
	EscalateSupervision = "supervision" // no answer to a supervision
)

// Supervise 督办 demands an answer of a desk that has a part in the ticket.
type Supervise struct {
	Number Number
	Desk   Desk
	Reason string
}

// AnswerSupervision is the desk's signed answer; its words lie elsewhere.
type AnswerSupervision struct {
	Number   Number
	HasReply bool
}

// LapseSupervision notes that the deadline passed without an answer, and raises
// the ticket.
type LapseSupervision struct{ Number Number }

// Escalate 提级 lays the outcome on the next level of the ladder.
type Escalate struct{ Reason string }

func (c Supervise) apply(s *step) error {
	t := s.t
	switch {
	case !c.Number.Valid():
		return refuse(KeyIncomplete)
	case !slices.Contains(s.policy.Reasons.Supervise, c.Reason):
		return refuse(KeyReason, "allowed", joined(s.policy.Reasons.Supervise))
	case !t.takesPart(c.Desk):
		return refuse(KeyNoDesk)
	case slices.ContainsFunc(t.Supervisions, func(v Supervision) bool { return v.Open() && v.Desk.Same(c.Desk) }):
		return refuse(KeySupervised)
	}
	v := Supervision{Number: c.Number, Desk: c.Desk, Reason: c.Reason, OpenedBy: s.by.Staff, OpenedAt: s.now}
	if err := s.clock(&v.Deadline, s.now, s.policy.Supervision.Within); err != nil {
		return err
	}
	t.Supervisions = append(t.Supervisions, v)
	s.event(EventSupervised, append(deskData(c.Desk), "supervision", string(c.Number), "reason", c.Reason)...)
	return nil
}

// supervision returns the one of the number.
func (t *Ticket) supervision(n Number) *Supervision {
	for i := range t.Supervisions {
		if t.Supervisions[i].Number == n {
			return &t.Supervisions[i]
		}
	}
	return nil
}

func (c AnswerSupervision) apply(s *step) error {
	v := s.t.supervision(c.Number)
	switch {
	case v == nil:
		return refuse(KeyNoSupervision)
	case !v.Desk.Same(s.by.Desk), v.Desk.Kind == DeskNamed && v.Desk.Staff != s.by.Staff:
		return refuse(KeyNotYourDesk)
	case !v.Open():
		return refuse(KeyCoDone)
	case !c.HasReply:
		return refuse(KeyNoReply)
	case s.by.Staff == 0:
		return refuse(KeyNotYours, "capacity", string(s.by.As))
	}
	v.AnsweredAt, v.SignedBy = s.now, s.by.Staff
	s.event(EventSupervisionAnswered, append(deskData(v.Desk), "supervision", string(c.Number))...)
	return nil
}

func (c LapseSupervision) apply(s *step) error {
	v := s.t.supervision(c.Number)
	switch {
	case v == nil:
		return refuse(KeyNoSupervision)
	case !v.Open() || !v.LapsedAt.IsZero():
		return refuse(KeyCoDone)
	case s.now.Before(v.Deadline):
		return refuse(KeyNotDue)
	}
	v.LapsedAt = s.now
	s.event(EventSupervisionLapsed, append(deskData(v.Desk), "supervision", string(c.Number))...)
	// What is merged is raised, if at all, as its master.
	if s.t.State.Open() && s.t.State != Merged && s.t.Level < s.policy.top() {
		return s.escalate(EscalateSupervision)
	}
	return nil
}

func (c Escalate) apply(s *step) error {
	if !slices.Contains(s.policy.Reasons.Escalate, c.Reason) {
		return refuse(KeyReason, "allowed", joined(s.policy.Reasons.Escalate))
	}
	return s.escalate(c.Reason)
}

func (s *step) escalate(reason string) error {
	if s.t.Level >= s.policy.top() {
		return refuse(KeyTopLevel)
	}
	s.t.Level++
	s.event(EventEscalated, "level", strconv.Itoa(s.t.Level), "reason", reason)
	return nil
}
