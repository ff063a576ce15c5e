package ticket

import (
	"errors"
	"fmt"
	"slices"

	"shaoying/configs"
	"shaoying/scheduler"
)

// WhistleLimits are how long the steps of one kind may take; each says in the
// policy where it runs from.
type WhistleLimits struct {
	Blow     scheduler.Limit `yaml:"blow"`
	Assign   scheduler.Limit `yaml:"assign"`
	Answer   scheduler.Limit `yaml:"answer"`
	Arrive   scheduler.Limit `yaml:"arrive"`
	Handle   scheduler.Limit `yaml:"handle"`
	Appraise scheduler.Limit `yaml:"appraise"`
	Source   string          `yaml:"source"`
}

// WhistlePolicy is configs/policies/whistle.yaml.
type WhistlePolicy struct {
	Kinds  map[WhistleKind]WhistleLimits `yaml:"kinds"`
	Nudges struct {
		// At are the shares of the time to arrive and to handle after which a
		// unit is reminded, ascending, below 1.
		At     []float64 `yaml:"at"`
		Source string    `yaml:"source"`
	} `yaml:"nudges"`
	// Escalation says to which level a whistle rises by itself.
	Escalation struct {
		LateArrival int    `yaml:"late_arrival"`
		Overdue     int    `yaml:"overdue"`
		Source      string `yaml:"source"`
	} `yaml:"escalation"`
	// Reasons are the codes that staff choose from; their words are texts.
	Reasons struct {
		Decline  []string `yaml:"decline"`
		Return   []string `yaml:"return"`
		Misuse   []string `yaml:"misuse"`
		Escalate []string `yaml:"escalate"`
		Source   string   `yaml:"source"`
	} `yaml:"reasons"`
	Appraisal struct {
		Grades  map[Grade]float64 `yaml:"grades"` // points, 0 to 100
		Weights struct {
			Speed   float64 `yaml:"speed"`
			Quality float64 `yaml:"quality"`
		} `yaml:"weights"`
		Source string `yaml:"source"`
	} `yaml:"appraisal"`
	Stars struct {
		Min    int             `yaml:"min"`  // appraisals below which no star is shown
		Days   int             `yaml:"days"` // how far back appraisals count
		Bands  map[int]float64 `yaml:"bands"`
		Source string          `yaml:"source"`
	} `yaml:"stars"`
}

// Score is what one appraisal is worth, 0 to 100: the weighted points of its
// two grades.
func (p WhistlePolicy) Score(speed, quality Grade) float64 {
	a := p.Appraisal
	return a.Weights.Speed*a.Grades[speed] + a.Weights.Quality*a.Grades[quality]
}

// StarsOf is the number of stars for the mean score of n appraisals; 0 while
// there are too few of them to show any.
func (p WhistlePolicy) StarsOf(n int, mean float64) int {
	if n < p.Stars.Min {
		return 0
	}
	for stars := 5; stars > 1; stars-- {
		if mean >= p.Stars.Bands[stars] {
			return stars
		}
	}
	return 1
}

// Validate lists everything that is wrong with the policy.
func (p WhistlePolicy) Validate() error {
	var bad problems
	for _, k := range WhistleKinds() {
		l, ok := p.Kinds[k]
		if !ok {
			bad.add("kinds.%s is missing", k)
			continue
		}
		where := "kinds." + string(k)
		for name, limit := range map[string]scheduler.Limit{
			".blow": l.Blow, ".assign": l.Assign, ".answer": l.Answer, ".arrive": l.Arrive, ".handle": l.Handle, ".appraise": l.Appraise,
		} {
			bad.limit(where+name, limit)
		}
		bad.source(where, l.Source)
	}
	for k := range p.Kinds {
		if !slices.Contains(WhistleKinds(), k) {
			bad.add("kinds.%s is not one of %v", k, WhistleKinds())
		}
	}
	at := p.Nudges.At
	if !slices.IsSorted(at) || len(slices.Compact(slices.Clone(at))) != len(at) || len(at) > 0 && (at[0] <= 0 || at[len(at)-1] >= 1) {
		bad.add("nudges.at must rise from above 0 to below 1, is %v", at)
	}
	bad.source("nudges", p.Nudges.Source)
	for name, level := range map[string]int{"late_arrival": p.Escalation.LateArrival, "overdue": p.Escalation.Overdue} {
		if level <= WhistleLevel || level > WhistleLevelTop {
			bad.add("escalation.%s must be above %d and at most %d, is %d", name, WhistleLevel, WhistleLevelTop, level)
		}
	}
	bad.source("escalation", p.Escalation.Source)
	bad.codes("reasons.decline", p.Reasons.Decline)
	bad.codes("reasons.return", p.Reasons.Return)
	bad.codes("reasons.misuse", p.Reasons.Misuse)
	bad.codes("reasons.escalate", p.Reasons.Escalate)
	bad.source("reasons", p.Reasons.Source)
	p.validateStars(&bad)
	return errors.Join(bad...)
}

func (p WhistlePolicy) validateStars(bad *problems) {
	last := 101.0
	for _, g := range Grades() {
		points, ok := p.Appraisal.Grades[g]
		if !ok || points < 0 || points > 100 || points >= last {
			bad.add("appraisal.grades.%s must be 0 to 100 and below the better grade, is %v", g, points)
		}
		last = points
	}
	w := p.Appraisal.Weights
	if sum := w.Speed + w.Quality; w.Speed < 0 || w.Quality < 0 || sum < 0.999 || sum > 1.001 {
		bad.add("appraisal.weights must be at least 0 and add up to 1, are %v and %v", w.Speed, w.Quality)
	}
	bad.source("appraisal", p.Appraisal.Source)
	above := 100.0
	for stars := 5; stars > 1; stars-- {
		from, ok := p.Stars.Bands[stars]
		if !ok || from > above || from < 0 {
			bad.add("stars.bands must fall from 5 to 2, has %v for %d", from, stars)
		}
		above = from
	}
	if p.Stars.Min < 1 || p.Stars.Days < 1 {
		bad.add("stars.min and stars.days must be at least 1, are %d and %d", p.Stars.Min, p.Stars.Days)
	}
	bad.source("stars", p.Stars.Source)
}

// ParseWhistlePolicy decodes configs/policies/whistle.yaml strictly.
func ParseWhistlePolicy(name string, body []byte) (WhistlePolicy, error) {
	var p WhistlePolicy
	if err := configs.Decode(name, body, &p); err != nil {
		return WhistlePolicy{}, err
	}
	if err := p.Validate(); err != nil {
		return WhistlePolicy{}, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}
