package words

import (
	"strings"
	"unicode/utf8"
)

// force is what stands around a word does to it.
type force int

const (
	plain    force = iota // nothing
	denied                // an odd negator right before or after it
	doubtful              // a negator elsewhere in the clause, or two of them
)

// before judges a word by the text in front of it.
func (l *Lexicon) before(prefix string) force {
	clause := l.mask(l.lastClause(prefix))
	negators, near := 0, clause
	for near != "" {
		if w := suffixIn(near, l.file.Negators); w != "" {
			negators++
			near = near[:len(near)-len(w)]
			continue
		}
		w := suffixIn(near, l.file.Bridges)
		if w == "" {
			break
		}
		near = near[:len(near)-len(w)]
	}
	for _, w := range l.file.Negators {
		if strings.Contains(near, w) {
			return doubtful
		}
	}
	switch negators {
	case 0:
		return plain
	case 1:
		return denied
	}
	return doubtful
}

// after judges a word by what follows it: 解决不了, 满意才怪.
func (l *Lexicon) after(suffix string) force {
	suffix = strings.TrimLeft(suffix, " ")
	for _, w := range l.file.After {
		if strings.HasPrefix(suffix, w) {
			return denied
		}
	}
	return plain
}

// around judges the word n[from:to].
func (l *Lexicon) around(n string, from, to int) force {
	b, a := l.before(n[:from]), l.after(n[to:])
	switch {
	case b == plain:
		return a
	case a == plain:
		return b
	}
	return doubtful
}

// asking reports whether the text asks back rather than answers.
func (l *Lexicon) asking(n string) bool {
	for _, w := range l.file.Asking {
		if strings.Contains(n, w) {
			return true
		}
	}
	return false
}

// lastClause cuts off everything up to the last punctuation, space or word
// like 但是: a negator does not reach over those.
func (l *Lexicon) lastClause(s string) string {
	if i := strings.LastIndexFunc(s, outer); i >= 0 {
		_, size := utf8.DecodeRuneInString(s[i:])
		s = s[i+size:]
	}
	for _, w := range l.file.Breaks {
		if i := strings.LastIndex(s, w); i >= 0 {
			s = s[i+len(w):]
		}
	}
	return s
}

// mask blots out idioms that look like negation and are none (不错, 特别).
func (l *Lexicon) mask(s string) string {
	for _, w := range l.file.Idioms {
		if strings.Contains(s, w) {
			s = strings.ReplaceAll(s, w, idiom)
		}
	}
	return s
}

// idiom stands for a masked idiom. Normalize never returns it.
const idiom = "\x00"

// suffixIn returns the first word of the list (longest first) that ends s.
func suffixIn(s string, list []string) string {
	for _, w := range list {
		if strings.HasSuffix(s, w) {
			return w
		}
	}
	return ""
}
