package flows

import "maps"

// say adds a message to the output. extra are values beside the variables.
func (m *machine) say(key string, extra map[string]any) {
	m.out.Says = append(m.out.Says, m.saying(key, extra))
}

// sayIfAny says a text that a definition may leave out.
func (m *machine) sayIfAny(key string) bool {
	_, ok := m.d.message(key)
	if ok {
		m.say(key, nil)
	}
	return ok
}

func (m *machine) saying(key string, extra map[string]any) Say {
	s := Say{Flow: m.s.Flow, Version: m.s.Version, Key: key, Params: map[string]string{}}
	msg, ok := m.d.message(key)
	if !ok { // a text of the host: it knows which values it needs
		for name, v := range extra {
			s.Params[name] = display(v)
		}
		return s
	}
	for _, path := range msg.paths {
		if v := lookup(extra, path); v != nil {
			s.Params[path] = display(v)
		} else {
			s.Params[path] = m.shown(path)
		}
	}
	return s
}

// shown is a variable as the resident reads it: of a chosen option its label.
func (m *machine) shown(path string) string {
	v := lookup(m.s.Data, path)
	if at := m.s.Items[path]; at.Label != "" {
		if _, ok := v.(map[string]any); !ok {
			return at.Label
		}
	}
	return display(v)
}

// ask opens a question. The same question asked again keeps its turn, so that
// buttons already sent still work and no nudge comes twice.
func (m *machine) ask(q Question, extra map[string]any) {
	if b := m.before; b != nil && b.Kind == q.Kind && b.Item == q.Item && q.Kind != AskConfirm && sameOptions(b.Options, q.Options) {
		q.Turn, q.Nudged, q.Misses = b.Turn, b.Nudged, max(b.Misses, q.Misses)
	} else {
		m.s.Turn++
		q.Turn = m.s.Turn
	}
	m.s.Question = &q
	m.pose(m.keyOf(&q), extra)
}

// pose says the open question in the words of key.
func (m *machine) pose(key string, extra map[string]any) {
	q := m.s.Question
	s := m.saying(key, extra)
	s.Question, s.Turn, s.Options = true, q.Turn, q.Options
	if !m.env.Caps.Paid { // a reminder is a text that nobody asked for
		s.Nudge = m.d.nudge
	}
	if it := m.d.byName[q.Item]; it != nil && key == it.key("paid") {
		s.Options = nil // the text names them with their codes
	}
	if u := m.s.Unfinished; u != nil {
		s.Expire = u.After
		if m.env.Caps.Paid && u.Paid > 0 {
			s.Expire = u.Paid
		}
	}
	m.out.Says = append(m.out.Says, s)
}

func sameOptions(a, b []Option) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Value != b[i].Value || a[i].Label != b[i].Label {
			return false
		}
	}
	return true
}

// keyOf is the text of a question.
func (m *machine) keyOf(q *Question) string {
	if q.Key != "" {
		return q.Key
	}
	it := m.d.byName[q.Item]
	switch q.Kind {
	case AskConfirm:
		return m.d.code[m.s.PC].step.arg
	case AskChange:
		return textChange
	case AskReadback:
		return m.own(it.key("readback"), textReadback)
	case AskWhich:
		if it.takes(AcceptChoice) {
			return m.own(it.key("which"), m.own(it.key("ask"), textWhich))
		}
		return m.own(it.key("which"), textWhich)
	}
	return m.asking(it)
}

// asking is the question of an item: on a paid channel the one that is written
// for it, where there is one.
func (m *machine) asking(it *item) string {
	if m.env.Caps.Paid {
		return m.own(it.key("paid"), it.key("ask"))
	}
	return it.key("ask")
}

// own is key where the definition has that text, else the other.
func (m *machine) own(key, otherwise string) string {
	if _, ok := m.d.texts[key]; ok {
		return key
	}
	return otherwise
}

// askItem asks for an item, or gives up on one that nobody could answer.
func (m *machine) askItem(it *item) {
	at := m.s.Items[it.name]
	if len(at.Options) > 0 {
		m.askWhich(it, at.Options, "", at.Misses)
		return
	}
	q := Question{Kind: AskItem, Item: it.name, Accept: it.accept, Options: m.options(it), Misses: at.Misses}
	if _, ok := m.d.texts[it.key("ask")]; !ok || len(it.accept) == 1 && it.takes(AcceptChoice) && len(q.Options) == 0 {
		m.skip(it)
		return
	}
	m.ask(q, nil)
}

// askWhich offers what an action proposed.
func (m *machine) askWhich(it *item, options []Option, key string, misses int) {
	m.ask(Question{Kind: AskWhich, Item: it.name, Key: key, Accept: it.accept, Options: options, Misses: misses}, nil)
}

// options are what an item offers: its own, those that a call returned, or yes
// and no.
func (m *machine) options(it *item) []Option {
	switch {
	case it.offered != "":
		return optionsOf(m.s.Data[it.offered])
	case it.takes(AcceptYesNo) && len(it.options) == 0:
		return m.yesNo()
	}
	var options []Option
	for _, c := range it.options {
		options = append(options, Option{Value: c.value, Label: c.label.text.In(m.env.Lang), Words: c.words})
	}
	return options
}

// optionsOf reads options out of a stored value: a list of {value, label}.
func optionsOf(v any) []Option {
	list, _ := v.([]any)
	var options []Option
	for _, e := range list {
		o, _ := e.(map[string]any)
		value, label := display(o["value"]), display(o["label"])
		if value == "" || label == "" || len(options) == MaxOptions {
			continue
		}
		option := Option{Value: value, Label: label}
		ws, _ := o["words"].([]any)
		for _, w := range ws {
			option.Words = append(option.Words, display(w))
		}
		options = append(options, option)
	}
	return options
}

// label is a short common text; where it is missing the option still works.
func (m *machine) label(key, otherwise string) string {
	if msg, ok := m.d.message(key); ok {
		return msg.text.In(m.env.Lang)
	}
	return otherwise
}

func (m *machine) yesNo() []Option {
	return []Option{
		{Value: ChoiceYes, Label: m.label(textYes, ChoiceYes)},
		{Value: ChoiceNo, Label: m.label(textNo, ChoiceNo)},
	}
}

func (m *machine) askConfirm() {
	m.ask(Question{Kind: AskConfirm, Accept: []Accept{AcceptChoice}, Options: []Option{
		{Value: ChoiceYes, Label: m.label(textConfirmYes, ChoiceYes)},
		{Value: ChoiceChange, Label: m.label(textConfirmFix, ChoiceChange)},
		{Value: ChoiceCancel, Label: m.label(textConfirmNo, ChoiceCancel)},
	}}, nil)
}

// changeable are the items that hold something the resident could say anew.
func (m *machine) changeable() []Option {
	var options []Option
	for _, it := range m.d.items {
		_, asked := m.d.texts[it.key("ask")]
		if !asked || m.s.Data[it.name] == nil {
			continue
		}
		key := m.own(it.key("label"), "flow.item."+it.name)
		options = append(options, Option{Value: it.name, Label: m.label(key, it.name)})
	}
	if len(options) > MaxOptions {
		options = options[:MaxOptions]
	}
	return options
}

// handover gives the dialogue to a person, with all that was collected.
func (m *machine) handover(said string) {
	args := maps.Clone(m.s.Data)
	args["flow"], args["item"], args["said"] = m.s.Flow, m.s.Question.Item, said
	m.call(Pending{For: forHandover, Action: ActionHandover}, args)
}
