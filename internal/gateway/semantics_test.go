package gateway

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/scheduler"
)

// Reference family-bed 3.3, what the planner and the runner promise.

// A digest that is still being run skips the next one, which is written down; one
// row is done by one worker.
func TestSemantics13Overlap(t *testing.T) {
	r := newRig(t)
	r.setTime(monday())
	count := newTally()
	p := r.planner(r.Gateway, count.job(), daily("digest", scheduler.CatchUp{Policy: scheduler.CatchUpLatest, MaxLate: 6 * time.Hour}, scheduler.HolidayKeep))
	r.plans(p)
	r.setTime(monday().Add(30 * time.Minute))
	r.exec(`insert into slot (schedule, nominal_at, due_at, not_after, state, lease) values ('digest', $1::timestamptz, $1, $1::timestamptz + interval '6 hours', 'running', now() + interval '1 minute')`, monday())
	r.plans(p)
	if got := one[string](r, `select state || ' ' || reason from slot where nominal_at = $1`, monday().Add(30*time.Minute)); got != "skipped still_running" {
		t.Errorf("the digest beside one that runs is %q", got)
	}
	r.exec(`update slot set lease = now() - interval '1 second' where state = 'running'`) // its worker died
	r.setTime(monday().Add(24*time.Hour + 30*time.Minute))
	r.plans(p)
	if got := one[string](r, `select state from slot where nominal_at = $1`, monday().Add(24*time.Hour+30*time.Minute)); got != "done" {
		t.Errorf("the digest after one whose worker died is %q", got)
	}

	var mu sync.Mutex
	runs := map[int64]int{}
	g := r.another(func(_ *Config, d *Deps) {
		d.Kinds = append(d.Kinds, Kind{Name: "test.work", Workers: 4, Run: func(_ context.Context, _ *Turn, due Due) (Outcome, error) {
			mu.Lock()
			defer mu.Unlock()
			runs[due.ID]++
			return Done, nil
		}})
	})
	r.exec(`insert into due (kind, subject, key, due_at) select 'test.work', 'x', i::text, product_now() from generate_series(1, 200) i`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			runner := NewRunner(g, "test.work")
			for {
				n, err := runner.Once(t.Context())
				if err != nil {
					t.Error(err)
				}
				if n == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	for id, n := range runs {
		if n != 1 {
			t.Errorf("row %d was done %d times", id, n)
		}
	}
	if len(runs) != 200 {
		t.Errorf("%d of 200 rows were done", len(runs))
	}
}

// A broadcast to twenty thousand does not delay what is urgent: its rows are claimed
// last, and go out last.
func TestSemantics14Fairness(t *testing.T) {
	r := newRig(t)
	var mu sync.Mutex
	var order []string
	g := r.another(func(_ *Config, d *Deps) {
		d.Kinds = append(d.Kinds, Kind{Name: "test.tell", Workers: 4, Run: func(_ context.Context, _ *Turn, due Due) (Outcome, error) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, due.Key)
			return Done, nil
		}})
	})
	r.exec(`insert into due (kind, subject, key, due_at, data)
		select 'test.tell', 'x', 'all/' || i, product_now() - interval '1 hour', '{"class":"bulk"}' from generate_series(1, 20000) i`)
	for _, class := range []string{"normal", "urgent"} {
		r.exec(`insert into due (kind, subject, key, due_at, data) values ('test.tell', 'x', $1, product_now(), jsonb_build_object('class', $2::text))`, class, class)
	}
	if _, err := NewRunner(g, "test.tell").Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := map[string]bool{}
	for _, key := range order {
		first[key] = true
	}
	if !first["urgent"] || !first["normal"] {
		t.Errorf("behind 20,000 rows the first %d were %s", len(order), fmt.Sprint(order)[:60])
	}
}

// A due row is one message. What is unknown on a network that costs money is sent
// once more where its kind says so and it still means something; anything else, and
// surveys and broadcasts on any network, never.
func TestSemantics07UnknownOutcome(t *testing.T) {
	t.Parallel()
	m, _ := paidRig(t, func(_ *Config, d *Deps) {
		for i := range d.Kinds {
			d.Kinds[i].Again = d.Kinds[i].Name == "tell"
		}
	})
	m.greet("a", "b", "c")
	now := m.now()
	m.plan("tell", "a", "灯修好了", time.Time{})
	m.plan("tell", "b", "灯修好了", now.Add(5*time.Minute))
	m.plan("ask.survey", "c", "a", time.Time{})
	m.due()
	m.due()
	if n := m.count(`select count(*) from outbox where due_id <> 0`); n != 3 {
		t.Fatalf("%d messages of three rows", n)
	}
	m.fails(web, bots.ClassUnknown)
	m.flush()
	unknown := func() string {
		return one[string](m.rig, `select string_agg(chat || ':' || state, ' ' order by chat, id) from outbox where due_id <> 0`)
	}
	if got := unknown(); got != "a:unknown b:unknown c:unknown" {
		t.Fatalf("the rows ended %q", got)
	}
	m.advance(12 * time.Minute)
	m.due()
	m.flush()
	if got := unknown(); got != "a:unknown a:unknown b:unknown c:unknown" {
		t.Errorf("after the second copy: %q", got)
	}
	m.advance(12 * time.Minute)
	m.due()
	m.flush()
	if got := unknown(); got != "a:unknown a:unknown b:unknown c:unknown" {
		t.Errorf("it was sent a third time: %q", got)
	}

	free := newManyRig(t)
	free.greet("a")
	free.plan("ask.survey", "a", "a", time.Time{})
	free.due()
	free.exec(`update outbox set rank = 2 where due_id <> 0`)
	free.fails(web, bots.ClassUnknown)
	free.flush()
	if got := one[string](free.rig, `select state || ' ' || tries from outbox where due_id <> 0`); got != "unknown 1" {
		t.Errorf("a survey that costs nothing is %q, want it never sent again", got)
	}
}

// What lay in the outbox until it meant nothing is not sent, and nobody waits for an
// answer to it.
func TestSemantics04ExpiryBeforeTheCall(t *testing.T) {
	t.Parallel()
	m := newManyRig(t)
	m.greet("a")
	m.plan("tell", "a", "灯修好了", m.now().Add(10*time.Minute))
	m.plan("ask.survey", "a", "a", m.now().Add(10*time.Minute))
	m.due()
	m.advance(11 * time.Minute)
	m.flush()
	if n := m.count(`select count(*) from outbox where due_id <> 0 and state = 'stale' and error like 'too late%'`); n != 2 {
		t.Errorf("%d of 2 messages were kept back: %q", n, m.ends())
	}
	if n := m.count(`select count(*) from prompt where closed_at is null`); n != 0 {
		t.Errorf("%d questions wait for an answer that nobody was asked for", n)
	}
}
