package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

const (
	// maxSendTries is how often a message is tried before it is given up.
	maxSendTries = 8
	// maxUnknownTries is how often a free message with an unknown outcome is
	// sent again: a second copy costs less than a silent gap.
	maxUnknownTries = 3
	// maxInFlight is how many chats of one channel are sent to at once where
	// the network sets no pace.
	maxInFlight = 32
	// sendPoll is how often the outbox is looked at without being woken.
	sendPoll = time.Second
	// ownRetry is how soon a process asks again for a channel that another
	// one owns.
	ownRetry = time.Second
)

// Channel runs one channel account in this process: whenever it owns the
// account it receives and sends.
type Channel struct {
	g       *Gateway
	id      bots.ChannelID
	adapter bots.Adapter
	pace    *pace
	owned   sync.Mutex
	owner   bool
}

// NewChannel makes the runner of a configured channel account.
func NewChannel(g *Gateway, id bots.ChannelID) (*Channel, error) {
	a := g.Channels[id]
	if a == nil {
		return nil, fmt.Errorf("no channel is called %q", id)
	}
	return &Channel{g: g, id: id, adapter: a, pace: newPace(a.Caps().Rate, g.Clock.Wall)}, nil
}

// ID names the channel account.
func (c *Channel) ID() bots.ChannelID { return c.id }

// Owned reports whether this process owns the channel account now.
func (c *Channel) Owned() bool {
	c.owned.Lock()
	defer c.owned.Unlock()
	return c.owner
}

func (c *Channel) setOwned(v bool) {
	c.owned.Lock()
	defer c.owned.Unlock()
	c.owner = v
}

// Run competes for the channel account and works while it owns it, until ctx
// ends. What is in flight then is finished and marked before Run returns.
func (c *Channel) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		own, err := c.g.DB.TryOwn(ctx, string(c.id))
		if err != nil && ctx.Err() == nil {
			c.g.Log.Warn("own a channel", "channel", string(c.id), "error", err)
		}
		if own != nil {
			c.setOwned(true)
			c.pace.pause(own.Paused)
			c.g.Log.Info("channel owned", "channel", string(c.id), "epoch", own.Epoch)
			if err := c.work(ctx, own); err != nil && ctx.Err() == nil {
				c.g.Log.Error("a channel stopped", "channel", string(c.id), "error", err)
			}
			c.setOwned(false)
			own.Release()
		}
		select {
		case <-ctx.Done():
		case <-time.After(ownRetry):
		}
	}
	return nil
}

// work receives, sends and watches the lock until one of them ends.
func (c *Channel) work(ctx context.Context, own *postgres.Ownership) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	part := func(what string, f func() error) {
		wg.Go(func() {
			if err := f(); err != nil {
				cancel(fmt.Errorf("%s: %w", what, err))
			} else {
				cancel(nil)
			}
		})
	}
	part("receive", func() error { return c.adapter.Run(ctx, c.g.Sink) })
	part("send", func() error { return c.send(ctx, own.Epoch) })
	part("watch the lock", func() error { return own.Watch(ctx) })
	wg.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// send claims, sends and marks until ctx ends, then waits for what is in
// flight and marks it.
func (c *Channel) send(ctx context.Context, epoch int64) error {
	wake, stop := c.g.Bus.Subscribe(topicOutbox(c.id))
	defer stop()
	tick := time.NewTicker(sendPoll)
	defer tick.Stop()
	most := inFlight(c.adapter.Caps().Rate)
	results := make(chan outcome, most)
	flying := 0
	var unmarked []outcome
	// soon is when a row that the pace had given back may go: the next look at
	// the outbox would make one message a second of a chat one in two.
	soon := make(chan struct{}, 1)
	// A claimed row is finished even while the process stops.
	work := context.WithoutCancel(ctx)
	for {
		// Only what the account may send now is claimed: a claimed row that has
		// to wait costs two writes and comes back at once.
		room, next := 0, time.Duration(0)
		if ctx.Err() == nil && flying < most {
			room, next = c.pace.room(most - flying)
		}
		if room > 0 {
			rows, err := c.g.DB.ClaimOutbox(ctx, epoch, string(c.id), int32(room))
			if err != nil && ctx.Err() == nil {
				c.g.Log.Warn("claim the outbox", "channel", string(c.id), "error", err)
			}
			for _, row := range rows {
				flying++
				go func() { results <- c.deliver(work, row) }()
			}
		}
		if ctx.Err() != nil && flying == 0 {
			return nil
		}
		done := ctx.Done()
		if ctx.Err() != nil {
			done = nil // only results matter now
		}
		var paced <-chan time.Time
		if next > 0 {
			paced = time.After(next)
		}
		select {
		case <-done:
		case <-paced:
		case <-soon:
		case <-wake:
		case <-tick.C:
			unmarked = c.markAll(work, epoch, unmarked)
		case first := <-results:
			batch := collect(first, results)
			flying -= len(batch)
			unmarked = c.markAll(work, epoch, append(unmarked, batch...))
			for _, o := range batch {
				if o.state == "queued" && o.wait > 0 && o.wait <= sendPoll {
					time.AfterFunc(o.wait, func() { nudge(soon) })
				}
			}
		}
	}
}

