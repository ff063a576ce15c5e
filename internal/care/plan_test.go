package care_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/internal/care"
	"shaoying/scheduler"
)

// planned is a world with one order, planned at nine on the day.
func planned(t *testing.T, it care.Item, day string) *world {
	t.Helper()
	r := newRules(t)
	now := at(day + " 08:00")
	w := &world{TB: t, r: r, bed: openBed(t, r, now, true)}
	it.ID = 2
	if it.Staff == 0 {
		it.Staff = nurseID
	}
	if err := w.onBed(desk, care.Order{Item: it}, now); err != nil {
		t.Fatal(err)
	}
	return w
}

func days(w *world) string {
	var out []string
	for _, v := range w.visits {
		if v.State.Open() {
			out = append(out, v.Date.String()[5:])
		}
	}
	return strings.Join(out, " ")
}

var weekdays = []time.Weekday{time.Monday, time.Wednesday, time.Friday}

func TestRhythms(t *testing.T) {
	for _, c := range []struct {
		name, day, want string
		it              care.Item
	}{
		{"every three days, holidays or not", "2026-03-03", "03-03 03-06 03-09 03-12 03-15", care.Item{Kind: "wound", Every: 3}},
		{"rounds keep to workdays", "2026-03-07", "03-09 03-16 03-23", care.Item{Kind: "round", Every: 7}},
		{"fixed weekdays", "2026-03-03", "03-04 03-06 03-09 03-11 03-13 03-16", care.Item{Kind: "nursing", Weekdays: weekdays}},
		{"every other Tuesday", "2026-03-04", "03-10", care.Item{Kind: "round", Weekdays: []time.Weekday{time.Tuesday}, Weeks: 2}},
		{"once", "2026-03-03", "03-03", care.Item{Kind: "sampling"}},
		{"from a later day", "2026-03-03", "03-10 03-17", care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}},
		{"until a day", "2026-03-03", "03-03 03-06", care.Item{Kind: "wound", Every: 3, Until: date("2026-03-08")}},
		{"a make-up Saturday is a workday", "2026-02-28", "02-28 03-09 03-16", care.Item{Kind: "round", Every: 7, OnHoliday: scheduler.NextWorkday, Early: 1, Late: 3}},
		{"leap day", "2028-02-28", "02-28 02-29 03-01 03-02 03-03 03-04 03-05 03-06 03-07 03-08 03-09 03-10 03-11 03-12 03-13", care.Item{Kind: "infusion", Every: 1}},
		{"the end of the month", "2026-01-31", "01-31 02-07 02-14", care.Item{Kind: "wound", Every: 7}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := days(planned(t, c.it, c.day)); got != c.want {
				t.Errorf("planned %s, want %s", got, c.want)
			}
		})
	}
}

// 15 to 23 February 2026 is the Spring Festival, 14 and 28 are worked.
func TestHolidayRules(t *testing.T) {
	for _, c := range []struct {
		rule        scheduler.OnHoliday
		early, late int
		want        string
		skipped     int
		off         bool
	}{
		{scheduler.HolidayKeep, 1, 1, "02-18", 0, false},
		{scheduler.NextWorkday, 3, 6, "02-24", 0, false},
		{scheduler.PrevWorkday, 5, 3, "02-14", 0, false},
		{scheduler.NextWorkday, 5, 3, "02-14", 0, false}, // the next lies outside of the interval
		{scheduler.NextWorkday, 1, 1, "02-18", 0, true},  // no workday in it at all: the day is kept, and shown
		{scheduler.HolidaySkip, 1, 1, "", 1, false},
	} {
		w := planned(t, care.Item{Kind: "round", OnHoliday: c.rule, Early: c.early, Late: c.late, From: date("2026-02-11")}, "2026-02-11")
		w.visits, w.skips = nil, nil
		w.bed.Items[0].Next, w.bed.Items[0].Seq = date("2026-02-18"), 0
		w.plan(at("2026-02-11 08:00"))
		if got := days(w); got != c.want || len(w.skips) != c.skipped {
			t.Errorf("%s -%d+%d: planned %q, skipped %+v", c.rule, c.early, c.late, got, w.skips)
		}
		if len(w.visits) > 0 && w.visits[0].Off != c.off {
			t.Errorf("%s: off %t", c.rule, w.visits[0].Off)
		}
	}
}

