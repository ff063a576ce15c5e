package actions

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// whistleSource begins a proposal: from a card (提哨 3 …), whose ticket it then
// is, or free.
func (s *Set) whistleSource(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	said := text(args, "text")
	_, _, numbered := leadingNumber(said)
	_, _, handled := leadingHandle(said)
	if text(args, "card_id") == "" && !numbered && !handled {
		who, failed, err := s.worker(ctx, t)
		if err != nil || failed != nil {
			return failed, err
		}
		if !s.Orders.Rights.Anywhere(who, people.MayProposeWhistle, t.Now) {
			return fail("staff.may_not"), nil
		}
		r := result{"free": true}
		if said != "" {
			r["rest"] = said
		}
		return r, nil
	}
	h, failed, err := s.held(ctx, t, args, people.MayViewTicket)
	if err != nil || failed != nil {
		return failed, err
	}
	switch {
	case !s.Orders.Rights.May(h.staff, people.MayProposeWhistle, workorder.About(h.order), t.Now):
		return fail("staff.may_not"), nil
	case !h.order.State.Open():
		return fail("whistle.over"), nil
	}
	r := result{"free": false, "ticket": float64(h.order.ID)}
	if h.rest != "" {
		r["rest"] = h.rest
	}
	return r, nil
}

// proposeWhistle lays a source before the head of the township.
func (s *Set) proposeWhistle(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	p := workorder.Proposal{
		Kind: ticket.WhistleKind(text(args, "kind")), Source: ticket.WhistleSource(text(args, "source")), Words: text(args, "why"),
		By: ticket.Actor{As: ticket.AsProposer, Person: who.PersonID, Staff: who.ID},
	}
	if id := int64(number(args, "ticket")); id != 0 {
		h, failed, err := s.held(ctx, t, map[string]any{"id": float64(id)}, people.MayViewTicket)
		if err != nil || failed != nil {
			return failed, err
		}
		if !s.Orders.Rights.May(who, people.MayProposeWhistle, workorder.About(h.order), t.Now) {
			return fail("staff.may_not"), nil
		}
		p.Order, p.Source = h.order, ticket.SourceTicket
		if h.order.Finding {
			p.Source = ticket.SourcePatrol
		}
	} else {
		said := s.filing(t, map[string]any{"what": p.Words, "place": args["place"]}).Content
		p.Place, p.Against, p.Private = said.Place, said.Against, said.Private()
		if !s.Orders.Rights.May(who, people.MayProposeWhistle, people.Subject{Division: p.Place.Division, Grid: p.Place.Grid}, t.Now) {
			return fail("staff.may_not_here"), nil
		}
	}
	w, err := s.Orders.ProposeWhistle(ctx, t, p)
	switch {
	case errors.Is(err, workorder.ErrWhistleRuns):
		return fail("whistle.running"), nil
	case errors.Is(err, workorder.ErrNoHead):
		return fail("whistle.no_head"), nil
	case err != nil:
		return s.refusedWhistle(t, err)
	}
	return s.toldWhistle(t, w)
}

// whistleStep is an action that gives one command with a reason and words.
func (s *Set) whistleStep(c ticket.CommandName) gateway.Action {
	return func(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
		return s.giveWhistle(ctx, t, args, ticket.Deed{Command: c, Reason: text(args, "reason")}, text(args, "words"))
	}
}

func (s *Set) giveWhistle(ctx context.Context, t *gateway.Turn, args map[string]any, d ticket.Deed, words string) (result, error) {
	h, failed, err := s.heldWhistle(ctx, t, args, d.Command)
	if err != nil || failed != nil {
		return failed, err
	}
	w, err := s.Orders.DoWhistle(ctx, t, h.w.ID, h.by, d, words)
	if err != nil {
		return s.refusedWhistle(t, err)
	}
	return s.toldWhistle(t, w)
}

// assignWhistle calls the units that whistle.unit found: the first one leads,
// unless the whistle was assigned already.
func (s *Set) assignWhistle(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.heldWhistle(ctx, t, args, ticket.WhistleAssign)
	if err != nil || failed != nil {
		return failed, err
	}
	var desks []ticket.Desk
	for _, v := range strings.Split(text(object(args, "units"), "desks"), ",") {
		desk, ok := parseDesk(v)
		if !ok {
			return s.refusedWhistle(t, &ticket.Refused{Key: ticket.KeyWhistleNoUnit})
		}
		desks = append(desks, desk)
	}
	d := ticket.Deed{Command: ticket.WhistleAssign, Co: desks}
	if h.w.State == ticket.WhistleBlown {
		d.Lead, d.Co = desks[0], desks[1:]
	}
	w, err := s.Orders.DoWhistle(ctx, t, h.w.ID, h.by, d, "")
	if err != nil {
		return s.refusedWhistle(t, err)
	}
	r, err := s.toldWhistle(t, w)
	if err != nil {
		return nil, err
	}
	r["units"] = text(object(args, "units"), "label")
	return r, nil
}

