package remote

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"shaoying/bots"
	"shaoying/bots/wire"
	"shaoying/internal/privacy"
)

// quiet is the log of a door: what net/http says of a peer that went away is no
// news, agents are killed.
var quiet = log.New(io.Discard, "", 0)

// life is one agent from its start to its end, with the door that is its own.
type life struct {
	Limits
	channel *Channel
	sink    bots.Sink
	token   privacy.Secret
	lanes   wire.Lanes

	// over is closed when nothing is handed out any more and nothing heard.
	over chan struct{}

	room    chan struct{}
	pace    *rate.Limiter
	crowded atomic.Bool  // a request found no room since it was looked at
	heard   atomic.Int64 // when it did something last, in Unix nanoseconds

	listener net.Listener
	server   *http.Server
	serving  sync.WaitGroup
}

// open opens a door for a life that begins.
func (c *Channel) open(ctx context.Context, sink bots.Sink) (*life, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a door for the agent: %w", err)
	}
	l := c.newLife(sink)
	l.listener = listener
	l.serve(ctx)
	return l, nil
}

func (c *Channel) newLife(sink bots.Sink) *life {
	lim := c.cfg.Limits
	l := &life{
		Limits: lim, channel: c, sink: sink, token: privacy.NewSecret(rand.Text() + rand.Text()), over: make(chan struct{}),
		room: make(chan struct{}, lim.Requests), pace: rate.NewLimiter(rate.Limit(lim.PerSecond), lim.Burst),
	}
	l.lives()
	return l
}

// lives notes that the agent does something.
func (l *life) lives() { l.heard.Store(l.channel.deps.Clock.Wall().UnixNano()) }

// close shuts the door and waits for what is inside it.
func (l *life) close() {
	close(l.over)
	l.server.Close() // the error is that of a listener that is closed anyway
	l.serving.Wait()
	// Who is inside is not let in again: all room is taken, by us.
	limit := time.NewTimer(l.Farewell)
	defer limit.Stop()
	for range cap(l.room) {
		select {
		case l.room <- struct{}{}:
		case <-limit.C:
			l.channel.log.Warn("a request of the agent that ended is still being done")
			return
		}
	}
}

// Run keeps an agent until ctx ends.
func (c *Channel) Run(ctx context.Context, sink bots.Sink) error {
	c.note(ctx, bots.Standing{State: bots.StandingStarting})
	for failures := 0; ctx.Err() == nil; {
		began := c.deps.Clock.Wall()
		err := c.live(ctx, sink)
		if ctx.Err() != nil {
			break
		}
		if c.deps.Clock.Since(began) >= c.cfg.Limits.ProvenAfter {
			failures = 0
		}
		failures++
		c.log.Error("the agent ended and is started again", "failures", failures, "error", err)
		c.note(ctx, bots.Standing{State: bots.StandingStarting, Why: wire.Plain(err.Error())})
		wire.Rest(ctx, failures, c.cfg.Limits.RestartMost)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	c.note(last, bots.Standing{State: bots.StandingStarting, Why: "no process runs it"})
	return nil
}

// goodbye is how long the last word on an account may take to be kept.
const goodbye = 100 * time.Millisecond

// note keeps how the account stands where only we can say it.
func (c *Channel) note(ctx context.Context, s bots.Standing) {
	if err := c.stand(ctx, s); err != nil {
		c.log.Warn("how the account stands could not be kept", "error", err)
	}
}

// live runs one agent to its end and says why it ended.
func (c *Channel) live(ctx context.Context, sink bots.Sink) error {
	l, err := c.open(ctx, sink)
	if err != nil {
		return err
	}
	defer l.close()
	child, err := c.deps.Start(Contact{URL: "http://" + l.listener.Addr().String(), Token: l.token})
	if err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	look := time.NewTicker(l.LookEvery)
	defer look.Stop()
	g := guard{life: l, child: child, from: c.deps.Clock.Wall()}
	for {
		select {
		case <-child.Done():
			if err := child.Err(); err != nil {
				return fmt.Errorf("the agent ended: %w", err)
			}
			return errors.New("the agent ended by itself")
		case <-ctx.Done():
			child.Stop(false)
			if !within(2*l.Farewell, child.Done()) { // its jobs, and then itself
				l.kill(child)
			}
			return nil
		case <-look.C:
			if why := g.look(c.deps.Clock.Wall()); why != nil {
				l.kill(child)
				return why
			}
		}
	}
}

// kill ends an agent that is not asked.
func (l *life) kill(child Child) {
	child.Stop(true)
	if !within(l.Farewell, child.Done()) {
		l.channel.log.Error("the agent does not end though it was killed")
	}
}

// within waits for done, at most for limit, and reports whether it came.
func within(limit time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
