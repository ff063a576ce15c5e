package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"shaoying/bots"
	"shaoying/configs"
	"shaoying/internal/postgres"
)

// An account that its network logged out, or refuses, sends nothing until people
// act. Its owner notes since when (table channel_owner), whether a send said so
// (ClassLoggedOut) or the account itself (bots.Login); after a while staff hear of
// it, once, and again when it is back. What waits for it goes to the next address
// of its reader; what cannot, waits. A row that went another way has failed here, so
// the account sends no second copy when it is back.

// LoginPolicy is configs/policies/logins.yaml.
type LoginPolicy struct {
	// Move is how long an account is out before what it should send goes another
	// way, Alarm before staff are told.
	Move  time.Duration `yaml:"move"`
	Alarm time.Duration `yaml:"alarm"`
	// GiveUp is how old a message that waits for the account may be before people
	// have to say it; 0 means that it waits on.
	GiveUp time.Duration `yaml:"give_up"`
	// Look is how often an account that says how it stands is asked; 0 means never.
	Look   time.Duration `yaml:"look"`
	Source string        `yaml:"source"`
}

// ParseLoginPolicy decodes configs/policies/logins.yaml strictly.
func ParseLoginPolicy(name string, body []byte) (LoginPolicy, error) {
	var p LoginPolicy
	if err := configs.Decode(name, body, &p); err != nil {
		return p, err
	}
	if p.Move < 0 || p.Alarm <= 0 || p.GiveUp <= p.Move || p.Look <= 0 || p.Source == "" {
		return p, fmt.Errorf("%s: alarm and look must be durations above zero such as 5m, give_up longer than move, and source must say where they come from", name)
	}
	return p, nil
}

// Account is what people are told of an account: that it is out, or back.
type Account struct {
	Channel bots.ChannelID
	Out     bool
	// Scan is true where somebody has to log it in with its telephone.
	Scan bool
}

// loginRetry is how soon a message is tried again on an account that is out.
const loginRetry = 30 * time.Second

// login is what an owner knows of its account.
type login struct {
	mu    sync.Mutex
	since time.Time // bare time of this process; zero while it is in
	told  atomic.Bool
}

// outFor is how long an account has been out.
func (l *login) outFor(now time.Time) (d time.Duration, out bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.since.IsZero() {
		return 0, false
	}
	return now.Sub(l.since), true
}

// set notes since when it is out, zero for in; nobody was told of that yet.
func (l *login) set(since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since = since
	l.told.Store(false)
}

// knows takes over what the owner before knew.
func (c *Channel) knows(own *postgres.Ownership) {
	c.login.set(time.Time{})
	if own.Out {
		c.login.set(c.g.Clock.Wall().Add(-own.OutFor)) // who was told stands in the database
	}
}

// loggedOut decides about a message that an account which is out did not send.
func (c *Channel) loggedOut(o outcome, err error) outcome {
	now, p := c.g.Clock.Wall(), c.g.Logins
	o = o.retry(bots.ClassLoggedOut, err, loginRetry)
	failed := o
	failed.state = "failed"
	if p.GiveUp > 0 && now.Sub(o.row.CreatedAt) > p.GiveUp {
		return failed
	}
	if d, _ := c.login.outFor(now); d >= p.Move && travels(failed) {
		failed.patient = true
		return failed
	}
	return o
}

// noteLogin reads from what sends came to how the account stands.
func (c *Channel) noteLogin(ctx context.Context, epoch int64, batch []outcome) {
	out, sent := false, false
	for _, o := range batch {
		out = out || o.class == bots.ClassLoggedOut.String()
		sent = sent || o.state == "sent"
	}
	if out || sent {
		c.stands(ctx, epoch, !out)
	}
}

