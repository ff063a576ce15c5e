// Package gateway is the one way of a message, in and out.
//
// # In
//
// Sink takes events of any channel. Events of one conversation queue in
// process before they take a connection; a turn then locks the conversation,
// inserts the inbox row (a duplicate ends here), routes the event, steps the
// dialogue, runs the actions that it calls on the same transaction, and
// commits messages, ticket, replies and new state together. Only then Sink
// returns nil. Turns that come at the same time share a transaction (slice.go).
//
// A turn that cannot be done (error, panic, three seconds of waiting, no
// connection) is stored alone as a waiting event by a second transaction, and
// that is acknowledged. Later events of that conversation join behind it. The
// Drainer takes them in order; after maxTries the event is a dead letter,
// holds nobody, the resident hears an apology with a way to a person, and the
// staff get a task. Where even the second transaction fails because the database
// is away, events of networks that soon give up go to the spool on the disk
// (outage.go); of the others Sink returns the error and the network delivers
// again.
//
// # Routing, in this order
//
// stop word as the whole message; danger; the prompt whose code it came with,
// where the answer fits; the open question of a dialogue, or of a prompt, where
// the answer fits (whichprompt.go); a global word as the whole message; an intent
// inside the sentence; the default dialogue.
//
// # Out
//
// Replies and pushes are outbox rows in the order of their ids. One process
// owns a channel account by a session advisory lock with an epoch; it claims
// the head row of each free chat, reads again why the row was written (late
// binding), renders it to what the channel can show and sends. An outcome is
// written only under the epoch that claimed the row. Unknown is an outcome. What
// an address did not take goes to the next one of the same person, and after the
// last to people (fallback.go).
//
// What costs money is counted before it is sent (money.go). What networks report
// of a message is written into its row by the same owner (reports.go); an unknown
// outcome that costs money is settled and not sent again (settle.go).
//
// # Pushes
//
// What comes due is run by Runner through the same turn with kind "due": under
// the conversation lock it queues its text and opens its prompt, or puts
// itself off when a dialogue, another prompt or quiet hours stand in the way.
//
// # Clocks
//
// Product time stamps and decides everything that people see. Database time
// decides leases, epochs, retries and flood windows.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/flows/words"
	"shaoying/internal/clock"
	"shaoying/internal/postgres"
	"shaoying/internal/privacy"
	"shaoying/internal/spool"
	"shaoying/scheduler"
)

// Config is the gateway's own policy. Zero values mean the defaults given.
type Config struct {
	// TurnTimeout is how long a turn may wait and work before its event is
	// stored as waiting. Default 3 s (WeChat gives up after 5).
	TurnTimeout time.Duration
	// SendTimeout is the limit of one send. Default 10 s.
	SendTimeout time.Duration
	// FloodPerMinute is how many messages of one sender are run in a minute;
	// more are kept but not answered. Default 20 (reference S5).
	FloodPerMinute int
	// MaxText is the longest message in runes. Default 2,000.
	MaxText int
	// Silent is for how long a phone number may be silent and still be counted as
	// the same person's. 0 means for ever.
	Silent time.Duration
	// Desk is the address of the desk page, which is named where nobody can answer;
	// empty where it is not known.
	Desk string
	// Places is how many shared transactions run at once, Slice how many events
	// share one at most. Defaults 2 and 64; Slice 1 gives every turn its own.
	Places, Slice int
}

func (c Config) withDefaults() Config {
	if c.TurnTimeout == 0 {
		c.TurnTimeout = 3 * time.Second
	}
	if c.SendTimeout == 0 {
		c.SendTimeout = 10 * time.Second
	}
	if c.FloodPerMinute == 0 {
		c.FloodPerMinute = 20
	}
	if c.MaxText == 0 {
		c.MaxText = 2000
	}
	if c.Places == 0 {
		c.Places = defaultPlaces
	}
	if c.Slice == 0 {
		c.Slice = defaultSlice
	}
	return c
}

