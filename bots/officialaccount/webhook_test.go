package officialaccount

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/botstest"
	fake "shaoying/bots/officialaccount/officialaccountfake"
	"shaoying/internal/privacy"
)

// The page of the account asks whether the address is ours before it saves it.
func TestAddressIsOurs(t *testing.T) {
	for _, safe := range []bool{false, true} {
		r := newRig(t, safe)
		server := httptest.NewServer(r.adapter.Handler(taking))
		ask := func(token string) (int, string) {
			stamp := fmt.Sprint(time.Now().Unix())
			q := url.Values{"signature": {fake.Sign(token, stamp, "n")}, "timestamp": {stamp}, "nonce": {"n"}, "echostr": {"5872921383<b>"}}
			resp, err := http.Get(server.URL + "?" + q.Encode())
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
				t.Errorf("%s %v", resp.Header.Get("Content-Type"), err)
			}
			return resp.StatusCode, string(body)
		}
		if status, word := ask(fake.Token); status != http.StatusOK || word != "5872921383<b>" {
			t.Errorf("safe %v: %d %q", safe, status, word)
		}
		if status, word := ask("OtherToken"); status != http.StatusUnauthorized || strings.Contains(word, "5872921383") {
			t.Errorf("safe %v: %d %q", safe, status, word)
		}
		server.Close()
		r.Close()
	}
}

// Over real connections, in both modes: a reply that is ready goes with the answer,
// the next one as a customer message, and the user sees them in order.
func TestRepliesOverHTTP(t *testing.T) {
	for _, safe := range []bool{false, true} {
		r := newRig(t, safe)
		r.cfg.Limits.PassiveWait = 2 * time.Second
		r.Restart()
		r.adapter.answers.open(true)
		user, sent := r.user(3), make(chan error, 2)
		server := httptest.NewServer(r.adapter.Handler(func(_ context.Context, events []bots.Event) error {
			go func() { // the sender, once the turn is committed
				for _, text := range []string{"已收到，编号 4821 <1> & ]]>", "请说说在什么地方"} {
					_, err := r.adapter.Send(context.Background(), bots.Address{Channel: "oa", Chat: events[0].Chat}, bots.Message{Key: "1", Text: text})
					sent <- err
				}
			}()
			return nil
		}))
		r.Listen(server.URL)
		user.Says("报事")
		for range 2 {
			if err := <-sent; err != nil {
				t.Error(err)
			}
		}
		r.net.Settle()
		saw := map[bool]string{}
		for _, m := range user.Sees() {
			saw[m.Passive] += m.Text
		}
		if saw[true] != "已收到，编号 4821 <1> & ]]>" || saw[false] != "请说说在什么地方" {
			t.Errorf("safe %v: %+v", safe, user.Sees())
		}
		server.Close()
		r.Close()
	}
}

// An account that is set to safe mode while we have no key is told of in the log,
// and so is a clock that is wrong; nothing is believed.
func TestSaidInTheLog(t *testing.T) {
	r := newRig(t, true)
	defer r.Close()
	r.cfg.AESKey = privacy.Secret{}
	r.Restart()
	server := httptest.NewServer(r.adapter.Handler(botstest.NewRecorder().Sink))
	defer server.Close()
	r.Listen(server.URL)
	if status, _, err := r.net.Post(saidBy("oA", "x", "1")); err != nil || status != http.StatusForbidden {
		t.Errorf("%d %v", status, err)
	}
	stamp := fmt.Sprint(time.Now().Add(-time.Hour).Unix())
	resp, err := http.Post(server.URL+"?signature="+fake.Sign(fake.Token, stamp, "n")+"&nonce=n&timestamp="+stamp, "text/xml", strings.NewReader("x"))
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Fatalf("%v %v", resp, err)
	}
	resp.Body.Close()
	for _, want := range []string{"there is no EncodingAESKey", "the clock of this machine is wrong"} {
		if !strings.Contains(r.Log(), want) {
			t.Errorf("%q does not stand in the log:\n%s", want, r.Log())
		}
	}
}

// What cannot be read is passed over, or WeChat would tell its user three times
// that we are broken.
func TestPassedOver(t *testing.T) {
	r := newRig(t, false)
	defer r.Close()
	rec := botstest.NewRecorder()
	server := httptest.NewServer(r.adapter.Handler(rec.Sink))
	defer server.Close()
	r.Listen(server.URL)
	for _, body := range []string{"", "<xml", "{}", "<xml><FromUserName>oA</FromUserName><MsgType>text</MsgType><Content>" + strings.Repeat("长", 20000) + "</Content><MsgId>1</MsgId></xml>"} {
		if status, got, err := r.net.Post(body); err != nil || status != http.StatusOK || string(got) != taken {
			t.Errorf("%.20q: %d %q %v", body, status, got, err)
		}
	}
	if n := rec.Calls(); n != 1 { // the long one is words
		t.Errorf("%d calls of the sink", n)
	}
}
