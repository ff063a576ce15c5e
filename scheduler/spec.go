package scheduler

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/robfig/cron/v3"
)

// spec makes the nominal times of a schedule. It knows nothing of holidays and
// quiet hours.
type spec interface {
	// next returns the first nominal time after t, in loc, and the wall-clock
	// time that it stands for, written as UTC. They differ only where
	// daylight saving leaves that time out.
	next(t time.Time, loc *time.Location) (nominal, wall time.Time)
}

// cronSpec runs at wall-clock times.
type cronSpec struct{ cron.Schedule }

func (c cronSpec) next(t time.Time, loc *time.Location) (nominal, wall time.Time) {
	return nextWall(t, loc, c.Next)
}

// nextWall walks wall-clock times until one is an instant after t. In a gap
// two of them can be the same instant, and in a fold one can lie behind t.
func nextWall(t time.Time, loc *time.Location, step func(time.Time) time.Time) (nominal, wall time.Time) {
	wall = wallOf(t.In(loc))
	for {
		wall = step(wall)
		if n := instant(wall, loc); n.After(t) {
			return n, wall
		}
	}
}

// intervalSpec runs every so many minutes of elapsed time or every so many
// civil days, counted from an anchor.
type intervalSpec struct {
	every time.Duration // 0 when days is set
	days  int
	from  time.Time // wall-clock time as UTC
}

var intervalForm = regexp.MustCompile(`^([1-9][0-9]{0,3})(m|h|d)$`)

// anchorForm is how the from of an interval is written.
const anchorForm = "2006-01-02 15:04"

func parseInterval(text, from string) (intervalSpec, error) {
	m := intervalForm.FindStringSubmatch(text)
	if m == nil {
		return intervalSpec{}, fmt.Errorf("interval %q; write 15m, 6h or 7d", text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return intervalSpec{}, fmt.Errorf("read interval %q: %w", text, err)
	}
	var s intervalSpec
	switch m[2] {
	case "m":
		s.every = time.Duration(n) * time.Minute
	case "h":
		s.every = time.Duration(n) * time.Hour
	case "d":
		s.days = n
	}
	if s.every > farthestNext || s.days > 400 {
		return intervalSpec{}, fmt.Errorf("interval %q is longer than 400 days", text)
	}
	if s.from, err = time.Parse(anchorForm, from); err != nil || s.from.Year() < 2000 || s.from.Year() > 2100 {
		return intervalSpec{}, fmt.Errorf("from %q; an interval counts from a time like 2026-03-02 09:00, between 2000 and 2100", from)
	}
	return s, nil
}

func (s intervalSpec) next(t time.Time, loc *time.Location) (nominal, wall time.Time) {
	anchor := instant(s.from, loc)
	if t.Before(anchor) {
		return anchor, s.from
	}
	if s.days == 0 {
		nominal = anchor.Add((t.Sub(anchor)/s.every + 1) * s.every)
		return nominal, wallOf(nominal)
	}
	return nextWall(t, loc, func(wall time.Time) time.Time {
		passed := int(wall.Sub(s.from) / (time.Duration(s.days) * 24 * time.Hour))
		return s.from.AddDate(0, 0, (passed+1)*s.days)
	})
}

// monthSpec runs once a month. Its nominal day is the first or the last of the
// month; the n-th workday is a shift of the first, so that a calendar imported
// later cannot make a second slot of the same month.
type monthSpec struct {
	workday int // 0: last day of the month; n: n-th workday
	at      TimeOfDay
}

var monthForm = regexp.MustCompile(`^(?:last day|workday ([1-9][0-9]?)) ([0-9]{2}:[0-9]{2})$`)

// mostWorkdays is how many workdays every month has: February 2026 has 16.
const mostWorkdays = 15

func parseMonth(text string) (monthSpec, error) {
	m := monthForm.FindStringSubmatch(text)
	if m == nil {
		return monthSpec{}, fmt.Errorf("month %q; write \"last day 17:00\" or \"workday 1 08:30\"", text)
	}
	var s monthSpec
	var err error
	if s.at, err = ParseTimeOfDay(m[2]); err != nil || s.at == endOfDay {
		return monthSpec{}, fmt.Errorf("month %q: %q is not a time of day like 08:30", text, m[2])
	}
	if m[1] != "" {
		if s.workday, err = strconv.Atoi(m[1]); err != nil || s.workday > mostWorkdays {
			return monthSpec{}, fmt.Errorf("month %q: not every month has %s workdays; write 1 to %d", text, m[1], mostWorkdays)
		}
	}
	return s, nil
}

func (s monthSpec) next(t time.Time, loc *time.Location) (nominal, wall time.Time) {
	return nextWall(t, loc, func(wall time.Time) time.Time {
		for month := wall.Month(); ; month++ {
			day := time.Date(wall.Year(), month, 1, 0, int(s.at), 0, 0, time.UTC)
			if s.workday == 0 {
				day = day.AddDate(0, 1, -1)
			}
			if day.After(wall) {
				return day
			}
		}
	})
}
