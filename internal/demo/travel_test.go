package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shaoying/internal/clock"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// diary is a worker over the real due table: it notes what it does, and a few
// kinds bring others with them, as tickets do.
type diary struct {
	db    *postgres.DB
	mu    sync.Mutex
	lines []string
}

// Once implements Worker.
func (w *diary) Once(ctx context.Context) (int, error) {
	rows, err := w.db.ClaimDue(ctx, []string{"plain", "chain", "late"}, 8)
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		if err := w.one(ctx, r); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

func (w *diary) one(ctx context.Context, r db.ClaimDueRow) error {
	return w.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		now, err := tx.ProductNow(ctx)
		if err != nil {
			return err
		}
		if r.Kind == "late" && now.Sub(start) < 60*time.Hour { // put off, as by a quiet night
			return tx.PutOffDue(ctx, r.ID, r.DueAt.Add(9*time.Hour), "quiet hours")
		}
		w.note(fmt.Sprintf("%s %s %s", now.Sub(start).Truncate(time.Minute), r.Kind, r.Key))
		if r.Kind == "chain" && len(r.Key) < 6 {
			if err := plan(ctx, tx.Queries, "chain", r.Key+"+", r.DueAt.Add(7*time.Hour)); err != nil {
				return err
			}
		}
		return tx.EndDue(ctx, r.ID, "done", "")
	})
}

func (w *diary) note(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, line)
}

func (w *diary) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.lines, "\n")
}

// calendar is a planner with one slot each morning at 08:30 of its own.
type calendar struct {
	db   *postgres.DB
	note func(string)
	mu   sync.Mutex
	last time.Time
}

func (c *calendar) next() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last.Add(24 * time.Hour)
}

// Next implements Planner.
func (c *calendar) Next(context.Context) (time.Time, bool, error) { return c.next(), true, nil }

// Once implements Planner.
func (c *calendar) Once(ctx context.Context) (int, error) {
	now, err := c.db.ProductNow(ctx)
	if err != nil || now.Before(c.next()) {
		return 0, err
	}
	c.mu.Lock()
	c.last = c.last.Add(24 * time.Hour)
	c.mu.Unlock()
	c.note(now.Sub(start).Truncate(time.Minute).String() + " morning")
	return 1, nil
}

var start = time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC)

// plan plans a row, also one that an earlier run has done.
func plan(ctx context.Context, q *db.Queries, kind, key string, at time.Time) error {
	return q.ReplanDue(ctx, db.ReplanDueParams{Kind: kind, Subject: "test:1", Key: key, Data: []byte("{}"), DueAt: at})
}

// journeyman sets the clock to the start over an empty due table.
func journeyman(t rapid.TB, d *postgres.DB) (*Traveller, *diary) {
	ctx := context.Background()
	if _, err := d.ClearDue(ctx, "again", "test:1", []string{"plain", "chain", "late", "odd"}); err != nil {
		t.Fatal(err)
	}
	if err := d.SetProductTime(ctx, start); err != nil {
		t.Fatal(err)
	}
	w := &diary{db: d}
	p := &calendar{db: d, note: w.note, last: start.Add(-30 * time.Minute)}
	return NewTraveller(d, postgres.NewBus(d, quietLog()), clock.New(), quietLog(), p, w), w
}

// Wherever a journey is cut, and however often, the same is done at the same
// instants.
func TestAdvanceInOneLeapOrMany(t *testing.T) {
	d := open(t)
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		kinds := rapid.SliceOfN(rapid.SampledFrom([]string{"plain", "chain", "late"}), 0, 3).Draw(rt, "kinds")
		hours := rapid.SliceOfN(rapid.IntRange(1, 60), len(kinds), len(kinds)).Draw(rt, "hours")
		cuts := rapid.SliceOfN(rapid.IntRange(1, 30), 1, 3).Draw(rt, "cuts")
		total := 0
		for _, h := range cuts {
			total += h
		}
		do := func(leaps []int) string {
			traveller, w := journeyman(rt, d)
			for i, kind := range kinds {
				// Keys of one length for both, so that chains end alike.
				key := fmt.Sprintf("%c", 'a'+i)
				if err := plan(ctx, d.Queries, kind, key, start.Add(time.Duration(hours[i])*time.Hour+30*time.Second)); err != nil {
					rt.Fatal(err)
				}
			}
			for _, h := range leaps {
				j, err := traveller.Advance(ctx, time.Duration(h)*time.Hour)
				if err != nil || !j.Arrived {
					rt.Fatalf("%+v, %v", j, err)
				}
				for _, s := range j.Stops {
					if s.Left != 0 {
						rt.Fatalf("left behind at %+v", s)
					}
				}
			}
			return w.text()
		}
		once, often := do([]int{total}), do(cuts)
		if once != often {
			rt.Fatalf("in one leap of %d hours:\n%s\nin leaps of %v:\n%s", total, once, cuts, often)
		}
	})
}

