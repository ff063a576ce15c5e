package telegramfake

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // sizes of photos
	_ "image/png"
	"maps"
	"slices"
)

// Speaker is one user in one chat: whatever the user does there. Acts return
// the id of the message that they make.
type Speaker struct {
	s    *Server
	chat *chat
	who  *Person
}

// Chat is the chat id.
func (u *Speaker) Chat() int64 { return u.chat.id }

// ID is the user's id.
func (u *Speaker) ID() int64 { return u.who.ID }

func (u *Speaker) does(content object) int64 {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	return u.s.says(u.chat, u.who, content)
}

// Says writes words.
func (u *Speaker) Says(text string) int64 { return u.does(object{"text": text}) }

// Sends sends a message with any fields of the Bot API's Message, such as a
// sticker.
func (u *Speaker) Sends(content map[string]any) int64 { return u.does(content) }

// Starts presses Start, with the payload of a deep link.
func (u *Speaker) Starts(payload string) int64 {
	text := "/start"
	if payload != "" {
		text += " " + payload
	}
	return u.Says(text)
}

// Replies answers a message of the chat.
func (u *Speaker) Replies(to int64, text string) int64 {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	content := object{"text": text}
	if m := u.chat.messages[to]; m != nil {
		content["reply_to_message"] = m.quoted()
	}
	return u.s.says(u.chat, u.who, content)
}

// SendsPlace sends a position.
func (u *Speaker) SendsPlace(lat, lon float64) int64 {
	return u.does(object{"location": object{"latitude": lat, "longitude": lon}})
}

// SendsVenue sends a position with a name.
func (u *Speaker) SendsVenue(lat, lon float64, title, address string) int64 {
	at := object{"latitude": lat, "longitude": lon}
	return u.does(object{"location": at, "venue": object{"location": at, "title": title, "address": address}})
}

// SendsPhoto sends a picture.
func (u *Speaker) SendsPhoto(data []byte, caption string) int64 {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	return u.s.says(u.chat, u.who, u.s.photoContent(data, caption))
}

// SendsAlbum sends several pictures that belong together; the caption stands
// under the first.
func (u *Speaker) SendsAlbum(caption string, pictures ...[]byte) []int64 {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	u.s.ids++
	album := fmt.Sprint(13000000000000000 + u.s.ids)
	var out []int64
	for _, data := range pictures {
		content := u.s.photoContent(data, caption)
		content["media_group_id"] = album
		out = append(out, u.s.says(u.chat, u.who, content))
		caption = ""
	}
	return out
}

// photoContent is a photo in two sizes, the smaller one first; the lock is
// held.
func (s *Server) photoContent(data []byte, caption string) object {
	width, height := 1280, 960
	if cfg, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil {
		width, height = cfg.Width, cfg.Height
	}
	size := func(data []byte, w, h int) object {
		id := s.newFile(data)
		return object{"file_id": id, "file_unique_id": "u" + id, "width": w, "height": h, "file_size": len(data)}
	}
	content := object{"photo": []object{size([]byte("thumbnail"), width/4+1, height/4+1), size(data, width, height)}}
	if caption != "" {
		content["caption"] = caption
	}
	return content
}

// SendsVoice sends a recording.
func (u *Speaker) SendsVoice(data []byte) int64 {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	id := u.s.newFile(data)
	return u.s.says(u.chat, u.who, object{"voice": object{
		"file_id": id, "file_unique_id": "u" + id, "duration": 3, "mime_type": "audio/ogg", "file_size": len(data),
	}})
}

// SendsDocument sends a file as it is.
func (u *Speaker) SendsDocument(name, mime string, data []byte, caption string) int64 {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	id := u.s.newFile(data)
	content := object{"document": object{
		"file_id": id, "file_unique_id": "u" + id, "file_name": name, "mime_type": mime, "file_size": len(data),
	}}
	if caption != "" {
		content["caption"] = caption
	}
	return u.s.says(u.chat, u.who, content)
}

// Edits changes the words of an own message.
func (u *Speaker) Edits(id int64, text string) {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	m := u.chat.messages[id]
	if m == nil || m.ours {
		return
	}
	m.text = text
	m.body = maps.Clone(m.body) // the update with the old words stays as it was
	m.body["text"], m.body["edit_date"] = text, u.s.cfg.Now().Unix()
	if u.s.delivered(u.chat, m.body) {
		u.s.publish(u.chat.id, "edited_message", m.body)
	}
}

// Taps taps button n, from 0, of a message of the bot and reports whether
// there is one. The answer is looked for with [Server.Answered].
func (u *Speaker) Taps(id int64, n int) bool { return u.tap(id, n, false) }

// TapsOld is Taps on a message that is too old for Telegram to show it to the
// bot.
func (u *Speaker) TapsOld(id int64, n int) bool { return u.tap(id, n, true) }

// TapsLabel taps the button with exactly that label.
func (u *Speaker) TapsLabel(id int64, label string) bool {
	u.s.mu.Lock()
	var n int
	found := false
	if m := u.chat.messages[id]; m != nil {
		n = slices.IndexFunc(slices.Concat(m.buttons...), func(b Button) bool { return b.Label == label })
		found = n >= 0
	}
	u.s.mu.Unlock()
	return found && u.Taps(id, n)
}

func (u *Speaker) tap(id int64, n int, old bool) bool {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	m := u.chat.messages[id]
	if m == nil {
		return false
	}
	buttons := slices.Concat(m.buttons...)
	if n < 0 || n >= len(buttons) {
		return false
	}
	u.s.ids++
	callback := fmt.Sprint(4382000000000000000 + u.s.ids)
	u.s.tapped[callback] = false
	body := m.body
	if old {
		body = object{"chat": u.chat.object(), "message_id": id, "date": 0}
	}
	u.s.publish(u.chat.id, "callback_query", object{
		"id": callback, "from": u.who.object(), "message": body, "chat_instance": "-42", "data": buttons[n].Data,
	})
	return true
}

// Blocks blocks the bot.
func (u *Speaker) Blocks() {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	u.s.membership(u.chat, u.who, "member", "kicked")
}

// Unblocks takes that back.
func (u *Speaker) Unblocks() {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	u.s.membership(u.chat, u.who, "kicked", "member")
}

// Echo hands the bot its own last message of this chat, which Telegram does
// not do, but other networks do.
func (u *Speaker) Echo() bool {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	for id := u.chat.next - 1; id > 0; id-- {
		if m := u.chat.messages[id]; m != nil && m.ours {
			u.s.publish(u.chat.id, "message", m.body)
			return true
		}
	}
	return false
}

// Answered is how many taps were answered, and how many there were.
func (s *Server) Answered() (answered, taps int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, done := range s.tapped {
		if done {
			answered++
		}
	}
	return answered, len(s.tapped)
}
