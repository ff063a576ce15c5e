package scheduler

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shaoying/configs"
)

func TestLimitDeadline(t *testing.T) {
	w := worktime(t)
	for _, c := range []struct{ name, from, limit, want string }{
		{"minutes run at night", "2026-03-03 23:50", "30m", "2026-03-04 00:20"},
		{"hours run at night", "2026-03-03 23:50", "2h", "2026-03-04 01:50"},
		{"working hours over noon", "2026-03-03 11:00", "2wh", "2026-03-03 15:30"},
		{"working hours over night", "2026-03-03 17:00", "2wh", "2026-03-04 10:00"},
		{"working hours before work", "2026-03-03 06:00", "1wh", "2026-03-03 09:30"},
		{"working hours fill the day", "2026-03-03 08:30", "3wh", "2026-03-03 11:30"},
		{"working hours over a weekend", "2026-03-06 17:00", "1wh", "2026-03-09 09:00"},
		{"working hours on a make-up Saturday", "2026-02-13 17:00", "1wh", "2026-02-14 09:00"},
		{"working hours over the Spring Festival", "2026-02-14 17:00", "1wh", "2026-02-24 09:00"},
		{"the first day does not count", "2026-03-03 08:31", "1wd", "2026-03-04 17:30"},
		{"nor when it is nearly over", "2026-03-03 23:59", "1wd", "2026-03-04 17:30"},
		{"five working days", "2026-03-03 10:00", "5wd", "2026-03-10 17:30"},
		{"from a Sunday", "2026-03-08 10:00", "1wd", "2026-03-09 17:30"},
		{"over the National Day", "2026-09-30 10:00", "2wd", "2026-10-09 17:30"},
		{"make-up day counts", "2026-09-30 10:00", "3wd", "2026-10-10 17:30"},
		{"seven days", "2026-03-03 10:00", "7d", "2026-03-10 17:30"},
		{"seven days ending in a holiday", "2026-02-10 10:00", "7d", "2026-02-24 17:30"},
		{"four days ending on a make-up Saturday", "2026-02-10 10:00", "4d", "2026-02-14 17:30"},
		{"over the new year", "2026-12-31 10:00", "1wd", "2027-01-04 17:30"},
	} {
		got, err := w.Deadline(at(t, c.from), c.limit)
		if err != nil || show(got) != c.want {
			t.Errorf("%s: %s + %s = %s, %v; want %s", c.name, c.from, c.limit, show(got), err, c.want)
		}
	}
}

func TestParseLimit(t *testing.T) {
	for _, text := range []string{"30m", "2h", "7d", "2wh", "5wd", "9999h"} {
		if l, err := ParseLimit(text); err != nil || l.String() != text {
			t.Errorf("ParseLimit(%q) = %q, %v", text, l, err)
		}
	}
	for _, text := range []string{"", "0h", "-2h", "2", "h", "2 h", "2s", "1.5h", "10000h", "02h", "2wm", "2H", "2h\n"} {
		l, err := ParseLimit(text)
		if err == nil || !strings.Contains(err.Error(), "write 30m") {
			t.Errorf("ParseLimit(%q) = %v, %v; want an error that says what to write", text, l, err)
		}
	}
	if _, err := worktime(t).Deadline(at(t, "2026-03-03 09:00"), "soon"); err == nil {
		t.Error("limit \"soon\" was taken")
	}
}

func FuzzParseLimit(f *testing.F) {
	for _, s := range []string{"2h", "5wd", "0m", "99999h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLimit(s)
		if err == nil && (l.String() != s || l.N < 1) {
			t.Fatalf("ParseLimit(%q) = %v", s, l)
		}
	})
}

// Every day of 2026 has six and a half hours of work or none, and the year is
// the sum of its days.
func TestBetweenOverAYear(t *testing.T) {
	w := worktime(t)
	perDay := 6*time.Hour + 30*time.Minute
	workdays := 0
	for d := date(t, "2026-01-01"); d.Year == 2026; d = d.AddDays(1) {
		want := time.Duration(0)
		if w.Calendar().IsWorkday(d) {
			want = perDay
			workdays++
		}
		if got := w.Between(d.At(0, w.Location()), d.AddDays(1).At(0, w.Location())); got != want {
			t.Fatalf("%s has %s of work, want %s", d, got, want)
		}
	}
	got := w.Between(at(t, "2026-01-01 00:00"), at(t, "2027-01-01 00:00"))
	if want := time.Duration(workdays) * perDay; got != want {
		t.Errorf("2026 has %s of work, want %s", got, want)
	}
	if got := w.Add(at(t, "2026-01-01 00:00"), got); show(got) != "2026-12-31 17:30" {
		t.Errorf("the work of 2026 is done at %s", show(got))
	}
}

func TestOpen(t *testing.T) {
	w := worktime(t)
	for text, want := range map[string]bool{
		"2026-03-03 08:29": false, "2026-03-03 08:30": true, "2026-03-03 11:59": true, "2026-03-03 12:00": false,
		"2026-03-03 14:30": true, "2026-03-03 17:30": false, "2026-03-07 10:00": false, "2026-02-14 10:00": true,
	} {
		if got := w.Open(at(t, text).UTC()); got != want {
			t.Errorf("Open(%s) = %v", text, got)
		}
	}
}

