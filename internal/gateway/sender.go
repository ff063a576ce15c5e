package gateway

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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

// outcome is what one send came to, as it will be marked.
type outcome struct {
	row     db.ClaimOutboxRow
	state   string
	class   string
	err     string
	receipt string
	chat    string
	wait    time.Duration
	text    string
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
		case <-wake:
		case <-tick.C:
			unmarked = c.markAll(work, epoch, unmarked)
		case first := <-results:
			batch := collect(first, results)
			flying -= len(batch)
			unmarked = c.markAll(work, epoch, append(unmarked, batch...))
		}
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
	if class, why := shut(caps, row); class != 0 {
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
func shut(caps bots.Caps, row db.ClaimOutboxRow) (bots.Class, string) {
	switch {
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

// failed is the one switch over the classes of a failed send.
func (c *Channel) failed(o outcome, err error) outcome {
	var e *bots.Error
	if !errors.As(err, &e) {
		e = &bots.Error{Class: bots.ClassUnknown, Err: err}
	}
	last := o.row.Tries >= maxSendTries
	switch e.Class {
	case bots.ClassThrottled:
		c.pace.pause(e.After)
		o.row.Tries--
		return o.retry(e.Class, err, e.After)
	case bots.ClassMoved:
		if !last { // else it moves in circles
			o.chat = string(e.NewChat)
			return o.retry(e.Class, err, 0)
		}
	case bots.ClassLoggedOut:
		o.row.Tries--
		return o.retry(e.Class, err, 30*time.Second)
	case bots.ClassTemporary:
		if !last {
			return o.retry(e.Class, err, backoff(o.row.Tries))
		}
	case bots.ClassUnknown:
		if !c.adapter.Caps().Paid && o.row.Tries < maxUnknownTries {
			return o.retry(e.Class, err, backoff(o.row.Tries))
		}
		o.state, o.class, o.err = "unknown", e.Class.String(), errorCode(err)
		return o
	}
	o.state, o.class, o.err = "failed", e.Class.String(), errorCode(err)
	return o
}

func (o outcome) retry(class bots.Class, err error, wait time.Duration) outcome {
	o.state, o.class, o.err, o.wait = "queued", class.String(), errorCode(err), wait
	return o
}

// mark writes outcomes under the epoch that claimed the rows, starts the
// clocks of questions that were really sent, keeps what was said, and hands
// what could not be delivered to the next address or to people.
func (c *Channel) mark(ctx context.Context, epoch int64, batch []outcome) error {
	p := db.MarkOutboxParams{Epoch: epoch}
	for _, o := range batch {
		p.Ids, p.States, p.Classes = append(p.Ids, o.row.ID), append(p.States, o.state), append(p.Classes, o.class)
		p.Errors, p.Receipts = append(p.Errors, o.err), append(p.Receipts, o.receipt)
		p.Waits, p.Chats = append(p.Waits, o.wait.Seconds()), append(p.Chats, o.chat)
		p.Tries = append(p.Tries, o.row.Tries)
	}
	ctx, cancel := context.WithTimeout(ctx, c.g.cfg.SendTimeout)
	defer cancel()
	if err := c.moveChats(ctx, batch); err != nil {
		return err
	}
	var after aftermath
	err := c.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		after = aftermath{}
		marked, err := tx.MarkOutbox(ctx, p)
		if err != nil {
			return fmt.Errorf("write the outcomes: %w", err)
		}
		ours := make(map[int64]bool, len(marked))
		for _, id := range marked {
			ours[id] = true
		}
		var conversations, outboxes []int64
		var bodies [][]byte
		for _, o := range batch {
			if ours[o.row.ID] && o.class == bots.ClassThrottled.String() {
				if err := tx.PauseChannel(ctx, o.wait.Seconds(), string(c.id), epoch); err != nil {
					return fmt.Errorf("keep a pause: %w", err)
				}
			}
			if !ours[o.row.ID] || o.state == "queued" {
				continue
			}
			if o.state == "sent" {
				conversations, outboxes = append(conversations, o.row.ConversationID), append(outboxes, o.row.ID)
				bodies = append(bodies, c.g.Keys.Seal([]byte(o.text), aadMessage))
			}
			if err := c.g.groupLost(ctx, tx, o); err != nil {
				return err
			}
			if err := c.g.ended(ctx, tx, o, &after); err != nil {
				return err
			}
		}
		if len(outboxes) == 0 {
			return nil
		}
		return tx.KeepSaid(ctx, conversations, outboxes, bodies)
	})
	if err != nil {
		return err
	}
	for _, o := range batch {
		c.g.Metrics.sent(c.id, o.state, o.class)
	}
	after.wake(c)
	return nil
}

// aftermath is who must be woken once outcomes are written.
type aftermath struct {
	due    bool
	passed []bots.ChannelID
}

func (a aftermath) wake(c *Channel) {
	if a.due {
		c.g.Bus.Wake(topicDue)
	}
	for _, to := range a.passed {
		c.g.Metrics.passedOn(c.id, to)
		c.g.Bus.Wake(topicOutbox(to))
	}
}

// ended does what follows from the end of one row.
func (g *Gateway) ended(ctx context.Context, tx *postgres.Tx, o outcome, after *aftermath) error {
	t := &Turn{
		Tx: tx, Now: o.row.At, Conversation: o.row.ConversationID, Channel: bots.ChannelID(o.row.Channel),
		Chat: bots.ChatID(o.row.Chat), Address: o.row.AddressID, Lang: o.row.Lang, g: g,
	}
	if o.state == "failed" || o.state == "unknown" {
		passed, err := g.givenUp(ctx, t, o)
		if err != nil {
			return err
		}
		after.due = after.due || len(t.wake) > 0
		if passed != "" {
			after.passed = append(after.passed, passed)
			return nil // the clocks of a question are those of the row that is sent
		}
	}
	if o.row.QuestionTurn == 0 || o.state == "stale" {
		return nil
	}
	after.due = true
	return g.startClocks(ctx, t, o)
}

// givenUp finds another address for a message that this one did not take, or
// people. It returns the channel that has the message now.
func (g *Gateway) givenUp(ctx context.Context, t *Turn, o outcome) (bots.ChannelID, error) {
	// What one member is told in a group says nothing of their own address.
	if o.class == bots.ClassGone.String() && (!o.row.InGroup || o.row.IsGroup) {
		if err := t.SetAddressState(ctx, o.row.AddressID, "gone"); err != nil {
			return "", fmt.Errorf("note a gone address: %w", err)
		}
	}
	to, err := g.passOn(ctx, t.Tx, o)
	if err != nil || to != "" || g.Undeliverable == nil || o.row.Edits != 0 { // a change is missed by nobody
		return to, err
	}
	if err := g.Undeliverable(ctx, t, Undelivered{Class: o.class, Subject: o.row.Subject}); err != nil {
		return "", fmt.Errorf("hand an undelivered message to people: %w", err)
	}
	return "", nil
}

// startClocks plans the nudge and the end of a question from the moment at
// which it was sent, or was given up.
func (g *Gateway) startClocks(ctx context.Context, t *Turn, o outcome) error {
	data := questionDue{Turn: o.row.QuestionTurn, Prompt: o.row.PromptID}
	for kind, seconds := range map[string]int32{KindNudge: o.row.NudgeSeconds, KindExpire: o.row.ExpireSeconds} {
		if seconds == 0 || (kind == KindNudge && o.state != "sent") {
			continue
		}
		err := t.PlanDue(ctx, Plan{
			Kind: kind, Subject: postgres.Subject("conversation", o.row.ConversationID),
			Key: strconv.FormatInt(o.row.QuestionTurn, 10) + "/" + strconv.FormatInt(o.row.PromptID, 10), Data: data,
			At: t.Now.Add(time.Duration(seconds) * time.Second),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
