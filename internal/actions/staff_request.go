package actions

import (
	"context"
	"fmt"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// What the desk that has the lead asks for: an objection, more time, a pause.

// object raises an objection 退单: a reason and its basis in words. Until it is
// decided the ticket stays where it is and the clock runs.
func (s *Set) object(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.held(ctx, t, args, people.MayObject)
	if err != nil || failed != nil {
		return failed, err
	}
	by, ok := s.Orders.Handler(h.staff, h.order, t.Now)
	if !ok {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNotYourDesk})
	}
	o, err := s.Orders.Object(ctx, t, h.order.ID, by, text(args, "reason"), text(args, "basis"))
	if err != nil {
		return s.refused(t, err)
	}
	r, err := s.told(t, o, h.handle)
	if err != nil {
		return nil, err
	}
	r["raised"] = o.State == ticket.Received
	return r, nil
}

// askTime asks for an extension 延期 or a suspension 挂起 until a day.
func (s *Set) askTime(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.held(ctx, t, args, people.MayAskTime)
	if err != nil || failed != nil {
		return failed, err
	}
	by, ok := s.Orders.Handler(h.staff, h.order, t.Now)
	if !ok {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNotYourDesk})
	}
	until, err := time.Parse(time.RFC3339, text(object(args, "until"), "at"))
	if err != nil {
		return fail("until.unclear"), nil //nolint:nilerr // a dialogue without its day asks nothing of the rules
	}
	var c ticket.Command = ticket.AskExtension{Until: until, Reason: text(args, "reason")}
	if text(args, "purpose") == string(ticket.CmdAskSuspension) {
		c = ticket.AskSuspension{Until: until, Reason: text(args, "reason")}
	}
	o, err := s.Orders.Do(ctx, t, h.order.ID, by, c)
	if err != nil {
		return s.refused(t, err)
	}
	r, err := s.told(t, o, h.handle)
	if err != nil {
		return nil, err
	}
	r["supervisor"] = s.Orders.BySupervisor(o)
	return r, nil
}

// resume goes on with a suspended ticket before its day.
func (s *Set) resume(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.held(ctx, t, args, people.MayAskTime)
	if err != nil || failed != nil {
		return failed, err
	}
	by, ok := s.Orders.Handler(h.staff, h.order, t.Now)
	if !ok {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNotYourDesk})
	}
	o, err := s.Orders.Do(ctx, t, h.order.ID, by, ticket.Resume{})
	if err != nil {
		return s.refused(t, err)
	}
	return s.told(t, o, h.handle)
}

// rehearse asks the rules before any question is asked whether the best answers
// to all of them could be accepted at all.
func (s *Set) rehearse(t *gateway.Turn, h *hold, purpose string) (result, error) {
	reasons := s.Orders.Rules.Policy().Reasons
	var c ticket.Command
	switch ticket.CommandName(purpose) {
	case ticket.CmdObject:
		c = ticket.Object{Reason: reasons.Object[0], HasBasis: true}
	case ticket.CmdAskExtension:
		if h.order.Private() && h.order.Extensions >= s.Orders.Rules.Policy().Extensions.Max {
			// A second one is a supervisor's, who does not see private tickets.
			return s.refused(t, &ticket.Refused{Key: ticket.KeyExtended})
		}
		c = ticket.AskExtension{Reason: reasons.Extend[0], Until: h.order.Deadline.Add(time.Minute)}
	case ticket.CmdAskSuspension:
		c = ticket.AskSuspension{Reason: reasons.Suspend[0], Until: t.Now.Add(time.Minute)}
	case ticket.CmdCoReply:
		c = ticket.CoReply{HasReply: true}
	default:
		return nil, nil
	}
	by, ok := s.handlerOrDispatcher(t, h, c.Name())
	if !ok {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNotYourDesk})
	}
	if _, _, err := s.Orders.Rules.Apply(h.order.Ticket, by, c, t.Now); err != nil {
		return s.refused(t, err)
	}
	return nil, nil
}

// recall takes a ticket back from its desk, which is a dispatcher's to do.
func (s *Set) recall(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.held(ctx, t, args, people.MayReturnTicket)
	if err != nil || failed != nil {
		return failed, err
	}
	by := ticket.Actor{As: ticket.AsDispatcher, Person: h.staff.PersonID, Staff: h.staff.ID}
	return s.passOn(ctx, t, h, by, ticket.Return{Reason: text(args, "reason")}, text(args, "words"))
}

// decide rules on what a desk asked for. The desk hears it with the words of
// who decided.
func (s *Set) decide(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "decide")
	if err != nil || failed != nil {
		return failed, err
	}
	by, ok := s.Orders.Decider(e.staff, e.order, t.Now)
	if !ok {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNotYours})
	}
	granted := text(args, "verdict") == "granted"
	o, err := s.Orders.Decide(ctx, t, e.order.ID, by, granted, text(args, "why"))
	if err != nil {
		return s.refused(t, err)
	}
	r, err := s.told(t, o, 0)
	if err != nil {
		return nil, err
	}
	r["granted"] = granted
	return r, e.done(ctx, t, text(args, "verdict"))
}

// reviewLines tell what is asked for, why, and which deadline runs meanwhile.
func (s *Set) reviewLines(ctx context.Context, t *gateway.Turn, o *workorder.Order, add func(string, map[string]string) error) error {
	lead, ok := o.Lead()
	if !ok || o.Request.Kind == "" {
		return nil
	}
	kind := map[ticket.RequestKind]string{
		ticket.RequestObjection: "object", ticket.RequestExtension: "extend", ticket.RequestSuspension: "suspend",
	}[o.Request.Kind]
	reason, err := t.Text("reason."+kind+"."+o.Request.Reason, nil)
	if err != nil {
		return err
	}
	p := map[string]string{"reason": reason}
	if p["desk"], err = s.Orders.DeskName(ctx, t, lead.Desk); err != nil {
		return err
	}
	s.putWhen(p, "", o.Deadline)
	if !o.Request.Until.IsZero() {
		s.putWhen(p, "until_", o.Request.Until)
	}
	if err := add("review."+string(o.Request.Kind), p); err != nil {
		return err
	}
	basis, err := s.Orders.Basis(ctx, t, o)
	if err != nil || basis == "" || o.Request.Kind != ticket.RequestObjection {
		return err
	}
	return add("review.basis", map[string]string{"words": basis})
}

// putWhen writes an instant into the values of a text.
func (s *Set) putWhen(p map[string]string, prefix string, at time.Time) {
	r := result{}
	s.addWhen(r, at)
	for k, v := range r {
		p[prefix+k] = fmt.Sprint(v)
	}
}
