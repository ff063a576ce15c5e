// Package smpp is the channel to a short message service centre (SMSC) by SMPP
// 3.4: one connection, bound as a transceiver.
//
// # The connection
//
// Run binds, and binds again with growing, random pauses when the connection is
// gone. A send waits a moment for a connection and is temporary without one. At
// most Window requests are unanswered; a request is recorded before it is
// written, so that no answer is faster than its question. One goroutine reads.
// It answers enquire_link itself and hands the rest on; neither the gateway nor
// a full window ever keeps it. enquire_link is sent through a full window, and
// a centre that does not answer one is left.
//
// # What a send came to
//
// What the connection did not take whole was never seen by the centre: it is
// temporary. What was written and has no answer when the connection ends or the
// time is over is unknown, and never guessed. An answer that comes after that is
// a report. A message of several parts goes out one part behind another; the
// receipt is the id of the last. When a part is refused for now, another try of
// the same message goes on with it.
//
// # Receipts
//
// Every part asks for one. A message is delivered when all of its parts are and
// failed when one has; nothing is reported of one of which parts were never heard
// of. The parts' ids are remembered in memory only; after a
// restart a report names what the centre named.
//
// # When the centre is told "received"
//
// deliver_sm is answered after the sink took it, with ESME_RX_T_APPN when it did
// not: the centre brings it again. Chats go beside one another, in order inside
// each. When one text fails, those that wait behind it in its chat are refused
// with it, so that the centre brings them in order again. A piece of a long text
// is answered when [Parts] has it, the last when the sink has the text. Pieces
// that never come are replaced by words that say so.
//
// # What an event is called
//
// SMPP gives texts of users no id. Where the centre gives one in a parameter,
// that is the key. Else the key is a digest of the text with the session's name
// and the sequence number, and [bots.Event.Repeat] says where the text may be a
// repetition: early in a session, and after a copy that was not answered well.
//
// # State, clocks, failure
//
// What must survive a kill is in Parts. All pauses and limits are wall time.
package smpp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/wire"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

// Deps is what the channel stands on.
type Deps struct {
	Parts Parts
	Keys  *privacy.Keys
	Clock *clock.Clock
	Log   *slog.Logger
}

// Channel is one account. It is safe for use by many goroutines.
type Channel struct {
	cfg        Config
	parts      Parts
	clock      *clock.Clock
	log        *slog.Logger
	book       sms.Book
	extensions sms.Extensions
	caps       bots.Caps
	pace       *rate.Limiter
	sent       *sent
	doubts     *doubts
	refused    atomic.Bool // the centre did not let us in the last time

	mu      sync.Mutex
	bound   *session
	changed chan struct{} // closed when bound changes
	lanes   *lanes        // while Run runs
}

// The channel keeps the contract.
var (
	_ bots.Adapter = (*Channel)(nil)
	_ bots.Metered = (*Channel)(nil)
	_ bots.Settler = (*Channel)(nil)
	_ bots.Checker = (*Channel)(nil)
)

// New checks the configuration and returns the channel.
func New(cfg Config, deps Deps) (*Channel, error) {
	if deps.Parts == nil || deps.Keys == nil || deps.Clock == nil || deps.Log == nil {
		return nil, errors.New("smpp: parts, keys, clock and log are needed")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Channel{
		cfg: cfg, parts: deps.Parts, clock: deps.Clock, log: deps.Log.With("channel", string(cfg.ID)),
		book: sms.Book{Keys: deps.Keys, Countries: cfg.Countries}, extensions: cfg.extensions(),
		pace: rate.NewLimiter(rate.Limit(cfg.Throughput), max(cfg.Limits.MaxParts, int(cfg.Throughput/10))),
		sent: newSent(), doubts: &doubts{since: map[string]time.Time{}}, changed: make(chan struct{}),
	}
	c.caps = bots.Caps{
		MaxText: sms.Longest(cfg.Limits.MaxParts, cfg.Signature), TextUnit: bots.UTF16,
		Paid: true, Rate: bots.Rate{PerSecond: cfg.Throughput}, Trust: bots.TrustNone, Redelivers: cfg.Limits.Redelivers,
		Phone: true, Extensions: c.extensions.Count(), InFlight: cfg.Window,
	}
	return c, nil
}

// Caps says what a text message can do.
func (c *Channel) Caps() bots.Caps { return c.caps }

// Fetch opens nothing: a text message has no files.
func (c *Channel) Fetch(context.Context, bots.File) (io.ReadCloser, error) {
	return nil, wire.Refuse("a text message has no files")
}
