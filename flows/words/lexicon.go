package words

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Lexicon knows the words of answers. It is read-only after ParseLexicon.
type Lexicon struct {
	file    lexiconFile
	alike   map[string][]string // prepared words by normalised label
	isYes   map[string]bool
	isNo    map[string]bool
	yesno   []term
	skips   map[string]bool
	globals map[string]string
}

// lexiconFile is configs/words.yaml, which says what each list is for.
type lexiconFile struct {
	Source        string              `yaml:"source"`
	LongestInside int                 `yaml:"longest_inside"`
	Beside        besideFile          `yaml:"beside"`
	Fillers       []string            `yaml:"fillers"`
	Picks         []string            `yaml:"picks"`
	Ordinals      []string            `yaml:"ordinals"`
	Measures      []string            `yaml:"measures"`
	Negators      []string            `yaml:"negators"`
	Bridges       []string            `yaml:"bridges"`
	Idioms        []string            `yaml:"idioms"`
	After         []string            `yaml:"after"`
	Breaks        []string            `yaml:"breaks"`
	Asking        []string            `yaml:"asking"`
	Yes           []string            `yaml:"yes"`
	No            []string            `yaml:"no"`
	Skip          []string            `yaml:"skip"`
	Alike         []alikeFile         `yaml:"alike"`
	Globals       map[string][]string `yaml:"globals"`
}

// besideFile is how many characters an answer has beside its option at most, by
// what names the option.
type besideFile struct {
	Label   int `yaml:"label"`
	Synonym int `yaml:"synonym"`
}

// alikeFile says which words stand for which labels.
type alikeFile struct {
	Of    []string `yaml:"of"`
	Words []string `yaml:"words"`
}

// The names that Global returns.
const (
	Help      = "help"
	Cancel    = "cancel"
	Person    = "person"
	MyTickets = "my_tickets"
	Stop      = "stop"
	Start     = "start"
	Menu      = "menu"
)

// globalNames are the globals that the routing of messages knows.
var globalNames = []string{Help, Cancel, Person, MyTickets, Stop, Start, Menu}

