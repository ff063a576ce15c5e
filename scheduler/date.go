package scheduler

import (
	"cmp"
	"fmt"
	"time"
	_ "time/tzdata" // a container or a plain user may have no zone files
)

// Date is a civil date, without a time or a zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the date on which t lies in its own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// ParseDate reads "2026-03-03". A day that does not exist is an error.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a date like 2026-03-03", s)
	}
	return DateOf(t), nil
}

// String returns the date as "2026-03-03".
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// Compare returns -1, 0 or +1 as d is before, equal to or after other.
func (d Date) Compare(other Date) int {
	return cmp.Or(cmp.Compare(d.Year, other.Year), cmp.Compare(d.Month, other.Month), cmp.Compare(d.Day, other.Day))
}

// AddDays returns the date n days after d; n may be negative.
func (d Date) AddDays(n int) Date {
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC))
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Weekday()
}

// At returns the instant of a wall-clock time on d. A time that daylight
// saving leaves out becomes the first instant after the gap; of one that comes
// twice the first is meant. That keeps the order of wall-clock times.
func (d Date) At(at TimeOfDay, loc *time.Location) time.Time {
	return instant(time.Date(d.Year, d.Month, d.Day, 0, int(at), 0, 0, time.UTC), loc)
}

// instant returns when loc's clocks show the wall time of wall, whose own
// location is UTC and means nothing. [time.Date] promises no choice in gaps
// and folds, so both are settled here.
func instant(wall time.Time, loc *time.Location) time.Time {
	y, mo, d := wall.Date()
	t := time.Date(y, mo, d, wall.Hour(), wall.Minute(), 0, 0, loc)
	start, end := t.ZoneBounds()
	if shown := wallOf(t); shown.After(wall) {
		return start
	} else if shown.Before(wall) {
		return end
	}
	if !start.IsZero() {
		_, offset := t.Zone()
		_, before := start.Add(-time.Second).Zone()
		if first := t.Add(time.Duration(offset-before) * time.Second); first.Before(start) {
			return first
		}
	}
	return t
}

// wallOf returns what the clocks of t's location show at t, as a UTC time.
func wallOf(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// TimeOfDay is a wall-clock time in whole minutes after midnight, 0 to 1440.
// 1440 ("24:00") only ends a [Span].
type TimeOfDay int

const endOfDay TimeOfDay = 24 * 60

// ParseTimeOfDay reads "08:30", always with two digits each; "24:00" is the
// end of the day.
func ParseTimeOfDay(s string) (TimeOfDay, error) {
	if s == "24:00" {
		return endOfDay, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, fmt.Errorf("%q is not a time of day like 08:30", s)
	}
	return TimeOfDay(t.Hour()*60 + t.Minute()), nil
}

// String returns the time as "08:30".
func (t TimeOfDay) String() string { return fmt.Sprintf("%02d:%02d", t/60, t%60) }

// UnmarshalText makes TimeOfDay readable from YAML.
func (t *TimeOfDay) UnmarshalText(text []byte) (err error) {
	*t, err = ParseTimeOfDay(string(text))
	return err
}

// timeOfDay returns the minute of the day that t shows in its own location.
func timeOfDay(t time.Time) TimeOfDay { return TimeOfDay(t.Hour()*60 + t.Minute()) }
