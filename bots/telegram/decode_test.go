package telegram

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
)

// testDecoder is the decoder of @shaoying_bot, user 7000000001.
func testDecoder() decoder {
	return decoder{"tg", 7000000001, "shaoying_bot", regexp.MustCompile(`^[2-9A-HJKMNP-Z]{8}$`), "加入"}
}

const (
	private = `"chat":{"id":5001,"first_name":"张三","type":"private"}`
	group   = `"chat":{"id":-1001234567890,"title":"3栋","type":"supergroup"}`
	zhang   = `"from":{"id":5001,"is_bot":false,"first_name":"张","last_name":"三","username":"zhang3","language_code":"zh-hans"}`
	ourself = `"from":{"id":7000000001,"is_bot":true,"first_name":"哨应","username":"shaoying_bot"}`
)

var when = time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC) // 1772499600

// said is the event of a private message with key 5001:17.
func said(change func(*bots.Event)) []bots.Event {
	ev := bots.Event{
		Key: "5001:17", Channel: "tg", Chat: "5001", At: when, Kind: bots.KindText,
		From: bots.Identity{User: "5001", Trust: bots.TrustStable, Name: "张 三"},
	}
	change(&ev)
	return []bots.Event{ev}
}

// spoken is the event of a message in a group.
func spoken(change func(*bots.Event)) []bots.Event {
	list := said(change)
	list[0].Group = true
	if list[0].Chat == "5001" {
		list[0].Chat = "-1001234567890"
	}
	if list[0].Key == "5001:17" {
		list[0].Key = "-1001234567890:17"
	}
	return list
}

// inPrivate wraps the content of a private message.
func inPrivate(content string) string {
	return `{"update_id":881,"message":{"message_id":17,` + zhang + `,` + private + `,"date":1772499600,` + content + `}}`
}

// inGroup wraps the content of a message in a group.
func inGroup(content string) string {
	return `{"update_id":881,"message":{"message_id":17,` + zhang + `,` + group + `,"date":1772499600,` + content + `}}`
}

func text(s string) func(*bots.Event) { return func(e *bots.Event) { e.Text = s } }

func unread(e *bots.Event) { e.Kind = bots.KindOther }

func overheard(s string) func(*bots.Event) {
	return func(e *bots.Event) { e.Text, e.Overheard = s, true }
}

func photo(caption string, f bots.File) func(*bots.Event) {
	return func(e *bots.Event) { e.Kind, e.Text, e.Files = bots.KindPhoto, caption, []bots.File{f} }
}

