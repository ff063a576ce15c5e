package care_test

import (
	"slices"
	"testing"
	"time"

	"shaoying/internal/care"
)

// The semantics of reference family-bed 3.3, by their numbers, as far as they are
// those of visits and need no database. 1, 3, 8 and 10 stand in package scheduler,
// the others in scheduler/jobs.

// 11: wounds and infusions keep their day on a holiday, rounds move inside their
// interval, a make-up Saturday is a workday. Beyond the last notice plain weekends
// and fixed holidays hold, marked as not known, and the alarm comes 45 days before.
func TestSemantics11Holidays(t *testing.T) {
	for _, c := range []struct{ name, kind, nominal, want string }{
		{"an infusion keeps the New Year's day", "infusion", "2026-02-17", "02-17"},
		{"a wound keeps it", "wound", "2026-02-17", "02-17"},
		{"a round moves to the make-up Saturday before", "round", "2026-02-15", "02-14"},
		{"a round of the last holidays moves behind them", "round", "2026-02-22", "02-24"},
		{"a round on a make-up Saturday stays", "round", "2026-02-28", "02-28"},
		{"a round on another Saturday moves", "round", "2026-03-07", "03-09"},
		{"blood is taken before", "sampling", "2026-04-04", "04-03"},
		{"next year's National Day, not noticed yet", "round", "2027-10-01", "10-04"},
		{"its third day, a Sunday, moves to the Monday", "round", "2027-10-03", "10-04"},
		{"a weekend of the year after", "round", "2028-03-04", "03-06"},
	} {
		w := planned(t, care.Item{Kind: c.kind, From: date(c.nominal)}, date(c.nominal).AddDays(-10).String())
		it := &w.bed.Items[0]
		w.visits, it.From = nil, it.From.AddDays(-9) // so that the interval may reach back
		w.plan(date(c.nominal).AddDays(-10).At(8*60, shanghai))
		if got := days(w); got != c.want {
			t.Errorf("%s: %s for %s, planned %s, want %s", c.name, c.kind, c.nominal, got, c.want)
		}
		v := w.visits[0]
		if v.Off || v.Nominal != date(c.nominal) || v.Date.Compare(v.Earliest) < 0 || v.Date.Compare(v.Latest) > 0 {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
	cal := workTime(t).Calendar()
	if !cal.Known(date("2026-12-31")) || cal.Known(date("2027-01-01")) {
		t.Error("the last known year is not 2026")
	}
	for day, warn := range map[string]bool{"2026-11-15": false, "2026-11-16": true, "2027-03-01": true} {
		if end, got := cal.Coverage(date(day).At(9*60, shanghai), 45); got != warn || end != date("2026-12-31") {
			t.Errorf("on %s: covered to %s, alarm %t", day, end, got)
		}
	}
}

// 12: an interval counts from the last visit that was done, or hangs on fixed
// weekdays that a make-up visit does not shift: each order says which.
func TestSemantics12IntervalFrequency(t *testing.T) {
	w := planned(t, care.Item{Kind: "round", Every: 7}, "2026-03-03")
	if got := days(w); got != "03-03 03-10 03-17" {
		t.Fatal(got)
	}
	w.must(1, desk, care.Move{Date: date("2026-03-05"), Window: span("09:00-11:00"), Free: true}, at("2026-03-03 08:10"))
	visit(w, 1, "2026-03-05 09:10")
	if got := days(w); got != "03-12 03-19" {
		t.Errorf("done two days late, the next are %s", got)
	}

	w = planned(t, care.Item{Kind: "nursing", Weekdays: []time.Weekday{time.Tuesday}, Early: 2, Late: 3}, "2026-03-03")
	if got := days(w); got != "03-03 03-10 03-17" {
		t.Fatal(got)
	}
	w.must(1, nurse, care.Fail{Reason: "weather"}, at("2026-03-03 10:00"))
	w.plan(at("2026-03-04 02:00"))
	if got := days(w); got != "03-04 03-10 03-17" {
		t.Errorf("made up: %s", got)
	}
	visit(w, 1, "2026-03-04 15:00")
	if got := days(w); got != "03-10 03-17" {
		t.Errorf("after a make-up visit: %s", got)
	}

	order := care.Order{Item: care.Item{ID: 3, Kind: "nursing", Every: 7, Weekdays: []time.Weekday{time.Tuesday}, Staff: nurseID}}
	if err := w.onBed(doctor, order, at("2026-03-04 15:40")); key(err) != care.KeyItem {
		t.Errorf("an order with both anchors: %v", err)
	}
}

// 15: the dry run of a changed rule is Reconcile with the new rules, that of a
// changed order is Plan: what would vanish and what would come, with nothing
// written. Without a change both are silent.
func TestSemantics15DryRun(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	now := at("2026-03-03 09:00")
	wanted := w.ladder(2, now)
	if clear, add := care.Reconcile(nil, wanted); len(clear) != 0 || len(add) == 0 {
		t.Errorf("clear %v, add %v", lines(clear), lines(add))
	} else if again, more := care.Reconcile(add, wanted); len(again) != 0 || len(more) != 0 {
		t.Errorf("not silent: clear %v, add %v", lines(again), lines(more))
	}
	all := programmes(t)
	body := slices.IndexFunc(all, func(p care.Programme) bool { return p.Code == care.FamilyBed })
	rungs := slices.Clone(all[body].Ladders[care.OfVisit])
	for i := range rungs {
		if rungs[i].Kind == "ask" {
			rungs[i].Due.Plus = -30 * time.Minute
		}
	}
	all[body].Ladders = map[string][]care.Rung{care.OfVisit: rungs}
	_, q := quiet(t)
	changed, err := care.NewRules(policy(t), all, workTime(t), q)
	if err != nil {
		t.Fatal(err)
	}
	pending := slices.DeleteFunc(wanted, func(d care.Due) bool { return !d.Sends() })
	clear, add := care.Reconcile(pending, changed.Ladder(changed.OfVisit(w.bed, w.visits[1], care.History{}), now))
	if !slices.Equal(lines(clear), []string{"03-16 18:30 ask carer_1"}) || !slices.Equal(lines(add), []string{"03-16 18:00 ask carer_1"}) {
		t.Errorf("clear %v, add %v", lines(clear), lines(add))
	}
	// The same for an order: every second day instead of every seventh.
	before := slices.Clone(w.visits)
	order := care.Order{Item: care.Item{ID: 2, Kind: "wound", Every: 2, Staff: nurseID, From: date("2026-03-10")}}
	bed, _, err := w.r.Bed(w.bed, doctor, order, now)
	if err != nil {
		t.Fatal(err)
	}
	tried := w.r.Plan(bed, w.visits, care.NewLoad(w.visits, nil), now)
	if len(tried.Changes) < 3 || w.bed.Items[0].Every != 7 || !slices.Equal(w.visits, before) {
		t.Errorf("tried: %d changes; the order is every %d days", len(tried.Changes), w.bed.Items[0].Every)
	}
	if again := w.r.Plan(w.bed, w.visits, care.NewLoad(w.visits, nil), now); !again.Empty() {
		t.Errorf("trying left something: %+v", again.Changes)
	}
	w.must(1, desk, care.Move{Date: date("2026-03-11"), Window: span("09:00-11:00"), Free: true}, now)
}
