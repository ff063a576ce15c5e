// Package officialaccountfake is WeChat as an Official Account sees it, for tests:
// followers who write, tap and read, pushes that come again until they are
// answered, an API that answers 200 to everything, and faults. It shares no code
// with the channel.
package officialaccountfake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The one account.
const (
	AppID  = "wx0123456789abcdef"
	Secret = "appsecret-of-the-tests-0123456789"
	Token  = "TokenOfTheTests1"
	// AESKey is the EncodingAESKey of an account in safe mode.
	AESKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	// Original is how the account is called in pushes.
	Original = "gh_0123456789ab"
)

// Lost is a fault of a call that WeChat carries out and whose answer is lost. All
// other faults are errcodes.
const Lost = -1000

// Message is what a follower saw.
type Message struct {
	User  string
	Text  string
	Items []Item // of a menu message
	Photo []byte
	// Passive is true for the answer to a push.
	Passive bool
	// Notice is the id of the template that was sent, with its fields.
	Notice string
	Fields map[string]string
	// ID is the id that WeChat gave, where it gave one.
	ID string
}

// Item is one line of a menu message.
type Item struct {
	ID      string `json:"id"`
	Content string `json:"content"`
}

// Server is WeChat with one account. It is safe for use by many goroutines.
type Server struct {
	// Safe is true in safe mode. It must not change while messages are under way.
	Safe bool

	server *httptest.Server
	client *http.Client

	mu       sync.Mutex
	base     string
	down     bool
	secret   string
	token    string
	listed   bool // our address is on the white list
	fault    int
	faulted  int
	requests int
	tokens   int
	serial   int64
	clock    func() time.Time
	sent     []Message
	files    map[string][]byte
	shut     map[string]int  // errcode of customer messages to a user
	refuses  map[string]int  // errcode of notices to a user
	known    map[string]Form // templates by id
	rights   map[string]int  // errcode of a path
	menu     string
	users    map[string]*lane
	last     *push
	busy     int // pushes under way
	settled  *sync.Cond
	refusals []string
	quit     chan struct{}
	senders  sync.WaitGroup
}

// Form is an approved template: where it is listed, and its text with fields like
// {{thing1.DATA}}.
type Form struct {
	Subscribe bool
	Content   string
}

// New starts WeChat.
func New() *Server {
	s := &Server{
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 5 * time.Second},
		secret: Secret, listed: true, clock: time.Now, files: map[string][]byte{}, shut: map[string]int{}, refuses: map[string]int{},
		known: map[string]Form{}, rights: map[string]int{}, users: map[string]*lane{}, quit: make(chan struct{}),
	}
	s.settled = sync.NewCond(&s.mu)
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// URL is where the API listens.
func (s *Server) URL() string { return s.server.URL }

// Close ends WeChat.
func (s *Server) Close() {
	close(s.quit)
	s.senders.Wait()
	s.client.CloseIdleConnections()
	s.server.CloseClientConnections()
	s.server.Close()
}

// do runs f under the lock.
func (s *Server) do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Listen says where the account's server is: the whole address of its webhook.
func (s *Server) Listen(base string) { s.do(func() { s.base = base }) }

// Down cuts the API off, or back on.
func (s *Server) Down(down bool) { s.do(func() { s.down = down }) }

// Requests is how many calls reached for the API, Tokens how many of them asked for
// a token.
func (s *Server) Requests() (n int) { s.do(func() { n = s.requests }); return n }

// Tokens is how often a token was asked for.
func (s *Server) Tokens() (n int) { s.do(func() { n = s.tokens }); return n }

// FailNext makes the next message or notice fail with an errcode, or Lost.
func (s *Server) FailNext(code int) { s.do(func() { s.fault = code }) }

// Faults is how many faults were played out.
func (s *Server) Faults() (n int) { s.do(func() { n = s.faulted }); return n }

// Shut makes customer messages to a user fail with an errcode such as 45015; 0
// opens the window again.
func (s *Server) Shut(user string, code int) { s.do(func() { s.shut[user] = code }) }

// Refuse makes notices to a user fail with an errcode such as 43101, or go again.
func (s *Server) Refuse(user string, code int) { s.do(func() { s.refuses[user] = code }) }

// Right makes a path fail with an errcode such as 48001.
func (s *Server) Right(path string, code int) { s.do(func() { s.rights[path] = code }) }

// Approve adds a template to the account.
func (s *Server) Approve(id string, f Form) { s.do(func() { s.known[id] = f }) }