// A holiday beyond the horizon is left out when the horizon reaches it, not
// before: a notice may come until then, and planning twice is planning once
// (world.plan looks).
func TestAHolidayIsLeftOutWhenTheHorizonReachesIt(t *testing.T) {
	w := planned(t, care.Item{Kind: "nursing", Every: 2, OnHoliday: scheduler.HolidaySkip, From: date("2026-02-02")}, "2026-02-02")
	visit(w, 1, "2026-02-02 09:10")
	rarer := care.Item{ID: 2, Kind: "nursing", Every: 7, OnHoliday: scheduler.HolidaySkip, Staff: nurseID, From: date("2026-02-17")}
	if err := w.onBed(doctor, care.Order{Item: rarer}, at("2026-02-02 12:00")); err != nil {
		t.Fatal(err)
	}
	if len(w.skips) != 0 || days(w) != "" {
		t.Errorf("two weeks before: skipped %+v, planned %s", w.skips, days(w))
	}
	w.plan(at("2026-02-03 02:00"))
	if len(w.skips) != 1 || w.skips[0].Nominal != date("2026-02-17") || w.skips[0].Reason != care.ReasonHoliday {
		t.Errorf("when the horizon reaches it: skipped %+v", w.skips)
	}
}

// visit lets the nurse make a visit at a time.
func visit(w *world, id int64, when string) {
	w.Helper()
	by := care.Actor{As: care.AsVisitor, Staff: w.visits[id-1].Staff}
	w.must(id, by, care.Leave{}, at(when).Add(-20*time.Minute))
	w.must(id, by, care.Arrive{Adult: true}, at(when))
	w.must(id, by, care.Finish{Present: daughterID, Noted: true}, at(when).Add(30*time.Minute))
}

func TestCapacityAndOrderOfADay(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-02 08:00")
	var all []care.Visit
	for i := range 12 {
		b := openBed(t, r, now, true)
		b.ID = int64(100 + i)
		b.Patient.Grid = []string{"360302001002", "360302001001"}[i%2]
		kind := []string{"round", "infusion"}[i%2]
		b = bedDo(t, r, b, desk, care.Order{Item: care.Item{ID: int64(i + 1), Kind: kind, Staff: nurseID, From: date("2026-03-03"), Early: 0, Late: 1}}, now)
		p := r.Plan(b, nil, care.NewLoad(all, nil), now)
		for _, c := range p.Changes {
			c.After.ID = int64(len(all) + 1)
			all = append(all, c.After)
		}
	}
	count := map[string]int{}
	for _, v := range all {
		count[v.Date.String()+" "+v.Window.String()]++
		if v.Full {
			t.Errorf("full: %+v", v)
		}
	}
	for slot, n := range count {
		if most := map[string]int{"09:00-11:00": 3, "11:00-12:00": 1, "14:30-16:30": 3, "16:30-17:30": 1}[slot[11:]]; n > most {
			t.Errorf("%d visits at %s", n, slot)
		}
	}
	if len(all) != 12 || count["2026-03-03 09:00-11:00"] != 3 {
		t.Errorf("%d visits, %v", len(all), count)
	}
	day := r.Order(filterDay(all, date("2026-03-03")))
	for i, v := range day {
		if v.Order != i+1 || i > 0 && day[i-1].Window.From > v.Window.From {
			t.Errorf("order %d: %+v", i, v)
		}
		if i > 0 && day[i-1].Window == v.Window && day[i-1].Kind == "round" && v.Kind == "infusion" {
			t.Errorf("a round before an infusion in %s", v.Window)
		}
	}
}

func filterDay(all []care.Visit, d scheduler.Date) []care.Visit {
	return slices.DeleteFunc(slices.Clone(all), func(v care.Visit) bool { return v.Date != d })
}

