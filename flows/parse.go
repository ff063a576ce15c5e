package flows

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var nameTag = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// fromNone says that no other item's words are tried.
const fromNone = "none"

// reservedNames are the names that expressions and templates always know.
var reservedNames = []string{"caps", "lang"}

// Parse reads one definition. It is strict: unknown keys, bad expressions and
// bad templates are errors that name file and line. What can only be seen by
// looking at the whole (see Check) is not examined here.
func Parse(name string, body []byte) (*Definition, error) {
	r, root, err := readYAML(name, body)
	if err != nil {
		return nil, err
	}
	p := definer{reader: r, d: &Definition{
		file: name, line: root.line(), Audience: AudienceResident,
		byName: map[string]*item{}, texts: map[string]message{},
	}}
	if err := p.definition(root); err != nil {
		return nil, err
	}
	p.d.code = compileSteps(p.d)
	return p.d, nil
}

type definer struct {
	reader
	d       *Definition
	counted int // steps so far: they number the text keys
}

func (p *definer) definition(root node) error {
	d := p.d
	err := p.fields(root, map[string]func(node) error{
		"flow":     p.name(&d.Name),
		"title":    p.text("title"),
		"audience": p.audience,
		"starts":   p.strings(&d.Starts),
		"groups":   p.groups,
		"push":     p.bool(&d.Push),
		"late":     p.duration(&d.Late),
		"vars":     p.names(&d.Given),
		"texts":    p.texts,
		"collect":  p.collect,
		"steps": func(n node) error {
			var err error
			d.steps, err = p.steps(n)
			return err
		},
		"nudge":      p.nudge,
		"unfinished": p.unfinished,
	})
	if err != nil {
		return err
	}
	if d.Name == "" {
		return p.errorf(root, "flow: NAME is missing")
	}
	if m, ok := d.texts["title"]; ok {
		d.Title = m.text
	}
	if d.unfinished != nil {
		d.unfinished.Flow = d.Name
	}
	if p.counted+len(d.items) > MaxSteps {
		return p.errorf(root, "%d steps and items, at most %d are allowed; split it with call", p.counted+len(d.items), MaxSteps)
	}
	return p.link()
}

// name reads an identifier that may stand in expressions.
func (p *definer) name(into *string) func(node) error {
	return func(n node) error {
		if err := p.string(into)(n); err != nil {
			return err
		}
		if !nameTag.MatchString(*into) || slices.Contains(reservedNames, *into) {
			return p.errorf(n, "%q cannot be a name here: small letters, digits and _, and not one of %s",
				*into, strings.Join(reservedNames, ", "))
		}
		return nil
	}
}

func (p *definer) names(into *[]string) func(node) error {
	return func(n node) error {
		nodes, err := p.items(n)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			var s string
			if err := p.name(&s)(n); err != nil {
				return err
			}
			*into = append(*into, s)
		}
		return nil
	}
}

// action reads the name of an action: subject.verb.
func (p *definer) action(into *string) func(node) error {
	return func(n node) error {
		if err := p.string(into)(n); err != nil {
			return err
		}
		subject, verb, ok := strings.Cut(*into, ".")
		if !ok || !nameTag.MatchString(subject) || !nameTag.MatchString(verb) {
			return p.errorf(n, "%q is no action; actions are named subject.verb", *into)
		}
		return nil
	}
}

func (p *definer) text(key string) func(node) error {
	return func(n node) error {
		m, err := p.message(n)
		if err != nil {
			return err
		}
		if _, ok := p.d.texts[key]; ok {
			return p.errorf(n, "text %q is given twice", key)
		}
		p.d.texts[key] = m
		return nil
	}
}

func (p *definer) expr(into **expression) func(node) error {
	return func(n node) error {
		s, ok := n.scalar()
		if !ok {
			return p.errorf(n, "an expression is needed here")
		}
		e, err := compileExpr(s, n.line())
		if err != nil {
			return p.errorf(n, "%v", err)
		}
		*into = e
		return nil
	}
}

func (p *definer) audience(n node) error {
	if err := p.string(&p.d.Audience)(n); err != nil {
		return err
	}
	if !slices.Contains([]string{AudienceResident, AudienceStaff, AudienceAny}, p.d.Audience) {
		return p.errorf(n, "audience is resident, staff or any, not %q", p.d.Audience)
	}
	return nil
}

// groups reads the kinds of group in which the dialogue may be started.
func (p *definer) groups(n node) error {
	if err := p.strings(&p.d.Groups)(n); err != nil {
		return err
	}
	for _, g := range p.d.Groups {
		if !slices.Contains([]string{GroupWork, GroupResidents, GroupUnbound}, g) {
			return p.errorf(n, "groups are work, residents and unbound, not %q", g)
		}
	}
	return nil
}

func (p *definer) texts(n node) error {
	return p.each(n, func(key string, at, value node) error {
		if strings.HasPrefix(key, "collect.") || strings.HasPrefix(key, "steps.") || strings.HasPrefix(key, "flow.") {
			return p.errorf(at, "text key %q: names before collect., steps. and flow. belong to the engine", key)
		}
		return p.text(key)(value)
	})
}

func (p *definer) nudge(n node) error {
	if err := p.fields(n, map[string]func(node) error{
		"after": p.duration(&p.d.nudge),
		"say":   p.text("nudge.say"),
	}); err != nil {
		return err
	}
	if _, ok := p.d.texts["nudge.say"]; !ok || p.d.nudge == 0 {
		return p.errorf(n, "nudge needs after and say")
	}
	return nil
}

func (p *definer) unfinished(n node) error {
	u := &Unfinished{}
	if err := p.fields(n, map[string]func(node) error{
		"after": p.duration(&u.After),
		"paid":  p.duration(&u.Paid),
		"do":    p.action(&u.Do),
		"say":   p.text("unfinished.say"),
	}); err != nil {
		return err
	}
	if u.After == 0 {
		return p.errorf(n, "unfinished needs after, such as 15m")
	}
	p.d.unfinished, p.d.unfinLine = u, n.line()
	return nil
}

// link connects what names something else in the same definition.
func (p *definer) link() error {
	d := p.d
	words := "" // the first item that takes free text
	for _, it := range d.items {
		if it.takesWords() && words == "" {
			words = it.name
		}
	}
	for _, it := range d.items {
		// What has to be resolved is tried on the resident's first description:
		// place and matter are often already in it.
		if it.resolve != "" && it.from == "" && it.name != words {
			it.from = words
		}
		if it.from == fromNone {
			it.from = ""
		}
		for _, other := range []string{it.from, it.also} {
			if _, ok := d.byName[other]; other != "" && !ok {
				return fmt.Errorf("%s:%d: %s: there is no item %q", p.file, it.line, it.name, other)
			}
		}
		if it.from == it.name || it.also == it.name {
			return fmt.Errorf("%s:%d: %s cannot name itself", p.file, it.line, it.name)
		}
	}
	return p.linkCollects(d.steps)
}

func (p *definer) linkCollects(steps []*step) error {
	for _, s := range steps {
		for _, n := range s.names {
			if _, ok := p.d.byName[n]; !ok {
				return fmt.Errorf("%s:%d: collect: there is no item %q", p.file, s.line, n)
			}
		}
		if err := p.linkCollects(s.then); err != nil {
			return err
		}
		if err := p.linkCollects(s.orElse); err != nil {
			return err
		}
	}
	return nil
}
