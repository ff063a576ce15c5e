package workorder

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
)

// WhistleGist are the values by which staff know a whistle in one line: its
// number, kind and state in words, and a mark where it is an emergency.
func (s *Service) WhistleGist(t *gateway.Turn, w *Whistle) (map[string]string, error) {
	p := map[string]string{"whistle": strconv.FormatInt(w.ID, 10), "mark": ""}
	words := map[string]string{"kind": "whistle.kind." + string(w.Kind), "state": "whistle.state." + string(w.State)}
	if w.Kind == ticket.WhistleEmergency {
		words["mark"] = "card.urgent"
	}
	for name, key := range words {
		word, err := t.Text(key, nil)
		if err != nil {
			return nil, err
		}
		p[name] = word
	}
	return p, nil
}

// WhistleSheet are the values of the texts whistle.card and whistle.call: the
// gist, and one line each for place, reason, level, deadline and every unit.
// unit, where it is not nil, is whose message it is: then its limits stand in
// front and what the others do is left out. In a group (P3) no house number,
// name or phone is shown.
func (s *Service) WhistleSheet(ctx context.Context, t *gateway.Turn, w *Whistle, unit *ticket.Part) (map[string]string, error) {
	gist, err := s.WhistleGist(t, w)
	if err != nil {
		return nil, err
	}
	c := sheet{t: t, gist: gist}
	if err := s.whistleTicket(ctx, t, w, &c); err != nil {
		return nil, err
	}
	place := w.Place.Label
	words, err := s.WhistleWords(w)
	if err != nil {
		return nil, err
	}
	if t.Group {
		place, words = privacy.MaskAddress(place), privacy.MaskWords(words)
	}
	if place != "" {
		c.add("card.place", map[string]string{"place": place})
	}
	if words != "" {
		c.add("whistle.line.words", map[string]string{"words": words})
	}
	if w.State == ticket.WhistleReturned {
		why, err := t.Text("reason.whistle_return."+w.Reason, nil)
		if err != nil {
			return nil, err
		}
		c.add("whistle.line.returned", map[string]string{"why": why})
	}
	if w.Level > ticket.WhistleLevel {
		level, err := t.Text("whistle.level."+strconv.Itoa(w.Level), nil)
		if err != nil {
			return nil, err
		}
		c.add("whistle.line.level", map[string]string{"level": level})
	}
	if unit != nil {
		err = s.callLines(ctx, t, w, *unit, &c)
	} else {
		err = s.unitLines(ctx, t, w, &c)
	}
	if err != nil {
		return nil, err
	}
	gist["lines"] = strings.Join(c.lines, "\n")
	return gist, c.err
}

// whistleTicket adds which ticket is behind the whistle; a private one is not
// named beyond its number.
func (s *Service) whistleTicket(ctx context.Context, t *gateway.Turn, w *Whistle, c *sheet) error {
	if w.TicketID == 0 {
		return nil
	}
	o, err := s.Load(ctx, t, w.TicketID, false)
	if err != nil {
		return err
	}
	matter := ""
	if m, ok := s.Matters.Get(o.Matter); ok && !w.Private && o.Matter != ticket.OtherMatter {
		matter = m.Name
	}
	c.add("whistle.line.ticket", map[string]string{"number": o.Number.Spoken(), "matter": matter})
	return nil
}

// unitLines is one line a unit: how far it is, since when, and what it got.
func (s *Service) unitLines(ctx context.Context, t *gateway.Turn, w *Whistle, c *sheet) error {
	if !w.Deadline.IsZero() {
		c.add("whistle.line.until", s.when(w.Deadline))
	}
	for _, p := range w.Parts {
		line, err := s.UnitLine(ctx, t, w, p)
		if err != nil {
			return err
		}
		c.lines = append(c.lines, line)
	}
	return nil
}

