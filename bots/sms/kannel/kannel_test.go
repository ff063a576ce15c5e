package kannel

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/sms/kannel/kannelfake"
	"shaoying/bots/sms/smsfake"
	"shaoying/internal/privacy"
)

func TestClasses(t *testing.T) {
	for _, c := range []struct {
		status int
		said   string
		want   bots.Class // 0 is sent
	}{
		{202, "0: Accepted for delivery", 0},
		{202, "3: Queued for later delivery", 0},
		{202, "<html>", bots.ClassUnknown},
		{200, "0: Accepted for delivery", bots.ClassUnknown}, // smsbox answers 202
		{403, "Authorization failed for sendsms", bots.ClassLoggedOut},
		{403, "Not routable. Do not try again.", bots.ClassRejected},
		{403, "Number(s) has/have been denied by white- and/or black-lists.", bots.ClassGone},
		{400, "Missing receiver number, rejected", bots.ClassRejected},
		{404, "", bots.ClassLoggedOut},
		{401, "", bots.ClassLoggedOut},
		{302, "", bots.ClassLoggedOut},
		{413, "", bots.ClassRejected},
		{429, "", bots.ClassThrottled},
		{503, "Temporal failure, try again later.", bots.ClassTemporary},
		{503, "<html>nginx</html>", bots.ClassUnknown},
		{502, "", bots.ClassUnknown},
	} {
		err := failure(c.status, c.said)
		if c.want == 0 && err != nil || c.want != 0 && bots.ClassOf(err) != c.want {
			t.Errorf("%d %q: %v, want %v", c.status, c.said, err, c.want)
		}
	}
}

// Nothing was written where nobody listens; where somebody took the message and
// fell silent, it may have been sent.
func TestNobodyListens(t *testing.T) {
	cfg := settings(t, "http://127.0.0.1:1/cgi-bin/sendsms")
	c := open(t, cfg, nil)
	_, err := c.Send(t.Context(), address(c), bots.Message{Key: "1", Text: "你好"})
	if bots.ClassOf(err) != bots.ClassTemporary || strings.Contains(err.Error(), cfg.Password.Reveal()) {
		t.Errorf("nobody listens: %v", err)
	}
}

func address(c *Channel) bots.Address {
	return bots.Address{Channel: "sms", Chat: c.Book.Chat(smsfake.Phone(0))}
}

// A GET is never tried twice by the HTTP client.
func TestALostAnswerIsOneRequest(t *testing.T) {
	net := kannelfake.New(token)
	defer net.Close()
	c := open(t, settings(t, net.SendURL()), nil)
	if _, err := c.Send(t.Context(), address(c), bots.Message{Key: "1", Text: "你好"}); err != nil {
		t.Fatal(err)
	}
	net.FailNext(kannelfake.Lost)
	_, err := c.Send(t.Context(), address(c), bots.Message{Key: "2", Text: "你好"})
	if bots.ClassOf(err) != bots.ClassUnknown || net.Requests() != 2 || len(net.Sent()) != 2 {
		t.Errorf("%v after %d requests and %d messages", err, net.Requests(), len(net.Sent()))
	}
}

func TestWhatIsSent(t *testing.T) {
	net := kannelfake.New(token)
	defer net.Close()
	c := open(t, settings(t, net.SendURL()), nil)
	if _, err := c.Send(t.Context(), address(c), bots.Message{Key: "7/1", Text: strings.Repeat("灯", 178), Extension: "7"}); err != nil {
		t.Fatal(err)
	}
	got := net.Sent()[0]
	if got.From != number+"07" || got.To != smsfake.Phone(0) || got.Parts != 3 || !strings.HasPrefix(got.Body, "【萍乡哨应】灯") {
		t.Errorf("%+v", got)
	}
	if c.Parts(bots.Message{Text: strings.Repeat("灯", 178)}) != 3 {
		t.Error("178 characters and the signature are not three parts")
	}
}

