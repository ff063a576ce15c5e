package wecomfake

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// act is something to be pushed.
type act struct{ body string }

// queue holds what waits for one member; the first is being pushed.
type queue struct{ acts []*act }

// tries is after how many an impatient WeCom gives up, and again how long it
// rests in between; in life 5 s.
const (
	tries = 3
	again = 20 * time.Millisecond
)

// Impatient makes the fake give up a callback after three tries.
func (s *Server) Impatient() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.app.impatient = true
}

// Waiting is how many callbacks of the application were not taken yet.
func (s *Server) Waiting() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.app.queues {
		n += len(q.acts)
	}
	return n
}

// Redeliver pushes what was taken last once more.
func (s *Server) Redeliver() {
	s.mu.Lock()
	last := s.app.last
	s.mu.Unlock()
	if last != nil {
		s.post(last.body)
	}
}

// push queues a callback; the lock is held.
func (s *Server) push(member, body string) {
	q := s.app.queues[member]
	if q == nil {
		q = &queue{}
		s.app.queues[member] = q
	}
	q.acts = append(q.acts, &act{body})
	if len(q.acts) == 1 {
		s.start(func() { s.drain(q) })
	}
}

// start runs something that Close waits for; the lock is held.
func (s *Server) start(f func()) {
	select {
	case <-s.closed:
	default:
		s.workers.Go(f)
	}
}

// drain pushes what a queue holds, in order.
func (s *Server) drain(q *queue) {
	for failures := 0; ; {
		s.mu.Lock()
		if len(q.acts) == 0 {
			s.mu.Unlock()
			return
		}
		first, impatient := q.acts[0], s.app.impatient
		s.mu.Unlock()
		taken := s.post(first.body)
		if !taken {
			failures++
		}
		if taken || impatient && failures >= tries {
			failures = 0
			s.mu.Lock()
			q.acts = q.acts[1:]
			if taken {
				s.app.last = first
			}
			empty := len(q.acts) == 0
			s.mu.Unlock()
			if empty {
				return
			}
			continue
		}
		if !s.rest(again) {
			return
		}
	}
}

// rest reports whether the server still runs after a while.
func (s *Server) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.closed:
		return false
	case <-timer.C:
		return true
	}
}

// post seals a callback and reports whether it was taken.
func (s *Server) post(body string) bool {
	s.mu.Lock()
	to, down := s.url, s.down
	s.mu.Unlock()
	if to == "" || down {
		return false
	}
	target, envelope := s.Sealed(to, body)
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post(target, "text/xml", strings.NewReader(envelope))
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusOK
}

// Sealed is a callback as WeCom makes it: where it goes, and its body.
func (s *Server) Sealed(to, body string) (target, envelope string) {
	sealed, err := s.crypt.Seal([]byte(body))
	if err != nil {
		panic(err) // there is a key
	}
	at, nonce := fmt.Sprint(s.clock.Wall().Unix()), "nonce1234"
	query := url.Values{"msg_signature": {s.crypt.Signature(at, nonce, sealed)}, "timestamp": {at}, "nonce": {nonce}}
	return to + "?" + query.Encode(), fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><Encrypt><![CDATA[%s]]></Encrypt><AgentID><![CDATA[%d]]></AgentID></xml>", CorpID, sealed, AgentID)
}

// Verify asks, as the callback page does, whether there is somebody who holds
// token and key, and reports what came back and what should have.
func (s *Server) Verify(to string) (status int, got, want string, err error) {
	want = "5104789436512345678"
	sealed, err := s.crypt.Seal([]byte(want))
	if err != nil {
		return 0, "", "", err
	}
	at, nonce := fmt.Sprint(s.clock.Wall().Unix()), "nonce5678"
	query := url.Values{"msg_signature": {s.crypt.Signature(at, nonce, sealed)}, "timestamp": {at}, "nonce": {nonce}, "echostr": {sealed}}
	resp, err := http.Get(to + "?" + query.Encode())
	if err != nil {
		return 0, "", want, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), want, err
}
