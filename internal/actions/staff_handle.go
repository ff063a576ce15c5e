package actions

import (
	"context"
	"fmt"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// take signs for the desk.
func (s *Set) take(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.held(ctx, t, args, people.MayTakeTicket)
	if err != nil || failed != nil {
		return failed, err
	}
	by, ok := s.Orders.Handler(h.staff, h.order, t.Now)
	if !ok {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNotYourDesk})
	}
	o, err := s.Orders.Do(ctx, t, h.order.ID, by, ticket.Take{})
	if err != nil {
		return s.refused(t, err)
	}
	handle, err := t.PutCard(ctx, t.CardHome(), o.ID, int32(o.Version))
	if err != nil {
		return nil, fmt.Errorf("lay a card: %w", err)
	}
	return s.told(t, o, int(handle))
}

// passOn does what takes a ticket off its desk: who wrote why leaves a note.
func (s *Set) passOn(ctx context.Context, t *gateway.Turn, h *hold, by ticket.Actor, c ticket.Command, why string) (result, error) {
	o, err := s.Orders.Do(ctx, t, h.order.ID, by, c)
	if err != nil {
		return s.refused(t, err)
	}
	if why != "" {
		if err := s.Orders.Note(ctx, t, o.ID, audienceStaff, why); err != nil {
			return nil, err
		}
	}
	return s.told(t, o, h.handle)
}

// audienceStaff is that of a note which only staff read.
const audienceStaff = "staff"

// finish reports what came of it: words for the resident, a result, photos. What
// stands behind the mark for colleagues is kept apart and never reaches the
// resident.
func (s *Set) finish(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.held(ctx, t, args, people.MayFinishTicket)
	if err != nil || failed != nil {
		return failed, err
	}
	by, ok := s.Orders.Handler(h.staff, h.order, t.Now)
	if !ok {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNotYourDesk})
	}
	reply, internal, _, err := s.splitAt(t, "finish.internal_mark", text(args, "reply"))
	if err != nil {
		return nil, err
	}
	photos := append(list(args, "photo"), list(args, "photos")...)
	o, err := s.Orders.Finish(ctx, t, h.order.ID, by, workorder.Report{
		Result: ticket.UnitResult(text(args, "result")), Reply: reply, Internal: internal, Photos: photos,
	})
	if err != nil {
		return s.refused(t, err)
	}
	return s.told(t, o, h.handle)
}

// note keeps a remark that only staff read.
func (s *Set) note(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.held(ctx, t, args, people.MayNote)
	if err != nil || failed != nil {
		return failed, err
	}
	if err := s.Orders.Note(ctx, t, h.order.ID, audienceStaff, text(args, "words")); err != nil {
		return nil, err
	}
	if err := t.Record(ctx, "ticket.noted", workorder.Subject(h.order.ID), nil, text(args, "words")); err != nil {
		return nil, err
	}
	return s.told(t, h.order, h.handle)
}
