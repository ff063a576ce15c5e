//go:build kill

package kill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"shaoying/test/world"
)

// process is one place at which the program runs: its address stays the same
// over restarts. A keeper starts it again whenever it ends, as systemd does.
type process struct {
	world *world.World

	mu      sync.Mutex
	server  *world.Server // while it runs and nobody has doomed it
	doomed  *world.Server // its end is our doing
	changed chan struct{} // closed and replaced whenever server changes
	strange []error
}

// house is several processes over one database.
type house struct {
	processes []*process
	stop      func()
}

// newHouse starts n processes of bin and waits until they are ready. env goes
// to all of them.
func newHouse(t *testing.T, bin string, n int, env []string) *house {
	t.Helper()
	h := &house{}
	ctx, cancel := context.WithCancel(context.Background())
	var keepers sync.WaitGroup
	h.stop = sync.OnceFunc(func() { cancel(); keepers.Wait() })
	t.Cleanup(func() {
		h.stop()
		for i, p := range h.processes {
			if err := errors.Join(p.strange...); err != nil {
				t.Errorf("process %d: %v", i, err)
			}
			if t.Failed() {
				keepLogs(t, i, p.world.Logs())
			}
		}
	})
	for i := range n {
		dir := filepath.Join(t.TempDir(), fmt.Sprint("process", i))
		w, err := world.New(bin, dir)
		world.Must(t, err)
		w.Env = env
		p := &process{world: w, changed: make(chan struct{})}
		h.processes = append(h.processes, p)
		keepers.Go(func() { p.keep(ctx) })
	}
	for _, p := range h.processes {
		_, err := p.running(t.Context())
		world.Must(t, err)
	}
	return h
}

// keep runs the process until ctx ends, whatever happens to it.
func (p *process) keep(ctx context.Context) {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for ctx.Err() == nil {
		s, err := p.world.Start()
		if err != nil {
			// The database may be on its way back; a process that never comes
			// up again is noticed by whoever waits for it.
			select {
			case <-again.C:
			case <-ctx.Done():
			}
			continue
		}
		p.set(s)
		select {
		case <-s.Ended():
			p.ended(s)
		case <-ctx.Done():
			p.set(nil)
			if _, err := s.Stop(); err != nil {
				p.strange = append(p.strange, err)
			}
		}
	}
}

func (p *process) set(s *world.Server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = s
	close(p.changed)
	p.changed = make(chan struct{})
}

// ended notes the end of a server. Nobody may end it but us: a process that
// gives up by itself has broken its promise.
func (p *process) ended(s *world.Server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.doomed != s {
		_, err := s.Stop()
		p.strange = append(p.strange, fmt.Errorf("the process ended by itself: %w", err))
	}
	p.server, p.doomed = nil, nil
}

// running waits for the server that runs.
func (p *process) running(ctx context.Context) (*world.Server, error) {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		p.mu.Lock()
		s, changed := p.server, p.changed
		p.mu.Unlock()
		if s != nil {
			return s, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-limit.C:
			return nil, fmt.Errorf("the process did not come up\n%s", tail(p.world.Logs(), 20))
		}
	}
}

// doom waits for the server that runs and takes it out of everybody's hands.
func (p *process) doom(ctx context.Context) (*world.Server, error) {
	for {
		s, err := p.running(ctx)
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		ours := p.server == s
		if ours {
			p.server, p.doomed = nil, s
		}
		p.mu.Unlock()
		if ours {
			return s, nil
		}
	}
}

// kill is kill -9.
func (p *process) kill(ctx context.Context) (time.Time, error) {
	s, err := p.doom(ctx)
	if err != nil {
		return time.Time{}, err
	}
	at := time.Now()
	return at, s.Kill()
}

// restart is SIGTERM; it returns how long the process took to end.
func (p *process) restart(ctx context.Context) (time.Duration, error) {
	s, err := p.doom(ctx)
	if err != nil {
		return 0, err
	}
	return s.Stop()
}

// urls are where the processes answer.
func (h *house) urls() []string {
	var all []string
	for _, p := range h.processes {
		all = append(all, "http://"+p.world.Addr)
	}
	return all
}

// any is one process by chance.
func (h *house) any(r *rand.Rand) *process { return h.processes[r.IntN(len(h.processes))] }

// keepLogs writes what a process logged beside the figures, for who looks for
// the cause of a failure.
func keepLogs(t *testing.T, i int, logs string) {
	name := filepath.Join(os.TempDir(), fmt.Sprintf("shaoying-kill-%s-%d.log", strings.ReplaceAll(t.Name(), "/", "_"), i))
	if err := os.WriteFile(name, []byte(logs), 0o600); err != nil {
		t.Errorf("keep the log of process %d: %v", i, err)
		return
	}
	t.Logf("the log of process %d is in %s", i, name)
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
