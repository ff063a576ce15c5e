package people_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/configs"
	"shaoying/internal/people"
)

var update = flag.Bool("update", false, "write the golden matrices anew")

var now = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)

func rights(t testing.TB) people.Rights {
	t.Helper()
	body, err := configs.Read("policies/rights.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := people.ParseRights("rights.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// golden compares a generated matrix with what was reviewed.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) == got {
		return
	}
	wants := strings.Split(string(want), "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(wants) || line != wants[i] {
			t.Fatalf("%s line %d: rights changed; review, then go test ./internal/people -update\n got %s\nwant %s", path, i+1, line, append(wants, "")[min(i, len(wants))])
		}
	}
	t.Fatalf("%s: rights were removed; review, then go test ./internal/people -update", path)
}

const (
	city     = "3603"
	county   = "360302"
	township = "360302001"
	village  = "360302001002"
	grid     = "360302001002001"
	unit     = "urban"
	me       = 7
)

func areaOf(k people.AreaKind) people.Area {
	return people.Area{Kind: k, Code: map[people.AreaKind]string{
		people.AreaCity: city, people.AreaCounty: county, people.AreaTownship: township,
		people.AreaVillage: village, people.AreaGrid: grid, people.AreaUnit: unit,
	}[k]}
}

// Every cell: role in a kind of area × command × where the subject lies.
func TestRightsMatrix(t *testing.T) {
	r := rights(t)
	inside := people.Subject{Division: village, Grid: grid, Unit: unit}
	private := inside
	private.Private = true
	named := private
	named.Named = []int64{me}
	namedElsewhere := people.Subject{Division: "360323101001", Unit: "police", Private: true, Named: []int64{me}}
	subjects := []struct {
		letter string
		s      people.Subject
	}{
		{"i", inside},
		{"g", people.Subject{Division: village, Grid: "360302001002002", Unit: "police"}}, // the next grid, another unit
		{"o", people.Subject{Division: "360323101001", Grid: "360323101001001", Unit: "police"}},
		{"u", people.Subject{}}, // unknown place
		{"p", private},
		{"n", named},
		{"e", namedElsewhere},
	}
	var b strings.Builder
	b.WriteString("# i inside · g next grid · o another county and unit · u unknown place · p private · n private and named · e named, elsewhere\n")
	for _, role := range people.Roles() {
		for _, kind := range people.AreaKinds() {
			staff := people.Staff{ID: me, Grants: []people.Grant{{Role: role, Area: areaOf(kind)}}}
			for _, c := range people.StaffCommands() {
				cell := ""
				for _, s := range subjects {
					if r.May(staff, c, s.s, now) {
						cell += s.letter
					}
				}
				if cell != "" {
					fmt.Fprintf(&b, "%-17s %-9s %-19s %s\n", role, kind, c, cell)
				}
			}
		}
	}
	golden(t, "rights.golden", b.String())
}

// Every cell once more, by how the area of the subject lies to the area of the
// grant: own, above, below, foreign. Nothing is left out: what nobody may is a
// row of dashes.
func TestRightsByArea(t *testing.T) {
	r := rights(t)
	var b strings.Builder
	b.WriteString("# role, kind of area, command: own above below foreign\n")
	for _, role := range people.Roles() {
		for _, kind := range people.AreaKinds() {
			staff := people.Staff{ID: me, Grants: []people.Grant{{Role: role, Area: areaOf(kind)}}}
			grantable := r.Grantable(staff.Grants[0])
			for _, c := range people.StaffCommands() {
				row := ""
				for _, at := range areasAround(kind) {
					cell := "-"
					switch {
					case at.s == nil:
						cell = "." // there is no such area
					case r.May(staff, c, *at.s, now):
						cell = at.name
					}
					row += fmt.Sprintf(" %-7s", cell)
				}
				if grantable {
					fmt.Fprintf(&b, "%-17s %-9s %-19s%s\n", role, kind, c, strings.TrimRight(row, " "))
				} else if strings.Trim(row, " -.") != "" {
					t.Errorf("%s in a %s may %s, though nobody can be that", role, kind, c)
				}
			}
		}
	}
	golden(t, "rights_areas.golden", b.String())
}

