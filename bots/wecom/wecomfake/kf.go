package wecomfake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kfState is what the Customer Service account knows.
type kfState struct {
	log     []map[string]any // what sync_msg reads; a cursor is a place in it
	users   map[string]*customer
	strict  bool
	tickets int // the valid token of a callback is the last
	ringing bool
	syncs   int
	page    int
	blank   bool // the last page was empty, with more behind it
	hidden  bool
}

// customer is how a session stands.
type customer struct {
	left    int // messages that may be sent until the customer writes again
	state   int // 0 new, 1 assistant, 2 queue, 3 person, 4 over
	welcome string
}

// Customer is somebody on WeChat.
type Customer struct {
	s  *Server
	ID string
}

// Customer returns the customer with an external_userid.
func (s *Server) Customer(id string) *Customer { return &Customer{s, id} }

// Strict makes the account count: five messages for each of the customer's.
func (s *Server) Strict() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kf.strict = true
}

// Page makes sync_msg return at most n messages at once, and empty pages in
// between.
func (s *Server) Page(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kf.page = n
}

// Hide takes the account away from the application.
func (s *Server) Hide() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kf.hidden = true
}

// Behind is how many messages lie behind a cursor.
func (s *Server) Behind(cursor string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kf.log) - place(cursor)
}

// Replay puts the last message into the log once more, as after a cursor that
// went back, and calls back.
func (s *Server) Replay() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.kf.log); n > 0 {
		s.add(s.kf.log[n-1])
	}
}

// Syncs is how often sync_msg was called.
func (s *Server) Syncs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kf.syncs
}

// Sees is what the customer was shown, in order.
func (c *Customer) Sees() (out []Sent) {
	for _, sent := range c.s.Sent() {
		if sent.To == c.ID {
			out = append(out, sent)
		}
	}
	return out
}

// Says writes to the account.
func (c *Customer) Says(text string) {
	c.writes("text", map[string]any{"content": text})
}

// Taps taps an item of a menu by its label, and reports whether it is there.
func (c *Customer) Taps(menu Sent, label string) bool {
	for _, b := range menu.Buttons {
		if b.Label == label {
			c.writes("text", map[string]any{"content": b.Label, "menu_id": b.Key})
			return true
		}
	}
	return false
}

// SendsPhoto sends a picture.
func (c *Customer) SendsPhoto(jpeg []byte) {
	c.writes("image", map[string]any{"media_id": c.s.Upload("image/jpeg", jpeg)})
}

// SendsVoice sends a recording.
func (c *Customer) SendsVoice(amr []byte) {
	c.writes("voice", map[string]any{"media_id": c.s.Upload("audio/amr", amr)})
}

// SendsPlace sends a position, in GCJ-02.
func (c *Customer) SendsPlace(lat, lon float64, name string) {
	c.writes("location", map[string]any{"latitude": lat, "longitude": lon, "name": name, "address": "江西省萍乡市"})
}

// Sends sends something of another type.
func (c *Customer) Sends(kind string) { c.writes(kind, map[string]any{}) }

// Opens is that the customer opened the chat; the first time there may be a
// greeting.
func (c *Customer) Opens() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	u := c.s.customer(c.ID)
	event := map[string]any{"event_type": "enter_session", "open_kfid": OpenKFID, "external_userid": c.ID, "scene": "oauth"}
	if u.state == 4 {
		u.welcome = c.s.number("welcome")
		event["welcome_code"] = u.welcome
	}
	c.s.happens(event)
}

// Stands says how the session with the customer stands.
func (c *Customer) Stands(state int) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.customer(c.ID).state = state
}

// Hears is what a person of the organisation wrote to the customer inside WeCom.
func (c *Customer) Hears(text string) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.add(map[string]any{
		"msgid": c.s.number("kf"), "open_kfid": OpenKFID, "external_userid": c.ID, "send_time": c.s.clock.Wall().Unix(),
		"origin": 5, "servicer_userid": "zhangsan", "msgtype": "text", "text": map[string]any{"content": text},
	})
}

// Loses is that a message, though taken, did not reach its customer.
func (s *Server) Loses(m Sent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.happens(map[string]any{"event_type": "msg_send_fail", "open_kfid": OpenKFID, "external_userid": m.To, "fail_msgid": m.ID, "fail_type": 10})
}

