package homecare

import (
	"context"
	"fmt"
	"slices"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
)

// Change is one difference that other rules would make to what is due.
type Change struct {
	Subject, Kind, Rung string
	At                  time.Time
	// Person is whom it is for, 0 for staff.
	Person int64
}

// Difference is what would be cleared and planned if other rules were in force. What
// would move stands in both.
type Difference struct {
	Clear, Add []Change
}

// dryChunk is how many beds are looked at in one go.
const dryChunk = 200

// RulesWith are the rules in force with one file changed: configs/policies/care.yaml,
// or a programme of configs/programmes, told apart by what stands in it.
func (s *Service) RulesWith(name string, body []byte) (*care.Rules, error) {
	policy := s.Rules.Policy()
	programmes, err := care.Programmes()
	if err != nil {
		return nil, err
	}
	changed, errProgramme := care.ParseProgramme(name, body)
	if errProgramme != nil {
		p, errPolicy := care.ParsePolicy(name, body)
		if errPolicy != nil {
			return nil, fmt.Errorf("neither a programme (%w) nor the policy of family beds (%w)", errProgramme, errPolicy)
		}
		policy = p
	}
	for i, p := range programmes {
		if p.Code == changed.Code {
			programmes[i] = changed
			changed.Code = ""
		}
	}
	if errProgramme == nil && changed.Code != "" {
		programmes = append(programmes, changed)
	}
	return care.NewRules(policy, programmes, s.Orders.Work, s.Quiet)
}

// DryRun says what other rules would change around every bed that is under way, and
// changes nothing. Visits stay where they are: where another policy would place new
// ones is seen when it is in force. What was said already is not said again.
func (s *Service) DryRun(ctx context.Context, tx *postgres.Tx, rules *care.Rules) (Difference, error) {
	now, err := tx.ProductNow(ctx)
	if err != nil {
		return Difference{}, fmt.Errorf("read the clock: %w", err)
	}
	t := &gateway.Turn{Tx: tx, Now: now}
	other := &Service{Rules: rules, Orders: s.Orders, Quiet: s.Quiet}
	var d Difference
	for after := int64(0); ; {
		ids, err := tx.BedsToPlan(ctx, after, dryChunk)
		if err != nil {
			return d, fmt.Errorf("look which beds there are: %w", err)
		}
		if len(ids) == 0 {
			for _, list := range [][]Change{d.Clear, d.Add} {
				slices.SortStableFunc(list, func(a, b Change) int { return a.At.Compare(b.At) })
			}
			return d, nil
		}
		beds, err := tx.LoadBeds(ctx, ids, false)
		if err != nil {
			return d, err
		}
		changes, err := s.withVisits(ctx, t, beds)
		if err != nil {
			return d, err
		}
		was, err := s.wanted(ctx, t, changes)
		if err != nil {
			return d, err
		}
		is, err := other.wanted(ctx, t, changes)
		if err != nil {
			return d, err
		}
		if err := d.add(ctx, tx, was, is); err != nil {
			return d, err
		}
		after = ids[len(ids)-1]
	}
}

// wanted is what the rules of s call for around some beds.
func (s *Service) wanted(ctx context.Context, t *gateway.Turn, changes []*change) ([]care.Due, error) {
	occasions, err := s.occasions(ctx, t, changes)
	if err != nil {
		return nil, err
	}
	var all []care.Due
	for _, o := range occasions {
		for _, d := range s.Rules.Ladder(o, t.Now) {
			if d.Sends() {
				all = append(all, s.rowed(d))
			}
		}
	}
	return all, nil
}

func (d *Difference) add(ctx context.Context, tx *postgres.Tx, was, is []care.Due) error {
	clear, add := care.Reconcile(was, is)
	var subjects []string
	for _, c := range append(append([]care.Due{}, clear...), add...) {
		subjects = append(subjects, c.Subject)
	}
	have, err := tx.CareDues(ctx, subjects, Kinds())
	if err != nil {
		return fmt.Errorf("read what was due: %w", err)
	}
	type id struct{ kind, subject, key string }
	over := map[id]bool{}
	for _, h := range have {
		over[id{h.Kind, h.Subject, h.Key}] = h.State != "planned" && h.State != "suppressed"
	}
	list := func(into *[]Change, dues []care.Due) {
		for _, c := range dues {
			if !over[id{c.Kind, c.Subject, c.Key}] {
				*into = append(*into, Change{Subject: c.Subject, Kind: c.Kind, Rung: rungOf(c.Key), At: c.At, Person: c.To.Person})
			}
		}
	}
	list(&d.Clear, clear)
	list(&d.Add, add)
	return nil
}
