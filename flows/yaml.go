package flows

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// reader reads the YAML tree of one file by hand rather than into structs:
// the order of a collect counts, and Check must name the line of everything.
type reader struct{ file string }

type node struct{ ast.Node }

func readYAML(name string, body []byte) (reader, node, error) {
	r := reader{file: name}
	if len(body) > MaxDefinition {
		return r, node{}, fmt.Errorf("%s: %d bytes, at most %d are allowed", name, len(body), MaxDefinition)
	}
	if !utf8.Valid(body) {
		return r, node{}, fmt.Errorf("%s: not UTF-8; save the file as UTF-8", name)
	}
	tokens := lexer.Tokenize(string(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	if line, deep := tooDeep(tokens); deep {
		return r, node{}, fmt.Errorf("%s:%d: nested too deeply", name, line)
	}
	f, err := parser.Parse(tokens, 0)
	if err != nil {
		return r, node{}, fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, false))
	}
	switch {
	case len(f.Docs) == 0 || f.Docs[0].Body == nil:
		return r, node{}, fmt.Errorf("%s: empty", name)
	case len(f.Docs) > 1:
		return r, node{}, r.errorf(node{f.Docs[1]}, "one document per file, without ---")
	}
	return r, node{f.Docs[0].Body}, nil
}

// maxNesting is far above what a dialogue needs. It is held before the parser
// runs, because that is recursive.
const maxNesting = 40

// tooDeep finds the line where brackets, entries of one line, or indentation
// nest too deeply.
func tooDeep(tokens token.Tokens) (int, bool) {
	depth, line, inLine := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, inLine = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType, token.TagType, token.AnchorType:
			if depth == 0 {
				inLine++
			}
		}
		if depth > maxNesting || inLine > maxNesting || t.Position.IndentNum > 4*maxNesting {
			return line, true
		}
	}
	return 0, false
}

func (r reader) errorf(n node, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", r.file, n.line(), fmt.Sprintf(format, args...))
}

func (n node) line() int {
	if n.Node == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 0
	}
	return n.GetToken().Position.Line
}

// pairs returns the entries of a mapping.
func (n node) pairs() ([]*ast.MappingValueNode, bool) {
	switch m := n.Node.(type) {
	case *ast.MappingNode:
		return m.Values, true
	case *ast.MappingValueNode: // a mapping of one entry
		return []*ast.MappingValueNode{m}, true
	}
	return nil, false
}

func (n node) isMap() bool { _, ok := n.pairs(); return ok }

// isText reports whether n is a scalar or a map by language.
func (n node) isText() bool {
	pairs, ok := n.pairs()
	if !ok {
		_, scalar := n.scalar()
		return scalar
	}
	return slices.ContainsFunc(pairs, func(p *ast.MappingValueNode) bool {
		key, _ := node{p.Key}.scalar()
		return key == BaseLang
	})
}

// scalar returns the text of a string, number or truth value as written.
func (n node) scalar() (string, bool) {
	switch v := n.Node.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return strings.TrimRight(v.Value.Value, "\n"), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// each calls f for every entry of a mapping in file order. at is the key.
func (r reader) each(n node, f func(key string, at, value node) error) error {
	pairs, ok := n.pairs()
	if !ok {
		return r.errorf(n, "a map of name: value is needed here")
	}
	seen := map[string]bool{}
	for _, p := range pairs {
		at := node{p.Key}
		key, ok := at.scalar()
		if !ok {
			return r.errorf(at, "a plain name is needed here, without anchors or merges")
		}
		if seen[key] {
			return r.errorf(at, "%q is given twice", key)
		}
		seen[key] = true
		if err := f(key, at, node{p.Value}); err != nil {
			return err
		}
	}
	return nil
}

// fields reads a mapping whose keys are all known.
func (r reader) fields(n node, known map[string]func(node) error) error {
	return r.each(n, func(key string, at, value node) error {
		read, ok := known[key]
		if !ok {
			names := make([]string, 0, len(known))
			for k := range known {
				names = append(names, k)
			}
			slices.Sort(names)
			return r.errorf(at, "unknown key %q; known here: %s", key, strings.Join(names, ", "))
		}
		return read(value)
	})
}

func (r reader) items(n node) ([]node, error) {
	seq, ok := n.Node.(*ast.SequenceNode)
	if !ok {
		return nil, r.errorf(n, "a list is needed here")
	}
	nodes := make([]node, len(seq.Values))
	for i, v := range seq.Values {
		nodes[i] = node{v}
	}
	return nodes, nil
}

func (r reader) string(into *string) func(node) error {
	return func(n node) error {
		s, ok := n.scalar()
		if !ok || strings.TrimSpace(s) == "" {
			return r.errorf(n, "a word is needed here")
		}
		*into = s
		return nil
	}
}

// strings reads one string or a list of them.
func (r reader) strings(into *[]string) func(node) error {
	return func(n node) error {
		nodes := []node{n}
		if _, one := n.scalar(); !one {
			var err error
			if nodes, err = r.items(n); err != nil {
				return err
			}
		}
		for _, n := range nodes {
			var s string
			if err := r.string(&s)(n); err != nil {
				return err
			}
			*into = append(*into, s)
		}
		return nil
	}
}

func (r reader) bool(into *bool) func(node) error {
	return func(n node) error {
		b, ok := n.Node.(*ast.BoolNode)
		if !ok {
			return r.errorf(n, "true or false is needed here")
		}
		*into = b.Value
		return nil
	}
}

// count reads a whole number of at least 0 and at most limit.
func (r reader) count(into *int, limit int) func(node) error {
	return func(n node) error {
		s, _ := n.scalar()
		v, err := strconv.Atoi(s)
		if err != nil || v < 0 || v > limit {
			return r.errorf(n, "a whole number from 0 to %d is needed here", limit)
		}
		*into = v
		return nil
	}
}

func (r reader) duration(into *time.Duration) func(node) error {
	return func(n node) error {
		s, _ := n.scalar()
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 {
			return r.errorf(n, "a time such as 5m or 24h is needed here")
		}
		*into = d
		return nil
	}
}

// message reads a text: a string (zh-Hans) or a map by language.
func (r reader) message(n node) (message, error) {
	m := message{text: Text{}, line: n.line()}
	add := func(lang string, n node) error {
		s, ok := n.scalar()
		if !ok || strings.TrimSpace(s) == "" {
			return r.errorf(n, "a text is needed here")
		}
		if utf8.RuneCountInString(s) > MaxTemplate {
			return r.errorf(n, "text longer than %d characters", MaxTemplate)
		}
		found, err := paths(s)
		if err != nil {
			return r.errorf(n, "%v", err)
		}
		m.text[lang] = s
		m.paths = append(m.paths, found...)
		return nil
	}
	var err error
	if n.isMap() {
		err = r.each(n, func(lang string, at, value node) error {
			if !langTag.MatchString(lang) {
				return r.errorf(at, "%q is no language tag such as zh-Hans or en", lang)
			}
			return add(lang, value)
		})
	} else {
		err = add(BaseLang, n)
	}
	slices.Sort(m.paths)
	m.paths = slices.Compact(m.paths)
	return m, err
}
