package managed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func execute(t *testing.T, dsn, sql string) {
	t.Helper()
	if _, err := connect(t, dsn).Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// The cases that an installation meets, each with its message.

func TestSecondCommandBesideServe(t *testing.T) {
	dir := clusterDir(t)
	serve := open(t, dir)
	command := startProcess(t, dir, nil)
	owner, dsn := command.opened(t)
	if owner {
		t.Error("the second process took the server for its own")
	}
	if dsn != serve.DSN(Database) {
		t.Errorf("the second process uses %s, the first %s", dsn, serve.DSN(Database))
	}
	command.stop(t)
	if got := query(t, serve.DSN(Database), "1"); got != "1" {
		t.Fatal("the second process took the server away")
	}
}

func TestServeStartedBesideACommand(t *testing.T) {
	dir := clusterDir(t)
	command := startProcess(t, dir, nil)
	if owner, _ := command.opened(t); !owner {
		t.Error("the first process is not the owner")
	}
	serve := open(t, dir)
	command.stop(t)
	if got := query(t, serve.DSN(Database), "1"); got != "1" {
		t.Fatal("the command that started the server took it away from serve")
	}
	stop(t, serve)
	if running(dir) {
		t.Fatal("nobody stopped the server")
	}
}

func TestServerLeftByAKill(t *testing.T) {
	dir := clusterDir(t)
	killed := startProcess(t, dir, nil)
	killed.opened(t)
	before, _ := findPostmaster(filepath.Join(dir, "postgres", "data"))
	killed.kill()
	if !running(dir) {
		t.Fatal("the server ended with its owner")
	}
	s := open(t, dir)
	if !s.Owner() {
		t.Error("a server that nobody uses was not adopted")
	}
	if after, _ := findPostmaster(s.home.data()); after.pid != before.pid {
		t.Errorf("server %d was replaced by %d", before.pid, after.pid)
	}
	stop(t, s)
	if running(dir) {
		t.Fatal("the adopted server was not stopped")
	}
}

func TestKilledWithTheServer(t *testing.T) {
	dir := clusterDir(t)
	killed := startProcess(t, dir, nil)
	_, dsn := killed.opened(t)
	execute(t, dsn, "create table kept as select 7 as n")
	p, _ := findPostmaster(filepath.Join(dir, "postgres", "data"))
	killed.kill()
	if err := signal(p.pid, os.Kill); err != nil {
		t.Fatal(err)
	}
	if got := query(t, open(t, dir).DSN(Database), "select n from kept"); got != "7" {
		t.Fatalf("read %q after the crash", got)
	}
}

// TestKilledWithASessionThatLingers: a process of the killed server holds its
// memory until the new one has tried in vain.
func TestKilledWithASessionThatLingers(t *testing.T) {
	dir := clusterDir(t)
	killed := startProcess(t, dir, nil)
	_, dsn := killed.opened(t)
	execute(t, dsn, "create table kept as select 7 as n")
	session := int(connect(t, dsn).PgConn().PID())
	if err := signal(session, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	p, _ := findPostmaster(filepath.Join(dir, "postgres", "data"))
	killed.kill()
	if err := signal(p.pid, os.Kill); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		look := time.NewTicker(pollEvery)
		defer look.Stop()
		for t.Context().Err() == nil {
			<-look.C
			if said, err := os.ReadFile(home{dir: dir}.log()); err == nil && strings.Contains(string(said), "shared memory block") {
				break
			}
		}
		if err := signal(session, os.Kill); err != nil {
			t.Error(err)
		}
	}()
	got := query(t, open(t, dir).DSN(Database), "select n from kept")
	<-ended
	if got != "7" {
		t.Fatalf("read %q after the crash", got)
	}
}

func TestProcessNumberTakenByAnother(t *testing.T) {
	dir := clusterDir(t)
	// What a restarted container finds: the number in the file is somebody else's.
	other := startProcess(t, clusterDir(t), nil)
	other.opened(t)
	pid := filepath.Join(dir, "postgres", "data", "postmaster.pid")
	text := fmt.Sprintf("%d\n%s\n1\n5432\n/x\n\n  5432001         7\nready   \n", other.Process.Pid, filepath.Dir(pid))
	if err := os.WriteFile(pid, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if running(dir) {
		t.Fatal("another program is taken for the server")
	}
	open(t, dir)
}

func TestLongSocketPath(t *testing.T) {
	from := clusterDir(t)
	dir := filepath.Join(emptyDir(t), strings.Repeat("很长的目录/", 8))
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(from, dir); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if !strings.HasPrefix(s.home.socketDir(), "/tmp/shaoying-") {
		t.Fatalf("socket in %s", s.home.socketDir())
	}
	t.Cleanup(func() { os.RemoveAll(s.home.socketDir()) })
	if got := query(t, s.DSN(Database), "1"); got != "1" {
		t.Fatal(got)
	}
	command := startProcess(t, dir, nil)
	if _, dsn := command.opened(t); dsn != s.DSN(Database) {
		t.Errorf("a second process looks for the socket in %s", dsn)
	}
	command.stop(t)
}

func TestLongSocketPathTakenByAStranger(t *testing.T) {
	nobody := plainUser(t)
	dir := filepath.Join(emptyDir(t), strings.Repeat("long/", 20))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	socket := home{dir: dir}.socketDir()
	if err := os.Mkdir(socket, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(socket) })
	give(t, socket, nobody)
	refused(t, Config{Dir: dir}, socket, "must be a directory of user postgres with mode 0700", "move it away")
}

func TestOddDirectoryNames(t *testing.T) {
	base, dir := emptyDir(t), clusterDir(t)
	for _, name := range []string{"it's a space", `back\slash`, "comma,", `"quoted" 哨应 %d`} {
		t.Run(name, func(t *testing.T) {
			moved := filepath.Join(base, name) // a cluster holds no path of its own
			if err := os.Rename(dir, moved); err != nil {
				t.Fatal(err)
			}
			dir = moved
			s := open(t, dir)
			if got := query(t, s.DSN(Database), "1"); got != "1" {
				t.Fatal(got)
			}
			stop(t, s)
			if running(dir) {
				t.Fatal("not stopped")
			}
			if s.home.socketDir() != filepath.Join(dir, "postgres", "run") {
				os.RemoveAll(s.home.socketDir())
			}
		})
	}
}

func TestVersionMismatch(t *testing.T) {
	dir := falseCluster(t, "PG_VERSION", "12\n")
	version := filepath.Join(dir, "postgres", "data", "PG_VERSION")
	refused(t, Config{Dir: dir}, "written by PostgreSQL 12", "installed here:", "nothing was changed", "postgresql-12", "pg_upgrade")
	if text, err := os.ReadFile(version); err != nil || string(text) != "12\n" {
		t.Fatalf("the cluster was touched: %q, %v", text, err)
	}
}

func TestNoBinaries(t *testing.T) {
	dir := emptyDir(t)
	cfg := Config{Dir: filepath.Join(dir, "data"), BinDir: dir}
	refused(t, cfg, "no PostgreSQL 15 or newer", "sudo apt-get install -y postgresql", "DATABASE_URL")
	if _, err := Open(t.Context(), cfg); !errors.Is(err, ErrNoBinaries) {
		t.Fatalf("%v is not ErrNoBinaries", err)
	}
}

func TestSomethingElseInThePlaceOfTheCluster(t *testing.T) {
	dir := falseCluster(t, "photo.jpg", "…")
	refused(t, Config{Dir: dir}, "not a PostgreSQL cluster", "move it away")
}

func TestInitdbBrokenOff(t *testing.T) {
	requireServer(t)
	dir := filepath.Join(emptyDir(t), "data")
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond) // initdb takes about a second
	defer cancel()
	if s, err := Open(ctx, Config{Dir: dir, Log: silent}); err == nil {
		stop(t, s)
		t.Skip("this machine is too fast to break initdb off")
	}
	if _, err := os.Stat(filepath.Join(dir, "postgres", "data")); err == nil {
		t.Fatal("half a cluster lies where a whole one should")
	}
	open(t, dir) // makes it anew
}

