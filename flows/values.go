package flows

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// head returns what stands before the first dot of a name.
func head(name string) string {
	first, _, _ := strings.Cut(name, ".")
	return first
}

// plain turns a value into what JSON would give back (string, float64, bool,
// nil, []any, map[string]any), so that a dialogue behaves the same before and
// after its state was stored.
func plain(v any) (any, error) {
	switch v := v.(type) {
	case nil, string, bool:
		return v, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("number %v cannot be stored", v)
		}
		return v, nil
	case int:
		return float64(v), nil
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return list, nil
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			p, err := plain(e)
			if err != nil {
				return nil, err
			}
			list[i] = p
		}
		return list, nil
	case map[string]any:
		return plainMap(v)
	}
	body, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("value of type %T: %w", v, err)
	}
	var p any
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, fmt.Errorf("value of type %T: %w", v, err)
	}
	return p, nil
}

func plainMap(m map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(m))
	for k, v := range m {
		p, err := plain(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		out[k] = p
	}
	return out, nil
}

// size is about how many bytes v takes as JSON.
func size(v any) int {
	switch v := v.(type) {
	case string:
		return len(v) + 2
	case []any:
		n := 2
		for _, e := range v {
			n += size(e) + 1
		}
		return n
	case map[string]any:
		n := 2
		for k, e := range v {
			n += len(k) + 4 + size(e)
		}
		return n
	}
	return 8
}

// lookup finds a dotted path in vars, nil where there is nothing.
func lookup(vars map[string]any, path string) any {
	for {
		first, rest, more := strings.Cut(path, ".")
		v := vars[first]
		if !more {
			return v
		}
		inner, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		vars, path = inner, rest
	}
}

// display is a value as a person reads it: of an object its label, title or
// name, of a list its members.
func display(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = display(e)
		}
		return strings.Join(parts, "、")
	case map[string]any:
		for _, name := range []string{"label", "title", "name", "text"} {
			if s, ok := v[name].(string); ok {
				return s
			}
		}
	}
	return ""
}
