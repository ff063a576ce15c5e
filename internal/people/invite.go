package people

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// InviteCode lets one person join as staff, once. Eight letters and digits
// without those that look alike (0 O, 1 I L): 31^8 is about 40 bits, enough
// for a code that expires and whose use is rate limited, short enough to be
// read out over the phone.
type InviteCode string

const (
	inviteAlphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
	inviteLength   = 8
)

// NewInviteCode draws a code. random is crypto/rand.Reader outside tests.
func NewInviteCode(random io.Reader) (InviteCode, error) {
	code, err := draw(random, inviteAlphabet, inviteLength)
	if err != nil {
		return "", fmt.Errorf("drawing an invite code: %w", err)
	}
	return InviteCode(code), nil
}

// draw picks n characters evenly.
func draw(random io.Reader, alphabet string, n int) (string, error) {
	fair := 256 / len(alphabet) * len(alphabet)
	out := make([]byte, 0, n)
	var b [1]byte
	for len(out) < n {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", err
		}
		if int(b[0]) < fair {
			out = append(out, alphabet[int(b[0])%len(alphabet)])
		}
	}
	return string(out), nil
}

// ErrInviteCode: the text is no invite code.
var ErrInviteCode = errors.New("not an invite code: it has eight letters and digits, without 0 O 1 I L")

// ParseInviteCode reads a code in any case and width, with spaces or dashes.
func ParseInviteCode(s string) (InviteCode, error) {
	s = strings.ToUpper(strings.TrimSpace(norm.NFKC.String(s)))
	s = strings.NewReplacer(" ", "", "-", "").Replace(s)
	if len(s) != inviteLength || strings.Trim(s, inviteAlphabet) != "" {
		return "", ErrInviteCode
	}
	return InviteCode(s), nil
}

// Spoken returns the code in two groups: "7KQ2 M9XD".
func (c InviteCode) Spoken() string {
	if len(c) != inviteLength {
		return string(c)
	}
	return string(c[:inviteLength/2] + " " + c[inviteLength/2:])
}

// Indexer makes keyed one-way hashes; privacy.Keys is one.
type Indexer interface {
	Index(kind, value string) []byte
}

// Hash is what the database keeps of the code. It is keyed because 40 bits
// alone could be searched by who steals the table.
func (c InviteCode) Hash(keys Indexer) []byte { return keys.Index("invite", string(c)) }

// Invite is a place on the staff list that waits for somebody.
type Invite struct {
	Hash      []byte
	Name      string
	Grant     Grant
	CreatedBy string
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
	UsedBy    int64
}

// Why an invite or a one-time code is not accepted.
var (
	ErrUsed    = errors.New("used already")
	ErrExpired = errors.New("expired")
	ErrTries   = errors.New("tried too often")
	ErrWrong   = errors.New("wrong")
)

// Usable returns ErrUsed or ErrExpired, or nil.
func (i Invite) Usable(now time.Time) error {
	switch {
	case !i.UsedAt.IsZero():
		return ErrUsed
	case !now.Before(i.ExpiresAt):
		return ErrExpired
	}
	return nil
}

// OneTimeCode is a proof on its way: digits sent to an address of the person,
// to be typed at the address that asks for something. It is good for that one
// request only (promise S3).
type OneTimeCode struct {
	ID        int64
	PersonID  int64
	AddressID int64  // who asks
	SentTo    int64  // address the digits went to
	Request   string // what it will allow, for instance "person.export"
	Hash      []byte
	Tries     int
	ExpiresAt time.Time
	UsedAt    time.Time
}

// NewOneTimeDigits draws the digits of a code.
func NewOneTimeDigits(random io.Reader, p CodePolicy) (string, error) {
	code, err := draw(random, "0123456789", p.Digits)
	if err != nil {
		return "", fmt.Errorf("drawing a one-time code: %w", err)
	}
	return code, nil
}

// HashOneTime is what the database keeps; the request and the asking address
// are part of it, so that a code cannot be carried over to another.
func HashOneTime(keys Indexer, digits, request string, addressID int64) []byte {
	return keys.Index("one-time", fmt.Sprintf("%d\n%s\n%s", addressID, request, strings.TrimSpace(norm.NFKC.String(digits))))
}

// Check compares what was typed. Whatever it returns, the caller counts the
// try; on nil it marks the code used in the same transaction.
func (c OneTimeCode) Check(hash []byte, p CodePolicy, now time.Time) error {
	switch {
	case !c.UsedAt.IsZero():
		return ErrUsed
	case c.Tries >= p.Tries:
		return ErrTries
	case !now.Before(c.ExpiresAt):
		return ErrExpired
	case subtle.ConstantTimeCompare(c.Hash, hash) != 1:
		return ErrWrong
	}
	return nil
}
