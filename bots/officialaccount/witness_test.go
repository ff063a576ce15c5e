package officialaccount

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/cache"
	oaconfig "github.com/silenceper/wechat/v2/officialaccount/config"
	oacontext "github.com/silenceper/wechat/v2/officialaccount/context"
	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/officialaccount/server"
	"github.com/silenceper/wechat/v2/util"
	"github.com/sirupsen/logrus"

	"shaoying/bots"
	fake "shaoying/bots/officialaccount/officialaccountfake"
	"shaoying/bots/weixin"
	"shaoying/internal/privacy"
)

// The library silenceper/wechat was written by others from the same documents: it
// is the witness that signatures and seals are WeChat's and not only ours.

const witnessed = "昌盛小区3栋 <b> ]]> 🙂"

func ourCrypt(t *testing.T) *weixin.Crypt {
	t.Helper()
	logrus.SetLevel(logrus.WarnLevel) // the library logs what people write
	c, err := weixin.NewCrypt(privacy.NewSecret(fake.Token), privacy.NewSecret(fake.AESKey), fake.AppID)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWitnessCrypto(t *testing.T) {
	ours := ourCrypt(t)
	for n := range 100 { // every length of padding, and an empty text
		text := strings.Repeat("汉a", n)
		sealed, err := ours.Seal([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, got, err := util.DecryptMsg(fake.AppID, sealed, fake.AESKey); err != nil || string(got) != text {
			t.Fatalf("theirs cannot open ours of %d bytes: %v", len(text), err)
		}
		theirs, err := util.EncryptMsg([]byte("0123456789abcdef"), []byte(text), fake.AppID, fake.AESKey)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ours.Open(string(theirs)); err != nil || string(got) != text {
			t.Fatalf("ours cannot open theirs of %d bytes: %v", len(text), err)
		}
		if a, b := ours.Signature("1409304348", "nonce", sealed), util.Signature(fake.Token, "1409304348", "nonce", sealed); a != b {
			t.Fatalf("signatures differ: %s %s", a, b)
		}
	}
	foreign, err := util.EncryptMsg([]byte("0123456789abcdef"), []byte("x"), "wxffffffffffffffff", fake.AESKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ours.Open(string(foreign)); err != weixin.ErrForged {
		t.Errorf("what is sealed for another account: %v", err)
	}
}

// Their seal on a push is taken, and they can open the answer with words.
func TestWitnessPushAndAnswer(t *testing.T) {
	ourCrypt(t)
	r := newRig(t, true)
	defer r.Close()
	r.cfg.Limits.PassiveWait = time.Second
	r.Restart()
	r.adapter.answers.open(true)
	var got bots.Event
	seated := make(chan struct{})
	handler := r.adapter.Handler(func(_ context.Context, events []bots.Event) error {
		got = events[0]
		close(seated) // a push takes its seat before the sink is called
		return nil
	})
	sealed, err := util.EncryptMsg([]byte("0123456789abcdef"), []byte(saidBy("oUser-0_openid", "<![CDATA["+"灯坏了"+"]]>", "1")), fake.AppID, fake.AESKey)
	if err != nil {
		t.Fatal(err)
	}
	stamp := fmt.Sprint(time.Now().Unix())
	q := url.Values{
		"timestamp": {stamp}, "nonce": {"n"}, "signature": {util.Signature(fake.Token, stamp, "n")}, "encrypt_type": {"aes"},
		"msg_signature": {util.Signature(fake.Token, stamp, "n", string(sealed))},
	}
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		body := "<xml><ToUserName>gh_1</ToUserName><Encrypt>" + string(sealed) + "</Encrypt></xml>"
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?"+q.Encode(), strings.NewReader(body)))
	}()
	<-seated
	if err := r.adapter.answers.give(t.Context(), "oUser-0_openid", witnessed); err != nil {
		t.Fatal(err)
	}
	<-done
	if got.Kind != bots.KindText || got.Text != "灯坏了" {
		t.Fatalf("their push came as %+v", got)
	}
	var outer struct{ Encrypt, MsgSignature, TimeStamp, Nonce string }
	if err := xml.Unmarshal(w.Body.Bytes(), &outer); err != nil {
		t.Fatal(err)
	}
	if outer.MsgSignature != util.Signature(fake.Token, outer.TimeStamp, outer.Nonce, outer.Encrypt) {
		t.Error("the signature of the answer is not theirs")
	}
	_, plain, err := util.DecryptMsg(fake.AppID, outer.Encrypt, fake.AESKey)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ ToUserName, FromUserName, MsgType, Content string }
	if err := xml.Unmarshal(plain, &answer); err != nil || answer.Content != witnessed || answer.ToUserName != "oUser-0_openid" || answer.FromUserName != "gh_1" {
		t.Errorf("%+v %v", answer, err)
	}
}

// Their server takes what our seal makes, as it would take WeChat's, and its own
// sealed answer is one that we can open; so the fake, which pushes so, is right.
func TestWitnessServer(t *testing.T) {
	ours := ourCrypt(t)
	net := fake.New()
	defer net.Close()
	net.Safe = true
	var heard *message.MixMessage
	theirs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		srv := server.NewServer(&oacontext.Context{Config: &oaconfig.Config{
			AppID: fake.AppID, Token: fake.Token, EncodingAESKey: fake.AESKey, Cache: cache.NewMemory(),
		}})
		srv.Writer, srv.Request = w, r
		srv.SetMessageHandler(func(m *message.MixMessage) *message.Reply {
			heard = m
			return &message.Reply{MsgType: message.MsgTypeText, MsgData: message.NewText(witnessed)}
		})
		if err := srv.Serve(); err != nil {
			t.Error(err)
		} else if err := srv.Send(); err != nil {
			t.Error(err)
		}
	}))
	defer theirs.Close()
	net.Listen(theirs.URL)
	status, body, err := net.Post(saidBy("oA", "灯坏了", "77"))
	if err != nil || status != http.StatusOK || heard == nil || heard.Content != "灯坏了" || heard.MsgID != 77 || string(heard.FromUserName) != "oA" {
		t.Fatalf("%d %v: %+v", status, err, heard)
	}
	var outer struct{ Encrypt, MsgSignature, TimeStamp, Nonce string }
	if err := xml.Unmarshal(body, &outer); err != nil || !ours.Signed(outer.MsgSignature, outer.TimeStamp, outer.Nonce, outer.Encrypt) {
		t.Fatalf("their answer is not signed: %v", err)
	}
	plain, err := ours.Open(outer.Encrypt)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := parse(plain); err != nil || p.Content != witnessed || p.To != "oA" {
		t.Errorf("%+v %v", p, err)
	}
}