// nudge fills a channel of one place, unless it is full.
func nudge(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// markAll marks a batch and returns what could not be marked, to be tried
// again: those rows stay in flight, so that their chats wait and nothing is
// sent twice. One that fails does not hold up the others.
func (c *Channel) markAll(ctx context.Context, epoch int64, batch []outcome) (left []outcome) {
	if len(batch) == 0 || c.mark(ctx, epoch, batch) == nil {
		return nil
	}
	for _, o := range batch {
		if err := c.mark(ctx, epoch, []outcome{o}); err != nil {
			c.g.Log.Error("mark the outbox", "channel", string(c.id), "row", o.row.ID, "error", err)
			left = append(left, o)
		}
	}
	return left
}

// collect takes every result that is there now, so that one transaction marks
// them all.
func collect(first outcome, results <-chan outcome) []outcome {
	batch := []outcome{first}
	for {
		select {
		case o := <-results:
			batch = append(batch, o)
		default:
			return batch
		}
	}
}

// deliver does one row: late binding, window, pace, render, send.
func (c *Channel) deliver(ctx context.Context, row db.ClaimOutboxRow) (o outcome) {
	o = outcome{row: row, state: "queued"}
	defer func() {
		if p := recover(); p != nil {
			o.state, o.class, o.err = "failed", bots.ClassRejected.String(), "panic: "+fmt.Sprint(p)
		}
	}()
	if why, err := c.stale(ctx, row); err != nil {
		return o.retry(bots.ClassTemporary, err, backoff(row.Tries))
	} else if why != "" {
		o.state, o.err = "stale", why
		return o
	}
	caps := c.adapter.Caps()
	if class, why := shut(c.g.cfg, caps, row); class != 0 {
		o.state, o.class, o.err = "failed", class.String(), why
		return o
	}
	if wait := c.pace.wait(bots.ChatID(row.Chat), row.InGroup); wait > 0 {
		o.wait, o.row.Tries = wait, row.Tries-1
		return o
	}
	messages, photo, err := c.g.render(row, caps)
	if err != nil {
		o.state, o.class, o.err = "failed", bots.ClassRejected.String(), err.Error()
		return o
	}
	if row.Edits != 0 && row.Standing != "" {
		return c.edit(ctx, o, messages)
	}
	if photo != "" && caps.PhotoOut > 0 {
		if err := c.attach(ctx, &messages[0], photo); err != nil {
			return o.retry(bots.ClassTemporary, err, backoff(row.Tries))
		}
	}
	return c.transmit(ctx, o, messages)
}

// stale re-reads why the row was written (late binding).
func (c *Channel) stale(ctx context.Context, row db.ClaimOutboxRow) (why string, err error) {
	if row.Class == "push" && row.AddressState == "stopped" {
		return "the person asked for no more messages", nil
	}
	if row.Overtaken {
		return "a newer change of the same message waits", nil
	}
	check, prompted := c.g.Fresh[row.Reason], row.PromptID != 0 && row.QuestionTurn != 0
	if check == nil && !prompted {
		return "", nil
	}
	err = c.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if prompted {
			if open, err := tx.PromptOpen(ctx, row.PromptID); err != nil || !open {
				why = "the answer is no longer expected"
				return err
			}
		}
		if check == nil {
			return nil
		}
		ok, reason, err := check(ctx, tx, row.Subject, row.SubjectVersion)
		if err == nil && !ok {
			why = reason
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read again why it is sent: %w", err)
	}
	return why, nil
}

// shut says why an address is not even tried: who left is not written to in
// vain, and who stopped gets nothing that was meant for another address. A group
// is no single reader.
func shut(cfg Config, caps bots.Caps, row db.ClaimOutboxRow) (bots.Class, string) {
	switch {
	case cfg.silentFor(caps, row):
		return bots.ClassClosed, "the number was silent for too long"
	case !row.InGroup && row.AddressState == "gone":
		return bots.ClassGone, "the address is gone"
	case row.AddressState == "stopped" && row.FallbackOf != nil:
		return bots.ClassClosed, "the person asked for no more messages here"
	case caps.Window > 0 && !row.InGroup && (row.LastInboundAt == nil || row.At.Sub(*row.LastInboundAt) > caps.Window):
		return bots.ClassClosed, "the push window is shut"
	}
	return 0, ""
}

func (c *Channel) attach(ctx context.Context, m *bots.Message, id string) error {
	_, data, err := c.g.OpenBlob(ctx, c.g.DB.Queries, id)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil // erased since: the words go out alone
	}
	if err != nil {
		return err
	}
	m.Photo = &bots.Photo{Name: id, Data: data}
	return nil
}

// transmit sends the parts in order and turns the outcome into a mark.
func (c *Channel) transmit(ctx context.Context, o outcome, messages []bots.Message) outcome {
	to := bots.Address{Channel: c.id, Chat: bots.ChatID(o.row.Chat)}
	for _, m := range messages {
		send, cancel := context.WithTimeout(ctx, c.g.cfg.SendTimeout)
		receipt, err := c.adapter.Send(send, to, m)
		cancel()
		if err != nil {
			return c.failed(o, err)
		}
		o.receipt = receipt.ID
		o.text += m.Text
	}
	o.state = "sent"
	return o
}
