package scheduler

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// robfig/cron is used for its parser and for Schedule.Next only. What it
// panics on, takes for something else, or accepts and never runs is refused
// here; each case is a row of TestCronTraps. Source: reference
// family-bed-and-scheduling 3.6 and sms-postgres-jobs 2.

var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// cronField is one of the five fields, with its bounds.
type cronField struct {
	name     string
	min, max int
	part     *regexp.Regexp // *, n or n-m, with an optional step
}

var cronFields = [...]cronField{
	{"minute", 0, 59, cronPart("")},
	{"hour", 0, 23, cronPart("")},
	{"day of month", 1, 31, cronPart("")},
	{"month", 1, 12, cronPart("|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec")},
	{"day of week", 0, 6, cronPart("|sun|mon|tue|wed|thu|fri|sat")},
}

func cronPart(names string) *regexp.Regexp {
	value := `([0-9]{1,2}` + names + `)`
	return regexp.MustCompile(`(?i)^(?:\*|` + value + `(?:-` + value + `)?)(?:/([0-9]{1,2}))?$`)
}

var (
	quartzMark = regexp.MustCompile(`(?i)[?#]|^L|^W|[0-9][LW]$`)
	number     = regexp.MustCompile(`[0-9]+`)
)

// maxCronText bounds what a spec may be; the longest sensible one is shorter.
const maxCronText = 200

// farthestNext is how far away the next time of a spec may lie. A yearly spec
// must pass, one for 29 February must not.
const farthestNext = 400 * 24 * time.Hour

// parseCron reads a cron spec of five fields. The result works on wall-clock
// times that are written as UTC.
func parseCron(spec string) (cron.Schedule, error) {
	fields, err := splitCron(spec)
	if err != nil {
		return nil, err
	}
	for i, text := range fields {
		if err := cronFields[i].check(text); err != nil {
			return nil, err
		}
	}
	if fields[2] != "*" && fields[4] != "*" {
		return nil, fmt.Errorf("day of month %q and day of week %q are both set; cron runs when either fits, so make two schedules", fields[2], fields[4])
	}
	schedule, err := parseRecovered(strings.Join(fields, " "))
	if err != nil {
		return nil, err
	}
	if err := checkReach(schedule); err != nil {
		return nil, err
	}
	return schedule, checkMonthEnd(fields[2])
}

func splitCron(spec string) ([]string, error) {
	switch {
	case len(spec) > maxCronText:
		return nil, fmt.Errorf("spec has %d bytes; at most %d", len(spec), maxCronText)
	case strings.Contains(strings.ToUpper(spec), "TZ="):
		return nil, errors.New("a zone inside the spec is not allowed; write it under zone:")
	case strings.HasPrefix(strings.TrimSpace(spec), "@every"):
		return nil, errors.New("@every counts from the start of the program; use kind: interval")
	case strings.HasPrefix(strings.TrimSpace(spec), "@"):
		return nil, errors.New("names like @daily are not allowed; write five fields, for instance 0 0 * * *")
	}
	fields := strings.Fields(spec)
	switch len(fields) {
	case len(cronFields):
		return fields, nil
	case len(cronFields) + 1:
		return nil, errors.New("six fields: seconds are not allowed; write minute, hour, day of month, month, day of week")
	}
	return nil, fmt.Errorf("%d fields; write five: minute, hour, day of month, month, day of week", len(fields))
}

// check refuses what is not a list of *, n, n-m with an optional step, and
// steps that leave a shorter gap at the end of the range.
func (f cronField) check(text string) error {
	for p := range strings.SplitSeq(text, ",") {
		m := f.part.FindStringSubmatch(p)
		switch {
		case quartzMark.MatchString(p) && m == nil:
			return fmt.Errorf("%s %q: L, W, # and ? are not understood; for the end of the month use kind: month", f.name, text)
		case m == nil:
			return fmt.Errorf("%s %q: write *, a number, a range like 1-5, or a list of them", f.name, text)
		case p == "*" && text != "*":
			return fmt.Errorf("%s %q: a list with * means always; write * alone", f.name, text)
		}
		if f.name == "day of week" && (m[1] == "7" || m[2] == "7") {
			return fmt.Errorf("day of week %q: 7 is not a day; Sunday is 0", text)
		}
		if m[3] != "" {
			if err := f.checkStep(p, m[1], m[2], m[3]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f cronField) checkStep(part, from, to, stepText string) error {
	step, err := strconv.Atoi(stepText)
	if err != nil || step == 0 {
		return fmt.Errorf("%s %q: the step must be at least 1", f.name, part)
	}
	if from != "" && to == "" {
		return fmt.Errorf("%s %q: a step needs a range; write %s-%d/%d", f.name, part, from, f.max, step)
	}
	whole := from == "" || from == strconv.Itoa(f.min) && to == strconv.Itoa(f.max)
	size := f.max - f.min + 1
	if whole && step > 1 && (size%step != 0 || step == size) {
		return fmt.Errorf("%s %q: %d does not divide %d, so the last gap would be shorter; list the values", f.name, part, step, size)
	}
	return nil
}

// parseRecovered calls the parser, which panics on some inputs.
func parseRecovered(spec string) (s cron.Schedule, err error) {
	defer func() {
		if r := recover(); r != nil {
			s, err = nil, fmt.Errorf("spec %q cannot be read: %v", spec, r)
		}
	}()
	return cronParser.Parse(spec)
}

// checkReach refuses specs that never run, or so seldom that it must be a
// mistake. It starts right after a 29 February would have been.
func checkReach(s cron.Schedule) error {
	start := time.Date(2025, time.March, 1, 0, 0, 0, 0, time.UTC)
	next := s.Next(start)
	if next.IsZero() {
		return errors.New("the spec never comes; there is no such day")
	}
	if next.Sub(start) > farthestNext {
		return fmt.Errorf("the spec comes next on %s, more than 400 days away", next.Format(time.DateOnly))
	}
	return nil
}

// checkMonthEnd refuses days that some months do not have: cron skips those
// months without a word.
func checkMonthEnd(dom string) error {
	for _, day := range number.FindAllString(dom, -1) {
		if n, err := strconv.Atoi(day); err != nil || n > 28 {
			return fmt.Errorf("day of month %q: some months have no day %s; use kind: month with \"last day 09:00\", or a day up to 28", dom, day)
		}
	}
	return nil
}
