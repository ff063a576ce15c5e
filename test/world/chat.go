package world

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"
	"time"
)

// Item is a line that the page got.
type Item struct {
	ID      int64    `json:"id"`
	Text    string   `json:"text"`
	Choices []Choice `json:"choices"`
	At      string   `json:"at"`
	Photo   string   `json:"photo"`
}

// Choice is a button under a line.
type Choice struct {
	Label string `json:"label"`
	Data  string `json:"data"`
}

// Chat is somebody in front of a page, with an open stream of events that
// comes back with the number of the last item, as a browser does. It outlives
// restarts of the server.
type Chat struct {
	t    testing.TB
	base string
	http *http.Client

	mu    sync.Mutex
	items []Item
	seen  int           // items before it are past
	news  chan struct{} // closed and replaced at every item
}

// Resident opens a new session of the residents' page.
func (s *Server) Resident(t testing.TB) *Chat { return s.chat(t, "") }

// Staff opens the page of a member of the demo's staff.
func (s *Server) Staff(t testing.TB, slug string) *Chat { return s.chat(t, "/demo/as/"+slug) }

func (s *Server) chat(t testing.TB, prefix string) *Chat {
	t.Helper()
	jar, err := cookiejar.New(nil)
	Must(t, err)
	return open(t, s.URL+prefix, jar)
}

// Reload opens the page of the same session once more, with nothing in it.
func (c *Chat) Reload(t testing.TB) *Chat {
	t.Helper()
	return open(t, c.base, c.http.Jar)
}

func open(t testing.TB, base string, jar http.CookieJar) *Chat {
	t.Helper()
	c := &Chat{t: t, base: base, http: &http.Client{Jar: jar}, news: make(chan struct{})}
	answer := c.Post("/chat/session", "application/json", nil)
	if answer.Status != http.StatusOK {
		t.Fatalf("open a session at %s: %d %s", c.base, answer.Status, answer.Body)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.listen(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		c.http.CloseIdleConnections()
	})
	return c
}

// listen reads the stream, and opens it again whenever it ends.
func (c *Chat) listen(ctx context.Context) {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for ctx.Err() == nil {
		c.stream(ctx)
		select {
		case <-ctx.Done():
		case <-again.C:
		}
	}
}

// stream reads one stream to its end. That it ends is no failure: a server
// that stops ends it.
func (c *Chat) stream(ctx context.Context) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/chat/events", nil)
	if err != nil {
		return
	}
	c.mu.Lock()
	if n := len(c.items); n > 0 {
		req.Header.Set("Last-Event-ID", fmt.Sprint(c.items[n-1].ID))
	}
	c.mu.Unlock()
	res, err := c.http.Do(req)
	if err != nil {
		return
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return
	}
	lines := bufio.NewReader(res.Body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var item Item
		if err := json.Unmarshal([]byte(data), &item); err != nil {
			c.t.Errorf("the stream sent no JSON: %v: %s", err, data)
			return
		}
		c.mu.Lock()
		c.items = append(c.items, item)
		close(c.news)
		c.news = make(chan struct{})
		c.mu.Unlock()
	}
}

// Items is every line so far.
func (c *Chat) Items() []Item {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Item(nil), c.items...)
}

// Await waits until ok accepts all items so far, and reports whether it did.
func (c *Chat) Await(patience time.Duration, ok func([]Item) bool) bool {
	limit := time.After(patience)
	for {
		c.mu.Lock()
		items, news := append([]Item(nil), c.items...), c.news
		c.mu.Unlock()
		if ok(items) {
			return true
		}
		select {
		case <-news:
		case <-limit:
			return false
		}
	}
}

// Expect waits for a line that holds every part and has not been expected yet.
// Lines before it are past.
func (c *Chat) Expect(parts ...string) Item {
	c.t.Helper()
	var found Item
	ok := c.Await(Patience, func(items []Item) bool {
		for i := c.seen; i < len(items); i++ {
			if Holds(items[i].Text, parts...) {
				found, c.seen = items[i], i+1
				return true
			}
		}
		return false
	})
	if !ok {
		c.t.Fatalf("no line with %q came; what came:\n%s", parts, c.transcript())
	}
	return found
}

// Comes reports whether Expect with these parts would find its line now.
func (c *Chat) Comes(parts ...string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range c.items[c.seen:] {
		if Holds(i.Text, parts...) {
			return true
		}
	}
	return false
}

