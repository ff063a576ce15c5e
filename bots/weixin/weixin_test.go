package weixin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/wire"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

func secret(s string) privacy.Secret { return privacy.NewSecret(s) }

// server is as much of Tencent's as a token needs.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	life   int // of a token, in seconds
	refuse int // errcode of the next request for a token
	tokens int
	valid  string
	seen   []string // tokens of calls
	files  map[string]string
	kind   string // Content-Type of files
	named  string // name and type of the last file that was uploaded

	asked, tells chan struct{} // where set: a request for a token came, and may be answered
}

func newServer(t *testing.T) *server {
	s := &server{life: 7200, files: map[string]string{}, kind: "image/jpeg"}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" && s.asked != nil {
		s.asked <- struct{}{}
		<-s.tells
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/token" {
		s.tokens++
		if s.refuse != 0 {
			fmt.Fprintf(w, `{"errcode":%d,"errmsg":"of the tests"}`, s.refuse)
			return
		}
		s.valid = fmt.Sprintf("token-%d", s.tokens)
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":%d}`, s.valid, s.life)
		return
	}
	token := r.URL.Query().Get("access_token")
	s.seen = append(s.seen, token)
	switch {
	case token != s.valid:
		fmt.Fprint(w, `{"errcode":40001,"errmsg":"invalid credential"}`)
	case r.URL.Path == "/file":
		body, ok := s.files[r.URL.Query().Get("media_id")]
		if !ok {
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, `{"errcode":40007,"errmsg":"invalid media_id"}`)
			return
		}
		w.Header().Set("Content-Type", s.kind)
		_, _ = io.WriteString(w, body)
	case r.URL.Path == "/html":
		fmt.Fprint(w, "<html>ok</html>")
	case r.URL.Path == "/gateway":
		http.Error(w, "<html>Bad Gateway</html>", http.StatusBadGateway)
	case r.URL.Path == "/echo":
		body, _ := io.ReadAll(r.Body)
		_ = json.NewEncoder(w).Encode(map[string]any{"errcode": 0, "said": string(body)})
	case r.URL.Path == "/upload":
		f, head, err := r.FormFile("media")
		if err != nil || r.URL.Query().Get("type") != "image" {
			fmt.Fprint(w, `{"errcode":41005,"errmsg":"media data missing"}`)
			return
		}
		body, _ := io.ReadAll(f)
		s.files["up"], s.named = string(body), head.Filename+" "+head.Header.Get("Content-Type")
		fmt.Fprint(w, `{"type":"image","media_id":"up"}`)
	default:
		fmt.Fprintf(w, `{"errcode":%s,"errmsg":"to 13800138000 hint: [x] rid: 1-2"}`, strings.TrimPrefix(r.URL.Path, "/"))
	}
}

// client is one process of the account.
func (s *server) client(t *testing.T, state bots.State) *Client {
	t.Helper()
	e, err := wire.NewEndpoint("t", "api_url", s.URL)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{
		Kind: "t", Server: e, Codes: map[int]bots.Class{45015: bots.ClassClosed, 45009: bots.ClassThrottled}, Call: 5 * time.Second, MaxFile: 64,
		Fetch: func(ctx context.Context, server string) (*http.Request, error) {
			return http.NewRequestWithContext(ctx, http.MethodGet, server+"/token", nil)
		},
	}, Deps{Clock: clock.New(), Log: slog.New(slog.DiscardHandler), State: state})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// The owner alone fetches; everybody else has what the owner keeps.
func TestTokenHasOneOwner(t *testing.T) {
	s, state := newServer(t), &botstest.State{}
	owner, other := s.client(t, state), s.client(t, state)
	owner.Own(true)
	if _, err := other.Token(t.Context()); bots.ClassOf(err) != bots.ClassTemporary || s.tokens != 0 {
		t.Errorf("who does not own it: %v, %d asked for", err, s.tokens)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got, err := owner.Token(t.Context()); got != "token-1" || err != nil {
				t.Errorf("%q %v", got, err)
			}
		})
	}
	wg.Wait()
	for _, c := range []*Client{other, owner, s.client(t, state)} {
		if got, err := c.Token(t.Context()); got != "token-1" || err != nil || s.tokens != 1 {
			t.Errorf("%q %v, %d asked for", got, err, s.tokens)
		}
	}
	// A new owner goes on with the token of the old one.
	next := s.client(t, state)
	next.Own(true)
	if got, err := next.Token(t.Context()); got != "token-1" || err != nil || s.tokens != 1 {
		t.Errorf("a new owner: %q %v, %d asked for", got, err, s.tokens)
	}
}

