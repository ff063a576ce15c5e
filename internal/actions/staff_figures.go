package actions

import (
	"context"
	"time"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/tally"
)

// figureActions show figures of the speaker's own area in plain text.
func (s *Set) figureActions() map[string]gateway.Action {
	return map[string]gateway.Action{
		"figures.rates": s.figures(tally.Teller.Rates),
		"figures.stars": s.figures(tally.Teller.StarsPage),
		"figures.worry": s.figures(tally.Teller.WorryPage),
	}
}

func figureDocs() map[string]flows.ActionDoc {
	docs := map[string]flows.ActionDoc{}
	for _, name := range []string{"figures.rates", "figures.stars", "figures.worry"} {
		docs[name] = flows.ActionDoc{Results: []string{"text"}}
	}
	return docs
}

// say is one page of figures.
type say func(tally.Teller, context.Context, *postgres.Tx, tally.Scope, time.Time) (string, error)

// figures says a page of this month, or of as many months back as the argument
// back says, for the widest area in which the speaker may see figures.
func (s *Set) figures(page say) gateway.Action {
	return func(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
		who, failed, err := s.worker(ctx, t)
		if err != nil || failed != nil {
			return failed, err
		}
		area, ok := tally.AreaOf(s.Orders.Rights, who, t.Now)
		if !ok {
			return fail("figures.no_right"), nil
		}
		month := s.Tally.Month(t.Now, int(number(args, "back")))
		text, err := page(tally.Teller{Tally: s.Tally, Texts: s.Library}, ctx, t.Tx, tally.Within(area, month, month), t.Now)
		return result{"text": text}, err
	}
}
