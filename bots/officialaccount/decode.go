package officialaccount

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// push is a message or event of WeChat's. Source: the pages "receiving standard
// messages" and "receiving events".
type push struct {
	To      string `xml:"ToUserName"`
	From    string `xml:"FromUserName"`
	Created int64  `xml:"CreateTime"` // seconds
	Type    string `xml:"MsgType"`
	ID      string `xml:"MsgId"`

	Content string `xml:"Content"`
	// Item is the id of the item of a menu message that was tapped.
	Item     string `xml:"bizmsgmenuid"`
	Media    string `xml:"MediaId"`
	Thumb    string `xml:"ThumbMediaId"`
	Format   string `xml:"Format"`
	Heard    string `xml:"Recognition"`
	Lat      string `xml:"Location_X"`
	Lon      string `xml:"Location_Y"`
	Label    string `xml:"Label"`
	Title    string `xml:"Title"`
	URL      string `xml:"Url"`
	Event    string `xml:"Event"`
	EventKey string `xml:"EventKey"`
	// Sent is the id of the notice that an event of TEMPLATESENDJOBFINISH is about.
	Sent   string `xml:"MsgID"`
	Status string `xml:"Status"`
	// Notices are those that an event of subscribe_msg_sent_event is about.
	Notices []struct {
		ID     string `xml:"MsgID"`
		Code   string `xml:"ErrorCode"`
		Status string `xml:"ErrorStatus"`
	} `xml:"SubscribeMsgSentEvent>List"`

	// Sealed is all that a sealed push holds.
	Sealed string `xml:"Encrypt"`
}

// errBroken is a push that is no XML of WeChat's. What it was may be somebody's
// words.
var errBroken = errors.New("a push is not the XML of an Official Account")

// openID is what a user is called. WeChat's own have 28 characters.
var openID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func parse(body []byte) (push, error) {
	var p push
	if err := xml.Unmarshal(body, &p); err != nil {
		return push{}, errBroken
	}
	return p, nil
}

// decoder turns pushes into events. It is pure.
type decoder struct {
	channel bots.ChannelID
	invite  *regexp.Regexp
	words   string
}

// decode reads a push. One that holds nothing for us has no events.
func (d decoder) decode(p push) ([]bots.Event, error) {
	if !openID.MatchString(p.From) {
		return nil, nil // what WeChat tells of the account itself has no user
	}
	ev := bots.Event{
		Key: p.key(), Channel: d.channel, Chat: bots.ChatID(p.From),
		From: bots.Identity{User: bots.UserID(p.From), Trust: bots.TrustStable},
	}
	if p.Created > 0 {
		ev.At = time.Unix(p.Created, 0).UTC()
	}
	var events []bots.Event
	if p.Type == "event" {
		events = d.event(ev, p)
	} else {
		events = d.message(ev, p)
	}
	for _, ev := range events {
		if err := ev.Validate(); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// key is what a push is known by when it comes again: MsgId, or for events, which
// have none, who, when and what.
func (p push) key() string {
	if p.ID != "" && len(p.ID) <= 64 {
		return "m:" + p.ID
	}
	sum := sha256.Sum256([]byte(p.Type + "\x00" + p.Event + "\x00" + p.EventKey + "\x00" + p.Sent + "\x00" + p.Content + "\x00" + p.Media))
	return "e:" + p.From + ":" + strconv.FormatInt(p.Created, 10) + ":" + hex.EncodeToString(sum[:8])
}

// message reads what a user sent.
func (d decoder) message(ev bots.Event, p push) []bots.Event {
	ev.Kind = bots.KindOther
	switch p.Type {
	case "text":
		ev.Kind, ev.Text = bots.KindText, clean(p.Content)
		if p.Item != "" {
			ev.Kind, ev.Choice = bots.KindChoice, p.Item
		}
	case "image":
		ev.Kind, ev.Files = bots.KindPhoto, file(p.Media, "image/jpeg")
	case "video", "shortvideo": // its still shows what is wrong
		ev.Kind, ev.Files = bots.KindPhoto, file(p.Thumb, "image/jpeg")
	case "voice":
		ev.Kind, ev.Text, ev.Files = bots.KindVoice, clean(p.Heard), file(p.Media, "audio/"+soundKind(p.Format))
	case "location":
		if place := p.place(); place != nil {
			ev.Kind, ev.Place = bots.KindPlace, place
		}
	case "link":
		ev.Kind, ev.Text = bots.KindText, strings.TrimSpace(clean(p.Title)+"\n"+clean(p.URL))
	}
	if (ev.Kind == bots.KindPhoto || ev.Kind == bots.KindVoice) && ev.Files == nil || ev.Kind == bots.KindText && ev.Text == "" {
		ev.Kind, ev.Text = bots.KindOther, ""
	}
	return []bots.Event{ev}
}

// sceneMark stands before the scene where a code is scanned by somebody who was
// no follower.
const sceneMark = "qrscene_"

// event reads what a user did. What says nothing to us has no event.
func (d decoder) event(ev bots.Event, p push) []bots.Event {
	switch p.Event {
	case "subscribe", "SCAN":
		// An invite is read as if its words had been written; any other code greets.
		if ev.Kind = bots.KindJoin; d.invite.MatchString(strings.TrimPrefix(p.EventKey, sceneMark)) {
			ev.Kind, ev.Text = bots.KindText, d.words+" "+strings.TrimPrefix(p.EventKey, sceneMark)
		}
	case "unsubscribe":
		ev.Kind = bots.KindLeave
	case "CLICK": // the key of a menu item is what a resident would say
		if ev.Kind, ev.Text = bots.KindText, clean(p.EventKey); ev.Text == "" {
			return nil
		}
	case "TEMPLATESENDJOBFINISH":
		return report(ev, p.Sent, p.Status == "success", p.Status)
	case "subscribe_msg_sent_event":
		var events []bots.Event
		for i, n := range p.Notices {
			ev.Key = fmt.Sprintf("%s:%d", p.key(), i)
			events = append(events, report(ev, n.ID, n.Code == "0", n.Code+" "+n.Status)...)
		}
		return events
	default: // VIEW, LOCATION, scans and photos of the menu, which come as messages too
		return nil
	}
	return []bots.Event{ev}
}

// report is what became of a notice.
func report(ev bots.Event, id string, delivered bool, code string) []bots.Event {
	if id == "" {
		return nil
	}
	r := &bots.Report{ID: noticeID(id), State: bots.ReportDelivered, Code: wire.Plain(code)}
	if !delivered {
		r.State = bots.ReportFailed
	}
	ev.Kind, ev.Report = bots.KindReport, r
	return []bots.Event{ev}
}

// place is where a user says that something is, by a Chinese map; nil where it is
// nowhere on earth.
func (p push) place() *bots.Place {
	lat, errLat := strconv.ParseFloat(p.Lat, 64)
	lon, errLon := strconv.ParseFloat(p.Lon, 64)
	if errLat != nil || errLon != nil || !(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180) {
		return nil
	}
	return bots.FromGCJ02(lat, lon, wire.Tidy(p.Label, maxLabel))
}

// maxMedia is the longest media id; WeChat's have 64 characters and more.
const maxMedia = 512

func file(media, mime string) []bots.File {
	if media == "" || len(media) > maxMedia {
		return nil
	}
	return []bots.File{{Key: media, MIME: mime}}
}

// soundKind is the format of a recording, amr or speex.
func soundKind(format string) string {
	if format == "speex" {
		return format
	}
	return "amr"
}

func clean(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// maxLabel is the longest name of a place in bytes.
const maxLabel = 256
