package gateway

import (
	"context"
	"fmt"
	"strings"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/flows/words"
)

// route finds what an event means and does it. The order is that of design 4
// and is the promise "danger first, and a word is a command only alone".
func (t *Turn) route(ctx context.Context, ev bots.Event) error {
	switch ev.Kind {
	case bots.KindJoin:
		return t.start(ctx, t.home(), nil)
	case bots.KindLeave:
		return t.SetAddressState(ctx, t.Address, "gone")
	case bots.KindChoice:
		return t.tapped(ctx, ev)
	case bots.KindVoice:
		return t.voice(ctx, ev)
	case bots.KindOther:
		return t.Say("message.unreadable", nil)
	}
	photos, err := t.keepFiles(ctx, ev)
	if err != nil {
		return err
	}
	return t.understand(ctx, t.input(ev, photos))
}

// home is the dialogue that greets and shows what can be done.
func (t *Turn) home() string {
	if t.AtWork() {
		return flowStaffDefault
	}
	return flowDefault
}

// understand routes words, a photo or a position.
func (t *Turn) understand(ctx context.Context, in flows.Input) error {
	global, isGlobal := t.g.Words.Global(in.Text)
	if isGlobal && global == flowStop {
		return t.start(ctx, flowStop, nil)
	}
	if done, err := t.danger(ctx, in); done || err != nil {
		return err
	}
	if done, err := t.worse(ctx, in); done || err != nil {
		return err
	}
	d, err := t.current()
	if err != nil {
		return err
	}
	open, err := t.prompts(ctx)
	if err != nil {
		return err
	}
	if leaves, err := t.leavesWhich(ctx, d, open, in); err != nil {
		return err
	} else if leaves {
		t.row.Flow, t.row.State, d = "", nil, nil
	}
	if done, err := t.answerPrompt(ctx, d, open, in); done || err != nil {
		return err
	}
	switch {
	case d != nil && (!isGlobal || t.fits(d, in)) && (!t.command(in) || t.chooses(d, in)):
		return t.step(ctx, d, in)
	case isGlobal:
		return t.global(ctx, global, d)
	}
	if flow, vars, ok := t.intent(in); ok {
		return t.start(ctx, flow, vars)
	}
	if d == nil {
		if p := t.wordsFor(open); p != nil {
			return t.step(ctx, p, in)
		}
	}
	return t.start(ctx, t.home(), startVars(in))
}

// fits reports whether in answers the open question by one of its options:
// such a word is an answer even when it is also a command.
func (t *Turn) fits(d *dialogue, in flows.Input) bool {
	if q := d.State.Open(); q != nil && in.Kind != flows.InputText {
		return q.Accepts(flows.Accept(in.Kind))
	}
	return t.choice(d, in) != words.None
}

// chooses reports whether in is one of the options of the open question, word
// for word: 联系了 is then an answer, though 联系 is a command.
func (t *Turn) chooses(d *dialogue, in flows.Input) bool { return t.choice(d, in) == words.Exact }

// choice tells how plainly a text names an option of the open question.
func (t *Turn) choice(d *dialogue, in flows.Input) words.Found {
	q := d.State.Open()
	if q == nil || in.Kind != flows.InputText {
		return words.None
	}
	_, found := t.g.Words.Choose(in.Text, optionsOf(q))
	return found
}

func optionsOf(q *flows.Question) []words.Option {
	options := make([]words.Option, len(q.Options))
	for i, o := range q.Options {
		options[i] = words.Option{Value: o.Value, Label: o.Label, Words: o.Words}
	}
	return options
}

// command reports whether a member of the staff typed a command. It stands
// above the question that is open (接 3 while a reply was asked for).
func (t *Turn) command(in flows.Input) bool {
	if t.Staff == 0 || in.Kind != flows.InputText {
		return false
	}
	_, _, ok := t.staffIntent(in.Text)
	return ok
}

// danger looks for danger words in every message (design 4). Two cases pass:
// the answer inside a danger dialogue, which has said what to do already, and
// the typed command or report of a member of the staff at work.
func (t *Turn) danger(ctx context.Context, in flows.Input) (bool, error) {
	hit, ok := t.dangerIn(in)
	if !ok {
		return false, nil
	}
	t.g.Metrics.danger(hit.Code)
	vars := startVars(in)
	if err := t.carry(vars); err != nil {
		return true, err
	}
	vars["danger"], vars["numbers"], vars["matter_code"] = hit.Code, strings.Join(hit.Numbers, "、"), hit.Matter
	vars["urgent"] = true
	return true, t.begin(ctx, flowDanger, vars)
}

