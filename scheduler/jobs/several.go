package jobs

import (
	"context"

	"shaoying/internal/gateway"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// CoNudge reminds a co-handling desk that the lead waits for its reply.
func CoNudge(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueCoNudge, Workers: 4, Run: d.coNudge}
}

func (d Deps) coNudge(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	o, a, why, err := d.awaited(ctx, t, due)
	if err != nil || why != "" {
		return gateway.Dropped(why), err
	}
	l := d.lineOf(o, due, "nudge.co")
	d.when(l.Params, a.Deadline)
	to := []int64{a.SignedBy}
	if a.SignedBy == 0 {
		if to, err = d.Orders.AtDesk(ctx, t, a.Desk); err != nil {
			return gateway.Outcome{}, err
		}
	}
	return gateway.Done, remind(ctx, t, due, l, to)
}

// CoSilent supervises a co-handling desk that let its time run out. The lead is
// not the one who was silent.
func CoSilent(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueCoSilent, Workers: 4, Run: d.coSilent}
}

func (d Deps) coSilent(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	o, a, why, err := d.awaited(ctx, t, due)
	if err != nil || why != "" {
		return gateway.Dropped(why), err
	}
	_, err = d.Orders.Supervise(ctx, t, o.ID, ticket.Actor{As: ticket.AsSystem}, a.Desk, ticket.SuperviseCoSilent)
	return asked(err)
}

// awaited is the co-handling desk of a row; why says when nobody waits for it
// any more.
func (d Deps) awaited(ctx context.Context, t *gateway.Turn, due gateway.Due) (o *workorder.Order, a ticket.Assignment, why string, err error) {
	about, err := data[workorder.CoDue](due)
	if err != nil {
		return nil, a, "", err
	}
	if o, err = d.order(ctx, t, due, true); err != nil {
		return nil, a, "", err
	}
	if !o.State.OnDesk() {
		return o, a, "the ticket is " + string(o.State), nil
	}
	for _, a := range o.Awaited() {
		if a.ID == about.Assignment {
			return o, a, "", nil
		}
	}
	return o, a, "the desk has replied, or is not asked any more", nil
}

// Resume ends a suspension at its day.
func Resume(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueResume, Workers: 4, Run: d.resume}
}

func (d Deps) resume(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	id, err := due.SubjectID("ticket")
	if err != nil {
		return gateway.Outcome{}, err
	}
	_, err = d.Orders.Do(ctx, t, id, ticket.Actor{As: ticket.AsSystem}, ticket.Resume{})
	return asked(err)
}
