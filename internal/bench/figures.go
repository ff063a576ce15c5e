package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"text/tabwriter"
	"time"

	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/postgres/managed"
	"shaoying/internal/tally"
	"shaoying/internal/ticket"
)

// FiguresConfig says how much is counted and how often it is asked for.
type FiguresConfig struct {
	Config
	// Tickets is how many there are.
	Tickets int
	// Asked is how often each query is measured.
	Asked int
}

// FiguresReport is what `shaoying bench figures` measured.
type FiguresReport struct {
	Machine Machine `json:"machine"`
	Tickets int     `json:"tickets"`
	// Load is how long it took to write the city, in seconds.
	Load float64 `json:"load_seconds"`
	// Months is how long all days took to be rolled up once, in seconds.
	Months float64 `json:"roll_all_seconds"`
	// Day is how long a day of Changed tickets took to be folded and rolled up,
	// in seconds.
	Day     float64  `json:"day_seconds"`
	Changed int      `json:"day_tickets"`
	Queries []Timing `json:"queries"`
}

// Timing is how long one query took, in milliseconds.
type Timing struct {
	Name  string  `json:"name"`
	P50   float64 `json:"p50_ms"`
	P95   float64 `json:"p95_ms"`
	Max   float64 `json:"max_ms"`
	Count int     `json:"count"`
}

// What the figures must reach: Done 5 of issue 4; aim of design 10.
const (
	queryMust = 200.0 // p95, ms
	queryAim  = 50.0
	dayMust   = 5.0 // s
)

// Figures measures lists, rates and worries over many tickets, in a temporary
// database.
func Figures(ctx context.Context, cfg FiguresConfig, open Open) (report *FiguresReport, err error) {
	if cfg.Tickets < span || cfg.Asked < 20 {
		return nil, fmt.Errorf("bench: at least %d tickets and 20 askings", span)
	}
	err = onServer(ctx, cfg.Config, open, func(_ string, _ *managed.Server, p *Product) (err error) {
		report, err = measure(ctx, cfg, p)
		return err
	})
	return report, err
}

func measure(ctx context.Context, cfg FiguresConfig, p *Product) (*FiguresReport, error) {
	deps := p.Gateway.Deps
	now, err := deps.DB.ProductNow(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the clock: %w", err)
	}
	r := &FiguresReport{Machine: machine(), Tickets: cfg.Tickets}
	c := newCity(deps.DB, p.Tally, cfg.Tickets, now)
	seconds := func(to *float64, f func() error) error {
		start := deps.Clock.Wall()
		err := f()
		*to = deps.Clock.Since(start).Seconds()
		return err
	}
	// The last day stays out of the first roll: it is the one that is measured.
	eve := now.Add(-24 * time.Hour)
	if err := seconds(&r.Load, func() error { return c.load(ctx) }); err != nil {
		return nil, err
	}
	if err := seconds(&r.Months, func() error { return c.roll(ctx, eve) }); err != nil {
		return nil, err
	}
	if r.Changed, err = c.busyDay(ctx); err != nil {
		return nil, err
	}
	err = seconds(&r.Day, func() error {
		for done := false; !done; {
			err := c.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
				done, err = c.tally.Refresh(ctx, tx, 2000)
				return err
			})
			if err != nil {
				return err
			}
		}
		return c.roll(ctx, now)
	})
	if err != nil {
		return nil, err
	}
	if err := c.db.Tidy(ctx, "figure", "figure_month", "figure_dirty"); err != nil {
		return nil, err
	}
	say := tally.Teller{Tally: p.Tally, Texts: deps.Library}
	for _, q := range c.queries(say) {
		t, err := c.time(ctx, cfg.Asked, q, deps.Clock.Wall, deps.Clock.Since)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		r.Queries = append(r.Queries, t)
	}
	r.Machine.LoadAfter = loadAverage()
	return r, nil
}

