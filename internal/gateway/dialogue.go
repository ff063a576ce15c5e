package gateway

import (
	"context"
	"encoding/json"
	"fmt"

	"shaoying/bots"
	"shaoying/flows"
)

// maxCalls is how many actions one turn may run (design 4).
const maxCalls = 50

// dialogue is a running dialogue as a conversation or a prompt keeps it.
type dialogue struct {
	State flows.State `json:"s"`
	// Asked is the conversation's turn in which the open question was asked;
	// buttons and clocks of other turns are stale.
	Asked int64 `json:"q"`

	prompt int64
	def    *flows.Definition
}

func (t *Turn) env() flows.Env {
	return flows.Env{
		Lang: t.Lang, Words: t.g.Words,
		Caps: flows.Caps{Photo: t.caps.PhotoIn, Place: t.caps.PlaceIn, Confirm: !t.caps.Paid},
	}
}

// current opens the dialogue of the conversation, nil when it is idle.
func (t *Turn) current() (*dialogue, error) {
	if t.row.Flow == "" {
		return nil, nil
	}
	return t.openDialogue(t.row.State, aadState, 0)
}

// prompted opens the dialogue that waits behind the open prompt, nil when
// there is none.
func (t *Turn) prompted() (*dialogue, error) {
	if t.row.PromptID == 0 {
		return nil, nil
	}
	return t.openDialogue(t.row.PromptState, aadPrompt, t.row.PromptID)
}

func (t *Turn) openDialogue(sealed []byte, aad string, prompt int64) (*dialogue, error) {
	plain, err := t.g.Keys.Open(sealed, aad)
	if err != nil {
		return nil, fmt.Errorf("open the state of a dialogue: %w", err)
	}
	d := &dialogue{prompt: prompt}
	if err := json.Unmarshal(plain, d); err != nil {
		return nil, fmt.Errorf("read the state of a dialogue: %w", err)
	}
	if d.def, _, err = t.g.Library.Flow(d.State.Flow, d.State.Version); err != nil {
		return nil, err
	}
	return d, nil
}

// start begins a dialogue with what is known already. The one that was open
// is abandoned first: what it had collected is handed to its "unfinished"
// action, so that nothing said is dropped.
func (t *Turn) start(ctx context.Context, flow string, vars map[string]any) error {
	if err := t.abandon(ctx); err != nil {
		return err
	}
	return t.begin(ctx, flow, vars)
}

func (t *Turn) begin(ctx context.Context, flow string, vars map[string]any) error {
	def, version, err := t.g.Library.Flow(flow, 0)
	if err != nil {
		return err
	}
	t.dialog = &dialogue{def: def}
	state, out, err := def.Start(version, vars, t.env())
	if err != nil {
		return fmt.Errorf("start dialogue %s: %w", flow, err)
	}
	t.dialog.State = state
	return t.follow(ctx, out)
}

// abandon closes the conversation's open dialogue.
func (t *Turn) abandon(ctx context.Context) error {
	d, err := t.current()
	if err != nil || d == nil {
		return err
	}
	t.row.Flow, t.row.State = "", nil
	call := d.def.Abandon(d.State)
	if call == nil {
		return nil
	}
	if _, err := t.call(ctx, call); err != nil {
		return err
	}
	return nil
}

// step gives the open dialogue its next input and does what follows from it.
func (t *Turn) step(ctx context.Context, d *dialogue, in flows.Input) error {
	t.dialog = d
	state, out, err := d.def.Step(d.State, in, t.env())
	if err != nil {
		return fmt.Errorf("step dialogue %s: %w", d.State.Flow, err)
	}
	d.State = state
	return t.follow(ctx, out)
}

// follow queues what the dialogue says and runs what it calls, one call at a
// time, until it waits for an answer or ends.
func (t *Turn) follow(ctx context.Context, out flows.Output) error {
	d := t.dialog
	for n := 0; ; n++ {
		for _, s := range out.Says {
			if err := t.sayFlow(s); err != nil {
				return err
			}
		}
		if out.Call == nil {
			return t.rest(ctx, d, out)
		}
		if n == maxCalls {
			return fmt.Errorf("dialogue %s called more than %d actions in one turn", d.State.Flow, maxCalls)
		}
		result, err := t.answer(ctx, d, out.Call)
		if err != nil {
			return err
		}
		if d.State, out, err = d.def.Step(d.State, flows.Input{Kind: flows.InputResult, Result: result}, t.env()); err != nil {
			return fmt.Errorf("go on with dialogue %s: %w", d.State.Flow, err)
		}
	}
}

// rest keeps the dialogue that waits now, or closes the one that ended.
func (t *Turn) rest(ctx context.Context, d *dialogue, out flows.Output) error {
	if d.prompt != 0 {
		return t.restPrompt(ctx, d, out)
	}
	if out.Ended {
		t.row.Flow, t.row.State = "", nil
		return nil
	}
	for _, s := range out.Says {
		if s.Question {
			d.Asked = t.row.Turn
		}
	}
	t.row.Flow = d.State.Flow
	var err error
	t.row.State, err = t.sealDialogue(d, aadState)
	return err
}

func (t *Turn) sealDialogue(d *dialogue, aad string) ([]byte, error) {
	plain, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("pack the state of a dialogue: %w", err)
	}
	return t.g.Keys.Seal(plain, aad), nil
}

// answer runs what the dialogue called. Entering and leaving a sub-dialogue
// need no action, only the definition that goes on.
func (t *Turn) answer(ctx context.Context, d *dialogue, c *flows.Call) (result map[string]any, err error) {
	var version int
	switch c.Action {
	case flows.ActionEnter:
		if d.def, version, err = t.g.Library.Flow(d.State.Flow, 0); err != nil {
			return nil, err
		}
		return map[string]any{"version": version}, nil
	case flows.ActionReturn:
		d.def, _, err = t.g.Library.Flow(d.State.Flow, d.State.Version)
		return nil, err
	}
	return t.call(ctx, c)
}

func (t *Turn) call(ctx context.Context, c *flows.Call) (map[string]any, error) {
	action := t.g.Actions[c.Action]
	if action == nil {
		return nil, fmt.Errorf("no action is called %q", c.Action)
	}
	result, err := action(ctx, t, c.Args)
	if err != nil {
		return nil, fmt.Errorf("action %s: %w", c.Action, err)
	}
	return result, nil
}

func (t *Turn) sayFlow(s flows.Say) error {
	return t.queue("flow:"+s.Flow, s.Key, s.Version, saidParams{Params: s.Params, Options: s.Options}, s)
}

// input makes what the dialogue sees of an event.
func (t *Turn) input(ev bots.Event, photos []string) flows.Input {
	in := flows.Input{Kind: flows.InputText, Text: clip(ev.Text, t.g.cfg.MaxText)}
	switch ev.Kind {
	case bots.KindPhoto:
		in.Kind, in.Photos = flows.InputPhoto, photos
	case bots.KindPlace:
		in.Kind, in.Place = flows.InputPlace, ev.Place
	}
	return in
}
