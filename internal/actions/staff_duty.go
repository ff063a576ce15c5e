package actions

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
)

// Everybody says for themselves whether they are on duty; who does it for
// others needs the right staff.duty and does it at the desk page. A substitute
// takes over what lies on the desk, so it must be a colleague who holds the
// same role next door: in a grid of the same village, or in the same unit.

// relief resolves who stands in.
func (s *Set) relief(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if _, failed, err := s.worker(ctx, t); err != nil || failed != nil {
		return result{"status": flows.StatusReject, "say": "staff.only"}, err
	}
	colleagues, err := s.reliefs(ctx, t)
	if err != nil {
		return nil, err
	}
	chosen, said := text(args, "value"), text(args, "text")
	options := []any{}
	for _, id := range slices.Sorted(maps.Keys(colleagues)) {
		name := colleagues[id]
		v := strconv.FormatInt(id, 10)
		if v == chosen || chosen == "" && name == said {
			return result{"status": flows.StatusOK, "value": map[string]any{"staff": v, "label": name}}, nil
		}
		options = append(options, option(v, name))
	}
	if len(options) == 0 {
		return result{"status": flows.StatusUnknown}, nil
	}
	return result{"status": flows.StatusAsk, "options": options[:min(len(options), maxTargets)]}, nil
}

// reliefs are the colleagues who may stand in, by id.
func (s *Set) reliefs(ctx context.Context, t *gateway.Turn) (map[int64]string, error) {
	own, err := t.GrantsOf(ctx, []int64{t.Staff})
	if err != nil {
		return nil, fmt.Errorf("load the own grants: %w", err)
	}
	found := map[int64]string{}
	for _, g := range own {
		switch people.AreaKind(g.AreaKind) {
		case people.AreaGrid:
			rows, err := t.StaffInVillage(ctx, string(people.GridCode(g.Area).Village()), []string{g.Role}, maxTasks)
			if err != nil {
				return nil, fmt.Errorf("find colleagues in the village: %w", err)
			}
			for _, r := range rows {
				if r.OnDuty {
					found[r.ID] = r.Name
				}
			}
		case people.AreaUnit:
			rows, err := t.StaffWith(ctx, []string{g.Role}, []string{g.Area})
			if err != nil {
				return nil, fmt.Errorf("find colleagues in the unit: %w", err)
			}
			for _, r := range rows {
				if r.OnDuty {
					found[r.ID] = r.Name
				}
			}
		}
	}
	delete(found, t.Staff)
	return found, nil
}

// dutyOff sends the speaker off duty; new tickets go to the substitute.
func (s *Set) dutyOff(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if _, failed, err := s.worker(ctx, t); err != nil || failed != nil {
		return failed, err
	}
	colleagues, err := s.reliefs(ctx, t)
	if err != nil {
		return nil, err
	}
	var substitute *int64
	name := ""
	if id, err := strconv.ParseInt(text(object(args, "relief"), "staff"), 10, 64); err == nil && colleagues[id] != "" {
		substitute, name = &id, colleagues[id]
	}
	if err := t.Tx.SetSubstitute(ctx, t.Staff, substitute); err != nil {
		return nil, fmt.Errorf("name a substitute: %w", err)
	}
	return result{"relief": name}, s.setDuty(ctx, t, false, substitute)
}

// dutyOn brings the speaker back.
func (s *Set) dutyOn(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	if _, failed, err := s.worker(ctx, t); err != nil || failed != nil {
		return failed, err
	}
	return result{}, s.setDuty(ctx, t, true, nil)
}

func (s *Set) setDuty(ctx context.Context, t *gateway.Turn, on bool, substitute *int64) error {
	if err := t.Tx.SetDuty(ctx, t.Staff, on); err != nil {
		return fmt.Errorf("set duty: %w", err)
	}
	data := map[string]any{"on": on}
	if substitute != nil {
		data["substitute"] = *substitute
	}
	return t.Record(ctx, "staff.duty", postgres.Subject("staff", t.Staff), data, "")
}
