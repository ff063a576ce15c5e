package scheduler

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// table is the database as far as slots go: the key decides, and slots and
// last are stored together or not at all.
type table struct {
	last    time.Time
	slots   map[int64]Slot
	decided map[int64]time.Time // when the slot was decided
	doubled int
}

// commit stores a decision unless another planner stored one since read.
func (db *table) commit(slots []Slot, read, newLast, now time.Time) {
	if !db.last.Equal(read) {
		return
	}
	for _, s := range slots {
		key := s.Nominal.Unix()
		if _, ok := db.slots[key]; ok {
			db.doubled++
			continue
		}
		db.slots[key], db.decided[key] = s, now
	}
	db.last = newLast
}

// TestR10OncePerSlotOverDowntime plans 400 days with restarts at random
// points, two planners, a crash before commit now and then, and an outage of
// three days; the 400 days have month ends and, of some starts, the leap day.
// Missed must be 0 and doubled must be 0; what is skipped has a true reason.
func TestR10OncePerSlotOverDowntime(t *testing.T) {
	cal, policy, first := calendar(t), hours(t), date(t, "2025-01-01")
	specs := []struct {
		kind Kind
		spec string
	}{
		{Cron, "30 8 * * *"},
		{Cron, "30 1 * * *"},
		{Cron, "30 2 * * *"},
		{Cron, "0 22 * * *"},
		{Cron, "0 10 * * 1"},
		{Cron, "0 */6 * * *"},
		{Cron, "0 9 28 * *"},
		{Interval, "36h"},
		{Interval, "3d"},
		{Month, "last day 17:00"},
		{Month, "workday 1 08:30"},
		{Month, "workday 15 08:30"},
	}
	rapid.Check(t, func(t *rapid.T) {
		pick := rapid.SampledFrom(specs).Draw(t, "spec")
		s := Schedule{
			Name: "r10", Kind: pick.kind, Spec: pick.spec, Do: "x", Source: "test",
			Zone:      rapid.SampledFrom([]string{"Asia/Shanghai", "America/New_York"}).Draw(t, "zone"),
			Class:     rapid.SampledFrom([]Class{"", Normal, Survey}).Draw(t, "class"),
			OnHoliday: rapid.SampledFrom([]OnHoliday{HolidayKeep, HolidaySkip, NextWorkday, PrevWorkday}).Draw(t, "holiday"),
			CatchUp: CatchUp{
				Policy:  rapid.SampledFrom([]Policy{CatchUpSkip, CatchUpLatest, CatchUpAll}).Draw(t, "policy"),
				MaxLate: time.Duration(rapid.IntRange(60, 96*60).Draw(t, "max late")) * time.Minute,
			},
		}
		if s.Kind == Interval {
			s.From = "2025-01-01 10:00"
		}
		if s.Class != "" {
			s.OnQuiet = rapid.SampledFrom([]OnQuiet{QuietLater, QuietEarlier, QuietDrop}).Draw(t, "quiet")
		}
		if s.CatchUp.Policy == CatchUpAll {
			s.CatchUp.Max = rapid.IntRange(1, 5).Draw(t, "max")
		}
		if s.Validate() != nil {
			s.CatchUp = CatchUp{CatchUpLatest, s.CatchUp.MaxLate, 0} // what would have piled up
		}
		if s.Validate() != nil {
			s.OnHoliday = HolidayKeep // what would have lost its order, and workdays of the month
		}
		loc, err := time.LoadLocation(s.Zone)
		if err != nil {
			t.Fatal(err)
		}
		q, err := NewQuiet(policy, loc)
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPlanner(s, cal, q)
		if err != nil {
			t.Fatal(err)
		}
		start := first.AddDays(rapid.IntRange(0, 1200).Draw(t, "start")).At(0, loc)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		db := &table{last: start, slots: map[int64]Slot{}, decided: map[int64]time.Time{}}
		ticks := simulate(t, db, p, start, rng)
		checkR10(t, db, p, start, ticks)
	})
}

// simulate runs the planner over 400 days and returns when it ran.
func simulate(t *rapid.T, db *table, p *Planner, start time.Time, rng *rand.Rand) []time.Time {
	outage := start.AddDate(0, 0, 1+rng.IntN(390))
	end := start.AddDate(0, 0, 400)
	var ticks []time.Time
	for now := start; now.Before(end); {
		now = now.Add(time.Minute + time.Duration(rng.Int64N(int64(10*time.Hour))))
		if now.After(outage) && now.Before(outage.AddDate(0, 0, 3)) {
			now = outage.AddDate(0, 0, 3)
		}
		ticks = append(ticks, now)
		read := db.last
		wake := p.NextWake(read)
		slots, newLast := p.Plan(read, now)
		if (len(slots) > 0) != !wake.After(now) {
			t.Fatalf("at %s NextWake said %s, Plan gave %d slots", now, wake, len(slots))
		}
		switch rng.IntN(4) {
		case 0: // killed before commit; the next start plans the same again
			again, _ := p.Plan(read, now)
			if !slices.Equal(again, slots) {
				t.Fatalf("planning again gave %v, then %v", slots, again)
			}
			db.commit(again, read, newLast, now)
		case 1: // two planners read the same row
			db.commit(slots, read, newLast, now)
			db.commit(slots, read, newLast, now)
		default:
			db.commit(slots, read, newLast, now)
		}
	}
	return ticks
}

func checkR10(t *rapid.T, db *table, p *Planner, start time.Time, ticks []time.Time) {
	if db.doubled > 0 {
		t.Fatalf("%d slots doubled", db.doubled)
	}
	finish := ticks[len(ticks)-1]
	n := 0
	for nominal, _ := p.spec.next(start, p.loc); !nominal.After(finish); nominal, _ = p.spec.next(nominal, p.loc) {
		n++
		slot, ok := db.slots[nominal.Unix()]
		if !ok {
			t.Fatalf("%s was missed", nominal)
		}
		if nominal.Second() != 0 {
			t.Fatalf("%s is not a whole minute", nominal)
		}
		checkReason(t, db, p.Schedule, slot)
	}
	if min := map[Kind]int{Cron: 13, Interval: 133, Month: 13}[p.Kind]; n < min {
		t.Fatalf("%d slots in 400 days, want at least %d", n, min)
	}
}

// checkReason holds that a slot was left out only for what its reason says.
func checkReason(t *rapid.T, db *table, s Schedule, slot Slot) {
	decided := db.decided[slot.Nominal.Unix()]
	newer := 0
	for _, other := range db.slots {
		if other.State == Planned && other.Nominal.After(slot.Nominal) && !other.Due.After(later(decided, slot.Due)) {
			newer++
		}
	}
	ok := false
	switch slot.Reason {
	case "":
		ok = slot.State == Planned && !decided.After(slot.NotAfter) && (s.CatchUp.Policy != CatchUpLatest || newer == 0)
	case ReasonHoliday:
		ok = s.OnHoliday == HolidaySkip
	case ReasonQuiet:
		ok = s.OnQuiet == QuietDrop
	case ReasonTooLate:
		ok = decided.Add(13 * time.Hour).After(slot.NotAfter) // with the night before the next span
	case ReasonSuperseded:
		// The newer one may itself have been superseded after that.
		ok = s.CatchUp.Policy == CatchUpLatest
	case ReasonTooMany:
		ok = s.CatchUp.Policy == CatchUpAll && newer >= s.CatchUp.Max
	}
	if !ok {
		t.Fatalf("decided at %s with %d newer: %s (%+v)", decided, newer, line(slot), s)
	}
}
