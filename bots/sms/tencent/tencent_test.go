package tencent

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/sms"
	"shaoying/bots/sms/smsfake"
	"shaoying/bots/sms/tencent/tencentfake"
	"shaoying/internal/privacy"
)

const (
	token = "callback-token-of-the-tests-0123456789"
	from  = "10690123"
)

func TestConformance(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig {
		net := tencentfake.New(token, from)
		return (&smsfake.Rig{
			T: t, Net: net.Network, Channel: "tc", Book: sms.Book{Keys: smsfake.Deps(t, nil).Keys}, Number: from, Signature: tencentfake.SignName,
			Open: func(log *slog.Logger) bots.Adapter { return open(t, settings(t, net.URL()), log) },
			Faults: map[bots.Class]string{
				bots.ClassThrottled: "LimitExceeded.AppMainlandChinaDailyLimit", bots.ClassTemporary: "LimitExceeded.PhoneNumberThirtySecondLimit",
				bots.ClassClosed: "LimitExceeded.PhoneNumberDailyLimit", bots.ClassUnknown: tencentfake.Lost,
				bots.ClassLoggedOut: "AuthFailure.SecretIdNotFound", bots.ClassGone: "FailedOperation.PhoneNumberInBlacklist",
			},
			Forged: append(smsfake.Forgeries(token, http.MethodPost, "/reply/TOKEN", `{"mobile":"13800138000","nationcode":"86","text":"x","time":1}`),
				smsfake.Forgeries(token, http.MethodPost, "/report/TOKEN", "[]")...),
			Hidden: []string{token, tencentfake.Key},
		}).Ready()
	})
}

// settings are what serve would use, for the service at api.
func settings(t testing.TB, api string) Config {
	t.Helper()
	cfg := Config{
		Account: sms.Account{
			ID: "tc", Signature: tencentfake.SignName, ExtensionDigits: 2,
			CallbackURL: "http://127.0.0.1:1", CallbackToken: privacy.NewSecret(token),
		},
		APIURL: api, SecretID: tencentfake.SecretID, SecretKey: privacy.NewSecret(tencentfake.Key), SDKAppID: tencentfake.AppID,
		Templates: map[string]Template{"code.send": {ID: tencentfake.CodeSend, Params: []string{"digits", "minutes"}}},
		Limits:    smsfake.Limits(t, "../../../configs/policies/sms.yaml", "tencent"),
	}
	cfg.Free.ID = tencentfake.Free
	return cfg
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
	return bots.Address{Channel: "tc", Chat: c.Book.Chat(smsfake.Phone(0))}
}

