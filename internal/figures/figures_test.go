package figures_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shaoying/configs"
	"shaoying/internal/figures"
)

func policy(t testing.TB) figures.Policy {
	t.Helper()
	body, err := configs.Read("policies/figures.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := figures.ParsePolicy("figures.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRates(t *testing.T) {
	p := policy(t)
	s := figures.Sums{
		figures.N: 100, figures.OutMerged: 3, figures.OutExcluded: 2, figures.Reachable: 90, figures.Responded: 81, figures.UnitResolved: 95,
		figures.Asked: 80, figures.SolvedHalves: 130, figures.Contradicted: 9, figures.RatedVerySatisfied: 30, figures.RatedFairlySatisfied: 10,
		figures.RatedVeryDissatisfied: 10,
	}
	r := p.Rates(s)
	for name, c := range map[string]struct {
		rate figures.Rate
		want float64
	}{
		"response": {r.Response, 0.9}, "by unit": {r.ByUnit, 0.95}, "by resident": {r.ByResident, 65.0 / 80}, "satisfaction": {r.Satisfaction, 0.8},
		"score": {r.Score, (30*100 + 10*60) / 5000.0},
	} {
		if v, ok := c.rate.Value(); !ok || math.Abs(v-c.want) > 1e-12 || c.rate.N != 100 || c.rate.Excluded != 5 {
			t.Errorf("%s: %v, wanted %v, of %+v", name, v, c.want, c.rate)
		}
	}
	if gap, ok := r.Gap(); !ok || math.Abs(gap-(0.95-65.0/80)) > 1e-12 || r.Contradicted != 9 {
		t.Errorf("gap %v, %d contradicted", gap, r.Contradicted)
	}
	if total, n, ok := p.Total(r); !ok || n != 50 || math.Abs(total-100*(0.3*0.9+0.35*65/80+0.35*0.8)) > 1e-9 {
		t.Errorf("total %v of %d", total, n)
	}
	if _, ok := p.Rates(figures.Sums{}).Response.Value(); ok {
		t.Error("a rate of nothing")
	}
}

func TestStarsByTotal(t *testing.T) {
	p := policy(t)
	for _, c := range []struct {
		content int32 // of 1000, with everything else perfect
		want    int
	}{{1000, 5}, {858, 5}, {857, 5}, {855, 4}, {715, 4}, {712, 3}, {430, 3}, {427, 2}, {0, 2}} {
		r := p.Rates(figures.Sums{
			figures.N: 1000, figures.Reachable: 1000, figures.Responded: 1000, figures.Asked: 1000, figures.SolvedHalves: 2000,
			figures.RatedSatisfied: c.content, figures.RatedDissatisfied: 1000 - c.content,
		})
		if s := p.Stars(r, 0); s.Count != c.want {
			t.Errorf("%d of 1000 content: total %.2f, %d stars, wanted %d", c.content, s.Total, s.Count, c.want)
		}
		if s := p.Stars(r, 1); s.Count != min(c.want, 2) || s.Capped != (c.want > 2) {
			t.Errorf("with a supervision unanswered: %+v", s)
		}
	}
}

// A hidden cell cannot be worked out: it is never alone in its row, where there
// is another.
func TestSmallCellsAreHidden(t *testing.T) {
	p := policy(t)
	rapid.Check(t, func(t *rapid.T) {
		by := map[string]figures.Sums{}
		n := map[string]int{}
		others := 0
		for _, w := range p.Worry.Names {
			n[w] = rapid.IntRange(0, 12).Draw(t, w)
			by[w] = figures.Sums{figures.Filed: int32(n[w])}
			if n[w] > 0 {
				others++
			}
		}
		table := p.Worries(figures.WorryInput{Cells: map[string]map[string]figures.Sums{"360313001": by}, Areas: []string{"360313001"}, Residents: map[string]int{"360313001": 1000}})
		hidden := 0
		for k, c := range table.Cells[0] {
			if m := n[table.Worries[k]]; m > 0 && m < p.Worry.MinN && !c.Hidden {
				t.Fatalf("%d tickets are shown", m)
			}
			if c.Hidden {
				hidden++
			}
		}
		if hidden == 1 && others > 1 {
			t.Fatalf("one hidden cell among %d: %v", others, n)
		}
	})
}

// The index is 100 where an area has as much of a worry for its inhabitants as
// the city, and goes by how tickets stand.
func TestWorryIndex(t *testing.T) {
	p := policy(t)
	worry := p.Worry.Names[0]
	cell := func(filed, redone, overdue, content int32) map[string]figures.Sums {
		return map[string]figures.Sums{worry: {figures.Filed: filed, figures.FiledRedone: redone, figures.FiledOverdue: overdue, figures.FiledContent: content}}
	}
	in := figures.WorryInput{
		Cells: map[string]map[string]figures.Sums{"a": cell(10, 0, 0, 0), "b": cell(20, 0, 0, 0)},
		Areas: []string{"a", "b"}, Residents: map[string]int{"a": 1000, "b": 2000},
	}
	if w := p.Worries(in); w.Cells[0][0].Index != 100 || w.Cells[1][0].Index != 100 || w.City[0] != 30 {
		t.Errorf("the same for everybody: %+v", w.Cells)
	}
	// 10 plain: 10. 10 of which 4 redone, 2 overdue, 4 content: 8+3+1 = 12.
	in.Cells["b"], in.Residents["b"] = cell(10, 4, 2, 4), 1000
	if w := p.Worries(in); w.Cells[0][0].Index != 91 || w.Cells[1][0].Index != 109 {
		t.Errorf("weights 10 and 12: %d and %d", w.Cells[0][0].Index, w.Cells[1][0].Index)
	}
}

func TestBursts(t *testing.T) {
	at := time.Date(2026, 3, 4, 2, 0, 0, 0, time.UTC)
	given := func(by, ticket int64, seconds int) figures.Given {
		return figures.Given{By: by, Ticket: ticket, At: at.Add(time.Duration(seconds) * time.Second)}
	}
	list := []figures.Given{given(1, 3, 60), given(1, 1, 0), given(1, 2, 30), given(1, 4, 121), given(2, 5, 0), given(2, 6, 61), given(2, 7, 62)}
	var got []int64
	for _, g := range figures.Bursts(list, 3, time.Minute) {
		got = append(got, g.Ticket)
	}
	if !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("%v", got)
	}
}
