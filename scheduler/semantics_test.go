package scheduler

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// The semantics of reference family-bed 3.3, by their numbers, as far as they are
// those of schedules. 11, 12 and the dry run of 15 stand in internal/care, those
// that need the database in scheduler/jobs.

// daily is a schedule of every day at 12:45, in the noon rest of surveys.
func daily(change func(*Schedule)) Schedule {
	s := Schedule{
		Name: "test", Kind: Cron, Spec: "45 12 * * *", Zone: "Asia/Shanghai", Class: Survey, OnQuiet: QuietLater, OnHoliday: HolidayKeep,
		CatchUp: CatchUp{CatchUpAll, 96 * time.Hour, 50}, Do: "test", Source: "test",
	}
	change(&s)
	return s
}

// 1: a slot is its schedule and its nominal local time. Holiday and quiet rules
// and an imported calendar move when it is due, never the key.
func TestSemantics01SlotIdentity(t *testing.T) {
	none, err := NewCalendar(nil)
	if err != nil {
		t.Fatal(err)
	}
	last, now := at(t, "2026-02-10 00:00"), at(t, "2026-03-20 00:00") // over the Spring Festival
	var keys []time.Time
	for d := DateOf(last); d.Compare(DateOf(now)) < 0; d = d.AddDays(1) {
		keys = append(keys, d.At(12*60+45, shanghai(t)))
	}
	moved := 0
	for _, cal := range []*Calendar{calendar(t), none} {
		for _, q := range []Quiet{quiet(t), {}} {
			for _, holiday := range []OnHoliday{HolidayKeep, HolidaySkip, NextWorkday, PrevWorkday} {
				for _, rule := range []OnQuiet{QuietLater, QuietEarlier, QuietDrop} {
					p := planner(t, daily(func(s *Schedule) {
						s.OnHoliday, s.OnQuiet, s.CatchUp = holiday, rule, CatchUp{CatchUpLatest, 96 * time.Hour, 0}
					}), cal, q)
					var got []time.Time
					for read := last; ; {
						slots, newLast := p.Plan(read, now)
						if len(slots) == 0 {
							break
						}
						for _, slot := range slots {
							got = append(got, slot.Nominal)
							if !slot.Due.Equal(slot.Nominal) {
								moved++
							}
						}
						read = newLast
					}
					// prev_workday brings what follows forward: a key may come early.
					if len(got) < len(keys) || !slices.EqualFunc(got[:len(keys)], keys, time.Time.Equal) {
						t.Errorf("%s, %s: keys %v", holiday, rule, got)
					}
				}
			}
		}
	}
	if moved == 0 {
		t.Error("no rule moved anything: nothing was tested")
	}
}

