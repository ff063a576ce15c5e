package telegram

import (
	"strings"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// content is the event of what a message holds: at most one.
func (d decoder) content(m *message) []bots.Event {
	ev := d.base(m, *m.From)
	said := m.Text
	if said == "" {
		said = m.Caption
	}
	said, forUs := d.addressed(strings.ReplaceAll(said, "\x00", ""))
	if r := m.ReplyTo; r != nil && r.From != nil && r.From.ID == d.bot {
		ev.ReplyTo, forUs = receiptID(r.ID, len(r.Photo) > 0), true
	}
	ev.Overheard = ev.Group && !forUs
	ev.Text = said

	photo, mime := m.picture()
	switch {
	case photo != nil:
		ev.Kind, ev.Files = bots.KindPhoto, attached(photo, mime)
	case m.sound() != nil:
		ev.Kind, ev.Files = bots.KindVoice, attached(m.sound(), m.sound().MIME)
	case m.Location != nil:
		ev.Kind, ev.Place = bots.KindPlace, &bots.Place{Lat: m.Location.Lat, Lon: m.Location.Lon, Datum: bots.DatumWGS84}
		if m.Venue != nil {
			ev.Place.Label = wire.Tidy(m.Venue.Title, 1024)
		}
	case m.Contact != nil:
		ev.Kind, ev.Text = bots.KindText, m.Contact.words(m.From.ID)
	default:
		ev.Kind = bots.KindText
	}
	if ev.Kind == bots.KindText && ev.Text == "" {
		if ev.Overheard || !m.said() {
			return nil // a service message, or nothing that was meant for us
		}
		ev.Kind = bots.KindOther
	}
	return []bots.Event{ev}
}

// picture is what can be looked at in a message: a photo in its largest size,
// a picture that was sent as a file, the still of a video.
func (m *message) picture() (*file, string) {
	if len(m.Photo) > 0 {
		best := &m.Photo[0]
		for i := range m.Photo {
			if p := &m.Photo[i]; p.Width*p.Height >= best.Width*best.Height {
				best = p
			}
		}
		return best.known(), "image/jpeg" // Telegram makes one of every photo
	}
	for _, v := range []*video{m.Video, m.Animation, m.VideoNote} {
		if v != nil && v.Thumbnail.known() != nil {
			return v.Thumbnail, "image/jpeg"
		}
	}
	if doc := m.Document.known(); doc != nil && strings.HasPrefix(doc.MIME, "image/") {
		return doc, doc.MIME
	}
	return nil, ""
}

// sound is what can be listened to.
func (m *message) sound() *file {
	if m.Voice.known() != nil {
		return m.Voice
	}
	if m.Audio.known() != nil {
		return m.Audio
	}
	return nil
}

// known is the file, nil when it cannot be fetched.
func (f *file) known() *file {
	if f == nil || f.ID == "" || len(f.ID) > 1024 {
		return nil
	}
	return f
}

func attached(f *file, mime string) []bots.File {
	return []bots.File{{Key: f.ID, MIME: wire.Tidy(mime, 128), Name: wire.Tidy(f.Name, 256), Size: max(f.Size, 0)}}
}

// words are a contact as somebody would have typed it: the own number alone,
// somebody else's after the name.
func (c *contact) words(from int64) string {
	if c.User == from {
		return wire.Tidy(c.Phone, 64)
	}
	return strings.Join(strings.Fields(wire.Tidy(c.FirstName+" "+c.LastName, 256)+" "+wire.Tidy(c.Phone, 64)), " ")
}

// said reports whether a person said something with the message, be it
// unreadable; service messages say nothing.
func (m *message) said() bool {
	return m.Text != "" || m.Caption != "" || m.Contact != nil || m.Document != nil || m.Audio != nil || m.Voice != nil ||
		m.Video != nil || m.VideoNote != nil || m.Animation != nil || len(m.Photo) > 0 || m.other.any()
}

// started reports whether Start was pressed in a private chat, and with which
// payload of a deep link.
func (d decoder) started(m *message) (payload string, ok bool) {
	if m.Chat.Type != "private" {
		return "", false
	}
	command, payload, _ := strings.Cut(m.Text, " ")
	name, whose, _ := strings.Cut(command, "@")
	return strings.TrimSpace(payload), name == "/start" && (whose == "" || strings.EqualFold(whose, d.name))
}

// start is a greeting, or the invite that a deep link carried.
func (d decoder) start(m *message, payload string) bots.Event {
	ev := d.base(m, *m.From)
	if ev.Kind = bots.KindJoin; d.invite.MatchString(payload) {
		ev.Kind, ev.Text = bots.KindText, d.inviteSays+" "+payload
	}
	return ev
}

// addressed takes the slash of a command and our own name off a text, and
// reports whether one of them was there. "/help@other_bot" is not for us.
func (d decoder) addressed(text string) (string, bool) {
	forUs := false
	if head, rest, _ := strings.Cut(text, " "); strings.HasPrefix(head, "/") {
		name, whose, named := strings.Cut(head[1:], "@")
		switch {
		case name == "" || strings.Contains(name, "/"): // a path or a bare slash
		case named && !strings.EqualFold(whose, d.name):
			return text, false
		default:
			forUs, text = true, name
			if rest != "" {
				text = name + " " + rest
			}
		}
	}
	for {
		start := d.mention(text)
		if start < 0 {
			return text, forUs
		}
		forUs = true
		text = strings.TrimSpace(strings.TrimRight(text[:start], " ") + " " + strings.TrimLeft(text[start+1+len(d.name):], " "))
	}
}

// mention finds "@name", -1 when it is not there. A longer name is another's;
// what stands before it does not matter, for people write 3@name.
func (d decoder) mention(text string) int {
	for from := 0; ; {
		i := strings.IndexByte(text[from:], '@')
		if i < 0 {
			return -1
		}
		i += from
		end := i + 1 + len(d.name)
		if end <= len(text) && strings.EqualFold(text[i+1:end], d.name) && (end == len(text) || !nameByte(text[end])) {
			return i
		}
		from = i + 1
	}
}

// nameByte reports whether c can be part of a username.
func nameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
