package tally_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"shaoying/configs"
	"shaoying/internal/clock"
	"shaoying/internal/figures"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/postgres/pgtest"
	"shaoying/internal/tally"
	"shaoying/internal/ticket"
	"shaoying/scheduler"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func ok[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func must[T any](t testing.TB, name string, parse func(string, []byte) (T, error)) T {
	t.Helper()
	return ok[T](t)(parse(name, ok[[]byte](t)(configs.Read(name))))
}

// rig is a tally over a database of its own.
type rig struct {
	t     testing.TB
	db    *postgres.DB
	sql   *pgxpool.Pool
	tally *tally.Tally
	rules *ticket.Rules
	spans []scheduler.Span
}

func newRig(t testing.TB) *rig {
	t.Helper()
	ctx, dsn := t.Context(), pgtest.DSN(t, postgres.Migrate)
	r := &rig{t: t, sql: ok[*pgxpool.Pool](t)(pgxpool.New(ctx, dsn+" pool_max_conns=2"))}
	t.Cleanup(r.sql.Close)
	r.db = ok[*postgres.DB](t)(postgres.Open(ctx, dsn, clock.New(), postgres.Options{MaxConns: 4, AllowUnsafe: true}))
	t.Cleanup(r.db.Close)
	zone := ok[*time.Location](t)(time.LoadLocation("Asia/Shanghai"))
	cal := ok[*scheduler.Calendar](t)(scheduler.NewCalendar(must(t, "calendars/cn.csv", scheduler.ParseCalendarCSV)))
	r.spans = must(t, "policies/hours.yaml", scheduler.ParseHours).Work.Spans
	work := ok[*scheduler.WorkTime](t)(scheduler.NewWorkTime(cal, r.spans, zone))
	r.rules = ok[*ticket.Rules](t)(ticket.NewRules(must(t, "policies/tickets.yaml", ticket.ParsePolicy), must(t, "policies/callbacks.yaml", ticket.ParseCallbackPolicy), work))
	list := must(t, "units.yaml", ticket.ParseUnits)
	r.tally = &tally.Tally{
		Policy: must(t, "policies/figures.yaml", figures.ParsePolicy), Work: work, Units: list,
		Matters: must(t, "matters.yaml", func(name string, body []byte) (*ticket.Matters, error) { return ticket.ParseMatters(name, body, list) }),
	}
	r.exec(`insert into person (kind) values ('resident')`)
	r.exec(`insert into address (channel, user_id, chat, person_id, trust) values ('web', 'u', 'u', 1, 'session')`)
	r.exec(`insert into conversation (channel, chat, user_id, address_id) values ('web', 'u', 'u', 1)`)
	return r
}

func (r *rig) exec(sql string, args ...any) {
	r.t.Helper()
	if _, err := r.sql.Exec(r.t.Context(), sql, args...); err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
}

func (r *rig) tx(f func(ctx context.Context, tx *postgres.Tx) error) {
	r.t.Helper()
	if err := r.db.InTx(r.t.Context(), f); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) copy(table string, columns []string, rows [][]any) {
	r.t.Helper()
	if _, err := r.sql.CopyFrom(r.t.Context(), pgx.Identifier{table}, columns, pgx.CopyFromRows(rows)); err != nil {
		r.t.Fatalf("copy into %s: %v", table, err)
	}
}

// load writes tickets as the product would have left them at an instant.
func (r *rig) load(lives []*life, until time.Time) {
	var tickets [][]any
	for _, l := range lives {
		division := l.Place.Division
		tickets = append(tickets, []any{
			l.ID, string(l.Number), string(l.State), l.Claim, l.Matter, string(l.Urgency), division, l.Finding, []byte("x"),
			int64(1), int64(1), int64(1), int32(1), l.ReceivedAt,
		})
	}
	r.copy("ticket", []string{
		"id", "number", "state", "claim", "matter", "urgency", "division", "finding", "words",
		"reporter_id", "address_id", "conversation_id", "version", "received_at",
	}, tickets)
	r.marks(lives, time.Time{}, until)
}

// marks writes what happened after from until until.
func (r *rig) marks(lives []*life, from, until time.Time) {
	var trail, surveys [][]any
	var changed []int64
	for _, l := range lives {
		n := len(trail)
		for _, m := range l.trail {
			if m.at.After(from) && !m.at.After(until) {
				trail = append(trail, []any{m.at, "system", m.kind, postgres.Subject("ticket", l.ID), m.data})
			}
		}
		rated := l.rating != "" && l.rated.After(from) && !l.rated.After(until)
		if rated {
			surveys = append(surveys, []any{"rating", int64(1), l.ID, l.rated, l.rated, l.rating})
		}
		if len(trail) > n || rated {
			changed = append(changed, l.ID)
		}
	}
	r.copy("trail", []string{"at", "actor", "kind", "subject", "data"}, trail)
	r.copy("survey", []string{"kind", "person_id", "ticket_id", "sent_at", "answered_at", "answer"}, surveys)
	r.exec(`update ticket set version = version + 1 where id = any($1)`, changed)
}

// settle folds and rolls in chunks, each in a transaction of its own, as the
// schedule does.
func (r *rig) settle(now time.Time) {
	for done := false; !done; {
		r.tx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			done, err = r.tally.Refresh(ctx, tx, 2000)
			return err
		})
	}
	for done := false; !done; {
		r.tx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			done, err = r.tally.Roll(ctx, tx, now)
			return err
		})
	}
}