// worse hears from a family with a bed that the patient is worse, in a prompt too,
// which stays open. What was begun is kept as when somebody walks away.
func (t *Turn) worse(ctx context.Context, in flows.Input) (bool, error) {
	if t.g.Worse == nil || in.Text == "" || t.Group || t.AtWork() {
		return false, nil
	}
	if _, hit := t.g.Worse.Examine(in.Text); !hit {
		return false, nil
	}
	beds, err := t.BedsOf(ctx, t.Person)
	if err != nil {
		return false, fmt.Errorf("look for the beds of a family: %w", err)
	}
	if len(beds) == 0 {
		return false, nil
	}
	return true, t.start(ctx, flowWorse, startVars(in))
}

// dangerIn finds the danger in what was said, where it is to be looked for.
func (t *Turn) dangerIn(in flows.Input) (words.Hit, bool) {
	if in.Text == "" || t.row.Flow == flowDanger {
		return words.Hit{}, false
	}
	if t.AtWork() && (t.row.Flow != "" || t.command(in)) {
		return words.Hit{}, false
	}
	return t.g.Safety.Examine(in.Text)
}

// carry takes what an interrupted report had collected into vars, so that one
// emergency is one ticket.
func (t *Turn) carry(vars map[string]any) error {
	d, err := t.current()
	if err != nil || d == nil {
		return err
	}
	t.row.Flow, t.row.State = "", nil
	if call, err := t.unfinished(d); err != nil || call == nil {
		return err
	}
	known := d.State.Vars()
	for _, k := range []string{"place", "photo", "reported_for", "confidential", "anonymous"} {
		if v, ok := known[k]; ok && v != nil {
			vars[k] = v
		}
	}
	if before, ok := known["what"].(string); ok && before != "" {
		vars[flows.VarText] = before + "\n" + fmt.Sprint(vars[flows.VarText])
	}
	return nil
}

func startVars(in flows.Input) map[string]any {
	vars := map[string]any{}
	if in.Text != "" {
		vars[flows.VarText] = in.Text
	}
	if len(in.Photos) > 0 {
		vars[flows.VarPhotos] = in.Photos
	}
	if in.Place != nil {
		vars[flows.VarPosition] = in.Place
	}
	return vars
}

// global does a command word. 取消 in a dialogue ends it and says so.
func (t *Turn) global(ctx context.Context, name string, open *dialogue) error {
	if name == "cancel" {
		if open == nil {
			return t.start(ctx, t.home(), nil)
		}
		t.row.Flow, t.row.State = "", nil
		return t.Say("dialogue.cancelled", nil)
	}
	flow, ok := t.g.Library.GlobalFlow(name, t.AtWork())
	if !ok {
		flow = t.home()
	}
	return t.start(ctx, flow, nil)
}

// intent finds the dialogue that a sentence asks for.
func (t *Turn) intent(in flows.Input) (string, map[string]any, bool) {
	if t.Staff != 0 {
		if flow, rest, ok := t.staffIntent(in.Text); ok {
			vars := startVars(in)
			vars[flows.VarText] = rest
			return flow, vars, true
		}
	}
	if in.Kind != flows.InputText {
		return flowReport, startVars(in), !t.AtWork()
	}
	flow, ok := t.g.Words.Intent(in.Text, t.g.Library.Starts())
	return flow, startVars(in), ok
}

// staffIntent finds a command of the staff: one of its words at the beginning
// of the message, with what follows as its argument.
func (t *Turn) staffIntent(text string) (flow, rest string, ok bool) {
	text = strings.TrimSpace(text)
	longest := ""
	for f, starts := range t.g.Library.StaffStarts() {
		for _, w := range starts {
			if len(w) > len(longest) && strings.HasPrefix(text, w) && endsWord(w, text) {
				longest, flow = w, f
			}
		}
	}
	if longest == "" || !t.AtWork() && !t.runsHere(flow) {
		return "", "", false
	}
	return flow, strings.TrimSpace(strings.TrimPrefix(text, longest)), true
}

// endsWord keeps 接 from matching 接电话: after a command word of one
// character comes nothing, a space or a number.
func endsWord(word, text string) bool {
	rest := strings.TrimPrefix(text, word)
	if rest == "" || len([]rune(word)) > 1 {
		return true
	}
	return strings.ContainsRune(" 0123456789０１２３４５６７８９:：", []rune(rest)[0])
}
