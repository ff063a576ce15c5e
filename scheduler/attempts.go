package scheduler

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// AttemptPolicy says how often and when somebody is asked again, for instance
// in a callback (回访).
type AttemptPolicy struct {
	// Tries is how many attempts there are in all.
	Tries int `yaml:"tries"`
	// HalfDays is on how many different half-days they must lie.
	HalfDays int `yaml:"half_days"`
	// At are the times of one workday, in order.
	At []TimeOfDay `yaml:"at"`
}

// noon parts a day into half-days.
const noon TimeOfDay = 12 * 60

// Validate refuses times out of order and a policy whose tries would not
// reach the half-days that it asks for.
func (p AttemptPolicy) Validate() error {
	if p.Tries < 1 || p.Tries > 20 {
		return fmt.Errorf("tries is %d; it must be between 1 and 20", p.Tries)
	}
	if len(p.At) == 0 {
		return errors.New("at is empty; write times of day like 10:00")
	}
	for i, t := range p.At {
		if t < 0 || t >= endOfDay || i > 0 && t <= p.At[i-1] {
			return fmt.Errorf("at: %s is not a time of day after the one before it", t)
		}
	}
	type halfDay struct {
		day   int
		after bool
	}
	halves := map[halfDay]bool{}
	for i := range p.Tries {
		halves[halfDay{i / len(p.At), p.At[i%len(p.At)] >= noon}] = true
	}
	if len(halves) < p.HalfDays {
		return fmt.Errorf("%d tries at %v lie on %d half-days; half_days asks for %d", p.Tries, p.At, len(halves), p.HalfDays)
	}
	return nil
}

// Attempts returns when to try, in order: the first at the first time of the
// next workday after start, the others at the times that follow, on workdays
// only. The error is that of [AttemptPolicy.Validate].
func (w *WorkTime) Attempts(start time.Time, p AttemptPolicy) ([]time.Time, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("attempts: %w", err)
	}
	tries := make([]time.Time, 0, p.Tries)
	day := w.cal.NextWorkday(DateOf(start.In(w.loc)))
	for {
		for _, at := range p.At {
			if tries = append(tries, day.At(at, w.loc).In(start.Location())); len(tries) == p.Tries {
				return slices.Clip(tries), nil
			}
		}
		day = w.cal.NextWorkday(day)
	}
}

// NextWorkdayAt returns the time of day at on the first workday after the day
// of t.
func (w *WorkTime) NextWorkdayAt(t time.Time, at TimeOfDay) time.Time {
	return w.cal.NextWorkday(DateOf(t.In(w.loc))).At(at, w.loc).In(t.Location())
}
