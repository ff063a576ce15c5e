package wire

import (
	"strings"
	"testing"

	"shaoying/bots"
)

func TestCodes(t *testing.T) {
	codes := Codes{"a.": bots.ClassGone, "a.b.": bots.ClassClosed, "a.b.c": bots.ClassMoved, "x": bots.ClassThrottled}
	for code, want := range map[string]bots.Class{"a.z": bots.ClassGone, "a.b.z": bots.ClassClosed, "a.b.c": bots.ClassMoved, "x": bots.ClassThrottled, "xy": 0, "": 0} {
		if got, ok := codes.Of(code); got != want || ok != (want != 0) {
			t.Errorf("%q is %v", code, got)
		}
	}
}

func TestPlain(t *testing.T) {
	for said, want := range map[string]string{
		"Temporal failure":                  "Temporal failure",
		"to +8613800138000 failed":          "to +861380 failed",
		"触发分钟级流控Permits:1":                  "Permits:1",
		"a\nb\x00c":                         "abc",
		strings.Repeat("x", 500):            strings.Repeat("x", maxPlain),
		"http://x/?to=13800138000&text=hi!": "http://x/?to=138001&text=hi!",
	} {
		if got := Plain(said); got != want {
			t.Errorf("%q is shown as %q, want %q", said, got, want)
		}
	}
}