// on is where a spot is added up on a side.
func (at spot) on(side string) spot {
	switch at.side = side; side {
	case "unit":
		at.matter = ""
	case "matter":
		at.unit = ""
	case "unit_matter":
		at.area = ""
	}
	return at
}

var sides = []string{"unit", "matter", "unit_matter"}

// fast reads the figures as the product does.
func (r *rig) fast(now time.Time) map[spot]figures.Sums {
	counts := map[spot]figures.Sums{}
	r.tx(func(ctx context.Context, tx *postgres.Tx) error {
		for _, side := range sides {
			list, err := tx.FigureCells(ctx, db.FigureCellsParams{Side: side, Since: month("2025-01"), Until: month("2027-12"), Now: now})
			if err != nil {
				return err
			}
			for _, c := range list {
				at := spot{"", c.Month.Format("2006-01"), c.Unit, c.Area, c.Matter}.on(side)
				s := counts[at]
				s.Add(figures.Of(c.M))
				if counts[at] = s; s == (figures.Sums{}) {
					delete(counts, at)
				}
			}
		}
		return nil
	})
	return counts
}

func month(s string) time.Time { v, _ := time.Parse("2006-01", s); return v }

// slowly reads everything raw and counts it the slow way.
func (r *rig) slowly(now time.Time) *slow {
	s := newSlow(now, r.tally.Work.Calendar(), r.spans, r.tally.Work.Location())
	rows, err := r.sql.Query(r.t.Context(), `select t.id, t.division, t.matter, t.claim, t.finding, coalesce(s.answer, ''), s.answered_at
		from ticket t left join survey s on s.ticket_id = t.id order by t.id`)
	if err != nil {
		r.t.Fatal(err)
	}
	tickets := map[string]*raw{}
	for rows.Next() {
		k := &raw{}
		var rated *time.Time
		if err := rows.Scan(&k.id, &k.division, &k.matter, &k.what, &k.finding, &k.rating, &rated); err != nil {
			r.t.Fatal(err)
		}
		if rated != nil {
			k.rated = *rated
		}
		tickets["ticket:"+strconv.FormatInt(k.id, 10)] = k
	}
	rows, err = r.sql.Query(r.t.Context(), `select subject, kind, at, data from trail order by id`)
	if err != nil {
		r.t.Fatal(err)
	}
	for rows.Next() {
		var subject, kind string
		var at time.Time
		var body []byte
		if err := rows.Scan(&subject, &kind, &at, &body); err != nil {
			r.t.Fatal(err)
		}
		e := rawEvent{kind: strings.TrimPrefix(kind, "ticket."), at: at}
		if err := json.Unmarshal(body, &e.data); err != nil {
			r.t.Fatal(err)
		}
		tickets[subject].events = append(tickets[subject].events, e)
	}
	for _, k := range tickets {
		s.ticket(*k)
	}
	return s
}

func (r *rig) compare(what string, now time.Time) {
	r.t.Helper()
	got, want := r.fast(now), r.slowly(now)
	counts := map[spot]map[figures.Measure]int{}
	for at, n := range want.counts {
		for _, side := range sides {
			on := at.on(side)
			if counts[on] == nil {
				counts[on] = map[figures.Measure]int{}
			}
			for m, v := range n {
				counts[on][m] += v
			}
		}
	}
	bad := 0
	for at := range counts {
		s := got[at]
		for m := range figures.Measures {
			if int(s[m]) != counts[at][m] {
				if bad++; bad < 12 {
					r.t.Errorf("%s: %+v measure %d: %d, the slow way %d", what, at, m, s[m], counts[at][m])
				}
			}
		}
		delete(got, at)
	}
	for at, s := range got {
		r.t.Errorf("%s: %+v is counted %v and should not be", what, at, s)
	}
	r.times(what, now, want)
}

