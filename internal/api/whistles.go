package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

func (a *API) whistles() {
	read(a, get("listWhistles", "/whistles", "Whistles of the token's area, or that call its unit, the newest first"), people.MayViewWhistle, a.listWhistles)
	read(a, get("getWhistle", "/whistles/{id}", "One whistle"), people.MayViewWhistle, a.getWhistle)
	write(a, post("proposeWhistle", "/whistles", "Propose a whistle to the head of the township", http.StatusCreated), people.MayProposeWhistle,
		func(*proposeInput) string { return "" }, a.proposeWhistle)
}

// Whistle is a call of several units to one place. What has not happened is
// missing.
type Whistle struct {
	ID       string        `json:"id"`
	Kind     string        `json:"kind" doc:"enforcement, major or emergency"`
	Source   string        `json:"source" doc:"ticket, patrol, grid or deliberation"`
	State    string        `json:"state" doc:"proposed, declined, blown, returned, assigned, handled or closed"`
	Version  int           `json:"version" doc:"grows with every change"`
	Private  bool          `json:"private,omitempty" doc:"named people only: in no list"`
	Ticket   string        `json:"ticket,omitempty" doc:"number of the ticket behind it, where the token may see it"`
	Place    Place         `json:"place"`
	Words    string        `json:"words,omitempty" doc:"why it was proposed; not in lists"`
	Level    int           `json:"level" doc:"rung of the ladder: 3 is the county's desk"`
	Returns  int           `json:"returns,omitempty" doc:"how often the county's desk gave it back"`
	Reason   string        `json:"reason,omitempty" doc:"why it was declined, given back or raised last"`
	Solved   string        `json:"solved,omitempty" doc:"the township's word when it closed"`
	Proposed *time.Time    `json:"proposed_at,omitempty"`
	Blown    *time.Time    `json:"blown_at,omitempty"`
	Assigned *time.Time    `json:"assigned_at,omitempty"`
	Handled  *time.Time    `json:"handled_at,omitempty"`
	Closed   *time.Time    `json:"closed_at,omitempty"`
	Deadline *time.Time    `json:"deadline,omitempty"`
	Units    []WhistleUnit `json:"units"`
}

// WhistleUnit is one unit's part in a whistle.
type WhistleUnit struct {
	Unit       string     `json:"unit"`
	Lead       bool       `json:"lead"`
	State      string     `json:"state" doc:"called, answered, arrived, handled or appraised"`
	CalledAt   *time.Time `json:"called_at,omitempty"`
	AnswerDue  *time.Time `json:"answer_due,omitempty"`
	AnsweredAt *time.Time `json:"answered_at,omitempty"`
	ArriveDue  *time.Time `json:"arrive_due,omitempty"`
	ArrivedAt  *time.Time `json:"arrived_at,omitempty"`
	HandledAt  *time.Time `json:"handled_at,omitempty"`
	Speed      string     `json:"speed,omitempty" doc:"the township's appraisal: excellent, good, fair or poor"`
	Quality    string     `json:"quality,omitempty" doc:"the same of the work"`
	Misuse     string     `json:"misuse,omitempty" doc:"why the unit says that it is no matter for a whistle"`
}

type listWhistlesInput struct {
	Paging
	State string `query:"state" doc:"only whistles in this state"`
}

func (a *API) listWhistles(ctx context.Context, v *visit, in *listWhistlesInput) (*Page[Whistle], error) {
	before, err := in.at("whistles", math.MaxInt64)
	if err != nil {
		return nil, err
	}
	if in.State != "" && !slices.Contains(ticket.WhistleStates(), ticket.WhistleState(in.State)) {
		return nil, invalid("query.state", "there is no such state")
	}
	ids, err := v.WhistlesBelow(ctx, db.WhistlesBelowParams{
		Before: before, State: in.State, Area: v.area().Code, MaxRows: int32(a.rows(in.Paging)),
	})
	if err != nil {
		return nil, fmt.Errorf("list whistles: %w", err)
	}
	page := &Page[Whistle]{Items: []Whistle{}}
	for _, id := range ids {
		w, err := a.Orders.LoadWhistle(ctx, v.Turn, id, false)
		if err != nil {
			return nil, err
		}
		if w.Private || !a.Orders.MayWhistle(v.staff, people.MayViewWhistle, w, v.Now) {
			continue
		}
		item, err := a.whistleOf(ctx, v, w)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, *item)
	}
	if n := len(ids); n == a.rows(in.Paging) {
		page.Next = cursorOf("whistles", ids[n-1])
	}
	return page, nil
}

// WhistlePath names a whistle in an address.
type WhistlePath struct {
	ID string `path:"id"`
}

func (a *API) getWhistle(ctx context.Context, v *visit, in *WhistlePath) (*Whistle, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	w, err := a.Orders.LoadWhistle(ctx, v.Turn, id, false)
	if err != nil {
		return nil, missing("load a whistle", err)
	}
	if !a.Orders.MayWhistle(v.staff, people.MayViewWhistle, w, v.Now) {
		return nil, errNotFound
	}
	return a.oneWhistle(ctx, v, w)
}

