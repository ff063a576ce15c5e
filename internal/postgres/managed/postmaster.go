package managed

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// rotateAt is the size, in bytes, at which a start sets the log aside.
const rotateAt = 10 << 20

// errEnded: there is no server, or no more.
var errEnded = errors.New("the database server ended while we waited for it")

// errHeld: processes of a server that was killed still hold its memory.
var errHeld = errors.New("processes of the last database server have not ended yet")

// lingerMost is how long a start waits for processes of a server that was killed.
// Each ends by itself once it sees that its server is gone, which takes a busy
// machine a moment.
const lingerMost = 20 * time.Second

// postmaster is what the running server wrote to postmaster.pid.
type postmaster struct {
	pid   int
	ready bool // it takes connections
}

// findPostmaster returns the server that runs on the cluster in data, if one
// does. The file alone proves nothing: its process may be gone, be a zombie
// that nobody reaps, or after a reboot be another program with the same number.
func findPostmaster(data string) (postmaster, bool) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return postmaster{}, false
	}
	p, err := parsePostmaster(text)
	if err != nil {
		return postmaster{}, false
	}
	return p, serves(p.pid, data)
}

// serves tells whether pid is a server on the cluster in data, by its command
// line, which unlike its working directory everybody may read.
func serves(pid int, data string) bool {
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && bytes.Contains(args, []byte("\x00-D\x00"+data+"\x00"))
}

// parsePostmaster reads postmaster.pid: line 1 is the process id, line 8 the
// status, padded to equal length (src/include/utils/pidfile.h).
func parsePostmaster(text []byte) (postmaster, error) {
	lines := strings.Split(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 1 {
		return postmaster{}, fmt.Errorf("no process id in postmaster.pid: %q", lines[0])
	}
	p := postmaster{pid: pid}
	if len(lines) >= 8 {
		p.ready = strings.TrimSpace(lines[7]) == "ready"
	}
	return p, nil
}

// start runs the server and returns when it takes connections, again while
// processes of the last one linger.
func (s *Server) start(ctx context.Context) error {
	linger := time.NewTimer(lingerMost)
	defer linger.Stop()
	again := time.NewTicker(10 * pollEvery)
	defer again.Stop()
	for {
		err := s.startOnce(ctx)
		if !errors.Is(err, errHeld) {
			return err
		}
		select {
		case <-again.C:
		case <-linger.C:
			return err
		case <-ctx.Done():
			return err
		}
	}
}

// startOnce runs the server and returns when it takes connections. When ctx ends
// before that, the server is told to end as well. It returns errHeld when another
// try may help.
func (s *Server) startOnce(ctx context.Context) error {
	if err := s.clearStale(); err != nil {
		return err
	}
	log, err := s.openLog()
	if err != nil {
		return err
	}
	defer log.Close()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("find the end of the server's log: %w", err)
	}
	// The server outlives ctx and, if need be, this process.
	cmd := s.account.command(context.WithoutCancel(ctx), s.home.server(),
		filepath.Join(s.binaries.Dir, "postgres"), s.arguments()...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // reaps it, whenever that is
	err = s.awaitReady(ctx, cmd.Process.Pid, ended)
	if err == nil {
		s.cfg.Log.InfoContext(ctx, "started the database server", "pid", cmd.Process.Pid, "version", s.binaries.Major)
		return nil
	}
	if ctx.Err() != nil {
		return errors.Join(err, cmd.Process.Signal(os.Interrupt))
	}
	said, readErr := io.ReadAll(io.NewSectionReader(log, from, rotateAt))
	if bytes.Contains(said, []byte("shared memory block")) { // CreateLockFile in src/backend/utils/init/miscinit.c
		err = fmt.Errorf("%w: %w", errHeld, err)
	}
	return errors.Join(fmt.Errorf("%w; its log %s ends: %s", err, s.home.log(), lastLines(string(said))), readErr)
}

// arguments are the command line of the server. The log never holds what people
// wrote: no statements, no DETAIL lines with the values of rows.
func (s *Server) arguments() []string {
	settings := map[string]string{
		"log_min_error_statement": "panic",
		"log_error_verbosity":     "terse",
		"log_timezone":            "UTC",
		"timezone":                "UTC",
		"jit":                     "off", // short statements only: compiling costs more than it saves
	}
	maps.Copy(settings, s.cfg.Settings)
	maps.Copy(settings, map[string]string{
		"listen_addresses":        "",
		"port":                    port,
		"unix_socket_directories": `"` + strings.ReplaceAll(s.home.socketDir(), `"`, `""`) + `"`,
		"unix_socket_permissions": "0700",
	})
	args := []string{"-D", s.home.data()}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// clearStale removes what a killed server left, postmaster.pid and the lock of
// its socket, when the process number in it now belongs to another program, as
// after the restart of a container, or to a zombie: PostgreSQL would take that
// for itself and refuse to start. Processes of the old server that still hold
// its memory are found by PostgreSQL in another way.
func (s *Server) clearStale() error {
	for _, path := range []string{
		filepath.Join(s.home.data(), "postmaster.pid"),
		filepath.Join(s.home.socketDir(), ".s.PGSQL."+port+".lock"),
	} {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read what the last server left: %w", err)
		}
		p, err := parsePostmaster(text)
		if err != nil || signal(p.pid, syscall.Signal(0)) != nil {
			continue // PostgreSQL knows what to do with these
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove what the last server left: %w", err)
		}
	}
	return nil
}

// openLog opens the server's log for appending, and sets a long one aside.
func (s *Server) openLog() (*os.File, error) {
	if info, err := os.Stat(s.home.log()); err == nil && info.Size() > rotateAt {
		if err := os.Rename(s.home.log(), s.home.log()+".1"); err != nil {
			return nil, fmt.Errorf("set the server's log aside: %w", err)
		}
	}
	f, err := os.OpenFile(s.home.log(), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	return f, nil
}

// awaitReady waits until the server with this pid takes connections. ended gets
// the end of a child of ours; for an adopted server it is nil.
func (s *Server) awaitReady(ctx context.Context, pid int, ended <-chan error) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		p, running := findPostmaster(s.home.data())
		if running && p.pid == pid && p.ready {
			return nil
		}
		if !running && ended == nil {
			return errEnded
		}
		select {
		case err := <-ended:
			return fmt.Errorf("PostgreSQL did not start: %w", cmp.Or(err, errEnded))
		case <-ctx.Done():
			return fmt.Errorf("wait for the database server (pid %d): %w", pid, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// awaitEnd waits until the process with this pid serves the cluster no more.
func (s *Server) awaitEnd(ctx context.Context, pid int) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for serves(pid, s.home.data()) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
	return nil
}

// signal sends a signal to a process.
func signal(pid int, sig os.Signal) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Signal(sig)
}
