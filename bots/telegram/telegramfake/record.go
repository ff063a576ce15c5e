package telegramfake

import (
	"slices"
	"time"
)

// Button is one button under a message.
type Button struct {
	Label string `json:"text"`
	Data  string `json:"callback_data"`
}

// Seen is one thing that the users of a chat were shown: a new message, or a
// changed one.
type Seen struct {
	// Seq counts from 1 over all chats.
	Seq int
	At  time.Time
	// Method is what the bot called.
	Method  string
	Chat    int64
	Message int64
	// Edit is true when the message had been shown before.
	Edit    bool
	Text    string
	Photo   []byte
	Buttons [][]Button
	ReplyTo int64
}

// Flat lists the buttons of all rows.
func (v Seen) Flat() []Button { return slices.Concat(v.Buttons...) }

// Seen is everything that users were shown so far, in order.
func (s *Server) Seen() []Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// Sees is what was shown in the speaker's chat, in order.
func (u *Speaker) Sees() []Seen {
	all := u.s.Seen()
	return slices.DeleteFunc(all, func(v Seen) bool { return v.Chat != u.chat.id })
}

// Sees is what was shown in the group, in order.
func (g *Group) Sees() []Seen {
	all := g.s.Seen()
	return slices.DeleteFunc(all, func(v Seen) bool { return v.Chat != g.chat.id })
}

// show records a message of the bot as it stands now; the lock is held.
func (s *Server) show(method string, c *chat, m *message, edit bool, replyTo int64) {
	s.seen = append(s.seen, Seen{
		Seq: len(s.seen) + 1, At: s.cfg.Now(), Method: method, Chat: c.id, Message: m.id, Edit: edit,
		Text: m.text, Photo: m.photo, Buttons: m.buttons, ReplyTo: replyTo,
	})
}
