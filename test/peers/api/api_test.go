//go:build peers

// Package api lets a foreign program use the API of the real binary, and asks it
// what a program does wrong.
package api

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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
		{"a photo that is none", clerk, "POST", at + "/photos", "key-no-photo", "这不是照片", 415, "media_type"},
		{"no photo at all", clerk, "POST", at + "/photos", "key-nothing", "", 400, "invalid"},
		{"a photo of another area", other, "POST", at + "/photos", "key-elsewhere-photo", "这不是照片", 404, "not_found"},
		{"a role that sees no figures", clerk, "GET", "/figures", "", "", 403, "forbidden"},
		{"a month that is none", supervisor, "GET", "/figures?from=2026-13", "", "", 422, "invalid"},
		{"figures of elsewhere", supervisor, "GET", "/figures?area=110101", "", "", 403, "forbidden"},
		{"a role that sees no whistles", clerk, "GET", "/whistles", "", "", 403, "forbidden"},
		{"no such topic", supervisor, "GET", "/topics/999999", "", "", 404, "not_found"},
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

// A unit's program cannot say that a missing cover is replaced without a photo
// of it, and can with one; another program is told by a webhook, again when it
// was not there the first time.
func TestAPhotoAndAWebhook(t *testing.T) {
	clerk, dispatcher := token(t, "clerk", "city:3603"), token(t, "dispatcher", "city:3603")
	unit, admin := token(t, "handler", "unit:housing"), token(t, "admin", "city:3603")
	posts := make(chan *http.Request, 10)
	bodies := make(chan string, 10)
	status := make(chan int, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		world.Must(t, err)
		posts <- r
		bodies <- string(body)
		w.WriteHeader(<-status)
	}))
	t.Cleanup(receiver.Close)
	key := 0
	do := func(token, path, body string, want int) map[string]any {
		t.Helper()
		key++
		a := send(t, request{token: token, method: "POST", path: path, key: "photo-key-" + strconv.Itoa(key), body: body})
		if a.status != want {
			t.Fatalf("%s: %d %v", path, a.status, a.body)
		}
		return a.body
	}
	secret := do(admin, "/webhooks", `{"url": "`+receiver.URL+`", "events": ["ticket.handled"]}`, http.StatusCreated)["secret"].(string)
	number := do(clerk, "/tickets", `{"words": "昌盛小区门口的井盖没了，有人差点掉下去", "matter": "manhole", "place": {"text": "昌盛小区"}}`, http.StatusCreated)["number"].(string)
	at := "/tickets/" + number
	if state := send(t, request{token: dispatcher, method: "GET", path: at}).body["state"]; state != "received" {
		do(dispatcher, at+"/commands/return", `{"reason": "not_our_duty"}`, http.StatusOK)
	}
	do(dispatcher, at+"/commands/dispatch", `{"desk": {"kind": "unit", "code": "housing"}}`, http.StatusOK)
	do(unit, at+"/commands/take", `{}`, http.StatusOK)
	do(unit, at+"/commands/contact", `{"via": "visit", "reached": true, "words": "当面说过"}`, http.StatusOK)
	finish := `{"result": "resolved", "reply": "井盖已装好"}`
	if rule := do(unit, at+"/commands/finish", finish, http.StatusConflict)["rule"]; rule != "no_photo" {
		t.Fatalf("refused by %v", rule)
	}
	var photo bytes.Buffer
	world.Must(t, jpeg.Encode(&photo, image.NewRGBA(image.Rect(0, 0, 800, 600)), nil))
	if use := do(unit, at+"/photos", photo.String(), http.StatusCreated)["use"]; use != "evidence" {
		t.Errorf("the photo shows %v", use)
	}
	status <- http.StatusInternalServerError
	do(unit, at+"/commands/finish", finish, http.StatusOK)
	first, body := <-posts, <-bodies
	status <- http.StatusNoContent
	server.Advance(t, "1m")
	second, again := <-posts, <-bodies
	if id := second.Header.Get("Shaoying-Event-Id"); id == "" || id != first.Header.Get("Shaoying-Event-Id") || again != body || !strings.Contains(body, number) {
		t.Errorf("posted %s, then %s", body, again)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(second.Header.Get("Shaoying-Timestamp") + "." + again))
	if want := "v1=" + hex.EncodeToString(mac.Sum(nil)); second.Header.Get("Shaoying-Signature") != want {
		t.Errorf("signed %s, want %s", second.Header.Get("Shaoying-Signature"), want)
	}
}

// Whoever may read lists reads all of them.
func TestEveryListIsRead(t *testing.T) {
	supervisor, admin := token(t, "supervisor", "city:3603"), token(t, "admin", "city:3603")
	for path, token := range map[string]string{
		"/tickets": supervisor, "/events": supervisor, "/whistles": supervisor, "/topics": supervisor, "/units": supervisor, "/matters": supervisor,
		"/figures": supervisor, "/figures?by=unit": supervisor, "/figures?by=area": supervisor, "/figures/stars": supervisor,
		"/figures/worries": supervisor, "/figures/whistles": supervisor, "/webhooks": admin,
	} {
		a := send(t, request{token: token, method: "GET", path: path})
		if _, isList := a.body["items"].([]any); a.status != http.StatusOK || !isList {
			t.Errorf("%s: %d %v", path, a.status, a.body)
		}
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
