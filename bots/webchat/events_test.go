package webchat

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"shaoying/bots"
	"shaoying/bots/botstest"
)

// frame is one server-sent event as a browser reads it.
type frame struct {
	id   string
	data struct {
		ID      int64
		Text    string
		Choices []bots.Choice
		At      string
		Photo   string
	}
}

// listen opens a stream after last and returns its frames.
func (s *site) listen(t *testing.T, last string) (next func() frame, stop func(), header http.Header) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/chat/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "shaoying", Value: s.token})
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("stream: %s", resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	next = func() (f frame) {
		t.Helper()
		for lines.Scan() {
			line := lines.Text()
			if id, ok := strings.CutPrefix(line, "id: "); ok {
				f.id = id
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				if err := json.Unmarshal([]byte(data), &f.data); err != nil {
					t.Fatalf("%s: %v", data, err)
				}
			}
			if line == "" && f.id != "" {
				return f
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return f
	}
	return next, func() { cancel(); resp.Body.Close() }, resp.Header
}

func (s *site) say(t *testing.T, key, text string, photo []byte) {
	t.Helper()
	me, _ := ofToken(s.token)
	m := bots.Message{Key: key, Text: text, Choices: []bots.Choice{{Label: "好", Data: "a"}}}
	if photo != nil {
		m.Photo = &bots.Photo{Data: photo}
	}
	if _, err := s.channel.Send(t.Context(), bots.Address{Channel: "web", Chat: me.Chat}, m); err != nil {
		t.Fatal(err)
	}
}

func TestStreamResumes(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	s := newSite(t, Mount{})
	s.say(t, "k1", "一\n行 <b>", nil)
	next, stop, header := s.listen(t, "")
	if header.Get("X-Accel-Buffering") != "no" || header.Get("Content-Type") != "text/event-stream" || header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", header)
	}
	if f := next(); f.id != "1" || f.data.ID != 1 || f.data.Text != "一\n行 <b>" || len(f.data.Choices) != 1 || !strings.HasSuffix(f.data.At, "+08:00") {
		t.Errorf("first frame %+v", f)
	}
	s.say(t, "k2", "二", nil) // while the page is open
	if f := next(); f.id != "2" || f.data.Text != "二" {
		t.Errorf("second frame %+v", f)
	}
	stop()
	s.say(t, "k3", "三", nil) // while it is away
	s.say(t, "k3", "三", nil) // and sent twice
	next, stop, _ = s.listen(t, "2")
	if f := next(); f.id != "3" || f.data.Text != "三" {
		t.Errorf("after coming back %+v", f)
	}
	s.say(t, "k4", "四", nil)
	if f := next(); f.id != "4" {
		t.Errorf("an item delivered twice made two: %+v", f)
	}
	stop()
	// More than a batch, for a page that was reloaded.
	for i := range 2*batch + 10 {
		s.say(t, fmt.Sprintf("m%d", i), "多", nil)
	}
	next, stop, _ = s.listen(t, "")
	for i := range 2*batch + 14 {
		if f := next(); f.id != fmt.Sprint(i+1) {
			t.Fatalf("frame %d has id %s", i+1, f.id)
		}
	}
	stop()
	s.channel.Close()
	s.Server.Close()
	if n := s.mailbox.watching(); n != 0 {
		t.Errorf("%d watches are left", n)
	}
	if err := goleak.Find(leaks); err != nil {
		t.Error(err)
	}
}

func TestStreamIsOneChatsOwn(t *testing.T) {
	s := newSite(t, Mount{})
	s.say(t, "k1", "给甲", picture(t, 9, 9))
	mine := s.token
	s.token = newToken()
	s.say(t, "k1", "给乙", nil)
	next, stop, _ := s.listen(t, "")
	defer stop()
	if f := next(); f.data.Text != "给乙" || f.data.Photo != "" {
		t.Errorf("the other page sees %+v", f)
	}
	resp, body := s.do(t, http.MethodGet, "/chat/photo/1", "", nil)
	checkProblem(t, "a photo of another chat", resp, body, 404, "not_found")
	s.token = mine
	resp, body = s.do(t, http.MethodGet, "/chat/photo/1", "", nil)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "image/jpeg" || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") ||
		resp.Header.Get("X-Content-Type-Options") != "nosniff" || len(body) == 0 {
		t.Errorf("own photo: %d %v", resp.StatusCode, resp.Header)
	}
	for _, path := range []string{"/chat/photo/2", "/chat/photo/0", "/chat/photo/-1", "/chat/photo/x", "/chat/photo/99999999999999999999"} {
		resp, body := s.do(t, http.MethodGet, path, "", nil)
		checkProblem(t, path, resp, body, 404, "not_found")
	}
}

func TestStreamRefusals(t *testing.T) {
	s := newSite(t, Mount{})
	for _, last := range []string{"x", "-1", "1e3", "99999999999999999999"} {
		resp, body := s.do(t, http.MethodGet, "/chat/events", "", nil, "Last-Event-ID", last)
		checkProblem(t, "Last-Event-ID "+last, resp, body, 400, "bad_request")
	}
	s.channel.cfg.Limits.MaxStreams = 1
	_, stop, _ := s.listen(t, "")
	defer stop()
	resp, body := s.do(t, http.MethodGet, "/chat/events", "", nil)
	checkProblem(t, "one page too many", resp, body, 503, "too_many_pages")
	s.mailbox.fail(errAway)
	resp, body = s.do(t, http.MethodGet, "/chat/photo/1", "", nil)
	checkProblem(t, "mailbox away", resp, body, 503, "try_later")
}

func TestSilentStreamPings(t *testing.T) {
	cfg := settings(t)
	synctest.Test(t, func(t *testing.T) {
		box := newMemory()
		c := open(t, cfg, box, &botstest.Log{})
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/chat/events", nil)
		r.AddCookie(&http.Cookie{Name: "shaoying", Value: newToken()})
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.Handler(nil).ServeHTTP(w, r)
		}()
		pause := time.NewTimer(46 * time.Second) // the bubble's clock, no waiting
		<-pause.C
		cancel()
		<-done
		if n := strings.Count(w.Body.String(), ": ping\n\n"); n != 3 {
			t.Errorf("%d pings in 46 s, want 3: %q", n, w.Body)
		}
	})
}
