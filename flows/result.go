package flows

import (
	"fmt"
	"maps"
)

// Statuses that a resolve returns as "status". Its other fields are "value"
// (what to store), "options" (list of {value, label}), "say" (a text key),
// "params" (values for that text); any further field becomes a variable.
const (
	StatusOK      = "ok"      // value is stored
	StatusAsk     = "ask"     // several fit: options are offered
	StatusUnknown = "unknown" // the words are kept as they are
	StatusReject  = "reject"  // it cannot be that: asked again
)

var resolveFields = map[string]bool{"status": true, "value": true, "options": true, "say": true, "params": true}

// result takes what an action returned and goes on where it was called.
func (m *machine) result(in Input) error {
	p := m.s.Pending
	if p == nil {
		return ErrNoCall
	}
	m.s.Pending = nil
	r, err := plainMap(in.Result)
	if err != nil {
		return fmt.Errorf("result of %s: %w", p.Action, err)
	}
	switch p.For {
	case forResolve:
		return m.resolved(p, r, in.Err != "")
	case forDo:
		return m.did(p, r, in.Err != "")
	case forEnter:
		if v, ok := r["version"].(float64); ok {
			m.s.Version = int(v)
		}
		if m.s.Unfinished == nil && m.d.unfinished != nil {
			u := *m.d.unfinished
			u.Version = m.s.Version
			m.s.Unfinished = &u
		}
	case forReturn:
	case forHandover:
		m.last(p, r, textHandover)
	case forUnfinished:
		m.last(p, r, m.own("unfinished.say", textUnfinished))
	default:
		return fmt.Errorf("%w: a result for %q", ErrBadState, p.For)
	}
	return nil
}

// last says the end of a dialogue that did not come to its own. The result can
// be shown as that of a do: {{ticket.number}} for ticket.file_incomplete.
func (m *machine) last(p *Pending, r map[string]any, key string) {
	m.merge(head(p.Action), r)
	if say, ok := r["say"].(string); ok {
		key = say
	}
	m.say(key, paramsOf(r))
	m.s.Ended = true
}

// did takes the result of a do.
func (m *machine) did(p *Pending, r map[string]any, broken bool) error {
	i := m.d.code[min(max(m.s.PC, 0), len(m.d.code)-1)]
	if i.op != opDo {
		return fmt.Errorf("%w: %s was not called from here", ErrBadState, p.Action)
	}
	fail, failed := r["fail"].(string)
	if !failed && !broken {
		m.merge(i.step.into, r)
		m.s.PC++ // where there is an else, to the jump over it
		return nil
	}
	if i.target >= 0 {
		m.s.PC = i.target
		return nil
	}
	if !failed {
		fail = textFailed
	}
	m.say(fail, paramsOf(r))
	m.s.Ended = true
	return nil
}

// merge stores a result in the variable into, beside what is there.
func (m *machine) merge(into string, r map[string]any) {
	if into == intoTop {
		for k, v := range r {
			m.set(k, v)
		}
		return
	}
	old, _ := m.s.Data[into].(map[string]any)
	merged := cloneMap(old)
	maps.Copy(merged, r)
	m.set(into, merged)
}

func paramsOf(r map[string]any) map[string]any {
	if params, ok := r["params"].(map[string]any); ok {
		return params
	}
	return r
}

// resolved takes what an action made of an answer.
func (m *machine) resolved(p *Pending, r map[string]any, broken bool) error {
	it := m.d.byName[p.Item]
	if it == nil {
		return fmt.Errorf("%w: no item %q", ErrBadState, p.Item)
	}
	for k, v := range r {
		if !resolveFields[k] {
			m.set(k, v)
		}
	}
	status, _ := r["status"].(string)
	options := optionsOf(r["options"])
	if broken || status == StatusAsk && len(options) == 0 {
		status = StatusUnknown
	}
	at := m.s.Items[it.name]
	if !p.Silent && (status == StatusAsk || status == StatusReject) {
		once, err := m.once(it)
		if err != nil {
			return err
		}
		if once && status == StatusReject {
			m.skip(it)
			return nil
		}
		if once {
			status = StatusUnknown
		}
	}
	switch status {
	case StatusOK:
		at.State = ItemDone
		if p.Silent && it.when.reads(it.name) {
			at.State, at.Options = ItemGuessed, options
		}
		if v := r["value"]; v != nil {
			m.set(it.name, v)
		} else if m.s.Data[it.name] == nil { // found, but nothing to hold
			at.State = ItemTried
		}
	case StatusAsk:
		at.State = ItemTried
		if p.Silent {
			at.Options = options
			break
		}
		m.unset(it.name)
		if at.Misses >= 2 {
			m.s.Question = &Question{Kind: AskWhich, Item: it.name, Misses: at.Misses}
			m.out.Missed = true
			m.handover(at.Raw)
			break
		}
		say, _ := r["say"].(string)
		m.askWhich(it, options, say, at.Misses)
	case StatusUnknown:
		m.keepWords(it, &at, p.Silent)
	case StatusReject:
		return m.rejected(it, at, p.Silent, r)
	default:
		return fmt.Errorf("%s returned status %q; ok, ask, unknown or reject is needed", p.Action, status)
	}
	m.s.Items[it.name] = at
	return nil
}

// once reports whether an item is asked for only once.
func (m *machine) once(it *item) (bool, error) {
	if it.once == nil {
		return false, nil
	}
	return it.once.holds(m.scope())
}

// keepWords stores an answer that the action could not make out. It has the
// shape of a resolved one, so that {{place.label}} still shows it.
func (m *machine) keepWords(it *item, at *Item, silent bool) {
	if silent {
		at.State = ItemTried
		return
	}
	at.State = ItemDone
	if _, object := m.s.Data[it.name].(map[string]any); !object {
		m.set(it.name, map[string]any{"label": at.Raw, "unknown": true})
	}
}

// rejected asks again for an answer that cannot be right.
func (m *machine) rejected(it *item, at Item, silent bool, r map[string]any) error {
	misses := at.Misses
	m.s.Items[it.name] = Item{State: ItemTried, Misses: misses}
	if silent {
		return nil
	}
	said := at.Raw
	m.unset(it.name)
	m.before = nil
	m.askItem(it)
	if m.s.Question == nil { // it cannot be asked
		return nil
	}
	m.out.Says = m.out.Says[:len(m.out.Says)-1] // said by the repair
	m.out.Missed = true
	q := m.s.Question
	q.Misses = misses + 1
	m.s.Items[it.name] = Item{State: ItemTried, Misses: q.Misses}
	if q.Misses >= 2 {
		m.handover(said)
		return nil
	}
	say, _ := r["say"].(string)
	m.repair(say)
	return nil
}
