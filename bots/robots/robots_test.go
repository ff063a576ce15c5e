package robots

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/robots/robotsfake"
	"shaoying/internal/privacy"
)

func brands() []Brand { return []Brand{WeCom, DingTalk, Feishu} }

func TestConformance(t *testing.T) {
	for _, brand := range brands() {
		t.Run(string(brand), func(t *testing.T) {
			botstest.Run(t, func(t *testing.T) botstest.Rig { return newRig(t, brand) })
		})
	}
}

func send(t *testing.T, c *Channel, m bots.Message) error {
	t.Helper()
	_, err := c.Send(t.Context(), bots.Address{Channel: "robot", Chat: Chat}, m)
	return err
}

// Every answer of the networks means something, and only one means sent.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		brand Brand
		said  string
		want  bots.Class // 0 is sent
		after time.Duration
	}{
		{WeCom, `{"errcode":0,"errmsg":"ok"}`, 0, 0},
		{WeCom, `{"errcode":45009,"errmsg":"api freq out of limit"}`, bots.ClassThrottled, time.Minute},
		{WeCom, `{"errcode":93000,"errmsg":"invalid webhook url"}`, bots.ClassLoggedOut, 0},
		{WeCom, `{"errcode":40058,"errmsg":"wrong json"}`, bots.ClassRejected, 0},
		{WeCom, `{"errcode":-1}`, bots.ClassTemporary, 0},
		{WeCom, `{"code":0}`, bots.ClassUnknown, 0},
		{WeCom, `{"errcode":"0"}`, bots.ClassUnknown, 0},
		{WeCom, `{}`, bots.ClassUnknown, 0},
		{WeCom, `ok`, bots.ClassUnknown, 0},
		{WeCom, ``, bots.ClassUnknown, 0},
		{DingTalk, `{"errcode":0,"errmsg":"ok"}`, 0, 0},
		{DingTalk, `{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}`, bots.ClassThrottled, 10 * time.Minute},
		{DingTalk, `{"errcode":310000,"errmsg":"keywords not in content"}`, bots.ClassRejected, 0},
		{DingTalk, `{"errcode":310000,"errmsg":"sign not match"}`, bots.ClassLoggedOut, 0},
		{DingTalk, `{"errcode":310000,"errmsg":"ip 1.2.3.4 not in whitelist"}`, bots.ClassLoggedOut, 0},
		{DingTalk, `{"errcode":300001,"errmsg":"token is not exist"}`, bots.ClassLoggedOut, 0},
		{Feishu, `{"code":0,"msg":"success","data":{}}`, 0, 0},
		{Feishu, `{"StatusCode":0,"StatusMessage":"success"}`, 0, 0},
		{Feishu, `{"code":9499,"msg":"too many request"}`, bots.ClassThrottled, time.Minute},
		{Feishu, `{"code":9499,"msg":"Bad Request"}`, bots.ClassRejected, 0},
		{Feishu, `{"code":11232,"msg":"create message trigger rate limit"}`, bots.ClassThrottled, time.Minute},
		{Feishu, `{"code":19001,"msg":"param invalid"}`, bots.ClassLoggedOut, 0},
		{Feishu, `{"code":19021,"msg":"sign match fail"}`, bots.ClassLoggedOut, 0},
		{Feishu, `{"code":19024,"msg":"Key Words Not Found"}`, bots.ClassRejected, 0},
		{Feishu, `{"errcode":0}`, bots.ClassUnknown, 0},
	} {
		err := open(t, settings(t, c.brand, ""), nil).answered(200, []byte(c.said))
		if c.want == 0 {
			if err != nil {
				t.Errorf("%s %s: %v", c.brand, c.said, err)
			}
			continue
		}
		e, ok := err.(*bots.Error)
		if !ok || e.Class != c.want || e.After != c.after {
			t.Errorf("%s %s: %v, after %v", c.brand, c.said, err, e)
		}
	}
	c := open(t, settings(t, WeCom, ""), nil)
	for status, want := range map[int]bots.Class{502: bots.ClassUnknown, 403: bots.ClassTemporary, 429: bots.ClassThrottled} {
		if err := c.answered(status, []byte("<html>")); bots.ClassOf(err) != want {
			t.Errorf("%d and HTML: %v", status, err)
		}
	}
	if err := c.answered(500, []byte(`{"errcode":0}`)); bots.ClassOf(err) != bots.ClassUnknown {
		t.Errorf("500 that says all is well: %v", err)
	}
}

