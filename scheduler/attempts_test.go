package scheduler

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// threeTries is the callback of issue 2 section 7: 3 tries on 2 half-days.
var threeTries = AttemptPolicy{Tries: 3, HalfDays: 2, At: []TimeOfDay{600, 930}} // 10:00, 15:30

func TestAttempts(t *testing.T) {
	w := worktime(t)
	for _, c := range []struct{ name, start, want string }{
		{"a Tuesday", "2026-03-03 09:00", "2026-03-04 10:00, 2026-03-04 15:30, 2026-03-05 10:00"},
		{"late in the evening", "2026-03-03 23:59", "2026-03-04 10:00, 2026-03-04 15:30, 2026-03-05 10:00"},
		{"a Thursday", "2026-03-05 09:00", "2026-03-06 10:00, 2026-03-06 15:30, 2026-03-09 10:00"},
		{"before a make-up Saturday and the Spring Festival", "2026-02-13 09:00", "2026-02-14 10:00, 2026-02-14 15:30, 2026-02-24 10:00"},
		{"in the holidays", "2026-10-03 09:00", "2026-10-08 10:00, 2026-10-08 15:30, 2026-10-09 10:00"},
	} {
		tries, err := w.Attempts(at(t, c.start), threeTries)
		var got []string
		for _, try := range tries {
			got = append(got, show(try))
		}
		if err != nil || strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %v, %v; want %s", c.name, got, err, c.want)
		}
	}
}

func TestNextWorkdayAt(t *testing.T) {
	w := worktime(t)
	for from, want := range map[string]string{
		"2026-03-03 09:00": "2026-03-04 10:00",
		"2026-03-06 23:59": "2026-03-09 10:00",
		"2026-02-14 00:00": "2026-02-24 10:00",
		"2026-12-31 12:00": "2027-01-04 10:00",
	} {
		if got := w.NextWorkdayAt(at(t, from), 600); show(got) != want {
			t.Errorf("NextWorkdayAt(%s) = %s, want %s", from, show(got), want)
		}
	}
	// Five in the afternoon in UTC is the next day in Shanghai.
	if got := w.NextWorkdayAt(at(t, "2026-03-04 01:00").UTC(), 600); got.UTC().Format(anchorForm) != "2026-03-05 02:00" {
		t.Errorf("from UTC: %s", got)
	}
}

func TestAttemptPolicyRefuses(t *testing.T) {
	w := worktime(t)
	for _, c := range []struct {
		name string
		p    AttemptPolicy
		want string
	}{
		{"no tries", AttemptPolicy{0, 1, []TimeOfDay{600}}, "tries is 0"},
		{"too many", AttemptPolicy{21, 1, []TimeOfDay{600}}, "tries is 21"},
		{"no times", AttemptPolicy{3, 2, nil}, "at is empty"},
		{"out of order", AttemptPolicy{3, 2, []TimeOfDay{930, 600}}, "at: 10:00"},
		{"twice", AttemptPolicy{3, 2, []TimeOfDay{600, 600}}, "at: 10:00"},
		{"one half-day", AttemptPolicy{2, 2, []TimeOfDay{540, 600}}, "lie on 1 half-days"},
	} {
		if tries, err := w.Attempts(at(t, "2026-03-03 09:00"), c.p); err == nil || tries != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want %q", c.name, tries, err, c.want)
		}
	}
	// Two mornings are two half-days.
	if err := (AttemptPolicy{3, 2, []TimeOfDay{540, 600}}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestAttemptsLaws(t *testing.T) {
	w := worktime(t)
	rapid.Check(t, func(t *rapid.T) {
		start := drawTime(t, "start")
		tries, err := w.Attempts(start, threeTries)
		if err != nil || len(tries) != 3 {
			t.Fatalf("Attempts = %v, %v", tries, err)
		}
		halves := map[string]bool{}
		last := start
		for _, try := range tries {
			if !w.Open(try) || !try.After(last) {
				t.Fatalf("from %s a try at %s, after %s", start, try, last)
			}
			halves[try.In(w.Location()).Format("2006-01-02 PM")] = true
			last = try
		}
		if len(halves) < 2 {
			t.Fatalf("%v lie on one half-day", tries)
		}
	})
}
