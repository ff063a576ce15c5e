package gateway

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"shaoying/scheduler"
)

// tally counts the chunks of slots; f may fail one.
type tally struct {
	mu   sync.Mutex
	runs map[string]int
	f    func(slot Slot, cursor string) error
}

func newTally() *tally { return &tally{runs: map[string]int{}} }

// job runs three chunks a slot, each leaving a trail row in its transaction.
func (c *tally) job() SlotJob {
	return SlotJob{Name: "count", Run: func(ctx context.Context, t *Turn, slot Slot, cursor string) (string, bool, error) {
		c.mu.Lock()
		f := c.f
		c.mu.Unlock()
		if err := t.Record(ctx, "chunk", slot.Schedule+"@"+slot.Nominal.UTC().Format(time.RFC3339)+"/"+cursor, nil, ""); err != nil {
			return cursor, false, err
		}
		if f != nil {
			if err := f(slot, cursor); err != nil {
				return cursor, false, err
			}
		}
		c.mu.Lock()
		c.runs[slot.Nominal.UTC().Format(time.RFC3339)]++
		c.mu.Unlock()
		n, _ := strconv.Atoi(cursor)
		return strconv.Itoa(n + 1), n == 2, nil
	}}
}

func workingCalendar(t testing.TB) *scheduler.Calendar {
	t.Helper()
	days, err := scheduler.ParseCalendarCSV("cn.csv", configFile(t, "calendars/cn.csv"))
	if err != nil {
		t.Fatal(err)
	}
	cal, err := scheduler.NewCalendar(days)
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

func daily(name string, c scheduler.CatchUp, on scheduler.OnHoliday) scheduler.Schedule {
	return scheduler.Schedule{
		Name: name, Kind: scheduler.Cron, Spec: "30 8 * * *", Zone: "Asia/Shanghai", CatchUp: c, OnHoliday: on, Do: "count", Source: "test",
	}
}

func (r *rig) planner(g *Gateway, job SlotJob, list ...scheduler.Schedule) *Planner {
	r.t.Helper()
	p, err := NewPlanner(g, list, workingCalendar(r.t), []SlotJob{job})
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) plans(p *Planner) {
	r.t.Helper()
	for {
		n, err := p.Once(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func (r *rig) setTime(at time.Time) {
	r.t.Helper()
	if err := r.DB.SetProductTime(r.t.Context(), at); err != nil {
		r.t.Fatal(err)
	}
}

// monday is 2026-03-02, 08:00 in Pingxiang.
func monday() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) }

func TestPlannerRefusesAScheduleWithoutAJob(t *testing.T) {
	r := newRig(t)
	s := daily("digest", scheduler.CatchUp{Policy: scheduler.CatchUpSkip, MaxLate: time.Hour}, scheduler.HolidayKeep)
	if _, err := NewPlanner(r.Gateway, []scheduler.Schedule{s}, workingCalendar(t), nil); err == nil || !strings.Contains(err.Error(), `no job is called "count"`) {
		t.Errorf("NewPlanner: %v", err)
	}
}

func TestPlannerStartsFromNowAndSaysWhenItWakes(t *testing.T) {
	r := newRig(t)
	r.setTime(monday())
	count := newTally()
	p := r.planner(r.Gateway, count.job(), daily("digest", scheduler.CatchUp{Policy: scheduler.CatchUpLatest, MaxLate: time.Hour}, scheduler.HolidayKeep))
	if _, ok, err := p.Next(t.Context()); ok || err != nil {
		t.Errorf("Next before any plan: %t, %v", ok, err)
	}
	r.plans(p)
	if n := r.count(`select count(*) from slot`); n != 0 {
		t.Fatalf("%d slots of the time before the first start", n)
	}
	next, ok, err := p.Next(t.Context())
	if want := monday().Add(30 * time.Minute); err != nil || !ok || !next.Equal(want) {
		t.Fatalf("Next = %s, %t, %v; want %s", next, ok, err, want)
	}
	r.setTime(next.Add(-time.Minute))
	r.plans(p)
	if len(count.runs) != 0 {
		t.Fatalf("ran early: %v", count.runs)
	}
	r.setTime(next)
	r.plans(p)
	if fmt.Sprint(count.runs) != "map[2026-03-02T00:30:00Z:3]" {
		t.Errorf("ran %v", count.runs)
	}
	if next, _, _ = p.Next(t.Context()); !next.Equal(monday().Add(24*time.Hour + 30*time.Minute)) {
		t.Errorf("then Next = %s", next)
	}
}

func TestPlannerAfterThreeDaysOfDowntimeFollowsEachPolicy(t *testing.T) {
	for name, c := range map[string]struct {
		catchUp scheduler.CatchUp
		want    string
	}{
		"skip":   {scheduler.CatchUp{Policy: scheduler.CatchUpSkip, MaxLate: time.Hour}, "skipped too_late, skipped too_late, skipped too_late, done "},
		"latest": {scheduler.CatchUp{Policy: scheduler.CatchUpLatest, MaxLate: 80 * time.Hour}, "skipped superseded, skipped superseded, skipped superseded, done "},
		"all":    {scheduler.CatchUp{Policy: scheduler.CatchUpAll, MaxLate: 96 * time.Hour, Max: 2}, "skipped catch_up_limit, skipped catch_up_limit, done , done "},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.setTime(monday())
			p := r.planner(r.Gateway, newTally().job(), daily("digest", c.catchUp, scheduler.HolidayKeep))
			r.plans(p)
			r.setTime(monday().Add(3*24*time.Hour + 30*time.Minute))
			r.plans(p)
			if got := one[string](r, `select string_agg(state || ' ' || reason, ', ' order by nominal_at) from slot`); got != c.want {
				t.Errorf("slots are %q, want %q", got, c.want)
			}
		})
	}
}

