package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
)

// Rows that the ladders of family beds and other programmes make. Each reads its
// subject again (late binding): what the ladder no longer holds is dropped with the
// reason, what belongs to a paused programme waits.

// flowVisit asks whether somebody will be at home. A second visit of the same
// family joins the question that is open.
const flowVisit = "visit_confirm"

// CareTell tells the family something.
func CareTell(d Deps) gateway.Kind {
	return gateway.Kind{Name: homecare.DueTell, Workers: 4, ClassOf: careClass, Target: d.familyOf, Run: d.careTell, Lost: d.careLost}
}

// CareAsk asks the family and waits for the answer.
func CareAsk(d Deps) gateway.Kind {
	return gateway.Kind{
		Name: homecare.DueAsk, Workers: 4, ClassOf: careClass, Opens: true, Replaces: flowVisit, Target: d.familyOf, Run: d.careAsk, Lost: d.careLost,
	}
}

func careClass(due gateway.Due) scheduler.Class {
	v, err := data[homecare.Due](due)
	if err != nil {
		return scheduler.Normal // Run says what is wrong with it
	}
	return v.Class
}

// familyOf is where one of the family is written to: the address that was given for
// it, else another that is proven to be the same person's.
func (d Deps) familyOf(ctx context.Context, q *postgres.DB, due gateway.Due) (int64, error) {
	v, err := data[homecare.Due](due)
	if err != nil {
		return 0, err
	}
	return best(gateway.ReachFor(ctx, q.Queries, d.Topics[due.Kind], []int64{due.Person}, v.Address))
}

// stillDue reads the subject of a row again. what is nil when the row has lost its
// reason, which out then says.
func (d Deps) stillDue(ctx context.Context, t *gateway.Turn, due gateway.Due) (what *homecare.Rung, out gateway.Outcome, err error) {
	v, err := data[homecare.Due](due)
	if err != nil {
		return nil, out, err
	}
	held, err := d.Care.Held(ctx, t, v.Programme, v.Class)
	if err != nil {
		return nil, out, err
	}
	if held {
		return nil, waits(due, t), nil
	}
	what, err = d.Care.StillDue(ctx, t, due.Subject, v, due.Kind, due.Key)
	if err != nil || what != nil {
		return what, out, err
	}
	return nil, gateway.Dropped("the ladder no longer holds it"), nil
}

// pausedLook is how long a row of a paused programme sleeps at most; resuming wakes
// it at once.
const pausedLook = 24 * time.Hour

// waits puts a row of a paused programme off until it would be too late.
func waits(due gateway.Due, t *gateway.Turn) gateway.Outcome {
	at := t.Now.Add(pausedLook)
	if due.NotAfter != nil && at.After(*due.NotAfter) {
		at = due.NotAfter.Add(time.Second)
	}
	return gateway.Later(at, homecare.WhyPaused)
}

func (d Deps) careTell(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	first, out, err := d.tellOf(ctx, t, due)
	if first == nil || err != nil {
		return out, err
	}
	more, err := d.gatherTells(ctx, t, due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, d.sayAll(t, due, append([]tellOne{*first}, more...))
}

// careAsk asks whether somebody will be at home, together with whatever else is
// asked of the same people now.
func (d Deps) careAsk(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	what, out, err := d.stillDue(ctx, t, due)
	if what == nil {
		return out, err
	}
	joined, err := t.Join(ctx, flowVisit)
	if err != nil {
		return gateway.Outcome{}, err
	}
	about := []homecare.Asked{{Visit: what.Visit.ID, Version: what.Visit.Version}}
	for _, vars := range joined {
		more, err := homecare.ParseAsked(vars)
		if err != nil {
			return gateway.Outcome{}, fmt.Errorf("read what a prompt asked: %w", err)
		}
		about = append(about, more...)
	}
	vars, until, err := d.Care.Question(ctx, t, about, what.Due.Neutral)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if err := d.Care.Told(ctx, t, what, true); err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, t.Ask(ctx, due, gateway.Ask{
		Flow: flowVisit, Vars: vars, Reason: due.Kind, Subject: due.Subject, Version: due.Version, Until: until,
	})
}

// careLost ends a row whose reader cannot be written to: a question becomes a call
// of the desk.
func (d Deps) careLost(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	what, out, err := d.stillDue(ctx, t, due)
	if what == nil {
		return out, err
	}
	if due.Kind != homecare.DueTell {
		if err := d.Care.LayTask(ctx, t, what, due.NotAfter); err != nil {
			return gateway.Outcome{}, err
		}
	}
	return gateway.Dropped(gateway.ErrNoAddress.Error()), nil
}

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

// CareNews tells who applied of a step.
func CareNews(d Deps) gateway.Kind {
	return gateway.Kind{
		Name: homecare.DueNews, Workers: 4, Class: scheduler.Normal, Run: d.careNews,
		Target: func(ctx context.Context, q *postgres.DB, due gateway.Due) (int64, error) {
			id, err := due.SubjectID("application")
			if err != nil {
				return 0, err
			}
			a, err := q.GetApplication(ctx, id)
			if err != nil {
				return 0, fmt.Errorf("load an application: %w", err)
			}
			var cameBy int64
			if a.AddressID != nil {
				cameBy = *a.AddressID
			}
			return best(gateway.ReachFor(ctx, q.Queries, d.Topics[due.Kind], []int64{a.ApplicantID}, cameBy))
		},
		Lost: func(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
			return gateway.Dropped(gateway.ErrNoAddress.Error()), d.Care.RingApplicant(ctx, t, due.Subject)
		},
	}
}

func (d Deps) careNews(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	n, err := data[homecare.NewsDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	id, err := due.SubjectID("application")
	if err != nil {
		return gateway.Outcome{}, err
	}
	a, err := d.Care.ApplicationOf(ctx, t, id)
	if errors.Is(err, homecare.ErrNotYours) {
		return gateway.Dropped("the application is gone"), nil
	}
	if err != nil {
		return gateway.Outcome{}, err
	}
	if int32(a.Version) != due.Version {
		return gateway.Dropped("a later step was told"), nil
	}
	if held, err := d.Care.Held(ctx, t, care.FamilyBed, scheduler.Normal); err != nil || held {
		return waits(due, t), err
	}
	values, err := d.Care.NewsValues(ctx, t, a, n)
	if err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, t.Tell(due.Kind, due.Subject, due.Version, "care.application."+string(n.Event), values)
}

// careFit is asked before a text of the programme goes out: is what it says about
// its subject still so, and may the family still be written to? The end of a row is
// judged too: what waited in the outbox until it meant nothing is not sent.
func (d Deps) careFit(ctx context.Context, tx *postgres.Tx, subject string, version int32) (bool, string, error) {
	return d.Care.Fit(ctx, tx, subject, int(version))
}
