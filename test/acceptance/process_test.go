//go:build acceptance

package acceptance

import (
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"shaoying/test/world"
)

// answered is part of the answer to 帮助, which is given once to each.
const answered = "看进度回"

// restarts runs how between messages of several residents and proves that each
// of their messages is answered exactly once.
func restarts(t *testing.T, rounds int, how func(*testing.T)) {
	t.Helper()
	residents := make([]*world.Chat, 6)
	for i := range residents {
		residents[i] = server.Resident(t)
	}
	for range rounds {
		var traffic sync.WaitGroup
		for _, r := range residents {
			traffic.Go(func() { r.Insist("帮助") })
		}
		how(t)
		traffic.Wait()
	}
	count := func(items []world.Item) (n int) {
		for _, i := range items {
			if strings.Contains(i.Text, answered) {
				n++
			}
		}
		return n
	}
	for i, r := range residents {
		if !r.Await(world.Patience, func(items []world.Item) bool { return count(items) >= rounds }) {
			t.Errorf("resident %d: %d of %d answers came", i, count(r.Items()), rounds)
		}
		// Lines keep their order, so whatever was doubled comes before this one.
		r.Say("我的工单")
		r.Expect("还没有")
		if n := count(r.Items()); n != rounds {
			t.Errorf("resident %d: %d answers to %d messages", i, n, rounds)
		}
	}
}

func TestStopInTheMiddleOfTraffic(t *testing.T) {
	restarts(t, 10, func(t *testing.T) {
		took, err := server.Stop()
		world.Must(t, err)
		t.Logf("stopping took %s", took)
		server, err = city.Start("--demo")
		world.Must(t, err)
	})
}

func TestKillInTheMiddleOfTraffic(t *testing.T) {
	restarts(t, 2, func(t *testing.T) {
		world.Must(t, server.Kill())
		var err error
		server, err = city.Start("--demo")
		world.Must(t, err)
	})
	if !strings.Contains(city.Logs(), "adopted the database server") {
		t.Error("the database server that the kill left behind was not adopted")
	}
}

func TestOperations(t *testing.T) {
	if code, body := server.Get(t, "/healthz"); code != http.StatusOK || body != "alive\n" {
		t.Errorf("/healthz: %d %q", code, body)
	}
	code, body := server.Get(t, "/readyz")
	if code != http.StatusOK {
		t.Errorf("/readyz: %d", code)
	}
	for _, line := range []string{"database: ok", "schema: ok", "channel web: ok"} {
		if !strings.Contains(body, line) {
			t.Errorf("/readyz does not say %q: %s", line, body)
		}
	}
	if _, body := server.Get(t, "/metrics"); !strings.Contains(body, "shaoying_events_total") {
		t.Error("/metrics counts no events")
	}
}

func TestCommandsBesideTheServer(t *testing.T) {
	for _, args := range [][]string{{"replay"}, {"audit", "verify"}, {"flow", "check"}, {"migrate"}, {"staff", "list", "--limit", "3"}, {"version"}} {
		if out, err := city.Run(args...); err != nil {
			t.Errorf("shaoying %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	r := server.Resident(t)
	r.Say("帮助")
	r.Expect(answered)
}

func TestPortTaken(t *testing.T) {
	taken := *city
	if out, err := taken.Run("serve", "--demo"); err == nil || !strings.Contains(out, "SHAOYING_ADDR") {
		t.Errorf("an address that was asked for and is taken: %v\n%s", err, out)
	}
	// Somebody sits on the default port, be it us or a stranger.
	if l, err := net.Listen("tcp", "127.0.0.1:8080"); err == nil {
		defer l.Close()
	}
	taken.Addr = ""
	second, err := taken.Start("--demo")
	world.Must(t, err)
	defer func() {
		_, err := second.Stop()
		world.Must(t, err)
	}()
	if strings.HasSuffix(second.URL, ":8080") {
		t.Errorf("ready at %s, which is taken", second.URL)
	}
	if !strings.Contains(second.Printed.String(), "ready "+second.URL) {
		t.Errorf("the port is not printed: %s", second.Printed)
	}
}

func TestDemoAndLifeDoNotMix(t *testing.T) {
	ctx := t.Context()
	d, err := city.Look(ctx)
	world.Must(t, err)
	defer func() { world.Must(t, d.Close(ctx)) }()
	life := *city
	life.Addr = "127.0.0.1:0"
	if out, err := life.Run("serve"); err == nil || !strings.Contains(out, "demo") {
		t.Errorf("serve over the demo's directory: %v\n%s", err, out)
	}
	key, err := os.ReadFile(keyFile(t))
	world.Must(t, err)
	life.Env = []string{"DATABASE_URL=" + d.DSN(), "SHAOYING_SECRET_KEY=" + strings.TrimSpace(string(key))}
	if out, err := life.Run("serve"); err == nil || !strings.Contains(out, "demo") {
		t.Errorf("serve over the demo's database: %v\n%s", err, out)
	}
	life.Env, life.Addr = nil, "0.0.0.0:0"
	if out, err := life.Run("serve", "--demo"); err == nil || !strings.Contains(out, "this machine only") {
		t.Errorf("the demo for everybody: %v\n%s", err, out)
	}
}

// keyFile is the one file beside the database that holds the master key.
func keyFile(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(city.Data, "*key*"))
	world.Must(t, err)
	if len(files) != 1 {
		t.Fatalf("key files: %q", files)
	}
	return files[0]
}

func TestPlainUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this is a plain user already, and every other test proves it")
	}
	nobody, err := user.Lookup("nobody")
	world.Must(t, err)
	uid, err := strconv.Atoi(nobody.Uid)
	world.Must(t, err)
	gid, err := strconv.Atoi(nobody.Gid)
	world.Must(t, err)
	home, err := os.MkdirTemp("", "shaoying-home-")
	world.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(home) })
	world.Must(t, os.Chown(home, uid, gid))
	world.Must(t, os.Chmod(home, 0o700))
	plain, err := world.New(city.Bin, home)
	world.Must(t, err)
	plain.As = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	// No SHAOYING_DATA: the home is where it lives.
	plain.Data = ""
	plain.Env = []string{"HOME=" + home, "XDG_DATA_HOME=", "XDG_RUNTIME_DIR="}
	s, err := plain.Start("--demo")
	world.Must(t, err)
	r := s.Resident(t)
	r.Say("帮助")
	r.Expect(answered)
	_, err = s.Stop()
	world.Must(t, err)
	if _, err := os.Stat(filepath.Join(home, ".local", "share", "shaoying")); err != nil {
		t.Errorf("the data is not in the home: %v", err)
	}
}
