package homecare

import (
	"context"
	"fmt"
	"slices"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/workorder"
)

// Post is where a role of a ladder sits: those who hold Role in Area. Staff is set
// where one person is meant.
type Post struct {
	Staff int64
	Role  people.Role
	Area  people.Area
}

// PostOf finds where a role sits for what lies at a clinic (0: not known yet), a
// hospital and a grid: the first of its posts that somebody holds. Whoever has no
// clinic yet is the city's clerks', and so is what nobody else would see: nothing
// lies before nobody.
func (s *Service) PostOf(ctx context.Context, t *gateway.Turn, d Due, clinic, hospital int64, grid string) (Post, error) {
	if d.Staff != 0 {
		return Post{Staff: d.Staff}, nil
	}
	units, err := s.unitsOf(ctx, t, clinic, hospital)
	if err != nil {
		return Post{}, err
	}
	unit := func(role people.Role, id int64) Post {
		return Post{Role: role, Area: people.Area{Kind: people.AreaUnit, Code: units[id]}}
	}
	desk, liaison := unit(people.RoleClinicDesk, clinic), unit(people.RoleLiaison, hospital)
	clerk := Post{Role: people.RoleCallbackClerk, Area: people.Area{Kind: people.AreaCity, Code: workorder.CityCode}}
	leaders := []Post{
		{Role: people.RoleGridLeader, Area: people.Area{Kind: people.AreaGrid, Code: grid}},
		{Role: people.RoleGridLeader, Area: people.Area{Kind: people.AreaVillage, Code: string(people.GridCode(grid).Village())}},
	}
	var posts []Post
	switch d.Role {
	case care.ToDesk, care.ToQuality:
		posts = []Post{desk, liaison}
	case care.ToLead:
		posts = []Post{unit(people.RoleLeader, clinic), liaison, desk}
		if clinic == 0 { // what lies with a grid
			posts = append(leaders, Post{Role: people.RoleDispatcher, Area: clerk.Area})
		}
	case care.ToHospital:
		posts = []Post{liaison, desk}
	case care.ToGrid:
		worker := Post{Role: people.RoleGridWorker, Area: leaders[0].Area}
		posts = append(append([]Post{worker}, leaders...), desk)
	default:
		return Post{}, fmt.Errorf("no post is called %q", d.Role)
	}
	for _, p := range posts {
		if p.Area.Code == "" {
			continue
		}
		held, err := t.StaffWith(ctx, []string{string(p.Role)}, []string{p.Area.Code})
		if err != nil {
			return Post{}, fmt.Errorf("find who is %s: %w", p.Role, err)
		}
		if len(held) > 0 {
			return p, nil
		}
	}
	return clerk, nil
}

// Member is the speaker of a turn as one of a household: the patient or a carer,
// under whatever face they were entered. ok is false for everybody else.
func (s *Service) Member(ctx context.Context, t *gateway.Turn, b *Bed) (by care.Actor, ok bool, err error) {
	household := []int64{b.Patient.Person}
	for _, c := range b.Carers {
		household = append(household, c.Person)
	}
	return among(ctx, t, household)
}

// Applicant is the speaker as who applied, or as who would be the patient.
func (s *Service) Applicant(ctx context.Context, t *gateway.Turn, a *Application) (by care.Actor, ok bool, err error) {
	return among(ctx, t, []int64{a.Applicant, a.Patient.Person})
}

func among(ctx context.Context, t *gateway.Turn, persons []int64) (by care.Actor, ok bool, err error) {
	kin, err := t.FamilyOf(ctx, t.Person)
	if err != nil {
		return by, false, fmt.Errorf("find who is one person: %w", err)
	}
	for _, id := range persons {
		if slices.Contains(kin, id) {
			return care.Actor{As: care.AsFamily, Person: id}, true, nil
		}
	}
	return by, false, nil
}