// ParseLexicon reads configs/words.yaml. name is the file's name for errors.
// Unknown keys, empty lists, a word in two lists that contradict each other and
// a missing global are errors.
func ParseLexicon(name string, body []byte) (*Lexicon, error) {
	l := &Lexicon{globals: map[string]string{}, alike: map[string][]string{}}
	if err := decode(name, body, &l.file); err != nil {
		return nil, err
	}
	f := &l.file
	lists := map[string]*[]string{
		"fillers": &f.Fillers, "picks": &f.Picks, "ordinals": &f.Ordinals, "measures": &f.Measures, "negators": &f.Negators,
		"bridges": &f.Bridges, "idioms": &f.Idioms, "after": &f.After, "breaks": &f.Breaks,
		"asking": &f.Asking, "yes": &f.Yes, "no": &f.No, "skip": &f.Skip,
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(lists)) {
		if len(*lists[key]) == 0 {
			errs = append(errs, fmt.Errorf("%s: the list is empty", key))
		}
		*lists[key] = prepare(*lists[key])
	}
	if f.LongestInside <= 0 {
		errs = append(errs, errors.New("longest_inside: must be a number of characters above 0"))
	}
	if f.Beside.Label <= 0 || f.Beside.Synonym <= 0 {
		errs = append(errs, errors.New("beside: label and synonym must be numbers of characters above 0"))
	}
	for _, w := range f.Yes {
		if slices.Contains(f.No, w) {
			errs = append(errs, fmt.Errorf("%q is in yes and in no", w))
		}
	}
	errs = append(errs, l.readGlobals()...)
	for i, a := range f.Alike {
		if len(a.Of) == 0 || len(a.Words) == 0 {
			errs = append(errs, fmt.Errorf("alike[%d]: of and words are needed", i))
		}
		for _, label := range a.Of {
			key := Normalize(label)
			l.alike[key] = append(l.alike[key], prepare(slices.Concat(a.Words, a.Of))...)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	l.skips, l.isYes, l.isNo = set(f.Skip), set(f.Yes), set(f.No)
	l.yesno = l.terms([]Option{{Label: f.Yes[0], Words: f.Yes}, {Label: f.No[0], Words: f.No}})
	return l, nil
}

func (l *Lexicon) readGlobals() []error {
	var errs []error
	for _, g := range globalNames {
		if len(l.file.Globals[g]) == 0 {
			errs = append(errs, fmt.Errorf("globals: %s has no words", g))
		}
	}
	for _, g := range slices.Sorted(maps.Keys(l.file.Globals)) {
		if !slices.Contains(globalNames, g) {
			errs = append(errs, fmt.Errorf("globals: unknown name %q, known are %s", g, strings.Join(globalNames, " ")))
		}
		for _, w := range prepare(l.file.Globals[g]) {
			if other, ok := l.globals[w]; ok && other != g {
				errs = append(errs, fmt.Errorf("globals: %q is in %s and in %s", w, other, g))
			}
			l.globals[w] = g
		}
	}
	return errs
}

// decode reads strict YAML. It does not use the configs package, which stands
// above this one.
func decode(name string, body []byte, v any) error {
	if err := yaml.UnmarshalWithOptions(body, v, yaml.Strict()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// prepare normalises words and puts longer ones first, so that the first match
// is the longest.
func prepare(list []string) []string {
	out := make([]string, 0, len(list))
	for _, w := range list {
		if n := Normalize(w); n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return out
}

func set(list []string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, w := range list {
		m[w] = true
	}
	return m
}

// bare cuts polite filler off both ends of a normalised text (那就1吧 谢谢 is
// 1). A text of nothing but filler is returned as it is.
func (l *Lexicon) bare(n string) string {
	for s := n; ; {
		cut := s
		for _, w := range l.file.Fillers {
			cut = strings.TrimSuffix(strings.TrimPrefix(cut, w), w)
		}
		cut = strings.TrimFunc(cut, outer)
		switch cut {
		case "":
			return s
		case s:
			return s
		}
		s = cut
	}
}

// Global returns the command that the whole message is, as one of the names
// above (help, cancel, …). A command inside a sentence is no command:
// 人工湖栏杆坏了 is a report.
func (l *Lexicon) Global(answer string) (name string, ok bool) {
	n := Normalize(answer)
	if name, ok = l.globals[n]; ok {
		return name, true
	}
	name, ok = l.globals[l.bare(n)]
	return name, ok
}

// Skip reports whether the answer declines an optional question: 跳过, 没有, or
// a short sentence that begins so.
func (l *Lexicon) Skip(answer string) bool {
	n := Normalize(answer)
	if l.skips[n] || l.skips[l.bare(n)] {
		return true
	}
	if runes(n) > l.file.LongestInside/2 {
		return false
	}
	first := n
	if i := strings.IndexFunc(n, outer); i > 0 {
		first = n[:i]
	}
	return l.skips[first] || l.skips[l.bare(first)]
}

// Intent returns the dialogue that a sentence asks for. starts gives the words
// that start each dialogue; the longest one found wins, then the earliest, then
// the dialogue's name. A negated word does not count (不用报修了).
func (l *Lexicon) Intent(text string, starts map[string][]string) (flow string, ok bool) {
	n := Normalize(text)
	best, at := 0, 0
	for _, name := range slices.Sorted(maps.Keys(starts)) {
		for _, w := range starts[name] {
			w = Normalize(w)
			i := l.affirmed(n, w)
			if i < 0 || len(w) < best || len(w) == best && i >= at {
				continue
			}
			flow, ok, best, at = name, true, len(w), i
		}
	}
	return flow, ok
}

// affirmed returns where w first stands in n without a negator before it, -1
// when nowhere.
func (l *Lexicon) affirmed(n, w string) int {
	if w == "" {
		return -1
	}
	for from := 0; ; {
		i := strings.Index(n[from:], w)
		if i < 0 {
			return -1
		}
		i += from
		if l.before(n[:i]) == plain || l.before(n[:i]) == doubtful {
			return i
		}
		from = i + len(w)
	}
}
