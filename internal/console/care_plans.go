package console

import (
	"context"
	"errors"
	"fmt"
	"io"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
)

// maxPlanFile bounds a file of plans, in bytes: several thousand orders.
const maxPlanFile = 512 << 10

// plansPage is the import of plans from a hospital's file.
type plansPage struct {
	// Body is the file as it was read, so that what was shown is what is applied.
	Body string
	// Bad are the lines that cannot be taken.
	Bad []people.RowError
	// Changes is what applying it does.
	Changes []planChange
}

// planChange is one order of the file as it would be given.
type planChange struct {
	Bed, Kind, Rhythm, Staff, From string
	// Instead is the order that it replaces, "" for a new one; Same: it is the same.
	Instead string
	Same    bool
}

func (c *Console) plans(ctx context.Context, v *visit) (answer, error) {
	runs, err := c.clinics(ctx, v, people.MayRunBeds, people.MayTreat)
	if err != nil {
		return answer{}, err
	}
	if len(runs) == 0 {
		return answer{}, errNotHere
	}
	return answer{page: "care_import", data: &plansPage{}}, nil
}

// importPlans reads a file and shows what it would change; sent again with "go" it is
// applied, all of it or nothing.
func (c *Console) importPlans(ctx context.Context, v *visit) (answer, error) {
	body, err := v.upload("plan", "body")
	if err != nil {
		return answer{}, err
	}
	orders, err := c.readPlans(ctx, v, body)
	var bad *people.ImportError
	if errors.As(err, &bad) {
		return answer{page: "care_import", data: &plansPage{Bad: bad.Rows}}, nil
	}
	if err != nil {
		return answer{}, err
	}
	if v.form("go") != "apply" {
		p := &plansPage{Body: string(body)}
		for _, o := range orders {
			p.Changes = append(p.Changes, c.planChange(o))
		}
		return answer{page: "care_import", data: p}, nil
	}
	return answer{to: "/desk/care?tab=" + tabBeds}, c.applyPlans(ctx, v, orders)
}

// upload is a text file of a form, or its text as it came back from the page that
// showed it.
func (v *visit) upload(file, text string) ([]byte, error) {
	if s := v.r.PostFormValue(text); s != "" {
		return []byte(s), nil
	}
	f, _, err := v.r.FormFile(file)
	if err != nil {
		return nil, &badForm{"care.desk.problem.file"}
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, maxPlanFile+1))
	if err != nil {
		return nil, fmt.Errorf("read a file of plans: %w", err)
	}
	if len(body) == 0 || len(body) > maxPlanFile {
		return nil, &badForm{"care.desk.problem.file"}
	}
	return body, nil
}

// readPlans reads the orders of a file for the beds of the clinics that who asks
// runs.
func (c *Console) readPlans(ctx context.Context, v *visit, body []byte) ([]homecare.PlanOrder, error) {
	runs, err := c.clinics(ctx, v, people.MayRunBeds, people.MayTreat)
	if err != nil {
		return nil, err
	}
	if len(runs) == 0 {
		return nil, errNotHere
	}
	return c.Care.ReadPlans(ctx, v.Turn, runs, people.File{Name: "plans.csv", Body: body})
}

// planChange says what one order changes.
func (c *Console) planChange(o homecare.PlanOrder) planChange {
	p := planChange{Bed: o.Row.Bed, Kind: o.Item.Kind, Rhythm: c.rhythm(o.Item), Staff: o.Row.Staff, From: o.Item.From.String(), Same: o.Same()}
	if o.Instead.ID != 0 {
		p.Instead = c.rhythm(o.Instead)
	}
	return p
}

// applyPlans gives the orders, each in the capacity that who asks has at its bed.
func (c *Console) applyPlans(ctx context.Context, v *visit, orders []homecare.PlanOrder) error {
	given, err := c.Care.ApplyPlans(ctx, v.Turn, orders, func(b *homecare.Bed) (care.Actor, error) {
		by, ok, err := c.Care.ActorAt(ctx, v.Turn, v.staff, b, nil)
		if err == nil && !ok {
			err = &care.Refused{Key: care.KeyNotYours}
		}
		return by, err
	})
	if err != nil {
		return err
	}
	return v.Record(ctx, "plans.imported", fmt.Sprintf("staff:%d", v.staff.ID), map[string]any{"orders": given}, "")
}
