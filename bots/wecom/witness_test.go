package wecom_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/silenceper/wechat/v2/cache"
	"github.com/silenceper/wechat/v2/util"
	"github.com/silenceper/wechat/v2/work"
	workconfig "github.com/silenceper/wechat/v2/work/config"
	"github.com/silenceper/wechat/v2/work/kf"
	"github.com/silenceper/wechat/v2/work/message"
	"github.com/sirupsen/logrus"

	"shaoying/bots"
	"shaoying/bots/wecom"
	"shaoying/bots/wecom/wecomfake"
)

// The witness is another implementation of WeCom's protocol, by other people. It
// agrees with our fake on calls and with both on signature and seal.

func witness(t *testing.T, server string) *work.Work {
	t.Helper()
	logrus.SetLevel(logrus.WarnLevel) // it logs what people say
	util.SetURIModifier(func(uri string) string { return strings.Replace(uri, "https://qyapi.weixin.qq.com", server, 1) })
	t.Cleanup(func() { util.SetURIModifier(nil) })
	return work.NewWork(&workconfig.Config{
		CorpID: wecomfake.CorpID, CorpSecret: wecomfake.Secret, AgentID: "1000002", Token: wecomfake.Token, EncodingAESKey: wecomfake.AESKey, Cache: cache.NewMemory(),
	})
}

// What the witness seals and signs is taken, and says what it said.
func TestWitnessSeals(t *testing.T) {
	r := newRig(t, wecom.ModeApp)
	defer r.Close()
	h := r.serve(t)
	const said = `<xml><ToUserName>x</ToUserName><FromUserName>li.si</FromUserName><CreateTime>1348831860</CreateTime><MsgType>text</MsgType><Content>井盖坏了 🙂 &lt;b&gt;</Content><MsgId>77</MsgId><AgentID>1000002</AgentID></xml>`
	for i := range 70 { // every length of the padding
		sealed, err := util.EncryptMsg([]byte("0123456789abcdef"), []byte(said+strings.Repeat(" ", i)), wecomfake.CorpID, wecomfake.AESKey)
		if err != nil {
			t.Fatal(err)
		}
		signature := util.Signature(wecomfake.Token, "1348831860", "nonce", string(sealed))
		if status := h.post(t, url.Values{"msg_signature": {signature}, "timestamp": {"1348831860"}, "nonce": {"nonce"}}, "<xml><Encrypt><![CDATA["+string(sealed)+"]]></Encrypt></xml>"); status != 200 {
			t.Fatalf("%d", status)
		}
	}
	rows := h.sink.Rows()
	if len(rows) != 1 || rows[0].Text != "井盖坏了 🙂 <b>" || rows[0].From.User != "li.si" || rows[0].Key != "m:77" {
		t.Errorf("%+v", rows)
	}
}

// What we and our fake seal and sign is taken by the witness.
func TestWitnessOpens(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	client, err := witness(t, r.net.URL()).GetKF()
	if err != nil {
		t.Fatal(err)
	}
	h := r.serve(t)
	status, got, want, err := r.net.Verify(h.url)
	if err != nil || status != 200 || got != want {
		t.Errorf("the callback page: %d %q, want %q, %v", status, got, want, err)
	}
	target, envelope := r.net.Sealed("http://x", `<xml><ToUserName>ww</ToUserName><MsgType>event</MsgType><Event>kf_msg_or_event</Event><Token>T</Token><OpenKfId>wk1</OpenKfId></xml>`)
	m, err := client.GetCallbackMessage([]byte(envelope))
	if err != nil || m.Event != "kf_msg_or_event" || m.Token != "T" || m.OpenKfID != "wk1" {
		t.Errorf("%+v, %v", m, err)
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	sealed := envelope[strings.Index(envelope, "<Encrypt><![CDATA[")+len("<Encrypt><![CDATA["):]
	sealed, _, _ = strings.Cut(sealed, "]]>")
	q := u.Query()
	if _, err := client.VerifyURL(kf.SignatureOptions{Signature: q.Get("msg_signature"), TimeStamp: q.Get("timestamp"), Nonce: q.Get("nonce"), EchoStr: sealed}); err != nil {
		t.Error(err)
	}
}

// The fake speaks to the witness as to us.
func TestWitnessCalls(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	w := witness(t, r.net.URL())
	sent, err := w.GetMessage().SendText(message.SendTextRequest{
		SendRequestCommon: &message.SendRequestCommon{ToUser: "li.si", AgentID: "1000002"}, Text: message.TextField{Content: "你好"},
	})
	if err == nil || !strings.Contains(err.Error(), "40058") { // it writes the number in quotes
		t.Errorf("%+v, %v", sent, err)
	}
	client, err := w.GetKF()
	if err != nil {
		t.Fatal(err)
	}
	r.customer(0).Says("昌盛小区3栋井盖坏了")
	got, err := client.SyncMsg(kf.SyncMsgOptions{Limit: 100, OpenKfID: wecomfake.OpenKFID})
	if err != nil || len(got.MsgList) != 1 || got.MsgList[0].ExternalUserID != name(0) || got.MsgList[0].Origin != 3 || got.NextCursor == "" {
		t.Fatalf("%+v, %v", got, err)
	}
	raw, err := json.Marshal(map[string]any{"touser": name(0), "open_kfid": wecomfake.OpenKFID, "msgtype": "text", "text": map[string]string{"content": "收到"}})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := client.SendMsg(json.RawMessage(raw)); err != nil || info.MsgID == "" {
		t.Errorf("%+v, %v", info, err)
	}
	if seen := r.customer(0).Sees(); len(seen) != 1 || seen[0].Text != "收到" {
		t.Errorf("%+v", seen)
	}
	// And what came is what the adapter makes of it.
	h := r.serve(t)
	if ev := h.row(t, 0); ev.Text != "昌盛小区3栋井盖坏了" || ev.Key != got.MsgList[0].MsgID || ev.Chat != bots.ChatID(got.MsgList[0].ExternalUserID) {
		t.Errorf("%+v", ev)
	}
}
