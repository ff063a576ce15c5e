package telegramfake

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

// Person is one user of the network.
type Person struct {
	ID   int64
	Name string
	Bot  bool
}

func (p *Person) object() object {
	first, last, _ := strings.Cut(p.Name, " ")
	out := object{"id": p.ID, "is_bot": p.Bot, "first_name": first}
	if last != "" {
		out["last_name"] = last
	}
	return out
}

// chat is one chat that the bot knows.
type chat struct {
	id       int64
	kind     string // private, group, supergroup
	title    string
	next     int64
	messages map[int64]*message
	members  map[int64]bool
	gone     bool  // the user blocked the bot, or the group has it no more
	movedTo  int64 // the supergroup that it became
}

// message is one message as it stands now.
type message struct {
	id      int64
	ours    bool   // sent by the bot
	body    object // as the bot would be given it
	text    string // or caption
	photo   []byte
	buttons [][]Button
}

// quoted is the message as an answer to it repeats it: without what it answers.
func (m *message) quoted() object {
	body := maps.Clone(m.body)
	delete(body, "reply_to_message")
	return body
}

func (c *chat) object() object {
	out := object{"id": c.id, "type": c.kind}
	if c.kind != "private" {
		out["title"] = c.title
	}
	return out
}

func (s *Server) person(id int64, name string) *Person {
	p := s.people[id]
	if p == nil {
		p = &Person{ID: id}
		s.people[id] = p
	}
	if name != "" {
		p.Name = name
	}
	return p
}

func (s *Server) newChat(id int64, kind, title string) *chat {
	c := s.chats[id]
	if c == nil {
		c = &chat{id: id, kind: kind, title: title, next: 1, messages: map[int64]*message{}, members: map[int64]bool{}}
		s.chats[id] = c
	}
	return c
}

// User is the private chat of a user with the bot; it is made at the first
// call, as if the user had pressed Start.
func (s *Server) User(id int64, name string) *Speaker {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.person(id, name)
	return &Speaker{s, s.newChat(id, "private", p.Name), p}
}

// Group is a group with the bot in it; ids are negative. It is made at the
// first call.
func (s *Server) Group(id int64, title string) *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Group{s, s.newChat(id, "group", title)}
}

// Group is a chat of several users.
type Group struct {
	s    *Server
	chat *chat
}

// ID is the group's chat id.
func (g *Group) ID() int64 { return g.chat.id }

// Member is a user of the group, who needs not have joined by an event.
func (g *Group) Member(id int64, name string) *Speaker {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	g.chat.members[id] = true
	return &Speaker{g.s, g.chat, g.s.person(id, name)}
}

// Joins tells of new members.
func (g *Group) Joins(members ...*Speaker) int64 {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	var list []object
	for _, m := range members {
		g.chat.members[m.who.ID] = true
		list = append(list, m.who.object())
	}
	return g.s.says(g.chat, members[0].who, object{"new_chat_members": list})
}

// Leaves tells that a member left.
func (g *Group) Leaves(m *Speaker) int64 {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	delete(g.chat.members, m.who.ID)
	return g.s.says(g.chat, m.who, object{"left_chat_member": m.who.object()})
}

// AddsBot tells that somebody took the bot into the group.
func (g *Group) AddsBot(by *Speaker) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	g.s.membership(g.chat, by.who, "left", "member")
	g.s.says(g.chat, by.who, object{"new_chat_members": []object{g.s.me()}})
}

// RemovesBot tells that somebody threw the bot out.
func (g *Group) RemovesBot(by *Speaker) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	g.s.membership(g.chat, by.who, "member", "kicked")
}

// Migrates makes a supergroup of the group: both chats tell of it, and what is
// sent to the old one is answered with the new id.
func (g *Group) Migrates(by *Speaker) *Group {
	s := g.s
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := s.newChat(-1000000000000+g.chat.id, "supergroup", g.chat.title)
	fresh.members = maps.Clone(g.chat.members)
	g.chat.movedTo = fresh.id
	s.says(g.chat, by.who, object{"migrate_to_chat_id": fresh.id})
	s.says(fresh, by.who, object{"migrate_from_chat_id": g.chat.id})
	return &Group{s, fresh}
}

