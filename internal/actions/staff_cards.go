package actions

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// cards lists the cards that lie open in this chat. What has left the desks in
// the meantime is taken out, so that its handle becomes free.
func (s *Set) cards(ctx context.Context, t *gateway.Turn) ([]db.CardsInRow, error) {
	rows, err := t.CardsIn(ctx, t.CardHome())
	if err != nil {
		return nil, fmt.Errorf("list the cards of a chat: %w", err)
	}
	open := rows[:0]
	for _, r := range rows {
		if ticket.State(r.State).Held() {
			open = append(open, r)
			continue
		}
		if err := t.CloseCard(ctx, t.CardHome(), r.TicketID); err != nil {
			return nil, fmt.Errorf("take a card away: %w", err)
		}
	}
	return open, nil
}

// cardLines is one line a card: handle, what it is, where it stands, until
// when.
func (s *Set) cardLines(t *gateway.Turn, cards []db.CardsInRow) (string, error) {
	lines := make([]string, len(cards))
	for i, c := range cards {
		o := &workorder.Order{Ticket: ticket.Ticket{
			Number: ticket.Number(c.Number), State: ticket.State(c.State), Matter: c.Matter, Urgency: ticket.Urgency(c.Urgency),
		}}
		params, err := s.Orders.Gist(t, o)
		if err != nil {
			return "", err
		}
		params["handle"] = strconv.Itoa(int(c.Handle))
		key := "card.line"
		if c.Deadline != nil {
			key = "card.line_until"
			at := c.Deadline.In(s.Orders.Work.Location())
			params["month"], params["day"], params["clock"] = strconv.Itoa(int(at.Month())), strconv.Itoa(at.Day()), at.Format("15:04")
		}
		if lines[i], err = t.Text(key, params); err != nil {
			return "", err
		}
	}
	return strings.Join(lines, "\n"), nil
}

// listCards lists what lies on the speaker's desk.
func (s *Set) listCards(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	if _, failed, err := s.worker(ctx, t); err != nil || failed != nil {
		return failed, err
	}
	cards, err := s.cards(ctx, t)
	if err != nil {
		return nil, err
	}
	lines, err := s.cardLines(t, cards)
	return result{"count": len(cards), "lines": lines}, err
}

// showCard lays the whole card into the chat once more, as far as the speaker
// may see it.
func (s *Set) showCard(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.held(ctx, t, args, people.MayViewTicket)
	if err != nil || failed != nil {
		return failed, err
	}
	part, err := s.Orders.PartOf(ctx, t, h.order, h.staff)
	if err != nil {
		return nil, err
	}
	if part != workorder.LeadPart && part != workorder.CoPart {
		return s.showSheet(ctx, t, h)
	}
	key, params, photo, options, err := s.Orders.Card(ctx, t, h.order, h.staff, part)
	if errors.Is(err, workorder.ErrNotForYou) {
		return fail("staff.no_card"), nil
	}
	if err != nil {
		return nil, err
	}
	reason := workorder.ReasonShown
	if t.Group {
		reason = workorder.ReasonGroupCard
	}
	return result{"number": h.order.Number.Spoken()}, t.Lay(gateway.Laid{
		Reason: reason, Subject: workorder.CardSubject(h.order.ID, t.GroupID), Version: int32(h.order.Version),
		Key: key, Params: params, Photo: photo, Options: options,
	})
}

// showSheet shows a ticket to staff who do not handle it. They get no card: it
// is not theirs to carry.
func (s *Set) showSheet(ctx context.Context, t *gateway.Turn, h *hold) (result, error) {
	params, photo, err := s.Orders.Sheet(ctx, t, h.order, h.staff)
	if errors.Is(err, workorder.ErrNotForYou) {
		return fail("staff.no_card"), nil
	}
	if err != nil {
		return nil, err
	}
	return result{"number": h.order.Number.Spoken()}, t.SayPhoto("card.sheet", params, photo)
}

