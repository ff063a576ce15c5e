package ticket

import (
	"slices"
	"strconv"
	"time"
)

// Requests are what the lead desk asks for and somebody else decides: an
// objection 退单, an extension 延期, a suspension 挂起, an exclusion 剔除. Source
// of the rules: reference civic-tickets 1.3.

// RequestKind names what is asked for.
type RequestKind string

// The requests.
const (
	RequestObjection  RequestKind = "objection"
	RequestExtension  RequestKind = "extension"
	RequestSuspension RequestKind = "suspension"
	RequestExclusion  RequestKind = "exclusion"
)

// Request is one thing that waits for a decision. A ticket has at most one.
type Request struct {
	Kind   RequestKind
	Reason string // a code of the policy
	Staff  int64  // who asked; the same person never decides
	At     time.Time
	Until  time.Time // of an extension or suspension
}

// Decision is what became of a request.
type Decision string

// The decisions. Empty: never asked.
const (
	Asked   Decision = "asked"
	Granted Decision = "granted"
	Refusal Decision = "refused"
)

// Exclusion says whether the figures of the handling desk leave the ticket out.
type Exclusion = Decision

// Object 退单 says that the desk is not the right one. The dispatcher decides
// while the clock runs; a refused objection is final. The basis in words lies
// elsewhere.
type Object struct {
	Reason   string // one of Policy.Reasons.Object
	HasBasis bool
}

// AskExtension 延期 asks, before the deadline, for a later one.
type AskExtension struct {
	Until  time.Time
	Reason string // one of Policy.Reasons.Extend
}

// AskSuspension 挂起 asks to stop the clock while something outside is waited for.
type AskSuspension struct {
	Until  time.Time
	Reason string // one of Policy.Reasons.Suspend
}

// Decide rules on the objection, extension or suspension that was asked for.
type Decide struct{ Granted bool }

// Resume ends a suspension; by itself once SuspendedUntil has come.
type Resume struct{}

func (c Object) apply(s *step) error {
	t := s.t
	i := t.lead()
	lead := &t.Assignments[i]
	rule := s.policy.Objections
	switch {
	case !slices.Contains(s.policy.Reasons.Object, c.Reason):
		return refuse(KeyReason, "allowed", joined(s.policy.Reasons.Object))
	case !c.HasBasis:
		return refuse(KeyNoBasis)
	case t.Request.Kind != "":
		return refuse(KeyAsked)
	case s.class().Object == nil:
		return refuse(KeyActFirst)
	case t.objections(lead.Desk.Code) >= rule.PerUnit:
		return refuse(KeyObjected)
	}
	var until time.Time
	if err := s.clock(&until, lead.DispatchedAt, *s.class().Object); err != nil {
		return err
	}
	if s.now.After(until) {
		return refuse(KeyObjectLate, "within", s.class().Object.String())
	}
	lead.Objection, lead.ObjectionReason, lead.ObjectedAt = Asked, c.Reason, s.now
	s.event(EventObjected, append(deskData(lead.Desk), "reason", c.Reason)...)
	if t.objections("") <= rule.PerTicket {
		t.Request = Request{Kind: RequestObjection, Reason: c.Reason, Staff: s.by.Staff, At: s.now}
		t.Was, t.State, t.SignDue = t.State, Disputed, time.Time{}
		return nil
	}
	// One unit too many: nobody is asked any more whether it is right, the
	// next level finds out whose it is.
	lead.Objection, lead.DecidedAt = Granted, s.now
	if err := s.escalate(EscalateRefusals); err != nil {
		return err
	}
	return s.toDispatcher()
}

// objections counts those that the desk of the code raised, all when it is
// empty.
func (t Ticket) objections(code string) int {
	n := 0
	for _, a := range t.Assignments {
		if a.Objection != "" && (code == "" || a.Desk.Code == code) {
			n++
		}
	}
	return n
}

// toDispatcher takes the ticket off its desks. The deadline stays.
func (s *step) toDispatcher() error {
	t := s.t
	t.end(AssignmentReturned, s.now)
	t.State, t.Was, t.SignedAt, t.SignDue = Received, "", time.Time{}, time.Time{}
	return s.dispatchClock()
}

func (c AskExtension) apply(s *step) error {
	t := s.t
	switch {
	case !slices.Contains(s.policy.Reasons.Extend, c.Reason):
		return refuse(KeyReason, "allowed", joined(s.policy.Reasons.Extend))
	case t.Request.Kind != "":
		return refuse(KeyAsked)
	case !s.now.Before(t.Deadline):
		return refuse(KeyExtendLate)
	case t.Extensions >= s.policy.Extensions.Max+s.policy.Extensions.BySupervisor:
		return refuse(KeyExtended, "max", strconv.Itoa(t.Extensions))
	case !c.Until.After(t.Deadline) || c.Until.Sub(t.Deadline) > t.Deadline.Sub(t.DispatchedAt):
		return refuse(KeyExtendSpan)
	}
	t.Request = Request{Kind: RequestExtension, Reason: c.Reason, Staff: s.by.Staff, At: s.now, Until: c.Until}
	s.event(EventExtensionAsked, "reason", c.Reason, "until", c.Until.UTC().Format(time.RFC3339))
	return nil
}

