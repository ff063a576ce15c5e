package scheduler

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// WorkTime measures time at work: the spans of every workday. It is immutable
// and safe for concurrent use. Results are in the location of the argument.
type WorkTime struct {
	cal   *Calendar
	spans []Span
	loc   *time.Location
}

// NewWorkTime returns the working time of a calendar in a zone.
func NewWorkTime(cal *Calendar, spans []Span, loc *time.Location) (*WorkTime, error) {
	if cal == nil || loc == nil {
		return nil, errors.New("working time needs a calendar and a zone")
	}
	if err := checkSpans(spans); err != nil {
		return nil, fmt.Errorf("working time: %w", err)
	}
	return &WorkTime{cal: cal, spans: slices.Clone(spans), loc: loc}, nil
}

// Calendar returns the calendar below.
func (w *WorkTime) Calendar() *Calendar { return w.cal }

// Location returns the zone in which the working day is read.
func (w *WorkTime) Location() *time.Location { return w.loc }

// Open reports whether t lies in working time.
func (w *WorkTime) Open(t time.Time) bool {
	local := t.In(w.loc)
	return w.cal.IsWorkday(DateOf(local)) && slices.ContainsFunc(w.spans, func(s Span) bool {
		return s.contains(timeOfDay(local))
	})
}

// Between returns how much working time lies between a and b; 0 when b is not
// after a.
func (w *WorkTime) Between(a, b time.Time) time.Duration {
	var sum time.Duration
	last := DateOf(b.In(w.loc))
	for d := DateOf(a.In(w.loc)); d.Compare(last) <= 0; d = d.AddDays(1) {
		for from, to := range w.day(d) {
			from, to = later(from, a), earlier(to, b)
			if from.Before(to) {
				sum += to.Sub(from)
			}
		}
	}
	return sum
}

// Add returns the first instant at which d of working time has passed since
// from. For d = 0 or less that is from itself.
func (w *WorkTime) Add(from time.Time, d time.Duration) time.Time {
	if d <= 0 {
		return from
	}
	for day := DateOf(from.In(w.loc)); ; day = day.AddDays(1) {
		for start, end := range w.day(day) {
			start = later(start, from)
			if left := end.Sub(start); left >= d {
				return start.Add(d).In(from.Location())
			} else if left > 0 {
				d -= left
			}
		}
	}
}

// Deadline adds a limit as [ParseLimit] reads it to from. The error is
// ParseLimit's.
func (w *WorkTime) Deadline(from time.Time, limit string) (time.Time, error) {
	l, err := ParseLimit(limit)
	if err != nil {
		return time.Time{}, err
	}
	return l.Deadline(from, w), nil
}

// Fraction returns the instant at which the share f (0 to 1) of the working
// time between from and deadline has passed; of the clock time when no working
// time lies between them.
func (w *WorkTime) Fraction(from, deadline time.Time, f float64) time.Time {
	switch {
	case !(f > 0) || !deadline.After(from):
		return from
	case f >= 1:
		return deadline
	}
	if work := w.Between(from, deadline); work > 0 {
		return w.Add(from, time.Duration(f*float64(work)))
	}
	return from.Add(time.Duration(f * float64(deadline.Sub(from))))
}

// day yields start and end of the spans of d, none on a day off.
func (w *WorkTime) day(d Date) func(yield func(from, to time.Time) bool) {
	return func(yield func(from, to time.Time) bool) {
		if !w.cal.IsWorkday(d) {
			return
		}
		for _, s := range w.spans {
			if !yield(d.At(s.From, w.loc), d.At(s.To, w.loc)) {
				return
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
