// Package smsc runs a short message service centre that was written by others:
// npm smpp, at its locked version, behind a small script (serve.js). The bench
// and the tests with foreign programs speak SMPP with it.
//
// Install needs node and npm and fetches once for each lock. A centre ends with
// its standard input, so that none outlives who started it.
package smsc

import (
	"bufio"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

//go:embed package.json package-lock.json serve.js
var files embed.FS

// fetchTime is how long npm may take.
const fetchTime = 5 * time.Minute

// Install puts package, lock and script into a folder of the user's cache that
// is named after them, has npm fetch the rest, and returns the folder.
func Install(ctx context.Context) (string, error) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("%s is not installed: scripts/need node", program)
		}
	}
	sum := sha256.New()
	bodies := map[string][]byte{}
	for _, name := range []string{"package.json", "package-lock.json", "serve.js"} {
		body, err := files.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("read embedded %s: %w", name, err)
		}
		bodies[name] = body
		sum.Write(body)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache: %w", err)
	}
	dir := filepath.Join(cache, "shaoying", fmt.Sprintf("sms-peer-%x", sum.Sum(nil)[:6]))
	if _, err := os.Stat(filepath.Join(dir, "installed")); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make a folder for the centre: %w", err)
	}
	for name, body := range bodies {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o644); err != nil {
			return "", fmt.Errorf("write %s: %w", name, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm cannot fetch smpp: %w\n%s", err, out)
	}
	return dir, os.WriteFile(filepath.Join(dir, "installed"), nil, 0o644)
}

// Account is who may bind.
type Account struct{ SystemID, Password string }

// Event is something that happened at the centre.
type Event struct {
	Event string `json:"event"` // ready, bound, submit, taken, urgent, count
	Port  int    `json:"port"`
	// Of a submit, and Text of an urgent one.
	ID, From, To, Text, UDH string
	Coding, Registered      int
	Answered                bool
	// Name is of a text that was taken.
	Name string
	// At is when an urgent text came, in milliseconds of the machine's clock.
	At float64
	// Count is how many submits came, Disorder how many of them behind a later
	// one to the same number.
	Count, Disorder int
}

// Centre is a running one.
type Centre struct {
	// Addr is host and port.
	Addr string
	// Events are what happens; they must be read. It is closed at the end.
	Events <-chan Event

	cmd   *exec.Cmd
	mu    sync.Mutex
	stdin io.WriteCloser
	done  chan struct{}
}

// Start runs a centre out of dir. Port 0 is a free one; quiet is for loads.
func Start(dir string, a Account, port int, quiet bool) (*Centre, error) {
	args := []string{"serve.js", strconv.Itoa(port), a.SystemID, a.Password}
	if quiet {
		args = append(args, "quiet")
	}
	cmd := exec.Command("node", args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the centre: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the centre: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the centre: %w", err)
	}
	events := make(chan Event, 1024)
	c := &Centre{Events: events, cmd: cmd, stdin: stdin, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		defer close(events)
		in := json.NewDecoder(bufio.NewReader(stdout))
		for {
			var e Event
			if err := in.Decode(&e); err != nil {
				return // the end of the process
			}
			events <- e
		}
	}()
	e, ok := <-events
	if !ok || e.Event != "ready" {
		return nil, errors.Join(fmt.Errorf("the centre did not start: %+v", e), c.Kill())
	}
	c.Addr = "127.0.0.1:" + strconv.Itoa(e.Port)
	return c, nil
}

// Do gives an order.
func (c *Centre) Do(order map[string]any) error {
	body, err := json.Marshal(order)
	if err != nil {
		return fmt.Errorf("write an order: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.stdin.Write(append(body, '\n')); err != nil {
		return fmt.Errorf("give an order to the centre: %w", err)
	}
	return nil
}

// Stop ends the centre in order.
func (c *Centre) Stop() error {
	if err := c.stdin.Close(); err != nil {
		return fmt.Errorf("stop the centre: %w", err)
	}
	return c.wait()
}

// Kill ends it as a power cut would.
func (c *Centre) Kill() error {
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the centre: %w", err)
	}
	var exit *exec.ExitError
	if err := c.wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}

func (c *Centre) wait() error {
	for range c.Events { // nobody reads them any more
	}
	<-c.done
	return c.cmd.Wait()
}
