package wecomfake

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"
)

// appState is what the application knows.
type appState struct {
	queues    map[string]*queue
	outside   map[string]bool // members who are not in the visible range
	impatient bool
	off       bool
	last      *act
}

// Member is a member of the organisation with WeCom on a phone.
type Member struct {
	s  *Server
	ID string
}

// Member returns the member with a userid.
func (s *Server) Member(id string) *Member { return &Member{s, id} }

// SwitchOff switches the application off.
func (s *Server) SwitchOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.app.off = true
}

// Leave takes the member out of the visible range.
func (m *Member) Leave() {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.app.outside[m.ID] = true
}

// Sees is what the member was shown, in order.
func (m *Member) Sees() (out []Sent) {
	for _, sent := range m.s.Sent() {
		if sent.To == m.ID {
			out = append(out, sent)
		}
	}
	return out
}

// Says writes to the application.
func (m *Member) Says(text string) { m.does("text", "<Content>"+escaped(text)+"</Content>") }

// SendsPhoto sends a picture.
func (m *Member) SendsPhoto(jpeg []byte) {
	m.does("image", "<PicUrl>http://p.example/1</PicUrl><MediaId>"+m.s.Upload("image/jpeg", jpeg)+"</MediaId>")
}

// SendsVoice sends a recording.
func (m *Member) SendsVoice(amr []byte) {
	m.does("voice", "<MediaId>"+m.s.Upload("audio/amr", amr)+"</MediaId><Format>amr</Format>")
}

// SendsPlace sends a position, in GCJ-02.
func (m *Member) SendsPlace(lat, lon float64, label string) {
	m.does("location", fmt.Sprintf("<Location_X>%.7f</Location_X><Location_Y>%.7f</Location_Y><Scale>16</Scale><Label>%s</Label>", lat, lon, escaped(label)))
}

// Sends sends something of another type with fields in XML.
func (m *Member) Sends(kind, fields string) { m.does(kind, fields) }

// Follows is that the member came into the visible range.
func (m *Member) Follows() { m.happens("subscribe", "") }

// Opens is that the member opened the application.
func (m *Member) Opens() { m.happens("enter_agent", "<EventKey></EventKey>") }

// Taps taps the button with a label of a card, and reports whether it is there.
func (m *Member) Taps(card Sent, label string) bool {
	for _, b := range card.Buttons {
		if b.Label == label {
			m.s.mu.Lock()
			code := m.s.number("response")
			m.s.mu.Unlock()
			m.happens("template_card_event", fmt.Sprintf("<EventKey>%s</EventKey><TaskId>%s</TaskId><CardType>button_interaction</CardType><ResponseCode>%s</ResponseCode>",
				escaped(b.Key), card.ID, code))
			return true
		}
	}
	return false
}

func (m *Member) does(kind, fields string) {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.push(m.ID, m.xml(kind, fields+"<MsgId>"+strings.TrimPrefix(m.s.number("1"), "1-")+"</MsgId>"))
}

func (m *Member) happens(event, fields string) {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.push(m.ID, m.xml("event", "<Event>"+event+"</Event>"+fields))
}

func (m *Member) xml(kind, fields string) string {
	return fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime><MsgType><![CDATA[%s]]></MsgType>%s<AgentID>%d</AgentID></xml>",
		CorpID, m.ID, m.s.clock.Wall().Unix(), kind, fields, AgentID)
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text))
	return b.String()
}

// letter is what message/send takes.
type letter struct {
	To    string `json:"touser"`
	Type  string `json:"msgtype"`
	Agent int    `json:"agentid"`
	Text  struct {
		Content string `json:"content"`
	} `json:"text"`
	Image struct {
		ID string `json:"media_id"`
	} `json:"image"`
	Card struct {
		Type  string `json:"card_type"`
		Title struct {
			Title string `json:"title"`
		} `json:"main_title"`
		Body    string `json:"sub_title_text"`
		Task    string `json:"task_id"`
		Buttons []struct {
			Text string `json:"text"`
			Key  string `json:"key"`
		} `json:"button_list"`
	} `json:"template_card"`
	Check  int `json:"enable_duplicate_check"`
	Within int `json:"duplicate_check_interval"`
}

var taskShape = regexp.MustCompile(`^[0-9a-zA-Z_@-]{1,128}$`)

func (s *Server) messageSend(_ *http.Request, body []byte) reply {
	var l letter
	if !utf8.Valid(body) || json.Unmarshal(body, &l) != nil {
		return refusal(40058, "invalid request parameter")
	}
	switch {
	case l.Agent != AgentID:
		return refusal(40056, "invalid agentid")
	case l.To == "":
		return refusal(40003, "invalid userid")
	case s.app.outside[l.To]:
		return reply{"errcode": 0, "errmsg": "ok", "invaliduser": strings.ToLower(l.To), "msgid": s.number("msg")}
	case l.Within < 0 || l.Within > 4*3600:
		return refusal(40058, "invalid duplicate_check_interval")
	}
	if l.Check == 1 && s.seen[string(body)] {
		return reply{"errcode": 0, "errmsg": "ok", "msgid": s.number("msg")} // swallowed
	}
	sent := Sent{To: l.To, Type: l.Type}
	switch l.Type {
	case "text":
		if l.Text.Content == "" || len(l.Text.Content) > 2048 {
			return refusal(45002, "content size out of limit")
		}
		sent.Text = l.Text.Content
	case "image":
		f, ok := s.files[l.Image.ID]
		if !ok {
			return refusal(40007, "invalid media_id")
		}
		sent.Photo = f.data
	case "template_card":
		c := l.Card
		if c.Type != "button_interaction" || c.Title.Title == "" || len(c.Buttons) == 0 || len(c.Buttons) > 6 {
			return refusal(40058, "invalid template_card")
		}
		if utf8.RuneCountInString(c.Title.Title) > 36 || utf8.RuneCountInString(c.Body) > 160 {
			return refusal(40058, "the card would show less than it says") // WeCom cuts it off
		}
		if !taskShape.MatchString(c.Task) || s.seen["task "+c.Task] {
			return refusal(42014, "taskid has existed or empty or exceed max len")
		}
		keys := map[string]bool{}
		for _, b := range c.Buttons {
			if b.Text == "" || b.Key == "" || len(b.Key) > 1024 || keys[b.Key] {
				return refusal(40058, "invalid button_list")
			}
			keys[b.Key] = true
			sent.Buttons = append(sent.Buttons, Button{b.Text, b.Key})
		}
		s.seen["task "+c.Task] = true
		sent.ID, sent.Text = c.Task, strings.TrimSuffix(c.Title.Title+"\n"+c.Body, "\n")
	default:
		return refusal(40008, "invalid msgtype")
	}
	id := s.number("msg")
	if sent.ID == "" {
		sent.ID = id
	}
	s.seen[string(body)] = true
	s.sent = append(s.sent, sent)
	return reply{"errcode": 0, "errmsg": "ok", "msgid": id, "response_code": s.number("response")}
}

func (s *Server) agentGet(r *http.Request, _ []byte) reply {
	if r.URL.Query().Get("agentid") != fmt.Sprint(AgentID) {
		return refusal(301002, "not allow operate another agent with this accesstoken")
	}
	off := 0
	if s.app.off {
		off = 1
	}
	return reply{
		"errcode": 0, "errmsg": "ok", "agentid": AgentID, "name": "哨应", "close": off,
		"allow_userinfos": map[string]any{"user": []map[string]string{{"userid": "zhangsan"}}},
	}
}
