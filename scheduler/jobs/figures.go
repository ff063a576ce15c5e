package jobs

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/tally"
	"shaoying/scheduler"
)

// figureChunk is how many changes one transaction of the slot job folds.
const figureChunk = 2000

// Figures folds what has changed since the last run and rolls the days that are
// over up into months. The cursor is "phase/chunk"; what is done lies in the
// tables themselves, so any chunk may be repeated.
func Figures(d Deps) gateway.SlotJob {
	return gateway.SlotJob{Name: "figures", Run: func(ctx context.Context, t *gateway.Turn, _ gateway.Slot, cursor string) (string, bool, error) {
		const fold, roll = 0, 1
		phase, chunk, err := place(cursor)
		if err != nil {
			return cursor, false, err
		}
		var done bool
		if phase == fold {
			done, err = d.Tally.Refresh(ctx, t.Tx, figureChunk)
		} else {
			done, err = d.Tally.Roll(ctx, t.Tx, t.Now)
		}
		if err != nil {
			return cursor, false, err
		}
		if phase == fold && done {
			return strconv.Itoa(roll) + "/0", false, nil
		}
		return strconv.Itoa(phase) + "/" + strconv.Itoa(chunk+1), done, nil
	}}
}

// DueMonday is one leader's ten lines: subject "staff:ID", key the day.
const DueMonday = "figures.monday"

// mondayUntil is how late the ten lines still mean something; the schedule says
// the same of the slot.
const mondayUntil = 12 * time.Hour

// mondayChunk is how many leaders one transaction of the slot job plans for.
const mondayChunk = 500

// Mondays plans the ten lines of every leader.
func Mondays(d Deps) gateway.SlotJob {
	return gateway.SlotJob{Name: DueMonday, Run: func(ctx context.Context, t *gateway.Turn, slot gateway.Slot, cursor string) (string, bool, error) {
		after, err := number(cursor)
		if err != nil {
			return cursor, false, err
		}
		leaders, err := t.FigureReaders(ctx, []string{string(people.RoleLeader)}, after, mondayChunk)
		if err != nil {
			return cursor, false, fmt.Errorf("find the leaders: %w", err)
		}
		day := scheduler.DateOf(slot.Nominal.In(d.Orders.Work.Location()))
		for _, id := range leaders {
			err := t.PlanDue(ctx, gateway.Plan{
				Kind: DueMonday, Subject: postgres.Subject("staff", id), Key: day.String(), At: t.Now, NotAfter: slot.Due.Add(mondayUntil),
			})
			if err != nil {
				return cursor, false, err
			}
			cursor = strconv.FormatInt(id, 10)
		}
		return cursor, len(leaders) < mondayChunk, nil
	}}
}

// number reads a cursor that is the last id.
func number(cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the cursor %q: %w", cursor, err)
	}
	return n, nil
}

// Monday says the ten lines.
func Monday(d Deps) gateway.Kind {
	return gateway.Kind{Name: DueMonday, Workers: 2, Class: scheduler.Normal, Target: staffOf, Run: d.monday}
}

func (d Deps) monday(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	id, err := due.SubjectID("staff")
	if err != nil {
		return gateway.Outcome{}, err
	}
	who, err := d.Orders.LoadStaff(ctx, t, id)
	if err != nil {
		return gateway.Outcome{}, err
	}
	area, ok := tally.AreaOf(d.Orders.Rights, who, t.Now)
	if !ok {
		return gateway.Dropped("may see no figures"), nil
	}
	// The month in which the week began that is over: in the first days of a
	// month there is nothing to say of it yet.
	month := d.Tally.Month(t.Now.AddDate(0, 0, -7), 0)
	text, err := tally.Teller{Tally: d.Tally, Texts: d.Library}.Monday(ctx, t.Tx, tally.Within(area, month, month), t.Now)
	if err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, t.Tell(DueMonday, due.Subject, 0, "figures.page", map[string]string{"lines": text})
}
