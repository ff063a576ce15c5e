package console

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/tally"
)

// careFigures is the page of the figures of family beds in one month.
type careFigures struct {
	Title, Before, After string
	Clinics              tally.Table
	// Visitors are of the clinics whose beds who asks runs; empty for others.
	Visitors tally.Table
	Least    string
}

// figuresOfCare shows the clinics that who asks may see.
func (c *Console) figuresOfCare(ctx context.Context, v *visit) (answer, error) {
	if c.Care == nil || c.Tally == nil {
		return answer{}, errNotHere
	}
	clinics, err := v.Clinics(ctx)
	if err != nil {
		return answer{}, fmt.Errorf("list clinics: %w", err)
	}
	ids := c.Tally.CareClinics(c.Orders.Rights, v.staff, v.Now, clinics)
	if len(ids) == 0 {
		return answer{}, errNotHere
	}
	this := c.Tally.Month(v.Now, 0)
	month := this
	if said := v.r.FormValue("month"); said != "" {
		if month, err = time.Parse("2006-01", said); err != nil || month.After(this) {
			return answer{}, errNotHere
		}
	}
	p := &careFigures{
		Title: c.text("figures.care.page.month", "year", strconv.Itoa(month.Year()), "month", strconv.Itoa(int(month.Month()))), Before: month.AddDate(0, -1, 0).Format("2006-01"),
		Least: strconv.Itoa(c.Tally.Policy.Care.Least),
	}
	if month.Before(this) {
		p.After = month.AddDate(0, 1, 0).Format("2006-01")
	}
	say, scope := tally.Teller{Tally: c.Tally, Texts: c.Gateway.Library}, tally.CareScope{Month: month, Clinics: ids}
	if p.Clinics, err = say.CareTable(ctx, v.Tx, scope, v.Now); err != nil {
		return answer{}, err
	}
	// People are shown to who leads them alone.
	scope.Clinics = slices.DeleteFunc(slices.Clone(ids), func(id int64) bool {
		i := slices.IndexFunc(clinics, func(k db.Clinic) bool { return k.ID == id })
		return !c.mayAt(v, clinics[i].Code, people.MayRunBeds, people.MaySeeFigures)
	})
	if len(scope.Clinics) > 0 {
		p.Visitors, err = say.CareVisitorTable(ctx, v.Tx, scope, v.Now)
	}
	return answer{page: "care_figures", data: p}, err
}
