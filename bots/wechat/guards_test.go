package wechat

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/wechat/wechatfake"
	"shaoying/internal/clock"
)

var picture = []byte("\xff\xd8\xff\xe0 a picture")

// What a server does that breaks the library neither ends the process, nor makes
// it ask faster than it rests, nor loses a message.
func TestBrokenAnswers(t *testing.T) {
	for name, fault := range map[string]wechatfake.Faults{
		"no sync key":   {NoSyncKey: true},
		"pages":         {HTML: true},
		"server errors": {Status: http.StatusBadGateway},
		"refusals":      {Status: http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			li := b.net.Person("李阿姨")
			b.login()
			b.net.Fault(fault)
			before := b.net.Requests()
			li.Says("路灯坏了")
			b.within("three failures", func() bool { return b.net.Requests() >= before+3 })
			if st, err := b.a.Standing(t.Context()); err != nil || st.State != bots.StandingOnline {
				t.Errorf("it stands %+v, %v: such answers end no login", st, err)
			}
			if n := len(b.sink.Rows()); n != 0 {
				t.Errorf("%d events out of nothing", n)
			}
			b.net.Fault(wechatfake.Faults{})
			if ev := b.hears(1); ev.Text != "路灯坏了" {
				t.Errorf("then %q arrives", ev.Text)
			}
		})
	}
}

// A sync key that counts itself wrongly makes the library write behind the end of
// a list, and nothing among the messages makes it fall.
func TestOddAnswers(t *testing.T) {
	b := newBench(t)
	li := b.net.Person("李阿姨")
	b.login()
	b.net.Fault(wechatfake.Faults{BadCount: true, NullMessages: true})
	li.Says("一")
	b.hears(1)
	li.Says("二")
	if ev := b.hears(2); ev.Text != "二" {
		t.Errorf("%q arrives", ev.Text)
	}
}

// A server that answers at once is asked once in a pause, for the code as for
// messages.
func TestImpatientServer(t *testing.T) {
	b := newBench(t)
	b.net.Fault(wechatfake.Faults{Impatient: true})
	b.cfg.Limits.Pause = time.Hour
	b.start()
	b.shows(bots.StandingScan)
	b.within("the first question", func() bool { return b.net.Hits("login") > 0 })
	b.stop()
	if n := b.net.Hits("login"); n != 1 {
		t.Errorf("asked %d times about one code", n)
	}
	li := b.net.Person("李阿姨")
	b.login()
	to := ChatOf(b.net.Self(), li.Name())
	for range 20 { // takes long enough for thousands of questions
		if err := b.send(to, bots.Message{Key: "1", Text: "在"}); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.net.Hits("synccheck"); n > 1 {
		t.Errorf("asked %d times for news", n)
	}
}

// Without a network a login is tried with growing rests.
func TestLoginWithoutNetwork(t *testing.T) {
	b := newBench(t)
	b.net.Down(true)
	b.start()
	b.within("two tries", func() bool { return b.net.Requests() >= 2 })
	b.class("a send before the login", b.send("00000000@x", bots.Message{Key: "1", Text: "在吗"}), bots.ClassTemporary)
	b.net.AutoLogin(true)
	b.net.Down(false)
	b.shows(bots.StandingOnline)
	if n := strings.Count(b.log.String(), "tried again"); n != 1 {
		t.Errorf("one outage is logged %d times", n)
	}
}

// Cookies are set at the scan and never again. They are there after every restart,
// for messages and for the server of files.
func TestCookiesOutliveHotLogins(t *testing.T) {
	b := newBench(t)
	li := b.net.Person("李阿姨")
	b.login()
	for life := range 3 {
		b.again()
		b.shows(bots.StandingOnline)
		if err := b.send(ChatOf(b.net.Self(), li.Name()), bots.Message{Key: "1", Photo: &bots.Photo{Data: picture}}); err != nil {
			t.Fatalf("a picture in life %d: %v", life+2, err)
		}
		li.Says("收到")
		b.hears(life + 1)
	}
	if n := b.net.Codes(); n != 1 {
		t.Errorf("%d codes were shown for one scan", n)
	}
	sent := b.net.Sent()
	if len(sent) != 3 || !bytes.Equal(sent[2].Photo, picture) {
		t.Errorf("%d pictures arrived whole", len(sent))
	}
}

// What came while nobody was there comes after the hot login.
func TestHotLoginBringsWhatCame(t *testing.T) {
	b := newBench(t)
	li := b.net.Person("李阿姨")
	b.login()
	b.stop()
	li.Says("夜里发的")
	b.start()
	if ev := b.hears(1); ev.Text != "夜里发的" {
		t.Errorf("%q arrives", ev.Text)
	}
}

// A message that was taken while its key could not be kept comes again and is one.
func TestStateFails(t *testing.T) {
	b := newBench(t)
	li := b.net.Person("李阿姨")
	b.login()
	b.state.Fail(true)
	li.Says("一")
	b.hears(1)
	if n := b.net.Waiting(); n != 1 {
		t.Errorf("WeChat was told that a message was taken whose key is not kept (%d wait)", n)
	}
	b.stop()
	b.state.Fail(false)
	b.start()
	li.Says("二")
	b.hears(2)
	b.within("everything taken", func() bool { return b.net.Waiting() == 0 })
	if n := len(b.sink.Rows()); n != 2 {
		t.Errorf("%d events", n)
	}
}

// Somebody whose messages are not taken does not hold up the others.
func TestOneChatFails(t *testing.T) {
	b := newBench(t)
	li, wang := b.net.Person("李阿姨"), b.net.Person("王师傅")
	b.login()
	b.sink.Before(func(_ context.Context, _ int, events []bots.Event) error {
		if events[0].Text == "刷屏" {
			return bots.ErrFlood
		}
		return nil
	})
	li.Says("刷屏")
	wang.Says("停水了")
	if ev := b.hears(1); ev.Text != "停水了" {
		t.Errorf("%q arrives", ev.Text)
	}
	b.sink.Before(nil)
	if ev := b.hears(2); ev.Text != "刷屏" {
		t.Errorf("%q arrives", ev.Text)
	}
}

// Sends, files and messages at once, and the end of the login in between: the
// library's own objects are written by nobody then (run with -race).
func TestNobodyWritesWhatOthersRead(t *testing.T) {
	b := newBench(t)
	li := b.net.Person("李阿姨")
	b.login()
	li.SendsPhoto(picture)
	photo := b.hears(1).Files[0]
	to := ChatOf(b.net.Self(), li.Name())
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for range 10 {
				_ = b.send(to, bots.Message{Key: "1", Text: "在", Photo: &bots.Photo{Data: picture}})
				if r, err := b.a.Fetch(b.Context(), photo); err == nil {
					_ = r.Close()
				}
				_, _ = b.a.Standing(b.Context())
			}
		})
	}
	for range 20 {
		li.Says("还在吗")
	}
	b.hears(10)
	b.net.Kick(1101)
	work.Wait()
	b.shows(bots.StandingScan)
}

