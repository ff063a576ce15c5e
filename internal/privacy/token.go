package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

const (
	tokenHeader = 1 + 4 // kind, expiry in Unix seconds
	tokenMAC    = 16    // bytes kept of HMAC-SHA256, NIST SP 800-107 5.3.3 allows 4
	// TokenPayload is the longest payload whose token still fits the 64 bytes
	// that Telegram gives a button.
	TokenPayload = 24
)

var (
	// ErrForged: not made by us, altered, or made for somebody else.
	ErrForged = errors.New("button is forged or belongs to another user")
	// ErrExpired: ours and for this user, but its time is over.
	ErrExpired = errors.New("button is too old")

	// tokenText is strict, so that one token has one spelling.
	tokenText = base64.RawURLEncoding.Strict()
)

// Sign makes the data of a button: kind says what it is for, payload what it
// means, bind who may press it (channel, chat and user), exp until when, to the
// second. The text has 4/3 × (21 + len(payload)) bytes of A–Z a–z 0–9 - _ and
// so at most 64 for TokenPayload bytes. The payload is readable by whoever has
// the token: it holds ids, never words.
func (k *Keys) Sign(kind byte, payload []byte, exp time.Time, bind string) string {
	body := make([]byte, tokenHeader, tokenHeader+len(payload)+tokenMAC)
	body[0] = kind
	binary.BigEndian.PutUint32(body[1:], uint32(exp.Unix()))
	body = append(body, payload...)
	return tokenText.EncodeToString(append(body, tokenSum(k.live[0], body, bind)...))
}

// Verify returns kind and payload of a token that Sign made for bind. After its
// time it returns them with ErrExpired, so that a caller can say which button
// was too old; anything else gives ErrForged and nothing.
func (k *Keys) Verify(token, bind string, now time.Time) (kind byte, payload []byte, err error) {
	raw, err := tokenText.DecodeString(token)
	if err != nil || len(raw) < tokenHeader+tokenMAC || strings.ContainsAny(token, "\r\n") { // the decoder skips line breaks
		return 0, nil, ErrForged
	}
	body, sum := raw[:len(raw)-tokenMAC], raw[len(raw)-tokenMAC:]
	for _, key := range k.live {
		if !hmac.Equal(sum, tokenSum(key, body, bind)) {
			continue
		}
		kind, payload = body[0], body[tokenHeader:]
		if now.Unix() > int64(binary.BigEndian.Uint32(body[1:])) {
			return kind, payload, ErrExpired
		}
		return kind, payload, nil
	}
	return 0, nil, ErrForged
}

// tokenSum covers the length of body first, so that no byte can move between
// body and bind.
func tokenSum(key *derived, body []byte, bind string) []byte {
	mac := hmac.New(sha256.New, key.button)
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], uint32(len(body)))
	mac.Write(length[:])
	mac.Write(body)
	mac.Write([]byte(bind))
	return mac.Sum(nil)[:tokenMAC]
}
