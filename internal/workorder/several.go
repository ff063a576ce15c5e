package workorder

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

// Several desks at one ticket: the lead 主办 and those that reply to it 协办.
// Their words are for staff: no text to a resident has them.

// The clocks of a co-handling desk: data CoDue.
const (
	// DueCoNudge reminds a co-handling desk at a share of its own time.
	DueCoNudge = "sla.co.nudge"
	// DueCoSilent is the deadline of a co-handling desk: who has not replied by
	// then is supervised, and never the lead for them.
	DueCoSilent = "sla.co.silent"
)

// CoDue is the data of a DueCoNudge or DueCoSilent row.
type CoDue struct {
	Assignment int64 `json:"assignment"`
}

// The seals of what desks write.
const (
	sealCoReply = "assignment.reply"
	sealBasis   = "assignment.basis"
)

// replied reports whether a co-handling desk has done its part.
func replied(a ticket.Assignment) bool {
	return a.Role == ticket.RoleCo && a.State == ticket.AssignmentFinished
}

// CoHandler is the staff member as an actor of a desk that co-handles the
// ticket, with its part in it; one that still owes its reply comes first. ok is
// false for who belongs to none.
func (s *Service) CoHandler(staff people.Staff, o *Order, now time.Time) (by ticket.Actor, part ticket.Assignment, ok bool) {
	for _, a := range o.Assignments {
		if a.Role != ticket.RoleCo || !a.EndedAt.IsZero() || ok && replied(a) {
			continue
		}
		if a.Desk.Kind == ticket.DeskNamed && a.Desk.Staff != staff.ID || !s.Rights.May(staff, people.MayCoHandle, seenFrom(o, a.Desk), now) {
			continue
		}
		by = ticket.Actor{As: ticket.AsCoHandler, Person: staff.PersonID, Staff: staff.ID, Desk: a.Desk}
		part, ok = a, true
		if !replied(a) {
			return by, part, true
		}
	}
	return by, part, ok
}

// CoReply keeps a co-handler's words and gives them to the lead. A refusal
// keeps nothing.
func (s *Service) CoReply(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, words string) (*Order, error) {
	return s.saying(ctx, t, id, by, ticket.CoReply{HasReply: words != ""}, func(o *Order) error {
		for _, a := range o.Awaited() {
			if a.Desk.Same(by.Desk) {
				return t.SetAssignmentReply(ctx, a.ID, t.Seal(sealCoReply, words))
			}
		}
		return errors.New("no co-handling desk waits for words")
	})
}

// saying applies a command that comes with words: they are kept first, so that
// whatever follows can read them, and only where the rules allow the command.
func (s *Service) saying(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, c ticket.Command, keep func(*Order) error) (*Order, error) {
	o, err := s.Load(ctx, t, id, true)
	if err != nil {
		return nil, err
	}
	if _, _, err := s.Rules.Apply(o.Ticket, by, c, t.Now); err != nil {
		return nil, err
	}
	if err := keep(o); err != nil {
		return nil, fmt.Errorf("keep the words of a desk: %w", err)
	}
	return o, s.apply(ctx, t, o, by, c)
}

// deskWords opens what the desks wrote about a ticket, by assignment.
func (s *Service) deskWords(ctx context.Context, t *gateway.Turn, o *Order) (replies, bases map[int64]string, err error) {
	rows, err := t.AssignmentWords(ctx, o.ID)
	if err != nil {
		return nil, nil, fmt.Errorf("load the words of desks: %w", err)
	}
	replies, bases = map[int64]string{}, map[int64]string{}
	for _, r := range rows {
		var replyErr, basisErr error
		replies[r.ID], replyErr = s.unseal(sealCoReply, r.Reply)
		bases[r.ID], basisErr = s.unseal(sealBasis, r.Basis)
		if err := errors.Join(replyErr, basisErr); err != nil {
			return nil, nil, err
		}
	}
	return replies, bases, nil
}

// DeskName is what people call a desk: the person who alone is asked there,
// else the unit or grid.
func (s *Service) DeskName(ctx context.Context, t *gateway.Turn, d ticket.Desk) (string, error) {
	if d.Kind == ticket.DeskNamed {
		staff, err := t.GetStaff(ctx, d.Staff)
		if err != nil {
			return "", fmt.Errorf("load who is asked: %w", err)
		}
		return staff.Name, nil
	}
	kind := people.AreaUnit
	if people.GridCode(d.Code).Valid() {
		kind = people.AreaGrid
	}
	return s.AreaName(ctx, t.Queries, people.Area{Kind: kind, Code: d.Code})
}

// followSeveral tells a desk that it co-handles, and the lead what it replied.
func (s *Service) followSeveral(ctx context.Context, t *gateway.Turn, o *Order, e ticket.Event) error {
	desk := deskOf(e)
	for _, a := range o.Assignments {
		if a.Role != ticket.RoleCo || !a.EndedAt.IsZero() || !a.Desk.Same(desk) {
			continue
		}
		if e.Kind == ticket.EventInvolved {
			return s.involved(ctx, t, o, a)
		}
		return s.coReplied(ctx, t, o, a)
	}
	return nil // let go by what happened in the same step
}

func (s *Service) involved(ctx context.Context, t *gateway.Turn, o *Order, a ticket.Assignment) error {
	homes, err := s.homes(ctx, t, o)
	if err != nil {
		return err
	}
	// A dispatch has planned the same rows: their keys are the same.
	cards, err := s.cardsFor(ctx, t, o, a, homes[a.Desk])
	if err != nil {
		return err
	}
	return t.PlanDue(ctx, append(cards, s.coClocks(o, t.Now)...)...)
}