// Deps is what the gateway stands on.
type Deps struct {
	DB      *postgres.DB
	Bus     *postgres.Bus
	Clock   *clock.Clock
	Keys    *privacy.Keys
	Library *Library
	Words   *words.Lexicon
	Safety  *words.Safety
	// Worse are words by which a family with a bed tells that the patient is worse;
	// nil for none.
	Worse *words.Safety
	Quiet scheduler.Quiet
	// Topics are the topics of pushes, by reason; a number may stop one of them.
	Topics map[string]string
	// Channels are the channel accounts of this city.
	Channels map[bots.ChannelID]bots.Adapter
	// Actions are what dialogues may call, by name.
	Actions map[string]Action
	// Kinds are the kinds of due thing, by name.
	Kinds []Kind
	// Fresh are the late-binding checks, by the reason written in an outbox
	// row.
	Fresh map[string]Fresh
	// Carry lets what belongs to a text go along to another address, by the same
	// reason.
	Carry map[string]Carry
	// Carries reports whether a push that failed elsewhere may go on to a channel;
	// nil for always.
	Carries func(ctx context.Context, tx *postgres.Tx, reason, subject string, to bots.ChannelID) (bool, error)
	// Dead is called in the transaction that gives an event up.
	Dead func(ctx context.Context, t *Turn, why string) error
	// Undeliverable is called in the transaction that gives a message up: every
	// address of its reader was tried.
	Undeliverable func(ctx context.Context, t *Turn, what Undelivered) error
	// Reports says what is done about unknown outcomes of paid channels, Money
	// what these may cost; nil counts nothing.
	Reports ReportPolicy
	Money   *Money
	// Overspent is called when the money of a day is nearly or wholly spent, in a
	// transaction of its own, perhaps more than once.
	Overspent func(ctx context.Context, t *Turn, s Spent) error
	// Logins says what is done about accounts that are logged out. LoggedOut is
	// called when people are to hear of one, and when it is back.
	Logins    LoginPolicy
	LoggedOut func(ctx context.Context, t *Turn, a Account) error
	// Spool is where events wait while the database is away; nil leaves them to
	// their networks.
	Spool   *spool.Spool
	Log     *slog.Logger
	Metrics *Metrics
}

// Gateway runs turns. It is safe for use by many goroutines.
type Gateway struct {
	cfg Config
	Deps
	kinds  map[string]Kind
	lanes  lanes
	places places
	outage outage
}

// New checks that everything a turn may need is there.
func New(cfg Config, deps Deps) (*Gateway, error) {
	if deps.DB == nil || deps.Bus == nil || deps.Keys == nil || deps.Library == nil || deps.Words == nil || deps.Safety == nil {
		return nil, errors.New("gateway: database, bus, keys, library, words and safety list are all needed")
	}
	for _, f := range []string{flowDefault, flowDanger, flowStop, flowStaffDefault} {
		if _, _, err := deps.Library.Flow(f, 0); err != nil {
			return nil, fmt.Errorf("gateway: dialogue %q is needed by the routing: %w", f, err)
		}
	}
	for id, a := range deps.Channels {
		if _, _, err := deps.Library.Flow(flowWhich, 0); err != nil && promptsAt(a.Caps()) > 1 {
			return nil, fmt.Errorf("gateway: dialogue %q is needed by channel %s: %w", flowWhich, id, err)
		}
	}
	cfg = cfg.withDefaults()
	kinds := map[string]Kind{}
	for _, k := range deps.Kinds {
		kinds[k.Name] = k
	}
	return &Gateway{
		cfg: cfg, Deps: deps, kinds: kinds, lanes: lanes{by: map[conversationKey]*lane{}}, places: places{usual: cfg.Places, longest: cfg.Slice},
	}, nil
}

// conversationKey names a conversation before it has an id.
type conversationKey struct {
	channel bots.ChannelID
	chat    bots.ChatID
	user    bots.UserID
}

func keyOf(ev bots.Event) conversationKey {
	return conversationKey{ev.Channel, ev.Chat, ev.From.User}
}

// lanes lets the turns of one conversation wait for each other in process, so
// that a burst of one sender holds one connection, not the whole pool.
type lanes struct {
	mu sync.Mutex
	by map[conversationKey]*lane
}

type lane struct {
	turn    chan struct{}
	waiters int
}

// enter waits for the conversation's turn; leave must be called after.
func (l *lanes) enter(ctx context.Context, key conversationKey) (leave func(), err error) {
	l.mu.Lock()
	ln := l.by[key]
	if ln == nil {
		ln = &lane{turn: make(chan struct{}, 1)}
		l.by[key] = ln
	}
	ln.waiters++
	l.mu.Unlock()
	done := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if ln.waiters--; ln.waiters == 0 {
			delete(l.by, key)
		}
	}
	select {
	case ln.turn <- struct{}{}:
		return func() { <-ln.turn; done() }, nil
	case <-ctx.Done():
		done()
		return nil, fmt.Errorf("wait for the conversation: %w", ctx.Err())
	}
}
