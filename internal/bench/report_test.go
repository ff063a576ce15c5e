package bench

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMedian(t *testing.T) {
	for _, tc := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{7}, 7}, {[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(tc.in); got != tc.want {
			t.Errorf("median(%v) = %v, want %v", tc.in, got, tc.want)
		}
	}
}

func TestLatency(t *testing.T) {
	var waits []time.Duration
	for i := 100; i >= 1; i-- {
		waits = append(waits, time.Duration(i)*time.Millisecond)
	}
	got := latency(waits, 12)
	if want := (Latency{P50: 50, P99: 99, Max: 100, Count: 100, Offered: 12}); got != want {
		t.Errorf("latency of 1 to 100 ms = %+v, want %+v", got, want)
	}
	if got := latency(nil, 0); got != (Latency{}) {
		t.Errorf("latency of nothing = %+v", got)
	}
}

// The nearest rank: enough waits are not longer, and one less would be too few.
func TestQuantileIsTheSmallestThatSuffices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.SliceOfN(rapid.IntRange(0, 20), 1, 200).Draw(t, "ms")
		q := float64(rapid.IntRange(1, 100).Draw(t, "percent")) / 100
		var waits []time.Duration
		for _, v := range ms {
			waits = append(waits, time.Duration(v)*time.Millisecond)
		}
		l := latency(waits, 0)
		if l.P50 > l.P99 || l.P99 > l.Max {
			t.Fatalf("out of order: %+v", l)
		}
		cut := quantileOf(waits, q)
		below, within := 0, 0
		for _, v := range ms {
			if float64(v) < cut {
				below++
			}
			if float64(v) <= cut {
				within++
			}
		}
		need := q * float64(len(ms))
		if float64(within) < need-1e-6 || float64(below) >= need+1e-6 {
			t.Fatalf("%v of %d waits: cut %v has %d within and %d below", q, len(ms), cut, within, below)
		}
	})
}

func quantileOf(waits []time.Duration, q float64) float64 {
	s := append([]time.Duration(nil), waits...)
	for i := range s { // sorted by insertion, not by what is tested
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
	return quantile(s, q)
}

func TestMiddleTakesTheWorseOfTwo(t *testing.T) {
	if got := middle(nil); got != (Latency{}) {
		t.Errorf("middle of nothing = %+v", got)
	}
	if got := middle([]Latency{{P99: 3}, {P99: 1}}); got.P99 != 3 {
		t.Errorf("middle of two = %+v", got)
	}
	if got := middle([]Latency{{P99: 9}, {P99: 1}, {P99: 4}}); got.P99 != 4 {
		t.Errorf("middle of three = %+v", got)
	}
}

func sample() *Report {
	r := &Report{
		Machine:     Machine{CPUs: 2, Go: "go1.26.8", LoadBefore: "0.10 0.20 0.30", LoadAfter: "2.00 1.00 0.50"},
		Pgbench:     Rate{Runs: []float64{9000, 8000, 10000}},
		Turn:        Rate{Runs: []float64{4500, 4000}},
		File:        Rate{Runs: []float64{900}},
		Acknowledge: Latency{P50: 1, P99: 30, Max: 41, Count: 9, Offered: 2125},
		FirstReply:  Latency{P50: 8, P99: 120, Max: 130, Count: 200},
	}
	r.ratios()
	return r
}

func TestRatiosAreOfMedians(t *testing.T) {
	r := sample()
	if r.Pgbench.PerSecond != 9000 || r.Turn.PerSecond != 4250 || math.Abs(r.Turn.Ratio-4250.0/9000) > 1e-9 || r.File.Ratio != 0.1 {
		t.Errorf("%+v %+v %+v", r.Pgbench, r.Turn, r.File)
	}
	if r.Pgbench.Ratio != 0 {
		t.Errorf("the reference has the share %v of itself", r.Pgbench.Ratio)
	}
}

func TestPrintSaysFiguresPromisesAndLoad(t *testing.T) {
	var out strings.Builder
	if err := sample().Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"2 CPUs", "load before 0.10 0.20 0.30", "after 2.00 1.00 0.50", "9000 8000 10000",
		"47.2 %", "35 / 45 %: aim reached", "10.0 %", "- / 25 %: below aim",
		"30.0 ms", "50 / 20 ms: below aim", "2125 /s", "120.0 ms", "100 / 50 ms: NOT REACHED", "200 visitors",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestJSONHasEveryFigure(t *testing.T) {
	body, err := json.Marshal(sample())
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	for part, field := range map[string]string{
		"machine": "load_after", "pgbench_two_insert": "per_second", "turn": "ratio", "turn_that_files": "runs",
		"acknowledgement": "offered_per_second", "first_reply": "p99_ms",
	} {
		if got[part][field] == nil {
			t.Errorf("no %s.%s in %s", part, field, body)
		}
	}
}

func TestLoadAverage(t *testing.T) {
	if got := loadAverage(); got != "unknown" && len(strings.Fields(got)) != 3 {
		t.Errorf("load %q", got)
	}
}
