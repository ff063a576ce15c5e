package privacy

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func master(b byte) []byte { return bytes.Repeat([]byte{b}, MasterSize) }

func testKeys(t testing.TB, masters ...byte) *Keys {
	t.Helper()
	var older [][]byte
	for _, m := range masters[1:] {
		older = append(older, master(m))
	}
	k, err := NewKeys(master(masters[0]), older...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// The derivation is part of the data format: a change here makes every stored
// value unreadable.
func TestDerivationIsFixed(t *testing.T) {
	k := testKeys(t, 1)
	for _, tc := range []struct{ what, got, want string }{
		{"fingerprint", k.Fingerprint(), wantFingerprint},
		{"index", hex.EncodeToString(k.Index("phone", "+8613812345678"))[:16], wantIndex},
		{"token", k.Sign(1, []byte("abc"), at(1000), "u"), wantToken},
	} {
		if tc.got != tc.want {
			t.Errorf("%s = %s, want %s", tc.what, tc.got, tc.want)
		}
	}
	sealed, err := hex.DecodeString(wantSealed)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := k.Open(sealed, "t:1"); err != nil || string(plain) != "水井盖" {
		t.Errorf("a value sealed by the first version: %q, %v", plain, err)
	}
}

func TestNewKeysRefuses(t *testing.T) {
	for _, m := range [][]byte{nil, {}, make([]byte, 31), make([]byte, 33)} {
		if _, err := NewKeys(m); err == nil {
			t.Errorf("a master of %d bytes went well", len(m))
		}
	}
	if _, err := NewKeys(master(1), master(1)); err == nil {
		t.Error("the same key twice went well")
	}
}

func TestKeysAreApart(t *testing.T) {
	k := testKeys(t, 1).live[0]
	seen := map[string]bool{}
	for _, key := range [][]byte{k.index, k.button, k.session, master(1)} {
		if seen[string(key)] {
			t.Fatal("two uses share a key")
		}
		seen[string(key)] = true
	}
}

func TestSealRoundTrip(t *testing.T) {
	k := testKeys(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		aad := rapid.String().Draw(t, "aad")
		sealed := k.Seal(plain, aad)
		if len(sealed) != len(plain)+SealOverhead {
			t.Fatalf("%d bytes sealed to %d", len(plain), len(sealed))
		}
		if len(plain) > 4 && bytes.Contains(sealed, plain) {
			t.Fatal("the plain text shows")
		}
		got, err := k.Open(sealed, aad)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("opened to %x, %v", got, err)
		}
		if bytes.Equal(sealed, k.Seal(plain, aad)) {
			t.Fatal("sealing twice gives the same bytes")
		}
		if _, err := k.Open(sealed, aad+"x"); !errors.Is(err, ErrDamaged) {
			t.Fatalf("opened in another place: %v", err)
		}
		bad := bytes.Clone(sealed)
		i := rapid.IntRange(0, len(bad)-1).Draw(t, "at")
		bad[i] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if _, err := k.Open(bad, aad); err == nil {
			t.Fatalf("opened with byte %d changed", i)
		}
		if _, err := k.Open(sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "cut")], aad); err == nil {
			t.Fatal("opened when cut")
		}
	})
}