// One row is one update as the Bot API sends it.
func TestUpdates(t *testing.T) {
	for _, c := range []struct {
		name, update string
		want         []bots.Event
	}{
		{"words", inPrivate(`"text":"楼道灯坏了"`), said(text("楼道灯坏了"))},
		{"words are not trimmed", inPrivate(`"text":" a\nb "`), said(text(" a\nb "))},
		{"a NUL is taken out", inPrivate(`"text":"a\u0000b"`), said(text("ab"))},
		{"half a surrogate", inPrivate(`"text":"a\ud83d"`), said(text("a\ufffd"))},
		{"a forwarded message", inPrivate(`"forward_origin":{"type":"hidden_user","sender_user_name":"李","date":1},"text":"停水通知"`), said(text("停水通知"))},
		{"an origin of a later Bot API", inPrivate(`"forward_origin":{"type":"telepathy"},"text":"停水"`), said(text("停水"))},
		{"start", inPrivate(`"text":"/start","entities":[{"offset":0,"length":6,"type":"bot_command"}]`), said(func(e *bots.Event) { e.Kind = bots.KindJoin })},
		{"start by name", inPrivate(`"text":"/start@Shaoying_Bot"`), said(func(e *bots.Event) { e.Kind = bots.KindJoin })},
		{"a deep link", inPrivate(`"text":"/start changsheng3"`), said(func(e *bots.Event) { e.Kind = bots.KindJoin })},
		{"an invite", inPrivate(`"text":"/start 7KQ2M9XD"`), said(text("加入 7KQ2M9XD"))},
		{"a command", inPrivate(`"text":"/help"`), said(text("help"))},
		{"a command with words", inPrivate(`"text":"/接 3"`), said(text("接 3"))},
		{"a path is no command", inPrivate(`"text":"/home/a"`), said(text("/home/a"))},
		{"a bare slash", inPrivate(`"text":"/"`), said(text("/"))},
		{"a slash before words", inPrivate(`"text":"/ 3"`), said(text("/ 3"))},
		{"a command for another bot", inPrivate(`"text":"/help@else_bot"`), said(text("/help@else_bot"))},
		{
			"a photo", inPrivate(`"photo":[{"file_id":"S","file_unique_id":"s","file_size":900,"width":90,"height":67},{"file_id":"L","file_unique_id":"l","file_size":99000,"width":1280,"height":960},{"file_id":"M","file_unique_id":"m","file_size":9000,"width":320,"height":240}],"caption":"井盖"`),
			said(photo("井盖", bots.File{Key: "L", MIME: "image/jpeg", Size: 99000})),
		},
		{
			"one of an album", inPrivate(`"media_group_id":"13400","photo":[{"file_id":"L","width":1280,"height":960}]`),
			said(photo("", bots.File{Key: "L", MIME: "image/jpeg"})),
		},
		{
			"a picture as a file", inPrivate(`"document":{"file_name":"井盖.png","mime_type":"image/png","file_id":"D","file_unique_id":"d","file_size":5},"caption":"看"`),
			said(photo("看", bots.File{Key: "D", MIME: "image/png", Name: "井盖.png", Size: 5})),
		},
		{"another file", inPrivate(`"document":{"file_name":"a.pdf","mime_type":"application/pdf","file_id":"D"}`), said(unread)},
		{"another file with words", inPrivate(`"document":{"mime_type":"application/pdf","file_id":"D"},"caption":"申请"`), said(text("申请"))},
		{
			"a video", inPrivate(`"video":{"duration":9,"width":1280,"height":720,"file_id":"V","thumbnail":{"file_id":"T","file_size":7,"width":320,"height":180}},"caption":"漏水"`),
			said(photo("漏水", bots.File{Key: "T", MIME: "image/jpeg", Size: 7})),
		},
		{"a round video without a still", inPrivate(`"video_note":{"duration":9,"length":240,"file_id":"V"}`), said(unread)},
		{
			"a voice", inPrivate(`"voice":{"duration":3,"mime_type":"audio/ogg","file_id":"O","file_unique_id":"o","file_size":4000}`),
			said(func(e *bots.Event) {
				e.Kind, e.Files = bots.KindVoice, []bots.File{{Key: "O", MIME: "audio/ogg", Size: 4000}}
			}),
		},
		{
			"a sound file", inPrivate(`"audio":{"duration":3,"mime_type":"audio/mpeg","file_name":"a.mp3","file_id":"A"}`),
			said(func(e *bots.Event) {
				e.Kind, e.Files = bots.KindVoice, []bots.File{{Key: "A", MIME: "audio/mpeg", Name: "a.mp3"}}
			}),
		},
		{
			"a position", inPrivate(`"location":{"latitude":27.622912,"longitude":113.854556}`),
			said(func(e *bots.Event) {
				e.Kind, e.Place = bots.KindPlace, &bots.Place{Lat: 27.622912, Lon: 113.854556, Datum: bots.DatumWGS84}
			}),
		},
		{
			"a place with a name", inPrivate(`"location":{"latitude":27.6,"longitude":113.8},"venue":{"location":{"latitude":27.6,"longitude":113.8},"title":"昌盛小区","address":"安源区"}`),
			said(func(e *bots.Event) {
				e.Kind, e.Place = bots.KindPlace, &bots.Place{Lat: 27.6, Lon: 113.8, Datum: bots.DatumWGS84, Label: "昌盛小区"}
			}),
		},
		{"the own number", inPrivate(`"contact":{"phone_number":"+8613812345678","first_name":"张","user_id":5001}`), said(text("+8613812345678"))},
		{"another number", inPrivate(`"contact":{"phone_number":"0799 6661234","first_name":"居委会"}`), said(text("居委会 0799 6661234"))},
		{"a sticker", inPrivate(`"sticker":{"width":512,"height":512,"emoji":"👍","file_id":"S"}`), said(unread)},
		{"a poll", inPrivate(`"poll":{"id":"1","question":"?","options":[]}`), said(unread)},
		{"a service message", inPrivate(`"pinned_message":{"message_id":3,"date":1,` + private + `}`), nil},
		{
			"an answer to our message", inPrivate(`"reply_to_message":{"message_id":9,` + ourself + `,` + private + `,"date":1,"text":"对吗？"},"text":"对"`),
			said(func(e *bots.Event) { e.Text, e.ReplyTo = "对", "9" }),
		},
		{
			"an answer to our photo", inPrivate(`"reply_to_message":{"message_id":9,` + ourself + `,` + private + `,"date":1,"photo":[{"file_id":"x","width":1,"height":1}]},"text":"对"`),
			said(func(e *bots.Event) { e.Text, e.ReplyTo = "对", "p9" }),
		},
		{"an answer to oneself", inPrivate(`"reply_to_message":{"message_id":9,` + zhang + `,` + private + `,"date":1,"text":"灯"},"text":"还没修"`), said(text("还没修"))},
		{
			"an edit", `{"update_id":882,"edited_message":{"message_id":17,` + zhang + `,` + private + `,"date":1772499000,"edit_date":1772499600,"text":"4栋"}}`,
			said(func(e *bots.Event) { e.Key, e.Text = "5001:17:1772499600", "4栋" }),
		},
		{"a live position moves", `{"update_id":882,"edited_message":{"message_id":17,` + zhang + `,` + private + `,"date":1,"edit_date":2,"location":{"latitude":1,"longitude":1,"live_period":900}}}`, nil},
		{
			"a tap", `{"update_id":883,"callback_query":{"id":"4382bfdwdsb323b2d9",` + zhang + `,"message":{"message_id":9,` + ourself + `,` + private + `,"date":1772499000,"text":"对吗？"},"chat_instance":"-37","data":"AQx"}}`,
			said(func(e *bots.Event) {
				e.Key, e.At, e.Kind, e.Choice, e.ReplyTo = "cb:4382bfdwdsb323b2d9", time.Time{}, bots.KindChoice, "AQx", "9"
			}),
		},
		{
			"a tap on an old message", `{"update_id":883,"callback_query":{"id":"438",` + zhang + `,"message":{` + private + `,"message_id":9,"date":0},"chat_instance":"-37","data":"AQx"}}`,
			said(func(e *bots.Event) {
				e.Key, e.At, e.Kind, e.Choice, e.ReplyTo = "cb:438", time.Time{}, bots.KindChoice, "AQx", "9"
			}),
		},
		{"a tap on a game", `{"update_id":883,"callback_query":{"id":"438",` + zhang + `,"chat_instance":"-37","game_short_name":"x"}}`, nil},
		{
			"blocked", `{"update_id":884,"my_chat_member":{` + private + `,` + zhang + `,"date":1772499600,"old_chat_member":{"user":{"id":7000000001,"is_bot":true},"status":"member"},"new_chat_member":{"user":{"id":7000000001,"is_bot":true},"status":"kicked","until_date":0}}}`,
			said(func(e *bots.Event) { e.Key, e.Kind = "my:5001:1772499600:kicked", bots.KindLeave }),
		},
		{
			"unblocked, with /start to follow", `{"update_id":884,"my_chat_member":{` + private + `,` + zhang + `,"date":1772499600,"old_chat_member":{"status":"kicked"},"new_chat_member":{"status":"member"}}}`,
			nil,
		},

		{"overheard", inGroup(`"text":"今天停水"`), spoken(overheard("今天停水"))},
		{"a command in a group", inGroup(`"text":"/接@shaoying_bot 3"`), spoken(text("接 3"))},
		{"a command with our name behind", inGroup(`"text":"/接 3@shaoying_bot"`), spoken(text("接 3"))},
		{"a mention", inGroup(`"text":"@Shaoying_Bot 灯坏了"`), spoken(text("灯坏了"))},
		{"a mention inside", inGroup(`"text":"问问 @shaoying_bot 怎么报修"`), spoken(text("问问 怎么报修"))},
		{"a mention between characters", inGroup(`"text":"请@shaoying_bot看看"`), spoken(text("请 看看"))},
		{"nothing but a mention", inGroup(`"text":"@shaoying_bot"`), spoken(unread)},
		{"a longer name", inGroup(`"text":"@shaoying_bot2 你好"`), spoken(overheard("@shaoying_bot2 你好"))},
		{"a command for another", inGroup(`"text":"/help@else_bot"`), spoken(overheard("/help@else_bot"))},
		{
			"an answer to us in a group", inGroup(`"reply_to_message":{"message_id":9,` + ourself + `,` + group + `,"date":1,"text":"谁接？"},"text":"我来"`),
			spoken(func(e *bots.Event) { e.Text, e.ReplyTo = "我来", "9" }),
		},
		{"a photo in a group", inGroup(`"photo":[{"file_id":"L","width":1,"height":1}],"caption":"@shaoying_bot 看"`), spoken(photo("看", bots.File{Key: "L", MIME: "image/jpeg"}))},
		{"an overheard sticker", inGroup(`"sticker":{"file_id":"S"}`), nil},
		{
			"newcomers", inGroup(`"new_chat_members":[{"id":5002,"is_bot":false,"first_name":"李四"},{"id":5003,"is_bot":true,"first_name":"b"},{"id":5001,"is_bot":false,"first_name":"张","last_name":"三"}]`),
			append(
				spoken(func(e *bots.Event) {
					e.Key, e.Kind, e.From.User, e.From.Name = "-1001234567890:17:5002", bots.KindJoin, "5002", "李四"
				}),
				spoken(func(e *bots.Event) { e.Key, e.Kind = "-1001234567890:17:5001", bots.KindJoin })...),
		},
		{"we are taken in, as a message", inGroup(`"new_chat_members":[{"id":7000000001,"is_bot":true,"first_name":"哨应"}]`), nil},
		{
			"somebody left", inGroup(`"left_chat_member":{"id":5001,"is_bot":false,"first_name":"张","last_name":"三"}`),
			spoken(func(e *bots.Event) { e.Key, e.Kind = "-1001234567890:17:5001", bots.KindLeave }),
		},
		{
			"taken into a group", `{"update_id":885,"my_chat_member":{` + group + `,` + zhang + `,"date":1772499600,"old_chat_member":{"status":"left"},"new_chat_member":{"status":"member"}}}`,
			spoken(func(e *bots.Event) { e.Key, e.Kind = "my:-1001234567890:1772499600:member", bots.KindJoin }),
		},
		{"made an admin", `{"update_id":885,"my_chat_member":{` + group + `,` + zhang + `,"date":1,"old_chat_member":{"status":"member"},"new_chat_member":{"status":"administrator"}}}`, nil},
		{"muted, but there", `{"update_id":885,"my_chat_member":{` + group + `,` + zhang + `,"date":1,"old_chat_member":{"status":"member"},"new_chat_member":{"status":"restricted","is_member":true}}}`, nil},
		{
			"thrown out", `{"update_id":885,"my_chat_member":{` + group + `,` + zhang + `,"date":1772499600,"old_chat_member":{"status":"administrator"},"new_chat_member":{"status":"left"}}}`,
			spoken(func(e *bots.Event) { e.Key, e.Kind = "my:-1001234567890:1772499600:left", bots.KindLeave }),
		},
		{
			"a group moves, told in the old one", `{"update_id":886,"message":{"message_id":40,` + zhang + `,"chat":{"id":-55,"type":"group","title":"3栋"},"date":1772499600,"migrate_to_chat_id":-1001234567890}}`,
			spoken(func(e *bots.Event) {
				e.Key, e.Kind, e.Chat, e.NewChat = "moved:-55:-1001234567890", bots.KindMoved, "-55", "-1001234567890"
			}),
		},
		{
			"a group moves, told in the new one", `{"update_id":887,"message":{"message_id":1,"from":{"id":1087968824,"is_bot":true,"first_name":"Group"},"sender_chat":{"id":-1001234567890,"type":"supergroup"},` + group + `,"date":1772499600,"migrate_from_chat_id":-55}}`,
			spoken(func(e *bots.Event) {
				e.Key, e.Kind, e.Chat, e.NewChat = "moved:-55:-1001234567890", bots.KindMoved, "-55", "-1001234567890"
				e.From = bots.Identity{User: "1087968824", Trust: bots.TrustStable, Name: "Group"}
			}),
		},

		{"a post of a channel", `{"update_id":1,"channel_post":{"message_id":1,"chat":{"id":-1009,"type":"channel"},"date":1,"text":"x"}}`, nil},
		{"a channel's post in its group", inGroup(`"sender_chat":{"id":-1009,"type":"channel"},"is_automatic_forward":true,"text":"x"`), nil},
		{"another bot", `{"update_id":1,"message":{"message_id":1,"from":{"id":9,"is_bot":true,"first_name":"b"},` + group + `,"date":1,"text":"@shaoying_bot x"}}`, nil},
		{"an update of a later Bot API", `{"update_id":1,"thought":{"x":1}}`, nil},
		{"nothing", `{}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := testDecoder().decode([]byte(c.update))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.events, c.want) {
				t.Errorf("got  %s\nwant %s", show(t, got.events), show(t, c.want))
			}
		})
	}
}

func show(t *testing.T, v any) string {
	t.Helper()
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Every tap is answered, also one that means nothing to us.
func TestEveryTapIsAnswered(t *testing.T) {
	got, err := testDecoder().decode([]byte(`{"callback_query":{"id":"438",` + zhang + `,"game_short_name":"x"}}`))
	if err != nil || got.tap != "438" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	for name, update := range map[string]string{
		"no JSON":               `{oops`,
		"a list":                `[]`,
		"words that are none":   inPrivate(`"text":{"a":1}`),
		"a place off the globe": inPrivate(`"location":{"latitude":127.6,"longitude":113.8}`),
		"a tap of 200 bytes":    `{"callback_query":{"id":"4",` + zhang + `,"message":{` + private + `,"message_id":9},"data":"` + strings.Repeat("x", 200) + `"}}`,
	} {
		if got, err := testDecoder().decode([]byte(update)); err == nil || len(got.events) > 0 || strings.Contains(err.Error(), "oops") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// FuzzDecode: nothing that comes over the net panics, and every event that
// comes of it keeps the contract.
func FuzzDecode(f *testing.F) {
	seeds, err := filepath.Glob("testdata/updates/*.json")
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
	d := testDecoder()
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := d.decode(raw)
		if err != nil && len(got.events) > 0 {
			t.Fatalf("an error and %d events", len(got.events))
		}
		for _, ev := range got.events {
			if err := ev.Validate(); err != nil {
				t.Fatal(err)
			}
		}
		again, _ := d.decode(raw)
		if !reflect.DeepEqual(got, again) {
			t.Fatal("read twice, it is not the same")
		}
	})
}