// The two orders of key and message, for one instant; the values are those of
// openssl: printf 'TS\nSECRET' | openssl dgst -sha256 -hmac SECRET -binary | base64,
// and printf ” | openssl dgst -sha256 -hmac $'TS\nSECRET' -binary | base64.
func TestSignatures(t *testing.T) {
	at := time.UnixMilli(1_599_360_473_123)
	for brand, want := range map[Brand]signature{
		DingTalk: {"1599360473123", "0J6xGKLhx+jIpP1BwsRs0opst0w681fQH+htOt7t+3Q="},
		Feishu:   {"1599360473", "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="},
		WeCom:    {},
	} {
		if got := brand.sign("demo", at); got != want {
			t.Errorf("%s signs %+v, want %+v", brand, got, want)
		}
	}
	if got := DingTalk.sign("", at); got != (signature{}) {
		t.Errorf("signed without a secret: %+v", got)
	}
}

// Words of residents call nobody, whatever the network would read in them.
func TestWordsAreNoMarkup(t *testing.T) {
	const words = "<@zhangsan> <at user_id=\"all\">所有人</at> [点我](http://x.example) @13800138000"
	for _, brand := range brands() {
		net := fake(t, brand)
		defer net.Close()
		if err := send(t, open(t, settings(t, brand, net.URL()), nil), bots.Message{Key: "1", Text: words}); err != nil {
			t.Fatal(err)
		}
		want := words
		if brand == WeCom {
			want = strings.Replace(words, "<@", "(@", 1)
		}
		if got := net.Posts()[0].Text; got != want {
			t.Errorf("%s shows %q", brand, got)
		}
	}
}

// A picture goes before its words; where the words are refused the send is.
func TestPictureAndWords(t *testing.T) {
	net := fake(t, WeCom)
	defer net.Close()
	c := open(t, settings(t, WeCom, net.URL()), nil)
	png := []byte("\x89PNG\r\n\x1a\n and so on")
	m := bots.Message{Key: "1", Text: "周一简报", Photo: &bots.Photo{Name: "x", Data: png}}
	if err := send(t, c, m); err != nil {
		t.Fatal(err)
	}
	posts := net.Posts()
	if len(posts) != 1 || !bytes.Equal(posts[0].Photo, png) || posts[0].Text != "周一简报" || net.Requests() != 2 {
		t.Errorf("%d requests show %+v", net.Requests(), posts)
	}
	net.FailNext(robotsfake.TooMany)
	if err := send(t, c, m); bots.ClassOf(err) != bots.ClassThrottled || len(net.Posts()) != 1 {
		t.Errorf("one too many: %v", err)
	}
	m.Key = "2"
	net.FailAt(2, robotsfake.Busy)
	if err := send(t, c, m); bots.ClassOf(err) != bots.ClassTemporary {
		t.Errorf("words that failed: %v", err)
	}
	before := net.Requests()
	if err := send(t, c, m); err != nil || net.Requests() != before+1 {
		t.Errorf("the second try: %v, %d requests", err, net.Requests()-before)
	}
	if posts := net.Posts(); len(posts) != 2 || !bytes.Equal(posts[1].Photo, png) || posts[1].Text != "周一简报" {
		t.Errorf("shown %+v", posts)
	}
	m.Photo.Data = []byte("GIF89a")
	if err := send(t, c, m); bots.ClassOf(err) != bots.ClassRejected {
		t.Errorf("a picture that WeCom does not take: %v", err)
	}
}

func TestWrongCredentials(t *testing.T) {
	for _, brand := range brands() {
		net := fake(t, brand)
		defer net.Close()
		cfg := settings(t, brand, net.URL())
		cfg.Key = privacy.NewSecret("another-key-0123")
		if err := send(t, open(t, cfg, nil), bots.Message{Key: "1", Text: "x"}); bots.ClassOf(err) != bots.ClassLoggedOut {
			t.Errorf("%s with another key: %v", brand, err)
		}
		if brand == WeCom {
			continue
		}
		cfg = settings(t, brand, net.URL())
		cfg.Secret = privacy.NewSecret("another")
		if err := send(t, open(t, cfg, nil), bots.Message{Key: "1", Text: "x"}); bots.ClassOf(err) != bots.ClassLoggedOut {
			t.Errorf("%s with another secret: %v", brand, err)
		}
	}
}

