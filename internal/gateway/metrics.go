package gateway

import (
	"context"
	"errors"
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
}

// NewMetrics registers the gateway's counters.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "shaoying", Name: name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	return &Metrics{
		events:    counter("events_total", "Inbound events by what became of them.", "channel", "result"),
		replies:   counter("lines_total", "Messages queued in the outbox.", "channel"),
		outcomes:  counter("sends_total", "Sends by state and class of error.", "channel", "state", "class"),
		dues:      counter("due_total", "Due things run.", "kind", "result"),
		passed:    counter("fallbacks_total", "Messages that one address did not take and the next one got.", "channel", "to"),
		spoolFull: counter("spool_refused_total", "Events that the outage spool refused: it, or the disk, is full.", "channel"),
		dangers:   counter("danger_total", "Messages that raised the safety list.", "code"),
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

// unsentTimeout is how long a scrape waits for the database.
const unsentTimeout = 2 * time.Second

// Unsent is the gauge of a channel that says for how long its first message has
// waited to be sent (R16). It asks the database at each scrape, for one row, so
// that every process says the same; NaN while the database does not answer.
func Unsent(d *postgres.DB, id bots.ChannelID, log *slog.Logger) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "shaoying", Name: "oldest_unsent_seconds", Help: "How long the first message of the channel has waited to be sent.",
		ConstLabels: prometheus.Labels{"channel": string(id)},
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), unsentTimeout)
		defer cancel()
		seconds, err := d.OldestUnsent(ctx, string(id))
		switch {
		case errors.Is(err, postgres.ErrNoRows):
			return 0
		case err != nil:
			log.Warn("look what waits to be sent", "channel", string(id), "error", err)
			return math.NaN()
		}
		return seconds
	})
}
