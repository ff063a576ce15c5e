package words

import (
	"cmp"
	"slices"
	"strings"
)

// Option is one answer that a question offers.
type Option struct {
	// Value is the dialogue's own code; typed exactly, it is accepted too.
	Value string
	// Label is what the resident sees.
	Label string
	// Words are other ways to say it.
	Words []string
}

// Found says how sure Choose is.
type Found int

// How an answer was found.
const (
	// None: nothing in the answer fits, or what fits is taken back.
	None Found = iota
	// Exact: the answer is the option and nothing else.
	Exact
	// Inside: the answer contains the option among other words.
	Inside
	// Ambiguous: several options fit, or one is both said and denied.
	Ambiguous
)

// String names f for logs and tests.
func (f Found) String() string {
	names := [...]string{"none", "exact", "inside", "ambiguous"}
	if f < 0 || int(f) >= len(names) {
		return "invalid"
	}
	return names[f]
}

// term is one way to say an option, normalised. Lower ranks are closer to what
// the resident was shown.
type term struct {
	text   string
	option int
	rank   int
}

// Ranks of terms.
const (
	rankShown = iota // label, words, value
	rankAlike        // the lexicon's synonyms of one of those
	rankYesNo        // any yes or any no, for an option that is one
)

// Choose finds the option that a typed answer means. The index is -1 unless
// found is Exact or Inside.
func (l *Lexicon) Choose(answer string, opts []Option) (index int, found Found) {
	n, shown := Normalize(answer), shown(opts)
	if i, f := l.plainly(n, shown, len(opts)); f != None {
		return i, f
	}
	return l.choose(n, l.widen(shown), len(opts))
}

// plainly takes what most answers are, a label or a number and nothing else,
// without looking at any synonym.
func (l *Lexicon) plainly(n string, shown []term, options int) (int, Found) {
	b := l.bare(n)
	for _, s := range []string{n, b} {
		if i, f := exact(s, shown); f != None {
			return i, f
		}
	}
	if i, rest, ok := l.pick(b); ok && rest == "" && i >= 1 && i <= options {
		return i - 1, Exact
	}
	return -1, None
}

// Tells reports whether an answer inside which Choose found an option says so
// much beside it that it may be about something else.
func (l *Lexicon) Tells(answer string, opts []Option) bool {
	n, labels := l.bare(Normalize(answer)), shown(opts)
	return beside(n, labels) > l.file.Beside.Label && beside(n, l.widen(labels)) > l.file.Beside.Synonym
}

// beside counts the characters of n that are no part of the longest term in it.
func beside(n string, terms []term) int {
	longest := 0
	for _, t := range terms {
		if strings.Contains(n, t.text) {
			longest = max(longest, runes(t.text))
		}
	}
	return runes(n) - longest
}

// YesNo reads an answer to a yes-or-no question. ok is false when it is
// unclear. 1 is yes and 2 is no, the order in which they are offered.
func (l *Lexicon) YesNo(answer string) (yes, ok bool) {
	index, found := l.choose(Normalize(answer), l.yesno, 2)
	return index == 0, found == Exact || found == Inside
}

func (l *Lexicon) choose(n string, terms []term, options int) (int, Found) {
	b := l.bare(n)
	if b == "" {
		return -1, None
	}
	for _, s := range []string{n, b} {
		if i, f := exact(s, terms); f != None {
			return i, f
		}
	}
	if i, f := l.byNumber(b, terms, options); f != None {
		return i, f
	}
	if runes(n) > l.file.LongestInside || l.asking(n) {
		return -1, None
	}
	return l.inside(n, terms)
}

// terms lists all ways to say the options, longest text first.
func (l *Lexicon) terms(opts []Option) []term { return l.widen(shown(opts)) }

// shown lists what the resident was shown.
func shown(opts []Option) []term {
	var out []term
	show := func(option int, words ...string) {
		for _, w := range words {
			if w = Normalize(w); w != "" {
				out = append(out, term{w, option, rankShown})
			}
		}
	}
	for i, o := range opts {
		show(i, o.Label)
		show(i, o.Words...)
		if !startsWithNumeral(o.Value) { // 5 is the fifth option, whatever its code
			show(i, o.Value)
		}
	}
	return out
}

