package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"shaoying/internal/clock"
)

// page is a house as far as a visitor sees it.
type page struct {
	mu     sync.Mutex
	chats  map[string]chan string
	ready  int // how often /readyz still says no
	refuse int // status of messages, 0 for 202
}

func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	cookie, _ := r.Cookie("shaoying")
	switch r.Method + " " + r.URL.Path {
	case "GET /readyz":
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.ready--; p.ready >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	case "POST /chat/session":
		p.mu.Lock()
		defer p.mu.Unlock()
		name := fmt.Sprint("visitor", len(p.chats))
		p.chats[name] = make(chan string, 1)
		http.SetCookie(w, &http.Cookie{Name: "shaoying", Value: name})
	case "GET /chat/events":
		fmt.Fprint(w, "retry: 3000\n\n")
		w.(http.Flusher).Flush()
		select {
		case said := <-p.chat(cookie):
			fmt.Fprintf(w, ": ping\n\nid: 1\ndata: {\"text\":%q}\n\n", said)
		case <-r.Context().Done():
		}
	case "POST /chat/messages":
		var m struct{ ID, Text string }
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil || !uuid.MatchString(m.ID) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if p.refuse != 0 {
			w.WriteHeader(p.refuse)
			return
		}
		p.chat(cookie) <- m.Text
		w.WriteHeader(http.StatusAccepted)
	default:
		http.NotFound(w, r)
	}
}

func (p *page) chat(c *http.Cookie) chan string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c == nil {
		return nil
	}
	return p.chats[c.Value]
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// visits lets n visitors come to a page that says where it is with line.
func visits(t *testing.T, p *page, n int, serve func(ctx context.Context, url string, out io.Writer) error) (Latency, error) {
	t.Helper()
	p.chats = map[string]chan string{}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	b := &bench{cfg: Config{FirstReplies: n}, clock: clock.New(), product: &Product{
		Serve: func(ctx context.Context, out io.Writer) error { return serve(ctx, s.URL, out) },
	}}
	return b.firstReply(t.Context())
}

func ready(ctx context.Context, url string, out io.Writer) error {
	if _, err := fmt.Fprintf(out, "ready %s\n", url); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func TestEveryVisitorIsAnswered(t *testing.T) {
	p := &page{ready: 2}
	l, err := visits(t, p, 5, ready)
	if err != nil {
		t.Fatal(err)
	}
	if l.Count != 5 || l.P50 <= 0 || l.P99 < l.P50 || l.Offered != 0 {
		t.Errorf("latency %+v", l)
	}
	if len(p.chats) != 5 {
		t.Errorf("%d sessions for 5 visitors", len(p.chats))
	}
}

func TestARefusedMessageIsNoFigure(t *testing.T) {
	_, err := visits(t, &page{refuse: http.StatusTooManyRequests}, 2, ready)
	if err == nil || !strings.Contains(err.Error(), "visitor 1") || !strings.Contains(err.Error(), "429") {
		t.Errorf("error %v", err)
	}
}

func TestAHouseThatDoesNotStart(t *testing.T) {
	broken := errors.New("port taken")
	for name, tc := range map[string]struct {
		serve func(context.Context, string, io.Writer) error
		want  string
	}{
		"fails": {func(context.Context, string, io.Writer) error { return broken }, "port taken"},
		"ends":  {func(context.Context, string, io.Writer) error { return nil }, "before it was ready"},
		"talks": {func(ctx context.Context, _ string, out io.Writer) error {
			fmt.Fprintln(out, "good morning")
			<-ctx.Done()
			return nil
		}, "good morning"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := visits(t, &page{}, 1, tc.serve); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

func TestAwaitLine(t *testing.T) {
	in := ": ping\n\nid: 4\ndata: {\"a\":1}\n\n"
	if got, err := awaitLine(bufio.NewReader(strings.NewReader(in)), "data:"); err != nil || got != `{"a":1}` {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := awaitLine(bufio.NewReader(strings.NewReader(": ping\n")), "data:"); !errors.Is(err, io.EOF) {
		t.Errorf("a stream that ended: %v", err)
	}
}
