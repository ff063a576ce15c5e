package ticket_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"shaoying/internal/ticket"
)

func TestRoute(t *testing.T) {
	base := ticket.Ticket{State: ticket.Received, Place: content.Place}
	with := func(change func(*ticket.Ticket)) ticket.Ticket {
		tk := base
		change(&tk)
		return tk
	}
	grid := base.Place.Grid
	on := []ticket.OnCall{{Staff: 1, Desk: grid, Duty: true}, {Staff: 2, Desk: grid, Duty: true}}
	off := []ticket.OnCall{{Staff: 1, Desk: grid}, {Staff: 2, Desk: grid, Duty: true}}
	namedRoster := []ticket.OnCall{{Staff: 7, Desk: "police"}, {Staff: 8, Desk: "justice", Duty: true}}
	gridFirst := ticket.Handling{GridFirst: true, Unit: "urban"}
	unitFirst := ticket.Handling{Unit: "urban"}
	waits := func(reason string) ticket.Plan {
		return ticket.Plan{Lead: ticket.Desk{Kind: ticket.DeskDispatcher, Code: base.Place.Division}, Reason: reason}
	}
	gridPlan := func(staff int64) ticket.Plan {
		return ticket.Plan{Lead: ticket.Desk{Kind: ticket.DeskGrid, Code: grid, Staff: staff}}
	}
	unitPlan := func(informed int64) ticket.Plan {
		return ticket.Plan{
			Lead:     ticket.Desk{Kind: ticket.DeskUnit, Code: "urban"},
			Informed: []ticket.Desk{{Kind: ticket.DeskGrid, Code: grid, Staff: informed}},
		}
	}
	for _, c := range []struct {
		name string
		t    ticket.Ticket
		h    ticket.Handling
		r    ticket.Roster
		want ticket.Plan
	}{
		{"grid matter to the grid", base, gridFirst, ticket.Roster{Grid: on}, gridPlan(1)},
		{"substitute when off duty", base, gridFirst, ticket.Roster{Grid: off}, gridPlan(2)},
		{"nobody on duty", base, gridFirst, ticket.Roster{Grid: off[:1]}, waits(ticket.WaitDuty)},
		{"no roster", base, gridFirst, ticket.Roster{}, waits(ticket.WaitDuty)},
		{"unit matter to the unit, grid informed", base, unitFirst, ticket.Roster{Grid: on}, unitPlan(1)},
		{"unit matter, nobody on duty in the grid", base, unitFirst, ticket.Roster{}, unitPlan(0)},
		{"unit matter in a village of several grids", with(func(t *ticket.Ticket) { t.Place.Grid = "" }), unitFirst, ticket.Roster{}, ticket.Plan{Lead: ticket.Desk{Kind: ticket.DeskUnit, Code: "urban"}}},
		{"grid matter in a village of several grids", with(func(t *ticket.Ticket) { t.Place.Grid = "" }), gridFirst, ticket.Roster{Grid: on}, waits(ticket.WaitPlace)},
		{"unknown place", with(func(t *ticket.Ticket) { t.Place = ticket.PlaceRef{Label: "那边"} }), unitFirst, ticket.Roster{Grid: on}, ticket.Plan{Lead: ticket.Desk{Kind: ticket.DeskDispatcher}, Reason: ticket.WaitPlace}},
		{"only the township known", with(func(t *ticket.Ticket) { t.Place = ticket.PlaceRef{Division: "360302001"} }), unitFirst, ticket.Roster{}, ticket.Plan{Lead: ticket.Desk{Kind: ticket.DeskDispatcher, Code: "360302001"}, Reason: ticket.WaitPlace}},
		{"matter without a unit", base, ticket.Handling{}, ticket.Roster{Grid: on}, waits(ticket.WaitUnit)},
		{"about the unit", with(func(t *ticket.Ticket) { t.Against = []string{"urban"} }), unitFirst, ticket.Roster{Grid: on}, waits(ticket.WaitAgainst)},
		{"about the only handler", with(func(t *ticket.Ticket) { t.AgainstStaff = []int64{3} }), unitFirst, ticket.Roster{Grid: on, Unit: []ticket.OnCall{{Staff: 3, Desk: "urban", Duty: true, Meant: true}}}, waits(ticket.WaitNobody)},
		{"the other handler is off duty", with(func(t *ticket.Ticket) { t.AgainstStaff = []int64{3} }), unitFirst, ticket.Roster{Grid: on, Unit: []ticket.OnCall{{Staff: 3, Desk: "urban", Duty: true, Meant: true}, {Staff: 4, Desk: "urban"}}}, waits(ticket.WaitNobody)},
		{"about one of two handlers", with(func(t *ticket.Ticket) { t.AgainstStaff = []int64{3} }), unitFirst, ticket.Roster{Grid: on, Unit: []ticket.OnCall{{Staff: 3, Desk: "urban", Duty: true, Meant: true}, {Staff: 4, Desk: "urban", Duty: true}}}, unitPlan(1)},
		{"the worker serves what it is about", with(func(t *ticket.Ticket) { t.Against = []string{"police"} }), gridFirst, ticket.Roster{Grid: []ticket.OnCall{{Staff: 1, Desk: grid, Duty: true, Meant: true}}}, waits(ticket.WaitAgainst)},
		{"about the grid worker", with(func(t *ticket.Ticket) { t.AgainstStaff = []int64{1} }), gridFirst, ticket.Roster{Grid: on}, gridPlan(2)},
		{"about the only worker", with(func(t *ticket.Ticket) { t.AgainstStaff = []int64{1} }), gridFirst, ticket.Roster{Grid: on[:1]}, waits(ticket.WaitAgainst)},
		{"about the grid", with(func(t *ticket.Ticket) { t.Against = []string{grid} }), gridFirst, ticket.Roster{Grid: on}, waits(ticket.WaitAgainst)},
		{"about the grid worker, another is informed", with(func(t *ticket.Ticket) { t.AgainstStaff = []int64{1} }), unitFirst, ticket.Roster{Grid: on, Unit: []ticket.OnCall{{Staff: 3, Desk: "urban", Duty: true}}}, unitPlan(2)},
		{"confidential", with(func(t *ticket.Ticket) { t.Confidential = true }), gridFirst, ticket.Roster{Grid: on, Named: namedRoster}, ticket.Plan{Lead: ticket.Desk{Kind: ticket.DeskNamed, Code: "justice", Staff: 8}}},
		{"anonymous, the one on duty is meant", with(func(t *ticket.Ticket) { t.Anonymous, t.AgainstStaff = true, []int64{8} }), unitFirst, ticket.Roster{Named: namedRoster}, ticket.Plan{Lead: ticket.Desk{Kind: ticket.DeskNamed, Code: "police", Staff: 7}}},
		{"sensitive, nobody named", with(func(t *ticket.Ticket) { t.Sensitive = true }), gridFirst, ticket.Roster{Grid: on}, waits(ticket.WaitNamed)},
		{"sensitive, both units meant", with(func(t *ticket.Ticket) { t.Sensitive, t.Against = true, []string{"police", "justice"} }), gridFirst, ticket.Roster{Named: namedRoster}, waits(ticket.WaitNamed)},
		{"private needs no place", with(func(t *ticket.Ticket) { t.Sensitive, t.Place = true, ticket.PlaceRef{} }), gridFirst, ticket.Roster{Named: namedRoster}, ticket.Plan{Lead: ticket.Desk{Kind: ticket.DeskNamed, Code: "justice", Staff: 8}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ticket.Route(c.t, c.h, c.r)
			if got.Lead != c.want.Lead || got.Reason != c.want.Reason || !slices.Equal(got.Informed, c.want.Informed) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// Whatever the roster, a plan never reaches what the claim is about, never
// shows a private ticket to more than one person, and what is planned can be
// dispatched.
func TestRouteProperties(t *testing.T) {
	r := newRules(t)
	desks := []string{"360302001001001", "urban", "police", "justice"}
	rapid.Check(t, func(t *rapid.T) {
		c := content
		c.Confidential = rapid.Bool().Draw(t, "confidential")
		c.Sensitive = rapid.Bool().Draw(t, "sensitive")
		c.Against = rapid.SliceOfNDistinct(rapid.SampledFrom(desks), 0, 3, rapid.ID).Draw(t, "against")
		c.AgainstStaff = rapid.SliceOfNDistinct(rapid.Int64Range(1, 5), 0, 4, rapid.ID).Draw(t, "againstStaff")
		members := rapid.Custom(func(t *rapid.T) ticket.OnCall {
			return ticket.OnCall{
				Staff: rapid.Int64Range(1, 5).Draw(t, "staff"),
				Desk:  rapid.SampledFrom(desks).Draw(t, "desk"),
				Duty:  rapid.Bool().Draw(t, "duty"),
				Meant: rapid.Bool().Draw(t, "meant"),
			}
		})
		roster := ticket.Roster{Grid: rapid.SliceOfN(members, 0, 4).Draw(t, "grid"), Named: rapid.SliceOfN(members, 0, 4).Draw(t, "named"), Unit: rapid.SliceOfN(members, 0, 3).Draw(t, "unit")}
		h := ticket.Handling{GridFirst: rapid.Bool().Draw(t, "gridFirst"), Unit: rapid.SampledFrom([]string{"", "urban"}).Draw(t, "unit")}
		tk, _, err := r.Apply(ticket.Ticket{}, reporter, ticket.File{Number: number, Content: c, ReporterID: reporterID}, start)
		if err != nil {
			t.Fatal(err)
		}
		plan := ticket.Route(tk, h, roster)
		if plan.Lead.Kind == ticket.DeskDispatcher {
			if plan.Reason == "" || plan.Informed != nil {
				t.Fatalf("waits without a reason: %+v", plan)
			}
			return
		}
		for _, d := range append(plan.Informed, plan.Lead) {
			if slices.Contains(c.Against, d.Code) || slices.Contains(c.AgainstStaff, d.Staff) {
				t.Fatalf("reaches what it is about: %+v", plan)
			}
			if d.Staff != 0 && !slices.ContainsFunc(slices.Concat(roster.Grid, roster.Named), func(m ticket.OnCall) bool { return m.Staff == d.Staff && !m.Meant }) {
				t.Fatalf("reaches somebody who serves what it is about: %+v", plan)
			}
			if tk.Private() && (d.Kind != ticket.DeskNamed || d.Staff == 0) {
				t.Fatalf("private ticket to %+v", d)
			}
		}
		if _, _, err := r.Apply(tk, dispatcher, ticket.Dispatch{Lead: plan.Lead, Informed: plan.Informed}, start); err != nil {
			t.Fatalf("planned and refused: %v", err)
		}
	})
}

func TestView(t *testing.T) {
	plain := ticket.Ticket{}
	secret := ticket.Ticket{Confidential: true}
	nameless := ticket.Ticket{Anonymous: true}
	sensitive := ticket.Ticket{Sensitive: true}
	for _, c := range []struct {
		name  string
		t     ticket.Ticket
		v     ticket.Viewer
		field ticket.Field
		want  ticket.Show
	}{
		{"own phone", secret, ticket.ViewReporter, ticket.FieldPhone, ticket.Full},
		{"own ticket shows no internal notes", plain, ticket.ViewReporter, ticket.FieldInternal, ticket.Hidden},
		{"signed handler may look at the phone", plain, ticket.ViewSigned, ticket.FieldPhone, ticket.Audited},
		{"colleague at the desk may not", plain, ticket.ViewDesk, ticket.FieldPhone, ticket.Hidden},
		{"never for a confidential one", secret, ticket.ViewSigned, ticket.FieldPhone, ticket.Hidden},
		{"nor the name", secret, ticket.ViewSigned, ticket.FieldName, ticket.Hidden},
		{"the callback clerk must ring", secret, ticket.ViewCallback, ticket.FieldPhone, ticket.Audited},
		{"but not when anonymous", nameless, ticket.ViewCallback, ticket.FieldPhone, ticket.Hidden},
		{"dispatcher sees a mask", plain, ticket.ViewDispatcher, ticket.FieldPhone, ticket.Masked},
		{"work group reads the words", plain, ticket.ViewGroup, ticket.FieldWords, ticket.Full},
		{"not of a sensitive one", sensitive, ticket.ViewGroup, ticket.FieldNumber, ticket.Hidden},
		{"not of a confidential one", secret, ticket.ViewInformed, ticket.FieldState, ticket.Hidden},
		{"supervisor follows private ones by number", secret, ticket.ViewSupervisor, ticket.FieldState, ticket.Full},
		{"without their words", secret, ticket.ViewSupervisor, ticket.FieldWords, ticket.Hidden},
		{"other staff", plain, ticket.ViewOther, ticket.FieldWords, ticket.Hidden},
		{"an unknown viewer", plain, ticket.Viewer("press"), ticket.FieldState, ticket.Hidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ticket.View(c.t, c.v)[c.field]; got != c.want {
				t.Errorf("%s sees %s %s, want %s", c.v, c.field, got, c.want)
			}
		})
	}
}

// Over every cell: the public sees nothing; nobody but the reporter sees who
// reported unmasked; protection only ever hides.
func TestViewMatrix(t *testing.T) {
	for _, v := range ticket.Viewers() {
		open := ticket.View(ticket.Ticket{}, v)
		for _, f := range ticket.Fields() {
			if v == ticket.ViewPublic && open[f] != ticket.Hidden {
				t.Errorf("the public sees %s", f)
			}
			if v != ticket.ViewReporter && f.Class() == ticket.ClassSensitive && open[f] == ticket.Full {
				t.Errorf("%s sees %s in full", v, f)
			}
			for _, tk := range []ticket.Ticket{{Confidential: true}, {Anonymous: true}, {Sensitive: true}} {
				if got := ticket.View(tk, v)[f]; got > open[f] {
					t.Errorf("protection shows %s more of %s: %s after %s", v, f, got, open[f])
				}
			}
			if got := ticket.View(ticket.Ticket{Anonymous: true}, v)[f]; v != ticket.ViewReporter && f.Class() == ticket.ClassSensitive && got != ticket.Hidden {
				t.Errorf("%s sees %s of an anonymous ticket", v, f)
			}
		}
	}
}
