package jobs_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
	"shaoying/scheduler/jobs"
)

// Reference family-bed 3.3 on the database. The others of the sixteen are proven
// where they live: packages scheduler, care and gateway.

// asked is the first visit of a ward whose family was asked this evening; nothing of
// it is sent yet.
func (w *ward) asked() (bed, visit int64) {
	w.t.Helper()
	bed = w.opens()
	w.until("2026-03-03 18:30")
	visit = one[int64](w.rig, `select id from visit where bed_id = $1 order by id limit 1`, bed)
	if got := one[string](w.rig, `select state from visit where id = $1`, visit); got != "notified" {
		w.t.Fatalf("the first visit is %s after the evening's question", got)
	}
	return bed, visit
}

// visit runs a command on a visit.
func (w *ward) visit(id int64, by care.Actor, c care.VisitCommand) {
	w.t.Helper()
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		_, _, err := w.deps.Care.DoVisit(ctx, t, id, by, c)
		return err
	})
}

func (w *ward) onBed(id int64, by care.Actor, c care.BedCommand) {
	w.t.Helper()
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		_, err := w.deps.Care.DoBed(ctx, t, id, by, c)
		return err
	})
}

// moves gives a visit the first free window that it does not have.
func (w *ward) moves(id int64) {
	w.t.Helper()
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		offers, err := w.deps.Care.Offers(ctx, t, id)
		if err != nil {
			return err
		}
		_, v, err := w.deps.Care.LoadVisit(ctx, t, id)
		if err != nil {
			return err
		}
		offers = slices.DeleteFunc(offers, func(o care.Offer) bool { return o.Date == v.Date && o.Window == v.Window })
		if len(offers) == 0 {
			return errors.New("nothing is free")
		}
		_, _, err = w.deps.Care.MoveTo(ctx, t, id, w.desk(), offers[0], false)
		return err
	})
}

// sends lets everything go that waits in the outbox, to a network that remembers.
func (w *ward) sends() *choosy {
	w.t.Helper()
	net := newChoosy()
	sendingOver(w.t, w.rig, map[bots.ChannelID]bots.Adapter{web: net})
	w.rig.settle()
	return net
}

func (c *choosy) texts(chat string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, m := range c.got[bots.ChatID(chat)] {
		all = append(all, m.Text)
	}
	return strings.Join(all, "\n")
}

// Eight planners and forced rollbacks: each slot has one visit, each rung one row.
func TestSemantics02OncePerSlot(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	bed := w.opens()
	plan := jobs.CarePlan(w.deps)
	var n atomic.Int64
	errForced := errors.New("forced")
	race := gateway.SlotJob{Name: "race", Run: func(ctx context.Context, t *gateway.Turn, slot gateway.Slot, cursor string) (string, bool, error) {
		next, done, err := plan.Run(ctx, t, slot, cursor)
		if err == nil && n.Add(1)%3 == 0 {
			err = errForced
		}
		return next, done, err
	}}
	var schedules []scheduler.Schedule
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		schedules = append(schedules, scheduler.Schedule{
			Name: "race." + name, Kind: scheduler.Cron, Spec: "10 0 * * *", Zone: "Asia/Shanghai", OnHoliday: scheduler.HolidayKeep,
			CatchUp: scheduler.CatchUp{Policy: scheduler.CatchUpLatest, MaxLate: 20 * time.Hour}, Do: "race", Source: "test",
		})
	}
	planner := func() *gateway.Planner {
		p, err := gateway.NewPlanner(w.Gateway, schedules, w.deps.Orders.Work.Calendar(), []gateway.SlotJob{race})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if _, err := planner().Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	for d := range 12 {
		if err := w.DB.SetProductTime(t.Context(), at(t, "2026-03-04 00:10").AddDate(0, 0, d)); err != nil {
			t.Fatal(err)
		}
		for round := 0; round == 0 || one[int64](w.rig, `select count(*) from slot where schedule like 'race.%' and state in ('planned', 'running')`) > 0; round++ {
			if round > 50 {
				t.Fatal("the planners come to no end")
			}
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					if _, err := planner().Once(t.Context()); err != nil && !errors.Is(err, errForced) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			w.exec(`update slot set lease = now() - interval '1 second' where state = 'running'`) // the rolled back are tried again
		}
	}
	if n.Load() < 96 {
		t.Errorf("%d chunks ran, want eight planners on twelve days", n.Load())
	}
	var lost []int64
	rows, err := w.sql.Query(t.Context(), `select item_id from visit where bed_id = $1 and state <> 'released'
		group by item_id having count(*) <> count(distinct slot) or count(*) + (select count(*) from visit_skip k where k.item_id = visit.item_id) <> max(slot)`, bed)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		lost = append(lost, id)
	}
	if len(lost) > 0 {
		t.Errorf("orders %d have lost or doubled slots", lost)
	}
	if n := one[int64](w.rig, `select count(*) from (select 1 from due where kind = 'care.ask' and state = 'planned' and key like 'ask/%' group by subject, person_id having count(*) > 1) x`); n != 0 {
		t.Errorf("%d visits are asked about twice", n)
	}
}

