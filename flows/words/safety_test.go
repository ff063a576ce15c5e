package words

import (
	"os"
	"strings"
	"testing"
)

func loadSafety(tb testing.TB) *Safety {
	tb.Helper()
	const name = "../../configs/safety.yaml"
	body, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := ParseSafety("safety.yaml", body)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// lines reads a file of testdata without comments and empty lines.
func lines(tb testing.TB, name string) []string {
	tb.Helper()
	body, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(body)) {
		line = strings.TrimRight(line, "\r\n")
		if line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

func TestDangerRaises(t *testing.T) {
	s := loadSafety(t)
	rows := lines(t, "danger.txt")
	if len(rows) < 40 {
		t.Fatalf("%d sentences, want at least 40", len(rows))
	}
	for _, row := range rows {
		code, text, ok := strings.Cut(row, "\t")
		if !ok {
			t.Fatalf("%q has no tab", row)
		}
		hit, raised := s.Examine(text)
		if !raised || hit.Code != code {
			t.Errorf("%s: got %q (%v), want %s", text, hit.Code, raised, code)
			continue
		}
		if hit.Matter == "" || len(hit.Numbers) == 0 || hit.Key() != "safety."+code {
			t.Errorf("%s: incomplete hit %+v", text, hit)
		}
	}
}

func TestCalmDoesNotRaise(t *testing.T) {
	s := loadSafety(t)
	rows := lines(t, "calm.txt")
	if len(rows) < 40 {
		t.Fatalf("%d sentences, want at least 40", len(rows))
	}
	for _, text := range rows {
		if hit, raised := s.Examine(text); raised {
			t.Errorf("%s: raised %s", text, hit.Code)
		}
	}
}
