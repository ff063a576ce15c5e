package jobs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"shaoying/internal/gateway"
)

// What is due at one moment for one person is one message: two visits that were
// given to another nurse, or a bed that is opened with its first visits.

// tellOne is one thing to be told, as text and values; row orders it among others.
type tellOne struct {
	row    int64
	key    string
	values map[string]string
}

// gatherTells ends the other rows that are due for the same person and returns what
// they say, in their order. What has lost its reason, or waits, is left out.
func (d Deps) gatherTells(ctx context.Context, t *gateway.Turn, due gateway.Due) ([]tellOne, error) {
	rows, err := t.GatherCare(ctx, &due.Person, due.Kind, due.ID)
	if err != nil {
		return nil, fmt.Errorf("gather what else is due for a person: %w", err)
	}
	var more []tellOne
	for _, r := range rows {
		other := gateway.DueOf(r)
		one, out, err := d.tellOf(ctx, t, other)
		if err != nil {
			return nil, err
		}
		if one != nil {
			more, out = append(more, *one), gateway.Outcome{State: gateway.Done.State, Reason: toldWith(due.ID)}
		}
		if err := t.EndGathered(ctx, other, out); err != nil {
			return nil, err
		}
	}
	return more, nil
}

// tellOf is what a row says now; nil when it says nothing, and out what becomes of
// it.
func (d Deps) tellOf(ctx context.Context, t *gateway.Turn, due gateway.Due) (*tellOne, gateway.Outcome, error) {
	what, out, err := d.stillDue(ctx, t, due)
	if what == nil {
		return nil, out, err
	}
	if stopped, err := d.silent(ctx, t.Tx, due); err != nil || stopped {
		return nil, gateway.Dropped(whySilent), err
	}
	values, err := d.Care.ValuesOf(ctx, t, what)
	if err != nil {
		return nil, out, err
	}
	if err := d.Care.Told(ctx, t, what, false); err != nil {
		return nil, out, err
	}
	return &tellOne{row: due.ID, key: what.Key(), values: values}, out, nil
}

// sayAll says one thing, or several as the lines of one message.
func (d Deps) sayAll(t *gateway.Turn, due gateway.Due, all []tellOne) error {
	if len(all) == 1 {
		return t.Tell(due.Kind, due.Subject, due.Version, all[0].key, all[0].values)
	}
	slices.SortFunc(all, func(a, b tellOne) int { return cmp.Compare(a.row, b.row) })
	lines := make([]string, len(all))
	for i, one := range all {
		text, err := t.Text(one.key, one.values)
		if err != nil {
			return fmt.Errorf("write %s: %w", one.key, err)
		}
		lines[i] = text
	}
	return t.Tell(due.Kind, due.Subject, due.Version, "care.many", map[string]string{"lines": strings.Join(lines, "\n")})
}
