package jobs

import (
	"context"
	"errors"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// Lapse notes that a supervision was not answered in time; the ticket is raised.
func Lapse(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueLapse, Workers: 2, Run: d.lapse}
}

func (d Deps) lapse(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	v, err := data[workorder.LapseDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	_, err = d.Orders.Do(ctx, t, v.Ticket, ticket.Actor{As: ticket.AsSystem}, ticket.LapseSupervision{Number: v.Number})
	return asked(err)
}

// asked is the outcome of a command that a clock gives: what the rules refuse
// has lost its reason.
func asked(err error) (gateway.Outcome, error) {
	if refused := (*ticket.Refused)(nil); errors.As(err, &refused) {
		return gateway.Dropped(refused.Key), nil
	}
	if err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, nil
}

// Raise raises a ticket that is a whole limit over its deadline. The deadline may
// have been put off since it was planned.
func Raise(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueRaise, Workers: 2, Run: d.raise}
}

func (d Deps) raise(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	was, err := data[workorder.RaiseDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	o, err := d.order(ctx, t, due, true)
	switch {
	case err != nil:
		return gateway.Outcome{}, err
	case o.Level != was.Level:
		return gateway.Dropped("it was raised in the meantime"), nil
	case o.State == ticket.Suspended:
		at := t.Now.Add(time.Minute) // whoever resumes it may be late
		if o.SuspendedUntil.After(at) {
			at = o.SuspendedUntil
		}
		return gateway.Later(at, "suspended"), nil
	}
	at, err := d.Orders.Rules.RaiseAt(o.Ticket)
	switch {
	case err != nil:
		return gateway.Outcome{}, err
	case at.IsZero():
		return gateway.Dropped("the ticket is " + string(o.State)), nil
	case at.After(t.Now):
		return gateway.Later(at, "the deadline was put off"), nil
	}
	_, err = d.Orders.Do(ctx, t, o.ID, ticket.Actor{As: ticket.AsSystem}, ticket.Escalate{Reason: ticket.EscalateOverdue})
	return asked(err)
}

// Merged brings a merged ticket to where its master has come.
func Merged(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueMerged, Workers: 4, Run: d.mirror}
}

func (d Deps) mirror(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	id, err := due.SubjectID("ticket")
	if err != nil {
		return gateway.Outcome{}, err
	}
	moved, err := d.Orders.Mirror(ctx, t, id)
	if err != nil || moved {
		return gateway.Done, err
	}
	return gateway.Dropped("it is not merged, or its master is still worked on"), nil
}

// supervise opens a supervision by the system on the desk that has the lead,
// unless the rules refuse, as while the desk owes an answer already.
func (d Deps) supervise(ctx context.Context, t *gateway.Turn, o *workorder.Order, reason string) error {
	lead, held := o.Lead()
	if !held {
		return nil
	}
	_, err := d.Orders.Supervise(ctx, t, o.ID, ticket.Actor{As: ticket.AsSystem}, lead.Desk, reason)
	if refused := (*ticket.Refused)(nil); errors.As(err, &refused) {
		return nil
	}
	return err
}
