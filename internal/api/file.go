package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/bots"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// Report is what a program files.
type Report struct {
	Words        string      `json:"words" minLength:"2" maxLength:"5000" doc:"what the resident said, in their words"`
	Claim        string      `json:"claim,omitempty" doc:"kind of claim; found in the words when missing"`
	Matter       string      `json:"matter,omitempty" doc:"code of the matter; found in the words when missing"`
	Urgent       bool        `json:"urgent,omitempty"`
	Place        *Location   `json:"place,omitempty"`
	Reporter     *ReportedBy `json:"reporter,omitempty"`
	Confidential bool        `json:"confidential,omitempty" doc:" who handles it never learns who reported"`
	Anonymous    bool        `json:"anonymous,omitempty" doc:" no member of the staff learns who reported"`
}

// Location is where it is: a code, words, or both. A code wins.
type Location struct {
	Text     string `json:"text,omitempty" maxLength:"200"`
	Division string `json:"division,omitempty" pattern:"^[0-9]{9}([0-9]{3})?$" doc:"township or village"`
	Grid     string `json:"grid,omitempty" pattern:"^[0-9]{15}$"`
}

// ReportedBy is the resident. The number is kept sealed and never given out.
type ReportedBy struct {
	Name  string `json:"name,omitempty" maxLength:"60"`
	Phone string `json:"phone,omitempty" pattern:"^\\+?[0-9][0-9 -]{5,19}$"`
}

type fileInput struct {
	Keyed
	Body Report
}

// fileTicket files for a resident.
func (a *API) fileTicket(ctx context.Context, v *visit, in *fileInput) (*Ticket, error) {
	args, err := a.reading(ctx, v, in.Body)
	if err != nil {
		return nil, err
	}
	if err := a.speakFor(ctx, v, in.Body.Reporter); err != nil {
		return nil, err
	}
	f := a.Filing(v.Turn, args)
	if !a.mayFile(v, f.Content.Place) {
		return nil, errForbidden
	}
	o, err := a.Orders.File(ctx, v.Turn, f)
	if err != nil {
		return nil, fmt.Errorf("file a ticket: %w", err)
	}
	view, ok := a.view(v, o)
	if !ok { // it is about the unit of the token, or out of its sight: only the number
		return &Ticket{Number: string(o.Number), State: string(o.State), Version: o.Version}, nil
	}
	return a.ticketOf(ctx, v, o, view)
}

// reading is a report as dialogues hand it on. Words of danger count as they do
// in a chat.
func (a *API) reading(ctx context.Context, v *visit, r Report) (map[string]any, error) {
	args := map[string]any{
		"what": strings.TrimSpace(r.Words), "urgent": r.Urgent, "confidential": r.Confidential, "anonymous": r.Anonymous,
	}
	if r.Claim != "" {
		if !slices.ContainsFunc(a.Orders.Matters.Claims(), func(c ticket.Claim) bool { return c.Code == r.Claim }) {
			return nil, invalid("body.claim", "there is no such kind of claim")
		}
		args["claim_code"] = r.Claim
	}
	if r.Matter != "" {
		if _, ok := a.Orders.Matters.Get(r.Matter); !ok {
			return nil, invalid("body.matter", "there is no such matter")
		}
		args["matter_code"] = r.Matter
	}
	if hit, ok := a.Safety.Examine(r.Words); ok {
		args["danger"], args["urgent"] = hit.Code, true
		if r.Matter == "" {
			args["matter_code"] = hit.Matter
		}
	}
	at, err := a.locate(ctx, v, r.Place)
	if err != nil {
		return nil, err
	}
	args["place"] = map[string]any{
		"label": at.Label, "division": at.Division, "grid": at.Grid, "id": strconv.FormatInt(at.PlaceID, 10),
	}
	return args, nil
}

// locate finds a place by its code, else by its words. Words that name no place
// alone are kept for the dispatcher.
func (a *API) locate(ctx context.Context, v *visit, at *Location) (ticket.PlaceRef, error) {
	if at == nil {
		return ticket.PlaceRef{}, nil
	}
	p := ticket.PlaceRef{Label: strings.TrimSpace(at.Text)}
	found := a.Places().Find(p.Label, nil)
	switch {
	case at.Grid != "":
		g, err := v.GetGrid(ctx, at.Grid)
		if errors.Is(err, postgres.ErrNoRows) {
			return p, invalid("body.place.grid", "there is no such grid")
		}
		if err != nil {
			return p, fmt.Errorf("look for a grid: %w", err)
		}
		p.Grid, p.Division = g.ID, g.Village
	case at.Division != "":
		d, err := v.GetDivision(ctx, at.Division)
		if errors.Is(err, postgres.ErrNoRows) {
			return p, invalid("body.place.division", "there is no such division")
		}
		if err != nil {
			return p, fmt.Errorf("look for a division: %w", err)
		}
		p.Division = d.Code
	case p.Label != "" && found.Status == people.Found:
		m := found.Match
		return ticket.PlaceRef{Division: string(m.Village), Grid: string(m.Grid), PlaceID: m.PlaceID, Label: m.Label()}, nil
	case p.Label != "" && found.Within != "":
		p.Division = string(found.Within)
	}
	return p, nil
}

// mayFile asks the rights where the matter lies. While nothing is known of the
// place, the token's own area will do: the dispatcher decides where it belongs.
func (a *API) mayFile(v *visit, p ticket.PlaceRef) bool {
	if p.Division == "" && p.Grid == "" {
		return a.Orders.Rights.Anywhere(v.staff, people.MayFileTicket, v.Now)
	}
	on := people.Subject{Division: p.Division, Grid: p.Grid}
	return a.Orders.Rights.May(v.staff, people.MayFileTicket, on, v.Now)
}

// speakFor makes the reporter the person of the turn: the one of this token with
// that number, else a new one.
func (a *API) speakFor(ctx context.Context, v *visit, r *ReportedBy) error {
	if r == nil {
		r = &ReportedBy{}
	}
	user, phone := rand.Text(), people.E164(r.Phone)
	if phone == "" && r.Phone != "" {
		return invalid("body.reporter.phone", "a mobile number, or one with its area code, of mainland China")
	}
	if phone != "" {
		user = hex.EncodeToString(a.Orders.Keys.Index("api-reporter", strconv.FormatInt(v.Token, 10)+" "+phone))
	}
	id, err := v.EnsureConversation(ctx, postgres.Incoming{Channel: workorder.ChannelAPI, Chat: user, User: user, Trust: bots.TrustNone.String()})
	if err != nil {
		return err
	}
	c, err := v.Tx.Conversation(ctx, id)
	if err != nil {
		return fmt.Errorf("load the entry of a reporter: %w", err)
	}
	if err := v.StopAddress(ctx, c.AddressID); err != nil {
		return fmt.Errorf("stop the address of a reporter: %w", err)
	}
	if name := strings.TrimSpace(r.Name); name != "" {
		if err := v.SetPersonName(ctx, c.PersonID, v.Seal(workorder.SealName, name)); err != nil {
			return fmt.Errorf("keep the name of a reporter: %w", err)
		}
	}
	if phone != "" {
		if err := v.KeepPhone(ctx, c.PersonID, phone); err != nil {
			return fmt.Errorf("note the number of a reporter: %w", err)
		}
	}
	v.Person, v.Address, v.Conversation, v.Channel = c.PersonID, c.AddressID, id, workorder.ChannelAPI
	return nil
}
