package flows

import "slices"

var accepts = []Accept{
	AcceptText, AcceptVoice, AcceptPhoto, AcceptPlace,
	AcceptChoice, AcceptNumber, AcceptYesNo, AcceptPhone,
}

func (p *definer) collect(n node) error {
	return p.each(n, func(name string, at, value node) error {
		it := &item{line: at.line(), opening: opening}
		if err := p.name(&it.name)(at); err != nil {
			return err
		}
		if len(p.d.items) == MaxItems {
			return p.errorf(at, "more than %d items", MaxItems)
		}
		if err := p.item(it, value); err != nil {
			return err
		}
		p.d.items = append(p.d.items, it)
		p.d.byName[it.name] = it
		return nil
	})
}

func (p *definer) item(it *item, n node) error {
	err := p.fields(n, map[string]func(node) error{
		"accept":       p.accept(it),
		"ask":          p.text(it.key("ask")),
		"paid":         p.text(it.key("paid")),
		"label":        p.text(it.key("label")),
		"repair":       p.text(it.key("repair")),
		"which":        p.text(it.key("which")),
		"options":      p.options(it),
		"options_from": p.name(&it.offered),
		"resolve":      p.action(&it.resolve),
		"from":         p.name(&it.from),
		"also":         p.name(&it.also),
		"when":         p.expr(&it.when),
		"once":         p.expr(&it.once),
		"fill":         p.expr(&it.fill),
		"optional":     p.bool(&it.optional),
		"max":          p.count(&it.max, MaxText),
		"min":          p.count(&it.min, MaxText),
		"opening":      p.count(&it.opening, MaxText),
		"readback":     p.readback(it),
	})
	if err != nil {
		return err
	}
	switch {
	case len(it.accept) == 0 && len(it.options) > 0:
		it.accept = []Accept{AcceptChoice}
	case len(it.accept) == 0:
		it.accept = []Accept{AcceptText}
	}
	if it.max > 0 && it.min > it.max {
		return p.errorf(n, "%s: min %d is above max %d", it.name, it.min, it.max)
	}
	if it.takes(AcceptPhoto) && it.max > MaxPhotos {
		return p.errorf(n, "%s: at most %d photos", it.name, MaxPhotos)
	}
	if len(it.options) > 0 && it.offered != "" {
		return p.errorf(n, "%s: options and options_from exclude each other", it.name)
	}
	return nil
}

func (p *definer) accept(it *item) func(node) error {
	return func(n node) error {
		var kinds []string
		if err := p.strings(&kinds)(n); err != nil {
			return err
		}
		for _, k := range kinds {
			if !slices.Contains(accepts, Accept(k)) {
				return p.errorf(n, "accept: %q is not one of %v", k, accepts)
			}
			it.accept = append(it.accept, Accept(k))
		}
		return nil
	}
}

// options reads a list of {value, label, words} or of plain words, or a map of
// value: label.
func (p *definer) options(it *item) func(node) error {
	return func(n node) error {
		if n.isMap() {
			return p.each(n, func(value string, at, label node) error {
				m, err := p.message(label)
				if err != nil {
					return err
				}
				return p.option(it, at, choice{value: value, label: m})
			})
		}
		nodes, err := p.items(n)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			var c choice
			if s, ok := n.scalar(); ok {
				c.value = s
				if c.label, err = p.message(n); err != nil {
					return err
				}
			} else if err := p.fields(n, map[string]func(node) error{
				"value": p.string(&c.value),
				"label": func(n node) (err error) { c.label, err = p.message(n); return err },
				"words": p.strings(&c.words),
			}); err != nil {
				return err
			}
			if c.value == "" || c.label.text == nil {
				return p.errorf(n, "an option needs value and label")
			}
			if err := p.option(it, n, c); err != nil {
				return err
			}
		}
		return nil
	}
}

func (p *definer) option(it *item, at node, c choice) error {
	if len(it.options) == MaxOptions {
		return p.errorf(at, "%s: more than %d options", it.name, MaxOptions)
	}
	if slices.ContainsFunc(it.options, func(o choice) bool { return o.value == c.value }) {
		return p.errorf(at, "%s: option %q is given twice", it.name, c.value)
	}
	it.options = append(it.options, c)
	return p.textOf(at, it.key("options."+c.value), c.label)
}

// textOf files a message that was read already.
func (p *definer) textOf(at node, key string, m message) error {
	if _, ok := p.d.texts[key]; ok {
		return p.errorf(at, "text %q is given twice", key)
	}
	p.d.texts[key] = m
	return nil
}

func (p *definer) readback(it *item) func(node) error {
	return func(n node) error {
		err := p.fields(n, map[string]func(node) error{
			"values": p.strings(&it.readback),
			"say":    p.text(it.key("readback")),
		})
		if err == nil && len(it.readback) == 0 {
			err = p.errorf(n, "readback needs values")
		}
		return err
	}
}
