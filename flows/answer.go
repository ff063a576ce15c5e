package flows

import (
	"slices"
	"strings"
	"unicode/utf8"

	"shaoying/flows/words"
)

// answer takes what the resident did while a question is open. Afterwards the
// question is answered (nil), asked again, or handed to a person.
func (m *machine) answer(in Input) {
	switch in.Kind {
	case InputPhoto:
		m.photos(in)
	case InputPlace:
		m.position(in)
	case InputChoice:
		i := slices.IndexFunc(m.s.Question.Options, func(o Option) bool { return o.Value == in.Choice })
		if i < 0 {
			m.miss(in.Choice)
			return
		}
		m.decide(m.s.Question.Options[i])
	default:
		m.words(in.Text)
	}
}

// words takes a typed answer.
func (m *machine) words(text string) {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n == 0 || n > MaxText || size(m.s.Data)+len(text) > MaxVars {
		m.miss("")
		return
	}
	q, it := m.s.Question, m.d.byName[m.s.Question.Item]
	switch q.Kind {
	case AskItem:
		m.wordsForItem(it, text)
		return
	case AskWhich:
		if it.optional && m.env.Words.Skip(text) {
			m.skip(it)
			return
		}
	case AskConfirm, AskReadback:
		if q.Kind == AskConfirm { // 算了，不报了 drops it, before the no in it counts
			if o, ok := m.choose(text, q.Options); ok {
				m.decide(o)
				return
			}
		}
		if o, ok := m.yesOrNo(text, q.Options); ok {
			m.decide(o)
			return
		}
	}
	options := q.Options
	if q.Kind == AskReadback { // a better answer counts at once
		options = slices.Concat(options, m.options(it))
	}
	if o, ok := m.choose(text, options); ok {
		m.decide(o)
		return
	}
	if q.Kind == AskWhich && it.takesWords() {
		at := m.s.Items[it.name]
		at.Misses = q.Misses + 1
		m.s.Items[it.name] = at
		m.take(it, text, text, "")
		return
	}
	m.miss(text)
}

// yesOrNo understands a yes or no where the first option means yes and the
// second no; a no to a confirm is a wish to change something.
func (m *machine) yesOrNo(text string, options []Option) (Option, bool) {
	for _, o := range options {
		if words.Normalize(text) == words.Normalize(o.Label) {
			return o, true
		}
	}
	if yes, ok := m.env.Words.YesNo(text); ok {
		if yes {
			return options[0], true
		}
		return options[1], true
	}
	return Option{}, false
}

func (m *machine) choose(text string, options []Option) (Option, bool) {
	i, found := m.env.Words.Choose(text, lexical(options))
	if found != words.Exact && found != words.Inside {
		return Option{}, false
	}
	return options[i], true
}

func lexical(options []Option) []words.Option {
	list := make([]words.Option, len(options))
	for i, o := range options {
		list[i] = words.Option{Value: o.Value, Label: o.Label, Words: o.Words}
	}
	return list
}

// wordsForItem tries the kinds of answer that an item takes, strictest first.
func (m *machine) wordsForItem(it *item, text string) {
	w := m.env.Words
	if it.optional && w.Skip(text) {
		m.skip(it)
		return
	}
	if it.takes(AcceptChoice) || it.takes(AcceptYesNo) {
		if it.takes(AcceptYesNo) && len(it.options) == 0 {
			if o, ok := m.yesOrNo(text, m.s.Question.Options); ok {
				m.decide(o)
				return
			}
		}
		o, ok := m.choose(text, m.s.Question.Options)
		if ok && !(it.takesWords() && words.Normalize(text) != words.Normalize(o.Label) && !m.exact(text)) {
			m.decide(o)
			return
		}
	}
	if it.takes(AcceptNumber) {
		if n, ok := w.Number(text); ok && n >= it.min && (it.max == 0 || n <= it.max) {
			m.take(it, float64(n), text, "")
			return
		}
	}
	if it.takes(AcceptPhone) {
		if phone, ok := phoneNumber(text); ok {
			m.take(it, phone, text, "")
			return
		}
	}
	switch {
	case it.takesWords() && it.fits(text):
		m.take(it, text, text, "")
	case it.also != "":
		m.append(m.d.byName[it.also], text)
		m.s.Question = nil
		if it.optional { // one more sentence instead of a photo: do not insist
			m.skip(it)
		}
	default:
		m.miss(text)
	}
}

