package flowstest

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxTranscript is the largest transcript file, in bytes.
const maxTranscript = 1 << 20

// Transcript is a file of conversations.
type Transcript struct {
	Name string
	// Flow is the dialogue that the file is named after.
	Flow   string
	stubs  []effect
	talks  []talk
	source []string
}

// talk is one conversation.
type talk struct {
	title string
	line  int
	stubs []effect
	lines []line
}

type lineKind int

const (
	lineInput  lineKind = iota // > or @
	lineBot                    // <
	lineEffect                 // =
	lineEnd                    // = end
)

type line struct {
	kind    lineKind
	number  int
	verb    string // text photo place tap after caps lang flow start
	text    string
	words   []string
	lat     float64
	lon     float64
	wait    time.Duration
	options []string
	effect  effect
}

// effect is an action with the arguments expected and the result to give.
type effect struct {
	action string
	args   []pair
	result map[string]any
	err    string
}

// pair is name=value; the name may be dotted.
type pair struct {
	name  string
	value any
}

// Parse reads a transcript. Errors name file and line.
func Parse(name string, body []byte) (*Transcript, error) {
	if len(body) > maxTranscript || !utf8.Valid(body) {
		return nil, fmt.Errorf("%s: a transcript is UTF-8 text of at most %d bytes", name, maxTranscript)
	}
	flow, _, _ := strings.Cut(path.Base(name), ".")
	flow, _, _ = strings.Cut(flow, "-")
	t := &Transcript{Name: name, Flow: flow, source: strings.Split(string(body), "\n")}
	for i, raw := range t.source {
		if err := t.read(i+1, strings.TrimSpace(raw)); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
	}
	if len(t.talks) == 0 {
		return nil, fmt.Errorf("%s: no conversation in it", name)
	}
	return t, nil
}

func (t *Transcript) read(number int, s string) error {
	if s == "" || strings.HasPrefix(s, "#") {
		return nil
	}
	if title, ok := strings.CutPrefix(s, "---"); ok {
		t.talks = append(t.talks, talk{title: strings.Trim(title, "- "), line: number})
		return nil
	}
	mark, rest := s[:1], strings.TrimSpace(s[1:])
	if on, ok := strings.CutPrefix(rest, "on "); ok && mark == "@" {
		e, err := parseEffect(on)
		if err != nil {
			return err
		}
		stubs := &t.stubs
		if len(t.talks) > 0 {
			stubs = &t.talks[len(t.talks)-1].stubs
		}
		*stubs = append(*stubs, e)
		return nil
	}
	l := line{number: number}
	var err error
	switch mark {
	case ">":
		l.verb, l.text = "text", unescape(rest)
	case "<":
		l.kind = lineBot
		l.text, l.options = cutOptions(rest)
		l.text = unescape(l.text)
	case "=":
		l.kind = lineEffect
		if rest == "end" {
			l.kind = lineEnd
			break
		}
		l.effect, err = parseEffect(rest)
	case "@":
		err = l.input(rest)
	default:
		err = fmt.Errorf("a line begins with one of > < = @ # or ---, not with %q", firstRune(s))
	}
	if err != nil {
		return err
	}
	if len(t.talks) == 0 {
		t.talks = append(t.talks, talk{line: number})
	}
	last := &t.talks[len(t.talks)-1]
	last.lines = append(last.lines, l)
	return nil
}

func firstRune(s string) string {
	r, _ := utf8.DecodeRuneInString(s)
	return string(r)
}

