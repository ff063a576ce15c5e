package flows

import (
	"fmt"
	"slices"
	"strings"
)

// names are the variables that a definition may read. The value lists the
// parts that are known; nil means any.
type names map[string][]string

// vars collects the variables of a definition: given, collected, returned by
// actions, and those of the dialogues that it calls.
func (c *checker) vars(d *Definition, above []string) names {
	vars := names{
		"lang": {}, "caps": {"photo", "place", "confirm", "group", "paid"},
		VarText: {}, VarPhotos: nil, VarPosition: nil,
	}
	for _, n := range d.Given {
		vars[n] = nil
	}
	for _, it := range d.items {
		vars[it.name] = nil
		for _, r := range c.known.Actions[it.resolve].Results {
			if !resolveFields[r] {
				vars[r] = nil
			}
		}
	}
	for s := range eachStep(d.steps) {
		switch s.kind {
		case stepDo:
			c.returned(vars, s)
		case stepCall:
			sub, ok := c.flows[s.arg]
			if !ok || slices.Contains(above, s.arg) {
				continue
			}
			for n, parts := range c.vars(sub, append(slices.Clone(above), d.Name)) {
				if _, ok := vars[n]; !ok {
					vars[n] = parts
				}
			}
			for _, b := range s.with {
				vars[b.name] = nil
			}
		}
	}
	return vars
}

// returned adds what a do brings.
func (c *checker) returned(vars names, s *step) {
	action, documented := c.known.Actions[s.arg]
	if s.into == intoTop {
		for _, r := range action.Results {
			vars[r] = nil
		}
		return
	}
	parts, seen := vars[s.into]
	switch {
	case !documented, seen && parts == nil:
		vars[s.into] = nil
	default:
		vars[s.into] = append(slices.Clone(parts), action.Results...)
		if vars[s.into] == nil {
			vars[s.into] = []string{}
		}
	}
}

// has reports whether a dotted name can be known.
func (v names) has(name string) bool {
	first, rest, more := strings.Cut(name, ".")
	parts, ok := v[first]
	return ok && (!more || parts == nil || slices.Contains(parts, head(rest)))
}

func (c *checker) name(d *Definition, line int, name string, vars names, where string) {
	if !vars.has(name) {
		c.report(d, line, "%s: nothing is called %s here", where, name)
	}
}

// texts checks the names in templates and that no language is half there.
// Texts under texts: are said by actions, which bring their own values.
func (c *checker) texts(d *Definition, vars names) {
	for _, key := range d.Keys() {
		m := d.texts[key]
		for _, path := range m.paths {
			if c.ownValue(d, key, path) || strings.HasPrefix(key, "collect.") && strings.HasSuffix(key, ".readback") && path == "answer" {
				continue
			}
			c.name(d, m.line, path, vars, fmt.Sprintf("text {{%s}}", path))
		}
		if _, ok := m.text[BaseLang]; !ok {
			c.report(d, m.line, "text %s has no %s", key, BaseLang)
		}
	}
	for _, lang := range c.known.Langs {
		has := func(m message) bool { _, ok := m.text[lang]; return ok }
		if !slices.ContainsFunc(d.Keys(), func(k string) bool { return has(d.texts[k]) }) {
			continue
		}
		for _, key := range d.Keys() {
			if m := d.texts[key]; !has(m) {
				c.report(d, m.line, "text %s has no %s, but others here have", key, lang)
			}
		}
	}
}

// ownValue reports whether a text may hold values that come with it.
func (c *checker) ownValue(d *Definition, key, path string) bool {
	if key == "unfinished.say" {
		return d.unfinished != nil && (names{head(d.unfinished.Do): c.known.Actions[d.unfinished.Do].Results}).has(path)
	}
	for _, prefix := range []string{"title", "collect.", "steps.", "nudge.say"} {
		if strings.HasPrefix(key, prefix) {
			return false
		}
	}
	return true
}

// circle reports whether a definition leads to the named one by calls.
func (c *checker) circle(d *Definition, name string, above []string) bool {
	if slices.Contains(above, d.Name) {
		return false
	}
	for s := range eachStep(d.steps) {
		if s.kind != stepCall {
			continue
		}
		if sub, ok := c.flows[s.arg]; s.arg == name || ok && c.circle(sub, name, append(slices.Clone(above), d.Name)) {
			return true
		}
	}
	return false
}
