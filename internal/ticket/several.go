package ticket

import "time"

// Several desks at one ticket 会签: one leads, the others reply to it in their
// own time. The silence of a co-handler is supervised at that desk and never at
// the lead (reference civic-tickets 1.3).

// Involve 加派 puts co-handling desks beside the lead.
type Involve struct{ Co []Desk }

// CoSign signs for a co-handling desk.
type CoSign struct{}

// CoReply is a co-handler's reply to the lead; its words lie elsewhere.
type CoReply struct{ HasReply bool }

func (c Involve) apply(s *step) error {
	before := len(s.t.Assignments)
	for _, d := range c.Co {
		if err := s.t.admits(d); err != nil {
			return err
		}
	}
	if err := s.involve(c.Co); err != nil {
		return err
	}
	if len(s.t.Assignments) == before {
		return refuse(KeySameDesk)
	}
	return nil
}

// involve assigns desks that have no part in the ticket yet, but as informed.
func (s *step) involve(desks []Desk) error {
	t := s.t
	for _, d := range desks {
		if t.admits(d) != nil || t.takesPart(d) {
			continue
		}
		t.assign(RoleCo, d, s.now)
		a := &t.Assignments[len(t.Assignments)-1]
		a.Deadline = s.share(s.class().Handle, s.now, t.Deadline, s.policy.CoHandlers.Time)
		s.event(EventInvolved, deskData(d)...)
	}
	return nil
}

// takesPart reports whether the desk leads or co-handles now.
func (t Ticket) takesPart(d Desk) bool {
	lead, ok := t.Lead()
	return ok && lead.Desk.Same(d) || t.co(d) >= 0
}

// co is the running co-handling assignment of a desk, -1 when there is none.
func (t Ticket) co(d Desk) int {
	for i, a := range t.Assignments {
		if a.Role == RoleCo && a.EndedAt.IsZero() && a.Desk.Same(d) {
			return i
		}
	}
	return -1
}

// awaited reports whether the desk co-handles and has not replied.
func (a Assignment) awaited() bool {
	return a.Role == RoleCo && a.EndedAt.IsZero() && a.State != AssignmentFinished
}

// Awaited lists the co-handling desks that have not replied.
func (t Ticket) Awaited() []Assignment {
	var list []Assignment
	for _, a := range t.Assignments {
		if a.awaited() {
			list = append(list, a)
		}
	}
	return list
}

// CoNudge is when a co-handling desk is reminded to reply.
func (r *Rules) CoNudge(t Ticket, a Assignment) time.Time {
	return r.share(r.policy.Classes[t.Urgency].Handle, a.DispatchedAt, a.Deadline, r.policy.CoHandlers.Nudge)
}

func (CoSign) apply(s *step) error {
	a := &s.t.Assignments[s.t.co(s.by.Desk)]
	if a.State != AssignmentWaiting {
		return refuse(KeyCoDone)
	}
	a.State, a.SignedBy, a.SignedAt = AssignmentSigned, s.by.Staff, s.now
	s.event(EventCoSigned, deskData(a.Desk)...)
	return nil
}

func (c CoReply) apply(s *step) error {
	a := &s.t.Assignments[s.t.co(s.by.Desk)]
	switch {
	case a.State == AssignmentFinished:
		return refuse(KeyCoDone)
	case !c.HasReply:
		return refuse(KeyNoReply)
	}
	if a.SignedBy == 0 {
		a.SignedBy, a.SignedAt = s.by.Staff, s.now
	}
	a.State, a.FinishedAt = AssignmentFinished, s.now
	s.event(EventCoReplied, deskData(a.Desk)...)
	return nil
}
