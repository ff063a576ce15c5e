package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/managed"
	"shaoying/internal/tally"
	"shaoying/scheduler"
)

// What `shaoying bench visits` measures: the planner and the due rows of family
// beds, with the households of ward.go. Nothing is sent; what is queued stays in the
// outbox.
//
//	plan      the nightly slot over beds that were never planned: visits placed,
//	          written, and all that is due around them
//	again     the same slot a night later: all is planned but one day more
//	early     10:00: the question of three days before
//	evening   18:30 before a workday: the question to every family, and at 20:00 to
//	          the second carers; queued with prompts and codes, in product time
//	morning   07:30: the desk's call for each family that has not answered
//
// Every row that was done must have been done inside its own window, and none may
// be left behind: else it is an error and no figure.

// VisitsConfig says how many beds there are; a bed has three visits in the horizon.
type VisitsConfig struct {
	Config
	Beds int
}

// VisitsReport is what was measured.
type VisitsReport struct {
	Machine Machine `json:"machine"`
	Pgbench Rate    `json:"pgbench_two_insert"`
	Beds    int     `json:"beds"`
	Visits  int     `json:"visits"`
	// Plan and Again are visits a second; Ratio is the share of pgbench's rate.
	Plan  Rate `json:"plan"`
	Again Rate `json:"plan_again"`
	// Early, Evening and Morning are how long it took, and how many rows it was.
	Early   Batch `json:"early"`
	Evening Batch `json:"evening"`
	Morning Batch `json:"morning"`
	// Figures is how long a month of all clinics took to be counted, in milliseconds.
	Figures Latency `json:"figures"`
	// RSS is the most memory that the program held, in MB; 0 where the system does
	// not say. PostgreSQL is not in it.
	RSS float64 `json:"rss_mb"`
}

// Batch is rows that came due together.
type Batch struct {
	Rows    int     `json:"rows"`
	Seconds float64 `json:"seconds"`
	// CPU is what the program itself used of it, in seconds.
	CPU float64 `json:"cpu_seconds"`
}

func (b Batch) rate() float64 { return float64(b.Rows) / b.Seconds }

// Done 5 of issue 7; the aims are those of design 10 for surveys, brought down to
// as many rows [J].
const (
	planMust, planAim       = 1000.0, 4000.0 // visits/s
	eveningMust, eveningAim = 10.0, 3.0      // s
	rssMust, rssAim         = 256.0, 128.0   // MB
	figuresMust, figuresAim = 200.0, 50.0    // ms, of 20 askings the slowest
	figuresAsked            = 20
)

// Visits measures the planning of visits and one day's reminders.
func Visits(ctx context.Context, cfg VisitsConfig, open Open) (report *VisitsReport, err error) {
	if cfg.Beds < 10 || cfg.Seconds < 1 {
		return nil, errors.New("bench: at least 10 beds and one second of reference")
	}
	installed, err := managed.Find(ctx)
	if err != nil {
		return nil, err
	}
	tool, err := findPgbench(installed)
	if err != nil {
		return nil, err
	}
	err = onServer(ctx, cfg.Config, open, func(dir string, server *managed.Server, p *Product) (err error) {
		b := &visitsBench{cfg: cfg, product: p, pgbench: pgbench{tool: tool, dsn: server.DSN("postgres"), dir: dir}}
		report, err = b.run(ctx)
		return err
	})
	return report, err
}

type visitsBench struct {
	cfg     VisitsConfig
	product *Product
	pgbench pgbench
	gateway *gateway.Gateway
	planner *gateway.Planner
	runner  *gateway.Runner
	report  *VisitsReport
}

// The days of the measured ward: a Tuesday, and the workday after it.
const (
	benchDay  = "2026-03-03"
	benchNext = "2026-03-04"
)

func (b *visitsBench) at(day, clock string) (time.Time, error) {
	t, err := time.ParseInLocation("2006-01-02 15:04", day+" "+clock, b.product.Care.Orders.Work.Location())
	if err != nil {
		return t, fmt.Errorf("read a time: %w", err)
	}
	return t, nil
}

// clock moves product time.
func (b *visitsBench) clock(ctx context.Context, day, clock string) (time.Time, error) {
	at, err := b.at(day, clock)
	if err != nil {
		return at, err
	}
	return at, b.gateway.DB.SetProductTime(ctx, at.Add(time.Second))
}