func TestTheCarrierSigns(t *testing.T) {
	net := kannelfake.New(token)
	defer net.Close()
	cfg := settings(t, net.SendURL())
	cfg.CarrierSigns = true
	c := open(t, cfg, nil)
	m := bots.Message{Key: "1", Text: strings.Repeat("灯", 65)}
	if _, err := c.Send(t.Context(), address(c), m); err != nil {
		t.Fatal(err)
	}
	if got := net.Sent()[0]; got.Body != m.Text || c.Parts(m) != 2 {
		t.Errorf("sent %q, counted as %d parts", got.Body, c.Parts(m))
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		name, query, header, body, want string
		bad                             bool
	}{
		{"recoded", "coding=0&charset=UTF-8", "", "路灯坏了🙂", "路灯坏了🙂", false},
		{"recoded, header alone", "", "text/plain; charset=utf-8", "路灯", "路灯", false},
		{"nothing said", "", "", "hello", "hello", false},
		{"big-endian", "coding=2&charset=UTF-16BE", "", "\x8d\xef\x70\x6f\xd8\x3d\xde\x42", "路灯🙂", false},
		{"coding alone", "coding=2", "", "\x8d\xef", "路", false},
		{"with a mark", "coding=2&charset=UTF-16BE", "", "\xfe\xff\x8d\xef", "路", false},
		{"latin", "coding=0&charset=ISO-8859-1", "", "caf\xe9", "café", false},
		{"8 bits are no words", "coding=1&charset=", "", "\x01\x02\xff", "", false},
		{"half a character", "coding=2", "", "\x8d", "", true},
		{"not UTF-8", "charset=UTF-8", "", "\xff\xfe", "", true},
		{"unknown", "charset=BIG5", "", "x", "", true},
	} {
		query, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		got, err := words(query, c.header, []byte(c.body))
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

func TestMessage(t *testing.T) {
	c := open(t, settings(t, "http://127.0.0.1:1"), nil)
	post := func(query, body string) ([]bots.Event, error) {
		return c.message(httptest.NewRequest(http.MethodPost, "/mo/x?"+query, nil), []byte(body))
	}
	events, err := post("from=%2B8613800138000&to=1069012307&id=abc&charset=UTF-8&ts=1772413200", "路灯坏了")
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	ev := events[0]
	if ev.Key != "mo:abc" || ev.Extension != "7" || ev.From.Phone != "+8613800138000" || !ev.At.Equal(time.Unix(1772413200, 0)) || ev.Validate() != nil {
		t.Errorf("%+v %v", ev, ev.Validate())
	}
	if events, err := post("from=10086&to=10690123&id=abc", "广告"); err != nil || len(events) != 0 {
		t.Errorf("a service number: %v, %v", events, err)
	}
	if events, err := post("from=13800138000&to=10690123&id=abc", " "); err != nil || events[0].Kind != bots.KindOther {
		t.Errorf("an empty message: %v, %v", events, err)
	}
	if _, err := post("from=13800138000&to=10690123", "x"); !errors.Is(err, errNoID) {
		t.Errorf("no id: %v", err)
	}
}

func TestReport(t *testing.T) {
	c := open(t, settings(t, "http://127.0.0.1:1"), nil)
	chat := string(c.Book.Chat("+8613800138000"))
	get := func(query string) ([]bots.Event, error) {
		return c.report(httptest.NewRequest(http.MethodGet, "/dlr/x?chat="+chat+"&"+query, nil), nil)
	}
	for _, x := range []struct {
		query, code string
		state       bots.ReportState
	}{
		{"key=7&type=1&answer=id%3A13800138000+sub%3A001+stat%3ADELIVRD+err%3A000+text%3A", "DELIVRD 000", bots.ReportDelivered},
		{"key=7&type=2&answer=stat%3AUNDELIV+err%3A1", "UNDELIV 1", bots.ReportFailed},
		{"key=7&type=4&answer=", "type 4", bots.ReportBuffered},
		{"key=7&type=8&answer=ACK%2F", "type 8", bots.ReportBuffered},
		{"key=7&type=16&answer=NACK%2F69%2FInvalid", "69", bots.ReportFailed},
		{"key=7&type=2&answer=13800138000", "type 2", bots.ReportFailed},
	} {
		events, err := get(x.query)
		if err != nil || len(events) != 1 {
			t.Fatalf("%s: %v, %v", x.query, events, err)
		}
		ev := events[0]
		if ev.Report.State != x.state || ev.Report.Code != x.code || ev.Report.Key != "7" || ev.Validate() != nil || ev.From.Phone != "+8613800138000" {
			t.Errorf("%s: %+v, %v", x.query, ev.Report, ev.Validate())
		}
	}
	for _, bad := range []string{"key=7&type=3", "type=1", "key=" + strings.Repeat("7", 200) + "&type=1", ""} {
		if events, err := get(bad); err == nil {
			t.Errorf("%q is a report: %+v", bad, events)
		}
	}
	if _, err := c.report(httptest.NewRequest(http.MethodGet, "/dlr/x?chat=foreign&key=7&type=1", nil), nil); !errors.Is(err, privacy.ErrPseudonym) {
		t.Errorf("a foreign chat: %v", err)
	}
}

func TestCheck(t *testing.T) {
	net := kannelfake.New(token)
	defer net.Close()
	wrong := func(cfg Config) (n int) {
		for _, f := range open(t, cfg, nil).Check(t.Context()) {
			if strings.Contains(f.What, token) || strings.Contains(f.What, cfg.Password.Reveal()) {
				t.Errorf("a finding shows a secret: %s", f.What)
			}
			if f.Wrong {
				n++
			}
		}
		return n
	}
	cfg := settings(t, net.SendURL())
	if n := wrong(cfg); n != 0 || len(net.Sent()) != 0 {
		t.Errorf("all is well, and %d things are wrong, %d messages were sent", n, len(net.Sent()))
	}
	cfg.Password = privacy.NewSecret("another")
	if wrong(cfg) != 1 {
		t.Error("a wrong password is not found")
	}
	cfg.SendURL += "/x"
	if wrong(cfg) != 1 {
		t.Error("a wrong address is not found")
	}
	cfg.SendURL, cfg.Signature = "http://127.0.0.1:1", ""
	if wrong(cfg) != 2 {
		t.Error("a dead gateway or a missing signature is not found")
	}
}

func TestConfig(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"channel id":      func(c *Config) { c.ID = "" },
		"send_url":        func(c *Config) { c.SendURL = "gateway" },
		"write https":     func(c *Config) { c.SendURL = "http://sms.example/cgi-bin/sendsms" },
		"username":        func(c *Config) { c.Username = "" },
		"password":        func(c *Config) { c.Password = privacy.Secret{} },
		"callback token":  func(c *Config) { c.CallbackToken = privacy.NewSecret("short") },
		"from":            func(c *Config) { c.From = "" },
		"digits only":     func(c *Config) { c.From = "GOV" },
		"brackets":        func(c *Config) { c.Signature = "【哨应】" },
		"carrier_signs":   func(c *Config) { c.Signature, c.CarrierSigns = "", true },
		"countries":       func(c *Config) { c.Countries = []string{"+86"} },
		"callback_url":    func(c *Config) { c.CallbackURL = "http://127.0.0.1:8080/bots/sms/" },
		"extension_digit": func(c *Config) { c.ExtensionDigits = 9 },
		"max_parts":       func(c *Config) { c.MaxParts = 99 },
		"limits":          func(c *Config) { c.Limits = sms.Limits{} },
	} {
		cfg := settings(t, "http://127.0.0.1:1/cgi-bin/sendsms")
		change(&cfg)
		if _, err := New(cfg, smsfake.Deps(t, nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	cfg := settings(t, "http://10.1.1.1:13013/cgi-bin/sendsms")
	cfg.MaxParts, cfg.PerSecond = 1, 5
	if caps := open(t, cfg, nil).Caps(); caps.MaxText != 64 || caps.Rate.PerSecond != 5 || caps.Extensions != 99 {
		t.Errorf("%+v", caps)
	}
}

func FuzzMessage(f *testing.F) {
	c := open(f, settings(f, "http://127.0.0.1:1"), nil)
	f.Add("from=%2B8613800138000&to=1069012307&id=abc&charset=UTF-8&ts=1772413200", "路灯坏了")
	f.Add("from=13800138000&coding=2&id=1", "\x8d\xef\xd8\x3d")
	f.Add("from=13800138000&coding=1&id=%00", "\x00")
	f.Add("id=1&from=10086&charset=ISO-8859-1", "\xff")
	f.Fuzz(func(t *testing.T, query, body string) {
		events, err := c.message(&http.Request{URL: &url.URL{RawQuery: query}, Header: http.Header{}}, []byte(body))
		if err != nil {
			return
		}
		for _, ev := range events {
			if err := ev.Validate(); err != nil && len(body) <= 32768 {
				t.Fatalf("%q %q: %v", query, body, err)
			}
		}
	})
}

func FuzzReport(f *testing.F) {
	c := open(f, settings(f, "http://127.0.0.1:1"), nil)
	chat := string(c.Book.Chat("+8613800138000"))
	f.Add("key=7&type=1&answer=stat%3ADELIVRD+err%3A000&chat=" + chat)
	f.Add("key=%00&type=16&answer=NACK%2F0x0045&chat=" + chat)
	f.Add("key=7&type=2&chat=x")
	f.Fuzz(func(t *testing.T, query string) {
		events, err := c.report(&http.Request{URL: &url.URL{RawQuery: query}}, nil)
		if err != nil {
			return
		}
		for _, ev := range events {
			if err := ev.Validate(); err != nil {
				t.Fatalf("%q: %v", query, err)
			}
		}
	})
}
