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

func TestSafetyTexts(t *testing.T) {
	texts := loadSafety(t).Texts()
	for key, text := range texts {
		zh := text["zh-Hans"]
		if !strings.Contains(zh, "代替不了") {
			t.Errorf("%s does not say that this service does not replace the emergency numbers", key)
		}
		if n := runes(zh); n > 80 {
			t.Errorf("%s has %d characters: too long to read in a fright", key, n)
		}
		if text["en"] == "" {
			t.Errorf("%s has no English for the demo", key)
		}
	}
	if len(texts) != len(loadSafety(t).Matters()) {
		t.Error("a rule has no text")
	}
}

func TestSeveralDangersGiveAllNumbers(t *testing.T) {
	hit, ok := loadSafety(t).Examine("楼上着火了，我妈晕倒了！门口还有人打架")
	if got := strings.Join(hit.Numbers, " "); !ok || hit.Code != "fire" || got != "119 110 120" {
		t.Errorf("got %+v, %v", hit, ok)
	}
}

// What is masked or over silences its own sentence only.
func TestSafetyScope(t *testing.T) {
	s := loadSafety(t)
	tests := map[string]string{
		"昨天消防演习。今天楼上真的着火了": "fire",
		"昨天消防演习着火了":        "",
		"没着火，就是冒浓烟":        "fire",
		"没着火":              "",
		"怕着火":              "",
		"怕着火，结果真着火了":       "fire",
		"着 火 了":            "fire",
		"電梯困了兩個人":          "trapped",
		"":                 "",
	}
	for text, want := range tests {
		if hit, _ := s.Examine(text); hit.Code != want {
			t.Errorf("Examine(%q) = %q, want %q", text, hit.Code, want)
		}
	}
}

func TestParseSafetyRefuses(t *testing.T) {
	const good = `span: 8
groups:
  child: [小孩]
rules:
  - code: fire
    numbers: ['119']
    matter: fire_safety
    raise:
      - [[着火], ['@child', 人]]
    text: {zh-Hans: 先打119}
`
	if _, err := ParseSafety("s.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, from, to, want string }{
		{"unknown key", "span: 8", "spam: 8", "unknown field"},
		{"span", "span: 8", "span: 0", "span"},
		{"unknown group", "'@child'", "'@adult'", "unknown group @adult"},
		{"text without the number", "先打119", "先打电话", "does not name 119"},
		{"no text", "{zh-Hans: 先打119}", "{en: call 119}", "zh-Hans is missing"},
		{"no matter", "    matter: fire_safety\n", "", "are needed"},
		{"empty pattern", "- [[着火], ['@child', 人]]", "- []", "would fit every message"},
		{"empty group", "[着火]", "['。']", "can never fit"},
		{"no pattern", "      - [[着火], ['@child', 人]]\n", "", "no pattern"},
		{"no rules", good[strings.Index(good, "rules:"):], "rules: []\n", "never be noticed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseSafety("s.yaml", []byte(strings.Replace(good, tt.from, tt.to, 1)))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "s.yaml") {
				t.Errorf("got %v, want an error with %q and the file name", err, tt.want)
			}
		})
	}
}

func FuzzExamine(f *testing.F) {
	s := loadSafety(f)
	f.Add("楼上着火了，我妈晕倒了！")
	f.Add("井盖\xff没了\x00。。。")
	f.Fuzz(func(t *testing.T, text string) {
		hit, ok := s.Examine(text)
		if ok != (hit.Code != "") || ok != (len(hit.Numbers) > 0) {
			t.Errorf("%+v with %v", hit, ok)
		}
	})
}

func BenchmarkExamine(b *testing.B) {
	s := loadSafety(b)
	for b.Loop() {
		s.Examine("昌盛小区3栋楼下水井盖有些松动，走上去会响，麻烦派人来看一下")
	}
}
