package scheduler

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Complaint 6 of reference family-bed 4: the daily job did not run, or ran at odd
// times (river#827, #791, #357; sidekiq#6804 and dkron#1210: a change of leader at
// 10:00 lost the run of 10:00). Processes that live for minutes only, a new one at
// the very second, one that dies between planning and commit, a night without any:
// the job of every day runs once, at its time, and late only where nobody was
// there.
func TestComplaint06TheDailyJobRunsOnceADay(t *testing.T) {
	const days = 20
	s := Schedule{
		Name: "daily", Kind: Cron, Spec: "0 10 * * *", Zone: "Asia/Shanghai", OnHoliday: HolidayKeep,
		CatchUp: CatchUp{CatchUpLatest, 12 * time.Hour, 0}, Do: "test", Source: "test",
	}
	first, cal, q := at(t, "2026-02-20 00:00"), calendar(t), quiet(t)
	away := func(now time.Time) bool { // nobody is there from 9:00 to 11:17 on each tenth day
		day, clock := int(now.Sub(first)/(24*time.Hour)), now.Hour()*60+now.Minute()
		return day%10 == 9 && clock >= 9*60 && clock < 11*60+17
	}
	for _, c := range []struct {
		name string
		step time.Duration // between two wakes
		life int           // wakes until a process is replaced
		dies bool          // on the way from Plan to commit, at each second change
	}{
		{"a tick each minute", time.Minute, 1 << 30, false},
		{"restarted every sixteen minutes", 4 * time.Minute, 4, false},
		{"a new leader with each tick, half of them die before they commit", 4 * time.Minute, 1, true},
		{"odd ticks", 7*time.Minute + 13*time.Second, 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := &table{last: first, slots: map[int64]Slot{}, decided: map[int64]time.Time{}}
			rng := rand.New(rand.NewPCG(6, 10))
			// The process may stand in any zone.
			here := []*time.Location{time.UTC, zone(t, "America/New_York"), shanghai(t)}
			var p *Planner
			for i, now := 0, first; now.Before(first.AddDate(0, 0, days)); i, now = i+1, now.Add(c.step) {
				if away(now) {
					continue
				}
				if p == nil || i%c.life == 0 {
					p = planner(t, s, cal, q) // knows nothing of the one before
				}
				read := db.last
				slots, newLast := p.Plan(read.In(here[rng.IntN(3)]), now.In(here[rng.IntN(3)]))
				if c.dies && len(slots) > 0 && rng.IntN(2) == 0 {
					continue
				}
				db.commit(slots, read, newLast, now)
			}
			runs, late := 0, 0
			for day := range days {
				want := first.AddDate(0, 0, day).Add(10 * time.Hour)
				slot, ok := db.slots[want.Unix()]
				if !ok || slot.State != Planned || !slot.Due.Equal(want) {
					t.Errorf("%s: there %t, %s", want, ok, line(slot))
					continue
				}
				runs++
				wait := db.decided[want.Unix()].Sub(want)
				switch {
				case wait < 0 || wait > 3*time.Hour:
					t.Errorf("%s ran %s later", want, wait)
				case wait >= 77*time.Minute:
					late++
				}
			}
			if runs != days || len(db.slots) != days || db.doubled != 0 || late != days/10 {
				t.Errorf("in %d days %d runs, %d slots, %d doubled, %d late", days, runs, len(db.slots), db.doubled, late)
			}
		})
	}
}
