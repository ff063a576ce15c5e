package ticket

import (
	"slices"
	"time"
)

// Merging 并单 puts tickets about the same thing behind one master. Each keeps
// its number, its reporter, its notices and its callback; un-merging gives it
// back as it was (国办函〔2025〕66号: 重复诉求原则上并单处理).

// Merge puts the ticket behind a master.
type Merge struct {
	// Master is the ticket it goes behind, as it is now.
	Master Ticket
	// Leads says that other tickets are merged into this one.
	Leads bool
}

// Unmerge 拆单 gives the ticket back the state it had.
type Unmerge struct{}

// Follow brings a merged ticket to where its master has come: handled.
type Follow struct{ Master Ticket }

func (c Merge) apply(s *step) error {
	t, m := s.t, c.Master
	switch {
	case m.ID == 0 || m.ID == t.ID, m.MasterID != 0 && m.State == Merged:
		return refuse(KeyMergeMaster)
	case c.Leads:
		return refuse(KeyMergeLeads)
	case m.State != Received && m.State != Suspended && !m.State.OnDesk():
		return refuse(KeyMergeState, "state", string(m.State))
	case t.Private() || m.Private() || t.Finding != m.Finding:
		return refuse(KeyMergePrivate)
	case t.Request.Kind != "":
		return refuse(KeyAsked)
	}
	// The master goes wherever it goes: whom this one must not reach, the
	// master must not reach either.
	if !within(t.Against, m.Against) || !within(t.AgainstStaff, m.AgainstStaff) {
		return refuse(KeyAgainst)
	}
	t.Was, t.State, t.MasterID = t.State, Merged, m.ID
	s.event(EventMerged, "master", string(m.Number))
	return nil
}

func within[T comparable](part, whole []T) bool {
	return !slices.ContainsFunc(part, func(v T) bool { return !slices.Contains(whole, v) })
}

func (Unmerge) apply(s *step) error {
	t := s.t
	t.State, t.Was, t.MasterID = t.Was, "", 0
	s.event(EventUnmerged)
	return nil
}

func (c Follow) apply(s *step) error {
	t, m := s.t, c.Master
	lead, ok := m.Lead()
	switch {
	case m.ID != t.MasterID:
		return refuse(KeyMergeMaster)
	case !ok || m.State != Handled:
		return refuse(KeyMergeState, "state", string(m.State))
	case t.againstDesk(lead.Desk) || t.againstStaff(lead.SignedBy):
		return refuse(KeyAgainst)
	}
	t.end(AssignmentEnded, s.now)
	t.assign(RoleLead, lead.Desk, s.now)
	a := &t.Assignments[len(t.Assignments)-1]
	a.State, a.SignedBy, a.SignedAt, a.FinishedAt = AssignmentFinished, lead.SignedBy, lead.SignedAt, s.now
	if t.DispatchedAt.IsZero() {
		t.DispatchedAt, t.Deadline = m.DispatchedAt, m.Deadline
	}
	if t.SignedAt.IsZero() {
		t.SignedAt = m.SignedAt
	}
	if t.ContactedAt.IsZero() {
		t.ContactedAt = m.ContactedAt
	}
	t.State, t.Was, t.HandledAt, t.UnitResult, t.Tries = Handled, "", s.now, m.UnitResult, 0
	t.DispatchDue, t.SignDue, t.ContactDue = time.Time{}, time.Time{}, time.Time{}
	s.event(EventFollowed, append(deskData(lead.Desk), "master", string(m.Number), "result", string(m.UnitResult))...)
	s.event(EventHandled, "result", string(m.UnitResult), "late", lateData(s.now, t.Deadline))
	return nil
}
