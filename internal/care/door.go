package care

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// DoorCode 上门核验码 is the four digits in the family's text that the visitor
// says at the door. They hang on the key and the visit alone: who moves or
// reassigns a visit changes no code, and nothing is stored.
//
// It keeps out who does not work for the clinic; it is no secret between
// visitor and family. A visitor asks for no money and no code.
func DoorCode(key []byte, visitID int64) (string, error) {
	if len(key) < sha256.Size {
		return "", errors.New("door code: the key is too short")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("shaoying door code"))
	var id [8]byte
	binary.BigEndian.PutUint64(id[:], uint64(visitID))
	mac.Write(id[:])
	n := binary.BigEndian.Uint64(mac.Sum(nil)) % 10_000
	return fmt.Sprintf("%04d", n), nil
}

// Verdict is what was said at the door against what stands in the text.
type Verdict string

// The verdicts. All but Right go to the desk.
const (
	Right    Verdict = "right"
	Wrong    Verdict = "wrong"
	NotToday Verdict = "not_today" // no visit of this code is on
	TooOften Verdict = "too_often" // the desk takes over
)

// Verify compares the digits that somebody at the door said with those of the
// visit. tries is how often wrong digits were reported before. Digits may be
// wide or spaced, as people write them.
func (r *Rules) Verify(key []byte, v Visit, said string, tries int, now time.Time) (Verdict, error) {
	want, err := DoorCode(key, v.ID)
	if err != nil {
		return "", err
	}
	same := subtle.ConstantTimeCompare([]byte(want), []byte(digits(said))) == 1
	switch {
	case tries >= r.policy.Door.Tries:
		return TooOften, nil
	case v.Date != r.day(now) || !v.State.Waiting() && !v.State.UnderWay():
		return NotToday, nil
	case same:
		return Right, nil
	}
	return Wrong, nil
}

// digits keeps the digits of what was said, wide ones made plain.
func digits(said string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= '0' && c <= '9':
			return c
		case c >= '\uff10' && c <= '\uff19':
			return c - '\uff10' + '0'
		}
		return -1
	}, said)
}
