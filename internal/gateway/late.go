package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"shaoying/flows"
	"shaoying/flows/words"
	"shaoying/internal/postgres/db"
)

// Answers that come when their question is over: the visit was cancelled meanwhile,
// the prompt ran out, or somebody thinks better of what they answered. Dialogues that
// say so (flows.Definition.Late) still get them, and what they call tells the truth.
// Nothing else does: with any other dialogue such a word is something new.

// lateWords is how many characters a late answer has at most. Longer ones tell a
// story (words.yaml, longest_inside).
const lateWords = 24

// late gives a short answer to the last question of this conversation that is over.
func (t *Turn) late(ctx context.Context, in flows.Input) (bool, error) {
	longest := t.g.Library.Late()
	if longest == 0 || in.Kind != flows.InputText || in.Text == "" || t.Group || utf8.RuneCountInString(in.Text) > lateWords {
		return false, nil
	}
	over, err := t.overPrompts(ctx, longest)
	if err != nil {
		return false, err
	}
	for _, p := range over {
		if t.lateFits(p, in) {
			return t.reopen(ctx, p, in)
		}
	}
	return false, nil
}

// overPrompts are the questions that are over and that may still be answered.
func (t *Turn) overPrompts(ctx context.Context, longest time.Duration) ([]*dialogue, error) {
	rows, err := t.LatePrompts(ctx, db.LatePromptsParams{
		Address: t.Address, Conversation: t.Conversation, Extension: t.extension, Since: t.Now.Add(-longest),
	})
	if err != nil {
		return nil, fmt.Errorf("look for questions that are over: %w", err)
	}
	var over []*dialogue
	for _, r := range rows {
		def, _, err := t.g.Library.Flow(r.Flow, 0)
		if err != nil || def.Late == 0 || r.OverAt.Add(def.Late).Before(t.Now) {
			continue // what is asked no more is not answered late
		}
		d, err := t.openDialogue(r.State, aadPrompt)
		if err != nil {
			return nil, err
		}
		d.prompt, d.extension, d.subject = r.ID, r.Extension, r.Subject
		over = append(over, d)
	}
	return over, nil
}

// lateFits reports whether a text answers a question that is over, and can hardly
// mean anything else.
func (t *Turn) lateFits(p *dialogue, in flows.Input) bool {
	switch t.choice(p, in) {
	case words.Exact:
		return true
	case words.Inside:
		_, _, other := t.intent(in)
		return !other && !t.tells(p, in.Text)
	}
	return false
}

// reopen lets a question that is over take an answer. It stays closed when another
// waits in its place: then the answer would have nowhere to be asked on.
func (t *Turn) reopen(ctx context.Context, p *dialogue, in flows.Input) (bool, error) {
	n, err := t.ReopenPrompt(ctx, t.Now.Add(t.g.Library.Late()), p.prompt)
	if err != nil {
		return false, fmt.Errorf("open a prompt again: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	return true, t.step(ctx, p, in)
}

// tappedLate gives a tap to the question that it belongs to when that one is over.
func (t *Turn) tappedLate(ctx context.Context, turn, prompt int64, n uint64) (bool, error) {
	longest := t.g.Library.Late()
	if prompt == 0 || longest == 0 {
		return false, nil
	}
	over, err := t.overPrompts(ctx, longest)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(over, func(p *dialogue) bool { return p.prompt == prompt && p.Asked == turn })
	if i < 0 {
		return false, nil
	}
	q := over[i].State.Open()
	if q == nil || n >= uint64(len(q.Options)) {
		return false, nil
	}
	return t.reopen(ctx, over[i], flows.Input{Kind: flows.InputChoice, Choice: q.Options[n].Value})
}
