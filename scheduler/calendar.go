package scheduler

import (
	"fmt"
	"time"
)

// DayKind says what a listed day is.
type DayKind string

// The kinds of listed days, as in table calendar_day.
const (
	// Holiday is a day off by the yearly notice of the State Council.
	Holiday DayKind = "holiday"
	// Workday is a Saturday or Sunday that is worked (调休).
	Workday DayKind = "workday"
	// Provisional is a holiday of fixed date in a year without a notice yet.
	// Its month and day count in every such year.
	Provisional DayKind = "provisional"
)

// Day is one day that is not what its weekday says.
type Day struct {
	Date   Date
	Kind   DayKind
	Name   string // festival, for staff
	Source string // file or notice that it was taken from
}

// Calendar knows which days are worked. It is immutable and safe for
// concurrent use; a new import makes a new one.
type Calendar struct {
	days  map[Date]DayKind
	known map[int]bool
	fixed map[monthDay]bool
}

type monthDay struct {
	month time.Month
	day   int
}

// NewCalendar builds a calendar of listed days in any order. A date listed
// twice is an error. A year is known when its National Day, 1 October, is
// listed as a holiday: each notice of the State Council covers one year and
// that festival is its last.
func NewCalendar(days []Day) (*Calendar, error) {
	c := &Calendar{days: make(map[Date]DayKind, len(days)), known: map[int]bool{}, fixed: map[monthDay]bool{}}
	for _, d := range days {
		if _, twice := c.days[d.Date]; twice {
			return nil, fmt.Errorf("calendar: %s is listed twice", d.Date)
		}
		c.days[d.Date] = d.Kind
		switch d.Kind {
		case Provisional:
			c.fixed[monthDay{d.Date.Month, d.Date.Day}] = true
		case Holiday:
			if d.Date.Month == time.October && d.Date.Day == 1 {
				c.known[d.Date.Year] = true
			}
		case Workday:
		default:
			return nil, fmt.Errorf("calendar: %s is of unknown kind %q", d.Date, d.Kind)
		}
	}
	return c, nil
}

// IsWorkday reports whether d is worked. In a year that is not known, weekends
// and the provisional holidays are off.
func (c *Calendar) IsWorkday(d Date) bool {
	switch c.days[d] {
	case Holiday:
		return false
	case Workday:
		return true
	}
	if !c.known[d.Year] && c.fixed[monthDay{d.Month, d.Day}] {
		return false
	}
	wd := d.Weekday()
	return wd != time.Saturday && wd != time.Sunday
}

// Known reports whether the year of d has its official notice. What IsWorkday
// says of other years is provisional and is to be marked so.
func (c *Calendar) Known(d Date) bool { return c.known[d.Year] }

// Coverage returns the last day of the known years that follow now without a
// gap, and whether it is at most warnDays away, or past. Without any known
// year around now, end is the last day of the year before. Calendar dates are
// read in now's location.
func (c *Calendar) Coverage(now time.Time, warnDays int) (end Date, warn bool) {
	today := DateOf(now)
	year := today.Year
	for c.known[year] {
		year++
	}
	end = Date{year - 1, time.December, 31}
	return end, end.AddDays(-warnDays).Compare(today) <= 0
}

// NextWorkday returns the first workday after d.
func (c *Calendar) NextWorkday(d Date) Date { return c.AddWorkdays(d, 1) }

// AddWorkdays returns the n-th workday after d, or before it when n is
// negative. d itself does not count. For n = 0 it returns d.
func (c *Calendar) AddWorkdays(d Date, n int) Date {
	step := 1
	if n < 0 {
		step, n = -1, -n
	}
	for n > 0 {
		d = d.AddDays(step)
		if c.IsWorkday(d) {
			n--
		}
	}
	return d
}
