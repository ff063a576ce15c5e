package flows

import (
	"fmt"
	"strings"
)

func (p *definer) steps(n node) ([]*step, error) {
	nodes, err := p.items(n)
	if err != nil {
		return nil, err
	}
	steps := make([]*step, len(nodes))
	for i, n := range nodes {
		if steps[i], err = p.step(n); err != nil {
			return nil, err
		}
	}
	return steps, nil
}

func (p *definer) step(n node) (*step, error) {
	if s, ok := n.scalar(); ok && s == stepEnd { // "- end" for short
		p.counted++
		return &step{kind: stepEnd, line: n.line()}, nil
	}
	s := &step{line: n.line()}
	number := p.counted
	p.counted++
	// kind reads the word that makes the step what it is.
	kind := func(name string, read func(node) error) func(node) error {
		return func(n node) error {
			if s.kind != "" {
				return p.errorf(n, "a step is %s or %s, not both", s.kind, name)
			}
			s.kind = name
			return read(n)
		}
	}
	said := func(name string) func(node) error {
		key := fmt.Sprintf("steps.%d.%s", number, name)
		return func(n node) error {
			s.arg = key
			return p.text(key)(n)
		}
	}
	block := func(into *[]*step) func(node) error {
		return func(n node) (err error) {
			*into, err = p.steps(n)
			return err
		}
	}
	var ended bool
	err := p.fields(n, map[string]func(node) error{
		stepSay:     kind(stepSay, said(stepSay)),
		stepConfirm: kind(stepConfirm, said(stepConfirm)),
		stepDo:      kind(stepDo, p.action(&s.arg)),
		stepCall:    kind(stepCall, p.name(&s.arg)),
		stepCollect: kind(stepCollect, p.names(&s.names)),
		stepEnd:     kind(stepEnd, p.bool(&ended)),
		stepIf:      kind(stepIf, block(&s.then)),
		"when":      p.expr(&s.when),
		"with":      p.with(s),
		"into":      p.into(s),
		"else": func(n node) error {
			s.branch = true
			return block(&s.orElse)(n)
		},
	})
	if err != nil {
		return nil, err
	}
	return s, p.fits(n, s)
}

// fits refuses keys that mean nothing on this kind of step.
func (p *definer) fits(n node, s *step) error {
	switch {
	case s.kind == "":
		return p.errorf(n, "a step needs one of collect, say, confirm, do, call, then, end")
	case s.kind == stepIf && s.when == nil:
		return p.errorf(n, "then needs a when")
	case s.branch && s.kind != stepIf && s.kind != stepDo && s.kind != stepConfirm:
		return p.errorf(n, "else belongs to then, do and confirm, not to %s", s.kind)
	case s.with != nil && s.kind != stepDo && s.kind != stepCall:
		return p.errorf(n, "with belongs to do and call, not to %s", s.kind)
	case s.into != "" && s.kind != stepDo:
		return p.errorf(n, "into belongs to do, not to %s", s.kind)
	}
	if s.kind == stepDo && s.into == "" {
		s.into, _, _ = strings.Cut(s.arg, ".")
	}
	return nil
}

func (p *definer) with(s *step) func(node) error {
	return func(n node) error {
		s.with = []binding{}
		return p.each(n, func(name string, at, value node) error {
			b := binding{name: name}
			if !nameTag.MatchString(name) {
				return p.errorf(at, "%q cannot name an argument: small letters, digits and _", name)
			}
			if err := p.expr(&b.expr)(value); err != nil {
				return err
			}
			s.with = append(s.with, b)
			return nil
		})
	}
}

// into reads where a result goes: a variable, or "." for the top.
func (p *definer) into(s *step) func(node) error {
	return func(n node) error {
		if v, _ := n.scalar(); v == intoTop {
			s.into = intoTop
			return nil
		}
		return p.name(&s.into)(n)
	}
}
