//go:build kill

package kill

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"shaoying/test/world"
)

// gate stands before the network and passes connections through. While it is
// shut nobody listens, so that no connection can be made at all.
type gate struct {
	addr, target string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	passing  sync.WaitGroup
}

func newGate(t *testing.T, target string) *gate {
	t.Helper()
	g := &gate{addr: "127.0.0.1:0", target: target, conns: map[net.Conn]bool{}}
	g.open(t)
	t.Cleanup(func() {
		world.Must(t, g.shut())
		g.passing.Wait()
	})
	return g
}

// open listens, at the same address as before.
func (g *gate) open(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", g.addr)
	world.Must(t, err)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.addr, g.listener = l.Addr().String(), l
	g.passing.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // shut
			}
			g.passing.Go(func() { g.pass(c) })
		}
	})
}

// shut cuts every connection and listens no more.
func (g *gate) shut() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.conns {
		c.Close()
	}
	if err := g.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("shut the gate: %w", err)
	}
	return nil
}

// pass copies both ways until one side ends.
func (g *gate) pass(from net.Conn) {
	to, err := net.Dial("tcp", g.target)
	if err != nil {
		from.Close()
		return
	}
	g.mu.Lock()
	g.conns[from], g.conns[to] = true, true
	g.mu.Unlock()
	var both sync.WaitGroup
	for _, c := range [][2]net.Conn{{from, to}, {to, from}} {
		both.Go(func() {
			// How it ends does not matter: then the other side is closed too.
			_, _ = io.Copy(c[0], c[1])
			c[0].Close()
			c[1].Close()
		})
	}
	both.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, from)
	delete(g.conns, to)
}
