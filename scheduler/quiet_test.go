package scheduler

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQuietShift(t *testing.T) {
	q := quiet(t)
	for _, c := range []struct {
		name, at, notAfter string
		class              Class
		rule               OnQuiet
		want               string
		verdict            Verdict
	}{
		{"by day", "2026-03-03 10:00", "", Normal, QuietLater, "2026-03-03 10:00", Send},
		{"first minute", "2026-03-03 08:00", "", Normal, QuietLater, "2026-03-03 08:00", Send},
		{"first quiet minute", "2026-03-03 20:30", "", Normal, QuietLater, "2026-03-04 08:00", Moved},
		{"before dawn", "2026-03-03 03:00", "", Normal, QuietLater, "2026-03-03 08:00", Moved},
		{"over the month", "2026-02-28 22:00", "", Normal, QuietLater, "2026-03-01 08:00", Moved},
		{"urgent in the evening", "2026-03-03 21:30", "", Urgent, QuietLater, "2026-03-03 21:30", Send},
		{"urgent at night", "2026-03-03 22:00", "", Urgent, QuietLater, "2026-03-04 07:00", Moved},
		{"emergency at night", "2026-03-03 03:00", "", Emergency, QuietDrop, "2026-03-03 03:00", Send},
		{"survey at noon", "2026-03-03 13:00", "", Survey, QuietLater, "2026-03-03 14:00", Moved},
		{"normal at noon", "2026-03-03 13:00", "", Normal, QuietLater, "2026-03-03 13:00", Send},
		{"earlier at night", "2026-03-03 23:00", "", Normal, QuietEarlier, "2026-03-03 20:29", Moved},
		{"earlier before dawn", "2026-03-03 03:00", "", Normal, QuietEarlier, "2026-03-02 20:29", Moved},
		{"earlier at noon", "2026-03-03 13:00", "", Survey, QuietEarlier, "2026-03-03 12:29", Moved},
		{"drop", "2026-03-03 23:00", "", Normal, QuietDrop, "2026-03-03 23:00", Dropped},
		{"human", "2026-03-03 23:00", "", Normal, QuietHuman, "2026-03-03 23:00", ToHuman},
		{"in time", "2026-03-03 23:00", "2026-03-04 08:00", Normal, QuietLater, "2026-03-04 08:00", Moved},
		{"care too late", "2026-03-03 23:00", "2026-03-04 07:59", Normal, QuietLater, "2026-03-03 23:00", ToHuman},
		{"survey too late", "2026-03-03 23:00", "2026-03-04 07:59", Survey, QuietLater, "2026-03-03 23:00", Dropped},
		{"work that writes to nobody", "2026-03-03 03:00", "", "", "", "2026-03-03 03:00", Send},
	} {
		var notAfter time.Time
		if c.notAfter != "" {
			notAfter = at(t, c.notAfter)
		}
		got, verdict := q.Shift(at(t, c.at), notAfter, c.class, c.rule)
		if show(got) != c.want || verdict != c.verdict {
			t.Errorf("%s: %s %s, want %s %s", c.name, show(got), verdict, c.want, c.verdict)
		}
	}
}

func TestZeroQuietIsOpen(t *testing.T) {
	var q Quiet
	now := at(t, "2026-03-03 03:00")
	if got, v := q.Shift(now, time.Time{}, Survey, QuietLater); got != now || v != Send {
		t.Errorf("Shift = %s %s", got, v)
	}
}

func TestShiftLaws(t *testing.T) {
	for _, name := range []string{"Asia/Shanghai", "America/New_York"} {
		q, err := NewQuiet(hours(t), zone(t, name))
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			class := rapid.SampledFrom(Classes()).Draw(t, "class")
			rule := rapid.SampledFrom([]OnQuiet{QuietLater, QuietEarlier}).Draw(t, "rule")
			a, b := drawTime(t, "a"), drawTime(t, "b")
			a, b = earlier(a, b), later(a, b)
			sa, _ := q.Shift(a, time.Time{}, class, rule)
			sb, _ := q.Shift(b, time.Time{}, class, rule)
			if !q.Open(sa, class) {
				t.Fatalf("%s is shifted to %s, which is quiet", a, sa)
			}
			if sb.Before(sa) {
				t.Fatalf("order lost: %s -> %s, %s -> %s", a, sa, b, sb)
			}
			if rule == QuietLater && sa.Before(a) || rule == QuietEarlier && sa.After(a) {
				t.Fatalf("%s moves %s to %s", rule, a, sa)
			}
			if d := sa.Sub(a).Abs(); d > 13*time.Hour {
				t.Fatalf("%s was moved by %s", a, d)
			}
		})
	}
}

func TestSpread(t *testing.T) {
	q, base := quiet(t), at(t, "2026-03-03 08:00")
	for _, n := range []int{0, 1, 2, 7, 1000, 100000} {
		last := base
		for i := range n {
			got := q.Spread(base, n, i)
			if got.Before(last) || !got.Before(base.Add(15*time.Minute)) {
				t.Fatalf("Spread(%d, %d) = %s after %s", n, i, got, last)
			}
			last = got
		}
		if n >= 1000 && last.Before(base.Add(14*time.Minute)) {
			t.Errorf("%d pushes end at %s already", n, last)
		}
	}
	if got := q.Spread(base, 10, -1); got != base {
		t.Errorf("Spread(10, -1) = %s", got)
	}
	if got := q.Spread(base, 10, 99); got != q.Spread(base, 10, 9) {
		t.Errorf("Spread(10, 99) = %s", got)
	}
}

func TestParseHoursRefuses(t *testing.T) {
	good := string(embedded(t, "policies/hours.yaml"))
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", "release:", "relase:", "relase"},
		{"unknown class", "  bulk:", "  bulky:", `"bulky" is unknown`},
		{"span over midnight", `"07:00-22:00"`, `"22:00-07:00"`, "over midnight"},
		{"spans out of order", `["08:30-12:00", "14:30-17:30"]`, `["14:30-17:30", "08:30-12:00"]`, "write them in order"},
		{"no span", `["07:00-22:00"]`, `[]`, "no span"},
		{"bad time", `"00:00-24:00"`, `"0:00-24:00"`, "not a time of day"},
		{"too_late", "too_late: drop", "too_late: later", "drop or human"},
		{"no source", `source: "own judgement: a broadcast`, `source: "" # "`, "source is missing"},
		{"release", "over: 15m", "over: 15h", "between 0 and 1h"},
		{"warning", "warn_days: 45", "warn_days: 0", "between 1 and 365"},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		if bad == good {
			t.Fatalf("%s: %q is not in hours.yaml", c.name, c.old)
		}
		if _, err := ParseHours("hours.yaml", []byte(bad)); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "hours.yaml") {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := NewQuiet(hours(t), nil); err == nil {
		t.Error("quiet hours without a zone were taken")
	}
	if _, err := NewQuiet(HoursPolicy{}, shanghai(t)); err == nil {
		t.Error("an empty policy was taken")
	}
}
