package api

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"shaoying/internal/figures"
	"shaoying/internal/people"
	"shaoying/internal/tally"
)

func (a *API) figures() {
	read(a, get("listFigures", "/figures", "Rates of the token's area or unit, by month, unit or area"), people.MaySeeFigures, a.listFigures)
	read(a, get("listStars", "/figures/stars", "The stars of units, by band"), people.MaySeeFigures, a.listStars)
	read(a, get("listWorries", "/figures/worries", "The worry index of a month, by area"), people.MaySeeFigures, a.listWorries)
	read(a, get("listWhistleStars", "/figures/whistles", "What units' whistle appraisals of a year come to; apart from the residents' stars"), people.MaySeeWhistleStars, a.listWhistleStars)
}

// maxMonths bounds how many months one answer adds up or lists.
const maxMonths = 36

// The digits of division codes (GB/T 10114). Figures go down to the township.
const (
	countyDigits   = 6
	townshipDigits = 9
)

// Months is the part of an input that says which months.
type Months struct {
	From string `query:"from" pattern:"^[0-9]{4}-(0[1-9]|1[0-2])$" doc:"first month, such as 2026-03; this month when missing"`
	To   string `query:"to" pattern:"^[0-9]{4}-(0[1-9]|1[0-2])$" doc:"last month; the first one when missing"`
}

// scope is what the token may see of the months.
func (a *API) scope(v *visit, in Months) (tally.Scope, error) {
	area, ok := tally.AreaOf(a.Orders.Rights, v.staff, v.Now)
	if !ok {
		return tally.Scope{}, errForbidden
	}
	from, err := month("from", in.From, a.Tally.Month(v.Now, 0))
	if err != nil {
		return tally.Scope{}, err
	}
	to, err := month("to", in.To, from)
	if err != nil {
		return tally.Scope{}, err
	}
	if to.Before(from) || !to.Before(from.AddDate(0, maxMonths, 0)) {
		return tally.Scope{}, invalid("query.to", fmt.Sprintf("1 to %d months, the first one first", maxMonths))
	}
	return tally.Within(area, from, to), nil
}

func month(name, s string, usual time.Time) (time.Time, error) {
	if s == "" {
		return usual, nil
	}
	m, err := time.Parse("2006-01", s)
	if err != nil {
		return m, invalid("query."+name, "a month is written like 2026-03")
	}
	return m, nil
}

type figuresInput struct {
	Paging
	Months
	By   string `query:"by" enum:"month,unit,area" default:"month" doc:"one row for each month; or of all the months together, for each unit, or for each county of the city, township of a county"`
	Area string `query:"area" pattern:"^[0-9]{4,9}$" doc:"code of a county or township inside the token's area"`
	Unit string `query:"unit" maxLength:"64" doc:"code of a unit, or of a township for its grids"`
}

// Figure are the rates of tickets of one month, unit or area.
type Figure struct {
	Month string `json:"month,omitempty" doc:"with by=month: such as 2026-03"`
	Unit  string `json:"unit,omitempty" doc:"with by=unit"`
	Area  string `json:"area,omitempty" doc:"with by=area; missing for tickets whose place is not known so closely"`
	Name  string `json:"name,omitempty" doc:"of the unit or area"`

	N        int            `json:"n" doc:"tickets in scope: handled, or past their deadline"`
	Excluded int            `json:"excluded" doc:"tickets that were taken out"`
	Out      map[string]int `json:"out" doc:"those, by why: answered, rejected, referred, withdrawn, merged, exclusion"`
	// Rates by name, in the words of reference 1.6.
	Rates map[string]Rate `json:"rates" doc:"response, resolution_by_unit, resolution_by_resident, satisfaction, signed, on_time, early, overdue, called_back, redo, once, objection, objection_granted, supervision, extension"`

	Gap          *float64 `json:"gap,omitempty" doc:"resolution by the unit's word minus that by the residents', -1 to 1"`
	Contradicted int      `json:"contradicted" doc:"residents who say that it is not solved while the unit says that it is"`
	Score        *float64 `json:"score,omitempty" doc:"mean of the ratings, 0 to 100; the denominator of satisfaction is how many there are"`
	Times        *Times   `json:"times,omitempty" doc:"with by=month: from dispatch to report"`
}

// Rate is a share with what it is made of.
type Rate struct {
	Value       *float64 `json:"value,omitempty" doc:"0 to 1; missing where there is nothing to divide by"`
	Numerator   float64  `json:"numerator" doc:"a thing partly solved is a half"`
	Denominator int      `json:"denominator"`
	Excluded    int      `json:"excluded" doc:"tickets that were taken out before"`
	N           int      `json:"n" doc:"tickets in scope"`
}

// Times are how long tickets took, in minutes.
type Times struct {
	N           int64 `json:"n"`
	WorkMedian  int32 `json:"working_median"`
	WorkP90     int32 `json:"working_p90"`
	ClockMedian int32 `json:"clock_median"`
	ClockP90    int32 `json:"clock_p90"`
}

