package flows

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Errors of Start and Step. They mean a mistake of the host or of the
// definition, never of the resident.
var (
	// ErrEnded: the dialogue is over.
	ErrEnded = errors.New("the dialogue has ended")
	// ErrOtherFlow: State.Flow names another definition.
	ErrOtherFlow = errors.New("the state belongs to another definition")
	// ErrPending: the Call of the last Output must be answered first.
	ErrPending = errors.New("an action has still to be answered")
	// ErrNoCall: a result came that nothing waits for.
	ErrNoCall = errors.New("no action waits for a result")
	// ErrTooLong: more than MaxSteps in one turn, or MaxDepth dialogues.
	ErrTooLong = errors.New("too many steps in one turn")
	// ErrTooLarge: the variables weigh more than MaxVars.
	ErrTooLarge = errors.New("the dialogue holds too much")
	// ErrBadState: the state does not fit the definition.
	ErrBadState = errors.New("the state does not fit the definition")
)

// Start begins the dialogue. version is the host's number of this definition,
// vars what it hands over: the names of Given, and the first message as
// VarText, VarPhotos and VarPosition.
func (d *Definition) Start(version int, vars map[string]any, env Env) (State, Output, error) {
	data, err := plainMap(vars)
	if err != nil {
		return State{}, Output{}, fmt.Errorf("flow %s: start: %w", d.Name, err)
	}
	s := State{Flow: d.Name, Version: version, Data: data, Items: map[string]Item{}}
	if d.unfinished != nil {
		u := *d.unfinished
		u.Version = version
		s.Unfinished = &u
	}
	m := machine{d: d, s: s, env: env}
	m.opening()
	return m.finish(State{}, m.run())
}

// Step takes one input and goes on until the dialogue waits again: for the
// resident (State.Open), for an action (Output.Call), or no more
// (Output.Ended). On an error the returned State is s, unchanged.
func (d *Definition) Step(s State, in Input, env Env) (State, Output, error) {
	m := machine{d: d, s: s.clone(), env: env, before: s.Question}
	var err error
	switch {
	case s.Ended:
		err = ErrEnded
	case s.Flow != d.Name:
		err = fmt.Errorf("%w: %s", ErrOtherFlow, s.Flow)
	case in.Kind == InputResult:
		err = m.result(in)
	case in.Kind == InputNudge || in.Kind == InputExpire:
		if s.Question == nil || s.Question.Turn != in.Turn {
			return s, Output{}, nil // that question is over
		}
		m.s.Steps = 0
		m.late(in.Kind)
	case s.Pending != nil:
		err = ErrPending
	case s.Question == nil:
		err = fmt.Errorf("%w: no question is open", ErrBadState)
	default:
		m.s.Steps = 0
		m.answer(in)
	}
	if err == nil {
		err = m.run()
	}
	return m.finish(s, err)
}

// Abandon returns what keeps the words of a dialogue that is dropped: the
// unfinished.do action with all that is known, nil when nothing was said yet
// or the definition keeps nothing.
func (d *Definition) Abandon(s State) *Call {
	if s.Unfinished == nil || s.Unfinished.Do == "" {
		return nil
	}
	for _, i := range s.Items {
		if i.State == ItemRaw || i.State == ItemDone || i.State == ItemGuessed {
			return &Call{Action: s.Unfinished.Do, Args: s.Vars()}
		}
	}
	return nil
}

// machine is one step in progress.
type machine struct {
	d   *Definition
	s   State
	env Env
	out Output
	// before is the question that was open when the step began.
	before *Question
	// seen is what expressions see; nil when a variable changed since.
	seen map[string]any
}

func (m *machine) finish(before State, err error) (State, Output, error) {
	if err == nil && size(m.s.Data) > MaxVars {
		err = ErrTooLarge
	}
	if err != nil {
		return before, Output{}, fmt.Errorf("flow %s: %w", m.d.Name, err)
	}
	m.out.Ended = m.s.Ended
	return m.s, m.out, nil
}

// scope is what expressions see.
func (m *machine) scope() map[string]any {
	if m.seen == nil {
		m.seen = make(map[string]any, len(m.s.Data)+2)
		maps.Copy(m.seen, m.s.Data)
		m.seen["lang"] = m.env.Lang
		m.seen["caps"] = map[string]any{
			"photo": m.env.Caps.Photo, "place": m.env.Caps.Place, "confirm": m.env.Caps.Confirm,
			"group": m.env.Caps.Group, "paid": m.env.Caps.Paid,
		}
	}
	return m.seen
}

func (m *machine) set(name string, v any) {
	m.s.Data[name] = v
	m.seen = nil
}

func (m *machine) unset(name string) {
	delete(m.s.Data, name)
	m.seen = nil
}