// The checker posts nothing, and names what is certainly wrong.
func TestCheck(t *testing.T) {
	wrong := func(cfg Config) (list []string) {
		for _, f := range open(t, cfg, nil).Check(t.Context()) {
			if strings.Contains(f.What, testKey) || strings.Contains(f.What, testSecret) {
				t.Errorf("a finding names a secret: %s", f.What)
			}
			if f.Wrong {
				list = append(list, f.What)
			}
		}
		return list
	}
	for _, brand := range brands() {
		net := fake(t, brand)
		defer net.Close()
		cfg := settings(t, brand, net.URL())
		if list := wrong(cfg); len(list) != 0 || len(net.Posts()) != 0 {
			t.Errorf("%s is well, and wrong: %v", brand, list)
		}
		other := cfg
		other.Key = privacy.NewSecret("another-key-0123")
		if list := wrong(other); len(list) != 1 || !strings.Contains(list[0], "copy its key") {
			t.Errorf("%s with another key: %v", brand, list)
		}
		cfg.APIURL = "http://127.0.0.1:1"
		if list := wrong(cfg); len(list) != 1 || !strings.Contains(list[0], "api_url") {
			t.Errorf("%s that is away: %v", brand, list)
		}
		if brand != WeCom {
			cfg.APIURL, cfg.Secret = net.URL(), privacy.Secret{}
			if list := wrong(cfg); len(list) == 0 {
				t.Errorf("%s without a secret is not found", brand)
			}
		}
	}
}

func TestConfig(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"channel id":   func(c *Config) { c.ID = "" },
		"brand":        func(c *Config) { c.Brand = "slack" },
		"key_env":      func(c *Config) { c.Key = privacy.NewSecret("https://qyapi.weixin.qq.com/?key=1") },
		"have no sec":  func(c *Config) { c.Secret = privacy.NewSecret("x") },
		"not complete": func(c *Config) { c.Limits.MaxText = 0 },
		"https":        func(c *Config) { c.APIURL = "http://qyapi.weixin.qq.com" },
	} {
		cfg := settings(t, WeCom, "")
		change(&cfg)
		_, err := New(cfg, Deps{Clock: open(t, settings(t, WeCom, ""), nil).clock, Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if (Config{}).Local() || !(Config{APIURL: "http://127.0.0.1:1"}).Local() {
		t.Error("Local is wrong")
	}
	if _, err := New(settings(t, WeCom, ""), Deps{}); err == nil {
		t.Error("made without clock and log")
	}
}

// Secrets come from where the configuration says; a secret may be missing, a key
// may not.
func TestSecrets(t *testing.T) {
	t.Setenv("ROBOT_KEY", testKey)
	t.Setenv("ROBOT_SECRET", testSecret)
	cfg := Config{ID: "robot", KeyEnv: "ROBOT_KEY"}
	if err := cfg.Secrets(); err != nil || cfg.Key.Reveal() != testKey || !cfg.Secret.Empty() {
		t.Errorf("a key alone: %v", err)
	}
	cfg.SecretEnv = "ROBOT_SECRET"
	if err := cfg.Secrets(); err != nil || cfg.Secret.Reveal() != testSecret {
		t.Errorf("a key and a secret: %v", err)
	}
	for _, wrong := range []Config{{}, {KeyEnv: "NO_SUCH_VARIABLE"}, {KeyEnv: "ROBOT_KEY", SecretEnv: "NO_SUCH_VARIABLE"}} {
		if wrong.Secrets() == nil {
			t.Errorf("%+v has its secrets", wrong)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	for _, said := range []string{`{"errcode":0,"errmsg":"ok"}`, `{"code":19021,"msg":"x"}`, `{"StatusCode":0}`, `{"errcode":1e3}`, `<html>`, `{"errcode":null}`} {
		f.Add(200, said)
	}
	var all []*Channel
	for _, brand := range brands() {
		all = append(all, open(f, settings(f, brand, ""), nil))
	}
	f.Fuzz(func(t *testing.T, status int, said string) {
		for _, c := range all {
			err := c.answered(status, []byte(said))
			code, _, ok := c.cfg.Brand.decode([]byte(said))
			if err == nil && (!ok || code != 0 || status/100 != 2) {
				t.Fatalf("%s took %d %q for sent", c.cfg.Brand, status, said)
			}
			if e, is := err.(*bots.Error); err != nil && (!is || e.Class < bots.ClassTemporary || e.Class > bots.ClassUnknown || len(fmt.Sprint(e)) > 200) {
				t.Fatalf("%s: %q is %v", c.cfg.Brand, said, err)
			}
		}
	})
}
