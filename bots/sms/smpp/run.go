package smpp

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/bots/sms/smpp/pdu"
)

// goodbye is how long unanswered requests and the unbind have when Run ends; it
// must end within a second.
const goodbye = 500 * time.Millisecond

// Run keeps a connection to the centre until ctx ends. Pauses between binds
// grow and are random by half, so that many programs do not come back at once.
func (c *Channel) Run(ctx context.Context, sink bots.Sink) error {
	lanes := newLanes(ctx, c, sink)
	defer lanes.wait()
	c.open(lanes)
	defer c.open(nil)
	var flushing sync.WaitGroup
	defer flushing.Wait()
	flushing.Go(func() { lanes.flush(ctx) })
	pause, away := time.Duration(0), false
	for ctx.Err() == nil {
		lasted := time.Duration(0)
		s, err := c.connect(ctx, lanes)
		if err == nil {
			away = false
			began := c.clock.Wall()
			err = c.serve(ctx, s)
			lasted = c.clock.Since(began)
		}
		if ctx.Err() == nil && !away {
			away = true
			c.log.Warn("there is no connection to the centre; it is tried until there is", "error", err)
		}
		pause = c.cfg.Limits.again(pause, lasted)
		rest := time.NewTimer(pause/2 + mathrand.N(pause/2+1))
		select {
		case <-rest.C:
		case <-ctx.Done():
			rest.Stop()
		}
	}
	return nil
}

// again is the pause before another bind, after the last pause and a session that
// lasted so long, 0 for none. A centre that lets us in and throws us out at once,
// as one does that knows the account from elsewhere, is not run down either.
func (l Limits) again(last, lasted time.Duration) time.Duration {
	if last == 0 || lasted >= l.ReconnectMax {
		return l.ReconnectMin
	}
	return min(2*last, l.ReconnectMax)
}

// open says where late answers go while Run runs.
func (c *Channel) open(l *lanes) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lanes = l
}

// connect opens a connection, binds, and starts reading.
func (c *Channel) connect(ctx context.Context, lanes *lanes) (*session, error) {
	s, err := c.bind(ctx, pdu.BindTransceiver, lanes.deliver)
	c.refused.Store(errors.Is(err, errRefused))
	return s, err
}

// errRefused: the centre does not let this account in.
var errRefused = errors.New("the centre refuses the account")

// bind opens a connection and says who we are. The session reads from then on;
// its reader ends with it.
func (c *Channel) bind(ctx context.Context, command pdu.Command, handle func(*session, pdu.PDU)) (*session, error) {
	limit := c.cfg.Limits.Answer
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if c.cfg.TLS {
		host, _, _ := net.SplitHostPort(c.cfg.Addr) // Validate looked
		secure := tls.Client(conn, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12})
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("TLS: %w", err), conn.Close())
		}
		conn = secure
	}
	s := &session{
		conn: conn, clock: c.clock, answer: limit, silent: c.cfg.EnquireLink + 2*limit, began: c.clock.Wall(), nonce: rand.Text(),
		handle: handle, window: make(chan struct{}, c.cfg.Window), ended: make(chan struct{}),
		quiet: make(chan struct{}), pending: map[uint32]*request{}, taken: map[string]bool{},
	}
	body, err := pdu.Bind{
		SystemID: c.cfg.SystemID, Password: c.cfg.Password.Reveal(), SystemType: c.cfg.SystemType, Version: 0x34,
	}.Append(nil)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go s.read()
	answer, err := s.exchange(ctx, command, body, nil)
	if err == nil && answer.Status != pdu.OK {
		err = fmt.Errorf("bind: %s", answer.Status)
		switch answer.Status {
		case pdu.BindFailed, pdu.InvalidPassword, pdu.InvalidSystemID:
			err = fmt.Errorf("%w: %w", errRefused, err)
		}
	}
	if err != nil {
		s.close(err)
		<-s.quiet
		return nil, err
	}
	return s, nil
}

// serve lets sends use the session until it or ctx ends.
func (c *Channel) serve(ctx context.Context, s *session) error {
	c.log.Info("bound to the centre")
	var watching sync.WaitGroup
	watching.Go(func() { s.watch(c.cfg.EnquireLink) })
	defer watching.Wait()
	c.publish(s)
	select {
	case <-s.ended:
		c.publish(nil)
	case <-ctx.Done():
		c.publish(nil)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		s.bye(last)
		cancel()
	}
	return s.end()
}

// publish shows the session to sends; nil takes it away.
func (c *Channel) publish(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bound = s
	close(c.changed)
	c.changed = make(chan struct{})
}

// session returns the bound session and waits a while for one.
func (c *Channel) session(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Limits.BindWait)
	defer cancel()
	for {
		c.mu.Lock()
		s, changed := c.bound, c.changed
		c.mu.Unlock()
		switch {
		case s != nil && !s.over(): // one that has just ended is taken away in a moment
			return s, nil
		case c.refused.Load():
			return nil, &bots.Error{Class: bots.ClassLoggedOut, Err: errRefused}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, &bots.Error{Class: bots.ClassTemporary, Err: errors.New("there is no connection to the centre")}
		}
	}
}

// Check binds as a transmitter, which brings no texts, and unbinds.
func (c *Channel) Check(ctx context.Context) []bots.Finding {
	s, err := c.bind(ctx, pdu.BindTransmitter, func(s *session, p pdu.PDU) { _ = s.reply(p, pdu.Later, nil) })
	if err != nil {
		return []bots.Finding{{Wrong: true, What: err.Error()}}
	}
	ctx, cancel := context.WithTimeout(ctx, goodbye)
	defer cancel()
	s.bye(ctx)
	if err := s.end(); err != nil {
		c.log.Debug("looked whether the centre takes the account", "end", err)
	}
	return []bots.Finding{{What: "the centre takes the account"}}
}
