package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// Supervision and escalation by the word of who oversees, and the desk's answer.

// overRight is the right that a dialogue needs to oversee a ticket.
func overRight(purpose string) (people.StaffCommand, bool) {
	switch purpose {
	case "supervise":
		return people.MaySupervise, true
	case "escalate":
		return people.MayEscalate, true
	case "answer_supervision":
		return people.MayAnswerFor, true
	case "ask_exclusion":
		return people.MayAskExclusion, true
	}
	return "", false
}

// holdOrder begins a dialogue about a ticket that need not lie on the speaker's
// desk: it asks the rights and the rules, and returns what the dialogue offers.
func (s *Set) holdOrder(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	purpose := text(args, "for")
	right, ok := overRight(purpose)
	if !ok {
		return nil, fmt.Errorf("order.hold: for is %q; supervise, escalate, answer_supervision or ask_exclusion is needed", purpose)
	}
	h, failed, err := s.overseen(ctx, t, args, right)
	if err != nil || failed != nil {
		return failed, err
	}
	r, err := s.begun(t, h)
	if err != nil {
		return nil, err
	}
	if failed, err := s.mayOversee(t, h, ticket.CommandName(purpose)); err != nil || failed != nil {
		return failed, err
	}
	policy := s.Orders.Rules.Policy().Reasons
	switch purpose {
	case "supervise":
		if r["desks"], err = s.partDesks(ctx, t, h); err != nil {
			return nil, err
		}
		r["reasons"], err = s.reasons(t, "supervise", policy.Supervise)
	case "escalate":
		r["reasons"], err = s.reasons(t, "escalate", policy.Escalate)
	case "ask_exclusion":
		r["reasons"], err = s.reasons(t, "exclude", policy.Exclude)
	case "answer_supervision":
		v, _ := s.Orders.Supervised(h.staff, h.order, t.Now)
		said, serr := s.Orders.SupervisionSaid(ctx, t, h.order, v.Number)
		err = serr
		r["supervision"], r["reason"], r["by"] = said["supervision"], said["reason"], said["by"]
	}
	if code := picked(r["reasons"], h.rest); code != "" {
		r["picked"] = code
	}
	return r, err
}

// picked is the option that was written behind the number: 督办 3 多人反映.
func picked(options any, said string) string {
	list, _ := options.([]any)
	for _, o := range list {
		if m, _ := o.(map[string]any); said != "" && (m["label"] == said || m["value"] == said) {
			code, _ := m["value"].(string)
			return code
		}
	}
	return ""
}

// overseen is held for who has no card of the ticket: it may be named by the
// number of a supervision too, and may be over.
func (s *Set) overseen(ctx context.Context, t *gateway.Turn, args map[string]any, c people.StaffCommand) (*hold, result, error) {
	if n, rest, ok := leadingNumber(text(args, "text")); ok {
		v, err := t.SupervisionByNumber(ctx, string(n))
		if err == nil {
			args = map[string]any{"id": float64(v.TicketID), "text": rest}
		} else if !errors.Is(err, postgres.ErrNoRows) {
			return nil, nil, fmt.Errorf("look a supervision up: %w", err)
		}
	}
	h, failed, err := s.named(ctx, t, args)
	if err != nil || failed != nil {
		return nil, failed, err
	}
	switch {
	case t.Group && !workorder.ForGroups(h.order):
		return nil, fail("staff.private_chat"), nil
	case s.Orders.May(h.staff, c, h.order, t.Now):
		return h, nil, nil
	}
	if _, sees := s.Orders.Viewer(h.staff, h.order, t.Now); sees {
		return nil, fail("staff.may_not"), nil
	}
	return nil, fail("staff.no_card"), nil
}

// mayOversee asks the rules whether the command may be given now.
func (s *Set) mayOversee(t *gateway.Turn, h *hold, c ticket.CommandName) (result, error) {
	by := s.overseer(t, h, c)
	if slices.Contains(s.Orders.Rules.Allowed(h.order.Ticket, by), c) {
		return nil, nil
	}
	return s.refused(t, &ticket.Refused{Key: ticket.KeyState, Params: map[string]string{"state": string(h.order.State)}})
}

