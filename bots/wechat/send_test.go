package wechat

import (
	"net/http"
	"testing"

	"shaoying/bots"
	"shaoying/bots/wechat/wechatfake"
)

// What WeChat, and who stands between, says to a send, and what becomes of it.
func TestSendFails(t *testing.T) {
	b := newBench(t)
	li := b.net.Person("李阿姨")
	b.login()
	to := ChatOf(b.net.Self(), li.Name())
	for name, c := range map[string]struct {
		fault wechatfake.Faults
		send  wechatfake.Fault
		m     bots.Message
		want  bots.Class
	}{
		"an unknown code":       {send: wechatfake.Fault{Ret: 4242}, m: bots.Message{Text: "在"}, want: bots.ClassRejected},
		"banned":                {send: wechatfake.Fault{Ret: 1203}, m: bots.Message{Text: "在"}, want: bots.ClassLoggedOut},
		"a proxy that lost it":  {fault: wechatfake.Faults{Status: http.StatusBadGateway}, m: bots.Message{Text: "在"}, want: bots.ClassUnknown},
		"a proxy that refused":  {fault: wechatfake.Faults{Status: http.StatusForbidden}, m: bots.Message{Text: "在"}, want: bots.ClassTemporary},
		"a page for an answer":  {fault: wechatfake.Faults{HTML: true}, m: bots.Message{Text: "在"}, want: bots.ClassUnknown},
		"an upload that failed": {fault: wechatfake.Faults{Status: http.StatusBadGateway}, m: bots.Message{Photo: &bots.Photo{Data: picture}}, want: bots.ClassTemporary},
		"an upload refused":     {fault: wechatfake.Faults{NoUpload: true}, m: bots.Message{Photo: &bots.Photo{Data: picture}}, want: bots.ClassTemporary},
		"an upload and a page":  {fault: wechatfake.Faults{HTML: true}, m: bots.Message{Photo: &bots.Photo{Data: picture}}, want: bots.ClassTemporary},
	} {
		b.net.Fault(c.fault)
		if c.send != (wechatfake.Fault{}) {
			b.net.FailSend(c.send)
		}
		c.m.Key = "1"
		b.class(name, b.send(to, c.m), c.want)
		b.net.Fault(wechatfake.Faults{})
	}
	if n := len(b.net.Sent()); n != 0 {
		t.Errorf("%d messages were shown all the same", n)
	}
	b.class("to somebody whom nobody knows", b.send(ChatOf(b.net.Self(), "@nobody"), bots.Message{Key: "1", Text: "在"}), bots.ClassGone)
	b.class("to an id that is none", b.send("x", bots.Message{Key: "1", Text: "在"}), bots.ClassGone)

	b.net.FailSend(wechatfake.Fault{})
	b.net.FailSend(wechatfake.Fault{Ret: -1})
	b.class("a picture whose words failed", b.send(to, bots.Message{Key: "1", Text: "看", Photo: &bots.Photo{Data: picture}}), bots.ClassUnknown)
	if sent := b.net.Sent(); len(sent) != 1 || sent[0].Photo == nil {
		t.Errorf("shown were %d messages", len(sent))
	}
}
