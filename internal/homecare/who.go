package homecare

import (
	"context"
	"fmt"

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
// hospital and a grid. Whoever has no clinic yet is the city's clerks', so that
// nothing lies before nobody.
func (s *Service) PostOf(ctx context.Context, t *gateway.Turn, d Due, clinic, hospital int64, grid string) (Post, error) {
	if d.Staff != 0 {
		return Post{Staff: d.Staff}, nil
	}
	units, err := s.unitsOf(ctx, t, clinic, hospital)
	if err != nil {
		return Post{}, err
	}
	city := people.Area{Kind: people.AreaCity, Code: workorder.CityCode}
	unit := func(id int64) people.Area { return people.Area{Kind: people.AreaUnit, Code: units[id]} }
	switch d.Role {
	case care.ToDesk, care.ToQuality:
		if clinic != 0 {
			return Post{Role: people.RoleClinicDesk, Area: unit(clinic)}, nil
		}
		return Post{Role: people.RoleCallbackClerk, Area: city}, nil
	case care.ToLead:
		if clinic != 0 {
			return Post{Role: people.RoleLeader, Area: unit(clinic)}, nil
		}
		if grid != "" {
			return s.leaderOf(ctx, t, grid)
		}
		return Post{Role: people.RoleDispatcher, Area: city}, nil
	case care.ToHospital:
		if hospital != 0 {
			return Post{Role: people.RoleLiaison, Area: unit(hospital)}, nil
		}
		return Post{Role: people.RoleCallbackClerk, Area: city}, nil
	case care.ToGrid:
		return Post{Role: people.RoleGridWorker, Area: people.Area{Kind: people.AreaGrid, Code: grid}}, nil
	}
	return Post{}, fmt.Errorf("no post is called %q", d.Role)
}

// leaderOf is who leads a grid: there, or in its village; the city's dispatchers
// where nobody does.
func (s *Service) leaderOf(ctx context.Context, t *gateway.Turn, grid string) (Post, error) {
	areas := []people.Area{{Kind: people.AreaGrid, Code: grid}, {Kind: people.AreaVillage, Code: string(people.GridCode(grid).Village())}}
	for _, area := range areas {
		there, err := t.StaffWith(ctx, []string{string(people.RoleGridLeader)}, []string{area.Code})
		if err != nil {
			return Post{}, fmt.Errorf("find who leads a grid: %w", err)
		}
		if len(there) > 0 {
			return Post{Role: people.RoleGridLeader, Area: area}, nil
		}
	}
	return Post{Role: people.RoleDispatcher, Area: people.Area{Kind: people.AreaCity, Code: workorder.CityCode}}, nil
}
