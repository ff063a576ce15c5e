package workorder

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

const (
	SealCoReply     = "assignment.reply"
	SealBasis       = "assignment.basis"
	SealSupervision = "supervision.words"
)

func (s *Service) Member(staff people.Staff, o *Order, d ticket.Desk, c people.StaffCommand, as ticket.Capacity, now time.Time) (ticket.Actor, bool) {
	by := ticket.Actor{As: as, Person: staff.PersonID, Staff: staff.ID, Desk: d}
	on := About(o)
	on.Division, on.Grid, on.Unit = "", "", d.Code
	if d.Kind == ticket.DeskNamed {
		on.Named = []int64{d.Staff}
		if d.Staff != staff.ID {
			return by, false
		}
	}
	if grid := people.GridCode(d.Code); grid.Valid() {
		on.Division, on.Grid, on.Unit = string(grid.Village()), string(grid), ""
	}
	return by, s.Rights.May(staff, c, on, now)
}

func (s *Service) Object(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, reason, basis string) (*Order, error) {
	o, err := s.Do(ctx, t, id, by, ticket.Object{Reason: reason, HasBasis: basis != ""})
	if err != nil {
		return nil, err
	}
	for _, a := range o.Assignments {
		if a.Desk.Same(by.Desk) && a.Role == ticket.RoleLead && a.Objection != "" {
			if err := t.SetAssignmentBasis(ctx, a.ID, t.Seal(SealBasis, basis)); err != nil {
				return nil, fmt.Errorf("basis: %w", err)
			}
		}
	}
	return o, nil
}

func (s *Service) CoReply(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, words string) (*Order, error) {
	o, err := s.Do(ctx, t, id, by, ticket.CoReply{HasReply: words != ""})
	if err != nil {
		return nil, err
	}
	for _, a := range o.Assignments {
		if a.Desk.Same(by.Desk) && a.Role == ticket.RoleCo {
			if err := t.SetAssignmentReply(ctx, a.ID, t.Seal(SealCoReply, words)); err != nil {
				return nil, err
			}
		}
	}
	return o, nil
}

func (s *Service) AnswerSupervision(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, n ticket.Number, words string) (*Order, error) {
	return s.Do(ctx, t, id, by, ticket.AnswerSupervision{Number: n, HasReply: words != ""})
}

func (s *Service) Supervise(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, d ticket.Desk, reason string) (*Order, error) {
	n, err := ticket.NewNumber(rand.Reader)
	if err != nil {
		return nil, err
	}
	return s.Do(ctx, t, id, by, ticket.Supervise{Number: n, Desk: d, Reason: reason})
}

func (s *Service) Merge(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, master int64) (*Order, error) {
	m, err := s.Load(ctx, t, master, true)
	if err != nil {
		return nil, err
	}
	return s.Do(ctx, t, id, by, ticket.Merge{Master: m.Ticket})
}

func (s *Service) AnswerNow(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, reply string) (*Order, error) {
	o, err := s.Do(ctx, t, id, by, ticket.AnswerNow{HasReply: reply != ""})
	if err != nil {
		return nil, err
	}
	return o, s.SetReplies(ctx, t, o, reply, "")
}