func rateOf(r figures.Rate) Rate {
	out := Rate{Numerator: float64(r.Num), Denominator: r.Den, Excluded: r.Excluded, N: r.N}
	if r.Half {
		out.Numerator /= 2
	}
	if v, ok := r.Value(); ok {
		out.Value = &v
	}
	return out
}

func (a *API) figureOf(s figures.Sums) Figure {
	r := a.Tally.Policy.Rates(s)
	f := Figure{
		N: r.N, Excluded: r.Excluded, Contradicted: r.Contradicted,
		Out: map[string]int{
			"answered": int(s[figures.OutAnswered]), "rejected": int(s[figures.OutRejected]), "referred": int(s[figures.OutReferred]),
			"withdrawn": int(s[figures.OutWithdrawn]), "merged": int(s[figures.OutMerged]), "exclusion": int(s[figures.OutExcluded]),
		},
		Rates: map[string]Rate{
			"response": rateOf(r.Response), "resolution_by_unit": rateOf(r.ByUnit), "resolution_by_resident": rateOf(r.ByResident),
			"satisfaction": rateOf(r.Satisfaction), "signed": rateOf(r.Signed), "on_time": rateOf(r.OnTime), "early": rateOf(r.Early),
			"overdue": rateOf(r.OverdueRate), "called_back": rateOf(r.CalledBack), "redo": rateOf(r.Redo), "once": rateOf(r.Once),
			"objection": rateOf(r.Objection), "objection_granted": rateOf(r.Granted), "supervision": rateOf(r.Supervision),
			"extension": rateOf(r.Extension),
		},
	}
	if gap, ok := r.Gap(); ok {
		f.Gap = &gap
	}
	if share, ok := r.Score.Value(); ok {
		score := share * float64(a.Tally.Policy.Score[0])
		f.Score = &score
	}
	return f
}

func (a *API) listFigures(ctx context.Context, v *visit, in *figuresInput) (*Page[Figure], error) {
	from, err := in.at("figures", 0)
	if err != nil {
		return nil, err
	}
	scope, err := a.scope(v, in.Months)
	if err != nil {
		return nil, err
	}
	if scope, err = narrow(scope, in); err != nil {
		return nil, err
	}
	cells, err := a.Tally.Cells(ctx, v.Tx, scope, v.Now)
	if err != nil {
		return nil, err
	}
	names, err := a.Tally.Names(ctx, v.Tx)
	if err != nil {
		return nil, err
	}
	digits := below(scope.Area)
	key := map[string]func(tally.Cell) string{
		"month": func(c tally.Cell) string { return c.Month.Format("2006-01") },
		"unit":  func(c tally.Cell) string { return c.Unit },
		"area": func(c tally.Cell) string {
			if len(c.Area) < digits {
				return ""
			}
			return c.Area[:digits]
		},
	}[in.By]
	sums := tally.By(cells, key)
	if in.By == "unit" {
		delete(sums, "") // no desk had these
	}
	var all []Figure
	for _, k := range slices.Sorted(maps.Keys(sums)) {
		f := a.figureOf(sums[k])
		switch in.By {
		case "month":
			f.Month = k
		case "unit":
			f.Unit, f.Name = k, names(k)
		case "area":
			f.Area, f.Name = k, names(k)
		}
		all = append(all, f)
	}
	page := pageOf(all, "figures", from, a.rows(in.Paging))
	return page, a.addTimes(ctx, v, scope, page.Items)
}

// addTimes says of every month how long its tickets took.
func (a *API) addTimes(ctx context.Context, v *visit, scope tally.Scope, list []Figure) error {
	for i := range list {
		if list[i].Month == "" {
			continue
		}
		m, err := time.Parse("2006-01", list[i].Month)
		if err != nil {
			return fmt.Errorf("read the month of a figure: %w", err)
		}
		scope.From, scope.To = m, m
		t, err := a.Tally.Times(ctx, v.Tx, scope, v.Now)
		if err != nil {
			return err
		}
		if t.N > 0 {
			list[i].Times = &Times{t.N, t.WorkMedian, t.WorkP90, t.ClockMedian, t.Clock90}
		}
	}
	return nil
}

// narrow keeps a question inside what the token may see.
func narrow(s tally.Scope, in *figuresInput) (tally.Scope, error) {
	if in.Area != "" {
		if !strings.HasPrefix(in.Area, s.Area) {
			return s, errForbidden
		}
		s.Area = in.Area
	}
	if in.Unit != "" {
		if s.Unit != "" && s.Unit != in.Unit {
			return s, errForbidden
		}
		s.Unit = in.Unit
	}
	return s, nil
}

// below is the length of the codes one level below a division: counties of the
// city, else townships.
func below(area string) int {
	if len(area) < countyDigits {
		return countyDigits
	}
	return townshipDigits
}