// Too late at planning, at dequeue and before the call: the third is the gateway's
// (package gateway), for care it is seen here once more.
func TestSemantics04Expiry(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.opens()
	if err := w.DB.SetProductTime(t.Context(), at(t, "2026-03-03 20:31")); err != nil { // everything stood still
		t.Fatal(err)
	}
	w.drain()
	w.until("2026-03-04 12:00")
	if n := one[int64](w.rig, `select count(*) from due where kind = 'care.ask' and key like 'ask/%' and due_at < $1 and state = 'expired' and reason like 'too late%'`, w.now()); n != 1 {
		t.Errorf("%d evening questions ended as too late, want one", n)
	}
	if got := strings.Join(w.heard("wife"), "\n"); strings.Contains(got, "回1") && strings.Contains(got, "明天") {
		t.Errorf("the family was asked too late: %q", got)
	}

	late := newWard(t, "2026-03-03 09:00")
	late.asked()
	if err := late.DB.SetProductTime(t.Context(), at(t, "2026-03-03 20:31")); err != nil {
		t.Fatal(err)
	}
	if got := late.sends().texts("wife"); strings.Contains(got, "有人吗") {
		t.Errorf("a question of the evening went out at 20:31: %q", got)
	}
	if n := one[int64](late.rig, `select count(*) from outbox o join due d on d.id = o.due_id where d.kind = 'care.ask' and o.state = 'stale' and o.error like 'too late%'`); n != 1 {
		t.Errorf("%d questions were kept back as too late", n)
	}
}

// What changed after the text was written keeps it back.
func TestSemantics05LateBinding(t *testing.T) {
	for name, change := range map[string]func(w *ward, bed, visit int64){
		"moved":     func(w *ward, _, visit int64) { w.moves(visit) },
		"cancelled": func(w *ward, _, visit int64) { w.visit(visit, w.desk(), care.Cancel{Reason: "doctor"}) },
		"admitted":  func(w *ward, bed, _ int64) { w.onBed(bed, w.desk(), care.Suspend{Reason: "admission"}) },
		"withdrawn": func(w *ward, bed, _ int64) {
			w.onBed(bed, care.Actor{As: care.AsFamily, Person: w.wife}, care.WithdrawConsent{})
		},
		"dead":       func(w *ward, bed, _ int64) { w.onBed(bed, w.desk(), care.Death{}) },
		"the carer":  func(w *ward, _, _ int64) { w.exec(`update person set died_at = product_now() where id = $1`, w.wife) },
		"wants none": func(w *ward, _, _ int64) { w.exec(`insert into opt_out (person_id, topic) values ($1, 'all')`, w.wife) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWard(t, "2026-03-03 09:00")
			bed, visit := w.asked()
			change(w, bed, visit)
			if got := w.sends().texts("wife"); strings.Contains(got, "有人吗") {
				t.Errorf("the family was asked all the same: %q", got)
			}
			if n := one[int64](w.rig, `select count(*) from outbox o join due d on d.id = o.due_id where d.kind = 'care.ask' and o.state = 'stale' and o.error <> ''`); n != 1 {
				t.Errorf("%d questions were kept back with a reason", n)
			}
			if n := one[int64](w.rig, `select count(*) from prompt where closed_at is null`); n != 0 {
				t.Errorf("%d questions still wait", n)
			}
		})
	}
}

