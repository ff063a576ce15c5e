package console

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// taskPage is one task with what is needed to do it.
type taskPage struct {
	ID     int64
	Kind   string
	Ticket *ticketPage
	Reason string
	// What the form offers and holds.
	Matters []ticket.Matter
	Claims  []ticket.Claim
	Units   []ticket.Unit
	Grid    string
	Named   []db.StaffWithRow
	Places  []string // labels to choose from when the place is not clear
	Place   string
	Words   string
	Matter  string
	Claim   string
	Unclear bool
	// The answers that a callback offers.
	Contacts, Solutions []ticket.Answer
	Levels              []ticket.Satisfaction
}

// rightOf is the right that a task about a ticket asks for.
func rightOf(kind string) people.StaffCommand {
	switch kind {
	case workorder.TaskComplete, workorder.TaskVoice:
		return people.MayCompleteTicket
	case workorder.TaskDispatch:
		return people.MayDispatchTicket
	case workorder.TaskPhone:
		return people.MayCallBack
	case workorder.TaskJudge:
		return people.MayJudge
	case workorder.TaskCheck:
		return people.MayCheckFinding
	}
	return people.MayViewTicket
}

// taskOrder loads the ticket of a task, nil where it has none. ok is false for
// who does not hold the role in the area of the task, or lacks the right.
func (c *Console) taskOrder(ctx context.Context, v *visit, row db.Task, lock bool) (o *workorder.Order, ok bool, err error) {
	if row.State != "open" || row.StaffID != nil && *row.StaffID != v.staff.ID {
		return nil, false, nil
	}
	held := slices.ContainsFunc(v.staff.Grants, func(g people.Grant) bool {
		return string(g.Role) == row.Role && (strings.HasPrefix(row.Area, g.Area.Code) || strings.HasPrefix(g.Area.Code, row.Area))
	})
	if !held || row.TicketID == nil {
		return nil, held, nil
	}
	if o, err = c.Orders.Load(ctx, v.Turn, *row.TicketID, lock); err != nil {
		return nil, false, fmt.Errorf("load the ticket of a task: %w", err)
	}
	return o, c.Orders.May(v.staff, rightOf(row.Kind), o, v.Now), nil
}

// task loads the task of the path for who may do it.
func (c *Console) task(ctx context.Context, v *visit, lock bool) (row db.Task, o *workorder.Order, err error) {
	id, err := v.id("id")
	if err != nil {
		return row, nil, err
	}
	// Lock order: the ticket before its task, as in chat.
	if row, err = v.GetTask(ctx, id); err != nil {
		return row, nil, fmt.Errorf("load a task: %w", err)
	}
	o, ok, err := c.taskOrder(ctx, v, row, lock)
	if err == nil && !ok {
		err = errNotHere
	}
	if err != nil || !lock {
		return row, o, err
	}
	if row, err = v.LockTask(ctx, id); err != nil {
		return row, nil, fmt.Errorf("lock a task: %w", err)
	}
	if row.State != "open" {
		err = errNotHere
	}
	return row, o, err
}

func (c *Console) showTask(ctx context.Context, v *visit) (answer, error) {
	row, o, err := c.task(ctx, v, false)
	if err != nil {
		return answer{}, err
	}
	p, err := c.taskPage(ctx, v, row, o)
	return answer{page: "task", data: p}, err
}

func (c *Console) taskPage(ctx context.Context, v *visit, row db.Task, o *workorder.Order) (*taskPage, error) {
	p := &taskPage{
		ID: row.ID, Kind: row.Kind, Contacts: []ticket.Answer{ticket.Yes, ticket.No},
		Solutions: []ticket.Answer{ticket.Yes, ticket.Partly, ticket.No}, Levels: ticket.Satisfactions(),
	}
	data := map[string]string{}
	plain, err := v.Open(workorder.SealTask, row.Data)
	if err != nil {
		return nil, err
	}
	if plain != "" {
		if err := json.Unmarshal([]byte(plain), &data); err != nil {
			return nil, fmt.Errorf("read a task: %w", err)
		}
	}
	p.Reason = data["reason"]
	if o == nil {
		return p, nil
	}
	_, view, err := c.order(ctx, v, o.ID)
	if err != nil {
		return nil, err
	}
	shown, err := c.ticketPage(ctx, v, o, view)
	if err != nil {
		return nil, err
	}
	p.Ticket, p.Place, p.Matter, p.Claim = &shown, o.Place.Label, o.Matter, o.Claim
	p.Matters, p.Claims, p.Grid = c.Orders.Matters.All(), c.Orders.Matters.Claims(), o.Place.Grid
	for _, u := range c.Units.All() {
		if !slices.Contains(o.Against, u.Code) {
			p.Units = append(p.Units, u)
		}
	}
	if row.Kind == workorder.TaskDispatch && o.Private() {
		codes := make([]string, len(p.Units))
		for i, u := range p.Units {
			codes[i] = u.Code
		}
		if p.Named, err = v.StaffWith(ctx, []string{string(people.RoleHandler)}, codes); err != nil {
			return nil, fmt.Errorf("find who may take a private ticket: %w", err)
		}
	}
	return p, nil
}
