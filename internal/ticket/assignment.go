package ticket

import (
	"slices"
	"strings"
	"time"
)

// DeskKind says what sort of desk a ticket can lie on.
type DeskKind string

// The desks.
const (
	DeskGrid       DeskKind = "grid"       // the workers of one grid
	DeskUnit       DeskKind = "unit"       // the handlers of one unit
	DeskNamed      DeskKind = "named"      // one person, in private
	DeskDispatcher DeskKind = "dispatcher" // nobody yet: a dispatcher decides
)

// Desk is where a ticket lies.
type Desk struct {
	Kind DeskKind
	// Code is the grid or unit code. A named desk has the code of the unit or
	// grid that the person answers for, a dispatcher desk the division.
	Code string
	// Staff is who is asked first (grid, unit: may be 0) or who alone is asked
	// (named: never 0).
	Staff int64
}

// Same reports whether both are one desk, whoever is asked first there.
func (d Desk) Same(o Desk) bool {
	if d.Kind != o.Kind || d.Code != o.Code {
		return false
	}
	return d.Kind != DeskNamed || d.Staff == o.Staff
}

// grid reports whether the desk is one of a grid, or of somebody there.
func (d Desk) grid() bool {
	return d.Kind == DeskGrid || d.Kind == DeskNamed && len(d.Code) == gridDigits && strings.Trim(d.Code, "0123456789") == ""
}

// gridDigits is the length of a grid code: village and three more digits.
const gridDigits = villageDigits + 3

// Role is what a desk has to do with a ticket.
type Role string

// The roles of a desk 主办 / 协办 / 知会.
const (
	RoleLead     Role = "lead"
	RoleCo       Role = "co"
	RoleInformed Role = "informed"
)

// AssignmentState is where one desk stands with a ticket.
type AssignmentState string

// The states of an assignment.
const (
	AssignmentWaiting     AssignmentState = "waiting" // not signed
	AssignmentSigned      AssignmentState = "signed"
	AssignmentFinished    AssignmentState = "finished"
	AssignmentTransferred AssignmentState = "transferred"
	AssignmentReturned    AssignmentState = "returned"
	AssignmentEnded       AssignmentState = "ended" // the ticket went on without it
)

// Assignment is one desk's part in a ticket. It is never deleted: an ended one
// is history.
type Assignment struct {
	ID           int64
	Role         Role
	Desk         Desk
	State        AssignmentState
	SignedBy     int64 // staff; 0 while unsigned and after an automatic signature
	DispatchedAt time.Time
	SignedAt     time.Time
	FinishedAt   time.Time
	EndedAt      time.Time
	// Deadline is by when a co-handler replies; the lead's is the ticket's.
	Deadline time.Time
	// Objection is what became of the one objection that a desk may raise.
	Objection       Decision
	ObjectionReason string // one of Policy.Reasons.Object
	ObjectedAt      time.Time
	DecidedAt       time.Time
}

// AboutSomebody reports whether the claim is about a desk or one of the staff.
func (t Ticket) AboutSomebody() bool { return len(t.Against) > 0 || len(t.AgainstStaff) > 0 }

// againstDesk reports whether the claim is about this desk or the person at it.
func (t Ticket) againstDesk(d Desk) bool {
	return slices.Contains(t.Against, d.Code) || t.againstStaff(d.Staff)
}

func (t Ticket) againstStaff(staff int64) bool {
	return staff != 0 && slices.Contains(t.AgainstStaff, staff)
}

// admits refuses a desk that the ticket must not reach.
func (t Ticket) admits(d Desk) error {
	switch {
	case d.Code == "", d.Kind != DeskGrid && d.Kind != DeskUnit && d.Kind != DeskNamed, d.Kind == DeskNamed && d.Staff == 0:
		return refuse(KeyNoDesk)
	case t.againstDesk(d):
		return refuse(KeyAgainst)
	case t.Private() && d.Kind != DeskNamed:
		return refuse(KeyPrivateOnly)
	}
	return nil
}

// end lets every desk go. A lead that has not reported back is left with the
// given state.
func (t *Ticket) end(state AssignmentState, now time.Time) {
	t.endLead(state, now)
	t.endCo(now)
	for i := range t.Assignments {
		if a := &t.Assignments[i]; a.EndedAt.IsZero() {
			a.State, a.EndedAt = AssignmentEnded, now
		}
	}
}

// endCo lets the co-handling desks go; one that has replied stays finished.
func (t *Ticket) endCo(now time.Time) {
	for i := range t.Assignments {
		a := &t.Assignments[i]
		if a.Role != RoleCo || !a.EndedAt.IsZero() {
			continue
		}
		if a.EndedAt = now; a.State != AssignmentFinished {
			a.State = AssignmentEnded
		}
	}
}

// endLead lets the leading desk go, with what it asked for; the other desks
// stay.
func (t *Ticket) endLead(state AssignmentState, now time.Time) {
	t.Request = Request{}
	i := t.lead()
	if i < 0 {
		return
	}
	a := &t.Assignments[i]
	a.EndedAt = now
	if a.State != AssignmentFinished {
		a.State = state
	}
}

// assign puts the ticket on a desk, unsigned.
func (t *Ticket) assign(role Role, d Desk, now time.Time) {
	t.Assignments = append(t.Assignments, Assignment{Role: role, Desk: d, State: AssignmentWaiting, DispatchedAt: now})
}

// passedOn counts how often desks handed the ticket over since it was last
// dispatched or redone.
func (t Ticket) passedOn() int {
	n := 0
	for _, a := range t.Assignments {
		if a.Role == RoleLead && a.State == AssignmentTransferred && !a.EndedAt.Before(t.DispatchedAt) {
			n++
		}
	}
	return n
}
