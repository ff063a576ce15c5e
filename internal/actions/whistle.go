package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// whistleActions are what staff do with whistles 吹哨报到.
func (s *Set) whistleActions() map[string]gateway.Action {
	return map[string]gateway.Action{
		"whistle.source":   s.whistleSource,
		"whistle.propose":  s.proposeWhistle,
		"whistle.hold":     s.holdWhistle,
		"whistle.blow":     s.whistleStep(ticket.WhistleBlow),
		"whistle.decline":  s.whistleStep(ticket.WhistleDecline),
		"whistle.unit":     s.whistleUnits,
		"whistle.assign":   s.assignWhistle,
		"whistle.return":   s.whistleStep(ticket.WhistleReturn),
		"whistle.answer":   s.whistleStep(ticket.WhistleAnswer),
		"whistle.arrive":   s.arrive,
		"whistle.handle":   s.reportWhistle,
		"whistle.misuse":   s.whistleStep(ticket.WhistleMisuse),
		"whistle.appraise": s.appraise,
		"whistle.raise":    s.whistleStep(ticket.WhistleRaise),
		"whistle.close":    s.closeWhistle,
		"whistle.list":     s.listWhistles,
		"whistle.show":     s.showWhistle,
		"whistle.stars":    s.whistleStars,
	}
}

func whistleDocs() map[string]flows.ActionDoc {
	told := []string{"id", "whistle", "kind", "state", "mark", "month", "day", "clock"}
	docs := map[string]flows.ActionDoc{
		"whistle.source":   {Results: []string{"ticket", "rest", "free"}},
		"whistle.propose":  {Results: told},
		"whistle.hold":     {Results: append([]string{"rest", "lines", "reasons", "unit", "desk"}, told...)},
		"whistle.unit":     {Results: []string{"status", "value", "options", "say"}},
		"whistle.assign":   {Results: append([]string{"units"}, told...)},
		"whistle.appraise": {Results: append([]string{"left"}, told...)},
		"whistle.list":     {Results: []string{"count", "lines"}},
		"whistle.show":     {Results: append([]string{"lines"}, told...)},
		"whistle.stars":    {Results: []string{"count", "lines"}},
	}
	for _, name := range []string{"blow", "decline", "return", "answer", "arrive", "handle", "misuse", "raise", "close"} {
		docs["whistle."+name] = flows.ActionDoc{Results: told}
	}
	return docs
}

// whistleHold is a whistle in the hands of a member of the staff, as whom they
// act on it.
type whistleHold struct {
	staff people.Staff
	w     *workorder.Whistle
	by    ticket.Actor
	rest  string
}

// heldWhistle finds the whistle that a command is about and asks the rights: by
// its id, by the button of its message, by its number (吹哨 12), or, where
// nothing is said, the one with which the speaker may do that. What somebody
// may not see does not exist for them.
func (s *Set) heldWhistle(ctx context.Context, t *gateway.Turn, args map[string]any, c ticket.CommandName) (*whistleHold, result, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return nil, failed, err
	}
	h := &whistleHold{staff: who, rest: text(args, "text")}
	id := int64(number(args, "id"))
	if id == 0 {
		if n, _, ok := leadingHandle(text(args, "card_id")); ok {
			id = int64(n)
		}
	}
	if id == 0 {
		n, rest, named := leadingHandle(h.rest)
		if !named {
			return s.onlyWhistle(ctx, t, h, c)
		}
		id, h.rest = int64(n), rest
	}
	h.w, err = s.Orders.LoadWhistle(ctx, t, id, false)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, fail("whistle.none"), nil
	}
	if err != nil {
		return nil, nil, err
	}
	switch {
	case !s.Orders.MayWhistle(who, people.MayViewWhistle, h.w, t.Now):
		return nil, fail("whistle.none"), nil
	case t.Group && !workorder.ForWhistleGroups(h.w):
		return nil, fail("staff.private_chat"), nil
	}
	if c == "" {
		return h, nil, nil
	}
	var ok bool
	if h.by, ok = s.Orders.WhistleActor(who, h.w, c, t.Now); !ok {
		return nil, fail("staff.may_not"), nil
	}
	return h, nil, nil
}

// onlyWhistle is the one open whistle to which the speaker may do c; of several
// it asks for the number.
func (s *Set) onlyWhistle(ctx context.Context, t *gateway.Turn, h *whistleHold, c ticket.CommandName) (*whistleHold, result, error) {
	all, err := s.Orders.VisibleWhistles(ctx, t, h.staff, maxTasks)
	if err != nil {
		return nil, nil, err
	}
	all = slices.DeleteFunc(all, func(w *workorder.Whistle) bool {
		if t.Group && !workorder.ForWhistleGroups(w) {
			return true
		}
		by, ok := s.Orders.WhistleActor(h.staff, w, c, t.Now)
		if c != "" && ok {
			_, ok = s.Orders.WhistleMay(w, by, c, t.Now)
		}
		return c != "" && !ok
	})
	switch len(all) {
	case 0:
		return nil, fail("whistle.nothing"), nil
	case 1:
		return s.heldWhistle(ctx, t, map[string]any{"id": float64(all[0].ID), "text": h.rest}, c)
	}
	lines, err := s.whistleLines(t, all)
	return nil, result{"fail": "whistle.which", "params": map[string]any{"lines": lines}}, err
}

