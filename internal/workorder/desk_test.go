package workorder

import (
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/configs"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

const (
	village = "360313001001"
	grid    = "360313001001001"
	grid2   = "360313001001002"
)

func rights(t *testing.T) *Service {
	t.Helper()
	body, err := configs.Read("policies/rights.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := people.ParseRights("rights.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	return &Service{Rights: r}
}

func member(id int64, role people.Role, kind people.AreaKind, area string) people.Staff {
	return people.Staff{ID: id, Grants: []people.Grant{{Role: role, Area: people.Area{Kind: kind, Code: area}}}}
}

func lying(desk ticket.Desk, signed int64, change ...func(*Order)) *Order {
	a := ticket.Assignment{Role: ticket.RoleLead, Desk: desk, State: ticket.AssignmentWaiting, SignedBy: signed}
	state := ticket.Dispatched
	if signed != 0 {
		a.State, state = ticket.AssignmentSigned, ticket.Signed
	}
	o := &Order{Ticket: ticket.Ticket{
		State: state, Place: ticket.PlaceRef{Division: village, Grid: grid}, Assignments: []ticket.Assignment{a},
	}}
	for _, f := range change {
		f(o)
	}
	return o
}

func TestViewer(t *testing.T) {
	s := rights(t)
	onGrid, onUnit := ticket.Desk{Kind: ticket.DeskGrid, Code: grid}, ticket.Desk{Kind: ticket.DeskUnit, Code: "housing"}
	named := ticket.Desk{Kind: ticket.DeskNamed, Code: "housing", Staff: 5}
	private := func(o *Order) { o.Confidential = true }
	knowing := func(o *Order) {
		o.Assignments = append(o.Assignments, ticket.Assignment{Role: ticket.RoleInformed, Desk: onGrid})
	}
	co := func(d ticket.Desk) func(*Order) {
		return func(o *Order) {
			o.Assignments = append(o.Assignments, ticket.Assignment{Role: ticket.RoleCo, Desk: d, State: ticket.AssignmentWaiting})
		}
	}
	worker, neighbour := member(1, people.RoleGridWorker, people.AreaGrid, grid), member(2, people.RoleGridWorker, people.AreaGrid, grid2)
	handler, other := member(5, people.RoleHandler, people.AreaUnit, "housing"), member(6, people.RoleHandler, people.AreaUnit, "housing")
	for _, c := range []struct {
		name string
		who  people.Staff
		o    *Order
		want ticket.Viewer
	}{
		{"at the desk", worker, lying(onGrid, 0), ticket.ViewDesk},
		{"who signed", worker, lying(onGrid, 1), ticket.ViewSigned},
		{"a colleague of who signed", member(9, people.RoleGridWorker, people.AreaGrid, grid), lying(onGrid, 1), ticket.ViewDesk},
		{"next door", neighbour, lying(onGrid, 0), ""},
		{"the grid that knows of it", worker, lying(onUnit, 0, knowing), ticket.ViewInformed},
		{"the unit", handler, lying(onUnit, 0), ticket.ViewDesk},
		{"a dispatcher of the county", member(3, people.RoleDispatcher, people.AreaCounty, "360313"), lying(onUnit, 0), ticket.ViewDispatcher},
		{"of another county", member(3, people.RoleDispatcher, people.AreaCounty, "360321"), lying(onUnit, 0), ""},
		{"who calls back", member(4, people.RoleCallbackClerk, people.AreaCity, CityCode), lying(onUnit, 0), ticket.ViewCallback},
		{"a supervisor", member(7, people.RoleSupervisor, people.AreaCity, CityCode), lying(onUnit, 0), ticket.ViewSupervisor},
		{"the named handler", handler, lying(named, 0, private), ticket.ViewDesk},
		{"another of the unit", other, lying(named, 0, private), ""},
		{"the grid of a private one", worker, lying(named, 0, private), ""},
		{"who it is about", worker, lying(onGrid, 0, func(o *Order) { o.AgainstStaff = []int64{1} }), ""},
		{"whose grid it is about", worker, lying(onGrid, 0, func(o *Order) { o.Against = []string{grid} }), ""},
		{"a co-handler", handler, lying(onGrid, 0, co(onUnit)), ticket.ViewCo},
		{"a grid that co-handles", neighbour, lying(onUnit, 0, co(ticket.Desk{Kind: ticket.DeskGrid, Code: grid2})), ticket.ViewCo},
		{"the lead beside a co-handler", worker, lying(onGrid, 1, co(onUnit)), ticket.ViewSigned},
		{"the named co-handler", handler, lying(ticket.Desk{Kind: ticket.DeskNamed, Code: grid, Staff: 1}, 0, private, co(named)), ticket.ViewCo},
		{"a colleague of the named co-handler", other, lying(ticket.Desk{Kind: ticket.DeskNamed, Code: grid, Staff: 1}, 0, private, co(named)), ""},
		{"a co-handler it is about", handler, lying(onGrid, 0, co(onUnit), func(o *Order) { o.AgainstStaff = []int64{5} }), ""},
		{"handed to the grid next door", neighbour, lying(ticket.Desk{Kind: ticket.DeskGrid, Code: grid2}, 0), ticket.ViewDesk},
	} {
		got, ok := s.Viewer(c.who, c.o, time.Time{})
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v", c.name, got, ok)
		}
	}
}

// An automatic signature is nobody's: whoever of the desk acts answers for it.
func TestSignedByNobody(t *testing.T) {
	s := rights(t)
	o := lying(ticket.Desk{Kind: ticket.DeskGrid, Code: grid}, 0, func(o *Order) {
		o.State, o.Assignments[0].State = ticket.Signed, ticket.AssignmentSigned
	})
	if !s.Signed(member(1, people.RoleGridWorker, people.AreaGrid, grid), o, time.Time{}) {
		t.Error("the desk does not answer for it")
	}
	if s.Signed(member(2, people.RoleGridWorker, people.AreaGrid, grid2), o, time.Time{}) {
		t.Error("another desk answers for it")
	}
}

// An unknown place is covered by the city alone.
func TestUnknownPlace(t *testing.T) {
	s := rights(t)
	o := &Order{Ticket: ticket.Ticket{State: ticket.Received}}
	for area, want := range map[people.Area]bool{{Kind: people.AreaCity, Code: CityCode}: true, {Kind: people.AreaCounty, Code: "360313"}: false} {
		who := people.Staff{ID: 3, Grants: []people.Grant{{Role: people.RoleDispatcher, Area: area}}}
		if got := s.May(who, people.MayDispatchTicket, o, time.Time{}); got != want {
			t.Errorf("%v: %v", area, got)
		}
	}
}

// A co-handler replies and looks; what the lead does is not theirs, nor is the
// reporter's name and number.
func TestWhatACoHandlerMay(t *testing.T) {
	s := rights(t)
	unit := ticket.Desk{Kind: ticket.DeskUnit, Code: "housing"}
	o := lying(ticket.Desk{Kind: ticket.DeskGrid, Code: grid}, 1, func(o *Order) {
		o.Assignments = append(o.Assignments, ticket.Assignment{Role: ticket.RoleCo, Desk: unit, State: ticket.AssignmentWaiting})
	})
	handler := member(5, people.RoleHandler, people.AreaUnit, "housing")
	allowed := []people.StaffCommand{people.MayViewTicket, people.MayNote, people.MayCoHandle}
	for _, c := range people.StaffCommands() {
		if got, want := s.May(handler, c, o, time.Time{}), slices.Contains(allowed, c); got != want && strings.HasPrefix(string(c), "ticket.") {
			t.Errorf("%s: %v", c, got)
		}
	}
	if by, a, ok := s.CoHandler(handler, o, time.Time{}); !ok || by.Desk != unit || a.Role != ticket.RoleCo || by.As != ticket.AsCoHandler {
		t.Errorf("acts as %+v on %+v, %v", by, a, ok)
	}
	view := ticket.View(o.Ticket, ticket.ViewCo)
	for _, f := range []ticket.Field{ticket.FieldName, ticket.FieldPhone, ticket.FieldReportedFor, ticket.FieldFacts} {
		if view[f] != ticket.Hidden {
			t.Errorf("a co-handler sees %s %s", f, view[f])
		}
	}
}
