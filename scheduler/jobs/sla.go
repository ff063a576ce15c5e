package jobs

import (
	"context"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// Nudge reminds the lead desk at a share of the handling time; at the deadline
// it is supervised, and the supervisors hear of it.
func Nudge(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueNudge, Workers: 4, Run: d.nudge}
}

func (d Deps) nudge(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	n, err := data[workorder.NudgeDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	o, err := d.order(ctx, t, due, false)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if !o.State.OnDesk() {
		return gateway.Dropped("the ticket is " + string(o.State)), nil
	}
	l := d.lineOf(o, due, "nudge.running")
	l.Params["percent"] = strconv.Itoa(int(n.Share*100 + 0.5))
	if n.Share >= 1 {
		l.Key = "nudge.over"
		if err := d.supervise(ctx, t, o, ticket.SuperviseOverdue); err != nil {
			return gateway.Outcome{}, err
		}
		if err := d.tellSupervisors(ctx, t, o, due, "supervise.over"); err != nil {
			return gateway.Outcome{}, err
		}
	}
	return d.tellDesk(ctx, t, o, due, l)
}

// Sign signs for a desk that let the time to sign run out and supervises it; the
// desk and the supervisors are told.
func Sign(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueSign, Workers: 4, Run: d.sign}
}

func (d Deps) sign(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	id, err := due.SubjectID("ticket")
	if err != nil {
		return gateway.Outcome{}, err
	}
	o, err := d.Orders.Do(ctx, t, id, ticket.Actor{As: ticket.AsSystem}, ticket.AutoSign{})
	if err != nil {
		return asked(err)
	}
	if err := d.supervise(ctx, t, o, ticket.SuperviseUnsigned); err != nil {
		return gateway.Outcome{}, err
	}
	if err := d.tellSupervisors(ctx, t, o, due, "supervise.signed"); err != nil {
		return gateway.Outcome{}, err
	}
	return d.tellDesk(ctx, t, o, due, d.lineOf(o, due, "sign.auto"))
}

// Contact reminds whoever signed to reach for the reporter.
func Contact(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueContact, Workers: 4, Run: d.contact}
}

func (d Deps) contact(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	o, err := d.order(ctx, t, due, false)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if !o.State.OnDesk() || !o.ContactedAt.IsZero() {
		return gateway.Dropped("the reporter was contacted, or the ticket has moved on"), nil
	}
	return d.tellDesk(ctx, t, o, due, d.lineOf(o, due, "contact.missing"))
}

// Dispatch alarms dispatchers and supervisors over a ticket that nobody has put
// on a desk in time.
func Dispatch(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueDispatch, Workers: 4, Run: d.undispatched}
}

func (d Deps) undispatched(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	o, err := d.order(ctx, t, due, false)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if o.State != ticket.Received {
		return gateway.Dropped("the ticket is " + string(o.State)), nil
	}
	var to []int64
	for _, role := range []people.Role{people.RoleDispatcher, people.RoleSupervisor} {
		staff, err := d.Orders.Holding(ctx, t, o, role, areasAbove(o)...)
		if err != nil {
			return gateway.Outcome{}, err
		}
		to = append(to, staff...)
	}
	return gateway.Done, remind(ctx, t, due, d.lineOf(o, due, "dispatch.late"), to)
}

// lineOf is a line about a ticket as it is now.
func (d Deps) lineOf(o *workorder.Order, due gateway.Due, key string) line {
	return line{Reason: due.Kind, Subject: due.Subject, Version: int32(o.Version), Key: key, Params: d.params(o), Class: class(o)}
}

// tellDesk tells whoever signed for the ticket, else everybody of the desk, and its
// boards.
func (d Deps) tellDesk(ctx context.Context, t *gateway.Turn, o *workorder.Order, due gateway.Due, l line) (gateway.Outcome, error) {
	lead, ok := o.Lead()
	if !ok {
		return gateway.Dropped("the ticket lies on no desk"), nil
	}
	to := []int64{lead.SignedBy}
	if lead.SignedBy == 0 {
		var err error
		if to, err = d.Orders.AtDesk(ctx, t, lead.Desk); err != nil {
			return gateway.Outcome{}, err
		}
	}
	boards, err := d.Orders.LeadBoards(ctx, t, o)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if err := onBoards(ctx, t, due, l, boards); err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, remind(ctx, t, due, l, to)
}

// tellSupervisors tells the supervisors of where the ticket lies, but for those
// it is about.
func (d Deps) tellSupervisors(ctx context.Context, t *gateway.Turn, o *workorder.Order, due gateway.Due, key string) error {
	to, err := d.Orders.Holding(ctx, t, o, people.RoleSupervisor, areasAbove(o)...)
	if err != nil {
		return err
	}
	due.Key += "/supervisors"
	l := d.lineOf(o, due, key)
	l.Class = scheduler.Normal
	return remind(ctx, t, due, l, to)
}
