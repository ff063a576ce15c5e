package care_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"shaoying/internal/care"
	"shaoying/scheduler"
)

// Sixty simulated days (four hundred with SHAOYING_SOAK) over the Spring
// Festival, a leap day, month ends and years without a notice, with planners that
// are killed before they commit, two stays in hospital, periods renewed and an
// outage of three days: every slot of every order is done, or written down with
// its reason, once; every reminder was sent, taken back or too late, once.
func TestSixtyDays(t *testing.T) {
	length := 60
	if os.Getenv("SHAOYING_SOAK") != "" {
		length = 400
	}
	for _, from := range []string{"2026-01-20", "2026-09-10", "2028-01-15"} {
		for i, c := range []struct {
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
			t.Run(from+" "+c.name, func(t *testing.T) {
				y := newYear(t, c.it, date(from), uint64(i))
				for day := range length {
					y.live(day)
				}
				y.now = y.first.AddDays(length).At(2*60, shanghai)
				y.settle()
				y.everySlotHasOneEnd(length)
				y.everyReminderHasOneEnd()
				t.Logf("%d slots: %d visits, %d skipped; %d messages and tasks, %d reminders too late", y.bed.Items[0].Seq, len(y.visits), len(y.skips), y.messages, y.late)
			})
		}
	}
}

// year is a household on its way through the days.
type year struct {
	*household
	first scheduler.Date
	late  int
}

func newYear(t *testing.T, it care.Item, first scheduler.Date, seed uint64) *year {
	r := newRules(t)
	now := first.At(8*60, shanghai)
	_, q := quiet(t)
	h := newHousehold(&world{TB: t, r: r, bed: openBed(t, r, now, true)}, &dice{rand.New(rand.NewPCG(400, seed))}, q, now)
	h.bed.Periods[0].To = first.AddDays(29)
	it.ID, it.Staff = 2, nurseID
	y := &year{household: h, first: first}
	y.must(h.onBed(desk, care.Order{Item: it}, now))
	return y
}

func (y *year) must(err error) {
	y.Helper()
	if err != nil {
		y.Fatal(err)
	}
}

// The days on which nothing runs, and those in hospital.
func outage(day int) bool     { return day >= 30 && day < 33 }
func inHospital(day int) bool { return day%150 >= 40 && day%150 < 44 }

// live plays one day: the planner at two, what is due by the hour, the visit,
// which on some days nobody writes down.
func (y *year) live(day int) {
	if outage(day) {
		return
	}
	d := y.first.AddDays(day)
	for hour := 2; hour <= 23; hour++ {
		now := d.At(scheduler.TimeOfDay(hour*60), shanghai)
		if hour == 2 {
			y.now = now // what was due while nobody was there is found now
		}
		y.pass(now)
		switch {
		case hour == 2:
			y.killed()
			y.settle()
		case hour == 8 && inHospital(day) && !inHospital(day-1):
			y.must(y.onBed(hospital, care.Suspend{Reason: care.SuspendAdmission}, now))
			y.lost = true
			y.settle()
		case hour == 8 && inHospital(day-1) && !inHospital(day):
			y.must(y.onBed(desk, care.Resume{Discharged: true}, now))
			y.lost = false
			y.settle()
		case hour == 9:
			if left, asks := y.bed.Renewal(d); asks && left <= 3 {
				y.must(y.onBed(doctor, care.Renew{}, now))
				y.settle()
			}
		}
		for _, v := range slices.Clone(y.visits) {
			if v.Date == d && v.State.Waiting() && day%11 != 5 && v.Start(shanghai).Before(now.Add(time.Hour)) {
				start := v.Start(shanghai)
				y.pass(start)
				by := care.Actor{As: care.AsVisitor, Staff: nurseID}
				y.must(y.do(v.ID, by, care.Arrive{Adult: true}, start))
				y.must(y.do(v.ID, by, care.Finish{Alone: true, Noted: true}, start.Add(20*time.Minute)))
				y.now = start.Add(20 * time.Minute)
				y.settle()
			}
		}
	}
}

// killed lets a planner die before it commits; that leaves nothing.
func (y *year) killed() {
	visits, items := slices.Clone(y.visits), slices.Clone(y.bed.Items)
	for range y.d.IntN(3) {
		y.r.Plan(y.bed, y.visits, care.NewLoad(y.visits, nil), y.now)
	}
	if !slices.Equal(visits, y.visits) || fmt.Sprint(items) != fmt.Sprint(y.bed.Items) {
		y.Fatalf("at %s a plan that was thrown away left something", y.now)
	}
}

