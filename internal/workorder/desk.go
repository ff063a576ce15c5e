package workorder

import (
	"context"
	"fmt"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// StandIn lists the roles that a substitute takes over. Those of the offices
// (dispatcher, callback clerk, administrator) are not left to one colleague:
// several people hold them.
func StandIn() []string {
	return []string{
		string(people.RoleGridWorker), string(people.RoleGridLeader), string(people.RoleCommunityPolice), string(people.RoleHandler),
	}
}

// LoadStaff reads a member of the staff with all that they may do today: their
// own grants, and those of colleagues off duty who named them as substitute.
func (s *Service) LoadStaff(ctx context.Context, t *gateway.Turn, id int64) (people.Staff, error) {
	row, err := t.GetStaff(ctx, id)
	if err != nil {
		return people.Staff{}, fmt.Errorf("load staff %d: %w", id, err)
	}
	staff := people.Staff{ID: row.ID, PersonID: row.PersonID, Slug: row.Slug, Name: row.Name, Phone: row.Phone, OnDuty: row.OnDuty}
	if row.Substitute != nil {
		staff.Substitute = *row.Substitute
	}
	if row.EndedAt != nil {
		staff.EndedAt = *row.EndedAt
	}
	own, err := t.GrantsOf(ctx, []int64{id})
	if err != nil {
		return staff, fmt.Errorf("load the grants of staff %d: %w", id, err)
	}
	instead, err := t.GrantsInStead(ctx, id, StandIn())
	if err != nil {
		return staff, fmt.Errorf("load whom staff %d stands in for: %w", id, err)
	}
	for _, rows := range [][]db.StaffRole{own, instead} {
		for _, g := range rows {
			area := people.Area{Kind: people.AreaKind(g.AreaKind), Code: g.Area}
			staff.Grants = append(staff.Grants, people.Grant{Role: people.Role(g.Role), Area: area})
		}
	}
	return staff, nil
}

// Meant reports whether a ticket is about the staff member, or about a unit or
// grid that they serve.
func (s *Service) Meant(ctx context.Context, t *gateway.Turn, id, staff int64) (bool, error) {
	meant, err := t.Queries.Meant(ctx, id, staff, StandIn())
	if err != nil {
		return false, fmt.Errorf("look whom a ticket is about: %w", err)
	}
	return meant, nil
}

// About is a ticket as the rights see it: where it is, whose desk it lies on,
// whom it must never reach.
func About(o *Order) people.Subject {
	on := people.Subject{
		Division: o.Place.Division, Grid: o.Place.Grid, Private: o.Private(), Against: o.Against, AgainstStaff: o.AgainstStaff,
	}
	if lead, ok := o.Lead(); ok {
		if lead.Desk.Kind == ticket.DeskNamed {
			on.Named = []int64{lead.Desk.Staff}
		}
		if !people.GridCode(lead.Desk.Code).Valid() {
			on.Unit = lead.Desk.Code
		}
	}
	return on
}

// atDesk is the same ticket as the desk with the lead sees it: only who covers
// that desk handles it, wherever the place is. ok is false while no desk has
// the lead.
func atDesk(o *Order) (on people.Subject, ok bool) {
	lead, ok := o.Lead()
	if !ok {
		return people.Subject{}, false
	}
	return seenFrom(o, lead.Desk), true
}

// seenFrom is the ticket as one of its desks sees it: what counts is who covers
// the desk, wherever the place is.
func seenFrom(o *Order, d ticket.Desk) people.Subject {
	on := About(o)
	on.Division, on.Grid, on.Unit, on.Named = "", "", d.Code, nil
	if d.Kind == ticket.DeskNamed {
		on.Named = []int64{d.Staff}
	}
	if grid := people.GridCode(d.Code); grid.Valid() {
		on.Division, on.Grid, on.Unit = string(grid.Village()), string(grid), ""
	}
	return on
}

// May reports whether the rights allow the staff member the command on the
// ticket. What handling desks do is judged by the desk that has the lead, all
// else by where the ticket is.
func (s *Service) May(staff people.Staff, c people.StaffCommand, o *Order, now time.Time) bool {
	switch c {
	case people.MayTakeTicket, people.MayContact, people.MayFinishTicket, people.MayObject, people.MayAskTime:
		on, ok := atDesk(o)
		return ok && s.Rights.May(staff, c, on, now)
	case people.MayCoHandle:
		_, _, ok := s.CoHandler(staff, o, now)
		return ok
	case people.MayInstruct: // who was asked for help is not asked whether it is private: the words stay hidden
		on := About(o)
		on.Private = false
		return s.Rights.May(staff, c, on, now)
	case people.MayAskExclusion:
		last, ok := o.LastLead()
		return ok && s.serves(staff, c, o, last.Desk, now)
	case people.MayAnswerFor:
		_, ok := s.Supervised(staff, o, now)
		return ok
	case people.MayTransferTicket, people.MayViewTicket, people.MayNote, people.MaySeePhone:
		on, ok := atDesk(o)
		if ok && s.Rights.May(staff, c, on, now) {
			return true
		}
		if _, _, co := s.CoHandler(staff, o, now); co && (c == people.MayViewTicket || c == people.MayNote) {
			return true
		}
	}
	return s.Rights.May(staff, c, About(o), now)
}

// Handler is the staff member as an actor of the desk that has the lead; ok is
// false for whoever does not belong to it.
func (s *Service) Handler(staff people.Staff, o *Order, now time.Time) (by ticket.Actor, ok bool) {
	by = ticket.Actor{As: ticket.AsHandler, Person: staff.PersonID, Staff: staff.ID}
	lead, held := o.Lead()
	if !held || !s.May(staff, people.MayTakeTicket, o, now) || lead.Desk.Kind == ticket.DeskNamed && lead.Desk.Staff != staff.ID {
		return by, false
	}
	by.Desk = lead.Desk
	return by, true
}

// Signed reports whether the staff member answers for the ticket: signed for
// it, or belongs to a desk for which it was signed by itself.
func (s *Service) Signed(staff people.Staff, o *Order, now time.Time) bool {
	lead, ok := o.Lead()
	if !ok || lead.State != ticket.AssignmentSigned && lead.State != ticket.AssignmentFinished {
		return false
	}
	if _, ok := s.Handler(staff, o, now); !ok {
		return false
	}
	return lead.SignedBy == staff.ID || lead.SignedBy == 0
}

// Viewer is what the staff member is to the ticket when looking at it; ok is
// false for who may not look at all.
func (s *Service) Viewer(staff people.Staff, o *Order, now time.Time) (v ticket.Viewer, ok bool) {
	if !s.May(staff, people.MayViewTicket, o, now) {
		return "", false
	}
	_, handles := s.Handler(staff, o, now)
	switch {
	case s.Signed(staff, o, now):
		return ticket.ViewSigned, true
	case handles:
		return ticket.ViewDesk, true
	case s.May(staff, people.MayCoHandle, o, now):
		return ticket.ViewCo, true
	case s.May(staff, people.MayCallBack, o, now):
		return ticket.ViewCallback, true
	case s.May(staff, people.MayDispatchTicket, o, now), s.May(staff, people.MayCompleteTicket, o, now):
		return ticket.ViewDispatcher, true
	case staff.Has(people.RoleSupervisor), staff.Has(people.RoleLeader):
		return ticket.ViewSupervisor, true
	case informed(o, staff):
		return ticket.ViewInformed, true
	}
	return ticket.ViewOther, true
}

// informed reports whether a desk that only knows of the ticket is the staff
// member's.
func informed(o *Order, staff people.Staff) bool {
	for _, a := range o.Assignments {
		if a.Role != ticket.RoleInformed || !a.EndedAt.IsZero() {
			continue
		}
		for _, g := range staff.Grants {
			if g.Area.Code == a.Desk.Code {
				return true
			}
		}
	}
	return false
}
