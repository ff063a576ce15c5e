package jobs

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/tally"
	"shaoying/scheduler"
)

// DueCareMonthly is the month of the family beds for one who reads their figures:
// subject "staff:ID", key the first day of the month that is over.
const DueCareMonthly = "care.monthly"

// careMonthlyUntil is how late the figures still mean something; the schedule says
// the same of the slot.
const careMonthlyUntil = 72 * time.Hour

// careMonthlyChunk is how many readers one transaction of the slot job plans for.
const careMonthlyChunk = 500

// CareMonthlies plans the figures of the month that is over for every liaison and
// for the leaders of units: the health commission hears of all clinics.
func CareMonthlies(d Deps) gateway.SlotJob {
	return gateway.SlotJob{Name: DueCareMonthly, Run: func(ctx context.Context, t *gateway.Turn, slot gateway.Slot, cursor string) (string, bool, error) {
		after, err := number(cursor)
		if err != nil {
			return cursor, false, err
		}
		readers, err := t.CareFigureReaders(ctx, after, d.Tally.Policy.Care.Sees, careMonthlyChunk)
		if err != nil {
			return cursor, false, fmt.Errorf("find who reads the figures of beds: %w", err)
		}
		month := scheduler.DateOf(d.Tally.Month(slot.Nominal, 1))
		for _, id := range readers {
			err := t.PlanDue(ctx, gateway.Plan{
				Kind: DueCareMonthly, Subject: postgres.Subject("staff", id), Key: month.String(), At: t.Now, NotAfter: slot.Due.Add(careMonthlyUntil),
			})
			if err != nil {
				return cursor, false, err
			}
			cursor = strconv.FormatInt(id, 10)
		}
		return cursor, len(readers) < careMonthlyChunk, nil
	}}
}

// CareMonthly says them.
func CareMonthly(d Deps) gateway.Kind {
	return gateway.Kind{Name: DueCareMonthly, Workers: 2, Class: scheduler.Normal, Target: staffOf, Run: d.careMonthly}
}

func (d Deps) careMonthly(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	id, err := due.SubjectID("staff")
	if err != nil {
		return gateway.Outcome{}, err
	}
	who, err := d.Orders.LoadStaff(ctx, t, id)
	if err != nil {
		return gateway.Outcome{}, err
	}
	clinics, err := t.Clinics(ctx)
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("read the clinics: %w", err)
	}
	ids := d.Tally.CareClinics(d.Orders.Rights, who, t.Now, clinics)
	if len(ids) == 0 {
		return gateway.Dropped("may see no figures of beds"), nil
	}
	month, err := scheduler.ParseDate(due.Key)
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("read the month of figures: %w", err)
	}
	scope := tally.CareScope{Month: postgres.DayOf(month), Clinics: ids}
	text, err := tally.Teller{Tally: d.Tally, Texts: d.Library}.CarePage(ctx, t.Tx, scope, t.Now)
	if err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, t.Tell(DueCareMonthly, due.Subject, 0, "figures.page", map[string]string{"lines": text})
}