// times compares median and 90th percentile of every unit, and of all, in every
// month.
func (r *rig) times(what string, now time.Time, want *slow) {
	r.t.Helper()
	type group struct{ month, unit string }
	works, clocks := map[group][]int{}, map[group][]int{}
	for at, list := range want.works {
		for _, g := range []group{{at.month, at.unit}, {month: at.month}} {
			works[g], clocks[g] = append(works[g], list...), append(clocks[g], want.clocks[at]...)
			if at.unit == "" {
				break
			}
		}
	}
	r.tx(func(ctx context.Context, tx *postgres.Tx) error {
		for g := range works {
			row, err := r.tally.Times(ctx, tx, tally.Scope{From: month(g.month), To: month(g.month), Unit: g.unit}, now)
			if err != nil {
				return err
			}
			slowly := tally.Times{
				N: int64(len(works[g])), WorkMedian: int32(ranked(works[g], 0.5)), WorkP90: int32(ranked(works[g], 0.9)),
				ClockMedian: int32(ranked(clocks[g], 0.5)), Clock90: int32(ranked(clocks[g], 0.9)),
			}
			if row != slowly {
				r.t.Errorf("%s: times of %v: %+v, the slow way %+v", what, g, row, slowly)
			}
		}
		return nil
	})
}

// TestFiguresEqualTheSlowWay holds Done 3 of issue 4: the figures of random
// tickets equal those of a second implementation from raw events, also when a
// third of the events come late.
func TestFiguresEqualTheSlowWay(t *testing.T) {
	r := newRig(t)
	f := &fate{Rand: rand.New(rand.NewPCG(4, 12)), t: t, rules: r.rules}
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	end := start.AddDate(0, 6, 0)
	lives := make([]*life, howMany)
	for i := range lives {
		from := start.Add(time.Duration(f.Int64N(int64(150 * 24 * time.Hour)))).Truncate(time.Microsecond)
		lives[i] = f.live(int64(i+1), from, end)
	}
	cut := start.AddDate(0, 3, 10).Add(7 * time.Hour)
	r.load(lives, cut)
	r.settle(cut)
	r.marks(lives, cut, end.AddDate(1, 0, 0))
	r.settle(end)
	r.compare("after late events", end)
	var all figures.Sums
	for _, s := range r.fast(end) {
		all.Add(s)
	}
	for m, n := range all {
		if n == 0 {
			t.Errorf("measure %d never occurs: the lives are too dull", m)
		}
	}
}

// TestFoldedAnewIsTheSame: nothing in the months depends on when it was folded.
func TestFoldedAnewIsTheSame(t *testing.T) {
	r := newRig(t)
	f := &fate{Rand: rand.New(rand.NewPCG(7, 12)), t: t, rules: r.rules}
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	lives := make([]*life, 300)
	for i := range lives {
		lives[i] = f.live(int64(i+1), start.Add(time.Duration(f.Int64N(int64(50*24*time.Hour)))).Truncate(time.Microsecond), start.AddDate(0, 3, 0))
	}
	last := start
	for i := range 5 { // in five instalments, each read at its end
		now := start.AddDate(0, 0, 20*(i+1)).Add(5 * time.Hour)
		if i == 0 {
			r.load(lives, now)
		} else {
			r.marks(lives, last, now)
		}
		if last = now; i%2 == 0 {
			r.settle(now)
		}
	}
	r.tx(func(ctx context.Context, tx *postgres.Tx) error { _, err := r.tally.Refresh(ctx, tx, 0); return err })
	before := r.fast(last)
	r.exec(`truncate figure, figure_month`)
	r.exec(`update figure_state set rolled_until = null`)
	r.exec(`insert into figure_dirty select id from ticket`)
	r.settle(last)
	after := r.fast(last)
	if len(before) == 0 || len(before) != len(after) {
		t.Errorf("%d cells, %d when all is folded anew", len(before), len(after))
	}
	for at, s := range before {
		if after[at] != s {
			t.Errorf("%+v: %v, folded anew %v", at, s, after[at])
		}
	}
}
