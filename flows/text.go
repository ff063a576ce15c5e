package flows

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// BaseLang is the language in which every text must exist.
const BaseLang = "zh-Hans"

var (
	langTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$`)
	pathTag = regexp.MustCompile(`^[\pL_][\pL\pN_]*(\.[\pL_][\pL\pN_]*)*$`)
)

// ErrNoText is the error for a key that names no text.
var ErrNoText = errors.New("no such text")

// Text is one text by language tag.
type Text map[string]string

// In returns the text in lang, or in BaseLang where there is none.
func (t Text) In(lang string) string {
	if s, ok := t[lang]; ok {
		return s
	}
	return t[BaseLang]
}

// Texts are texts by key that belong to no single dialogue: the engine's own
// words ("flow.…", see CommonKeys) and those of the host.
type Texts struct {
	name  string
	texts map[string]message
}

// message is a text with what a template needs known of it.
type message struct {
	text  Text
	paths []string // the {{paths}} of all languages, sorted
	line  int
}

// ParseTexts reads YAML of nested or dotted keys. A leaf is a string (zh-Hans)
// or a map by language, recognised by its zh-Hans key. Errors name file and
// line.
func ParseTexts(name string, body []byte) (*Texts, error) {
	r, root, err := readYAML(name, body)
	if err != nil {
		return nil, err
	}
	t := &Texts{name: name, texts: map[string]message{}}
	if err := t.read(r, "", root); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Texts) read(r reader, prefix string, n node) error {
	if n.isText() {
		if prefix == "" {
			return r.errorf(n, "texts must be a map of keys")
		}
		m, err := r.message(n)
		if err != nil {
			return err
		}
		if _, ok := t.texts[prefix]; ok {
			return r.errorf(n, "text %q is given twice", prefix)
		}
		t.texts[prefix] = m
		return nil
	}
	return r.each(n, func(key string, at, value node) error {
		if prefix != "" {
			key = prefix + "." + key
		}
		return t.read(r, key, value)
	})
}

// Text returns the template behind key, in lang or else in BaseLang.
func (t *Texts) Text(key, lang string) (string, error) {
	if t != nil {
		if m, ok := t.texts[key]; ok {
			return m.text.In(lang), nil
		}
	}
	return "", fmt.Errorf("text %q: %w", key, ErrNoText)
}

// Has reports whether key names a text. A nil Texts has none.
func (t *Texts) Has(key string) bool {
	if t == nil {
		return false
	}
	_, ok := t.texts[key]
	return ok
}

// Keys returns all keys, sorted.
func (t *Texts) Keys() []string {
	var keys []string
	for k := range t.texts {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Render puts params into the {{name}} and {{a.b}} of a template. There is no
// logic in templates. A missing param is an error and never an empty gap.
func Render(template string, params map[string]string) (string, error) {
	var b strings.Builder
	err := scanTemplate(template, func(literal, path string) error {
		b.WriteString(literal)
		if path == "" {
			return nil
		}
		v, ok := params[path]
		if !ok {
			return fmt.Errorf("render: no value for {{%s}}", path)
		}
		b.WriteString(v)
		return nil
	})
	if err != nil {
		return "", err
	}
	return b.String(), nil
}

// paths lists the {{paths}} of a template in order of appearance.
func paths(template string) ([]string, error) {
	var found []string
	err := scanTemplate(template, func(_, path string) error {
		if path != "" && !slices.Contains(found, path) {
			found = append(found, path)
		}
		return nil
	})
	return found, err
}

// scanTemplate calls yield with each piece of literal text and the path that
// follows it ("" at the end).
func scanTemplate(s string, yield func(literal, path string) error) error {
	for {
		open := strings.Index(s, "{{")
		if open < 0 {
			if strings.Contains(s, "}}") {
				return errors.New("template: }} without {{")
			}
			return yield(s, "")
		}
		literal, rest := s[:open], s[open+2:]
		path, after, ok := strings.Cut(rest, "}}")
		if !ok {
			return errors.New("template: {{ without }}")
		}
		path = strings.TrimSpace(path)
		if !pathTag.MatchString(path) {
			return fmt.Errorf("template: {{%s}} is no name; only {{name}} and {{name.part}} are allowed", path)
		}
		if strings.Contains(literal, "}}") {
			return errors.New("template: }} without {{")
		}
		if err := yield(literal, path); err != nil {
			return err
		}
		s = after
	}
}