// 3: missed runs follow the policy of the schedule, each within its max_late and
// at most max at once; every slot that is left out is written down with its
// reason.
func TestSemantics03MissedRuns(t *testing.T) {
	last, now := at(t, "2026-03-03 11:00"), at(t, "2026-03-06 15:30") // three days away
	for _, c := range []struct {
		name    string
		catchUp CatchUp
		want    []string
	}{
		{"skip", CatchUp{CatchUpSkip, 3 * time.Hour, 0}, []string{
			"03-03 14:00 -> 03-03 14:00 skipped too_late", "03-04 14:00 -> 03-04 14:00 skipped too_late",
			"03-05 14:00 -> 03-05 14:00 skipped too_late", "03-06 14:00 -> 03-06 14:00 planned",
		}},
		{"latest, six hours late at most", CatchUp{CatchUpLatest, 6 * time.Hour, 0}, []string{
			"03-03 14:00 -> 03-03 14:00 skipped too_late", "03-04 14:00 -> 03-04 14:00 skipped too_late",
			"03-05 14:00 -> 03-05 14:00 skipped too_late", "03-06 14:00 -> 03-06 14:00 planned",
		}},
		{"latest, of those that would be in time", CatchUp{CatchUpLatest, 96 * time.Hour, 0}, []string{
			"03-03 14:00 -> 03-03 14:00 skipped superseded", "03-04 14:00 -> 03-04 14:00 skipped superseded",
			"03-05 14:00 -> 03-05 14:00 skipped superseded", "03-06 14:00 -> 03-06 14:00 planned",
		}},
		{"all within 48 hours", CatchUp{CatchUpAll, 48 * time.Hour, 50}, []string{
			"03-03 14:00 -> 03-03 14:00 skipped too_late", "03-04 14:00 -> 03-04 14:00 skipped too_late",
			"03-05 14:00 -> 03-05 14:00 planned", "03-06 14:00 -> 03-06 14:00 planned",
		}},
		{"all, two at once", CatchUp{CatchUpAll, 96 * time.Hour, 2}, []string{
			"03-03 14:00 -> 03-03 14:00 skipped catch_up_limit", "03-04 14:00 -> 03-04 14:00 skipped catch_up_limit",
			"03-05 14:00 -> 03-05 14:00 planned", "03-06 14:00 -> 03-06 14:00 planned",
		}},
	} {
		p := planner(t, daily(func(s *Schedule) { s.Spec, s.CatchUp = "0 14 * * *", c.catchUp }), calendar(t), quiet(t))
		slots, newLast := p.Plan(last, now)
		var got []string
		for _, slot := range slots {
			got = append(got, line(slot))
			if (slot.State == Skipped) != (slot.Reason != "") {
				t.Errorf("%s: left out without a reason: %+v", c.name, slot)
			}
		}
		if !slices.Equal(got, c.want) || !newLast.Equal(at(t, "2026-03-06 14:00")) {
			t.Errorf("%s, up to %s:\n%s", c.name, newLast, strings.Join(got, "\n"))
		}
	}
	// The defaults that ship: what collects runs once, and every run has an end.
	for name, s := range shipped(t) {
		if s.CatchUp.MaxLate <= 0 || s.CatchUp.Policy == CatchUpAll && (s.CatchUp.Max < 1 || s.CatchUp.Max > 50) {
			t.Errorf("%s: catch_up %+v", name, s.CatchUp)
		}
	}
	all := shipped(t)
	if c := all["digest"].CatchUp; c.Policy != CatchUpLatest || c.MaxLate > 6*time.Hour {
		t.Errorf("digest: %+v", c)
	}
	if c := all["survey"].CatchUp; c.MaxLate > 48*time.Hour {
		t.Errorf("survey: %+v", c)
	}
}

// 8: a spec is the wall clock of its zone, wherever the process stands and
// whatever daylight saving does; what names no zone, or its own, is refused.
func TestSemantics08TimeZone(t *testing.T) {
	for _, name := range []string{"Asia/Shanghai", "America/New_York"} {
		loc := zone(t, name)
		for _, spec := range []string{"30 8 * * *", "30 2 * * *", "30 1 * * *"} {
			p := planner(t, daily(func(s *Schedule) { s.Zone, s.Spec, s.Class, s.OnQuiet = name, spec, "", "" }), calendar(t), Quiet{})
			want := map[string]string{"30 8 * * *": "08:30", "30 2 * * *": "02:30", "30 1 * * *": "01:30"}[spec]
			for _, from := range []string{"2026-03-01", "2026-10-28"} { // New York: 8 March forward, 1 November back
				start := date(t, from).At(0, loc)
				var keys []time.Time
				for _, here := range []*time.Location{time.UTC, shanghai(t), zone(t, "America/New_York")} {
					slots, _ := p.Plan(start.In(here), start.AddDate(0, 0, 14).In(here))
					var got []time.Time
					for i, slot := range slots {
						local := slot.Nominal.In(loc)
						gap := name == "America/New_York" && want == "02:30" && DateOf(local) == Date{2026, time.March, 8}
						if at := local.Format("15:04"); at != want && !(gap && at == "03:00") {
							t.Errorf("%s in %s: %s", spec, name, local)
						}
						if d := date(t, from).AddDays(i); DateOf(local) != d {
							t.Errorf("%s in %s: run %d on %s, want %s", spec, name, i, DateOf(local), d)
						}
						got = append(got, slot.Nominal)
					}
					if len(got) != 14 {
						t.Fatalf("%s in %s from %s: %d runs in 14 days", spec, name, from, len(got))
					}
					if keys != nil && !slices.EqualFunc(keys, got, time.Time.Equal) {
						t.Errorf("%s in %s hangs on where the process stands", spec, name)
					}
					keys = got
				}
			}
		}
	}
	for name, s := range map[string]Schedule{
		"no zone":      daily(func(s *Schedule) { s.Zone = "" }),
		"unknown zone": daily(func(s *Schedule) { s.Zone = "Asia/Pingxiang" }),
		"of its own":   daily(func(s *Schedule) { s.Spec = "CRON_TZ=UTC 45 12 * * *" }),
		"local":        daily(func(s *Schedule) { s.Zone = "Local" }),
	} {
		if p, err := NewPlanner(s, calendar(t), quiet(t)); err == nil {
			t.Errorf("%s is taken: %+v", name, p.Schedule)
		}
	}
}

