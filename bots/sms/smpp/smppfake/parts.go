package smppfake

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"shaoying/bots/sms/smpp"
)

// Parts keeps pieces of long texts in memory, for tests without a database. It
// outlives the channel, as a table does.
type Parts struct {
	mu     sync.Mutex
	groups map[string]*kept
	fail   error
}

type kept struct {
	smpp.Group
	last time.Time
}

// NewParts returns an empty store.
func NewParts() *Parts { return &Parts{groups: map[string]*kept{}} }

// SetFail makes Put return an error; nil takes pieces again.
func (p *Parts) SetFail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = err
}

// Put implements smpp.Parts.
func (p *Parts) Put(_ context.Context, part smpp.Part) (smpp.Group, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return smpp.Group{}, p.fail
	}
	now := time.Now()
	g := p.groups[part.Group]
	if g == nil {
		g = &kept{Group: smpp.Group{ID: part.Group, Chat: part.Chat, Started: now}}
		p.groups[part.Group] = g
	}
	if !slices.ContainsFunc(g.Parts, func(o smpp.Part) bool { return o.Number == part.Number }) {
		g.Parts = append(g.Parts, part)
		slices.SortFunc(g.Parts, func(a, b smpp.Part) int { return cmp.Compare(a.Number, b.Number) })
		g.last = now
	}
	return g.copy(), nil
}

func (k *kept) copy() smpp.Group {
	g := k.Group
	g.Parts = slices.Clone(g.Parts)
	return g
}

// Group implements smpp.Parts.
func (p *Parts) Group(_ context.Context, id string) (smpp.Group, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if g := p.groups[id]; g != nil {
		return g.copy(), nil
	}
	return smpp.Group{ID: id}, nil
}

// Taken implements smpp.Parts.
func (p *Parts) Taken(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if g := p.groups[id]; g != nil {
		g.Taken = true
	}
	return nil
}

// Drop implements smpp.Parts.
func (p *Parts) Drop(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.groups, id)
	return nil
}

// Stale implements smpp.Parts.
func (p *Parts) Stale(_ context.Context, age time.Duration) (out []smpp.Group, _ error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.groups {
		if time.Since(g.last) > age {
			out = append(out, g.copy())
		}
	}
	return out, nil
}
