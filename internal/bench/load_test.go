package bench

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"shaoying/configs"
	"shaoying/flows"
	"shaoying/flows/words"
)

func TestArrivals(t *testing.T) {
	const rate, length = 500.0, 20 * time.Second
	plan := arrivals(rate, length, 7)
	if !slices.IsSorted(plan) || plan[0] < 0 || plan[len(plan)-1] >= length {
		t.Fatal("the plan is out of order or out of its time")
	}
	// 10,000 expected, standard deviation 100.
	if n := len(plan); n < 9500 || n > 10500 {
		t.Errorf("%d arrivals at %v a second in %v", n, rate, length)
	}
	if !slices.Equal(plan, arrivals(rate, length, 7)) {
		t.Error("the same seed gave another plan")
	}
	if slices.Equal(plan, arrivals(rate, length, 8)) {
		t.Error("another seed gave the same plan")
	}
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := sleep(ctx, 30*time.Second); err != nil || time.Since(start) != 30*time.Second {
			t.Errorf("slept %v: %v", time.Since(start), err)
		}
		if err := sleep(ctx, -time.Second); err != nil || time.Since(start) != 30*time.Second {
			t.Errorf("a time that is over took until %v: %v", time.Since(start), err)
		}
		if err := sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("slept past the end, until %v: %v", time.Since(start), err)
		}
	})
}

func TestTogetherReachesEverybody(t *testing.T) {
	all := make([]*resident, 100)
	for i := range all {
		all[i] = &resident{id: strconv.Itoa(i)}
	}
	var n atomic.Int64
	if err := together(all, senders, func(r *resident) error { r.said++; n.Add(1); return nil }); err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.said != 1 {
			t.Errorf("resident %s was reached %d times", r.id, r.said)
		}
	}
}

func TestTogetherStopsAtAnError(t *testing.T) {
	all := make([]*resident, 1000)
	for i := range all {
		all[i] = &resident{}
	}
	broken := errors.New("broken")
	var n atomic.Int64
	err := together(all, senders, func(*resident) error { n.Add(1); return broken })
	if !errors.Is(err, broken) {
		t.Fatalf("error %v", err)
	}
	if n.Load() > 2*senders {
		t.Errorf("%d more were tried after the error", n.Load())
	}
}

// The measured dialogue must go on asking: one reply to each answer, never an
// end, never a person called.
func TestTheMeasuredDialogueKeepsAsking(t *testing.T) {
	def := definition(t, "flows/bench_turn.yaml")
	env := flows.Env{Lang: "zh-Hans", Words: lexicon(t), Caps: flows.Caps{Confirm: true}}
	state, out, err := def.Start(1, map[string]any{flows.VarText: beginTurn}, env)
	if err != nil || len(out.Says) != 1 || !out.Says[0].Question {
		t.Fatalf("start: %+v, %v", out, err)
	}
	for i := range 200 {
		state, out, err = def.Step(state, flows.Input{Kind: flows.InputText, Text: answers[i%len(answers)]}, env)
		if err != nil || out.Ended || out.Call != nil || len(out.Says) != 1 || !out.Says[0].Question {
			t.Fatalf("answer %d: %+v, %v", i, out, err)
		}
	}
}

// One word files the ticket, with arguments that action ticket.file knows.
func TestTheFilingDialogueFilesAtOneWord(t *testing.T) {
	def := definition(t, "flows/bench_file.yaml")
	env := flows.Env{Lang: "zh-Hans", Words: lexicon(t), Caps: flows.Caps{Confirm: true}}
	state, out, err := def.Start(1, map[string]any{flows.VarText: beginFile}, env)
	if err != nil || len(out.Says) != 1 || !out.Says[0].Question {
		t.Fatalf("start: %+v, %v", out, err)
	}
	state, out, err = def.Step(state, flows.Input{Kind: flows.InputText, Text: yes}, env)
	if err != nil || out.Call == nil || out.Call.Action != "ticket.file" {
		t.Fatalf("answer: %+v, %v", out, err)
	}
	place, _ := out.Call.Args["place"].(map[string]any)
	matter, _ := out.Call.Args["matter"].(map[string]any)
	if out.Call.Args["what"] == "" || place["division"] != "360302001001" || matter["code"] != "road" {
		t.Fatalf("arguments %v", out.Call.Args)
	}
	filed := map[string]any{"number": "1234567890"}
	_, out, err = def.Step(state, flows.Input{Kind: flows.InputResult, Result: filed}, env)
	if err != nil || !out.Ended || len(out.Says) != 1 {
		t.Fatalf("after filing: %+v, %v", out, err)
	}
}

func definition(t *testing.T, file string) *flows.Definition {
	t.Helper()
	body, err := dialogues.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	def, err := flows.Parse(file, body)
	if err != nil {
		t.Fatal(err)
	}
	if def.Common, err = flows.ParseTexts("texts/common.yaml", embedded(t, "texts/common.yaml")); err != nil {
		t.Fatal(err)
	}
	return def
}

func lexicon(t *testing.T) *words.Lexicon {
	t.Helper()
	l, err := words.ParseLexicon("words.yaml", embedded(t, "words.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func embedded(t *testing.T, name string) []byte {
	t.Helper()
	body, err := configs.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