// overseer is the speaker as an actor of the command.
func (s *Set) overseer(t *gateway.Turn, h *hold, c ticket.CommandName) ticket.Actor {
	by := ticket.Actor{As: ticket.AsSupervisor, Person: h.staff.PersonID, Staff: h.staff.ID}
	switch c {
	case ticket.CmdAnswerSupervision:
		by.As = ticket.AsSupervised
		if v, ok := s.Orders.Supervised(h.staff, h.order, t.Now); ok {
			by.Desk = v.Desk
		}
	case ticket.CmdAskExclusion:
		by, _ = s.Orders.Excluder(t, h.staff, h.order)
	}
	return by
}

// partDesks offers the desks that have a part in the ticket now, the lead first.
func (s *Set) partDesks(ctx context.Context, t *gateway.Turn, h *hold) ([]any, error) {
	options := []any{}
	for _, a := range h.order.Assignments {
		if !a.EndedAt.IsZero() || a.Role == ticket.RoleInformed {
			continue
		}
		label, err := s.deskLabel(ctx, t, ticket.Desk{Kind: a.Desk.Kind, Code: a.Desk.Code, Staff: a.SignedBy})
		if err != nil {
			return nil, err
		}
		if a.Role == ticket.RoleLead {
			options = slices.Insert(options, 0, any(option(deskValue(a.Desk), label)))
			continue
		}
		options = append(options, option(deskValue(a.Desk), label))
	}
	return options, nil
}

// supervise demands an answer of a desk: the one that was chosen, else the lead.
func (s *Set) supervise(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.overseen(ctx, t, args, people.MaySupervise)
	if err != nil || failed != nil {
		return failed, err
	}
	desk, ok := deskArg(args, "desk")
	if !ok {
		lead, held := h.order.Lead()
		if !held {
			return s.refused(t, &ticket.Refused{Key: ticket.KeyState, Params: map[string]string{"state": string(h.order.State)}})
		}
		desk = lead.Desk
	}
	by := s.overseer(t, h, ticket.CmdSupervise)
	o, err := s.Orders.Supervise(ctx, t, h.order.ID, by, desk, text(args, "reason"))
	if err != nil {
		return s.refused(t, err)
	}
	r, err := s.told(t, o, 0)
	if err != nil {
		return nil, err
	}
	v := o.Supervisions[len(o.Supervisions)-1]
	r["supervision"] = v.Number.Spoken()
	s.addWhen(r, v.Deadline)
	return r, nil
}

// answerSupervision signs the desk's answer with the speaker's name.
func (s *Set) answerSupervision(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.overseen(ctx, t, args, people.MayAnswerFor)
	if err != nil || failed != nil {
		return failed, err
	}
	v, _ := s.Orders.Supervised(h.staff, h.order, t.Now)
	o, err := s.Orders.AnswerSupervision(ctx, t, h.order.ID, s.overseer(t, h, ticket.CmdAnswerSupervision), v.Number, text(args, "words"))
	if err != nil {
		return s.refused(t, err)
	}
	r, err := s.told(t, o, 0)
	if err != nil {
		return nil, err
	}
	r["supervision"], r["name"] = v.Number.Spoken(), h.staff.Name
	return r, nil
}

// escalate raises a ticket to the next level.
func (s *Set) escalate(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.overseen(ctx, t, args, people.MayEscalate)
	if err != nil || failed != nil {
		return failed, err
	}
	o, err := s.Orders.Do(ctx, t, h.order.ID, s.overseer(t, h, ticket.CmdEscalate), ticket.Escalate{Reason: text(args, "reason")})
	if err != nil {
		return s.refused(t, err)
	}
	return s.told(t, o, 0)
}

// askExclusion asks to leave a closed ticket out of the figures of its desk.
func (s *Set) askExclusion(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.overseen(ctx, t, args, people.MayAskExclusion)
	if err != nil || failed != nil {
		return failed, err
	}
	o, err := s.Orders.AskExclusion(ctx, t, h.order.ID, s.overseer(t, h, ticket.CmdAskExclusion), text(args, "reason"), text(args, "words"))
	if err != nil {
		return s.refused(t, err)
	}
	return s.told(t, o, 0)
}
