package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
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

// who is what a token is to a ticket when it gives a command; false where it may
// not give it.
type who func(s *step) (ticket.Actor, bool)

// offer is a command that has an operation.
type offer struct {
	name ticket.CommandName
	by   who
}

// command registers a command. A token that may not give it on this ticket is
// refused before the rules are asked. One that may need not see the ticket any
// more: a desk answers a supervision of what it has handed on.
func command[B any](a *API, name ticket.CommandName, id, summary string, by who, do func(ctx context.Context, s *step, by ticket.Actor, b *B) error) {
	a.offers = append(a.offers, offer{name, by})
	path := "/tickets/{number}/commands/" + string(name)
	write(a, post(id, path, summary, http.StatusOK), "", func(in *commandInput[B]) string { return in.Number },
		func(ctx context.Context, v *visit, in *commandInput[B]) (*Ticket, error) {
			if !v.holds(a, people.MayViewTicket) {
				return nil, errForbidden
			}
			o, err := a.numbered(ctx, v, in.Number, true)
			if err != nil {
				return nil, err
			}
			s := &step{visit: v, api: a, order: o}
			actor, ok := by(s)
			if _, sees := a.view(v, o); !ok && !sees {
				return nil, errNotFound
			}
			if !ok {
				return nil, errForbidden
			}
			if err := do(ctx, s, actor, &in.Body); err != nil {
				return nil, s.refused(err)
			}
			return s.result(ctx)
		})
}

// as is a capacity that the right alone gives.
func as(c ticket.Capacity, right people.StaffCommand) who {
	return func(s *step) (ticket.Actor, bool) { return s.actor(c), s.may(s.api, right, s.order) }
}

// asHandler is the desk that has the lead.
func asHandler(right people.StaffCommand) who {
	return func(s *step) (ticket.Actor, bool) {
		by, ok := s.api.Orders.Handler(s.staff, s.order, s.Now)
		return by, ok && s.may(s.api, right, s.order)
	}
}

// asHandlerOr is the desk that has the lead, else another capacity.
func asHandlerOr(c ticket.Capacity, right people.StaffCommand) who {
	return func(s *step) (ticket.Actor, bool) {
		by, ok := s.api.Orders.Handler(s.staff, s.order, s.Now)
		if !ok {
			by = s.actor(c)
		}
		return by, s.may(s.api, right, s.order)
	}
}

// early is who works on a ticket before any desk has it.
func early(right people.StaffCommand) who {
	return func(s *step) (ticket.Actor, bool) {
		c := ticket.AsCompleter
		if s.staff.Has(people.RoleDispatcher) {
			c = ticket.AsDispatcher
		}
		return s.actor(c), s.may(s.api, right, s.order)
	}
}

// calling is who asks the resident, or checks a finding.
func calling(s *step) (ticket.Actor, bool) {
	right := people.MayCallBack
	if s.order.Finding {
		right = people.MayCheckFinding
	}
	return s.actor(ticket.AsCallback), s.may(s.api, right, s.order)
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

// actor is the token in a capacity.
func (s *step) actor(c ticket.Capacity) ticket.Actor {
	return ticket.Actor{As: c, Person: s.staff.PersonID, Staff: s.staff.ID}
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
		if err := s.ClearTasksOf(ctx, db.ClearTasksOfParams{Outcome: "done by the API", TicketID: &s.order.ID, Kind: kind}); err != nil {
			return fmt.Errorf("end a task: %w", err)
		}
	}
	return nil
}

// allowed lists the commands that the token may give now: those for which it has
// the right, in a capacity in which the rules take them.
func (a *API) allowed(v *visit, o *workorder.Order) []string {
	s := &step{visit: v, api: a, order: o}
	var names []string
	for _, c := range a.offers {
		if by, ok := c.by(s); ok && !a.idle(o, c.name) && slices.Contains(a.Orders.Rules.Allowed(o.Ticket, by), c.name) {
			names = append(names, string(c.name))
		}
	}
	return names
}

// idle reports whether the rules would refuse a command whatever its body says,
// for another reason than the state of the ticket.
func (a *API) idle(o *workorder.Order, c ticket.CommandName) bool {
	switch c {
	case ticket.CmdDecide:
		return o.Request.Kind == ""
	case ticket.CmdObject, ticket.CmdAskExtension, ticket.CmdAskSuspension:
		return o.Request.Kind != ""
	case ticket.CmdAskExclusion:
		return o.Exclusion != ""
	case ticket.CmdDecideExclusion:
		return o.Exclusion != ticket.Asked
	case ticket.CmdAnswer:
		return !slices.Contains(a.Orders.Rules.Policy().Answers.Claims, o.Claim)
	case ticket.CmdRefer:
		return o.Danger != ""
	}
	return false
}

// parseID reads an id of ours.
func parseID(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id < 1 {
		return 0, errNotFound
	}
	return id, nil
}
