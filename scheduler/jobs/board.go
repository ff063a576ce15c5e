package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// DueBoardLine says on a board what the staff of its desk are told of a clock
// that runs: subject that of the line, data boardDue.
const DueBoardLine = "board.line"

// boardDue is a line for a board. Its values are codes, times and names of units,
// as in every line.
type boardDue struct {
	Group int64 `json:"group"`
	Line  line  `json:"line"`
}

// onBoard is the reason of a line on a board, whose check is the line's own and
// that the group may have it.
func onBoard(reason string) string { return "board." + reason }

// onBoards plans a line for boards, at once: their network gathers what waits.
func onBoards(ctx context.Context, t *gateway.Turn, due gateway.Due, l line, boards []int64) error {
	for _, id := range boards {
		err := t.PlanDue(ctx, gateway.Plan{
			Kind: DueBoardLine, Subject: l.Subject, Version: l.Version, At: t.Now, Data: boardDue{id, l},
			Key: due.Kind + "/" + due.Key + "/" + strconv.FormatInt(id, 10),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// BoardLine says a line on a board.
func BoardLine(d Deps) gateway.Kind {
	return gateway.Kind{
		Name: DueBoardLine, Workers: 2, Run: d.boardLine,
		Target: func(ctx context.Context, d *postgres.DB, due gateway.Due) (int64, error) {
			v, err := data[boardDue](due)
			if err != nil {
				return 0, err
			}
			return there(ctx, d, v.Group)
		},
	}
}

func (d Deps) boardLine(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	v, err := data[boardDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if at, verdict := d.Quiet.Shift(t.Now, time.Time{}, v.Line.Class, scheduler.QuietLater); verdict == scheduler.Moved {
		return gateway.Later(at, "quiet hours"), nil
	}
	t.Class = v.Line.Class
	l := gateway.Laid{Reason: onBoard(v.Line.Reason), Version: v.Line.Version, Key: v.Line.Key, Params: v.Line.Params}
	kind, id, err := cut(v.Line.Subject)
	if err != nil {
		return gateway.Outcome{}, err
	}
	switch kind {
	case "whistle":
		w, err := d.Orders.LoadWhistle(ctx, t, id, false)
		if err != nil {
			return gateway.Outcome{}, err
		}
		if !workorder.ForWhistleGroups(w) {
			return gateway.Dropped("no group may have it"), nil
		}
		l.Subject = workorder.WhistleCardSubject(id, v.Group)
	default:
		o, err := d.Orders.Load(ctx, t, id, false)
		if err != nil {
			return gateway.Outcome{}, err
		}
		if fits, err := d.fitsHere(ctx, t, o, v.Group); err != nil || !fits {
			return gateway.Dropped("the group must not have it"), err
		}
		l.Subject = workorder.CardSubject(id, v.Group)
	}
	fresh, why, err := Fresh(d)[l.Reason](ctx, t.Tx, l.Subject, l.Version)
	if err != nil || !fresh {
		return gateway.Dropped(why), err
	}
	return gateway.Done, t.Lay(l)
}

// whistleRuns is the check of a reminder on a board: the whistle is open, and the
// group may have it.
func whistleRuns(ctx context.Context, tx *postgres.Tx, subject string, version int32) (bool, string, error) {
	if ok, why, err := whistleFit(true)(ctx, tx, subject, version); err != nil || !ok {
		return ok, why, err
	}
	id, _, err := workorder.ParseWhistleCard(subject)
	if err != nil {
		return false, "", err
	}
	row, err := tx.GetWhistle(ctx, id)
	if err != nil {
		return false, "", fmt.Errorf("load %s: %w", subject, err)
	}
	return ticket.WhistleState(row.State).Open(), "the whistle is " + row.State, nil
}

// DueBoardDigest is a board's morning figures: subject "conversation:ID", key the
// day.
const DueBoardDigest = "board.digest"

// boardDigests plans them.
func (d Deps) boardDigests(ctx context.Context, t *gateway.Turn, slot gateway.Slot) error {
	boards, err := t.Boards(ctx)
	if err != nil {
		return err
	}
	return d.planBoards(ctx, t, DueBoardDigest, slot, boardIDs(boards, nil), slot.Due.Add(digestUntil))
}

// planBoards plans a row of a kind for each of the boards, for the day of a slot.
func (d Deps) planBoards(ctx context.Context, t *gateway.Turn, kind string, slot gateway.Slot, boards []int64, until time.Time) error {
	day := scheduler.DateOf(slot.Nominal.In(d.Orders.Work.Location())).String()
	plans := make([]gateway.Plan, len(boards))
	for i, id := range boards {
		plans[i] = gateway.Plan{Kind: kind, Subject: postgres.Subject("conversation", id), Key: day, At: t.Now, NotAfter: until}
	}
	return t.PlanDue(ctx, plans...)
}

// boardIDs are the boards of areas of these kinds, all where none is given.
func boardIDs(boards []db.BoardsRow, kinds []people.AreaKind) (ids []int64) {
	for _, b := range boards {
		if len(kinds) == 0 || slices.Contains(kinds, people.AreaKind(b.AreaKind)) {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

// BoardDigest says what lies on the desks of a board's area this morning.
func BoardDigest(d Deps) gateway.Kind {
	return gateway.Kind{Name: DueBoardDigest, Workers: 2, Class: scheduler.Normal, Target: groupOf, Run: d.boardDigest}
}

func (d Deps) boardDigest(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	area, why, err := d.boardArea(ctx, t)
	if err != nil || why != "" {
		return gateway.Dropped(why), err
	}
	loc := d.Orders.Work.Location()
	load, err := t.BoardLoad(ctx, scheduler.DateOf(t.Now.In(loc)).AddDays(1).At(0, loc), area.Code)
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("count what is open: %w", err)
	}
	if load.Open == 0 {
		return gateway.Dropped("nothing is open"), nil
	}
	name, err := d.Orders.AreaName(ctx, t.Queries, area)
	if err != nil {
		return gateway.Outcome{}, err
	}
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	return gateway.Done, t.Lay(gateway.Laid{
		Reason: DueBoardDigest, Subject: due.Subject, Key: "digest.board",
		Params: map[string]string{"area": name, "open": n(load.Open), "today": n(load.Today), "overdue": n(load.Overdue)},
	})
}

// boardArea is whose board this is; why says that it is nobody's any more.
func (d Deps) boardArea(ctx context.Context, t *gateway.Turn) (a people.Area, why string, err error) {
	err = workorder.Fit(ctx, t.Queries, t.Conversation)
	if errors.Is(err, workorder.ErrUnfit) {
		return a, err.Error(), nil
	}
	if err != nil {
		return a, "", err
	}
	g, err := t.LockGroup(ctx, t.Conversation)
	if err != nil {
		return a, "", fmt.Errorf("load a group: %w", err)
	}
	return people.Area{Kind: people.AreaKind(g.AreaKind), Code: g.Area}, "", nil
}

// groupOf is the target of rows whose subject is a group.
func groupOf(ctx context.Context, d *postgres.DB, due gateway.Due) (int64, error) {
	id, err := due.SubjectID("conversation")
	if err != nil {
		return 0, err
	}
	return there(ctx, d, id)
}

// stillBoard is the check of what is said on a board about its area.
func stillBoard(ctx context.Context, tx *postgres.Tx, subject string, _ int32) (bool, string, error) {
	_, id, err := cut(subject)
	if err != nil {
		return false, "", err
	}
	err = workorder.Fit(ctx, tx.Queries, id)
	if errors.Is(err, workorder.ErrUnfit) {
		return false, err.Error(), nil
	}
	return err == nil, "", err
}