// A full plan leaves nobody out: a person looks at it.
func TestAFullDayIsShown(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-02 08:00")
	busy := make([]care.Visit, 0, 8)
	for _, w := range r.Policy().Windows.Of {
		for range w.Visits {
			busy = append(busy, care.Visit{State: care.VisitPlanned, Staff: nurseID, Date: date("2026-03-03"), Window: w.Span})
		}
	}
	b := openBed(t, r, now, true)
	b = bedDo(t, r, b, desk, care.Order{Item: care.Item{ID: 2, Kind: "infusion", Staff: nurseID, From: date("2026-03-03")}}, now)
	p := r.Plan(b, nil, care.NewLoad(busy, nil), now)
	if len(p.Changes) != 1 || !p.Changes[0].After.Full || p.Changes[0].After.Date != date("2026-03-03") {
		t.Errorf("%+v", p.Changes)
	}
}

func TestNobodyIsPlannedForWhoIsAway(t *testing.T) {
	w := planned(t, care.Item{Kind: "round", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	w.away = []care.Absence{{Staff: nurseID, From: date("2026-03-09"), To: date("2026-03-11")}}
	w.plan(at("2026-03-04 02:00"))
	if got := days(w); got != "03-12 03-17" {
		t.Errorf("planned %s", got)
	}
	// What was promised stays and is shown.
	w.must(1, desk, care.Confirm{}, at("2026-03-04 09:00"))
	w.away = append(w.away, care.Absence{Staff: nurseID, From: date("2026-03-12"), To: date("2026-03-12")})
	w.plan(at("2026-03-04 10:00"))
	if got := days(w); got != "03-12 03-17" || !w.visits[0].Off {
		t.Errorf("planned %s, off %t", got, w.visits[0].Off)
	}
}

func TestReplacedAndEndedOrders(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 2, Late: 1}, "2026-03-03")
	if got := days(w); got != "03-03 03-05 03-07 03-09 03-11 03-13 03-15 03-17" {
		t.Fatal(got)
	}
	now := at("2026-03-03 08:30")
	if err := w.onBed(doctor, care.Order{Item: care.Item{ID: 2, Kind: "wound", Every: 5, Late: 1, Staff: nurseID, From: date("2026-03-05")}}, now); err != nil {
		t.Fatal(err)
	}
	if got := days(w); got != "03-05 03-10 03-15" {
		t.Errorf("replaced: %s", got)
	}
	if err := w.onBed(doctor, care.EndOrder{ItemID: 2}, now); err != nil {
		t.Fatal(err)
	}
	if got := days(w); got != "" {
		t.Errorf("ended: %s", got)
	}
	if err := w.onBed(doctor, care.EndOrder{ItemID: 2}, now); key(err) != care.KeyItem {
		t.Errorf("ended twice: %v", err)
	}
}