func TestPlannerPausedRecordsWhatItLeavesOut(t *testing.T) {
	r := newRig(t)
	r.setTime(monday())
	count := newTally()
	p := r.planner(r.Gateway, count.job(), daily("digest", scheduler.CatchUp{Policy: scheduler.CatchUpLatest, MaxLate: time.Hour}, scheduler.HolidayKeep))
	r.plans(p)
	r.exec(`update schedule set paused_at = product_now() where name = 'digest'`)
	r.setTime(monday().Add(time.Hour))
	r.plans(p)
	r.exec(`update schedule set paused_at = null where name = 'digest'`)
	r.setTime(monday().Add(25 * time.Hour))
	r.plans(p)
	if got := one[string](r, `select string_agg(state || ' ' || reason, ', ' order by nominal_at) from slot`); got != "skipped paused, done " {
		t.Errorf("slots are %q", got)
	}
}

func TestPlannerGoesOnWhereAFailedChunkStopped(t *testing.T) {
	r := newRig(t)
	r.setTime(monday())
	count := newTally()
	p := r.planner(r.Gateway, count.job(), daily("digest", scheduler.CatchUp{Policy: scheduler.CatchUpLatest, MaxLate: time.Hour}, scheduler.HolidayKeep))
	r.plans(p)
	r.setTime(monday().Add(30 * time.Minute))
	count.f = func(_ Slot, cursor string) error {
		if cursor == "1" {
			return errBroken
		}
		return nil
	}
	if _, err := p.Once(t.Context()); !errors.Is(err, errBroken) {
		t.Fatalf("Once: %v", err)
	}
	if got := one[string](r, `select state || ' at ' || cursor from slot`); got != "running at 1" {
		t.Errorf("the slot is %s", got)
	}
	r.plans(p) // nothing: the lease holds
	count.f = nil
	r.exec(`update slot set lease = now() - interval '1 second'`)
	r.plans(p)
	if got := r.count(`select count(*) from trail where kind = 'chunk'`); got != 3 {
		t.Errorf("%d chunks were committed, want 3", got)
	}
	if got := one[string](r, `select state from slot`); got != "done" {
		t.Errorf("the slot is %s", got)
	}
}

func TestPlannerGivesUpWhatIsTooLate(t *testing.T) {
	r := newRig(t)
	r.setTime(monday())
	count := newTally()
	count.f = func(Slot, string) error { return errBroken }
	p := r.planner(r.Gateway, count.job(), daily("digest", scheduler.CatchUp{Policy: scheduler.CatchUpLatest, MaxLate: time.Hour}, scheduler.HolidayKeep))
	r.plans(p)
	r.setTime(monday().Add(30 * time.Minute))
	if _, err := p.Once(t.Context()); !errors.Is(err, errBroken) {
		t.Fatalf("Once: %v", err)
	}
	r.exec(`update slot set lease = now() - interval '1 second'`)
	r.setTime(monday().Add(2 * time.Hour))
	r.plans(p)
	if got := one[string](r, `select state || ': ' || reason from slot`); got != "expired: not finished before it was too late" {
		t.Errorf("the slot is %s", got)
	}
}

