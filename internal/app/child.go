package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"shaoying/bots/remote"
	"shaoying/bots/wire"
)

// child is an agent as a process of its own: this program again, in a process
// group of its own, behind everything else of this machine, with an environment
// that holds none of our secrets.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	done  chan struct{}
	err   error
}

// startAgent starts an agent and gives it its brief. Its life ends with ours,
// however we end: it reads the end of its standard input, and where the system
// can, it is killed with us.
func startAgent(b brief, log *slog.Logger) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	told, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("write the brief of an agent: %w", err)
	}
	c := &child{cmd: exec.Command(program, "wechat-agent"), done: make(chan struct{})}
	c.cmd.Env = agentEnvironment(b.Limits)
	c.cmd.SysProcAttr = agentAttributes()
	c.cmd.Stdout = os.Stdout // the terminal, for the code to be scanned
	c.cmd.Stderr = &agentLog{log: log.With("channel", string(b.ID), "component", "agent"), left: b.Limits.MaxComplaints}
	c.cmd.WaitDelay = time.Second
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("speak to an agent: %w", err)
	}
	c.stdin = stdin
	started := make(chan error)
	go func() {
		// Killed with us means killed with the thread that started it, so that one
		// is kept for as long as it lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.cmd.Start()
		started <- err
		if err == nil {
			c.err = c.cmd.Wait()
			close(c.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s wechat-agent: %w", program, err)
	}
	if err := syscall.Setpriority(syscall.PRIO_PGRP, c.cmd.Process.Pid, b.Limits.Niceness); err != nil {
		log.Warn("the agent is not nice to others", "error", err)
	}
	if _, err := stdin.Write(told); err != nil {
		c.Stop(true)
		<-c.done
		return nil, fmt.Errorf("give an agent its brief: %w", errors.Join(err, c.err))
	}
	return c, nil
}

// agentEnvironment is what an agent finds: how much it may take, where the system
// keeps its certificates and its zone, and the folder that any command of this
// program asks for. No secret is in it.
func agentEnvironment(l remote.Limits) []string {
	env := []string{"GOMAXPROCS=1", "GOMEMLIMIT=" + strconv.FormatInt(l.Memory*3/4, 10), "GOTRACEBACK=single"}
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "TZ", "TMPDIR", "HOME", "XDG_DATA_HOME", "SHAOYING_DATA"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// Done implements remote.Child.
func (c *child) Done() <-chan struct{} { return c.done }

// Err implements remote.Child.
func (c *child) Err() error { return c.err }

// Stop implements remote.Child. The whole group is meant: what the agent started
// goes with it.
func (c *child) Stop(now bool) {
	select {
	case <-c.done:
		return // its number may be somebody else's by now
	default:
	}
	signal := syscall.SIGTERM
	if now {
		signal = syscall.SIGKILL
	}
	// It may be ending by itself; then there is nobody to tell.
	_ = syscall.Kill(-c.cmd.Process.Pid, signal)
}

// agentLog takes the standard error of an agent into our log. Lines of our own
// logger keep their level and go through our handler again, so nothing appears
// that could not appear here. Of other lines, the trace of a crash, the beginning
// is kept as far as it is plain.
type agentLog struct {
	log     *slog.Logger
	left    int
	pending []byte
}

// maxLine is the longest line that is looked at.
const maxLine = 16 << 10

// Write implements io.Writer.
func (a *agentLog) Write(p []byte) (int, error) {
	a.pending = append(a.pending, p...)
	for {
		n, line, err := bufio.ScanLines(a.pending, false)
		if err != nil || n == 0 {
			break
		}
		a.line(line)
		a.pending = a.pending[n:]
	}
	if len(a.pending) > maxLine {
		a.line(a.pending)
		a.pending = nil
	}
	return len(p), nil
}

func (a *agentLog) line(line []byte) {
	var said map[string]any
	if json.Unmarshal(line, &said) != nil {
		if len(line) > 0 && a.left > 0 {
			a.left--
			a.log.Error("the agent complains", "reason", wire.Plain(string(line)))
		}
		return
	}
	var level slog.Level
	text, _ := said[slog.LevelKey].(string)
	if level.UnmarshalText([]byte(text)) != nil {
		level = slog.LevelWarn
	}
	message, _ := said[slog.MessageKey].(string)
	var rest []any
	for key, value := range said {
		switch key {
		case slog.TimeKey, slog.LevelKey, slog.MessageKey, "channel", "component":
		default:
			rest = append(rest, key, value)
		}
	}
	a.log.Log(context.Background(), level, message, rest...)
}
