package scheduler

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Counted by hand from the rows of configs/calendars/cn.csv.
func TestShippedCalendarYears(t *testing.T) {
	cal := calendar(t)
	for _, c := range []struct {
		year, workdays int
		known          bool
	}{
		{2025, 248, true}, // 261 weekdays - 18 holidays on weekdays + 5 make-up days
		{2026, 248, true},
		{2027, 259, false}, // provisional: 261 weekdays - 元旦 - 国庆 1 October; other fixed days are weekends
		{2028, 257, false}, // 260 weekdays - 1 May, 2 and 3 October
	} {
		n := 0
		for d := (Date{c.year, time.January, 1}); d.Year == c.year; d = d.AddDays(1) {
			if cal.IsWorkday(d) {
				n++
			}
			if cal.Known(d) != c.known {
				t.Fatalf("Known(%s) = %v", d, !c.known)
			}
		}
		if n != c.workdays {
			t.Errorf("%d has %d workdays, want %d", c.year, n, c.workdays)
		}
	}
}

func TestCalendarDays(t *testing.T) {
	cal := calendar(t)
	for day, want := range map[string]bool{
		"2026-03-03": true,  // a Tuesday
		"2026-03-07": false, // a Saturday
		"2026-02-14": true,  // make-up Saturday
		"2026-02-28": true,  // make-up Saturday
		"2026-02-17": false, // 春节, a Tuesday
		"2026-02-24": true,  // first day after 春节
		"2026-10-10": true,  // make-up Saturday
		"2026-09-20": true,  // make-up Sunday
		"2027-01-01": false, // provisional, a Friday
		"2027-02-08": true,  // 春节 of 2027 is not known yet
		"2031-10-02": false, // provisional in every unknown year, a Thursday
		"2024-10-01": false, // also before the first known year
	} {
		if got := cal.IsWorkday(date(t, day)); got != want {
			t.Errorf("IsWorkday(%s) = %v", day, got)
		}
	}
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-03-03", 0, "2026-03-03"},
		{"2026-03-06", 1, "2026-03-09"},
		{"2026-02-13", 1, "2026-02-14"},  // into the make-up Saturday
		{"2026-02-14", 1, "2026-02-24"},  // over 春节
		{"2026-02-24", -1, "2026-02-14"}, // and back
		{"2026-02-27", 2, "2026-03-02"},
		{"2026-09-30", 3, "2026-10-10"},
		{"2026-12-31", 1, "2027-01-04"},
		{"2028-02-28", 1, "2028-02-29"},
	} {
		if got := cal.AddWorkdays(date(t, c.from), c.n); got != date(t, c.want) {
			t.Errorf("AddWorkdays(%s, %d) = %s, want %s", c.from, c.n, got, c.want)
		}
	}
}

func TestCoverage(t *testing.T) {
	cal := calendar(t)
	for _, c := range []struct {
		now, end string
		warn     bool
	}{
		{"2025-06-01 09:00", "2026-12-31", false},
		{"2026-11-15 23:59", "2026-12-31", false},
		{"2026-11-16 00:00", "2026-12-31", true},
		{"2026-12-31 12:00", "2026-12-31", true},
		{"2027-03-01 12:00", "2026-12-31", true},
		{"2024-03-01 12:00", "2023-12-31", true},
	} {
		end, warn := cal.Coverage(at(t, c.now), 45)
		if end.String() != c.end || warn != c.warn {
			t.Errorf("Coverage(%s) = %s %v, want %s %v", c.now, end, warn, c.end, c.warn)
		}
	}
}

// A notice for 2027 makes that year known; provisional rows that it does not
// repeat stop counting there, and go on counting in 2028.
func TestNoticeReplacesProvisional(t *testing.T) {
	day := func(s string, k DayKind) Day { return Day{date(t, s), k, "x", "test"} }
	cal, err := NewCalendar([]Day{day("2027-10-01", Holiday), day("2027-05-04", Provisional), day("2027-05-08", Workday)})
	if err != nil {
		t.Fatal(err)
	}
	for d, want := range map[string]bool{"2027-05-04": true, "2027-05-08": true, "2027-10-01": false, "2028-05-04": false} {
		if got := cal.IsWorkday(date(t, d)); got != want {
			t.Errorf("IsWorkday(%s) = %v", d, got)
		}
	}
	if _, err := NewCalendar([]Day{day("2027-01-01", Holiday), day("2027-01-01", Workday)}); err == nil {
		t.Error("a day that is listed twice was taken")
	}
	if _, err := NewCalendar([]Day{day("2027-01-01", "feast")}); err == nil {
		t.Error("an unknown kind was taken")
	}
}

