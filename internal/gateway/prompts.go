package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// Where codes can be set behind our number, each open prompt of an address has
// one of its own, and an answer finds its question by it. Elsewhere an address
// has one prompt at a time, without a code.

// promptsAt is how many prompts may be open at one address.
func promptsAt(caps bots.Caps) int { return max(caps.Extensions, 1) }

// freeExtension finds the code of the next prompt of an address, "" where there
// are no codes.
func freeExtension(ctx context.Context, tx *postgres.Tx, caps bots.Caps, address int64) (string, error) {
	if err := tx.CloseLatePrompts(ctx, address); err != nil {
		return "", fmt.Errorf("close late prompts: %w", err)
	}
	if caps.Extensions == 0 {
		return "", nil
	}
	code, err := tx.FreeExtension(ctx, int32(caps.Extensions), address)
	if err != nil {
		return "", fmt.Errorf("find a free extension code: %w", err)
	}
	return code, nil
}

// Extension is the code behind our number to which the speaker wrote, "" for none.
func (t *Turn) Extension() string { return t.extension }

// prompts opens the dialogues that wait behind the open prompts of this
// conversation, oldest first. Only where there may be several they are looked
// for; the one elsewhere was read with the conversation.
func (t *Turn) prompts(ctx context.Context) ([]*dialogue, error) {
	if t.waiting != nil {
		return t.waiting, nil
	}
	var rows []db.PromptsOfRow
	switch {
	case t.caps.Extensions > 0:
		var err error
		if rows, err = t.PromptsOf(ctx, t.Address, t.Conversation); err != nil {
			return nil, fmt.Errorf("look for open prompts: %w", err)
		}
	case t.row.PromptID != 0:
		rows = []db.PromptsOfRow{{ID: t.row.PromptID, State: t.row.PromptState, Subject: t.row.PromptSubject}}
	}
	t.waiting = make([]*dialogue, len(rows))
	for i, r := range rows {
		d, err := t.openDialogue(r.State, aadPrompt)
		if err != nil {
			return nil, err
		}
		d.prompt, d.extension, d.subject = r.ID, r.Extension, r.Subject
		t.waiting[i] = d
	}
	return t.waiting, nil
}

// prompt opens the dialogue behind one of the open prompts, nil when that one is
// not open.
func (t *Turn) prompt(ctx context.Context, id int64) (*dialogue, error) {
	open, err := t.prompts(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range open {
		if p.prompt == id {
			return p, nil
		}
	}
	return nil, nil
}

// Join closes the open prompts of a dialogue in this conversation that nobody has
// begun to answer, and returns what each of them was started with: the question
// that is about to be asked asks for them too.
func (t *Turn) Join(ctx context.Context, flow string) ([]map[string]any, error) {
	open, err := t.prompts(ctx)
	if err != nil {
		return nil, err
	}
	var joined []map[string]any
	k := Kind{Replaces: flow}
	for _, p := range open {
		if !k.replaces(p) {
			continue
		}
		if err := t.ClosePrompt(ctx, p.prompt, "joined"); err != nil {
			return nil, fmt.Errorf("close a prompt: %w", err)
		}
		joined = append(joined, p.State.Vars())
	}
	t.waiting, t.row.PromptID = slices.DeleteFunc(slices.Clone(open), k.replaces), 0
	return joined, nil
}

// over is what the question was about to which the code of the event belonged
// that is open no more; "" where the event came without a code, with an open one,
// or with one that nobody was ever given.
func (t *Turn) over(ctx context.Context, open []*dialogue) (string, error) {
	if t.extension == "" || t.named(open) != nil {
		return "", nil
	}
	subject, err := t.LastUnder(ctx, t.Address, t.extension)
	if err != nil && !errors.Is(err, postgres.ErrNoRows) {
		return "", fmt.Errorf("look what a code stood for: %w", err)
	}
	return subject, nil
}
