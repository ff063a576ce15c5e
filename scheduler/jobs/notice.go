package jobs

import (
	"context"
	"maps"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// Notice tells the reporter something. Where that cannot be, a callback clerk
// rings.
func Notice(d Deps) gateway.Kind {
	return gateway.Kind{
		Name: workorder.DueNotice, Workers: 4, Class: scheduler.Normal, Target: reporterOf, Run: d.notice,
		Lost: func(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
			o, err := d.order(ctx, t, due, true)
			if err != nil {
				return gateway.Outcome{}, err
			}
			subject := "reporter/" + workorder.Subject(o.ID)
			err = d.Orders.AddTaskOn(ctx, t, o, workorder.TaskLost, subject, people.RoleCallbackClerk, map[string]string{"reason": "notice"})
			return gateway.Dropped(gateway.ErrNoAddress.Error()), err
		},
	}
}

func (d Deps) notice(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	n, err := data[workorder.NoticeDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	o, err := d.order(ctx, t, due, false)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if o.State == ticket.Withdrawn {
		return gateway.Dropped("the ticket was withdrawn"), nil
	}
	params := maps.Clone(n.Params)
	if params == nil {
		params = map[string]string{}
	}
	// What the desk or the clerk told the resident, for the texts that show it.
	if params["reply"], err = d.Orders.Reply(o); err != nil {
		return gateway.Outcome{}, err
	}
	if n.Words != nil {
		words, err := t.Open(workorder.SealNotice, n.Words)
		if err != nil {
			return gateway.Outcome{}, err
		}
		params["words"] = words
	}
	return gateway.Done, t.Tell(workorder.DueNotice, due.Subject, due.Version, n.Key, params)
}
