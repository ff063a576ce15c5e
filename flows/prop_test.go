package flows_test

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shaoying/bots"
	"shaoying/flows"
)

// definitions are all of testdata by name.
func definitions(t testing.TB) map[string]*flows.Definition {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defs := map[string]*flows.Definition{}
	texts := common(t)
	for _, f := range files {
		if filepath.Base(f) == "common.yaml" {
			continue
		}
		d, err := flows.Parse(f, read(t, f))
		if err != nil {
			t.Fatal(err)
		}
		d.Common = texts
		defs[d.Name] = d
	}
	return defs
}

var answers = []string{
	"", " ", "对", "不对", "好的", "1", "２", "三", "跳过", "没有", "不满意", "满意", "改一改", "不报了", "地点", "取消",
	"昌盛小区3栋井盖松动", "138 0000 1234", "看不懂", "{{what}}", "\x00\u202e", strings.Repeat("长", flows.MaxText), strings.Repeat("长", flows.MaxText+1),
}

func genText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(answers), rapid.StringN(0, 40, -1))
}

// genInput is anything that a resident may do, sensible or not.
func genInput(t *rapid.T, s flows.State) flows.Input {
	in := flows.Input{Text: genText().Draw(t, "text")}
	in.Kind = rapid.SampledFrom([]flows.InputKind{
		flows.InputText, flows.InputText, flows.InputText, flows.InputPhoto, flows.InputPlace,
		flows.InputChoice, flows.InputNudge, flows.InputExpire,
	}).Draw(t, "kind")
	in.Turn = rapid.IntRange(0, s.Turn).Draw(t, "turn")
	switch in.Kind {
	case flows.InputPhoto:
		in.Photos = rapid.SliceOfN(rapid.StringN(0, 8, -1), 0, 12).Draw(t, "photos")
	case flows.InputPlace:
		if rapid.Bool().Draw(t, "place") {
			in.Place = &bots.Place{Lat: 27.6, Lon: 113.8, Label: in.Text}
		}
	case flows.InputChoice:
		in.Choice = rapid.SampledFrom([]string{"", "yes", "no", "change", "cancel", "1", "3", "place", "tue", "x"}).Draw(t, "choice")
	}
	return in
}

// genResult is anything that an action may lawfully return.
func genResult(t *rapid.T) flows.Input {
	in := flows.Input{Kind: flows.InputResult, Result: map[string]any{}}
	if rapid.IntRange(0, 9).Draw(t, "break") == 0 {
		in.Err = "broken"
		return in
	}
	in.Result["status"] = rapid.SampledFrom([]string{"ok", "ask", "unknown", "reject"}).Draw(t, "status")
	in.Result["value"] = rapid.SampledFrom([]any{nil, "x", 3, map[string]any{"label": "昌盛小区", "sure": 0.3}, []string{"a"}}).Draw(t, "value")
	options := rapid.SliceOfN(rapid.SampledFrom([]any{
		map[string]any{"value": "a", "label": "甲"}, map[string]any{"value": "b", "label": "乙"}, "junk", nil,
	}), 0, 30).Draw(t, "options")
	in.Result["options"] = options
	in.Result["days"] = options
	in.Result["urgent"] = rapid.Bool().Draw(t, "urgent")
	if rapid.IntRange(0, 9).Draw(t, "fail") == 0 {
		in.Result["fail"] = "flow.failed"
	}
	return in
}

