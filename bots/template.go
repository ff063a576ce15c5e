package bots

import "strings"

// Template is a text of the catalogue with its values.
type Template struct {
	// Source and Key name the text: "texts:jobs" and "code.send", "flow:survey"
	// and "collect.rating.paid".
	Source, Key string
	Params      map[string]string
}

// Name is how the configuration of an account names a text: its key for texts of
// the catalogue ("code.send"), flow and key for those of dialogues
// ("flow:survey/collect.rating.paid"); empty for none.
func (t Template) Name() string {
	if t.Key == "" || strings.HasPrefix(t.Source, "texts:") {
		return t.Key
	}
	return t.Source + "/" + t.Key
}

// FindTemplate finds what an account keeps for a text. An action may say a text
// of the catalogue inside a dialogue: its key alone finds it then.
func FindTemplate[T any](templates map[string]T, t Template) (T, bool) {
	if found, ok := templates[t.Name()]; ok {
		return found, true
	}
	found, ok := templates[t.Key]
	return found, ok
}
