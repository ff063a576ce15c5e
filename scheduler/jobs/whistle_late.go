package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/internal/gateway"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// WhistleLate looks whether a step of a whistle was done in time. Who should
// have done it is told, and so is the township. A unit that did not turn up, and
// an overall deadline that passed, raise the whistle: supervisors get a task.
func WhistleLate(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueWhistleLate, Workers: 4, Run: d.whistleLate}
}

// WhistleNudge reminds a unit of what it has to do before the time is over.
func WhistleNudge(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueWhistleNudge, Workers: 4, Run: d.whistleNudge}
}

// WhistleTell tells people a line about a whistle.
func WhistleTell(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueWhistleTell, Workers: 4, Run: d.whistleTell}
}

// missing reports whether the step is still to be done: by the unit, where it
// is one of a unit.
func missing(w *workorder.Whistle, what ticket.CommandName, p *ticket.Part) bool {
	switch what {
	case ticket.WhistleBlow:
		return w.State == ticket.WhistleProposed || w.State == ticket.WhistleReturned
	case ticket.WhistleAssign:
		return w.State == ticket.WhistleBlown
	case ticket.WhistleAppraise:
		return w.State == ticket.WhistleHandled
	}
	switch {
	case w.State != ticket.WhistleAssigned:
		return false
	case p == nil: // the deadline of the whole
		return true
	case what == ticket.WhistleAnswer:
		return p.State == ticket.PartCalled
	case what == ticket.WhistleArrive:
		return p.State == ticket.PartCalled || p.State == ticket.PartAnswered
	}
	return p.State.Running()
}

func (d Deps) whistleLate(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	w, late, p, err := d.stepDue(ctx, t, due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if !missing(w, late.What, p) {
		return gateway.Dropped("it is done, or the whistle is " + string(w.State)), nil
	}
	to, err := d.lateTo(ctx, t, w, late.What, p)
	if err != nil {
		return gateway.Outcome{}, err
	}
	l, err := d.whistleLine(ctx, t, w, due, "whistle.late."+string(late.What), p)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if err := remind(ctx, t, due, l, to); err != nil {
		return gateway.Outcome{}, err
	}
	reason := ""
	switch late.What {
	case ticket.WhistleArrive:
		reason = ticket.ReasonLateArrival
	case ticket.WhistleHandle:
		reason = ticket.ReasonOverdue
	default:
		return gateway.Done, nil
	}
	_, err = d.Orders.DoWhistle(ctx, t, w.ID, ticket.Actor{As: ticket.AsSystem}, ticket.Deed{Command: ticket.WhistleRaise, Reason: reason}, "")
	if refused := (*ticket.Refused)(nil); errors.As(err, &refused) { // as high as that already
		return gateway.Done, nil
	}
	return gateway.Done, err
}

// lateTo is who hears that a step is late: who should have done it; of a unit
// also the township, and of the county's desk its supervisors.
func (d Deps) lateTo(ctx context.Context, t *gateway.Turn, w *workorder.Whistle, what ticket.CommandName, p *ticket.Part) ([]int64, error) {
	var to []int64
	add := func(list []int64, err error) error {
		for _, id := range list {
			if !slices.Contains(to, id) {
				to = append(to, id)
			}
		}
		return err
	}
	var err error
	switch what {
	case ticket.WhistleBlow, ticket.WhistleAppraise:
		err = add(d.Orders.WhistlePeople(ctx, t, w, workorder.HeadCircle()))
	case ticket.WhistleAssign:
		err = errors.Join(add(d.Orders.WhistlePeople(ctx, t, w, workorder.DeskCircle())),
			add(d.Orders.WhistlePeople(ctx, t, w, workorder.OverseerCircle(ticket.WhistleLevel))))
	default:
		for _, q := range w.Parts {
			if p != nil && q.ID == p.ID || p == nil && q.State.Running() {
				err = errors.Join(err, add(d.Orders.PartStaff(ctx, t, w, q)))
			}
		}
		err = errors.Join(err, add(d.Orders.WhistlePeople(ctx, t, w, workorder.HeadCircle())))
	}
	return to, err
}

// stepDue reads the row of a step: the whistle, the step, and the unit's part
// where it is one of a unit.
func (d Deps) stepDue(ctx context.Context, t *gateway.Turn, due gateway.Due) (
	w *workorder.Whistle, step workorder.WhistleLateDue, p *ticket.Part, err error,
) {
	if step, err = data[workorder.WhistleLateDue](due); err != nil {
		return nil, step, nil, err
	}
	if w, err = d.whistle(ctx, t, due); err != nil {
		return nil, step, nil, err
	}
	if found, ok := partOf(w, step.Unit); ok {
		p = &found
	}
	return w, step, p, nil
}

func (d Deps) whistleNudge(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	w, step, p, err := d.stepDue(ctx, t, due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if p == nil || !missing(w, step.What, p) || step.What == ticket.WhistleHandle && p.ArrivedAt.IsZero() {
		return gateway.Dropped("there is nothing to remind of"), nil
	}
	to, err := d.Orders.PartStaff(ctx, t, w, *p)
	if err != nil {
		return gateway.Outcome{}, err
	}
	l, err := d.whistleLine(ctx, t, w, due, "whistle.nudge."+string(step.What), p)
	if err != nil {
		return gateway.Outcome{}, err
	}
	boards, err := d.Orders.PartBoards(ctx, t, w, *p)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if err := onBoards(ctx, t, due, l, boards); err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, remind(ctx, t, due, l, to)
}

func (d Deps) whistleTell(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	say, err := data[workorder.WhistleTellDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if kind, ok := strings.CutPrefix(say.Key, "whistle.task."); ok {
		task, err := t.TaskBy(ctx, kind, due.Subject)
		if err != nil {
			return gateway.Outcome{}, fmt.Errorf("load task %s of %s: %w", kind, due.Subject, err)
		}
		if task.State != "open" {
			return gateway.Dropped("the task is " + task.State), nil
		}
	}
	w, err := d.whistle(ctx, t, due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	l, err := d.whistleLine(ctx, t, w, due, say.Key, nil)
	if err != nil {
		return gateway.Outcome{}, err
	}
	for k, v := range say.Params {
		l.Params[k] = v
	}
	return gateway.Done, tell(ctx, t, due, l, say.Staff)
}

// whistleLine is a line about a whistle as it is now. Its values are codes in
// words, times and names of units: due rows lie unsealed.
func (d Deps) whistleLine(ctx context.Context, t *gateway.Turn, w *workorder.Whistle, due gateway.Due, key string, p *ticket.Part) (line, error) {
	l := line{Reason: due.Kind, Subject: due.Subject, Version: int32(w.Version), Key: key, Class: whistleClass(w)}
	if due.Kind == workorder.DueWhistleCall {
		l.Reason = workorder.DueWhistleTell
	}
	var err error
	if l.Params, err = d.Orders.WhistleGist(t, w); err != nil {
		return l, err
	}
	l.Params["unit"] = ""
	at := w.Deadline
	switch {
	case p != nil && p.ArrivedAt.IsZero():
		at = p.ArriveDue
		fallthrough
	case p != nil:
		if l.Params["unit"], err = d.Orders.UnitName(ctx, t, p.Desk); err != nil {
			return l, err
		}
	}
	d.when(l.Params, at)
	l.Params["level"] = ""
	if w.Level > ticket.WhistleLevel {
		l.Params["level"], err = t.Text("whistle.level."+strconv.Itoa(w.Level), nil)
	}
	return l, err
}
