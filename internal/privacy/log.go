package privacy

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"strconv"
)

const withheld = "[withheld]"

// NewLogHandler returns a slog handler that writes one JSON line for each
// record and no personal data.
//
// A string is written only under a key of keys (LogKeys is the program's own
// list); others become "[withheld]". Everything that is written, the message
// and errors too, goes through Scrub. Numbers that look like a mobile phone are
// withheld under any key but "id" and those ending in "_id". Of values without
// a plain kind only errors are written, of the rest the type. JSON keeps line
// breaks and escape sequences in a value from forging a second line.
func NewLogHandler(w io.Writer, level slog.Leveler, keys []string) slog.Handler {
	allowed := make(map[string]bool, len(keys))
	for _, key := range keys {
		allowed[key] = true
	}
	return slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
				return a
			}
			return slog.Attr{Key: Scrub(a.Key), Value: redact(a.Key, a.Value, allowed)}
		},
	})
}

// LogKeys returns the attribute keys under which this program logs strings.
// They hold codes and names out of the program or its configuration, never
// what a person wrote or is called.
func LogKeys() []string {
	return []string{
		slog.MessageKey, slog.SourceKey,
		"addr", "action", "build", "catch_up", "channel", "class", "code", "component", "database",
		"dir", "err", "error", "event", "file", "flow", "job", "key_id", "kind", "lang", "listen", "matter",
		"method", "mode", "name", "outcome", "panic", "part", "path", "pattern", "policy", "purpose", "reason",
		"request", "role", "route", "schedule", "slot", "source", "stack", "state", "status", "step", "subject",
		"table", "unit", "url", "verdict", "version", "zone",
	}
}

// redact returns what may be written of a value.
func redact(key string, v slog.Value, allowed map[string]bool) slog.Value {
	switch v.Kind() {
	case slog.KindString:
		if !allowed[key] {
			return slog.StringValue(withheld)
		}
		return slog.StringValue(Scrub(v.String()))
	case slog.KindInt64:
		return number(key, v, v.Int64())
	case slog.KindUint64:
		return number(key, v, int64(min(v.Uint64(), math.MaxInt64)))
	case slog.KindFloat64:
		return number(key, v, int64(v.Float64()))
	case slog.KindAny:
		return redactAny(v.Any())
	}
	return v
}

// redactAny writes errors and the source line; any other value could hold
// anything, so only its type is named.
func redactAny(v any) slog.Value {
	switch v := v.(type) {
	case nil:
		return slog.AnyValue(nil)
	case *slog.Source:
		return slog.AnyValue(v)
	case error:
		return slog.StringValue(Scrub(v.Error()))
	}
	return slog.StringValue(fmt.Sprintf("[%T]", v))
}

// number withholds what may be a phone number given as a number.
func number(key string, v slog.Value, n int64) slog.Value {
	isID := key == "id" || len(key) > 3 && key[len(key)-3:] == "_id"
	if !isID && Scrub(strconv.FormatInt(n, 10)) != strconv.FormatInt(n, 10) {
		return slog.StringValue(withheld)
	}
	return v
}
