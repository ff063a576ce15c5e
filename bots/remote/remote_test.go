package remote

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"go.uber.org/goleak"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/internal/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limits are what serve would use.
func limits(t testing.TB) (l Limits) {
	t.Helper()
	body, err := os.ReadFile("../../configs/policies/agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(body, &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// stub is an adapter that does what a test says.
type stub struct {
	run   func(context.Context, bots.Sink) error
	send  func(context.Context, bots.Address, bots.Message) (bots.Receipt, error)
	fetch func(context.Context, bots.File) (io.ReadCloser, error)
}

func (s *stub) Caps() bots.Caps { return caps }

func (s *stub) Run(ctx context.Context, sink bots.Sink) error {
	if s.run != nil {
		return s.run(ctx, sink)
	}
	<-ctx.Done()
	return nil
}

func (s *stub) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	return s.send(ctx, to, m)
}

func (s *stub) Fetch(ctx context.Context, f bots.File) (io.ReadCloser, error) { return s.fetch(ctx, f) }

var caps = bots.Caps{MaxText: 100, TextUnit: bots.Runes, PhotoIn: true, Group: true}

// inside is a child that is no process: an agent in this one.
type inside struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error
	deaf   bool // does not end when it is asked

	mu     sync.Mutex
	cpu    time.Duration
	memory int64
}

// start runs f as a child.
func start(f func(context.Context) error) *inside {
	ctx, cancel := context.WithCancel(context.Background())
	c := &inside{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.err = f(ctx)
	}()
	return c
}

func (c *inside) Done() <-chan struct{} { return c.done }
func (c *inside) Err() error            { return c.err }

func (c *inside) Stop(now bool) {
	if now || !c.deaf {
		c.cancel()
	}
}

func (c *inside) Usage() (time.Duration, int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cpu, c.memory, nil
}

// house is a channel that runs, with its agent in this process.
type house struct {
	t       *testing.T
	channel *Channel
	state   *botstest.State
	log     *botstest.Log
	sink    *botstest.Recorder
	starts  chan *inside
	cancel  context.CancelFunc
	ended   chan error
}

