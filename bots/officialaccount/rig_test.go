package officialaccount

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"shaoying/bots"
	"shaoying/bots/botstest"
	fake "shaoying/bots/officialaccount/officialaccountfake"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

// In plain mode nothing waits for words; in safe mode it does.
func TestConformancePlain(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig { return newRig(t, false) })
}

func TestConformanceSafe(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig { return newRig(t, true) })
}

// rig is the fake WeChat and one account on it.
type rig struct {
	t       testing.TB
	net     *fake.Server
	cfg     Config
	state   botstest.State
	log     botstest.Log
	adapter *Channel
}

// limits are those of the policies.
func limits(t testing.TB) (l Limits) {
	t.Helper()
	body, err := os.ReadFile("../../configs/policies/officialaccount.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(body, &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// settings are what serve would use for the account of the fake.
func settings(t testing.TB, api string, safe bool) Config {
	t.Helper()
	cfg := Config{
		ID: "oa", APIURL: api, AppID: fake.AppID, Secret: privacy.NewSecret(fake.Secret), Token: privacy.NewSecret(fake.Token), Limits: limits(t),
		Notices: map[string]Notice{
			"visit.remind": {Kind: NoticeSubscribe, ID: "sub-1", Fields: map[string]string{"thing1": "what", "time2": "when", "phrase3": "=待上门"}, URL: "https://city.example/"},
			"ticket.done":  {Kind: NoticeTemplate, ID: "tpl-1", Fields: map[string]string{"character_string1": "number", "thing2": "what"}},
		},
	}
	if safe {
		cfg.AESKey = privacy.NewSecret(fake.AESKey)
	}
	return cfg
}

func newRig(t testing.TB, safe bool) *rig {
	r := &rig{t: t, net: fake.New()}
	r.net.Safe = safe
	r.net.Approve("sub-1", fake.Form{Subscribe: true, Content: "事项:{{thing1.DATA}}\n时间:{{time2.DATA}}\n状态:{{phrase3.DATA}}"})
	r.net.Approve("tpl-1", fake.Form{Content: "{{character_string1.DATA}} {{thing2.DATA}}"})
	r.cfg = settings(t, r.net.URL(), safe)
	r.cfg.Limits.PassiveWait = 0
	if safe {
		r.cfg.Limits.PassiveWait = 30 * time.Millisecond
	}
	for user := range 20 {
		r.user(user)
	}
	r.Restart()
	return r
}

func (r *rig) user(n int) *fake.User { return r.net.User(fmt.Sprintf("oUser-%d_openid", n)) }

func (r *rig) Adapter() bots.Adapter { return r.adapter }

func (r *rig) Restart() {
	if r.adapter != nil {
		r.adapter.client.Close()
	}
	a, err := New(r.cfg, Deps{Clock: clock.New(), Log: slog.New(slog.NewTextHandler(&r.log, nil)), State: &r.state})
	if err != nil {
		r.t.Fatal(err)
	}
	r.adapter = a
}

func (r *rig) Close() {
	r.adapter.client.Close()
	r.net.Close()
	for _, refusal := range r.net.Refusals() {
		r.t.Errorf("an honest push was refused: %s", refusal)
	}
}

func (r *rig) Listen(url string) { r.net.Listen(url) }

func (r *rig) Address(user int) bots.Address {
	return bots.Address{Channel: "oa", Chat: bots.ChatID(r.user(user).ID)}
}

func (r *rig) UserSays(user int, text string) bool { r.user(user).Says(text); return true }
func (r *rig) UserTaps(user, n int) bool           { return r.user(user).Taps(n) }

func (r *rig) UserSendsPlace(user int, lat, lon float64, label string) bool {
	lat, lon = bots.ToGCJ02(lat, lon)
	r.user(user).SendsPlace(lat, lon, label)
	return true
}

func (r *rig) UserSendsPhoto(user int, jpeg []byte, _ string) bool {
	r.user(user).SendsPhoto(jpeg)
	return true
}

func (r *rig) UserSendsVoice(user int, amr []byte) bool {
	r.user(user).SendsVoice(amr, "井盖坏了")
	return true
}

func (r *rig) UserAnswers(user int, text string) bool { return r.UserSays(user, text) }

func (r *rig) Reports(n int, state bots.ReportState) bool { return false } // of customer messages WeChat says nothing
func (r *rig) GroupSays(int, string) bool                 { return false }
func (r *rig) Echo() bool                                 { return false }

func (r *rig) Redeliver()     { r.net.Redeliver() }
func (r *rig) Waiting() int   { return r.net.Waiting() }
func (r *rig) Down(down bool) { r.net.Down(down) }
func (r *rig) Requests() int  { return r.net.Requests() }
func (r *rig) Log() string    { return r.log.String() }
func (r *rig) Secrets() []string {
	return []string{fake.Secret, fake.Token, fake.AESKey, "access-token-of-the-tests"}
}

// Sent is what users saw; words under a photo are a message of their own there.
func (r *rig) Sent() (out []botstest.Sent) {
	r.net.Settle()
	number := map[string]int{}
	for n := range 20 {
		number[r.user(n).ID] = n
	}
	for _, m := range r.net.Sent() {
		s := botstest.Sent{User: number[m.User], Text: m.Text, Photo: m.Photo}
		for _, it := range m.Items {
			s.Choices = append(s.Choices, bots.Choice{Label: it.Content, Data: it.ID})
		}
		if last := len(out) - 1; last >= 0 && out[last].User == s.User && out[last].Photo != nil && out[last].Text == "" && s.Photo == nil {
			s.Photo = out[last].Photo
			out[last] = s
			continue
		}
		out = append(out, s)
	}
	return out
}

// faults are WeChat's own words for each class.
var faults = map[bots.Class]int{
	bots.ClassTemporary: -1, bots.ClassThrottled: 45009, bots.ClassClosed: 45015, bots.ClassGone: 43004,
	bots.ClassLoggedOut: 48004, bots.ClassUnknown: fake.Lost,
}

func (r *rig) Fail(class bots.Class) bool {
	code, ok := faults[class]
	if ok {
		r.net.FailNext(code)
	}
	return ok
}

func (r *rig) Notice() bots.Message {
	return bots.Message{Key: "7", Text: "x", Template: bots.Template{
		Source: "texts:care", Key: "visit.remind", Params: map[string]string{"what": "家庭病床上门", "when": "2026年3月5日 09:00"},
	}}
}

const forged = "<xml><ToUserName>gh</ToUserName><FromUserName>oUser-0_openid</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content>x</Content><MsgId>1</MsgId></xml>"

func (r *rig) Forgeries() (all []botstest.Forgery) {
	now := time.Now()
	stamp := func(off time.Duration) string { return strconv.FormatInt(now.Add(off).Unix(), 10) }
	add := func(name, method, body string, q url.Values) {
		all = append(all, botstest.Forgery{Name: name, Make: func(base string) (*http.Request, error) {
			return http.NewRequest(method, base+"?"+q.Encode(), strings.NewReader(body))
		}})
	}
	signed := func(token, stamp, nonce string, more ...string) url.Values {
		q := url.Values{"signature": {fake.Sign(token, stamp, nonce)}, "timestamp": {stamp}, "nonce": {nonce}}
		for i := 0; i+1 < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return q
	}
	good := signed(fake.Token, stamp(0), "1")
	add("no signature", http.MethodPost, forged, nil)
	add("an empty signature", http.MethodPost, forged, url.Values{"signature": {""}, "timestamp": {stamp(0)}, "nonce": {"1"}})
	add("another token", http.MethodPost, forged, signed("OtherToken", stamp(0), "1"))
	add("the signature of another nonce", http.MethodPost, forged, url.Values{"signature": good["signature"], "timestamp": good["timestamp"], "nonce": {"2"}})
	add("the signature of another time", http.MethodPost, forged, url.Values{"signature": good["signature"], "timestamp": {stamp(time.Second)}, "nonce": {"1"}})
	add("upper case", http.MethodPost, forged, url.Values{"signature": {strings.ToUpper(good.Get("signature"))}, "timestamp": good["timestamp"], "nonce": {"1"}})
	add("part of a signature", http.MethodPost, forged, url.Values{"signature": {good.Get("signature")[:20]}, "timestamp": good["timestamp"], "nonce": {"1"}})
	add("an old one", http.MethodPost, forged, signed(fake.Token, stamp(-time.Hour), "1"))
	add("one of tomorrow", http.MethodPost, forged, signed(fake.Token, stamp(24*time.Hour), "1"))
	add("no time", http.MethodPost, forged, signed(fake.Token, "", "1"))
	add("no number for a time", http.MethodPost, forged, signed(fake.Token, "x", "1"))
	add("time and nonce shifted", http.MethodPost, forged, url.Values{"signature": good["signature"], "timestamp": {stamp(0) + "1"}, "nonce": {""}})
	add("a foreign question", http.MethodGet, "", url.Values{"signature": {"x"}, "timestamp": {stamp(0)}, "nonce": {"1"}, "echostr": {"1"}})
	add("a question without its word", http.MethodGet, "", good)
	add("another method", http.MethodPut, forged, good)
	add("too large", http.MethodPost, strings.Repeat("x", 1<<20), good)
	if r.net.Safe {
		add("plain in safe mode", http.MethodPost, forged, good)
		add("sealed and not signed", http.MethodPost, "<xml><Encrypt>AAAA</Encrypt></xml>", good)
		add("signed and not sealed", http.MethodPost, "<xml><Encrypt>AAAA</Encrypt></xml>", signed(fake.Token, stamp(0), "1", "msg_signature", fake.Sign(fake.Token, stamp(0), "1", "AAAA")))
		add("broken in safe mode", http.MethodPost, "<xml", good)
	} else {
		add("sealed without a key", http.MethodPost, "<xml><Encrypt>AAAA</Encrypt></xml>", good)
	}
	return all
}
