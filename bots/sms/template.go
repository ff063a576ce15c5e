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
// ("flow:survey/collect.rating.paid"); empty for none.
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

// NoTemplate refuses a text that has neither a template of its own nor a free one.
func NoTemplate(t bots.Template) *bots.Error {
	return Refuse("the text %q has no approved template: add it to templates of the channel, or name a free one", Name(t))
}

// Value is the value of a text that its template asks for, by our name of it.
// Errors are *bots.Error.
func Value(t bots.Template, ours string) (string, error) {
	value, ok := t.Params[ours]
	if !ok {
		return "", Refuse("the template of %q wants the value %q, which the text does not have", Name(t), ours)
	}
	return value, nil
}
