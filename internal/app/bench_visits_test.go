package app

import (
	"errors"
	"os"
	"strings"
	"testing"

	"shaoying/internal/bench"
)

func TestBenchVisits(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	tmp := temporary(t)
	r, err := bench.Visits(t.Context(), bench.VisitsConfig{Config: bench.Config{Seconds: 1, Log: quiet()}, Beds: 20}, Bench(quiet()))
	if errors.Is(err, bench.ErrNoPgbench) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.Beds != 20 || r.Visits != 60 || r.Plan.Ratio <= 0 || r.Again.Ratio <= 0 || r.Evening.Rows < 6 || r.Morning.Rows == 0 || r.Figures.Count == 0 {
		t.Errorf("%+v", r)
	}
	var out strings.Builder
	if err := r.Print(&out); err != nil || !strings.Contains(out.String(), "evening's questions") {
		t.Errorf("printed %q, %v", out.String(), err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
