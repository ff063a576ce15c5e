package care

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"shaoying/scheduler"
)

// Rules applies commands, plans visits and says what is due, under one policy.
// It is immutable and safe for concurrent use.
type Rules struct {
	policy     Policy
	programmes map[string]Programme
	work       *scheduler.WorkTime
	quiet      scheduler.Quiet

	applications Machine[ApplicationState]
	beds         Machine[BedState]
	visits       Machine[VisitState]
}

// NewRules checks the policy and the programmes, of which FamilyBed must be
// one, and returns the rules made of them.
func NewRules(p Policy, programmes []Programme, work *scheduler.WorkTime, quiet scheduler.Quiet) (*Rules, error) {
	if work == nil {
		return nil, errors.New("care rules: no working time")
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("care rules: %w", err)
	}
	r := &Rules{
		policy: p, programmes: make(map[string]Programme, len(programmes)), work: work, quiet: quiet,
		applications: Applications(), beds: Beds(), visits: Visits(),
	}
	for _, g := range programmes {
		if _, twice := r.programmes[g.Code]; twice {
			return nil, fmt.Errorf("care rules: programme %s stands twice", g.Code)
		}
		if err := g.Validate(); err != nil {
			return nil, fmt.Errorf("care rules: programme %s: %w", g.Code, err)
		}
		r.programmes[g.Code] = g
	}
	if _, ok := r.programmes[FamilyBed]; !ok {
		return nil, fmt.Errorf("care rules: programme %s is missing", FamilyBed)
	}
	return r, nil
}

// Policy returns the figures in force.
func (r *Rules) Policy() Policy { return r.policy }

// Programme returns a programme by its code.
func (r *Rules) Programme(code string) (Programme, bool) {
	p, ok := r.programmes[code]
	return p, ok
}

func (r *Rules) loc() *time.Location { return r.work.Location() }

// Programmes lists the programmes by their code.
func (r *Rules) Programmes() []Programme {
	return slices.SortedFunc(maps.Values(r.programmes), func(a, b Programme) int { return strings.Compare(a.Code, b.Code) })
}
