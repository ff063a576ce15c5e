package sms

import (
	"bytes"
	"testing"
)

func TestSeptets(t *testing.T) {
	for text, want := range map[string][]byte{
		"@£$":     {0x00, 0x01, 0x02},
		"Æ É":     {0x1C, 0x20, 0x1F},
		"ÅåΔ_":    {0x0E, 0x0F, 0x10, 0x11},
		"A a¡¿à":  {0x41, 0x20, 0x61, 0x40, 0x60, 0x7F},
		"\f^{}\\": {0x1B, 0x0A, 0x1B, 0x14, 0x1B, 0x28, 0x1B, 0x29, 0x1B, 0x2F},
		"[~]|€":   {0x1B, 0x3C, 0x1B, 0x3D, 0x1B, 0x3E, 0x1B, 0x40, 0x1B, 0x65},
	} {
		if got := Septets(text); !bytes.Equal(got, want) {
			t.Errorf("%q is % X, want % X", text, got, want)
		}
		if got := FromSeptets(want); got != text {
			t.Errorf("% X is %q, want %q", want, got, text)
		}
	}
	for text, in := range map[string][]byte{" ": {0x1B}, "A": {0x1B, 0x41}, "  ": {0x1B, 0x1B, 0x1B}} {
		if got := FromSeptets(in); got != text {
			t.Errorf("% X is %q, want %q", in, got, text)
		}
	}
	if got := Septets("路"); string(got) != "?" {
		t.Errorf("what there is not is % X", got)
	}
	all := gsmDefault + gsmExtension
	if got := FromSeptets(Septets(all)); got != all {
		t.Errorf("both tables come back as %q", got)
	}
}

func FuzzSeptets(f *testing.F) {
	f.Add([]byte{0x00, 0x1B, 0x65, 0x1B})
	f.Fuzz(func(t *testing.T, in []byte) {
		text := FromSeptets(in)
		if Of(text) != GSM7 {
			t.Fatalf("% X holds what the alphabet lacks: %q", in, text)
		}
		if again := FromSeptets(Septets(text)); again != text {
			t.Fatalf("%q is written as %q", text, again)
		}
	})
}
