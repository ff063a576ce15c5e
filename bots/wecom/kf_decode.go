package wecom

import (
	"strconv"
	"strings"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// message is one entry of sync_msg.
type message struct {
	ID     string `json:"msgid"`
	KF     string `json:"open_kfid"`
	From   string `json:"external_userid"`
	At     int64  `json:"send_time"`
	Origin int    `json:"origin"`
	Type   string `json:"msgtype"`

	Text struct {
		Content string `json:"content"`
		Menu    string `json:"menu_id"`
	} `json:"text"`
	Image    media `json:"image"`
	Voice    media `json:"voice"`
	Location struct {
		Lat     float64 `json:"latitude"`
		Lon     float64 `json:"longitude"`
		Name    string  `json:"name"`
		Address string  `json:"address"`
	} `json:"location"`
	Link struct {
		Title string `json:"title"`
		URL   string `json:"url"`
	} `json:"link"`
	Event struct {
		Type    string `json:"event_type"`
		From    string `json:"external_userid"`
		Welcome string `json:"welcome_code"`
		Failed  string `json:"fail_msgid"`
		Why     int    `json:"fail_type"`
	} `json:"event"`
}

// Who wrote a message. What our own people write inside WeCom (5) is no event.
const (
	fromCustomer = 3
	fromSystem   = 4
)

// decode makes events of a page, and lists who may be greeted. What could not be
// an honest event is told of and left out: it would hold up whatever comes after
// it.
func (k *KF) decode(list []message) (events []bots.Event, greetings []greeting) {
	for _, m := range list {
		if m.KF != "" && m.KF != k.cfg.OpenKFID {
			continue // of another account of the organisation
		}
		if e := m.Event; m.Type == "event" && e.Type == "enter_session" && e.Welcome != "" {
			greetings = append(greetings, greeting{bots.ChatID(e.From), e.Welcome, at(m.At)})
		}
		ev, ok := decodeMessage(k.cfg.ID, m)
		if !ok {
			continue
		}
		if err := ev.Validate(); err != nil {
			k.log.Error("a message cannot be read and is left out", "type", wire.Tidy(m.Type, 32), "error", err)
			continue
		}
		events = append(events, ev)
	}
	return events, greetings
}

// decodeMessage reads one entry. It is pure.
func decodeMessage(channel bots.ChannelID, m message) (ev bots.Event, ok bool) {
	from := m.From
	if m.Type == "event" {
		from = m.Event.From
	}
	ev = bots.Event{
		Key: m.ID, Channel: channel, Chat: bots.ChatID(from), At: at(m.At),
		From: bots.Identity{User: bots.UserID(from), Trust: bots.TrustStable},
	}
	switch {
	case m.Type == "event" && m.Origin == fromSystem:
		return ev, m.failed(&ev)
	case m.Origin == fromCustomer:
		m.content(&ev)
		return ev, true
	}
	return ev, false
}

// content fills in what a customer wrote.
func (m message) content(ev *bots.Event) {
	switch m.Type {
	case "text":
		if m.Text.Menu != "" && len(m.Text.Menu) <= bots.MaxKey {
			ev.Kind, ev.Choice, ev.Text = bots.KindChoice, m.Text.Menu, said(m.Text.Content)
			return
		}
		ev.Kind, ev.Text = bots.KindText, said(m.Text.Content)
	case "image":
		ev.Kind, ev.Files = bots.KindPhoto, []bots.File{{Key: m.Image.ID, MIME: "image/jpeg"}}
	case "voice":
		ev.Kind, ev.Files = bots.KindVoice, []bots.File{{Key: m.Voice.ID, MIME: "audio/amr"}}
	case "location":
		label := strings.TrimSpace(m.Location.Name)
		if label == "" {
			label = m.Location.Address
		}
		ev.Kind, ev.Place = bots.KindPlace, bots.FromGCJ02(m.Location.Lat, m.Location.Lon, wire.Tidy(label, 1024))
	case "link":
		ev.Kind, ev.Text = bots.KindText, said(strings.TrimSpace(m.Link.Title+"\n"+m.Link.URL))
	default: // a video, a file, a card
		ev.Kind = bots.KindOther
	}
	unread(ev)
}

// failed fills in what WeCom says of a message that did not arrive, and reports
// whether it says that.
func (m message) failed(ev *bots.Event) bool {
	ev.Kind = bots.KindReport
	ev.Report = &bots.Report{ID: wire.Tidy(m.Event.Failed, 64), State: bots.ReportFailed, Code: "fail_type " + strconv.Itoa(m.Event.Why)}
	return m.Event.Type == "msg_send_fail" && m.Event.Failed != ""
}
