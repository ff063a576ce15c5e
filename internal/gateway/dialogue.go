package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

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
	// At is when it was asked, in product time.
	At time.Time `json:"at,omitzero"`
	// Where is the conversation in which it was asked.
	Where int64 `json:"w,omitempty"`

	// Of what waits behind a prompt: its id, the code behind our number to which
	// it is answered, and what it is about.
	prompt             int64
	extension, subject string
}

func (t *Turn) env() flows.Env {
	return flows.Env{
		Lang: t.Lang, Words: t.g.Words,
		Caps: flows.Caps{Photo: t.caps.PhotoIn, Place: t.caps.PlaceIn, Confirm: !t.caps.Paid, Group: t.Group, Paid: t.caps.Paid},
	}
}

// current opens the dialogue of the conversation, nil when it is idle.
func (t *Turn) current() (*dialogue, error) {
	if t.row.Flow == "" {
		return nil, nil
	}
	return t.openDialogue(t.row.State, aadState)
}

func (t *Turn) openDialogue(sealed []byte, aad string) (*dialogue, error) {
	plain, err := t.g.Keys.Open(sealed, aad)
	if err != nil {
		return nil, fmt.Errorf("open the state of a dialogue: %w", err)
	}
	d := &dialogue{}
	if err := json.Unmarshal(plain, d); err != nil {
		return nil, fmt.Errorf("read the state of a dialogue: %w", err)
	}
	return d, nil
}

// start begins a dialogue with what is known already. The one that was open
// is abandoned first: what it had collected is handed to its "unfinished"
// action and the number is told, so that nothing said is dropped.
func (t *Turn) start(ctx context.Context, flow string, vars map[string]any) error {
	if err := t.abandon(ctx); err != nil {
		return err
	}
	if !t.runsHere(flow) {
		return t.Say("group.private", nil)
	}
	return t.begin(ctx, flow, vars)
}

func (t *Turn) begin(ctx context.Context, flow string, vars map[string]any) error {
	return t.open(ctx, &dialogue{}, flow, vars)
}

// open begins a dialogue in d, which says where it will be kept.
func (t *Turn) open(ctx context.Context, d *dialogue, flow string, vars map[string]any) error {
	def, version, err := t.g.Library.Flow(flow, 0)
	if err != nil {
		return err
	}
	state, out, err := def.Start(version, vars, t.env())
	if err != nil {
		return fmt.Errorf("start dialogue %s: %w", flow, err)
	}
	d.State = state
	return t.play(ctx, d, out)
}

// abandon closes the conversation's open dialogue.
func (t *Turn) abandon(ctx context.Context) error {
	d, err := t.current()
	if err != nil || d == nil {
		return err
	}
	t.row.Flow, t.row.State = "", nil
	call, err := t.unfinished(d)
	if err != nil || call == nil {
		return err
	}
	kept, err := t.call(ctx, call)
	if err != nil {
		return err
	}
	if number, ok := kept["number"].(string); ok && number != "" {
		return t.Say("dialogue.kept", map[string]string{"number": number})
	}
	return nil
}

// unfinished is the action that keeps what a dialogue had collected, nil when
// there is nothing to keep.
func (t *Turn) unfinished(d *dialogue) (*flows.Call, error) {
	def, _, err := t.g.Library.Flow(d.State.Flow, d.State.Version)
	if err != nil {
		return nil, err
	}
	return def.Abandon(d.State), nil
}

// step gives the open dialogue its next input and does what follows from it.
func (t *Turn) step(ctx context.Context, d *dialogue, in flows.Input) error {
	out, err := t.advance(d, in)
	if err != nil {
		return err
	}
	return t.play(ctx, d, out)
}

// advance steps the definition that the state names now.
func (t *Turn) advance(d *dialogue, in flows.Input) (flows.Output, error) {
	def, _, err := t.g.Library.Flow(d.State.Flow, d.State.Version)
	if err != nil {
		return flows.Output{}, err
	}
	state, out, err := def.Step(d.State, in, t.env())
	if err != nil {
		return flows.Output{}, fmt.Errorf("step dialogue %s: %w", d.State.Flow, err)
	}
	d.State = state
	return out, nil
}

// play queues what the dialogue says and runs what it calls, one action at a
// time on this transaction, until it waits for an answer or ends. An action
// that fails undoes the whole turn.
func (t *Turn) play(ctx context.Context, d *dialogue, out flows.Output) error {
	t.dialog = d
	if d.prompt != 0 {
		t.PromptSubject = d.subject
	}
	for calls := 0; ; calls++ {
		for _, s := range out.Says {
			if err := t.sayFlow(s); err != nil {
				return err
			}
			if s.Question {
				d.Asked, d.At, d.Where = t.row.Turn, t.Now, t.Conversation
			}
		}
		if out.Call == nil {
			return t.rest(ctx, d, out)
		}
		if calls == maxCalls {
			return fmt.Errorf("dialogue %s called more than %d actions in one turn", d.State.Flow, maxCalls)
		}
		result, err := t.answer(ctx, d, out.Call)
		if err != nil {
			return err
		}
		if out, err = t.advance(d, flows.Input{Kind: flows.InputResult, Result: result}); err != nil {
			return err
		}
	}
}

// answer does what the dialogue called. Entering a sub-dialogue needs only
// the version in force, leaving it needs nothing.
func (t *Turn) answer(ctx context.Context, d *dialogue, c *flows.Call) (map[string]any, error) {
	switch c.Action {
	case flows.ActionEnter:
		_, version, err := t.g.Library.Flow(d.State.Flow, 0)
		return map[string]any{"version": version}, err
	case flows.ActionReturn:
		return nil, nil
	}
	return t.call(ctx, c)
}

// rest keeps the dialogue that waits now, or closes the one that ended.
func (t *Turn) rest(ctx context.Context, d *dialogue, out flows.Output) error {
	if d.prompt != 0 {
		return t.restPrompt(ctx, d, out)
	}
	if out.Ended {
		t.row.Flow, t.row.State = "", nil
		if after := t.after; after != nil {
			t.after = nil
			return after(ctx)
		}
		return nil
	}
	t.row.Flow = outermost(d.State)
	var err error
	t.row.State, err = t.sealDialogue(d, aadState)
	return err
}

// outermost names the dialogue that was started, below all that it called.
func outermost(s flows.State) string {
	if len(s.Stack) > 0 {
		return s.Stack[0].Flow
	}
	return s.Flow
}

func (t *Turn) sealDialogue(d *dialogue, aad string) ([]byte, error) {
	plain, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("pack the state of a dialogue: %w", err)
	}
	return t.g.Keys.Seal(plain, aad), nil
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