// SetSecret resets the AppSecret; Expire makes the token invalid; Unlist takes our
// address from the white list.
func (s *Server) SetSecret(secret string) { s.do(func() { s.secret = secret }) }

// Expire makes the token invalid.
func (s *Server) Expire() { s.do(func() { s.token = "" }) }

// Unlist takes our address from the white list.
func (s *Server) Unlist() { s.do(func() { s.listed = false }) }

// SetMenu sets the menu as get_current_selfmenu_info shows it.
func (s *Server) SetMenu(json string) { s.do(func() { s.menu = json }) }

// Sent is what followers saw, in order.
func (s *Server) Sent() (out []Message) {
	s.do(func() { out = append(out, s.sent...) })
	return out
}

// Calm takes every fault back.
func (s *Server) Calm() {
	s.do(func() {
		s.down, s.fault, s.shut, s.refuses, s.rights = false, 0, map[string]int{}, map[string]int{}, map[string]int{}
	})
}

// serial numbers; the lock is held.
func (s *Server) next() string {
	s.serial++
	return strconv.FormatInt(24000000000000000+s.serial, 10)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if s.down {
		cut(w)
		return
	}
	if r.URL.Path == "/cgi-bin/stable_token" {
		s.giveToken(w, body)
		return
	}
	q := r.URL.Query()
	switch code := s.rights[r.URL.Path]; {
	case s.token == "" || q.Get("access_token") != s.token:
		refuse(w, 40001, "invalid credential, access_token is invalid or not latest")
	case code != 0:
		refuse(w, code, "api unauthorized")
	default:
		s.call(w, r, body)
	}
}

