package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"shaoying/internal/demo"
	"shaoying/internal/gateway/gatewaytest"
	"shaoying/internal/people"
	"shaoying/internal/postgres/pgtest"
	"shaoying/internal/privacy"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// external is an environment with a database of its own and a key.
func external(t *testing.T) Env {
	t.Helper()
	t.Setenv(privacy.KeyVariable, strings.Repeat("ab", 32))
	return Env{Data: t.TempDir(), DSN: gatewaytest.DSN(t), Role: RoleAll, unsafe: true}
}

func open(t *testing.T, e Env) *House {
	t.Helper()
	h, err := Open(t.Context(), e, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func TestStagesStopInReverse(t *testing.T) {
	var mu sync.Mutex
	var stopped []string
	loop := func(name string) func(context.Context) error {
		return func(ctx context.Context) error {
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			stopped = append(stopped, name)
			return nil
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := runStages(ctx, []stage{
		{"database", []func(context.Context) error{loop("database")}},
		{"send", []func(context.Context) error{loop("send")}},
		{"http", []func(context.Context) error{loop("http")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"http", "send", "database"}; !slices.Equal(stopped, want) {
		t.Errorf("stopped in the order %v, want %v", stopped, want)
	}
}

func TestALoopThatFailsEndsTheProcess(t *testing.T) {
	broken := errors.New("broken")
	err := runStages(t.Context(), []stage{
		{"database", []func(context.Context) error{func(ctx context.Context) error { <-ctx.Done(); return nil }}},
		{"send", []func(context.Context) error{func(context.Context) error { return broken }}},
	})
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "send:") {
		t.Errorf("got %v, want the failure of stage send", err)
	}
}

func TestPorts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := (Env{Addr: taken.Addr().String()}).listen(); err == nil || !strings.Contains(err.Error(), "SHAOYING_ADDR") {
		t.Errorf("an address that was asked for and is taken: %v", err)
	}
	first, err := (Env{}).listen()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := (Env{}).listen()
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if first.Addr().String() == second.Addr().String() {
		t.Error("the default port did not move on")
	}
}

func TestTheDemoStaysOnThisMachine(t *testing.T) {
	for addr, ok := range map[string]bool{
		"": true, "127.0.0.1:9000": true, "localhost:9000": true, "[::1]:9000": true,
		"0.0.0.0:8080": false, ":8080": false, "192.168.1.2:8080": false, "8080": false,
	} {
		if err := (Env{Addr: addr}).onLoopback(); (err == nil) != ok {
			t.Errorf("address %q: %v", addr, err)
		}
	}
}

func TestLifeRefusesTheDatabaseOfTheDemo(t *testing.T) {
	h := open(t, external(t))
	if err := h.settle(t.Context(), io.Discard); err != nil {
		t.Fatalf("an ordinary database: %v", err)
	}
	if err := h.DB.PutSetting(t.Context(), demo.Setting, "1"); err != nil {
		t.Fatal(err)
	}
	if err := h.settle(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "--demo") {
		t.Errorf("a database with the demo's mark: %v", err)
	}
}

func TestTheKeyMustBeTheOneOfTheDatabase(t *testing.T) {
	e := external(t)
	h, err := Open(t.Context(), e, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv(privacy.KeyVariable, strings.Repeat("cd", 32))
	if _, err := Open(t.Context(), e, quiet()); err == nil || !strings.Contains(err.Error(), privacy.KeyVariable) {
		t.Errorf("another key: %v", err)
	}
	t.Setenv(privacy.KeyVariable, strings.Repeat("cd", 32)+" "+strings.Repeat("ab", 32))
	h, err = Open(t.Context(), e, quiet())
	if err != nil {
		t.Fatalf("a new key in front of the old one: %v", err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

func TestNoKeyIsMadeForAnExternalDatabase(t *testing.T) {
	e := external(t)
	t.Setenv(privacy.KeyVariable, "")
	if _, err := Open(t.Context(), e, quiet()); !errors.Is(err, privacy.ErrNoKey) {
		t.Errorf("got %v, want ErrNoKey", err)
	}
	if _, err := os.Stat(filepath.Join(e.Data, "secret.key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key file was made: %v", err)
	}
}

func TestABadConfigurationIsNamedWithItsLine(t *testing.T) {
	e := external(t)
	e.Config = filepath.Join(t.TempDir(), "shaoying.yaml")
	for _, c := range []struct{ body, want string }{
		{"timezone: Mars/Olympus\n", "Mars/Olympus"},
		{"channels:\n  - id: web\n    kind: webchat\n    colour: red\n", "colour"},
		{"desk: {url: 12345.example.gov.cn/desk}\n", "desk.url"},
		{"timezon: Asia/Shanghai\n", ":1:"},
	} {
		if err := os.WriteFile(e.Config, []byte(c.body), 0o600); err != nil {
			t.Fatal(err)
		}
		h, err := Open(t.Context(), e, quiet())
		if err == nil {
			_, err = h.build()
			h.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want it to name %q", c.body, err, c.want)
		}
	}
}

func TestInvitesAreForRolesThatCanBeHeld(t *testing.T) {
	h := open(t, external(t))
	area, err := people.ParseArea("county:360302")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Invite(t.Context(), "张三", people.Grant{Role: "emperor", Area: area}); err == nil {
		t.Error("a role that does not exist was invited")
	}
	code, until, err := h.Invite(t.Context(), "张三", people.Grant{Role: people.RoleDispatcher, Area: area})
	if err != nil {
		t.Fatal(err)
	}
	row, err := h.DB.OpenInvite(t.Context(), code.Hash(h.Keys))
	if err != nil {
		t.Fatal(err)
	}
	if row.Name != "张三" || !row.ExpiresAt.Equal(until) {
		t.Errorf("kept %q until %v", row.Name, row.ExpiresAt)
	}
}

func TestTheDialoguesOfTheProgram(t *testing.T) {
	problems, n, err := CheckFlows(FlowFiles(""))
	if err != nil {
		t.Fatal(err)
	}
	if n < 20 {
		t.Errorf("%d dialogues, want at least 20", n)
	}
	for _, p := range problems {
		t.Error(p)
	}
	passed, failed, err := TestFlows(FlowFiles(""))
	if err != nil {
		t.Fatal(err)
	}
	if passed < 20 {
		t.Errorf("%d transcripts passed, want at least 20", passed)
	}
	for _, f := range failed {
		t.Error(f)
	}
}

func TestTheTrailOfANewDatabaseIsWhole(t *testing.T) {
	h := open(t, external(t))
	report, err := h.VerifyTrail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() {
		t.Errorf("%+v", report)
	}
}
