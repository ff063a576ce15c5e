package officialaccountfake

import (
	"fmt"
	"strings"
)

// User is a person with WeChat.
type User struct {
	s *Server
	// ID is the openid.
	ID string
}

// User is a follower; the account hears nothing of that he follows.
func (s *Server) User(id string) *User {
	s.do(func() { s.person(id).follows = true })
	return &User{s, id}
}

// Stranger has not followed yet.
func (s *Server) Stranger(id string) *User {
	s.do(func() { s.person(id) })
	return &User{s, id}
}

// person is the lane of a user; the lock is held.
func (s *Server) person(id string) *lane {
	l := s.users[id]
	if l == nil {
		l = &lane{}
		s.users[id] = l
	}
	return l
}

func element(name, value string) string {
	// WeChat splits what would end the section.
	return "<" + name + "><![CDATA[" + strings.ReplaceAll(value, "]]>", "]]]]><![CDATA[>") + "]]></" + name + ">"
}

// Push sends a push with the elements of its kind.
func (u *User) push(kind string, message bool, elements string) {
	u.s.do(func() {
		u.s.serial++
		xml := "<xml>" + element("ToUserName", Original) + element("FromUserName", u.ID) +
			fmt.Sprintf("<CreateTime>%d</CreateTime>", u.s.clock().Unix()+u.s.serial) + element("MsgType", kind) + elements
		if message {
			xml += "<MsgId>" + u.s.next() + "</MsgId>"
		}
		u.s.enqueue(u.ID, &push{user: u.ID, xml: xml + "</xml>"})
	})
}

// Says writes words.
func (u *User) Says(text string) { u.push("text", true, element("Content", text)) }

// Follows follows the account; scene is that of the code that was scanned, or
// empty.
func (u *User) Follows(scene string) {
	u.s.do(func() { u.s.person(u.ID).follows = true })
	key := ""
	if scene != "" {
		key = "qrscene_" + scene
	}
	u.push("event", false, element("Event", "subscribe")+element("EventKey", key)+element("Ticket", "t"))
}

// Unfollows unfollows it.
func (u *User) Unfollows() {
	u.s.do(func() { u.s.person(u.ID).follows = false })
	u.push("event", false, element("Event", "unsubscribe")+element("EventKey", ""))
}

// Scans scans a code of the account as a follower.
func (u *User) Scans(scene string) {
	u.push("event", false, element("Event", "SCAN")+element("EventKey", scene)+element("Ticket", "t"))
}

// Clicks taps an item of the account's menu.
func (u *User) Clicks(key string) {
	u.push("event", false, element("Event", "CLICK")+element("EventKey", key))
}

// Opens taps an item of the menu that opens a page.
func (u *User) Opens(url string) {
	u.push("event", false, element("Event", "VIEW")+element("EventKey", url))
}

// SendsPhoto sends a picture.
func (u *User) SendsPhoto(jpeg []byte) {
	var id string
	u.s.do(func() { id = u.s.keep(jpeg) })
	u.push("image", true, element("PicUrl", "http://mmbiz.qpic.cn/x")+element("MediaId", id))
}

// SendsVoice sends a recording, with what WeChat understood of it.
func (u *User) SendsVoice(amr []byte, heard string) {
	var id string
	u.s.do(func() { id = u.s.keep(amr) })
	more := element("MediaId", id) + element("Format", "amr")
	if heard != "" {
		more += element("Recognition", heard)
	}
	u.push("voice", true, more)
}

// SendsPlace sends a position by a Chinese map (GCJ-02).
func (u *User) SendsPlace(lat, lon float64, label string) {
	u.push("location", true, fmt.Sprintf("<Location_X>%.7f</Location_X><Location_Y>%.7f</Location_Y><Scale>16</Scale>", lat, lon)+element("Label", label))
}

// Sees is what this user saw, in order.
func (u *User) Sees() (out []Message) {
	for _, m := range u.s.Sent() {
		if m.User == u.ID {
			out = append(out, m)
		}
	}
	return out
}

// Taps taps item n, from 0, of the last menu message.
func (u *User) Taps(n int) bool {
	all := u.Sees()
	for i := len(all) - 1; i >= 0; i-- {
		if len(all[i].Items) > 0 {
			return n < len(all[i].Items) && u.Tap(all[i].Items[n])
		}
	}
	return false
}

// Tap taps an item.
func (u *User) Tap(it Item) bool {
	u.push("text", true, element("Content", it.Content)+"<bizmsgmenuid>"+it.ID+"</bizmsgmenuid>")
	return true
}

// Reports makes WeChat say what became of a notice of kind template.
func (u *User) Reports(m Message, status string) {
	u.push("event", false, element("Event", "TEMPLATESENDJOBFINISH")+"<MsgID>"+m.ID+"</MsgID>"+element("Status", status))
}