// No server but those of the list is called, and nothing is said in the clear.
func TestStrangeServers(t *testing.T) {
	b := newBench(t)
	a := open(t, b.cfg, Deps{Clock: clock.New(), Log: slogTo(b), State: b.state})
	_, jar := a.caller(startDomain, nil)
	for address, allowed := range map[string]bool{
		"https://wx.qq.com/a": true, "https://file.wx2.qq.com/a": true, "http://wx.qq.com/a": false,
		"https://wx.qq.com.evil.example/a": false, "https://evilwx.qq.com/a": false, "https://web.wechat.com/a": false, "https://127.0.0.1/a": false,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport{a, jar}.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if refused := bots.ClassOf(err) == bots.ClassRejected; err != nil && refused == allowed {
			t.Errorf("%s: %v", address, err)
		}
	}
	a.client.Close()
}

// A file that WeChat no longer has is answered with nothing, or with words.
func TestFilesThatAreGone(t *testing.T) {
	for body, kind := range map[string]string{"": "image/jpeg", `{"BaseResponse":{"Ret":1}}`: "application/json", "<html>": "text/html"} {
		_, err := file(&http.Response{Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))})
		if bots.ClassOf(err) != bots.ClassGone {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// An error shows neither keys nor words, wherever it comes from.
func TestBecauseShowsNoKeys(t *testing.T) {
	b := newBench(t)
	li := b.net.Person("李阿姨")
	b.login()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.a.Send(ctx, bots.Address{Channel: "wx", Chat: ChatOf(b.net.Self(), li.Name())}, bots.Message{Key: "1", Text: "在"})
	if err == nil {
		t.Fatal("a send whose time is over succeeded")
	}
	for _, secret := range b.net.Secrets() {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("a secret stands in %v", err)
		}
	}
	if because(nil) != nil || because(errors.New("x y")).Error() != "x y" {
		t.Error("because changes what it need not")
	}
}