// run goes on until something has to be waited for.
func (m *machine) run() error {
	for m.s.Question == nil && m.s.Pending == nil && !m.s.Ended {
		if err := m.next(); err != nil {
			return err
		}
	}
	return nil
}

// next takes one instruction.
func (m *machine) next() error {
	if m.s.PC < 0 || m.s.PC >= len(m.d.code) {
		return fmt.Errorf("%w: no instruction %d", ErrBadState, m.s.PC)
	}
	if len(m.s.Redo) > 0 {
		done, err := m.collect(m.s.Redo)
		if done {
			m.s.Redo = nil
		}
		return err
	}
	i := &m.d.code[m.s.PC]
	if i.op != opJump && i.op != opUnless {
		if err := m.spend(); err != nil {
			return err
		}
	}
	switch i.op {
	case opJump:
		m.s.PC = i.target
	case opUnless:
		ok, err := i.step.when.holds(m.scope())
		if err != nil {
			return err
		}
		if ok {
			m.s.PC++
		} else {
			m.s.PC = i.target
		}
	case opCollect:
		done, err := m.collect(i.names)
		if done {
			m.s.PC++
		}
		return err
	case opSay:
		m.say(i.step.arg, nil)
		m.s.PC++
	case opConfirm:
		m.askConfirm()
	case opDo:
		args, err := m.args(i.step)
		if err != nil {
			return err
		}
		m.call(Pending{For: forDo, Action: i.step.arg}, args)
	case opCall:
		return m.enter(i.step)
	case opEnd:
		m.leave()
	}
	return nil
}

// spend counts what is done in one turn.
func (m *machine) spend() error {
	if m.s.Steps++; m.s.Steps > MaxSteps {
		return fmt.Errorf("%w: more than %d", ErrTooLong, MaxSteps)
	}
	return nil
}

// args are the arguments of a step: those named in with, else everything known.
func (m *machine) args(s *step) (map[string]any, error) {
	if s.with == nil {
		return maps.Clone(m.s.Data), nil
	}
	args := make(map[string]any, len(s.with))
	for _, b := range s.with {
		v, err := b.expr.value(m.scope())
		if err != nil {
			return nil, err
		}
		if args[b.name], err = plain(v); err != nil {
			return nil, fmt.Errorf("line %d: %w", s.line, err)
		}
	}
	return args, nil
}

func (m *machine) call(p Pending, args map[string]any) {
	m.s.Pending = &p
	m.s.Question = nil
	m.out.Call = &Call{Action: p.Action, Args: args}
}

// enter puts another dialogue on top of this one.
func (m *machine) enter(s *step) error {
	if len(m.s.Stack)+1 >= MaxDepth {
		return fmt.Errorf("line %d: call %s: %w: %d dialogues on top of each other", s.line, s.arg, ErrTooLong, MaxDepth)
	}
	if s.with != nil {
		args, err := m.args(s)
		if err != nil {
			return err
		}
		for name, v := range args {
			m.set(name, v)
		}
	}
	m.s.Stack = append(slices.Clone(m.s.Stack), Frame{Flow: m.s.Flow, Version: m.s.Version, PC: m.s.PC + 1})
	m.s.Flow, m.s.Version, m.s.PC = s.arg, 0, 0
	m.call(Pending{For: forEnter, Action: ActionEnter}, map[string]any{"flow": s.arg})
	return nil
}

// leave goes back to the caller, or ends.
func (m *machine) leave() {
	if len(m.s.Stack) == 0 {
		m.s.Ended = true
		return
	}
	m.pop()
	m.call(Pending{For: forReturn, Action: ActionReturn}, map[string]any{"flow": m.s.Flow})
}

func (m *machine) pop() {
	top := len(m.s.Stack) - 1
	f := m.s.Stack[top]
	m.s.Stack = slices.Clone(m.s.Stack[:top])
	m.s.Flow, m.s.Version, m.s.PC = f.Flow, f.Version, f.PC
}

// late handles a nudge or an expiry of the open question.
func (m *machine) late(kind InputKind) {
	if kind == InputNudge {
		if m.d.nudge > 0 && !m.s.Question.Nudged && !m.env.Caps.Paid {
			m.s.Question.Nudged = true
			m.say("nudge.say", nil)
		}
		return
	}
	keep, u := m.d.Abandon(m.s), m.s.Unfinished
	m.s.Question = nil
	if keep == nil {
		m.s.Ended = true
		if u != nil && u.Flow == m.d.Name && !m.env.Caps.Paid { // nothing was kept
			m.sayIfAny("unfinished.say")
		}
		return
	}
	for m.s.Flow != u.Flow && len(m.s.Stack) > 0 { // its text is in the caller
		m.pop()
	}
	m.call(Pending{For: forUnfinished, Action: keep.Action}, keep.Args)
}
