package flows

import (
	"fmt"
	"slices"
	"time"
)

// Who may start a dialogue.
const (
	AudienceResident = "resident"
	AudienceStaff    = "staff"
	AudienceAny      = "any"
)

// Kinds of group that a dialogue may run in, as Definition.Groups names them.
const (
	GroupWork      = "work"      // every member is verified staff
	GroupResidents = "residents" // anybody reads along
	GroupUnbound   = "unbound"   // a group that is bound as neither
)

// Definition is one dialogue, compiled and never changed after Parse.
type Definition struct {
	Name  string
	Title Text
	// Audience is AudienceResident (the default), AudienceStaff or AudienceAny.
	Audience string
	// Starts are words that begin the dialogue when found in a sentence.
	Starts []string
	// Groups are the kinds of group in which the dialogue may be started beside
	// private chats: none unless it says so.
	Groups []string
	// Push is true for a dialogue that only a due thing starts.
	Push bool
	// Late is how long after its prompt is over a short answer is still given to
	// it, 0 for not at all. What the dialogue calls then says what became of it.
	Late time.Duration
	// Given names the variables that the caller hands over at start.
	Given []string
	// Common holds the engine's own texts (CommonKeys) and those that actions
	// name. The loader sets it once, before the definition is used.
	Common *Texts

	file       string
	line       int
	items      []*item
	byName     map[string]*item
	steps      []*step
	code       []instruction
	texts      map[string]message
	nudge      time.Duration
	unfinished *Unfinished
	unfinLine  int
}

// item is one thing to collect.
type item struct {
	name     string
	accept   []Accept
	options  []choice
	offered  string // options_from: the variable that holds the options
	resolve  string
	from     string // the item whose words are tried first
	also     string // the item that takes free text given here
	when     *expression
	fill     *expression
	once     *expression // while it holds, what cannot be made out is not asked again
	optional bool
	max, min int // photos, characters or number, by kind of answer
	opening  int
	readback []string
	line     int
}

// choice is an option with its label in every language.
type choice struct {
	value string
	label message
	words []string
}

// takes reports whether the item accepts a kind of answer.
func (i *item) takes(kind Accept) bool { return slices.Contains(i.accept, kind) }

// takesWords reports whether the item accepts free text.
func (i *item) takesWords() bool { return i.takes(AcceptText) || i.takes(AcceptVoice) }

// key names a text of the item.
func (i *item) key(part string) string { return "collect." + i.name + "." + part }

// Kinds of step.
const (
	stepCollect = "collect"
	stepSay     = "say"
	stepConfirm = "confirm"
	stepDo      = "do"
	stepCall    = "call"
	stepEnd     = "end"
	stepIf      = "then"
)

// step is one step as written; instructions are made of it.
type step struct {
	kind   string
	arg    string // text key, action or flow
	names  []string
	when   *expression
	with   []binding
	into   string
	then   []*step
	orElse []*step
	branch bool // an else is written
	line   int
}

// binding gives an argument its value.
type binding struct {
	name string
	expr *expression
}

// Text returns the template behind Say.Key, in lang or else in BaseLang: one
// of the definition's own texts, or one of Common.
func (d *Definition) Text(key, lang string) (string, error) {
	if m, ok := d.message(key); ok {
		return m.text.In(lang), nil
	}
	return "", fmt.Errorf("flow %s: text %q: %w", d.Name, key, ErrNoText)
}

func (d *Definition) message(key string) (message, bool) {
	if m, ok := d.texts[key]; ok {
		return m, true
	}
	if d.Common == nil {
		return message{}, false
	}
	m, ok := d.Common.texts[key]
	return m, ok
}

// Keys returns the keys of the definition's own texts, sorted.
func (d *Definition) Keys() []string {
	keys := make([]string, 0, len(d.texts))
	for k := range d.texts {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Texts of Common that the engine itself says. Labels of items without their
// own are looked up as "flow.item.NAME".
const (
	textRepair     = "flow.repair"   // not understood, before the question is repeated
	textWhich      = "flow.which"    // several fit; options follow
	textReadback   = "flow.readback" // {{answer}} is the lowest answer: really?
	textYes        = "flow.yes"      // label: yes, of a readback
	textNo         = "flow.no"       // label: no, of a readback
	textConfirmYes = "flow.confirm.yes"
	textConfirmFix = "flow.confirm.change"
	textConfirmNo  = "flow.confirm.cancel"
	textChange     = "flow.change"     // which of it is wrong?
	textCancelled  = "flow.cancelled"  // dropped at the confirm
	textHandover   = "flow.handover"   // a person takes over
	textUnfinished = "flow.unfinished" // kept without an end
	textFailed     = "flow.failed"     // an action broke down
	textPhoto      = "flow.photo"      // stands for words where only a photo came
)

// CommonKeys lists the keys that Common must hold.
func CommonKeys() []string {
	return []string{
		textRepair, textWhich, textReadback, textYes, textNo,
		textConfirmYes, textConfirmFix, textConfirmNo, textChange,
		textCancelled, textHandover, textUnfinished, textFailed, textPhoto,
	}
}

// Values of the options that the engine offers by itself.
const (
	ChoiceYes    = "yes"
	ChoiceNo     = "no"
	ChoiceChange = "change"
	ChoiceCancel = "cancel"
)
