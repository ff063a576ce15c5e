package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// WhistleCall calls one unit: one message in its work group, or in the chat of
// each of its people, with a button for each thing that it may do. The same row
// runs again when the whistle has moved on, and then changes the message.
func WhistleCall(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueWhistleCall, Workers: 4, Target: whistleChat, Run: d.whistleCall, Lost: d.whistleLost}
}

// WhistleCard keeps one message in the township's work group that shows how far
// every unit is.
func WhistleCard(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueWhistleCard, Workers: 2, Target: whistleChat, Run: d.whistleCard}
}

func whistleChat(ctx context.Context, db *postgres.DB, due gateway.Due) (int64, error) {
	c, err := data[workorder.WhistleCallDue](due)
	if err != nil {
		return 0, err
	}
	if c.Group != 0 {
		return there(ctx, db, c.Group)
	}
	return toStaff(ctx, db, c.Staff)
}

func (d Deps) whistle(ctx context.Context, t *gateway.Turn, due gateway.Due) (*workorder.Whistle, error) {
	id, err := due.SubjectID("whistle")
	if err != nil {
		return nil, err
	}
	return d.Orders.LoadWhistle(ctx, t, id, false)
}

// partOf finds the part of a unit by the id of its row.
func partOf(w *workorder.Whistle, id int64) (ticket.Part, bool) {
	i := slices.IndexFunc(w.Parts, func(p ticket.Part) bool { return p.ID == id })
	if i < 0 {
		return ticket.Part{}, false
	}
	return w.Parts[i], true
}

func whistleClass(w *workorder.Whistle) scheduler.Class {
	if w.Kind == ticket.WhistleEmergency {
		return scheduler.Urgent
	}
	return scheduler.Normal
}