// Moving makes a new version, clears every row of the old one in its transaction, and
// moving twice within ten minutes is told once.
func TestSemantics06Reschedule(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	_, visit := w.asked()
	w.heard("wife")
	before := one[int64](w.rig, `select version from visit where id = $1`, visit)
	w.moves(visit)
	w.until("2026-03-03 18:35")
	w.moves(visit)
	version := one[int64](w.rig, `select version from visit where id = $1`, visit)
	if version != before+2 {
		t.Errorf("version %d after moving %d twice", version, before)
	}
	subject := homecare.VisitSubject(visit)
	if n := one[int64](w.rig, `select count(*) from due where subject = $1 and state = 'planned' and subject_version < $2 and kind in ('care.tell', 'care.ask', 'care.survey')`, subject, version); n != 0 {
		t.Errorf("%d rows of an older version are planned", n)
	}
	w.do("wife", func(ctx context.Context, t *gateway.Turn) error { // what was asked is answered truthfully, and changes nothing
		b, v, err := w.deps.Care.LoadVisit(ctx, t, visit)
		if got := w.deps.Care.Rules.Reply(b.Bed, v, int(before), t.Now); got == care.Live {
			w.t.Errorf("an answer to the old version is %s", got)
		}
		return err
	})
	w.until("2026-03-03 19:00")
	if n := one[int64](w.rig, `select count(*) from due where subject = $1 and key like 'changed/%' and state = 'done'`, subject); n != 1 {
		t.Errorf("the change was told %d times", n)
	}
}

// A due row is one message, however often it is run; the copy of a message that two
// kinds plan is none.
func TestSemantics07OneRowOneMessage(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.asked()
	w.exec(`update due set state = 'running', lease = now() - interval '1 minute' where kind = 'care.task' and state = 'planned'`) // a worker died
	w.until("2026-03-03 20:00")
	if n := one[int64](w.rig, `select count(*) from (select due_id from outbox where due_id <> 0 and class = 'push' group by due_id having count(*) > 1) x`); n != 0 {
		t.Errorf("%d rows were said twice", n)
	}
	kinds := map[string]bool{}
	for _, k := range jobs.All(w.deps) {
		kinds[k.Name] = k.Again
	}
	if !kinds[homecare.DueAsk] || !kinds[homecare.DueTell] || kinds[homecare.DueSurvey] {
		t.Errorf("sent once more when unknown: ask %t, tell %t, survey %t", kinds[homecare.DueAsk], kinds[homecare.DueTell], kinds[homecare.DueSurvey])
	}
}

// A clock that steps back sends nothing twice.
func TestSemantics09ClockSteppingBack(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	_, visit := w.asked()
	n := one[int64](w.rig, `select count(*) from outbox`)
	for _, back := range []string{"2026-03-03 17:00", "2026-03-03 12:00"} {
		if err := w.DB.SetProductTime(t.Context(), at(t, back)); err != nil {
			t.Fatal(err)
		}
		w.do("desk", func(ctx context.Context, t *gateway.Turn) error { return w.deps.Care.Resync(ctx, t, visit) })
		w.until("2026-03-03 18:45")
	}
	if again := one[int64](w.rig, `select count(*) from outbox`); again != n {
		t.Errorf("%d messages became %d", n, again)
	}
}

