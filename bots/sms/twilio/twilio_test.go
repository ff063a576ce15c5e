package twilio

import (
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/sms"
	"shaoying/bots/sms/smsfake"
	"shaoying/bots/sms/twilio/twiliofake"
	"shaoying/internal/privacy"
)

const public = "https://city.example/bots/tw"

func TestConformance(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig {
		net := twiliofake.New(public)
		return (&smsfake.Rig{
			T: t, Net: net.Network, Channel: "tw", Book: sms.Book{Keys: smsfake.Deps(t, nil).Keys}, Number: twiliofake.From,
			Open: func(log *slog.Logger) bots.Adapter { return open(t, settings(t, net.URL()), log) },
			Faults: map[bots.Class]string{
				bots.ClassThrottled: twiliofake.TooMany, bots.ClassUnknown: twiliofake.Lost,
				bots.ClassLoggedOut: twiliofake.Denied, bots.ClassGone: twiliofake.Stopped,
			},
			Forged: forged(), Hidden: []string{twiliofake.Token},
		}).Ready()
	})
}

// settings are what serve would use, for the carrier at api.
func settings(t testing.TB, api string) Config {
	t.Helper()
	return Config{
		Account: sms.Account{ID: "tw", From: twiliofake.From, CallbackURL: public},
		APIURL:  api, AccountSID: twiliofake.AccountSID, AuthToken: privacy.NewSecret(twiliofake.Token),
		Limits: smsfake.Limits(t, "../../../configs/policies/sms.yaml", "twilio"),
	}
}

func open(t testing.TB, cfg Config, log *slog.Logger) *Channel {
	t.Helper()
	c, err := New(cfg, smsfake.Deps(t, log))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func address(c *Channel) bots.Address {
	return bots.Address{Channel: "tw", Chat: c.Book.Chat(smsfake.Phone(0))}
}

// forged are forms that Twilio did not sign, or signed for something else.
func forged() []botstest.Forgery {
	honest := url.Values{"MessageSid": {"SM1"}, "From": {"+8613800138000"}, "Body": {"转账"}}
	right := twiliofake.Sign(twiliofake.Token, public+"/mo", honest)
	forge := func(name, method, path, signature string, form url.Values) botstest.Forgery {
		return botstest.Forgery{Name: name, Make: func(base string) (*http.Request, error) {
			req, err := http.NewRequest(method, base+path, strings.NewReader(form.Encode()))
			if err == nil && signature != "" {
				req.Header.Set(signatureHeader, signature)
			}
			return req, err
		}}
	}
	with := func(name, value string) url.Values {
		form := url.Values{}
		for k, v := range honest {
			form[k] = v
		}
		form.Set(name, value)
		return form
	}
	return []botstest.Forgery{
		forge("no signature", http.MethodPost, "/mo", "", honest),
		forge("an empty one", http.MethodPost, "/mo", " ", honest),
		forge("no base64", http.MethodPost, "/mo", "!!!", honest),
		forge("half of it", http.MethodPost, "/mo", right[:12]+"==", honest),
		forge("of another token", http.MethodPost, "/mo", twiliofake.Sign("another", public+"/mo", honest), honest),
		forge("of another address", http.MethodPost, "/mo", twiliofake.Sign(twiliofake.Token, "https://other.example/mo", honest), honest),
		forge("of the other push", http.MethodPost, "/mo", twiliofake.Sign(twiliofake.Token, public+"/status", honest), honest),
		forge("of other words", http.MethodPost, "/mo", right, with("Body", "别的")),
		forge("of another sender", http.MethodPost, "/mo", right, with("From", "+8613800138001")),
		forge("of fewer fields", http.MethodPost, "/mo", right, with("Extra", "x")),
		forge("with a query", http.MethodPost, "/mo?x=1", right, honest),
		forge("at a place that there is not", http.MethodPost, "/other", right, honest),
		forge("the wrong method", http.MethodGet, "/mo", right, honest),
		forge("all zeroes", http.MethodPost, "/mo", base64.StdEncoding.EncodeToString(make([]byte, 20)), honest),
		forge("far too large", http.MethodPost, "/mo", right, url.Values{"Body": {strings.Repeat("x", 10<<20)}}),
		forge("far too large without a signature", http.MethodPost, "/mo", "", url.Values{"Body": {strings.Repeat("x", 10<<20)}}),
	}
}

// The examples of Twilio's own libraries.
func TestSignature(t *testing.T) {
	for _, c := range []struct {
		address, want string
		form          url.Values
	}{
		{"https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", url.Values{
			"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"},
		}},
		{"https://mycompany.com/myapp.php?foo=1&bar=2", "IK+Dwps556ElfBT0I3Rgjkr1wJU=", url.Values{
			"Sid": {"CA123"}, "SidAccount": {"AC123"}, "Digits": {"5678", "1234", "1234"},
		}},
	} {
		if got := base64.StdEncoding.EncodeToString(signature("12345", c.address, c.form)); got != c.want {
			t.Errorf("%v is signed %s, want %s", c.form, got, c.want)
		}
	}
}

func TestClasses(t *testing.T) {
	for _, c := range []struct {
		status, code int
		want         bots.Class
	}{
		{400, 21211, bots.ClassGone},
		{400, 21610, bots.ClassGone},
		{400, 21408, bots.ClassRejected},
		{400, 21617, bots.ClassRejected},
		{400, 21606, bots.ClassLoggedOut},
		{401, 20003, bots.ClassLoggedOut},
		{404, 20404, bots.ClassLoggedOut},
		{429, 20429, bots.ClassThrottled},
		{429, 0, bots.ClassThrottled},
		{429, 63038, bots.ClassThrottled},
		{500, 20500, bots.ClassUnknown},
		{503, 0, bots.ClassUnknown},
		{400, 0, bots.ClassTemporary},
		{302, 0, bots.ClassTemporary},
	} {
		if got := failure(c.status, c.code, "Attempt to send to +8613800138000"); got.Class != c.want || strings.Contains(got.Error(), "13800138000") {
			t.Errorf("%d %d: %v, want %s", c.status, c.code, got, c.want)
		}
	}
	if after := failure(429, 63038, "").After; after != time.Hour {
		t.Errorf("the day's limit waits %s", after)
	}
}

