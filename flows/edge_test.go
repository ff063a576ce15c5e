package flows_test

import (
	"fmt"
	"testing"

	"shaoying/flows"
)

// play gives typed answers one after the other; actions return nothing.
func play(t *testing.T, d *flows.Definition, vars map[string]any, answers ...string) (flows.State, []flows.Say) {
	t.Helper()
	e := env(t)
	s, out, err := d.Start(1, vars, e)
	says := out.Says
	for {
		if err != nil {
			t.Fatal(err)
		}
		in := flows.Input{Kind: flows.InputResult}
		if out.Call == nil {
			if len(answers) == 0 || out.Ended {
				return s, says
			}
			in = flows.Input{Kind: flows.InputText, Text: answers[0]}
			answers = answers[1:]
		}
		s, out, err = d.Step(s, in, e)
		says = append(says, out.Says...)
	}
}

func TestPhoneNumbers(t *testing.T) {
	d := parse(t, "flow: a\ncollect:\n  phone: {accept: phone, ask: 电话？}\nsteps: [{say: 好}]")
	for text, want := range map[string]any{
		"13800001234": "13800001234", "138 0000 1234": "13800001234", "138-0000-1234": "13800001234",
		"+86 13800001234": "13800001234", "１３８００００１２３４": "13800001234", "0799-6832110": "07996832110",
		"12345": nil, "1380000123": nil, "23800001234": nil, "电话没有": nil,
	} {
		s, _ := play(t, d, nil, text)
		if got := s.Vars()["phone"]; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestFirstMessage(t *testing.T) {
	d := parse(t, "flow: a\nstarts: [报修, 反映]\ncollect:\n  what: {ask: 什么事？}\nsteps: [{say: 好}]")
	for text, want := range map[string]any{
		"报修": nil, "我要报修": nil, "反映报修": nil, "": nil,
		"我要报修楼道灯": "我要报修楼道灯", "  门口积水  ": "门口积水",
	} {
		s, _ := play(t, d, map[string]any{flows.VarText: text})
		if got := s.Vars()["what"]; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestLimitsOfAnswers(t *testing.T) {
	d := parse(t, "flow: a\ncollect:\n  photo: {accept: photo, ask: 照片？, max: 2}\n  n: {accept: number, ask: 几个？, max: 5}\nsteps: [{say: 好}]")
	e := env(t)
	s, _, err := d.Start(1, map[string]any{flows.VarPhotos: []string{"a", "b", "c"}}, e)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.Vars()["photo"]); got != "[a b]" {
		t.Error(got)
	}
	next, out, err := d.Step(s, flows.Input{Kind: flows.InputPhoto, Photos: []string{"d"}}, e)
	if err != nil || out.Missed || fmt.Sprint(next.Vars()["photo"]) != "[a b]" {
		t.Errorf("%+v %v", out, err)
	}
	if _, out, _ = d.Step(s, flows.Input{Kind: flows.InputText, Text: "6"}, e); !out.Missed {
		t.Error("6 of at most 5")
	}
	if next, out, _ = d.Step(s, flows.Input{Kind: flows.InputText, Text: "5个"}, e); !out.Ended || next.Vars()["n"] != 5.0 {
		t.Errorf("%+v", out)
	}
}

// What the channel cannot send is not asked for.
func TestNoPhotoWithoutTheCap(t *testing.T) {
	d := parse(t, "flow: a\ncollect:\n  photo: {accept: photo, ask: 照片？}\nsteps: [{say: 好}]")
	e := env(t)
	e.Caps.Photo = false
	if _, out, err := d.Start(1, nil, e); err != nil || !out.Ended {
		t.Errorf("%+v %v", out, err)
	}
}

// A text of the host, which the definition does not know, gets all values.
func TestTextsOfActions(t *testing.T) {
	d := parse(t, "flow: a\ntexts: {full: \"{{day}}满了\"}\nsteps: [{do: visit.book}, {say: 好}]")
	e := env(t)
	for key, result := range map[string]map[string]any{
		"full":       {"fail": "full", "params": map[string]any{"day": "周一"}},
		"visit.full": {"fail": "visit.full", "day": "周一"},
	} {
		s, _, err := d.Start(1, nil, e)
		if err != nil {
			t.Fatal(err)
		}
		_, out, err := d.Step(s, flows.Input{Kind: flows.InputResult, Result: result}, e)
		if err != nil || !out.Ended || out.Says[0].Key != key || out.Says[0].Params["day"] != "周一" {
			t.Errorf("%s: %+v %v", key, out, err)
		}
	}
}
