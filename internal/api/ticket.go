package api

import (
	"context"
	"fmt"
	"time"

	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// Ticket is a work order as far as the token may see it: what is missing is
// hidden, or has not happened.
type Ticket struct {
	Number  string `json:"number"`
	State   string `json:"state"`
	Version int    `json:"version" doc:"grows with every change"`
	Claim   string `json:"claim,omitempty" doc:"kind of claim"`
	Matter  string `json:"matter,omitempty" doc:"code of the matter"`
	Name    string `json:"matter_name,omitempty"`
	Urgency string `json:"urgency,omitempty"`
	Danger  string `json:"danger,omitempty"`
	Private bool   `json:"private,omitempty" doc:"named handlers only"`

	Words    string    `json:"words,omitempty" doc:"what the reporter said"`
	Place    *Place    `json:"place,omitempty"`
	Reporter *Reporter `json:"reporter,omitempty" doc:"name and number, masked"`
	Desks    []Desk    `json:"desks,omitempty" doc:"who has it now"`
	Reply    string    `json:"reply,omitempty" doc:"what the desk told the reporter"`

	UnitResult string `json:"unit_result,omitempty" doc:"what the desk says came of it"`
	Contacted  string `json:"contacted,omitempty"`
	Solved     string `json:"solved,omitempty" doc:"the reporter's word"`
	Satisfied  string `json:"satisfied,omitempty" doc:"the reporter's word"`
	Outcome    string `json:"outcome,omitempty" doc:"how it ended"`
	Redos      int    `json:"redos,omitempty"`
	Level      int    `json:"level,omitempty" doc:"rung of the ladder that it was raised to"`
	Master     string `json:"master,omitempty" doc:"number of the ticket that it is merged into"`
	Request    string `json:"request,omitempty" doc:"what the desk asks for: objection, extension, suspension or exclusion"`
	Exclusion  string `json:"exclusion,omitempty" doc:"whether the desk's figures leave it out"`
	ReferredTo string `json:"referred_to,omitempty"`

	Supervisions []Supervision `json:"supervisions,omitempty"`

	Relapses int `json:"relapses,omitempty"`

	ReceivedAt   *time.Time `json:"received_at,omitempty"`
	DispatchedAt *time.Time `json:"dispatched_at,omitempty"`
	SignedAt     *time.Time `json:"signed_at,omitempty"`
	ContactedAt  *time.Time `json:"contacted_at,omitempty"`
	HandledAt    *time.Time `json:"handled_at,omitempty"`
	ClosedAt     *time.Time `json:"closed_at,omitempty"`
	Deadline     *time.Time `json:"deadline,omitempty"`

	Allowed []string `json:"allowed,omitempty" doc:"the commands that this token may give now"`
}

// Supervision is a demand to a desk.
type Supervision struct {
	Number     string     `json:"number"`
	Desk       string     `json:"desk" doc:"code of the unit or grid"`
	Reason     string     `json:"reason"`
	OpenedAt   *time.Time `json:"opened_at"`
	Deadline   *time.Time `json:"deadline"`
	AnsweredAt *time.Time `json:"answered_at,omitempty"`
	LapsedAt   *time.Time `json:"lapsed_at,omitempty"`
}

// Place is where a matter is.
type Place struct {
	Label    string `json:"label,omitempty"`
	Division string `json:"division,omitempty" doc:"township (9 digits) or village (12 digits)"`
	Grid     string `json:"grid,omitempty" doc:"15 digits"`
}

// Reporter is who reported.
type Reporter struct {
	Name  string `json:"name,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Desk is where a ticket lies.
type Desk struct {
	Role  string `json:"role" doc:"lead, co or informed"`
	Kind  string `json:"kind" doc:"grid, unit or named"`
	Code  string `json:"code"`
	State string `json:"state"`
}

// seen loads a ticket by its number with what the token may see of it.
func (a *API) seen(ctx context.Context, v *visit, number string) (*workorder.Order, map[ticket.Field]ticket.Show, error) {
	o, err := a.numbered(ctx, v, number, false)
	if err != nil {
		return nil, nil, err
	}
	view, ok := a.view(v, o)
	if !ok {
		return nil, nil, errNotFound
	}
	return o, view, nil
}

// numbered loads a ticket by its number, whoever asks; lock keeps it for the
// transaction.
func (a *API) numbered(ctx context.Context, v *visit, number string, lock bool) (*workorder.Order, error) {
	n, err := ticket.ParseNumber(number)
	if err != nil {
		return nil, errNotFound
	}
	id, err := v.TicketIDByNumber(ctx, string(n))
	if err != nil {
		return nil, missing("look a number up", err)
	}
	return a.Orders.Load(ctx, v.Turn, id, lock)
}

// view is what the token may see of a ticket; ok is false where it must not
// learn that there is one. The desk that had it last still sees a closed one.
func (a *API) view(v *visit, o *workorder.Order) (map[ticket.Field]ticket.Show, bool) {
	viewer, ok := a.Orders.Viewer(v.staff, o, v.Now)
	if !ok {
		viewer = ticket.ViewDesk
		if _, had := a.Orders.Excluder(v.Turn, v.staff, o); !had || o.State != ticket.Closed {
			return nil, false
		}
	}
	view := ticket.View(o.Ticket, viewer)
	return view, view[ticket.FieldNumber] == ticket.Full
}

// ticketOf writes a ticket down as far as it may be seen.
func (a *API) ticketOf(ctx context.Context, v *visit, o *workorder.Order, view map[ticket.Field]ticket.Show) (*Ticket, error) {
	t := &Ticket{Number: string(o.Number), State: string(o.State), Version: o.Version, Private: o.Private()}
	full := func(f ticket.Field) bool { return view[f] == ticket.Full }
	if full(ticket.FieldMatter) {
		t.Claim, t.Matter, t.Urgency, t.Danger = o.Claim, o.Matter, string(o.Urgency), o.Danger
		if m, ok := a.Orders.Matters.Get(o.Matter); ok {
			t.Name = m.Name
		}
		t.ReceivedAt, t.DispatchedAt, t.SignedAt = when(o.ReceivedAt), when(o.DispatchedAt), when(o.SignedAt)
		t.ContactedAt, t.HandledAt, t.ClosedAt, t.Deadline = when(o.ContactedAt), when(o.HandledAt), when(o.ClosedAt), when(o.Deadline)
		t.UnitResult, t.Outcome, t.Redos, t.Relapses = string(o.UnitResult), string(o.Outcome), o.Redos, o.Relapses
	}
	if full(ticket.FieldFacts) {
		t.Contacted, t.Solved, t.Satisfied = string(o.Facts.Contacted), string(o.Facts.Solved), string(o.Facts.Satisfied)
	}
	if full(ticket.FieldPlace) {
		t.Place = &Place{Label: o.Place.Label, Division: o.Place.Division, Grid: o.Place.Grid}
	}
	if o.MasterID != 0 {
		master, err := v.GetTicket(ctx, o.MasterID)
		if err != nil {
			return nil, fmt.Errorf("load the ticket that leads: %w", err)
		}
		t.Master = master.Number
	}
	if full(ticket.FieldDesks) {
		for _, d := range o.Assignments {
			if d.EndedAt.IsZero() {
				t.Desks = append(t.Desks, Desk{Role: string(d.Role), Kind: string(d.Desk.Kind), Code: d.Desk.Code, State: string(d.State)})
			}
		}
		t.Level, t.Request, t.Exclusion, t.ReferredTo = o.Level, string(o.Request.Kind), string(o.Exclusion), o.ReferredTo
		for _, v := range o.Supervisions {
			t.Supervisions = append(t.Supervisions, Supervision{
				Number: string(v.Number), Desk: v.Desk.Code, Reason: v.Reason, OpenedAt: when(v.OpenedAt), Deadline: when(v.Deadline),
				AnsweredAt: when(v.AnsweredAt), LapsedAt: when(v.LapsedAt),
			})
		}
	}
	t.Allowed = a.allowed(v, o)
	return t, a.addWords(ctx, v, o, view, t)
}

// addWords opens what is sealed, and masks who reported.
func (a *API) addWords(ctx context.Context, v *visit, o *workorder.Order, view map[ticket.Field]ticket.Show, t *Ticket) (err error) {
	if view[ticket.FieldWords] == ticket.Full {
		if t.Words, err = a.Orders.Words(o); err != nil {
			return err
		}
	}
	if view[ticket.FieldReply] == ticket.Full {
		if t.Reply, err = a.Orders.Reply(o); err != nil {
			return err
		}
	}
	name, phone := view[ticket.FieldName] != ticket.Hidden, view[ticket.FieldPhone] != ticket.Hidden
	if !name && !phone {
		return nil
	}
	row, err := v.GetPerson(ctx, o.ReporterID)
	if err != nil {
		return fmt.Errorf("load a reporter: %w", err)
	}
	r := &Reporter{}
	if name {
		if r.Name, err = v.Open(workorder.SealName, row.Name); err != nil {
			return err
		}
		r.Name = privacy.MaskName(r.Name)
	}
	if phone {
		if r.Phone, err = v.Open(workorder.SealPhone, row.Phone); err != nil {
			return err
		}
		r.Phone = privacy.MaskPhone(r.Phone)
	}
	if *r != (Reporter{}) {
		t.Reporter = r
	}
	return nil
}

// when is a time that may not have come.
func when(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}
