package scheduler

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"shaoying/configs"
)

// Kind says how the spec of a schedule is read.
type Kind string

// The kinds of schedules.
const (
	// Cron has five fields: minute, hour, day of month, month, day of week.
	Cron Kind = "cron"
	// Interval is 15m or 6h of elapsed time, or 7d of civil days, counted
	// from Schedule.From and never from the start of the program.
	Interval Kind = "interval"
	// Month is "last day 17:00" or "workday 1 08:30". The last workday is
	// "last day" with on_holiday: prev_workday.
	Month Kind = "month"
)

// Policy says what becomes of slots that were missed.
type Policy string

// The catch-up policies. None runs a slot later than MaxLate after it was due.
const (
	// CatchUpSkip runs nothing that was missed; MaxLate is how late the
	// planner may come and the slot still counts as met.
	CatchUpSkip Policy = "skip"
	// CatchUpLatest runs the newest of the missed slots, and of several that
	// were shifted to one time the last.
	CatchUpLatest Policy = "latest"
	// CatchUpAll runs them all, at most the newest Max at once.
	CatchUpAll Policy = "all"
)

// CatchUp is the rule for slots that were missed.
type CatchUp struct {
	Policy  Policy        `yaml:"policy"`
	MaxLate time.Duration `yaml:"max_late"`
	Max     int           `yaml:"max"` // with CatchUpAll only
}

// OnHoliday says what happens to a slot whose day is not a workday.
type OnHoliday string

// The rules for days off. Weekends are days off, make-up Saturdays are not.
const (
	HolidayKeep OnHoliday = "keep"
	HolidaySkip OnHoliday = "skip"
	NextWorkday OnHoliday = "next_workday"
	PrevWorkday OnHoliday = "prev_workday"
)

// Schedule is one entry of configs/schedules.yaml: when to do what.
type Schedule struct {
	Name string `yaml:"name"`
	Kind Kind   `yaml:"kind"`
	Spec string `yaml:"spec"`
	// From anchors an Interval: "2026-03-02 09:00" in Zone.
	From string `yaml:"from"`
	// Zone is an IANA zone; the file's zone when empty.
	Zone    string  `yaml:"zone"`
	CatchUp CatchUp `yaml:"catch_up"`
	// Class is who is disturbed; empty when the work writes to nobody.
	Class     Class     `yaml:"class"`
	OnQuiet   OnQuiet   `yaml:"on_quiet"`
	OnHoliday OnHoliday `yaml:"on_holiday"`
	// Do names the due kind that runs the slot.
	Do     string `yaml:"do"`
	Source string `yaml:"source"`
}

// maxLateEver bounds CatchUp.MaxLate: who was away longer starts afresh.
const maxLateEver = 31 * 24 * time.Hour

// maxCatchUp bounds CatchUp.Max.
const maxCatchUp = 1000

var dottedName = regexp.MustCompile(`^[a-z][a-z0-9_.]{0,63}$`)

// ParseSchedules reads a file {zone, schedules}. name is for errors. The whole
// file is refused when one schedule is wrong or a name stands twice.
func ParseSchedules(name string, body []byte) ([]Schedule, error) {
	var file struct {
		Zone      string     `yaml:"zone"`
		Schedules []Schedule `yaml:"schedules"`
	}
	if err := configs.Decode(name, body, &file); err != nil {
		return nil, err
	}
	var errs []error
	seen := map[string]bool{}
	for i := range file.Schedules {
		s := &file.Schedules[i]
		if s.Zone == "" {
			s.Zone = file.Zone
		}
		if err := s.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("%s: schedule %d %q: %w", name, i+1, s.Name, err))
		}
		if seen[s.Name] {
			errs = append(errs, fmt.Errorf("%s: schedule %d: name %q stands twice", name, i+1, s.Name))
		}
		seen[s.Name] = true
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return file.Schedules, nil
}