func (s *Server) call(w http.ResponseWriter, r *http.Request, body []byte) {
	switch r.URL.Path {
	case "/cgi-bin/message/custom/send":
		s.customer(w, body)
	case "/cgi-bin/message/subscribe/bizsend":
		s.notice(w, body, true)
	case "/cgi-bin/message/template/send":
		s.notice(w, body, false)
	case "/cgi-bin/media/upload":
		s.upload(w, r, body)
	case "/cgi-bin/media/get":
		s.download(w, r.URL.Query().Get("media_id"))
	case "/cgi-bin/get_current_selfmenu_info":
		if s.menu == "" {
			answer(w, map[string]any{"is_menu_open": 0, "selfmenu_info": map[string]any{"button": []any{}}})
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, s.menu)
	case "/cgi-bin/template/get_all_private_template":
		answer(w, map[string]any{"template_list": s.list(false)})
	case "/wxaapi/newtmpl/gettemplate":
		answer(w, map[string]any{"errcode": 0, "errmsg": "ok", "data": s.list(true)})
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) giveToken(w http.ResponseWriter, body []byte) {
	s.tokens++
	var q struct{ Grant_type, Appid, Secret string }
	switch err := json.Unmarshal(body, &q); {
	case err != nil || q.Grant_type != "client_credential":
		refuse(w, 40002, "invalid grant_type")
	case !s.listed:
		refuse(w, 40164, "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist")
	case q.Appid != AppID:
		refuse(w, 40013, "invalid appid")
	case q.Secret != s.secret:
		refuse(w, 40125, "invalid appsecret")
	default:
		if s.token == "" {
			s.token = "access-token-of-the-tests-" + s.next()
		}
		answer(w, map[string]any{"access_token": s.token, "expires_in": 7200})
	}
}

// failing plays the fault of this call, if there is one, and reports whether the
// call is over. lost is true where it is carried out all the same.
func (s *Server) failing(w http.ResponseWriter, standing int) (over, lost bool) {
	code := s.fault
	if s.fault = 0; code == 0 {
		code = standing
	}
	if code == 0 {
		return false, false
	}
	s.faulted++
	if code == Lost {
		return false, true
	}
	refuse(w, code, "of the tests")
	return true, false
}

func (s *Server) customer(w http.ResponseWriter, body []byte) {
	var m struct {
		Touser, Msgtype string
		Text            struct{ Content string }
		Image           struct {
			ID string `json:"media_id"`
		}
		Menu struct {
			Head string `json:"head_content"`
			List []Item `json:"list"`
			Tail string `json:"tail_content"`
		} `json:"msgmenu"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		refuse(w, 47001, "data format error")
		return
	}
	if s.users[m.Touser] == nil {
		refuse(w, 40003, "invalid openid")
		return
	}
	s.hold(m.Touser)
	over, lost := s.failing(w, s.shut[m.Touser])
	if over {
		return
	}
	if !s.users[m.Touser].follows {
		refuse(w, 43004, "require subscribe")
		return
	}
	saw := Message{User: m.Touser}
	switch {
	case m.Msgtype == "text" && m.Text.Content != "" && len(m.Text.Content) <= 2048:
		saw.Text = m.Text.Content
	case m.Msgtype == "msgmenu" && len(m.Menu.List) > 0:
		saw.Text, saw.Items = m.Menu.Head+m.Menu.Tail, m.Menu.List
	case m.Msgtype == "image" && s.files[m.Image.ID] != nil:
		saw.Photo = s.files[m.Image.ID]
	default:
		refuse(w, 40008, "invalid message type")
		return
	}
	s.sent = append(s.sent, saw)
	finish(w, lost, nil)
}

func (s *Server) notice(w http.ResponseWriter, body []byte, subscribe bool) {
	var m struct {
		Touser string
		ID     string `json:"template_id"`
		Data   map[string]struct{ Value string }
	}
	if err := json.Unmarshal(body, &m); err != nil {
		refuse(w, 47001, "data format error")
		return
	}
	form, ok := s.known[m.ID]
	switch {
	case s.users[m.Touser] == nil:
		refuse(w, 40003, "invalid openid")
		return
	case !ok || form.Subscribe != subscribe:
		refuse(w, 40037, "invalid template_id")
		return
	}
	over, lost := s.failing(w, s.refuses[m.Touser])
	if over {
		return
	}
	saw := Message{User: m.Touser, Text: form.Content, Notice: m.ID, Fields: map[string]string{}, ID: s.next()}
	for field, v := range m.Data {
		if strings.HasPrefix(field, "thing") && len([]rune(v.Value)) > 20 || v.Value == "" || !strings.Contains(form.Content, "{{"+field+".DATA}}") {
			refuse(w, 47003, "argument invalid! data."+field+".value invalid")
			return
		}
		saw.Fields[field] = v.Value
		saw.Text = strings.ReplaceAll(saw.Text, "{{"+field+".DATA}}", v.Value)
	}
	if strings.Contains(saw.Text, ".DATA}}") {
		refuse(w, 47003, "argument invalid! a field is missing")
		return
	}
	s.sent = append(s.sent, saw)
	var extra map[string]any
	if !subscribe {
		extra = map[string]any{"msgid": json.Number(saw.ID)}
	}
	finish(w, lost, extra)
}

func (s *Server) list(subscribe bool) []map[string]string {
	out := []map[string]string{}
	for id, f := range s.known {
		switch {
		case f.Subscribe != subscribe:
		case subscribe:
			out = append(out, map[string]string{"priTmplId": id, "title": "x", "content": f.Content})
		default:
			out = append(out, map[string]string{"template_id": id, "title": "x", "content": f.Content})
		}
	}
	return out
}

func (s *Server) upload(w http.ResponseWriter, r *http.Request, body []byte) {
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	file, _, err := r.FormFile("media")
	if err != nil || r.URL.Query().Get("type") != "image" {
		refuse(w, 41005, "media data missing")
		return
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		refuse(w, 41005, "media data missing")
		return
	}
	answer(w, map[string]any{"type": "image", "media_id": s.keep(data), "created_at": s.clock().Unix()})
}

// keep stores a file; the lock is held.
func (s *Server) keep(data []byte) string {
	id := fmt.Sprintf("media_%s", s.next())
	s.files[id] = data
	return id
}

func (s *Server) download(w http.ResponseWriter, id string) {
	data, ok := s.files[id]
	if !ok {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, `{"errcode":40007,"errmsg":"invalid media_id"}`)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Content-Disposition", `attachment; filename="x.jpg"`)
	_, _ = w.Write(data)
}

// answer, refuse and finish write to a connection that may be gone, which is the
// caller's trouble.
func answer(w http.ResponseWriter, v map[string]any) {
	w.Header().Set("Content-Type", "application/json; encoding=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, code int, says string) {
	answer(w, map[string]any{"errcode": code, "errmsg": says + " rid: 6745a0f1-13800138000-deadbeef"})
}

func finish(w http.ResponseWriter, lost bool, extra map[string]any) {
	if lost {
		cut(w)
		return
	}
	all := map[string]any{"errcode": 0, "errmsg": "ok"}
	for k, v := range extra {
		all[k] = v
	}
	answer(w, all)
}

// cut ends a connection without an answer.
func cut(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}
