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
)

// While the database is away, events of networks that soon stop delivering go to
// the spool on the disk and are acknowledged (R6); the others are left to their
// network. A sender of whom something waits there stays behind it, so that the
// order of one sender holds. When the database answers again the events come
// through the same turns; what was taken twice is a duplicate by its key.

const (
	// spoolBelow: a network that goes on delivering for so long needs no spool.
	spoolBelow = time.Hour
	// awayPoll is how often we look whether the database is back.
	awayPoll = 500 * time.Millisecond
	// awayPing is how long the database may take to say so.
	awayPing = 2 * time.Second
	// unspoolers is how many senders are replayed at the same time: as many as a
	// usual slice is long, so that they share transactions.
	unspoolers = 32
)

// outage says whether the database was away when it was last needed: who comes
// then does not wait for it in vain.
type outage struct{ away atomic.Bool }

// spools reports whether an event may go to the spool.
func (g *Gateway) spools(c bots.ChannelID) bool {
	return g.Spool != nil && g.capsOf(c).Redelivers < spoolBelow
}

// sender names whose order an entry of the spool keeps.
func sender(ev bots.Event) string {
	return string(ev.Channel) + "\x00" + string(ev.Chat) + "\x00" + string(ev.From.User)
}

// queues reports whether an event has to go to the spool without a try. Called
// in the lane of its conversation.
func (g *Gateway) queues(ev bots.Event) bool {
	return g.spools(ev.Channel) && (g.outage.away.Load() || g.Spool.Holds(sender(ev)))
}

// spool keeps an event on the disk.
func (g *Gateway) spool(ev bots.Event) error {
	sealed, err := g.sealEvent(ev)
	if err != nil {
		return err
	}
	if err := g.Spool.Put(sender(ev), sealed); err != nil {
		g.Metrics.spoolRefused(ev.Channel)
		g.Metrics.refused(ev.Channel)
		g.Log.Error("the database is away and the outage spool refuses: networks keep what they bring", "channel", string(ev.Channel), "error", err)
		return err
	}
	g.Metrics.event(ev.Channel, "spooled")
	return nil
}

// spoolAfter keeps an event that the database could not take, if it is away. One
// that answers nothing within two limits is: it hangs, or has more to do than it
// can.
func (g *Gateway) spoolAfter(ev bots.Event, err error) error {
	if !g.spools(ev.Channel) || !isAway(err) {
		return err
	}
	if !g.outage.away.Swap(true) {
		g.Log.Error("the database is away: what comes in goes to the outage spool", "error", errorCode(err))
	}
	return g.spool(ev)
}

func isAway(err error) bool {
	return postgres.IsAway(err) || errors.Is(err, context.DeadlineExceeded)
}

// Unspooler brings what waits in the spool into the database once it is back.
type Unspooler struct{ g *Gateway }

// NewUnspooler makes the unspooler of a gateway with a spool.
func NewUnspooler(g *Gateway) *Unspooler { return &Unspooler{g} }

// Run works until ctx ends. What is left then stays on the disk.
func (u *Unspooler) Run(ctx context.Context) error {
	tick := time.NewTicker(awayPoll)
	defer tick.Stop()
	for {
		if err := u.Once(ctx); err != nil && ctx.Err() == nil {
			u.g.Log.Warn("bring in what waits in the outage spool", "error", errorCode(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Once replays everything that waits, if the database is there.
func (u *Unspooler) Once(ctx context.Context) error {
	g := u.g
	if err := g.Spool.Adopt(); err != nil {
		return err
	}
	count, _ := g.Spool.Size()
	if count == 0 && !g.outage.away.Load() {
		return nil
	}
	ping, cancel := context.WithTimeout(ctx, awayPing)
	defer cancel()
	if err := g.DB.Ping(ping); err != nil {
		return nil // still away; it was told of when it went
	}
	if g.outage.away.Swap(false) || count > 0 {
		g.Log.Info("the database answers: the outage spool is brought in", "files", count)
	}
	senders := make(chan string)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range unspoolers {
		wg.Go(func() {
			for s := range senders {
				if err := u.replay(ctx, s); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, s := range g.Spool.Senders() {
		senders <- s
	}
	close(senders)
	wg.Wait()
	return failed
}

// replay brings in the entries of one sender, in their order.
func (u *Unspooler) replay(ctx context.Context, sender string) error {
	for ctx.Err() == nil && !u.g.outage.away.Load() {
		more, err := u.next(ctx, sender)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// next brings in the oldest entry of a sender. It holds the lane until the entry
// is off the disk: what comes meanwhile must not pass it.
func (u *Unspooler) next(ctx context.Context, sender string) (more bool, err error) {
	g := u.g
	sealed, ok, err := g.Spool.Head(sender)
	if err != nil || !ok {
		return false, err
	}
	ev, err := g.openEvent(sealed)
	if err != nil {
		return false, err
	}
	run, cancel := context.WithTimeout(ctx, g.cfg.TurnTimeout*2)
	defer cancel()
	leave, err := g.lanes.enter(run, keyOf(ev))
	if err != nil {
		return true, nil // held up; it is tried again
	}
	defer leave()
	if ev.Kind == bots.KindReport {
		err = g.keepReports(run, []bots.Event{ev})
	} else if err = g.share(run, ev); err != nil {
		err = g.putAside(ctx, ev, err)
	}
	if err != nil {
		if isAway(err) {
			g.outage.away.Store(true)
		}
		return false, fmt.Errorf("replay an event: %w", err)
	}
	g.Metrics.event(ev.Channel, "unspooled")
	return true, g.Spool.Remove(sender)
}
