package ticket

import (
	"slices"
	"strconv"
	"time"
)

// Commands up to the desk's report. What follows it stands in close.go.

func (c File) apply(s *step) error {
	t := s.t
	incomplete := c.Incomplete && c.Content.Danger == ""
	if !c.Number.Valid() || s.by.As == AsReporter && s.by.Person != c.ReporterID {
		return refuse(KeyIncomplete)
	}
	*t = Ticket{
		ID: t.ID, Number: c.Number, Finding: c.Finding, State: Received, ReceivedAt: s.now,
		ReporterID: c.ReporterID, AddressID: c.AddressID, ConversationID: c.ConversationID,
	}
	t.fill(c.Content)
	if t.Urgency == "" {
		t.Urgency = General
	}
	if incomplete {
		t.State = Draft
	} else if !t.complete() {
		return refuse(KeyIncomplete)
	}
	if err := s.dispatchClock(); err != nil {
		return err
	}
	s.event(EventFiled, "matter", t.Matter, "claim", t.Claim, "urgency", string(t.Urgency), "danger", t.Danger)
	return nil
}

func (c Complete) apply(s *step) error {
	t := s.t
	t.fill(c.Content)
	if !t.complete() {
		return refuse(KeyIncomplete)
	}
	if t.State == Draft {
		t.State = Received
	}
	if err := s.dispatchClock(); err != nil {
		return err
	}
	s.event(EventCompleted, "matter", t.Matter, "claim", t.Claim, "urgency", string(t.Urgency))
	return nil
}

// fill takes over what the content says and leaves what it does not.
// Protection is only ever added.
func (t *Ticket) fill(c Content) {
	set := func(to *string, v string) {
		if v != "" {
			*to = v
		}
	}
	set(&t.Claim, c.Claim)
	set(&t.Matter, c.Matter)
	set(&t.Danger, c.Danger)
	set(&t.ReportedFor, c.ReportedFor)
	set((*string)(&t.Urgency), string(c.Urgency))
	if c.Place != (PlaceRef{}) {
		t.Place = c.Place
	}
	t.Confidential = t.Confidential || c.Confidential
	t.Anonymous = t.Anonymous || c.Anonymous
	t.Sensitive = t.Sensitive || c.Sensitive
	t.Against = union(t.Against, c.Against)
	t.AgainstStaff = union(t.AgainstStaff, c.AgainstStaff)
}

func union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// complete: a dispatcher can work with an unknown place, not without a matter.
func (t Ticket) complete() bool { return t.Claim != "" && t.Matter != "" && t.Urgency.valid() }

// dispatchClock counts from receipt, and for what has been on a desk before from
// now.
func (s *step) dispatchClock() error {
	from := s.now
	if len(s.t.Assignments) == 0 {
		from = s.t.ReceivedAt
	}
	return s.clock(&s.t.DispatchDue, from, s.class().Dispatch)
}

func (c Dispatch) apply(s *step) error {
	t := s.t
	if err := t.admits(c.Lead); err != nil {
		return err
	}
	if c.UnitDuty && c.Lead.grid() {
		return refuse(KeyUnitDuty)
	}
	t.Level = max(t.Level, c.Level)
	t.assign(RoleLead, c.Lead, s.now)
	for _, d := range c.Informed {
		// A desk that may not see the ticket is left out, silently: that it
		// was left out would tell it what it must not know.
		if t.admits(d) == nil && !d.Same(c.Lead) && !t.Private() && !slices.ContainsFunc(c.Co, d.Same) {
			t.assign(RoleInformed, d, s.now)
		}
	}
	if t.DispatchedAt.IsZero() {
		t.DispatchedAt = s.now
	}
	if err := s.tighten(&t.Deadline, s.class().Handle); err != nil {
		return err
	}
	if t.ContactedAt.IsZero() {
		if err := s.tighten(&t.ContactDue, s.class().Contact); err != nil {
			return err
		}
	}
	if err := s.clock(&t.SignDue, s.now, s.class().Sign); err != nil {
		return err
	}
	t.State, t.DispatchDue = Dispatched, time.Time{}
	s.event(EventDispatched, deskData(c.Lead)...)
	return s.involve(c.Co)
}

