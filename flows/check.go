package flows

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ActionDoc is what Check has to know of an action.
type ActionDoc struct {
	// Results are the names of the fields that it returns. Of a resolve, those
	// beside status, value, options, say and params become variables.
	Results []string
	// Speaks: the host goes on when the dialogue ends here, and answers.
	Speaks bool
}

// Known is what definitions may refer to.
type Known struct {
	Actions map[string]ActionDoc
	// Langs are the languages besides zh-Hans that a definition must have
	// completely once it has any text in them.
	Langs []string
}

// Problem is one mistake in a definition file.
type Problem struct {
	File    string
	Line    int
	Message string
}

// String writes the problem as editors read it: file:line: message.
func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message) }

// Check looks at definitions as a whole and finds what Parse cannot see:
// unknown actions, dialogues and variables, missing texts, questions that
// cannot be answered, steps that are never reached, dialogues that call each
// other in a circle or end in silence. Problems come in order of file and line.
func Check(defs []*Definition, known Known) []Problem {
	c := &checker{known: known, flows: map[string]*Definition{}, called: map[string]bool{}}
	for _, d := range defs {
		if other, ok := c.flows[d.Name]; ok {
			c.report(d, d.line, "flow %s is already in %s", d.Name, other.file)
			continue
		}
		c.flows[d.Name] = d
		for s := range eachStep(d.steps) {
			if s.kind == stepCall {
				c.called[s.arg] = true
			}
		}
	}
	c.startWords(defs)
	for _, d := range defs {
		c.definition(d)
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(c.problems)
}

type checker struct {
	known    Known
	flows    map[string]*Definition
	called   map[string]bool
	problems []Problem
}

func (c *checker) report(d *Definition, line int, format string, args ...any) {
	c.problems = append(c.problems, Problem{File: d.file, Line: line, Message: fmt.Sprintf(format, args...)})
}

// startWords finds words that would start two dialogues.
func (c *checker) startWords(defs []*Definition) {
	seen := map[string]*Definition{}
	for _, d := range defs {
		if d.Push && len(d.Starts) > 0 {
			c.report(d, d.line, "a pushed dialogue has no starts")
		}
		for _, w := range d.Starts {
			other, ok := seen[w]
			if ok && (d.Audience == other.Audience || d.Audience == AudienceAny || other.Audience == AudienceAny) {
				c.report(d, d.line, "start word %q also starts %s", w, other.Name)
			}
			seen[w] = d
		}
	}
}

func (c *checker) definition(d *Definition) {
	vars := c.vars(d, nil)
	for _, it := range d.items {
		c.item(d, it, vars)
	}
	for s := range eachStep(d.steps) {
		c.step(d, s, vars)
	}
	c.texts(d, vars)
	c.common(d)
	c.reach(d)
	if c.circle(d, d.Name, nil) {
		c.report(d, d.line, "flow %s calls itself in a circle", d.Name)
	}
	if u := d.unfinished; u != nil {
		c.action(d, d.unfinLine, u.Do)
		if d.nudge >= u.After {
			c.report(d, d.unfinLine, "the nudge after %s never comes: unfinished is after %s", d.nudge, u.After)
		}
	}
}

func (c *checker) action(d *Definition, line int, name string) {
	if _, ok := c.known.Actions[name]; !ok && name != "" {
		names := slices.Sorted(maps.Keys(c.known.Actions))
		c.report(d, line, "unknown action %s; known: %s", name, strings.Join(names, ", "))
	}
}

func (c *checker) item(d *Definition, it *item, vars names) {
	_, asked := d.texts[it.key("ask")]
	choices := len(it.options) > 0 || it.offered != ""
	c.action(d, it.line, it.resolve)
	switch {
	case choices && !it.takes(AcceptChoice):
		c.report(d, it.line, "%s has options but does not accept choice", it.name)
	case choices && !asked:
		c.report(d, it.line, "%s has options but no ask: options without a question", it.name)
	case asked && len(it.accept) == 1 && it.takes(AcceptChoice) && !choices && it.resolve == "":
		c.report(d, it.line, "%s can only be chosen but offers nothing: give options, options_from or resolve", it.name)
	case !asked && it.resolve == "" && it.fill == nil && !slices.Contains(d.Given, it.name):
		c.report(d, it.line, "%s can never be known: give ask, resolve or fill", it.name)
	}
	if it.optional && !asked {
		c.report(d, it.line, "%s is optional but never asked", it.name)
	}
	for _, v := range it.readback {
		if len(it.options) > 0 && !slices.ContainsFunc(it.options, func(o choice) bool { return o.value == v }) {
			c.report(d, it.line, "%s: readback of %q, which is no option", it.name, v)
		}
	}
	if it.offered != "" {
		c.name(d, it.line, it.offered, vars, "options_from")
	}
	c.expression(d, it.when, vars)
	c.expression(d, it.once, vars)
	c.expression(d, it.fill, vars)
	c.constant(d, it.when)
}

func (c *checker) step(d *Definition, s *step, vars names) {
	c.expression(d, s.when, vars)
	c.constant(d, s.when)
	for _, b := range s.with {
		c.expression(d, b.expr, vars)
	}
	switch s.kind {
	case stepDo:
		c.action(d, s.line, s.arg)
	case stepCall:
		if _, ok := c.flows[s.arg]; !ok {
			c.report(d, s.line, "call: there is no flow %s", s.arg)
		}
	}
}

func (c *checker) expression(d *Definition, e *expression, vars names) {
	if e == nil {
		return
	}
	for _, n := range e.names {
		c.name(d, e.line, n, vars, fmt.Sprintf("expression %q", e.source))
	}
}

// constant finds a condition that is always or never true.
func (c *checker) constant(d *Definition, e *expression) {
	if e == nil || len(e.names) > 0 {
		return
	}
	if ok, err := e.holds(nil); err == nil && ok {
		c.report(d, e.line, "when %q is always true: leave it out", e.source)
	} else {
		c.report(d, e.line, "when %q is never true: what stands under it is never reached", e.source)
	}
}

// common finds texts of the engine that the definition needs.
func (c *checker) common(d *Definition) {
	for _, key := range CommonKeys() {
		if !d.Common.Has(key) {
			c.report(d, d.line, "common text %s is missing", key)
		}
	}
	for s := range eachStep(d.steps) {
		if s.kind != stepConfirm {
			continue
		}
		for _, it := range d.items {
			_, asked := d.texts[it.key("ask")]
			_, labelled := d.texts[it.key("label")]
			if asked && !labelled && !d.Common.Has("flow.item."+it.name) {
				c.report(d, it.line, "%s needs a label: a confirm offers to change it", it.name)
			}
		}
		return
	}
}

// eachStep walks all steps, blocks included.
func eachStep(steps []*step) func(func(*step) bool) {
	return func(yield func(*step) bool) { walkSteps(steps, yield) }
}

func walkSteps(steps []*step, yield func(*step) bool) bool {
	for _, s := range steps {
		if !yield(s) || !walkSteps(s.then, yield) || !walkSteps(s.orElse, yield) {
			return false
		}
	}
	return true
}