// input reads what stands behind an @.
func (l *line) input(s string) error {
	verb, rest, _ := strings.Cut(s, " ")
	rest = strings.TrimSpace(rest)
	l.verb = verb
	var err error
	switch verb {
	case "tap", "lang", "flow":
		if l.text = rest; rest == "" {
			return fmt.Errorf("@ %s needs a word", verb)
		}
	case "caps":
		l.words = strings.Fields(rest)
	case "photo":
		tokens, err := tokenize(rest)
		if err != nil {
			return err
		}
		for _, tok := range tokens {
			if strings.HasPrefix(tok, `"`) {
				l.text, err = strconv.Unquote(tok)
			} else {
				l.words = append(l.words, tok)
			}
			if err != nil {
				return fmt.Errorf("caption %s: %w", tok, err)
			}
		}
		if len(l.words) == 0 {
			l.words = []string{"photo1"}
		}
	case "place":
		at, label, _ := strings.Cut(rest, " ")
		lat, lon, ok := strings.Cut(at, ",")
		l.lat, err = strconv.ParseFloat(lat, 64)
		if err == nil {
			l.lon, err = strconv.ParseFloat(lon, 64)
		}
		if err != nil || !ok {
			return fmt.Errorf("@ place needs LAT,LON and may have a label, not %q", rest)
		}
		l.text = strings.TrimSpace(label)
	case "after":
		if l.wait, err = time.ParseDuration(rest); err != nil || l.wait <= 0 {
			return fmt.Errorf("@ after needs a time such as 15m, not %q", rest)
		}
	case "start":
		l.effect, err = parseEffect("start.flow " + rest)
		return err
	default:
		return fmt.Errorf("@ %s is unknown; known: on flow start photo place tap after caps lang", verb)
	}
	return nil
}

var optionTail = regexp.MustCompile(`\s*\[([^\[\]]*)\]$`)

// cutOptions takes the [options] off the end of a line.
func cutOptions(s string) (string, []string) {
	var options []string
	for {
		m := optionTail.FindStringSubmatchIndex(s)
		if m == nil {
			return s, options
		}
		options = append([]string{s[m[2]:m[3]]}, options...)
		s = s[:m[0]]
	}
}

func unescape(s string) string { return strings.ReplaceAll(s, `\n`, "\n") }

// parseEffect reads "action a=1 b=2 -> c=3", or "-> !reason" for a failure.
func parseEffect(s string) (effect, error) {
	var e effect
	tokens, err := tokenize(s)
	if err != nil {
		return e, err
	}
	if len(tokens) == 0 || strings.Contains(tokens[0], "=") {
		return e, fmt.Errorf("the name of an action is needed: %q", s)
	}
	e.action = tokens[0]
	e.result = map[string]any{}
	var returns bool
	for _, tok := range tokens[1:] {
		if tok == "->" {
			if returns {
				return e, fmt.Errorf("two -> in one line")
			}
			returns = true
			continue
		}
		if returns && strings.HasPrefix(tok, "!") {
			e.err = tok[1:] + "!"
			continue
		}
		name, value, ok := strings.Cut(tok, "=")
		if !ok || name == "" {
			return e, fmt.Errorf("name=value is needed, not %q", tok)
		}
		if !returns {
			e.args = append(e.args, pair{name, literal(value)})
			continue
		}
		if err := assign(e.result, name, literal(value)); err != nil {
			return e, err
		}
	}
	return e, nil
}

// literal is a JSON value where it is one, else the text itself.
func literal(s string) any {
	var v any
	if json.Unmarshal([]byte(s), &v) == nil {
		return v
	}
	return s
}

// assign sets a dotted name.
func assign(m map[string]any, name string, v any) error {
	first, rest, more := strings.Cut(name, ".")
	if !more {
		m[name] = v
		return nil
	}
	inner, ok := m[first].(map[string]any)
	if !ok {
		if m[first] != nil {
			return fmt.Errorf("%s is a value and cannot have a part %s", first, rest)
		}
		inner = map[string]any{}
		m[first] = inner
	}
	return assign(inner, rest, v)
}

// tokenize splits at spaces outside of quotes and brackets.
func tokenize(s string) ([]string, error) {
	var tokens []string
	var b strings.Builder
	var depth int
	var quoted, escaped bool
	for _, r := range s {
		switch {
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case quoted:
		case r == '[' || r == '{':
			depth++
		case r == ']' || r == '}':
			depth--
		case r == ' ' && depth <= 0:
			if b.Len() > 0 {
				tokens = append(tokens, b.String())
				b.Reset()
			}
			continue
		}
		b.WriteRune(r)
	}
	if quoted || depth != 0 {
		return nil, fmt.Errorf("a quote or bracket is not closed: %s", s)
	}
	if b.Len() > 0 {
		tokens = append(tokens, b.String())
	}
	return tokens, nil
}
