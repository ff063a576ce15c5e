package wechat

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/wechat/wechatfake"
	"shaoying/internal/clock"
)

// bench is one account on a network whose people are told by the test what to do.
type bench struct {
	*testing.T
	net   *wechatfake.Server
	state *botstest.State
	log   *botstest.Log
	sink  *botstest.Recorder
	shown chan bots.Standing
	cfg   Config
	a     *Adapter
	stop  func()
}

const patience = 40 * time.Second

func newBench(t *testing.T) *bench {
	b := &bench{
		T: t, net: wechatfake.New(), state: &botstest.State{}, log: &botstest.Log{}, sink: botstest.NewRecorder(),
		shown: make(chan bots.Standing, 1000), stop: func() {},
	}
	t.Cleanup(func() {
		b.stop()
		b.net.Close()
	})
	b.cfg = settings(t, b.net.URL())
	b.cfg.Limits.Pause = time.Millisecond
	return b
}

// start makes an adapter from what is kept, and runs it.
func (b *bench) start() {
	b.Helper()
	b.a = open(b, b.cfg, Deps{
		Clock: clock.New(), Log: slog.New(slog.NewTextHandler(b.log, nil)), State: b.state,
		Show: func(s bots.Standing) { b.shown <- s },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.a.Run(ctx, b.sink.Sink) }()
	b.stop = func() {
		b.Helper()
		cancel()
		select {
		case err := <-done:
			if err != nil {
				b.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			b.Error("Run does not end")
		}
		b.stop = func() {}
	}
}

// login starts, scans and confirms.
func (b *bench) login() {
	b.Helper()
	b.net.AutoLogin(true)
	b.start()
	b.shows(bots.StandingOnline)
	b.net.AutoLogin(false)
}

// again is a kill and a new process.
func (b *bench) again() {
	b.Helper()
	b.stop()
	b.start()
}

// shows waits until the account is shown to stand so.
func (b *bench) shows(want bots.StandingState) bots.Standing {
	b.Helper()
	limit := time.After(patience)
	for {
		select {
		case s := <-b.shown:
			if s.State == want {
				return s
			}
		case <-limit:
			b.Fatalf("it never stands %s; log:\n%s", want, b.log.String())
		}
	}
}

// within waits until something is so.
func (b *bench) within(what string, is func() bool) {
	b.Helper()
	limit := time.After(patience)
	for !is() {
		select {
		case <-time.After(time.Millisecond):
		case <-limit:
			b.Fatalf("not in time: %s; log:\n%s", what, b.log.String())
		}
	}
}

// hears waits until n events came, and returns the last one.
func (b *bench) hears(n int) bots.Event {
	b.Helper()
	b.within("an event", func() bool { return len(b.sink.Rows()) >= n })
	return b.sink.Rows()[n-1]
}

func (b *bench) send(to bots.ChatID, m bots.Message) error {
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	_, err := b.a.Send(ctx, bots.Address{Channel: "wx", Chat: to}, m)
	return err
}

func (b *bench) class(what string, err error, want bots.Class) {
	b.Helper()
	if err == nil || bots.ClassOf(err) != want {
		b.Errorf("%s: %v, want %s", what, err, want)
	}
}