func TestServerThatDoesNotStartSaysWhy(t *testing.T) {
	dir := clusterDir(t)
	_, err := Open(t.Context(), Config{Dir: dir, Log: silent, Settings: map[string]string{"shared_buffers": "many"}})
	if err == nil || !strings.Contains(err.Error(), "shared_buffers") || !strings.Contains(err.Error(), "postgres.log") {
		t.Fatalf("Open = %v, want what the server said and where its log is", err)
	}
	open(t, dir) // the failure holds no lock
}

func TestPlainUser(t *testing.T) {
	nobody := plainUser(t)
	base := emptyDir(t)
	give(t, base, nobody)
	dir := filepath.Join(base, "own", "shaoying")
	p := startProcess(t, dir, nobody)
	owner, dsn := p.opened(t)
	if !owner {
		t.Error("not the owner of a new server")
	}
	if got := query(t, dsn, "current_user"); got != "shaoying" { // root may look
		t.Errorf("root is %q there", got)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("a plain user's directory is %v, %v; want 0700", info.Mode(), err)
	}
	p.stop(t)

	// Root then serves it as its owner, and leaves nothing that locks him out.
	stop(t, open(t, dir))
	again := startProcess(t, dir, nobody)
	again.opened(t)
	again.stop(t)
}

func TestPlainUserOnRootsDirectory(t *testing.T) {
	nobody := plainUser(t)
	got := startProcess(t, emptyDir(t), nobody).line(t)
	if !strings.Contains(got, "belongs to user root") || !strings.Contains(got, "SHAOYING_DATA") {
		t.Errorf("a stranger was told %q", got)
	}
}

func TestStrangerCannotConnect(t *testing.T) {
	plainUser(t)
	s := open(t, clusterDir(t))
	for _, dir := range []string{s.home.server(), s.home.socketDir(), s.home.data()} {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", dir, info.Mode())
		}
	}
	if hba := query(t, s.DSN(Database), "select string_agg(type||' '||auth_method, ',') from pg_hba_file_rules"); hba != "local peer" {
		t.Errorf("login rules %q, want only local peer", hba)
	}
}

func TestHomeUnder0700(t *testing.T) {
	plainUser(t) // only root's server runs as somebody else
	closed := emptyDir(t)
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	refused(t, Config{Dir: filepath.Join(closed, "data")},
		"PostgreSQL runs as user postgres", "may not pass through "+closed, "/var/lib/shaoying", "chmod o+x "+closed)
}