func (y *year) everySlotHasOneEnd(length int) {
	ends := map[int]ended{}
	end := func(slot int, e ended) {
		if other, twice := ends[slot]; twice {
			y.Errorf("slot %d twice: %+v and %+v", slot, other, e)
		}
		ends[slot] = e
	}
	it := y.bed.Items[0]
	for _, v := range y.visits {
		if v.State == care.VisitDone && (scheduler.DateOf(v.ArrivedAt.In(shanghai)).Compare(v.Earliest) < 0 || v.Date.Compare(v.Latest) > 0) {
			y.Errorf("done outside its interval: %+v", v)
		}
		if (v.State == care.VisitMissed || v.State == care.VisitReleased) && v.Reason == "" {
			y.Errorf("ended for no reason: %+v", v)
		}
		if v.State != care.VisitReleased && v.Slot <= it.Seq {
			e := ended{what: string(v.State), nominal: v.Nominal}
			if v.State == care.VisitDone {
				e.done = scheduler.DateOf(v.ArrivedAt.In(shanghai))
			}
			end(v.Slot, e)
		}
	}
	for _, s := range y.skips {
		if !y.skippedFor(it, s) {
			y.Errorf("skipped for no such reason: %+v", s)
		}
		end(s.Slot, ended{what: s.Reason, nominal: s.Nominal})
	}
	for slot := 1; slot <= it.Seq; slot++ {
		if _, ok := ends[slot]; !ok {
			y.Errorf("slot %d was lost", slot)
		}
		if slot > 1 {
			y.follows(it, ends[slot-1], ends[slot])
		}
	}
	if len(ends) != it.Seq || it.Next.Compare(y.first.AddDays(length-16)) < 0 {
		y.Errorf("%d ends of %d slots, next %s", len(ends), it.Seq, it.Next)
	}
}

// ended is what became of a slot; done is zero when it was not.
type ended struct {
	what          string
	nominal, done scheduler.Date
}

// follows holds that no day was left out between two slots: fixed weekdays are
// counted on the calendar, an interval from the visit that was done. Who comes home
// from hospital is seen sooner.
func (y *year) follows(it care.Item, before, after ended) {
	between := 0
	for d := before.nominal.AddDays(1); d.Compare(after.nominal) <= 0; d = d.AddDays(1) {
		if slices.Contains(it.Weekdays, d.Weekday()) {
			between++
		}
	}
	want := before.nominal.AddDays(it.Every)
	if before.done != (scheduler.Date{}) {
		want = before.done.AddDays(it.Every)
	}
	home := inHospital(y.day(after.nominal)-1) || inHospital(y.day(after.nominal)-2) || inHospital(y.day(after.nominal))
	switch {
	case len(it.Weekdays) > 0 && between != max(it.Weeks, 1):
		y.Errorf("%d weekdays from %+v to %+v", between, before, after)
	case it.Every > 0 && after.nominal != want && !(home && after.nominal.Compare(want) < 0):
		y.Errorf("after %+v comes %+v, want %s", before, after, want)
	}
}

// day counts the days from the first.
func (y *year) day(d scheduler.Date) int {
	return int(d.At(0, shanghai).Sub(y.first.At(0, shanghai)) / (24 * time.Hour))
}

// skippedFor reports whether the reason of a skipped slot is true.
func (y *year) skippedFor(it care.Item, s care.Skip) bool {
	near := func(is func(int) bool) bool {
		for d := s.Nominal.AddDays(-1); d.Compare(s.Nominal.AddDays(it.Late+1)) <= 0; d = d.AddDays(1) {
			if is(y.day(d)) {
				return true
			}
		}
		return false
	}
	switch s.Reason {
	case care.ReasonHoliday:
		return it.OnHoliday == scheduler.HolidaySkip && !workTime(y).Calendar().IsWorkday(s.Nominal)
	case care.SuspendAdmission:
		return near(inHospital)
	case care.ReasonTooLate:
		return near(outage) || near(inHospital)
	}
	return false
}

// everyReminderHasOneEnd: nothing lies about whose time is over, what was too late
// was so because nobody was there, and nobody was asked twice about one visit at
// one time.
func (y *year) everyReminderHasOneEnd() {
	asked := map[string]int{}
	from, to := y.first.AddDays(30).At(0, shanghai), y.first.AddDays(33).At(8*60, shanghai)
	for _, rows := range y.rows {
		for _, r := range rows {
			switch {
			case r.state == "planned" && !r.NotAfter.After(y.now):
				y.Errorf("forgotten: %+v", r.Due)
			case r.state == "expired" && (r.NotAfter.Before(from) || r.At.After(to)):
				y.Errorf("too late though somebody was there: %+v", r.Due)
			case r.state == "expired":
				y.late++
			case r.state == "sent" && r.Kind == "ask":
				asked[fmt.Sprint(r.Subject, " v", r.Version, " at ", r.To.Address)]++
			}
		}
	}
	for what, n := range asked {
		if n > 1 {
			y.Errorf("asked %d times: %s", n, what)
		}
	}
	if y.messages == 0 || len(asked) == 0 {
		y.Errorf("%d messages, %d questions: nothing was tested", y.messages, len(asked))
	}
}