// whistleUnits makes units of what the county's desk wrote: one name or several,
// the first one leading; of a private whistle one named person.
func (s *Set) whistleUnits(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	no := result{"status": flows.StatusReject, "say": "desk.unknown"}
	h, failed, err := s.heldWhistle(ctx, t, map[string]any{"id": object(args, "vars")["id"]}, ticket.WhistleAssign)
	if err != nil || failed != nil {
		return no, err
	}
	if d, ok := parseDesk(text(args, "value")); ok {
		label, err := s.Orders.UnitName(ctx, t, d)
		return result{"status": flows.StatusOK, "value": map[string]any{"desks": deskValue(d), "label": label}}, err
	}
	names := strings.FieldsFunc(text(args, "text"), func(r rune) bool { return strings.ContainsRune("、，,；; \n和", r) })
	o := &workorder.Order{Ticket: ticket.Ticket{Sensitive: h.w.Private}}
	var desks, labels []string
	for _, name := range names {
		found, err := s.unitDesks(ctx, t, o, name)
		switch {
		case err != nil:
			return nil, err
		case len(found) > 1 && len(names) == 1:
			return result{"status": flows.StatusAsk, "options": found[:min(len(found), maxTargets)]}, nil
		case len(found) != 1:
			return no, nil
		}
		only, _ := firstOption(found)
		desks, labels = append(desks, text(only, "value")), append(labels, text(only, "label"))
	}
	if len(desks) == 0 {
		return no, nil
	}
	return result{"status": flows.StatusOK, "value": map[string]any{"desks": strings.Join(desks, ","), "label": strings.Join(labels, "、")}}, nil
}

// arrive records that somebody of a unit turned up; position and photos may be
// missing.
func (s *Set) arrive(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.heldWhistle(ctx, t, args, ticket.WhistleArrive)
	if err != nil || failed != nil {
		return failed, err
	}
	a := workorder.Arrival{Photos: append(list(args, "photo"), list(args, "photos")...)}
	if at := object(args, "where"); at != nil {
		if lat, lon := number(at, "lat"), number(at, "lon"); lat != 0 || lon != 0 {
			a.At = &workorder.Position{Lat: lat, Lon: lon, Label: text(at, "label")}
		}
	}
	w, err := s.Orders.Arrive(ctx, t, h.w.ID, h.by, a)
	if err != nil {
		return s.refusedWhistle(t, err)
	}
	return s.toldWhistle(t, w)
}

// reportWhistle records what a unit did.
func (s *Set) reportWhistle(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.heldWhistle(ctx, t, args, ticket.WhistleHandle)
	if err != nil || failed != nil {
		return failed, err
	}
	photos := append(list(args, "photo"), list(args, "photos")...)
	w, err := s.Orders.ReportWhistle(ctx, t, h.w.ID, h.by, text(args, "report"), photos)
	if err != nil {
		return s.refusedWhistle(t, err)
	}
	return s.toldWhistle(t, w)
}

// appraise grades one unit; left is how many have no appraisal yet.
func (s *Set) appraise(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	desk, _ := parseDesk(text(args, "desk")) // none is no unit of the whistle
	r, err := s.giveWhistle(ctx, t, args, ticket.Deed{
		Command: ticket.WhistleAppraise, Unit: desk, Speed: ticket.Grade(text(args, "speed")), Quality: ticket.Grade(text(args, "quality")),
	}, text(args, "words"))
	if err != nil || r["fail"] != nil {
		return r, err
	}
	w, err := s.Orders.LoadWhistle(ctx, t, int64(number(r, "id")), false)
	if err != nil {
		return nil, err
	}
	left := 0
	for _, p := range w.Parts {
		if p.State != ticket.PartAppraised {
			left++
		}
	}
	r["left"] = float64(left)
	return r, nil
}

func (s *Set) closeWhistle(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	return s.giveWhistle(ctx, t, args, ticket.Deed{Command: ticket.WhistleClose, Solved: ticket.Answer(text(args, "solved"))}, text(args, "words"))
}

// whistleStars shows the stars that units got from townships 哨星, and how many
// whistles of each township were called misuse. The residents' stars stand
// elsewhere.
func (s *Set) whistleStars(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	if !s.Orders.Rights.Anywhere(who, people.MaySeeWhistleStars, t.Now) {
		return fail("staff.may_not"), nil
	}
	policy := s.Orders.Whistles.Policy()
	stars, err := workorder.WhistleStars(ctx, t.Queries, policy, t.Now)
	if err != nil {
		return nil, err
	}
	uses, err := workorder.WhistleUses(ctx, t.Queries, policy, t.Now)
	if err != nil {
		return nil, err
	}
	var lines []string
	add := func(key string, params map[string]string) error {
		line, err := t.Text(key, params)
		lines = append(lines, line)
		return err
	}
	for _, star := range stars {
		name, err := s.Orders.UnitName(ctx, t, ticket.Desk{Kind: ticket.DeskUnit, Code: star.Unit})
		if err != nil {
			return nil, err
		}
		key := "whistle.line.stars"
		if star.Stars == 0 {
			key = "whistle.line.few"
		}
		p := map[string]string{
			"unit": name, "n": strconv.Itoa(star.N), "late": strconv.Itoa(star.Late),
			"stars": strings.Repeat("★", star.Stars) + strings.Repeat("☆", 5-star.Stars), "score": fmt.Sprintf("%.0f", star.Mean),
		}
		if err := add(key, p); err != nil {
			return nil, err
		}
	}
	for _, u := range uses {
		name, err := s.Orders.AreaName(ctx, t.Queries, people.Area{Kind: people.AreaTownship, Code: u.Township})
		if err != nil {
			return nil, err
		}
		if err := add("whistle.line.use", map[string]string{"township": name, "n": strconv.Itoa(u.Blown), "misuse": strconv.Itoa(u.Misuse)}); err != nil {
			return nil, err
		}
	}
	return result{"count": len(stars), "lines": strings.Join(lines, "\n")}, nil
}
