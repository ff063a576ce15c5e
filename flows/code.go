package flows

// intoTop puts the fields of a result among the variables themselves.
const intoTop = "."

type opcode byte

const (
	opCollect opcode = iota
	opSay
	opConfirm
	opDo
	opCall
	opEnd
	opJump   // go to target
	opUnless // go to target when the condition does not hold
)

// instruction is one step in a flat list, so that a position in a dialogue is
// one number. Targets only ever lead forward: a dialogue cannot loop.
type instruction struct {
	op     opcode
	step   *step
	names  []string
	target int // for do and confirm: the else, -1 without
}

// compileSteps lays the steps out flat. When no step says what to collect,
// everything is collected first.
func compileSteps(d *Definition) []instruction {
	c := compiler{}
	if !collects(d.steps) && len(d.items) > 0 {
		names := make([]string, len(d.items))
		for i, it := range d.items {
			names[i] = it.name
		}
		c.emit(instruction{op: opCollect, names: names})
	}
	c.block(d.steps)
	c.emit(instruction{op: opEnd})
	return c.code
}

func collects(steps []*step) bool {
	for _, s := range steps {
		if s.kind == stepCollect || collects(s.then) || collects(s.orElse) {
			return true
		}
	}
	return false
}

type compiler struct{ code []instruction }

func (c *compiler) emit(i instruction) int {
	c.code = append(c.code, i)
	return len(c.code) - 1
}

// here makes the instruction at pc lead to the next one emitted.
func (c *compiler) here(pc int) { c.code[pc].target = len(c.code) }

func (c *compiler) block(steps []*step) {
	for _, s := range steps {
		c.step(s)
	}
}

func (c *compiler) step(s *step) {
	unless := -1
	if s.when != nil {
		unless = c.emit(instruction{op: opUnless, step: s})
	}
	i := instruction{step: s, names: s.names, target: -1}
	switch s.kind {
	case stepIf:
		c.block(s.then)
		if s.branch {
			over := c.emit(instruction{op: opJump})
			c.here(unless)
			c.block(s.orElse)
			c.here(over)
			return
		}
	case stepDo, stepConfirm:
		i.op = opDo
		if s.kind == stepConfirm {
			i.op = opConfirm
		}
		pc := c.emit(i)
		if s.branch {
			over := c.emit(instruction{op: opJump})
			c.here(pc)
			c.block(s.orElse)
			c.here(over)
		}
	default:
		i.op = map[string]opcode{
			stepCollect: opCollect, stepSay: opSay, stepCall: opCall, stepEnd: opEnd,
		}[s.kind]
		c.emit(i)
	}
	if unless >= 0 {
		c.here(unless)
	}
}
