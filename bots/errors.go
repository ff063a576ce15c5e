package bots

import (
	"errors"
	"fmt"
	"time"
)

// ErrFlood is wrapped by a Sink error that says: this sender is far beyond what
// a person can write, the event was not taken, and a later try may be. A
// network that can tell its user so (the web page: 429) does; for the others it
// is an error like any other.
var ErrFlood = errors.New("too many messages from one sender")

// ErrNoReport is returned by a Settler that learned nothing.
var ErrNoReport = errors.New("the network knows nothing of the message")

// Class is the closed set of ways in which a send can fail.
type Class int

const (
	// ClassTemporary: surely not sent, try again with backoff.
	ClassTemporary Class = iota + 1
	// ClassThrottled: surely not sent, the network asks to wait Error.After.
	ClassThrottled
	// ClassClosed: the push window is shut or its quota used; another
	// channel, or wait until the user writes.
	ClassClosed
	// ClassGone: blocked, unfollowed, left. The address cannot be reached.
	ClassGone
	// ClassRejected: our message is bad. Never retried.
	ClassRejected
	// ClassMoved: the chat has a new id, Error.NewChat.
	ClassMoved
	// ClassLoggedOut: an operator has to act before anything can be sent.
	ClassLoggedOut
	// ClassUnknown: it may have been sent. What happens next depends on what
	// a second copy costs.
	ClassUnknown
)

// classes says of each class its word (in outbox.class, metrics and logs),
// whether the same send may be tried again, and whether it is certain that
// the message was not delivered.
var classes = map[Class]struct {
	word    string
	retry   bool
	certain bool
}{
	ClassTemporary: {"temporary", true, true},
	ClassThrottled: {"throttled", true, true},
	ClassClosed:    {"closed", false, true},
	ClassGone:      {"gone", false, true},
	ClassRejected:  {"rejected", false, true},
	ClassMoved:     {"moved", true, true},
	ClassLoggedOut: {"logged_out", true, true},
	ClassUnknown:   {"unknown", false, false},
}

// String returns the word of the class.
func (c Class) String() string {
	if k, ok := classes[c]; ok {
		return k.word
	}
	return "invalid"
}

// Retry reports whether the same message may be tried again on this address.
func (c Class) Retry() bool { return classes[c].retry }

// Certain reports whether the message surely was not delivered.
func (c Class) Certain() bool { return classes[c].certain }

// Classes lists every class, for tests and documentation.
func Classes() []Class {
	return []Class{
		ClassTemporary, ClassThrottled, ClassClosed, ClassGone,
		ClassRejected, ClassMoved, ClassLoggedOut, ClassUnknown,
	}
}

// Error is a failed send. Err must hold no token, key or phone number.
type Error struct {
	Class Class
	// After is how long the network asks to wait (ClassThrottled).
	After time.Duration
	// NewChat is where the chat went (ClassMoved).
	NewChat ChatID
	Err     error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Class, e.Err) }

// Unwrap returns the network's own error.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of a send error. An error that is no *Error says
// nothing about what the network did, so it is ClassUnknown.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ClassUnknown
}
