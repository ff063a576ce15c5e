package managed

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// asProcess makes the test binary behave as another shaoying process that uses
// the directory it names: it prints "open" and its connection string, waits for
// a line on its input, stops and prints "stopped".
const asProcess = "MANAGED_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asProcess); dir != "" {
		os.Exit(otherProcess(dir))
	}
	code := m.Run()
	for _, dir := range made {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func otherProcess(dir string) int {
	s, err := Open(context.Background(), Config{Dir: dir, Settings: quick, Log: silent})
	if err != nil {
		fmt.Println("failed:", strings.ReplaceAll(err.Error(), "\n", " "))
		return 1
	}
	fmt.Println("open", s.Owner(), s.DSN(Database))
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return 2
	}
	if err := s.Stop(context.Background()); err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println("stopped")
	return 0
}

var (
	silent = slog.New(slog.DiscardHandler)
	// quick makes starts cheap; what they prove does not need the disk.
	quick = map[string]string{"fsync": "off", "shared_buffers": "16MB"}
	// made are the directories to remove after the last test, not after each:
	// ext4 gives out no inode within five seconds of its deletion, and looking
	// for others costs more than the tests.
	made []string
	// prepared is one cluster that tests copy, because initdb takes a second.
	prepared struct {
		once sync.Once
		dir  string
		err  error
	}
)

// emptyDir returns a directory that the server's account can reach, which those
// of testing.T.TempDir are not when root tests.
func emptyDir(t *testing.T) string {
	t.Helper()
	dir, err := makeReachable()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func makeReachable() (string, error) {
	dir, err := os.MkdirTemp("/tmp", "managed-")
	if err != nil {
		return "", err
	}
	made = append(made, dir)
	return dir, os.Chmod(dir, 0o711)
}

// clusterDir returns a directory with a cluster in it and no server.
func clusterDir(t *testing.T) string {
	t.Helper()
	requireServer(t)
	prepared.once.Do(func() {
		if prepared.dir, prepared.err = makeReachable(); prepared.err != nil {
			return
		}
		var s *Server
		if s, prepared.err = Open(context.Background(), Config{Dir: prepared.dir, Settings: quick, Log: silent}); prepared.err == nil {
			prepared.err = s.Stop(context.Background())
		}
	})
	if prepared.err != nil {
		t.Fatal(prepared.err)
	}
	dir := filepath.Join(emptyDir(t), "data")
	if out, err := exec.Command("cp", "-a", "--sparse=always", prepared.dir, dir).CombinedOutput(); err != nil {
		t.Fatalf("copy the prepared cluster: %v: %s", err, out)
	}
	return dir
}

// falseCluster returns a directory with one file of a cluster, for what is
// refused before the server is touched.
func falseCluster(t *testing.T, file, text string) string {
	t.Helper()
	dir := emptyDir(t)
	a, err := ownerOf(dir)
	if err == nil {
		a, err = a.serverAccount()
	}
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "postgres", "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	give(t, filepath.Join(dir, "postgres"), &a)
	return dir
}

func requireServer(t *testing.T) {
	t.Helper()
	if _, err := Find(t.Context()); err != nil {
		t.Fatalf("these tests need PostgreSQL: %v", err)
	}
}

// open opens dir in this process and stops it when the test ends.
func open(t *testing.T, dir string) *Server {
	t.Helper()
	s, err := Open(t.Context(), Config{Dir: dir, Settings: quick, Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// refused opens dir, which must fail with an error that says all of wants.
func refused(t *testing.T, cfg Config, wants ...string) {
	t.Helper()
	cfg.Log, cfg.Settings = silent, quick
	s, err := Open(t.Context(), cfg)
	if err == nil {
		stop(t, s)
		t.Fatalf("opened, want an error with %q", wants)
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}

// query asks the server one thing and returns it as text.
func query(t *testing.T, dsn, sql string) string {
	t.Helper()
	got, err := tryQuery(t.Context(), dsn, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

func tryQuery(ctx context.Context, dsn, sql string) (string, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.Background())
	var got string
	err = conn.QueryRow(ctx, "select ("+sql+")::text").Scan(&got)
	return got, err
}

func running(dir string) bool {
	_, is := findPostmaster(filepath.Join(dir, "postgres", "data"))
	return is
}

// process is another shaoying process.
type process struct {
	*exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	ended bool
}

// start runs another process on dir, as the given account when that is not nil.
func startProcess(t *testing.T, dir string, as *account) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if as != nil {
		self = copyOf(t, self) // go test builds below a directory of mode 0700
	}
	cmd := exec.Command(self)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), asProcess+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if as != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(as.uid), Gid: uint32(as.gid)}
	}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: cmd, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		if !p.ended {
			p.kill()
		}
	})
	return p
}

// line reads the next line that the process prints.
func (p *process) line(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the other process said nothing: %v", err)
	}
	return strings.TrimSpace(line)
}

// opened waits until the process uses the server.
func (p *process) opened(t *testing.T) (owner bool, dsn string) {
	t.Helper()
	line := p.line(t)
	rest, ok := strings.CutPrefix(line, "open ")
	if !ok {
		t.Fatalf("the other process: %s", line)
	}
	is, dsn, _ := strings.Cut(rest, " ")
	return is == "true", dsn
}

// stop lets the process stop in good order.
func (p *process) stop(t *testing.T) {
	t.Helper()
	fmt.Fprintln(p.in)
	if got := p.line(t); got != "stopped" {
		t.Fatalf("the other process: %s", got)
	}
	p.ended = true
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
}

// kill ends the process as the kernel does when memory is short.
func (p *process) kill() {
	p.ended = true
	p.Process.Kill()
	p.Wait()
}

func copyOf(t *testing.T, file string) string {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(emptyDir(t), "shaoying.test")
	if err := os.WriteFile(to, body, 0o755); err != nil {
		t.Fatal(err)
	}
	return to
}

// plainUser is somebody who is neither root nor postgres.
func plainUser(t *testing.T) *account {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to act as another user")
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("needs a user nobody")
	}
	a, err := accountOf(u)
	if err != nil {
		t.Fatal(err)
	}
	return &a
}

func give(t *testing.T, dir string, to *account) {
	t.Helper()
	if out, err := exec.Command("chown", "-R", strconv.Itoa(to.uid)+":"+strconv.Itoa(to.gid), dir).CombinedOutput(); err != nil {
		t.Fatalf("chown: %v: %s", err, out)
	}
}

// within is a context that ends soon, for what must not wait.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
