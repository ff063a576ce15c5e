package actions

import (
	"context"

	"shaoying/internal/gateway"
)

// answerPrompt gives what was said to the open question that was picked.
func (s *Set) answerPrompt(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	open, err := t.Answer(ctx, text(args, "prompt"), text(args, "text"))
	if err != nil {
		return nil, err
	}
	if !open {
		return fail("prompt.over"), nil
	}
	return result{}, nil
}
