package homecare

import (
	"context"
	"errors"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/scheduler"
)

// Met is what an answer of the family met: how the visit that was asked about
// stands, and bed and visit as they are after the answer.
type Met struct {
	care.Standing
	Bed   *Bed
	Visit care.Visit
	// Refused is why a command did not become one though the question stands.
	Refused *care.Refused
}

// Answer measures what the family answers about a version of a visit under the
// lock of its bed, and runs it when the question still stands. Without a command
// it only looks. Nothing but a live question lets an answer change anything.
func (s *Service) Answer(ctx context.Context, t *gateway.Turn, a Asked, c care.VisitCommand) (Met, error) {
	ch, v, err := s.lockVisit(ctx, t, a.Visit)
	if err != nil {
		return Met{}, err
	}
	m := Met{Standing: s.Rules.Reply(ch.bed.Bed, *v, a.Version, t.Now), Bed: ch.bed, Visit: *v}
	if m.Standing != care.Live || c == nil {
		return m, nil
	}
	if to, ok := c.(care.Move); ok {
		load, err := s.loadOf(ctx, t, []int64{v.Staff})
		if err != nil {
			return m, err
		}
		to.Free = s.Rules.Free(ch.bed.Bed, *v, ch.list(), care.Offer{Date: to.Date, Window: to.Window}, load, t.Now)
		c = to
	}
	by, ok, err := s.Member(ctx, t, ch.bed)
	if err != nil {
		return m, err
	}
	if !ok {
		by = Family(t) // refused by the rules
	}
	m.Bed, m.Visit, err = s.moveVisit(ctx, t, ch, v, by, c)
	if errors.As(err, &m.Refused) {
		err = nil
	}
	return m, err
}

// Lay lays something that no ladder knows of before a role at a bed's clinic, or
// before one of the staff: kind TaskKind(what), with the words of the family.
func (s *Service) Lay(ctx context.Context, t *gateway.Turn, b *Bed, what string, to care.Recipient, class scheduler.Class, words string, until time.Time) error {
	r := &Rung{Due: Due{Programme: care.FamilyBed, Rung: what, Role: to.Role, Staff: to.Staff, Class: class}, Subject: BedSubject(b.ID), Bed: b, Words: words}
	return s.LayTask(ctx, t, r, &until)
}
