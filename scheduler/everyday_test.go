package scheduler

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// minutes is working time told minute by minute: the slow and plain way, which
// shares no arithmetic with [WorkTime]. It reads the calendar file and the hours
// with its own eyes.
type minutes struct {
	from time.Time
	open []bool
}

const minutesADay = 24 * 60

// newMinutes lays every minute from the start of 2025 to the end of January
// 2027 down, one after the other.
func newMinutes(t testing.TB) *minutes {
	t.Helper()
	listed := map[string]string{}
	for _, line := range strings.Split(string(embedded(t, "calendars/cn.csv")), "\n")[1:] {
		if cells := strings.Split(line, ","); len(cells) >= 2 {
			listed[cells[0]] = cells[1]
		}
	}
	m := &minutes{from: atIn(t, "2025-01-01 00:00", shanghai(t))}
	until := atIn(t, "2027-02-01 00:00", shanghai(t))
	for now := m.from; now.Before(until); now = now.Add(time.Minute) {
		day, clock := now.Format("2006-01-02"), now.Hour()*100+now.Minute()
		worked := now.Weekday() != time.Saturday && now.Weekday() != time.Sunday
		switch listed[day] {
		case "holiday", "provisional":
			worked = false
		case "workday":
			worked = true
		}
		m.open = append(m.open, worked && (clock >= 830 && clock < 1200 || clock >= 1430 && clock < 1730))
	}
	return m
}

func (m *minutes) at(i int) time.Time    { return m.from.Add(time.Duration(i) * time.Minute) }
func (m *minutes) index(t time.Time) int { return int(t.Sub(m.from) / time.Minute) }
func (m *minutes) worked(day int) (n int) { // open minutes of the day that begins at minute day
	for _, open := range m.open[day : day+minutesADay] {
		if open {
			n++
		}
	}
	return n
}

// close is the end of business of a worked day.
func (m *minutes) close(day int) int {
	for i := day + minutesADay - 1; ; i-- {
		if m.open[i] {
			return i + 1
		}
	}
}

// Every minute of 2025 and 2026, with noon breaks, holidays and make-up days, is
// open or shut as the file says, and every day has the work that it should have.
func TestOpenOnEveryMinute(t *testing.T) {
	w, m := worktime(t), newMinutes(t)
	makeUp, off := 0, 0
	for day := 0; m.at(day).Year() < 2027; day += minutesADay {
		for i := day; i < day+minutesADay; i++ {
			if got := w.Open(m.at(i)); got != m.open[i] {
				t.Fatalf("Open(%s) = %v, the file says %v", show(m.at(i)), got, m.open[i])
			}
		}
		n, weekend := m.worked(day), m.at(day).Weekday() == time.Saturday || m.at(day).Weekday() == time.Sunday
		if got := w.Between(m.at(day), m.at(day+minutesADay)); got != time.Duration(n)*time.Minute {
			t.Fatalf("%s has %s of work, not %d min", show(m.at(day)), got, n)
		}
		switch {
		case n != 0 && n != 390:
			t.Fatalf("%s has %d minutes of work", show(m.at(day)), n)
		case n != 0 && weekend:
			makeUp++
		case n == 0 && !weekend:
			off++
		}
	}
	// Counted in the notices of the State Council for 2025 and 2026: five and
	// six weekend days worked, 18 and 19 weekdays off.
	if makeUp != 5+6 || off != 18+19 {
		t.Errorf("%d weekend days are worked and %d weekdays are off in the two years", makeUp, off)
	}
}

// From every day of 2025 and 2026, at the edges of work and inside it, every
// limit in working hours, working days and days ends where counting minute by
// minute ends.
func TestLimitsOnEveryDay(t *testing.T) {
	w, m := worktime(t), newMinutes(t)
	clocks := []int{0, 8*60 + 29, 8*60 + 30, 10*60 + 17, 11*60 + 59, 12 * 60, 13*60 + 15, 14*60 + 30, 17*60 + 29, 17*60 + 30, 23*60 + 59}
	hours, days := []int{1, 2, 3, 6, 7, 13}, []int{1, 2, 5, 7, 10, 15}
	check := func(from int, limit string, want int) {
		t.Helper()
		got, err := w.Deadline(m.at(from), limit)
		if err != nil || !got.Equal(m.at(want)) {
			t.Fatalf("%s from %s ends %s (%v); minute by minute %s", limit, show(m.at(from)), show(got), err, show(m.at(want)))
		}
	}
	for day := 0; m.at(day).Year() < 2027; day += minutesADay {
		for _, clock := range clocks {
			from, next, worked := day+clock, 0, 0
			for i := from; next < len(hours); i++ {
				if m.open[i] {
					worked++
				}
				if worked == hours[next]*60 {
					check(from, fmt.Sprintf("%dwh", hours[next]), i+1)
					if got := w.Between(m.at(from), m.at(i+1)); got != time.Duration(worked)*time.Minute {
						t.Fatalf("between %s and %s lie %s of work, not %d min", show(m.at(from)), show(m.at(i+1)), got, worked)
					}
					half := w.Fraction(m.at(from), m.at(i+1), 0.5)
					if got := w.Between(m.at(from), half); got != time.Duration(worked)*time.Minute/2 {
						t.Fatalf("half of %d min of work from %s is over at %s, after %s", worked, show(m.at(from)), show(half), got)
					}
					next++
				}
			}
		}
		// Whatever the hour is, the first day does not count (民法典 201), and
		// the last one ends with business (203).
		for _, n := range days {
			last, left := day, n
			for left > 0 {
				if last += minutesADay; m.worked(last) > 0 {
					left--
				}
			}
			natural := day + n*minutesADay
			for m.worked(natural) == 0 {
				natural += minutesADay
			}
			for _, clock := range clocks {
				check(day+clock, fmt.Sprintf("%dwd", n), m.close(last))
				check(day+clock, fmt.Sprintf("%dd", n), m.close(natural))
			}
		}
	}
}

