package actions

import (
	"context"
	"errors"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/ticket"
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
	c := ticket.CallbackResult{Unreached: !truth(args, "reached")}
	if !c.Unreached {
		c.Facts = ticket.Facts{
			Contacted: ticket.Answer(text(args, "contacted")), Solved: ticket.Answer(text(args, "solved")),
			Satisfied: ticket.Satisfaction(text(args, "satisfied")),
		}
	}
	o, next, err := s.Orders.RecordCall(ctx, t, e.task, e.order.ID, e.as(ticket.AsCallback), c, text(args, "why"))
	if err != nil {
		return s.refused(t, err)
	}
	if !next.IsZero() {
		needed := strconv.Itoa(s.Orders.Rules.Callbacks().Callback.Tries)
		return s.refused(t, &ticket.Refused{Key: ticket.KeyTriesLeft, Params: map[string]string{"tries": strconv.Itoa(o.Tries), "needed": needed}})
	}
	r, err := s.told(t, o, 0)
	if err != nil {
		return nil, err
	}
	r["unhappy"] = c.Facts.Unhappy()
	return r, e.done(ctx, t, map[bool]string{false: "answered", true: "unreached"}[c.Unreached])
}

// judge decides on an unhappy answer: the desk does it again with half the
// time, or the ticket is closed with an explanation. Either way the resident
// is told why in the clerk's words.
func (s *Set) judge(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "judge")
	if err != nil || failed != nil {
		return failed, err
	}
	verdict := text(args, "verdict")
	o, err := s.Orders.Judge(ctx, t, e.order.ID, e.as(ticket.AsCallback), ticket.Judge{
		Reasonable: verdict == "redo", BeyondDuty: verdict == "beyond_duty",
	}, text(args, "why"))
	if err != nil {
		return s.refused(t, err)
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
