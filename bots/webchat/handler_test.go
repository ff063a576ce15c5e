package webchat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/bots/botstest"
)

// site is a page served with a recorder behind it.
type site struct {
	*httptest.Server
	channel *Channel
	mailbox *memory
	sink    *botstest.Recorder
	token   string
}

func newSite(t *testing.T, m Mount) *site {
	t.Helper()
	s := &site{mailbox: newMemory(), sink: botstest.NewRecorder(), token: newToken()}
	s.channel = open(t, settings(t), s.mailbox, io.Discard)
	s.Server = httptest.NewServer(s.channel.Mounted(s.sink.Sink, m))
	t.Cleanup(func() {
		s.channel.Close()
		s.Server.Close()
	})
	return s
}

// do sends a request with the cookie of the session.
func (s *site) do(t *testing.T, method, path, kind string, body io.Reader, headers ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest(method, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.AddCookie(&http.Cookie{Name: "shaoying", Value: s.token})
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, data
}

const id1 = "00000000-0000-4000-8000-000000000001"

func TestBadMessagesGetAClearAnswerAndChangeNothing(t *testing.T) {
	s := newSite(t, Mount{})
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"no JSON":               {`hello`, 400, "bad_request"},
		"cut off":               {`{"id":"` + id1 + `","text":"x`, 400, "bad_request"},
		"two documents":         {`{"id":"` + id1 + `","text":"x"}{}`, 400, "bad_request"},
		"unknown field":         {`{"id":"` + id1 + `","text":"x","admin":true}`, 400, "bad_request"},
		"no id":                 {`{"text":"x"}`, 400, "bad_request"},
		"id is no UUID":         {`{"id":"1' or 1=1","text":"x"}`, 400, "bad_request"},
		"upper-case id":         {`{"id":"` + strings.Replace(id1, "0001", "000A", 1) + `","text":"x"}`, 400, "bad_request"},
		"nothing said":          {`{"id":"` + id1 + `"}`, 400, "bad_request"},
		"two things":            {`{"id":"` + id1 + `","text":"x","choice":"a"}`, 400, "bad_request"},
		"text of another type":  {`{"id":"` + id1 + `","text":["x"]}`, 400, "bad_request"},
		"not UTF-8":             {`{"id":"` + id1 + "\",\"text\":\"\xff\"}", 400, "bad_request"},
		"NUL":                   {`{"id":"` + id1 + `","text":"a\u0000b"}`, 400, "bad_request"},
		"escape sequence":       {`{"id":"` + id1 + `","text":"a\u001b[31m"}`, 400, "bad_request"},
		"C1 control":            {`{"id":"` + id1 + `","text":"a\u0085b"}`, 400, "bad_request"},
		"empty":                 {`{"id":"` + id1 + `","text":""}`, 422, "empty"},
		"only spaces":           {`{"id":"` + id1 + `","text":" 　\n"}`, 422, "empty"},
		"5,000 characters":      {`{"id":"` + id1 + `","text":"` + strings.Repeat("字", 5000) + `"}`, 422, "too_long"},
		"2,001 characters":      {`{"id":"` + id1 + `","text":"` + strings.Repeat("🙂", 2001) + `"}`, 422, "too_long"},
		"10 MB":                 {`{"id":"` + id1 + `","text":"` + strings.Repeat("x", 10<<20) + `"}`, 413, "too_large"},
		"empty choice":          {`{"id":"` + id1 + `","choice":""}`, 400, "bad_request"},
		"long choice":           {`{"id":"` + id1 + `","choice":"` + strings.Repeat("c", 65) + `"}`, 400, "bad_request"},
		"choice with newline":   {`{"id":"` + id1 + `","choice":"a\nb"}`, 400, "bad_request"},
		"place without lon":     {`{"id":"` + id1 + `","place":{"lat":27}}`, 422, "wrong_place"},
		"place off the globe":   {`{"id":"` + id1 + `","place":{"lat":127,"lon":0}}`, 422, "wrong_place"},
		"place beyond numbers":  {`{"id":"` + id1 + `","place":{"lat":1e999,"lon":0}}`, 400, "bad_request"},
		"place label too long":  {`{"id":"` + id1 + `","place":{"lat":1,"lon":1,"label":"` + strings.Repeat("里", 101) + `"}}`, 422, "too_long"},
		"place label, newline":  {`{"id":"` + id1 + `","place":{"lat":1,"lon":1,"label":"a\nb"}}`, 400, "bad_request"},
		"place with more in it": {`{"id":"` + id1 + `","place":{"lat":1,"lon":1,"datum":"gcj02"}}`, 400, "bad_request"},
	} {
		resp, body := s.do(t, http.MethodPost, "/chat/messages", "application/json", strings.NewReader(c.body))
		checkProblem(t, name, resp, body, c.status, c.code)
	}
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; ="} {
		resp, body := s.do(t, http.MethodPost, "/chat/messages", kind, strings.NewReader(`{"id":"`+id1+`","text":"x"}`))
		if resp.StatusCode != 415 && resp.StatusCode != 400 {
			t.Errorf("content type %q: %d %s", kind, resp.StatusCode, body)
		}
	}
	if n := s.sink.Calls(); n != 0 {
		t.Errorf("bad messages reached the sink %d times", n)
	}
}

