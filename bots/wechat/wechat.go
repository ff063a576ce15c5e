// Package wechat is the channel to a personal WeChat account, over Web WeChat,
// with github.com/eatmoreapple/openwechat. It is opt-in and never the first
// choice: Tencent bans accounts that programs use (docs/zh/wechat.md).
//
// # What of the library is used
//
// Its calls (Caller, Client) and its types, not its Bot. The Bot runs on a
// goroutine that cannot be waited for, asks a dead network 90,000 times a second,
// stores the sync key before anybody took the messages, forgets its cookies at a
// hot login, and writes what others read. Here Run is the loop: it asks, hands
// over, and asks on. The HTTP client below the library (transport.go) refuses hosts
// that are not Tencent's and statuses that are errors, keeps the cookies, and makes
// each call once.
//
// # When WeChat is told "received"
//
// By the sync key of the next request, which is set, and saved, after the sink
// took every message of an answer. Until then the old key is asked with, and the
// same messages come again.
//
// # States
//
//	starting: a kept login is tried ("hot login"), without anybody's help
//	confirm:  the phone asks for a tap, after a scan or for a login that ran out
//	scan:     somebody has to scan Standing.QR
//	online:   it receives and sends
//	out:      WeChat refuses the account; it is asked again after a long pause
//
// Being logged out (1100 to 1102) leads to scan with the reason in Standing.Why, being
// refused (1203) to out. Run stays alive through all of them: a person has to act,
// starting again would not help. Sends are bots.ClassLoggedOut meanwhile.
//
// # What ids are
//
// WeChat gives every contact a new name at every scan. A chat is the login's mark
// (a digest of our own name in it) and the contact's name, so that a chat of an
// earlier login is bots.ClassGone without asking anybody. People are found again
// by a hint alone: a remark "r:…" that is written on a contact who writes to us
// for the first time (contacts.go). It proves nothing; trust is none.
//
// # Clocks
//
// All waiting is wall time of the machine. A round that brought nothing takes at
// least Limits.Pause, whatever the server answers; failures wait 0.2 s to
// Limits.LongestRest.
package wechat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
	"shaoying/internal/clock"
	"shaoying/internal/outbound"
)

// Deps is what the channel stands on.
type Deps struct {
	Clock *clock.Clock
	Log   *slog.Logger
	// State keeps the login: sync key, cookies, keys. Who reads it is the account.
	State bots.State
	// Show, if set, is told of every change of how the account stands, one at a
	// time and in order. It must not block for long.
	Show func(bots.Standing)
	// Observe, if set, is told of every exchange with WeChat.
	Observe func(outbound.Exchange)
}

// Adapter is one personal account. Run is called once at a time; everything else
// is safe for use by many goroutines.
type Adapter struct {
	cfg    Config
	limits Limits
	deps   Deps
	log    *slog.Logger
	words  words
	client *wire.Client
	server wire.Endpoint // api_url, where all hosts are one

	mu       sync.Mutex
	session  *session // nil while nobody is logged in
	standing bots.Standing

	showing sync.Mutex
}

// The channel keeps the contract.
var (
	_ bots.Adapter = (*Adapter)(nil)
	_ bots.Login   = (*Adapter)(nil)
)