// membership tells how the bot stands in a chat; the lock is held.
func (s *Server) membership(c *chat, by *Person, before, after string) {
	c.gone = after == "kicked" || after == "left"
	member := func(status string) object {
		out := object{"user": s.me(), "status": status}
		if status == "kicked" {
			out["until_date"] = 0
		}
		return out
	}
	s.publish(c.id, "my_chat_member", object{
		"chat": c.object(), "from": by.object(), "date": s.cfg.Now().Unix(),
		"old_chat_member": member(before), "new_chat_member": member(after),
	})
}

// says gives a message of a user to the chat and, where it is meant for the
// bot, to the bot. It returns the message's id; the lock is held.
func (s *Server) says(c *chat, from *Person, content object) int64 {
	m := s.keep(c, content)
	m.body["from"] = from.object()
	if s.delivered(c, m.body) {
		s.publish(c.id, "message", m.body)
	}
	s.wake()
	return m.id
}

// keep puts a message into its chat; the lock is held.
func (s *Server) keep(c *chat, content object) *message {
	m := &message{id: c.next, body: object{"message_id": c.next, "date": s.cfg.Now().Unix(), "chat": c.object()}}
	maps.Copy(m.body, content)
	for _, field := range []string{"text", "caption"} {
		if text, ok := m.body[field].(string); ok {
			m.text = text
			if found := entities(text); len(found) > 0 && field == "text" {
				m.body["entities"] = found
			}
		}
	}
	c.next++
	c.messages[m.id] = m
	return m
}

// delivered tells whether privacy mode lets the bot have a message.
func (s *Server) delivered(c *chat, body object) bool {
	if c.gone {
		return false
	}
	text, _ := body["text"].(string)
	if caption, ok := body["caption"].(string); ok {
		text = caption
	}
	_, words := body["text"]
	service := !words && body["photo"] == nil && body["voice"] == nil && body["location"] == nil && body["document"] == nil
	if c.kind == "private" || !s.cfg.Privacy || service {
		return true
	}
	if reply, ok := body["reply_to_message"].(object); ok {
		if from, ok := reply["from"].(object); ok && from["id"] == s.BotID() {
			return true
		}
	}
	if strings.Contains(strings.ToLower(text), "@"+strings.ToLower(s.cfg.Username)) {
		return true
	}
	command, _, _ := strings.Cut(text, " ")
	return strings.HasPrefix(command, "/") && !strings.Contains(command, "@")
}

var marks = []struct {
	kind    string
	pattern *regexp.Regexp
}{
	{"bot_command", regexp.MustCompile(`(?:^|\s)(/[A-Za-z0-9_]{1,32}(?:@[A-Za-z0-9_]+)?)`)},
	{"mention", regexp.MustCompile(`(?:^|[^A-Za-z0-9_/])(@[A-Za-z][A-Za-z0-9_]{3,31})`)},
}

// entities are what Telegram finds by itself in a text.
func entities(text string) []object {
	var out []object
	for _, mark := range marks {
		for _, at := range mark.pattern.FindAllStringSubmatchIndex(text, -1) {
			out = append(out, object{"type": mark.kind, "offset": units(text[:at[2]]), "length": units(text[at[2]:at[3]])})
		}
	}
	return out
}

// units is a length as Telegram counts it.
func units(s string) int { return len(utf16.Encode([]rune(s))) }

// newFile keeps bytes under a new file id; the lock is held.
func (s *Server) newFile(data []byte) string {
	s.ids++
	id := fmt.Sprintf("AgACAgUAAx%08d", s.ids)
	s.files[id] = slices.Clone(data)
	return id
}
