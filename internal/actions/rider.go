package actions

import (
	"context"
	"fmt"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
)

// enrolRider notes that a person is a rider 骑士, with name and phone sealed.
func (s *Set) enrolRider(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if t.Bound() {
		return fail("number.bound"), nil
	}
	name, phone := text(args, "name"), text(args, "phone")
	if err := t.AddRider(ctx, t.Own, text(args, "platform"), text(args, "township")); err != nil {
		return nil, fmt.Errorf("enrol a rider: %w", err)
	}
	if err := t.SetPersonKind(ctx, t.Own, string(people.KindRider)); err != nil {
		return nil, fmt.Errorf("note the kind of a person: %w", err)
	}
	if err := t.SetPersonName(ctx, t.Own, t.Seal(workorder.SealName, name)); err != nil {
		return nil, fmt.Errorf("keep a name: %w", err)
	}
	if !t.Forgeable() { // there the number itself is the one to ring
		if err := s.keepPhone(ctx, t, phone); err != nil {
			return nil, err
		}
	}
	return result{}, t.Record(ctx, "rider.enrolled", postgres.Subject("person", t.Person), nil, "")
}

// keepPhone seals a phone number, findable by its blind index.
func (s *Set) keepPhone(ctx context.Context, t *gateway.Turn, phone string) error {
	number := people.E164(phone)
	if number == "" {
		return nil
	}
	return t.KeepPhone(ctx, t.Own, number)
}