type around struct {
	name string
	s    *people.Subject
}

// areasAround are the subjects that are an area of the kind itself, the one
// above it, one below it, and another of the same kind elsewhere.
func areasAround(kind people.AreaKind) []around {
	division := func(code string) *people.Subject { return &people.Subject{Division: code} }
	inGrid := func(code string) *people.Subject { return &people.Subject{Division: code[:12], Grid: code} }
	const otherVillage, otherGrid = "360323101001", "360323101001001"
	switch kind {
	case people.AreaCity:
		return []around{{"own", division(city)}, {"above", nil}, {"below", division(county)}, {"foreign", division("3604")}}
	case people.AreaCounty:
		return []around{{"own", division(county)}, {"above", division(city)}, {"below", division(township)}, {"foreign", division("360323")}}
	case people.AreaTownship:
		return []around{{"own", division(township)}, {"above", division(county)}, {"below", division(village)}, {"foreign", division("360323101")}}
	case people.AreaVillage:
		return []around{{"own", division(village)}, {"above", division(township)}, {"below", inGrid(grid)}, {"foreign", division(otherVillage)}}
	case people.AreaGrid:
		return []around{{"own", inGrid(grid)}, {"above", division(village)}, {"below", nil}, {"foreign", inGrid(otherGrid)}}
	}
	return []around{{"own", &people.Subject{Unit: unit}}, {"above", nil}, {"below", nil}, {"foreign", &people.Subject{Unit: "police"}}}
}

// What the areas must keep to whatever the table says: nobody reaches above what
// they hold, nor next door.
func TestNobodyReachesAboveOrNextDoor(t *testing.T) {
	r := rights(t)
	for _, role := range people.Roles() {
		for _, kind := range people.AreaKinds() {
			staff := people.Staff{ID: me, Grants: []people.Grant{{Role: role, Area: areaOf(kind)}}}
			for _, c := range people.StaffCommands() {
				for _, at := range areasAround(kind) {
					if (at.name == "above" || at.name == "foreign") && at.s != nil && r.May(staff, c, *at.s, now) {
						t.Errorf("%s of a %s may %s %s", role, kind, c, at.name)
					}
				}
			}
		}
	}
}

