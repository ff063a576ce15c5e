// Package flows is the dialogue engine: it turns a YAML definition and what a
// resident answers into what to say next and what to do.
//
// # Pure
//
// Input in, Output out. Nothing here reads a clock, a network or a database.
// A [Definition] never changes after [Parse] and may be shared by any number
// of goroutines; Step leaves the State it was given as it was.
//
// # Two ideas
//
// A dialogue collects (things to know, in any order, only the missing ones
// are asked) and then takes steps (say, confirm, do, call, when, end). There
// is no goto, so every dialogue ends.
//
// # States
//
//	Start -> asking <-> calling -> ended
//
// asking: State.Open is the question that waits for the resident. calling: the
// last Output carried a Call; the host does it and steps again with the result
// before anything else. ended: Output.Ended was true, the State can be dropped.
// A step of a state in the wrong condition is an error and changes nothing.
//
// # Several definitions
//
// A step "call: other" puts the other definition on top. State.Flow and
// State.Version always name the definition whose Step comes next, so a host
// looks it up again after every Call. flowstest shows that loop in full.
//
// # Who owns the clock
//
// The host. A Say that is a question carries the nudge and expiry delays; the
// host counts them from when the message was really sent and steps with a
// nudge or expire input that names the Turn. A turn that is over is ignored.
//
// # Failure
//
// A resident can always be answered: what is not understood gets one repair
// text, the second time a person takes over (Call desk.handover) with all that
// was collected. An error from Step means a broken definition, a broken host
// or a limit (limits.go); the host keeps the message and hands it to a person.
// An action that failed is an Input with Err: a resolve then keeps the raw
// words, a do says flow.failed and ends or runs its else.
package flows