// A programme that stands still sends nothing; when it goes on, what is too late is
// written down as paused and the rest goes out over fifteen minutes. Calls for help
// wait for nobody.
func TestSemantics15Pause(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	bed := w.opens()
	inTx := func(f func(ctx context.Context, tx *postgres.Tx) error) {
		t.Helper()
		if err := w.DB.InTx(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	staff := w.desk().Staff
	inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := w.deps.Care.Pause(ctx, tx, staff, "nothing", ""); !errors.Is(err, homecare.ErrNoProgramme) {
			t.Errorf("an unknown programme was paused: %v", err)
		}
		done, err := w.deps.Care.Pause(ctx, tx, staff, care.FamilyBed, "surge")
		if again, _ := w.deps.Care.Pause(ctx, tx, staff, care.FamilyBed, ""); !done || again {
			t.Errorf("paused %t, once more %t", done, again)
		}
		return err
	})
	w.heard("wife")
	w.until("2026-03-03 19:00")
	if got := w.heard("wife"); len(got) != 0 {
		t.Errorf("a paused programme said %q", got)
	}
	visit := one[int64](w.rig, `select id from visit where bed_id = $1 order by id limit 1`, bed)
	day, starts := one[time.Time](w.rig, `select day from visit where id = $1`, visit), one[int64](w.rig, `select starts from visit where id = $1`, visit)
	start := scheduler.DateOf(day).At(scheduler.TimeOfDay(starts), zone(t))
	w.until(start.Add(-90 * time.Minute).Format("2006-01-02 15:04"))
	var r homecare.Released
	inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		r, err = w.deps.Care.Resume(ctx, tx, staff, care.FamilyBed)
		return err
	})
	if !r.Done || r.Due == 0 {
		t.Errorf("resumed: %+v", r)
	}
	over := one[time.Time](w.rig, `select max(due_at) from due where state = 'planned' and reason = '' and kind like 'care.%' and due_at <= $1`, w.now().Add(15*time.Minute))
	if over.Sub(w.now()) > 15*time.Minute {
		t.Errorf("the last goes out %s later", over.Sub(w.now()))
	}
	w.until(start.Add(-70 * time.Minute).Format("2006-01-02 15:04"))
	if n := one[int64](w.rig, `select count(*) from due where kind = 'care.ask' and key like 'ask/%' and state = 'expired' and reason = 'paused'`); n != 1 {
		t.Errorf("%d evening questions ended as paused", n)
	}
	if n := one[int64](w.rig, `select count(*) from task where kind = 'care.call_morning'`); n != 1 {
		t.Errorf("%d morning calls after the pause, want the one that still means something", n)
	}
	if n := one[int64](w.rig, `select count(*) from trail where kind in ('programme.paused', 'programme.resumed')`); n != 2 {
		t.Errorf("%d events of the pause in the trail", n)
	}
	inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := w.deps.Care.Pause(ctx, tx, 0, homecare.AllProgrammes, "")
		return err
	})
	w.visit(visit, homecare.AsVisitor(one[int64](w.rig, `select staff_id from visit where id = $1`, visit)), care.Leave{})
	w.visit(visit, homecare.AsVisitor(one[int64](w.rig, `select staff_id from visit where id = $1`, visit)), care.Help{})
	if n := one[int64](w.rig, `select count(*) from task where kind = 'care.help' and state = 'open'`); n == 0 {
		t.Error("a call for help waited for the end of a pause")
	}
}

// Before a rule is changed one sees what it changes; afterwards what is planned has
// moved (complaint 7).
func TestSemantics15DryRunOnTheDatabase(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	bed := w.opens()
	body := strings.Replace(string(config(t, "programmes/family_bed.yaml")), `{kind: ask, due: {of: start, days: -1, at: "18:30"}`, `{kind: ask, due: {of: start, days: -1, at: "17:30"}`, 1)
	rules, err := w.deps.Care.RulesWith("family_bed.yaml", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	var d homecare.Difference
	err = w.DB.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) (err error) {
		d, err = w.deps.Care.DryRun(ctx, tx, rules)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	asks := one[int64](w.rig, `select count(*) from due where kind = 'care.ask' and key like 'ask/%' and state = 'planned'`)
	if int64(len(d.Clear)) != asks || len(d.Add) != len(d.Clear) {
		t.Errorf("%d would be cleared and %d planned, want %d", len(d.Clear), len(d.Add), asks)
	}
	w.deps.Care.Rules = rules
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error { return w.deps.Care.Replan(ctx, t, []int64{bed}) })
	if n := one[int64](w.rig, `select count(*) from due where kind = 'care.ask' and key like 'ask/%' and state = 'planned' and (due_at at time zone 'Asia/Shanghai')::time = '17:30'`); n != asks {
		t.Errorf("%d of %d questions have moved", n, asks)
	}
}

