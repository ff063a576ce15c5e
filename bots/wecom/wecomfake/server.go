// Package wecomfake is a WeCom for tests: one organisation with an application
// and a Customer Service account, in one HTTP server that refuses what WeCom
// refuses.
//
// Callbacks of the application are pushed, in order for each member, again and
// again until they are taken; Impatient makes the fake give up after three tries,
// as WeCom does. What customers write lies in a log that is read by sync_msg; its
// callbacks say only that there is something, and may be lost.
package wecomfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"

	"shaoying/bots/weixin"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

// What the organisation is called, and its secrets.
const (
	CorpID   = "ww0123456789abcdef"
	AgentID  = 1000002
	OpenKFID = "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q"
	Secret   = "Secret-of-the-application-0123456789abcdefg"
	Token    = "TokenOfTheCallbackPage0123"
	AESKey   = "0123456789abcdefghijABCDEFGHIJklmnopqrstuvw"
)

// Sent is what somebody was shown by one call.
type Sent struct {
	ID      string // msgid, or the task_id of a card
	To      string
	Type    string // text, image, template_card, msgmenu
	Text    string
	Buttons []Button
	Photo   []byte
}

// Button is a button of a card or an item of a menu.
type Button struct{ Label, Key string }

// Server is the organisation. It is safe for use by many goroutines.
type Server struct {
	http  *httptest.Server
	crypt *weixin.Crypt
	clock *clock.Clock

	mu       sync.Mutex
	url      string // of the callbacks
	tokens   int    // the valid one is the last
	fetched  int
	requests int
	down     bool
	closed   chan struct{}
	workers  sync.WaitGroup

	sent  []Sent
	seen  map[string]bool // requests and ids that are not shown twice
	files map[string]file
	next  int // numbers everything

	app appState
	kf  kfState
	faults
}

type file struct {
	kind string
	data []byte
}

// New starts a server.
func New() *Server {
	crypt, err := weixin.NewCrypt(privacy.NewSecret(Token), privacy.NewSecret(AESKey), CorpID)
	if err != nil {
		panic(err) // the key above is one
	}
	s := &Server{crypt: crypt, clock: clock.New(), tokens: 1, closed: make(chan struct{}), seen: map[string]bool{}, files: map[string]file{}}
	s.app.queues = map[string]*queue{}
	s.app.outside = map[string]bool{}
	s.kf.users = map[string]*customer{}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// URL is the address to call.
func (s *Server) URL() string { return s.http.URL }

// Listen says where callbacks go.
func (s *Server) Listen(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url = url
}

// Close ends the server and everything that it started.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	s.mu.Unlock()
	s.workers.Wait()
	s.http.CloseClientConnections()
	s.http.Close()
}

// Requests is how many requests reached for the server, answered or not.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Fetched is how often an access token was asked for.
func (s *Server) Fetched() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetched
}

// Sent is everything that was shown to anybody, in order.
func (s *Server) Sent() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// Upload keeps a file as members and customers send them, and returns its id.
func (s *Server) Upload(kind string, data []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store(kind, data)
}

func (s *Server) store(kind string, data []byte) string {
	id := s.number("media")
	s.files[id] = file{kind, data}
	return id
}

func (s *Server) number(of string) string {
	s.next++
	return fmt.Sprintf("%s-%06d", of, s.next)
}

// reply is what a call answers; a code of 0 is success.
type reply map[string]any

func refusal(code int, says string) reply { return reply{"errcode": code, "errmsg": says} }

// calls are the paths that need a token.
func (s *Server) calls() map[string]func(*http.Request, []byte) reply {
	return map[string]func(*http.Request, []byte) reply{
		"/cgi-bin/message/send":           s.messageSend,
		"/cgi-bin/media/upload":           s.mediaUpload,
		"/cgi-bin/agent/get":              s.agentGet,
		"/cgi-bin/kf/account/list":        s.kfAccounts,
		"/cgi-bin/kf/sync_msg":            s.kfSync,
		"/cgi-bin/kf/send_msg":            s.kfSend,
		"/cgi-bin/kf/send_msg_on_event":   s.kfGreet,
		"/cgi-bin/kf/service_state/trans": s.kfTrans,
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if s.down || err != nil {
		hangUp(w)
		return
	}
	if r.URL.Path == "/cgi-bin/gettoken" {
		answer(w, s.gettoken(r))
		return
	}
	if refused := s.refuse(r); refused != nil {
		answer(w, refused)
		return
	}
	if r.URL.Path == "/cgi-bin/media/get" {
		s.mediaGet(w, r)
		return
	}
	call, ok := s.calls()[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	fault := s.fault(r.URL.Path)
	if code, says, ok := fault.refuses(); ok {
		answer(w, refusal(code, says))
		return
	}
	got := call(r, body)
	if fault == Lost {
		hangUp(w)
		return
	}
	answer(w, got)
}

// refuse looks at the token and the caller's address.
func (s *Server) refuse(r *http.Request) reply {
	switch r.URL.Query().Get("access_token") {
	case "":
		return refusal(41001, "access_token missing")
	case s.token():
	default:
		return refusal(42001, "access_token expired")
	}
	if s.foreign {
		return refusal(60020, "not allow to access from your ip, hint: [1650959319156053778662262], from ip: 203.0.113.7, more info at https://open.work.weixin.qq.com/devtool/query?e=60020")
	}
	return nil
}

func (s *Server) token() string { return fmt.Sprintf("access-token-of-the-fake-%04d", s.tokens) }

func (s *Server) gettoken(r *http.Request) reply {
	s.fetched++
	switch q := r.URL.Query(); {
	case q.Get("corpid") != CorpID:
		return refusal(40013, "invalid corpid")
	case q.Get("corpsecret") != Secret:
		return refusal(40001, "invalid credential")
	}
	return reply{"errcode": 0, "errmsg": "ok", "access_token": s.token(), "expires_in": 7200}
}

func (s *Server) mediaUpload(r *http.Request, body []byte) reply {
	r.Body = io.NopCloser(bytes.NewReader(body))
	part, _, err := r.FormFile("media")
	if err != nil {
		return refusal(41005, "media data missing")
	}
	defer part.Close()
	data, err := io.ReadAll(part)
	if err != nil || len(data) < 5 || len(data) > 10<<20 {
		return refusal(40006, "invalid media size")
	}
	return reply{"errcode": 0, "errmsg": "ok", "type": "image", "media_id": s.store("image/jpeg", data)}
}

func (s *Server) mediaGet(w http.ResponseWriter, r *http.Request) {
	f, ok := s.files[r.URL.Query().Get("media_id")]
	if !ok {
		answer(w, refusal(40007, "invalid media_id"))
		return
	}
	w.Header().Set("Content-Type", f.kind)
	_, _ = w.Write(f.data)
}

func answer(w http.ResponseWriter, r reply) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(r)
}

// hangUp cuts the connection without an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}