// checkProblem checks an RFC 9457 answer in plain Chinese.
func checkProblem(t *testing.T, name string, resp *http.Response, body []byte, status int, code string) {
	t.Helper()
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	if err := json.Unmarshal(body, &p); err != nil || resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: no problem JSON (%v): %d %s", name, err, resp.StatusCode, body)
		return
	}
	if resp.StatusCode != status || p.Status != status || p.Type != "urn:shaoying:problem:"+code {
		t.Errorf("%s: %d %+v, want %d %s", name, resp.StatusCode, p, status, code)
	}
	if p.Title == "" || p.Detail == "" || resp.Header.Get("Content-Language") != langZh {
		t.Errorf("%s: the answer says nothing a resident can read: %s", name, body)
	}
}

func TestGoodMessages(t *testing.T) {
	s := newSite(t, Mount{})
	me, _ := ofToken(s.token)
	for i, c := range []struct {
		body string
		want bots.Event
	}{
		{`"text":"楼道灯坏了\r\n\t三楼"`, bots.Event{Kind: bots.KindText, Text: "楼道灯坏了\r\n\t三楼"}},
		{`"text":"` + strings.Repeat("🙂", 2000) + `"`, bots.Event{Kind: bots.KindText, Text: strings.Repeat("🙂", 2000)}},
		{`"choice":"a1"`, bots.Event{Kind: bots.KindChoice, Choice: "a1"}},
		{`"place":{"lat":0,"lon":0,"label":"昌盛小区"}`, bots.Event{Kind: bots.KindPlace}},
	} {
		resp, body := s.do(t, http.MethodPost, "/chat/messages", "application/json", strings.NewReader(`{"id":"`+newUUID()+`",`+c.body+`}`))
		if resp.StatusCode != http.StatusAccepted || !strings.Contains(string(body), `+08:00`) {
			t.Fatalf("%s: %d %s", c.body, resp.StatusCode, body)
		}
		ev := s.sink.Rows()[i]
		if ev.Kind != c.want.Kind || ev.Text != c.want.Text || ev.Choice != c.want.Choice || ev.Chat != me.Chat || ev.From.Trust != bots.TrustSession {
			t.Errorf("%s became %+v", c.body, ev)
		}
	}
}

func TestSameIDOfTwoSessionsIsTwoMessages(t *testing.T) {
	s := newSite(t, Mount{})
	for range 2 {
		for range 3 { // a page that does not believe its 202
			s.do(t, http.MethodPost, "/chat/messages", "application/json", strings.NewReader(`{"id":"`+id1+`","text":"x"}`))
		}
		s.token = newToken()
	}
	if n := len(s.sink.Rows()); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}

func TestSinkThatDoesNotTake(t *testing.T) {
	s := newSite(t, Mount{})
	for name, c := range map[string]struct {
		fail   error
		status int
		code   string
	}{
		"database away": {errors.New("connection refused to 10.0.0.1"), 503, "try_later"},
		"flood":         {errors.Join(errors.New("40 in a minute"), bots.ErrFlood), 429, "too_fast"},
	} {
		s.sink.Before(func(context.Context, int, []bots.Event) error { return c.fail })
		resp, body := s.do(t, http.MethodPost, "/chat/messages", "application/json", strings.NewReader(`{"id":"`+id1+`","text":"x"}`))
		checkProblem(t, name, resp, body, c.status, c.code)
		if resp.Header.Get("Retry-After") == "" || bytes.Contains(body, []byte("10.0.0.1")) {
			t.Errorf("%s: no Retry-After, or the inside shows: %s", name, body)
		}
	}
}

func TestEnglishAnswers(t *testing.T) {
	s := newSite(t, Mount{})
	resp, body := s.do(t, http.MethodPost, "/chat/messages?lang=en", "application/json", strings.NewReader(`{}`))
	if resp.Header.Get("Content-Language") != "en" || !bytes.Contains(body, []byte("write it again")) {
		t.Errorf("%s", body)
	}
}

// form builds a multipart body from name, value pairs.
func form(t testing.TB, parts ...string) (kind string, body *bytes.Buffer) {
	t.Helper()
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for i := 0; i < len(parts); i += 2 {
		part, err := w.CreateFormFile(parts[i], "x.jpg")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, parts[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), body
}