// holdRight is the right that a dialogue needs to take a card into its hands.
func holdRight(purpose string) (people.StaffCommand, bool) {
	switch purpose {
	case "transfer":
		return people.MayTransferTicket, true
	case "return":
		return people.MayReturnTicket, true
	case "contact":
		return people.MayContact, true
	case "finish":
		return people.MayFinishTicket, true
	case "note":
		return people.MayNote, true
	case "object":
		return people.MayObject, true
	case "ask_extension", "ask_suspension":
		return people.MayAskTime, true
	case "co_reply":
		return people.MayCoHandle, true
	case "involve":
		return people.MayDispatchTicket, true
	}
	return "", false
}

// holdCard begins a dialogue about a card: it asks the rights and the rules at
// once, so that nobody answers questions in vain, and returns what the dialogue
// may offer. for names what is to be done.
func (s *Set) holdCard(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	purpose := text(args, "for")
	right, ok := holdRight(purpose)
	if !ok {
		return nil, fmt.Errorf("card.hold: for is %q, which is nothing that is done with a card", purpose)
	}
	h, failed, err := s.held(ctx, t, args, right)
	if err != nil || failed != nil {
		return failed, err
	}
	r, err := s.begun(t, h)
	if err != nil {
		return nil, err
	}
	r["purpose"] = purpose
	r["protected"] = h.order.Confidential || h.order.Anonymous
	if purpose == "note" {
		return r, nil
	}
	if failed, err := s.possible(t, h, ticket.CommandName(purpose)); err != nil || failed != nil {
		return failed, err
	}
	if failed, err := s.rehearse(t, h, purpose); err != nil || failed != nil {
		return failed, err
	}
	return r, s.offer(ctx, t, h, purpose, r)
}

// possible asks the rules whether the command may be given now.
func (s *Set) possible(t *gateway.Turn, h *hold, c ticket.CommandName) (result, error) {
	by, ok := s.handlerOrDispatcher(t, h, c)
	if !ok {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNotYourDesk})
	}
	allowed := s.Orders.Rules.Allowed(h.order.Ticket, by)
	for _, a := range allowed {
		if a == c {
			return nil, nil
		}
	}
	return s.refused(t, &ticket.Refused{
		Key: ticket.KeyState, Params: map[string]string{"state": string(h.order.State)}, Allowed: allowed,
	})
}

// handlerOrDispatcher is as what the speaker acts: the desk that has the
// ticket, or else, where the command is one of dispatchers too, a dispatcher.
func (s *Set) handlerOrDispatcher(t *gateway.Turn, h *hold, c ticket.CommandName) (ticket.Actor, bool) {
	if c == ticket.CmdCoReply {
		by, _, ok := s.Orders.CoHandler(h.staff, h.order, t.Now)
		return by, ok
	}
	only := c == ticket.CmdReturn || c == ticket.CmdInvolve
	if by, ok := s.Orders.Handler(h.staff, h.order, t.Now); ok && !only {
		return by, true
	}
	by := ticket.Actor{As: ticket.AsDispatcher, Person: h.staff.PersonID, Staff: h.staff.ID}
	return by, (only || c == ticket.CmdTransfer) && s.Orders.May(h.staff, people.MayDispatchTicket, h.order, t.Now)
}

// offer adds what the dialogue asks with.
func (s *Set) offer(ctx context.Context, t *gateway.Turn, h *hold, purpose string, r result) (err error) {
	switch purpose {
	case "object":
		r["reasons"], err = s.reasons(t, "object", s.Orders.Rules.Policy().Reasons.Object)
	case "ask_extension":
		r["reasons"], err = s.reasons(t, "extend", s.Orders.Rules.Policy().Reasons.Extend)
	case "ask_suspension":
		r["reasons"], err = s.reasons(t, "suspend", s.Orders.Rules.Policy().Reasons.Suspend)
	case "return":
		r["reasons"], err = s.reasons(t, "return", s.Orders.Rules.Policy().Reasons.Return)
	case "transfer":
		r["targets"], err = s.targets(ctx, t, h.order)
	case "finish":
		if m, ok := s.Orders.Matters.Get(h.order.Matter); ok {
			r["photo_needed"] = m.Photo
		}
	}
	return err
}