func (d Deps) whistleCall(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	c, err := data[workorder.WhistleCallDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	w, err := d.whistle(ctx, t, due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	p, ok := partOf(w, c.Unit)
	if !ok {
		return gateway.Dropped("the unit is not called"), nil
	}
	t.Class = whistleClass(w)
	l, old, err := d.whistleMessage(ctx, t, w, workorder.DueWhistleCall)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if out, stop, err := d.mayLay(ctx, t, w, l, old, &p, c.Staff); err != nil || stop {
		return out, err
	}
	l.Key, l.Short = "whistle.call", "whistle.changed"
	if l.Params, l.Options, err = d.Orders.WhistleCall(ctx, t, w, p); err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, t.Lay(l)
}

func (d Deps) whistleCard(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	w, err := d.whistle(ctx, t, due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	l, old, err := d.whistleMessage(ctx, t, w, workorder.DueWhistleCard)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if out, stop, err := d.mayLay(ctx, t, w, l, old, nil, 0); err != nil || stop {
		return out, err
	}
	l.Key, l.Short = "whistle.card", "whistle.changed"
	if l.Params, err = d.Orders.WhistleSheet(ctx, t, w, nil); err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, t.Lay(l)
}

// whistleMessage is the frame of the message in this chat, and whether it lies
// there already and is to be changed.
func (d Deps) whistleMessage(ctx context.Context, t *gateway.Turn, w *workorder.Whistle, reason string) (l gateway.Laid, old bool, err error) {
	l = gateway.Laid{Reason: reason, Subject: workorder.WhistleCardSubject(w.ID, t.GroupID), Version: int32(w.Version)}
	l.Edits, err = t.CardMessage(ctx, t.Conversation, l.Subject, []string{reason})
	if errors.Is(err, postgres.ErrNoRows) {
		return l, false, nil
	}
	if err != nil {
		return l, false, fmt.Errorf("find the message of a whistle: %w", err)
	}
	return l, true, nil
}

// mayLay asks whether the message may stand in this chat now; stop ends the row
// with out. A message that must not stand in a group any more is covered, and
// the unit's people get theirs in private.
func (d Deps) mayLay(
	ctx context.Context, t *gateway.Turn, w *workorder.Whistle, l gateway.Laid, old bool, p *ticket.Part, staff int64,
) (out gateway.Outcome, stop bool, err error) {
	switch {
	case !old && !w.State.Open():
		return gateway.Dropped("the whistle is " + string(w.State)), true, nil
	case old && !t.Group && !t.CanEdit():
		return gateway.Dropped("the message cannot be changed"), true, nil
	}
	if t.Group {
		fit := workorder.Fit(ctx, t.Queries, t.Conversation)
		if fit != nil && !errors.Is(fit, workorder.ErrUnfit) {
			return out, true, fit
		}
		if fit != nil || !workorder.ForWhistleGroups(w) {
			return gateway.Dropped("the group must not have it"), true, d.coverWhistle(ctx, t, w, l, old, p)
		}
	} else {
		who, err := d.Orders.LoadStaff(ctx, t, staff)
		if err != nil {
			return out, true, err
		}
		if !d.Orders.MayWhistle(who, people.MayAttendWhistle, w, t.Now) {
			return gateway.Dropped("it is not theirs"), true, nil
		}
	}
	if !old {
		if at, verdict := d.Quiet.Shift(t.Now, w.Deadline, whistleClass(w), scheduler.QuietLater); verdict == scheduler.Moved {
			return gateway.Later(at, "quiet hours"), true, nil
		}
	}
	return out, false, nil
}

// coverWhistle takes the message back from a group and lays the unit's own into
// the private chats.
func (d Deps) coverWhistle(ctx context.Context, t *gateway.Turn, w *workorder.Whistle, l gateway.Laid, old bool, p *ticket.Part) error {
	if old && t.CanEdit() {
		l.Reason, l.Key, l.Params = workorder.ReasonWhistleCover, "whistle.covered", map[string]string{"whistle": strconv.FormatInt(w.ID, 10)}
		if err := t.Lay(l); err != nil {
			return err
		}
	}
	if p == nil || !w.State.Open() || t.OnBoard() {
		return nil
	}
	return d.Orders.PlanCalls(ctx, t, w, *p, false)
}

// whistleLost tells the county's desk about a unit that nobody of can be
// written to.
func (d Deps) whistleLost(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	c, err := data[workorder.WhistleCallDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	w, err := d.whistle(ctx, t, due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	lost := gateway.Dropped(gateway.ErrNoAddress.Error())
	p, ok := partOf(w, c.Unit)
	if !ok || p.State != ticket.PartCalled {
		return lost, nil
	}
	colleagues, err := d.Orders.PartStaff(ctx, t, w, p)
	if err != nil {
		return gateway.Outcome{}, err
	}
	for _, id := range colleagues {
		if reached, err := reachable(ctx, t, id); err != nil || reached {
			return lost, err
		}
	}
	to, err := d.Orders.WhistlePeople(ctx, t, w, workorder.DeskCircle())
	if err != nil {
		return gateway.Outcome{}, err
	}
	due.Key = "unit/" + strconv.FormatInt(p.ID, 10)
	l, err := d.whistleLine(ctx, t, w, due, "whistle.unreached", &p)
	if err != nil {
		return gateway.Outcome{}, err
	}
	return lost, tell(ctx, t, due, l, to)
}

// whistleFit is the late-binding check of what is said about a whistle: it is
// still open, where that is asked, and a group may still have it.
func whistleFit(open bool) gateway.Fresh {
	return func(ctx context.Context, tx *postgres.Tx, subject string, version int32) (bool, string, error) {
		id, group, err := workorder.ParseWhistleCard(subject)
		if err != nil {
			return false, "", err
		}
		row, err := tx.GetWhistle(ctx, id)
		if errors.Is(err, postgres.ErrNoRows) {
			return false, "the whistle is gone", nil
		}
		if err != nil {
			return false, "", fmt.Errorf("load %s: %w", subject, err)
		}
		if group != 0 {
			if err := workorder.Fit(ctx, tx.Queries, group); errors.Is(err, workorder.ErrUnfit) {
				return false, err.Error(), nil
			} else if err != nil {
				return false, "", err
			}
			return true, "", nil // a change that shows the end of a whistle goes out as well
		}
		shown := row.Version == version // a message that shows how it ended
		return !open || shown || ticket.WhistleState(row.State).Open(), "the whistle is " + row.State, nil
	}
}
