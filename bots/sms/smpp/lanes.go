package smpp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/bots/sms/smpp/pdu"
)

// abreast is how many chats are sunk at once: the gateway takes them in slices.
const abreast = 64

// lanes brings what came to the sink, one thing at a time for each chat and in
// its order, chats beside one another. They outlive sessions, so that a text
// that is delivered again waits until its first copy is done.
type lanes struct {
	*Channel
	ctx  context.Context
	sink bots.Sink

	mu     sync.Mutex
	queues map[bots.ChatID][]job // the first of each is under way
	queued int
	free   chan struct{}
	wg     sync.WaitGroup
}

// job is one thing to do in a lane.
type job struct {
	do func(context.Context) error
	// done, if set, is told how it went, also when the job was not tried
	// because one before it failed.
	done func(error)
}

func newLanes(ctx context.Context, c *Channel, sink bots.Sink) *lanes {
	return &lanes{Channel: c, ctx: ctx, sink: sink, queues: map[bots.ChatID][]job{}, free: make(chan struct{}, abreast)}
}

// put adds a job behind those of its chat; false where there are too many.
func (l *lanes) put(chat bots.ChatID, j job) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queued >= l.cfg.Limits.MaxQueued {
		return false
	}
	l.queued++
	l.queues[chat] = append(l.queues[chat], j)
	if len(l.queues[chat]) == 1 {
		l.wg.Go(func() { l.work(chat) })
	}
	return true
}

// work does the jobs of a chat until none is left. Those that waited behind one
// that failed are not tried: the centre brings all of them again, in order.
func (l *lanes) work(chat bots.ChatID) {
	for {
		l.mu.Lock()
		j := l.queues[chat][0]
		l.mu.Unlock()
		l.free <- struct{}{}
		err := l.try(j)
		<-l.free
		settled := []job{j}
		if err != nil {
			l.mu.Lock()
			settled = append(settled, l.queues[chat][1:]...)
			l.mu.Unlock()
		}
		for _, one := range settled {
			if one.done != nil {
				one.done(err)
			}
		}
		l.mu.Lock()
		rest := l.queues[chat][len(settled):]
		l.queued -= len(settled)
		if len(rest) == 0 {
			delete(l.queues, chat)
			l.mu.Unlock()
			return
		}
		l.queues[chat] = rest
		l.mu.Unlock()
	}
}

// try does a job; a panic is an error of the sink.
func (l *lanes) try(j job) (err error) {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			l.log.Error("a panic while a text was handed over", "error", fmt.Sprintf("%T", p))
			err = errors.New("panic while handing over")
		}
	}()
	return j.do(l.ctx)
}

// wait waits until all that was put is done.
func (l *lanes) wait() { l.wg.Wait() }

// deliver takes a request of the centre off the reader. It never waits.
func (l *lanes) deliver(s *session, p pdu.PDU) {
	if p.Command != pdu.DeliverSM {
		_ = s.write(pdu.PDU{Command: pdu.GenericNack, Status: pdu.InvalidCommand, Sequence: p.Sequence}) // the session ends itself
		return
	}
	m, err := pdu.ParseMessage(p.Body)
	if err != nil {
		l.log.Error("a text of the centre cannot be read and is refused", "error", err)
		_ = s.reply(p, rejected, noID)
		return
	}
	a := &arrival{session: s, pdu: p, message: m, at: l.clock.Wall()}
	chat, do := l.understand(a)
	if do == nil {
		_ = s.reply(p, pdu.OK, noID) // it would be the same when it came again
		return
	}
	if !l.put(chat, job{do: do, done: func(err error) { l.answer(a, err) }}) {
		_ = s.reply(p, pdu.Later, noID)
	}
}

// rejected is ESME_RX_R_APPN: do not deliver it again.
const rejected pdu.Status = 0x66

// noID is the body of deliver_sm_resp (4.6.2): an unused message_id.
var noID = []byte{0}

// answer tells the centre what became of its request.
func (l *lanes) answer(a *arrival, err error) {
	status := pdu.OK
	if err != nil {
		status = pdu.Later
		if l.ctx.Err() == nil {
			l.log.Warn("a text was not taken and will come again", "error", err)
		}
	}
	if wrote := a.session.reply(a.pdu, status, noID); wrote != nil {
		err = wrote
	}
	if a.content == "" {
		return
	}
	if err != nil || l.clock.Since(a.at) > l.cfg.Limits.Slow {
		l.doubts.suspect(a.content, l.clock.Wall())
		return
	}
	l.doubts.clear(a.content)
	if l.clock.Since(a.session.began) < l.cfg.Limits.Doubtful {
		a.session.mu.Lock()
		a.session.taken[a.content] = true
		a.session.mu.Unlock()
	}
}

// flush looks for long texts whose pieces do not come any more.
func (l *lanes) flush(ctx context.Context) {
	tick := time.NewTicker(l.cfg.Limits.PartWait / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := l.flushStale(ctx); err != nil && ctx.Err() == nil {
				l.log.Warn("looking for long texts that did not become whole", "error", err)
			}
		}
	}
}

func (l *lanes) flushStale(ctx context.Context) error {
	groups, err := l.parts.Stale(ctx, l.cfg.Limits.PartWait)
	if err != nil {
		return err
	}
	for _, g := range groups {
		l.put(g.Chat, job{
			do: func(ctx context.Context) error { return l.giveUp(ctx, g.ID) },
			done: func(err error) {
				if err != nil && ctx.Err() == nil {
					l.log.Warn("a long text that did not become whole was not taken and is tried again", "error", err)
				}
			},
		})
	}
	return nil
}
