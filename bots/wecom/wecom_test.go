package wecom_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/wecom"
	"shaoying/bots/wecom/wecomfake"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

// served is an adapter at work.
type served struct {
	*rig
	sink *botstest.Recorder
	url  string
}

// serve runs the rig's adapter until the test ends.
func (r *rig) serve(t *testing.T) *served { return r.serveWith(t, nil) }

// serveWith is serve with something that every call of the sink does first.
func (r *rig) serveWith(t *testing.T, before func(context.Context, int, []bots.Event) error) *served {
	t.Helper()
	h := &served{rig: r, sink: botstest.NewRecorder()}
	h.sink.Before(before)
	server := httptest.NewServer(r.adapter.(bots.Webhook).Handler(h.sink.Sink))
	h.url = server.URL
	r.net.Listen(server.URL)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	adapter := r.adapter
	go func() { done <- adapter.Run(ctx, h.sink.Sink) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return h
}

func (h *served) post(t *testing.T, q url.Values, body string) int {
	t.Helper()
	return post(t, h.url+"?"+q.Encode(), body)
}

func post(t *testing.T, target, body string) int {
	t.Helper()
	resp, err := http.Post(target, "text/xml", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// httpServer serves a handler until the test ends.
func httpServer(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// row0 waits until Run reads, by a first message.
func (h *served) row0(t *testing.T) {
	t.Helper()
	h.customer(0).Says("一")
	h.row(t, 0)
}

// eventually waits for something that must come about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	again, limit := time.NewTicker(2*time.Millisecond), time.After(40*time.Second)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("%s: it never came about", what)
		}
	}
}

// row waits for row n.
func (h *served) row(t *testing.T, n int) bots.Event {
	t.Helper()
	eventually(t, "a row", func() bool { return len(h.sink.Rows()) > n })
	return h.sink.Rows()[n]
}

func send(t *testing.T, r *rig, m bots.Message) (bots.Receipt, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	return r.adapter.Send(ctx, r.Address(0), m)
}

func ok(t *testing.T, r *rig, m bots.Message) bots.Receipt {
	t.Helper()
	receipt, err := send(t, r, m)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func class(t *testing.T, err error, want bots.Class) {
	t.Helper()
	if err == nil || bots.ClassOf(err) != want {
		t.Errorf("%v, want class %s", err, want)
	}
}

// A token that ends before its time costs one try, and is fetched once.
func TestTokenEndsInTheMiddle(t *testing.T) {
	for _, mode := range []string{wecom.ModeApp, wecom.ModeKF} {
		r := newRig(t, mode)
		h := r.serve(t)
		ok(t, r, bots.Message{Key: "1/0", Text: "一"})
		r.net.Expire()
		_, err := send(t, r, bots.Message{Key: "2/0", Text: "二"})
		class(t, err, bots.ClassTemporary)
		ok(t, r, bots.Message{Key: "2/0", Text: "二"})
		if n := len(r.net.Sent()); n != 2 {
			t.Errorf("%s: %d were shown", mode, n)
		}
		if n := r.net.Fetched(); n != 2 {
			t.Errorf("%s: a token was asked for %d times", mode, n)
		}
		h.Close()
	}
}

// A process that does not own the account fetches files with the owner's token,
// and asks for none of its own.
func TestFetchElsewhere(t *testing.T) {
	r := newRig(t, wecom.ModeApp)
	defer r.Close()
	r.serve(t)
	id := r.net.Upload("image/jpeg", []byte("jpeg-jpeg"))
	other := r.open()
	_, err := other.Fetch(t.Context(), bots.File{Key: id})
	class(t, err, bots.ClassTemporary) // nobody has a token yet
	ok(t, r, bots.Message{Key: "1/0", Text: "一"})
	f, err := other.Fetch(t.Context(), bots.File{Key: id})
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if n := r.net.Fetched(); n != 1 {
		t.Errorf("a token was asked for %d times", n)
	}
}

// An address that WeCom does not trust is a matter for people, and is named.
func TestUntrustedAddress(t *testing.T) {
	r := newRig(t, wecom.ModeApp)
	defer r.Close()
	r.net.Foreign(true)
	_, err := send(t, r, bots.Message{Key: "1/0", Text: "一"})
	class(t, err, bots.ClassLoggedOut)
	if err != nil && !strings.Contains(err.Error(), "203.0.113.7") {
		t.Errorf("it does not say which: %v", err)
	}
}

func TestConfigSaysWhatToWrite(t *testing.T) {
	for _, c := range []struct {
		mode   string
		change func(*wecom.Config)
		want   string
	}{
		{"app", func(c *wecom.Config) { c.Mode = "robot" }, "write app"},
		{"app", func(c *wecom.Config) { c.CorpID = "12345" }, "corp_id"},
		{"app", func(c *wecom.Config) { c.AgentID = 0 }, "agent_id"},
		{"app", func(c *wecom.Config) { c.OpenKFID = "wk123456" }, "open_kfid is for mode: kf"},
		{"kf", func(c *wecom.Config) { c.OpenKFID = "kf_1" }, "begins with wk"},
		{"kf", func(c *wecom.Config) { c.AgentID = 3 }, "agent_id is for mode: app"},
		{"app", func(c *wecom.Config) { c.Secret = privacy.Secret{} }, "secret is empty"},
		{"app", func(c *wecom.Config) { c.Token = privacy.NewSecret("with spaces") }, "token must be"},
		{"app", func(c *wecom.Config) { c.AESKey = privacy.NewSecret("short") }, "aes_key"},
		{"app", func(c *wecom.Config) { c.AESKey = privacy.Secret{} }, "seals every callback"},
		{"app", func(c *wecom.Config) { c.APIURL = "http://qyapi.weixin.qq.com" }, "write https"},
		{"app", func(c *wecom.Config) { c.Limits.App.MaxText = 0 }, "max_text_bytes"},
		{"app", func(c *wecom.Config) { c.ID = "" }, "channel id"},
	} {
		cfg := config(t, c.mode, "http://127.0.0.1:9")
		c.change(&cfg)
		_, err := wecom.New(cfg, wecom.Deps{Clock: clock.New(), Log: quiet(), State: &botstest.State{}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	cfg := config(t, "", "")
	a, err := wecom.New(cfg, wecom.Deps{Clock: clock.New(), Log: quiet(), State: &botstest.State{}})
	if _, isApp := a.(*wecom.App); err != nil || !isApp || cfg.Local() {
		t.Errorf("nothing but what is needed: %T, %v", a, err)
	}
}

func TestCheckSaysWhatToDo(t *testing.T) {
	for _, c := range []struct {
		what, mode string
		config     func(*wecom.Config)
		net        func(*wecomfake.Server)
		want       string // of what is wrong; empty for all well
	}{
		{"well", "app", nil, nil, ""},
		{"well", "kf", nil, nil, ""},
		{"secret", "app", func(c *wecom.Config) { c.Secret = privacy.NewSecret("another") }, nil, "copy Secret again"},
		{"corp", "app", func(c *wecom.Config) { c.CorpID = "ww9999999999999999" }, nil, "does not know corp_id"},
		{"agent", "app", func(c *wecom.Config) { c.AgentID = 7 }, nil, "are not of one application"},
		{"IP", "app", nil, func(s *wecomfake.Server) { s.Foreign(true) }, "takes no calls from 203.0.113.7"},
		{"IP", "kf", nil, func(s *wecomfake.Server) { s.Foreign(true) }, "takes no calls from 203.0.113.7"},
		{"off", "app", nil, func(s *wecomfake.Server) { s.SwitchOff() }, "switched off"},
		{"account", "kf", nil, func(s *wecomfake.Server) { s.Hide() }, "wkAnother_Account"},
		{"down", "app", nil, func(s *wecomfake.Server) { s.Down(true) }, "cannot be reached"},
	} {
		r := newRig(t, c.mode, func(cfg *wecom.Config) {
			if c.config != nil {
				c.config(cfg)
			}
		})
		if c.net != nil {
			c.net(r.net)
		}
		var said []string
		wrong := 0
		for _, f := range r.adapter.(bots.Checker).Check(t.Context()) {
			said = append(said, f.What)
			if f.Wrong {
				wrong++
			}
		}
		all := strings.Join(said, "\n")
		if (wrong == 0) != (c.want == "") || !strings.Contains(all, c.want) || len(said) == 0 {
			t.Errorf("%s %s: %s", c.mode, c.what, all)
		}
		if strings.Contains(all, wecomfake.Secret) || len(r.net.Sent()) > 0 || len(r.state.Values()) > 0 {
			t.Errorf("%s %s: a check told a secret, sent something or kept something", c.mode, c.what)
		}
		r.Close()
	}
}
