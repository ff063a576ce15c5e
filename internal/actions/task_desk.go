package actions

import (
	"context"
	"strings"

	"shaoying/internal/gateway"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// What dispatchers and clerks do before a desk has a ticket.

// dispatch sends a ticket to the desk that the dispatcher chose; the grid of
// the place knows of it.
func (s *Set) dispatch(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "dispatch")
	if err != nil || failed != nil {
		return failed, err
	}
	to, ok := deskArg(args, "to")
	if !ok {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNoDesk})
	}
	var informed []ticket.Desk
	if grid := e.order.Place.Grid; grid != "" && to.Code != grid {
		informed = []ticket.Desk{{Kind: ticket.DeskGrid, Code: grid}}
	}
	o, err := s.Orders.Do(ctx, t, e.order.ID, e.as(ticket.AsDispatcher), ticket.Dispatch{
		Lead: to, Co: deskList(args, "co"), Informed: informed,
	})
	if err != nil {
		return s.refused(t, err)
	}
	r, err := s.told(t, o, 0)
	if err != nil {
		return nil, err
	}
	r["several"] = len(o.Awaited()) > 0
	if r["desk"], err = s.deskLabel(ctx, t, to); err != nil {
		return nil, err
	}
	return r, e.done(ctx, t, "dispatched")
}

func (e *errand) as(c ticket.Capacity) ticket.Actor {
	return ticket.Actor{As: c, Person: e.staff.PersonID, Staff: e.staff.ID}
}

// reject ends what the city may not decide. The resident is told the lawful
// way: text notice.rejected.REASON.
func (s *Set) reject(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "reject")
	if err != nil || failed != nil {
		return failed, err
	}
	as := ticket.AsDispatcher
	if e.task.Kind != workorder.TaskDispatch {
		as = ticket.AsCompleter
	}
	o, err := s.Orders.Do(ctx, t, e.order.ID, e.as(as), ticket.Reject{Reason: text(args, "reason")})
	if err != nil {
		return s.refused(t, err)
	}
	r, err := s.told(t, o, 0)
	if err != nil {
		return nil, err
	}
	return r, e.done(ctx, t, "rejected")
}

// complete fills in a draft; it then goes its way like any other ticket.
func (s *Set) complete(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "complete")
	if err != nil || failed != nil {
		return failed, err
	}
	return s.fillIn(ctx, t, e, args, "completed")
}

// transcribe keeps what a clerk heard in a recording as the words of the
// ticket and completes it.
func (s *Set) transcribe(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "voice")
	if err != nil || failed != nil {
		return failed, err
	}
	if err := s.Orders.Transcribe(ctx, t, e.order.ID, text(args, "what")); err != nil {
		return nil, err
	}
	return s.fillIn(ctx, t, e, args, "transcribed")
}

// fillIn completes a draft from what the clerk wrote and chose. Words that the
// ticket does not have yet are added to it.
func (s *Set) fillIn(ctx context.Context, t *gateway.Turn, e *errand, args map[string]any, outcome string) (result, error) {
	said := text(args, "what")
	had, err := s.Orders.Words(e.order)
	if err != nil {
		return nil, err
	}
	content := s.filing(t, args).Content
	if e.order.Place.Known() {
		content.Place = e.order.Place
	}
	o, err := s.Orders.Load(ctx, t, e.order.ID, true)
	if err != nil {
		return nil, err
	}
	if said != "" && !strings.Contains(had, said) {
		if err := s.Orders.AddWords(ctx, t, o, said); err != nil {
			return nil, err
		}
	}
	if o.State != ticket.Draft && o.State != ticket.Received { // dispatched meanwhile: the words are what counts
		r, err := s.told(t, o, 0)
		if err != nil {
			return nil, err
		}
		return r, e.done(ctx, t, outcome)
	}
	if o, err = s.Orders.Do(ctx, t, o.ID, e.as(ticket.AsCompleter), ticket.Complete{Content: content}); err != nil {
		return s.refused(t, err)
	}
	r, err := s.told(t, o, 0)
	if err != nil {
		return nil, err
	}
	return r, e.done(ctx, t, outcome)
}