// exact reports whether a text is nothing but one of the open options.
func (m *machine) exact(text string) bool {
	_, found := m.env.Words.Choose(text, lexical(m.s.Question.Options))
	return found == words.Exact
}

// append adds free text to the words of an item.
func (m *machine) append(it *item, text string) {
	at := m.s.Items[it.name]
	if had := m.wordsOf(it.name); had != "" {
		text = had + "\n" + text
	}
	at.Raw = text
	if at.State != ItemRaw {
		at.State = ItemDone
	}
	if _, object := m.s.Data[it.name].(map[string]any); !object {
		m.set(it.name, text)
	}
	m.s.Items[it.name] = at
}

// decide takes one of the options offered.
func (m *machine) decide(o Option) {
	q := m.s.Question
	it := m.d.byName[q.Item]
	switch q.Kind {
	case AskItem:
		if slices.Contains(it.readback, o.Value) && !m.env.Caps.Paid {
			m.ask(Question{Kind: AskReadback, Item: it.name, Accept: []Accept{AcceptChoice}, Options: m.yesNo(), Held: &o},
				map[string]any{"answer": o.Label})
			return
		}
		m.take(it, m.meaning(it, o), o.Label, o.Label)
	case AskWhich:
		m.take(it, o.Value, o.Label, o.Label)
	case AskReadback:
		m.readBack(it, o)
	case AskConfirm:
		m.confirmed(o.Value)
	case AskChange:
		m.change(m.d.byName[o.Value])
	}
}

// meaning is the value of an option: a truth for a plain yes or no.
func (m *machine) meaning(it *item, o Option) any {
	if it.takes(AcceptYesNo) && len(it.options) == 0 && it.offered == "" {
		return o.Value == ChoiceYes
	}
	return o.Value
}

// readBack takes the answer to "really?": yes counts the held answer, no asks
// again, another answer counts instead.
func (m *machine) readBack(it *item, o Option) {
	held := *m.s.Question.Held
	switch o.Value {
	case ChoiceYes:
		m.take(it, m.meaning(it, held), held.Label, held.Label)
	case ChoiceNo:
		m.s.Question = nil
	default:
		m.take(it, m.meaning(it, o), o.Label, o.Label)
	}
}

func (m *machine) confirmed(value string) {
	i := m.d.code[m.s.PC]
	switch value {
	case ChoiceYes:
		m.s.PC++
		m.s.Question = nil
	case ChoiceChange:
		options := m.changeable()
		if len(options) == 1 {
			m.change(m.d.byName[options[0].Value])
			return
		}
		m.ask(Question{Kind: AskChange, Accept: []Accept{AcceptChoice}, Options: options}, nil)
	default:
		m.s.Question = nil
		if i.target >= 0 {
			m.s.PC = i.target
			return
		}
		m.say(textCancelled, nil)
		m.s.Ended = true
	}
}

// change asks an item anew, and what was only concluded from its words.
func (m *machine) change(it *item) {
	m.s.Question = nil
	m.unset(it.name)
	m.s.Items[it.name] = Item{State: ItemTried}
	redo := []string{it.name}
	for _, other := range m.d.items {
		if at := m.s.Items[other.name]; other.from == it.name && at.Raw == "" && at.Label == "" && at.State != ItemSkipped {
			m.unset(other.name)
			delete(m.s.Items, other.name)
			redo = append(redo, other.name)
		}
	}
	m.s.Redo = redo
}

// miss answers what was not understood: a repair the first time, a person the
// second.
func (m *machine) miss(said string) {
	m.out.Missed = true
	q := m.s.Question
	q.Misses++
	if q.Misses >= 2 {
		m.handover(said)
		return
	}
	m.repair("")
}

// repair repeats the open question, in the simpler words of the item or after
// a common sentence. key, when not empty, replaces that sentence. Where each text
// is paid for there is one: the question, or key in its stead.
func (m *machine) repair(key string) {
	q := m.s.Question
	if it := m.d.byName[q.Item]; key == "" && it != nil && q.Kind == AskItem {
		if own := it.key("repair"); m.own(own, "") != "" {
			m.pose(own, nil)
			return
		}
	}
	var extra map[string]any
	if q.Held != nil {
		extra = map[string]any{"answer": q.Held.Label}
	}
	switch {
	case m.env.Caps.Paid && key != "":
		m.pose(key, extra)
		return
	case m.env.Caps.Paid:
	case key == "":
		m.say(textRepair, nil)
	default:
		m.say(key, nil)
	}
	m.pose(m.keyOf(q), extra)
}
