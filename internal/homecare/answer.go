package homecare

import (
	"context"
	"errors"
	"fmt"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
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
	by, err := s.FamilyOf(ctx, t, ch.bed)
	if err != nil {
		return m, err
	}
	m.Bed, m.Visit, err = s.moveVisit(ctx, t, ch, v, by, c)
	if errors.As(err, &m.Refused) {
		err = nil
	}
	return m, err
}

// FamilyOf is the speaker as the household of a bed knows them: persons that were
// merged are one. A stranger stays one, and is refused by the rules.
func (s *Service) FamilyOf(ctx context.Context, t *gateway.Turn, b *Bed) (care.Actor, error) {
	by := Family(t)
	persons := []int64{b.Patient.Person}
	for _, c := range b.Carers {
		persons = append(persons, c.Person)
	}
	for _, person := range persons {
		root, err := t.RootPerson(ctx, person)
		if err != nil {
			return by, fmt.Errorf("follow a merged person: %w", err)
		}
		if root == t.Person || person == t.Person {
			by.Person = person
			break
		}
	}
	return by, nil
}