func (b *visitsBench) run(ctx context.Context) (*VisitsReport, error) {
	b.report = &VisitsReport{Machine: machine(), Beds: b.cfg.Beds}
	r := b.report
	if err := b.stage(ctx); err != nil {
		return nil, err
	}
	if err := b.reference(ctx); err != nil {
		return nil, err
	}
	if _, err := b.clock(ctx, "2026-03-02", "12:00"); err != nil {
		return nil, err
	}
	if _, err := b.planner.Once(ctx); err != nil { // notes the schedule: what came before is none of its
		return nil, err
	}
	if err := (&ward{db: b.gateway.DB, care: b.product.Care, beds: b.cfg.Beds}).load(ctx); err != nil {
		return nil, err
	}
	stop, err := b.profiled()
	if err != nil {
		return nil, err
	}
	err = b.measure(ctx)
	if err = errors.Join(err, stop()); err != nil {
		return nil, err
	}
	r.RSS = peakMemory()
	if err := b.reference(ctx); err != nil {
		return nil, err
	}
	r.Pgbench.PerSecond = median(r.Pgbench.Runs)
	for _, rate := range []*Rate{&r.Plan, &r.Again} {
		rate.PerSecond = median(rate.Runs)
		rate.Ratio = rate.PerSecond / r.Pgbench.PerSecond
	}
	r.Machine.LoadAfter = loadAverage()
	return r, nil
}

func (b *visitsBench) measure(ctx context.Context) error {
	r := b.report
	first, err := b.plan(ctx, benchDay)
	if err != nil {
		return err
	}
	visits, err := b.gateway.DB.CountVisits(ctx)
	if err != nil {
		return fmt.Errorf("count the visits: %w", err)
	}
	if int(visits) != 3*b.cfg.Beds {
		return fmt.Errorf("%d visits were planned for %d beds: this is no figure", visits, b.cfg.Beds)
	}
	r.Visits = int(visits)
	r.Plan.Runs = append(r.Plan.Runs, float64(visits)/first.Seconds())
	if err := b.gateway.DB.Tidy(ctx, "visit", "due", "bed"); err != nil { // what autovacuum does by the evening
		return err
	}
	// The questions of three days before, to whom is visited seldom.
	if err := b.drain(ctx, &r.Early, homecare.FamilyKinds(), benchDay, "10:00"); err != nil {
		return err
	}
	for _, at := range []string{"18:30", "20:00"} {
		if err := b.drain(ctx, &r.Evening, homecare.FamilyKinds(), benchDay, at); err != nil {
			return err
		}
	}
	again, err := b.plan(ctx, benchNext)
	if err != nil {
		return err
	}
	r.Again.Runs = append(r.Again.Runs, float64(visits)/again.Seconds())
	if err := b.drain(ctx, &r.Morning, []string{homecare.DueTask}, benchNext, "07:30"); err != nil {
		return err
	}
	return b.figures(ctx)
}

// figures counts a month of all clinics again and again.
func (b *visitsBench) figures(ctx context.Context) error {
	var waits []time.Duration
	for range figuresAsked {
		start := b.gateway.Clock.Wall()
		err := b.gateway.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			now, err := tx.ProductNow(ctx)
			if err != nil {
				return fmt.Errorf("read the clock: %w", err)
			}
			of, _, err := b.product.Tally.Care(ctx, tx, tally.CareScope{Month: b.product.Tally.Month(now, 0)}, now)
			if err == nil && len(of) == 0 {
				err = errors.New("nothing was counted: this is no figure")
			}
			return err
		})
		if err != nil {
			return err
		}
		waits = append(waits, b.gateway.Clock.Since(start))
	}
	b.report.Figures = latency(waits, 0)
	return nil
}

// plan runs the nightly slot of a day to its end.
func (b *visitsBench) plan(ctx context.Context, day string) (time.Duration, error) {
	if _, err := b.clock(ctx, day, "00:10"); err != nil {
		return 0, err
	}
	start := b.gateway.Clock.Wall()
	n, err := b.planner.Once(ctx)
	took := b.gateway.Clock.Since(start)
	if err == nil && n == 0 {
		err = errors.New("the planner had nothing to do: this is no figure")
	}
	return took, err
}

