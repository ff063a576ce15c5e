package words

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Safety knows the words of danger. It is read-only after ParseSafety.
type Safety struct {
	span   int
	unreal []string
	rules  []rule
}

// Hit is a danger that a message tells of.
type Hit struct {
	// Code names the rule: fire, gas, trapped, …. When several rules fit it is
	// the first in configs/safety.yaml, which stands in order of haste.
	Code string
	// Numbers to call, of all rules that fit: 119, 120, 110.
	Numbers []string
	// Matter is the code of the matter under which the ticket is filed.
	Matter string
}

// Key is the key of the resident text that is said first.
func (h Hit) Key() string { return "safety." + h.Code }

// safetyFile is configs/safety.yaml, which says how a rule is read.
type safetyFile struct {
	Source string              `yaml:"source"`
	Span   int                 `yaml:"span"`
	Unreal []string            `yaml:"unreal"`
	Groups map[string][]string `yaml:"groups"`
	Rules  []ruleFile          `yaml:"rules"`
}

type ruleFile struct {
	Code    string            `yaml:"code"`
	Note    string            `yaml:"note"`
	Numbers []string          `yaml:"numbers"`
	Matter  string            `yaml:"matter"`
	Raise   [][][]string      `yaml:"raise"`
	Mask    []string          `yaml:"mask"`
	Over    []string          `yaml:"over"`
	Text    map[string]string `yaml:"text"`
}

type rule struct {
	code, matter string
	numbers      []string
	patterns     []pattern
	mask, over   []string
	text         map[string]string
}

// pattern fits a sentence when a word of every group is in it, near the
// others.
type pattern [][]string

