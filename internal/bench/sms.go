package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"slices"
	"strconv"
	"sync"
	"text/tabwriter"
	"time"

	"shaoying/bots"
	"shaoying/internal/bench/smsc"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres/managed"
)

// What `shaoying bench sms` measures: the real sender over a short message
// service centre of others (npm smpp), on the same cores.
//
//	out      Texts rows lie in the outbox, several for each number; from the
//	         owner's start until the last is answered by the centre and marked
//	urgent   the same rows wait at the rank of bulk, and every 50 ms somebody who
//	         was never seen writes; from the commit of the answer until the
//	         centre has it
//
// The rows are made by turns, as in life. The centre counts the texts, and those
// that came behind a later one to their number.

// SMSConfig says how much is sent.
type SMSConfig struct {
	Config
	// Texts is how many rows wait, each Number of them for one phone number.
	Texts, Number int
	// Urgent is how many urgent texts are sent through them.
	Urgent int
}

// SMSReport is what was measured.
type SMSReport struct {
	Machine Machine `json:"machine"`
	Pgbench Rate    `json:"pgbench_two_insert"`
	Out     Rate    `json:"durable_submits"`
	// Urgent is from commit to submit, while Waiting rows lay before it at the
	// end.
	Urgent  Latency `json:"urgent"`
	Waiting int64   `json:"still_waiting_at_the_last_urgent"`
	Texts   int     `json:"texts"`
	// Disorder is how many texts came behind a later one to their number.
	Disorder int `json:"disorder"`
}

// Done 3 of issue 5, in rows a second and milliseconds.
const (
	smsMust, smsAim = 2000.0, 5000.0
	urgentMust      = 1000.0
)

const (
	smsChannel = bots.ChannelID("bench-sms")
	// smsWords begin the dialogue and are long enough to be its answer.
	smsWords = "测速短信：您反映的路灯已经修好了，请放心"
	// smsWindow is how many submits are unanswered at most.
	smsWindow = 256
	// urgentEvery is the pause between two urgent texts.
	urgentEvery = 50 * time.Millisecond
	// smsTime bounds each run.
	smsTime = 3 * time.Minute
)

// SMS measures how fast texts leave.
func SMS(ctx context.Context, cfg SMSConfig, open Open) (report *SMSReport, err error) {
	if cfg.Rounds < 1 || cfg.Seconds < 1 || cfg.Texts < 1 || cfg.Number < 1 || cfg.Urgent < 1 {
		return nil, errors.New("bench: rounds, seconds, texts, texts of a number and urgent texts must be at least 1")
	}
	installed, err := managed.Find(ctx)
	if err != nil {
		return nil, err
	}
	tool, err := findPgbench(installed)
	if err != nil {
		return nil, err
	}
	dir, err := smsc.Install(ctx)
	if err != nil {
		return nil, err
	}
	err = onServer(ctx, cfg.Config, open, func(work string, server *managed.Server, p *Product) (err error) {
		b := &smsBench{cfg: cfg, product: p, centre: dir, pgbench: pgbench{tool: tool, dsn: server.DSN("postgres"), dir: work}}
		report, err = b.run(ctx)
		return err
	})
	return report, err
}

type smsBench struct {
	cfg     SMSConfig
	product *Product
	centre  string
	pgbench pgbench
	made    int // numbers so far
}

func (b *smsBench) run(ctx context.Context) (*SMSReport, error) {
	r := &SMSReport{Machine: machine(), Texts: b.cfg.Texts}
	for range b.cfg.Rounds {
		if err := b.reference(ctx, r); err != nil {
			return nil, err
		}
		if err := b.round(ctx, r); err != nil {
			return nil, err
		}
	}
	if err := b.reference(ctx, r); err != nil {
		return nil, err
	}
	r.Pgbench.PerSecond, r.Out.PerSecond = median(r.Pgbench.Runs), median(r.Out.Runs)
	r.Out.Ratio = r.Out.PerSecond / r.Pgbench.PerSecond
	r.Machine.LoadAfter = loadAverage()
	return r, nil
}

func (b *smsBench) reference(ctx context.Context, r *SMSReport) error {
	tps, err := b.pgbench.run(ctx, senders, b.cfg.Seconds)
	r.Pgbench.Runs = append(r.Pgbench.Runs, tps)
	return err
}

