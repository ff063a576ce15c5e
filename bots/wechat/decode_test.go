package wechat

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/eatmoreapple/openwechat"

	"shaoying/bots"
	"shaoying/bots/wechat/wechatfake"
)

// still is a receiver that asks nobody: it knows two contacts and a group.
func still(t testing.TB) *receiver {
	t.Helper()
	cfg := settings(t, "")
	words, err := cfg.Limits.compile()
	if err != nil {
		t.Fatal(err)
	}
	self := &openwechat.User{UserName: "@self", NickName: "社区小助手"}
	s := &session{self: self, mark: markOf(self.UserName)}
	s.people = newContacts(s)
	li := &openwechat.User{UserName: "@li", NickName: "李阿姨", RemarkName: "r:abcdefgh"}
	s.people.add(openwechat.Members{
		li,
		{UserName: "@news", NickName: "日报", VerifyFlag: 24},
		{UserName: "@@hall", NickName: "三号楼", MemberList: openwechat.Members{li, {UserName: "@self", NickName: "社区小助手", DisplayName: "小助手"}}},
	})
	for _, name := range []string{"@stranger", "@@unknown"} {
		s.people.asked[name] = true
	}
	return &receiver{Adapter: &Adapter{cfg: cfg, limits: cfg.Limits, words: words}, s: s}
}

func TestDecode(t *testing.T) {
	r := still(t)
	private := func(kind openwechat.MessageType, content string) *openwechat.Message {
		return &openwechat.Message{MsgId: "7", FromUserName: "@li", ToUserName: "@self", MsgType: kind, Content: content, CreateTime: 1764150000}
	}
	hall := func(content string) *openwechat.Message {
		m := private(1, "@li:<br/>"+content)
		m.FromUserName = "@@hall"
		return m
	}
	app := func(kind openwechat.AppMessageType, content string) *openwechat.Message {
		m := private(49, content)
		m.AppMsgType = kind
		return m
	}
	from := func(m *openwechat.Message, name string) *openwechat.Message { m.FromUserName = name; return m }
	nothing := bots.Kind("")
	for name, c := range map[string]struct {
		m         *openwechat.Message
		kind      bots.Kind
		text      string
		overheard bool
	}{
		"words":                        {m: private(1, "路灯坏了"), kind: bots.KindText, text: "路灯坏了"},
		"lines and signs":              {m: private(1, "1 &lt; 2<br/>&amp;amp;"), kind: bots.KindText, text: "1 < 2\n&amp;"},
		"an emoji":                     {m: private(1, `好<span class="emoji emoji1f44d"></span>`), kind: bots.KindText, text: "好👍"},
		"a flag":                       {m: private(1, `<span class="emoji emoji1f1e81f1f3"></span>`), kind: bots.KindText, text: "🇨🇳"},
		"a small emoji":                {m: private(1, `<span class="emoji emoji2600"></span>`), kind: bots.KindText, text: "☀"},
		"an emoji that is none":        {m: private(1, `<span class="emoji emojid800"></span>`), kind: bots.KindOther},
		"an emoji that somebody typed": {m: private(1, `&lt;span class="emoji emoji1f44d"&gt;&lt;/span&gt;`), kind: bots.KindText, text: `<span class="emoji emoji1f44d"></span>`},
		"nothing":                      {m: private(1, " "), kind: bots.KindOther},
		"an answer that quotes":        {m: private(1, "「社区小助手：满意吗？<br/>1 满意<br/>2 不满意」<br/>- - - - - - - - - - - - - - -<br/>2"), kind: bots.KindText, text: "2"},
		"a new answer that quotes":     {m: app(57, `&lt;msg&gt;<br/>&lt;appmsg&gt;&lt;title&gt;2&lt;/title&gt;&lt;/appmsg&gt;&lt;/msg&gt;`), kind: bots.KindText, text: "2"},
		"a link":                       {m: app(5, "&lt;msg/&gt;"), kind: bots.KindOther},
		"a broken quote":               {m: app(57, "&lt;msg"), kind: bots.KindOther},
		"a sticker":                    {m: private(47, "x"), kind: bots.KindOther},
		"a film":                       {m: private(43, "x"), kind: bots.KindOther},
		"a picture":                    {m: private(3, "x"), kind: bots.KindPhoto},
		"a recording":                  {m: private(34, "x"), kind: bots.KindVoice},
		"a new contact":                {m: private(10000, "你已添加了李阿姨，现在可以开始聊天了。"), kind: bots.KindJoin},
		"a lost contact":               {m: private(10000, "李阿姨开启了朋友验证，你还不是他（她）朋友。"), kind: bots.KindLeave},
		"another line of WeChat":       {m: private(10000, "收到红包，请在手机上查看"), kind: nothing},
		"what the phone does":          {m: private(51, "x"), kind: nothing},
		"a recalled message":           {m: private(10002, "x"), kind: nothing},
		"a request":                    {m: from(private(37, "x"), "fmessage"), kind: nothing},
		"WeChat's team":                {m: from(private(1, "x"), "weixin"), kind: nothing},
		"our own words":                {m: from(private(1, "x"), "@self"), kind: nothing},
		"an Official Account":          {m: from(private(1, "今日头条"), "@news"), kind: nothing},
		"a stranger":                   {m: from(private(1, "在吗"), "@stranger"), kind: bots.KindText, text: "在吗"},
		"words in a group":             {m: hall("大家好"), kind: bots.KindText, text: "大家好", overheard: true},
		"a mention":                    {m: hall("@小助手\u2005灯坏了"), kind: bots.KindText, text: "灯坏了"},
		"a mention at the end":         {m: hall("灯坏了 @社区小助手"), kind: bots.KindText, text: "灯坏了"},
		"a mention of another":         {m: hall("@小助手二号 灯坏了"), kind: bots.KindText, text: "@小助手二号 灯坏了", overheard: true},
		"a mention alone":              {m: hall("@小助手\u2005"), kind: bots.KindOther},
		"a quote of us in a group":     {m: hall("「社区小助手：谁来？」<br/>- - - - - - - - - - - - - - -<br/>我来"), kind: bots.KindText, text: "我来"},
		"a quote of another":           {m: hall("「李阿姨：谁来？」<br/>- - - - - - - - - - - - - - -<br/>我来"), kind: bots.KindText, text: "我来", overheard: true},
		"a group that nobody knows":    {m: from(hall("大家好"), "@@unknown"), kind: bots.KindText, text: "大家好", overheard: true},
		"a group's line of WeChat":     {m: from(private(10000, "李阿姨加入了群聊"), "@@hall"), kind: nothing},
		"a group without a speaker":    {m: from(private(1, "x"), "@@hall"), kind: nothing},
	} {
		ev, ok := r.event(t.Context(), c.m)
		if ok != (c.kind != nothing) {
			t.Errorf("%s: is an event: %v", name, ok)
			continue
		}
		if !ok {
			continue
		}
		if err := ev.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if ev.Kind != c.kind || ev.Text != c.text || ev.Overheard != c.overheard {
			t.Errorf("%s: %s %q, overheard %v", name, ev.Kind, ev.Text, ev.Overheard)
		}
	}
	m := hall("大家好")
	ev, _ := r.event(t.Context(), m)
	if ev.From.Name != "李阿姨" || len(ev.From.Hints) != 1 || ev.From.Hints[0] != "r:abcdefgh" || ev.Chat != ChatOf("@self", "@@hall") {
		t.Errorf("a speaker of a group is %+v in %q", ev.From, ev.Chat)
	}
}