// drain lets everything that comes due at a time be done, and proves that all of it
// was, inside its window.
func (b *visitsBench) drain(ctx context.Context, batch *Batch, kinds []string, day, clock string) error {
	at, err := b.clock(ctx, day, clock)
	if err != nil {
		return err
	}
	start, cpu := b.gateway.Clock.Wall(), cpuTime()
	for {
		n, err := b.runner.Once(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	batch.Seconds += b.gateway.Clock.Since(start).Seconds()
	batch.CPU += cpuTime() - cpu
	done, err := b.gateway.DB.CareEvening(ctx, kinds, at, at.Add(time.Minute))
	if err != nil {
		return fmt.Errorf("look what became of reminders: %w", err)
	}
	if done.Done != done.Rows || done.Done == 0 || done.Outside != 0 || done.Behind != 0 {
		return fmt.Errorf("at %s of %d rows %d were done, %d outside their window, and %d were left behind: this is no figure",
			clock, done.Rows, done.Done, done.Outside, done.Behind)
	}
	batch.Rows += int(done.Done)
	return nil
}

// stage is the product's own gateway with an account for phone numbers that nobody
// sends for, and a planner that knows one schedule.
func (b *visitsBench) stage(ctx context.Context) error {
	deps := b.product.Gateway.Deps
	adapter, err := b.product.SMPP(smsChannel, "127.0.0.1:1", "bench", "bench", 1)
	if err != nil {
		return err
	}
	deps.Channels = maps.Clone(deps.Channels)
	deps.Channels[smsChannel] = adapter
	deps.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if b.gateway, err = gateway.New(gateway.Config{}, deps); err != nil {
		return err
	}
	night := scheduler.Schedule{
		Name: "care.plan", Kind: scheduler.Cron, Spec: "10 0 * * *", Zone: b.product.Care.Orders.Work.Location().String(), OnHoliday: scheduler.HolidayKeep, Do: "care.plan",
		CatchUp: scheduler.CatchUp{Policy: scheduler.CatchUpLatest, MaxLate: 24 * time.Hour}, Source: "bench",
	}
	b.planner, err = gateway.NewPlanner(b.gateway, []scheduler.Schedule{night}, b.product.Care.Orders.Work.Calendar(), b.product.Slots)
	b.runner = gateway.NewRunner(b.gateway, homecare.Kinds()...)
	return err
}

func (b *visitsBench) reference(ctx context.Context) error {
	tps, err := b.pgbench.run(ctx, senders, b.cfg.Seconds)
	b.report.Pgbench.Runs = append(b.report.Pgbench.Runs, tps)
	return err
}

func (b *visitsBench) profiled() (stop func() error, err error) {
	if b.cfg.Profile == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(b.cfg.Profile)
	if err != nil {
		return nil, fmt.Errorf("make the profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("start the profile: %w", err), f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// peakMemory is the most that this program held in memory, in MB; 0 off Linux.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return 0
	}
	return kb / 1024
}

// cpuTime is what this program has used of the processors, in seconds.
func cpuTime() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// Print writes the report for people.
func (r *VisitsReport) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "machine\t%d CPUs, %s\tload before %s\tafter %s\n", r.Machine.CPUs, r.Machine.Go, r.Machine.LoadBefore, r.Machine.LoadAfter)
	fmt.Fprintf(w, "%d beds, %d visits\tmeasured\tshare of pgbench\tmust / aim\n", r.Beds, r.Visits)
	fmt.Fprintf(w, "pgbench two-insert, %d clients\t%.0f /s\t\t%s\n", senders, r.Pgbench.PerSecond, list(r.Pgbench.Runs))
	rate := func(name string, v Rate) {
		fmt.Fprintf(w, "%s\t%.0f visits/s\t%.0f %%\t%.0f / %.0f: %s\n", name, v.PerSecond, 100*v.Ratio, planMust, planAim, verdict(v.PerSecond >= planMust, v.PerSecond >= planAim))
	}
	rate("full replan", r.Plan)
	rate("replan, a night later", r.Again)
	batch := func(name string, of Batch) {
		fmt.Fprintf(w, "%s, %d\t%.1f s, %.0f /s\t%.1f %%, %.1f s of the processor\t", name, of.Rows, of.Seconds, of.rate(), 100*of.rate()/r.Pgbench.PerSecond, of.CPU)
	}
	batch("early questions", r.Early)
	fmt.Fprintln(w)
	batch("evening's questions", r.Evening)
	fmt.Fprintf(w, "%.0f / %.0f s: %s\n", eveningMust, eveningAim, verdict(r.Evening.Seconds <= eveningMust, r.Evening.Seconds <= eveningAim))
	batch("morning's calls of desks", r.Morning)
	fmt.Fprintln(w)
	fmt.Fprintf(w, "figures of a month, all clinics\t%.0f ms, slowest %.0f\t\t%.0f / %.0f ms: %s\n", r.Figures.P50, r.Figures.Max, figuresMust, figuresAim,
		verdict(r.Figures.P99 <= figuresMust, r.Figures.P99 <= figuresAim))
	fmt.Fprintf(w, "most memory\t%.0f MB\t\t%.0f / %.0f MB: %s\n", r.RSS, rssMust, rssAim, verdict(r.RSS <= rssMust, r.RSS <= rssAim))
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}