func TestAPlannerThatWasOvertakenGivesUp(t *testing.T) {
	r := newRig(t)
	r.setTime(monday())
	count := newTally()
	p := r.planner(r.Gateway, count.job(), daily("digest", scheduler.CatchUp{Policy: scheduler.CatchUpLatest, MaxLate: time.Hour}, scheduler.HolidayKeep))
	r.plans(p)
	r.setTime(monday().Add(30 * time.Minute))
	if _, err := p.plan(t.Context()); err != nil {
		t.Fatal(err)
	}
	stalled, err := r.DB.ClaimSlots(t.Context())
	if err != nil || len(stalled) != 1 {
		t.Fatalf("claimed %v, %v", stalled, err)
	}
	r.exec(`update slot set lease = now() - interval '1 second'`)
	r.plans(p) // another does it to the end
	if err := p.run(t.Context(), stalled[0]); err != nil {
		t.Fatal(err)
	}
	if got := r.count(`select count(*) from trail where kind = 'chunk'`); got != 3 {
		t.Errorf("%d chunks, want 3", got)
	}
}

// Over 400 days, with any pauses between looks, restarts and two planners at
// once, every nominal time is one slot, what ran did so once, and everything
// else has a reason. Each seed is one history: a failure names it.
func TestPlannerRunsEverySlotOnce(t *testing.T) {
	policies := []scheduler.CatchUp{
		{Policy: scheduler.CatchUpSkip, MaxLate: time.Hour},
		{Policy: scheduler.CatchUpLatest, MaxLate: 48 * time.Hour},
		{Policy: scheduler.CatchUpAll, MaxLate: 240 * time.Hour, Max: 3},
	}
	for seed := range uint64(2 * len(policies)) {
		on := scheduler.HolidayKeep
		if seed%2 == 1 {
			on = scheduler.HolidaySkip
		}
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			everySlotOnce(t, rand.New(rand.NewPCG(seed, 1)), daily("digest", policies[seed/2], on))
		})
	}
}

func everySlotOnce(t *testing.T, random *rand.Rand, s scheduler.Schedule) {
	r := newRig(t)
	r.setTime(monday())
	count := newTally()
	a := r.planner(r.Gateway, count.job(), s)
	r.plans(a)
	const longest = 20 * 24 * time.Hour
	for now, end := monday(), monday().Add(400*24*time.Hour); now.Before(end); {
		now = now.Add(time.Minute + time.Duration(random.Int64N(int64(longest))))
		r.setTime(now)
		b := r.planner(r.Gateway, count.job(), s) // a second process, or one started again
		var wg sync.WaitGroup
		for _, p := range []*Planner{a, b} {
			wg.Go(func() {
				if _, err := p.Once(t.Context()); err != nil {
					t.Errorf("Once: %v", err)
				}
			})
		}
		wg.Wait()
		r.plans(b)
		a = b
	}
	last := one[time.Time](r, `select last_slot from schedule`)
	days := int64(last.Sub(monday())/(24*time.Hour)) + 1
	if n := r.count(`select count(*) from slot`); n != days {
		t.Errorf("%d slots for %d days", n, days)
	}
	if n := r.count(`select count(*) from slot where state not in ('done', 'skipped') or (state = 'skipped') <> (reason <> '')`); n != 0 {
		t.Errorf("%d slots are neither done nor skipped with a reason", n)
	}
	if n := r.count(`select count(*) from trail where kind = 'chunk'`); n != 3*r.count(`select count(*) from slot where state = 'done'`) {
		t.Errorf("%d chunks were committed", n)
	}
	if n := r.count(`select count(*) from (select subject from trail where kind = 'chunk' group by subject having count(*) > 1) twice`); n != 0 {
		t.Errorf("%d chunks were done twice", n)
	}
}

// BenchmarkTick is what a tick of planner and due runner costs while a million
// rows wait for the future: at most 10 ms (design 10).
func BenchmarkTick(b *testing.B) {
	r := newRig(b)
	r.exec(`insert into due (kind, subject, key, due_at) select 'flow.nudge', 'conversation:' || n, '', now() + interval '1 day' + n * interval '1 second'
		from generate_series(1, 1000000) n`)
	r.exec(`analyze due`)
	p := r.planner(r.Gateway, newTally().job(), daily("digest", scheduler.CatchUp{Policy: scheduler.CatchUpLatest, MaxLate: time.Hour}, scheduler.HolidayKeep))
	runner := NewRunner(r.Gateway)
	for b.Loop() {
		if _, err := p.Once(b.Context()); err != nil {
			b.Fatal(err)
		}
		if n, err := runner.Once(b.Context()); n != 0 || err != nil {
			b.Fatalf("Once: %d, %v", n, err)
		}
	}
}