func (c *Customer) writes(kind string, content map[string]any) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	u := c.s.customer(c.ID)
	u.left = 5
	if u.state == 4 {
		u.state = 0
	}
	c.s.add(map[string]any{
		"msgid": c.s.number("kf"), "open_kfid": OpenKFID, "external_userid": c.ID, "send_time": c.s.clock.Wall().Unix(),
		"origin": 3, "msgtype": kind, kind: content,
	})
}

// happens logs an event; the lock is held.
func (s *Server) happens(event map[string]any) {
	s.add(map[string]any{
		"msgid": s.number("kf"), "open_kfid": OpenKFID, "send_time": s.clock.Wall().Unix(), "origin": 4, "msgtype": "event", "event": event,
	})
}

// add logs a message and calls back; the lock is held.
func (s *Server) add(m map[string]any) {
	s.kf.log = append(s.kf.log, m)
	if s.lostBy > 0 {
		s.lostBy--
		return
	}
	if s.kf.ringing {
		return
	}
	s.kf.ringing = true
	s.start(s.ring)
}

// ring calls back until it is heard, at most a few times.
func (s *Server) ring() {
	for range tries {
		s.mu.Lock()
		s.kf.ringing = false // what comes from now on is called for again
		s.kf.tickets++
		body := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><CreateTime>%d</CreateTime><MsgType>event</MsgType><Event>kf_msg_or_event</Event><Token>%s</Token><OpenKfId>%s</OpenKfId></xml>",
			CorpID, s.clock.Wall().Unix(), s.ticket(), OpenKFID)
		s.mu.Unlock()
		if s.post(body) || !s.rest(again) {
			return
		}
	}
}

func (s *Server) ticket() string { return fmt.Sprintf("ENC-ticket-of-the-callback-%06d", s.kf.tickets) }

func (s *Server) customer(id string) *customer {
	u := s.kf.users[id]
	if u == nil {
		u = &customer{state: 4}
		s.kf.users[id] = u
	}
	return u
}

func place(cursor string) int {
	n, err := strconv.Atoi(strings.Trim(cursor, "cursor-"))
	if err != nil {
		return 0
	}
	return n
}

func (s *Server) kfSync(_ *http.Request, body []byte) reply {
	s.kf.syncs++
	var ask struct {
		Cursor, Token string
		Limit         int
		KF            string `json:"open_kfid"`
	}
	if json.Unmarshal(body, &ask) != nil || ask.KF != OpenKFID || ask.Limit < 1 || ask.Limit > 1000 {
		return refusal(40058, "invalid request parameter")
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(ask.Token, "ENC-ticket-of-the-callback-")); ask.Token != "" && (err != nil || n > s.kf.tickets || n < 1) {
		return refusal(95007, "invalid msg token")
	}
	if s.kf.page > 0 {
		ask.Limit = min(ask.Limit, s.kf.page)
	}
	from := min(place(ask.Cursor), len(s.kf.log))
	to := min(from+ask.Limit, len(s.kf.log))
	more := 0
	if to < len(s.kf.log) {
		more = 1
	}
	list := append([]map[string]any{}, s.kf.log[from:to]...)
	if more == 1 && s.kf.page > 0 && !s.kf.blank { // WeCom has such pages too
		s.kf.blank, to, list = true, from, list[:0]
		return reply{"errcode": 0, "errmsg": "ok", "next_cursor": fmt.Sprintf("cursor-%d-", to), "has_more": 1, "msg_list": list}
	}
	s.kf.blank = false
	return reply{"errcode": 0, "errmsg": "ok", "next_cursor": fmt.Sprintf("cursor-%d", to), "has_more": more, "msg_list": list}
}

// parcel is what send_msg takes.
type parcel struct {
	To   string `json:"touser"`
	KF   string `json:"open_kfid"`
	Code string `json:"code"`
	ID   string `json:"msgid"`
	Type string `json:"msgtype"`
	Text struct {
		Content string `json:"content"`
	} `json:"text"`
	Image struct {
		ID string `json:"media_id"`
	} `json:"image"`
	Menu struct {
		Head string `json:"head_content"`
		List []struct {
			Type  string `json:"type"`
			Click struct {
				ID      string `json:"id"`
				Content string `json:"content"`
			} `json:"click"`
		} `json:"list"`
	} `json:"msgmenu"`
}

