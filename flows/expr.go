package flows

import (
	"errors"
	"fmt"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// expression is a compiled condition or value of a definition.
//
// A name that is not known is nil, a part of nil is nil, nil is false, and a
// comparison of order with nil is false: a definition may ask
// "matter.sure < 0.8" before there is a matter. So that this holds, the tree is
// rewritten at compile time (see lenient).
type expression struct {
	source  string
	program *vm.Program
	names   []string // dotted names that it reads, sorted
	line    int
}

func compileExpr(source string, line int) (*expression, error) {
	e := &expression{source: source, line: line}
	names := &nameCollector{}
	program, err := expr.Compile(source,
		expr.Env(map[string]any{}),
		expr.AllowUndefinedVariables(),
		expr.MaxNodes(MaxExpr),
		expr.DisableAllBuiltins(),
		expr.EnableBuiltin("len"),
		expr.Function("truth", truth, new(func(any) bool)),
		expr.Function("part", part, new(func(any, any) any)),
		expr.Function("order", order, new(func(string, any, any) bool)),
		expr.Patch(names),
		expr.Patch(lenient{}),
	)
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", source, err)
	}
	if names.calls {
		return nil, fmt.Errorf("expression %q: there are no functions but len", source)
	}
	e.program = program
	slices.Sort(names.found)
	e.names = slices.Compact(names.found)
	return e, nil
}

// value evaluates the expression over env.
func (e *expression) value(env map[string]any) (any, error) {
	v, err := expr.Run(e.program, env)
	if err != nil {
		return nil, fmt.Errorf("line %d: expression %q: %w", e.line, e.source, err)
	}
	return v, nil
}

// holds evaluates the expression as a condition; a missing one holds.
func (e *expression) holds(env map[string]any) (bool, error) {
	if e == nil {
		return true, nil
	}
	v, err := e.value(env)
	return truthy(v), err
}

// reads reports whether the expression looks at the named variable.
func (e *expression) reads(name string) bool {
	return e != nil && slices.ContainsFunc(e.names, func(n string) bool { return head(n) == name })
}

// truthy is false for nil, false, "" and 0.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case int:
		return v != 0
	case float64:
		return v != 0
	}
	return true
}

func truth(params ...any) (any, error) { return truthy(params[0]), nil }

// part is a member of an object or list; nil where there is none, so that a
// plain text has no parts either.
func part(params ...any) (any, error) {
	switch v := params[0].(type) {
	case map[string]any:
		if name, ok := params[1].(string); ok {
			return v[name], nil
		}
	case []any:
		if i, ok := params[1].(int); ok && i >= 0 && i < len(v) {
			return v[i], nil
		}
	}
	return nil, nil
}

var errOrder = errors.New("only two numbers or two texts have an order")

// order compares as the operator params[0] says; nil has no order.
func order(params ...any) (any, error) {
	if params[1] == nil || params[2] == nil {
		return false, nil
	}
	var c int
	if a, ok := number(params[1]); ok {
		b, ok := number(params[2])
		if !ok {
			return nil, errOrder
		}
		c = compare(a, b)
	} else {
		a, okA := params[1].(string)
		b, okB := params[2].(string)
		if !okA || !okB {
			return nil, errOrder
		}
		c = compare(a, b)
	}
	switch params[0] {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	default:
		return c >= 0, nil
	}
}

func compare[T float64 | string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// lenient rewrites a tree so that nil does no harm.
type lenient struct{}

func (lenient) Visit(n *ast.Node) {
	switch v := (*n).(type) {
	case *ast.MemberNode:
		ast.Patch(n, call("part", v.Node, v.Property))
	case *ast.UnaryNode:
		if v.Operator == "!" || v.Operator == "not" {
			v.Node = call("truth", v.Node)
		}
	case *ast.ConditionalNode:
		v.Cond = call("truth", v.Cond)
	case *ast.BinaryNode:
		switch v.Operator {
		case "&&", "||", "and", "or":
			v.Left, v.Right = call("truth", v.Left), call("truth", v.Right)
		case "<", "<=", ">", ">=":
			ast.Patch(n, call("order", &ast.StringNode{Value: v.Operator}, v.Left, v.Right))
		}
	}
}

func call(function string, args ...ast.Node) ast.Node {
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: function}, Arguments: args}
}

// internal are the functions that the rewriting adds, and len.
var internal = []string{"truth", "part", "order", "len"}

// nameCollector notes the names that an expression reads, before it is patched.
type nameCollector struct {
	found []string
	calls bool // a function is called; there are none but len
}

func (c *nameCollector) Visit(n *ast.Node) {
	if _, ok := (*n).(*ast.CallNode); ok {
		c.calls = true
	}
	if name := dotted(*n); name != "" && !slices.Contains(internal, name) {
		c.found = append(c.found, name)
	}
}

// dotted returns a.b for a member of a name, a for a name, else "".
func dotted(n ast.Node) string {
	switch v := n.(type) {
	case *ast.IdentifierNode:
		return v.Value
	case *ast.ChainNode:
		return dotted(v.Node)
	case *ast.MemberNode:
		base := dotted(v.Node)
		if part, ok := v.Property.(*ast.StringNode); ok && base != "" {
			return base + "." + part.Value
		}
	}
	return ""
}
