package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// Task tells everybody on duty who may do a task that it lies there. The line
// names the number of the task, by which it is taken up.
func Task(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueTask, Workers: 4, Run: d.task}
}

func (d Deps) task(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	about, err := data[workorder.TaskDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	row, err := t.TaskBy(ctx, about.Kind, due.Subject)
	if errors.Is(err, postgres.ErrNoRows) || err == nil && row.State != "open" {
		return gateway.Dropped("the task is done"), nil
	}
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("load task %s of %s: %w", about.Kind, due.Subject, err)
	}
	var to []int64
	disturbs := scheduler.Normal
	if row.StaffID != nil {
		to = append(to, *row.StaffID)
	} else if to, err = onDuty(ctx, t, people.Role(row.Role), row.Area, workorder.CityCode); err != nil {
		return gateway.Outcome{}, err
	}
	params := map[string]string{"task": strconv.FormatInt(row.ID, 10), "number": ""}
	if row.TicketID != nil {
		o, err := d.Orders.Load(ctx, t, *row.TicketID, false)
		if err != nil {
			return gateway.Outcome{}, err
		}
		params["number"], params["matter"], disturbs = o.Number.Spoken(), d.matter(o), class(o)
	}
	if len(to) == 0 {
		return gateway.Dropped("nobody is " + row.Role + " in " + row.Area), nil
	}
	l := line{Reason: workorder.DueTask, Subject: postgres.Subject("task", row.ID), Key: "task." + row.Kind, Params: params, Class: disturbs}
	return gateway.Done, tell(ctx, t, due, l, to)
}
