package actions

import (
	"context"
	"errors"
	"fmt"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// What callback clerks do after a desk has reported.

// callbackResult records what a clerk heard on the phone, or that nobody
// answered: then the try counts, and only after the tries that the policy
// demands is the ticket closed as unconfirmed.
func (s *Set) callbackResult(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "phone")
	if err != nil || failed != nil {
		return failed, err
	}
	reached := truth(args, "reached")
	by := e.as(ticket.AsCallback)
	if _, err := s.Orders.Do(ctx, t, e.order.ID, by, ticket.Ask{Via: "phone"}); err != nil {
		return s.refused(t, err)
	}
	c := ticket.CallbackResult{Unreached: !reached}
	if reached {
		c.Facts = ticket.Facts{
			Contacted: ticket.Answer(text(args, "contacted")), Solved: ticket.Answer(text(args, "solved")),
			Satisfied: ticket.Satisfaction(text(args, "satisfied")),
		}
	}
	if err := s.keepCall(ctx, t, e, c, text(args, "why")); err != nil {
		return nil, err
	}
	o, err := s.Orders.Do(ctx, t, e.order.ID, by, c)
	if err != nil {
		return s.refused(t, err)
	}
	r, err := s.told(t, o, 0)
	if err != nil {
		return nil, err
	}
	r["unhappy"] = c.Facts.Unhappy()
	return r, e.done(ctx, t, map[bool]string{true: "answered", false: "unreached"}[reached])
}

// keepCall writes the call as a try of its own, with who rang.
func (s *Set) keepCall(ctx context.Context, t *gateway.Turn, e *errand, c ticket.CallbackResult, why string) error {
	id, err := t.AddCallback(ctx, db.AddCallbackParams{TicketID: e.order.ID, Try: int32(e.order.Tries + 1), ByStaff: &e.staff.ID, Via: "phone"})
	if err != nil {
		return fmt.Errorf("keep a call: %w", err)
	}
	p := db.EndCallbackParams{
		ID: id, Contacted: string(c.Facts.Contacted), Solved: string(c.Facts.Solved), Satisfied: string(c.Facts.Satisfied), Ended: "answered",
	}
	if c.Unreached {
		p.Ended = "unreached"
	}
	if why != "" {
		p.Words = t.Seal(workorder.SealCallback, why)
	}
	if err := t.EndCallback(ctx, p); err != nil {
		return fmt.Errorf("keep the answers of a call: %w", err)
	}
	return nil
}

// judge decides on an unhappy answer: the desk does it again with half the
// time, or the ticket is closed with an explanation. Either way the resident
// is told why in the clerk's words.
func (s *Set) judge(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "judge")
	if err != nil || failed != nil {
		return failed, err
	}
	verdict, why := text(args, "verdict"), text(args, "why")
	if why == "" {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNoReply})
	}
	o, err := s.Orders.Do(ctx, t, e.order.ID, e.as(ticket.AsCallback), ticket.Judge{
		Reasonable: verdict == "redo", BeyondDuty: verdict == "beyond_duty",
	})
	if err != nil {
		return s.refused(t, err)
	}
	key := "notice.judged_closed"
	switch o.State {
	case ticket.Redo:
		key = "notice.judged_redo"
	case ticket.Received: // redone as often as allowed: the next level takes over
		key = "notice.judged_raised"
	}
	if err := s.Orders.Note(ctx, t, o.ID, audienceAll, why); err != nil {
		return nil, err
	}
	if err := s.write(ctx, t, o, "judged", key, why); err != nil {
		return nil, err
	}
	r, err := s.told(t, o, 0)
	if err != nil {
		return nil, err
	}
	r["raised"] = o.State == ticket.Received
	return r, e.done(ctx, t, verdict)
}

// checkFinding records what another person saw of a grid worker's own finding.
func (s *Set) checkFinding(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "check")
	if err != nil || failed != nil {
		return failed, err
	}
	facts := ticket.Facts{Solved: ticket.Answer(text(args, "solved"))}
	o, err := s.Orders.Do(ctx, t, e.order.ID, e.as(ticket.AsCallback), ticket.CallbackResult{Facts: facts})
	if err != nil {
		return s.refused(t, err)
	}
	if photos := append(list(args, "photo"), list(args, "photos")...); len(photos) > 0 {
		if err := s.Orders.Attach(ctx, t, o.ID, "evidence", photos); err != nil {
			return nil, err
		}
	}
	r, err := s.told(t, o, 0)
	if err != nil {
		return nil, err
	}
	return r, e.done(ctx, t, "checked")
}

// settle ends a task that is done by talking: somebody who wanted a person, a
// message that was lost.
func (s *Set) settle(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "settle")
	if err != nil || failed != nil {
		return failed, err
	}
	words := text(args, "words")
	if words == "" {
		return nil, errors.New("task.settle needs words: what was done")
	}
	if e.order != nil {
		if err := s.Orders.Note(ctx, t, e.order.ID, audienceStaff, words); err != nil {
			return nil, err
		}
	}
	if err := t.Record(ctx, "task.settled", e.task.Subject, map[string]any{"task": e.task.ID, "kind": e.task.Kind}, words); err != nil {
		return nil, err
	}
	return result{}, e.done(ctx, t, "settled")
}
