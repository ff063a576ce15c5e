package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/spool"
)

// wire is the way to the database, which can be cut and can hang.
type wire struct {
	t      *testing.T
	target string // socket of the real one
	path   string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	hangs    chan struct{} // not nil while nothing gets through
	wg       sync.WaitGroup
}

// wired makes a DSN that leads through a wire.
func wired(t *testing.T, dsn string) (*wire, string) {
	t.Helper()
	host, port := "", "5432"
	var rest []string
	for _, part := range strings.Fields(dsn) {
		switch key, value, _ := strings.Cut(part, "="); key {
		case "host":
			host = strings.Trim(value, "'")
		case "port":
			port = strings.Trim(value, "'")
		default:
			rest = append(rest, part)
		}
	}
	if !strings.HasPrefix(host, "/") {
		t.Skip("left out: the test database is reached over TCP")
	}
	dir, err := os.MkdirTemp("", "wire") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{
		t: t, target: filepath.Join(host, ".s.PGSQL."+port), path: filepath.Join(dir, ".s.PGSQL.5432"), conns: map[net.Conn]bool{},
	}
	w.mend()
	t.Cleanup(func() {
		w.cut()
		w.wg.Wait()
		_ = os.RemoveAll(dir)
	})
	return w, strings.Join(append(rest, "host="+dir, "port=5432"), " ")
}

// mend connects again what was cut or hung.
func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hangs != nil {
		close(w.hangs)
		w.hangs = nil
	}
	if w.listener != nil {
		return
	}
	l, err := net.Listen("unix", w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	w.listener = l
	w.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.wg.Go(func() { w.carry(c) })
		}
	})
}

// cut breaks every connection and refuses new ones.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listener != nil {
		_ = w.listener.Close()
		w.listener = nil
	}
	if w.hangs != nil {
		close(w.hangs)
		w.hangs = nil
	}
	for c := range w.conns {
		_ = c.Close()
	}
}

// hang keeps the connections and lets nothing through.
func (w *wire) hang() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hangs = make(chan struct{})
}

func (w *wire) through() {
	w.mu.Lock()
	hangs := w.hangs
	w.mu.Unlock()
	if hangs != nil {
		<-hangs
	}
}

func (w *wire) carry(c net.Conn) {
	real, err := net.Dial("unix", w.target)
	if err != nil {
		_ = c.Close()
		return
	}
	w.mu.Lock()
	w.conns[c], w.conns[real] = true, true
	w.mu.Unlock()
	var both sync.WaitGroup
	one := func(to, from net.Conn) {
		both.Go(func() {
			buf := make([]byte, 32<<10)
			for {
				n, err := from.Read(buf)
				w.through()
				if n > 0 {
					if _, err := to.Write(buf[:n]); err != nil {
						break
					}
				}
				if err != nil {
					break
				}
			}
			_ = to.Close()
			_ = from.Close()
		})
	}
	one(real, c)
	one(c, real)
	both.Wait()
	w.mu.Lock()
	delete(w.conns, c)
	delete(w.conns, real)
	w.mu.Unlock()
}

// outageRig is a gateway whose database is at the end of a wire, with a spool.
func outageRig(t *testing.T, limit int64) (*rig, *wire, *Unspooler) {
	t.Helper()
	r := newRig(t, func(cfg *Config, deps *Deps) {
		// The limits are product defaults; a test that hangs should not take them.
		cfg.TurnTimeout = 500 * time.Millisecond
	})
	w, dsn := wired(t, r.dsn)
	d, err := postgres.Open(t.Context(), dsn, r.Clock, postgres.Options{MaxConns: 6, AllowUnsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	r.Gateway.DB = d
	r.Spool = openSpool(r, t.TempDir(), limit)
	return r, w, NewUnspooler(r.Gateway)
}

func openSpool(r *rig, root string, limit int64) *spool.Spool {
	r.t.Helper()
	s, err := spool.Open(root, spool.Policy{MaxBytes: limit}, spool.Deps{Keys: r.Keys, Clock: r.Clock, Log: r.Log})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = s.Close() })
	return s
}