func TestPlaces(t *testing.T) {
	const lat, lon = 27.622912, 113.854556
	b := newBench(t)
	li := b.net.Person("李阿姨")
	b.login()
	for n, original := range []bool{false, true} {
		li.SendsPlace(lat, lon, "昌盛小区", original)
		ev := b.hears(n + 1)
		if p := ev.Place; p == nil || math.Abs(p.Lat-lat) > 1e-5 || math.Abs(p.Lon-lon) > 1e-5 || p.Label != "昌盛小区" {
			t.Errorf("original %v: %s %+v", original, ev.Kind, p)
		}
	}
	r := still(t)
	for name, c := range map[string]struct {
		url, content string
		kind         bots.Kind
		text         string
	}{
		"without coordinates":  {"http://apis.map.qq.com/uri/v1/geocoder", "昌盛小区:<br/>/cgi-bin/x&pictype=location", bots.KindText, "昌盛小区"},
		"of another server":    {"http://evil.example/?coord=1,2", "看这里:<br/>第二行", bots.KindText, "看这里:\n第二行"},
		"of a false server":    {"http://apis.map.qq.com.evil.example/?coord=1,2", "塔:<br/>/cgi-bin/x", bots.KindText, "塔"},
		"off the globe":        {"http://apis.map.qq.com/?coord=91,2", "塔:<br/>/cgi-bin/x", bots.KindText, "塔"},
		"without any words":    {"http://apis.map.qq.com/", "/cgi-bin/x", bots.KindOther, ""},
		"numbers that are not": {"http://apis.map.qq.com/?coord=NaN,2", "塔:<br/>/cgi-bin/x", bots.KindText, "塔"},
	} {
		m := openwechat.Message{MsgId: "7", FromUserName: "@li", MsgType: 1, Url: c.url, Content: c.content}
		if ev, ok := r.event(t.Context(), &m); !ok || ev.Kind != c.kind || ev.Text != c.text || ev.Validate() != nil {
			t.Errorf("a place %s: %s %q %v", name, ev.Kind, ev.Text, ev.Validate())
		}
	}
}

// In a group our own name is learned from its members, once.
func TestGroupNamesAreLearned(t *testing.T) {
	b := newBench(t)
	li := b.net.Person("李阿姨")
	hall := b.net.Group("三号楼", li)
	b.login()
	for n, text := range []string{"大家好", "@" + wechatfake.SelfNick + "\u2005灯坏了"} {
		li.SaysIn(hall, text)
		if ev := b.hears(n + 1); ev.From.Name != "李阿姨" || ev.Overheard != (n == 0) || ev.From.User != bots.UserID(ChatOf(b.net.Self(), li.Name())) {
			t.Errorf("%q: %+v, overheard %v", text, ev.From, ev.Overheard)
		}
	}
	if n := b.net.Hits("webwxbatchgetcontact"); n != 1 {
		t.Errorf("a group was asked about %d times", n)
	}
}

// Whatever WeChat sends becomes an event that keeps the contract, or none.
func FuzzEvent(f *testing.F) {
	files, err := filepath.Glob("testdata/messages/*")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for i, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]int{1, 3, 34, 48, 49, 10000}[i%6], 57, "@@hall", string(body), "http://apis.map.qq.com/?coord=27.6,113.8", string(body))
		f.Add(1, 0, "@li", string(body), "", "")
	}
	f.Fuzz(func(t *testing.T, kind, app int, from, content, url, original string) {
		if !utf8.ValidString(from + content + url + original) {
			return // JSON is always valid
		}
		r := still(t)
		r.s.people.asked[from] = true
		m := &openwechat.Message{MsgId: "7", MsgType: openwechat.MessageType(kind), AppMsgType: openwechat.AppMessageType(app), FromUserName: from, Content: content, Url: url, OriContent: original}
		if ev, ok := r.event(t.Context(), m); ok {
			if err := ev.Validate(); err != nil {
				t.Error(err)
			}
		}
	})
}
