package app

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"shaoying/bots/remote"
	"shaoying/internal/privacy"
)

// What an agent writes comes into our log at its own level and through our own
// handler; the trace of a crash is cut, and is nobody's words or number.
func TestAgentLog(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(privacy.NewLogHandler(&out, slog.LevelInfo, privacy.LogKeys()))
	a := &agentLog{log: log, left: 3}
	write := func(s string) {
		for _, c := range []byte(s) { // in whatever pieces it comes
			_, _ = a.Write([]byte{c})
		}
	}
	write(`{"time":"2026-03-03T09:00:00Z","level":"ERROR","msg":"polling fails","error":"to 13800138000","words":"井盖坏了","code":1101,"channel":"wx"}` + "\n")
	write("panic: 井盖坏了 13800138000\n\ngoroutine 1 [running]:\nmain.main()\n\tmain.go:1\nexit\n")
	write(`["not an object"]` + "\n" + `{"level":7}` + "\n")
	write(strings.Repeat("x", 2*maxLine))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 5 { // the first, three of the trace, and the one without a level
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	var first map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || first["level"] != "ERROR" || first["msg"] != "polling fails" || first["code"] != float64(1101) {
		t.Errorf("first line: %v %v", first, err)
	}
	for _, secret := range []string{"13800138000", "井盖"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s stands in the log:\n%s", secret, out.String())
		}
	}
	if !strings.Contains(out.String(), "goroutine 1 [running]") {
		t.Error("the trace is lost")
	}
}

// The agent is given nothing that it does not need.
func TestAgentEnvironment(t *testing.T) {
	t.Setenv("SHAOYING_SECRET_KEY", "secret")
	t.Setenv("DATABASE_URL", "secret")
	t.Setenv("TG_TOKEN", "secret")
	t.Setenv("HOME", "/home/x")
	env := strings.Join(agentEnvironment(remote.Limits{Memory: 1 << 28}), "\n")
	if strings.Contains(env, "secret") || !strings.Contains(env, "HOME=/home/x") || !strings.Contains(env, "GOMEMLIMIT=201326592") {
		t.Errorf("environment:\n%s", env)
	}
}