func (Take) apply(s *step) error {
	s.sign(s.by.Staff)
	s.event(EventSigned, deskData(s.by.Desk)...)
	return nil
}

func (AutoSign) apply(s *step) error {
	if s.t.SignDue.IsZero() || s.now.Before(s.t.SignDue) {
		return refuse(KeyNotDue)
	}
	s.sign(0)
	lead, _ := s.t.Lead()
	s.event(EventAutoSigned, deskData(lead.Desk)...)
	return nil
}

func (s *step) sign(staff int64) {
	a := &s.t.Assignments[s.t.lead()]
	a.State, a.SignedBy, a.SignedAt = AssignmentSigned, staff, s.now
	s.t.State, s.t.SignedAt, s.t.SignDue = Signed, s.now, time.Time{}
}

func (c Transfer) apply(s *step) error {
	t := s.t
	lead, _ := t.Lead()
	if !slices.Contains(s.policy.Reasons.Transfer, c.Reason) {
		return refuse(KeyReason, "allowed", joined(s.policy.Reasons.Transfer))
	}
	if err := t.admits(c.To); err != nil {
		return err
	}
	if c.To == lead.Desk || t.co(c.To) >= 0 {
		return refuse(KeySameDesk)
	}
	if c.UnitDuty && c.To.grid() {
		return refuse(KeyUnitDuty)
	}
	if s.by.As == AsHandler && t.passedOn() >= s.policy.Transfers.Max {
		return refuse(KeyTransfers, "max", strconv.Itoa(s.policy.Transfers.Max))
	}
	t.endLead(AssignmentTransferred, s.now)
	t.assign(RoleLead, c.To, s.now)
	t.State, t.SignedAt = Dispatched, time.Time{}
	if err := s.clock(&t.SignDue, s.now, s.class().Sign); err != nil {
		return err
	}
	s.event(EventTransferred, append(deskData(c.To), "reason", c.Reason, "from_desk", lead.Desk.Code)...)
	return nil
}

func (c Return) apply(s *step) error {
	t := s.t
	lead, _ := t.Lead()
	if !slices.Contains(s.policy.Reasons.Return, c.Reason) {
		return refuse(KeyReason, "allowed", joined(s.policy.Reasons.Return))
	}
	if err := s.toDispatcher(); err != nil {
		return err
	}
	s.event(EventReturned, append(deskData(lead.Desk), "reason", c.Reason)...)
	return nil
}

func (c Contact) apply(s *step) error {
	switch {
	case c.Via != ViaPhone && c.Via != ViaRelay && c.Via != ViaVisit:
		return refuse(KeyReason, "allowed", joined([]ContactVia{ViaPhone, ViaRelay, ViaVisit}))
	case c.Via != ViaRelay && (s.t.Confidential || s.t.Anonymous):
		return refuse(KeyNoPhone)
	case c.Via == ViaVisit && !c.Proven:
		return refuse(KeyNoProof)
	}
	if s.t.ContactedAt.IsZero() {
		s.t.ContactedAt, s.t.ContactDue = s.now, time.Time{}
	}
	s.event(EventContacted, "via", string(c.Via), "reached", strconv.FormatBool(c.Reached))
	return nil
}

func (c Finish) apply(s *step) error {
	t := s.t
	switch {
	case !slices.Contains([]UnitResult{UnitResolved, UnitPartly, UnitUnresolved, UnitBeyondDuty}, c.Result):
		return refuse(KeyNoResult)
	case !c.HasReply:
		return refuse(KeyNoReply)
	case c.PhotoNeeded && c.Photos == 0 && c.Result == UnitResolved:
		return refuse(KeyNoPhoto)
	}
	a := &t.Assignments[t.lead()]
	a.State, a.FinishedAt = AssignmentFinished, s.now
	if a.SignedBy == 0 {
		a.SignedBy = s.by.Staff // the signature was automatic; who reports owns it
	}
	t.State, t.HandledAt, t.UnitResult, t.Request = Handled, s.now, c.Result, Request{}
	t.ContactDue, t.Tries = time.Time{}, 0
	s.event(EventHandled, "result", string(c.Result), "photos", strconv.Itoa(c.Photos),
		"late", lateData(s.now, t.Deadline))
	return nil
}

func lateData(now, deadline time.Time) string { return strconv.FormatBool(now.After(deadline)) }
