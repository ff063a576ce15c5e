package app

import (
	"os"
	"strings"
	"testing"

	"shaoying/internal/bench"
)

// The whole bench of figures at its smallest: every query runs over what was
// loaded, and nothing is left behind.
func TestBenchFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	tmp := temporary(t)
	r, err := bench.Figures(t.Context(), bench.FiguresConfig{Config: bench.Config{Log: quiet()}, Tickets: 1500, Asked: 20}, Bench(quiet()))
	if err != nil {
		t.Fatal(err)
	}
	if r.Changed != 20 || len(r.Queries) != 10 || r.Day <= 0 {
		t.Errorf("%+v", r)
	}
	for _, q := range r.Queries {
		if q.P50 <= 0 || q.P95 < q.P50 || q.Max < q.P95 || q.Count != 20 {
			t.Errorf("%+v", q)
		}
	}
	var out strings.Builder
	if err := r.Print(&out); err != nil || !strings.Contains(out.String(), "worry counts") {
		t.Errorf("printed %q, %v", out.String(), err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
