package gateway

import (
	"context"
	"slices"
	"strconv"

	"shaoying/flows"
	"shaoying/flows/words"
)

// Which question a text answers that comes while no dialogue is open.
//
// The code behind our number decides, where the text came with one that is
// open. Else it is the question that was asked back in the very last turn; else
// those that the text fits. When several fit, or the code belonged to something
// else that is over, the resident is asked which is meant (dialogue flowWhich)
// and what was said is kept for it. A text that fits nothing is no answer: it
// begins something new and never falls into an old ticket by accident. Only
// where a network gives one question at a time, and words cost nothing, is it
// asked again.

// named is the open prompt whose code the event came with.
func (t *Turn) named(open []*dialogue) *dialogue {
	for _, p := range open {
		if t.extension != "" && p.extension == t.extension {
			return p
		}
	}
	return nil
}

// askedBack is the prompt that answered the resident's last message with a
// question, when nothing happened since and the event names no other.
func (t *Turn) askedBack(open []*dialogue) *dialogue {
	for _, p := range open {
		if t.extension == "" && t.justAsked(p) {
			return p
		}
	}
	return nil
}

// justAsked reports whether a prompt has answered the last message with a question.
func (t *Turn) justAsked(p *dialogue) bool {
	return p.State.Turn > 1 && p.Asked == t.row.Turn-1 && p.Where == t.Conversation
}

// tells reports whether a text says much more than the option that it names.
func (t *Turn) tells(p *dialogue, text string) bool {
	options := optionsOf(p.State.Open())
	_, found := t.g.Words.Choose(text, options)
	return found != words.Exact && t.g.Words.Tells(text, options)
}

// replies reports whether in can be an answer to the open question of a prompt:
// one of its options, or a number where one was asked for. A text to a number that
// also tells a story (昌盛小区5栋路灯坏了, while it is asked whether something is
// still fine) is a new matter, unless the question was asked a moment ago. So is what
// begins a dialogue word for word, unless it is an option as well: 撤回同意 agrees to
// nothing.
func (t *Turn) replies(p *dialogue, in flows.Input) bool {
	if t.fits(p, in) {
		if in.Kind == flows.InputText && t.choice(p, in) != words.Exact && t.begins(in.Text) {
			return false
		}
		return !t.caps.Phone || in.Kind != flows.InputText || t.justAsked(p) || !t.tells(p, in.Text)
	}
	q := p.State.Open()
	if q == nil || in.Kind != flows.InputText {
		return false
	}
	_, number := t.g.Words.Number(in.Text)
	return number && q.Accepts(flows.AcceptNumber)
}

// begins reports whether a text is one of the words that begin a dialogue, and no more.
func (t *Turn) begins(text string) bool {
	n := words.Normalize(text)
	for _, starts := range t.g.Library.Starts() {
		if slices.ContainsFunc(starts, func(w string) bool { return words.Normalize(w) == n }) {
			return true
		}
	}
	return false
}

// takesWords reports whether any words answer the open question of a prompt.
func takesWords(p *dialogue) bool {
	q := p.State.Open()
	return q != nil && (q.Accepts(flows.AcceptText) || q.Accepts(flows.AcceptVoice))
}

// answerPrompt gives in to the prompt that it answers, or asks which one it is.
// An open dialogue d stands before every prompt but the one that the event names.
// done is false when in is no answer.
func (t *Turn) answerPrompt(ctx context.Context, d *dialogue, open []*dialogue, in flows.Input) (done bool, err error) {
	to := t.named(open)
	if to == nil && d == nil {
		to = t.askedBack(open)
	}
	switch {
	case to != nil && t.replies(to, in):
		return true, t.step(ctx, to, in)
	case d != nil, to != nil && t.extension != "":
		return false, nil
	case t.extension != "":
		if done, err := t.late(ctx, in); done || err != nil {
			return done, err
		}
	}
	var fit []*dialogue
	for _, p := range open {
		if t.replies(p, in) {
			fit = append(fit, p)
		}
	}
	if len(fit) == 0 {
		return t.late(ctx, in)
	}
	over, err := t.over(ctx, open)
	if err != nil {
		return false, err
	}
	if len(fit) == 1 && (over == "" || over == fit[0].subject) {
		return true, t.step(ctx, fit[0], in)
	}
	return true, t.askWhich(ctx, fit, in)
}

// wordsFor is the prompt to which words go that fit no option; nil when they are
// for none.
func (t *Turn) wordsFor(open []*dialogue) *dialogue {
	to := t.named(open)
	if to == nil {
		to = t.askedBack(open)
	}
	if to != nil && takesWords(to) {
		return to
	}
	if !t.caps.Paid && len(open) == 1 {
		return open[0]
	}
	return nil
}

// askWhich asks which of several questions in answers, or whether it is something
// new.
func (t *Turn) askWhich(ctx context.Context, fit []*dialogue, in flows.Input) error {
	var choices []any
	for _, p := range fit {
		label, err := t.labelOf(p)
		if err != nil {
			return err
		}
		choices = append(choices, map[string]any{"value": strconv.FormatInt(p.prompt, 10), "label": label})
	}
	none, err := t.Text("which.none", nil)
	if err != nil {
		return err
	}
	choices = append(choices, map[string]any{"value": whichNone, "label": none})
	return t.start(ctx, flowWhich, map[string]any{flows.VarText: in.Text, "choices": choices, "count": len(fit)})
}

// whichNone is the option that what was said answers no question.
const whichNone = "none"

// labelOf names what a prompt is about: the number and matter of its ticket, or
// else its dialogue.
func (t *Turn) labelOf(p *dialogue) (string, error) {
	if ticket, ok := p.State.Vars()["ticket"].(map[string]any); ok {
		number, _ := ticket["number"].(string)
		matter, _ := ticket["matter"].(string)
		if number != "" {
			return t.Text("which.ticket", map[string]string{"number": number, "matter": matter})
		}
	}
	def, _, err := t.g.Library.Flow(outermost(p.State), 0)
	if err != nil {
		return "", err
	}
	return def.Title.In(t.Lang), nil
}

// Answer gives a text to the open prompt that was picked, or begins something new
// with it, once the dialogue that asked which one is over. It reports false when
// that prompt is no longer open.
func (t *Turn) Answer(ctx context.Context, picked, text string) (bool, error) {
	in := flows.Input{Kind: flows.InputText, Text: text}
	if picked == whichNone {
		t.after = func(ctx context.Context) error { return t.start(ctx, t.home(), startVars(in)) }
		return true, nil
	}
	open, err := t.prompts(ctx)
	if err != nil {
		return false, err
	}
	for _, p := range open {
		if strconv.FormatInt(p.prompt, 10) == picked {
			t.after = func(ctx context.Context) error { return t.step(ctx, p, in) }
			return true, nil
		}
	}
	return false, nil
}

// leavesWhich reports whether in does not answer the question which prompt was
// meant: it fits none of its options, or the code with which it came says that it
// is about something else.
func (t *Turn) leavesWhich(ctx context.Context, d *dialogue, open []*dialogue, in flows.Input) (bool, error) {
	if d == nil || d.State.Flow != flowWhich {
		return false, nil
	}
	to := t.named(open)
	if t.choice(d, in) == words.None || to != nil && t.replies(to, in) {
		return true, nil
	}
	over, err := t.over(ctx, open)
	return over != "", err
}
