package flows

import "slices"

// reach finds what is never reached and where a resident hears nothing.
func (c *checker) reach(d *Definition) {
	if collects(d.steps) {
		for _, it := range d.items {
			if !collected(d.steps, it.name) {
				c.report(d, it.line, "%s is never reached: no step collects it", it.name)
			}
		}
	}
	c.afterEnd(d, d.steps)
	if c.called[d.Name] {
		return // its caller goes on and speaks
	}
	w := silence{c: c, d: d}
	if out := w.block(d.steps, quiet); out == quiet {
		line := d.line
		if n := len(d.steps); n > 0 {
			line = d.steps[n-1].line
		}
		c.report(d, line, "dead end: the dialogue stops here without a word to the resident; add a say")
	}
}

func collected(steps []*step, name string) bool {
	for s := range eachStep(steps) {
		if slices.Contains(s.names, name) {
			return true
		}
	}
	return false
}

// afterEnd finds steps that stand behind an end.
func (c *checker) afterEnd(d *Definition, steps []*step) {
	for i, s := range steps {
		c.afterEnd(d, s.then)
		c.afterEnd(d, s.orElse)
		if stops(s) && i+1 < len(steps) {
			c.report(d, steps[i+1].line, "never reached: the dialogue has ended in line %d", s.line)
			return
		}
	}
}

// stops reports whether nothing can come after a step.
func stops(s *step) bool {
	switch {
	case s.kind == stepEnd:
		return s.when == nil
	case s.kind == stepIf && s.branch:
		return endsBlock(s.then) && endsBlock(s.orElse)
	}
	return false
}

func endsBlock(steps []*step) bool { return slices.ContainsFunc(steps, stops) }

// silence follows whether the resident was told something since the last
// answer. It believes conditions of single steps to hold, so that two says
// under opposite conditions count as one that always speaks.
type silence struct {
	c *checker
	d *Definition
}

type hearing int

const (
	gone  hearing = iota // no path comes here
	heard                // something was said since the last answer
	quiet                // on some path nothing was
)

func (w silence) block(steps []*step, in hearing) hearing {
	for _, s := range steps {
		if in == gone {
			return gone
		}
		in = w.step(s, in)
	}
	return in
}

func (w silence) step(s *step, in hearing) hearing {
	switch s.kind {
	case stepSay, stepCall:
		return heard
	case stepCollect:
		return quiet
	case stepConfirm:
		if s.branch {
			return max(quiet, w.block(s.orElse, quiet))
		}
		return quiet
	case stepDo:
		if s.branch {
			return max(in, w.block(s.orElse, in))
		}
		if w.c.known.Actions[s.arg].Speaks {
			return heard
		}
	case stepIf:
		then := w.block(s.then, in)
		if s.branch {
			return max(then, w.block(s.orElse, in))
		}
		if then == gone {
			return in
		}
		return then
	case stepEnd:
		if in == quiet {
			w.c.report(w.d, s.line, "dead end: the dialogue stops here without a word to the resident; add a say")
		}
		if s.when == nil {
			return gone
		}
	}
	return in
}
