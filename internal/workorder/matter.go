package workorder

import (
	"context"
	"fmt"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

// demanded adds to a command what the matter of the ticket demands, whoever
// gives it and on whichever way: a photo of the work, that a department's duty is
// not sent down to a grid (国办函〔2025〕66号), and that police and grid handle
// public security and disputes together (警网融合).
func (s *Service) demanded(ctx context.Context, t *gateway.Turn, o *Order, c ticket.Command) (ticket.Command, error) {
	if err := s.reaches(ctx, t, o, c); err != nil {
		return nil, err
	}
	m, known := s.Matters.Get(o.Matter)
	if !known {
		return c, nil
	}
	switch v := c.(type) {
	case ticket.Finish:
		v.PhotoNeeded = v.PhotoNeeded || m.Photo
		return v, nil
	case ticket.Transfer:
		v.UnitDuty = v.UnitDuty || m.UnitDuty()
		return v, nil
	case ticket.Dispatch:
		v.UnitDuty = v.UnitDuty || m.UnitDuty()
		if m.Police {
			joint, err := s.joint(ctx, t, o)
			if err != nil {
				return nil, err
			}
			v.Co = append(v.Co[:len(v.Co):len(v.Co)], joint...)
		}
		return v, nil
	}
	return c, nil
}

// reaches refuses a desk at which nobody is whom the ticket is not about: it would
// lie there unseen.
func (s *Service) reaches(ctx context.Context, t *gateway.Turn, o *Order, c ticket.Command) error {
	if !o.AboutSomebody() {
		return nil
	}
	var to []ticket.Desk
	switch v := c.(type) {
	case ticket.Dispatch:
		to = append(v.Co[:len(v.Co):len(v.Co)], v.Lead)
	case ticket.Involve:
		to = v.Co
	case ticket.Transfer:
		to = []ticket.Desk{v.To}
	}
	for _, d := range to {
		there, err := s.answering(ctx, t, d)
		if err != nil {
			return err
		}
		if there, err = s.Unconcerned(ctx, t, o, there); err != nil {
			return err
		}
		if len(there) == 0 {
			return &ticket.Refused{Key: ticket.KeyNobodyFree}
		}
	}
	return nil
}

// answering lists who answers for a desk, on duty or not, those who stand in for
// them included.
func (s *Service) answering(ctx context.Context, t *gateway.Turn, d ticket.Desk) ([]int64, error) {
	if d.Staff != 0 {
		return []int64{d.Staff}, nil
	}
	rows, err := t.StaffWith(ctx, []string{string(people.RoleHandler), string(people.RoleGridWorker), string(people.RoleGridLeader)}, []string{d.Code})
	if err != nil {
		return nil, fmt.Errorf("find who answers for a desk: %w", err)
	}
	var all []int64
	for _, on := range inOrder(rows, "") {
		all = append(all, on.Staff)
	}
	return all, nil
}

// markMeant marks whom of those who may be asked the ticket is about.
func (s *Service) markMeant(ctx context.Context, t *gateway.Turn, o *Order, list []ticket.OnCall) error {
	if !o.AboutSomebody() {
		return nil
	}
	for i := range list {
		var err error
		if list[i].Meant, err = s.Meant(ctx, t, o.ID, list[i].Staff); err != nil {
			return err
		}
	}
	return nil
}

// joint are the people of the place who handle a matter of public security or a
// dispute together with the lead: of each role that the policy names, whoever has
// the narrowest area. Each is asked by name, in private, and nobody whom the
// ticket is about.
func (s *Service) joint(ctx context.Context, t *gateway.Turn, o *Order) ([]ticket.Desk, error) {
	village := people.DivisionCode(o.Place.Division)
	areas := []string{o.Place.Grid, string(village.At(people.LevelVillage)), string(village.At(people.LevelTownship))}
	var desks []ticket.Desk
	for _, name := range s.Rules.Policy().Joint.Roles {
		role := people.Role(name)
		for _, area := range areas {
			if area == "" {
				continue
			}
			d, ok, err := s.onCall(ctx, t, o, role, area)
			if err != nil {
				return nil, err
			}
			if ok {
				desks = append(desks, d)
				break
			}
		}
	}
	return desks, nil
}

// onCall is the first who holds a role in an area, is on duty or stands in, and
// is not whom the ticket is about.
func (s *Service) onCall(ctx context.Context, t *gateway.Turn, o *Order, role people.Role, area string) (d ticket.Desk, ok bool, err error) {
	rows, err := t.StaffWith(ctx, []string{string(role)}, []string{area})
	if err != nil {
		return d, false, fmt.Errorf("find who is %s: %w", role, err)
	}
	for _, on := range inOrder(rows, string(role)) {
		if !on.Duty {
			continue
		}
		meant, err := s.Meant(ctx, t, o.ID, on.Staff)
		if err != nil {
			return d, false, err
		}
		if !meant {
			return ticket.Desk{Kind: ticket.DeskNamed, Code: on.Desk, Staff: on.Staff}, true, nil
		}
	}
	return d, false, nil
}