func TestRotation(t *testing.T) {
	before := testKeys(t, 1)
	during := testKeys(t, 2, 1)
	after := testKeys(t, 2)

	old := before.Seal([]byte("x"), "a")
	if got, err := during.Open(old, "a"); err != nil || string(got) != "x" {
		t.Fatalf("while both live: %q, %v", got, err)
	}
	if !during.Stale(old) || before.Stale(old) || during.Stale(during.Seal(nil, "a")) {
		t.Error("Stale does not follow the writing key")
	}
	if _, err := after.Open(old, "a"); !errors.Is(err, ErrKeyGone) {
		t.Errorf("after the old key left: %v, want ErrKeyGone", err)
	}
	renewed := during.Seal([]byte("x"), "a")
	if _, err := after.Open(renewed, "a"); err != nil {
		t.Errorf("sealed during, opened after: %v", err)
	}
	indexes := during.Indexes("phone", "1")
	if !bytes.Equal(indexes[0], after.Index("phone", "1")) || !bytes.Equal(indexes[1], before.Index("phone", "1")) {
		t.Error("Indexes does not hold both, the writing one first")
	}
	if got, want := during.Fingerprints(), []string{after.Fingerprint(), before.Fingerprint()}; got[0] != want[0] || got[1] != want[1] {
		t.Errorf("fingerprints %v, want %v", got, want)
	}
	if _, _, err := during.Verify(before.Sign(1, nil, at(10), "u"), "u", at(5)); err != nil {
		t.Errorf("a button of the old key: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	k := testKeys(f, 1, 2)
	f.Add(k.Seal([]byte("x"), "a"))
	f.Add([]byte{})
	f.Add([]byte{1, 0})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if plain, err := k.Open(sealed, "other"); err == nil {
			t.Fatalf("opened to %x", plain)
		}
	})
}

func TestLoadOrCreateKey(t *testing.T) {
	t.Setenv(KeyVariable, "")
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := LoadOrCreateKey(dir, false); !errors.Is(err, ErrNoKey) {
		t.Fatalf("nothing there and none to be made: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Fatal("a folder was made all the same")
	}
	first, err := LoadOrCreateKey(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v, %v", info, err)
	}
	for _, create := range []bool{true, false} {
		again, err := LoadOrCreateKey(dir, create)
		if err != nil || again.Fingerprint() != first.Fingerprint() {
			t.Fatalf("second start: %v", err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, keyFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateKey(dir, true); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Fatalf("a key that others can read: %v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
}

func TestManyProcessesMakeOneKey(t *testing.T) {
	t.Setenv(KeyVariable, "")
	dir := t.TempDir()
	prints := make([]string, 16)
	var wg sync.WaitGroup
	for i := range prints {
		wg.Go(func() {
			k, err := LoadOrCreateKey(dir, true)
			if err != nil {
				t.Error(err)
				return
			}
			prints[i] = k.Fingerprint()
		})
	}
	wg.Wait()
	for _, p := range prints {
		if p != prints[0] {
			t.Fatalf("keys differ: %v", prints)
		}
	}
}

func TestKeyVariable(t *testing.T) {
	one, two := testKeys(t, 1), testKeys(t, 2)
	hexOne := hex.EncodeToString(master(1))
	b64Two := base64.StdEncoding.EncodeToString(master(2))
	dir := t.TempDir()
	for _, tc := range []struct{ text, want string }{
		{hexOne, one.Fingerprint()},
		{"  " + strings.ToUpper(hexOne) + "\n", one.Fingerprint()},
		{b64Two, two.Fingerprint()},
		{b64Two + " " + hexOne, two.Fingerprint()},
	} {
		t.Setenv(KeyVariable, tc.text)
		k, err := LoadOrCreateKey(dir, true)
		if err != nil || k.Fingerprint() != tc.want {
			t.Errorf("%q: %v", tc.text, err)
		}
	}
	for _, text := range []string{"CANARY", hexOne + "00", hexOne[:62], hexOne + " CANARY", hexOne + " " + hexOne} {
		t.Setenv(KeyVariable, text)
		_, err := LoadOrCreateKey(dir, true)
		if err == nil || !strings.Contains(err.Error(), KeyVariable) {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && (strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), hexOne[:16])) {
			t.Errorf("the error tells the key: %v", err)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("a key file was made beside the variable: %v", files)
	}
	t.Setenv(KeyVariable, "")
	if err := os.WriteFile(filepath.Join(dir, keyFile), []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateKey(dir, true); err == nil || !strings.Contains(err.Error(), "no key in it") {
		t.Errorf("an empty key file: %v", err)
	}
}
