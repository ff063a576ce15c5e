package actions

import (
	"context"
	"fmt"

	"shaoying/flows"
	"shaoying/flows/words"
	"shaoying/internal/gateway"
)

// advice is what to do first in a danger, in the words of
// configs/safety.yaml, which stand beside the rule that raised it.
func (s *Set) advice(_ context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	texts, ok := s.Safety.Texts()[words.Hit{Code: text(args, "code")}.Key()]
	if !ok {
		return nil, fmt.Errorf("no rule of configs/safety.yaml is called %q", text(args, "code"))
	}
	return result{"text": flows.Text(texts).In(t.Lang)}, nil
}
