package wechat

import (
	"context"
	"encoding/xml"
	"html"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/eatmoreapple/openwechat"

	"shaoying/bots"
)

// Kinds of message that the library has no name for.
const (
	typeStatus = 51   // what the phone does
	typeNotice = 9999 // of WeChat itself
	appQuote   = 57   // an answer that quotes
)

// officialFlag marks contacts who are no persons (VerifyFlag).
const officialFlag = 8

// nameShape is what WeChat calls contacts, and groups with two signs before.
var nameShape = regexp.MustCompile(`^@{1,2}[0-9A-Za-z_-]{1,100}$`)

// event makes of a message what a user did; ok is false where it is nothing.
func (r *receiver) event(ctx context.Context, m *openwechat.Message) (ev bots.Event, ok bool) {
	from := m.FromUserName
	switch m.MsgType {
	case typeStatus, typeNotice, openwechat.MsgTypeRecalled, openwechat.MsgTypeVerify, openwechat.MsgTypePossibleFriend,
		openwechat.MsgTypeVoipNotify, openwechat.MsgTypeVoipInvite:
		return ev, false
	}
	if from == r.s.self.UserName || !nameShape.MatchString(from) {
		return ev, false // our own words, and WeChat's own accounts
	}
	chat := r.s.people.find(ctx, from)
	if chat != nil && chat.VerifyFlag&officialFlag != 0 {
		return ev, false // an Official Account posts to everybody
	}
	ev = bots.Event{
		Key: m.MsgId, Channel: r.cfg.ID, Chat: bots.ChatID(r.s.mark + from), Group: strings.HasPrefix(from, "@@"),
		From: bots.Identity{User: bots.UserID(r.s.mark + from), Trust: bots.TrustNone, Name: called(chat)},
	}
	if ev.Key == "" && m.NewMsgId != 0 {
		ev.Key = strconv.FormatInt(m.NewMsgId, 10)
	}
	if m.CreateTime > 0 {
		ev.At = time.Unix(m.CreateTime, 0).UTC()
	}
	content := m.Content
	if m.MsgType == openwechat.MsgTypeSys {
		return r.system(ev, text(content))
	}
	speaker := chat
	if ev.Group {
		who, rest, found := strings.Cut(content, ":<br/>")
		if !found || !nameShape.MatchString(who) {
			return ev, false // nobody said it
		}
		content, speaker = rest, member(chat, who)
		ev.From.User = bots.UserID(r.s.mark + who)
		if who == r.s.self.UserName {
			return ev, false
		}
	} else {
		r.s.people.meet(from, r.limits.MaxRemark)
	}
	ev.From.Name, ev.From.Hints = called(speaker), r.s.people.hints(strings.TrimPrefix(string(ev.From.User), r.s.mark))
	r.fill(&ev, m, content, chat)
	return ev, true
}

// system reads a line that WeChat itself wrote into a chat.
func (r *receiver) system(ev bots.Event, line string) (bots.Event, bool) {
	switch {
	case ev.Group:
		return ev, false
	case r.words.joined.MatchString(line):
		ev.Kind = bots.KindJoin
	case r.words.refused.MatchString(line):
		ev.Kind = bots.KindLeave
	default:
		return ev, false
	}
	return ev, true
}

// fill sets what was said. group is nil where nothing is known of it.
func (r *receiver) fill(ev *bots.Event, m *openwechat.Message, content string, group *openwechat.User) {
	ev.Kind, ev.Overheard = bots.KindOther, ev.Group
	switch {
	case isPlace(m, content):
		place, label := placeOf(m, content)
		if ev.Place = place; place != nil {
			ev.Kind = bots.KindPlace
		} else if label != "" {
			ev.Kind, ev.Text = bots.KindText, label
		}
	case m.MsgType == openwechat.MsgTypeText:
		r.said(ev, text(content), group)
	case m.MsgType == openwechat.MsgTypeApp && m.AppMsgType == appQuote:
		r.said(ev, quoting(content), group)
	case m.MsgType == openwechat.MsgTypeImage:
		ev.Kind, ev.Files = bots.KindPhoto, []bots.File{{Key: imageKey + m.MsgId, MIME: "image/jpeg"}}
	case m.MsgType == openwechat.MsgTypeVoice:
		ev.Kind, ev.Files = bots.KindVoice, []bots.File{{Key: voiceKey + m.MsgId, MIME: "audio/mpeg"}}
	}
}

