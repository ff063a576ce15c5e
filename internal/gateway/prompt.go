package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"shaoying/flows"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// Ask is a push that waits for an answer: a dialogue of kind "push" started
// by a due thing. Its state lives in the prompt row, not in the conversation,
// so that a resident may first report something else and answer later.
type Ask struct {
	Flow string
	Vars map[string]any
	// Subject and Version are read again before the text goes out and when
	// the answer comes; Reason names the late-binding check.
	Reason, Subject string
	Version         int32
	// Until is when an answer is no longer expected.
	Until time.Time
}

// Ask opens a prompt in this conversation and queues its first question. Only
// a due kind with Opens set may call it.
func (t *Turn) Ask(ctx context.Context, due Due, a Ask) error {
	d := &dialogue{Asked: t.row.Turn, subject: a.Subject}
	sealed, codes, err := t.promptState(d)
	if err != nil {
		return err
	}
	if d.extension, err = freeExtension(ctx, t.Tx, t.caps, t.Address); err != nil {
		return err
	}
	d.prompt, err = t.OpenPrompt(ctx, db.OpenPromptParams{
		AddressID: t.Address, ConversationID: t.Conversation, DueID: due.ID, Flow: a.Flow, State: sealed, Codes: codes,
		Subject: a.Subject, SubjectVersion: a.Version, OpenUntil: a.Until, Extension: d.extension,
	})
	if err != nil {
		return fmt.Errorf("open a prompt: %w", err)
	}
	t.push = &pushing{reason: a.Reason, subject: a.Subject, version: a.Version}
	return t.open(ctx, d, a.Flow, a.Vars)
}

// Tell queues a text as a push: nothing is expected back.
func (t *Turn) Tell(reason, subject string, version int32, key string, params map[string]string, options ...flows.Option) error {
	return t.TellPhoto(reason, subject, version, key, params, "", options...)
}

// TellPhoto is Tell with a stored photo, "" for none.
func (t *Turn) TellPhoto(reason, subject string, version int32, key string, params map[string]string, blob string, options ...flows.Option) error {
	t.push = &pushing{reason: reason, subject: subject, version: version}
	return t.sayPhoto(key, params, blob, options)
}

// restPrompt keeps or closes the dialogue behind a prompt.
func (t *Turn) restPrompt(ctx context.Context, d *dialogue, out flows.Output) error {
	if out.Ended {
		if err := t.ClosePrompt(ctx, d.prompt, "answered"); err != nil {
			return fmt.Errorf("close a prompt: %w", err)
		}
		return nil
	}
	sealed, codes, err := t.promptState(d)
	if err != nil {
		return err
	}
	if err := t.KeepPrompt(ctx, d.prompt, sealed, codes); err != nil {
		return fmt.Errorf("keep a prompt: %w", err)
	}
	return nil
}

// promptState seals the dialogue and writes down what each answer code of its
// open question means: number -> value. The meaning of "1" is a fact of the
// prompt, not of the program.
func (t *Turn) promptState(d *dialogue) (sealed []byte, codes json.RawMessage, err error) {
	if sealed, err = t.sealDialogue(d, aadPrompt); err != nil {
		return nil, nil, err
	}
	meaning := map[int]string{}
	if q := d.State.Open(); q != nil {
		for i, o := range q.Options {
			meaning[i+1] = o.Value
		}
	}
	if codes, err = json.Marshal(meaning); err != nil {
		return nil, nil, fmt.Errorf("pack answer codes: %w", err)
	}
	return sealed, codes, nil
}

// The due kinds that watch over an open question. Their clocks start when the
// question was really sent: the sender writes these rows when it marks it.
const (
	KindNudge  = "flow.nudge"
	KindExpire = "flow.expire"
)

// questionDue is the data of such a row.
type questionDue struct {
	Turn   int64 `json:"turn"`
	Prompt int64 `json:"prompt"`
}

// QuestionKinds are the two kinds that the gateway itself brings.
func QuestionKinds() []Kind {
	run := func(kind flows.InputKind) func(context.Context, *Turn, Due) (Outcome, error) {
		return func(ctx context.Context, t *Turn, due Due) (Outcome, error) {
			var q questionDue
			if err := unpack(due, &q); err != nil {
				return Outcome{}, err
			}
			return t.questionOver(ctx, kind, q)
		}
	}
	target := func(ctx context.Context, _ *postgres.DB, due Due) (int64, error) {
		return due.SubjectID("conversation")
	}
	return []Kind{
		{Name: KindNudge, Workers: 2, Class: "normal", Target: target, Run: run(flows.InputNudge)},
		{Name: KindExpire, Workers: 2, Target: target, Run: run(flows.InputExpire)},
	}
}

// questionOver tells a dialogue that its question waited long enough.
func (t *Turn) questionOver(ctx context.Context, kind flows.InputKind, q questionDue) (Outcome, error) {
	d, err := t.current()
	if q.Prompt != 0 {
		if d, err = t.prompt(ctx, q.Prompt); d == nil && err == nil {
			return Dropped("the prompt is closed"), nil
		}
	}
	if err != nil {
		return Outcome{}, err
	}
	if d == nil || d.Asked != q.Turn || d.State.Open() == nil {
		return Dropped("the question was answered"), nil
	}
	if err := t.stepAside(ctx); err != nil {
		return Outcome{}, err
	}
	if err := t.step(ctx, d, flows.Input{Kind: kind, Turn: d.State.Open().Turn}); err != nil {
		return Outcome{}, err
	}
	return Done, nil
}

// stepAside sends what a question that ran out in a group leaves to say to the
// member's private chat, where there is one: nobody is written to in a group.
func (t *Turn) stepAside(ctx context.Context) error {
	if !t.Group {
		return nil
	}
	t.muted = true
	id, err := t.ConversationOfAddress(ctx, t.Address)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the private chat of a member: %w", err)
	}
	c, err := t.Tx.Conversation(ctx, id)
	if err != nil {
		return fmt.Errorf("load the private chat of a member: %w", err)
	}
	t.aside = &c
	return nil
}