// What must hold whatever the table says.
func TestRightsPrinciples(t *testing.T) {
	r := rights(t)
	handling := []people.StaffCommand{people.MayTakeTicket, people.MayFinishTicket}
	judging := []people.StaffCommand{people.MayCallBack, people.MayJudge}
	for _, role := range people.Roles() {
		for _, h := range handling {
			for _, j := range judging {
				if slices.Contains(r.Commands[h], role) && slices.Contains(r.Commands[j], role) {
					t.Errorf("%s may both %s and %s: who handles does not judge", role, h, j)
				}
			}
		}
	}
	nobody := people.Staff{ID: me}
	gone := people.Staff{ID: me, EndedAt: now, Grants: []people.Grant{{Role: people.RoleAdmin, Area: areaOf(people.AreaCity)}}}
	stray := people.Staff{ID: me, Grants: []people.Grant{
		{Role: people.RoleAdmin, Area: areaOf(people.AreaGrid)},                              // not grantable there
		{Role: people.RoleDispatcher, Area: people.Area{Kind: people.AreaCity}},              // empty code
		{Role: people.RoleDispatcher, Area: people.Area{Kind: people.AreaCounty, Code: "3"}}, // not a county code
		{Role: "king", Area: areaOf(people.AreaCity)},
	}}
	for _, c := range append(people.StaffCommands(), "unheard.of") {
		for _, s := range []people.Staff{nobody, gone, stray} {
			for _, on := range []people.Subject{{}, {Division: village, Grid: grid, Unit: unit}, {Private: true, Named: []int64{me}}} {
				if r.May(s, c, on, now) {
					t.Errorf("%+v may %s on %+v", s.Grants, c, on)
				}
			}
		}
	}
	clerk := people.Staff{ID: me, Grants: []people.Grant{
		{Role: people.RoleDispatcher, Area: areaOf(people.AreaCity)}, {Role: people.RoleHandler, Area: areaOf(people.AreaUnit)},
	}}
	for _, c := range []struct {
		name string
		on   people.Subject
		want bool
	}{
		{"about another unit", people.Subject{Division: village, Against: []string{"police"}, AgainstStaff: []int64{8}}, true},
		{"about their unit", people.Subject{Division: village, Against: []string{unit}}, false},
		{"about them", people.Subject{Division: village, AgainstStaff: []int64{me}}, false},
		{"about them, and named by mistake", people.Subject{Private: true, Named: []int64{me}, AgainstStaff: []int64{me}}, false},
	} {
		if got := r.May(clerk, people.MayViewTicket, c.on, now); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
	if admin := (people.Staff{ID: me, Grants: []people.Grant{{Role: people.RoleAdmin, Area: areaOf(people.AreaCity)}}}); r.May(admin, people.MayViewTicket, people.Subject{Division: village}, now) {
		t.Error("an administrator reads tickets")
	}
}

func TestRightsErrors(t *testing.T) {
	body, err := configs.Read("policies/rights.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{"  ticket.judge: [callback_clerk]\n", "", "commands.ticket.judge is missing"},
		{"ticket.judge:", "ticket.jugde:", "commands.ticket.jugde is no command"},
		{"ticket.judge: [callback_clerk]", "ticket.judge: [callback]", `"callback", which is no role`},
		{"  leader: [township, county, city, unit]\n", "", "areas.leader is missing"},
		{"doctor: [unit]", "doctor: [ward]", `"ward", which is no kind of area`},
		{"private: [dispatcher,", "private: [boss,", `"boss", which is no role`},
		{"silent: 2160h", "silent: 0h", "trust.silent"},
		{"digits: 6", "digits: 4", "6 to 10 digits"},
		{"notice_version: 1", "notice_version: 0", "notice_version"},
		{"notice_version: 1", "notice_versions: 1", "notice_versions"},
	} {
		changed := strings.Replace(string(body), c.from, c.to, 1)
		if changed == string(body) {
			t.Errorf("case %q changes nothing", c.from)
		}
		if _, err := people.ParseRights("rights.yaml", []byte(changed)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.to, err, c.want)
		}
	}
}

// Every cell of promise S3: command × trust × by prompt.
func TestTrustMatrix(t *testing.T) {
	var b strings.Builder
	b.WriteString("# command: none session stable verified | the same as answer to an open prompt\n")
	trusts := []bots.Trust{bots.TrustNone, bots.TrustSession, bots.TrustStable, bots.TrustVerified}
	for _, c := range append(people.ResidentCommands(), "unheard_of") {
		fmt.Fprintf(&b, "%-16s", c)
		row := ""
		for _, prompt := range []bool{false, true} {
			if prompt {
				row += " |"
			}
			for _, trust := range trusts {
				row += fmt.Sprintf(" %-9s", people.Allowed(c, trust, prompt))
			}
		}
		b.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	golden(t, "trust.golden", b.String())
}

func TestTrustPrinciples(t *testing.T) {
	for _, c := range people.ResidentCommands() {
		for _, prompt := range []bool{false, true} {
			if d := people.Allowed(c, bots.TrustVerified+1, prompt); d != people.Deny {
				t.Errorf("%s at an unknown trust: %s", c, d)
			}
		}
		for _, trust := range []bots.Trust{bots.TrustNone, bots.TrustSession, bots.TrustStable, bots.TrustVerified} {
			switch c {
			case people.CmdExport, people.CmdErase, people.CmdReadHealth, people.CmdCancelCare, people.CmdLeaveProgramme, people.CmdChangePhone:
				if d := people.Allowed(c, trust, true); d == people.Allow || d == people.AllowOwn {
					t.Errorf("%s by %s goes through with neither code nor desk", c, trust)
				}
			}
		}
	}
}
