package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// step is one command on its way: the ticket, and who gives it.
type step struct {
	*visit
	api   *API
	order *workorder.Order
}

// commandInput is a command with its body.
type commandInput[B any] struct {
	TicketPath
	Keyed
	Body B
}

func (in *commandInput[B]) keyed() *Keyed { return &in.Keyed }

// nothing is the body of a command that needs none.
type nothing struct{}

// command registers a command. A token that may not give it on this ticket is
// refused before the rules are asked.
func command[B any](a *API, name, summary string, may func(*workorder.Order) people.StaffCommand, do func(ctx context.Context, s *step, b *B) error) {
	id := "ticket" + strings.ReplaceAll(strings.Title(strings.ReplaceAll(name, "_", " ")), " ", "") //nolint:staticcheck // ASCII names of ours
	path := "/tickets/{number}/commands/" + name
	write(a, post(id, path, summary, http.StatusOK), "", func(in *commandInput[B]) string { return in.Number },
		func(ctx context.Context, v *visit, in *commandInput[B]) (*Ticket, error) {
			if !v.holds(a, people.MayViewTicket) {
				return nil, errForbidden
			}
			o, _, err := a.seen(ctx, v, in.Number, true)
			if err != nil {
				return nil, err
			}
			if !v.may(a, may(o), o) {
				return nil, errForbidden
			}
			s := &step{visit: v, api: a, order: o}
			if err := do(ctx, s, &in.Body); err != nil {
				return nil, s.refused(err)
			}
			return s.result(ctx)
		})
}

// always is a right that does not depend on the ticket.
func always(c people.StaffCommand) func(*workorder.Order) people.StaffCommand {
	return func(*workorder.Order) people.StaffCommand { return c }
}

// refused adds to a refusal what the token may do instead.
func (s *step) refused(err error) error {
	var refused *ticket.Refused
	if errors.As(err, &refused) {
		return refusedProblem(refused, s.api.allowed(s.visit, s.order))
	}
	return err
}

// result is the ticket after the command; only its number and state where the
// token has put it out of its own sight.
func (s *step) result(ctx context.Context) (*Ticket, error) {
	o, err := s.api.Orders.Load(ctx, s.Turn, s.order.ID, false)
	if err != nil {
		return nil, err
	}
	view, ok := s.api.view(s.visit, o)
	if !ok {
		return &Ticket{Number: string(o.Number), State: string(o.State), Version: o.Version}, nil
	}
	return s.api.ticketOf(ctx, s.visit, o, view)
}

// as is the token in a capacity.
func (s *step) as(c ticket.Capacity) ticket.Actor {
	return ticket.Actor{As: c, Person: s.staff.PersonID, Staff: s.staff.ID}
}

// handler is the token as the desk that has the lead.
func (s *step) handler() (ticket.Actor, error) {
	by, ok := s.api.Orders.Handler(s.staff, s.order, s.Now)
	if !ok {
		return by, &ticket.Refused{Key: ticket.KeyNotYourDesk}
	}
	return by, nil
}

// handlerOr is the token as the desk that has the lead, else in another capacity.
func (s *step) handlerOr(c ticket.Capacity) ticket.Actor {
	if by, ok := s.api.Orders.Handler(s.staff, s.order, s.Now); ok {
		return by
	}
	return s.as(c)
}

// do gives a command to the rules.
func (s *step) do(ctx context.Context, by ticket.Actor, c ticket.Command) error {
	o, err := s.api.Orders.Do(ctx, s.Turn, s.order.ID, by, c)
	if err != nil {
		return err
	}
	s.order = o
	return nil
}

// leave takes a ticket that left its desk out of every chat in which it lies.
func (s *step) leave(ctx context.Context) error {
	return wrap("take the cards of a ticket away", s.CloseCardsOf(ctx, s.order.ID))
}

// note keeps words that only staff read.
func (s *step) note(ctx context.Context, words string) error {
	if strings.TrimSpace(words) == "" {
		return nil
	}
	return s.api.Orders.Note(ctx, s.Turn, s.order.ID, "staff", strings.TrimSpace(words))
}

// endTasks ends what lay before people about the ticket and was done here.
func (s *step) endTasks(ctx context.Context, kinds ...string) error {
	for _, kind := range kinds {
		if err := s.ClearTasksOf(ctx, "done by the API", &s.order.ID, kind); err != nil {
			return fmt.Errorf("end a task: %w", err)
		}
	}
	return nil
}

// allowed lists the commands that the token may give now: those for which it has
// the right, in a capacity in which the rules take them.
func (a *API) allowed(v *visit, o *workorder.Order) []string {
	s := &step{visit: v, api: a, order: o}
	capacities := []ticket.Actor{
		s.as(ticket.AsDispatcher), s.as(ticket.AsCompleter), s.as(ticket.AsCallback),
	}
	if by, ok := a.Orders.Handler(v.staff, o, v.Now); ok {
		capacities = append(capacities, by)
	}
	rules := map[ticket.CommandName]bool{}
	for _, by := range capacities {
		for _, c := range a.Orders.Rules.Allowed(o.Ticket, by) {
			rules[c] = rules[c] || v.may(a, rightOf(c, o), o)
		}
	}
	var names []string
	for _, row := range ticket.Transitions() {
		if rules[row.Command] && offered(row.Command) {
			names = append(names, string(row.Command))
		}
	}
	return names
}

// parseID reads an id of ours.
func parseID(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id < 1 {
		return 0, errNotFound
	}
	return id, nil
}
