package demo

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"shaoying/configs"
	"shaoying/internal/care"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// City is what a demo database is filled with.
type City struct {
	Divisions []people.Division
	Grids     []people.Grid
	Places    []people.Place
	Clinics   []care.ClinicRow
	Staff     []people.StaffRow
}

// Generate lays the city. The same plan and files give the same city.
func Generate(p Plan, units *ticket.Units) (City, error) {
	files := make([]people.File, len(divisionFiles))
	for i, name := range divisionFiles {
		body, err := configs.Read(name)
		if err != nil {
			return City{}, fmt.Errorf("read embedded %s: %w", name, err)
		}
		files[i] = people.File{Name: name, Body: body}
	}
	var c City
	var err error
	if c.Divisions, err = people.ParseDivisions(files...); err != nil {
		return c, err
	}
	random := rand.New(rand.NewPCG(p.Seed, p.Seed))
	if c.Grids, err = p.layGrids(c.Divisions, random); err != nil {
		return c, err
	}
	body, err := configs.Read(placesFile)
	if err != nil {
		return c, fmt.Errorf("read embedded %s: %w", placesFile, err)
	}
	all, err := people.ParsePlaces(people.File{Name: placesFile, Body: body}, c.Divisions, c.Grids)
	if err != nil {
		return c, err
	}
	c.Places = all.Places
	p.nameGrids(&c)
	clinics, err := ReadCarePlan()
	if err != nil {
		return c, err
	}
	if body, err = configs.Read(clinicsFile); err != nil {
		return c, fmt.Errorf("read embedded %s: %w", clinicsFile, err)
	}
	codes := make([]string, len(c.Divisions))
	for i, d := range c.Divisions {
		codes[i] = string(d.Code)
	}
	if c.Clinics, err = care.ParseClinics(people.File{Name: clinicsFile, Body: body}, nil, codes); err != nil {
		return c, err
	}
	c.Staff = p.hire(&c, units, clinics.Staff, random)
	return c, nil
}

// layGrids gives each village its grids. Where the plan's total is not met at
// first, villages in random order get one more or one less, within the range.
func (p Plan) layGrids(divisions []people.Division, random *rand.Rand) ([]people.Grid, error) {
	var villages []people.DivisionCode
	for _, d := range divisions {
		if d.Level == people.LevelVillage {
			villages = append(villages, d.Code)
		}
	}
	span := p.PerVillage
	if p.Grids < len(villages)*span.Min || p.Grids > len(villages)*span.Max {
		return nil, fmt.Errorf("%d grids cannot be laid over %d villages with %d to %d each", p.Grids, len(villages), span.Min, span.Max)
	}
	counts := make([]int, len(villages))
	left := p.Grids
	for i := range counts {
		counts[i] = span.Min + random.IntN(span.Max-span.Min+1)
		left -= counts[i]
	}
	for left != 0 {
		i := random.IntN(len(counts))
		switch {
		case left > 0 && counts[i] < span.Max:
			counts[i]++
			left--
		case left < 0 && counts[i] > span.Min:
			counts[i]--
			left++
		}
	}
	grids := make([]people.Grid, 0, p.Grids)
	for i, v := range villages {
		for n := range counts[i] {
			grids = append(grids, people.Grid{Code: people.GridCode(fmt.Sprintf("%s%03d", v, n+1)), Village: v})
		}
	}
	return grids, nil
}

// nameGrids calls a grid after the estate in it, or by its number in the
// village, and gives it its party branch or group. Branches stand in the first
// grids of villages.
func (p Plan) nameGrids(c *City) {
	estates := make(map[people.GridCode]string)
	for _, place := range c.Places {
		if place.Kind == people.PlaceEstate && place.Grid != "" {
			estates[place.Grid] = place.Name
		}
	}
	villages := make(map[people.DivisionCode]string)
	for _, d := range c.Divisions {
		villages[d.Code] = d.Name
	}
	branches := p.Branches
	for _, i := range byNumber(c.Grids) {
		g := &c.Grids[i]
		g.Name = strings.ReplaceAll(p.Names.Grid, "{n}", p.Names.Numbers[number(g.Code)-1])
		if e := estates[g.Code]; e != "" {
			g.Name = strings.ReplaceAll(p.Names.EstateGrid, "{estate}", e)
		}
		pattern := p.Names.Group
		if branches > 0 {
			pattern = p.Names.Branch
			branches--
		}
		g.PartyGroup = strings.NewReplacer("{village}", villages[g.Village], "{grid}", g.Name).Replace(pattern)
	}
}

