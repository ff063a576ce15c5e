package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// line writes a slot as "03-07 10:00 -> 03-09 10:00 planned".
func line(s Slot) string {
	const form = "01-02 15:04"
	return strings.TrimSpace(fmt.Sprintf("%s -> %s %s %s", s.Nominal.Format(form), s.Due.Format(form), s.State, s.Reason))
}

func TestPlan(t *testing.T) {
	cal, q, all := calendar(t), quiet(t), shipped(t)
	weekly := func(change func(*Schedule)) Schedule {
		s := Schedule{
			Name: "test", Kind: Cron, Spec: "0 10 * * *", Zone: "Asia/Shanghai", Class: Normal, OnQuiet: QuietLater,
			OnHoliday: HolidayKeep, CatchUp: CatchUp{CatchUpAll, 48 * time.Hour, 50}, Do: "test", Source: "test",
		}
		change(&s)
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, c := range []struct {
		name      string
		s         Schedule
		last, now string
		want      []string
		newLast   string
	}{
		{"nothing yet", all["digest"], "2026-03-03 08:30", "2026-03-04 08:29", nil, "2026-03-03 08:30"},
		{
			"on time", all["digest"], "2026-03-03 08:30", "2026-03-04 08:30",
			[]string{"03-04 08:30 -> 03-04 08:30 planned"},
			"2026-03-04 08:30",
		},
		{"not twice", all["digest"], "2026-03-04 08:30", "2026-03-04 08:31", nil, "2026-03-04 08:30"},
		{"a clock that stepped back", all["digest"], "2026-03-04 08:30", "2026-03-02 09:00", nil, "2026-03-04 08:30"},
		{"digest over a weekend", all["digest"], "2026-03-06 08:30", "2026-03-09 09:00", []string{
			"03-07 08:30 -> 03-07 08:30 skipped holiday",
			"03-08 08:30 -> 03-08 08:30 skipped holiday",
			"03-09 08:30 -> 03-09 08:30 planned",
		}, "2026-03-09 08:30"},
		{
			"digest on a make-up Saturday", all["digest"], "2026-02-13 08:30", "2026-02-14 08:30",
			[]string{"02-14 08:30 -> 02-14 08:30 planned"},
			"2026-02-14 08:30",
		},
		{"digest three days late: latest, within 6 h", all["digest"], "2026-03-03 08:30", "2026-03-06 14:30", []string{
			"03-04 08:30 -> 03-04 08:30 skipped too_late",
			"03-05 08:30 -> 03-05 08:30 skipped too_late",
			"03-06 08:30 -> 03-06 08:30 planned",
		}, "2026-03-06 08:30"},
		{
			"digest a minute too late", all["digest"], "2026-03-05 08:30", "2026-03-06 14:31",
			[]string{"03-06 08:30 -> 03-06 08:30 skipped too_late"},
			"2026-03-06 08:30",
		},
		{
			"survey of a Saturday is one with Monday's", all["survey"], "2026-03-06 10:00", "2026-03-07 10:00",
			[]string{"03-07 10:00 -> 03-09 10:00 skipped superseded"},
			"2026-03-07 10:00",
		},
		{
			"survey of Monday", all["survey"], "2026-03-08 10:00", "2026-03-09 10:00",
			[]string{"03-09 10:00 -> 03-09 10:00 planned"},
			"2026-03-09 10:00",
		},
		{"survey after two days away", all["survey"], "2026-03-09 10:00", "2026-03-11 12:00", []string{
			"03-10 10:00 -> 03-10 10:00 skipped superseded",
			"03-11 10:00 -> 03-11 10:00 planned",
		}, "2026-03-11 10:00"},
		{
			"caught up in the night waits for the morning", all["survey"], "2026-03-09 10:00", "2026-03-10 23:00",
			[]string{"03-10 10:00 -> 03-11 08:00 planned"},
			"2026-03-10 10:00",
		},
		{
			"and is too late when the morning is", all["digest"], "2026-03-09 08:30", "2026-03-10 20:45",
			[]string{"03-10 08:30 -> 03-10 08:30 skipped too_late"},
			"2026-03-10 08:30",
		},
		{"all, within 48 h", weekly(func(*Schedule) {}), "2026-03-02 10:00", "2026-03-06 09:00", []string{
			"03-03 10:00 -> 03-03 10:00 skipped too_late",
			"03-04 10:00 -> 03-04 10:00 planned",
			"03-05 10:00 -> 03-05 10:00 planned",
		}, "2026-03-05 10:00"},
		{"all, at most one", weekly(func(s *Schedule) { s.CatchUp.Max = 1 }), "2026-03-02 10:00", "2026-03-06 09:00", []string{
			"03-03 10:00 -> 03-03 10:00 skipped too_late",
			"03-04 10:00 -> 03-04 10:00 skipped catch_up_limit",
			"03-05 10:00 -> 03-05 10:00 planned",
		}, "2026-03-05 10:00"},
		{"skip: only on time", weekly(func(s *Schedule) { s.CatchUp = CatchUp{CatchUpSkip, 10 * time.Minute, 0} }), "2026-03-02 10:00", "2026-03-04 10:09", []string{
			"03-03 10:00 -> 03-03 10:00 skipped too_late",
			"03-04 10:00 -> 03-04 10:00 planned",
		}, "2026-03-04 10:00"},
		{
			"quiet: later", weekly(func(s *Schedule) { s.Spec = "0 22 * * *" }), "2026-03-02 22:00", "2026-03-03 22:00",
			[]string{"03-03 22:00 -> 03-04 08:00 planned"},
			"2026-03-03 22:00",
		},
		{
			"quiet: earlier is planned before its nominal time", weekly(func(s *Schedule) { s.Spec, s.OnQuiet = "0 22 * * *", QuietEarlier }), "2026-03-02 22:00", "2026-03-03 20:29",
			[]string{"03-03 22:00 -> 03-03 20:29 planned"},
			"2026-03-03 22:00",
		},
		{
			"quiet: drop", weekly(func(s *Schedule) { s.Spec, s.OnQuiet = "0 22 * * *", QuietDrop }), "2026-03-02 22:00", "2026-03-03 22:00",
			[]string{"03-03 22:00 -> 03-03 22:00 skipped quiet_hours"},
			"2026-03-03 22:00",
		},
		{"hourly through the night is one in the morning", weekly(func(s *Schedule) { s.Spec = "0 * * * *"; s.CatchUp = CatchUp{CatchUpLatest, 24 * time.Hour, 0} }), "2026-03-03 05:00", "2026-03-03 07:00", []string{
			"03-03 06:00 -> 03-03 08:00 skipped superseded",
			"03-03 07:00 -> 03-03 08:00 skipped superseded",
		}, "2026-03-03 07:00"},
		{"next workday over the Spring Festival", weekly(func(s *Schedule) { s.Spec, s.OnHoliday = "0 10 * * 1", NextWorkday }), "2026-02-09 10:00", "2026-02-23 10:00", []string{
			"02-16 10:00 -> 02-24 10:00 planned",
			"02-23 10:00 -> 02-24 10:00 planned",
		}, "2026-02-23 10:00"},
		{
			"previous workday is planned ahead", weekly(func(s *Schedule) { s.Spec, s.OnHoliday = "0 10 * * 0", PrevWorkday }), "2026-03-01 10:00", "2026-03-06 10:00",
			[]string{"03-08 10:00 -> 03-06 10:00 planned"},
			"2026-03-08 10:00",
		},
		{"last workday of the month", weekly(func(s *Schedule) {
			s.Kind, s.Spec, s.OnHoliday = Month, "last day 17:00", PrevWorkday
		}), "2026-01-31 17:00", "2026-05-31 17:00", []string{
			"02-28 17:00 -> 02-28 17:00 skipped too_late", // a make-up Saturday
			"03-31 17:00 -> 03-31 17:00 skipped too_late",
			"04-30 17:00 -> 04-30 17:00 skipped too_late",
			"05-31 17:00 -> 05-29 17:00 planned",
		}, "2026-05-31 17:00"},
		{
			"first workday of the month", weekly(func(s *Schedule) {
				s.Kind, s.Spec = Month, "workday 1 08:30"
			}), "2026-01-01 08:30", "2026-02-01 09:00",
			[]string{"02-01 08:30 -> 02-02 08:30 planned"},
			"2026-02-01 08:30",
		},
		{
			"fifth workday over the National Day", weekly(func(s *Schedule) {
				s.Kind, s.Spec = Month, "workday 5 08:30"
			}), "2026-09-01 08:30", "2026-10-01 08:30",
			[]string{"10-01 08:30 -> 10-13 08:30 planned"},
			"2026-10-01 08:30",
		},
		{
			"work for nobody at night", all["retention"], "2026-03-02 03:00", "2026-03-03 03:01",
			[]string{"03-03 03:00 -> 03-03 03:00 planned"},
			"2026-03-03 03:00",
		},
	} {
		p, err := NewPlanner(c.s, cal, q)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		slots, newLast := p.Plan(at(t, c.last), at(t, c.now))
		got := []string{}
		for _, s := range slots {
			got = append(got, line(s))
			if s.NotAfter.Before(s.Due) {
				t.Errorf("%s: %s ends before it is due: %s", c.name, line(s), s.NotAfter)
			}
		}
		if !slices.Equal(got, c.want) || show(newLast) != c.newLast {
			t.Errorf("%s:\ngot  %s\nlast %s\nwant %s\nlast %s", c.name, strings.Join(got, "\n     "), show(newLast), strings.Join(c.want, "\n     "), c.newLast)
		}
	}
}

func planner(t testing.TB, s Schedule, cal *Calendar, q Quiet) *Planner {
	t.Helper()
	p, err := NewPlanner(s, cal, q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A calendar imported between two calls moves due times, never the key.
func TestImportedCalendarMakesNoSecondSlot(t *testing.T) {
	s := Schedule{
		Name: "test", Kind: Month, Spec: "workday 1 08:30", Zone: "Asia/Shanghai", OnHoliday: HolidayKeep,
		CatchUp: CatchUp{CatchUpAll, 48 * time.Hour, 5}, Do: "test", Source: "test",
	}
	days, err := ParseCalendarCSV("new", []byte("date,kind,name\n2027-10-01,holiday,x\n2027-02-01,holiday,x\n"))
	if err != nil {
		t.Fatal(err)
	}
	imported, err := NewCalendar(days)
	if err != nil {
		t.Fatal(err)
	}
	before, last := planner(t, s, calendar(t), Quiet{}).Plan(at(t, "2027-01-31 00:00"), at(t, "2027-02-01 09:00"))
	if len(before) != 1 {
		t.Fatalf("before the import: %v", before)
	}
	if after, _ := planner(t, s, imported, Quiet{}).Plan(last, at(t, "2027-02-27 09:00")); len(after) != 0 {
		t.Errorf("after the import: %v; want no second slot of February", after)
	}
}

// A year behind with a run each minute is decided in bounded chunks, and the
// policy looks over the end of a chunk.
func TestPlanFarBehind(t *testing.T) {
	cal := calendar(t)
	for policy, wantRuns := range map[CatchUp]int{
		{CatchUpLatest, 24 * time.Hour, 0}: 1,
		{CatchUpAll, 24 * time.Hour, 700}:  700,
		{CatchUpAll, 2 * time.Hour, 700}:   121, // each minute of two hours, both ends
		{CatchUpSkip, 5 * time.Minute, 0}:  6,
	} {
		s := Schedule{Name: "test", Kind: Cron, Spec: "* * * * *", Zone: "Asia/Shanghai", OnHoliday: HolidayKeep, CatchUp: policy, Do: "test", Source: "test"}
		last, now := at(t, "2026-03-01 00:00"), at(t, "2026-03-04 00:00")
		p := planner(t, s, cal, Quiet{})
		total, runs := 0, 0
		for {
			slots, newLast := p.Plan(last, now)
			if len(slots) == 0 {
				break
			}
			if len(slots) > chunk {
				t.Fatalf("%d slots in one call", len(slots))
			}
			for _, slot := range slots {
				total++
				if slot.State == Planned {
					runs++
				}
			}
			last = newLast
		}
		if total != 3*24*60 || runs != wantRuns {
			t.Errorf("%+v: %d slots, %d of them run; want %d, %d", policy, total, runs, 3*24*60, wantRuns)
		}
	}
}

func TestNewPlannerRefuses(t *testing.T) {
	bad := Schedule{Name: "bad", Kind: Cron, Spec: "@daily", Zone: "Asia/Shanghai", Do: "x", Source: "test"}
	if p, err := NewPlanner(bad, calendar(t), quiet(t)); err == nil || p != nil || !strings.Contains(err.Error(), `schedule "bad": names like @daily`) {
		t.Errorf("a bad schedule: %v, %v", p, err)
	}
	if p, err := NewPlanner(shipped(t)["digest"], nil, quiet(t)); err == nil || p != nil {
		t.Errorf("no calendar: %v, %v", p, err)
	}
}
