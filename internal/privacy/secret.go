package privacy

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// Secret is a token or password. However it is printed, logged or encoded, it
// shows "[secret]"; only Reveal gives it away.
type Secret struct{ value string }

const hidden = "[secret]"

// NewSecret wraps a value that came from somewhere else than a variable or a
// file.
func NewSecret(value string) Secret { return Secret{value} }

// ResolveSecret reads a channel's secret from the environment variable env
// (config key …_env) or from the file (config key …_file); exactly one of the
// two names is given. Space around the value is cut. The error names the
// variable or file, never its content.
func ResolveSecret(env, file string) (Secret, error) {
	switch {
	case env != "" && file != "":
		return Secret{}, fmt.Errorf("secret is given twice, by variable %s and by file %s: keep one", env, file)
	case env != "":
		value := strings.TrimSpace(os.Getenv(env))
		if value == "" {
			return Secret{}, fmt.Errorf("environment variable %s is not set: put the secret there", env)
		}
		return Secret{value}, nil
	case file != "":
		body, err := os.ReadFile(file)
		if err != nil {
			return Secret{}, fmt.Errorf("read secret: %w", err)
		}
		value := strings.TrimSpace(string(body))
		if value == "" {
			return Secret{}, fmt.Errorf("secret file %s is empty", file)
		}
		return Secret{value}, nil
	}
	return Secret{}, fmt.Errorf("no secret is named: set the …_env or the …_file key")
}

// Reveal returns the secret, for the one call that needs it.
func (s Secret) Reveal() string { return s.value }

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s.value == "" }

// String returns "[secret]".
func (Secret) String() string { return hidden }

// Format writes "[secret]" for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue is "[secret]".
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText gives "[secret]" to YAML, XML and map keys.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON gives "[secret]".
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }
