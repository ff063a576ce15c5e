package tally

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"shaoying/internal/figures"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// Scope is what is asked for: months, and who looks. Empty filters take all.
type Scope struct {
	// From and To are first days of months, in UTC; both are in.
	From, To time.Time
	// Area is the code of a division: what lies in it.
	Area string
	// Unit is one unit's figure.
	Unit string
}

// Month is the scope of the month of now, a number of months back.
func (t *Tally) Month(now time.Time, back int) time.Time {
	return t.folder().MonthOf(now).AddDate(0, -back, 0)
}

// Cell is one place in the months with what it counts. Two of unit, area and
// matter say where it is.
type Cell struct {
	Month              time.Time
	Unit, Area, Matter string
	Sums               figures.Sums
}

// Cells reads what a scope counts at the moment by unit and area, after folding
// what has changed.
func (t *Tally) Cells(ctx context.Context, tx *postgres.Tx, s Scope, now time.Time) ([]Cell, error) {
	return t.cells(ctx, tx, byUnit, s, now)
}

// MatterCells is Cells by matter: of every area in the scope, or of its unit.
func (t *Tally) MatterCells(ctx context.Context, tx *postgres.Tx, s Scope, now time.Time) ([]Cell, error) {
	if s.Unit != "" {
		return t.cells(ctx, tx, byUnitMatter, Scope{From: s.From, To: s.To, Unit: s.Unit}, now)
	}
	return t.cells(ctx, tx, byMatter, s, now)
}

func (t *Tally) cells(ctx context.Context, tx *postgres.Tx, by side, s Scope, now time.Time) ([]Cell, error) {
	if _, err := t.Refresh(ctx, tx, 0); err != nil {
		return nil, err
	}
	rows, err := tx.FigureCells(ctx, db.FigureCellsParams{Side: string(by), Since: s.From, Until: s.To, Area: s.division(), Unit: s.Unit, Now: now})
	if err != nil {
		return nil, fmt.Errorf("read figures: %w", err)
	}
	list := make([]Cell, len(rows))
	for i, r := range rows {
		list[i] = Cell{r.Month, r.Unit, r.Area, r.Matter, figures.Of(r.M)}
	}
	return list, nil
}

// cityDigits: the code of the city covers all, also what has no place yet.
const cityDigits = 4

func (s Scope) division() string {
	if len(s.Area) <= cityDigits {
		return ""
	}
	return s.Area
}

// By adds cells up by what key says of them.
func By(list []Cell, key func(Cell) string) map[string]figures.Sums {
	sums := map[string]figures.Sums{}
	for _, c := range list {
		k := key(c)
		s := sums[k]
		s.Add(c.Sums)
		sums[k] = s
	}
	return sums
}

// Total adds all cells up.
func Total(list []Cell) (all figures.Sums) {
	for _, c := range list {
		all.Add(c.Sums)
	}
	return all
}

// Times are how long it took from dispatch to report, in minutes.
type Times struct {
	N                    int64
	WorkMedian, WorkP90  int32
	ClockMedian, Clock90 int32
}

// Times reads how long tickets of a scope took.
func (t *Tally) Times(ctx context.Context, tx *postgres.Tx, s Scope, now time.Time) (Times, error) {
	r, err := tx.FigureTime(ctx, db.FigureTimeParams{Since: s.From, Until: s.To, Now: now, Area: s.division(), Unit: s.Unit})
	if err != nil {
		return Times{}, fmt.Errorf("read how long tickets took: %w", err)
	}
	return Times{r.N, r.Work[0], r.Work[1], r.Clock[0], r.Clock[1]}, nil
}

// UnitStars is a unit with its stars, among those it may be compared with.
type UnitStars struct {
	Unit, Name, Band string
	Rates            figures.Rates
	figures.Stars
}

// Stars gives every unit of a scope its stars, by band and within it best first;
// units without enough tickets come last.
func (t *Tally) Stars(ctx context.Context, tx *postgres.Tx, s Scope, now time.Time) ([]UnitStars, error) {
	list, err := t.Cells(ctx, tx, s, now)
	if err != nil {
		return nil, err
	}
	names, err := t.Names(ctx, tx)
	if err != nil {
		return nil, err
	}
	// What fell due within the months, and is owed now.
	before := s.To.AddDate(0, 1, 0)
	if now.Before(before) {
		before = now
	}
	owed, err := tx.UnansweredSupervisions(ctx, before)
	if err != nil {
		return nil, fmt.Errorf("count unanswered supervisions: %w", err)
	}
	unanswered := map[string]int{}
	for _, r := range owed {
		unanswered[figures.UnitOf(r.Desk)] += int(r.N)
	}
	var all []UnitStars
	for unit, sums := range By(list, func(c Cell) string { return c.Unit }) {
		if unit == "" || sums[figures.N] == 0 {
			continue
		}
		u := UnitStars{Unit: unit, Name: names(unit), Band: t.band(unit), Rates: t.Policy.Rates(sums)}
		u.Stars = t.Policy.Stars(u.Rates, unanswered[unit])
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b UnitStars) int {
		if c := strings.Compare(a.Band, b.Band); c != 0 {
			return c
		}
		switch {
		case a.Thin != b.Thin:
			return map[bool]int{true: 1, false: -1}[a.Thin]
		case a.Count != b.Count:
			return b.Count - a.Count
		case a.Total != b.Total && !a.Thin:
			return map[bool]int{true: -1, false: 1}[a.Total > b.Total]
		}
		return strings.Compare(a.Unit, b.Unit)
	})
	return all, nil
}

