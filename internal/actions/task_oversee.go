package actions

import (
	"context"
	"maps"
	"slices"

	"shaoying/internal/gateway"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// What ends a ticket before any desk has it, and what is done with a ticket that
// was raised or that its desk wants left out of its figures.

// as what a task about a ticket without a desk is done: by the dispatcher, or by
// the clerk who completes.
func (e *errand) early() ticket.Actor {
	if e.task.Kind == workorder.TaskDispatch {
		return e.as(ticket.AsDispatcher)
	}
	return e.as(ticket.AsCompleter)
}

// answerNow answers a consultation at once, in the words of who knows.
func (s *Set) answerNow(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "answer")
	if err != nil || failed != nil {
		return failed, err
	}
	words := text(args, "words")
	o, err := s.Orders.Do(ctx, t, e.order.ID, e.early(), ticket.AnswerNow{HasReply: words != ""})
	if err != nil {
		return s.refused(t, err)
	}
	if err := s.Orders.SetReplies(ctx, t, o, words, ""); err != nil {
		return nil, err
	}
	return s.ended(ctx, t, e, o, "answered")
}

// refer hands a ticket to who must lawfully deal with it. The reporter is told
// the way: text notice.referred.CODE. What is dangerous is dispatched first.
func (s *Set) refer(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "refer")
	if err != nil || failed != nil {
		return failed, err
	}
	if e.order.Danger != "" {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyActFirst})
	}
	o, err := s.Orders.Do(ctx, t, e.order.ID, e.early(), ticket.Refer{To: text(args, "to")})
	if err != nil {
		return s.refused(t, err)
	}
	return s.ended(ctx, t, e, o, "referred")
}

// referrals offers whom a ticket can be referred to.
func (s *Set) referrals(t *gateway.Turn) ([]any, error) {
	return s.reasons(t, "refer", slices.Sorted(maps.Keys(s.Orders.Rules.Policy().Referrals.To)))
}

// instruct keeps what the people of a higher level say about a raised ticket.
func (s *Set) instruct(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "instruct")
	if err != nil || failed != nil {
		return failed, err
	}
	words := text(args, "words")
	if words == "" {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNoReply})
	}
	if err := s.Orders.Instruct(ctx, t, e.order, e.staff, words); err != nil {
		return nil, err
	}
	return s.ended(ctx, t, e, e.order, "instructed")
}

// review decides whether the figures of a desk leave a ticket out.
func (s *Set) review(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "exclusion")
	if err != nil || failed != nil {
		return failed, err
	}
	why := text(args, "why")
	if why == "" {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNoBasis})
	}
	granted := text(args, "verdict") == "grant"
	o, err := s.Orders.DecideExclusion(ctx, t, e.order.ID, e.as(ticket.AsReviewer), granted, why)
	if err != nil {
		return s.refused(t, err)
	}
	return s.ended(ctx, t, e, o, text(args, "verdict"))
}

// ended says what became of the ticket and ends the task.
func (s *Set) ended(ctx context.Context, t *gateway.Turn, e *errand, o *workorder.Order, outcome string) (result, error) {
	r, err := s.told(t, o, 0)
	if err != nil {
		return nil, err
	}
	return r, e.done(ctx, t, outcome)
}