// The ledger says for a day what was sent, what was not and why, and who answered.
func TestSemantics16Ledger(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	bed, visit := w.asked()
	w.sends()
	w.visit(visit, care.Actor{As: care.AsFamily, Person: w.wife}, care.Confirm{})
	var of homecare.Ledger
	read := func(what homecare.LedgerOf) homecare.Ledger {
		t.Helper()
		err := w.DB.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) (err error) {
			of, err = w.deps.Care.Ledger(ctx, tx, what)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return of
	}
	today := day("2026-03-03")
	wife := read(homecare.LedgerOf{Person: w.wife, From: today, To: today})
	i := slices.IndexFunc(wife.Entries, func(e homecare.LedgerEntry) bool { return e.Rung == "ask" })
	if i < 0 {
		t.Fatalf("the question is not in the ledger of who was asked: %+v", wife.Entries)
	}
	if e := wife.Entries[i]; e.State != "done" || len(e.Sent) != 1 || e.Sent[0].State != "sent" || e.Asked == nil {
		t.Errorf("the question in the ledger: %+v", e)
	}
	if !slices.ContainsFunc(wife.Events, func(e homecare.LedgerEvent) bool { return e.Kind == "visit.confirmed" }) {
		t.Errorf("who answered is not in the ledger: %+v", wife.Events)
	}
	tomorrow := read(homecare.LedgerOf{Bed: bed, From: today, To: day("2026-03-04")})
	if !slices.ContainsFunc(tomorrow.Entries, func(e homecare.LedgerEntry) bool {
		return e.Rung == "call_morning" && e.State == "cleared" && e.Reason != ""
	}) {
		t.Errorf("why nobody rings in the morning is not in the ledger")
	}
	var ahead homecare.Ledger
	err := w.DB.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) (err error) {
		what := homecare.LedgerOf{Orgs: []int64{w.clinic}}
		what.From, what.To = w.deps.Care.Days(w.now(), 7)
		ahead, err = w.deps.Care.Preview(ctx, tx, what)
		return err
	})
	if err != nil || len(ahead.Entries) == 0 {
		t.Errorf("nothing is ahead: %v", err)
	}
	if err := w.DB.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		what := homecare.LedgerOf{Orgs: []int64{w.clinic + w.hospital}} // another clinic
		what.From, what.To = w.deps.Care.Days(w.now(), 7)
		others, err := w.deps.Care.Preview(ctx, tx, what)
		if len(others.Entries) != 0 {
			t.Errorf("another clinic sees %d entries", len(others.Entries))
		}
		if err != nil {
			return err
		}
		what.Orgs, what.Everywhere = nil, true // shaoying care due
		all, err := w.deps.Care.Preview(ctx, tx, what)
		if len(all.Entries) < len(ahead.Entries) {
			t.Errorf("%d entries everywhere, %d at one clinic", len(all.Entries), len(ahead.Entries))
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	for _, e := range ahead.Entries {
		if e.State != "planned" || e.Rung == "" || e.At.After(at(t, "2026-03-10 00:00")) {
			t.Errorf("ahead stands %+v", e)
		}
	}
}

