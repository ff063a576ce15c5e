package console

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// The lists of family beds: one tab each.
const (
	tabWishes  = "wishes"
	tabBeds    = "beds"
	tabVisits  = "visits"
	tabAbsence = "absence"
)

// carePage is a list of family beds.
type carePage struct {
	Tabs         []string
	Tab          string
	Query, State string
	States       []care.BedState
	Wishes       []wishLine
	Beds         []bedLine
	Days         []visitorDay
	MakeUp       []visitLine
	Away         []awayLine
	More         string
	MayNew       bool
	MayRun       bool
	MayPause     bool
}

type wishLine struct {
	ID             int64
	State, Patient string
	Clinic         string
	Due            careDue
	JustDischarged bool
}

type bedLine struct {
	ID            int64
	Number, State string
	Type, Clinic  string
	Reason        string
	Patient       string
	Doctor, Nurse string
	HasPeriod     bool
	Left          int
	Unsigned      bool
}

type awayLine struct{ Staff, From, To, Reason string }

// careList shows one list of the clinics at which who asks may look.
func (c *Console) careList(ctx context.Context, v *visit) (answer, error) {
	looks, err := c.clinics(ctx, v, people.MayViewBeds)
	if err != nil {
		return answer{}, err
	}
	p := &carePage{
		Tab: v.r.FormValue("tab"), Query: strings.TrimSpace(v.r.FormValue("q")), State: v.r.FormValue("state"), States: care.BedStates(),
		MayNew: c.mayApply(v), MayPause: c.mayPause(v), Tabs: []string{tabWishes, tabBeds, tabVisits, tabAbsence},
	}
	// The city's clerks have what no clinic has yet.
	clerk := c.Care != nil && c.Orders.Rights.May(v.staff, people.MayCallBack, people.Subject{Division: workorder.CityCode}, v.Now)
	if len(looks) == 0 && !clerk {
		return answer{}, errNotHere
	}
	if len(looks) == 0 {
		p.Tabs = p.Tabs[:1]
	}
	if !slices.Contains(p.Tabs, p.Tab) {
		p.Tab = p.Tabs[0]
	}
	p.MayRun = slices.ContainsFunc(looks, func(k db.Clinic) bool { return c.mayAt(v, k.Code, people.MayRunBeds) })
	switch p.Tab {
	case tabWishes:
		err = c.wishes(ctx, v, p, looks, clerk)
	case tabBeds:
		err = c.beds(ctx, v, p, looks)
	case tabVisits:
		err = c.daysAhead(ctx, v, p, looks)
	case tabAbsence:
		p.Away, err = c.absences(ctx, v, looks)
	}
	return answer{page: "care_list", data: p}, err
}

// wishes lists open applications by deadline.
func (c *Console) wishes(ctx context.Context, v *visit, p *carePage, looks []db.Clinic, unplaced bool) error {
	rows, err := v.ApplicationsAt(ctx, idsOf(looks), unplaced, maxFound)
	if err != nil {
		return fmt.Errorf("list applications: %w", err)
	}
	names := clinicNames(looks)
	for _, r := range rows {
		a, err := postgres.ApplicationOf(r)
		if err != nil {
			return err
		}
		l := wishLine{
			ID: a.ID, State: string(a.State), Clinic: names[a.Clinic], JustDischarged: a.JustDischarged,
			Due: careDue{a.Due, !a.Due.IsZero() && v.Now.After(a.Due)},
		}
		if l.Patient, _, err = c.masked(ctx, v, a.Patient.Person); err != nil {
			return err
		}
		p.Wishes = append(p.Wishes, l)
	}
	return nil
}

// beds lists beds of a state, those that are not closed by default.
func (c *Console) beds(ctx context.Context, v *visit, p *carePage, looks []db.Clinic) error {
	states := []string{p.State}
	switch {
	case p.State == "":
		states = []string{string(care.BedPending), string(care.BedOpen), string(care.BedSuspended)}
	case !slices.Contains(p.States, care.BedState(p.State)):
		return errForm
	}
	after, err := strconv.ParseInt(v.r.FormValue("after"), 10, 64)
	if err != nil {
		after = 0
	}
	ids, err := v.BedsAt(ctx, db.BedsAtParams{Clinics: idsOf(looks), States: states, Query: p.Query, After: after, MaxRows: pageRows})
	if err != nil {
		return fmt.Errorf("list beds: %w", err)
	}
	all, err := v.LoadBeds(ctx, ids, false)
	if err != nil {
		return err
	}
	names := clinicNames(looks)
	for _, b := range all {
		l, err := c.bedLine(ctx, v, b)
		if err != nil {
			return err
		}
		l.Clinic = names[b.Clinic]
		p.Beds = append(p.Beds, l)
	}
	if len(ids) == pageRows {
		p.More = fmt.Sprintf("/desk/care?tab=%s&state=%s&after=%d", tabBeds, p.State, ids[len(ids)-1])
	}
	// Whose days run out comes first.
	slices.SortStableFunc(p.Beds, func(a, b bedLine) int { return left(a) - left(b) })
	return nil
}

func left(l bedLine) int {
	if l.HasPeriod {
		return l.Left
	}
	return -1 // waits for its signature
}

func (c *Console) bedLine(ctx context.Context, v *visit, b *homecare.Bed) (l bedLine, err error) {
	l = bedLine{ID: b.ID, Number: b.Number, State: string(b.State), Type: b.Type, Reason: c.careReason(b.Reason), Unsigned: !b.Agreement.Stands()}
	if period := b.Period(); period != (care.Period{}) {
		l.HasPeriod, l.Left = true, period.Left(c.today(v))
	}
	if l.Patient, _, err = c.masked(ctx, v, b.Patient.Person); err != nil {
		return l, err
	}
	staff, err := c.staffNames(ctx, v, b.Doctor, b.Nurse)
	l.Doctor, l.Nurse = staff[b.Doctor], staff[b.Nurse]
	return l, err
}

// daysAhead lists today's and tomorrow's visits, and what waits to be made up.
func (c *Console) daysAhead(ctx context.Context, v *visit, p *carePage, looks []db.Clinic) (err error) {
	if p.Days, err = c.visitDays(ctx, v, idsOf(looks), 2); err != nil {
		return err
	}
	rows, err := v.VisitsToMakeUp(ctx, idsOf(looks), pageRows)
	if err != nil {
		return fmt.Errorf("list visits to be made up: %w", err)
	}
	for _, r := range rows {
		l, err := c.visitLine(v, postgres.VisitOf(r.Visit), r.Number, r.Visitor)
		if err != nil {
			return err
		}
		p.MakeUp = append(p.MakeUp, l)
	}
	return nil
}

func (c *Console) absences(ctx context.Context, v *visit, looks []db.Clinic) ([]awayLine, error) {
	rows, err := v.AbsencesAt(ctx, postgres.DayOf(c.today(v)), unitsOf(looks))
	if err != nil {
		return nil, fmt.Errorf("list absences: %w", err)
	}
	var list []awayLine
	for _, r := range rows {
		list = append(list, awayLine{
			Staff: r.Name, From: scheduler.DateOf(r.FromDay).String(), To: scheduler.DateOf(r.ToDay).String(), Reason: c.textOr("care.desk.away."+r.Reason, r.Reason),
		})
	}
	return list, nil
}
