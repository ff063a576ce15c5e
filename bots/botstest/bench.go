package botstest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"time"

	"go.uber.org/goleak"

	"shaoying/bots"
)

const (
	// longest is how long something that must happen may take. It is long
	// because test machines are slow; nothing that passes waits for it.
	longest = 10 * time.Second
	// goodbye is how long Run may take to end (bots.Adapter).
	goodbye = time.Second
)

// T is the part of *testing.T that the cases use, so that a test can see a
// case fail.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// bench runs one rig for one case.
type bench struct {
	T
	rig    Rig
	sink   *Recorder
	caps   bots.Caps
	cancel context.CancelFunc
	done   chan error
	server *httptest.Server
	errs   []string // every error that the adapter returned
	marks  int
	// severed, where a case sets it, is called by stop once the connections
	// are cut.
	severed func()
	leaks   goleak.Option
	// patience is longest, or less where a case is expected to fail.
	patience time.Duration
}

func newBench(t T, patience time.Duration, newRig func() Rig) *bench {
	b := &bench{T: t, patience: patience, leaks: goleak.IgnoreCurrent(), sink: NewRecorder()}
	b.rig = newRig()
	b.caps = b.rig.Adapter().Caps()
	return b
}

// start serves the webhook, if there is one, and runs the adapter.
func (b *bench) start() {
	adapter := b.rig.Adapter()
	if hook, ok := adapter.(bots.Webhook); ok {
		b.server = httptest.NewUnstartedServer(hook.Handler(b.sink.Sink))
		b.server.Config.ErrorLog = log.New(io.Discard, "", 0)
		b.server.Start()
		b.rig.Listen(b.server.URL)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel, b.done = cancel, make(chan error, 1)
	go func(done chan<- error) {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("Run panicked: %v", p)
			}
		}()
		done <- adapter.Run(ctx, b.sink.Sink)
	}(b.done)
}

// stop ends the adapter as a kill would: requests are cut, ctx ends.
func (b *bench) stop() {
	b.Helper()
	if b.cancel == nil {
		return
	}
	b.cancel()
	b.cancel = nil
	if b.server != nil {
		b.server.CloseClientConnections()
	}
	if b.severed != nil {
		b.severed()
		b.severed = nil
	}
	if b.server != nil {
		b.server.Close()
		b.server = nil
	}
	timeout := time.NewTimer(goodbye)
	defer timeout.Stop()
	select {
	case err := <-b.done:
		if err != nil {
			b.errs = append(b.errs, err.Error())
			b.Errorf("Run returned %v, want nil at the end of its context", err)
		}
	case <-timeout.C:
		b.Errorf("Run did not end within %s after its context", goodbye)
	}
}

// restart is a kill and a new process.
func (b *bench) restart() {
	b.Helper()
	b.stop()
	b.rig.Restart()
	b.start()
}

// finish ends the case and checks what holds for every one.
func (b *bench) finish() {
	b.Helper()
	b.stop()
	for _, err := range b.sink.Invalid() {
		b.Errorf("an event does not keep the contract: %v", err)
	}
	for _, ev := range b.sink.Rows() {
		b.allowed(ev)
	}
	b.secretsKept()
	b.rig.Close()
	if err := goleak.Find(b.leaks); err != nil {
		b.Errorf("goroutines are left behind: %v", err)
	}
}

// allowed checks an event against Caps.
func (b *bench) allowed(ev bots.Event) {
	b.Helper()
	deny := map[bots.Kind]bool{
		bots.KindPlace: !b.caps.PlaceIn, bots.KindPhoto: !b.caps.PhotoIn,
		bots.KindVoice: !b.caps.VoiceIn, bots.KindChoice: b.caps.Choices == 0,
	}
	if deny[ev.Kind] || b.caps.SendOnly || ev.Group && !b.caps.Group {
		b.Errorf("an event of kind %s (group %v) came though Caps denies it", ev.Kind, ev.Group)
	}
	if ev.Extension != "" && b.caps.Extensions == 0 {
		b.Errorf("an event names extension %q though Caps has none", ev.Extension)
	}
	if (ev.From.Phone != "") != b.caps.Phone {
		b.Errorf("an event names a phone number (%v) where Caps.Phone is %v", ev.From.Phone != "", b.caps.Phone)
	}
	if ev.From.Trust > b.caps.Trust {
		b.Errorf("an event claims trust %s, Caps allow %s", ev.From.Trust, b.caps.Trust)
	}
	if want := b.rig.Address(0).Channel; ev.Channel != want {
		b.Errorf("an event names channel %q, want %q", ev.Channel, want)
	}
}

