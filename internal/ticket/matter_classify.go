package ticket

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"shaoying/flows/words"
)

// Guess is what a message seems to be about.
type Guess struct {
	// Code is the matter; "other" when no word is known.
	Code string
	// Sure is 0…1: how much better the guess is than the next one, and how
	// much there is to go by. Dialogues ask below 0.8.
	Sure float64
	// Urgent is true when the words say what makes this matter urgent.
	Urgent bool
	// Sensitive is true when the matter, the claim or the words ask for named
	// handlers in private.
	Sensitive bool
	// Alternatives are the matters to offer when asking, likeliest first, the
	// guess included, "other" last.
	Alternatives []string
}

// scoring holds the weights of the classifier; configs/matters.yaml says how
// they work together.
type scoring struct {
	Source       string  `yaml:"source"`
	Strong       float64 `yaml:"strong"`
	Weak         float64 `yaml:"weak"`
	Gram         float64 `yaml:"gram"`
	Doubt        float64 `yaml:"doubt"`
	Alternatives int     `yaml:"alternatives"`
}

func (s scoring) check() error {
	if s.Strong <= 0 || s.Weak <= 0 || s.Gram < 0 || s.Doubt <= 0 || s.Alternatives < 2 {
		return errors.New("scoring: strong, weak and doubt must be above 0, alternatives at least 2")
	}
	return nil
}

// index finds the words of all matters in a text.
type index struct {
	keys  []key
	grams map[string][]int // matters by pair of characters
}

// key is one listed word with the matters it points to.
type key struct {
	text   string
	strong []int
	weak   []int
}

func newIndex(rows []matterFile) *index {
	byText := map[string]*key{}
	at := func(w string) *key {
		if byText[w] == nil {
			byText[w] = &key{text: w}
		}
		return byText[w]
	}
	x := &index{grams: map[string][]int{}}
	for i, row := range rows {
		for _, w := range normalized(row.Strong) {
			k := at(w)
			k.strong = append(k.strong, i)
			x.addGrams(w, i)
		}
		for _, w := range normalized(row.Words) {
			k := at(w)
			k.weak = append(k.weak, i)
			x.addGrams(w, i)
		}
	}
	for _, k := range byText {
		x.keys = append(x.keys, *k)
	}
	slices.SortFunc(x.keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(len(b.text), len(a.text)), cmp.Compare(len(b.strong), len(a.strong)), cmp.Compare(a.text, b.text))
	})
	return x
}

func (x *index) addGrams(w string, matter int) {
	for gram := range pairsOf(w) {
		if !slices.Contains(x.grams[gram], matter) {
			x.grams[gram] = append(x.grams[gram], matter)
		}
	}
}

// pairsOf yields every two neighbouring characters of s.
func pairsOf(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := 0; i < len(s); {
			_, a := utf8.DecodeRuneInString(s[i:])
			if i+a == len(s) {
				return
			}
			_, b := utf8.DecodeRuneInString(s[i+a:])
			if !yield(s[i : i+a+b]) {
				return
			}
			i += a
		}
	}
}

// points scores every matter. Each listed word counts once, however often it
// is said; what it covers counts for no shorter word.
func (m *Matters) points(text string) []float64 {
	out := make([]float64, len(m.list))
	rest := text
	for _, k := range m.index.keys {
		if !strings.Contains(rest, k.text) {
			continue
		}
		rest = strings.ReplaceAll(rest, k.text, "\n")
		for _, i := range k.strong {
			out[i] += m.score.Strong
		}
		for _, i := range k.weak {
			out[i] += m.score.Weak
		}
	}
	for gram := range pairsOf(rest) {
		for _, i := range m.index.grams[gram] {
			out[i] += m.score.Gram / float64(len(m.index.grams[gram]))
		}
	}
	return out
}

// Classify guesses the matter of a message from the words in it. It never
// fails: of an unknown message it says "other" and 0.
func (m *Matters) Classify(text string) Guess {
	n := strings.ReplaceAll(words.Normalize(text), " ", "")
	points := m.points(n)
	order := make([]int, len(points))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(points[b], points[a]) })
	first, second := points[order[0]], points[order[1]]

	guess := Guess{Code: OtherMatter}
	for _, i := range order {
		if points[i] > 0 && len(guess.Alternatives) < m.score.Alternatives-1 && m.list[i].Code != OtherMatter {
			guess.Alternatives = append(guess.Alternatives, m.list[i].Code)
		}
	}
	guess.Alternatives = append(guess.Alternatives, OtherMatter)
	if first > 0 {
		best := order[0]
		guess.Code = m.list[best].Code
		guess.Sure = first / (first + second) * first / (first + m.score.Doubt)
		guess.Urgent = urgent(m.urgent[best], n)
		guess.Sensitive = m.list[best].Sensitive
	}
	claim := m.claim(n)
	guess.Sensitive = guess.Sensitive || claim.Sensitive || containsAny(n, m.private)
	return guess
}

func urgent(patterns [][][]string, text string) bool {
	return slices.ContainsFunc(patterns, func(groups [][]string) bool {
		return !slices.ContainsFunc(groups, func(group []string) bool { return !containsAny(text, group) })
	})
}

// ClaimOf returns the code of the claim type that the words show, the default
// one when none is shown.
func (m *Matters) ClaimOf(text string) string {
	return m.claim(strings.ReplaceAll(words.Normalize(text), " ", "")).Code
}

func (m *Matters) claim(text string) Claim {
	var standard Claim
	for _, c := range m.claims {
		if containsAny(text, c.words) && !containsAny(text, c.not) {
			return c.Claim
		}
		if c.Code == m.standard {
			standard = c.Claim
		}
	}
	return standard
}

func containsAny(text string, list []string) bool {
	return slices.ContainsFunc(list, func(w string) bool { return strings.Contains(text, w) })
}