// ParseSafety reads configs/safety.yaml. name is the file's name for errors.
func ParseSafety(name string, body []byte) (*Safety, error) {
	var f safetyFile
	if err := decode(name, body, &f); err != nil {
		return nil, err
	}
	s := &Safety{span: f.Span, unreal: prepare(f.Unreal)}
	var errs []error
	if f.Span <= 0 {
		errs = append(errs, errors.New("span: must be a number of characters above 0"))
	}
	if len(f.Rules) == 0 {
		errs = append(errs, errors.New("rules: none; danger would never be noticed"))
	}
	for i, rf := range f.Rules {
		r, err := rf.build(f.Groups)
		if err != nil {
			errs = append(errs, fmt.Errorf("rules[%d] %s: %w", i, rf.Code, err))
		}
		if slices.ContainsFunc(s.rules, func(o rule) bool { return o.code == r.code }) {
			errs = append(errs, fmt.Errorf("rules[%d] %s: the code is there twice", i, rf.Code))
		}
		s.rules = append(s.rules, r)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func (rf ruleFile) build(groups map[string][]string) (rule, error) {
	r := rule{code: rf.Code, matter: rf.Matter, numbers: rf.Numbers, text: rf.Text}
	r.mask, r.over = prepare(rf.Mask), prepare(rf.Over)
	switch {
	case rf.Code == "" || rf.Matter == "" || len(rf.Numbers) == 0:
		return r, errors.New("code, matter and numbers are needed")
	case rf.Text[textLang] == "":
		return r, fmt.Errorf("text: %s is missing", textLang)
	case len(rf.Raise) == 0:
		return r, errors.New("raise: no pattern, the rule can never fit")
	}
	for _, number := range rf.Numbers {
		if !strings.Contains(rf.Text[textLang], number) {
			return r, fmt.Errorf("text: does not name %s", number)
		}
	}
	for _, raise := range rf.Raise {
		var p pattern
		for _, group := range raise {
			list, err := expand(group, groups)
			if err != nil {
				return r, err
			}
			p = append(p, list)
		}
		if len(p) == 0 {
			return r, errors.New("raise: a pattern without words would fit every message")
		}
		r.patterns = append(r.patterns, p)
	}
	return r, nil
}

// textLang is the language that every text must have.
const textLang = "zh-Hans"

// expand puts the words of shared groups (@child) in their place.
func expand(group []string, groups map[string][]string) ([]string, error) {
	var all []string
	for _, w := range group {
		name, shared := strings.CutPrefix(w, "@")
		switch list, known := groups[name]; {
		case !shared:
			all = append(all, w)
		case !known:
			return nil, fmt.Errorf("raise: unknown group %s, known are %v", w, slices.Sorted(maps.Keys(groups)))
		default:
			all = append(all, list...)
		}
	}
	if all = prepare(all); len(all) == 0 {
		return nil, errors.New("raise: a group without words can never fit")
	}
	return all, nil
}

// Texts returns what the resident is told first, by text key and language.
func (s *Safety) Texts() map[string]map[string]string {
	out := make(map[string]map[string]string, len(s.rules))
	for _, r := range s.rules {
		out[Hit{Code: r.code}.Key()] = maps.Clone(r.text)
	}
	return out
}

// Matters returns the matter code of every rule, for a check against the list
// of matters.
func (s *Safety) Matters() []string {
	var out []string
	for _, r := range s.rules {
		out = append(out, r.matter)
	}
	return out
}

// Examine looks for danger in a message. It errs towards danger: a needless
// "call 119 first" costs a moment.
func (s *Safety) Examine(text string) (Hit, bool) {
	var hit Hit
	sentences := sentences(text)
	for _, r := range s.rules {
		if !slices.ContainsFunc(sentences, func(t string) bool { return s.fits(r, t) }) {
			continue
		}
		if hit.Code == "" {
			hit.Code, hit.Matter = r.code, r.matter
		}
		for _, n := range r.numbers {
			if !slices.Contains(hit.Numbers, n) {
				hit.Numbers = append(hit.Numbers, n)
			}
		}
	}
	return hit, hit.Code != ""
}

// sentences splits at full stops and line ends only: residents put commas, or
// nothing, between a danger and its details.
func sentences(text string) []string {
	var out []string
	for _, s := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("。！!；;\n\r", r) }) {
		if s = compact(Normalize(s)); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func (s *Safety) fits(r rule, sentence string) bool {
	if !r.maybe(sentence) {
		return false
	}
	for _, w := range r.over {
		if strings.Contains(sentence, w) {
			return false
		}
	}
	for _, w := range r.mask {
		if strings.Contains(sentence, w) {
			sentence = strings.ReplaceAll(sentence, w, strings.Repeat(idiom, runes(w)))
		}
	}
	return slices.ContainsFunc(r.patterns, func(p pattern) bool { return s.matches(p, sentence) })
}

// maybe reports whether any pattern could fit at all. It saves nearly every
// message the rest of the work.
func (r rule) maybe(sentence string) bool {
	return slices.ContainsFunc(r.patterns, func(p pattern) bool {
		return slices.ContainsFunc(p[0], func(w string) bool { return strings.Contains(sentence, w) })
	})
}

// matches looks for a word of the first group that has a word of every other
// group within span characters.
func (s *Safety) matches(p pattern, sentence string) bool {
	for _, w := range p[0] {
		for from := 0; ; {
			i := strings.Index(sentence[from:], w)
			if i < 0 {
				break
			}
			from += i + len(w)
			if !s.real(sentence, from-len(w)) {
				continue
			}
			if s.near(p[1:], around(sentence, from-len(w), from, s.span)) {
				return true
			}
		}
	}
	return false
}

// near reports whether a word of every group is in the window.
func (s *Safety) near(groups [][]string, window string) bool {
	for _, group := range groups {
		if !slices.ContainsFunc(group, func(w string) bool { return s.occurs(window, w) }) {
			return false
		}
	}
	return true
}

// occurs reports whether w is in t at least once as something that happens.
func (s *Safety) occurs(t, w string) bool {
	for from := 0; ; {
		i := strings.Index(t[from:], w)
		if i < 0 {
			return false
		}
		if s.real(t, from+i) {
			return true
		}
		from += i + len(w)
	}
}

// real reports whether the word at the given place is told as happening:
// nothing right before it says no (没着火) or only fears it (怕着火).
func (s *Safety) real(sentence string, at int) bool {
	return suffixIn(sentence[:at], s.unreal) == ""
}

// around returns s[from:to] with up to span characters on both sides.
func around(s string, from, to, span int) string {
	for n := 0; from > 0 && n < span; n++ {
		from--
		for from > 0 && s[from]&0xC0 == 0x80 {
			from--
		}
	}
	for n := 0; to < len(s) && n < span; n++ {
		to++
		for to < len(s) && s[to]&0xC0 == 0x80 {
			to++
		}
	}
	return s[from:to]
}