// secretsKept looks for secrets in all that the adapter wrote or returned.
func (b *bench) secretsKept() {
	b.Helper()
	said := b.rig.Log() + strings.Join(b.errs, "\n")
	for i, secret := range b.rig.Secrets() {
		if strings.Contains(said, secret) {
			b.Errorf("secret %d stands in a log or an error", i)
		}
	}
}

// hears starts the adapter and reports whether it brings events at all. One
// that only sends is proven to bring none.
func (b *bench) hears() bool {
	b.Helper()
	b.start()
	if !b.caps.SendOnly {
		return true
	}
	if _, ok := b.rig.Adapter().(bots.Webhook); ok {
		b.Errorf("Caps.SendOnly, but the adapter has a webhook")
	}
	if b.rig.UserSays(0, "你好") {
		b.Errorf("Caps.SendOnly, but users can speak on this network")
	}
	if n := b.sink.Calls(); n > 0 {
		b.Errorf("Caps.SendOnly, but the sink was called %d times", n)
	}
	return false
}

// says makes a user say text and waits for the event.
func (b *bench) says(user int, text string) bots.Event {
	b.Helper()
	n := len(b.sink.Rows())
	if !b.rig.UserSays(user, text) {
		b.Fatalf("users cannot speak on this network, but Caps.SendOnly is false")
	}
	return b.row(n)
}

// row waits for row n, from 0.
func (b *bench) row(n int) bots.Event {
	b.Helper()
	if !b.sink.until(b.patience, func() bool { return len(b.sink.Rows()) > n }) {
		b.Fatalf("event %d did not arrive (%d did)", n+1, len(b.sink.Rows()))
	}
	return b.sink.Rows()[n]
}

// mark makes a user say something new and waits for it. What came before it in
// that chat has arrived then, or never will.
func (b *bench) mark(user int) {
	b.Helper()
	b.marks++
	text := fmt.Sprintf("标记 %d", b.marks)
	if !b.rig.UserSays(user, text) {
		b.Fatalf("users cannot speak on this network, but Caps.SendOnly is false")
	}
	arrived := b.sink.until(b.patience, func() bool {
		for _, ev := range b.sink.Rows() {
			if ev.Text == text && ev.Chat == b.rig.Address(user).Chat {
				return true
			}
		}
		return false
	})
	if !arrived {
		b.Fatalf("nothing arrives any more")
	}
}

// send sends once; errors are kept for the search for secrets.
func (b *bench) send(user int, m bots.Message) (bots.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.Background(), b.patience)
	defer cancel()
	b.marks++
	if m.Key == "" {
		m.Key = fmt.Sprintf("%d", 1000+b.marks)
	}
	receipt, err := b.rig.Adapter().Send(ctx, b.rig.Address(user), m)
	if err != nil {
		b.errs = append(b.errs, err.Error())
	}
	return receipt, err
}

// delivers sends m and returns what the user saw.
func (b *bench) delivers(user int, m bots.Message) Sent {
	b.Helper()
	n := len(b.rig.Sent())
	receipt, err := b.send(user, m)
	if err != nil {
		b.Fatalf("send: %v", err)
	}
	if receipt.ID == "" {
		b.Errorf("send: a receipt without id")
	}
	sent := b.rig.Sent()
	if len(sent) != n+1 {
		b.Fatalf("one send showed users %d messages", len(sent)-n)
	}
	if meter, ok := b.rig.Adapter().(bots.Metered); ok {
		if want := meter.Parts(m); sent[n].Parts != want {
			b.Errorf("a text of %d bytes came in %d parts, Parts said %d", len(m.Text), sent[n].Parts, want)
		}
	}
	if sent[n].User != user {
		b.Errorf("a message for user %d was shown to user %d", user, sent[n].User)
	}
	return sent[n]
}

// rejects sends m, which must be ClassRejected and shown to nobody.
func (b *bench) rejects(what string, m bots.Message) {
	b.Helper()
	n := len(b.rig.Sent())
	_, err := b.send(0, m)
	if err == nil || bots.ClassOf(err) != bots.ClassRejected {
		b.Errorf("%s: error %v, want class rejected", what, err)
	}
	if got := len(b.rig.Sent()); got != n {
		b.Errorf("%s: users were shown something all the same", what)
	}
}
