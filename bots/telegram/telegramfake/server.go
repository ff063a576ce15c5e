// Package telegramfake is a Bot API server for tests, on loopback, with the
// rules of the real one that a bot can trip over, and its faults.
//
// # What it keeps to
//
// An update is given again until a getUpdates with a higher offset confirmed
// it, or until the webhook answered 2xx; order is kept inside each chat. Texts,
// captions, callback data, keyboards and markup are measured and refused as
// Telegram does, and what a user sees is what Telegram would show: trimmed, and
// without control characters. The second of two polls cuts off the first with
// 409, a poll beside a webhook is 409.
//
// It is our reading of Telegram's documentation and of its open source server,
// not Telegram: what it accepts may still be refused in life.
//
// # Who plays what
//
// [Server.User] and [Server.Group] give people who speak, tap, send, leave and
// block. [Server.Seen] is everything that users were shown, in one order over
// all chats. Faults come by [Server.Fail] and [Server.Chance], and [Server.Down]
// is a dead network. Everything is safe for use by many goroutines; waiting is
// by [Server.Await], never by time.
package telegramfake

import (
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Config is one bot account.
type Config struct {
	// Token is the bot's; a default is taken when it is empty.
	Token string
	// Username of the bot, without @. Default shaoying_bot.
	Username string
	// Seed drives everything that happens by chance.
	Seed uint64
	// Now stamps messages and records. Default: the machine's clock.
	Now func() time.Time
	// Privacy keeps words of groups that are not for the bot from it, as
	// Telegram does by default.
	Privacy bool
	// Retry is the first pause after a webhook failed, doubled up to 20
	// times as much. Default 10 ms; Telegram's is seconds.
	Retry time.Duration
}

// DefaultToken is the token where Config names none.
const DefaultToken = "7000000001:AAFake-Token_of_the_test_bot-0123456789"

// Server is the fake network.
type Server struct {
	cfg  Config
	http *http.Server
	addr string
	hook *http.Client
	quit chan struct{}
	wait sync.WaitGroup

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	rand     *rand.Rand
	closed   bool
	down     bool
	conns    map[net.Conn]bool
	requests int
	calls    map[string]int
	refusals map[int]int

	updates  []*update // not confirmed, in order
	last     *update   // confirmed last
	nextID   int64
	again    float64 // share of updates that is delivered twice
	repeated int
	poll     chan struct{}
	webhook  webhook
	chats    map[int64]*chat
	people   map[int64]*Person
	files    map[string][]byte
	seen     []Seen
	tapped   map[string]bool // callback ids, true when answered
	ids      int64
	planned  map[string][]Fault
	chances  []chance
	firsts   []*first
	injected int
}

// New starts the server on a free port of loopback. Close must be called.
func New(cfg Config) *Server {
	if cfg.Token == "" {
		cfg.Token = DefaultToken
	}
	if cfg.Username == "" {
		cfg.Username = "shaoying_bot"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Retry == 0 {
		cfg.Retry = 10 * time.Millisecond
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("telegramfake: no free port on loopback: %v", err))
	}
	s := &Server{
		cfg: cfg, addr: l.Addr().String(), quit: make(chan struct{}), changed: make(chan struct{}),
		rand: rand.New(rand.NewPCG(cfg.Seed, 1)), conns: map[net.Conn]bool{}, calls: map[string]int{}, refusals: map[int]int{},
		hook:  &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 8}},
		chats: map[int64]*chat{}, people: map[int64]*Person{}, files: map[string][]byte{}, tapped: map[string]bool{},
		planned: map[string][]Fault{}, nextID: 1 + int64(cfg.Seed%1000)*1000,
	}
	s.http = &http.Server{
		Handler: s, ConnState: s.connection, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0), // cut connections are meant
	}
	s.wait.Go(func() { _ = s.http.Serve(l) })
	s.wait.Go(s.post)
	return s
}

// URL is what a bot's api_url is set to.
func (s *Server) URL() string { return "http://" + s.addr }

// Token is the bot's token.
func (s *Server) Token() string { return s.cfg.Token }