// 10: quiet hours by class, what the rule makes of a push in them, and that the
// backlog behind them is let out over fifteen minutes, the soonest first.
func TestSemantics10QuietHours(t *testing.T) {
	q := quiet(t)
	for _, c := range []struct {
		class Class
		open  string // minutes at which the class may be written to
		shut  string
	}{
		{Emergency, "00:00 03:00 23:59", ""},
		{Urgent, "07:00 12:45 21:59", "06:59 22:00"},
		{Normal, "08:00 12:45 20:29", "07:59 20:30"},
		{Survey, "08:00 12:29 14:00 20:29", "07:59 12:30 13:59 20:30"},
		{Bulk, "08:00 12:29 14:00 20:29", "07:59 12:30 13:59 20:30"},
	} {
		for _, at1 := range strings.Fields(c.open) {
			if !q.Open(at(t, "2026-03-03 "+at1), c.class) {
				t.Errorf("%s is shut at %s", c.class, at1)
			}
		}
		for _, at1 := range strings.Fields(c.shut) {
			if q.Open(at(t, "2026-03-03 "+at1), c.class) {
				t.Errorf("%s is open at %s", c.class, at1)
			}
		}
	}
	for _, c := range []struct {
		class   Class
		rule    OnQuiet
		until   string
		verdict Verdict
		at      string
	}{
		{Normal, QuietLater, "2026-03-04 09:00", Moved, "2026-03-04 08:00"},
		{Normal, QuietLater, "2026-03-04 07:00", ToHuman, ""}, // of no use by then: for care a person
		{Survey, QuietLater, "2026-03-04 07:00", Dropped, ""}, // for a survey nothing
		{Normal, QuietEarlier, "2026-03-04 09:00", Moved, "2026-03-03 20:29"},
		{Normal, QuietDrop, "2026-03-04 09:00", Dropped, ""},
		{Normal, QuietHuman, "2026-03-04 09:00", ToHuman, ""},
		{Urgent, QuietLater, "2026-03-04 09:00", Moved, "2026-03-04 07:00"},
		{Emergency, QuietDrop, "2026-03-04 09:00", Send, "2026-03-03 22:30"},
	} {
		got, verdict := q.Shift(at(t, "2026-03-03 22:30"), at(t, c.until), c.class, c.rule)
		if verdict != c.verdict || c.at != "" && show(got) != c.at {
			t.Errorf("%s, %s until %s: %s %s, want %s %s", c.class, c.rule, c.until, verdict, show(got), c.verdict, c.at)
		}
	}
	// 300 reminders waited for 08:00.
	base := at(t, "2026-03-04 08:00")
	last := base.Add(-time.Second)
	for i := range 300 {
		out := q.Spread(base, 300, i)
		if !out.After(last) || out.Sub(base) >= 15*time.Minute {
			t.Fatalf("the %d. goes out at %s, after %s", i+1, out, last)
		}
		last = out
	}
	if last.Sub(base) < 14*time.Minute {
		t.Errorf("all are out after %s", last.Sub(base))
	}
}
