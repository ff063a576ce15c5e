package wecom_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/wecom"
	"shaoying/bots/wecom/wecomfake"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

// rig is a WeCom that a test remote-controls.
type rig struct {
	mode    string
	net     *wecomfake.Server
	state   *botstest.State
	adapter bots.Adapter
	log     botstest.Log
	change  func(*wecom.Config)
}

func newRig(t *testing.T, mode string, change ...func(*wecom.Config)) *rig {
	t.Helper()
	r := &rig{mode: mode, net: wecomfake.New(), state: &botstest.State{}, change: func(*wecom.Config) {}}
	if len(change) > 0 {
		r.change = change[0]
	}
	r.Restart()
	return r
}

// config is an account that starts.
func config(t testing.TB, mode, server string) wecom.Config {
	t.Helper()
	cfg := wecom.Config{
		ID: "wc", Mode: mode, APIURL: server, CorpID: wecomfake.CorpID, Secret: privacy.NewSecret(wecomfake.Secret),
		Token: privacy.NewSecret(wecomfake.Token), AESKey: privacy.NewSecret(wecomfake.AESKey), Limits: limits(t),
	}
	if mode == wecom.ModeKF {
		cfg.OpenKFID = wecomfake.OpenKFID
	} else {
		cfg.AgentID = wecomfake.AgentID
	}
	return cfg
}

