package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// How an owner sends. Four things run side by side, so that the database, the
// processor and the network work at the same time:
//
//   - the claimer takes as many rows as there is room in the air for;
//   - each batch that it took is prepared (bind.go): read again why it is sent,
//     in one transaction for all, rendered, and paid for where it costs money;
//   - each row of it that is ready is sent in a goroutine of its own;
//   - the marker writes what the sends came to, all that are there at once, and
//     what the network reports of them (reports.go). Nobody else writes how a row
//     of this channel ended, so a report and an answer never race.
//
// A row counts as in the air from its claim to its mark.

const (
	// maxSendTries is how often a message is tried before it is given up.
	maxSendTries = 8
	// maxUnknownTries is how often a free message with an unknown outcome is
	// sent again: a second copy costs less than a silent gap. Surveys and broadcasts
	// never are (again).
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
	login   login
	owned   atomic.Bool
}

// NewChannel makes the runner of a configured channel account.
func NewChannel(g *Gateway, id bots.ChannelID) (*Channel, error) {
	a := g.Channels[id]
	if a == nil {
		return nil, fmt.Errorf("no channel is called %q", id)
	}
	if a.Caps().Paid && (g.Money == nil || g.Reports.GiveUp == 0) {
		return nil, fmt.Errorf("channel %s costs money: the policies of money and of reports are needed", id)
	}
	return &Channel{g: g, id: id, adapter: a, pace: newPace(a.Caps(), g.Clock.Wall)}, nil
}

// ID names the channel account.
func (c *Channel) ID() bots.ChannelID { return c.id }

// Owned reports whether this process owns the channel account now.
func (c *Channel) Owned() bool { return c.owned.Load() }

// Run competes for the channel account and works while it owns it, until ctx
// ends. What is in flight then is finished and marked before Run returns.
func (c *Channel) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		own, err := c.g.DB.TryOwn(ctx, string(c.id))
		if err != nil && ctx.Err() == nil {
			c.g.Log.Warn("own a channel", "channel", string(c.id), "error", err)
		}
		if own != nil {
			c.owned.Store(true)
			c.pace.pause(own.Paused)
			c.knows(own)
			c.g.Log.Info("channel owned", "channel", string(c.id), "epoch", own.Epoch)
			if err := c.work(ctx, own); err != nil && ctx.Err() == nil {
				c.g.Log.Error("a channel stopped", "channel", string(c.id), "error", err)
			}
			c.owned.Store(false)
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
	part("send", func() error { c.send(ctx, own.Epoch); return nil })
	part("watch the lock", func() error { return own.Watch(ctx) })
	wg.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// sending is what the goroutines of one ownership share.
type sending struct {
	*Channel
	epoch int64
	most  int
	// flying counts rows from claim to mark, binding those of them that the pace
	// was not asked about yet.
	flying, binding atomic.Int64

	results chan outcome
	// soon wakes the claimer: rows were marked, or one that the pace had given
	// back may go. To wait for the next look at the outbox would make one message
	// a second of a chat one in two.
	soon chan struct{}
}

func newSending(c *Channel, epoch int64) *sending {
	most := inFlight(c.adapter.Caps())
	return &sending{Channel: c, epoch: epoch, most: most, results: make(chan outcome, most), soon: make(chan struct{}, 1)}
}

// send claims, sends and marks until ctx ends, then waits for what is in the air
// and marks it.
func (c *Channel) send(ctx context.Context, epoch int64) {
	s := newSending(c, epoch)
	// A claimed row is finished even while the process stops.
	work := context.WithoutCancel(ctx)
	var batches, others sync.WaitGroup
	others.Go(func() { s.finish(work) })
	others.Go(func() { s.settle(ctx) })
	others.Go(func() { s.watchLogin(ctx, epoch) })
	s.claim(ctx, func(rows []db.ClaimOutboxRow) { batches.Go(func() { s.batch(work, rows) }) })
	batches.Wait()
	close(s.results)
	others.Wait()
}

// claimPatience is how long a claim waits to become a large one.
const claimPatience = 50 * time.Millisecond

// claim gives batches of rows to start until ctx ends. A claim has to look past
// all that is in the air and behind it, whatever it brings: while many rows wait,
// it waits until it can bring many. Who is woken does not wait for that, for it
// may be somebody's answer.
func (s *sending) claim(ctx context.Context, start func([]db.ClaimOutboxRow)) {
	wake, stop := s.g.Bus.Subscribe(topicOutbox(s.id))
	defer stop()
	tick := time.NewTicker(sendPoll)
	defer tick.Stop()
	eager, more := true, false
	for ctx.Err() == nil {
		// Only what the account may send now is claimed: a claimed row that has
		// to wait costs two writes and comes back at once.
		next := time.Duration(0)
		if free := s.most - int(s.flying.Load()); free > 0 && (eager || !more || free >= s.most/2) {
			eager = false
			var room int
			asking := int(s.binding.Load())
			room, next = s.pace.room(free + asking)
			if room -= asking; room > 0 {
				more = s.take(ctx, room, start)
			}
		}
		if next == 0 && more {
			next = claimPatience
		}
		var later <-chan time.Time
		if next > 0 {
			later = time.After(next)
		}
		select {
		case <-ctx.Done():
		case <-later:
			eager = true
		case <-s.soon:
		case <-wake:
			eager = true
		case <-tick.C:
			eager = true
		}
	}
}

// take claims at most room rows; more says that there may be others.
func (s *sending) take(ctx context.Context, room int, start func([]db.ClaimOutboxRow)) (more bool) {
	rows, err := s.g.DB.ClaimOutbox(ctx, s.epoch, string(s.id), int32(room))
	if err != nil && ctx.Err() == nil {
		s.g.Log.Warn("claim the outbox", "channel", string(s.id), "error", err)
	}
	if len(rows) == 0 {
		return false
	}
	more = len(rows) == room
	rows = s.join(ctx, rows)
	s.flying.Add(int64(len(rows)))
	s.binding.Add(int64(len(rows)))
	start(rows)
	return more
}

// batch sends rows that were claimed together.
func (s *sending) batch(ctx context.Context, rows []db.ClaimOutboxRow) {
	var wg sync.WaitGroup
	ready := s.prepare(ctx, rows)
	s.binding.Add(-int64(len(rows)))
	if s.adapter.Caps().Rate.PerSecond > 0 {
		nudge(s.soon) // what the pace leaves is known now
	}
	for _, o := range ready {
		if o.state != "" {
			s.results <- o
			continue
		}
		wg.Go(func() { s.results <- s.perform(ctx, o) })
	}
	wg.Wait()
}

// finish writes outcomes and reports until there are no more results. Networks
// that cost nothing are looked at for reports only when one came.
func (s *sending) finish(ctx context.Context) {
	paid := s.adapter.Caps().Paid
	reported, stop := s.g.Bus.Subscribe(topicReports(s.id))
	defer stop()
	tick := time.NewTicker(sendPoll)
	defer tick.Stop()
	if err := s.g.DB.ReviveAllReports(ctx, string(s.id)); err != nil {
		s.g.Log.Error("look at reports again", "channel", string(s.id), "error", err)
	}
	s.report(ctx)
	var unmarked []outcome
	for {
		select {
		case first, ok := <-s.results:
			if !ok {
				return
			}
			batch := apart(collect(first, s.results))
			unmarked = s.markAll(ctx, s.epoch, append(unmarked, batch...))
			s.flying.Add(-int64(len(batch)))
			nudge(s.soon)
			for _, o := range batch {
				if o.state == "queued" && o.wait > 0 && o.wait <= sendPoll {
					time.AfterFunc(o.wait, func() { nudge(s.soon) })
				}
			}
			if !paid {
				continue
			}
		case <-reported:
		case <-tick.C:
			if unmarked = s.markAll(ctx, s.epoch, unmarked); !paid {
				continue
			}
		}
		s.report(ctx)
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
		case o, ok := <-results:
			if !ok {
				return batch
			}
			batch = append(batch, o)
		default:
			return batch
		}
	}
}