// Holds reports whether every part is in text.
func Holds(text string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

func (c *Chat) transcript() string {
	var b strings.Builder
	for i, item := range c.Items() {
		mark := " "
		if i < c.seen {
			mark = "·"
		}
		fmt.Fprintf(&b, "%s %d %s", mark, item.ID, item.Text)
		for _, ch := range item.Choices {
			fmt.Fprintf(&b, " [%s]", ch.Label)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// Answer is what the server said to a request.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	// Problem is the member type of an RFC 9457 answer, without its prefix.
	Problem string
	// Detail says in words what to do.
	Detail string
}

// Post sends a body as it is.
func (c *Chat) Post(path, kind string, body []byte, headers ...string) Answer {
	c.t.Helper()
	a, err := c.try(path, kind, body, headers...)
	if err != nil {
		c.t.Fatalf("POST %s: %v", path, err)
	}
	return a
}

func (c *Chat) try(path, kind string, body []byte, headers ...string) (Answer, error) {
	req, err := http.NewRequest(http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Content-Type", kind)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return c.Do(req)
}

// Do sends any request with the cookies of this session.
func (c *Chat) Do(req *http.Request) (Answer, error) {
	res, err := c.http.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		return Answer{}, err
	}
	var problem struct{ Type, Detail string }
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		if err := json.Unmarshal(out, &problem); err != nil {
			return Answer{}, err
		}
	}
	return Answer{
		Status: res.StatusCode, Header: res.Header, Body: string(out),
		Problem: strings.TrimPrefix(problem.Type, "urn:shaoying:problem:"), Detail: problem.Detail,
	}, nil
}

// Base is the address of the page, without a slash at its end.
func (c *Chat) Base() string { return c.base }

// Say sends words and fails the test when they are not taken.
func (c *Chat) Say(text string) {
	c.t.Helper()
	c.send(map[string]any{"id": NewID(), "text": text})
}

// Insist sends words under one id until they are taken, as the page does over
// a restart of the server.
func (c *Chat) Insist(text string) {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{"id": NewID(), "text": text})
	Must(c.t, err)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	limit := time.After(Patience)
	for {
		a, err := c.try("/chat/messages", "application/json", body)
		switch {
		case err == nil && a.Status == http.StatusAccepted:
			return
		case err == nil && a.Status < 500 && a.Status != http.StatusTooManyRequests:
			c.t.Errorf("%q is refused: %d %s", text, a.Status, a.Body)
			return
		}
		select {
		case <-again.C:
		case <-limit:
			c.t.Errorf("%q was never taken: %v %d", text, err, a.Status)
			return
		}
	}
}

// Tap taps the button whose label holds word.
func (c *Chat) Tap(item Item, word string) {
	c.t.Helper()
	for _, ch := range item.Choices {
		if strings.Contains(ch.Label, word) {
			c.send(map[string]any{"id": NewID(), "choice": ch.Data})
			return
		}
	}
	c.t.Fatalf("no button %q under %q: %v", word, item.Text, item.Choices)
}

// Place sends a position.
func (c *Chat) Place(lat, lon float64, label string) {
	c.t.Helper()
	c.send(map[string]any{"id": NewID(), "place": map[string]any{"lat": lat, "lon": lon, "label": label}})
}

func (c *Chat) send(message map[string]any) {
	c.t.Helper()
	body, err := json.Marshal(message)
	Must(c.t, err)
	if a := c.Post("/chat/messages", "application/json", body); a.Status != http.StatusAccepted {
		c.t.Fatalf("a message was not taken: %d %s", a.Status, a.Body)
	}
}

// File sends a file: kind is photo or voice.
func (c *Chat) File(kind string, data []byte) {
	c.t.Helper()
	if a := c.Upload(kind, data); a.Status != http.StatusAccepted {
		c.t.Fatalf("a %s was not taken: %d %s", kind, a.Status, a.Body)
	}
}

// Upload sends a file and returns the answer.
func (c *Chat) Upload(kind string, data []byte) Answer {
	c.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	Must(c.t, form.WriteField("id", NewID()))
	part, err := form.CreateFormFile(kind, kind)
	Must(c.t, err)
	_, err = part.Write(data)
	Must(c.t, err)
	Must(c.t, form.Close())
	return c.Post("/chat/messages", form.FormDataContentType(), body.Bytes())
}

// NewID is a random UUID, as the page makes one for each message.
func NewID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
