package flowstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"shaoying/flows"
)

// do answers a call from the next "=" line, or from an "@ on" line.
func (p *player) do(c flows.Call) (flows.Input, error) {
	in := flows.Input{Kind: flows.InputResult}
	switch c.Action {
	case flows.ActionEnter:
		in.Result = map[string]any{"version": version}
		return in, nil
	case flows.ActionReturn:
		return in, nil
	}
	if p.at < len(p.talk.lines) {
		l := p.talk.lines[p.at]
		if l.kind == lineEffect && l.effect.action == c.Action {
			p.at++
			if name, ok := l.effect.fits(c.Args); !ok {
				return in, p.differs(l.number, "= "+p.called(c, name))
			}
			in.Result, in.Err = l.effect.result, l.effect.err
			return in, nil
		}
	}
	for _, stub := range slices.Concat(p.talk.stubs, p.t.stubs) {
		if _, ok := stub.fits(c.Args); ok && stub.action == c.Action {
			in.Result, in.Err = stub.result, stub.err
			return in, nil
		}
	}
	got := p.called(c, "")
	if p.at < len(p.talk.lines) && p.talk.lines[p.at].kind != lineInput {
		return in, p.differs(p.talk.lines[p.at].number, "= "+got)
	}
	return in, p.fail(p.here(), "called, but neither expected nor answered by @ on:\n  + = %s", got)
}

// fits compares the arguments that an effect names; name is the first that
// differs. The text of an expected argument may hold ….
func (e effect) fits(args map[string]any) (name string, ok bool) {
	for _, a := range e.args {
		want := readable(a.value)
		if !slices.ContainsFunc(readings(dig(args, a.name)), func(s string) bool { return matches(want, s) }) {
			return a.name, false
		}
	}
	return "", true
}

// dig finds a dotted name in arguments.
func dig(v any, name string) any {
	for name != "" {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		var first string
		first, name, _ = strings.Cut(name, ".")
		v = m[first]
	}
	return v
}

// readings are the ways in which a transcript may write a value.
func readings(v any) []string {
	m, ok := v.(map[string]any)
	if !ok {
		return []string{readable(v)}
	}
	var all []string
	for _, name := range []string{"label", "title", "name", "code", "value", "id"} {
		if s, ok := m[name]; ok {
			all = append(all, readable(s))
		}
	}
	return append(all, readable(v))
}

func readable(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = readable(e)
		}
		return strings.Join(parts, ",")
	}
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(body)
}

// called writes a call as a transcript line: the arguments that the expected
// line names, or all when it is none.
func (p *player) called(c flows.Call, differing string) string {
	var b strings.Builder
	b.WriteString(c.Action)
	names := slices.Sorted(maps.Keys(c.Args))
	if differing != "" {
		names = []string{differing}
	}
	for _, n := range names {
		value := readings(dig(c.Args, n))[0]
		if strings.ContainsAny(value, " \"\n=[{") {
			value = strconv.Quote(value)
		}
		fmt.Fprintf(&b, " %s=%s", n, value)
	}
	return b.String()
}

// matches compares a text with an expected one, in which … is any text.
func matches(want, got string) bool {
	parts := strings.Split(want, "…")
	if len(parts) == 1 {
		return want == got
	}
	got, ok := strings.CutPrefix(got, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(got, part)
		if i < 0 {
			return false
		}
		got = got[i+len(part):]
	}
	return strings.HasSuffix(got, parts[len(parts)-1])
}

// text renders a message.
func (p *player) text(say flows.Say) (string, error) {
	d, err := p.load(say.Flow)
	if err != nil {
		return "", err
	}
	template, err := d.Text(say.Key, p.env.Lang)
	if err != nil {
		return "", err
	}
	text, err := flows.Render(template, say.Params)
	if err != nil {
		return "", fmt.Errorf("text %s of %s: %w", say.Key, say.Flow, err)
	}
	return text, nil
}

// show writes a message as a transcript line.
func (p *player) show(say flows.Say) string {
	text, err := p.text(say)
	if err != nil {
		text = "(" + err.Error() + ")"
	}
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(text, "\n", `\n`))
	for _, o := range say.Options {
		fmt.Fprintf(&b, " [%s]", o.Label)
	}
	return b.String()
}

// here is the number of the next line, or of the last one.
func (p *player) here() int {
	if p.at < len(p.talk.lines) {
		return p.talk.lines[p.at].number
	}
	return p.talk.lines[len(p.talk.lines)-1].number
}

// differs shows the line expected and what came instead.
func (p *player) differs(number int, got string) error {
	return p.fail(number, "came out differently:\n  - %s\n  + %s", strings.TrimSpace(p.t.source[number-1]), got)
}

func (p *player) fail(number int, format string, args ...any) error {
	where := fmt.Sprintf("%s:%d", p.t.Name, number)
	if p.talk.title != "" {
		where += " (" + p.talk.title + ")"
	}
	return fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...))
}
