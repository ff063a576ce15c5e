//go:build acceptance

package badinput

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"shaoying/test/world"
)

// message is a JSON message with a fresh id.
func message(t *testing.T, field string, value any) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{"id": world.NewID(), field: value})
	world.Must(t, err)
	return body
}

func TestBadMessages(t *testing.T) {
	r := server.Resident(t)
	cases := []struct {
		name    string
		body    []byte
		status  int
		problem string
	}{
		{"5,000 characters", message(t, "text", strings.Repeat("井", 5000)), 422, "too_long"},
		{"control characters", message(t, "text", "井盖\x00松了\x1b[2J"), 400, "bad_request"},
		{"nothing but spaces", message(t, "text", " \n "), 422, "empty"},
		{"10 MB of JSON", message(t, "text", strings.Repeat("a", 10<<20)), 413, "too_large"},
		{"no JSON", []byte(`{"id":`), 400, "bad_request"},
		{"an unknown member", []byte(`{"id":"` + world.NewID() + `","text":"井盖松了","admin":true}`), 400, "bad_request"},
		{"two messages in one", append(message(t, "text", "井盖松了"), message(t, "text", "灯不亮")...), 400, "bad_request"},
		{"text and choice", []byte(`{"id":"` + world.NewID() + `","text":"1","choice":"x"}`), 400, "bad_request"},
		{"an id that is no UUID", []byte(`{"id":"1","text":"井盖松了"}`), 400, "bad_request"},
		{"bytes that are not UTF-8", []byte("{\"id\":\"" + world.NewID() + "\",\"text\":\"\xff\xfe\"}"), 400, "bad_request"},
		{"a place off the earth", message(t, "place", map[string]any{"lat": 91, "lon": 200}), 422, "wrong_place"},
		{"a place without numbers", message(t, "place", map[string]any{"label": "昌盛小区"}), 422, "wrong_place"},
		{"a choice too long", message(t, "choice", strings.Repeat("x", 100)), 400, "bad_request"},
	}
	unchanged(t, nil, func() {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				refused(t, r.Post("/chat/messages", "application/json", c.body), c.status, c.problem)
			})
		}
		t.Run("a form of another kind", func(t *testing.T) {
			refused(t, r.Post("/chat/messages", "text/plain", []byte("井盖松了")), 415, "wrong_type")
		})
		t.Run("another site", func(t *testing.T) {
			a := r.Post("/chat/messages", "application/json", message(t, "text", "井盖松了"), "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
			refused(t, a, 403, "foreign_page")
		})
	})
	if n := len(r.Items()); n != 0 {
		t.Errorf("bad messages are answered with %d lines", n)
	}
}

// refused checks a problem that tells a person what to do.
func refused(t *testing.T, a world.Answer, status int, problem string) {
	t.Helper()
	if a.Status != status || a.Problem != problem {
		t.Errorf("answered %d %s, want %d %s: %.200s", a.Status, a.Problem, status, problem, a.Body)
	}
	if a.Detail == "" {
		t.Error("the answer does not say what to do")
	}
}

func TestHostileFiles(t *testing.T) {
	r := server.Resident(t)
	cases := []struct {
		name, kind string
		data       []byte
		status     int
		problem    string
	}{
		{"SVG with a script", "photo", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), 415, "not_a_photo"},
		{"text called photo", "photo", []byte("this is no photo"), 415, "not_a_photo"},
		{"page behind the magic of a GIF", "photo", []byte("GIF89a\x01\x00\x01\x00<script>alert(1)</script>"), 415, "not_a_photo"},
		{"PNG of a billion pixels", "photo", bomb(), 413, "too_large"},
		{"empty photo", "photo", nil, 415, "not_a_photo"},
		{"22 MB", "photo", append([]byte("\xff\xd8\xff\xe0"), make([]byte, 22<<20)...), 413, "too_large"},
		{"page called voice", "voice", []byte("<html><script>alert(1)</script>"), 415, "not_a_voice"},
	}
	unchanged(t, nil, func() {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) { refused(t, r.Upload(c.kind, c.data), c.status, c.problem) })
		}
	})
}

func TestPolyglotIsPaintedAnew(t *testing.T) {
	r := server.Resident(t)
	evil := []byte("<script>alert(1)</script>")
	a := r.Upload("photo", append(world.Photo(64, 48), evil...))
	if a.Status != http.StatusAccepted {
		refused(t, a, 415, "not_a_photo")
		return
	}
	r.Expect() // what it begins must not fall into another test's counting
}

func TestNoSession(t *testing.T) {
	unchanged(t, nil, func() {
		for _, cookie := range []string{"", "shaoying=", "shaoying=AAAA", "shaoying=../../etc/passwd"} {
			for _, path := range []string{"/chat/messages", "/chat/events", "/chat/photo/1"} {
				method := http.MethodGet
				if path == "/chat/messages" {
					method = http.MethodPost
				}
				req, err := http.NewRequest(method, server.URL+path, bytes.NewReader(message(t, "text", "井盖松了")))
				world.Must(t, err)
				req.Header.Set("Content-Type", "application/json")
				if cookie != "" {
					req.Header.Set("Cookie", cookie)
				}
				res, err := http.DefaultClient.Do(req)
				world.Must(t, err)
				res.Body.Close()
				if res.StatusCode != http.StatusUnauthorized {
					t.Errorf("%s %s with cookie %q: %d", method, path, cookie, res.StatusCode)
				}
			}
		}
	})
}