// roll rolls all days before now.
func (c *city) roll(ctx context.Context, now time.Time) error {
	for done := false; !done; {
		err := c.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
			done, err = c.tally.Roll(ctx, tx, now)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// query is one thing that is asked for again and again.
type query struct {
	name string
	run  func(context.Context, *postgres.Tx, *rand.Rand) error
}

func (c *city) queries(say tally.Teller) []query {
	month := func(r *rand.Rand) time.Time { return c.tally.Month(c.now, r.IntN(12)) }
	page := func(name, area string, f func(tally.Teller, context.Context, *postgres.Tx, tally.Scope, time.Time) (string, error)) query {
		return query{name, func(ctx context.Context, tx *postgres.Tx, r *rand.Rand) error {
			m := month(r)
			_, err := f(say, ctx, tx, tally.Scope{From: m, To: m, Area: area}, c.now)
			return err
		}}
	}
	var states []string
	for _, state := range ticket.States() {
		if state.Open() {
			states = append(states, string(state))
		}
	}
	shown := func(ctx context.Context, tx *postgres.Tx, ids []int64) error {
		rows, err := tx.TicketsByIDs(ctx, ids)
		if err != nil {
			return err
		}
		_, err = postgres.WithAssignments(ctx, tx.Queries, rows)
		return err
	}
	open := func(name string, states []string, prefixes func(*rand.Rand) []string) query {
		return query{name, func(ctx context.Context, tx *postgres.Tx, r *rand.Rand) error {
			arg := db.DeskOpenParams{States: states, Prefixes: prefixes(r), MaxRows: 50}
			for _, prefix := range arg.Prefixes {
				arg.Counties = append(arg.Counties, prefix[:6])
			}
			if err := tx.InOrder(ctx); err != nil {
				return err
			}
			rows, err := tx.DeskOpen(ctx, arg)
			if err != nil {
				return err
			}
			ids := make([]int64, len(rows))
			for i, row := range rows {
				ids[i] = row.ID
			}
			return shown(ctx, tx, ids)
		}}
	}
	counties := func(*rand.Rand) []string { return []string{"360302", "360313", "360321", "360322", "360323"} }
	county := func(*rand.Rand) []string { return []string{"360302"} }
	held := query{"list page, unit", func(ctx context.Context, tx *postgres.Tx, r *rand.Rand) error {
		if err := tx.InOrder(ctx); err != nil {
			return err
		}
		rows, err := tx.DeskHeld(ctx, db.DeskHeldParams{
			Kinds: []string{string(ticket.DeskUnit)}, Codes: []string{c.units[r.IntN(len(c.units))]}, MaxRows: 50,
		})
		if err != nil {
			return err
		}
		ids := make([]int64, len(rows))
		for i, row := range rows {
			ids[i] = row.ID
		}
		return shown(ctx, tx, ids)
	}}
	return []query{
		open("list page, city", states, counties),
		open("list page, township", states, func(r *rand.Rand) []string { return []string{township(r.IntN(townships))} }),
		held,
		open("list page, one state", []string{string(ticket.Signed)}, county),
		page("rates per unit (stars), city", "3603", tally.Teller.StarsPage),
		page("rates of a month, city", "3603", tally.Teller.Rates),
		page("rates of a month, county", "360302", tally.Teller.Rates),
		page("worry counts, city", "3603", tally.Teller.WorryPage),
		page("worry counts, county", "360302", tally.Teller.WorryPage),
		page("ten lines on Monday", "3603", tally.Teller.Monday),
	}
}

// warm is how often a query runs before it is measured.
const warm = 5

func (c *city) time(ctx context.Context, n int, q query, wall func() time.Time, since func(time.Time) time.Duration) (Timing, error) {
	random := rand.New(rand.NewPCG(5, 12))
	var took []time.Duration
	for i := range n + warm {
		start := wall()
		if err := c.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error { return q.run(ctx, tx, random) }); err != nil {
			return Timing{}, err
		}
		if i >= warm {
			took = append(took, since(start))
		}
	}
	slices.Sort(took)
	ms := func(f float64) float64 { return float64(took[min(int(f*float64(n)), n-1)].Microseconds()) / 1000 }
	return Timing{Name: q.name, P50: ms(0.50), P95: ms(0.95), Max: ms(1), Count: n}, nil
}

// Print writes the report for people.
func (r *FiguresReport) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "machine\t%d CPUs, %s\tload before %s\tafter %s\n", r.Machine.CPUs, r.Machine.Go, r.Machine.LoadBefore, r.Machine.LoadAfter)
	fmt.Fprintf(w, "%d tickets written in %.0f s, all days rolled up in %.0f s\n", r.Tickets, r.Load, r.Months)
	fmt.Fprintf(w, "one day's rollup, %d changed tickets\t%.2f s\tmust %.0f s: %s\n", r.Changed, r.Day, dayMust, verdict(r.Day <= dayMust, r.Day <= dayMust))
	fmt.Fprintln(w, "query\tp50\tp95\tlongest\tmust / aim (p95)")
	for _, q := range r.Queries {
		fmt.Fprintf(w, "%s\t%.1f ms\t%.1f ms\t%.1f ms\t%.0f / %.0f ms: %s\n", q.Name, q.P50, q.P95, q.Max, queryMust, queryAim, verdict(q.P95 <= queryMust, q.P95 <= queryAim))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}