// number is the number of a grid in its village, from 1.
func number(g people.GridCode) int {
	n, _ := strconv.Atoi(string(g[len(g.Village()):])) // digits: layGrids wrote them
	return n
}

// byNumber orders grids so that the first ones of all villages come first.
func byNumber(grids []people.Grid) []int {
	order := make([]int, len(grids))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(number(grids[a].Code), number(grids[b].Code)) })
	return order
}

// hire staffs grids, units' desks, counties, the city and the clinics.
func (p Plan) hire(c *City, units *ticket.Units, clinics []Hired, random *rand.Rand) []people.StaffRow {
	h := hiring{plan: p, random: random}
	for _, g := range c.Grids {
		area := people.Area{Kind: people.AreaGrid, Code: string(g.Code)}
		leader := "leader-" + area.Code
		h.add("worker-"+area.Code, leader, people.RoleGridWorker, area)
		h.add(leader, "", people.RoleGridLeader, area)
		for n := range p.Aides.Min + random.IntN(p.Aides.Max-p.Aides.Min+1) {
			h.add(fmt.Sprintf("aide-%s-%d", area.Code, n+1), "", people.RoleAide, area)
		}
	}
	for _, u := range units.All() {
		code := strings.ReplaceAll(u.Code, "_", "-")
		for n := range p.Handlers {
			substitute := ""
			if p.Handlers > 1 {
				substitute = fmt.Sprintf("%s-%d", code, (n+1)%p.Handlers+1)
			}
			h.add(fmt.Sprintf("%s-%d", code, n+1), substitute, people.RoleHandler, people.Area{Kind: people.AreaUnit, Code: u.Code})
		}
	}
	for _, d := range c.Divisions {
		h.office(d)
	}
	// The heads come last, and level by level, so that nobody else's invented
	// name changes when a level is added.
	for _, level := range []people.DivisionLevel{people.LevelTownship, people.LevelVillage, people.LevelCounty, people.LevelCity} {
		for _, d := range c.Divisions {
			if d.Level == level {
				h.head(d)
			}
		}
	}
	for _, s := range clinics {
		h.add(s.Slug, s.Substitute, s.Role, people.Area{Kind: people.AreaUnit, Code: s.Unit})
	}
	return h.staff
}

// head puts somebody at the head of a division: with the grids' workers and the
// counties' desks they are the rungs of the ladder (policies/tickets.yaml).
func (h *hiring) head(d people.Division) {
	area := people.Area{Kind: people.AreaKind(d.Level), Code: string(d.Code)}
	role := people.RoleLeader
	if d.Level == people.LevelVillage {
		role = people.RoleGridLeader
	}
	h.add("head-"+area.Code, "", role, area)
}

// office staffs the desk of a division.
func (h *hiring) office(d people.Division) {
	area := people.Area{Kind: people.AreaKind(d.Level), Code: string(d.Code)}
	desk := []people.Role{people.RoleDispatcher, people.RoleCallbackClerk, people.RoleClerk, people.RoleSupervisor}
	switch {
	case d.Level == people.LevelTownship:
		h.add("police-"+area.Code, "", people.RoleCommunityPolice, area)
		h.add("auxiliary-"+area.Code, "", people.RoleAuxiliary, area)
		return
	case string(d.Code) == workorder.CityCode:
		desk = append(desk, people.RoleAdmin)
	case d.Level != people.LevelCounty:
		return
	}
	for _, role := range desk {
		h.add(strings.ReplaceAll(string(role), "_", "-")+"-"+area.Code, "", role, area)
	}
}

// hiring makes staff with invented names.
type hiring struct {
	plan   Plan
	random *rand.Rand
	staff  []people.StaffRow
}

func (h *hiring) add(slug, substitute string, role people.Role, area people.Area) {
	h.staff = append(h.staff, people.StaffRow{
		Slug: slug, Name: h.name(), Substitute: substitute, Grants: []people.Grant{{Role: role, Area: area}},
	})
}

// name invents a name that nobody of the newspaper report bears.
func (h *hiring) name() string {
	pick := func(from []string) string { return from[h.random.IntN(len(from))] }
	for {
		name := pick(h.plan.Surnames)
		if h.random.IntN(3) > 0 {
			name += pick(h.plan.First)
		}
		name += pick(h.plan.Second)
		if !slices.Contains(h.plan.Never, name) {
			return name
		}
	}
}
