package scheduler

import (
	"strings"
	"testing"
)

func shipped(t testing.TB) map[string]Schedule {
	t.Helper()
	list, err := ParseSchedules("schedules.yaml", embedded(t, "schedules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Schedule{}
	for _, s := range list {
		byName[s.Name] = s
	}
	return byName
}

func TestShippedSchedules(t *testing.T) {
	got := shipped(t)
	for _, name := range []string{"digest", "survey", "retention", "calendar.check"} {
		if s, ok := got[name]; !ok || s.Zone != "Asia/Shanghai" || s.Do != name {
			t.Errorf("schedule %s = %+v", name, s)
		}
	}
}

// One schedule with everything in it; each row spoils one thing.
const goodSchedule = `zone: Asia/Shanghai
schedules:
  - name: test.one
    kind: cron
    spec: "0 21 * * 1"
    class: survey
    on_quiet: later
    on_holiday: next_workday
    catch_up: {policy: all, max_late: 48h, max: 5}
    do: survey
    source: test
`

func TestParseSchedulesRefuses(t *testing.T) {
	if _, err := ParseSchedules("s.yaml", []byte(goodSchedule)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", "on_quiet: later", "on_quite: later", "on_quite"},
		{"name", "test.one", "Test One", `name "Test One"`},
		{"no do", "do: survey", "do: ''", `do ""`},
		{"no source", "source: test", "source: ''", "source is missing"},
		{"no zone", "zone: Asia/Shanghai", "zone: ''", `zone ""`},
		{"machine's zone", "zone: Asia/Shanghai", "zone: Local", `zone "Local"`},
		{"unknown zone", "zone: Asia/Shanghai", "zone: Asia/Pingxiang", "not an IANA zone"},
		{"kind", "kind: cron", "kind: rrule", `kind "rrule"`},
		{"trap in the spec", `"0 21 * * 1"`, `"0 9 31 * *"`, "some months have no day 31"},
		{"from", "class: survey", "from: 2026-03-02 09:00\n    class: survey", "from belongs to kind: interval"},
		{"class", "class: survey", "class: loud", `class "loud"`},
		{"on_quiet", "on_quiet: later", "on_quiet: human", `on_quiet "human"`},
		{"on_quiet without class", "class: survey", "class: ''", "on_quiet without class"},
		{"on_holiday", "on_holiday: next_workday", "on_holiday: next", `on_holiday "next"`},
		{"policy", "policy: all", "policy: some", `policy "some"`},
		{"no max_late", "max_late: 48h", "max_late: 0s", "max_late is 0s"},
		{"max_late too long", "max_late: 48h", "max_late: 1000h", "max_late is 1000h"},
		{"no max", "max: 5", "max: 0", "max is 0"},
		{"max without all", "policy: all", "policy: latest", "max belongs to policy all"},
		{"pile-up", `"0 21 * * 1"`, `"0 21 * * *"`, "several runs to one workday"},
		{"pile-up at the month's end", `"0 21 * * 1"`, `"0 21 1,28 * *"`, "several runs to one workday"},
		{"hourly", "spec: \"0 21 * * 1\"", "spec: \"0 * * * *\"", "at one time of day"},
		{"twice a day", "spec: \"0 21 * * 1\"", "spec: \"0 9,21 * * 1\"", "at one time of day"},
		{"every 36 hours", "kind: cron\n    spec: \"0 21 * * 1\"", "kind: interval\n    from: 2026-03-02 09:00\n    spec: 36h", "at one time of day"},
		{"every 23 hours", "kind: cron\n    spec: \"0 21 * * 1\"", "kind: interval\n    from: 2026-03-02 09:00\n    spec: 23h", "at one time of day"},
		{"workday of the month", "kind: cron\n    spec: \"0 21 * * 1\"", "kind: month\n    spec: workday 1 09:00", "never a day off"},
		{"second document", "source: test\n", "source: test\n---\nzone: x\n", "second document"},
	} {
		bad := strings.Replace(goodSchedule, c.old, c.new, 1)
		if bad == goodSchedule {
			t.Fatalf("%s: %q is not there", c.name, c.old)
		}
		_, err := ParseSchedules("s.yaml", []byte(bad))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "s.yaml") {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	entry := goodSchedule[strings.Index(goodSchedule, "  - name"):]
	if _, err := ParseSchedules("s.yaml", []byte(goodSchedule+entry)); err == nil || !strings.Contains(err.Error(), "stands twice") {
		t.Errorf("two schedules of one name: %v", err)
	}
}

func TestValidateHolidayWeeklyInNewYork(t *testing.T) {
	s := shipped(t)["calendar.check"]
	s.Zone, s.CatchUp = "America/New_York", CatchUp{CatchUpAll, s.CatchUp.MaxLate, 1}
	if err := s.Validate(); err != nil {
		t.Errorf("a weekly schedule over a change of the clocks: %v", err)
	}
}

func FuzzParseSchedules(f *testing.F) {
	f.Add([]byte(goodSchedule))
	f.Add([]byte("zone: UTC\nschedules: [{name: a, kind: interval, spec: 7d}]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := ParseSchedules("fuzz.yaml", body)
		if err != nil {
			return
		}
		for _, s := range list {
			if err := s.Validate(); err != nil {
				t.Fatalf("taken but not valid: %v", err)
			}
		}
	})
}
