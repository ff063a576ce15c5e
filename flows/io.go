package flows

import (
	"time"

	"shaoying/bots"
	"shaoying/flows/words"
)

// Accept is a kind of answer that an item takes.
type Accept string

// The kinds of answer. Voice comes as text when the network or a clerk wrote
// it down; the recording itself is kept by the host.
const (
	AcceptText   Accept = "text"
	AcceptVoice  Accept = "voice"
	AcceptPhoto  Accept = "photo"
	AcceptPlace  Accept = "place"
	AcceptChoice Accept = "choice"
	AcceptNumber Accept = "number"
	AcceptYesNo  Accept = "yesno"
	AcceptPhone  Accept = "phone"
)

// Caps is what the resident's channel can do, as far as dialogues care; seen
// in expressions as caps.photo, caps.place, caps.confirm, caps.group, caps.paid.
type Caps struct {
	// Photo: the resident can send a photo. Place: a position. Confirm: one
	// more message to read back is free and quick (not so on paid SMS).
	Photo, Place, Confirm bool
	// Group: others read along, so nothing personal is asked or shown.
	Group bool
	// Paid: each text costs somebody money (SMS). What can be said in one text
	// is said in one, and nothing is asked that is not needed.
	Paid bool
}

// Env is what surrounds one step.
type Env struct {
	// Lang is the language of labels; texts without it fall back to zh-Hans.
	Lang string
	Caps Caps
	// Words understands typed answers. Required.
	Words *words.Lexicon
}

// InputKind says what happened.
type InputKind string

// The kinds of input.
const (
	InputText   InputKind = "text"
	InputPhoto  InputKind = "photo"
	InputPlace  InputKind = "place"
	InputChoice InputKind = "choice"
	// InputResult answers the Call of the last Output.
	InputResult InputKind = "result"
	// InputNudge and InputExpire say that the delays of a question are over.
	InputNudge  InputKind = "nudge"
	InputExpire InputKind = "expire"
)

// Input is one thing that happened to a dialogue.
type Input struct {
	Kind InputKind
	// Text is what the resident wrote; with a photo, its caption.
	Text string
	// Choice is the Value of the option that was tapped.
	Choice string
	// Photos are ids of stored pictures.
	Photos []string
	Place  *bots.Place
	// Result is what the action returned; Err, when not empty, says that it
	// failed.
	Result map[string]any
	Err    string
	// Turn names the question that a nudge or expire is about.
	Turn int
}

// Names of variables by which the host hands the first message to Start. A
// definition that does not collect such a thing ignores them.
const (
	// VarText is the message (string).
	VarText = "text"
	// VarPhotos are stored picture ids ([]string).
	VarPhotos = "photos"
	// VarPosition is a position (*bots.Place).
	VarPosition = "position"
)

// Output is what one step comes to.
type Output struct {
	Says []Say
	// Call, when not nil, must be done and answered before anything else.
	Call  *Call
	Ended bool
	// Missed is true when the input was not understood.
	Missed bool
}

// Say is one message to the resident. The text itself stays in the
// definition: Flow, Version and Key find it, so that it is rendered when it is
// sent, in the language and to the width of that channel.
type Say struct {
	Flow    string
	Version int
	// Key is unique in the definition, e.g. "collect.place.ask".
	Key string
	// Params are the values of the {{…}} of the text.
	Params  map[string]string
	Options []Option
	// Question is true when an answer is awaited. Turn then names it, Nudge
	// and Expire are delays from when it was sent, 0 for none.
	Question bool
	Turn     int
	Nudge    time.Duration
	Expire   time.Duration
}

// Call is something to do. Args are the host's to read, not to change.
type Call struct {
	Action string
	Args   map[string]any
}

// Actions that the engine asks for by itself. Enter and return need no work:
// the host answers with an empty result, using the definition that State.Flow
// then names; for enter the result may carry "version" (int).
const (
	ActionEnter    = "flow.enter"
	ActionReturn   = "flow.return"
	ActionHandover = "desk.handover"
)