func stored(t *rapid.T, s flows.State) flows.State {
	body, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back flows.State
	if err := json.Unmarshal(body, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// Whatever residents do and actions return: no panic, no error, no limit
// passed, always exactly one thing waited for, every message renderable, the
// old state untouched, and the stored state as good as the one in memory.
func TestAnyConversation(t *testing.T) {
	defs := definitions(t)
	names := []string{"report", "survey", "visit", "contact"}
	e := env(t)
	rapid.Check(t, func(t *rapid.T) {
		e := e
		e.Caps = flows.Caps{Photo: rapid.Bool().Draw(t, "cp"), Confirm: rapid.Bool().Draw(t, "cc")}
		e.Lang = rapid.SampledFrom([]string{"zh-Hans", "en", ""}).Draw(t, "lang")
		d := defs[rapid.SampledFrom(names).Draw(t, "flow")]
		vars := map[string]any{
			flows.VarText:   genText().Draw(t, "first"),
			flows.VarPhotos: rapid.SliceOfN(rapid.Just("p"), 0, 12).Draw(t, "first photos"),
		}
		if rapid.Bool().Draw(t, "positioned") {
			vars[flows.VarPosition] = &bots.Place{Lat: 1, Lon: 2, Label: "路口"}
		}
		s, out, err := d.Start(1, vars, e)
		for range 60 {
			if err != nil {
				t.Fatal(err)
			}
			sound(t, defs, s, out, e)
			if out.Ended {
				return
			}
			var in flows.Input
			if out.Call == nil {
				in = genInput(t, s)
			} else if out.Call.Action == flows.ActionEnter || out.Call.Action == flows.ActionReturn {
				in = flows.Input{Kind: flows.InputResult, Result: map[string]any{"version": 1}}
			} else {
				in = genResult(t)
			}
			back := stored(t, s)
			before, turn := stored(t, s), s.Turn
			d := defs[s.Flow]
			next, nextOut, nextErr := d.Step(s, in, e)
			again, againOut, againErr := d.Step(back, in, e)
			if !reflect.DeepEqual(stored(t, s), before) {
				t.Fatal("Step changed the state that it was given")
			}
			if !reflect.DeepEqual(stored(t, next), stored(t, again)) || !reflect.DeepEqual(nextOut, againOut) || (nextErr == nil) != (againErr == nil) {
				t.Fatalf("a stored state steps differently:\n%+v %+v\n%+v %+v", next, nextOut, again, againOut)
			}
			s, out, err = next, nextOut, nextErr
			if s.Turn < turn {
				t.Fatal("turns run backwards")
			}
		}
	})
}

func sound(t *rapid.T, defs map[string]*flows.Definition, s flows.State, out flows.Output, e flows.Env) {
	waiting := 0
	for _, w := range []bool{s.Open() != nil, out.Call != nil, out.Ended} {
		if w {
			waiting++
		}
	}
	if waiting != 1 || (s.Pending != nil) != (out.Call != nil) {
		t.Fatalf("waits for %d things: %+v %+v", waiting, s, out)
	}
	body, err := json.Marshal(s.Vars())
	if err != nil || len(body) > 2*flows.MaxVars {
		t.Fatalf("variables of %d bytes, %v", len(body), err)
	}
	if len(s.Stack) >= flows.MaxDepth || s.Steps > flows.MaxSteps {
		t.Fatalf("limits: %+v", s)
	}
	for _, say := range out.Says {
		template, err := defs[say.Flow].Text(say.Key, e.Lang)
		if err == nil {
			_, err = flows.Render(template, say.Params)
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(say.Options) > flows.MaxOptions {
			t.Fatalf("%d options", len(say.Options))
		}
	}
}

// A timer of another question, and a second nudge, change nothing.
func TestStaleTimersDoNothing(t *testing.T) {
	d := definitions(t)["survey"]
	e := env(t)
	s, _, err := d.Start(1, map[string]any{"ticket": map[string]any{"number": "1"}}, e)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []flows.InputKind{flows.InputNudge, flows.InputExpire} {
		next, out, err := d.Step(s, flows.Input{Kind: kind, Turn: s.Turn + 1}, e)
		if err != nil || !reflect.DeepEqual(next, s) || !reflect.DeepEqual(out, flows.Output{}) {
			t.Errorf("%s of another turn: %+v %v", kind, out, err)
		}
	}
	s, out, err := d.Step(s, flows.Input{Kind: flows.InputNudge, Turn: s.Turn}, e)
	if err != nil || len(out.Says) != 1 || out.Says[0].Question {
		t.Errorf("first nudge: %+v %v", out, err)
	}
	if _, out, _ = d.Step(s, flows.Input{Kind: flows.InputNudge, Turn: s.Turn}, e); len(out.Says) != 0 {
		t.Errorf("second nudge: %+v", out)
	}
}