// The example of Tencent Cloud's own page on signature method V3; the stars are
// what it signs with.
func TestSignature(t *testing.T) {
	const stars = "********************************"
	body := []byte(`{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`)
	req, err := http.NewRequest(http.MethodPost, "https://cvm.tencentcloudapi.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	sign(req, "cvm", "DescribeInstances", body, time.Unix(1551113065, 0), "AKID"+stars, stars)
	const want = "TC3-HMAC-SHA256 Credential=AKID" + stars + "/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host;x-tc-action, " +
		"Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
	if got := req.Header.Get("Authorization"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestClasses(t *testing.T) {
	for code, want := range map[string]bots.Class{
		// A number that had too many keeps nobody else waiting.
		"LimitExceeded.PhoneNumberDailyLimit": bots.ClassClosed, "LimitExceeded.PhoneNumberThirtySecondLimit": bots.ClassTemporary,
		"LimitExceeded.DeliveryFrequencyLimit": bots.ClassTemporary, "LimitExceeded.PhoneNumberSameContentDailyLimit": bots.ClassClosed,
		"LimitExceeded.AppMainlandChinaDailyLimit": bots.ClassThrottled, "RequestLimitExceeded.UinLimitExceeded": bots.ClassThrottled,
		"LimitExceeded.PhoneNumberCountLimit":        bots.ClassRejected,
		"InvalidParameterValue.IncorrectPhoneNumber": bots.ClassGone, "FailedOperation.PhoneNumberInBlacklist": bots.ClassGone,
		"AuthFailure.SignatureFailure": bots.ClassLoggedOut, "UnauthorizedOperation.RequestIpNotInWhitelist": bots.ClassLoggedOut,
		"FailedOperation.InsufficientBalanceInSmsPackage": bots.ClassLoggedOut, "FailedOperation.SignatureIncorrectOrUnapproved": bots.ClassLoggedOut,
		"FailedOperation.TemplateIncorrectOrUnapproved": bots.ClassRejected, "FailedOperation.ContainSensitiveWord": bots.ClassRejected,
		"InvalidParameterValue.ContentLengthLimit": bots.ClassRejected, "SomethingNew": bots.ClassRejected,
		"InternalError.Timeout": bots.ClassUnknown, "": bots.ClassUnknown,
	} {
		if got := failure(200, code, ""); got.Class != want {
			t.Errorf("%s is %s, want %s", code, got.Class, want)
		}
	}
	for code, want := range map[string]time.Duration{
		"LimitExceeded.AppMainlandChinaDailyLimit": time.Hour, "RequestLimitExceeded": time.Second, "LimitExceeded.PhoneNumberOneHourLimit": 0,
	} {
		if got := failure(200, code, "").After; got != want {
			t.Errorf("%s waits %s, want %s", code, got, want)
		}
	}
	for body, want := range map[string]bots.Class{
		`<html>`: bots.ClassUnknown, `{}`: bots.ClassUnknown, `{"Response":[]}`: bots.ClassUnknown,
		`{"Response":{"Error":{"Code":"AuthFailure.TokenFailure"}}}`: bots.ClassLoggedOut, `{"Response":{"SendStatusSet":7}}`: bots.ClassUnknown,
	} {
		var v struct{ SendStatusSet []struct{} }
		if err := read(200, []byte(body), &v); bots.ClassOf(err) != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

func TestTemplates(t *testing.T) {
	net := tencentfake.New(token, from)
	defer net.Close()
	cfg := settings(t, net.URL())
	cfg.Free.ID = ""
	c := open(t, cfg, nil)
	code := bots.Template{Source: "texts:jobs", Key: "code.send", Params: map[string]string{"digits": "123456", "minutes": "5"}}
	r, err := c.Send(t.Context(), address(c), bots.Message{Key: "7", Text: "验证码", Template: code, Extension: "3"})
	if err != nil || r.ID == "" {
		t.Fatal(r, err)
	}
	if got := net.Sent()[0]; got.Body != "【萍乡哨应】验证码 123456，5分钟内有效。" || got.Key != "7" || got.From != from+"03" {
		t.Errorf("%+v", got)
	}
	if !c.Has(code) || c.Has(bots.Template{Source: "flow:survey", Key: "rating.ask"}) {
		t.Error("Has names the wrong texts")
	}
	for want, m := range map[string]bots.Message{
		"no approved template":      {Text: "满意吗", Template: bots.Template{Source: "flow:survey", Key: "rating.ask"}},
		`wants the value "minutes"`: {Text: "验证码", Template: bots.Template{Source: "texts:jobs", Key: "code.send", Params: map[string]string{"digits": "1"}}},
	} {
		if _, err := c.Send(t.Context(), address(c), m); bots.ClassOf(err) != bots.ClassRejected || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestSettle(t *testing.T) {
	net := tencentfake.New(token, from)
	defer net.Close()
	c := open(t, settings(t, net.URL()), nil)
	net.FailNext(tencentfake.Lost)
	if _, err := c.Send(t.Context(), address(c), bots.Message{Key: "7", Text: "你好"}); bots.ClassOf(err) != bots.ClassUnknown {
		t.Fatal(err)
	}
	sent := time.Unix(1772413200, 0)
	if _, err := c.Settle(t.Context(), address(c), "7", bots.Receipt{}, sent); !errors.Is(err, bots.ErrNoReport) {
		t.Errorf("before the report: %v", err)
	}
	text := net.Sent()[0]
	if _, err := net.Tells("http://x.example", text, bots.ReportFailed); err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]struct {
		key string
		r   bots.Receipt
	}{"by our key": {"7", bots.Receipt{}}, "by Tencent's id": {"another", bots.Receipt{ID: text.ID}}} {
		got, err := c.Settle(t.Context(), address(c), ask.key, ask.r, sent)
		if err != nil || got.State != bots.ReportFailed || got.ID != text.ID {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := c.Settle(t.Context(), address(c), "8", bots.Receipt{}, sent); !errors.Is(err, bots.ErrNoReport) {
		t.Errorf("a message that there is not: %v", err)
	}
}

func TestPushes(t *testing.T) {
	c := open(t, settings(t, "http://127.0.0.1:1"), nil)
	one := `{"extend":"07","mobile":"13800138000","nationcode":"86","sign":"萍乡哨应","text":"路灯坏了","time":1772413200}`
	events, err := c.replies(nil, []byte(one))
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	if ev := events[0]; ev.Extension != "7" || ev.Text != "路灯坏了" || ev.From.Phone != "+8613800138000" || !ev.At.Equal(time.Unix(1772413200, 0)) {
		t.Errorf("%+v", ev)
	}
	// The same again, in an array, is the same event; a second later it is not.
	again, err := c.replies(nil, []byte("["+one+","+strings.Replace(one, "200}", "201}", 1)+`,{"mobile":"10086","text":"广告","time":1}]`))
	if err != nil || len(again) != 2 || again[0].Key != events[0].Key || again[1].Key == events[0].Key {
		t.Errorf("%+v, %v", again, err)
	}
	events, err = c.reports(nil, []byte(`[{"user_receive_time":"2015-10-17 08:03:04","nationcode":"86","mobile":"13800138000","report_status":"SUCCESS","errmsg":"DELIVRD","description":"用户短信送达成功","sid":"5000:1"},
		{"nationcode":"86","mobile":"13800138000","report_status":"FAIL","errmsg":"UNDELIV","sid":"5000:2"},
		{"nationcode":"86","mobile":"13800138000","report_status":"?","sid":"5000:3"}]`))
	if err != nil || len(events) != 2 || events[0].Report.ID != "5000:1" || events[0].Report.State != bots.ReportDelivered || events[1].Report.Code != "UNDELIV" {
		t.Errorf("%+v, %v", events, err)
	}
	for _, bad := range []string{"", "[", "7", `"x"`} {
		if _, err := c.replies(nil, []byte(bad)); err == nil {
			t.Errorf("%q is a message", bad)
		}
	}
}

// What is pulled is kept until it is taken, and is what would have been pushed.
func TestPull(t *testing.T) {
	net := tencentfake.New(token, from)
	defer net.Close()
	c := open(t, settings(t, net.URL()), nil)
	if _, err := c.Send(t.Context(), address(c), bots.Message{Key: "7", Text: "你好"}); err != nil {
		t.Fatal(err)
	}
	for n := range 150 {
		net.Keep("+8613800138000", "07", "第几句", 1772413200+int64(n))
	}
	net.KeepReport(net.Sent()[0], "SUCCESS")
	rec := botstest.NewRecorder()
	rec.Before(func(_ context.Context, call int, _ []bots.Event) error {
		if call == 1 {
			return errors.New("the database is away")
		}
		return nil
	})
	for _, pull := range []func(context.Context) ([]bots.Event, bool, error){c.pullReplies, c.pullReports} {
		if err := c.drain(t.Context(), rec.Sink, pull); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(rec.Rows()); n != 151 || net.Left() != 0 || len(rec.Invalid()) > 0 {
		t.Fatalf("%d events, %d left, %v", n, net.Left(), rec.Invalid())
	}
	last := rec.Rows()[150]
	if last.Report == nil || last.Report.Key != "7" || last.Report.State != bots.ReportDelivered {
		t.Errorf("%+v", last)
	}
	pushed, err := c.replies(nil, []byte(`{"extend":"07","mobile":"13800138000","nationcode":"86","text":"第几句","time":1772413200}`))
	if err != nil || pushed[0].Key != rec.Rows()[0].Key {
		t.Errorf("pushed and pulled are two: %v, %v", pushed, err)
	}
}

// The end of the program does not lose what was pulled, where there is time.
func TestPullAtTheEnd(t *testing.T) {
	net := tencentfake.New(token, from)
	defer net.Close()
	c := open(t, settings(t, net.URL()), nil)
	net.Keep("+8613800138000", "", "最后一句", 1772413200)
	ctx, cancel := context.WithCancel(t.Context())
	rec := botstest.NewRecorder()
	rec.Before(func(_ context.Context, call int, _ []bots.Event) error {
		if call == 1 {
			cancel()
			return errors.New("the database is away")
		}
		return nil
	})
	if err := c.drain(ctx, rec.Sink, c.pullReplies); err != nil {
		t.Fatal(err)
	}
	if n := len(rec.Rows()); n != 1 {
		t.Errorf("%d events", n)
	}
}

func TestRunPulls(t *testing.T) {
	net := tencentfake.New(token, from)
	defer net.Close()
	cfg := settings(t, net.URL())
	cfg.Pull = soonestPull
	c := open(t, cfg, nil)
	c.cfg.Pull = time.Millisecond
	net.Keep("+8613800138000", "", "没推到", 1772413200)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- c.Run(ctx, func(context.Context, []bots.Event) error {
			cancel()
			return nil
		})
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestCheck(t *testing.T) {
	net := tencentfake.New(token, from)
	defer net.Close()
	wrong := func(change func(*Config)) (out []string) {
		cfg := settings(t, net.URL())
		if change != nil {
			change(&cfg)
		}
		for _, f := range open(t, cfg, nil).Check(t.Context()) {
			if strings.Contains(f.What, token) || strings.Contains(f.What, tencentfake.Key) {
				t.Errorf("a finding shows a secret: %s", f.What)
			}
			if f.Wrong {
				out = append(out, f.What)
			}
		}
		return out
	}
	if found := wrong(nil); len(found) != 0 {
		t.Errorf("all is well, and wrong is %q", found)
	}
	for want, change := range map[string]func(*Config){
		"AuthFailure":            func(c *Config) { c.SecretKey = privacy.NewSecret("another") },
		"there is no template 1": func(c *Config) { c.Templates["x"] = Template{ID: "1"} },
		"wants 2 values, params gives 1": func(c *Config) {
			c.Templates["code.send"] = Template{ID: tencentfake.CodeSend, Params: []string{"digits"}}
		},
		"no connection": func(c *Config) { c.APIURL = "http://127.0.0.1:1" },
	} {
		if found := wrong(change); len(found) != 1 || !strings.Contains(found[0], want) {
			t.Errorf("%q, want %q", found, want)
		}
	}
	net.Review(tencentfake.Free, 1)
	net.Review(tencentfake.CodeSend, -1)
	if found := wrong(nil); len(found) != 2 {
		t.Errorf("%q", found)
	}
}

func TestConfig(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"secret_id":         func(c *Config) { c.SecretID = "" },
		"its key":           func(c *Config) { c.SecretKey = privacy.Secret{} },
		"sdk_app_id":        func(c *Config) { c.SDKAppID = "app" },
		"region":            func(c *Config) { c.Region = "Guangzhou!" },
		"signature":         func(c *Config) { c.Signature = "" },
		"approved template": func(c *Config) { c.Templates, c.Free.ID = nil, "" },
		"free: id":          func(c *Config) { c.Free.ID = "SMS_1" },
		"x: id":             func(c *Config) { c.Templates["x"] = Template{} },
		"pull":              func(c *Config) { c.Pull = time.Second },
		"callback token":    func(c *Config) { c.CallbackToken = privacy.Secret{} },
	} {
		cfg := settings(t, "")
		change(&cfg)
		if _, err := New(cfg, smsfake.Deps(t, nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func FuzzPushes(f *testing.F) {
	c := open(f, settings(f, "http://127.0.0.1:1"), nil)
	f.Add(`{"extend":"07","mobile":"13800138000","nationcode":"86","sign":"萍乡哨应","text":"路灯坏了","time":1772413200}`)
	f.Add(`[{"nationcode":"86","mobile":"13800138000","report_status":"SUCCESS","errmsg":"DELIVRD","sid":"5000:1"}]`)
	f.Add(`[{"mobile":"13800138000","text":"\u0000\ud800","time":-1},null]`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, decode := range []func(*http.Request, []byte) ([]bots.Event, error){c.replies, c.reports} {
			events, err := decode(nil, []byte(body))
			if err != nil {
				continue
			}
			for _, ev := range events {
				if err := ev.Validate(); err != nil {
					t.Fatalf("%s: %v", body, err)
				}
			}
		}
	})
}

func FuzzAnswers(f *testing.F) {
	f.Add(`{"Response":{"SendStatusSet":[{"SerialNo":"1","Code":"Ok"}],"RequestId":"x"}}`)
	f.Add(`{"Response":{"Error":{"Code":"InternalError.Timeout","Message":"13800138000"}}}`)
	f.Add(`{"Response":null}`)
	f.Fuzz(func(t *testing.T, body string) {
		var v struct {
			SendStatusSet []struct{ SerialNo, Code string }
		}
		if err := read(200, []byte(body), &v); err != nil && strings.Contains(err.Error(), "13800138000") {
			t.Fatal("an error shows a number")
		}
	})
}
