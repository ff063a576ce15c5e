package telegram

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// decoder turns updates into events. It is pure.
type decoder struct {
	channel    bots.ChannelID
	bot        int64  // our own user id
	name       string // our username
	invite     *regexp.Regexp
	inviteSays string
}

func (a *account) decoder(name string) decoder {
	l := a.cfg.Limits
	return decoder{a.cfg.ID, a.bot.ID(), name, a.invite, l.InviteWords}
}

// decoded is what one update comes to.
type decoded struct {
	chat   int64 // order is kept inside it
	events []bots.Event
	tap    string // the callback to answer once the events are taken
}

// errBroken is an update that is no JSON object.
var errBroken = errors.New("an update is not the JSON of the Bot API")

// decode reads one update. An update that holds nothing for us has no events;
// what could not be an honest event of its kind is an error.
func (d decoder) decode(raw []byte) (decoded, error) {
	var u update
	if err := json.Unmarshal(raw, &u); err != nil {
		return decoded{}, errBroken // the JSON error may quote what was said
	}
	var out decoded
	switch {
	case u.Message != nil:
		out.chat, out.events = u.Message.Chat.ID, d.message(u.Message)
	case u.Edited != nil:
		out.chat, out.events = u.Edited.Chat.ID, d.edited(u.Edited)
	case u.Callback != nil:
		out = d.callback(u.Callback)
	case u.Member != nil:
		out.chat, out.events = u.Member.Chat.ID, d.membership(u.Member)
	}
	for _, ev := range out.events {
		if err := ev.Validate(); err != nil {
			return decoded{chat: out.chat, tap: out.tap}, err
		}
	}
	return out, nil
}

// base is an event of a message with everything but its content.
func (d decoder) base(m *message, from user) bots.Event {
	return bots.Event{
		Key: fmt.Sprintf("%d:%d", m.Chat.ID, m.ID), Channel: d.channel, Chat: chatID(m.Chat.ID), Group: m.Chat.Type != "private",
		From: identity(from), At: at(m.Date),
	}
}

func identity(u user) bots.Identity {
	return bots.Identity{
		User: bots.UserID(strconv.FormatInt(u.ID, 10)), Trust: bots.TrustStable, Name: wire.Tidy(strings.TrimSpace(u.FirstName+" "+u.LastName), 256),
	}
}

// at is Telegram's time; it gives 0 where it knows none.
func at(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// speaks reports whether a message is from somebody whom we can know: not a
// bot, not a channel, not an admin who hides behind the group.
func speaks(m *message) bool {
	return m.From != nil && m.From.ID != 0 && !m.From.IsBot && m.SenderChat == nil && m.Chat.ID != 0 && m.Chat.Type != "channel"
}

// message reads a new message, which may be several things that happened.
func (d decoder) message(m *message) []bots.Event {
	group := m.Chat.Type == "group" || m.Chat.Type == "supergroup"
	switch {
	case group && m.MigrateTo != 0:
		return d.moved(m, m.Chat.ID, m.MigrateTo)
	case group && m.MigrateFrom != 0:
		return d.moved(m, m.MigrateFrom, m.Chat.ID)
	case !speaks(m):
		return nil
	case len(m.NewMembers) > 0:
		return d.members(m, m.NewMembers, bots.KindJoin)
	case m.LeftMember != nil:
		return d.members(m, []user{*m.LeftMember}, bots.KindLeave)
	}
	if payload, ok := d.started(m); ok {
		return []bots.Event{d.start(m, payload)}
	}
	return d.content(m)
}

// edited reads a message that was changed. A live position changes by itself
// every few seconds and is not told again.
func (d decoder) edited(m *message) []bots.Event {
	if !speaks(m) || m.Location != nil {
		return nil
	}
	events := d.content(m)
	for i := range events {
		events[i].Key += ":" + strconv.FormatInt(m.EditDate, 10)
		events[i].At = at(m.EditDate)
	}
	return events
}

// moved is told twice, in the old chat and in the new one: both are one event.
func (d decoder) moved(m *message, from, to int64) []bots.Event {
	who := user{ID: m.Chat.ID}
	if m.From != nil {
		who = *m.From
	}
	ev := d.base(m, who)
	ev.Key, ev.Kind, ev.Chat, ev.NewChat = fmt.Sprintf("moved:%d:%d", from, to), bots.KindMoved, chatID(from), chatID(to)
	return []bots.Event{ev}
}

// members are people who came into a group or left it; what happens to
// ourselves comes as my_chat_member.
func (d decoder) members(m *message, list []user, kind bots.Kind) []bots.Event {
	var events []bots.Event
	for _, who := range list {
		if who.IsBot || who.ID == 0 {
			continue
		}
		ev := d.base(m, who)
		ev.Key, ev.Kind = fmt.Sprintf("%s:%d", ev.Key, who.ID), kind
		events = append(events, ev)
	}
	return events
}

// membership is how we ourselves stand in a chat. Who takes a block back in a
// private chat presses Start for it, which is an event of its own: greeting
// twice would be once too often.
func (d decoder) membership(m *membership) []bots.Event {
	before, after := m.Old.present(), m.New.present()
	if before == after || m.From.ID == 0 || m.Chat.ID == 0 || m.Chat.Type == "channel" || after && m.Chat.Type == "private" {
		return nil
	}
	ev := bots.Event{
		Key:     fmt.Sprintf("my:%d:%d:%s", m.Chat.ID, m.Date, wire.Tidy(m.New.Status, 32)),
		Channel: d.channel, Chat: chatID(m.Chat.ID), Group: m.Chat.Type != "private",
		From: identity(m.From), At: at(m.Date), Kind: bots.KindLeave,
	}
	if after {
		ev.Kind = bots.KindJoin
	}
	return []bots.Event{ev}
}

// callback is a tap on a button. Of a message that is too old Telegram gives
// only chat and number, which is enough.
func (d decoder) callback(c *callback) decoded {
	out := decoded{tap: c.ID}
	m := c.Message
	if m == nil || m.Chat.ID == 0 || m.Chat.Type == "channel" || c.Data == "" || c.From.ID == 0 || c.From.IsBot {
		return out
	}
	out.chat = m.Chat.ID
	ev := d.base(m, c.From)
	// The message's time is when we sent it; a tap has none.
	ev.Key, ev.At, ev.Kind, ev.Choice = "cb:"+c.ID, time.Time{}, bots.KindChoice, c.Data
	ev.ReplyTo = receiptID(m.ID, len(m.Photo) > 0)
	out.events = []bots.Event{ev}
	return out
}