func (c AskSuspension) apply(s *step) error {
	t := s.t
	var latest time.Time
	if err := s.clock(&latest, s.now, s.policy.Suspensions.Max); err != nil {
		return err
	}
	switch {
	case !slices.Contains(s.policy.Reasons.Suspend, c.Reason):
		return refuse(KeyReason, "allowed", joined(s.policy.Reasons.Suspend))
	case t.Request.Kind != "":
		return refuse(KeyAsked)
	case t.Urgency == Urgent:
		return refuse(KeyActFirst)
	case !s.now.Before(t.Deadline):
		return refuse(KeyExtendLate)
	case !c.Until.After(s.now) || c.Until.After(latest):
		return refuse(KeySuspendSpan, "max", s.policy.Suspensions.Max.String())
	}
	t.Request = Request{Kind: RequestSuspension, Reason: c.Reason, Staff: s.by.Staff, At: s.now, Until: c.Until}
	s.event(EventSuspensionAsked, "reason", c.Reason, "until", c.Until.UTC().Format(time.RFC3339))
	return nil
}

func (c Decide) apply(s *step) error {
	t := s.t
	asked := t.Request
	switch {
	case !s.independent():
		return refuse(KeyOwnWork)
	case asked.Kind == RequestExtension && c.Granted && t.Extensions >= s.policy.Extensions.Max && s.by.As != AsSupervisor:
		return refuse(KeyNeedsSupervisor)
	}
	switch asked.Kind {
	case RequestObjection:
		return s.decideObjection(c.Granted)
	case RequestExtension:
		t.Request = Request{}
		if !c.Granted {
			s.event(EventExtensionRefused, "reason", asked.Reason)
			return nil
		}
		t.Deadline = asked.Until
		t.Extensions++
		s.event(EventExtensionGranted, "reason", asked.Reason, "until", asked.Until.UTC().Format(time.RFC3339))
		return nil
	case RequestSuspension:
		t.Request = Request{}
		if !c.Granted {
			s.event(EventSuspensionRefused, "reason", asked.Reason)
			return nil
		}
		if !asked.Until.After(s.now) {
			return refuse(KeySuspendSpan, "max", s.policy.Suspensions.Max.String())
		}
		t.Was, t.State, t.SuspendedAt, t.SuspendedUntil = t.State, Suspended, s.now, asked.Until
		s.event(EventSuspended, "reason", asked.Reason, "until", asked.Until.UTC().Format(time.RFC3339))
		return nil
	}
	return refuse(KeyNothingAsked)
}

// independent reports whether who decides is a person who neither asked nor
// signed for the ticket.
func (s *step) independent() bool {
	return s.by.Staff != 0 && s.by.Staff != s.t.Request.Staff && !s.t.SignedByStaff(s.by.Staff)
}

func (s *step) decideObjection(granted bool) error {
	t := s.t
	lead := &t.Assignments[t.lead()]
	lead.DecidedAt = s.now
	data := append(deskData(lead.Desk), "reason", lead.ObjectionReason)
	if granted {
		lead.Objection = Granted
		s.event(EventObjectionGranted, data...)
		return s.toDispatcher()
	}
	lead.Objection, t.Request = Refusal, Request{}
	t.State, t.Was = t.Was, ""
	s.event(EventObjectionRefused, data...)
	if t.State != Dispatched {
		return nil
	}
	// The desk has to sign now; the deadline has run on.
	if err := s.clock(&t.SignDue, s.now, s.class().Sign); err != nil {
		return err
	}
	if t.SignDue.After(t.Deadline) && t.Deadline.After(s.now) {
		t.SignDue = t.Deadline
	}
	return nil
}

func (Resume) apply(s *step) error {
	t := s.t
	if s.by.As == AsSystem && s.now.Before(t.SuspendedUntil) {
		return refuse(KeyNotDue)
	}
	waited := s.now.Sub(t.SuspendedAt)
	t.Deadline = t.Deadline.Add(waited)
	if !t.ContactDue.IsZero() {
		t.ContactDue = t.ContactDue.Add(waited)
	}
	for i := range t.Assignments { // who replies to the lead waited as well
		if a := &t.Assignments[i]; a.awaited() && a.Deadline.After(t.SuspendedAt) {
			a.Deadline = a.Deadline.Add(waited)
		}
	}
	t.State, t.Was, t.SuspendedAt, t.SuspendedUntil = t.Was, "", time.Time{}, time.Time{}
	s.event(EventResumed)
	return nil
}

// AskExclusion 剔除 asks to leave a closed ticket out of the desk's figures.
type AskExclusion struct {
	Reason      string // one of Policy.Reasons.Exclude
	HasEvidence bool
}

// DecideExclusion is an independent reviewer's word on that. It is counted
// either way.
type DecideExclusion struct{ Granted bool }

func (c AskExclusion) apply(s *step) error {
	t := s.t
	switch {
	case !slices.Contains(s.policy.Reasons.Exclude, c.Reason):
		return refuse(KeyReason, "allowed", joined(s.policy.Reasons.Exclude))
	case !c.HasEvidence:
		return refuse(KeyNoBasis)
	case t.Exclusion != "":
		return refuse(KeyExcluded)
	}
	t.Exclusion, t.ExclusionReason = Asked, c.Reason
	t.Request = Request{Kind: RequestExclusion, Reason: c.Reason, Staff: s.by.Staff, At: s.now}
	s.event(EventExclusionAsked, "reason", c.Reason)
	return nil
}

func (c DecideExclusion) apply(s *step) error {
	t := s.t
	switch {
	case t.Exclusion != Asked:
		return refuse(KeyNothingAsked)
	case !s.independent():
		return refuse(KeyOwnWork)
	}
	t.Request = Request{}
	if c.Granted {
		t.Exclusion = Granted
		s.event(EventExclusionGranted, "reason", t.ExclusionReason)
		return nil
	}
	t.Exclusion = Refusal
	s.event(EventExclusionRefused, "reason", t.ExclusionReason)
	return nil
}