// stands notes how the account stands and tells people, when it is time. What
// cannot be written is tried again with the next message or look.
func (c *Channel) stands(ctx context.Context, epoch int64, in bool) {
	_, out := c.login.outFor(c.g.Clock.Wall())
	var err error
	switch {
	case in && out:
		err = c.back(ctx, epoch)
	case !in && !out:
		if err = c.out(ctx, epoch); err == nil {
			err = c.alarmOut(ctx, epoch)
		}
	case !in:
		err = c.alarmOut(ctx, epoch)
	}
	if err != nil && ctx.Err() == nil {
		c.g.Log.Error("note how an account stands", "channel", string(c.id), "error", errorCode(err))
	}
}

func (c *Channel) out(ctx context.Context, epoch int64) error {
	seconds, err := c.g.DB.ChannelOut(ctx, string(c.id), epoch)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil // somebody else owns it now
	}
	if err != nil {
		return fmt.Errorf("note that an account is out: %w", err)
	}
	c.g.Log.Info("an account is not logged in", "channel", string(c.id))
	c.login.set(c.g.Clock.Wall().Add(-time.Duration(seconds * float64(time.Second))))
	return nil
}

func (c *Channel) back(ctx context.Context, epoch int64) error {
	err := c.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		told, err := tx.ChannelBack(ctx, epoch, string(c.id))
		if errors.Is(err, postgres.ErrNoRows) || err == nil && !told {
			return nil
		}
		if err != nil {
			return fmt.Errorf("note that an account is back: %w", err)
		}
		return c.tellLogin(ctx, tx, false)
	})
	if err == nil {
		c.g.Log.Info("an account is logged in", "channel", string(c.id))
		c.login.set(time.Time{})
	}
	return err
}

// alarmOut tells people that the account is out, once an outage, whoever owns it.
func (c *Channel) alarmOut(ctx context.Context, epoch int64) error {
	d, out := c.login.outFor(c.g.Clock.Wall())
	if !out || c.login.told.Load() || d < c.g.Logins.Alarm {
		return nil
	}
	err := c.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		n, err := tx.TellOut(ctx, string(c.id), epoch, c.g.Logins.Alarm.Seconds())
		if err != nil {
			return fmt.Errorf("note that people are told of an account: %w", err)
		}
		if n == 0 {
			return nil // they were told by the owner before
		}
		return c.tellLogin(ctx, tx, true)
	})
	if err == nil {
		c.g.Log.Warn("an account is logged out, somebody has to act", "channel", string(c.id), "for", d.Round(time.Second).String())
		c.login.told.Store(true)
	}
	return err
}

func (c *Channel) tellLogin(ctx context.Context, tx *postgres.Tx, out bool) error {
	if c.g.LoggedOut == nil {
		return nil
	}
	t := &Turn{Tx: tx, g: c.g}
	var err error
	if t.Now, err = tx.ProductNow(ctx); err != nil {
		return err
	}
	_, scan := c.adapter.(bots.Login)
	if err := c.g.LoggedOut(ctx, t, Account{Channel: c.id, Out: out, Scan: scan}); err != nil {
		return fmt.Errorf("tell people how an account stands: %w", err)
	}
	c.g.Bus.Wake(topicDue)
	return nil
}

// watchLogin looks how the account stands, also while nothing is to be sent, until
// ctx ends.
func (c *Channel) watchLogin(ctx context.Context, epoch int64) {
	if c.g.Logins.Look <= 0 {
		return
	}
	tick := time.NewTicker(c.g.Logins.Look)
	defer tick.Stop()
	for {
		c.lookLogin(ctx, epoch)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// lookLogin asks the account. One that cannot say is as it was seen last: an alarm
// may still be due.
func (c *Channel) lookLogin(ctx context.Context, epoch int64) {
	ctx, cancel := context.WithTimeout(ctx, c.g.cfg.SendTimeout)
	defer cancel()
	l, ok := c.adapter.(bots.Login)
	if !ok {
		if _, out := c.login.outFor(c.g.Clock.Wall()); out {
			c.stands(ctx, epoch, false)
		}
		return
	}
	s, err := l.Standing(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.g.Log.Warn("ask how an account stands", "channel", string(c.id), "error", errorCode(err))
		}
		return
	}
	c.stands(ctx, epoch, s.State == bots.StandingOnline)
}
