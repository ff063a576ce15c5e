package console

import (
	"context"
	"fmt"
	"slices"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// awayPage is the form by which a desk enters that one of its visitors is away.
type awayPage struct {
	Fields   []field
	Absences []awayLine
}

// awayReasons are why somebody is away.
func awayReasons() []string { return []string{"sick", "leave", "course", "other"} }

func (c *Console) away(ctx context.Context, v *visit) (answer, error) {
	runs, err := c.clinics(ctx, v, people.MayRunBeds)
	if err != nil {
		return answer{}, err
	}
	if len(runs) == 0 {
		return answer{}, errNotHere
	}
	p := &awayPage{}
	rows, err := c.careStaff(ctx, v, unitsOf(runs)...)
	if err != nil {
		return answer{}, err
	}
	who := field{Name: "staff", Kind: "pick", Label: "care_away_staff", Required: true, Options: c.staffChoices(rows)}
	instead := field{Name: "instead", Kind: "pick", Label: "care_instead", Options: c.staffChoices(rows)}
	p.Fields = []field{
		who, dayField("from", c.today(v), true), dayField("until", c.today(v), true),
		c.codes("reason", "care.desk.away", awayReasons(), ""), instead,
	}
	p.Absences, err = c.absences(ctx, v, runs)
	return answer{page: "care_away", data: p}, err
}

func (c *Console) staffChoices(rows []db.CareStaffRow) []choice {
	var list []choice
	for _, r := range rows {
		if !slices.ContainsFunc(list, func(o choice) bool { return o.Value == idText(r.ID) }) {
			list = append(list, choice{idText(r.ID), r.Name + " " + c.text("care.desk.role."+r.Role)})
		}
	}
	return list
}

// enterAway enters the absence and gives the visits of those days to who takes over.
// Each family hears of it once, by its own due row.
func (c *Console) enterAway(ctx context.Context, v *visit) (answer, error) {
	runs, err := c.clinics(ctx, v, people.MayRunBeds)
	if err != nil {
		return answer{}, err
	}
	if len(runs) == 0 {
		return answer{}, errNotHere
	}
	rows, err := c.careStaff(ctx, v, unitsOf(runs)...)
	if err != nil {
		return answer{}, err
	}
	a := homecare.Absence{Absence: care.Absence{Staff: v.number("staff")}, Reason: v.form("reason"), By: v.staff.ID, Instead: v.number("instead")}
	for name, into := range map[string]*scheduler.Date{"from": &a.From, "until": &a.To} {
		if *into, err = v.day(name); err != nil {
			return answer{}, err
		}
	}
	// Who takes over is of the same clinic.
	unit := func(id int64) string {
		if i := slices.IndexFunc(rows, func(r db.CareStaffRow) bool { return r.ID == id }); i >= 0 {
			return rows[i].Area
		}
		return ""
	}
	switch {
	case unit(a.Staff) == "" || !slices.Contains(awayReasons(), a.Reason):
		return answer{}, errForm
	case a.Instead != 0 && (a.Instead == a.Staff || unit(a.Instead) != unit(a.Staff)):
		return answer{}, &badForm{"care.desk.problem.instead"}
	case a.From == (scheduler.Date{}) || a.To.Compare(a.From) < 0 || a.To.Compare(c.today(v)) < 0:
		return answer{}, &badForm{"care.desk.problem.days"}
	}
	given, left, err := c.Care.Away(ctx, v.Turn, a)
	if err != nil {
		return answer{}, err
	}
	data := map[string]any{"staff": a.Staff, "instead": a.Instead, "given": len(given), "left": len(left), "reason": a.Reason}
	if err := v.Record(ctx, "staff.away", fmt.Sprintf("staff:%d", a.Staff), data, ""); err != nil {
		return answer{}, err
	}
	return answer{to: "/desk/care?tab=" + tabVisits}, nil
}
