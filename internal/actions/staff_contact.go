package actions

import (
	"context"
	"strings"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// seePhone shows the reporter's number to the handler who signed, and to
// callback clerks. Every look is in the trail. Of confidential and anonymous
// tickets the handler never learns it.
func (s *Set) seePhone(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.held(ctx, t, args, people.MaySeePhone)
	if err != nil || failed != nil {
		return failed, err
	}
	if t.Group {
		return fail("staff.private_chat"), nil
	}
	viewer, _ := s.Orders.Viewer(h.staff, h.order, t.Now)
	if ticket.View(h.order.Ticket, viewer)[ticket.FieldPhone] != ticket.Audited {
		return fail("contact.no_phone"), nil
	}
	name, phone, err := s.Orders.Reporter(ctx, t, h.order)
	if err != nil {
		return nil, err
	}
	if whom := h.order.Ticket.ReportedFor; whom != "" { // 代报: name and number of who it is for
		phone = strings.TrimSpace(whom + " " + phone)
	}
	if phone == "" {
		return fail("contact.unknown"), nil
	}
	err = t.Record(ctx, "look.phone", workorder.Subject(h.order.ID), map[string]any{"viewer": viewer}, "")
	return result{"phone": phone, "name": name}, err
}

// contact records that the desk reached for the reporter, with its proof: the look
// at the number is in the trail, a visit has a picture or words for the staff.
func (s *Set) contact(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	words, photos := text(args, "words"), list(args, "photo")
	c := ticket.Contact{Via: ticket.ContactVia(text(args, "via")), Reached: truth(args, "reached"), Proven: words != "" || len(photos) > 0}
	return s.contacted(ctx, t, args, func(id int64, by ticket.Actor) (*workorder.Order, error) {
		o, err := s.Orders.Do(ctx, t, id, by, c)
		if err != nil {
			return nil, err
		}
		if words != "" {
			if err := s.Orders.Note(ctx, t, id, audienceStaff, words); err != nil {
				return nil, err
			}
		}
		return o, s.Orders.Attach(ctx, t, id, "evidence", photos)
	})
}

// relay hands words to the reporter without either side learning the other's
// number. What the reporter adds to the ticket comes back as a card.
func (s *Set) relay(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	return s.contacted(ctx, t, args, func(id int64, by ticket.Actor) (*workorder.Order, error) {
		return s.Orders.Relay(ctx, t, id, by, text(args, "words"))
	})
}

func (s *Set) contacted(ctx context.Context, t *gateway.Turn, args map[string]any, do func(int64, ticket.Actor) (*workorder.Order, error)) (result, error) {
	h, failed, err := s.held(ctx, t, args, people.MayContact)
	if err != nil || failed != nil {
		return failed, err
	}
	by, ok := s.Orders.Handler(h.staff, h.order, t.Now)
	if !ok {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNotYourDesk})
	}
	o, err := do(h.order.ID, by)
	if err != nil {
		return s.refused(t, err)
	}
	return s.told(t, o, h.handle)
}