func TestSettle(t *testing.T) {
	net := twiliofake.New(public)
	defer net.Close()
	c := open(t, settings(t, net.URL()), nil)
	r, err := c.Send(t.Context(), address(c), bots.Message{Key: "7", Text: "你好"})
	if err != nil {
		t.Fatal(err)
	}
	settle := func(r bots.Receipt) (bots.Report, error) {
		return c.Settle(t.Context(), address(c), "7", r, time.Time{})
	}
	for name, r := range map[string]bots.Receipt{"still queued": r, "never there": {ID: "SM0000000000"}, "no id": {}, "no id of theirs": {ID: "../x"}} {
		if _, err := settle(r); !errors.Is(err, bots.ErrNoReport) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := net.Tells("http://x.example", net.Sent()[0], bots.ReportFailed); err != nil {
		t.Fatal(err)
	}
	if got, err := settle(r); err != nil || got.State != bots.ReportFailed || got.Key != "7" || got.ID != r.ID {
		t.Errorf("%+v, %v", got, err)
	}
	net.Down(true)
	if _, err := settle(r); err == nil || errors.Is(err, bots.ErrNoReport) {
		t.Errorf("the carrier is away: %v", err)
	}
}

func TestReports(t *testing.T) {
	c := open(t, settings(t, "http://127.0.0.1:1"), nil)
	chat := string(c.Book.Chat("+8613800138000"))
	req := httptest.NewRequest(http.MethodPost, "/status?key=7&chat="+chat, nil)
	events, err := c.report(req, []byte("MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003"))
	if err != nil || len(events) != 1 || events[0].Report.Code != "undelivered 30003" || events[0].Report.Key != "7" || events[0].From.Phone != "+8613800138000" {
		t.Errorf("%+v, %v", events, err)
	}
	if events, err := c.report(req, []byte("MessageSid=SM1&MessageStatus=queued")); err != nil || len(events) != 0 {
		t.Errorf("what says nothing new: %v, %v", events, err)
	}
	if _, err := c.report(httptest.NewRequest(http.MethodPost, "/status?key=7&chat=x", nil), []byte("MessageSid=SM1&MessageStatus=sent")); !errors.Is(err, privacy.ErrPseudonym) {
		t.Errorf("a foreign chat: %v", err)
	}
	if _, err := c.message(nil, []byte("From=%2B8613800138000&Body=x")); err == nil {
		t.Error("a message without an id was taken")
	}
	if events, err := c.message(nil, []byte("MessageSid=SM1&From=10086&Body=x")); err != nil || len(events) != 0 {
		t.Errorf("a service number: %v, %v", events, err)
	}
}

func TestCheck(t *testing.T) {
	net := twiliofake.New(public)
	defer net.Close()
	wrong := func(cfg Config) (n int) {
		for _, f := range open(t, cfg, nil).Check(t.Context()) {
			if f.Wrong {
				n++
			}
		}
		return n
	}
	cfg := settings(t, net.URL())
	if n := wrong(cfg); n != 0 {
		t.Errorf("all is well, and %d things are wrong", n)
	}
	net.FailNext(twiliofake.Inactive)
	if wrong(cfg) != 1 {
		t.Error("a suspended account is not found")
	}
	cfg.AuthToken = privacy.NewSecret("another")
	if wrong(cfg) != 1 {
		t.Error("a wrong token is not found")
	}
	cfg.APIURL = "http://127.0.0.1:1"
	if wrong(cfg) != 1 {
		t.Error("a dead carrier is not found")
	}
}

func TestConfig(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"account_sid":           func(c *Config) { c.AccountSID = "x/../" },
		"auth token":            func(c *Config) { c.AuthToken = privacy.Secret{} },
		"messaging_service_sid": func(c *Config) { c.ServiceSID = "x" },
		"from":                  func(c *Config) { c.From = "" },
		"extension_digits":      func(c *Config) { c.ExtensionDigits = 1 },
		"callback_token":        func(c *Config) { c.CallbackTokenEnv = "X" },
		"write https":           func(c *Config) { c.APIURL = "http://api.twilio.com" },
	} {
		cfg := settings(t, "")
		change(&cfg)
		if _, err := New(cfg, smsfake.Deps(t, nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if (Config{}).Local() || !(Config{APIURL: "http://127.0.0.1:1"}).Local() {
		t.Error("Local is wrong")
	}
}

func FuzzForms(f *testing.F) {
	c := open(f, settings(f, "http://127.0.0.1:1"), nil)
	chat := string(c.Book.Chat("+8613800138000"))
	f.Add("MessageSid=SM1&From=%2B8613800138000&Body=%E8%B7%AF", "key=7&chat="+chat)
	f.Add("MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003", "key=7&chat="+chat)
	f.Add("MessageSid=%00&MessageStatus=sent", "key=%0a&chat="+chat)
	f.Fuzz(func(t *testing.T, body, query string) {
		events, err := c.message(nil, []byte(body))
		more, err2 := c.report(&http.Request{URL: &url.URL{RawQuery: query}}, []byte(body))
		if err == nil && err2 == nil {
			events = append(events, more...)
		}
		for _, ev := range events {
			if err := ev.Validate(); err != nil {
				t.Fatalf("%q %q: %v", body, query, err)
			}
		}
	})
}
