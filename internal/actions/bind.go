package actions

import (
	"context"
	"errors"
	"fmt"

	"shaoying/bots"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
)

// bind does what a code for binding was asked for: the address that the code went
// to and the speaker's belong to one person from now on, and both are verified.
//
// The person of the number stays, the speaker's is merged into it: merged_into is
// set, and tickets, messages and addresses keep what they have (design 4). A
// member of the staff stays a person of their own, and nobody becomes one by a
// telephone in the hand: no address of theirs is believed more for it, and their
// cards never go out by SMS.
func (s *Set) bind(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	p, err := s.proof(ctx, t, args)
	if err != nil {
		return nil, err
	}
	if p.Request != requestBind {
		return fail("code.wrong"), nil
	}
	to, err := t.AddressOwner(ctx, p.SentTo)
	if err != nil {
		return nil, fmt.Errorf("load who has an address: %w", err)
	}
	root, err := t.RootPerson(ctx, to)
	if err != nil {
		return nil, fmt.Errorf("follow a merged person: %w", err)
	}
	if root != t.Person {
		staff, err := isStaff(ctx, t, root)
		if err != nil {
			return nil, err
		}
		if staff {
			return fail("code.staff"), nil
		}
		if err := s.unite(ctx, t, root); err != nil {
			return nil, err
		}
	}
	staff, err := isStaff(ctx, t, t.Person)
	if err != nil {
		return nil, err
	}
	if staff {
		if err := t.UnbindNumbers(ctx, t.Person); err != nil {
			return nil, err
		}
	}
	for _, address := range []int64{t.Address, p.SentTo} {
		if staff {
			break
		}
		if err := t.SetTrust(ctx, address, bots.TrustVerified.String()); err != nil {
			return nil, fmt.Errorf("bind an address: %w", err)
		}
	}
	if !t.Forgeable() && !staff { // the next text may be forged again
		t.Trust = bots.TrustVerified
	}
	data := map[string]any{"person": t.Person, "by": p.SentTo}
	return result{}, t.Record(ctx, "address.bound", postgres.Subject("address", t.Address), data, "")
}

// unite makes the speaker and somebody else one person.
func (s *Set) unite(ctx context.Context, t *gateway.Turn, other int64) error {
	root, merged := other, t.Person
	staff, err := isStaff(ctx, t, t.Person)
	if err != nil {
		return err
	}
	if staff {
		root, merged = merged, root
	}
	t.Person, err = s.Orders.MergePersons(ctx, t, root, merged, "")
	return err
}

func isStaff(ctx context.Context, t *gateway.Turn, person int64) (bool, error) {
	_, err := t.StaffByPerson(ctx, person)
	if errors.Is(err, postgres.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look whether somebody is on the staff: %w", err)
	}
	return true, nil
}
