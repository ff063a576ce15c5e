package jobs

import (
	"context"
	"errors"
	"fmt"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
)

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
			return gateway.Dropped(gateway.ErrNoAddress.Error()), d.ringApplicant(ctx, t, due)
		},
		Late: d.ringApplicant,
		Stale: func(ctx context.Context, tx *postgres.Tx, due int64) error {
			if err := tx.LateAgain(ctx, due); err != nil {
				return fmt.Errorf("have somebody rung instead: %w", err)
			}
			return nil
		},
	}
}

// ringApplicant lays a step that nobody could be told of before the desk, while it is
// the last one.
func (d Deps) ringApplicant(ctx context.Context, t *gateway.Turn, due gateway.Due) error {
	id, err := due.SubjectID("application")
	if err != nil {
		return err
	}
	a, err := d.Care.ApplicationOf(ctx, t, id)
	if errors.Is(err, homecare.ErrNotYours) || err == nil && int32(a.Version) != due.Version {
		return nil
	}
	if err != nil {
		return err
	}
	return d.Care.RingApplicant(ctx, t, due.Subject)
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
