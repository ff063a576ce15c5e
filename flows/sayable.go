package flows

import (
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// Sayable is a text that a dialogue may say.
type Sayable struct {
	Key  string
	Text Text
	// Paths are the {{values}} that it shows.
	Paths []string
	// Labels are options that are listed below it, by language; those that an
	// action offers are not known here, and Offers says that there may be some.
	Labels []Text
	Offers bool
	Line   int
}

// Sayable lists the texts that a dialogue may say where the channel can do what
// caps says, in the order of the file. Conditions that look at caps alone are
// decided; whatever else a condition looks at may be so or not.
func (d *Definition) Sayable(caps Caps) []Sayable {
	w := sayer{d: d, caps: caps, seen: map[string]bool{}}
	if !collects(d.steps) {
		for _, it := range d.items {
			w.item(it)
		}
	}
	w.block(d.steps)
	if d.unfinished != nil {
		w.text("unfinished.say", nil, false)
	}
	if !caps.Paid {
		w.text("nudge.say", nil, false)
	}
	slices.SortStableFunc(w.out, func(a, b Sayable) int { return a.Line - b.Line })
	return w.out
}

// Each lists the texts of a catalogue, in the order of their keys.
func (t *Texts) Each() []Sayable {
	var all []Sayable
	for _, key := range t.Keys() {
		m := t.texts[key]
		all = append(all, Sayable{Key: key, Text: m.text, Paths: m.paths, Line: m.line})
	}
	return all
}

// File is where the definition was read from.
func (d *Definition) File() string { return d.file }

type sayer struct {
	d    *Definition
	caps Caps
	seen map[string]bool
	out  []Sayable
}

func (w *sayer) text(key string, labels []Text, offers bool) {
	m, ok := w.d.texts[key]
	if !ok || w.seen[key] {
		return
	}
	w.seen[key] = true
	w.out = append(w.out, Sayable{Key: key, Text: m.text, Paths: m.paths, Labels: labels, Offers: offers, Line: m.line})
}

// block walks steps and reports whether the dialogue has surely ended after them.
func (w *sayer) block(steps []*step) bool {
	for _, s := range steps {
		holds := s.when.under(w.caps)
		if holds == never {
			if w.block(s.orElse) {
				return true
			}
			continue
		}
		over := false
		switch s.kind {
		case stepSay, stepConfirm:
			w.text(s.arg, nil, false)
		case stepCollect:
			for _, name := range s.names {
				w.item(w.d.byName[name])
			}
		case stepEnd:
			over = holds == always
		case stepIf:
			then := w.block(s.then)
			over = then && holds == always
			if holds == maybe {
				orElse := w.block(s.orElse)
				over = then && s.branch && orElse
			}
		}
		if s.kind != stepIf {
			w.block(s.orElse)
		}
		if over {
			return true
		}
	}
	return false
}

func (w *sayer) item(it *item) {
	if it.when.under(w.caps) == never || onlyPhoto(it) && !w.caps.Photo {
		return
	}
	var labels []Text
	for _, c := range it.options {
		labels = append(labels, c.label.text)
	}
	m := machine{d: w.d, env: Env{Caps: w.caps}}
	key, offers := m.asking(it), it.offered != ""
	if key == it.key("paid") {
		labels, offers = nil, false
	}
	w.text(key, labels, offers)
	w.text(it.key("repair"), labels, offers)
	if it.resolve != "" {
		w.text(it.key("which"), nil, true)
	}
	if len(it.readback) > 0 && !w.caps.Paid {
		w.text(it.key("readback"), nil, false)
	}
}

// certainty is what caps alone say of a condition.
type certainty int

const (
	maybe certainty = iota
	always
	never
)

// under decides a condition as far as caps do; a missing one always holds.
func (e *expression) under(caps Caps) certainty {
	if e == nil {
		return always
	}
	tree, err := parser.Parse(e.source)
	if err != nil { // it was compiled before
		return maybe
	}
	return decide(tree.Node, map[string]bool{
		"photo": caps.Photo, "place": caps.Place, "confirm": caps.Confirm, "group": caps.Group, "paid": caps.Paid,
	})
}

func decide(n ast.Node, caps map[string]bool) certainty {
	switch n := n.(type) {
	case *ast.BoolNode:
		return certain(n.Value)
	case *ast.MemberNode:
		of, ok := n.Node.(*ast.IdentifierNode)
		name, named := n.Property.(*ast.StringNode)
		if ok && named && of.Value == "caps" {
			return certain(caps[name.Value])
		}
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			switch decide(n.Node, caps) {
			case always:
				return never
			case never:
				return always
			}
		}
	case *ast.BinaryNode:
		left, right := decide(n.Left, caps), decide(n.Right, caps)
		switch n.Operator {
		case "&&", "and":
			return both(left, right, never, always)
		case "||", "or":
			return both(left, right, always, never)
		}
	}
	return maybe
}

// both joins two certainties: one that is strong decides, two weak ones too.
func both(a, b, strong, weak certainty) certainty {
	switch {
	case a == strong || b == strong:
		return strong
	case a == weak && b == weak:
		return weak
	}
	return maybe
}

func certain(b bool) certainty {
	if b {
		return always
	}
	return never
}
