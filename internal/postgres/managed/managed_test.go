package managed

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestFirstStartMakesTheCluster(t *testing.T) {
	requireServer(t)
	dir := filepath.Join(emptyDir(t), "new", "shaoying")
	s, err := Open(t.Context(), Config{Dir: dir, Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	if !s.Owner() {
		t.Error("the only user is not the owner")
	}
	for sql, want := range map[string]string{
		"current_setting('data_checksums')":                                     "on",
		"current_setting('listen_addresses')":                                   "",
		"current_setting('fsync')":                                              "on",
		"current_setting('log_error_verbosity')":                                "terse",
		"current_setting('log_min_error_statement')":                            "panic",
		"select datcollate from pg_database where datname = current_database()": "C.UTF-8",
		"select datctype from pg_database where datname = current_database()":   "C.UTF-8",
		"current_setting('server_encoding')":                                    "UTF8",
		"current_database()":                                                    Database,
		"current_user":                                                          "shaoying",
	} {
		if got := query(t, s.DSN(Database), sql); got != want {
			t.Errorf("%s = %q, want %q", sql, got, want)
		}
	}
}

func TestDataOutlivesAStop(t *testing.T) {
	dir := clusterDir(t)
	s := open(t, dir)
	execute(t, s.DSN(Database), "create table kept (word text)")
	execute(t, s.DSN(Database), "insert into kept values ('哨应')")
	stop(t, s)
	if running(dir) {
		t.Fatal("the server still runs after Stop of its only user")
	}
	again := open(t, dir)
	if got := query(t, again.DSN(Database), "select word from kept"); got != "哨应" {
		t.Fatalf("read %q", got)
	}
}

func TestStopTwice(t *testing.T) {
	s := open(t, clusterDir(t))
	stop(t, s)
	stop(t, s)
}

func TestStopEndsOpenSessions(t *testing.T) {
	dir := clusterDir(t)
	s := open(t, dir)
	conn := connect(t, s.DSN(Database))
	if _, err := conn.Exec(t.Context(), "begin"); err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	if running(dir) {
		t.Fatal("an open transaction kept the server up")
	}
}

func TestStopThatRunsOutOfTimeCanBeRepeated(t *testing.T) {
	dir := clusterDir(t)
	s := open(t, dir)
	p, _ := findPostmaster(s.home.data())
	// A stopped postmaster cannot react, like one that writes a long checkpoint.
	if err := signal(p.pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	err := s.Stop(within(t, 50*time.Millisecond))
	if err == nil || !strings.Contains(err.Error(), "still shutting down") {
		t.Errorf("Stop = %v, want that the server is still shutting down", err)
	}
	if err := signal(p.pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	if running(dir) {
		t.Fatal("the server still runs")
	}
}

func TestOpenWaitsForAServerThatIsEnding(t *testing.T) {
	dir := clusterDir(t)
	s := open(t, dir)
	p, _ := findPostmaster(s.home.data())
	if err := signal(p.pid, os.Interrupt); err != nil { // as from a process killed within its Stop
		t.Fatal(err)
	}
	second := open(t, dir)
	if got := query(t, second.DSN(Database), "1"); got != "1" {
		t.Fatalf("read %q", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	dir := clusterDir(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	owners := 0
	all := make([]*Server, 6)
	for i := range all {
		wg.Go(func() {
			s, err := Open(t.Context(), Config{Dir: dir, Settings: quick, Log: silent})
			if err != nil {
				t.Error(err)
				return
			}
			all[i] = s
			if s.Owner() {
				mu.Lock()
				owners++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	if owners != 1 {
		t.Errorf("%d owners, want 1", owners)
	}
	for i, s := range all {
		if got := query(t, all[len(all)-1].DSN(Database), "1"); got != "1" {
			t.Errorf("the server was gone after %d of %d stops", i, len(all))
		}
		if i < len(all)-1 {
			stop(t, s)
		}
	}
	stop(t, all[len(all)-1])
	if running(dir) {
		t.Fatal("the last user did not stop the server")
	}
}

func TestRunRevivesAKilledServer(t *testing.T) {
	dir := clusterDir(t)
	s := open(t, dir)
	execute(t, s.DSN(Database), "create table kept as select 7 as n")
	p, _ := findPostmaster(s.home.data())
	if err := signal(p.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(within(t, 30*time.Second))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for {
		got, err := tryQuery(ctx, s.DSN(Database), "select n from kept")
		if err == nil {
			if got != "7" {
				t.Errorf("read %q after the crash, want 7", got)
			}
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("the server did not come back: %v", err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatalf("Run = %v", err)
	}
}

func TestRunDoesNotReviveAfterStop(t *testing.T) {
	dir := clusterDir(t)
	s := open(t, dir)
	stop(t, s)
	if err := s.revive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if running(dir) {
		t.Fatal("a stopped server was started again")
	}
}

func TestServerErrorsHoldNoData(t *testing.T) {
	s := open(t, clusterDir(t))
	execute(t, s.DSN(Database), "create table secret (phone text unique)")
	execute(t, s.DSN(Database), "insert into secret values ('13800001234')")
	conn := connect(t, s.DSN(Database))
	if _, err := conn.Exec(t.Context(), "insert into secret values ('13800001234')"); err == nil {
		t.Fatal("a duplicate was taken")
	}
	log, err := os.ReadFile(s.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), "duplicate key") {
		t.Fatalf("the log does not tell the error:\n%s", log)
	}
	if strings.Contains(string(log), "13800001234") {
		t.Fatalf("the log holds a phone number:\n%s", log)
	}
}

func TestLongLogIsSetAside(t *testing.T) {
	dir := clusterDir(t)
	log := filepath.Join(dir, "postgres", "postgres.log")
	if err := os.Truncate(log, rotateAt+1); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if info, err := os.Stat(s.LogFile()); err != nil || info.Size() >= rotateAt {
		t.Fatalf("log %v, %v", info, err)
	}
	if _, err := os.Stat(log + ".1"); err != nil {
		t.Fatal(err)
	}
}
