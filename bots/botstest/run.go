package botstest

import (
	"testing"
	"time"
)

// Run plays every case against rigs made by newRig, one rig for each.
func Run(t *testing.T, newRig func(t *testing.T) Rig) {
	t.Helper()
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			check(t, c, longest, func() Rig { return newRig(t) })
		})
	}
}

// testCase is one of the 22 cases.
type testCase struct {
	name string
	run  func(*bench)
}

// check plays one case and what every case ends with.
func check(t T, c testCase, patience time.Duration, newRig func() Rig) {
	t.Helper()
	b := newBench(t, patience, newRig)
	defer b.finish()
	c.run(b)
}

// cases lists the cases by their numbers in reference/chat-channels 6.3.
func cases() []testCase {
	return []testCase{
		{"01 text in and out unharmed", textInAndOut},
		{"02 text up to the limit in the right unit, in order", longText},
		{"03 choices tapped and typed", choices},
		{"04 place in WGS-84", place},
		{"05 photo and voice", files},
		{"06 group sender is not the group", group},
		{"07 own echoes are no events", echoes},
		{"08 delivered twice is one row", duplicates},
		{"09 sink error is not acknowledged", sinkError},
		{"10 killed while handling loses nothing", killed},
		{"11 order inside each chat", order},
		{"12 error classes", errorClasses},
		{"13 ends within a second, nothing left behind", ends},
		{"14 network down and back", down},
		{"15 forgeries are refused", forgeries},
		{"16 secrets stay secret", secrets},
		{"17 caps are true", capsAreTrue},
		{"18 a panicking sink kills nobody", panics},
		{"19 reports name the message", reports},
		{"20 an answer names its extension", extensions},
		{"21 parts are known before sending", parts},
		{"22 a notice where the window is shut", notices},
	}
}
