// Package remote is a channel whose adapter lives in another process, the agent:
// a library that nobody can vouch for may crash, hang or spin there and takes
// nothing with it but its own account.
//
// # Two halves
//
// [Channel] is the gateway's half. It is an adapter like any other: its owner
// runs it, and Run starts the agent, serves it at a door of its own on this
// machine, ends it, and starts it again when it ended by itself. [Agent] is the
// other half: it runs any bots.Adapter, gives what it hears to the door, and asks
// there for what there is to send.
//
// # The door
//
// Every life of the agent has a port of the loopback and a token of its own; both
// end with it, so that nothing which an earlier life still says is heard. The
// token is compared in constant time before anything else of a request is read.
// Nobody outside this machine reaches the door, and it stays open while the pages
// close, so what is in the air at the end is still marked.
//
// # When a message counts as taken
//
// As everywhere: events are answered 2xx after the sink, 503 when it failed, and
// the adapter behind the agent leaves its network to deliver again. A message to
// send waits for the agent to come for it (nobody came: surely not sent,
// temporary), then for what it came to (the agent died, or its answer was lost:
// unknown). Two answers to one lease are one: the second is 410.
//
// # What the agent may do to others
//
// Nothing: it has no database, no key and no environment of ours. Requests beyond
// its pace wait; one that goes on asking, hangs, or takes more processor or memory
// than its limits, is ended. It begins again with growing pauses. What it says is
// held against the account's Caps and against bots.Event.Validate.
//
// # Clocks and states
//
// Limits run on the machine's clock. How the account stands (bots.Standing) is
// kept in bots.State, so that every process can show it; the QR code in it is
// sealed there, and written to no log.
package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/bots/wire"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

// Deps is what the gateway's half stands on.
type Deps struct {
	Clock *clock.Clock
	Log   *slog.Logger
	// State keeps what the agent remembers, and how the account stands.
	State bots.State
	// Caps are those of the adapter that the agent runs.
	Caps bots.Caps
	// Start starts an agent.
	Start func(Contact) (Child, error)
}

// Contact is by what an agent finds the door.
type Contact struct {
	URL   string
	Token privacy.Secret
}

// Child is an agent that was started.
type Child interface {
	// Done is closed when it has ended.
	Done() <-chan struct{}
	// Err says why it ended; read after Done.
	Err() error
	// Stop asks it to end, or ends it.
	Stop(now bool)
	// Usage is the processor time that it used so far and the memory that it
	// holds; an error where nobody can tell.
	Usage() (cpu time.Duration, memory int64, err error)
}

// Channel is the gateway's half. It is safe for use by many goroutines.
type Channel struct {
	cfg  Config
	deps Deps
	log  *slog.Logger

	// jobs is where agents take what there is to do, one by one.
	jobs    chan *errand
	errands errands

	stands  sync.Mutex
	current bots.Standing // as it was saved last by this process
}

// The channel keeps the contract.
var (
	_ bots.Adapter = (*Channel)(nil)
	_ bots.Login   = (*Channel)(nil)
	_ bots.Checker = (*Channel)(nil)
)

// New checks the configuration.
func New(cfg Config, deps Deps) (*Channel, error) {
	if cfg.ID == "" {
		return nil, errors.New("remote: a channel id is needed")
	}
	if deps.Clock == nil || deps.Log == nil || deps.State == nil || deps.Start == nil {
		return nil, errors.New("remote: clock, log, state and a way to start the agent are all needed")
	}
	if err := cfg.Limits.Validate(); err != nil {
		return nil, err
	}
	return &Channel{
		cfg: cfg, deps: deps, log: deps.Log.With("channel", string(cfg.ID)),
		jobs: make(chan *errand), errands: errands{list: map[string]*errand{}},
	}, nil
}

// Caps are those of the adapter in the agent.
func (c *Channel) Caps() bots.Caps { return c.deps.Caps }

// Send hands m to the agent and waits for what it came to.
func (c *Channel) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	if to.Channel != c.cfg.ID {
		return bots.Receipt{}, wire.Refuse("an address of channel %s", to.Channel)
	}
	if !utf8.ValidString(m.Text) { // JSON would mend it, and the agent never know
		return bots.Receipt{}, wire.Refuse("a text that is not UTF-8")
	}
	e, err := c.ask(ctx, job{Send: &sendJob{To: to, Message: m}})
	if err != nil {
		return bots.Receipt{}, err
	}
	defer e.forget()
	select {
	case r := <-e.came:
		return r.result.Receipt, r.result.Failure.err()
	case <-e.over:
		return bots.Receipt{}, lost("the agent ended before it said what became of a message")
	case <-ctx.Done():
		return bots.Receipt{}, lost("the agent did not say in time what became of a message")
	}
}

