package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// maxBytes and maxDepth bound what a hostile definition can cost: the
	// parser below is recursive, and an alias repeats what it names. The
	// largest file of the tree has a tenth of each.
	maxBytes   = 1 << 20
	maxDepth   = 64
	maxAliases = 64
)

// Error is a mistake in a YAML file, at a place that an editor can jump to.
type Error struct {
	Name         string // file or definition name as given to Decode
	Line, Column int    // from 1; 0 when the mistake is the file as a whole
	Message      string // what is wrong and what is allowed
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Name, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Name, e.Line, e.Column, e.Message)
}

// Decode reads the one YAML document of body into v, a pointer. Struct fields
// are named by their yaml tags. It refuses unknown and repeated keys, several
// documents, tags, merge keys, aliases within aliases, and whatever is too large
// or too deep. An empty document leaves v as it is. Every error is an *Error whose Name is
// name.
func Decode(name string, body []byte, v any) error {
	doc, err := parse(name, body)
	if err != nil || doc == nil {
		return err
	}
	return decodeNode(name, doc, v)
}

// parse returns the body of the only document, or nil when there is nothing
// in it but comments.
func parse(name string, body []byte) (doc ast.Node, err error) {
	defer caught(name, &err)
	if len(body) > maxBytes {
		return nil, &Error{Name: name, Message: fmt.Sprintf("%d bytes are too many; at most %d", len(body), maxBytes)}
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	tokens := lexer.Tokenize(string(body))
	if err := checkTokens(name, tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, located(name, err)
	}
	for _, d := range file.Docs {
		if d.Body == nil {
			continue
		}
		if doc != nil {
			return nil, at(name, d.Body.GetToken(), "a second document; a file holds one, take the --- out")
		}
		doc = d.Body
	}
	if doc == nil {
		return nil, nil
	}
	return doc, checkAnchors(name, doc)
}

// checkAnchors refuses an alias inside of what an anchor names, because a few
// such lines unfold to more than the machine holds.
func checkAnchors(name string, doc ast.Node) error {
	for _, anchor := range ast.Filter(ast.AnchorType, doc) {
		if inner := ast.Filter(ast.AliasType, anchor.(*ast.AnchorNode).Value); len(inner) > 0 {
			return at(name, inner[0].GetToken(), "an alias inside of an anchored value; write the value out")
		}
	}
	return nil
}

// checkTokens refuses, before the recursive parser runs, what the files here
// never need: tags, merge keys, deep nesting and many aliases.
func checkTokens(name string, tokens token.Tokens) error {
	flow, line, inLine, aliases := 0, 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, inLine = t.Position.Line, 0
		}
		switch t.Type {
		case token.MergeKeyType, token.TagType:
			return at(name, t, "merge keys and tags are not allowed; write the value out (quote it if it is text)")
		case token.AliasType:
			if aliases++; aliases > maxAliases {
				return at(name, t, fmt.Sprintf("more than %d aliases; write the value out", maxAliases))
			}
		case token.InvalidType:
			return at(name, t, t.Error)
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			inLine++
		}
		if flow > maxDepth || (flow == 0 && inLine > maxDepth) || t.Position.IndentNum > 4*maxDepth {
			return at(name, t, fmt.Sprintf("nested too deeply; at most %d levels", maxDepth))
		}
	}
	return nil
}

// decodeNode decodes strictly and turns the library's errors into *Error.
func decodeNode(name string, node ast.Node, v any) (err error) {
	defer caught(name, &err)
	err = yaml.NewDecoder(strings.NewReader(""), yaml.Strict()).DecodeFromNode(node, v)
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		return at(name, unknown.GetToken(), unknownKey(node, v, unknown.GetToken()))
	}
	return located(name, err)
}

// unknownKey says which key is not known and which are.
func unknownKey(node ast.Node, v any, key *token.Token) string {
	msg := fmt.Sprintf("unknown key %q", key.Value)
	if allowed := allowedAt(node, reflect.TypeOf(v), key); len(allowed) > 0 {
		msg += "; allowed: " + strings.Join(allowed, ", ")
	}
	return msg
}

// allowedAt walks document and type side by side to the mapping that holds the
// key and returns the keys of its struct. It returns nil where a type decodes
// itself and so hides its keys.
func allowedAt(node ast.Node, t reflect.Type, key *token.Token) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, pair := range n.Values {
			if pair.Key.GetToken().Position.Offset == key.Position.Offset {
				return keysOf(t)
			}
			if found := allowedAt(pair.Value, typeOf(t, pair.Key.GetToken().Value), key); found != nil {
				return found
			}
		}
	case *ast.AnchorNode:
		return allowedAt(n.Value, t, key)
	case *ast.SequenceNode:
		if t.Kind() != reflect.Slice && t.Kind() != reflect.Array {
			return nil
		}
		for _, value := range n.Values {
			if found := allowedAt(value, t.Elem(), key); found != nil {
				return found
			}
		}
	}
	return nil
}

// typeOf returns the type of what stands under key in a value of type t.
func typeOf(t reflect.Type, key string) reflect.Type {
	if t.Kind() == reflect.Map {
		return t.Elem()
	}
	for name, field := range fields(t) {
		if name == key {
			return field.Type
		}
	}
	return reflect.TypeFor[any]()
}

// keysOf returns the YAML keys of a struct type in lexical order.
func keysOf(t reflect.Type) []string {
	var keys []string
	for name := range fields(t) {
		keys = append(keys, name)
	}
	slices.Sort(keys)
	return keys
}

// fields yields the YAML key and field of a struct type, inlined ones too.
func fields(t reflect.Type) func(yield func(string, reflect.StructField) bool) {
	return func(yield func(string, reflect.StructField) bool) {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return
		}
		for i := range t.NumField() {
			field := t.Field(i)
			name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			switch {
			case strings.Contains(options, "inline"):
				for name, inner := range fields(field.Type) {
					if !yield(name, inner) {
						return
					}
				}
				continue
			case name == "-" || !field.IsExported():
				continue
			case name == "":
				name = strings.ToLower(field.Name)
			}
			if !yield(name, field) {
				return
			}
		}
	}
}

// located turns an error of the YAML library into an *Error.
func located(name string, err error) error {
	var y yaml.Error
	if errors.As(err, &y) {
		return at(name, y.GetToken(), y.GetMessage())
	}
	return &Error{Name: name, Message: err.Error()}
}

// caught turns a panic of the YAML library, which fuzzing found on broken
// documents (a tag without a value), into an error.
func caught(name string, err *error) {
	if p := recover(); p != nil {
		*err = &Error{Name: name, Message: fmt.Sprintf("cannot be read as YAML (%v)", p)}
	}
}

func at(name string, t *token.Token, message string) *Error {
	e := &Error{Name: name, Message: message}
	if t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
	return e
}