func limits(t testing.TB) (l wecom.Limits) {
	body, err := os.ReadFile("../../configs/policies/wecom.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(body, &l, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return l
}

func (r *rig) Adapter() bots.Adapter { return r.adapter }
func (r *rig) Listen(url string)     { r.net.Listen(url) }

func name(user int) string { return fmt.Sprintf("Zhang.San_%02d", user) }

func (r *rig) member(user int) *wecomfake.Member     { return r.net.Member(name(user)) }
func (r *rig) customer(user int) *wecomfake.Customer { return r.net.Customer(name(user)) }
func (r *rig) kf() bool                              { return r.mode == wecom.ModeKF }

func (r *rig) Address(user int) bots.Address {
	return bots.Address{Channel: "wc", Chat: bots.ChatID(name(user))}
}

func (r *rig) UserSays(user int, text string) bool {
	if r.kf() {
		r.customer(user).Says(text)
	} else {
		r.member(user).Says(text)
	}
	return true
}

func (r *rig) UserAnswers(user int, text string) bool { return r.UserSays(user, text) }

func (r *rig) UserTaps(user, n int) bool {
	var last wecomfake.Sent
	for _, s := range r.net.Sent() {
		if s.To == name(user) && len(s.Buttons) > 0 {
			last = s
		}
	}
	if n >= len(last.Buttons) {
		return false
	}
	if r.kf() {
		return r.customer(user).Taps(last, last.Buttons[n].Label)
	}
	return r.member(user).Taps(last, last.Buttons[n].Label)
}

func (r *rig) UserSendsPlace(user int, lat, lon float64, label string) bool {
	lat, lon = bots.ToGCJ02(lat, lon)
	if r.kf() {
		r.customer(user).SendsPlace(lat, lon, label)
	} else {
		r.member(user).SendsPlace(lat, lon, label)
	}
	return true
}

func (r *rig) UserSendsPhoto(user int, jpeg []byte, _ string) bool {
	if r.kf() {
		r.customer(user).SendsPhoto(jpeg)
	} else {
		r.member(user).SendsPhoto(jpeg)
	}
	return true
}

func (r *rig) UserSendsVoice(user int, amr []byte) bool {
	if r.kf() {
		r.customer(user).SendsVoice(amr)
	} else {
		r.member(user).SendsVoice(amr)
	}
	return true
}

func (r *rig) Reports(n int, state bots.ReportState) bool {
	if !r.kf() || state != bots.ReportFailed {
		return false
	}
	r.net.Loses(r.net.Sent()[n])
	return true
}

func (r *rig) GroupSays(int, string) bool { return false }

func (r *rig) Echo() bool {
	if r.kf() {
		r.customer(0).Hears("我们说的话")
	}
	return r.kf()
}

func (r *rig) Redeliver() {
	if r.kf() {
		r.net.Replay()
	} else {
		r.net.Redeliver()
	}
}

func (r *rig) Waiting() int {
	if r.kf() {
		return r.net.Behind(string(r.state.Values()["cursor"]))
	}
	return r.net.Waiting()
}

// Sent is what users saw; a photo and the words or buttons that came with it, or
// words and the card below them, are one.
func (r *rig) Sent() (out []botstest.Sent) {
	users := map[string]int{}
	for user := range 100 {
		users[name(user)] = user
	}
	var pending *botstest.Sent
	for _, s := range r.net.Sent() {
		one := botstest.Sent{User: users[s.To], Text: s.Text, Photo: s.Photo}
		for _, b := range s.Buttons {
			one.Choices = append(one.Choices, bots.Choice{Label: b.Label, Data: b.Key})
		}
		if pending != nil {
			one.Photo, pending = pending.Photo, nil
		}
		if s.Type == "image" {
			pending = &one
			continue
		}
		out = append(out, one)
	}
	if pending != nil {
		out = append(out, *pending)
	}
	return out
}

func (r *rig) Fail(class bots.Class) bool {
	faults := map[bots.Class]wecomfake.Fault{
		bots.ClassTemporary: wecomfake.Busy, bots.ClassThrottled: wecomfake.Throttled, bots.ClassGone: wecomfake.Gone, bots.ClassUnknown: wecomfake.Lost,
	}
	if r.kf() {
		faults[bots.ClassClosed] = wecomfake.TooMany
	}
	f, ok := faults[class]
	if ok {
		r.net.FailNext(f)
	}
	return ok
}

func (r *rig) Down(down bool) { r.net.Down(down) }
func (r *rig) Requests() int  { return r.net.Requests() }
func (r *rig) Log() string    { return r.log.String() }
func (r *rig) Secrets() []string {
	return []string{wecomfake.Secret, wecomfake.Token, wecomfake.AESKey, "access-token-of-the-fake", "ENC-ticket"}
}

func (r *rig) Restart() {
	r.adapter = r.open()
}

func (r *rig) open() bots.Adapter {
	cfg := config(&testing.T{}, r.mode, r.net.URL())
	r.change(&cfg)
	a, err := wecom.New(cfg, wecom.Deps{Clock: clock.New(), Log: slog.New(slog.NewTextHandler(&r.log, nil)), State: r.state})
	if err != nil {
		panic(err)
	}
	return a
}

func (r *rig) Close() { r.net.Close() }

// Forgeries are callbacks that WeCom did not make.
func (r *rig) Forgeries() []botstest.Forgery {
	const body = "<xml><ToUserName>x</ToUserName><FromUserName>Zhang.San_00</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content>forged</Content><MsgId>1</MsgId><AgentID>1000002</AgentID></xml>"
	post := func(name string, change func(target *url.URL, q url.Values, body string) (string, string)) botstest.Forgery {
		return botstest.Forgery{Name: name, Make: func(to string) (*http.Request, error) {
			target, envelope := r.net.Sealed(to, body)
			u, err := url.Parse(target)
			if err != nil {
				return nil, err
			}
			q := u.Query()
			method, envelope := change(u, q, envelope)
			u.RawQuery = q.Encode()
			return http.NewRequest(method, u.String(), strings.NewReader(envelope))
		}}
	}
	set := func(key, value string) func(*url.URL, url.Values, string) (string, string) {
		return func(_ *url.URL, q url.Values, body string) (string, string) {
			if value == "" {
				q.Del(key)
			} else {
				q.Set(key, value)
			}
			return http.MethodPost, body
		}
	}
	with := func(body string) func(*url.URL, url.Values, string) (string, string) {
		return func(*url.URL, url.Values, string) (string, string) { return http.MethodPost, body }
	}
	return []botstest.Forgery{
		post("no signature", set("msg_signature", "")),
		post("another signature", set("msg_signature", strings.Repeat("0", 40))),
		post("another time", set("timestamp", "1")),
		post("no time", set("timestamp", "")),
		post("another nonce", set("nonce", "x")),
		post("no nonce", set("nonce", "")),
		post("a plain body", with(body)),
		post("an empty body", with("")),
		post("no XML", with("hello")),
		post("another text under the signature", func(_ *url.URL, _ url.Values, body string) (string, string) {
			return http.MethodPost, strings.Replace(body, "<Encrypt><![CDATA[", "<Encrypt><![CDATA[AAAA", 1)
		}),
		post("the page's question without an answer to sign", func(_ *url.URL, q url.Values, _ string) (string, string) {
			return http.MethodGet, ""
		}),
		post("the page's question with any answer", func(_ *url.URL, q url.Values, _ string) (string, string) {
			q.Set("echostr", "AAAA")
			return http.MethodGet, ""
		}),
		post("PUT", func(_ *url.URL, _ url.Values, body string) (string, string) { return http.MethodPut, body }),
		post("signed over nothing", func(_ *url.URL, q url.Values, _ string) (string, string) {
			q.Set("msg_signature", "da39a3ee5e6b4b0d3255bfef95601890afd80709")
			return http.MethodPost, "<xml><Encrypt></Encrypt></xml>"
		}),
		{Name: "far too large", Make: func(to string) (*http.Request, error) {
			return http.NewRequest(http.MethodPost, to+"?msg_signature=x&timestamp=1&nonce=1", io.LimitReader(&zeros{}, 64<<20))
		}},
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte("0"), len(p))), nil }

func TestConformanceApp(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig { return newRig(t, wecom.ModeApp) })
}

func TestConformanceKF(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig { return newRig(t, wecom.ModeKF) })
}
