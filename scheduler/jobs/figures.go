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

// Mondays plans the ten lines of every leader, and the line of every board.
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
		if len(leaders) == mondayChunk {
			return cursor, false, nil
		}
		return cursor, true, d.boardMondays(ctx, t, slot)
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

// Monday says the ten lines, and shows the three rates month by month.
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
	scope, teller := d.lastWeek(t, area), tally.Teller{Tally: d.Tally, Texts: d.Library}
	text, err := teller.Monday(ctx, t.Tx, scope, t.Now)
	if err != nil {
		return gateway.Outcome{}, err
	}
	trend, err := teller.Trend(ctx, t.Tx, scope, d.chartMonths(), t.Now)
	if err != nil {
		return gateway.Outcome{}, err
	}
	picture, table, err := d.show(ctx, t, trend)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if table != "" {
		text += "\n" + table
	}
	return gateway.Done, t.TellPhoto(DueMonday, due.Subject, 0, "figures.page", map[string]string{"lines": text}, picture)
}

// lastWeek is the month in which the week began that is over: in the first days of
// a month there is nothing to say of it yet.
func (d Deps) lastWeek(t *gateway.Turn, area people.Area) tally.Scope {
	month := d.Tally.Month(t.Now.AddDate(0, 0, -7), 0)
	return tally.Within(area, month, month)
}

// tableMonths is how many months a table shows where no picture can be drawn.
const tableMonths = 3

func (d Deps) chartMonths() int {
	if d.Chart == nil {
		return tableMonths
	}
	return d.Chart.Months()
}

// show is a trend as a picture that was stored, or as a table where this chat
// shows none, or nothing can draw one.
func (d Deps) show(ctx context.Context, t *gateway.Turn, trend tally.Trend) (picture, table string, err error) {
	if trend.Empty() {
		return "", "", nil
	}
	if d.Chart == nil || !t.ShowsPhotos() {
		table, err = trend.Table()
		return "", table, err
	}
	bars, err := trend.Bars()
	if err != nil {
		return "", "", err
	}
	png, err := d.Chart.PNG(bars)
	if err != nil {
		return "", "", err
	}
	picture, err = t.KeepPicture(ctx, png, "image/png")
	return picture, "", err
}

// DueBoardMonday is the weekly line of a desk's own figures on its board, with the
// chart: subject "conversation:ID", key the day.
const DueBoardMonday = "board.monday"

// BoardMonday says it.
func BoardMonday(d Deps) gateway.Kind {
	return gateway.Kind{Name: DueBoardMonday, Workers: 2, Class: scheduler.Normal, Target: groupOf, Run: d.boardMonday}
}

func (d Deps) boardMonday(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	area, why, err := d.boardArea(ctx, t)
	if err != nil || why != "" {
		return gateway.Dropped(why), err
	}
	trend, err := tally.Teller{Tally: d.Tally, Texts: d.Library}.Trend(ctx, t.Tx, d.lastWeek(t, area), d.chartMonths(), t.Now)
	if err != nil {
		return gateway.Outcome{}, err
	}
	text, err := trend.Line()
	if err != nil {
		return gateway.Outcome{}, err
	}
	if text == "" {
		return gateway.Dropped("nothing counts yet"), nil
	}
	picture, table, err := d.show(ctx, t, trend)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if table != "" {
		text += "\n" + table
	}
	return gateway.Done, t.Lay(gateway.Laid{
		Reason: DueBoardMonday, Subject: due.Subject, Key: "figures.page", Params: map[string]string{"lines": text}, Photo: picture,
	})
}

// boardMondays plans it for the boards of units and townships: figures are kept
// for no smaller area.
func (d Deps) boardMondays(ctx context.Context, t *gateway.Turn, slot gateway.Slot) error {
	boards, err := t.Boards(ctx)
	if err != nil {
		return err
	}
	ids := boardIDs(boards, []people.AreaKind{people.AreaUnit, people.AreaTownship})
	return d.planBoards(ctx, t, DueBoardMonday, slot, ids, slot.Due.Add(mondayUntil))
}
