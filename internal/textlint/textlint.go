package textlint

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"

	"shaoying/flows"
)

// paid is what a channel of SMS can do.
func paid() flows.Caps { return flows.Caps{Paid: true} }

// Texts are those to look at.
type Texts struct {
	Flows []*flows.Definition
	// Catalogue are the texts that belong to no dialogue, by the file they stand in.
	Catalogue map[string]*flows.Texts
	// Values are what the data of the city can put into a text, by the name of the
	// value or by its last part: the names of desks, matters, places.
	Values map[string][]string
}

// text is one that can leave.
type text struct {
	key, file string
	flows.Sayable
}

// Problem is what is wrong with a text, and what to do.
type Problem struct {
	flows.Problem
	// Forbidden: it must not go out at all. Everything else costs money, or a
	// question by the reader.
	Forbidden bool
}

// Check returns what is wrong, in the order of files and lines.
func (p Policy) Check(t Texts) []Problem {
	l := linter{p: p, values: t.Values}
	for _, d := range t.Flows {
		if d.Audience == flows.AudienceStaff {
			continue
		}
		for _, s := range d.Sayable(paid()) {
			l.text(text{"flow:" + d.Name + "/" + s.Key, d.File(), s})
		}
	}
	for _, file := range slices.Sorted(maps.Keys(t.Catalogue)) {
		for _, s := range t.Catalogue[file].Each() {
			if key := "texts/" + s.Key; listed(p.Catalogue, key) {
				l.text(text{key, file, s})
			}
		}
	}
	return l.problems
}

type linter struct {
	p        Policy
	values   map[string][]string
	problems []Problem
}

func (l *linter) report(t text, format string, args ...any) {
	l.problems = append(l.problems, Problem{Problem: flows.Problem{File: t.file, Line: t.Line, Message: t.key + ": " + fmt.Sprintf(format, args...)}})
}

func (l *linter) forbid(t text, format string, args ...any) {
	l.report(t, format, args...)
	l.problems[len(l.problems)-1].Forbidden = true
}

func (l *linter) text(t text) {
	params, ok := l.params(t)
	for _, lang := range slices.Sorted(maps.Keys(t.Text)) {
		if ok {
			l.length(t, lang, params)
		}
		l.words(t, lang)
		if listed(l.p.OptOut.Keys, t.key) && !holdsAny(t.Text[lang], l.p.OptOut.Words) {
			l.report(t, "(%s) does not say how to stop: end it with %s", lang, l.p.OptOut.Words[0])
		}
	}
	if !listed(l.p.General, t.key) && !slices.ContainsFunc(t.Paths, l.namesTicket) {
		l.report(t, "does not name the ticket: put {{ticket.number}} in, or list it under general in policies/paid_texts.yaml if it is about none")
	}
}

func (l *linter) namesTicket(path string) bool { return slices.Contains(l.p.Number, last(path)) }

// words looks for what must not stand in a text.
func (l *linter) words(t text, lang string) {
	said := strings.ToLower(t.Text[lang])
	for _, w := range l.p.Illness {
		if strings.Contains(said, strings.ToLower(w)) {
			l.forbid(t, "(%s) says %q, which tells of an illness to whoever sees the telephone: say it in general words", lang, w)
			break
		}
	}
	for _, w := range l.p.Links {
		if strings.Contains(said, w) {
			l.forbid(t, "(%s) holds the link %q: carriers refuse links, say what to answer instead", lang, w)
			break
		}
	}
}

// params are the longest values of a text.
func (l *linter) params(t text) (map[string]string, bool) {
	params := map[string]string{}
	for _, path := range t.Paths {
		v, ok := l.longest(path)
		if !ok {
			l.report(t, "nobody knows how long {{%s}} can get: say so under longest in policies/paid_texts.yaml", path)
			return nil, false
		}
		params[path] = v
	}
	return params, true
}

// length counts a text with the longest values.
func (l *linter) length(t text, lang string, params map[string]string) {
	said, err := flows.Render(t.Text[lang], params)
	if err != nil {
		l.report(t, "(%s) %v", lang, err)
		return
	}
	for i, label := range t.Labels {
		said += fmt.Sprintf("\n%d %s", i+1, label.In(lang))
	}
	units := l.p.Signature + len(utf16.Encode([]rune(said)))
	if t.Offers {
		units += l.p.Offers
	}
	most, ok := l.p.Parts[lang]
	if !ok {
		most = l.p.Parts[flows.BaseLang]
	}
	if n := l.p.parts(units); n > most {
		l.report(t, "(%s) has up to %d characters, the signature included, which are %d messages: at most %d, so leave out at least %d characters",
			lang, units, n, most, units-l.p.room(most))
	}
}

// parts is how many messages a text of so many units is billed as.
func (p Policy) parts(units int) int {
	if units <= p.One {
		return 1
	}
	return (units + p.Many - 1) / p.Many
}

// room is how many units fit into so many messages.
func (p Policy) room(parts int) int {
	if parts == 1 {
		return p.One
	}
	return parts * p.Many
}

// longest is the longest value that a path can have.
func (l *linter) longest(path string) (string, bool) {
	for _, name := range []string{path, last(path)} {
		if list, ok := l.values[name]; ok && len(list) > 0 {
			return slices.MaxFunc(list, func(a, b string) int { return len(utf16.Encode([]rune(a))) - len(utf16.Encode([]rune(b))) }), true
		}
		if n, ok := l.p.Longest[name]; ok {
			return strings.Repeat("x", n), true
		}
	}
	return "", false
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

func holdsAny(s string, list []string) bool {
	return slices.ContainsFunc(list, func(w string) bool { return strings.Contains(s, w) })
}
