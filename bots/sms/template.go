package sms

import (
	"strings"

	"shaoying/bots"
)

// Templated is a carrier that sends approved templates alone. Has reports
// whether a text can be sent: it has a template of its own, or texts without one
// have the free one.
type Templated interface {
	Has(t bots.Template) bool
}

// Name is how the configuration of an account names a text: its key for texts of
// the catalogue ("code.send"), flow and key for those of dialogues
// ("flow:survey/rating.ask"); empty for none.
func Name(t bots.Template) string {
	if t.Key == "" || strings.HasPrefix(t.Source, "texts:") {
		return t.Key
	}
	return t.Source + "/" + t.Key
}

// Find is the template of a text. An action may say a text of the catalogue
// inside a dialogue: its key alone finds it then.
func Find[T any](templates map[string]T, t bots.Template) (T, bool) {
	if found, ok := templates[Name(t)]; ok {
		return found, true
	}
	found, ok := templates[t.Key]
	return found, ok
}

// Codes say what the codes of a carrier mean for us. An entry that ends with a
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

// Between is an answer that is not the carrier's but of somebody in between: a
// proxy that lost the answer says the same as one that lost the question, and
// one that refused lost neither. Its body is not repeated.
func Between(status int) *bots.Error {
	class := bots.ClassTemporary
	if status/100 == 2 || status >= 500 {
		class = bots.ClassUnknown
	}
	return Fail(class, 0, status, "not of the carrier: a proxy, or api_url is wrong")
}
