package officialaccount

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
)

func reader(t testing.TB) decoder {
	l := limits(t)
	return decoder{"oa", regexp.MustCompile(l.InvitePayload), l.InviteWords}
}

// read is the one event of a push, or none.
func read(t testing.TB, inner string) *bots.Event {
	t.Helper()
	p, err := parse([]byte("<xml><ToUserName>gh_1</ToUserName><FromUserName>oA</FromUserName><CreateTime>1772500000</CreateTime>" + inner + "</xml>"))
	if err != nil {
		t.Fatal(err)
	}
	events, err := reader(t).decode(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(events) == 0 {
		return nil
	}
	if len(events) > 1 {
		t.Fatalf("%d events", len(events))
	}
	return &events[0]
}

func TestDecode(t *testing.T) {
	base := bots.Event{
		Channel: "oa", Chat: "oA", From: bots.Identity{User: "oA", Trust: bots.TrustStable}, At: time.Unix(1772500000, 0).UTC(), Key: "m:7",
	}
	with := func(f func(*bots.Event)) *bots.Event { ev := base; f(&ev); return &ev }
	kind := func(k bots.Kind, text string) *bots.Event {
		return with(func(ev *bots.Event) { ev.Kind, ev.Text = k, text })
	}
	message := func(kind, more string) string { return "<MsgType>" + kind + "</MsgType>" + more + "<MsgId>7</MsgId>" }
	event := func(name, key, more string) string {
		return "<MsgType>event</MsgType><Event>" + name + "</Event><EventKey>" + key + "</EventKey>" + more
	}
	for name, c := range map[string]struct {
		push string
		want *bots.Event
	}{
		"text":       {message("text", "<Content><![CDATA[灯坏了 <b>]]></Content>"), kind(bots.KindText, "灯坏了 <b>")},
		"no words":   {message("text", ""), kind(bots.KindOther, "")},
		"a tap":      {message("text", "<Content>满意</Content><bizmsgmenuid>s1</bizmsgmenuid>"), with(func(ev *bots.Event) { ev.Kind, ev.Text, ev.Choice = bots.KindChoice, "满意", "s1" })},
		"image":      {message("image", "<PicUrl>http://x</PicUrl><MediaId>M</MediaId>"), with(func(ev *bots.Event) { ev.Kind, ev.Files = bots.KindPhoto, file("M", "image/jpeg") })},
		"image lost": {message("image", "<PicUrl>http://x</PicUrl>"), kind(bots.KindOther, "")},
		"video":      {message("shortvideo", "<MediaId>M</MediaId><ThumbMediaId>T</ThumbMediaId>"), with(func(ev *bots.Event) { ev.Kind, ev.Files = bots.KindPhoto, file("T", "image/jpeg") })},
		"voice": {
			message("voice", "<MediaId>M</MediaId><Format>amr</Format><Recognition>井盖坏了。</Recognition>"),
			with(func(ev *bots.Event) {
				ev.Kind, ev.Text, ev.Files = bots.KindVoice, "井盖坏了。", file("M", "audio/amr")
			}),
		},
		"voice without words": {message("voice", "<MediaId>M</MediaId><Format>speex</Format>"), with(func(ev *bots.Event) { ev.Kind, ev.Files = bots.KindVoice, file("M", "audio/speex") })},
		"link":                {message("link", "<Title>看这里</Title><Url>http://x/</Url>"), kind(bots.KindText, "看这里\nhttp://x/")},
		"sticker":             {message("emoji", ""), kind(bots.KindOther, "")},
		"nowhere":             {message("location", "<Location_X>91</Location_X><Location_Y>NaN</Location_Y>"), kind(bots.KindOther, "")},
		"view":                {event("VIEW", "http://x", ""), nil},
		"position on opening": {event("LOCATION", "", "<Latitude>27</Latitude>"), nil},
		"empty menu key":      {event("CLICK", "", ""), nil},
	} {
		if got := read(t, c.push); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v\nwant %+v", name, got, c.want)
		}
	}
	for name, c := range map[string]struct {
		push string
		kind bots.Kind
		text string
	}{
		"follow":             {event("subscribe", "", ""), bots.KindJoin, ""},
		"follow by a poster": {event("subscribe", "qrscene_poster3", "<Ticket>t</Ticket>"), bots.KindJoin, ""},
		"follow by invite":   {event("subscribe", "qrscene_7KQ2M9XD", "<Ticket>t</Ticket>"), bots.KindText, "加入 7KQ2M9XD"},
		"scan an invite":     {event("SCAN", "7KQ2M9XD", "<Ticket>t</Ticket>"), bots.KindText, "加入 7KQ2M9XD"},
		"scan a poster":      {event("SCAN", "12", "<Ticket>t</Ticket>"), bots.KindJoin, ""},
		"unfollow":           {event("unsubscribe", "", ""), bots.KindLeave, ""},
		"menu":               {event("CLICK", "我的工单", ""), bots.KindText, "我的工单"},
	} {
		got := read(t, c.push)
		if got == nil || got.Kind != c.kind || got.Text != c.text || !strings.HasPrefix(got.Key, "e:oA:1772500000:") {
			t.Errorf("%s: %+v", name, got)
		}
		if again := read(t, c.push); again.Key != got.Key {
			t.Errorf("%s: the same event came as %q and %q", name, got.Key, again.Key)
		}
	}
	if a, b := read(t, event("CLICK", "报事", "")), read(t, event("CLICK", "帮助", "")); a.Key == b.Key {
		t.Error("two taps in one second share a key")
	}
}

