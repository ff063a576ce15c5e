package privacy

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Promise S10: a secret does not show in any way of printing.
func TestSecretNeverShows(t *testing.T) {
	const canary = "CANARY-token"
	s := NewSecret(canary)
	config := struct {
		Name  string
		Token Secret
		Ref   *Secret
	}{"tg", s, &s}
	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v", "%10s"} {
		shown = append(shown, fmt.Sprintf(verb, s, s), fmt.Sprintf(verb, &s, s), fmt.Sprintf(verb, config, config))
	}
	for _, v := range []any{s, &s, config, map[string]Secret{"k": s}, []Secret{s}} {
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, string(body))
	}
	body, err := xml.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	shown = append(shown, string(body), s.String(), fmt.Sprint(s, config), fmt.Errorf("x: %v", s).Error())
	var out strings.Builder
	for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(h).Info("x", "token", s, "config", config)
	}
	shown = append(shown, out.String())
	hex := fmt.Sprintf("%x", canary)
	for _, text := range shown {
		if strings.Contains(text, canary) || strings.Contains(strings.ToLower(text), hex) {
			t.Errorf("it shows: %s", text)
		}
	}
	if s.Reveal() != canary || s.Empty() || !(Secret{}).Empty() {
		t.Error("Reveal or Empty is wrong")
	}
}

func TestResolveSecret(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "token")
	if err := os.WriteFile(file, []byte(" from-file\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SHAOYING_TEST_TOKEN", "from-env ")
	t.Setenv("SHAOYING_TEST_EMPTY", "")
	for _, tc := range []struct{ env, file, want, wantErr string }{
		{"SHAOYING_TEST_TOKEN", "", "from-env", ""},
		{"", file, "from-file", ""},
		{"SHAOYING_TEST_TOKEN", file, "", "given twice"},
		{"SHAOYING_TEST_EMPTY", "", "", "environment variable SHAOYING_TEST_EMPTY is not set"},
		{"", empty, "", "is empty"},
		{"", filepath.Join(dir, "none"), "", "none"},
		{"", "", "", "set the …_env or the …_file key"},
	} {
		s, err := ResolveSecret(tc.env, tc.file)
		if s.Reveal() != tc.want || (err == nil) != (tc.wantErr == "") || err != nil && !strings.Contains(err.Error(), tc.wantErr) {
			t.Errorf("ResolveSecret(%q, %q) = %q, %v", tc.env, tc.file, s.Reveal(), err)
		}
	}
}