// oneWhistle is a whistle with its words.
func (a *API) oneWhistle(ctx context.Context, v *visit, w *workorder.Whistle) (*Whistle, error) {
	item, err := a.whistleOf(ctx, v, w)
	if err != nil {
		return nil, err
	}
	item.Words, err = a.Orders.WhistleWords(w)
	return item, err
}

// whistleOf writes a whistle down without its words.
func (a *API) whistleOf(ctx context.Context, v *visit, w *workorder.Whistle) (*Whistle, error) {
	out := &Whistle{
		ID: strconv.FormatInt(w.ID, 10), Kind: string(w.Kind), Source: string(w.Source), State: string(w.State), Version: w.Version, Private: w.Private,
		Place: Place{Label: w.Place.Label, Division: w.Place.Division, Grid: w.Place.Grid},
		Level: w.Level, Returns: w.Returns, Reason: w.Reason, Solved: string(w.Solved),
		Proposed: when(w.ProposedAt), Blown: when(w.BlownAt), Assigned: when(w.AssignedAt), Handled: when(w.HandledAt), Closed: when(w.ClosedAt),
		Deadline: when(w.Deadline), Units: []WhistleUnit{},
	}
	for _, p := range w.Parts {
		out.Units = append(out.Units, WhistleUnit{
			Unit: p.Desk.Code, Lead: p.Lead, State: string(p.State), CalledAt: when(p.CalledAt), AnswerDue: when(p.AnswerDue),
			AnsweredAt: when(p.AnsweredAt), ArriveDue: when(p.ArriveDue), ArrivedAt: when(p.ArrivedAt), HandledAt: when(p.HandledAt),
			Speed: string(p.Speed), Quality: string(p.Quality), Misuse: p.Misuse,
		})
	}
	if w.TicketID == 0 {
		return out, nil
	}
	o, err := a.Orders.Load(ctx, v.Turn, w.TicketID, false)
	if err != nil {
		return nil, fmt.Errorf("load the ticket behind a whistle: %w", err)
	}
	if _, ok := a.view(v, o); ok {
		out.Ticket = string(o.Number)
	}
	return out, nil
}

// NewWhistle is a source 哨源: why one unit is not enough.
type NewWhistle struct {
	Kind   string    `json:"kind" enum:"enforcement,major,emergency"`
	Source string    `json:"source,omitempty" enum:"patrol,grid,deliberation" doc:"where it comes from, without a ticket"`
	Ticket string    `json:"ticket,omitempty" maxLength:"20" doc:"number of the ticket behind it"`
	Place  *Location `json:"place,omitempty" doc:"without a ticket: where it is"`
	Words  string    `json:"words" minLength:"2" maxLength:"2000" doc:"why one unit is not enough; nothing of a reporter"`
}

type proposeInput struct {
	Keyed
	Body NewWhistle
}

func (a *API) proposeWhistle(ctx context.Context, v *visit, in *proposeInput) (*Whistle, error) {
	p, err := a.proposal(ctx, v, in.Body)
	if err != nil {
		return nil, err
	}
	w, err := a.Orders.ProposeWhistle(ctx, v.Turn, p)
	switch {
	case errors.Is(err, workorder.ErrWhistleRuns):
		return nil, refusedProblem(&ticket.Refused{Key: "whistle.refused.running"}, nil)
	case errors.Is(err, workorder.ErrNoHead):
		return nil, refusedProblem(&ticket.Refused{Key: "whistle.refused.no_head"}, nil)
	case err != nil:
		return nil, err
	}
	return a.oneWhistle(ctx, v, w)
}

// proposal reads a source as the dialogue does: what a ticket keeps from whom
// holds for its whistle; without one the words say it.
func (a *API) proposal(ctx context.Context, v *visit, b NewWhistle) (workorder.Proposal, error) {
	p := workorder.Proposal{
		Kind: ticket.WhistleKind(b.Kind), Source: ticket.WhistleSource(b.Source), Words: strings.TrimSpace(b.Words),
		By: ticket.Actor{As: ticket.AsProposer, Person: v.staff.PersonID, Staff: v.staff.ID},
	}
	if b.Ticket != "" {
		o, _, err := a.seen(ctx, v, b.Ticket)
		switch {
		case errors.Is(err, errNotFound):
			return p, invalid("body.ticket", "there is no such ticket for this token")
		case err != nil:
			return p, err
		case !v.may(a, people.MayProposeWhistle, o):
			return p, errForbidden
		case !o.State.Open():
			return p, &ticket.Refused{Key: ticket.KeyState, Params: map[string]string{"state": string(o.State)}}
		}
		p.Order, p.Source = o, ticket.SourceTicket
		if o.Finding {
			p.Source = ticket.SourcePatrol
		}
		return p, nil
	}
	args, err := a.reading(ctx, v, Report{Words: b.Words, Place: b.Place})
	if err != nil {
		return p, err
	}
	said := a.Filing(v.Turn, args).Content
	p.Place, p.Against, p.Private = said.Place, said.Against, said.Sensitive || said.Confidential
	if !a.Orders.Rights.May(v.staff, people.MayProposeWhistle, people.Subject{Division: p.Place.Division, Grid: p.Place.Grid}, v.Now) {
		return p, errForbidden
	}
	return p, nil
}
