package gateway

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/spool"
)

// Metrics counts what the gateway does. A nil *Metrics counts nothing. Labels
// are names of channels, kinds and classes; never anything of a person.
type Metrics struct {
	events    *prometheus.CounterVec
	replies   *prometheus.CounterVec
	outcomes  *prometheus.CounterVec
	dues      *prometheus.CounterVec
	dangers   *prometheus.CounterVec
	passed    *prometheus.CounterVec
	spoolFull *prometheus.CounterVec
	reports   *prometheus.CounterVec
	caps      *prometheus.CounterVec
	parts     *prometheus.CounterVec
	fen       *prometheus.CounterVec
	day       prometheus.Gauge
}

// NewMetrics registers the gateway's counters.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "shaoying", Name: name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	day := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "shaoying", Name: "money_day_share", Help: "Share of the parts of the day that was spent, when this process sent last.",
	})
	r.MustRegister(day)
	return &Metrics{
		events:    counter("events_total", "Inbound events by what became of them.", "channel", "result"),
		replies:   counter("lines_total", "Messages queued in the outbox.", "channel"),
		outcomes:  counter("sends_total", "Sends by state and class of error.", "channel", "state", "class"),
		dues:      counter("due_total", "Due things run.", "kind", "result"),
		passed:    counter("fallbacks_total", "Messages that one address did not take and the next one got.", "channel", "to"),
		spoolFull: counter("spool_refused_total", "Events that the outage spool refused: it, or the disk, is full.", "channel"),
		dangers:   counter("danger_total", "Messages that raised the safety list.", "code"),
		reports:   counter("reports_total", "What networks said of messages, by state.", "channel", "state"),
		caps:      counter("capped_total", "Messages kept back by a limit of money.", "channel", "limit"),
		parts:     counter("parts_total", "Parts of paid messages sent.", "channel"),
		fen:       counter("fen_total", "What they cost, in fen.", "channel"),
		day:       day,
	}
}

func (m *Metrics) event(c bots.ChannelID, result string) {
	if m != nil {
		m.events.WithLabelValues(string(c), result).Inc()
	}
}

func (m *Metrics) turn(c bots.ChannelID, lines int) {
	m.event(c, "done")
	if m != nil && lines > 0 {
		m.replies.WithLabelValues(string(c)).Add(float64(lines))
	}
}

func (m *Metrics) duplicate(c bots.ChannelID) { m.event(c, "duplicate") }
func (m *Metrics) waited(c bots.ChannelID)    { m.event(c, "waiting") }
func (m *Metrics) refused(c bots.ChannelID)   { m.event(c, "refused") }
func (m *Metrics) flooded(c bots.ChannelID)   { m.event(c, "flood") }
func (m *Metrics) forged(c bots.ChannelID)    { m.event(c, "forged_button") }
func (m *Metrics) dead(c bots.ChannelID)      { m.event(c, "dead") }

func (m *Metrics) spoolRefused(c bots.ChannelID) {
	if m != nil {
		m.spoolFull.WithLabelValues(string(c)).Inc()
	}
}

func (m *Metrics) danger(code string) {
	if m != nil {
		m.dangers.WithLabelValues(code).Inc()
	}
}

func (m *Metrics) sent(c bots.ChannelID, state, class string) {
	if m != nil {
		m.outcomes.WithLabelValues(string(c), state, class).Inc()
	}
}

func (m *Metrics) passedOn(from, to bots.ChannelID) {
	if m != nil {
		m.passed.WithLabelValues(string(from), string(to)).Inc()
	}
}

func (m *Metrics) reported(c bots.ChannelID, state bots.ReportState) {
	if m != nil {
		m.reports.WithLabelValues(string(c), string(state)).Inc()
	}
}

func (m *Metrics) capped(c bots.ChannelID, limit string) {
	if m != nil {
		m.caps.WithLabelValues(string(c), limit).Inc()
	}
}

// spent counts parts that cost fen each.
func (m *Metrics) spent(c bots.ChannelID, parts int, fen float64) {
	if m != nil {
		m.parts.WithLabelValues(string(c)).Add(float64(parts))
		m.fen.WithLabelValues(string(c)).Add(float64(parts) * fen)
	}
}

func (m *Metrics) share(of float64) {
	if m != nil {
		m.day.Set(of)
	}
}

func (m *Metrics) due(kind string, err error) {
	if m == nil {
		return
	}
	result := "ok"
	if err != nil {
		result = "error"
	}
	m.dues.WithLabelValues(kind, result).Inc()
}

// Spooled is the gauge of what waits in the outage spool of this process.
func Spooled(s *spool.Spool) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "shaoying", Name: "spool_files", Help: "Messages that wait on the disk for the database.",
	}, func() float64 {
		count, _ := s.Size()
		return float64(count)
	})
}

// scrapeTimeout is how long a scrape waits for the database.
const scrapeTimeout = 2 * time.Second

// Waiting are the gauges of a channel that say what waits there: its first
// message to be sent (R16) and, where messages cost money, its first unknown
// outcome to be settled and the reports whose message was not found. They ask the
// database at each scrape, so that every process says the same; NaN while it does
// not answer.
func Waiting(d *postgres.DB, id bots.ChannelID, paid bool, log *slog.Logger) []prometheus.Collector {
	gauge := func(name, help string, ask func(context.Context, string) (float64, error)) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "shaoying", Name: name, Help: help, ConstLabels: prometheus.Labels{"channel": string(id)},
		}, func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
			defer cancel()
			v, err := ask(ctx, string(id))
			if err != nil {
				log.Warn("look what waits", "gauge", name, "channel", string(id), "error", err)
				return math.NaN()
			}
			return v
		})
	}
	list := []prometheus.Collector{
		gauge("oldest_unsent_seconds", "How long the first message of the channel has waited to be sent.", d.OldestUnsent),
	}
	if !paid {
		return list
	}
	return append(list,
		gauge("oldest_unknown_seconds", "How long the first unknown outcome of the channel has waited to be settled.", d.OldestUnknown),
		gauge("reports_waiting", "Reports whose message was not found.", func(ctx context.Context, channel string) (float64, error) {
			n, err := d.ReportsWaiting(ctx, channel)
			return float64(n), err
		}))
}
