package flows_test

import (
	"testing"

	"shaoying/flows"
)

// BenchmarkStep is one mid-dialogue answer: the number of an option, and the
// next question.
func BenchmarkStep(b *testing.B) {
	d := definitions(b)["survey"]
	e := env(b)
	s, _, err := d.Start(1, map[string]any{"ticket": map[string]any{"number": "1"}}, e)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := d.Step(s, flows.Input{Kind: flows.InputText, Text: "解决了"}, e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkConfirm is an answer in free text that ends in a long read-back.
func BenchmarkConfirm(b *testing.B) {
	d := definitions(b)["report"]
	e := env(b)
	s, out, err := d.Start(1, map[string]any{"text": "昌盛小区3栋井盖松动"}, e)
	for err == nil && out.Call != nil {
		s, out, err = d.Step(s, flows.Input{Kind: flows.InputResult, Result: map[string]any{
			"status": "ok", "value": map[string]any{"label": "昌盛小区3栋", "sure": 1},
		}}, e)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := d.Step(s, flows.Input{Kind: flows.InputText, Text: "跳过"}, e); err != nil {
			b.Fatal(err)
		}
	}
}