// BotID is the bot's own user id.
func (s *Server) BotID() int64 {
	var id int64
	_, _ = fmt.Sscanf(s.cfg.Token, "%d:", &id)
	return id
}

// Close ends the server with everything that it started.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	close(s.quit)
	s.wake()
	s.mu.Unlock()
	_ = s.http.Close()
	s.wait.Wait()
	s.hook.CloseIdleConnections()
}

// wake tells whoever waits that something changed; the lock is held.
func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Await waits until ok holds, at most for limit, and reports whether it does.
// ok is asked again after every change; it may call the server.
func (s *Server) Await(limit time.Duration, ok func() bool) bool {
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if ok() {
			return true
		}
		select {
		case <-changed:
		case <-timeout.C:
			return ok()
		}
	}
}

// Down cuts the network off: connections are closed, new ones as soon as they
// are made, and the webhook is not called. Down(false) brings it back.
func (s *Server) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
	if down {
		for c := range s.conns {
			_ = c.Close()
		}
	}
	s.wake()
}

func (s *Server) connection(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.conns[c] = true
		if s.down {
			s.requests++
			_ = c.Close()
			s.wake()
		}
	case http.StateClosed, http.StateHijacked:
		delete(s.conns, c)
	}
}

// Requests is how many requests reached for the network, also while it was
// down.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Calls is how often a method was called with the right token, faults included.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// Refusals is how many calls the rules, not faults, answered with a status.
func (s *Server) Refusals(status int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refusals[status]
}

// ServeHTTP answers as api.telegram.org does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests++
	s.mu.Unlock()
	if path, ok := strings.CutPrefix(r.URL.Path, "/file/bot"+s.cfg.Token+"/"); ok {
		s.file(w, path)
		return
	}
	token, method, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/bot"), "/")
	switch {
	case !ok || !strings.HasPrefix(r.URL.Path, "/bot") || !strings.Contains(token, ":"):
		answer(w, failure(http.StatusNotFound, "Not Found"))
		return
	case token != s.cfg.Token:
		answer(w, failure(http.StatusUnauthorized, "Unauthorized"))
		return
	}
	s.mu.Lock()
	s.calls[method]++
	s.wake()
	s.mu.Unlock()
	s.call(w, r, method)
}

// call runs one method under the faults that were planned for it.
func (s *Server) call(w http.ResponseWriter, r *http.Request, method string) {
	p, err := readParams(r)
	if err != nil {
		answer(w, failure(http.StatusBadRequest, "Bad Request: "+err.Error()))
		return
	}
	fault := s.fault(method, p)
	if fault != nil && fault.early(w, r, s.quit) {
		return
	}
	var out reply
	if method == "getUpdates" {
		out = s.getUpdates(r, p)
	} else {
		out = s.run(method, p)
	}
	if fault != nil && fault.Kind == DropAfter {
		panic(http.ErrAbortHandler)
	}
	answer(w, out)
}

func (s *Server) run(method string, p params) (out reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		s.refusals[out.status]++
		s.wake()
	}()
	switch method {
	case "getMe":
		return success(s.me())
	case "setWebhook":
		return s.setWebhook(p)
	case "deleteWebhook":
		return s.deleteWebhook(p)
	case "getWebhookInfo":
		return s.webhookInfo()
	case "sendMessage":
		return s.sendMessage(p)
	case "sendPhoto":
		return s.sendPhoto(p)
	case "editMessageText", "editMessageCaption", "editMessageReplyMarkup":
		return s.edit(method, p)
	case "answerCallbackQuery":
		return s.answerCallback(p)
	case "getFile":
		return s.getFile(p)
	case "getChatMemberCount":
		return s.memberCount(p)
	}
	return failure(http.StatusNotFound, "Not Found")
}

func (s *Server) me() object {
	return object{
		"id": s.BotID(), "is_bot": true, "first_name": "哨应", "username": s.cfg.Username, "can_join_groups": true,
		"can_read_all_group_messages": !s.cfg.Privacy, "supports_inline_queries": false,
	}
}
