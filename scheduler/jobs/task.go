package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
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
	areas := []string{row.Area, workorder.CityCode}
	if row.Kind == workorder.TaskEscalated {
		areas = areas[:1] // one level, and no other
	}
	disturbs := scheduler.Normal
	if row.StaffID != nil {
		to = append(to, *row.StaffID)
	}
	if row.Kind == workorder.TaskLogin {
		disturbs = scheduler.Urgent // until it is back, nobody there hears us, nor we them
	}
	params := map[string]string{"task": strconv.FormatInt(row.ID, 10), "number": ""}
	if row.TicketID == nil {
		if len(to) == 0 {
			if to, err = onDuty(ctx, t, people.Role(row.Role), areas...); err != nil {
				return gateway.Outcome{}, err
			}
		}
		class, err := taskNames(t, row, params)
		if err != nil {
			return gateway.Outcome{}, err
		}
		disturbs = cmp.Or(class, disturbs)
	} else {
		o, err := d.Orders.Load(ctx, t, *row.TicketID, false)
		if err != nil {
			return gateway.Outcome{}, err
		}
		params["number"], params["matter"], disturbs = o.Number.Spoken(), d.matter(o), class(o)
		if len(to) > 0 {
			to, err = d.Orders.Unconcerned(ctx, t, o, to)
		} else {
			to, err = d.Orders.Holding(ctx, t, o, people.Role(row.Role), areas...)
		}
		if err != nil {
			return gateway.Outcome{}, err
		}
	}
	if len(to) == 0 {
		return gateway.Dropped("nobody is " + row.Role + " in " + row.Area), nil
	}
	l := line{Reason: workorder.DueTask, Subject: postgres.Subject("task", row.ID), Key: "task." + row.Kind, Params: params, Class: disturbs}
	return gateway.Done, tell(ctx, t, due, l, to)
}

// taskNames adds what a task about no ticket says in its line: names of matters
// and areas, counts, the number of a bed and a day. Words and persons stay in the
// task. class is whom it may disturb, "" where the task does not say.
func taskNames(t *gateway.Turn, row db.Task, params map[string]string) (class scheduler.Class, err error) {
	body, err := t.Open(workorder.SealTask, row.Data)
	if err != nil || body == "" {
		return "", err
	}
	said := map[string]string{}
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		return "", fmt.Errorf("read the data of a task: %w", err)
	}
	for _, name := range []string{"matter", "area", "count", "channel", workorder.DataMonth, "bed", "when"} {
		params[name] = said[name]
	}
	return scheduler.Class(said["disturbs"]), nil
}
