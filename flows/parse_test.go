package flows_test

import (
	"strings"
	"testing"

	"shaoying/flows"
)

func TestParseTheSample(t *testing.T) {
	d := parse(t, string(read(t, "testdata/report.yaml")))
	if d.Name != "report" || d.Title.In("en") != "反映问题" || d.Audience != flows.AudienceResident || len(d.Starts) != 5 {
		t.Errorf("%+v", d)
	}
	text, err := d.Text("collect.place.ask", "en")
	if err != nil || text != "在什么地方？发定位，或写小区、村和楼栋。" {
		t.Error(text, err)
	}
	if _, err := d.Text("collect.place.nothing", "en"); err == nil {
		t.Error("an unknown key has a text")
	}
}

// Each row is a bad definition with the line and words of its error.
func TestParseRefuses(t *testing.T) {
	steps := "\nsteps: [{say: 好}]"
	rows := []struct{ name, yaml, want string }{
		{"nothing", "", "empty"},
		{"only a comment", "# x\n", "empty"},
		{"two documents", "flow: a\n---\nflow: b", "one document per file"},
		{"no map", "- a", "1: a map of name: value"},
		{"no name", "title: a", "flow: NAME is missing"},
		{"bad name", "flow: 报", "1: \"报\" cannot be a name"},
		{"reserved name", "flow: a\ncollect:\n  caps: {ask: 问}", "3: \"caps\" cannot be a name"},
		{"unknown key", "flow: a\nstep: []", "2: unknown key \"step\"; known here: audience, collect"},
		{"key twice", "flow: a\nflow: b", "2"},
		{"audience", "flow: a\naudience: dogs", "2: audience is resident, staff or any"},
		{"merge key", "flow: a\ncollect:\n  <<: {}", "3: a plain name"},
		{"alias", "flow: &x a\ntitle: *x", "1: a word is needed"},
		{"unknown item key", "flow: a\ncollect:\n  x: {aks: 问}", "3: unknown key \"aks\""},
		{"unknown accept", "flow: a\ncollect:\n  x: {accept: fax}", "3: accept: \"fax\" is not one of"},
		{"bad expression", "flow: a\ncollect:\n  x: {when: \"a &&\"}", "3: expression \"a &&\""},
		{"endless expression", "flow: a\ncollect:\n  x: {when: \"" + strings.Repeat("a && ", 200) + "a\"}", "3: expression"},
		{"function", "flow: a\ncollect:\n  x: {when: \"repeat('a', 9)\"}", "3: expression"},
		{"bad template", "flow: a\nsteps:\n  - say: 你好{{a", "3: template: {{ without }}"},
		{"logic in a template", "flow: a\nsteps:\n  - say: \"{{if a}}\"", "3: template: {{if a}} is no name"},
		{"stray braces", "flow: a\nsteps:\n  - say: \"a}}\"", "3: template: }} without {{"},
		{"empty text", "flow: a\nsteps:\n  - say: \" \"", "3: a text is needed"},
		{"long text", "flow: a\nsteps:\n  - say: " + strings.Repeat("长", flows.MaxTemplate+1), "3: text longer than"},
		{"language", "flow: a\nsteps:\n  - say: {chinese!: 好, zh-Hans: 好}", "3: \"chinese!\" is no language tag"},
		{"max too large", "flow: a\ncollect:\n  x: {accept: photo, max: 10}", "x: at most 9 photos"},
		{"min above max", "flow: a\ncollect:\n  x: {min: 5, max: 2}", "x: min 5 is above max 2"},
		{"negative", "flow: a\ncollect:\n  x: {min: -1}", "3: a whole number from 0"},
		{"option twice", "flow: a\ncollect:\n  x: {options: [a, a]}", "x: option \"a\" is given twice"},
		{"option without label", "flow: a\ncollect:\n  x: {options: [{value: a}]}", "an option needs value and label"},
		{"two sources of options", "flow: a\ncollect:\n  x: {options: [a], options_from: b}", "exclude each other"},
		{"from nowhere", "flow: a\ncollect:\n  x: {from: y}", "3: x: there is no item \"y\""},
		{"from itself", "flow: a\ncollect:\n  x: {from: x}", "3: x cannot name itself"},
		{"readback of nothing", "flow: a\ncollect:\n  x: {readback: {say: 好}}", "readback needs values"},
		{"collect nothing known", "flow: a\nsteps:\n  - collect: [y]", "3: collect: there is no item \"y\""},
		{"action name", "flow: a\nsteps:\n  - do: file", "3: \"file\" is no action"},
		{"two kinds", "flow: a\nsteps:\n  - {say: 好, do: a.b}", "a step is say or do, not both"},
		{"no kind", "flow: a\nvars: [x]\nsteps:\n  - {when: x}", "4: a step needs one of"},
		{"then without when", "flow: a\nsteps:\n  - then: []", "3: then needs a when"},
		{"else of a say", "flow: a\nsteps:\n  - {say: 好, else: []}", "else belongs to then, do and confirm"},
		{"with of a say", "flow: a\nsteps:\n  - {say: 好, with: {a: b}}", "with belongs to do and call"},
		{"into of a call", "flow: a\nsteps:\n  - {call: b, into: c}", "into belongs to do"},
		{"a goto", "flow: a\nsteps:\n  - goto: b", "3: unknown key \"goto\""},
		{"text key of the engine", "flow: a\ntexts: {flow.repair: 好}" + steps, "2: text key \"flow.repair\""},
		{"nudge without say", "flow: a\nnudge: {after: 5m}" + steps, "2: nudge needs after and say"},
		{"unfinished without after", "flow: a\nunfinished: {do: a.b}" + steps, "unfinished needs after"},
		{"a time without unit", "flow: a\nnudge: {after: 5, say: 好}" + steps, "2: a time such as 5m"},
		{"too many steps", "flow: a\nsteps:\n" + strings.Repeat("  - say: 好\n", flows.MaxSteps+1), "51 steps and items, at most 50"},
		{"not UTF-8", "flow: a\ntitle: \xb7\xb4", "save the file as UTF-8"},
		{"too large", "# " + strings.Repeat("x", flows.MaxDefinition), "at most"},
		{"too deep", "flow: " + strings.Repeat("[", 10000), "nested too deeply"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			_, err := flows.Parse("test.yaml", []byte(r.yaml))
			if err == nil || !strings.HasPrefix(err.Error(), "test.yaml:") || !strings.Contains(err.Error(), r.want) {
				t.Errorf("want %q, got %v", r.want, err)
			}
		})
	}
}

