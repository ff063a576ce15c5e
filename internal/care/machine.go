package care

import (
	"fmt"
	"slices"
	"time"
)

// CommandName names a command in the tables, in the trail and on buttons.
type CommandName string

// Capacity is what an actor is to the application, bed or visit. Rights by role
// and area (package people) decide who may act in a capacity; this package
// decides what a capacity may do in the present state.
type Capacity string

// The capacities.
const (
	AsFamily   Capacity = "family"   // the patient or one of the carers; of an application who applies
	AsDesk     Capacity = "desk"     // the duty desk of the clinic
	AsDoctor   Capacity = "doctor"   // the responsible doctor 责任医师
	AsVisitor  Capacity = "visitor"  // who makes the visit
	AsHospital Capacity = "hospital" // the hospital's liaison
	AsSystem   Capacity = "system"   // a due thing or the planner
)

// Actor is who acts, and as what.
type Actor struct {
	As Capacity
	// Person is who spoke, 0 for staff and the system. The caller follows merged
	// persons first.
	Person int64
	// Staff is the staff member, 0 for families and the system.
	Staff int64
}

// Step is one row of a state machine.
type Step[S ~string] struct {
	Command CommandName
	From    []S
	By      []Capacity
	To      []S
}

// Machine is a whole state machine: what is not in it is refused, and the
// refusal names what is allowed. Guards that look at more than state and
// capacity stand with the command.
type Machine[S ~string] []Step[S]

func (m Machine[S]) row(c CommandName) (Step[S], bool) {
	i := slices.IndexFunc(m, func(r Step[S]) bool { return r.Command == c })
	if i < 0 {
		return Step[S]{}, false
	}
	return m[i], true
}

// Allowed lists the commands that the capacity may give in the state, in the
// order of the table: the buttons of a card. A command may still be refused
// for what it carries.
func (m Machine[S]) Allowed(state S, as Capacity) []CommandName {
	var names []CommandName
	for _, r := range m {
		if slices.Contains(r.From, state) && slices.Contains(r.By, as) {
			names = append(names, r.Command)
		}
	}
	return names
}

func (m Machine[S]) admit(state S, as Capacity, c CommandName) error {
	row, ok := m.row(c)
	switch {
	case !ok || !slices.Contains(row.By, as):
		return refuse(KeyNotYours, "command", string(c), "capacity", string(as))
	case !slices.Contains(row.From, state):
		r := refuse(KeyState, "command", string(c), "state", string(state))
		r.Allowed = m.Allowed(state, as)
		return r
	}
	return nil
}

// Event is one thing that happened. Data holds codes and ids, never words.
type Event struct {
	Kind     EventKind
	Actor    Actor
	At       time.Time
	From, To string // states
	Data     map[string]string
}

// command is something that somebody wants done with a T. The exported
// interfaces below it are closed sets.
type command[T any] interface {
	Name() CommandName
	apply(*step[T]) error
}

// step is one command on its way: the thing being changed and what it needs.
type step[T any] struct {
	*Rules
	t      *T
	bed    Bed // of a visit
	by     Actor
	now    time.Time
	events []Event
}

func (s *step[T]) event(kind EventKind, pairs ...string) {
	s.events = append(s.events, Event{Kind: kind, Actor: s.by, At: s.now, Data: dataOf(pairs)})
}

// run applies one command to the copy that s.t points to.
func run[T any, S ~string](m Machine[S], s *step[T], state func(*T) S, c command[T]) ([]Event, error) {
	from := state(s.t)
	if err := m.admit(from, s.by.As, c.Name()); err != nil {
		return nil, err
	}
	if err := c.apply(s); err != nil {
		return nil, err
	}
	to := state(s.t)
	if row, _ := m.row(c.Name()); !slices.Contains(row.To, to) {
		return nil, fmt.Errorf("care: %s led from %q to %q, which the table does not allow", c.Name(), from, to)
	}
	for i := range s.events {
		s.events[i].From, s.events[i].To = string(from), string(to)
	}
	return s.events, nil
}

func dataOf(pairs []string) map[string]string {
	data := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			data[pairs[i]] = pairs[i+1]
		}
	}
	return data
}