var idShape = regexp.MustCompile(`^[0-9a-zA-Z_-]{0,32}$`)

func (s *Server) kfSend(_ *http.Request, body []byte) reply {
	var p parcel
	if !utf8.Valid(body) || json.Unmarshal(body, &p) != nil || p.KF != OpenKFID || p.To == "" {
		return refusal(40058, "invalid request parameter")
	}
	u := s.customer(p.To)
	switch {
	case !idShape.MatchString(p.ID) || s.seen["kf "+p.ID]:
		return refusal(40058, "invalid msgid")
	case s.kf.strict && u.state > 1:
		return refusal(95018, "send msg session status invalid")
	case s.kf.strict && u.left == 0:
		return refusal(95001, "send msg count limit")
	}
	sent, refused := s.opened(p)
	if refused != nil {
		return refused
	}
	u.left--
	return s.show(sent)
}

// kfGreet sends a greeting with the code of an enter_session event.
func (s *Server) kfGreet(_ *http.Request, body []byte) reply {
	var p parcel
	if json.Unmarshal(body, &p) != nil || p.Code == "" || p.To != "" || p.KF != "" {
		return refusal(40058, "invalid request parameter")
	}
	for id, u := range s.kf.users {
		if u.welcome == p.Code {
			p.To, u.welcome = id, ""
			sent, refused := s.opened(p)
			if refused != nil {
				return refused
			}
			return s.show(sent)
		}
	}
	return refusal(95019, "invalid code")
}

func (s *Server) show(sent Sent) reply {
	if sent.ID == "" {
		sent.ID = s.number("kfmsg")
	}
	s.seen["kf "+sent.ID] = true
	s.sent = append(s.sent, sent)
	return reply{"errcode": 0, "errmsg": "ok", "msgid": sent.ID}
}

// opened reads what is to be shown.
func (s *Server) opened(p parcel) (Sent, reply) {
	sent := Sent{ID: p.ID, To: p.To, Type: p.Type}
	switch p.Type {
	case "text":
		if p.Text.Content == "" || len(p.Text.Content) > 2048 {
			return sent, refusal(45002, "content size out of limit")
		}
		sent.Text = p.Text.Content
	case "image":
		f, ok := s.files[p.Image.ID]
		if !ok {
			return sent, refusal(40007, "invalid media_id")
		}
		sent.Photo = f.data
	case "msgmenu":
		if p.Menu.Head == "" || len(p.Menu.Head) > 1024 || len(p.Menu.List) == 0 || len(p.Menu.List) > 10 {
			return sent, refusal(95008, "menu item count out of limit")
		}
		sent.Text = p.Menu.Head
		for _, i := range p.Menu.List {
			if i.Type != "click" || i.Click.ID == "" || len(i.Click.ID) > 64 || i.Click.Content == "" || len(i.Click.Content) > 128 {
				return sent, refusal(40058, "invalid menu item")
			}
			sent.Buttons = append(sent.Buttons, Button{i.Click.Content, i.Click.ID})
		}
	default:
		return sent, refusal(40008, "invalid msgtype")
	}
	return sent, nil
}

func (s *Server) kfTrans(_ *http.Request, body []byte) reply {
	var ask struct {
		KF    string `json:"open_kfid"`
		To    string `json:"external_userid"`
		State int    `json:"service_state"`
	}
	if json.Unmarshal(body, &ask) != nil || ask.KF != OpenKFID {
		return refusal(40058, "invalid request parameter")
	}
	u := s.customer(ask.To)
	if u.state >= 3 || ask.State != 1 {
		return refusal(95016, "this state transition is not allowed")
	}
	u.state = 1
	return reply{"errcode": 0, "errmsg": "ok"}
}

func (s *Server) kfAccounts(*http.Request, []byte) reply {
	list := []map[string]any{{"open_kfid": "wkAnother_Account", "name": "另一个"}}
	if !s.kf.hidden {
		list = append(list, map[string]any{"open_kfid": OpenKFID, "name": "萍乡哨应", "manage_privilege": true})
	}
	return reply{"errcode": 0, "errmsg": "ok", "account_list": list}
}
