package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

func (a *API) tickets() {
	read(a, get("listTickets", "/tickets", "Tickets of the token's area, the newest first"), people.MayViewTicket, a.listTickets)
	read(a, get("getTicket", "/tickets/{number}", "One ticket"), people.MayViewTicket, a.getTicket)
	read(a, get("listTicketEvents", "/tickets/{number}/events", "What happened to a ticket"), people.MayViewTicket, a.ticketEvents)
	read(a, get("listEvents", "/events", "What happened to all tickets of the token's area, in order"), people.MayViewTicket, a.events)
	write(a, post("fileTicket", "/tickets", "File a report", http.StatusCreated), people.MayFileTicket,
		func(*fileInput) string { return "" }, a.fileTicket)
}

// missing makes the answer for what does not exist.
func missing(what string, err error) error {
	if errors.Is(err, postgres.ErrNoRows) {
		return errNotFound
	}
	return fmt.Errorf("%s: %w", what, err)
}

type listTicketsInput struct {
	Paging
	State string `query:"state" doc:"only tickets in this state"`
}

func (a *API) listTickets(ctx context.Context, v *visit, in *listTicketsInput) (*Page[Ticket], error) {
	before, err := in.at("tickets", math.MaxInt64)
	if err != nil {
		return nil, err
	}
	if in.State != "" && !isState(in.State) {
		return nil, invalid("query.state", "there is no such state")
	}
	rows, err := a.findTickets(ctx, v, before, in.State, a.rows(in.Paging))
	if err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	orders, err := postgres.WithAssignments(ctx, v.Queries, rows)
	if err != nil {
		return nil, err
	}
	page := &Page[Ticket]{Items: []Ticket{}}
	for i := range orders {
		if _, ok := a.view(v, &orders[i]); !ok {
			continue
		}
		o, err := a.Orders.Load(ctx, v.Turn, orders[i].ID, false)
		if err != nil {
			return nil, err
		}
		view, ok := a.view(v, o)
		if !ok {
			continue
		}
		t, err := a.ticketOf(ctx, v, o, view)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, *t)
	}
	if n := len(rows); n == a.rows(in.Paging) {
		page.Next = cursorOf("tickets", rows[n-1].ID)
	}
	return page, nil
}

func isState(s string) bool {
	for _, known := range ticket.States() {
		if string(known) == s {
			return true
		}
	}
	return false
}

// findTickets reads the rows that may concern the token.
func (a *API) findTickets(ctx context.Context, v *visit, before int64, state string, rows int) ([]db.Ticket, error) {
	at := v.area()
	if at.Kind == people.AreaUnit {
		return v.TicketsAt(ctx, db.TicketsAtParams{Before: before, State: state, Desk: at.Code, MaxRows: int32(rows)})
	}
	return v.TicketsIn(ctx, db.TicketsInParams{
		Before: before, State: state, Area: at.Code, Unplaced: at.Kind == people.AreaCity, MaxRows: int32(rows),
	})
}

// TicketPath names a ticket in an address.
type TicketPath struct {
	Number string `path:"number" doc:"the ten digits of a ticket"`
}

func (a *API) getTicket(ctx context.Context, v *visit, in *TicketPath) (*Ticket, error) {
	o, view, err := a.seen(ctx, v, in.Number)
	if err != nil {
		return nil, err
	}
	return a.ticketOf(ctx, v, o, view)
}

// Event is something that happened to a ticket: codes, no words.
type Event struct {
	Kind   string            `json:"kind" doc:"ticket.filed, ticket.signed, …"`
	Ticket string            `json:"ticket"`
	At     time.Time         `json:"at"`
	Data   map[string]string `json:"data"`
}

type ticketEventsInput struct {
	TicketPath
	Paging
}

func (a *API) ticketEvents(ctx context.Context, v *visit, in *ticketEventsInput) (*Page[Event], error) {
	after, err := in.at("trail", 0)
	if err != nil {
		return nil, err
	}
	o, view, err := a.seen(ctx, v, in.Number)
	if err != nil {
		return nil, err
	}
	rows, err := v.TrailPage(ctx, workorder.Subject(o.ID), after, int32(a.rows(in.Paging)))
	if err != nil {
		return nil, fmt.Errorf("read the trail of a ticket: %w", err)
	}
	page := &Page[Event]{Items: []Event{}}
	for _, r := range rows {
		e, err := eventOf(r.Kind, string(o.Number), r.At, r.Data, view)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, e)
	}
	if n := len(rows); n == a.rows(in.Paging) {
		page.Next = cursorOf("trail", rows[n-1].ID)
	}
	return page, nil
}

// eventOf writes a row of the trail down as far as it may be seen. Which person
// of the staff is meant, and by which address a reporter came, is not said.
func eventOf(kind, number string, at time.Time, raw []byte, view map[ticket.Field]ticket.Show) (Event, error) {
	e := Event{Kind: kind, Ticket: number, At: at.UTC(), Data: map[string]string{}}
	var data map[string]any
	numbers := json.NewDecoder(bytes.NewReader(raw))
	numbers.UseNumber() // as they are written: clocks have sixteen digits
	if err := numbers.Decode(&data); err != nil {
		return e, fmt.Errorf("read a row of the trail: %w", err)
	}
	for k, value := range data {
		desk := strings.HasPrefix(k, "desk") || k == "from_desk" || k == "reason"
		facts := k == "solved" || k == "satisfied" || k == "contacted"
		switch {
		case k == "desk_staff" || k == "staff" || k == "address":
		case desk && view[ticket.FieldDesks] != ticket.Full:
		case facts && view[ticket.FieldFacts] != ticket.Full:
		default:
			e.Data[k] = fmt.Sprint(value)
		}
	}
	return e, nil
}

// events is the whole trail of tickets as the token may see it. It ends where
// the trail is sealed, about a second ago, so that nothing ever appears before
// what was read.
func (a *API) events(ctx context.Context, v *visit, in *Paging) (*Page[Event], error) {
	after, err := in.at("events", 0)
	if err != nil {
		return nil, err
	}
	rows, err := v.TicketFeed(ctx, after, int32(a.rows(*in)))
	if err != nil {
		return nil, fmt.Errorf("read the trail: %w", err)
	}
	page := &Page[Event]{Items: []Event{}, Next: cursorOf("events", after)}
	type seen struct {
		number string
		view   map[ticket.Field]ticket.Show
	}
	known := map[string]*seen{} // nil for what is hidden
	for _, r := range rows {
		page.Next = cursorOf("events", r.Position)
		digits, ok := strings.CutPrefix(r.Subject, "ticket:")
		if !ok || !strings.HasPrefix(r.Kind, "ticket.") {
			continue
		}
		about, looked := known[r.Subject]
		if !looked {
			id, err := parseID(digits)
			if err != nil {
				continue
			}
			o, err := a.Orders.Load(ctx, v.Turn, id, false)
			if err != nil {
				return nil, err
			}
			if view, ok := a.view(v, o); ok {
				about = &seen{string(o.Number), view}
			}
			known[r.Subject] = about
		}
		if about == nil {
			continue
		}
		e, err := eventOf(r.Kind, about.number, r.At, r.Data, about.view)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, e)
	}
	return page, nil
}
