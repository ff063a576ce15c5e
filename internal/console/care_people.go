package console

import (
	"context"
	"fmt"

	"shaoying/internal/people"
	"shaoying/internal/workorder"
)

// reached is a person of a household as a clerk writes them down: who they are and
// where they are written to, 0 for only by telephone.
type reached struct{ Person, Address int64 }

// householdPerson finds or makes a person by name and telephone number. With a
// mobile number and an account for numbers they are written to there, unless they
// only want to be rung; nothing is proven by it. Of who has no number a new person is
// made. taken are the persons that the household has already: a telephone that two
// of them share is written to once, the second is a person of their own.
func (c *Console) householdPerson(ctx context.Context, v *visit, name, written string, writes bool, taken ...int64) (r reached, err error) {
	number := people.E164(written)
	if written != "" && number == "" {
		return r, &badForm{"console.problem.phone"}
	}
	switch {
	case number == "":
	case writes && c.Phone != "" && people.Mobile(number):
		if r.Address, r.Person, err = v.ReachNumber(ctx, c.Phone, number); err != nil {
			return r, err
		}
	default:
		if r.Person, err = v.PersonByNumber(ctx, number); err != nil {
			return r, err
		}
	}
	if r.Person != 0 {
		if r.Person, err = v.RootPerson(ctx, r.Person); err != nil {
			return r, fmt.Errorf("find who has a number: %w", err)
		}
	}
	for _, other := range taken {
		if r.Person == other {
			r, number = reached{}, ""
		}
	}
	if r.Person == 0 {
		if r.Person, err = v.AddCaller(ctx, nil, nil); err != nil {
			return r, fmt.Errorf("make a person: %w", err)
		}
		if number != "" {
			if err := v.KeepPhone(ctx, r.Person, number); err != nil {
				return r, err
			}
		}
	}
	return r, c.nameOnce(ctx, v, r.Person, name)
}

// setName writes a name over what was kept.
func (c *Console) setName(ctx context.Context, v *visit, person int64, name string) error {
	if name == "" {
		return nil
	}
	if err := v.SetPersonName(ctx, person, v.Seal(workorder.SealName, name)); err != nil {
		return fmt.Errorf("keep a name: %w", err)
	}
	return nil
}
