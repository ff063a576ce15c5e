package sms

import (
	"shaoying/bots"
	"shaoying/bots/wire"
)

// Templated is a carrier that sends approved templates alone. Has reports
// whether a text can be sent: it has a template of its own, or texts without one
// have the free one.
type Templated interface {
	Has(t bots.Template) bool
}

// NoTemplate refuses a text that has neither a template of its own nor a free one.
func NoTemplate(t bots.Template) *bots.Error {
	return wire.Refuse("the text %q has no approved template: add it to templates of the channel, or name a free one", t.Name())
}

// Value is the value of a text that its template asks for, by our name of it.
// Errors are *bots.Error.
func Value(t bots.Template, ours string) (string, error) {
	value, ok := t.Params[ours]
	if !ok {
		return "", wire.Refuse("the template of %q wants the value %q, which the text does not have", t.Name(), ours)
	}
	return value, nil
}
