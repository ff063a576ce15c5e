package wire

import (
	"fmt"
	"strings"
	"time"

	"shaoying/bots"
)

// Refuse says that our own message is bad.
func Refuse(format string, args ...any) *bots.Error {
	return &bots.Error{Class: bots.ClassRejected, Err: fmt.Errorf(format, args...)}
}

// Fail says in one line why a send failed. What the network wrote is cut down
// to letters that cannot be anybody's words, and digits that cannot be a number.
func Fail(class bots.Class, after time.Duration, status int, said string) *bots.Error {
	return &bots.Error{Class: class, After: after, Err: fmt.Errorf("answer %d: %s", status, Plain(said))}
}

// maxPlain is the longest that Plain keeps.
const maxPlain = 120

// Plain keeps of what a network wrote what may stand in a log: ASCII, and no
// digits in a row that could be a phone number.
func Plain(said string) string {
	var out strings.Builder
	digits := 0
	for _, r := range said {
		if r < ' ' || r > '~' {
			continue
		}
		if r >= '0' && r <= '9' {
			digits++
		} else {
			digits = 0
		}
		if digits <= 6 && out.Len() < maxPlain {
			out.WriteRune(r)
		}
	}
	return strings.TrimSpace(out.String())
}

// Codes say what the codes of a network mean for us. An entry that ends with a
// dot or an underscore stands for all codes that begin with it.
type Codes map[string]bots.Class

// Of finds the entry for a code, the longest where several are right.
func (c Codes) Of(code string) (class bots.Class, ok bool) {
	if class, ok = c[code]; ok {
		return class, true
	}
	best := 0
	for start, entry := range c {
		if strings.HasSuffix(start, ".") || strings.HasSuffix(start, "_") {
			if strings.HasPrefix(code, start) && len(start) > best {
				best, class = len(start), entry
			}
		}
	}
	return class, best > 0
}

// Between is an answer that is not the network's but of somebody in between: a
// proxy that lost the answer says the same as one that lost the question, and
// one that refused lost neither. Its body is not repeated.
func Between(status int) *bots.Error {
	class := bots.ClassTemporary
	if status/100 == 2 || status >= 500 {
		class = bots.ClassUnknown
	}
	return Fail(class, 0, status, "not of the network: a proxy, or api_url is wrong")
}
