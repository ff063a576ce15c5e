//go:build peers

// Package api lets a foreign program use the API of the real binary, and asks it
// what a program does wrong.
package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"shaoying/test/world"
)

var (
	city   *world.World
	server *world.Server
)

func TestMain(m *testing.M) {
	os.Exit(world.Main(m,
		func(w *world.World, s *world.Server) { city, server = w, s },
		func() *world.Server { return server }))
}

// token makes a token on the command line, beside the running server.
func token(t *testing.T, role, area string) string {
	t.Helper()
	out, err := city.Command("token", "create", "--name", role, "--role", role, "--area", area).Output()
	world.Must(t, err)
	return strings.TrimSpace(string(out))
}

func TestAForeignProgram(t *testing.T) {
	tokens := map[string]string{
		"CLERK": token(t, "clerk", "city:3603"), "SUPERVISOR": token(t, "supervisor", "city:3603"),
		"UNIT": token(t, "handler", "unit:urban_management"), "CALLBACK": token(t, "callback_clerk", "city:3603"),
	}
	program := filepath.Join(t.TempDir(), "platform")
	build := exec.Command("go", "build", "-o", program, "./platform")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	source, err := os.ReadFile("platform/main.go")
	world.Must(t, err)
	if lines := strings.Count(string(source), "\n"); lines > 40 || strings.Contains(string(source), `"shaoying/`) {
		t.Errorf("the program has %d lines, or imports ours", lines)
	}
	run := exec.Command(program)
	run.Env = []string{"SHAOYING=" + server.URL}
	for name, secret := range tokens {
		run.Env = append(run.Env, name+"="+secret)
	}
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	said := string(out)
	if !strings.HasPrefix(said, "closed ") {
		t.Fatalf("the program says %s", said)
	}
	for _, kind := range []string{"filed", "supervised", "signed", "supervision_answered", "handled", "closed"} {
		if !strings.Contains(said, "kind:ticket."+kind+" ") {
			t.Errorf("no event %s in %s", kind, said)
		}
	}
	// Run again, the program has the same keys: it is answered the same, and
	// nothing happens twice.
	again := exec.Command(program)
	again.Env = run.Env
	twice, err := again.CombinedOutput()
	if err != nil || string(twice) != said {
		t.Errorf("run again: %v %s", err, twice)
	}
	ctx := context.Background()
	d, err := city.Look(ctx)
	world.Must(t, err)
	defer func() { world.Must(t, d.Close(ctx)) }()
	var tickets, byTokens int
	world.Must(t, d.Scan(ctx, `select count(*) from ticket`, nil, &tickets))
	world.Must(t, d.Scan(ctx, `select count(*) from trail where kind like 'ticket.%' and actor like 'token:%'`, nil, &byTokens))
	if tickets != 1 || byTokens < 6 {
		t.Errorf("%d tickets, %d steps of tokens in the trail", tickets, byTokens)
	}
	for name, secret := range tokens {
		if strings.Contains(city.Logs(), secret) {
			t.Errorf("the token %s was logged", name)
		}
	}
}

// request is one of a program, and the problem it must get.
type request struct {
	name, token, method, path, key, body string
	status                               int
	code                                 string
}

func TestEachMistakeHasItsProblem(t *testing.T) {
	clerk, other := token(t, "clerk", "city:3603"), token(t, "clerk", "county:360302")
	supervisor := token(t, "supervisor", "city:3603")
	report := `{"words": "昌盛小区3栋路灯不亮", "place": {"text": "昌盛小区"}}`
	filed := send(t, request{token: clerk, method: "POST", path: "/tickets", key: "the-first-one", body: report})
	if filed.status != http.StatusCreated {
		t.Fatalf("%d %v", filed.status, filed.body)
	}
	at := "/tickets/" + filed.body["number"].(string)
	for _, r := range []request{
		{"wrong token", "sy_AAAAAAAAAAAAAAAAAAAAAAAAAA", "GET", at, "", "", 401, "unauthorized"},
		{"no token", "", "GET", at, "", "", 401, "unauthorized"},
		{"wrong role", supervisor, "POST", "/tickets", "key-of-a-role", report, 403, "forbidden"},
		{"wrong area", other, "GET", at, "", "", 404, "not_found"},
		{"filed elsewhere", other, "POST", "/tickets", "key-elsewhere", report, 403, "forbidden"},
		{"replayed key", clerk, "POST", "/tickets", "the-first-one", `{"words": "另一件事情"}`, 422, "key_reused"},
		{"no key", clerk, "POST", "/tickets", "", report, 422, "invalid"},
		{"bad cursor", clerk, "GET", "/tickets?cursor=nonsense", "", "", 400, "cursor"},
		{"not allowed now", token(t, "callback_clerk", "city:3603"), "POST", at + "/commands/judge", "key-judge", `{"verdict": "redo", "words": "重办"}`, 409, "refused"},
		{"no JSON", clerk, "POST", "/tickets", "key-no-json", `{`, 400, "invalid"},
		{"nowhere", clerk, "GET", "/nowhere", "", "", 404, "not_found"},
	} {
		t.Run(r.name, func(t *testing.T) {
			got := send(t, r)
			if got.status != r.status || got.body["code"] != r.code || got.kind != "application/problem+json" {
				t.Errorf("%d %s %v", got.status, got.kind, got.body)
			}
			if r.code == "refused" && got.body["rule"] != "state" {
				t.Errorf("which rule refused is not said: %v", got.body)
			}
		})
	}
	same := send(t, request{token: clerk, method: "POST", path: "/tickets", key: "the-first-one", body: report})
	if same.status != http.StatusCreated || same.body["number"] != filed.body["number"] {
		t.Errorf("the same request is answered %d %v", same.status, same.body)
	}
}

type answer struct {
	status int
	kind   string
	body   map[string]any
}

func send(t *testing.T, r request) (a answer) {
	t.Helper()
	req, err := http.NewRequest(r.method, server.URL+"/api/v1"+r.path, strings.NewReader(r.body))
	world.Must(t, err)
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	resp, err := http.DefaultClient.Do(req)
	world.Must(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	world.Must(t, err)
	a.status, a.kind = resp.StatusCode, resp.Header.Get("Content-Type")
	world.Must(t, json.Unmarshal(raw, &a.body))
	return a
}
