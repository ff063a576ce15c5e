package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
)

// DueLine is one line for one staff member: subject "staff:ID", data line.
const DueLine = "staff.line"

// line is a text for staff with the reason that is read again before it goes.
type line struct {
	// Reason names the check in Fresh; Subject and Version are what it reads.
	Reason  string            `json:"reason"`
	Subject string            `json:"subject"`
	Version int32             `json:"version,omitempty"`
	Key     string            `json:"key"`
	Params  map[string]string `json:"params,omitempty"`
	Class   scheduler.Class   `json:"class"`
}

// tell plans a line for each of the staff, at once. The key is that of the row
// from which it follows.
func tell(ctx context.Context, t *gateway.Turn, due gateway.Due, l line, staff []int64) error {
	return tellAt(ctx, t, due, l, staff, t.Now)
}

// remind is tell for what is no news but a clock that ran on: it waits for the
// end of the minute, so that the clocks of tickets that came together are one
// message. What is urgent does not wait.
func remind(ctx context.Context, t *gateway.Turn, due gateway.Due, l line, staff []int64) error {
	at := t.Now
	if l.Class == scheduler.Normal {
		at = at.Truncate(time.Minute).Add(time.Minute)
	}
	return tellAt(ctx, t, due, l, staff, at)
}

func tellAt(ctx context.Context, t *gateway.Turn, due gateway.Due, l line, staff []int64, at time.Time) error {
	for _, id := range staff {
		err := t.PlanDue(ctx, gateway.Plan{
			Kind: DueLine, Subject: postgres.Subject("staff", id), Key: due.Kind + "/" + due.Subject + "/" + due.Key, At: at, Data: l,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Line says what lies before one staff member. All lines that are due for the
// same person become one message.
func Line(d Deps) gateway.Kind {
	return gateway.Kind{Name: DueLine, Workers: 4, Target: staffOf, Run: d.line}
}

func (d Deps) line(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	first, err := data[line](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if at, verdict := d.Quiet.Shift(t.Now, time.Time{}, first.Class, scheduler.QuietLater); verdict == scheduler.Moved {
		return gateway.Later(at, "quiet hours"), nil
	}
	t.Class = first.Class
	lines, err := d.gather(ctx, t, due, first)
	if err != nil {
		return gateway.Outcome{}, err
	}
	switch len(lines) {
	case 0:
		return gateway.Dropped("what it said is no longer so"), nil
	case 1:
		l := lines[0]
		return gateway.Done, t.Tell(l.Reason, l.Subject, l.Version, l.Key, l.Params)
	}
	texts := make([]string, len(lines))
	for i, l := range lines {
		if texts[i], err = d.Library.Text(l.Key, t.Lang, l.Params); err != nil {
			return gateway.Outcome{}, fmt.Errorf("write the line %s: %w", l.Key, err)
		}
	}
	return gateway.Done, t.Tell(DueLine, due.Subject, 0, "line.many", map[string]string{
		"count": strconv.Itoa(len(lines)), "lines": strings.Join(texts, "\n"),
	})
}

// meant reports whether what a line is about concerns the very person who would
// read it: a complaint about somebody, or about a unit, never reaches them,
// whoever planned the line.
func (d Deps) meant(ctx context.Context, t *gateway.Turn, staff int64, l line) (bool, error) {
	kind, id, err := cut(l.Subject)
	if err != nil {
		return false, err
	}
	if kind == "task" {
		task, err := t.GetTask(ctx, id)
		if err != nil {
			return false, fmt.Errorf("load %s: %w", l.Subject, err)
		}
		if task.TicketID == nil {
			return false, nil
		}
		kind, id = "ticket", *task.TicketID
	}
	if kind != "ticket" {
		return false, nil
	}
	return d.Orders.Meant(ctx, t, id, staff)
}

// gather ends all lines that are due for the same person and returns those that
// are still true, in the order in which they were planned.
func (d Deps) gather(ctx context.Context, t *gateway.Turn, due gateway.Due, first line) ([]line, error) {
	rows, err := t.GatherDue(ctx, due.Kind, due.Subject, due.ID)
	if err != nil {
		return nil, fmt.Errorf("gather what else is due for %s: %w", due.Subject, err)
	}
	type planned struct {
		id int64
		line
	}
	all := []planned{{due.ID, first}}
	for _, r := range rows {
		p := planned{id: r.ID}
		if err := json.Unmarshal(r.Data, &p.line); err != nil {
			return nil, fmt.Errorf("read a line: %w", err)
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b planned) int { return int(a.id - b.id) })
	staff, err := due.SubjectID("staff")
	if err != nil {
		return nil, err
	}
	fresh := Fresh(d)
	var lines []line
	for _, p := range all {
		ok, _, err := fresh[p.Reason](ctx, t.Tx, p.Subject, p.Version)
		if err != nil {
			return nil, fmt.Errorf("look whether %s is still so: %w", p.Key, err)
		}
		if !ok {
			continue
		}
		meant, err := d.meant(ctx, t, staff, p.line)
		if err != nil {
			return nil, err
		}
		if !meant {
			lines = append(lines, p.line)
		}
	}
	return lines, nil
}
