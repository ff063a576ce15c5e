package jobs

import (
	"context"

	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
)

// CareStaff tells the staff of a role, or one of them.
func CareStaff(d Deps) gateway.Kind {
	return gateway.Kind{Name: homecare.DueStaff, Workers: 4, Run: d.careStaff}
}

func (d Deps) careStaff(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	what, out, err := d.stillDue(ctx, t, due)
	if what == nil {
		return out, err
	}
	post, err := d.Care.PostAt(ctx, t, what)
	if err != nil {
		return gateway.Outcome{}, err
	}
	to := []int64{post.Staff}
	if post.Staff == 0 {
		if to, err = onDuty(ctx, t, post.Role, post.Area.Code); err != nil {
			return gateway.Outcome{}, err
		}
	}
	if len(to) == 0 {
		return gateway.Dropped("nobody is " + string(post.Role) + " in " + post.Area.Code), nil
	}
	values, err := d.Care.ValuesOf(ctx, t, what)
	if err != nil {
		return gateway.Outcome{}, err
	}
	delete(values, "code") // the family's alone, until the visitor is at the door
	l := line{Reason: due.Kind, Subject: due.Subject, Version: due.Version, Key: what.Key(), Params: values, Class: what.Due.Class}
	return gateway.Done, tell(ctx, t, due, l, to)
}

// CareTask lays a task before those who hold a role.
func CareTask(d Deps) gateway.Kind {
	return gateway.Kind{Name: homecare.DueTask, Workers: 4, Run: d.careTask}
}

func (d Deps) careTask(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	what, out, err := d.stillDue(ctx, t, due)
	if what == nil {
		return out, err
	}
	return gateway.Done, d.Care.LayTask(ctx, t, what, due.NotAfter)
}

// careFit is asked before a text of the programme goes out: is what it says about
// its subject still so, and may the family still be written to? The end of a row is
// judged too: what waited in the outbox until it meant nothing is not sent.
func (d Deps) careFit(ctx context.Context, tx *postgres.Tx, subject string, version int32) (bool, string, error) {
	return d.Care.Fit(ctx, tx, subject, int(version))
}
