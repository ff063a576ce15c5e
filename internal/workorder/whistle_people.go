package workorder

import (
	"context"
	"fmt"
	"slices"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

// Circle is who has to do with whistles of a place: by which right, in which
// roles, in an area of which kind.
type Circle struct {
	right people.StaffCommand
	roles []people.Role
	level people.DivisionLevel
}

// HeadCircle is the heads of the township: only a township or street blows
// (reference civic-tickets 1.4).
func HeadCircle() Circle {
	return Circle{people.MayBlowWhistle, []people.Role{people.RoleLeader}, people.LevelTownship}
}

// DeskCircle is the county's whistle desk 县区吹哨办, which assigns.
func DeskCircle() Circle {
	return Circle{people.MayAssignWhistle, []people.Role{people.RoleDispatcher}, people.LevelCounty}
}

// OverseerCircle is who owns what came of a whistle at a level of escalation:
// supervisors and leaders of the county, at the top those of the city.
func OverseerCircle(level int) Circle {
	c := Circle{people.MayRaiseWhistle, []people.Role{people.RoleSupervisor, people.RoleLeader}, people.LevelCounty}
	if level >= ticket.WhistleLevelTop {
		c.level = people.LevelCity
	}
	return c
}

// AboutWhistle is a whistle as the rights see it.
func AboutWhistle(w *Whistle) people.Subject {
	return people.Subject{
		Division: w.Place.Division, Grid: w.Place.Grid, Private: w.Private, Against: w.Against, AgainstStaff: w.AgainstStaff,
		Named: []int64{w.ProposedBy},
	}
}

// MayWhistle reports whether the rights allow the staff member the command on
// the whistle. A head, the county's desk and overseers act on private ones too:
// they are shown why it was proposed, and nothing of the ticket.
func (s *Service) MayWhistle(staff people.Staff, c people.StaffCommand, w *Whistle, now time.Time) bool {
	on := AboutWhistle(w)
	level := people.AreaKind("")
	switch c {
	case people.MayBlowWhistle, people.MayAppraiseWhistle:
		level, on.Private = people.AreaTownship, false
	case people.MayAssignWhistle:
		level, on.Private = people.AreaCounty, false
	case people.MayRaiseWhistle:
		on.Private = false
	case people.MayAttendWhistle:
		_, ok := s.attends(staff, w, now)
		return ok
	case people.MayViewWhistle:
		if s.MayWhistle(staff, people.MayRaiseWhistle, w, now) || s.MayWhistle(staff, people.MayAttendWhistle, w, now) {
			return true
		}
	}
	if !s.Rights.May(staff, c, on, now) {
		return false
	}
	if level == "" {
		return true
	}
	staff.Grants = slices.DeleteFunc(slices.Clone(staff.Grants), func(g people.Grant) bool { return g.Area.Kind != level })
	return s.Rights.May(staff, c, on, now)
}

// attends finds the called desk that the staff member speaks for, one that
// still has something to do first.
func (s *Service) attends(staff people.Staff, w *Whistle, now time.Time) (desk ticket.Desk, ok bool) {
	for _, p := range w.Parts {
		on := people.Subject{Unit: p.Desk.Code, Private: w.Private, Against: w.Against, AgainstStaff: w.AgainstStaff}
		if p.Desk.Kind == ticket.DeskNamed {
			if p.Desk.Staff != staff.ID {
				continue
			}
			on.Named = []int64{p.Desk.Staff}
		}
		if (!ok || p.State.Running()) && s.Rights.May(staff, people.MayAttendWhistle, on, now) {
			desk, ok = p.Desk, true
			if p.State.Running() {
				return desk, true
			}
		}
	}
	return desk, ok
}

// WhistleActor is the staff member as who may give the command; ok is false for
// whoever may not.
func (s *Service) WhistleActor(staff people.Staff, w *Whistle, c ticket.CommandName, now time.Time) (by ticket.Actor, ok bool) {
	by = ticket.Actor{Person: staff.PersonID, Staff: staff.ID}
	may := func(as ticket.Capacity, right people.StaffCommand) bool {
		by.As = as
		return s.MayWhistle(staff, right, w, now)
	}
	switch c {
	case ticket.WhistlePropose:
		ok = may(ticket.AsProposer, people.MayProposeWhistle)
		return by, ok
	case ticket.WhistleBlow, ticket.WhistleDecline:
		ok = may(ticket.AsHead, people.MayBlowWhistle)
		return by, ok
	case ticket.WhistleAppraise, ticket.WhistleClose:
		ok = may(ticket.AsHead, people.MayAppraiseWhistle)
		return by, ok
	case ticket.WhistleAssign, ticket.WhistleReturn:
		ok = may(ticket.AsCounty, people.MayAssignWhistle)
		return by, ok
	case ticket.WhistleRaise:
		if !may(ticket.AsOverseer, people.MayRaiseWhistle) {
			return by, false
		}
		ok = may(ticket.AsHead, people.MayBlowWhistle) || may(ticket.AsCounty, people.MayAssignWhistle) || may(ticket.AsOverseer, people.MayRaiseWhistle)
		return by, ok
	}
	by.As = ticket.AsUnit
	by.Desk, ok = s.attends(staff, w, now)
	return by, ok
}

// WhistlePeople lists the people of a circle who may act on the whistle, those
// on duty; when nobody is, all of them. Whom the claim is about is left out.
func (s *Service) WhistlePeople(ctx context.Context, t *gateway.Turn, w *Whistle, c Circle) ([]int64, error) {
	area := s.whistleArea(w, c.level)
	roles := make([]string, len(c.roles))
	for i, r := range c.roles {
		roles[i] = string(r)
	}
	rows, err := t.StaffWith(ctx, roles, []string{area})
	if err != nil {
		return nil, fmt.Errorf("find the people of a whistle: %w", err)
	}
	var duty, all []int64
	for _, r := range rows {
		if slices.Contains(all, r.ID) {
			continue
		}
		staff, err := s.LoadStaff(ctx, t, r.ID)
		if err != nil {
			return nil, err
		}
		if !s.MayWhistle(staff, c.right, w, t.Now) {
			continue
		}
		all = append(all, r.ID)
		if r.OnDuty {
			duty = append(duty, r.ID)
		}
	}
	if len(duty) > 0 {
		return duty, nil
	}
	return all, nil
}

// whistleArea is the division of a level in which a whistle lies.
func (s *Service) whistleArea(w *Whistle, level people.DivisionLevel) string {
	if level == people.LevelCity {
		return CityCode
	}
	return string(people.DivisionCode(w.Place.Division).At(level))
}

// PartStaff lists who hears of a unit's part: who answered for it, else those
// on duty there.
func (s *Service) PartStaff(ctx context.Context, t *gateway.Turn, w *Whistle, p ticket.Part) ([]int64, error) {
	if by := p.ArrivedBy; by != 0 {
		return s.mayAttend(ctx, t, w, []int64{by})
	}
	if p.AnsweredBy != 0 {
		return s.mayAttend(ctx, t, w, []int64{p.AnsweredBy})
	}
	all, err := s.AtDesk(ctx, t, p.Desk)
	if err != nil {
		return nil, err
	}
	return s.mayAttend(ctx, t, w, all)
}

func (s *Service) mayAttend(ctx context.Context, t *gateway.Turn, w *Whistle, all []int64) ([]int64, error) {
	var may []int64
	for _, id := range all {
		staff, err := s.LoadStaff(ctx, t, id)
		if err != nil {
			return nil, err
		}
		if s.MayWhistle(staff, people.MayAttendWhistle, w, t.Now) {
			may = append(may, id)
		}
	}
	return may, nil
}