func TestOrdersThatCannotBeCarriedOut(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-03 09:00")
	b := openBed(t, r, now, true)
	ok := care.Item{ID: 2, Kind: "round", Every: 7, Staff: nurseID}
	with := func(f func(*care.Item)) care.Item { it := ok; f(&it); return it }
	for name, it := range map[string]care.Item{
		"no staff":           with(func(it *care.Item) { it.Staff = 0 }),
		"unknown kind":       with(func(it *care.Item) { it.Kind = "chat" }),
		"two rhythms":        with(func(it *care.Item) { it.Weekdays = weekdays }),
		"weeks without days": with(func(it *care.Item) { it.Weeks = 2 }),
		"negative":           with(func(it *care.Item) { it.Every = -1 }),
		"intervals overlap":  with(func(it *care.Item) { it.Early, it.Late = 4, 3 }),
		"unknown rule":       with(func(it *care.Item) { it.OnHoliday = "sometimes" }),
		"long":               with(func(it *care.Item) { it.Minutes = 1000 }),
		"over before":        with(func(it *care.Item) { it.From, it.Until = date("2026-03-09"), date("2026-03-08") }),
		"odd window":         with(func(it *care.Item) { it.Window = span("03:00-04:00") }),
		"a day twice":        with(func(it *care.Item) { it.Every, it.Weekdays = 0, []time.Weekday{1, 1} }),
	} {
		if _, _, err := r.Bed(b, doctor, care.Order{Item: it}, now); key(err) != care.KeyItem {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The bounds of a kind are narrowed to a quick rhythm.
	b = bedDo(t, r, b, doctor, care.Order{Item: with(func(it *care.Item) { it.Every = 3 })}, now)
	if it := b.Items[0]; it.Early+it.Late >= 3 {
		t.Errorf("bounds %d and %d of three days", it.Early, it.Late)
	}
}

func TestFreeWindowsAreOffered(t *testing.T) {
	w := planned(t, care.Item{Kind: "round", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	now := at("2026-03-09 19:00")
	l := care.NewLoad(w.visits, nil)
	offers := w.r.FreeWindows(w.bed, w.visits[0], w.visits, l, now)
	if len(offers) != 3 || offers[0] != (care.Offer{Date: date("2026-03-10"), Window: span("11:00-12:00")}) {
		t.Fatalf("offers %+v", offers)
	}
	for _, o := range offers {
		if o.Date.Compare(w.visits[0].Earliest) < 0 || o.Date.Compare(w.visits[0].Latest) > 0 {
			t.Errorf("outside the interval: %+v", o)
		}
		if !w.r.Free(w.bed, w.visits[0], w.visits, o, l, now) {
			t.Errorf("not free: %+v", o)
		}
	}
	// What somebody else took in between is no longer free, and is refused.
	taken := append(slices.Clone(w.visits), care.Visit{ID: 99, State: care.VisitPlanned, Staff: nurseID, Date: offers[0].Date, Window: offers[0].Window})
	if w.r.Free(w.bed, w.visits[0], w.visits, offers[0], care.NewLoad(taken, nil), now) {
		t.Error("free although taken")
	}
	for _, c := range []struct {
		name, want string
		c          care.Move
	}{
		{"taken", care.KeyTaken, care.Move{Date: offers[0].Date, Window: offers[0].Window}},
		{"no such window", care.KeyTaken, care.Move{Date: offers[0].Date, Window: span("20:00-21:00"), Free: true}},
		{"outside the interval", care.KeyInterval, care.Move{Date: date("2026-03-20"), Window: span("09:00-11:00"), Free: true}},
		{"the same", care.KeySame, care.Move{Date: w.visits[0].Date, Window: w.visits[0].Window, Free: true}},
	} {
		if err := w.do(1, daughter, c.c, now); key(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	late := care.Move{Date: date("2026-03-10"), Window: span("11:00-12:00"), Free: true}
	if _, _, err := w.r.Visit(w.bed, w.visits[0], desk, late, at("2026-03-10 11:30")); key(err) != care.KeyStarted {
		t.Errorf("moved into the past: %v", err)
	}
	w.must(1, daughter, care.Move{Date: offers[1].Date, Window: offers[1].Window, Free: true}, now)
	if v := w.visits[0]; v.State != care.VisitConfirmed || v.Version != 2 || v.Date != offers[1].Date {
		t.Errorf("moved %+v", v)
	}
	if got := w.r.FreeWindows(w.bed, care.Visit{ItemID: 77}, nil, l, now); got != nil {
		t.Errorf("offers for an unknown order: %v", got)
	}
}

// A day's replanning of beds that have three orders each.
func BenchmarkPlan(b *testing.B) {
	r := newRules(b)
	now := at("2026-03-03 08:00")
	bed := openBed(b, r, now, true)
	for i, kind := range []string{"round", "wound", "nursing"} {
		bed = bedDo(b, r, bed, desk, care.Order{Item: care.Item{ID: int64(i + 2), Kind: kind, Every: 7, Staff: nurseID}}, now)
	}
	var visits []care.Visit
	for _, c := range r.Plan(bed, nil, care.NewLoad(nil, nil), now).Changes {
		c.After.ID = int64(len(visits) + 1)
		visits = append(visits, c.After)
	}
	load := care.NewLoad(visits, nil)
	for b.Loop() {
		r.Plan(bed, visits, load, now.AddDate(0, 0, 1))
	}
	b.ReportMetric(float64(len(visits)*b.N)/b.Elapsed().Seconds(), "visits/s")
}
