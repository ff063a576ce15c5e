package workorder

import (
	"context"
	"fmt"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// What the callback side hears and decides.

// RecordCall keeps what a resident said on the telephone, r, or that nobody
// answered, r.Unreached; words are the resident's own. Such a try counts when
// the time for it has come (ticket.KeyNotDue otherwise). Until the tries that
// the policy demands are over (configs/policies/callbacks.yaml) the ticket waits
// for the next one: then next is when that may be, and the task of ringing, row,
// is put off until then. Else next is zero.
func (s *Service) RecordCall(ctx context.Context, t *gateway.Turn, row db.Task, id int64, by ticket.Actor, r ticket.CallbackResult, words string) (
	o *Order, next time.Time, err error,
) {
	if r.Unreached {
		if err := s.mayRing(ctx, t, id); err != nil {
			return nil, next, err
		}
	}
	if o, err = s.Do(ctx, t, id, by, ticket.Ask{Via: "phone"}); err != nil {
		return nil, next, err
	}
	if err := s.keepCall(ctx, t, o, by, r, words); err != nil {
		return nil, next, err
	}
	if r.Unreached && o.Tries < s.Rules.Callbacks().Callback.Tries {
		if next, err = s.NextTry(t.Now); err != nil {
			return nil, next, err
		}
		if err := t.DeferTask(ctx, row.ID, &next); err != nil {
			return nil, next, fmt.Errorf("put a call off: %w", err)
		}
		return o, next, nil
	}
	o, err = s.Do(ctx, t, id, by, r)
	return o, next, err
}

// mayRing refuses a try that comes too soon after the last one to count: tries
// are spread over half-days.
func (s *Service) mayRing(ctx context.Context, t *gateway.Turn, id int64) error {
	calls, err := t.Callbacks(ctx, id)
	if err != nil {
		return fmt.Errorf("list the callbacks of a ticket: %w", err)
	}
	if len(calls) == 0 {
		return nil
	}
	next, err := s.NextTry(calls[len(calls)-1].At)
	if err == nil && t.Now.Before(next) {
		err = &ticket.Refused{Key: ticket.KeyNotDue}
	}
	return err
}

// keepCall writes the call as a try of its own, with who rang.
func (s *Service) keepCall(ctx context.Context, t *gateway.Turn, o *Order, by ticket.Actor, r ticket.CallbackResult, words string) error {
	id, err := t.AddCallback(ctx, db.AddCallbackParams{TicketID: o.ID, Try: int32(o.Tries), ByStaff: &by.Staff, Via: "phone"})
	if err != nil {
		return fmt.Errorf("keep a call: %w", err)
	}
	p := db.EndCallbackParams{
		ID: id, Contacted: string(r.Facts.Contacted), Solved: string(r.Facts.Solved), Satisfied: string(r.Facts.Satisfied), Ended: "answered",
	}
	if r.Unreached {
		p.Ended = "unreached"
	}
	if words != "" {
		p.Words = t.Seal(SealCallback, words)
	}
	if err := t.EndCallback(ctx, p); err != nil {
		return fmt.Errorf("keep the answers of a call: %w", err)
	}
	return nil
}

// Judge decides on an unhappy answer: the desk does it again, or the ticket is
// closed with an explanation, or, redone as often as allowed, the next level
// takes over. Either way the reporter is told why.
func (s *Service) Judge(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, c ticket.Judge, why string) (*Order, error) {
	if why == "" {
		return nil, &ticket.Refused{Key: ticket.KeyNoReply}
	}
	o, err := s.Do(ctx, t, id, by, c)
	if err != nil {
		return nil, err
	}
	key := "notice.judged_closed"
	switch o.State {
	case ticket.Redo:
		key = "notice.judged_redo"
	case ticket.Received:
		key = "notice.judged_raised"
	}
	if err := s.Note(ctx, t, o.ID, "all", why); err != nil {
		return nil, err
	}
	return o, s.Write(ctx, t, o, "judged", key, why)
}
