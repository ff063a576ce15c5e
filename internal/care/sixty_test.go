package care_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"shaoying/internal/care"
	"shaoying/scheduler"
)

// Sixty simulated days (four hundred with SHAOYING_SOAK) over the Spring
// Festival, a leap day and month ends, with a three-day outage: every slot of
// every order is done, or written down with its reason, once.
func TestSixtyDays(t *testing.T) {
	length := 60
	if os.Getenv("SHAOYING_SOAK") != "" {
		length = 400
	}
	for _, from := range []string{"2026-01-20", "2026-09-10", "2028-01-15"} {
		for _, c := range []struct {
			name string
			it   care.Item
		}{
			{"wound every three days", care.Item{Kind: "wound", Every: 3}},
			{"wound on weekdays", care.Item{Kind: "wound", Weekdays: weekdays}},
			{"infusion daily", care.Item{Kind: "infusion", Every: 1}},
			{"round weekly", care.Item{Kind: "round", Every: 7}},
			{"round on Tuesdays", care.Item{Kind: "round", Weekdays: []time.Weekday{time.Tuesday}}},
			{"sampling, skipped on holidays", care.Item{Kind: "sampling", Weekdays: weekdays, OnHoliday: scheduler.HolidaySkip}},
			{"nursing every fortnight", care.Item{Kind: "nursing", Weekdays: []time.Weekday{time.Monday}, Weeks: 2}},
		} {
			t.Run(from+" "+c.name, func(t *testing.T) { manyDays(t, c.it, from, length) })
		}
	}
}

func manyDays(t *testing.T, it care.Item, from string, length int) {
	p := policy(t)
	p.Period.Most = 500
	r := rulesOf(t, p)
	first := date(from)
	now := first.At(8*60, shanghai)
	b := openBed(t, r, now, true)
	b.Periods[0].To = first.AddDays(length + 30)
	w := &world{TB: t, r: r, bed: b}
	it.ID, it.Staff = 2, nurseID
	if err := w.onBed(desk, care.Order{Item: it}, now); err != nil {
		t.Fatal(err)
	}
	for day := range length {
		if day >= 30 && day < 33 {
			continue // nothing runs for three days
		}
		d := first.AddDays(day)
		w.plan(d.At(2*60, shanghai))
		for _, v := range slices.Clone(w.visits) {
			if v.Date == d && v.State.Waiting() && day%11 != 5 {
				start := v.Start(shanghai)
				by := care.Actor{As: care.AsVisitor, Staff: nurseID}
				w.must(v.ID, by, care.Arrive{Adult: true}, start)
				w.must(v.ID, by, care.Finish{Alone: true, Noted: true}, start.Add(20*time.Minute))
			}
		}
	}
	w.plan(first.AddDays(length).At(2*60, shanghai))
	ends := map[int]string{}
	end := func(slot int, what string, nominal scheduler.Date) {
		if ends[slot] != "" {
			t.Errorf("slot %d twice: %s and %s", slot, ends[slot], what)
		}
		ends[slot] = fmt.Sprint(what, " ", nominal)
	}
	for _, v := range w.visits {
		if v.State == care.VisitDone && (scheduler.DateOf(v.ArrivedAt.In(shanghai)).Compare(v.Earliest) < 0 || v.Date.Compare(v.Latest) > 0) {
			t.Errorf("done outside its interval: %+v", v)
		}
		if v.State == care.VisitMissed && v.Reason == "" {
			t.Errorf("missed for no reason: %+v", v)
		}
		if v.State != care.VisitReleased && v.Slot <= w.bed.Items[0].Seq {
			end(v.Slot, string(v.State), v.Nominal)
		}
	}
	for _, s := range w.skips {
		if s.Reason == "" {
			t.Errorf("skipped for no reason: %+v", s)
		}
		end(s.Slot, s.Reason, s.Nominal)
	}
	seq := w.bed.Items[0].Seq
	for slot := 1; slot <= seq; slot++ {
		if ends[slot] == "" {
			t.Errorf("slot %d was lost", slot)
		}
	}
	if len(ends) != seq || w.bed.Items[0].Next.Compare(first.AddDays(length-16)) < 0 {
		t.Errorf("%d ends of %d slots, next %s", len(ends), seq, w.bed.Items[0].Next)
	}
}