// open runs a channel; each agent is made by agent.
func openHouse(t *testing.T, lim Limits, agent func(Contact) *inside) *house {
	t.Helper()
	h := &house{t: t, state: &botstest.State{}, log: &botstest.Log{}, sink: botstest.NewRecorder(), starts: make(chan *inside, 100), ended: make(chan error, 1)}
	var err error
	h.channel, err = New(Config{ID: "wx", Limits: lim}, Deps{
		Clock: clock.New(), Log: slog.New(slog.NewTextHandler(h.log, nil)), State: h.state, Caps: caps,
		Start: func(at Contact) (Child, error) {
			c := agent(at)
			h.starts <- c
			return c, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	go func() { h.ended <- h.channel.Run(ctx, h.sink.Sink) }()
	t.Cleanup(h.close)
	return h
}

// close ends the channel and looks how long that takes.
func (h *house) close() {
	if h.cancel == nil {
		return
	}
	h.cancel()
	h.cancel = nil
	limit := time.NewTimer(time.Second)
	defer limit.Stop()
	select {
	case err := <-h.ended:
		if err != nil {
			h.t.Errorf("Run returned %v", err)
		}
	case <-limit.C:
		h.t.Error("Run did not end within a second")
		<-h.ended
	}
}

// agentOf makes agents that run an adapter.
func agentOf(t *testing.T, lim Limits, make func(*Agent) bots.Adapter) func(Contact) *inside {
	return func(at Contact) *inside {
		a, err := NewAgent(Config{ID: "wx", Limits: lim}, at, AgentDeps{Clock: clock.New(), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Error(err)
			return start(func(context.Context) error { return err })
		}
		return start(func(ctx context.Context) error { return a.Run(ctx, make(a)) })
	}
}

func within1(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

var to = bots.Address{Channel: "wx", Chat: "a"}

// What a send comes to arrives whole: receipt, class, how long to wait, where to.
func TestSendComesBackWhole(t *testing.T) {
	lim := limits(t)
	want := []error{
		nil,
		&bots.Error{Class: bots.ClassThrottled, After: 90 * time.Second, Err: errors.New("too often")},
		&bots.Error{Class: bots.ClassMoved, NewChat: "b", Err: errors.New("moved")},
		&bots.Error{Class: bots.ClassLoggedOut, Err: errors.New("scan")},
		errors.New("plain, to 13800138000 说的话"),
	}
	call := 0
	h := openHouse(t, lim, agentOf(t, lim, func(*Agent) bots.Adapter {
		return &stub{send: func(_ context.Context, at bots.Address, m bots.Message) (bots.Receipt, error) {
			if at != to || m.Text != "你好" || string(m.Photo.Data) != "jpeg" || m.Template.Key != "k" {
				t.Errorf("%v %+v", at, m)
			}
			err := want[call]
			call++
			return bots.Receipt{ID: "r1"}, err
		}}
	}))
	for _, w := range want {
		r, err := h.channel.Send(within1(t, 10*time.Second), to, bots.Message{
			Key: "7", Text: "你好", Photo: &bots.Photo{Name: "a.jpg", Data: []byte("jpeg")}, Template: bots.Template{Key: "k"},
		})
		if w == nil {
			if err != nil || r.ID != "r1" {
				t.Errorf("receipt %v, error %v", r, err)
			}
			continue
		}
		var got, expected *bots.Error
		if !errors.As(err, &got) || got.Class != bots.ClassOf(w) {
			t.Errorf("%v came as %v", w, err)
			continue
		}
		if errors.As(w, &expected) && (got.After != expected.After || got.NewChat != expected.NewChat) {
			t.Errorf("%+v came as %+v", expected, got)
		}
		if strings.Contains(err.Error(), "13800138000") || strings.Contains(err.Error(), "说") {
			t.Errorf("words or a number in %v", err)
		}
	}
}

// Nobody took it: surely not sent. Somebody took it and is gone, or is silent, or
// panicked: nobody knows.
func TestWhatBecameOfASend(t *testing.T) {
	lim := limits(t)
	lim.Handover = 50 * time.Millisecond
	var doing func(context.Context) error
	h := openHouse(t, lim, agentOf(t, lim, func(*Agent) bots.Adapter {
		return &stub{send: func(ctx context.Context, _ bots.Address, _ bots.Message) (bots.Receipt, error) {
			return bots.Receipt{}, doing(ctx)
		}}
	}))
	child := <-h.starts
	doing = func(context.Context) error { panic("library") }
	_, err := h.channel.Send(within1(t, 10*time.Second), to, bots.Message{Text: "x"})
	for bots.ClassOf(err) == bots.ClassTemporary { // the agent has only just begun
		_, err = h.channel.Send(within1(t, 10*time.Second), to, bots.Message{Text: "x"})
	}
	if bots.ClassOf(err) != bots.ClassUnknown || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("a panic is %v", err)
	}
	reached := make(chan struct{}, 1)
	doing = func(ctx context.Context) error { reached <- struct{}{}; <-ctx.Done(); return ctx.Err() }
	if _, err := h.channel.Send(within1(t, 300*time.Millisecond), to, bots.Message{Text: "x"}); bots.ClassOf(err) != bots.ClassUnknown {
		t.Errorf("a send that takes too long is %v", err)
	}
	<-reached
	go func() { <-reached; child.cancel() }()
	if _, err := h.channel.Send(within1(t, 10*time.Second), to, bots.Message{Text: "x"}); bots.ClassOf(err) != bots.ClassUnknown {
		t.Errorf("an agent that died is %v", err)
	}
	h.close()
	if _, err := h.channel.Send(within1(t, 10*time.Second), to, bots.Message{Text: "x"}); bots.ClassOf(err) != bots.ClassTemporary {
		t.Errorf("no agent is %v", err)
	}
	if _, err := h.channel.Fetch(within1(t, 10*time.Second), bots.File{Key: "k"}); bots.ClassOf(err) != bots.ClassTemporary {
		t.Errorf("a file without an agent is %v", err)
	}
}

// A file comes while it is read; one that breaks off is an error of the reader,
// and one that nobody reads to its end holds up nothing.
func TestFetch(t *testing.T) {
	lim := limits(t)
	h := openHouse(t, lim, agentOf(t, lim, func(*Agent) bots.Adapter {
		return &stub{fetch: func(_ context.Context, f bots.File) (io.ReadCloser, error) {
			switch f.Key {
			case "good":
				return io.NopCloser(strings.NewReader(strings.Repeat("x", 1<<20))), nil
			case "breaks":
				return io.NopCloser(io.MultiReader(strings.NewReader("half"), broken{})), nil
			case "panics":
				panic("library")
			}
			return nil, &bots.Error{Class: bots.ClassRejected, Err: errors.New("no such file")}
		}}
	}))
	open := func(key string) (io.ReadCloser, error) {
		return h.channel.Fetch(within1(t, 10*time.Second), bots.File{Key: key, MIME: "image/jpeg"})
	}
	for range 3 * lim.Parallel {
		file, err := open("good")
		if err != nil {
			t.Fatal(err)
		}
		io.CopyN(io.Discard, file, 10)
		file.Close()
	}
	file, err := open("good")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(file); err != nil || len(body) != 1<<20 {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	file.Close()
	if file, err = open("breaks"); err == nil {
		if _, err = io.ReadAll(file); err == nil {
			t.Error("half a file is a file")
		}
		file.Close()
	}
	if _, err = open("panics"); bots.ClassOf(err) != bots.ClassTemporary {
		t.Errorf("a panic is %v", err)
	}
	if _, err = open("none"); bots.ClassOf(err) != bots.ClassRejected {
		t.Errorf("no such file is %v", err)
	}
}

// A file that comes when its reader has just gone away holds up nobody: who sends
// it is told.
func TestFileThatNobodyReads(t *testing.T) {
	list := errands{list: map[string]*errand{}}
	e := list.add(t.Context(), job{Fetch: &bots.File{Key: "k"}})
	out, in := io.Pipe()
	if !list.answer(e.job.Lease, reply{file: out}) {
		t.Fatal("nobody waits for it")
	}
	e.forget()
	if _, err := in.Write([]byte("x")); err == nil {
		t.Error("it is written for nobody")
	}
	if list.answer(e.job.Lease, reply{}) {
		t.Error("it is answered once more")
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken") }

// What the adapter remembers is in the gateway's State, under names of its own,
// and a State that is away is an error, not an empty memory.
func TestState(t *testing.T) {
	lim := limits(t)
	got := make(chan error, 1)
	var h *house
	ready := make(chan struct{})
	h = openHouse(t, lim, agentOf(t, lim, func(a *Agent) bots.Adapter {
		return &stub{run: func(ctx context.Context, _ bots.Sink) error {
			<-ready
			got <- func() error {
				if v, err := a.State().Load(ctx, "cookies"); v != nil || err != nil {
					return errors.New("something was there before")
				}
				if err := a.State().Save(ctx, "cookies", []byte("secret")); err != nil {
					return err
				}
				if v, err := a.State().Load(ctx, "cookies"); string(v) != "secret" || err != nil {
					return errors.New("it is not what was kept")
				}
				if err := a.State().Save(ctx, "../standing", nil); err == nil {
					return errors.New("any name goes")
				}
				h.state.Fail(true)
				defer h.state.Fail(false)
				if _, err := a.State().Load(ctx, "cookies"); err == nil {
					return errors.New("no State is an empty one")
				}
				if err := a.State().Save(ctx, "cookies", []byte("x")); err == nil {
					return errors.New("it was kept nowhere")
				}
				return nil
			}()
			<-ctx.Done()
			return nil
		}}
	}))
	close(ready)
	if err := <-got; err != nil {
		t.Error(err)
	}
	if v := h.state.Values(); string(v["agent.cookies"]) != "secret" {
		t.Errorf("kept: %v", v)
	}
	if strings.Contains(h.log.String(), "secret") {
		t.Error("what is remembered stands in the log")
	}
}

// How the account stands is what its adapter showed last; when the agent is gone
// nobody is online.
func TestStanding(t *testing.T) {
	lim := limits(t)
	h := openHouse(t, lim, agentOf(t, lim, func(a *Agent) bots.Adapter {
		a.Show(bots.Standing{State: bots.StandingScan, QR: "https://secret-code"})
		return &stub{}
	}))
	child := <-h.starts
	standing := func(want bots.StandingState) (s bots.Standing) {
		t.Helper()
		look := time.NewTicker(5 * time.Millisecond)
		defer look.Stop()
		limit := time.NewTimer(10 * time.Second)
		defer limit.Stop()
		for {
			var err error
			if s, err = h.channel.Standing(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s.State == want {
				return s
			}
			select {
			case <-look.C:
			case <-limit.C:
				t.Fatalf("it stands %s, want %s", s.State, want)
			}
		}
	}
	if s := standing(bots.StandingScan); s.QR != "https://secret-code" || s.Since.IsZero() {
		t.Errorf("%+v", s)
	}
	if f := h.channel.Check(t.Context()); len(f) != 1 || !f[0].Wrong || strings.Contains(f[0].What, "secret") {
		t.Errorf("check: %v", f)
	}
	child.cancel()
	standing(bots.StandingStarting)
	<-h.starts
	standing(bots.StandingScan)
	h.close()
	if s := standing(bots.StandingStarting); s.QR != "" {
		t.Error("a code of nobody")
	}
	if strings.Contains(h.log.String(), "secret-code") {
		t.Error("the code stands in the log")
	}
}

// testLife is a life without a door.
func testLife(lim Limits) (*life, error) {
	c, err := New(Config{ID: "wx", Limits: lim}, Deps{
		Clock: clock.New(), Log: slog.New(slog.DiscardHandler), State: &botstest.State{}, Start: func(Contact) (Child, error) { return nil, errors.New("no") },
	})
	if err != nil {
		return nil, err
	}
	return c.newLife(nil), nil
}
