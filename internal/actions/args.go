package actions

import (
	"errors"
	"strings"

	"shaoying/internal/ticket"
)

// result is what an action returns; it says what a dialogue sees.
type result = map[string]any

// fail ends a dialogue with a text, or runs the step's else.
func fail(key string) result { return result{"fail": key} }

// failAbout is fail with a text that names a ticket.
func failAbout(key string, n ticket.Number) result {
	return result{"fail": key, "number": n.Spoken()}
}

// refusal is the text behind a refusal of the rules about a ticket, where the
// dialogue has one; err is returned as it is otherwise.
func refusal(err error, n ticket.Number, texts map[string]string) (result, error) {
	var r *ticket.Refused
	if errors.As(err, &r) {
		if key, ok := texts[r.Key]; ok {
			return failAbout(key, n), nil
		}
	}
	return nil, err
}

// clip cuts a text to n characters, and shows that it did.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// Arguments are plain JSON values. What is not there, or is of another kind,
// is the zero value: dialogues hand over everything that they know.

func text(args map[string]any, name string) string {
	s, _ := args[name].(string)
	return strings.TrimSpace(s)
}

func truth(args map[string]any, name string) bool {
	b, _ := args[name].(bool)
	return b
}

func object(args map[string]any, name string) map[string]any {
	m, _ := args[name].(map[string]any)
	return m
}

func number(args map[string]any, name string) float64 {
	f, _ := args[name].(float64)
	return f
}

func list(args map[string]any, name string) []string {
	all, _ := args[name].([]any)
	out := make([]string, 0, len(all))
	for _, v := range all {
		if s, ok := v.(string); ok && s != "" {
			out = append(out, s)
		}
	}
	return out
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func option(value, label string) map[string]any {
	return map[string]any{"value": value, "label": label}
}
