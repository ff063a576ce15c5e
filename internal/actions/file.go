package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// file makes the ticket of a report, or of a danger. It takes whatever the
// dialogue knows; protection asked for anywhere in the words counts.
func (s *Set) file(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	f := s.filing(t, args)
	if f.Content.Danger == "" {
		if t.Group && hushed(f) {
			return private(), nil
		}
		if full, err := s.tooMany(ctx, t); err != nil || full {
			return fail("report.too_many"), err
		}
	}
	o, err := s.Orders.File(ctx, t, f)
	if err != nil {
		return nil, fmt.Errorf("file a ticket: %w", err)
	}
	master, err := s.follow(ctx, t, o, text(args, "near"))
	if err != nil {
		return nil, err
	}
	if master == nil {
		return s.filed(ctx, t, o)
	}
	// Where it goes and by when is answered: the master's; the number is their own.
	r, err := s.filed(ctx, t, master)
	if err != nil {
		return nil, err
	}
	r["id"], r["number"], r["joined"] = o.ID, o.Number.Spoken(), true
	return r, nil
}

// fileIncomplete keeps a report that was not ended as a draft for a clerk. A
// dialogue that has filed already keeps its ticket; one in which nothing was
// said keeps nothing.
func (s *Set) fileIncomplete(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if n := text(object(args, "ticket"), "number"); n != "" {
		return result{"number": n, "say": "report.open_place"}, nil
	}
	f := s.filing(t, args)
	if f.Words == "" && len(f.Photos) == 0 {
		return result{"say": "report.nothing"}, nil
	}
	if full, err := s.tooMany(ctx, t); err != nil || full {
		return result{"say": "report.too_many"}, err
	}
	f.Incomplete = true
	o, err := s.Orders.File(ctx, t, f)
	if err != nil {
		return nil, fmt.Errorf("keep an unfinished report: %w", err)
	}
	return result{"number": o.Number.Spoken()}, nil
}

// tooMany holds the limit of tickets per address and hour. Staff report for
// others and have none.
func (s *Set) tooMany(ctx context.Context, t *gateway.Turn) (bool, error) {
	if t.Staff != 0 {
		return false, nil
	}
	n, err := t.CountTicketsSince(ctx, t.Address, t.Now.Add(-time.Hour))
	if err != nil {
		return false, fmt.Errorf("count the tickets of an address: %w", err)
	}
	return n >= s.Policy.Filing.PerHour, nil
}

// filing reads a report out of what a dialogue knows.
func (s *Set) filing(t *gateway.Turn, args map[string]any) workorder.Filing {
	said := first(text(args, "what"), text(args, "text"))
	guess := s.guess(said)
	code := first(text(object(args, "matter"), "code"), text(args, "matter_code"), guess.Code)
	m, ok := s.Orders.Matters.Get(code)
	if !ok {
		m, _ = s.Orders.Matters.Get(ticket.OtherMatter)
	}
	urgency := m.Class
	if truth(args, "urgent") || truth(object(args, "gist"), "urgent") || guess.Urgent && guess.Code == m.Code {
		urgency = ticket.Urgent
	}
	claim, place := first(text(args, "claim_code"), s.Orders.Matters.ClaimOf(said)), whereOf(args)
	privacy := text(args, "privacy")
	return workorder.Filing{
		Words: said,
		Content: ticket.Content{
			Claim: claim, Matter: m.Code, Urgency: urgency, Danger: text(args, "danger"), Place: place,
			Confidential: truth(args, "confidential") || privacy == "confidential" || s.wantsConfidence(said),
			Anonymous:    truth(args, "anonymous") || privacy == "anonymous" || s.wantsAnonymity(said),
			Sensitive:    guess.Sensitive || m.Sensitive,
			Against:      s.against(said, claim, place),
			ReportedFor:  text(args, "reported_for"),
		},
		Photos: slices.Concat(list(args, "photo"), list(args, "photos")),
		By:     ticket.Actor{As: ticket.AsReporter, Person: t.Person},
	}
}

// whereOf is the place as far as it is known: the one collected, the one found
// in the words of an emergency, else the township that was named.
func whereOf(args map[string]any) ticket.PlaceRef {
	p := placeArg(args, "place")
	if p == (ticket.PlaceRef{}) {
		p = placeArg(object(args, "found"), "value")
	}
	if p.Division == "" {
		within := first(text(args, "within"), text(object(args, "found"), "within"))
		if _, ok := people.DivisionCode(within).Level(); ok {
			p.Division = within
		}
	}
	return p
}

// filed is what the resident is told of a ticket: its number, who has it, and
// by when they hear (the limits of configs/policies/tickets.yaml).
func (s *Set) filed(ctx context.Context, t *gateway.Turn, o *workorder.Order) (result, error) {
	r := result{
		"id": o.ID, "number": o.Number.Spoken(), "placed": o.Place.Known(),
		"confidential": o.Confidential, "anonymous": o.Anonymous, "desk": string(ticket.DeskDispatcher), "desk_name": "",
	}
	until := o.DispatchDue
	if o.State == ticket.Referred {
		way, err := s.Orders.WayTold(ctx, t, o)
		if err != nil {
			return nil, err
		}
		r["desk"], r["way"], r["month"], r["day"], r["clock"] = "referred", way, 0, 0, ""
		return r, nil
	}
	if lead, ok := o.Lead(); ok {
		name, err := s.deskName(ctx, t, lead.Desk)
		if err != nil {
			return nil, err
		}
		r["desk"], r["desk_name"], until = string(lead.Desk.Kind), name, o.Deadline
		m, _ := s.Orders.Matters.Get(o.Matter)
		r["joint"] = m.Police && len(o.Awaited()) > 0
	}
	s.addWhen(r, until)
	return r, nil
}

// deskName names a desk for a resident. Who handles a private ticket is told
// to nobody.
func (s *Set) deskName(ctx context.Context, t *gateway.Turn, d ticket.Desk) (string, error) {
	switch d.Kind {
	case ticket.DeskGrid:
		g, err := t.GetGrid(ctx, d.Code)
		if errors.Is(err, postgres.ErrNoRows) {
			return d.Code, nil
		}
		if err != nil {
			return "", fmt.Errorf("load a grid: %w", err)
		}
		return g.Name, nil
	case ticket.DeskUnit:
		if u, ok := s.Units.Get(d.Code); ok {
			return u.Name, nil
		}
		return d.Code, nil
	}
	return "", nil
}

// addWhen writes an instant as the parts of which a text makes a date.
func (s *Set) addWhen(r result, at time.Time) {
	at = at.In(s.Orders.Work.Location())
	r["month"], r["day"], r["clock"] = int(at.Month()), at.Day(), at.Format("15:04")
}