// A question that was sent is no reason to keep the same question back: also the
// early one, which is due only while nobody was asked.
func TestAnEarlyQuestionGoesOut(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	bed := w.opens()
	item := one[int64](w.rig, `select item_id from visit where bed_id = $1 and kind = 'nursing' limit 1`, bed)
	when := one[time.Time](w.rig, `select d.due_at from due d join visit v on d.subject = 'visit:' || v.id where v.item_id = $1 and d.key like 'ask_early/%' order by d.due_at limit 1`, item)
	w.until(when.In(zone(t)).Format("2006-01-02 15:04"))
	w.sends()
	if got := one[string](w.rig, `select o.state from outbox o join due d on d.id = o.due_id where d.key like 'ask_early/%' order by o.id limit 1`); got != "sent" {
		t.Errorf("the early question is %s: %s", got, one[string](w.rig, `select o.error from outbox o join due d on d.id = o.due_id where d.key like 'ask_early/%' order by o.id limit 1`))
	}
}

// A family that nobody can write to stops no other family, and becomes a call of the
// desk that stays until it is settled (complaint 10).
func TestComplaint10OneBadRecordOnTheDatabase(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	bed := w.opens()
	w.move("son", "resident")
	other := one[int64](w.rig, `insert into person (kind) values ('resident') returning id`)
	w.opensFor("son", "JC-2", other, scheduler.Date{})
	w.exec(`update address set state = 'gone' where user_id = 'wife'`)
	w.heard("son")
	w.until("2026-03-03 18:30")
	if got := strings.Join(w.heard("son"), "\n"); !strings.Contains(got, "有人吗") {
		t.Errorf("the other family heard %q", got)
	}
	visit := one[int64](w.rig, `select id from visit where bed_id = $1 order by id limit 1`, bed)
	open := func() int64 {
		return one[int64](w.rig, `select count(*) from task where kind = 'care.ask' and subject = $1 and state = 'open'`, homecare.VisitSubject(visit))
	}
	if open() != 1 {
		t.Errorf("%d calls lie before the desk instead of the question", open())
	}
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error { return w.deps.Care.Resync(ctx, t, visit) })
	if open() != 1 {
		t.Error("looking again took the call away")
	}
	w.visit(visit, w.desk(), care.Confirm{})
	if open() != 0 {
		t.Error("the call is still there after it was settled")
	}
}

// A bed that cannot be planned holds up no other bed's visits (complaint 10): it
// lies before the administrators, once, and is planned again when it is mended.
func TestComplaint10OneBadBed(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.hire("admin", people.RoleAdmin, people.AreaCity, workorder.CityCode)
	bad := w.opens()
	w.move("son", "resident")
	good := w.opensFor("son", "JC-2", one[int64](w.rig, `insert into person (kind) values ('resident') returning id`), scheduler.Date{})
	w.exec(`create function spoilt() returns trigger language plpgsql as $$ begin if new.bed_id = 1 then raise 'spoilt'; end if; return new; end $$`)
	w.exec(`create trigger spoilt before insert on visit for each row execute function spoilt()`)
	if bad != 1 {
		t.Fatalf("the trigger is for bed 1, this is bed %d", bad)
	}
	last := func(bed int64) string {
		return one[string](w.rig, `select max(day)::text from visit where bed_id = $1`, bed)
	}
	tasks := func() int64 {
		return one[int64](w.rig, `select count(*) from task where kind = 'unplanned' and subject = $1 and state = 'open'`, homecare.BedSubject(bad))
	}
	before, stays := last(good), last(bad)
	plan := func(day string) {
		w.until(day + " 08:00")
		w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
			_, done, err := jobs.CarePlan(w.deps).Run(ctx, t, gateway.Slot{}, "")
			if err == nil && !done {
				err = errors.New("there is more")
			}
			return err
		})
	}
	for _, day := range []string{"2026-03-10", "2026-03-11"} {
		plan(day)
		if last(good) <= before || last(bad) != stays || tasks() != 1 {
			t.Errorf("%s: the good bed is planned to %s after %s, the bad one to %s after %s, %d tasks", day, last(good), before, last(bad), stays, tasks())
		}
	}
	w.exec(`drop trigger spoilt on visit`)
	plan("2026-03-12")
	if last(bad) <= stays {
		t.Errorf("the mended bed is planned to %s, as before", last(bad))
	}
}