// New checks the configuration and returns the account's adapter.
func New(cfg Config, deps Deps) (*Adapter, error) {
	if deps.Clock == nil || deps.Log == nil || deps.State == nil {
		return nil, errors.New("wechat: clock, log and state are needed")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	patterns, err := cfg.Limits.compile()
	if err != nil {
		return nil, err
	}
	server, err := wire.NewEndpoint(cfg.ID, "api_url", cfg.address())
	if err != nil {
		return nil, err
	}
	l := cfg.Limits
	client, err := server.NewClient(wire.Limits{Purpose: "wechat", Timeout: l.Timeout, MaxBody: l.MaxBody}, deps.Clock, deps.Observe)
	if err != nil {
		return nil, err
	}
	return &Adapter{
		cfg: cfg, limits: l, deps: deps, log: deps.Log.With("channel", string(cfg.ID)), words: patterns,
		client: client, server: server,
		standing: bots.Standing{State: bots.StandingStarting, Since: deps.Clock.Wall()},
	}, nil
}

// Caps says what a personal account can do.
func (a *Adapter) Caps() bots.Caps { return a.limits.Caps() }

// Caps says what a personal account can do under these limits.
func (l Limits) Caps() bots.Caps {
	return bots.Caps{
		MaxText: l.MaxText, TextUnit: bots.Bytes,
		PlaceIn: true, PhotoIn: true, VoiceIn: true, PhotoOut: l.MaxPhotoOut, Group: true,
		Rate:  bots.Rate{PerSecond: l.PerSecond, PerChatPerSecond: l.PerChatPerSecond, PerGroupPerMinute: l.PerGroupPerMinute},
		Trust: bots.TrustNone, Redelivers: l.Redelivers, InFlight: 1,
	}
}

// Standing is how the account stands now, as far as this process knows.
func (a *Adapter) Standing(context.Context) (bots.Standing, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.standing, nil
}

// Run logs in and receives until ctx ends.
func (a *Adapter) Run(ctx context.Context, sink bots.Sink) error {
	defer a.client.Close()
	defer a.show(bots.StandingStarting, "", "")
	a.show(bots.StandingStarting, "", "")
	kept, err := a.load(ctx)
	for why := ""; err == nil && ctx.Err() == nil; {
		var s *session
		if s, err = a.login(ctx, kept, why); err != nil {
			break
		}
		a.open(s)
		a.show(bots.StandingOnline, "", "")
		a.log.Info("the WeChat account is logged in")
		err = a.receive(ctx, s, sink)
		a.open(nil)
		if over := new(over); errors.As(err, &over) {
			a.log.Warn("the WeChat account was logged out", "code", over.ret, "reason", over.Error())
			kept, why, err = nil, over.Error(), nil
			if over.refused {
				err = a.refused(ctx, over)
			}
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// open makes a session the one that sends, or nil none.
func (a *Adapter) open(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.session = s
}

// show notes how the account stands and tells who wants to know.
func (a *Adapter) show(state bots.StandingState, qr, why string) {
	a.showing.Lock()
	defer a.showing.Unlock()
	now := bots.Standing{State: state, Since: a.deps.Clock.Wall(), QR: qr, Why: why}
	a.mu.Lock()
	if old := a.standing; old.State == state {
		now.Since = old.Since
	}
	same := a.standing == now
	a.standing = now
	a.mu.Unlock()
	if !same && a.deps.Show != nil {
		a.deps.Show(now)
	}
}

// pause waits, or ends with ctx.
func (a *Adapter) pause(ctx context.Context, d time.Duration) error {
	if !wire.Wait(ctx, d) {
		return ctx.Err()
	}
	return nil
}

// refused leaves an account alone that WeChat refuses.
func (a *Adapter) refused(ctx context.Context, o *over) error {
	a.show(bots.StandingOut, "", o.Error())
	return a.pause(ctx, a.limits.RefusedPause)
}

// rest waits after a failure: long where WeChat asked for it, else longer with
// each. It reports whether ctx still lives.
func (a *Adapter) rest(ctx context.Context, failures int, err error) bool {
	if !tooOften(err) {
		return wire.Rest(ctx, failures, a.limits.LongestRest)
	}
	a.log.Warn("WeChat asks to be left alone", "after", a.limits.TooOften)
	return a.pause(ctx, a.limits.TooOften) == nil
}

// persist tries something until it works, is over, or ctx ends. The first failure
// of a row is logged.
func (a *Adapter) persist(ctx context.Context, what string, try func(context.Context) error) error {
	for failures := 1; ; failures++ {
		err := try(ctx)
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if over := new(over); errors.As(err, &over) {
			return err
		}
		if failures == 1 {
			a.log.Warn(what+" fails and is tried again", "error", because(err))
		}
		if !a.rest(ctx, failures, err) {
			return fmt.Errorf("%s: %w", what, ctx.Err())
		}
	}
}
