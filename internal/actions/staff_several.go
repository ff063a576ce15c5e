package actions

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// coSign signs for a co-handling desk.
func (s *Set) coSign(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, by, part, failed, err := s.coHeld(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	o, err := s.Orders.Do(ctx, t, h.order.ID, by, ticket.CoSign{})
	if err != nil {
		return s.refused(t, err)
	}
	handle, err := t.PutCard(ctx, t.CardHome(), o.ID, int32(o.Version))
	if err != nil {
		return nil, fmt.Errorf("lay a card: %w", err)
	}
	r, err := s.told(t, o, int(handle))
	if err != nil {
		return nil, err
	}
	s.addWhen(r, part.Deadline)
	return r, nil
}

// coReply gives a co-handler's words to the lead. They never reach the resident.
func (s *Set) coReply(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, by, _, failed, err := s.coHeld(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	o, err := s.Orders.CoReply(ctx, t, h.order.ID, by, text(args, "reply"))
	if err != nil {
		return s.refused(t, err)
	}
	part, err := s.Orders.PartOf(ctx, t, o, h.staff)
	if err != nil {
		return nil, err
	}
	if part == workorder.NoPart { // the lead may be in the same chat
		if err := t.CloseCard(ctx, t.CardHome(), o.ID); err != nil {
			return nil, fmt.Errorf("take a card away: %w", err)
		}
	}
	return s.told(t, o, h.handle)
}

// coHeld is held for who speaks for a co-handling desk, with its part.
func (s *Set) coHeld(ctx context.Context, t *gateway.Turn, args map[string]any) (*hold, ticket.Actor, ticket.Assignment, result, error) {
	h, failed, err := s.held(ctx, t, args, people.MayCoHandle)
	if err != nil || failed != nil {
		return nil, ticket.Actor{}, ticket.Assignment{}, failed, err
	}
	by, part, ok := s.Orders.CoHandler(h.staff, h.order, t.Now)
	if !ok {
		failed, err = s.refused(t, &ticket.Refused{Key: ticket.KeyNotYourDesk})
	}
	return h, by, part, failed, err
}

// involve puts co-handling desks beside the lead 加派.
func (s *Set) involve(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.held(ctx, t, args, people.MayDispatchTicket)
	if err != nil || failed != nil {
		return failed, err
	}
	by := ticket.Actor{As: ticket.AsDispatcher, Person: h.staff.PersonID, Staff: h.staff.ID}
	o, err := s.Orders.Do(ctx, t, h.order.ID, by, ticket.Involve{Co: deskList(args, "co")})
	if err != nil {
		return s.refused(t, err)
	}
	return s.told(t, o, h.handle)
}

// deskList reads the desks that task.co or card.co resolved.
func deskList(args map[string]any, name string) []ticket.Desk {
	var desks []ticket.Desk
	for _, v := range strings.Fields(text(object(args, name), "desks")) {
		if d, ok := parseDesk(v); ok {
			desks = append(desks, d)
		}
	}
	return desks
}

// findCoDesks makes co-handling desks of what the dispatcher wrote, for a ticket
// that lies on its desk already.
func (s *Set) findCoDesks(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.held(ctx, t, map[string]any{"id": object(args, "vars")["id"]}, people.MayDispatchTicket)
	if err != nil || failed != nil {
		return result{"status": flows.StatusReject, "say": "desk.unknown"}, err
	}
	return s.resolveDesks(ctx, t, h.order, args)
}

// findTaskCoDesks is findCoDesks before the dispatch.
func (s *Set) findTaskCoDesks(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, map[string]any{"task": object(args, "vars")["task"]}, "dispatch")
	if err != nil || failed != nil {
		return result{"status": flows.StatusReject, "say": "desk.unknown"}, err
	}
	return s.resolveDesks(ctx, t, e.order, args)
}

var betweenDesks = regexp.MustCompile(`[\s,，、;；和]+`)

// resolveDesks answers a question for several desks by their names. A name that
// fits several of them is asked for where it is the only one.
func (s *Set) resolveDesks(ctx context.Context, t *gateway.Turn, o *workorder.Order, args map[string]any) (result, error) {
	var values, labels []string
	names := slices.DeleteFunc(betweenDesks.Split(text(args, "text"), -1), func(n string) bool { return n == "" })
	if text(args, "value") != "" {
		names = []string{""}
	}
	for _, name := range names {
		found, err := s.resolveDesk(ctx, t, o, map[string]any{"value": text(args, "value"), "text": name})
		if err != nil {
			return nil, err
		}
		if found["status"] != flows.StatusOK {
			if len(names) > 1 {
				found = result{"status": flows.StatusReject, "say": "desk.unknown"}
			}
			return found, nil
		}
		desk := object(found, "value")
		if v := text(desk, "desk"); !slices.Contains(values, v) {
			values, labels = append(values, v), append(labels, text(desk, "label"))
		}
	}
	if len(values) == 0 {
		return result{"status": flows.StatusReject, "say": "desk.unknown"}, nil
	}
	joined, err := t.Text("desk.between", nil)
	return result{"status": flows.StatusOK, "value": map[string]any{
		"desks": strings.Join(values, " "), "label": strings.Join(labels, joined),
	}}, err
}

// splitAt cuts a sentence at the first of the marks that the text key lists:
// "城管局 协办 交通局". found is false where none stands in it.
func (s *Set) splitAt(t *gateway.Turn, key, said string) (before, after string, found bool, err error) {
	marks, err := t.Text(key, nil)
	if err != nil {
		return said, "", false, err
	}
	for _, mark := range strings.Fields(marks) {
		if b, a, ok := strings.Cut(said, mark); ok {
			return strings.TrimSpace(b), strings.TrimSpace(strings.TrimLeft(a, ":： ")), true, nil
		}
	}
	return said, "", false, nil
}
