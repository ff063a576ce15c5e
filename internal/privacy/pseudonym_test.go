package privacy

import (
	"errors"
	"strings"
	"testing"
)

func TestPseudonym(t *testing.T) {
	k := testKeys(t, 1)
	for _, value := range []string{"", "+8613800138000", "+8613800138001", "+8679968860000", strings.Repeat("9", 16), strings.Repeat("9", 17)} {
		name := k.Pseudonym("phone", value)
		if again := k.Pseudonym("phone", value); again != name {
			t.Errorf("%q has two names, %s and %s", value, name, again)
		}
		if got, err := k.OpenPseudonym("phone", name); err != nil || got != value {
			t.Errorf("%q comes back as %q, %v", value, got, err)
		}
		if value != "" && strings.Contains(name, value) {
			t.Errorf("the name of %q shows it: %s", value, name)
		}
		if other := k.Pseudonym("account", value); other == name {
			t.Errorf("two kinds share the name %s", name)
		}
	}
	if a, b := k.Pseudonym("phone", "+8613800138000"), k.Pseudonym("phone", "+8679968860000"); len(a) != len(b) {
		t.Errorf("names tell how long a number is: %d and %d", len(a), len(b))
	}
}

func TestPseudonymRefuses(t *testing.T) {
	k := testKeys(t, 1)
	name := k.Pseudonym("phone", "+8613800138000")
	flipped := []byte(name)
	flipped[len(flipped)/2] ^= 1
	for _, bad := range []string{"", "A", "+8613800138000", name[:len(name)-2], string(flipped), name + "AAAA", testKeys(t, 9).Pseudonym("phone", "+8613800138000")} {
		if got, err := k.OpenPseudonym("phone", bad); !errors.Is(err, ErrPseudonym) {
			t.Errorf("%q opens as %q, %v", bad, got, err)
		}
	}
	if got, err := k.OpenPseudonym("account", name); !errors.Is(err, ErrPseudonym) {
		t.Errorf("a name of another kind opens as %q, %v", got, err)
	}
}

// A new master renames nobody.
func TestPseudonymAfterRotation(t *testing.T) {
	before, after := testKeys(t, 1), testKeys(t, 2, 1)
	name := before.Pseudonym("phone", "+8613800138000")
	if got := after.Pseudonym("phone", "+8613800138000"); got != name {
		t.Errorf("a new master renames %s to %s", name, got)
	}
	if got, err := after.OpenPseudonym("phone", name); err != nil || got != "+8613800138000" {
		t.Errorf("after a rotation: %q, %v", got, err)
	}
}
