package care_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/people"
)

const planHeader = "bed,kind,frequency,staff,from,until,window,minutes,on_holiday,early,late\n"

func parsePlans(t testing.TB, body string) ([]care.PlanRow, error) {
	t.Helper()
	return newRules(t).ParsePlans(people.File{Name: "plans.csv", Body: []byte(body)}, []string{"B001", "B002"}, []string{"wang", "li"})
}

func TestParsePlans(t *testing.T) {
	rows, err := parsePlans(t, planHeader+
		"B001,round,7d,li,2026-03-03,,,,,,\n"+
		"B001,wound,\"周一、周四\",wang,2026-03-03,2026-04-30,09:00-11:00,25,,0,1\n"+
		"B002,nursing,2/7d,wang,2026-03-03,,,,keep,,\n"+
		"B002,round,tue/2w,li,2026-03-03,,,,,,\n"+
		"B002,sampling,once,wang,2026-03-05,,,,,,\n")
	if err != nil {
		t.Fatal(err)
	}
	items := make([]care.Item, len(rows))
	for i, r := range rows {
		items[i] = r.Item
	}
	if it := items[0]; it.Every != 7 || it.Early != 3 || it.Late != 3 || it.Minutes != 30 || it.OnHoliday != "next_workday" || rows[0].Staff != "li" {
		t.Errorf("round %+v", it)
	}
	if it := items[1]; !slices.Equal(it.Weekdays, []time.Weekday{time.Monday, time.Thursday}) || it.Minutes != 25 || it.Until != date("2026-04-30") || it.Window != span("09:00-11:00") {
		t.Errorf("wound %+v", it)
	}
	if it := items[2]; it.Every != 3 || it.OnHoliday != "keep" {
		t.Errorf("nursing %+v", it)
	}
	if it := items[3]; it.Weeks != 2 || !slices.Equal(it.Weekdays, []time.Weekday{time.Tuesday}) {
		t.Errorf("fortnight %+v", it)
	}
	if it := items[4]; it.Every != 0 || len(it.Weekdays) != 0 {
		t.Errorf("once %+v", it)
	}
}

// Nothing of a file with a bad line is imported, and every bad line is named.
func TestPlanLinesThatAreWrong(t *testing.T) {
	rows, err := parsePlans(t, planHeader+
		"B001,round,7d,li,2026-03-03,,,,,,\n"+
		"B009,round,7d,li,2026-03-03,,,,,,\n"+ // 3
		"B001,massage,7d,li,2026-03-03,,,,,,\n"+
		"B001,round,daily,li,2026-03-03,,,,,,\n"+
		"B001,round,7d,zhao,2026-03-03,,,,,,\n"+ // 6
		"B001,round,14d,li,2026-02-30,,,,,,\n"+
		"B001,round,7d,li,2026-03-03,2026-03-01,,,,,\n"+
		"B001,wound,7d,li,2026-03-03,,3-4,,,,\n"+ // 9
		"B001,wound,7d,li,2026-03-03,,03:00-04:00,,,,\n"+
		"B001,wound,7d,li,2026-03-04,,,many,,,\n"+
		"B001,wound,7d,li,2026-03-05,,,,always,,\n"+ // 12
		"B001,wound,7d,li,2026-03-06,,,,,5,5\n"+
		"B001,round,7d,li,2026-03-03,,,,,,\n"+
		"B001,round,tue/99w,li,2026-03-03,,,,,,\n"+ // 15
		"B001,round,0d,li,1026-03-03,,,,,,\n")
	var bad *people.ImportError
	if !errors.As(err, &bad) || rows != nil {
		t.Fatalf("%v", err)
	}
	want := map[int]string{
		3: "bed \"B009\"", 4: "cannot be carried out: kind", 5: "frequency \"daily\"", 6: "staff \"zhao\"", 7: "not a date", 8: "until",
		9: "window: ", 10: "window", 11: "minutes: \"many\"", 12: "on_holiday", 13: "interval", 14: "stands twice", 15: "tue/99w", 16: "0d",
	}
	got := map[int]string{}
	for _, r := range bad.Rows {
		got[r.Line] += r.Reason + "; "
	}
	for line, reason := range want {
		if !strings.Contains(got[line], reason) {
			t.Errorf("line %d: %q, want %q", line, got[line], reason)
		}
	}
	if _, ok := got[2]; ok {
		t.Errorf("line 2 is good: %s", got[2])
	}
	for name, body := range map[string]string{
		"no header": "", "a column missing": "bed,kind\nB001,round\n", "a column unknown": "dose," + planHeader, "nothing below": planHeader,
	} {
		if rows, err := parsePlans(t, body); err == nil {
			t.Errorf("%s: %v", name, rows)
		}
	}
}

func FuzzParsePlans(f *testing.F) {
	f.Add(planHeader + "B001,round,7d,li,2026-03-03,,,,,,\n")
	f.Add(planHeader + "B001,wound,\"周一、周四\",wang,2026-03-03,2026-04-30,09:00-11:00,25,keep,0,1\n")
	f.Add("bed,kind,frequency,staff,from\nB002,nursing,2/7d,wang,2026-03-03\n")
	f.Add(planHeader + "\"B001,round\n")
	f.Fuzz(func(t *testing.T, body string) {
		rows, err := parsePlans(t, body)
		var bad *people.ImportError
		if err != nil && !errors.As(err, &bad) {
			t.Fatalf("an error without its lines: %v", err)
		}
		r := newRules(t)
		for _, row := range rows {
			// What was imported can be ordered.
			b := care.Bed{ID: 7, State: care.BedOpen, Nurse: nurseID}
			row.Item.ID, row.Item.Staff = 2, nurseID
			if row.Item.Until != row.Item.From && row.Item.Until.Year != 0 && row.Item.Until.Compare(date("2026-03-03")) < 0 {
				continue // over already
			}
			if _, _, err := r.Bed(b, desk, care.Order{Item: row.Item}, at("2026-03-03 09:00")); err != nil && key(err) != care.KeyItem {
				t.Fatalf("%+v: %v", row.Item, err)
			}
		}
	})
}