func TestTexts(t *testing.T) {
	texts, err := flows.ParseTexts("t.yaml", []byte("a:\n  b: 好{{x.y}}\n  c: {zh-Hans: 你, en: you}\nd.e: 再见\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(texts.Keys(), " "); got != "a.b a.c d.e" {
		t.Error(got)
	}
	for key, want := range map[string]string{"a.b": "好{{x.y}}", "a.c": "you", "d.e": "再见"} {
		if got, err := texts.Text(key, "en"); err != nil || got != want {
			t.Error(key, got, err)
		}
	}
	if _, err := texts.Text("a", "en"); err == nil {
		t.Error("a branch is no text")
	}
	for _, bad := range []string{"好", "a: [b]", "a: {b: 1}\na.b: 2", "a: \"{{\""} {
		if _, err := flows.ParseTexts("t.yaml", []byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestRender(t *testing.T) {
	params := map[string]string{"a": "甲", "a.b": "{{a}}", "空": ""}
	rows := []struct{ template, want string }{
		{"好", "好"},
		{"{{a}}和{{ a.b }}。", "甲和{{a}}。"}, // values are never templates
		{"[{{空}}]", "[]"},
		{"{a}", "{a}"},
	}
	for _, r := range rows {
		if got, err := flows.Render(r.template, params); err != nil || got != r.want {
			t.Errorf("%q: %q %v", r.template, got, err)
		}
	}
	for _, bad := range []string{"{{b}}", "{{a", "{{}}", "a}}", "{{a|b}}"} {
		if got, err := flows.Render(bad, params); err == nil {
			t.Errorf("%q rendered as %q", bad, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, file := range []string{"report", "survey", "visit", "contact", "common"} {
		f.Add(read(f, "testdata/"+file+".yaml"))
	}
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if d, err := flows.Parse("f.yaml", body); err == nil {
			flows.Check([]*flows.Definition{d}, flows.Known{})
			if d.Name == "" {
				t.Error("a definition without a name")
			}
		} else if !strings.HasPrefix(err.Error(), "f.yaml:") {
			t.Errorf("error without a place: %v", err)
		}
		if texts, err := flows.ParseTexts("f.yaml", body); err == nil {
			for _, k := range texts.Keys() {
				if _, err := texts.Text(k, flows.BaseLang); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

func FuzzRender(f *testing.F) {
	f.Add("你好{{a.b}}", "甲")
	f.Fuzz(func(t *testing.T, template, value string) {
		got, err := flows.Render(template, map[string]string{"a.b": value})
		if err == nil && !strings.Contains(template, "{{") && got != template {
			t.Errorf("%q became %q", template, got)
		}
	})
}
