package configs

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

type sample struct {
	Title  string            `yaml:"title"`
	Count  int               `yaml:"count"`
	After  time.Duration     `yaml:"after"`
	Items  []item            `yaml:"items"`
	ByName map[string]item   `yaml:"by_name"`
	Free   map[string]string `yaml:"free"`
	Shared `yaml:",inline"`
	hidden string
	Plain  bool
}

type item struct {
	Label string `yaml:"label"`
	Deep  *struct {
		Size int `yaml:"size"`
	} `yaml:"deep"`
}

type Shared struct {
	Source string `yaml:"source"`
}

func TestDecode(t *testing.T) {
	var s sample
	err := Decode("ok.yaml", []byte("\ufeff# 注释\ntitle: 反映问题\ncount: 3\nafter: 15m\nsource: 设计\nplain: true\n"+
		"items:\n  - label: a\n    deep: {size: 2}\n  - label: b\nby_name:\n  x: {label: c}\nfree: {任意: 值}\n"), &s)
	if err != nil {
		t.Fatal(err)
	}
	if s.Title != "反映问题" || s.Count != 3 || s.After != 15*time.Minute || s.Source != "设计" || !s.Plain ||
		len(s.Items) != 2 || s.Items[0].Deep.Size != 2 || s.ByName["x"].Label != "c" || s.Free["任意"] != "值" || s.hidden != "" {
		t.Fatalf("decoded %+v", s)
	}
}

func TestDecodeRefuses(t *testing.T) {
	all := "after, by_name, count, free, items, plain, source, title"
	for _, tc := range []struct{ name, body, want string }{
		{"unknown key", "title: a\ntitel: b\n", `f.yaml:2:1: unknown key "titel"; allowed: ` + all},
		{"unknown key in a list", "items:\n  - label: a\n    lable: b\n", `f.yaml:3:5: unknown key "lable"; allowed: deep, label`},
		{"unknown key in a map", "by_name:\n  x:\n    lable: b\n", `f.yaml:3:5: unknown key "lable"; allowed: deep, label`},
		{"unknown key in flow style", "items: [{deep: {siez: 1}}]\n", `f.yaml:1:17: unknown key "siez"; allowed: size`},
		{"same unknown word where it is known", "items:\n  - label: title\n    title: b\n", `f.yaml:3:5: unknown key "title"; allowed: deep, label`},
		{"unexported field", "hidden: x\n", `f.yaml:1:1: unknown key "hidden"`},
		{"key twice", "count: 1\ncount: 2\n", `f.yaml:2:1: mapping key "count" already defined at [1:1]`},
		{"key twice below", "items:\n  - label: a\n    label: b\n", `f.yaml:3:5: mapping key "label" already defined`},
		{"second document", "count: 1\n---\ncount: 2\n", `f.yaml:3:`},
		{"wrong type", "count: many\n", `f.yaml:1:8: cannot unmarshal string`},
		{"number too big", "count: 99999999999999999999\n", `f.yaml:1:8: `},
		{"list for a mapping", "- a\n", `f.yaml:1:1: `},
		{"not closed", "items: [\n", `f.yaml:1:8: `},
		{"bad indent", "title: a\n  count: 1\n", `f.yaml:1:8: `},
		{"tab", "items:\n\t- label: a\n", `f.yaml:2:1: `},
		{"alias of nothing", "title: *a\n", `f.yaml:1:9: could not find alias`},
		{"alias bomb", "free:\n  a: &a [x, x]\n  b: &b [*a, *a]\n", `f.yaml:3:10: an alias inside`},
		{"anchor of itself", "free: &a {x: *a}\n", `f.yaml:1:14: an alias inside`},
		{"many aliases", "title: &a x\nfree: {" + strings.Repeat("k: *a, ", 100) + "}\n", `more than 64 aliases`},
		{"unknown key below an anchor", "items: &i\n  - lable: a\n", `f.yaml:2:5: unknown key "lable"; allowed: deep, label`},
		{"merge key", "<<: {title: a}\n", `f.yaml:1:1: merge keys`},
		{"tag", "title: !!str x\n", `f.yaml:1:8: merge keys and tags`},
		{"empty tag, on which the library panics", "count: 2\nitems: !x ", `f.yaml:2:8: merge keys and tags`},
		{"nested flow", "free: " + strings.Repeat("[", 100), `nested too deeply`},
		{"nested list", strings.Repeat("- ", 100) + "a", `nested too deeply`},
		{"nested block", nested(300), `nested too deeply`},
		{"huge", "title: " + strings.Repeat("x", maxBytes), `f.yaml: 1048583 bytes are too many`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s sample
			err := Decode("f.yaml", []byte(tc.body), &s)
			if err == nil {
				t.Fatalf("went well: %+v", s)
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %q\n   want %q", err, tc.want)
			}
			var e *Error
			if !errors.As(err, &e) || e.Name != "f.yaml" {
				t.Errorf("error %T %v is no *Error of the file", err, err)
			}
		})
	}
}

func TestDecodeAlias(t *testing.T) {
	var s struct {
		Words map[string][]string `yaml:"words"`
	}
	if err := Decode("f.yaml", []byte("words:\n  解决: &solved [好了, 修好了]\n  解决了: *solved\n"), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Words["解决了"]) != 2 {
		t.Fatalf("decoded %v", s)
	}
}

func nested(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "k:\n")
	}
	return b.String()
}

func TestDecodeOfNothingLeavesDefaults(t *testing.T) {
	for _, body := range []string{"", "\n", "# only words\n", "---\n"} {
		s := sample{Title: "default", Count: 7}
		if err := Decode("f.yaml", []byte(body), &s); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if s.Title != "default" || s.Count != 7 {
			t.Fatalf("%q changed the defaults to %+v", body, s)
		}
	}
}

// A key that is not in the struct is always refused, at its own line.
func TestDecodeNamesTheLineOfAnyUnknownKey(t *testing.T) {
	known := []string{"title: a", "count: 1", "after: 1m", "source: s", "plain: true"}
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.Permutation(known).Draw(t, "lines")
		lines = lines[:rapid.IntRange(0, len(lines)).Draw(t, "n")]
		key := rapid.StringMatching(`[a-z]{3,8}_x`).Draw(t, "key")
		at := rapid.IntRange(0, len(lines)).Draw(t, "at")
		body := strings.Join(append(append(append([]string{}, lines[:at]...), key+": 1"), lines[at:]...), "\n")
		var s sample
		var e *Error
		if err := Decode("f.yaml", []byte(body), &s); !errors.As(err, &e) || e.Line != at+1 || e.Column != 1 {
			t.Fatalf("%q: %v, want line %d", body, err, at+1)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"title: a\nitems: [{label: x}]\n", "a: &b [*b]\n", "? x\n: y\n", "- - - a\n", "title: |\n  x\n y\n", "{[}]", "!!binary x", "title: 'a",
		"free: {a: b, c}\n", "\"\\ud800\": 1", "%YAML 1.2\n---\n", "items:\n- label: a\n  deep:\n   size: 0x1\n", "after: 1e9\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var s sample
		err := Decode("f.yaml", []byte(body), &s)
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("error %T is no *Error", err)
		}
		_, _ = loadBody(body)
	})
}
