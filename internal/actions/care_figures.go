package actions

import (
	"context"
	"fmt"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/tally"
)

// careFigures says the figures of family beds of this month, or of as many months
// back as the argument back says, for the clinics that the speaker may see.
func (s *Set) careFigures(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	clinics, err := t.Clinics(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the clinics: %w", err)
	}
	ids := s.Tally.CareClinics(s.Orders.Rights, who, t.Now, clinics)
	if len(ids) == 0 {
		return fail("figures.no_right"), nil
	}
	scope := tally.CareScope{Month: s.Tally.Month(t.Now, int(number(args, "back"))), Clinics: ids}
	text, err := tally.Teller{Tally: s.Tally, Texts: s.Library}.CarePage(ctx, t.Tx, scope, t.Now)
	return result{"text": text}, err
}

func careFigureActions(s *Set) map[string]gateway.Action {
	return map[string]gateway.Action{"figures.care": s.careFigures}
}

func careFigureDocs() map[string]flows.ActionDoc {
	return map[string]flows.ActionDoc{"figures.care": {Results: []string{"text"}}}
}
