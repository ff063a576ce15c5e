package flows_test

import (
	"slices"
	"testing"

	"shaoying/flows"
)

// Where each text is paid for, one turn asks with one text, nobody is reminded,
// and what was not understood twice goes to a person.
func TestNoTextThatNobodyNeeds(t *testing.T) {
	d, e := definitions(t)["survey"], env(t)
	e.Caps = flows.Caps{Paid: true}
	s, out, err := d.Start(1, nil, e)
	if err != nil {
		t.Fatal(err)
	}
	if out.Says[0].Nudge != 0 || out.Says[0].Expire == 0 {
		t.Errorf("the question has the clocks %v and %v", out.Says[0].Nudge, out.Says[0].Expire)
	}
	asked := out.Says[0]
	if again, late, err := d.Step(s, flows.Input{Kind: flows.InputNudge, Turn: s.Open().Turn}, e); err != nil || len(late.Says) != 0 || again.Open().Nudged {
		t.Errorf("a reminder says %+v, %v", late.Says, err)
	}
	if gone, late, err := d.Step(s, flows.Input{Kind: flows.InputExpire, Turn: s.Open().Turn}, e); err != nil || len(late.Says) != 0 || !gone.Ended {
		t.Errorf("silence is answered with %+v, %v", late.Says, err)
	}
	s, out, err = d.Step(s, flows.Input{Kind: flows.InputText, Text: "那个啥"}, e)
	if err != nil || len(out.Says) != 1 || out.Call != nil {
		t.Fatalf("not understood: %+v, %v", out, err)
	}
	if r := out.Says[0]; !r.Question || r.Turn != asked.Turn || !slices.EqualFunc(r.Options, asked.Options, func(a, b flows.Option) bool { return a.Value == b.Value }) {
		t.Errorf("asked again as %+v", r)
	}
	if _, out, err = d.Step(s, flows.Input{Kind: flows.InputText, Text: "那个啥"}, e); err != nil || out.Call == nil || out.Call.Action != flows.ActionHandover || len(out.Says) != 0 {
		t.Errorf("the second time: %+v, %v", out, err)
	}
}

// An answer that cannot be right is refused in the one text that asks again.
func TestARefusalIsOneText(t *testing.T) {
	d := parse(t, "flow: a\ncollect:\n  where: {accept: text, resolve: place.find, ask: 在哪里？}\nsteps:\n  - say: 好")
	for _, paid := range []bool{false, true} {
		e := env(t)
		e.Caps = flows.Caps{Paid: paid}
		s, _, err := d.Start(1, nil, e)
		if err != nil {
			t.Fatal(err)
		}
		if s, _, err = d.Step(s, flows.Input{Kind: flows.InputText, Text: "那里"}, e); err != nil {
			t.Fatal(err)
		}
		_, out, err := d.Step(s, flows.Input{Kind: flows.InputResult, Result: map[string]any{"status": flows.StatusReject, "say": "place.where"}}, e)
		if err != nil {
			t.Fatal(err)
		}
		keys := []string{}
		for _, say := range out.Says {
			keys = append(keys, say.Key)
		}
		want := []string{"place.where", "collect.where.ask"}
		if paid {
			want = want[:1]
		}
		if !slices.Equal(keys, want) || !out.Says[len(out.Says)-1].Question {
			t.Errorf("paid %v: said %q", paid, keys)
		}
	}
}
