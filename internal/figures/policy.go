package figures

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"shaoying/configs"
	"shaoying/scheduler"
)

// Policy is configs/policies/figures.yaml, which says where each value comes
// from.
type Policy struct {
	// Early is handled within this percentage of the handling time: a
	// ticket is handled early 提前办结.
	Early struct {
		Percent int    `yaml:"percent"`
		Source  string `yaml:"source"`
	} `yaml:"early"`
	// Score is what the five levels of satisfaction are worth, best first.
	Score       []int  `yaml:"score"`
	ScoreSource string `yaml:"score_source"`
	// Weights make one number of the three rates; they add up to 1.
	Weights struct {
		Response     float64 `yaml:"response"`
		Resolution   float64 `yaml:"resolution"`
		Satisfaction float64 `yaml:"satisfaction"`
		Source       string  `yaml:"source"`
	} `yaml:"weights"`
	Stars5 struct {
		// From is from which total there are 5, 4, 3 and 2 stars.
		From []float64 `yaml:"from"`
		// MinN is from how many tickets a unit has stars at all.
		MinN int `yaml:"min_n"`
		// Cap is how many stars a unit has at most while a supervision of it is
		// unanswered past its deadline.
		Cap int `yaml:"cap"`
		// TownshipBand is the band of townships; the others' stand in
		// configs/units.yaml.
		TownshipBand string `yaml:"township_band"`
		Source       string `yaml:"source"`
	} `yaml:"stars"`
	Worry struct {
		// Names are the nine worries, in the order in which they are shown.
		Names []string `yaml:"names"`
		// Weights of a ticket by how it stands.
		Open    float64 `yaml:"open"`
		Redo    float64 `yaml:"redo"`
		Overdue float64 `yaml:"overdue"`
		Content float64 `yaml:"content"`
		// MinN: a cell with fewer is hidden.
		MinN int `yaml:"min_n"`
		// NoClaims are the claim types that are no worry.
		NoClaims []string `yaml:"no_claims"`
		// Residents are the inhabitants by division code. Of an area without a
		// number it is its villages times PerVillage.
		Residents  map[string]int `yaml:"residents"`
		PerVillage int            `yaml:"per_village"`
		Source     string         `yaml:"source"`
	} `yaml:"worry"`
	Poll struct {
		AnswerWithin scheduler.Limit `yaml:"answer_within"`
		Source       string          `yaml:"source"`
	} `yaml:"poll"`
	Flags struct {
		// Tickets rated from one address within Seconds are flagged.
		Tickets int    `yaml:"tickets"`
		Seconds int    `yaml:"seconds"`
		Source  string `yaml:"source"`
	} `yaml:"flags"`
	// Care are the figures of family beds.
	Care struct {
		// Target: one visit in so many may be missed.
		Target int `yaml:"target"`
		// Least is from how many answers on the satisfaction with one person is
		// shown.
		Least int `yaml:"least"`
		// Sees are the units whose leaders see all clinics.
		Sees   []string `yaml:"sees"`
		Source string   `yaml:"source"`
	} `yaml:"care"`
}

// ParsePolicy decodes configs/policies/figures.yaml strictly.
func ParsePolicy(name string, body []byte) (Policy, error) {
	var p Policy
	if err := configs.Decode(name, body, &p); err != nil {
		return Policy{}, err
	}
	if err := p.validate(); err != nil {
		return Policy{}, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// worries is how many classes the index has.
const worries = 9

func (p Policy) validate() error {
	var bad []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			bad = append(bad, fmt.Errorf(format, args...))
		}
	}
	falling := func(a, b int) int { return b - a }
	wrong(p.Early.Percent < 1 || p.Early.Percent > 100, "early.percent must be 1 to 100, is %d", p.Early.Percent)
	wrong(len(p.Score) != 5 || p.Score[0] <= 0 || !slices.IsSortedFunc(p.Score, falling), "score needs five numbers, best first, has %v", p.Score)
	sum := p.Weights.Response + p.Weights.Resolution + p.Weights.Satisfaction
	wrong(math.Abs(sum-1) > 1e-9, "weights must add up to 1, they make %v", sum)
	from := slices.Clone(p.Stars5.From)
	slices.Reverse(from)
	wrong(len(from) != 4 || !slices.IsSorted(from), "stars.from needs the totals for 5, 4, 3 and 2 stars, has %v", p.Stars5.From)
	wrong(p.Stars5.MinN < 1 || p.Stars5.Cap < 1 || p.Stars5.Cap > 5 || p.Stars5.TownshipBand == "", "stars needs min_n, a cap of 1 to 5 and township_band")
	wrong(p.Care.Target < 1 || p.Care.Least < 1, "care needs a target and the least number of answers, has %d and %d", p.Care.Target, p.Care.Least)
	w := p.Worry
	wrong(len(w.Names) != worries || slices.Contains(w.Names, ""), "worry.names must be the nine worries, has %d", len(w.Names))
	wrong(w.Open <= 0 || w.Redo <= 0 || w.Overdue <= 0 || w.Content <= 0, "worry needs the weights open, redo, overdue and content, all above 0")
	wrong(w.MinN < 1 || w.PerVillage < 1, "worry.min_n and worry.per_village must be at least 1")
	for code, n := range w.Residents {
		wrong(n < 1, "worry.residents.%s must be above 0", code)
	}
	wrong(p.Poll.AnswerWithin.N < 1, "poll.answer_within must be a limit such as 72h")
	wrong(p.Flags.Tickets < 2 || p.Flags.Seconds < 1, "flags needs at least two tickets and a second")
	for _, s := range []string{p.Early.Source, p.ScoreSource, p.Weights.Source, p.Stars5.Source, w.Source, p.Poll.Source, p.Flags.Source} {
		wrong(s == "", "every block must say where its values come from (source)")
	}
	return errors.Join(bad...)
}
