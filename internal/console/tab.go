package console

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// source says which tickets a tab lists beside the tasks of its roles.
type source int

const (
	noTickets source = iota
	held             // those on the desks of who asks
	watched          // those that desks of the area have
	anywhere         // those of the area, by state
)

// tab is one list of work. A member of the staff has one for each role.
type tab struct {
	Code    string
	roles   []people.Role
	tickets source
}

// tabs lists the tabs in the order in which they are shown.
func tabs() []tab {
	return []tab{
		{"dispatcher", []people.Role{people.RoleDispatcher}, noTickets},
		{"callback", []people.Role{people.RoleCallbackClerk}, noTickets},
		{"clerk", []people.Role{people.RoleClerk}, noTickets},
		{"supervisor", []people.Role{people.RoleSupervisor}, watched},
		{"handler", []people.Role{people.RoleHandler}, held},
		{"grid", []people.Role{people.RoleGridWorker, people.RoleGridLeader, people.RoleAide, people.RoleCommunityPolice, people.RoleAuxiliary}, held},
		{"clinic", []people.Role{people.RoleClinicDesk, people.RoleDoctor, people.RoleNurse, people.RoleLiaison}, noTickets},
		{"leader", []people.Role{people.RoleLeader}, noTickets},
		{"admin", []people.Role{people.RoleAdmin}, noTickets},
		{"all", []people.Role{people.RoleDispatcher, people.RoleCallbackClerk, people.RoleClerk, people.RoleSupervisor}, anywhere},
	}
}

// tabsOf are the tabs of a member of the staff.
func tabsOf(s people.Staff) []tab {
	return slices.DeleteFunc(tabs(), func(t tab) bool { return len(grants(s, t.roles)) == 0 })
}

// grants are the grants of a member of the staff in the given roles.
func grants(s people.Staff, roles []people.Role) []people.Grant {
	var list []people.Grant
	for _, g := range s.Grants {
		if slices.Contains(roles, g.Role) {
			list = append(list, g)
		}
	}
	return list
}

// onDesks are the states of a ticket that a desk has.
func onDesks() []string { return names(ticket.States(), ticket.State.Held) }

func openStates() []string { return names(ticket.States(), ticket.State.Open) }

func names(states []ticket.State, keep func(ticket.State) bool) []string {
	var list []string
	for _, s := range states {
		if keep(s) {
			list = append(list, string(s))
		}
	}
	return list
}

// scope is a part of the city as the lists are indexed: a county, and the
// beginning of the code inside it.
type scope struct{ county, prefix string }

// scopes are the areas of a list, narrowed to one area if wanted. The whole
// city is its counties, what was reported about no place among them.
func (c *Console) scopes(ctx context.Context, v *visit, roles []people.Role, area string) ([]scope, error) {
	var codes []string
	for _, g := range grants(v.staff, roles) {
		code := g.Area.Code
		switch {
		case g.Area.Kind == people.AreaUnit:
			continue
		case strings.HasPrefix(area, code):
			code = area
		case !strings.HasPrefix(code, area):
			continue
		}
		codes = append(codes, code)
	}
	codes = outermost(codes)
	var list []scope
	for _, code := range codes {
		if len(code) >= countyDigits {
			list = append(list, scope{code[:countyDigits], code})
			continue
		}
		counties, err := v.Counties(ctx, code)
		if err != nil {
			return nil, fmt.Errorf("list the counties: %w", err)
		}
		for _, k := range counties {
			list = append(list, scope{k.Code, k.Code})
		}
		list = append(list, scope{code, code})
		if area == "" {
			list = append(list, scope{})
		}
	}
	return list, nil
}

// countyDigits is the length of a county code (GB/T 2260).
const countyDigits = 6

// outermost leaves out codes that lie in another one.
func outermost(codes []string) []string {
	slices.Sort(codes)
	var list []string
	for _, code := range codes {
		if n := len(list); n == 0 || !strings.HasPrefix(code, list[n-1]) {
			list = append(list, code)
		}
	}
	return list
}

// desks are the grids and units whose tickets lie before the holder of a tab.
func (c *Console) desks(ctx context.Context, v *visit, roles []people.Role) (grids, units []string, err error) {
	areas := []string{}
	units = []string{}
	for _, g := range grants(v.staff, roles) {
		if g.Area.Kind == people.AreaUnit {
			units = append(units, g.Area.Code)
		} else {
			areas = append(areas, g.Area.Code)
		}
	}
	if grids, err = v.GridsIn(ctx, areas); err != nil {
		return nil, nil, fmt.Errorf("list the grids of an area: %w", err)
	}
	if grids == nil {
		grids = []string{}
	}
	return grids, units, nil
}

// place is an area that a list can be narrowed to.
type place struct{ Code, Name string }

// maxAreas bounds the areas to choose from.
const maxAreas = 300

// areas are what a list can be narrowed to: the counties and townships of who
// asks, for a unit those of the city.
func (c *Console) areas(ctx context.Context, v *visit, roles []people.Role) ([]place, error) {
	codes := []string{}
	for _, g := range grants(v.staff, roles) {
		if g.Area.Kind == people.AreaUnit {
			codes = append(codes, workorder.CityCode)
		} else {
			codes = append(codes, g.Area.Code)
		}
	}
	rows, err := v.AreasBelow(ctx, codes, maxAreas)
	if err != nil {
		return nil, fmt.Errorf("list areas: %w", err)
	}
	list := make([]place, len(rows))
	for i, r := range rows {
		list[i] = place{r.Code, r.Name}
		if r.Level == string(people.LevelTownship) {
			list[i].Name = "　" + r.Name
		}
	}
	return list, nil
}