func TestAdvanceStopsAtEachInstant(t *testing.T) {
	ctx, d := t.Context(), open(t)
	traveller, w := journeyman(t, d)
	for key, after := range map[string]time.Duration{"a": time.Hour, "b": time.Hour, "c": 30 * time.Hour, "d": 40 * time.Hour} {
		if err := plan(ctx, d.Queries, "plain", key, start.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	j, err := traveller.Advance(ctx, 36*time.Hour)
	if err != nil || !j.Arrived {
		t.Fatalf("%+v, %v", j, err)
	}
	var at []string
	for _, s := range j.Stops {
		at = append(at, s.At.Sub(start).String())
	}
	if got := strings.Join(at, " "); got != "1h0m0s 23h30m0s 30h0m0s" {
		t.Errorf("stops at %s\n%s", got, w.text())
	}
	if h := j.Stops[0].Happened; len(h) != 1 || h[0].Kind != "plain" || h[0].State != "done" || h[0].Count != 2 {
		t.Errorf("at the first stop: %+v", h)
	}
	if j.Now.Sub(j.From) < 36*time.Hour || j.Now.Sub(j.From) > 37*time.Hour {
		t.Errorf("from %v to %v", j.From, j.Now)
	}
	if strings.Contains(w.text(), " d") {
		t.Error("something was done before its time")
	}
}

func TestNextGoesToWhatIsDone(t *testing.T) {
	ctx, d := t.Context(), open(t)
	traveller, w := journeyman(t, d)
	if err := plan(ctx, d.Queries, "late", "a", start.Add(50*time.Hour)); err != nil {
		t.Fatal(err)
	}
	j, err := traveller.Next(ctx)
	if err != nil || !j.Arrived {
		t.Fatalf("%+v, %v", j, err)
	}
	// Two mornings are housework, at 50 h the night puts it off, at 68 h it is done.
	if last := j.Stops[len(j.Stops)-1]; last.At.Sub(start) != 68*time.Hour {
		t.Errorf("went to %v\n%s", last.At.Sub(start), w.text())
	}
	if j, err = traveller.Next(ctx); err != nil || j.Arrived || !j.Nothing {
		t.Errorf("with nothing planned: %+v, %v", j, err)
	}
}

// A row that nobody can run does not hold the clock up for ever, and only once.
func TestStuckRows(t *testing.T) {
	ctx, d := t.Context(), open(t)
	traveller, w := journeyman(t, d)
	for i, kind := range []string{"odd", "plain"} {
		if err := plan(ctx, d.Queries, kind, "a", start.Add(time.Duration(i+1)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	j, err := traveller.Advance(ctx, 20*time.Hour)
	if err != nil || !j.Arrived || len(j.Stops) != 2 || j.Stops[0].Left != 1 {
		t.Fatalf("%+v, %v", j, err)
	}
	if !strings.Contains(w.text(), "2h0m0s plain a") {
		t.Errorf("what came behind it was not done in its time:\n%s", w.text())
	}
}

func TestAdvanceRefuses(t *testing.T) {
	d := open(t)
	traveller, _ := journeyman(t, d)
	for _, tc := range []struct {
		by   time.Duration
		want error
	}{{0, ErrBackwards}, {-time.Hour, ErrBackwards}, {367 * 24 * time.Hour, ErrTooFar}} {
		if _, err := traveller.Advance(t.Context(), tc.by); !errors.Is(err, tc.want) {
			t.Errorf("%v: %v", tc.by, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := traveller.Advance(ended, time.Hour); err == nil {
		t.Error("a journey of nobody")
	}
}
