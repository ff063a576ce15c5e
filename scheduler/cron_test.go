package scheduler

import (
	"strings"
	"testing"
	"time"
)

// Each row is a spec that robfig/cron panics on, misreads or never runs, or
// that does not do what the person who wrote it will think.
func TestCronTraps(t *testing.T) {
	for _, c := range []struct{ spec, want string }{
		{"", "0 fields; write five"},
		{"   ", "0 fields; write five"},
		{"30 8 * *", "4 fields; write five"},
		{"0 30 8 * * *", "seconds are not allowed"},
		{"0 30 8 * * * 2026", "7 fields"},
		{"TZ=0", "write it under zone:"},                             // panics
		{"CRON_TZ=Asia/Shanghai", "write it under zone:"},            // panics
		{"CRON_TZ=Asia/Shanghai 30 8 * * *", "write it under zone:"}, // would beat zone:
		{"30 8 * * * TZ=UTC", "write it under zone:"},
		{"@every 1ms", "use kind: interval"}, // becomes once a second
		{"@every -1h", "use kind: interval"}, // becomes once a second
		{"@daily", "names like @daily are not allowed"},
		{"@reboot", "names like @daily are not allowed"},
		{"0 9 * * 7", "Sunday is 0"},
		{"0 9 * * 5-7", "Sunday is 0"},
		{"0 9 L * *", "use kind: month"},
		{"0 9 * * 5L", "use kind: month"},
		{"0 9 15W * *", "use kind: month"},
		{"0 9 * * 5#2", "use kind: month"},
		{"0 9 ? * 1", "use kind: month"},
		{"0 9 1 * 1", "cron runs when either fits"},
		{"0 9 1-31 * 1", "cron runs when either fits"}, // would be every day
		{"0 9 1-15/2 * 1", "cron runs when either fits"},
		{"*/45 * * * *", "45 does not divide 60"},
		{"0-59/45 * * * *", "45 does not divide 60"},
		{"0 */5 * * *", "5 does not divide 24"},
		{"0 9 */2 * *", "2 does not divide 31"},
		{"0 9 1 */5 *", "5 does not divide 12"},
		{"0 9 * * */2", "2 does not divide 7"},
		{"0 9 * * */7", "7 does not divide 7"}, // Sundays only
		{"5/15 * * * *", "a step needs a range; write 5-59/15"},
		{"*/0 * * * *", "the step must be at least 1"},
		{"0 9 31 * *", "some months have no day 31"},
		{"0 9 29 * *", "some months have no day 29"},
		{"0 9 28-30 * *", "some months have no day 30"},
		{"0 0 30 2 *", "never comes"}, // zero time: fires at once or never
		{"0 0 29 2 *", "more than 400 days away"},
		{"60 8 * * *", "above maximum"},
		{"0 24 * * *", "above maximum"},
		{"0 9 0 * *", "below minimum"},
		{"0 9 1 13 *", "above maximum"},
		{"0 9 * * fri-mon", "beyond end of range"},
		{"0 9 * * monday", "write *, a number"},
		{", * * * *", "write *, a number"}, // no minute at all: never
		{"1,,2 * * * *", "write *, a number"},
		{"1,* * * * *", "a list with * means always"},
		{"1-2-3 * * * *", "write *, a number"},
		{"-1 * * * *", "write *, a number"},
		{"*/-5 * * * *", "write *, a number"},
		{"１ 8 * * *", "write *, a number"},
		{"99999999999999999999 * * * *", "write *, a number"},
		{strings.Repeat("1,", 200) + "1 * * * *", "at most 200"},
	} {
		if s, err := parseCron(c.spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, error %v; want %q", c.spec, s, err, c.want)
		}
	}
}

func TestCronTaken(t *testing.T) {
	loc, from := shanghai(t), at(t, "2026-03-03 09:00")
	for _, c := range []struct{ spec, want string }{
		{"30 8 * * *", "2026-03-04 08:30"},
		{"0 9 * * *", "2026-03-04 09:00"}, // strictly after
		{"*/15 * * * *", "2026-03-03 09:15"},
		{"10-50/20 * * * *", "2026-03-03 09:10"},
		{"0 */6 * * *", "2026-03-03 12:00"},
		{"0 9,14 * * *", "2026-03-03 14:00"},
		{"30 8 * * mon-fri", "2026-03-04 08:30"},
		{"30 8 * * MON", "2026-03-09 08:30"},
		{"30 8 * * 0", "2026-03-08 08:30"},
		{"0 9 28 * *", "2026-03-28 09:00"},
		{"0 9 1 jan,jul *", "2026-07-01 09:00"},
		{"0 9 2 3 *", "2027-03-02 09:00"},
		{"  0   9 * *\t* ", "2026-03-04 09:00"},
	} {
		s, err := parseCron(c.spec)
		if err != nil {
			t.Errorf("%q: %v", c.spec, err)
			continue
		}
		if got, _ := (cronSpec{s}).next(from, loc); show(got) != c.want {
			t.Errorf("%q comes at %s, want %s", c.spec, show(got), c.want)
		}
	}
}

