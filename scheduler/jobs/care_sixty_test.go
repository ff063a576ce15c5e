package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
	"shaoying/scheduler/jobs"
)

// Sixty days of a small ward on the real database (four hundred with SHAOYING_SOAK)
// over the Spring Festival and month ends, and twenty over a leap day: two runners and
// two planners, workers that die with rows in their hands, three days of outage.
// Every slot has one end, every row one message or a reason, nothing comes out of its
// window.
func TestSixtyDaysOnTheDatabase(t *testing.T) {
	length := 60
	if os.Getenv("SHAOYING_SOAK") != "" {
		length = 400
	}
	for _, c := range []struct {
		from           string
		length, outage int
	}{{"2026-01-20", length, 30}, {"2028-02-17", 20, 10}} {
		t.Run(c.from, func(t *testing.T) { manyDays(t, c.from, c.length, c.outage) })
	}
}

// life is a ward over many days.
type life struct {
	*ward
	first    scheduler.Date
	beds     []int64
	carers   []string
	runners  []*gateway.Runner
	planners []*gateway.Planner
}

func manyDays(t *testing.T, from string, length, outage int) {
	l := &life{ward: newWard(t, from+" 08:00"), first: day(from)}
	for range 2 {
		p, err := gateway.NewPlanner(l.Gateway, []scheduler.Schedule{{
			Name: "care.plan", Kind: scheduler.Cron, Spec: "10 0 * * *", Zone: "Asia/Shanghai", OnHoliday: scheduler.HolidayKeep,
			CatchUp: scheduler.CatchUp{Policy: scheduler.CatchUpLatest, MaxLate: 24 * time.Hour}, Do: "care.plan", Source: "test",
		}}, l.deps.Orders.Work.Calendar(), []gateway.SlotJob{jobs.CarePlan(l.deps)})
		if err != nil {
			t.Fatal(err)
		}
		l.planners, l.runners = append(l.planners, p), append(l.runners, gateway.NewRunner(l.Gateway))
	}
	l.planner = l.planners[0]
	weekday := []time.Weekday{time.Monday, time.Thursday}
	for i, orders := range [][]care.Item{
		{{Kind: "wound", Every: 3}}, {{Kind: "nursing", Every: 7}, {Kind: "sampling", Weekdays: weekday, OnHoliday: scheduler.HolidaySkip}}, {{Kind: "wound", Weekdays: weekday}},
	} {
		user := fmt.Sprintf("carer%d", i)
		l.move(user, "resident")
		patient := one[int64](l.rig, `insert into person (kind) values ('resident') returning id`)
		l.carers = append(l.carers, user)
		l.beds = append(l.beds, l.opensFor(user, fmt.Sprintf("JC-%d", i), patient, l.first.AddDays(min(length+20, 89)), orders...))
	}
	for d := range length {
		if d >= outage && d < outage+3 {
			continue // nothing runs at all
		}
		l.lives(d)
	}
	l.goOn(l.first.AddDays(length).At(0, zone(t)))
	l.judge(length)
}

// goOn moves the clock to each instant at which something is due, with both runners
// and planners at work.
func (l *life) goOn(end time.Time) {
	l.t.Helper()
	ctx := l.t.Context()
	for now := l.now(); ; now = l.now() {
		next := one[time.Time](l.rig, `select least(coalesce(min(due_at), $1), $1)::timestamptz from due where state = 'planned'`, end)
		if slot, ok, err := l.planner.Next(ctx); err != nil {
			l.t.Fatal(err)
		} else if ok && slot.Before(next) {
			next = slot
		}
		if next.After(now) {
			if err := l.DB.SetProductTime(ctx, next); err != nil {
				l.t.Fatal(err)
			}
		}
		l.work()
		if !next.Before(end) {
			return
		}
	}
}

