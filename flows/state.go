package flows

import (
	"maps"
	"time"
)

// State is where a dialogue stands. It is plain data: it survives JSON without
// loss, and between two messages it lives nowhere but in the database.
type State struct {
	// Flow and Version name the definition whose Step comes next. Version is
	// what the host gave to Start, or 0 when the sub-dialogue was just entered
	// and the host has still to choose one.
	Flow    string `json:"flow"`
	Version int    `json:"version"`
	// PC is the next instruction of that definition.
	PC int `json:"pc,omitempty"`
	// Stack holds the callers, outermost first.
	Stack []Frame `json:"stack,omitempty"`
	// Data holds everything known by name: what was given at start, what was
	// collected, what actions returned. Sub-dialogues share it.
	Data map[string]any `json:"data,omitempty"`
	// Items says how far each item of a collect has come.
	Items map[string]Item `json:"items,omitempty"`
	// Redo names items that the resident wants to change at a confirm.
	Redo []string `json:"redo,omitempty"`
	// Question waits for the resident, Pending for an action. Never both.
	Question *Question `json:"question,omitempty"`
	Pending  *Pending  `json:"pending,omitempty"`
	// Turn counts the questions asked; it names the open one.
	Turn int `json:"turn,omitempty"`
	// Steps counts what was done since the resident last spoke.
	Steps int `json:"steps,omitempty"`
	// Unfinished is what becomes of the dialogue when nobody answers: that of
	// the outermost definition which says it.
	Unfinished *Unfinished `json:"unfinished,omitempty"`
	Ended      bool        `json:"ended,omitempty"`
}

// Frame is a caller that waits for the dialogue on top of it.
type Frame struct {
	Flow    string `json:"flow"`
	Version int    `json:"version"`
	PC      int    `json:"pc"`
}

// Item is how far one item has come.
type Item struct {
	State ItemState `json:"state"`
	// Raw is the resident's own words, before an action resolved them.
	Raw string `json:"raw,omitempty"`
	// Label is the option chosen, as it was shown.
	Label string `json:"label,omitempty"`
	// Options are what a silent resolve proposed.
	Options []Option `json:"options,omitempty"`
	// Misses counts the answers that its resolve could not use.
	Misses int `json:"misses,omitempty"`
}

// ItemState is a stage of collecting one item; the empty one is untouched.
type ItemState string

// The stages of an item. Only ItemDone and ItemSkipped end the asking.
const (
	// ItemTried: another item's words did not answer this one; it is asked.
	ItemTried ItemState = "tried"
	// ItemGuessed: resolved without asking; the item's own when may still ask.
	ItemGuessed ItemState = "guessed"
	// ItemRaw: answered, and waits for its resolve.
	ItemRaw     ItemState = "raw"
	ItemDone    ItemState = "done"
	ItemSkipped ItemState = "skipped"
)

// over reports whether an item needs no more asking.
func (s ItemState) over() bool { return s == ItemDone || s == ItemSkipped }

// Kinds of Question.
const (
	AskItem     = "item"     // an item of a collect
	AskWhich    = "which"    // several things fit what was said: which?
	AskReadback = "readback" // the lowest answer, read back once
	AskConfirm  = "confirm"  // everything collected, read back
	AskChange   = "change"   // what is wrong with it
)

// Question is what the resident was asked last.
type Question struct {
	Kind string `json:"kind"`
	// Item is the item asked for (item, which, readback).
	Item string `json:"item,omitempty"`
	// Key is the text that an action chose instead of the item's own.
	Key string `json:"key,omitempty"`
	// Turn is what buttons and timers of this question must carry.
	Turn int `json:"turn"`
	// Accept are the kinds of answer understood.
	Accept  []Accept `json:"accept,omitempty"`
	Options []Option `json:"options,omitempty"`
	// Misses counts the answers that were not understood.
	Misses int `json:"misses,omitempty"`
	// Held is the answer that a readback asks about.
	Held *Option `json:"held,omitempty"`
	// Nudged is true once the nudge was said.
	Nudged bool `json:"nudged,omitempty"`
}

// Accepts reports whether kind answers the question.
func (q *Question) Accepts(kind Accept) bool {
	for _, a := range q.Accept {
		if a == kind {
			return true
		}
	}
	return false
}

// Pending is the action whose result the dialogue waits for.
type Pending struct {
	For    string `json:"for"`
	Action string `json:"action"`
	Item   string `json:"item,omitempty"`
	// Silent resolves try other words on an item before it is asked.
	Silent bool `json:"silent,omitempty"`
}

// What a Pending result is for.
const (
	forResolve    = "resolve"
	forDo         = "do"
	forEnter      = "enter"
	forReturn     = "return"
	forHandover   = "handover"
	forUnfinished = "unfinished"
)

// Unfinished is what to do with a dialogue that nobody goes on with.
type Unfinished struct {
	// After is how long after the last question, 0 for never.
	After time.Duration `json:"after"`
	// Paid is the same on a paid channel, where people answer slowly; 0: After.
	Paid time.Duration `json:"paid,omitempty"`
	// Do is the action that keeps what was said.
	Do string `json:"do,omitempty"`
	// Flow says whose text tells the resident what became of it.
	Flow    string `json:"flow"`
	Version int    `json:"version"`
}

// Option is one answer that a question offers.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label"`
	// Words are other ways to say it.
	Words []string `json:"words,omitempty"`
}

// Vars returns a copy of everything the dialogue knows by name.
func (s State) Vars() map[string]any { return maps.Clone(s.Data) }

// Open returns the question that waits for an answer, nil when there is none.
// The caller must not change it.
func (s State) Open() *Question { return s.Question }

// clone copies all that a step may change. Values inside Data are replaced,
// never changed, so the map itself is enough.
func (s State) clone() State {
	s.Data = cloneMap(s.Data)
	s.Items = cloneMap(s.Items)
	if s.Question != nil {
		q := *s.Question
		s.Question = &q
	}
	return s
}

func cloneMap[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return maps.Clone(m)
}
