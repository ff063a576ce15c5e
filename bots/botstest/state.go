package botstest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
)

// State is a bots.State in memory. A rig makes one and gives it to every adapter
// that it makes, so that it outlives a Restart. The zero value is ready.
type State struct {
	mu     sync.Mutex
	values map[string][]byte
	fails  bool
}

// Load implements bots.State.
func (s *State) Load(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails {
		return nil, errNoState
	}
	return slices.Clone(s.values[name]), nil
}

// Save implements bots.State.
func (s *State) Save(_ context.Context, name string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails {
		return errNoState
	}
	if s.values == nil {
		s.values = map[string][]byte{}
	}
	s.values[name] = slices.Clone(value)
	return nil
}

// Fail makes every Load and Save fail, as without a database, or work again.
func (s *State) Fail(fails bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = fails
}

// Values is what is kept now.
func (s *State) Values() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.values)
}

var errNoState = errors.New("there is nowhere to keep anything")
