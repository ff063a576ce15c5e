package wechatfake

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"shaoying/bots"
)

// SelfNick is what the account is called.
const SelfNick = "社区小助手"

// Person is a contact of the account, or a group.
type Person struct {
	s        *Server
	nick     string
	remark   string
	group    bool
	official bool
	members  []*Person
}

// message is something that was said, without the names of this login.
type message struct {
	id      int64
	from    *Person // nil for the account itself
	in      *Person // the group, or nil; whom the account wrote to
	kind    int
	app     int
	content string // %s where the speaker of a group stands
	url     string
	orig    string
	at      int64
}

// Sent is something that the account wrote.
type Sent struct {
	To    *Person
	Text  string
	Photo []byte
}

// Person makes a contact, or finds one.
func (s *Server) Person(nick string) *Person { return s.contact(nick, false, false) }

// Official makes an Official Account that the account follows.
func (s *Server) Official(nick string) *Person { return s.contact(nick, false, true) }

// Group makes a group, or finds one and adds to it.
func (s *Server) Group(nick string, members ...*Person) *Person {
	g := s.contact(nick, true, false)
	s.with(func() {
		for _, m := range members {
			if !slices.Contains(g.members, m) {
				g.members = append(g.members, m)
			}
		}
	})
	return g
}

func (s *Server) contact(nick string, group, official bool) (p *Person) {
	s.with(func() {
		for _, known := range s.people {
			if known.nick == nick && known.group == group {
				p = known
				return
			}
		}
		p = &Person{s: s, nick: nick, group: group, official: official}
		s.people = append(s.people, p)
	})
	return p
}

// Name is the contact's name in this login.
func (p *Person) Name() string {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.name(p)
}

// Nick is what the contact is called.
func (p *Person) Nick() string { return p.nick }

// Remark is what the account noted about the contact.
func (p *Person) Remark() string {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.remark
}

// SetRemark notes something about the contact, as on the phone.
func (p *Person) SetRemark(remark string) { p.s.with(func() { p.remark = remark }) }

// say keeps a message; it returns its id.
func (s *Server) say(m message) (id int64) {
	s.with(func() {
		s.nextID++
		m.id, m.at, id = s.nextID, time.Now().Unix(), s.nextID
		s.log = append(s.log, m)
	})
	return id
}

// Says writes a text to the account.
func (p *Person) Says(text string) { p.s.say(message{from: p, kind: 1, content: escaped(text)}) }

// SaysRaw sends a message of any kind as the network writes it.
func (p *Person) SaysRaw(kind int, content string) {
	p.s.say(message{from: p, kind: kind, content: content})
}

// SaysApp sends an app message: a link, a file, an answer that quotes.
func (p *Person) SaysApp(app int, content string) {
	p.s.say(message{from: p, kind: 49, app: app, content: content})
}

// SaysIn writes a text into a group.
func (p *Person) SaysIn(group *Person, text string) {
	p.s.say(message{from: p, in: group, kind: 1, content: escaped(text)})
}

// SendsPhoto sends a picture.
func (p *Person) SendsPhoto(jpeg []byte) { p.sendsFile(3, jpeg) }

// SendsVoice sends a recording.
func (p *Person) SendsVoice(sound []byte) { p.sendsFile(34, sound) }

func (p *Person) sendsFile(kind int, data []byte) {
	id := p.s.say(message{from: p, kind: kind, content: "&lt;msg/&gt;"})
	p.s.with(func() { p.s.files[strconv.FormatInt(id, 10)] = data })
}

// SendsPlace sends a WGS-84 position, as a map with its link; original adds what the
// phone wrote, which not every server hands on.
func (p *Person) SendsPlace(lat, lon float64, label string, original bool) {
	gcjLat, gcjLon := bots.ToGCJ02(lat, lon)
	m := message{
		from: p, kind: 1, url: fmt.Sprintf("http://apis.map.qq.com/uri/v1/geocoder?coord=%.6f,%.6f", gcjLat, gcjLon),
		content: escaped(label) + ":<br/>/cgi-bin/mmwebwx-bin/webwxgetpubliclinkimg?url=xxx&msgid=1&pictype=location",
	}
	if original {
		m.url = "http://apis.map.qq.com/uri/v1/geocoder"
		m.orig = fmt.Sprintf(`<?xml version="1.0"?><msg><location x="%.6f" y="%.6f" scale="16" label="%s" maptype="0" poiname="" /></msg>`, gcjLat, gcjLon, escaped(label))
	}
	p.s.say(m)
}

// Echo gives the account back what it wrote last, as the phone's copy does.
func (s *Server) Echo() bool {
	s.mu.Lock()
	if len(s.sent) == 0 {
		s.mu.Unlock()
		return false
	}
	last := s.sent[len(s.sent)-1]
	s.mu.Unlock()
	s.say(message{in: last.To, kind: 1, content: escaped(last.Text)})
	return true
}

// Sent is what the account wrote, in order.
func (s *Server) Sent() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}