// What 20 residents say while the database goes and comes is taken at once, none
// of it is lost or doubled, and the order of each stands; also when the networks
// deliver everything once more afterwards.
func TestOutageLosesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		away func(*wire)
	}{{"refused", (*wire).cut}, {"hung", (*wire).hang}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, w, u := outageRig(t, 1<<20)
			const residents, each = 10, 12
			var events [residents][each]bots.Event
			for u := range residents {
				user := bots.UserID(fmt.Sprintf("user%02d", u))
				for n := range each {
					events[u][n] = r.text(user, fmt.Sprintf("第%d句", n))
					events[u][n].Key = fmt.Sprintf("%s-%02d", user, n)
				}
			}
			deliver := func(from, to int) {
				t.Helper()
				var wg sync.WaitGroup
				for u := range residents {
					wg.Go(func() {
						for _, ev := range events[u][from:to] {
							if err := r.Sink(t.Context(), []bots.Event{ev}); err != nil {
								t.Errorf("%s: %v", ev.Key, err)
							}
						}
					})
				}
				wg.Wait()
			}
			deliver(0, 4)
			c.away(w)
			deliver(4, 8)
			if count, _ := r.Spool.Size(); count < residents*4 { // a busy machine may have put more there
				t.Errorf("%d events in the spool, want at least %d", count, residents*4)
			}
			if err := u.Once(t.Context()); err != nil {
				t.Errorf("while it is away: %v", err)
			}
			w.mend()
			// New words come while the old ones are brought in.
			done := make(chan struct{})
			go func() { defer close(done); deliver(8, each) }()
			for count := 1; count > 0 || r.outage.away.Load(); count, _ = r.Spool.Size() {
				if err := u.Once(t.Context()); err != nil {
					t.Log(err)
				}
			}
			<-done
			for count, _ := r.Spool.Size(); count > 0; count, _ = r.Spool.Size() {
				if err := u.Once(t.Context()); err != nil {
					t.Log(err)
				}
			}
			deliver(0, each)
			drainer := NewDrainer(r.Gateway) // some were put aside while the database came back
			r.until("nothing waits", func() bool {
				if _, err := drainer.Once(t.Context()); err != nil {
					t.Log(err)
				}
				return r.count(`select count(*) from inbox where state = 'waiting'`) == 0
			})
			if n := r.count(`select count(*) from inbox`); n != residents*each {
				t.Errorf("%d inbox rows, want %d", n, residents*each)
			}
			if n := r.count(`select count(*) from message where direction = 'in'`); n != residents*each {
				t.Errorf("%d messages kept, want %d", n, residents*each)
			}
			if n := r.count(`select count(*) from inbox a join inbox b using (conversation_id) where a.id < b.id and a.event_key > b.event_key`); n != 0 {
				t.Errorf("%d pairs stand in the wrong order", n)
			}
		})
	}
}

// A network that delivers for long is left to do so.
func TestOutageOfAPatientNetwork(t *testing.T) {
	t.Parallel()
	r, w, _ := outageRig(t, 1<<20)
	r.net.caps.Redelivers = 24 * time.Hour
	w.cut()
	if err := r.Sink(t.Context(), []bots.Event{r.text("li", "楼道灯坏了")}); err == nil {
		t.Error("it was told that its message was taken")
	}
	if count, _ := r.Spool.Size(); count != 0 {
		t.Errorf("%d events in the spool", count)
	}
}

// A full spool refuses, which the network sees, and keeps what it has.
func TestOutageWithAFullSpool(t *testing.T) {
	t.Parallel()
	r, w, u := outageRig(t, 1000)
	w.cut()
	taken := 0
	var err error
	for err == nil {
		if err = r.Sink(t.Context(), []bots.Event{r.text("li", "楼道灯坏了")}); err == nil {
			taken++
		}
	}
	if !errors.Is(err, spool.ErrFull) || taken == 0 {
		t.Fatalf("after %d events: %v", taken, err)
	}
	w.mend()
	for count := 1; count > 0; count, _ = r.Spool.Size() {
		if err := u.Once(t.Context()); err != nil {
			t.Log(err)
		}
	}
	if n := r.count(`select count(*) from inbox`); n != int64(taken) {
		t.Errorf("%d inbox rows, want %d", n, taken)
	}
}

// What a process left is brought in by the next one.
func TestSpoolOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	r, w, _ := outageRig(t, 1<<20)
	root := t.TempDir()
	r.Spool = openSpool(r, root, 1<<20)
	w.cut()
	r.send(r.text("li", "楼道灯坏了"))
	if err := r.Spool.Close(); err != nil {
		t.Fatal(err)
	}
	w.mend()
	next := r.another()
	next.Spool = openSpool(r, root, 1<<20)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- NewUnspooler(next).Run(ctx) }()
	r.until("the event is brought in", func() bool { return r.count(`select count(*) from inbox`) == 1 })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What a network says of a message while the database is away is kept as well.
func TestOutageKeepsReports(t *testing.T) {
	t.Parallel()
	r, w, u := outageRig(t, 1<<20)
	w.cut()
	for range 2 { // found away, known to be away
		ev := r.event("li", bots.KindReport)
		ev.Report = &bots.Report{ID: "r1", State: bots.ReportDelivered}
		r.send(ev)
	}
	w.mend()
	for count := 1; count > 0; count, _ = r.Spool.Size() {
		if err := u.Once(t.Context()); err != nil {
			t.Log(err)
		}
	}
	if n := r.count(`select count(*) from report where receipt = 'r1'`); n != 2 {
		t.Errorf("%d reports, want 2", n)
	}
	if n := r.count(`select count(*) from inbox`); n != 0 {
		t.Errorf("%d inbox rows for reports", n)
	}
}
