package webchat

import (
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"shaoying/bots"
)

func sessionCookie(t *testing.T, resp *http.Response) *http.Cookie {
	t.Helper()
	cookies := resp.Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies, want 1", len(cookies))
	}
	return cookies[0]
}

func TestSession(t *testing.T) {
	s := newSite(t, Mount{})
	s.token = "" // a first visit
	resp, body := s.do(t, http.MethodPost, "/chat/session", "", nil)
	c := sessionCookie(t, resp)
	if c.Name != "shaoying" || c.Path != "/" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure || c.MaxAge != 180*24*60*60 {
		t.Errorf("cookie %+v", c)
	}
	v, ok := ofToken(c.Value)
	if !ok || !strings.Contains(string(body), `"`+string(v.Chat)+`"`) || len(v.Chat) != 26 {
		t.Errorf("answer %s for chat %q", body, v.Chat)
	}
	if strings.Contains(string(body), c.Value) || strings.Contains(string(v.Chat), c.Value[:8]) {
		t.Error("the token shows")
	}
	s.token = c.Value
	resp, again := s.do(t, http.MethodPost, "/chat/session", "", nil)
	if len(resp.Cookies()) != 0 || string(again) != string(body) {
		t.Errorf("a second visit is another session: %s %v", again, resp.Cookies())
	}
}

func TestSecureCookie(t *testing.T) {
	cfg := settings(t)
	cfg.HTTPS = true // a proxy in front ends TLS
	s := newSite(t, Mount{})
	s.channel.cfg = cfg
	s.token = ""
	resp, _ := s.do(t, http.MethodPost, "/chat/session", "", nil)
	if !sessionCookie(t, resp).Secure {
		t.Error("the cookie would go over plain http")
	}
}

func TestTokens(t *testing.T) {
	for _, token := range []string{"", "x", strings.Repeat("A", 42), strings.Repeat("A", 44), strings.Repeat("A", 42) + "B", strings.Repeat("!", 43)} {
		if v, ok := ofToken(token); ok {
			t.Errorf("%q is session %q", token, v.Chat)
		}
	}
	a, _ := ofToken(newToken())
	b, _ := ofToken(newToken())
	if a.Chat == b.Chat || string(a.Chat) != string(a.User) {
		t.Errorf("chats %q and %q", a.Chat, b.Chat)
	}
}

// The demo opens the page as members of staff, below the residents' one.
func TestMountOfSomebodyElse(t *testing.T) {
	s := newSite(t, Mount{
		Prefix: "/demo/as/{staff}", Cookie: "demo",
		Visitor: func(r *http.Request) (Visitor, bool) {
			name := r.PathValue("staff")
			return Visitor{Chat: bots.ChatID("staff-" + name), User: bots.UserID(name), Title: "网格员 " + name}, name != "nobody"
		},
	})
	resp, body := s.do(t, http.MethodGet, "/demo/as/wang/", "", nil)
	if resp.StatusCode != 200 || !strings.Contains(string(body), "<h1>网格员 wang</h1>") {
		t.Errorf("page: %d %s", resp.StatusCode, body)
	}
	resp, body = s.do(t, http.MethodPost, "/demo/as/wang/chat/session", "", nil)
	if len(resp.Cookies()) != 0 || !strings.Contains(string(body), "staff-wang") {
		t.Errorf("session: %s %v", body, resp.Cookies())
	}
	resp, _ = s.do(t, http.MethodPost, "/demo/as/wang/chat/messages", "application/json", strings.NewReader(`{"id":"`+id1+`","text":"接 3"}`))
	if rows := s.sink.Rows(); resp.StatusCode != 202 || rows[0].Chat != "staff-wang" || rows[0].From.User != "wang" {
		t.Errorf("message: %d %+v", resp.StatusCode, rows)
	}
	if resp, _ = s.do(t, http.MethodGet, "/demo/as/wang", "", nil); resp.Request.URL.Path != "/demo/as/wang/" {
		t.Errorf("without its slash the page stays at %s", resp.Request.URL.Path)
	}
	resp, body = s.do(t, http.MethodGet, "/demo/as/nobody/", "", nil)
	checkProblem(t, "page of nobody", resp, body, 404, "not_found")
	for _, path := range []string{"session", "messages"} {
		resp, body = s.do(t, http.MethodPost, "/demo/as/nobody/chat/"+path, "", nil)
		checkProblem(t, path+" of nobody", resp, body, 401, "no_session")
	}
}

// A cookie of a mount without its own Visitor is scoped to where it stands.
func TestCookiePath(t *testing.T) {
	s := newSite(t, Mount{Prefix: "/b/{name}", Cookie: "b"})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Transport: s.Client().Transport}
	resp, err := client.Post(s.URL+"/b/one/chat/session", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if c := sessionCookie(t, resp); c.Path != "/b/one/" || c.Name != "b" {
		t.Errorf("cookie %+v", c)
	}
	for path, want := range map[string]int{"/b/one/chat/photo/1": 404, "/b/two/chat/photo/1": 401} {
		resp, err := client.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}

func TestHeaders(t *testing.T) {
	s := newSite(t, Mount{})
	for _, path := range []string{"/", "/chat/assets/chat.js", "/chat/assets/none.js", "/chat/photo/1"} {
		resp, _ := s.do(t, http.MethodGet, path, "", nil)
		csp := resp.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %q", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", path, resp.Header)
		}
	}
	resp, _ := s.do(t, http.MethodGet, "/chat/assets/chat.css", "", nil)
	etag := resp.Header.Get("ETag")
	if resp, _ = s.do(t, http.MethodGet, "/chat/assets/chat.css", "", nil, "If-None-Match", etag); etag == "" || resp.StatusCode != http.StatusNotModified {
		t.Errorf("a file that did not change is sent again: %d, tag %q", resp.StatusCode, etag)
	}
}
