package privacy

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func at(unix int64) time.Time { return time.Unix(unix, 0).UTC() }

func TestTokenRoundTrip(t *testing.T) {
	k := testKeys(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.Byte().Draw(t, "kind")
		payload := rapid.SliceOfN(rapid.Byte(), 0, TokenPayload).Draw(t, "payload")
		bind := rapid.String().Draw(t, "bind")
		exp := rapid.Int64Range(0, 1<<32-1).Draw(t, "exp")
		token := k.Sign(kind, payload, at(exp), bind)
		if len(token) > 64 {
			t.Fatalf("%d bytes of payload make a token of %d", len(payload), len(token))
		}
		gotKind, gotPayload, err := k.Verify(token, bind, at(exp))
		if err != nil || gotKind != kind || !bytes.Equal(gotPayload, payload) {
			t.Fatalf("verified to %d %x, %v", gotKind, gotPayload, err)
		}
		gotKind, gotPayload, err = k.Verify(token, bind, at(exp+1))
		if !errors.Is(err, ErrExpired) || gotKind != kind || !bytes.Equal(gotPayload, payload) {
			t.Fatalf("a second late: %d %x, %v", gotKind, gotPayload, err)
		}
		if _, got, err := k.Verify(token, bind+"x", at(0)); !errors.Is(err, ErrForged) || got != nil {
			t.Fatalf("pressed by another: %x, %v", got, err)
		}
	})
}

// Promise S12: 5,000 altered tokens have no effect.
func TestS12AlteredTokens(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	k := testKeys(t, 1)
	token := k.Sign(3, []byte("ticket:4711 take"), at(1000), "web/c/u")
	tried := 0
	try := func(s string) {
		if s == token {
			return
		}
		tried++
		if kind, payload, err := k.Verify(s, "web/c/u", at(500)); !errors.Is(err, ErrForged) || payload != nil || kind != 0 {
			t.Fatalf("%q verified to %d %q, %v", s, kind, payload, err)
		}
	}
	for i := range token {
		for _, c := range alphabet {
			try(token[:i] + string(c) + token[i+1:])
			try(token[:i] + string(c) + token[i:])
		}
		try(token[:i])
		try(token[i:])
	}
	for _, s := range []string{"", "=", token + "=", token + "\n", " " + token, strings.ToUpper(token), token + token, testKeys(t, 2).Sign(3, []byte("ticket:4711 take"), at(1000), "web/c/u")} {
		try(s)
	}
	if tried < 5000 {
		t.Fatalf("only %d were tried", tried)
	}
}

// No byte can move between payload and bind.
func TestTokenBoundary(t *testing.T) {
	k := testKeys(t, 1)
	raw, err := tokenText.DecodeString(k.Sign(1, []byte("ab"), at(10), "cd"))
	if err != nil {
		t.Fatal(err)
	}
	sum := raw[len(raw)-tokenMAC:]
	body := append(bytes.Clone(raw[:len(raw)-tokenMAC]), 'c')
	if _, _, err := k.Verify(tokenText.EncodeToString(append(body, sum...)), "d", at(5)); !errors.Is(err, ErrForged) {
		t.Fatalf("moved a byte: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	k := testKeys(f, 1, 2)
	f.Add(k.Sign(1, []byte("x"), at(10), "u"))
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, token string) {
		if _, _, err := k.Verify(token, "somebody else", at(0)); !errors.Is(err, ErrForged) {
			t.Fatalf("%q: %v", token, err)
		}
	})
}