func TestParseCalendarCSVRefuses(t *testing.T) {
	const head = "date,kind,name\n"
	for _, c := range []struct{ name, body, want string }{
		{"empty", "", "is empty"},
		{"no heading", "2026-01-01,holiday,元旦\n", "must be date,kind,name"},
		{"other heading", "date,name,kind\n", "must be date,kind,name"},
		{"GBK", head + "2026-01-01,holiday,\xd4\xaa\xb5\xa9\n", "save it as UTF-8"},
		{"bad date", head + "2026-02-30,holiday,x\n", `line 2: "2026-02-30" is not a date`},
		{"bad kind", head + "2026-01-01,off,x\n", `line 2: kind "off"`},
		{"make-up on a weekday", head + "2026-03-03,workday,x\n", "line 2: 2026-03-03 is a Tuesday"},
		{"twice", head + "2026-01-01,holiday,x\n2026-01-01,holiday,x\n", "line 3: 2026-01-01 stands already at line 2"},
		{"no name", head + "2026-01-01,holiday,\n", "line 2: name"},
		{"control character", head + "2026-01-01,holiday,\"a\nb\"\n", "line 2: name"},
		{"columns", head + "2026-01-01,holiday\n", "line 2: 2 columns"},
		{"year", head + "1026-01-01,holiday,x\n", "line 2: year 1026"},
		{"quote", head + "2026-01-01,holiday,\"x\n", "line 2: extraneous or missing"},
		{"huge", head + strings.Repeat("x", maxCalendarBytes), "at most"},
	} {
		days, err := ParseCalendarCSV("test", []byte(c.body))
		if err == nil || !strings.Contains(err.Error(), c.want) || days != nil {
			t.Errorf("%s: got %d days, error %v; want %q", c.name, len(days), err, c.want)
		}
	}
}

func TestParseCalendarCSVListsEveryBadRow(t *testing.T) {
	_, err := ParseCalendarCSV("test", []byte("\xef\xbb\xbfdate,kind,name\n2026-01-01,holiday,元旦\nx,holiday,a\n2026-01-02,y,a\n"))
	var bad RowErrors
	if !errors.As(err, &bad) || len(bad) != 2 || bad[0].Where != "line 3" || bad[1].Where != "line 4" {
		t.Fatalf("error = %v, want rows 3 and 4", err)
	}
	if !strings.Contains(err.Error(), "nothing was taken") {
		t.Errorf("error %q does not say that nothing was taken", err)
	}
}

func TestParseHolidayCN(t *testing.T) {
	body := `{"$schema":"s","$id":"i","year":2027,"papers":["http://example.invalid/notice"],"days":[
		{"name":"元旦","date":"2027-01-01","isOffDay":true},{"name":"元旦","date":"2026-12-27","isOffDay":false}]}`
	days, err := ParseHolidayCN("2027.json", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := []Day{
		{date(t, "2027-01-01"), Holiday, "元旦", "2027.json http://example.invalid/notice"},
		{date(t, "2026-12-27"), Workday, "元旦", "2027.json http://example.invalid/notice"},
	}
	if fmt.Sprint(days) != fmt.Sprint(want) {
		t.Errorf("days = %v, want %v", days, want)
	}
	for _, c := range []struct{ name, body, want string }{
		{"not JSON", "date,kind", "not in the holiday-cn form"},
		{"no days", `{"year":2027,"papers":[],"days":[]}`, "2027 has no days"},
		{"unknown key", `{"year":2027,"holidays":[]}`, "unknown field"},
		{"two objects", `{"year":2027,"days":[{"name":"a","date":"2027-01-01","isOffDay":true}]}{}`, "behind its JSON object"},
		{"no isOffDay", `{"year":2027,"days":[{"name":"a","date":"2027-01-01"}]}`, "days[0]: isOffDay is missing"},
		{"other year", `{"year":2027,"days":[{"name":"a","date":"2020-01-01","isOffDay":true}]}`, "days[0]: 2020-01-01 does not belong"},
		{"bad date", `{"year":2027,"days":[{"name":"a","date":"01.01.2027","isOffDay":true}]}`, "days[0]: \"01.01.2027\""},
	} {
		days, err := ParseHolidayCN("test", []byte(c.body))
		if err == nil || !strings.Contains(err.Error(), c.want) || days != nil {
			t.Errorf("%s: got %d days, error %v; want %q", c.name, len(days), err, c.want)
		}
	}
}

func FuzzParseCalendarCSV(f *testing.F) {
	f.Add([]byte("date,kind,name\n2026-01-01,holiday,元旦\n2026-01-04,workday,元旦\n"))
	f.Add([]byte("date,kind,name\n\"2026-01-01\",holiday,\"\"\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		days, err := ParseCalendarCSV("fuzz", body)
		checkParsed(t, days, err)
	})
}

func FuzzParseHolidayCN(f *testing.F) {
	f.Add([]byte(`{"year":2026,"papers":["p"],"days":[{"name":"元旦","date":"2026-01-01","isOffDay":true}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		days, err := ParseHolidayCN("fuzz", body)
		checkParsed(t, days, err)
	})
}

// checkParsed holds that a parser gives either an error or days that make a
// calendar.
func checkParsed(t *testing.T, days []Day, err error) {
	if err != nil {
		if len(days) > 0 {
			t.Fatalf("%d days beside the error %v", len(days), err)
		}
		return
	}
	if _, err := NewCalendar(days); err != nil {
		t.Fatalf("parsed days make no calendar: %v", err)
	}
}
