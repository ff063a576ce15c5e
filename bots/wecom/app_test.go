package wecom_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/bots/wecom"
	"shaoying/bots/wecom/wecomfake"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

var yesNo = []bots.Choice{{Label: "接单", Data: "take"}, {Label: "退单", Data: "return"}}

// A text goes onto the card where it fits, else above it.
func TestCards(t *testing.T) {
	r := newRig(t, wecom.ModeApp)
	defer r.Close()
	head := strings.Repeat("题", 36)
	for i, c := range []struct {
		text string
		want []string // type and text of what is shown
	}{
		{"满意吗？", []string{"template_card", "满意吗？"}},
		{head + "\n" + strings.Repeat("文", 160), []string{"template_card", head + "\n" + strings.Repeat("文", 160)}},
		{head + "题", []string{"template_card", "请点下面的按钮\n" + head + "题"}},
		{"\n空一行", []string{"template_card", "请点下面的按钮\n\n空一行"}},
		{strings.Repeat("长", 161), []string{"text", strings.Repeat("长", 161), "template_card", "请点下面的按钮"}},
	} {
		before := len(r.net.Sent())
		receipt := ok(t, r, bots.Message{Key: string(rune('a' + i)), Text: c.text, Choices: yesNo})
		var got []string
		for _, s := range r.net.Sent()[before:] {
			got = append(got, s.Type, s.Text)
		}
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%q is shown as %q", c.text, got)
		}
		last := r.net.Sent()[len(r.net.Sent())-1]
		if len(last.Buttons) != 2 || receipt.ID != last.ID {
			t.Errorf("the buttons are %+v, the receipt %s of card %s", last.Buttons, receipt.ID, last.ID)
		}
	}
}

// A tap names the card, and comes once however often it is pushed.
func TestTap(t *testing.T) {
	r := newRig(t, wecom.ModeApp)
	defer r.Close()
	h := r.serve(t)
	receipt := ok(t, r, bots.Message{Key: "1/0", Text: "接吗？", Choices: yesNo})
	card := r.net.Sent()[0]
	r.member(0).Taps(card, "退单")
	ev := h.row(t, 0)
	if ev.Kind != bots.KindChoice || ev.Choice != "return" || ev.ReplyTo != receipt.ID {
		t.Errorf("%+v", ev)
	}
	r.net.Redeliver()
	r.member(0).Taps(card, "退单")
	if ev := h.row(t, 1); ev.Key == h.row(t, 0).Key || len(h.sink.Rows()) != 2 {
		t.Errorf("two taps and a copy of one: %d rows", len(h.sink.Rows()))
	}
}

// A message whose answer was lost is sent again, and shown once; the same words
// under another key are shown again.
func TestLostAnswers(t *testing.T) {
	photo := &bots.Photo{Data: []byte("jpeg-jpeg-jpeg")}
	for what, m := range map[string]bots.Message{
		"text": {Key: "7/0", Text: "收到"}, "card": {Key: "7/0", Text: "接吗？", Choices: yesNo}, "photo": {Key: "7/0", Photo: photo},
	} {
		r := newRig(t, wecom.ModeApp)
		r.net.FailNext(wecomfake.Lost)
		_, err := send(t, r, m)
		class(t, err, bots.ClassUnknown)
		ok(t, r, m)
		if n := len(r.net.Sent()); n != 1 {
			t.Errorf("%s: shown %d times", what, n)
		}
		m.Key = "8/0"
		ok(t, r, m)
		if n := len(r.net.Sent()); n != 2 {
			t.Errorf("%s: two messages with the same words are shown as %d", what, n)
		}
		r.Close()
	}
}

// What broke off in the middle is sent again whole, and shown once.
func TestHalfSent(t *testing.T) {
	r := newRig(t, wecom.ModeApp)
	defer r.Close()
	m := bots.Message{Key: "7/0", Text: strings.Repeat("长", 200), Choices: yesNo, Photo: &bots.Photo{Data: bytes.Repeat([]byte("j"), 100)}}
	r.net.FailAt(3, wecomfake.Busy)
	_, err := send(t, r, m)
	class(t, err, bots.ClassTemporary)
	if n := len(r.net.Sent()); n != 2 {
		t.Fatalf("%d were shown before it broke off", n)
	}
	ok(t, r, m)
	var types []string
	for _, s := range r.net.Sent() {
		types = append(types, s.Type)
	}
	if got := strings.Join(types, " "); got != "image text template_card" {
		t.Errorf("shown: %s", got)
	}
}

// Whoever is not in the visible range is gone, though WeCom says ok.
func TestInvalidUser(t *testing.T) {
	r := newRig(t, wecom.ModeApp)
	defer r.Close()
	r.member(0).Leave()
	_, err := send(t, r, bots.Message{Key: "1/0", Text: "在吗"})
	class(t, err, bots.ClassGone)
	for _, everybody := range []bots.ChatID{"@all", "a|b", ""} {
		_, err := r.adapter.Send(t.Context(), bots.Address{Channel: "wc", Chat: everybody}, bots.Message{Key: "1/0", Text: "大家好"})
		class(t, err, bots.ClassRejected)
	}
}

// What residents write into a report is no link in the chat of the staff.
func TestNoLinks(t *testing.T) {
	r := newRig(t, wecom.ModeApp)
	defer r.Close()
	ok(t, r, bots.Message{Key: "1/0", Text: `点<a href="http://evil.example">这里</a>`})
	if got := r.net.Sent()[0].Text; strings.Contains(got, "<a") {
		t.Errorf("%q", got)
	}
}

// Opening the application is no event; what cannot be read is.
func TestOtherEvents(t *testing.T) {
	r := newRig(t, wecom.ModeApp)
	defer r.Close()
	h := r.serve(t)
	m := r.member(0)
	m.Opens()
	m.Follows()
	m.Sends("video", "<MediaId>v</MediaId><ThumbMediaId>t</ThumbMediaId>")
	m.Sends("link", "<Title>题目</Title><Description>说明</Description><Url>https://x.example/1</Url>")
	m.Sends("event", "<Event>click</Event><EventKey>我的工单</EventKey>")
	m.Says("完了\x01")
	h.row(t, 4)
	var got []string
	for _, ev := range h.sink.Rows() {
		got = append(got, string(ev.Kind)+" "+ev.Text)
	}
	want := "join |other |text 题目\nhttps://x.example/1|text 我的工单|text 完了"
	if s := strings.Join(got, "|"); strings.TrimRight(s, "\ufffd") != want {
		t.Errorf("%q, want %q", s, want)
	}
}