// holdWhistle begins a dialogue about a whistle: it asks the rights and the
// rules at once, and returns what the dialogue may show and offer. for names
// what is to be done.
func (s *Set) holdWhistle(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	c := ticket.CommandName("whistle_" + text(args, "for"))
	h, failed, err := s.heldWhistle(ctx, t, args, c)
	if err != nil || failed != nil {
		return failed, err
	}
	r, err := s.toldWhistle(t, h.w)
	if err != nil {
		return nil, err
	}
	unit, ok := s.Orders.WhistleMay(h.w, h.by, c, t.Now)
	if !ok {
		return s.whyNot(t, h, c)
	}
	if h.rest != "" {
		r["rest"] = h.rest
	}
	sheet, err := s.Orders.WhistleSheet(ctx, t, h.w, nil)
	if err != nil {
		return nil, err
	}
	if r["lines"], err = t.Text("whistle.card", sheet); err != nil {
		return nil, err
	}
	codes, p := []string(nil), s.Orders.Whistles.Policy().Reasons
	switch c {
	case ticket.WhistleDecline:
		codes = p.Decline
	case ticket.WhistleReturn:
		codes = p.Return
	case ticket.WhistleMisuse:
		codes = p.Misuse
	case ticket.WhistleRaise:
		codes = p.Escalate
	case ticket.WhistleAppraise:
		part, _ := h.w.Part(unit)
		r["desk"] = deskValue(part.Desk)
		r["unit"], err = s.Orders.UnitLine(ctx, t, h.w, part)
		return r, err
	}
	if codes != nil {
		r["reasons"], err = s.reasons(t, string(c), codes)
	}
	return r, err
}

// whyNot is the refusal of a command that is not possible now.
func (s *Set) whyNot(t *gateway.Turn, h *whistleHold, c ticket.CommandName) (result, error) {
	d := ticket.Deed{Command: c, Unit: h.by.Desk}
	if c == ticket.WhistleAppraise && len(h.w.Parts) > 0 {
		i := slices.IndexFunc(h.w.Parts, func(p ticket.Part) bool { return p.State != ticket.PartAppraised })
		d.Unit = h.w.Parts[max(i, 0)].Desk
	}
	_, _, err := s.Orders.Whistles.Apply(h.w.Whistle, h.by, d, t.Now)
	if err == nil {
		return nil, fmt.Errorf("whistle %d: %s is possible and yet not allowed", h.w.ID, c)
	}
	return s.refusedWhistle(t, err)
}

// toldWhistle is what a dialogue says of a whistle after something was done.
func (s *Set) toldWhistle(t *gateway.Turn, w *workorder.Whistle) (result, error) {
	gist, err := s.Orders.WhistleGist(t, w)
	if err != nil {
		return nil, err
	}
	r := result{"id": float64(w.ID)}
	for k, v := range gist {
		r[k] = v
	}
	if !w.Deadline.IsZero() {
		s.addWhen(r, w.Deadline)
	}
	return r, nil
}

// refusedWhistle turns a refusal of the rules into its text for staff; other
// errors stay errors.
func (s *Set) refusedWhistle(t *gateway.Turn, err error) (result, error) {
	var r *ticket.Refused
	if !errors.As(err, &r) {
		return nil, err
	}
	if !strings.HasPrefix(r.Key, "whistle.") {
		return s.refused(t, err)
	}
	params := map[string]any{"allowed": "", "count": r.Params["count"], "state": ""}
	key := "whistle.state." + r.Params["state"]
	if part := r.Params["part"]; part != "" {
		key = "whistle.part." + part
	}
	if r.Params["state"] != "" {
		if params["state"], err = t.Text(key, nil); err != nil {
			return nil, err
		}
	}
	var labels []string
	for _, c := range r.Allowed {
		label, err := t.Text("whistle.button."+string(c), nil)
		if err != nil {
			return nil, err
		}
		labels = append(labels, label)
	}
	if len(labels) > 0 {
		if params["allowed"], err = t.Text("staff.may_do", map[string]string{"commands": strings.Join(labels, "、")}); err != nil {
			return nil, err
		}
	}
	return result{"fail": r.Key, "params": params}, nil
}

// whistleLines is one line a whistle.
func (s *Set) whistleLines(t *gateway.Turn, all []*workorder.Whistle) (string, error) {
	lines := make([]string, min(len(all), s.Policy.Listed))
	for i := range lines {
		gist, err := s.Orders.WhistleGist(t, all[i])
		if err != nil {
			return "", err
		}
		gist["place"] = all[i].Place.Label
		if lines[i], err = t.Text("whistle.line.list", gist); err != nil {
			return "", err
		}
	}
	return strings.Join(lines, "\n"), nil
}

// listWhistles lists the open whistles that the speaker has to do with: 哨单.
func (s *Set) listWhistles(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	all, err := s.Orders.VisibleWhistles(ctx, t, who, maxTasks)
	if err != nil {
		return nil, err
	}
	lines, err := s.whistleLines(t, all)
	return result{"count": len(all), "lines": lines}, err
}

// showWhistle says how far every unit of a whistle is.
func (s *Set) showWhistle(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.heldWhistle(ctx, t, args, "")
	if err != nil || failed != nil {
		return failed, err
	}
	sheet, err := s.Orders.WhistleSheet(ctx, t, h.w, nil)
	if err != nil {
		return nil, err
	}
	r, err := s.toldWhistle(t, h.w)
	if err != nil {
		return nil, err
	}
	r["lines"], err = t.Text("whistle.card", sheet)
	return r, err
}
