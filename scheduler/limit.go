package scheduler

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// LimitUnit is what a Limit counts.
type LimitUnit string

// The units of a Limit.
const (
	Minutes   LimitUnit = "m"
	Hours     LimitUnit = "h"
	Days      LimitUnit = "d"  // calendar days
	WorkHours LimitUnit = "wh" // hours inside working time
	WorkDays  LimitUnit = "wd"
)

// Limit is how long something may take.
//
// Minutes and hours run from the instant itself. Days and working days follow
// the Civil Code (民法典): the first day does not count (art. 201), the limit
// ends with business on its last day, and when that is a day off it ends with
// the next workday (art. 203).
type Limit struct {
	N    int
	Unit LimitUnit
}

var limitForm = regexp.MustCompile(`^([1-9][0-9]{0,3})(m|h|d|wh|wd)$`)

// ParseLimit reads "30m", "2h", "7d", "2wh" or "5wd", at most four digits.
func ParseLimit(s string) (Limit, error) {
	m := limitForm.FindStringSubmatch(s)
	if m == nil {
		return Limit{}, fmt.Errorf("%q is not a time limit; write 30m, 2h, 7d, 2wh (working hours) or 5wd (working days)", s)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return Limit{}, fmt.Errorf("read limit %q: %w", s, err)
	}
	return Limit{n, LimitUnit(m[2])}, nil
}

// String returns the limit as ParseLimit reads it.
func (l Limit) String() string { return strconv.Itoa(l.N) + string(l.Unit) }

// UnmarshalText makes Limit readable from YAML.
func (l *Limit) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLimit(string(text))
	return err
}

// Deadline returns the instant at which the limit that starts at from is over,
// in from's location.
func (l Limit) Deadline(from time.Time, w *WorkTime) time.Time {
	switch l.Unit {
	case Minutes:
		return from.Add(time.Duration(l.N) * time.Minute)
	case Hours:
		return from.Add(time.Duration(l.N) * time.Hour)
	case WorkHours:
		return w.Add(from, time.Duration(l.N)*time.Hour)
	}
	last := DateOf(from.In(w.loc))
	if l.Unit == WorkDays {
		last = w.cal.AddWorkdays(last, l.N)
	} else if last = last.AddDays(l.N); !w.cal.IsWorkday(last) {
		last = w.cal.NextWorkday(last)
	}
	return last.At(w.spans[len(w.spans)-1].To, w.loc).In(from.Location())
}
