package gateway

import (
	"context"
	"sync"
	"testing"
	"time"

	"shaoying/internal/postgres"
)

// work is a due kind that speaks to nobody.
type work struct {
	mu   sync.Mutex
	runs int
	do   func(ctx context.Context, t *Turn, d Due) (Outcome, error)
}

func (w *work) kind(name string) Kind {
	return Kind{Name: name, Workers: 3, Run: func(ctx context.Context, t *Turn, d Due) (Outcome, error) {
		w.mu.Lock()
		w.runs++
		do := w.do
		w.mu.Unlock()
		if do == nil {
			return Done, t.Record(ctx, "worked", d.Subject, nil, "")
		}
		return do(ctx, t, d)
	}}
}

func (w *work) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runs
}

func workRig(t testing.TB) (*rig, *work) {
	w := &work{}
	return newRig(t, func(_ *Config, d *Deps) { d.Kinds = append(d.Kinds, w.kind("work"), telling("")) }), w
}

func (r *rig) planWork(key string, at time.Time) {
	r.t.Helper()
	params, err := dueRows([]Plan{{Kind: "work", Subject: "ticket:1", Key: key, At: at.Add(-time.Second), Data: map[string]any{"n": 1}, Person: 5, Version: 2}})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.DB.PlanDues(r.t.Context(), params); err != nil {
		r.t.Fatal(err)
	}
}

func TestAKeyIsRunOnce(t *testing.T) {
	t.Parallel()
	r, w := workRig(t)
	for range 3 {
		r.planWork("a", r.now())
	}
	r.planWork("later", r.now().Add(time.Hour))
	r.due()
	r.planWork("a", r.now())
	r.due()
	if w.count() != 1 {
		t.Fatalf("ran %d times, want 1", w.count())
	}
	r.advance(2 * time.Hour)
	r.due()
	if w.count() != 2 {
		t.Fatalf("ran %d times, want 2", w.count())
	}
}

func TestTwoRunnersShareTheWork(t *testing.T) {
	t.Parallel()
	r, w := workRig(t)
	now := r.now()
	for i := range 150 {
		r.planWork(string(rune('a'+i)), now)
	}
	stopA := r.start(NewRunner(r.Gateway).Run)
	stopB := r.start(NewRunner(r.another(func(_ *Config, d *Deps) { d.Kinds = append(d.Kinds, w.kind("work")) })).Run)
	r.until("all is done", func() bool { return r.count(`select count(*) from due where state <> 'done'`) == 0 })
	stopA()
	stopB()
	if w.count() != 150 {
		t.Fatalf("ran %d times, want 150", w.count())
	}
}

func TestADeadWorkersRowIsFreedByItsLease(t *testing.T) {
	t.Parallel()
	r, w := workRig(t)
	r.planWork("a", r.now())
	if rows, err := r.DB.ClaimDue(t.Context(), []string{"work"}, 9); err != nil || len(rows) != 1 {
		t.Fatalf("claimed %d, %v", len(rows), err)
	}
	r.due() // the lease holds
	if w.count() != 0 {
		t.Fatal("a row under a lease was run")
	}
	if s := one[float64](r, `select extract(epoch from lease - now())::float8 from due`); s < 25 || s > 30 {
		t.Fatalf("the lease is %.0f s, want 30", s)
	}
	r.exec(`update due set lease = now() - interval '1 second'`)
	r.due()
	if s, _ := r.dueRow("work", "a"); s != "done" || w.count() != 1 {
		t.Fatalf("the row is %s after %d runs", s, w.count())
	}
}

func TestAFailingRowIsTriedAgainThenFailed(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(context.Context, *Turn, Due) (Outcome, error){
		"error": func(ctx context.Context, t *Turn, d Due) (Outcome, error) {
			if err := t.Record(ctx, "worked", d.Subject, nil, ""); err != nil {
				return Outcome{}, err
			}
			return Outcome{}, errBroken
		},
		"panic": func(context.Context, *Turn, Due) (Outcome, error) { panic("broken on purpose") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, w := workRig(t)
			w.do = do
			r.planWork("a", r.now())
			for i := range maxDueTries + 2 {
				r.due()
				if s, why := r.dueRow("work", "a"); i < maxDueTries-1 && (s != "planned" || why == "") {
					t.Fatalf("after try %d the row is %s, %q", i+1, s, why)
				}
				r.advance(2 * time.Minute)
			}
			if s, _ := r.dueRow("work", "a"); s != "failed" || w.count() != maxDueTries {
				t.Fatalf("the row is %s after %d runs, want failed after %d", s, w.count(), maxDueTries)
			}
			if n := r.count(`select count(*) from trail`); n != 0 {
				t.Fatal("a failed run left something")
			}
		})
	}
}

