package scheduler

import (
	"testing"
	"time"

	"shaoying/configs"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func shanghai(t testing.TB) *time.Location { return zone(t, "Asia/Shanghai") }

// at reads "2026-03-03 09:00" in Shanghai.
func at(t testing.TB, s string) time.Time { return atIn(t, s, shanghai(t)) }

func atIn(t testing.TB, s string, loc *time.Location) time.Time {
	t.Helper()
	got, err := time.ParseInLocation(anchorForm, s, loc)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func date(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func embedded(t testing.TB, name string) []byte {
	t.Helper()
	body, err := configs.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// calendar is the shipped one: 2025 and 2026 known, 2027 provisional.
func calendar(t testing.TB) *Calendar {
	t.Helper()
	days, err := ParseCalendarCSV("cn.csv", embedded(t, "calendars/cn.csv"))
	if err != nil {
		t.Fatal(err)
	}
	cal, err := NewCalendar(days)
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

func hours(t testing.TB) HoursPolicy {
	t.Helper()
	p, err := ParseHours("policies/hours.yaml", embedded(t, "policies/hours.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func worktime(t testing.TB) *WorkTime {
	t.Helper()
	w, err := NewWorkTime(calendar(t), hours(t).Work.Spans, shanghai(t))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func quiet(t testing.TB) Quiet {
	t.Helper()
	q, err := NewQuiet(hours(t), shanghai(t))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func show(t time.Time) string { return t.Format(anchorForm) }