func ftoa(f float64) string { return strconv.FormatFloat(f, 'f', 7, 64) }

func TestDecodePlace(t *testing.T) {
	lat, lon := bots.ToGCJ02(27.622912, 113.854556)
	ev := read(t, "<MsgType>location</MsgType>"+strings.NewReplacer("LAT", ftoa(lat), "LON", ftoa(lon)).Replace("<Location_X>LAT</Location_X><Location_Y>LON</Location_Y>")+
		"<Label>"+strings.Repeat("昌盛小区&#10;", 40)+"</Label><MsgId>7</MsgId>")
	if p := ev.Place; math.Abs(p.Lat-27.622912) > 1e-5 || math.Abs(p.Lon-113.854556) > 1e-5 || len(p.Label) > maxLabel || !strings.HasPrefix(p.Label, "昌盛小区 昌盛") {
		t.Errorf("%+v", p)
	}
}

func TestDecodeReports(t *testing.T) {
	ev := read(t, "<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>200163836</MsgID><Status>failed:user block</Status>")
	if r := ev.Report; r == nil || r.ID != noticeID("200163836") || r.State != bots.ReportFailed || r.Code != "failed:user block" {
		t.Errorf("%+v", ev)
	}
	ev = read(t, "<MsgType>event</MsgType><Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List><TemplateId>t</TemplateId><MsgID>170</MsgID>"+
		"<ErrorCode>0</ErrorCode><ErrorStatus>success</ErrorStatus></List></SubscribeMsgSentEvent>")
	if r := ev.Report; r == nil || r.ID != noticeID("170") || r.State != bots.ReportDelivered {
		t.Errorf("%+v", ev)
	}
	// What WeChat tells of the account has no user.
	p, err := parse([]byte("<xml><FromUserName>系统</FromUserName><MsgType>event</MsgType><Event>naming_verify_success</Event></xml>"))
	if events, bad := reader(t).decode(p); err != nil || bad != nil || events != nil {
		t.Errorf("%+v %v %v", events, err, bad)
	}
}

// Nothing that anybody posts makes the decoder panic, or an event that the
// contract forbids; the same push has the same key.
func FuzzDecode(f *testing.F) {
	seeds, err := filepath.Glob("testdata/push/*.xml")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range seeds {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	d := reader(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := parse(body)
		if err != nil {
			return
		}
		events, err := d.decode(p)
		if err != nil {
			return
		}
		for _, ev := range events {
			if err := ev.Validate(); err != nil {
				t.Fatal(err)
			}
		}
		if again, err := d.decode(p); err != nil || !reflect.DeepEqual(again, events) {
			t.Fatalf("%+v\n%+v %v", events, again, err)
		}
	})
}