// The wrong arithmetics of other ticket systems that lie in the working time
// itself (reference civic-tickets 4 #6; those of what a clock belongs to stand in
// internal/ticket). Each case is one in which the mistake shows.
func TestWrongArithmeticsOfWorkingTime(t *testing.T) {
	w := worktime(t)
	with := func(change func(*Day) bool) *WorkTime { // the same with another calendar
		days, err := ParseCalendarCSV("cn.csv", embedded(t, "calendars/cn.csv"))
		if err != nil {
			t.Fatal(err)
		}
		kept := days[:0]
		for _, d := range days {
			if change(&d) {
				kept = append(kept, d)
			}
		}
		cal, err := NewCalendar(kept)
		if err != nil {
			t.Fatal(err)
		}
		other, err := NewWorkTime(cal, hours(t).Work.Spans, shanghai(t))
		if err != nil {
			t.Fatal(err)
		}
		return other
	}
	wallClock := func(from time.Time, l Limit) time.Time {
		return from.Add(time.Duration(l.N) * map[LimitUnit]time.Duration{WorkHours: time.Hour, WorkDays: 24 * time.Hour, Days: 24 * time.Hour}[l.Unit])
	}
	inThe := func(w *WorkTime) func(time.Time, Limit) time.Time {
		return func(from time.Time, l Limit) time.Time { return l.Deadline(from, w) }
	}
	noHolidays := inThe(with(func(*Day) bool { return false }))
	makeUpIsOff := inThe(with(func(d *Day) bool { d.Kind = Holiday; return true }))
	dayLater := inThe(with(func(d *Day) bool { d.Date = d.Date.AddDays(1); return true }))
	// Steps from Monday to Thursday and so on, in a fixed week of five days.
	fixedWeek := func(from time.Time, l Limit) time.Time {
		last := DateOf(from)
		for left := l.N; left > 0; {
			last = last.AddDays(1)
			if wd := last.Weekday(); wd != time.Saturday && wd != time.Sunday {
				left--
			}
		}
		return last.At(17*60+30, w.Location())
	}
	for _, c := range []struct {
		name, from, limit, want string
		wrong                   func(time.Time, Limit) time.Time
	}{
		{"wall clock instead of working hours: over noon", "2026-03-03 11:30", "1wh", "2026-03-03 15:00", wallClock},
		{"wall clock instead of working hours: over night", "2026-03-03 17:00", "2wh", "2026-03-04 10:00", wallClock},
		{"wall clock instead of working hours: over a weekend", "2026-03-06 17:00", "4wh", "2026-03-09 12:00", wallClock},
		{"wall clock instead of working hours: five days are not 120 hours", "2026-03-05 09:00", "5wd", "2026-03-12 17:30", wallClock},
		{"wrong holidays: none at all", "2026-02-14 17:00", "1wh", "2026-02-24 09:00", noHolidays},
		{"wrong holidays: make-up days taken for days off", "2026-02-13 17:00", "1wh", "2026-02-14 09:00", makeUpIsOff},
		{"wrong holidays: a day late, as when read in UTC", "2025-12-31 17:00", "1wh", "2026-01-04 09:00", dayLater},
		{"wrong holidays: make-up days forgotten", "2026-10-09 17:00", "1wh", "2026-10-10 09:00", noHolidays},
		{"a week without Monday", "2026-04-03 10:00", "1wd", "2026-04-07 17:30", fixedWeek},
		{"a week without Thursday", "2025-12-31 10:00", "2wd", "2026-01-05 17:30", fixedWeek},
		{"a week without Monday and Thursday", "2026-09-30 10:00", "2wd", "2026-10-09 17:30", fixedWeek},
		{"a week of six days", "2026-02-09 10:00", "5wd", "2026-02-14 17:30", fixedWeek},
	} {
		l, err := ParseLimit(c.limit)
		if err != nil {
			t.Fatal(err)
		}
		from := at(t, c.from)
		if got := l.Deadline(from, w); show(got) != c.want {
			t.Errorf("%s: %s + %s = %s, want %s", c.name, c.from, c.limit, show(got), c.want)
		}
		if wrong := c.wrong(from, l); show(wrong) == c.want {
			t.Errorf("%s: the mistake does not show here, it gives %s too", c.name, c.want)
		}
	}
}