// Validate refuses a schedule that could not run, or would not do what it
// seems to say.
func (s Schedule) Validate() error {
	switch {
	case !dottedName.MatchString(s.Name):
		return fmt.Errorf("name %q; write up to 64 of a-z, 0-9, _ and .", s.Name)
	case !dottedName.MatchString(s.Do):
		return fmt.Errorf("do %q; name the due kind that runs it", s.Do)
	case s.Source == "":
		return errors.New("source is missing; say where the times come from")
	case s.Kind != Interval && s.From != "":
		return errors.New("from belongs to kind: interval only")
	}
	sp, loc, err := s.compile()
	if err != nil {
		return err
	}
	if err := s.CatchUp.validate(); err != nil {
		return err
	}
	if err := s.validateQuiet(); err != nil {
		return err
	}
	return s.validateHoliday(sp, loc)
}

// compile reads spec and zone.
func (s Schedule) compile() (spec, *time.Location, error) {
	loc, err := time.LoadLocation(s.Zone)
	if err != nil || s.Zone == "" || s.Zone == "Local" {
		return nil, nil, fmt.Errorf("zone %q is not an IANA zone like Asia/Shanghai", s.Zone)
	}
	var sp spec
	switch s.Kind {
	case Cron:
		var c cronSpec
		c.Schedule, err = parseCron(s.Spec)
		sp = c
	case Interval:
		sp, err = parseInterval(s.Spec, s.From)
	case Month:
		sp, err = parseMonth(s.Spec)
	default:
		err = fmt.Errorf("kind %q; it must be cron, interval or month", s.Kind)
	}
	if err != nil {
		return nil, nil, err
	}
	return sp, loc, nil
}

func (c CatchUp) validate() error {
	switch {
	case !slices.Contains([]Policy{CatchUpSkip, CatchUpLatest, CatchUpAll}, c.Policy):
		return fmt.Errorf("catch_up: policy %q; it must be skip, latest or all", c.Policy)
	case c.MaxLate < time.Minute || c.MaxLate > maxLateEver:
		return fmt.Errorf("catch_up: max_late is %s; it must be between 1m and %s", c.MaxLate, maxLateEver)
	case c.Policy == CatchUpAll && (c.Max < 1 || c.Max > maxCatchUp):
		return fmt.Errorf("catch_up: max is %d; with policy all it must be between 1 and %d", c.Max, maxCatchUp)
	case c.Policy != CatchUpAll && c.Max != 0:
		return errors.New("catch_up: max belongs to policy all only")
	}
	return nil
}

func (s Schedule) validateQuiet() error {
	switch {
	case s.Class == "" && s.OnQuiet != "":
		return errors.New("on_quiet without class; say who is disturbed, or take it out")
	case s.Class == "":
		return nil
	case !slices.Contains(Classes(), s.Class):
		return fmt.Errorf("class %q; the classes are %v", s.Class, Classes())
	case !slices.Contains([]OnQuiet{QuietLater, QuietEarlier, QuietDrop}, s.OnQuiet):
		return fmt.Errorf("on_quiet %q; for a schedule it must be later, earlier or drop", s.OnQuiet)
	}
	return nil
}

// validateHoliday also refuses to pile up runs. Moved to workdays, slots of
// different times of day would lose their order, on which Plan depends, and
// slots of one week can meet on one day.
func (s Schedule) validateHoliday(sp spec, loc *time.Location) error {
	switch s.OnHoliday {
	case HolidayKeep, HolidaySkip:
		return nil
	case NextWorkday, PrevWorkday:
	default:
		return fmt.Errorf("on_holiday %q; it must be keep, skip, next_workday or prev_workday", s.OnHoliday)
	}
	if m, ok := sp.(monthSpec); ok && m.workday > 0 {
		return errors.New("on_holiday must be keep: a workday of the month is never a day off")
	}
	// A sample of 400 days shows every weekday, month end and clock change.
	t, wall := sp.next(time.Date(2025, time.March, 1, 0, 0, 0, 0, loc), loc)
	for end := t.Add(farthestNext); t.Before(end); {
		n, next := sp.next(t, loc)
		switch gap := next.Sub(wall); {
		case timeOfDay(next) != timeOfDay(wall):
			return fmt.Errorf("on_holiday %s is for what runs at one time of day; use skip", s.OnHoliday)
		case gap < 7*24*time.Hour && s.CatchUp.Policy != CatchUpLatest:
			return fmt.Errorf("on_holiday %s would move several runs to one workday; use skip, or catch_up policy latest", s.OnHoliday)
		}
		t, wall = n, next
	}
	return nil
}