func TestAClearedRowStaysCleared(t *testing.T) {
	t.Parallel()
	r, w := workRig(t)
	clearing := func() {
		if n, err := r.DB.ClearDue(context.WithoutCancel(t.Context()), "withdrawn", "ticket:1", nil); err != nil || n != 1 {
			t.Errorf("ClearDue: %d, %v", n, err)
		}
	}
	r.planWork("before", r.now())
	clearing()
	r.due()
	if w.count() != 0 {
		t.Fatal("a cleared row was run")
	}
	// Cleared after the claim, before the run.
	r.planWork("claimed", r.now())
	rows, err := r.DB.ClaimDue(t.Context(), []string{"work"}, 9)
	if err != nil || len(rows) != 1 {
		t.Fatalf("claimed %d, %v", len(rows), err)
	}
	clearing()
	NewRunner(r.Gateway).run(t.Context(), dueOf(rows[0]))
	if s, why := r.dueRow("work", "claimed"); s != "cleared" || why != "withdrawn" || w.count() != 0 {
		t.Fatalf("the row is %s (%s) after %d runs", s, why, w.count())
	}
	// A worker that failed must not bring it back.
	if err := r.DB.FailedDue(t.Context(), maxDueTries, "too slow", rows[0].ID); err != nil {
		t.Fatal(err)
	}
	if s, _ := r.dueRow("work", "claimed"); s != "cleared" {
		t.Fatalf("the row is %s, want cleared", s)
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	r, w := workRig(t)
	now := r.now()
	later := now.Add(time.Hour)
	w.do = func(_ context.Context, t *Turn, d Due) (Outcome, error) {
		if string(d.Data) != `{"n": 1}` || d.Person != 5 || d.Version != 2 || t.Now.Before(now) || t.Wall.IsZero() {
			return Outcome{}, errBroken
		}
		switch d.Key {
		case "drop":
			return Dropped("no more"), nil
		case "later":
			return Later(later, "not yet"), nil
		}
		return Done, nil
	}
	for _, key := range []string{"done", "drop", "later"} {
		r.planWork(key, now)
	}
	r.due()
	for key, want := range map[string][2]string{"done": {"done", ""}, "drop": {"dropped", "no more"}, "later": {"planned", "not yet"}} {
		if s, why := r.dueRow("work", key); s != want[0] || why != want[1] {
			t.Errorf("%s is %s (%s), want %v", key, s, why, want)
		}
	}
	if at := one[time.Time](r, `select due_at from due where key = 'later'`); !at.Equal(later) {
		t.Fatalf("put off to %v, want %v", at, later)
	}
}

func TestReplanMovesWhatIsNotRunning(t *testing.T) {
	t.Parallel()
	r, w := workRig(t)
	w.do = func(ctx context.Context, t *Turn, d Due) (Outcome, error) {
		return Done, t.ReplanDue(ctx, Plan{Kind: "tell", Subject: "conversation:1", Key: "x", At: t.Now.Add(time.Duration(w.runs) * time.Hour)})
	}
	r.planWork("a", r.now())
	r.due()
	first := one[time.Time](r, `select due_at from due where key = 'x'`)
	r.planWork("b", r.now())
	r.due()
	if second := one[time.Time](r, `select due_at from due where key = 'x'`); second.Sub(first) < 50*time.Minute {
		t.Fatalf("planned for %v, then %v", first, second)
	}
}

func TestNobodyToWriteTo(t *testing.T) {
	t.Parallel()
	r, _ := workRig(t)
	p, err := dueRows([]Plan{{Kind: "tell", Subject: postgres.Subject("conversation", 12345), Key: "a", At: r.now()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.DB.PlanDues(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for range maxDueTries {
		r.due()
		r.advance(2 * time.Minute)
	}
	if s, _ := r.dueRow("tell", "a"); s != "failed" && s != "dropped" {
		t.Fatalf("the row is %s", s)
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string]int64{"ticket:17": 17, "person:17": 0, "ticket:": 0, "ticket:x": 0, "": 0, "ticket:99999999999999999999": 0} {
		id, err := Due{Kind: "k", Subject: subject}.SubjectID("ticket")
		if id != want && err == nil || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v", subject, id, err)
		}
	}
}
