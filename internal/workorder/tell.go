package workorder

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

// DueTell says a text about a ticket to one of the staff, or in a work group:
// subject "ticket:ID", data TellDue.
const DueTell = "staff.tell"

// TellDue is the data of a DueTell or DueSupervised row. Due rows lie unsealed:
// Params hold codes and numbers, words of people stand in Words, sealed with
// SealNotice. Number, matter and deadlines are read when it is said.
type TellDue struct {
	Ticket int64  `json:"ticket"`
	Staff  int64  `json:"staff,omitempty"`
	Group  int64  `json:"group,omitempty"` // own conversation of a work group
	Key    string `json:"key"`
	// Params are values of the text. Words of people are its {{words}}, and its
	// {{said}} as a line of their own, which is empty where there are none.
	Params map[string]string `json:"params,omitempty"`
	Words  []byte            `json:"words,omitempty"`
	// Open is set for what nobody needs to hear once the ticket is over.
	Open bool `json:"open,omitempty"`
	// Supervision is the number of the supervision that it is about: its reason,
	// deadline, names and answer are values of the text as well.
	Supervision ticket.Number `json:"supervision,omitempty"`
	// Button is the command that the reader may give with one tap.
	Button ticket.CommandName `json:"button,omitempty"`
}

// tell plans that each of the staff is told something, once for the version of
// the ticket. what names the occasion.
func (s *Service) tell(ctx context.Context, t *gateway.Turn, o *Order, what string, d TellDue, staff []int64) error {
	plans := make([]gateway.Plan, len(staff))
	for i, id := range staff {
		d.Ticket, d.Staff = o.ID, id
		key := "v" + strconv.Itoa(o.Version) + "/" + what + "/" + strconv.FormatInt(id, 10)
		plans[i] = planAt(o, DueTell, key, t.Now, d)
	}
	return t.PlanDue(ctx, plans...)
}

// tellDesk tells something to who signed at a desk, else to everybody there.
func (s *Service) tellDesk(ctx context.Context, t *gateway.Turn, o *Order, a ticket.Assignment, what string, d TellDue) error {
	staff, err := s.holders(ctx, t, a)
	if err != nil {
		return err
	}
	return s.tell(ctx, t, o, what, d, staff)
}

// holders are who answers for the ticket at its desk: who signed, else everybody
// there.
func (s *Service) holders(ctx context.Context, t *gateway.Turn, a ticket.Assignment) ([]int64, error) {
	if a.SignedBy != 0 {
		return []int64{a.SignedBy}, nil
	}
	return s.AtDesk(ctx, t, a.Desk)
}

// Concerns reports whether a ticket is about a member of the staff, or about a
// desk that they serve. Such a person is told nothing of it.
func (s *Service) Concerns(o *Order, staff people.Staff) bool {
	return slices.Contains(o.AgainstStaff, staff.ID) ||
		slices.ContainsFunc(staff.Grants, func(g people.Grant) bool { return slices.Contains(o.Against, g.Area.Code) })
}

// Unconcerned leaves out whom the ticket is about.
func (s *Service) Unconcerned(ctx context.Context, t *gateway.Turn, o *Order, staff []int64) ([]int64, error) {
	if !o.AboutSomebody() {
		return staff, nil
	}
	var free []int64
	for _, id := range staff {
		who, err := s.LoadStaff(ctx, t, id)
		if err != nil {
			return nil, err
		}
		if !s.Concerns(o, who) {
			free = append(free, id)
		}
	}
	return free, nil
}

// areaOf is the area of a kind that the ticket lies in; its code is empty while
// that is not known.
func areaOf(o *Order, kind people.AreaKind) people.Area {
	a := people.Area{Kind: kind}
	division := people.DivisionCode(o.Place.Division)
	switch kind {
	case people.AreaCity:
		a.Code = CityCode
	case people.AreaCounty:
		a.Code = string(division.At(people.LevelCounty))
	case people.AreaTownship:
		a.Code = string(division.At(people.LevelTownship))
	case people.AreaVillage:
		a.Code = string(division.At(people.LevelVillage))
	case people.AreaGrid:
		a.Code = o.Place.Grid
	}
	return a
}

// Holding lists who has a role in one of the areas and whom the ticket is not
// about: those on duty, or everybody where none of them is. Empty areas are none.
func (s *Service) Holding(ctx context.Context, t *gateway.Turn, o *Order, role people.Role, areas ...string) ([]int64, error) {
	rows, err := t.StaffWith(ctx, []string{string(role)}, slices.DeleteFunc(slices.Clone(areas), func(a string) bool { return a == "" }))
	if err != nil {
		return nil, fmt.Errorf("find who is %s: %w", role, err)
	}
	var all []int64
	duty := map[int64]bool{}
	for _, r := range rows {
		if !slices.Contains(all, r.ID) {
			all = append(all, r.ID)
		}
		duty[r.ID] = r.OnDuty
	}
	free, err := s.Unconcerned(ctx, t, o, all)
	if err != nil {
		return nil, err
	}
	if on := slices.DeleteFunc(slices.Clone(free), func(id int64) bool { return !duty[id] }); len(on) > 0 {
		return on, nil
	}
	return free, nil
}

// supervisors are those of where the ticket is.
func (s *Service) supervisors(ctx context.Context, t *gateway.Turn, o *Order) ([]int64, error) {
	return s.Holding(ctx, t, o, people.RoleSupervisor, areaOf(o, people.AreaCounty).Code, CityCode)
}