func TestWrongAddresses(t *testing.T) {
	r := server.Resident(t)
	cases := []struct {
		method, path string
		status       int
	}{
		{"GET", "/chat/photo/1", 404},
		{"GET", "/chat/photo/99999999999999999999", 404},
		{"GET", "/chat/photo/..%2f..%2f..%2fetc%2fpasswd", 404},
		{"GET", "/chat/assets/..%2fchat.go", 404},
		{"GET", "/chat/assets/page.html", 404},
		{"GET", "/chat/messages", 405},
		{"DELETE", "/chat/session", 405},
		{"PUT", "/chat/messages", 405},
		{"GET", "/demo/as/nobody/", 404},
		{"GET", "/demo/as/..%2f..%2f/", 404},
		{"GET", "/nothing/here", 404},
		{"POST", "/api/v1/demo/clock", 400},
	}
	unchanged(t, nil, func() {
		for _, c := range cases {
			req, err := http.NewRequest(c.method, server.URL+c.path, nil)
			world.Must(t, err)
			a, err := r.Do(req)
			world.Must(t, err)
			if a.Status != c.status {
				t.Errorf("%s %s: %d, want %d", c.method, c.path, a.Status, c.status)
			}
			if strings.Contains(a.Body, "root:") || strings.Contains(a.Body, "goroutine") {
				t.Errorf("%s %s: %.200s", c.method, c.path, a.Body)
			}
		}
	})
}

func TestBadStreamNumber(t *testing.T) {
	r := server.Resident(t)
	for _, last := range []string{"-1", "x", "1;drop table", strings.Repeat("9", 40)} {
		req, err := http.NewRequest(http.MethodGet, r.Base()+"/chat/events", nil)
		world.Must(t, err)
		req.Header.Set("Last-Event-ID", last)
		a, err := r.Do(req)
		world.Must(t, err)
		refused(t, a, 400, "bad_request")
	}
}

func TestBadClock(t *testing.T) {
	unchanged(t, nil, func() {
		for _, body := range []string{``, `{}`, `[]`, `{"advance":"-1h"}`, `{"advance":"x"}`, `{"advance":"99999h"}`, `{"next":true,"advance":"1h"}`, `{"back":true}`} {
			res, err := http.Post(server.URL+"/api/v1/demo/clock", "application/json", strings.NewReader(body))
			world.Must(t, err)
			res.Body.Close()
			if res.StatusCode != 400 && res.StatusCode != 422 {
				t.Errorf("clock %s: %d", body, res.StatusCode)
			}
		}
	})
}

// A message that is sent again under its id is the same message.
func TestRetriedPost(t *testing.T) {
	r := server.Resident(t)
	body := message(t, "text", "帮助")
	post := func() {
		t.Helper()
		if a := r.Post("/chat/messages", "application/json", body); a.Status != http.StatusAccepted {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	post()
	r.Expect("看进度回")
	r.Say("我的工单")
	r.Expect("还没有")
	unchanged(t, nil, func() {
		for range 5 {
			post()
		}
	})
}

// What a person may really do wrong is answered in the chat, and changes
// nothing but the conversation itself.
func TestWrongWordsAndButtons(t *testing.T) {
	talk := []string{"inbox", "message", "outbox", "mailbox", "lookup_miss", "prompt", "due", "conversation"}
	r := server.Resident(t)
	r.Say("你好")
	menu := r.Expect("要办什么")
	r.Tap(menu, "我的工单")
	r.Expect("还没有")
	other := server.Resident(t)
	other.Say("你好")
	other.Expect("要办什么")
	unchanged(t, talk, func() {
		for name, data := range map[string]string{
			"used": menu.Choices[0].Data, "forged": "AAAAAAAAAAAAAAAAAAAAAAAA", "altered": alter(menu.Choices[0].Data),
			"typed": "!take 1", "markup": "<b>1</b>",
		} {
			seen := len(r.Items())
			if a := r.Post("/chat/messages", "application/json", message(t, "choice", data)); a.Status != http.StatusAccepted {
				t.Errorf("a %s button: %d %s", name, a.Status, a.Body)
				continue
			}
			if !r.Await(world.Patience, func(items []world.Item) bool { return len(items) > seen }) {
				t.Errorf("a %s button is not answered", name)
			} else if text := r.Items()[seen].Text; !strings.Contains(text, "过时") {
				t.Errorf("a %s button is answered %q", name, text)
			}
		}
		seen := len(other.Items())
		other.Post("/chat/messages", "application/json", message(t, "choice", menu.Choices[1].Data))
		if !other.Await(world.Patience, func(items []world.Item) bool { return len(items) > seen }) {
			t.Error("somebody else's button is not answered")
		} else if text := other.Items()[seen].Text; !strings.Contains(text, "过时") {
			t.Errorf("somebody else's button is answered %q", text)
		}
	})
	asks := server.Resident(t)
	unchanged(t, append(talk, "person", "address"), func() {
		asks.Say("撤回 1234 5678 90")
		asks.Expect()
	})
}

// alter changes the last character.
func alter(s string) string {
	last := byte('A')
	if strings.HasSuffix(s, "A") {
		last = 'B'
	}
	return s[:len(s)-1] + string(last)
}

// TestMarkupStaysText looks at a name that is a script from its way in to the
// page of the demo.
func TestMarkupStaysText(t *testing.T) {
	_, page := server.Get(t, "/demo?q="+`%3Cscript%3Ealert(1)%3C%2Fscript%3E`)
	if strings.Contains(page, "<script>alert") {
		t.Error("a search is markup")
	}
	if code, _ := server.Get(t, "/demo?q="+fmt.Sprint(strings.Repeat("9", 500))); code != 400 {
		t.Errorf("a search of 500 characters: %d", code)
	}
}
