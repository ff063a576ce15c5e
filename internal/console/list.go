package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// maxRows bounds what one page lists.
const maxRows = 200

// line is one ticket or task in the list.
type line struct {
	ID      int64
	Kind    string
	Number  string
	Matter  string
	State   string
	Place   string
	At      time.Time
	Overdue bool
}

// listPage is the start page of the desk.
type listPage struct {
	Tasks, Tickets []line
	Overdue        int
	State, Query   string
	States         []ticket.State
}

// list shows the tasks and tickets of who asks, what is overdue first.
func (c *Console) list(ctx context.Context, v *visit) (answer, error) {
	p := listPage{State: v.r.FormValue("state"), Query: strings.TrimSpace(v.r.FormValue("q")), States: ticket.States()}
	if p.State != "" && !slices.Contains(p.States, ticket.State(p.State)) {
		return answer{}, errForm
	}
	if p.Query == "" && p.State == "" {
		tasks, err := c.tasks(ctx, v)
		if err != nil {
			return answer{}, err
		}
		p.Tasks = tasks
	}
	rows, err := c.find(ctx, v, p)
	if err != nil {
		return answer{}, err
	}
	orders, err := postgres.WithAssignments(ctx, v.Queries, rows)
	if err != nil {
		return answer{}, err
	}
	for i := range orders {
		l, seen, err := c.ticketLine(ctx, v, &orders[i], p.Query)
		if err != nil {
			return answer{}, err
		}
		if seen {
			p.Tickets = append(p.Tickets, l)
		}
	}
	slices.SortStableFunc(p.Tickets, overdueFirst)
	for _, l := range slices.Concat(p.Tasks, p.Tickets) {
		if l.Overdue {
			p.Overdue++
		}
	}
	return answer{page: "list", data: p}, nil
}

func overdueFirst(a, b line) int {
	switch {
	case a.Overdue == b.Overdue:
		return 0
	case a.Overdue:
		return -1
	}
	return 1
}

// find reads the tickets that may concern who asks: by number, by words, or
// those of their areas.
func (c *Console) find(ctx context.Context, v *visit, p listPage) ([]db.Ticket, error) {
	if p.Query == "" {
		arg := db.DeskTicketsParams{State: p.State, StaffID: v.staff.ID, MaxRows: maxRows, Areas: []string{}}
		for _, g := range v.staff.Grants {
			arg.Areas = append(arg.Areas, g.Area.Code)
			arg.City = arg.City || g.Area.Kind == people.AreaCity
		}
		rows, err := v.DeskTickets(ctx, arg)
		if err != nil {
			return nil, fmt.Errorf("list tickets: %w", err)
		}
		return rows, nil
	}
	if n, err := ticket.ParseNumber(p.Query); err == nil {
		id, err := v.TicketIDByNumber(ctx, string(n))
		if errors.Is(err, postgres.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("look a number up: %w", err)
		}
		row, err := v.GetTicket(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("load a ticket: %w", err)
		}
		return []db.Ticket{row}, nil
	}
	var all []db.Ticket
	for _, grams := range c.Orders.Keys.Search(p.Query) {
		if len(grams) == 0 {
			continue
		}
		rows, err := v.SearchTickets(ctx, grams, maxRows)
		if err != nil {
			return nil, fmt.Errorf("search tickets: %w", err)
		}
		all = append(all, rows...)
	}
	return all, nil
}

// ticketLine is a ticket in the list; seen is false where the rights hide it,
// or where a search by words hit by chance only.
func (c *Console) ticketLine(ctx context.Context, v *visit, row *workorder.Order, query string) (l line, seen bool, err error) {
	viewer, ok := c.Orders.Viewer(v.staff, row, v.Now)
	if !ok {
		return l, false, nil
	}
	view := ticket.View(row.Ticket, viewer)
	if view[ticket.FieldNumber] != ticket.Full {
		return l, false, nil
	}
	o, err := c.Orders.Load(ctx, v.Turn, row.ID, false)
	if err != nil {
		return l, false, fmt.Errorf("open a ticket: %w", err)
	}
	if _, err := ticket.ParseNumber(query); query != "" && err != nil {
		words, err := c.Orders.Words(o)
		if err != nil {
			return l, false, err
		}
		if view[ticket.FieldWords] != ticket.Full || !strings.Contains(words+" "+o.Place.Label, query) {
			return l, false, nil
		}
	}
	l = line{
		ID: o.ID, Number: o.Number.Spoken(), Matter: o.Matter, State: string(o.State), At: o.Deadline,
		Overdue: o.State.OnDesk() && o.Overdue(v.Now),
	}
	if view[ticket.FieldPlace] == ticket.Full {
		l.Place = o.Place.Label
	}
	return l, true, nil
}

// tasks lists the open tasks of who asks.
func (c *Console) tasks(ctx context.Context, v *visit) ([]line, error) {
	arg := db.OpenTasksForParams{Staff: v.staff.ID, MaxRows: maxRows, Roles: []string{}, Areas: []string{}}
	for _, g := range v.staff.Grants {
		arg.Roles, arg.Areas = append(arg.Roles, string(g.Role)), append(arg.Areas, g.Area.Code)
	}
	rows, err := v.OpenTasksFor(ctx, arg)
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	var lines []line
	for _, row := range rows {
		o, ok, err := c.taskOrder(ctx, v, row, false)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		l := line{ID: row.ID, Kind: row.Kind, At: row.CreatedAt}
		if row.DueAt != nil {
			l.At, l.Overdue = *row.DueAt, v.Now.After(*row.DueAt)
		}
		if o != nil {
			l.Number, l.Matter, l.Place = o.Number.Spoken(), o.Matter, o.Place.Label
		}
		lines = append(lines, l)
	}
	slices.SortStableFunc(lines, overdueFirst)
	return lines, nil
}