// band is with whom a unit may be compared.
func (t *Tally) band(unit string) string {
	if u, ok := t.Units.Get(unit); ok {
		return u.Band
	}
	return t.Policy.Stars5.TownshipBand
}

// Names returns what units and divisions are called; an unknown code is its own
// name.
func (t *Tally) Names(ctx context.Context, tx *postgres.Tx) (func(code string) string, error) {
	rows, err := tx.DivisionNames(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the names of divisions: %w", err)
	}
	names := make(map[string]string, len(rows))
	for _, r := range rows {
		names[r.Code] = r.Name
	}
	for _, u := range t.Units.All() {
		names[u.Code] = u.Name
	}
	return func(code string) string {
		if name := names[code]; name != "" {
			return name
		}
		return code
	}, nil
}

// Worries gives the worry index of the areas in a scope: at the given length of
// division code (6 county, 9 township), against the whole city.
func (t *Tally) Worries(ctx context.Context, tx *postgres.Tx, s Scope, digits int, now time.Time) (figures.WorryTable, error) {
	city, err := t.MatterCells(ctx, tx, Scope{From: s.From, To: s.To}, now)
	if err != nil {
		return figures.WorryTable{}, err
	}
	residents, err := t.residents(ctx, tx)
	if err != nil {
		return figures.WorryTable{}, err
	}
	in := figures.WorryInput{Cells: map[string]map[string]figures.Sums{}, Residents: residents}
	for _, c := range city {
		m, ok := t.Matters.Get(c.Matter)
		if !ok || c.Sums[figures.Filed] == 0 && c.Sums[figures.FiledOverdue] == 0 || len(c.Area) < digits {
			continue
		}
		area := c.Area[:digits]
		if in.Cells[area] == nil {
			in.Cells[area] = map[string]figures.Sums{}
		}
		sums := in.Cells[area][m.Worry]
		sums.Add(c.Sums)
		in.Cells[area][m.Worry] = sums
	}
	for area := range in.Cells {
		if strings.HasPrefix(area, s.division()) {
			in.Areas = append(in.Areas, area)
		}
	}
	slices.Sort(in.Areas)
	return t.Policy.Worries(in), nil
}

// residents are the inhabitants by code of county and township.
func (t *Tally) residents(ctx context.Context, tx *postgres.Tx) (map[string]int, error) {
	rows, err := tx.VillagesByTownship(ctx)
	if err != nil {
		return nil, fmt.Errorf("count villages: %w", err)
	}
	const countyDigits = 6
	n := map[string]int{}
	for _, r := range rows {
		people := int(r.N) * t.Policy.Worry.PerVillage
		if known, ok := t.Policy.Worry.Residents[r.Township]; ok {
			people = known
		}
		n[r.Township] += people
		n[r.Township[:countyDigits]] += people
	}
	maps.Copy(n, t.Policy.Worry.Residents)
	return n, nil
}

// Flag is a rating that a person should look at.
type Flag struct {
	Ticket int64
	Number ticket.Number
	At     time.Time
	// Own: it came from somebody who signed for the ticket, or from their
	// telephone. Else it is one of several from one address within a minute.
	Own bool
}

// Flags lists the ratings of a scope's months that look like gaming. They count
// in the figures all the same until a reviewer takes the ticket out.
func (t *Tally) Flags(ctx context.Context, tx *postgres.Tx, s Scope) ([]Flag, error) {
	loc := t.Work.Location()
	day := func(m time.Time) time.Time { return time.Date(m.Year(), m.Month(), 1, 0, 0, 0, 0, loc) }
	since, until := day(s.From), day(s.To.AddDate(0, 1, 0))
	rule := t.Policy.Flags
	rows, err := tx.RatingsBy(ctx, since, until, int32(rule.Tickets))
	if err != nil {
		return nil, fmt.Errorf("find bursts of ratings: %w", err)
	}
	given := make([]figures.Given, len(rows))
	for i, r := range rows {
		given[i] = figures.Given{By: r.RatedBy, At: r.RatedAt, Ticket: r.TicketID}
	}
	flags := map[int64]Flag{}
	for _, g := range figures.Bursts(given, rule.Tickets, time.Duration(rule.Seconds)*time.Second) {
		flags[g.Ticket] = Flag{Ticket: g.Ticket, At: g.At}
	}
	own, err := tx.RatingsByHandlers(ctx, since, until)
	if err != nil {
		return nil, fmt.Errorf("find ratings by handlers: %w", err)
	}
	for _, r := range own {
		flags[r.TicketID] = Flag{Ticket: r.TicketID, At: r.RatedAt, Own: true}
	}
	numbers, err := tx.TicketNumbers(ctx, slices.Sorted(maps.Keys(flags)))
	if err != nil {
		return nil, fmt.Errorf("read the numbers of tickets: %w", err)
	}
	list := make([]Flag, len(numbers))
	for i, n := range numbers {
		list[i] = flags[n.ID]
		list[i].Number = ticket.Number(n.Number)
	}
	return list, nil
}
