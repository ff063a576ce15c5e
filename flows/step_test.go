package flows_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"shaoying/flows"
)

// What a host does wrong is an error and leaves the state as it was.
func TestHostMistakes(t *testing.T) {
	defs, e := definitions(t), env(t)
	asking, _, err := defs["survey"].Start(1, nil, e)
	if err != nil {
		t.Fatal(err)
	}
	calling, out, err := defs["report"].Start(1, map[string]any{"text": "井盖松动了"}, e)
	if err != nil || out.Call == nil {
		t.Fatal(out, err)
	}
	ended := asking
	ended.Ended = true
	lost := asking
	lost.PC, lost.Question = 99, nil
	lost.Pending = &flows.Pending{For: "return"}
	result := flows.Input{Kind: flows.InputResult}
	text := flows.Input{Kind: flows.InputText, Text: "好"}
	rows := []struct {
		name string
		flow string
		s    flows.State
		in   flows.Input
		want error
	}{
		{"ended", "survey", ended, text, flows.ErrEnded},
		{"other definition", "report", asking, text, flows.ErrOtherFlow},
		{"result of nothing", "survey", asking, result, flows.ErrNoCall},
		{"words before the result", "report", calling, text, flows.ErrPending},
		{"position outside", "survey", lost, result, flows.ErrBadState},
		{"neither question nor call", "survey", flows.State{Flow: "survey"}, text, flows.ErrBadState},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			next, out, err := defs[r.flow].Step(r.s, r.in, e)
			if !errors.Is(err, r.want) || next.Turn != r.s.Turn || len(out.Says) > 0 {
				t.Errorf("want %v, got %v, %+v", r.want, err, out)
			}
		})
	}
	if _, _, err := defs["report"].Step(calling, flows.Input{Kind: flows.InputResult, Result: map[string]any{"status": "maybe"}}, e); err == nil || !strings.Contains(err.Error(), `returned status "maybe"`) {
		t.Error(err)
	}
	big := map[string]any{"text": strings.Repeat("x", flows.MaxVars)}
	if _, _, err := defs["report"].Start(1, big, e); !errors.Is(err, flows.ErrTooLarge) {
		t.Error(err)
	}
	if _, _, err := defs["report"].Start(1, map[string]any{"f": func() {}}, e); err == nil {
		t.Error("a function became a variable")
	}
}

func TestCallsInACircleEnd(t *testing.T) {
	d := parse(t, "flow: a\nsteps: [{call: a}]")
	s, out, err := d.Start(1, nil, env(t))
	for err == nil && !out.Ended {
		s, out, err = d.Step(s, flows.Input{Kind: flows.InputResult}, env(t))
	}
	if !errors.Is(err, flows.ErrTooLong) {
		t.Error(err)
	}
}

func TestAbandon(t *testing.T) {
	d, e := definitions(t)["report"], env(t)
	nothing, _, err := d.Start(1, map[string]any{"text": "报修"}, e)
	if err != nil {
		t.Fatal(err)
	}
	if c := d.Abandon(nothing); c != nil {
		t.Errorf("nothing was said, but kept: %+v", c)
	}
	said, _, err := d.Step(nothing, flows.Input{Kind: flows.InputText, Text: "井盖松动"}, e)
	if err != nil {
		t.Fatal(err)
	}
	if c := d.Abandon(said); c == nil || c.Action != "ticket.file_incomplete" || c.Args["what"] != "井盖松动" {
		t.Errorf("what was said is lost: %+v", c)
	}
	survey, _, err := definitions(t)["survey"].Start(1, nil, e)
	if err != nil {
		t.Fatal(err)
	}
	if c := d.Abandon(survey); c != nil {
		t.Errorf("a survey keeps nothing: %+v", c)
	}
}

// A question repeated is the same question: buttons sent before still work.
func TestRepairKeepsTheTurn(t *testing.T) {
	d, e := definitions(t)["survey"], env(t)
	s, out, err := d.Start(3, nil, e)
	if err != nil {
		t.Fatal(err)
	}
	say := out.Says[0]
	if !say.Question || say.Turn != 1 || say.Version != 3 || say.Nudge != 5*time.Minute || say.Expire != 24*time.Hour {
		t.Errorf("%+v", say)
	}
	s, out, err = d.Step(s, flows.Input{Kind: flows.InputText, Text: "苹果"}, e)
	if err != nil || !out.Missed || s.Open().Turn != 1 || !s.Open().Accepts(flows.AcceptYesNo) {
		t.Errorf("%+v %v", out, err)
	}
	s, _, err = d.Step(s, flows.Input{Kind: flows.InputChoice, Choice: "yes"}, e)
	if err != nil || s.Open().Turn != 2 || s.Vars()["solved"] != true {
		t.Errorf("%+v %v", s, err)
	}
}

// Conditions over what is not known yet are false, and never an error.
func TestExpressions(t *testing.T) {
	rows := map[string]bool{
		"missing": false, "!missing": true, "missing.part < 0.8": false, "missing > 1 || n == 3": true,
		"n >= 3 && n < 4": true, "s < 'b'": true, "missing.a.b.c": false, "s.part": false, "list[0] == 'x'": true,
		"list[9]": false, "caps.paid": false, "not caps.paid": true, "n": true, "zero": false, "empty": false, "o.k == 'v'": true, "'x' in list": true,
		"caps.photo && lang == 'zh-Hans'": true, "len(list) == 1": true, "missing ? true : n": true, "not missing": true,
	}
	vars := map[string]any{"n": 3, "s": "a", "zero": 0, "empty": "", "list": []string{"x"}, "o": map[string]any{"k": "v"}}
	for source, want := range rows {
		d := parse(t, "flow: a\nvars: [n]\nsteps:\n  - when: \""+source+"\"\n    then: [{say: 真}]\n    else: [{say: 假}]")
		_, out, err := d.Start(1, vars, env(t))
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got, _ := d.Text(out.Says[0].Key, "zh-Hans"); (got == "真") != want {
			t.Errorf("%s is %s", source, got)
		}
	}
	d := parse(t, "flow: a\nvars: [n]\nsteps: [{say: 好, when: n < 'x'}]")
	if _, _, err := d.Start(1, vars, env(t)); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("numbers and texts were compared: %v", err)
	}
}
