package wecom

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// push is what is sealed in a callback of an application.
type push struct {
	FromUserName string
	CreateTime   int64
	MsgType      string
	MsgId        string
	AgentID      string

	Content     string
	MediaId     string
	LocationX   float64 `xml:"Location_X"` // the latitude
	LocationY   float64 `xml:"Location_Y"`
	Label       string
	Title       string
	Description string
	Url         string

	Event        string
	EventKey     string
	TaskId       string
	ResponseCode string
}

// decodePush reads a callback. One that holds nothing for us has no events.
func decodePush(channel bots.ChannelID, agent int, opened []byte) ([]bots.Event, error) {
	var p push
	if err := unpack(opened, &p); err != nil {
		return nil, fmt.Errorf("%w: it is no XML of a message", errUnread) // the XML error may quote what was said
	}
	if p.AgentID != "" && p.AgentID != "0" && p.AgentID != strconv.Itoa(agent) {
		return nil, fmt.Errorf("%w: it is for application %.12q, not for agent_id", errUnread, p.AgentID)
	}
	ev := bots.Event{
		Key: "m:" + p.MsgId, Channel: channel, Chat: bots.ChatID(p.FromUserName), At: at(p.CreateTime),
		From: bots.Identity{User: bots.UserID(p.FromUserName), Trust: bots.TrustStable},
	}
	if !p.content(&ev) {
		return nil, nil
	}
	if err := ev.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	return []bots.Event{ev}, nil
}

// content fills in what a callback says, and reports whether it says anything.
func (p push) content(ev *bots.Event) bool {
	switch p.MsgType {
	case "text":
		ev.Kind, ev.Text = bots.KindText, said(p.Content)
	case "image":
		ev.Kind, ev.Files = bots.KindPhoto, []bots.File{{Key: p.MediaId, MIME: "image/jpeg"}}
	case "voice":
		ev.Kind, ev.Files = bots.KindVoice, []bots.File{{Key: p.MediaId, MIME: "audio/amr"}}
	case "location":
		ev.Kind, ev.Place = bots.KindPlace, bots.FromGCJ02(p.LocationX, p.LocationY, wire.Tidy(p.Label, 1024))
	case "link":
		ev.Kind, ev.Text = bots.KindText, said(strings.TrimSpace(p.Title+"\n"+p.Url))
	case "event":
		return p.event(ev)
	default: // a video, a file
		ev.Kind = bots.KindOther
	}
	unread(ev)
	return true
}

// unread makes of an event without what its kind needs one that says so.
func unread(ev *bots.Event) {
	if ev.Kind == bots.KindText && ev.Text == "" || len(ev.Files) > 0 && ev.Files[0].Key == "" {
		ev.Kind, ev.Files = bots.KindOther, nil
	}
}

// event reads what a member did without writing. It has no id of its own; a
// second delivery is the same in every part.
func (p push) event(ev *bots.Event) bool {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		p.FromUserName, strconv.FormatInt(p.CreateTime, 10), p.Event, p.EventKey, p.TaskId, p.ResponseCode,
	}, "\x00")))
	ev.Key = "e:" + hex.EncodeToString(sum[:16])
	switch p.Event {
	case "subscribe":
		ev.Kind = bots.KindJoin
	case "unsubscribe":
		ev.Kind = bots.KindLeave
	case "click": // an item of the application's menu: its key is what it stands for
		ev.Kind, ev.Text = bots.KindText, said(p.EventKey)
		return ev.Text != ""
	case "template_card_event":
		n, data, ok := strings.Cut(p.EventKey, ":")
		if _, err := strconv.Atoi(n); err != nil || !ok || data == "" {
			return false // not of a card of ours
		}
		ev.Kind, ev.Choice, ev.ReplyTo = bots.KindChoice, data, wire.Tidy(p.TaskId, 128)
	default:
		return false
	}
	return true
}

// buttonKey is the key of button n, which must not be that of another one.
func buttonKey(n int, data string) string { return strconv.Itoa(n) + ":" + data }

// at is WeCom's time, in seconds.
func at(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// said is what somebody typed as an event may carry it.
func said(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
	return wire.Cut(text, bots.MaxWord)
}