func TestFraction(t *testing.T) {
	w := worktime(t)
	for _, c := range []struct {
		from, deadline string
		f              float64
		want           string
	}{
		{"2026-03-03 08:30", "2026-03-03 17:30", 0.5, "2026-03-03 11:45"}, // 3 h 15 min of 6 h 30 min
		{"2026-03-06 16:30", "2026-03-09 09:30", 0.5, "2026-03-06 17:30"}, // two hours around a weekend
		{"2026-03-06 16:30", "2026-03-09 09:30", 0.75, "2026-03-09 09:00"},
		{"2026-03-03 22:00", "2026-03-04 00:00", 0.5, "2026-03-03 23:00"}, // no work in between
		{"2026-03-03 08:30", "2026-03-03 17:30", 0, "2026-03-03 08:30"},
		{"2026-03-03 08:30", "2026-03-03 18:00", 1, "2026-03-03 18:00"},
		{"2026-03-03 08:30", "2026-03-03 08:00", 0.5, "2026-03-03 08:30"},
	} {
		if got := w.Fraction(at(t, c.from), at(t, c.deadline), c.f); show(got) != c.want {
			t.Errorf("Fraction(%s, %s, %v) = %s, want %s", c.from, c.deadline, c.f, show(got), c.want)
		}
	}
}

func TestNewWorkTimeRefuses(t *testing.T) {
	cal, loc := calendar(t), shanghai(t)
	if _, err := NewWorkTime(nil, []Span{{510, 720}}, loc); err == nil {
		t.Error("no calendar was taken")
	}
	if _, err := NewWorkTime(cal, []Span{{510, 720}}, nil); err == nil {
		t.Error("no zone was taken")
	}
	if _, err := NewWorkTime(cal, nil, loc); err == nil {
		t.Error("a day without work was taken")
	}
}

func drawTime(t *rapid.T, label string) time.Time {
	base := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	return base.Add(time.Duration(rapid.Int64Range(0, 3*365*24*3600).Draw(t, label)) * time.Second)
}

func TestWorkTimeLaws(t *testing.T) {
	cal := calendar(t)
	for _, name := range []string{"Asia/Shanghai", "America/New_York"} {
		w, err := NewWorkTime(cal, []Span{{510, 720}, {870, 1050}}, zone(t, name))
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			a, b := drawTime(t, "a"), drawTime(t, "b")
			d := time.Duration(rapid.Int64Range(0, 200*3600).Draw(t, "seconds")) * time.Second
			end := w.Add(a, d)
			if got := w.Between(a, end); got != d {
				t.Fatalf("Between(a, Add(a, %s)) = %s", d, got)
			}
			if end.Before(a) {
				t.Fatalf("Add(%s, %s) = %s, before it", a, d, end)
			}
			if later := w.Add(a, d+time.Second); !later.After(end) {
				t.Fatalf("a second more of work ends at %s, not after %s", later, end)
			}
			a, b = earlier(a, b), later(a, b)
			if w.Add(b, d).Before(w.Add(a, d)) && d > 0 {
				t.Fatalf("Add is not monotone: %s + %s is after %s + %s", a, d, b, d)
			}
			f := rapid.Float64Range(-0.5, 1.5).Draw(t, "fraction")
			if got := w.Fraction(a, b, f); got.Before(a) || got.After(b) {
				t.Fatalf("Fraction(%s, %s, %v) = %s, outside", a, b, f, got)
			}
		})
	}
}

func TestLimitIsMonotone(t *testing.T) {
	w := worktime(t)
	rapid.Check(t, func(t *rapid.T) {
		l := Limit{rapid.IntRange(1, 40).Draw(t, "n"), rapid.SampledFrom([]LimitUnit{Minutes, Hours, Days, WorkHours, WorkDays}).Draw(t, "unit")}
		a, b := drawTime(t, "a"), drawTime(t, "b")
		a, b = earlier(a, b), later(a, b)
		da, db := l.Deadline(a, w), l.Deadline(b, w)
		if db.Before(da) {
			t.Fatalf("%s from %s ends %s, from %s earlier: %s", l, a, da, b, db)
		}
		if !da.After(a) {
			t.Fatalf("%s from %s ends %s, not after it", l, a, da)
		}
		l.N++
		if l.Deadline(a, w).Before(da) {
			t.Fatalf("%s ends before one less of it", l)
		}
	})
}

func TestReadableFromYAML(t *testing.T) {
	var v struct {
		Limit Limit     `yaml:"limit"`
		At    TimeOfDay `yaml:"at"`
		Span  Span      `yaml:"span"`
	}
	if err := configs.Decode("x.yaml", []byte("limit: 5wd\nat: \"08:30\"\nspan: 08:30-12:00\n"), &v); err != nil {
		t.Fatal(err)
	}
	if v.Limit != (Limit{5, WorkDays}) || v.At != 510 || v.Span != (Span{510, 720}) {
		t.Errorf("decoded %+v", v)
	}
	for _, bad := range []string{"limit: soon", "limit: 5", "at: noon", "at: 8:30", "span: 8-12"} {
		if err := configs.Decode("x.yaml", []byte(bad), &v); err == nil || !strings.HasPrefix(err.Error(), "x.yaml") {
			t.Errorf("%q: error %v, want one that names the file", bad, err)
		}
	}
}
