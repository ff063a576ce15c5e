package demo

import (
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/configs"
	"shaoying/internal/city"
	"shaoying/internal/clock"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/pgtest"
	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// open gives the test a database with the schema and nothing in it.
func open(t testing.TB) *postgres.DB {
	t.Helper()
	d, err := postgres.Open(t.Context(), pgtest.DSN(t, postgres.Migrate), clock.New(), postgres.Options{AllowUnsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func testKeys(t testing.TB) *privacy.Keys {
	t.Helper()
	keys, err := privacy.NewKeys(make([]byte, privacy.MasterSize))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func testUnits(t testing.TB) *ticket.Units {
	t.Helper()
	body, err := configs.Read("units.yaml")
	if err != nil {
		t.Fatal(err)
	}
	units, err := ticket.ParseUnits("units.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	return units
}

func loader(t testing.TB, d *postgres.DB) Loader {
	return Loader{DB: d, Keys: testKeys(t), Units: testUnits(t), Web: "web"}
}

func quietLog() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// The city is laid once, fast, and 昌盛小区3栋 reaches one named grid worker.
func TestLoad(t *testing.T) {
	ctx, d := t.Context(), open(t)
	began := clock.New()
	start := began.Wall()
	laid, err := loader(t, d).Load(ctx)
	took := began.Since(start)
	if err != nil || !laid {
		t.Fatalf("laid %v, %v", laid, err)
	}
	t.Logf("the demo city was laid in %v", took)
	if all, err := d.Grids(ctx); err != nil || len(all) != 3186 {
		t.Fatalf("%d grids, %v", len(all), err)
	}
	now, err := d.ProductNow(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if begin := time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC); now.Before(begin) || now.After(begin.Add(time.Minute)) || begin.Weekday() != time.Tuesday {
		t.Errorf("product time is %v", now)
	}

	t.Run("again", func(t *testing.T) {
		laid, err := loader(t, d).Load(ctx)
		if err != nil || laid {
			t.Fatalf("laid %v, %v", laid, err)
		}
	})
	t.Run("every grid has its people", func(t *testing.T) { everyGrid(t, d) })
	t.Run("place to worker", func(t *testing.T) {
		places, err := city.NewPlaces(ctx, d, postgres.NewBus(d, quietLog()), quietLog())
		if err != nil {
			t.Fatal(err)
		}
		r := places.Current().Find("昌盛小区3栋楼下水井盖有些松动，走上去会响", nil)
		if r.Status != people.Found || r.Match.Grid != "360313001010001" {
			t.Fatalf("%+v", r)
		}
		staff, err := d.StaffWith(ctx, []string{"grid_worker"}, []string{string(r.Match.Grid)})
		if err != nil || len(staff) != 1 || staff[0].Name == "" || staff[0].Substitute == nil || !staff[0].OnDuty {
			t.Fatalf("%+v, %v", staff, err)
		}
		if r := places.Current().Find("桥头村的路坏了", nil); r.Status != people.Ambiguous || len(r.Options) < 2 {
			t.Errorf("桥头村: %+v", r)
		}
	})
	t.Run("a seat for everybody", func(t *testing.T) {
		rows, err := d.StaffIDs(ctx, []string{"worker-360313001010001"})
		if err != nil || len(rows) != 1 {
			t.Fatalf("%v, %v", rows, err)
		}
		all, err := d.AddressesOf(ctx, rows[0].PersonID)
		if err != nil || len(all) != 1 || all[0].Chat != string(seatOf(testKeys(t), "worker-360313001010001")) || all[0].Trust != "verified" {
			t.Fatalf("%+v, %v", all, err)
		}
	})
}

func everyGrid(t *testing.T, d *postgres.DB) {
	ctx := t.Context()
	all, err := d.Grids(ctx)
	if err != nil {
		t.Fatal(err)
	}
	areas := make([]string, len(all))
	for i, g := range all {
		areas[i] = g.ID
	}
	rows, err := d.StaffWith(ctx, []string{"grid_worker", "grid_leader", "aide"}, areas)
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]map[string]int{}
	for _, r := range rows {
		if has[r.Area] == nil {
			has[r.Area] = map[string]int{}
		}
		has[r.Area][r.Role]++
	}
	for _, g := range areas {
		if h := has[g]; h["grid_worker"] != 1 || h["grid_leader"] != 1 || h["aide"] < 1 {
			t.Fatalf("grid %s has %v", g, h)
		}
	}
}

// A database with anything real in it is left alone.
func TestLoadRefusesOthers(t *testing.T) {
	ctx, d := t.Context(), open(t)
	if _, err := d.NewPersons(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := loader(t, d).Load(ctx); !errors.Is(err, ErrNotDemo) {
		t.Fatalf("%v", err)
	}
	if shifted, err := d.ClockIsShifted(ctx); err != nil || shifted {
		t.Errorf("the clock moved: %v, %v", shifted, err)
	}
	if all, err := d.Grids(ctx); err != nil || len(all) != 0 {
		t.Errorf("%d grids, %v", len(all), err)
	}
}

func generated(t testing.TB) (Plan, City) {
	t.Helper()
	plan, err := ReadPlan()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Generate(plan, testUnits(t))
	if err != nil {
		t.Fatal(err)
	}
	return plan, c
}

func TestGenerate(t *testing.T) {
	plan, c := generated(t)
	levels := map[people.DivisionLevel]int{}
	for _, d := range c.Divisions {
		levels[d.Level]++
	}
	if levels[people.LevelCounty] != 5 || levels[people.LevelTownship] != 58 || levels[people.LevelVillage] != 789 {
		t.Errorf("divisions: %v", levels)
	}
	if len(c.Grids) != 3186 {
		t.Errorf("%d grids", len(c.Grids))
	}
	branches, groups := 0, 0
	perVillage := map[people.DivisionCode]int{}
	for _, g := range c.Grids {
		perVillage[g.Village]++
		if !g.Code.Valid() || g.Code.Village() != g.Village || g.Name == "" {
			t.Fatalf("grid %+v", g)
		}
		if strings.HasSuffix(g.PartyGroup, "党支部") {
			branches++
		} else if strings.HasSuffix(g.PartyGroup, "党小组") {
			groups++
		}
	}
	if branches != 564 || groups != 2622 {
		t.Errorf("%d branches and %d groups", branches, groups)
	}
	for v, n := range perVillage {
		if n < 3 || n > 6 {
			t.Errorf("village %s has %d grids", v, n)
		}
	}
	i := slices.IndexFunc(c.Grids, func(g people.Grid) bool { return g.Code == "360313001010001" })
	if c.Grids[i].Name != "昌盛小区网格" || c.Grids[i+2].Name != "第三网格" {
		t.Errorf("names: %s, %s", c.Grids[i].Name, c.Grids[i+2].Name)
	}
	if n := len(c.Places); n < 150 || n > 300 {
		t.Errorf("%d places", n)
	}
	slugs := map[string]bool{}
	for _, s := range c.Staff {
		if slugs[s.Slug] || slices.Contains(plan.Never, s.Name) || len([]rune(s.Name)) < 2 {
			t.Fatalf("staff %+v", s)
		}
		slugs[s.Slug] = true
	}
	for _, s := range c.Staff {
		if s.Substitute != "" && (!slugs[s.Substitute] || s.Substitute == s.Slug) {
			t.Errorf("%s has the substitute %q", s.Slug, s.Substitute)
		}
	}
	_, again := generated(t)
	if !slices.Equal(c.Grids, again.Grids) || !slices.EqualFunc(c.Staff, again.Staff, func(a, b people.StaffRow) bool { return a.Slug == b.Slug && a.Name == b.Name }) {
		t.Error("laid twice, the city differs")
	}
}

// Wherever a ticket is, each rung of the ladder has somebody of its own, who
// holds no other rung.
func TestEveryRungHasItsOwnPerson(t *testing.T) {
	body, err := configs.Read("policies/tickets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	policy, err := ticket.ParsePolicy("policies/tickets.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	_, c := generated(t)
	holders := map[people.Grant][]string{}
	for _, s := range c.Staff {
		for _, g := range s.Grants {
			holders[g] = append(holders[g], s.Slug)
		}
	}
	for _, g := range c.Grids {
		seen := map[string]bool{}
		for _, r := range policy.Ladder.Rungs {
			area := people.Area{Kind: people.AreaKind(r.Area), Code: string(g.Code)}
			if area.Kind != people.AreaGrid {
				area.Code = string(g.Village.At(people.DivisionLevel(area.Kind)))
			}
			there := holders[people.Grant{Role: people.Role(r.Role), Area: area}]
			if len(there) != 1 || seen[there[0]] {
				t.Fatalf("grid %s, rung %s: %v holds it, above %v", g.Code, r.Code, there, seen)
			}
			seen[there[0]] = true
		}
	}
}

// Every grant of the demo is one that an operator could give too.
func TestGrantsAreGrantable(t *testing.T) {
	body, err := configs.Read("policies/rights.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rights, err := people.ParseRights("policies/rights.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	_, c := generated(t)
	held := map[people.Role]bool{}
	for _, s := range c.Staff {
		for _, g := range s.Grants {
			held[g.Role] = true
			if !rights.Grantable(g) {
				t.Errorf("%s: %+v cannot be granted", s.Slug, g)
			}
		}
	}
	for _, r := range []people.Role{
		people.RoleGridWorker, people.RoleGridLeader, people.RoleAide, people.RoleCommunityPolice, people.RoleDispatcher,
		people.RoleHandler, people.RoleCallbackClerk, people.RoleSupervisor, people.RoleClerk, people.RoleAdmin,
	} {
		if !held[r] {
			t.Errorf("nobody is %s", r)
		}
	}
}

func TestParsePlanSaysWhatIsWrong(t *testing.T) {
	body, err := configs.Read(planFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, from, to, want string }{
		{"unknown key", "branches: 564", "brunches: 564", "brunches"},
		{"start", `start: "2026`, `start: "26`, "start"},
		{"range", "{min: 3, max: 6}", "{min: 6, max: 3}", "per_village"},
		{"numbers", "{min: 3, max: 6}", "{min: 3, max: 9}", "numbers"},
		{"aides", "aides: {min: 1", "aides: {min: -1", "aides"},
		{"handlers", "handlers: 2", "handlers: 0", "handler"},
		{"branches", "branches: 564", "branches: 4000", "branches"},
		{"pattern", "第{n}网格", "第网格", "names.grid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParsePlan("city.yaml", []byte(strings.Replace(string(body), tc.from, tc.to, 1)))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
		})
	}
	plan, err := ReadPlan()
	if err != nil {
		t.Fatal(err)
	}
	plan.Grids = 100
	if _, err := Generate(plan, testUnits(t)); err == nil || !strings.Contains(err.Error(), "100 grids") {
		t.Errorf("too few grids: %v", err)
	}
}