func FuzzParseCron(f *testing.F) {
	for _, s := range []string{"30 8 * * *", "TZ=0", "*/15 9-17 * * 1-5", "0 0 30 2 *", "@every 1s", "1,2,3 * 1 1 *"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		s, err := parseCron(spec)
		if err != nil {
			return
		}
		from := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
		next := s.Next(from)
		if !next.After(from) || next.Sub(from) > 2*farthestNext {
			t.Fatalf("%q was taken but comes at %s", spec, next)
		}
		if next.Second() != 0 || next.Nanosecond() != 0 {
			t.Fatalf("%q comes at %s, not a whole minute", spec, next)
		}
	})
}

func TestIntervalAndMonth(t *testing.T) {
	for _, c := range []struct {
		kind       Kind
		spec, from string
		zone       string
		after      string
		want       []string
	}{
		{Interval, "15m", "2026-03-02 09:00", "Asia/Shanghai", "2026-03-03 09:00", []string{"2026-03-03 09:15", "2026-03-03 09:30"}},
		{Interval, "7d", "2026-03-02 09:00", "Asia/Shanghai", "2026-02-01 00:00", []string{"2026-03-02 09:00", "2026-03-09 09:00"}},
		{Interval, "7d", "2026-03-02 09:00", "Asia/Shanghai", "2026-03-09 09:00", []string{"2026-03-16 09:00"}},
		// Days are civil, hours are elapsed time, over New York's spring.
		{Interval, "1d", "2026-03-01 09:00", "America/New_York", "2026-03-07 09:00", []string{"2026-03-08 09:00", "2026-03-09 09:00"}},
		{Interval, "24h", "2026-03-01 09:00", "America/New_York", "2026-03-07 09:00", []string{"2026-03-08 10:00", "2026-03-09 10:00"}},
		{Month, "last day 17:00", "", "Asia/Shanghai", "2028-01-31 17:00", []string{"2028-02-29 17:00", "2028-03-31 17:00", "2028-04-30 17:00"}},
		{Month, "last day 17:00", "", "Asia/Shanghai", "2026-12-31 16:59", []string{"2026-12-31 17:00", "2027-01-31 17:00"}},
		{Month, "workday 1 08:30", "", "Asia/Shanghai", "2026-12-01 08:30", []string{"2027-01-01 08:30"}}, // shifted by Plan
		// Cron in New York: the missing hour runs once, the doubled one once.
		{Cron, "30 2 * * *", "", "America/New_York", "2026-03-07 02:30", []string{"2026-03-08 03:00", "2026-03-09 02:30"}},
		{Cron, "*/30 * * * *", "", "America/New_York", "2026-03-08 01:30", []string{"2026-03-08 03:00", "2026-03-08 03:30"}},
		{Cron, "30 1 * * *", "", "America/New_York", "2026-10-31 01:30", []string{"2026-11-01 01:30", "2026-11-02 01:30"}},
	} {
		sp, loc, err := Schedule{Kind: c.kind, Spec: c.spec, From: c.from, Zone: c.zone}.compile()
		if err != nil {
			t.Errorf("%s %q: %v", c.kind, c.spec, err)
			continue
		}
		last := atIn(t, c.after, loc)
		for _, want := range c.want {
			next, _ := sp.next(last, loc)
			if !next.After(last) || show(next) != want {
				t.Errorf("%s %q after %s comes at %s, want %s", c.kind, c.spec, last, next, want)
				break
			}
			last = next
		}
	}
}

func TestIntervalAndMonthRefuse(t *testing.T) {
	for _, c := range []struct {
		kind             Kind
		spec, from, want string
	}{
		{Interval, "0m", "2026-03-02 09:00", "write 15m"},
		{Interval, "1s", "2026-03-02 09:00", "write 15m"},
		{Interval, "-1h", "2026-03-02 09:00", "write 15m"},
		{Interval, "1h30m", "2026-03-02 09:00", "write 15m"},
		{Interval, "401d", "2026-03-02 09:00", "longer than 400 days"},
		{Interval, "9999h", "2026-03-02 09:00", "longer than 400 days"},
		{Interval, "7d", "", "counts from a time"},
		{Interval, "7d", "2026-02-30 09:00", "counts from a time"},
		{Interval, "7d", "0001-01-01 00:00", "between 2000 and 2100"},
		{Month, "31 09:00", "", `write "last day 17:00"`},
		{Month, "last workday 09:00", "", `write "last day 17:00"`},
		{Month, "workday 0 09:00", "", `write "last day 17:00"`},
		{Month, "workday 16 09:00", "", "write 1 to 15"},
		{Month, "last day 25:00", "", "not a time of day"},
		{Month, "last day 24:00", "", "not a time of day"},
		{"rrule", "", "", "must be cron, interval or month"},
	} {
		_, _, err := Schedule{Kind: c.kind, Spec: c.spec, From: c.from, Zone: "Asia/Shanghai"}.compile()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q from %q: error %v, want %q", c.kind, c.spec, c.from, err, c.want)
		}
	}
}

// The parser's own panic is an error, should a spec ever come so far.
func TestParserPanicIsAnError(t *testing.T) {
	for _, spec := range []string{"TZ=0", "CRON_TZ=Asia/Shanghai"} {
		if s, err := parseRecovered(spec); err == nil || s != nil || !strings.Contains(err.Error(), "cannot be read") {
			t.Errorf("%q: %v, %v", spec, s, err)
		}
	}
}