// UnitLine says in one line how far a unit is.
func (s *Service) UnitLine(ctx context.Context, t *gateway.Turn, w *Whistle, p ticket.Part) (string, error) {
	name, err := s.UnitName(ctx, t, p.Desk)
	if err != nil {
		return "", err
	}
	role, at := "whistle.role.co", p.CalledAt
	if p.Lead {
		role = "whistle.role.lead"
	}
	for _, next := range []time.Time{p.AnsweredAt, p.ArrivedAt, p.HandledAt, p.AppraisedAt} {
		if !next.IsZero() {
			at = next
		}
	}
	values := s.when(at)
	values["unit"], values["late"], values["misuse"] = name, "", ""
	keys := map[string]string{"role": role, "part": "whistle.part." + string(p.State)}
	if p.State.Running() && p.Late(w.Deadline, t.Now) {
		keys["late"] = "whistle.late_mark"
	}
	if p.Misuse != "" {
		keys["misuse"] = "whistle.misuse_mark"
	}
	for name, key := range keys {
		if values[name], err = t.Text(key, nil); err != nil {
			return "", err
		}
	}
	return t.Text("whistle.line.unit", values)
}

// callLines are the limits of a unit, as far as they are still to be kept, and
// with whom it works.
func (s *Service) callLines(ctx context.Context, t *gateway.Turn, w *Whistle, p ticket.Part, c *sheet) error {
	limits := []struct {
		key  string
		at   time.Time
		done bool
	}{
		{"whistle.line.answer", p.AnswerDue, p.State != ticket.PartCalled},
		{"whistle.line.arrive", p.ArriveDue, p.State != ticket.PartCalled && p.State != ticket.PartAnswered},
		{"whistle.line.until", w.Deadline, !p.State.Running()},
	}
	for _, l := range limits {
		if !l.done && !l.at.IsZero() {
			c.add(l.key, s.when(l.at))
		}
	}
	var others []string
	for _, o := range w.Parts {
		if o.Desk.Same(p.Desk) || w.Private {
			continue
		}
		name, err := s.UnitName(ctx, t, o.Desk)
		if err != nil {
			return err
		}
		others = append(others, name)
	}
	if len(others) > 0 {
		c.add("whistle.line.others", map[string]string{"units": strings.Join(others, "、")})
	}
	return nil
}

// WhistleCall is the message of a unit: its values, and a button for each thing
// that the unit may do now.
func (s *Service) WhistleCall(ctx context.Context, t *gateway.Turn, w *Whistle, p ticket.Part) (map[string]string, []flows.Option, error) {
	params, err := s.WhistleSheet(ctx, t, w, &p)
	if err != nil {
		return nil, nil, err
	}
	unit, err := s.UnitName(ctx, t, p.Desk)
	if err != nil {
		return nil, nil, err
	}
	extra := map[string]string{"unit": unit}
	for name, key := range map[string]string{"part": "whistle.part." + string(p.State), "role": map[bool]string{true: "whistle.role.lead", false: "whistle.role.co"}[p.Lead]} {
		if extra[name], err = t.Text(key, nil); err != nil {
			return nil, nil, err
		}
	}
	maps.Copy(params, extra)
	staff, err := s.PartStaff(ctx, t, w, p)
	if err != nil || len(staff) == 0 {
		return params, nil, err
	}
	by := ticket.Actor{As: ticket.AsUnit, Desk: p.Desk, Staff: staff[0]}
	var options []flows.Option
	for _, c := range s.Whistles.Allowed(w.Whistle, by, p.Desk, t.Now) {
		label, err := t.Text("whistle.button."+string(c), nil)
		if err != nil {
			return nil, nil, err
		}
		options = append(options, flows.Option{Value: fmt.Sprintf("%s%s %d", gateway.CommandPrefix, c, w.ID), Label: label})
	}
	return params, options, nil
}

// VisibleWhistles lists the open whistles that the staff member may see, the
// newest first, at most limit.
func (s *Service) VisibleWhistles(ctx context.Context, t *gateway.Turn, staff people.Staff, limit int32) ([]*Whistle, error) {
	var divisions, desks []string
	for _, g := range staff.Grants {
		if g.Area.Kind == people.AreaUnit {
			desks = append(desks, g.Area.Code)
		} else {
			divisions = append(divisions, g.Area.Code)
		}
	}
	rows, err := t.OpenWhistles(ctx, notNil(divisions), notNil(desks), limit)
	if err != nil {
		return nil, fmt.Errorf("list whistles: %w", err)
	}
	var all []*Whistle
	for _, r := range rows {
		w, err := s.LoadWhistle(ctx, t, r.ID, false)
		if err != nil {
			return nil, err
		}
		if s.MayWhistle(staff, people.MayViewWhistle, w, t.Now) {
			all = append(all, w)
		}
	}
	return all, nil
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