// Fetch has the agent open a file. Only the owner of the account has an agent;
// elsewhere it is for later.
func (c *Channel) Fetch(ctx context.Context, f bots.File) (io.ReadCloser, error) {
	e, err := c.ask(ctx, job{Fetch: &f})
	if err != nil {
		return nil, err
	}
	select {
	case r := <-e.came:
		if r.file == nil {
			e.forget()
			if err := r.result.Failure.err(); err != nil {
				return nil, err
			}
			return nil, later("the agent sent no file")
		}
		return &opened{PipeReader: r.file, forget: e.forget, stop: context.AfterFunc(ctx, func() { r.file.CloseWithError(ctx.Err()) })}, nil
	case <-e.over:
		e.forget()
		return nil, later("the agent ended before it opened a file")
	case <-ctx.Done():
		e.forget()
		return nil, later("the agent did not open a file in time")
	}
}

// opened is a file that comes from the agent while it is read.
type opened struct {
	*io.PipeReader
	forget func()
	stop   func() bool
}

// Close ends the transfer.
func (o *opened) Close() error {
	o.stop()
	o.forget()
	return o.PipeReader.Close()
}

// ask hands a job to the agent.
func (c *Channel) ask(ctx context.Context, j job) (*errand, error) {
	e := c.errands.add(ctx, j)
	handover := time.NewTimer(c.cfg.Limits.Handover)
	defer handover.Stop()
	select {
	case c.jobs <- e:
		e.over = <-e.taken
		return e, nil
	case <-handover.C:
	case <-ctx.Done():
	}
	e.forget()
	return nil, later("no agent of this process came for it")
}

func later(why string) error { return &bots.Error{Class: bots.ClassTemporary, Err: errors.New(why)} }
func lost(why string) error  { return &bots.Error{Class: bots.ClassUnknown, Err: errors.New(why)} }

// standing is the name under which it is kept how the account stands; what the
// agent keeps has names that begin with agentState.
const (
	standing   = "standing"
	agentState = "agent."
)

// Standing is how the account stands, as its owner saw it last.
func (c *Channel) Standing(ctx context.Context) (bots.Standing, error) {
	raw, err := c.deps.State.Load(ctx, standing)
	if err != nil {
		return bots.Standing{}, err
	}
	s := bots.Standing{State: bots.StandingStarting}
	if raw == nil {
		return s, nil
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return bots.Standing{}, errors.New("how the account stands cannot be read")
	}
	return s, nil
}

// stand keeps how the account stands now, from now on where that is new.
func (c *Channel) stand(ctx context.Context, s bots.Standing) error {
	c.stands.Lock()
	defer c.stands.Unlock()
	was := c.current
	was.Since = s.Since
	if s == was && !c.current.Since.IsZero() {
		return nil
	}
	s.Since = c.deps.Clock.Now()
	if s.State == c.current.State && s.QR == c.current.QR {
		s.Since = c.current.Since
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write how the account stands: %w", err)
	}
	if err := c.deps.State.Save(ctx, standing, raw); err != nil {
		return err
	}
	if s.State != c.current.State {
		c.log.Info("the account stands otherwise", "state", string(s.State), "reason", s.Why)
	}
	c.current = s
	return nil
}

// Check says how the account stands and what to do. It asks the owner's last
// word, not the network: a second login would end the first.
func (c *Channel) Check(ctx context.Context) []bots.Finding {
	s, err := c.Standing(ctx)
	if err != nil {
		return []bots.Finding{{Wrong: true, What: "how the account stands is not known: " + err.Error()}}
	}
	why := ""
	if s.Why != "" {
		why = " (" + s.Why + ")"
	}
	switch s.State {
	case bots.StandingOnline:
		return []bots.Finding{{What: "logged in since " + s.Since.UTC().Format(time.RFC3339)}}
	case bots.StandingScan:
		return []bots.Finding{{Wrong: true, What: "nobody is logged in: an administrator opens /desk/channels and scans the code with the phone of the account" + why}}
	case bots.StandingConfirm:
		return []bots.Finding{{Wrong: true, What: "the code was scanned: the phone of the account waits for a tap on its confirmation" + why}}
	case bots.StandingOut:
		return []bots.Finding{{Wrong: true, What: "the network ended the login or refuses it" + why + ": look at the phone of the account; residents are reached over their other channels meanwhile"}}
	}
	return []bots.Finding{{Wrong: true, What: "the account is not up" + why + ": does a process of role all, gateway or sender run? It starts the agent by itself"}}
}