// work runs everything that is due now.
func (l *life) work() {
	l.t.Helper()
	for {
		var mu sync.Mutex
		var wg sync.WaitGroup
		done := 0
		do := func(once func(context.Context) (int, error)) {
			wg.Go(func() {
				n, err := once(l.t.Context())
				if err != nil {
					l.t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				done += n
			})
		}
		for i := range l.runners {
			do(l.runners[i].Once)
			do(l.planners[i].Once)
		}
		wg.Wait()
		if done == 0 {
			return
		}
	}
}

// lives is one day: the families of every second day answer, the nurse goes her
// round but on every eleventh day, and on every fifth a worker dies.
func (l *life) lives(d int) {
	l.t.Helper()
	date := l.first.AddDays(d)
	if d%45 == 40 {
		for _, b := range l.beds {
			l.onBed(b, l.desk(), care.Renew{To: date.AddDays(60)})
		}
	}
	if d%5 == 2 {
		l.dies(date)
	}
	rows, err := l.sql.Query(l.t.Context(), `select id, starts from visit where day = $1 and state in ('planned', 'notified', 'confirmed', 'move_asked', 'declined') order by starts, id`, postgres.DayOf(date))
	if err != nil {
		l.t.Fatal(err)
	}
	var ids, starts []int64
	for rows.Next() {
		var id, at int64
		if err := rows.Scan(&id, &at); err != nil {
			l.t.Fatal(err)
		}
		ids, starts = append(ids, id), append(starts, at)
	}
	rows.Close()
	for i, id := range ids {
		if d%11 == 5 {
			continue // nobody comes
		}
		at := date.At(scheduler.TimeOfDay(starts[i]), zone(l.t))
		if l.now().Before(at) {
			l.goOn(at)
		}
		nurse := homecare.AsVisitor(one[int64](l.rig, `select staff_id from visit where id = $1`, id))
		l.visit(id, nurse, care.Arrive{Adult: true})
		l.goOn(l.now().Add(10 * time.Minute))
		l.visit(id, nurse, care.Finish{Alone: true, Noted: true})
	}
	l.goOn(date.At(19*60, zone(l.t)))
	if d%2 == 0 {
		l.confirms(date.AddDays(1))
	}
	l.goOn(date.AddDays(1).At(0, zone(l.t)))
}

// confirms answers for every family that was asked about a day.
func (l *life) confirms(date scheduler.Date) {
	for i, b := range l.beds {
		for n := one[int64](l.rig, `select count(*) from visit where bed_id = $1 and day = $2 and state = 'notified'`, b, postgres.DayOf(date)); n > 0; n-- {
			id := one[int64](l.rig, `select id from visit where bed_id = $1 and day = $2 and state = 'notified' order by id limit 1`, b, postgres.DayOf(date))
			l.do(l.carers[i], func(ctx context.Context, t *gateway.Turn) error {
				_, _, err := l.deps.Care.DoVisit(ctx, t, id, homecare.Family(t), care.Confirm{})
				return err
			})
		}
	}
}

// dies is a worker that claims what is due in the evening and is killed: a part of it
// it had begun in a transaction that is gone, the rest it never touched. Its lease
// ends by the database's own clock.
func (l *life) dies(date scheduler.Date) {
	l.t.Helper()
	ctx := l.t.Context()
	at := date.At(8*60+30, zone(l.t))
	if !l.now().Before(at) {
		return
	}
	l.goOn(at.Add(-time.Minute))
	if err := l.DB.SetProductTime(ctx, at); err != nil {
		l.t.Fatal(err)
	}
	rows, err := l.DB.ClaimDue(ctx, homecare.Kinds(), 20)
	if err != nil {
		l.t.Fatal(err)
	}
	killed := errors.New("killed")
	err = l.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		for _, r := range rows {
			if err := tx.EndDue(ctx, r.ID, "done", ""); err != nil {
				return err
			}
		}
		return killed
	})
	if !errors.Is(err, killed) {
		l.t.Fatal(err)
	}
	l.exec(`update due set lease = now() - interval '1 second' where state = 'running'`)
	l.work()
}

// judge looks at what is left after all those days.
func (l *life) judge(length int) {
	l.t.Helper()
	for what, sql := range map[string]string{
		"orders with lost or doubled slots": `select count(*) from (
			select b.id, (i ->> 'ID')::bigint as item, (i ->> 'Seq')::int as seq from bed b cross join jsonb_array_elements(b.items) i) o
			where (select count(*) from (select slot from visit v where v.item_id = o.item and v.state <> 'released' and v.slot <= o.seq
					union all select slot from visit_skip k where k.item_id = o.item) e) <> o.seq
			   or (select count(distinct slot) from (select slot from visit v where v.item_id = o.item and v.state <> 'released' and v.slot <= o.seq
					union all select slot from visit_skip k where k.item_id = o.item) e) <> o.seq`,
		"visits whose day is over and that have no end": `select count(*) from visit where state in ('planned', 'notified', 'confirmed') and latest < (product_now() at time zone 'Asia/Shanghai')::date - 1`,
		"missed visits without a reason":                `select count(*) from visit where state = 'missed' and reason = ''`,
		"skipped slots without a reason":                `select count(*) from visit_skip where reason = ''`,
		"rows that failed or hang":                      `select count(*) from due where state in ('failed', 'running')`,
		"rows that nobody ran":                          `select count(*) from due where state = 'planned' and due_at < product_now() - interval '1 minute'`,
		"rows that ended for no reason":                 `select count(*) from due where kind like 'care.%' and state in ('expired', 'dropped', 'cleared', 'suppressed') and reason = ''`,
		"rows that were said twice":                     `select count(*) from (select due_id from outbox where due_id <> 0 and fallback_of is null group by due_id having count(*) > 1) x`,
		"messages of rows that were cleared":            `select count(*) from outbox o join due d on d.id = o.due_id where d.state <> 'done'`,
		"families asked twice about a version":          `select count(*) from (select 1 from due where kind = 'care.ask' and key like 'ask/%' and state = 'done' group by subject, subject_version, person_id having count(*) > 1) x`,
		"messages after their end":                      `select count(*) from due where kind like 'care.%' and state = 'done' and (done_at > not_after or done_at < due_at)`,
		"open prompts beside another":                   `select count(*) from (select 1 from prompt where closed_at is null group by address_id, extension having count(*) > 1) x`,
	} {
		if n := one[int64](l.rig, sql); n != 0 {
			l.t.Errorf("%d %s", n, what)
		}
	}
	rows, err := l.sql.Query(l.t.Context(), `select d.done_at, d.data ->> 'class', d.key from due d where kind in ('care.tell', 'care.ask', 'care.survey') and state = 'done' and reason = ''`)
	if err != nil {
		l.t.Fatal(err)
	}
	defer rows.Close()
	said := 0
	for rows.Next() {
		var at time.Time
		var class, key string
		if err := rows.Scan(&at, &class, &key); err != nil {
			l.t.Fatal(err)
		}
		if said++; !l.deps.Quiet.Open(at, scheduler.Class(class)) {
			l.t.Errorf("%s was said at %s", key, at.In(zone(l.t)))
		}
	}
	visits := one[int64](l.rig, `select count(*) from visit where state = 'done'`)
	if int64(said) < visits || visits < int64(length)/2 {
		l.t.Errorf("%d things were said about %d visits in %d days", said, visits, length)
	}
	l.t.Logf("%d visits done, %d missed, %d slots skipped, %d things said", visits, one[int64](l.rig, `select count(*) from visit where state = 'missed'`), one[int64](l.rig, `select count(*) from visit_skip`), said)
}