// said sets words. What is quoted is left out, a mention of us too; either says
// that we are meant.
func (r *receiver) said(ev *bots.Event, words string, group *openwechat.User) {
	meant := false
	names := r.ownNames(group)
	if q := r.words.quote.FindStringSubmatch(words); q != nil {
		words = words[len(q[0]):]
		for _, name := range names {
			meant = meant || q[1] == name
		}
	}
	if ev.Group {
		for _, name := range names {
			if rest, ok := unmention(words, name); ok {
				words, meant = rest, true
			}
		}
	}
	ev.Overheard = ev.Group && !meant
	if strings.TrimSpace(words) != "" {
		ev.Kind, ev.Text = bots.KindText, words
	}
}

// ownNames are what we are called, in a group by what it calls us.
func (r *receiver) ownNames(group *openwechat.User) []string {
	var names []string
	for _, u := range []*openwechat.User{member(group, r.s.self.UserName), r.s.self} {
		if u == nil {
			continue
		}
		for _, name := range []string{text(u.DisplayName), text(u.NickName)} {
			if name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// mentionEnd is what WeChat sets behind a mention: a narrow space.
const mentionEnd = "\u2005"

// unmention takes "@name" off words, where it stands by itself.
func unmention(words, name string) (string, bool) {
	before, behind, found := strings.Cut(words, "@"+name)
	if !found {
		return words, false
	}
	end, size := utf8.DecodeRuneInString(behind)
	switch {
	case behind == "":
	case string(end) == mentionEnd, end == ' ', end == '\n':
		behind = behind[size:]
	default:
		return words, false // somebody whose name begins with ours
	}
	return strings.TrimSpace(before + behind), true
}

var (
	emojiShape = regexp.MustCompile(`<span class="emoji emoji([0-9a-f]{2,40})"></span>`)
	breakShape = regexp.MustCompile(`<br ?/?>`)
)

// text is what somebody wrote: Web WeChat sends it as HTML, with pictures for
// emoji.
func text(content string) string {
	content = emojiShape.ReplaceAllStringFunc(content, func(s string) string {
		return emoji(emojiShape.FindStringSubmatch(s)[1])
	})
	content = breakShape.ReplaceAllString(content, "\n")
	return sane(html.UnescapeString(content))
}

// emoji is the characters behind the name of a picture: their numbers in a row,
// five digits for each that begins with 1, else four.
func emoji(digits string) string {
	var out strings.Builder
	for digits != "" {
		size := 4
		if digits[0] == '1' && len(digits) >= 5 {
			size = 5
		}
		size = min(size, len(digits))
		n, err := strconv.ParseUint(digits[:size], 16, 32)
		if err != nil || !utf8.ValidRune(rune(n)) {
			return ""
		}
		out.WriteRune(rune(n))
		digits = digits[size:]
	}
	return out.String()
}

// sane is a text that may be an event's.
func sane(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")
	for len(s) > bots.MaxWord {
		s = s[:bots.MaxWord]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	return s
}

// line is a text for one line of a list: no control characters, 60 at most.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > maxName {
		s = string(runes[:maxName])
	}
	return strings.TrimSpace(s)
}

const maxName = 60

// quoting is the answer in a message that quotes.
func quoting(content string) string {
	var msg struct {
		Title string `xml:"appmsg>title"`
	}
	if xml.Unmarshal([]byte(html.UnescapeString(breakShape.ReplaceAllString(content, ""))), &msg) != nil {
		return ""
	}
	return sane(msg.Title)
}