// widen adds synonyms, and any yes or no for an option that is one.
func (l *Lexicon) widen(out []term) []term {
	add := func(option, rank int, prepared []string) {
		for _, w := range prepared {
			out = append(out, term{w, option, rank})
		}
	}
	yes, no := -1, -1
	for _, t := range out { // as it stands now: only what is shown
		add(t.option, rankAlike, l.alike[t.text])
		yes = only(yes, t, l.isYes)
		no = only(no, t, l.isNo)
	}
	if yes >= 0 && yes != no {
		add(yes, rankYesNo, l.file.Yes)
	}
	if no >= 0 && yes != no {
		add(no, rankYesNo, l.file.No)
	}
	return closest(out)
}

// several marks a yes or no that more than one option could be.
const several = -2

// only returns the one option that list knows.
func only(sofar int, t term, list map[string]bool) int {
	switch {
	case !list[t.text], sofar == t.option:
		return sofar
	case sofar == -1:
		return t.option
	}
	return several
}

// closest keeps, of equal texts, those of the lowest rank, longest text first.
func closest(terms []term) []term {
	slices.SortFunc(terms, func(a, b term) int {
		return cmp.Or(cmp.Compare(len(b.text), len(a.text)), cmp.Compare(a.text, b.text),
			cmp.Compare(a.rank, b.rank), cmp.Compare(a.option, b.option))
	})
	out := terms[:0]
	for _, t := range terms {
		if k := len(out); k > 0 && out[k-1].text == t.text {
			if out[k-1].rank < t.rank || out[k-1].option == t.option {
				continue
			}
		}
		out = append(out, t)
	}
	return out
}

func exact(s string, terms []term) (int, Found) {
	index, found := -1, None
	for _, t := range terms {
		switch {
		case t.text != s:
		case found == None, index == t.option:
			index, found = t.option, Exact
		default:
			return -1, Ambiguous
		}
	}
	return index, found
}

// inside looks for terms anywhere in n. A term of one character is too weak
// for that: 好 is in 好几天.
func (l *Lexicon) inside(n string, terms []term) (int, Found) {
	var said, unsaid []int
	covered := make([]bool, len(n))
	for at := 0; at < len(terms); at++ {
		t := terms[at]
		if runes(t.text) < 2 {
			continue
		}
		for from := 0; ; from += len(t.text) {
			i := strings.Index(n[from:], t.text)
			if i < 0 {
				break
			}
			from += i
			if covered[from] || covered[from+len(t.text)-1] {
				continue
			}
			for k := range t.text {
				covered[from+k] = true
			}
			covered[from+len(t.text)-1] = true
			switch l.around(n, from, from+len(t.text)) {
			case plain:
				said = append(said, options(terms, t.text)...)
			case denied:
				unsaid = append(unsaid, t.option)
				if o, ok := l.opposite(t.option, terms); ok {
					said = append(said, o)
				}
			case doubtful:
				unsaid = append(unsaid, t.option)
			}
		}
	}
	if len(said) == 0 {
		return -1, None
	}
	for _, o := range said {
		if o != said[0] || slices.Contains(unsaid, o) {
			return -1, Ambiguous
		}
	}
	return said[0], Inside
}

// options returns every option that the text names.
func options(terms []term, text string) []int {
	var out []int
	for _, t := range terms {
		if t.text == text {
			out = append(out, t.option)
		}
	}
	return out
}

// opposite returns the option whose words are a negated form of the given
// option's (满意: 不满意), or the "no" to a "yes".
func (l *Lexicon) opposite(option int, terms []term) (int, bool) {
	index := -1
	for _, t := range terms {
		if t.option != option || runes(t.text) < 2 { // 错 is in 没错
			continue
		}
		for _, u := range terms {
			if u.option == option || !l.negates(u.text, t.text) {
				continue
			}
			if index >= 0 && index != u.option {
				return -1, false
			}
			index = u.option
		}
	}
	return index, index >= 0
}

// negates reports whether negated is a negator and then word.
func (l *Lexicon) negates(negated, word string) bool {
	rest, ok := strings.CutSuffix(negated, word)
	return ok && slices.Contains(l.file.Negators, rest)
}