func (s *Service) coReplied(ctx context.Context, t *gateway.Turn, o *Order, a ticket.Assignment) error {
	replies, _, err := s.deskWords(ctx, t, o)
	if err != nil {
		return err
	}
	name, err := s.DeskName(ctx, t, a.Desk)
	if err != nil {
		return err
	}
	lead, ok := o.Lead()
	if !ok {
		return nil
	}
	return s.tellDesk(ctx, t, o, lead, "replied", TellDue{
		Key: "tell.co_replied", Params: map[string]string{"desk": name}, Words: t.Seal(SealNotice, replies[a.ID]), Open: true,
	})
}

// coClocks are the clocks of the co-handling desks that still run at now.
func (s *Service) coClocks(o *Order, now time.Time) []gateway.Plan {
	var plans []gateway.Plan
	for _, a := range o.Awaited() {
		key := strconv.FormatInt(a.ID, 10)
		if at := s.Rules.CoNudge(o.Ticket, a); at.After(now) {
			plans = append(plans, plan(o, DueCoNudge, key, at, CoDue{Assignment: a.ID})...)
		}
		if a.Deadline.After(now) {
			plans = append(plans, plan(o, DueCoSilent, key, a.Deadline, CoDue{Assignment: a.ID})...)
		}
	}
	return plans
}

// coHere lists the co-handling desks that work in this chat: in a group those
// whose work group it is, in a private chat the one of the staff member.
func (s *Service) coHere(ctx context.Context, t *gateway.Turn, o *Order, staff people.Staff) ([]ticket.Assignment, error) {
	if !t.Group {
		if _, a, ok := s.CoHandler(staff, o, t.Now); ok {
			return []ticket.Assignment{a}, nil
		}
		return nil, nil
	}
	homes, err := s.homes(ctx, t, o)
	if err != nil {
		return nil, err
	}
	var here []ticket.Assignment
	for _, a := range o.Assignments {
		if a.Role == ticket.RoleCo && a.EndedAt.IsZero() && homes[a.Desk] == t.GroupID {
			here = append(here, a)
		}
	}
	return here, nil
}

// CoReplied reports whether all that this chat had to do with the ticket was to
// reply to the lead, and that is done.
func (s *Service) CoReplied(ctx context.Context, t *gateway.Turn, o *Order, staff people.Staff) (bool, error) {
	here, err := s.coHere(ctx, t, o, staff)
	for _, a := range here {
		if !replied(a) {
			return false, err
		}
	}
	return len(here) > 0, err
}

// coButtons are what a co-handling desk may do now, in this chat.
func (s *Service) coButtons(ctx context.Context, t *gateway.Turn, o *Order, staff people.Staff) ([]flows.Option, error) {
	here, err := s.coHere(ctx, t, o, staff)
	if err != nil {
		return nil, err
	}
	var commands []ticket.CommandName
	for _, a := range here {
		switch {
		case replied(a) || !o.State.Held():
		case a.State == ticket.AssignmentWaiting:
			commands = []ticket.CommandName{ticket.CmdCoSign, ticket.CmdCoReply}
		case commands == nil:
			commands = []ticket.CommandName{ticket.CmdCoReply}
		}
	}
	var options []flows.Option
	for _, c := range commands {
		option, err := s.button(t, o, c)
		if err != nil {
			return nil, err
		}
		options = append(options, option)
	}
	return options, nil
}

// severalLines say on a card who else has a part in the ticket. A co-handler
// reads who leads and its own deadline; all others what the co-handlers said,
// where they may read it.
func (s *Service) severalLines(
	ctx context.Context, t *gateway.Turn, o *Order, staff people.Staff, part Part, view map[ticket.Field]ticket.Show, c *sheet,
) error {
	if view[ticket.FieldDesks] != ticket.Full || part == InformedPart {
		return nil
	}
	if part == CoPart {
		return s.coLines(ctx, t, o, staff, c)
	}
	var replies map[int64]string
	for _, a := range o.Assignments {
		if a.Role != ticket.RoleCo || a.State != ticket.AssignmentFinished && !a.EndedAt.IsZero() {
			continue
		}
		name, err := s.DeskName(ctx, t, a.Desk)
		if err != nil {
			return err
		}
		p := map[string]string{"desk": name}
		switch {
		case a.State != ticket.AssignmentFinished:
			for k, v := range s.when(a.Deadline) {
				p[k] = v
			}
			c.add("card.co_waits", p)
		case view[ticket.FieldInternal] != ticket.Full:
			c.add("card.co_done", p)
		default:
			if replies == nil {
				if replies, _, err = s.deskWords(ctx, t, o); err != nil {
					return err
				}
			}
			p["words"] = replies[a.ID]
			c.add("card.co_said", p)
		}
	}
	return nil
}

func (s *Service) coLines(ctx context.Context, t *gateway.Turn, o *Order, staff people.Staff, c *sheet) error {
	if lead, ok := o.Lead(); ok {
		name, err := s.DeskName(ctx, t, lead.Desk)
		if err != nil {
			return err
		}
		c.add("card.leads", map[string]string{"desk": name})
	}
	here, err := s.coHere(ctx, t, o, staff)
	for _, a := range here {
		if !replied(a) {
			c.add("card.co_until", s.when(a.Deadline))
			break
		}
	}
	return err
}

// deskOf is the desk that an event names.
func deskOf(e ticket.Event) ticket.Desk {
	d := ticket.Desk{Kind: ticket.DeskKind(e.Data["desk_kind"]), Code: e.Data["desk"]}
	if id, err := strconv.ParseInt(e.Data["desk_staff"], 10, 64); err == nil { // absent for a desk of several
		d.Staff = id
	}
	return d
}