// While the network is slow to give a token, whoever waits for it goes when the
// time is up, and who owns the account is said at once.
func TestNobodyHangsOnAToken(t *testing.T) {
	s := newServer(t)
	s.asked, s.tells = make(chan struct{}), make(chan struct{})
	c := s.client(t, &botstest.State{})
	c.Own(true)
	got := make(chan error, 1)
	go func() {
		_, err := c.Token(t.Context())
		got <- err
	}()
	<-s.asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Token(ctx); bots.ClassOf(err) != bots.ClassTemporary || !errors.Is(err, context.Canceled) {
		t.Errorf("whose time is up: %v", err)
	}
	c.Own(false) // would hang here
	close(s.tells)
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// A send is the owner's, but does not make a process the owner.
func TestASendOwnsItselfAlone(t *testing.T) {
	s, state := newServer(t), &botstest.State{}
	c := s.client(t, state)
	if err := c.Post(Owning(t.Context()), "/echo", map[string]string{}, nil); err != nil || s.tokens != 1 {
		t.Errorf("%v, %d asked for", err, s.tokens)
	}
	s.mu.Lock()
	s.valid = "of somebody else"
	s.mu.Unlock()
	if err := c.Post(Owning(t.Context()), "/echo", map[string]string{}, nil); CodeOf(err) != 40001 || len(state.Values()[stateToken]) != 0 {
		t.Errorf("%v, kept %q", err, state.Values()[stateToken])
	}
	if _, err := c.Token(t.Context()); bots.ClassOf(err) != bots.ClassTemporary || s.tokens != 1 {
		t.Errorf("beside a send: %v, %d asked for", err, s.tokens)
	}
}

// A token that the network does not take is forgotten by the owner, in memory and
// where it is kept, and the next call has another.
func TestTokenIsForgotten(t *testing.T) {
	s, state := newServer(t), &botstest.State{}
	owner, other := s.client(t, state), s.client(t, state)
	owner.Own(true)
	call := func(c *Client) error { return c.Post(t.Context(), "/echo", map[string]string{}, nil) }
	if err := call(owner); err != nil {
		t.Fatal(err)
	}
	if err := call(other); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.valid = "of somebody else"
	s.mu.Unlock()
	// Who does not own it may not take it away from the others.
	if err := call(other); CodeOf(err) != 40001 || bots.ClassOf(err) != bots.ClassTemporary || len(state.Values()[stateToken]) == 0 {
		t.Errorf("%v, kept %q", err, state.Values()[stateToken])
	}
	if err := call(owner); CodeOf(err) != 40001 || bots.ClassOf(err) != bots.ClassTemporary {
		t.Errorf("%v", err)
	}
	if len(state.Values()[stateToken]) != 0 || s.tokens != 1 {
		t.Errorf("kept %q, %d asked for", state.Values()[stateToken], s.tokens)
	}
	if err := call(owner); err != nil || s.tokens != 2 {
		t.Errorf("%v, %d asked for", err, s.tokens)
	}
	if err := call(other); err != nil {
		t.Errorf("the others have the new one: %v", err)
	}
}

// A token is renewed by the owner when a tenth of its life is left; one that is
// over is nobody's.
func TestTokenIsRenewed(t *testing.T) {
	s, state := newServer(t), &botstest.State{}
	owner, other := s.client(t, state), s.client(t, state)
	owner.Own(true)
	keep := func(until, renew time.Duration) {
		now := time.Now()
		body, err := json.Marshal(token{Value: "old", Until: now.Add(until), Renew: now.Add(renew)})
		if err != nil {
			t.Fatal(err)
		}
		if err := state.Save(t.Context(), stateToken, body); err != nil {
			t.Fatal(err)
		}
	}
	keep(time.Minute, -time.Minute)
	if got, err := other.Token(t.Context()); got != "old" || err != nil {
		t.Errorf("while the owner has not renewed it: %q %v", got, err)
	}
	if got, err := owner.Token(t.Context()); got != "token-1" || err != nil {
		t.Errorf("the owner: %q %v", got, err)
	}
	keep(-time.Minute, -2*time.Minute)
	if got, err := s.client(t, state).Token(t.Context()); got != "" || bots.ClassOf(err) != bots.ClassTemporary {
		t.Errorf("one that is over: %q %v", got, err)
	}
	if err := state.Save(t.Context(), stateToken, []byte("{")); err != nil {
		t.Fatal(err)
	}
	fresh := s.client(t, state)
	fresh.Own(true)
	if got, err := fresh.Token(t.Context()); got != "token-2" || err != nil {
		t.Errorf("what is kept cannot be read: %q %v", got, err)
	}
	state.Fail(true)
	if _, err := s.client(t, state).Token(t.Context()); bots.ClassOf(err) != bots.ClassTemporary {
		t.Errorf("without a database: %v", err)
	}
}

// No message is at fault when no token can be had.
func TestTokenIsRefused(t *testing.T) {
	s := newServer(t)
	owner := s.client(t, &botstest.State{})
	owner.Own(true)
	for code, want := range map[int]bots.Class{
		40001: bots.ClassLoggedOut, 40013: bots.ClassLoggedOut, 40164: bots.ClassLoggedOut, 99999: bots.ClassLoggedOut, -1: bots.ClassTemporary, 45009: bots.ClassThrottled,
	} {
		s.mu.Lock()
		s.refuse = code
		s.mu.Unlock()
		err := owner.Post(t.Context(), "/echo", map[string]string{}, nil)
		if bots.ClassOf(err) != want || CodeOf(err) != code {
			t.Errorf("errcode %d: %v, want %s", code, err, want)
		}
		if err := owner.Probe(t.Context()); CodeOf(err) != code {
			t.Errorf("a probe: %v", err)
		}
	}
	s.Close()
	if err := owner.Probe(t.Context()); bots.ClassOf(err) != bots.ClassTemporary {
		t.Errorf("nobody there: %v", err)
	}
}

func TestAnswers(t *testing.T) {
	s := newServer(t)
	c := s.client(t, &botstest.State{})
	c.Own(true)
	for path, want := range map[string]bots.Class{
		"/45015": bots.ClassClosed, "/45009": bots.ClassThrottled, "/47003": bots.ClassRejected, "/-1": bots.ClassTemporary,
		"/html": bots.ClassUnknown, "/gateway": bots.ClassUnknown,
	} {
		err := c.Post(t.Context(), path, map[string]string{"to": "13800138000"}, nil)
		if bots.ClassOf(err) != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
		if strings.Contains(err.Error(), "13800138000") || strings.Contains(err.Error(), "token-") || strings.Contains(err.Error(), "rid:") {
			t.Errorf("%s: says too much: %v", path, err)
		}
	}
	var got struct{ Said string }
	if err := c.Post(t.Context(), "/echo", map[string]string{"a": "<汉> & \u2028"}, &got); err != nil || !strings.Contains(got.Said, `<汉> & `) {
		t.Errorf("%q %v", got.Said, err)
	}
	var wrong struct{ Said int }
	if err := c.Post(t.Context(), "/echo", map[string]string{}, &wrong); bots.ClassOf(err) != bots.ClassUnknown {
		t.Errorf("an answer that cannot be read: %v", err)
	}
}

func TestFiles(t *testing.T) {
	s := newServer(t)
	c := s.client(t, &botstest.State{})
	c.Own(true)
	fetch := func(id string) (string, error) {
		body, err := c.Download(t.Context(), "/file", id)
		if err != nil {
			return "", err
		}
		defer body.Close()
		got, err := io.ReadAll(body)
		return string(got), err
	}
	if _, err := c.Upload(t.Context(), "/upload", bots.Photo{Data: []byte("\x89PNG\r\n\x1a\n")}); err != nil || s.named != "photo.png image/png" {
		t.Errorf("a drawn picture is uploaded as %q: %v", s.named, err)
	}
	id, err := c.Upload(t.Context(), "/upload", bots.Photo{Data: []byte("jpeg")})
	if s.named != "photo.jpg image/jpeg" {
		t.Errorf("a photo is uploaded as %q", s.named)
	}
	if err != nil || id != "up" {
		t.Fatalf("%q %v", id, err)
	}
	if got, err := fetch("up"); err != nil || got != "jpeg" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := fetch("none"); bots.ClassOf(err) != bots.ClassRejected || CodeOf(err) != 40007 {
		t.Errorf("no such file: %v", err)
	}
	s.mu.Lock()
	s.files["full"], s.files["large"] = strings.Repeat("x", 64), strings.Repeat("x", 65)
	s.files["huge"] = strings.Repeat("x", 1<<20) // too long for a Content-Length
	s.mu.Unlock()
	if got, err := fetch("full"); err != nil || len(got) != 64 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := fetch("large"); bots.ClassOf(err) != bots.ClassRejected {
		t.Errorf("a file of 65 bytes: %v", err)
	}
	if got, err := fetch("huge"); err == nil {
		t.Errorf("a file of a million bytes: %d came", len(got))
	}
	s.mu.Lock()
	s.kind, s.files["json"] = "application/json; charset=utf-8", `{"video_url":"http://x"}`
	s.mu.Unlock()
	if _, err := fetch("json"); bots.ClassOf(err) != bots.ClassTemporary {
		t.Errorf("an answer that is no file: %v", err)
	}
	// A file is fetched anew with a new token.
	s.mu.Lock()
	s.kind, s.valid = "image/jpeg", "of somebody else"
	s.mu.Unlock()
	if _, err := fetch("up"); bots.ClassOf(err) != bots.ClassTemporary {
		t.Errorf("with an old token: %v", err)
	}
	if got, err := fetch("up"); err != nil || got != "jpeg" {
		t.Errorf("%q %v", got, err)
	}
}

func TestCryptRefuses(t *testing.T) {
	for _, key := range []string{"short", strings.Repeat("!", 43), strings.Repeat("a", 44)} {
		if _, err := NewCrypt(secret("t"), secret(key), "r"); err == nil {
			t.Errorf("%q is taken for a key", key)
		}
	}
	c, err := NewCrypt(secret("t"), secret("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"), "wx1")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := c.Seal([]byte("你好"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Open(sealed); err != nil || string(got) != "你好" {
		t.Errorf("%q %v", got, err)
	}
	if again, err := c.Seal([]byte("你好")); err != nil || again == sealed {
		t.Errorf("two seals are one: %v", err)
	}
	plain, err := NewCrypt(secret("t"), secret(""), "wx1")
	if err != nil || plain.Sealed() || !c.Sealed() {
		t.Fatal(err)
	}
	if _, err := plain.Seal(nil); err == nil {
		t.Error("sealed without a key")
	}
	for _, bad := range []string{"", "!", "AAAA", sealed[:len(sealed)-4], strings.Repeat("A", 64)} {
		if _, err := c.Open(bad); err != ErrForged {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	if _, err := plain.Open(sealed); err != ErrForged {
		t.Errorf("opened without a key: %v", err)
	}
	if c.Signed("", "1", "2") || !c.Signed(c.Signature("1", "2"), "2", "1") || c.Signed(c.Signature("1", "2"), "1", "3") {
		t.Error("signatures")
	}
}

// Nobody's bytes make Open panic, or give what was not sealed.
func FuzzOpen(f *testing.F) {
	c, err := NewCrypt(secret("t"), secret("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"), "wx1")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{"", "x", strings.Repeat("长", 100)} {
		sealed, err := c.Seal([]byte(text))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sealed)
	}
	f.Add(strings.Repeat("A", 64))
	f.Fuzz(func(t *testing.T, sealed string) {
		got, err := c.Open(sealed)
		if err != nil {
			return
		}
		again, err := c.Seal(got)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := c.Open(again); err != nil || !bytes.Equal(back, got) {
			t.Fatalf("%q %v", back, err)
		}
	})
}
