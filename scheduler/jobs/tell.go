package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// Tell says a text about a ticket to one of the staff.
func Tell(d Deps) gateway.Kind { return d.telling(workorder.DueTell) }

// reasonTellOpen is DueTell for what is said only while the ticket is open.
const reasonTellOpen = "staff.tell.open"

// Supervised tells a desk that it owes an answer, and reminds it.
func Supervised(d Deps) gateway.Kind { return d.telling(workorder.DueSupervised) }

func (d Deps) telling(kind string) gateway.Kind {
	return gateway.Kind{
		Name: kind, Workers: 4,
		Target: func(ctx context.Context, db *postgres.DB, due gateway.Due) (int64, error) {
			v, err := data[workorder.TellDue](due)
			if err != nil {
				return 0, err
			}
			if v.Group != 0 {
				return there(ctx, db, v.Group)
			}
			return toStaff(ctx, db, v.Staff)
		},
		Run: d.sayToStaff,
	}
}

func (d Deps) sayToStaff(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	v, err := data[workorder.TellDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	o, err := d.Orders.Load(ctx, t, v.Ticket, false)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if at, verdict := d.Quiet.Shift(t.Now, time.Time{}, class(o), scheduler.QuietLater); verdict == scheduler.Moved {
		return gateway.Later(at, "quiet hours"), nil
	}
	t.Class = class(o)
	reason := due.Kind
	if v.Open {
		if reason = reasonTellOpen; !o.State.Open() {
			return gateway.Dropped("the ticket is " + string(o.State)), nil
		}
	}
	var who people.Staff
	if v.Group == 0 {
		if who, err = d.Orders.LoadStaff(ctx, t, v.Staff); err != nil {
			return gateway.Outcome{}, err
		}
		if d.Orders.Concerns(o, who) {
			return gateway.Dropped("the ticket is about who would be told"), nil
		}
	} else if fits, err := d.fitsHere(ctx, t, o, v.Group); err != nil {
		return gateway.Outcome{}, err
	} else if !fits {
		return gateway.Dropped("the group is not fit; those of the desk are told one by one"), d.tellApart(ctx, t, due, o, v)
	}
	params, err := d.told(ctx, t, o, who, v)
	if err != nil {
		return gateway.Outcome{}, err
	}
	var options []flows.Option
	if v.Button != "" {
		button, err := d.Orders.CommandButton(t, o, v.Button)
		if err != nil {
			return gateway.Outcome{}, err
		}
		options = append(options, button)
	}
	return gateway.Done, t.Lay(gateway.Laid{
		Reason: reason, Subject: workorder.CardSubject(o.ID, v.Group), Version: int32(o.Version), Key: v.Key, Params: params, Options: options,
	})
}

// fitsHere reports whether a text about the ticket may be said in this group: it
// works for a desk of the ticket, and everybody there may read along.
func (d Deps) fitsHere(ctx context.Context, t *gateway.Turn, o *workorder.Order, group int64) (bool, error) {
	part, err := d.Orders.PartOf(ctx, t, o, people.Staff{})
	if err != nil || part == workorder.NoPart {
		return false, err
	}
	err = workorder.Fit(ctx, t.Queries, group)
	if errors.Is(err, workorder.ErrUnfit) {
		return false, nil
	}
	return err == nil, err
}

// told are the values of the text. What a desk wrote about a ticket is shown to
// those who may see its inside.
func (d Deps) told(ctx context.Context, t *gateway.Turn, o *workorder.Order, who people.Staff, v workorder.TellDue) (map[string]string, error) {
	params := d.params(o)
	if !o.SuspendedUntil.IsZero() {
		until := map[string]string{}
		d.when(until, o.SuspendedUntil)
		params["until_month"], params["until_day"] = until["month"], until["day"]
	}
	params["said"] = ""
	if v.Supervision != "" {
		said, err := d.Orders.SupervisionSaid(ctx, t, o, v.Supervision)
		if err != nil {
			return nil, err
		}
		if viewer, ok := d.Orders.Viewer(who, o, t.Now); !ok || ticket.View(o.Ticket, viewer)[ticket.FieldInternal] != ticket.Full {
			said["words"] = ""
		}
		maps.Copy(params, said)
	}
	if v.Words != nil {
		words, err := t.Open(workorder.SealNotice, v.Words)
		if err != nil {
			return nil, err
		}
		params["words"] = words
		if params["said"], err = t.Text("tell.said", params); err != nil {
			return nil, err
		}
	}
	maps.Copy(params, v.Params)
	return params, nil
}

// tellApart tells those of a desk in private what may not go into their group.
func (d Deps) tellApart(ctx context.Context, t *gateway.Turn, due gateway.Due, o *workorder.Order, v workorder.TellDue) error {
	desk, ok := deskOf(o, v)
	if !ok || t.OnBoard() { // they hear it anyway
		return nil
	}
	staff, err := d.Orders.AtDesk(ctx, t, desk)
	if err != nil {
		return err
	}
	plans := make([]gateway.Plan, len(staff))
	for i, id := range staff {
		v.Group, v.Staff = 0, id
		plans[i] = gateway.Plan{Kind: due.Kind, Subject: due.Subject, Key: fmt.Sprintf("%s/apart/%d", due.Key, id), Version: due.Version, At: t.Now, Data: v}
	}
	return t.PlanDue(ctx, plans...)
}

// deskOf is the desk that a text in a group is meant for.
func deskOf(o *workorder.Order, v workorder.TellDue) (ticket.Desk, bool) {
	for _, s := range o.Supervisions {
		if s.Number == v.Supervision {
			return s.Desk, true
		}
	}
	lead, ok := o.Lead()
	return lead.Desk, ok
}

// owes is asked before a demand goes out: does a desk of the ticket still owe an
// answer?
func owes(ctx context.Context, tx *postgres.Tx, subject string, _ int32) (bool, string, error) {
	_, id, err := cut(subject)
	if err != nil {
		return false, "", err
	}
	rows, err := tx.SupervisionsOf(ctx, []int64{id})
	if err != nil {
		return false, "", fmt.Errorf("look what a desk owes: %w", err)
	}
	for _, r := range rows {
		if r.AnsweredAt == nil {
			return true, "", nil
		}
	}
	return false, "every supervision was answered", nil
}