// perform does what was prepared. A panic of the adapter fails this row alone.
func (c *Channel) perform(ctx context.Context, o outcome) (end outcome) {
	defer func() {
		if p := recover(); p != nil {
			end = o.rejected(fmt.Errorf("panic: %v", p))
			for i, j := range end.joined {
				end.joined[i] = j.rejected(fmt.Errorf("panic: %v", p))
			}
		}
	}()
	if o.edit {
		return c.edit(ctx, o)
	}
	if o.photo != "" {
		if err := c.attach(ctx, &o.messages[0], o.photo); err != nil {
			return o.retry(bots.ClassTemporary, err, backoff(o.row.Tries))
		}
	}
	if len(o.joined) > 0 {
		return c.transmitTogether(ctx, o)
	}
	return c.transmit(ctx, o)
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

// transmit sends the messages in order and turns the outcome into a mark. Where
// the network says before the first that its push window is shut, surely nothing
// was sent, and the notice goes at once.
func (c *Channel) transmit(ctx context.Context, o outcome) outcome {
	if o.shut {
		return c.sendNotice(ctx, o)
	}
	for i, m := range o.messages {
		if i == len(o.messages)-1 {
			m.Text += o.act
		}
		receipt, err := c.call(ctx, o, m, c.adapter.Send)
		if bots.ClassOf(err) == bots.ClassClosed && !o.went && c.hasNotice(o.notice.Template) {
			return c.sendNotice(ctx, o)
		}
		if err != nil {
			// The receipt of an earlier message would settle the whole row.
			o.receipt = ""
			return c.failed(o, err)
		}
		o.went, o.receipt = true, receipt.ID
		o.text += m.Text
		o.taken += int32(receipt.Took)
	}
	o.state = "sent"
	return o
}

// call makes one call of the adapter.
func (c *Channel) call(
	ctx context.Context, o outcome, m bots.Message, send func(context.Context, bots.Address, bots.Message) (bots.Receipt, error),
) (bots.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, c.g.cfg.SendTimeout)
	defer cancel()
	return send(ctx, bots.Address{Channel: c.id, Chat: bots.ChatID(o.row.Chat)}, m)
}
