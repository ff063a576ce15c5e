package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"shaoying/configs"
)

// HoursPolicy is configs/policies/hours.yaml. Every value carries the source
// that it was taken from.
type HoursPolicy struct {
	Work     WorkPolicy            `yaml:"work"`
	Classes  map[Class]ClassPolicy `yaml:"classes"`
	Release  ReleasePolicy         `yaml:"release"`
	Coverage CoveragePolicy        `yaml:"coverage"`
}

// WorkPolicy is the working day of units.
type WorkPolicy struct {
	Spans  []Span `yaml:"spans"`
	Source string `yaml:"source"`
}

// ClassPolicy says when pushes of one class may go out.
type ClassPolicy struct {
	// Send are the spans of the day in which a push may be sent.
	Send []Span `yaml:"send"`
	// TooLate is what becomes of a push whose next span begins after it has
	// lost its meaning: drop it, or give a human the task.
	TooLate OnQuiet `yaml:"too_late"`
	Source  string  `yaml:"source"`
}

// ReleasePolicy spreads what waited for the end of quiet hours.
type ReleasePolicy struct {
	Over   time.Duration `yaml:"over"`
	Source string        `yaml:"source"`
}

// CoveragePolicy says how long before the end of the calendar staff are warned.
type CoveragePolicy struct {
	WarnDays int    `yaml:"warn_days"`
	Source   string `yaml:"source"`
}

// ParseHours reads and validates an hours policy. name is for errors.
func ParseHours(name string, body []byte) (HoursPolicy, error) {
	var p HoursPolicy
	if err := configs.Decode(name, body, &p); err != nil {
		return HoursPolicy{}, err
	}
	if err := p.Validate(); err != nil {
		return HoursPolicy{}, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// Validate refuses a policy that leaves anything open.
func (p HoursPolicy) Validate() error {
	if err := checkSpans(p.Work.Spans); err != nil {
		return fmt.Errorf("work: %w", err)
	}
	for class := range p.Classes {
		if !slices.Contains(Classes(), class) {
			return fmt.Errorf("classes: %q is unknown; the classes are %v", class, Classes())
		}
	}
	sources := map[string]string{"work": p.Work.Source, "release": p.Release.Source, "coverage": p.Coverage.Source}
	for _, class := range Classes() {
		c, ok := p.Classes[class]
		if !ok {
			return fmt.Errorf("classes: %s is missing", class)
		}
		if err := checkSpans(c.Send); err != nil {
			return fmt.Errorf("classes: %s: %w", class, err)
		}
		if c.TooLate != QuietDrop && c.TooLate != QuietHuman {
			return fmt.Errorf("classes: %s: too_late is %q; it must be drop or human", class, c.TooLate)
		}
		sources["classes: "+string(class)] = c.Source
	}
	if p.Release.Over < 0 || p.Release.Over > time.Hour {
		return fmt.Errorf("release: over is %s; it must be between 0 and 1h", p.Release.Over)
	}
	if p.Coverage.WarnDays < 1 || p.Coverage.WarnDays > 365 {
		return fmt.Errorf("coverage: warn_days is %d; it must be between 1 and 365", p.Coverage.WarnDays)
	}
	for _, key := range slices.Sorted(maps.Keys(sources)) {
		if sources[key] == "" {
			return fmt.Errorf("%s: source is missing; say where the value comes from", key)
		}
	}
	return nil
}
