package actions

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"shaoying/internal/gateway"
)

// SurveyVisit is the kind of survey that asks about a visit.
const SurveyVisit = "visit"

// rateVisit keeps how a visit was: 5 is best. It counts at once, so that somebody
// rings about a low answer though the family says no more; low says that it is one.
func (s *Set) rateVisit(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	visit, err := promptedVisit(t)
	if err != nil {
		return nil, err
	}
	policy := s.Care.Rules.Policy().Survey
	n, err := strconv.Atoi(text(args, "rating"))
	if err != nil || n < 1 || n > policy.Scale {
		return nil, fmt.Errorf("%q is no answer to a survey", text(args, "rating"))
	}
	if _, err := t.AnswerCareSurvey(ctx, SurveyVisit, t.PromptSubject, strconv.Itoa(n)); err != nil {
		return nil, fmt.Errorf("keep the answer to a survey: %w", err)
	}
	return result{"low": n <= policy.Lowest}, s.Care.Resync(ctx, t, visit)
}

// rateWhy keeps what was not good. The answer counts without it.
func (s *Set) rateWhy(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if _, err := promptedVisit(t); err != nil {
		return nil, err
	}
	return result{}, t.Record(ctx, "visit.rated_low", t.PromptSubject, map[string]any{"why": text(args, "why")}, "")
}

// promptedVisit is the visit that the open prompt is about.
func promptedVisit(t *gateway.Turn) (int64, error) {
	id, ok := strings.CutPrefix(t.PromptSubject, "visit:")
	n, err := strconv.ParseInt(id, 10, 64)
	if !ok || err != nil {
		return 0, fmt.Errorf("the prompt is about %q, no visit", t.PromptSubject)
	}
	return n, nil
}
