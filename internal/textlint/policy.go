// Package textlint looks at the texts that can leave by a channel where each one
// costs money and anybody may read over a shoulder: SMS. It is pure.
//
// # What is looked at
//
// Every text that a dialogue for residents may say there (flows.Sayable) and every
// text of the catalogue that they may be told. For each: with the longest
// values that its {{…}} can have it stays within the parts of the policy; it names
// no illness and nothing that tells of one; it holds no link; a question that the
// reader did not ask for says how to stop; and it names the ticket, unless the
// policy says that it is about none. What is new must so be thought about once.
//
// # When
//
// A test looks at the embedded texts always; the program looks at the texts in
// force when it starts with a paid channel, and does not start with what must not
// go out; `flow check` looks at those of a folder.
package textlint

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"shaoying/configs"
)

// Policy is configs/policies/paid_texts.yaml, which says where its values come
// from. Keys of texts are "flow:NAME/KEY" and "texts/KEY"; a list of keys may end
// one with *.
type Policy struct {
	// Parts is how many messages a text may be billed as, by language.
	Parts map[string]int `yaml:"parts"`
	// One is how many UTF-16 units a single message holds, Many each of several.
	One  int `yaml:"one"`
	Many int `yaml:"many"`
	// Signature is how many units the provider sets before each text.
	Signature int `yaml:"signature"`
	// Longest is how many characters a value can have that no data of the city
	// bounds, by the name of the value or by its last part.
	Longest map[string]int `yaml:"longest"`
	// Offers is how many characters a list of options can have that an action makes.
	Offers int `yaml:"offers"`
	// Illness are words that tell of an illness, Links what makes a link.
	Illness []string `yaml:"illness"`
	Links   []string `yaml:"links"`
	// OptOut are the texts that must say how to stop, in one of the words.
	OptOut struct {
		Words []string `yaml:"words"`
		Keys  []string `yaml:"keys"`
	} `yaml:"opt_out"`
	// Number are the values by which a text names its ticket; General are the
	// texts that are about no ticket.
	Number  []string `yaml:"number"`
	General []string `yaml:"general"`
	// Catalogue are the texts of no dialogue that residents are told; all others are
	// for staff, who are not written to by SMS, or parts of other texts.
	Catalogue []string `yaml:"catalogue"`
	Source    string   `yaml:"source"`
}

// ParsePolicy decodes configs/policies/paid_texts.yaml strictly.
func ParsePolicy(name string, body []byte) (Policy, error) {
	var p Policy
	if err := configs.Decode(name, body, &p); err != nil {
		return p, err
	}
	if err := p.validate(); err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func (p Policy) validate() error {
	var bad []error
	for _, lang := range slices.Sorted(maps.Keys(p.Parts)) {
		if p.Parts[lang] < 1 {
			bad = append(bad, fmt.Errorf("parts.%s must be at least 1", lang))
		}
	}
	if len(p.Parts) == 0 || p.One < 1 || p.Many < 1 || p.Signature < 0 || p.Offers < 1 {
		bad = append(bad, errors.New("parts, one, many and offers must be above 0"))
	}
	if len(p.Illness) == 0 || len(p.Links) == 0 || len(p.OptOut.Words) == 0 || len(p.Number) == 0 {
		bad = append(bad, errors.New("illness, links, opt_out.words and number need words"))
	}
	if p.Source == "" {
		bad = append(bad, errors.New("source must say where the values come from"))
	}
	return errors.Join(bad...)
}

// listed reports whether a list names a key.
func listed(list []string, key string) bool {
	return slices.ContainsFunc(list, func(l string) bool {
		prefix, open := strings.CutSuffix(l, "*")
		return l == key || open && strings.HasPrefix(key, prefix)
	})
}