// round sends all rows once alone and once with urgent ones between them.
func (b *smsBench) round(ctx context.Context, r *SMSReport) error {
	s, err := b.newSMSStage(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if err := b.fill(ctx, s); err != nil {
		return err
	}
	took, err := s.drain(ctx, nil)
	if err != nil {
		return err
	}
	r.Out.Runs = append(r.Out.Runs, float64(b.cfg.Texts)/took.Seconds())
	if err := b.fill(ctx, s); err != nil {
		return err
	}
	var waits []time.Duration
	_, err = s.drain(ctx, func(ctx context.Context) (err error) {
		waits, r.Waiting, err = b.urgent(ctx, s)
		return err
	})
	if err != nil {
		return err
	}
	r.Urgent = latency(waits, 0)
	count, err := s.count(ctx)
	if err != nil {
		return err
	}
	if want := 2*b.cfg.Texts + b.cfg.Urgent; count.Count != want {
		return fmt.Errorf("the centre has %d texts, want %d: this is no figure", count.Count, want)
	}
	r.Disorder += count.Disorder
	return s.close()
}

// smsStage is a gateway with one account at a running centre.
type smsStage struct {
	gateway *gateway.Gateway
	centre  *smsc.Centre
	closed  bool
	mu      sync.Mutex
	urgent  map[string]time.Time // when the centre had them
	counts  chan smsc.Event
	came    chan struct{}
	reading sync.WaitGroup
}

func (b *smsBench) newSMSStage(ctx context.Context) (*smsStage, error) {
	account := smsc.Account{SystemID: "bench", Password: "bench"}
	centre, err := smsc.Start(b.centre, account, 0, true)
	if err != nil {
		return nil, err
	}
	s := &smsStage{centre: centre, urgent: map[string]time.Time{}, counts: make(chan smsc.Event, 1), came: make(chan struct{}, 1)}
	s.reading.Go(s.read)
	if _, _, err := net.SplitHostPort(centre.Addr); err != nil {
		return nil, errors.Join(err, s.close())
	}
	deps := b.product.Gateway.Deps
	if deps.Library, err = gateway.LoadLibrary(ctx, deps.DB, dialogues, "file"); err != nil {
		return nil, errors.Join(fmt.Errorf("load the measured dialogues: %w", err), s.close())
	}
	adapter, err := b.product.SMPP(smsChannel, centre.Addr, account.SystemID, account.Password, smsWindow)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	deps.Channels = maps.Clone(deps.Channels)
	deps.Channels[smsChannel] = adapter
	money := deps.Money.Policy
	money.Number.Parts, money.Campaign.Parts, money.All.Parts = math.MaxInt32, math.MaxInt32, math.MaxInt32
	money.Strange.PerHour, money.Prefix.PerHour = math.MaxInt32, math.MaxInt32
	deps.Money = &gateway.Money{Policy: money, Zone: deps.Money.Zone}
	deps.Log = slog.New(slog.DiscardHandler)
	s.gateway, err = gateway.New(gateway.Config{FloodPerMinute: math.MaxInt32}, deps)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *smsStage) read() {
	for e := range s.centre.Events {
		switch e.Event {
		case "urgent":
			s.mu.Lock()
			s.urgent[e.Text] = time.UnixMilli(int64(e.At))
			s.mu.Unlock()
			select {
			case s.came <- struct{}{}:
			default:
			}
		case "count":
			s.counts <- e
		}
	}
}

func (s *smsStage) close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.centre.Stop()
	s.reading.Wait()
	return err
}

func (s *smsStage) count(ctx context.Context) (smsc.Event, error) {
	if err := s.centre.Do(map[string]any{"do": "count"}); err != nil {
		return smsc.Event{}, err
	}
	select {
	case e := <-s.counts:
		return e, nil
	case <-ctx.Done():
		return smsc.Event{}, ctx.Err()
	}
}

// phone is somebody with a number.
type phone struct {
	number string
	said   int
}

// say hands a text over as the adapter does, and returns when its answer is
// committed to the outbox.
func (s *smsStage) say(ctx context.Context, p *phone, text string) error {
	p.said++
	name := s.gateway.Keys.Pseudonym("phone", p.number)
	return s.gateway.Sink(ctx, []bots.Event{{
		Key: name + "/" + strconv.Itoa(p.said), Channel: smsChannel, Chat: bots.ChatID(name), Kind: bots.KindText, Text: text,
		From: bots.Identity{User: bots.UserID(name), Phone: p.number},
	}})
}

// phones are n that were never seen before.
func (b *smsBench) phones(n int) []*phone {
	all := make([]*phone, n)
	for i := range all {
		all[i] = &phone{number: fmt.Sprintf("+86138%08d", b.made)}
		b.made++
	}
	return all
}

