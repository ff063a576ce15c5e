// Package world runs the real program for whole-system tests: one binary, a
// private PostgreSQL of its own, loopback only, and people who talk to it over
// HTTP as a browser does.
//
// A [World] is an installation: a data directory and a port that stay the same
// over restarts. A [Server] is one running process of it. A [Chat] is somebody
// in front of a page. Nothing here sleeps: everything waits for a line, an
// event or the end of a process, and gives up after [Patience].
package world

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience is how long anything that must happen is waited for. Only failing
// tests wait that long.
const Patience = 40 * time.Second

// World is an installation of the program.
type World struct {
	// Bin is the program, Data its data directory; empty leaves the choice to
	// the program.
	Bin, Data string
	// Addr is where it listens; empty leaves the choice to the program.
	Addr string
	// Env is added to the environment.
	Env []string
	// As, where it is set, is the user that the program runs as.
	As *syscall.Credential

	logs *Buffer
}

// Build compiles the program into dir.
func Build(dir string) (string, error) { return Compile(dir, "cmd/shaoying") }

// Compile compiles a program of the source tree into dir.
func Compile(dir, source string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, filepath.Base(source))
	build := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "./"+source)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", source, err, out)
	}
	return bin, nil
}

// Root is the top of the source tree, found from the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the source tree: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("find the source tree: no go.mod above the working directory")
		}
		dir = up
	}
}

// New returns an installation in dir that listens on a free port.
func New(bin, dir string) (*World, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return &World{Bin: bin, Data: filepath.Join(dir, "data"), Addr: "127.0.0.1:" + port, logs: &Buffer{}}, nil
}

// FreePort is a port of the loopback for a program that is started later. It is
// none of those that the system gives to connections and to who asks for any
// port: of these, another program may be given it before the start.
func FreePort(t testing.TB) string {
	t.Helper()
	port, err := freePort()
	Must(t, err)
	return port
}

func freePort() (string, error) {
	const lowest, unless = 10_000, 32_768
	below := unless // of connections, where the system does not say it (ip(7))
	if raw, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		if n, err := strconv.Atoi(strings.Fields(string(raw))[0]); err == nil && n > lowest+1000 {
			below = n
		}
	}
	var taken error
	for range 100 {
		port := strconv.Itoa(lowest + rand.IntN(below-lowest))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			taken = err
			continue
		}
		return port, l.Close()
	}
	return "", fmt.Errorf("find a free port: %w", taken)
}

// Command is the program with the environment of this world and nothing of
// ours that could lead it to another database.
func (w *World) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(w.Bin, args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "SHAOYING_") && !strings.HasPrefix(kv, "DATABASE_URL=") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	if w.Data != "" {
		cmd.Env = append(cmd.Env, "SHAOYING_DATA="+w.Data)
	}
	if w.Addr != "" {
		cmd.Env = append(cmd.Env, "SHAOYING_ADDR="+w.Addr)
	}
	cmd.Env = append(cmd.Env, w.Env...)
	// A process group of its own keeps the ^C of a terminal from being heard twice.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: w.As}
	return cmd
}

// Run runs a command of the program to its end and returns what it printed.
func (w *World) Run(args ...string) (string, error) {
	out, err := w.Command(args...).CombinedOutput()
	return string(out), err
}

// Logs is everything that every process of this world has logged.
func (w *World) Logs() string { return w.logs.String() }

// Server is a running process.
type Server struct {
	// URL is where it answers, without a slash at the end.
	URL string
	// Printed is what it wrote to its standard output.
	Printed *Buffer

	cmd   *exec.Cmd
	ended chan struct{}
	err   error // of the process, once ended is closed
}

// Start starts `serve` with args and waits for its ready line.
func (w *World) Start(args ...string) (*Server, error) {
	cmd := w.Command(append([]string{"serve"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the program: %w", err)
	}
	var complaints Buffer
	cmd.Stderr = io.MultiWriter(w.logs, &complaints)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the program: %w", err)
	}
	s := &Server{cmd: cmd, ended: make(chan struct{}), Printed: &Buffer{}}
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			fmt.Fprintln(s.Printed, lines.Text())
			if url, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
				ready <- strings.TrimSuffix(url, "/")
			}
		}
		s.err = cmd.Wait()
		close(s.ended)
	}()
	select {
	case s.URL = <-ready:
		return s, nil
	case <-s.ended:
		return nil, fmt.Errorf("the program ended before it was ready: %w\n%s", s.err, complaints.String())
	case <-time.After(2 * Patience):
		return nil, errors.Join(errors.New("the program did not become ready\n"+complaints.String()), s.Kill())
	}
}

// Ended is closed when the process has ended, for whatever reason.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Stop asks the process to stop, waits for its end and returns how long that
// took.
func (s *Server) Stop() (time.Duration, error) {
	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, fmt.Errorf("stop the program: %w", err)
	}
	select {
	case <-s.ended:
		if s.err != nil {
			return 0, fmt.Errorf("the program did not stop well: %w", s.err)
		}
		return time.Since(began), nil
	case <-time.After(2 * Patience):
		return 0, errors.Join(errors.New("the program did not stop"), s.Kill())
	}
}

// Kill ends the process at once, as a power cut of this process alone would.
func (s *Server) Kill() error {
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the program: %w", err)
	}
	<-s.ended
	return nil
}

// Must stops the test when err is not nil.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Buffer is a bytes.Buffer for several goroutines.
type Buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
