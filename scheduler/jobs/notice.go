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

// noticeHandled tells what a desk answered. Who is asked on the telephone hears
// it there.
const noticeHandled = "notice.handled"

// Notice tells the reporter something. Where that cannot be, a callback clerk
// rings; whom a program filed for, it tells.
func Notice(d Deps) gateway.Kind {
	return gateway.Kind{
		Name: workorder.DueNotice, Workers: 4, Class: scheduler.Normal, Target: d.reporterOf, Run: d.notice,
		Lost: func(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
			o, err := d.order(ctx, t, due, true)
			if err != nil {
				return gateway.Outcome{}, err
			}
			if program, err := workorder.ByProgram(ctx, t, o); err != nil || program {
				return gateway.Dropped("the program that filed hears of it by the API"), err
			}
			n, err := data[workorder.NoticeDue](due)
			if err != nil {
				return gateway.Outcome{}, err
			}
			rings, err := d.Orders.ByPhone(ctx, t, o)
			if err != nil {
				return gateway.Outcome{}, err
			}
			if rings && n.Key == noticeHandled {
				return gateway.Dropped("who rings the resident reads it out"), nil
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