// fill lets everybody write, so that Texts answers lie in the outbox at the
// rank of bulk.
func (b *smsBench) fill(ctx context.Context, s *smsStage) error {
	all := b.phones((b.cfg.Texts + b.cfg.Number - 1) / b.cfg.Number)
	var failed error
	var mu sync.Mutex
	var wg sync.WaitGroup
	left := b.cfg.Texts
	work := make(chan func() error)
	for range crowded {
		wg.Go(func() {
			for f := range work {
				if err := f(); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, p := range all {
		n := min(left, b.cfg.Number)
		left -= n
		work <- func() error {
			for i := range n {
				if err := s.say(ctx, p, smsWords+" "+strconv.Itoa(i)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	close(work)
	wg.Wait()
	if failed != nil {
		return fmt.Errorf("fill the outbox: %w", failed)
	}
	if err := s.gateway.DB.RankOutbox(ctx, 2, string(smsChannel)); err != nil {
		return fmt.Errorf("rank the outbox: %w", err)
	}
	counts, err := s.gateway.DB.OutboxCounts(ctx, string(smsChannel))
	if err != nil {
		return fmt.Errorf("count the outbox: %w", err)
	}
	if counts.Pending != int64(b.cfg.Texts) {
		return fmt.Errorf("%d rows lie in the outbox, want %d: this is no figure", counts.Pending, b.cfg.Texts)
	}
	return nil
}

// drain runs the account until nothing is left and returns how long that took.
// beside runs at the same time.
func (s *smsStage) drain(ctx context.Context, beside func(context.Context) error) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, smsTime)
	defer cancel()
	channel, err := gateway.NewChannel(s.gateway, smsChannel)
	if err != nil {
		return 0, err
	}
	run, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	start := s.gateway.Clock.Wall()
	go func() { done <- channel.Run(run) }()
	var failed error
	if beside != nil {
		failed = beside(ctx)
	}
	for failed == nil {
		// One row is looked for: to count them all would be most of the work.
		waits, err := s.gateway.DB.OldestUnsent(ctx, string(smsChannel))
		if err != nil {
			failed = fmt.Errorf("look whether texts wait: %w", err)
			break
		}
		if waits == 0 {
			break
		}
		failed = sleep(ctx, 20*time.Millisecond)
	}
	took := s.gateway.Clock.Since(start)
	stop()
	if failed = errors.Join(failed, <-done); failed != nil {
		return 0, failed
	}
	counts, err := s.gateway.DB.OutboxCounts(ctx, string(smsChannel))
	if err != nil {
		return 0, fmt.Errorf("count the outbox: %w", err)
	}
	if counts.Failed > 0 || counts.Pending > 0 {
		return 0, fmt.Errorf("%d texts wait and %d were not sent (%s): this is no figure", counts.Pending, counts.Failed, counts.Why)
	}
	return took, nil
}

// urgent lets strangers write while the rows wait.
func (b *smsBench) urgent(ctx context.Context, s *smsStage) (waits []time.Duration, waiting int64, err error) {
	committed := map[string]time.Time{}
	for i, p := range b.phones(b.cfg.Urgent) {
		text := fmt.Sprintf("!%s %d", smsWords, i)
		if err := s.say(ctx, p, text); err != nil {
			return nil, 0, err
		}
		committed[text] = s.gateway.Clock.Wall()
		if err := sleep(ctx, urgentEvery); err != nil {
			return nil, 0, err
		}
	}
	counts, err := s.gateway.DB.OutboxCounts(ctx, string(smsChannel))
	if err != nil {
		return nil, 0, fmt.Errorf("count the outbox: %w", err)
	}
	for len(waits) < len(committed) {
		s.mu.Lock()
		n := len(s.urgent)
		s.mu.Unlock()
		if n == len(committed) {
			for text, at := range committed {
				waits = append(waits, max(0, s.urgent[text].Sub(at)))
			}
			break
		}
		select {
		case <-s.came:
		case <-ctx.Done():
			return nil, 0, fmt.Errorf("%d of %d urgent texts came: %w", n, len(committed), ctx.Err())
		}
	}
	slices.Sort(waits)
	return waits, counts.Pending, nil
}

// Print writes the report for people.
func (r *SMSReport) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "machine\t%d CPUs, %s\tload before %s\tafter %s\n", r.Machine.CPUs, r.Machine.Go, r.Machine.LoadBefore, r.Machine.LoadAfter)
	fmt.Fprintln(w, "what\tmedian\tshare of pgbench\tmust / aim\truns")
	fmt.Fprintf(w, "pgbench two-insert, %d clients\t%.0f /s\t\t\t%s\n", senders, r.Pgbench.PerSecond, list(r.Pgbench.Runs))
	fmt.Fprintf(w, "durable submits with answers\t%.0f /s\t%.1f %%\t%.0f / %.0f /s: %s\t%s\n", r.Out.PerSecond, 100*r.Out.Ratio, smsMust, smsAim,
		verdict(r.Out.PerSecond >= smsMust, r.Out.PerSecond >= smsAim), list(r.Out.Runs))
	fmt.Fprintln(w, "what\tp99\tp50, longest\tmust\tload")
	fmt.Fprintf(w, "urgent text, commit to submit\t%.0f ms\t%.0f, %.0f ms\t%.0f ms: %s\t%d sent while %d waited, %d when the last was\n", r.Urgent.P99, r.Urgent.P50, r.Urgent.Max,
		urgentMust, verdict(r.Urgent.P99 <= urgentMust, r.Urgent.P99 <= urgentMust), r.Urgent.Count, r.Texts, r.Waiting)
	fmt.Fprintf(w, "texts behind a later one of their number\t%d\n", r.Disorder)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}
