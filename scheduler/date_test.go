package scheduler

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDate(t *testing.T) {
	for _, bad := range []string{"", "2026-2-3", "2026-02-30", "2025-02-29", "20260303", "2026-03-03 ", "2026-13-01"} {
		if d, err := ParseDate(bad); err == nil {
			t.Errorf("ParseDate(%q) = %v, want an error", bad, d)
		}
	}
	leap := date(t, "2028-02-28").AddDays(1)
	if leap.String() != "2028-02-29" || leap.Weekday() != time.Tuesday {
		t.Errorf("the day after 28 February 2028 = %s %s", leap, leap.Weekday())
	}
	if date(t, "2026-01-01").AddDays(-1).Compare(date(t, "2025-12-31")) != 0 {
		t.Error("the day before New Year is not New Year's Eve")
	}
}

func TestTimeOfDay(t *testing.T) {
	for text, want := range map[string]TimeOfDay{"00:00": 0, "08:30": 510, "23:59": 1439, "24:00": 1440} {
		got, err := ParseTimeOfDay(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("ParseTimeOfDay(%q) = %d %q, %v", text, got, got, err)
		}
	}
	for _, bad := range []string{"", "8:30", "08:60", "24:01", "08:30:00", "0830", "-1:00", " 08:30"} {
		if got, err := ParseTimeOfDay(bad); err == nil {
			t.Errorf("ParseTimeOfDay(%q) = %v, want an error", bad, got)
		}
	}
}

func TestSpan(t *testing.T) {
	for _, bad := range []string{"", "08:30", "12:00-08:30", "08:30-08:30", "22:00-06:00", "08:30-25:00", "x-09:00"} {
		if got, err := ParseSpan(bad); err == nil {
			t.Errorf("ParseSpan(%q) = %v, want an error", bad, got)
		}
	}
	morning, evening := Span{510, 720}, Span{870, 1050}
	for name, spans := range map[string][]Span{
		"none": nil, "out of order": {evening, morning}, "overlapping": {morning, {700, 900}}, "outside": {{0, 1441}}, "empty": {{5, 5}},
	} {
		if checkSpans(spans) == nil {
			t.Errorf("spans %s were taken", name)
		}
	}
	if err := checkSpans([]Span{morning, evening}); err != nil {
		t.Error(err)
	}
}

// New York 2026: clocks go from 02:00 to 03:00 on 8 March and from 02:00 back
// to 01:00 on 1 November.
func TestInstantOverClockChanges(t *testing.T) {
	ny := zone(t, "America/New_York")
	for _, c := range []struct{ name, day, at, wantUTC string }{
		{"before the gap", "2026-03-08", "01:59", "2026-03-08 06:59"},
		{"start of the gap", "2026-03-08", "02:00", "2026-03-08 07:00"},
		{"inside the gap", "2026-03-08", "02:30", "2026-03-08 07:00"},
		{"end of the gap", "2026-03-08", "03:00", "2026-03-08 07:00"},
		{"after the gap", "2026-03-08", "03:01", "2026-03-08 07:01"},
		{"before the fold", "2026-11-01", "00:59", "2026-11-01 04:59"},
		{"first of two", "2026-11-01", "01:00", "2026-11-01 05:00"},
		{"first of two, later", "2026-11-01", "01:59", "2026-11-01 05:59"},
		{"after the fold", "2026-11-01", "02:00", "2026-11-01 07:00"},
		{"end of the day", "2026-11-01", "24:00", "2026-11-02 05:00"},
	} {
		tod, err := ParseTimeOfDay(c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := show(date(t, c.day).At(tod, ny).UTC()); got != c.wantUTC {
			t.Errorf("%s: %s %s = %s UTC, want %s", c.name, c.day, c.at, got, c.wantUTC)
		}
	}
}

func TestInstantKeepsOrder(t *testing.T) {
	zones := []string{"Asia/Shanghai", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"}
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		base := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
		wall := base.Add(time.Duration(rapid.Int64Range(0, 20*365*24*60).Draw(t, "minute")) * time.Minute)
		next := wall.Add(time.Duration(rapid.Int64Range(1, 3*24*60).Draw(t, "after")) * time.Minute)
		a, b := instant(wall, loc), instant(next, loc)
		if b.Before(a) {
			t.Fatalf("%s: wall %s is at %s, but later wall %s at %s", loc, wall, a, next, b)
		}
		if shown := wallOf(a); shown.Before(wall) {
			t.Fatalf("%s: wall %s became %s, before it", loc, wall, shown)
		}
	})
}
