package aliyun

import (
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/sms"
	"shaoying/bots/sms/aliyun/aliyunfake"
	"shaoying/bots/sms/smsfake"
	"shaoying/bots/wire"
	"shaoying/internal/privacy"
)

const (
	token  = "callback-token-of-the-tests-0123456789"
	number = "10690123"
)

func TestConformance(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig {
		net := aliyunfake.New(token, number)
		return (&smsfake.Rig{
			T: t, Net: net.Network, Channel: "ali", Book: sms.Book{Keys: smsfake.Deps(t, nil).Keys}, Number: number, Signature: aliyunfake.SignName,
			Open: func(log *slog.Logger) bots.Adapter { return open(t, settings(t, net.URL()), log) },
			Faults: map[bots.Class]string{
				bots.ClassThrottled: "Throttling.User", bots.ClassUnknown: aliyunfake.Lost, bots.ClassTemporary: "isv.BUSINESS_LIMIT_CONTROL",
				bots.ClassLoggedOut: "isv.OUT_OF_SERVICE", bots.ClassGone: "isv.MOBILE_NUMBER_ILLEGAL",
			},
			Forged: append(smsfake.Forgeries(token, http.MethodPost, "/up/TOKEN", `[{"phone_number":"13800138000","content":"x","sequence_id":1}]`),
				smsfake.Forgeries(token, http.MethodPost, "/report/TOKEN", "[]")...),
			Hidden: []string{token, aliyunfake.Secret},
		}).Ready()
	})
}

// settings are what serve would use, for the service at api.
func settings(t testing.TB, api string) Config {
	t.Helper()
	return Config{
		Account: sms.Account{
			ID: "ali", Signature: aliyunfake.SignName, From: number, ExtensionDigits: 2,
			CallbackURL: "http://127.0.0.1:1", CallbackToken: privacy.NewSecret(token),
		},
		APIURL: api, AccessKeyID: aliyunfake.AccessKeyID, Secret: privacy.NewSecret(aliyunfake.Secret),
		Templates: map[string]Template{"code.send": {ID: aliyunfake.CodeSend, Params: map[string]string{"digits": "code", "minutes": "min"}}},
		Free:      Free{ID: aliyunfake.Free, Param: "text"},
		Limits:    smsfake.Limits(t, "../../../configs/policies/sms.yaml", "aliyun"),
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
	return bots.Address{Channel: "ali", Chat: c.Book.Chat(smsfake.Phone(0))}
}

// The example of Alibaba Cloud's own page on signature method V3.
func TestSignature(t *testing.T) {
	query := canonicalQuery(map[string]string{"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"})
	req, err := http.NewRequest(http.MethodPost, "https://ecs.cn-shanghai.aliyuncs.com/?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	sign(req, "RunInstances", "2014-05-26", "3156853299f313e23d1673dc12e1703d", time.Date(2023, 10, 26, 10, 22, 32, 0, time.UTC), "YourAccessKeyId", "YourAccessKeySecret")
	const want = "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version," +
		"Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
	if got := req.Header.Get("Authorization"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCanonicalQuery(t *testing.T) {
	got := canonicalQuery(map[string]string{"b": " a!*'()~", "a": "中+/=&"})
	if want := "a=%E4%B8%AD%2B%2F%3D%26&b=%20a%21%2A%27%28%29~"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestClasses(t *testing.T) {
	for code, want := range map[string]bots.Class{
		"isv.BUSINESS_LIMIT_CONTROL": bots.ClassClosed, "isv.DAY_LIMIT_CONTROL": bots.ClassThrottled, "Throttling.User": bots.ClassThrottled,
		"isv.MOBILE_NUMBER_ILLEGAL": bots.ClassGone,
		"isv.AMOUNT_NOT_ENOUGH":     bots.ClassLoggedOut, "isp.RAM_PERMISSION_DENY": bots.ClassLoggedOut, "InvalidAccessKeyId.NotFound": bots.ClassLoggedOut,
		"SignatureDoesNotMatch": bots.ClassLoggedOut, "Forbidden.RAM": bots.ClassLoggedOut, "isv.SMS_SIGNATURE_ILLEGAL": bots.ClassLoggedOut,
		"isv.SMS_TEMPLATE_ILLEGAL": bots.ClassRejected, "isv.TEMPLATE_MISSING_PARAMETERS": bots.ClassRejected, "isv.SOMETHING_NEW": bots.ClassRejected,
		"isp.SYSTEM_ERROR": bots.ClassUnknown, "isp.GATEWAY_ERROR": bots.ClassUnknown, "ServiceUnavailable": bots.ClassUnknown, "": bots.ClassUnknown,
	} {
		if got := classOf(http.StatusOK, code); got != want {
			t.Errorf("%s is %s, want %s", code, got, want)
		}
	}
	// A number that had too many keeps nobody else waiting.
	for message, want := range map[string]bots.Class{
		"触发分钟级流控Permits:1": bots.ClassTemporary, "触发小时级流控Permits:5": bots.ClassClosed, "触发天级流控Permits:10": bots.ClassClosed,
	} {
		if err := failure(200, "isv.BUSINESS_LIMIT_CONTROL", message); err.Class != want || err.After != 0 || strings.Contains(err.Error(), "触发") {
			t.Errorf("%s is %s, want %s: %v", message, err.Class, want, err)
		}
	}
	for code, want := range map[string]time.Duration{"Throttling.User": time.Second, "isv.DAY_LIMIT_CONTROL": time.Hour} {
		if err := failure(200, code, ""); err.After != want {
			t.Errorf("%s waits %s, want %s", code, err.After, want)
		}
	}
	for status, want := range map[int]bots.Class{200: bots.ClassUnknown, 502: bots.ClassUnknown, 403: bots.ClassTemporary, 302: bots.ClassTemporary} {
		if got := wire.Between(status); got.Class != want {
			t.Errorf("%d of a proxy is %s, want %s", status, got.Class, want)
		}
	}
}

func TestTemplates(t *testing.T) {
	net := aliyunfake.New(token, number)
	defer net.Close()
	cfg := settings(t, net.URL())
	cfg.Free = Free{}
	c := open(t, cfg, nil)
	code := bots.Template{Source: "texts:jobs", Key: "code.send", Params: map[string]string{"digits": "123456", "minutes": "5", "more": "x"}}
	r, err := c.Send(t.Context(), address(c), bots.Message{Key: "7", Text: "验证码 123456，5分钟内有效。", Template: code, Extension: "3"})
	if err != nil || r.ID == "" {
		t.Fatal(r, err)
	}
	if got := net.Sent()[0]; got.Body != "【萍乡哨应】验证码 123456，5分钟内有效。" || got.Key != "7" || got.From != number+"03" {
		t.Errorf("%+v", got)
	}
	if !c.Has(code) || c.Has(bots.Template{Source: "flow:survey", Key: "rating.ask"}) {
		t.Error("Has names the wrong texts")
	}
	for want, m := range map[string]bots.Message{
		`"flow:survey/rating.ask" has no approved template`: {Text: "满意吗", Template: bots.Template{Source: "flow:survey", Key: "rating.ask"}},
		`wants the value "minutes"`:                         {Text: "验证码", Template: bots.Template{Source: "texts:jobs", Key: "code.send", Params: map[string]string{"digits": "1"}}},
		`"" has no approved template`:                       {Text: "没有模板"},
	} {
		if _, err := c.Send(t.Context(), address(c), m); bots.ClassOf(err) != bots.ClassRejected || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestSettle(t *testing.T) {
	net := aliyunfake.New(token, number)
	defer net.Close()
	c := open(t, settings(t, net.URL()), nil)
	net.FailNext(aliyunfake.Lost)
	sent := time.Date(2026, 3, 3, 23, 59, 55, 0, beijing)
	if _, err := c.Send(t.Context(), address(c), bots.Message{Key: "7", Text: "你好"}); bots.ClassOf(err) != bots.ClassUnknown {
		t.Fatal(err)
	}
	got, err := c.Settle(t.Context(), address(c), "7", bots.Receipt{}, sent)
	if err != nil || got.State != bots.ReportBuffered || got.Key != "7" {
		t.Errorf("before the report: %+v, %v", got, err)
	}
	if _, err := net.Tells("http://x.example", net.Sent()[0], bots.ReportDelivered); err != nil {
		t.Fatal(err)
	}
	got, err = c.Settle(t.Context(), address(c), "7", bots.Receipt{}, sent)
	if err != nil || got.State != bots.ReportDelivered || got.Code != "DELIVERED" {
		t.Errorf("after it: %+v, %v", got, err)
	}
	before := net.Requests()
	if _, err := c.Settle(t.Context(), address(c), "8", bots.Receipt{}, sent); !errors.Is(err, bots.ErrNoReport) || net.Requests() != before+2 {
		t.Errorf("a message that there is not: %v after %d requests, want 2 for two days", err, net.Requests()-before)
	}
	net.Down(true)
	if _, err := c.Settle(t.Context(), address(c), "7", bots.Receipt{}, sent); err == nil || errors.Is(err, bots.ErrNoReport) {
		t.Errorf("Aliyun is away: %v", err)
	}
}

func TestPushes(t *testing.T) {
	c := open(t, settings(t, "http://127.0.0.1:1"), nil)
	events, err := c.ups(nil, []byte(`[
		{"phone_number":"13800138000","send_time":"2026-03-03 09:00:00","content":"路灯坏了","sign_name":"萍乡哨应","dest_code":"07","sequence_id":1234567890},
		{"phone_number":"8613800138000","send_time":"","content":"第二句","dest_code":"1069012307","sequence_id":"1234567891"},
		{"phone_number":"10086","content":"广告","dest_code":"1234","sequence_id":"3"},
		{"phone_number":"13800138001","send_time":"2026-03-03 09:00:00","content":"没有号","dest_code":"1234"}]`))
	if err != nil || len(events) != 3 {
		t.Fatal(events, err)
	}
	if ev := events[0]; ev.Key != "mo:1234567890" || ev.Extension != "7" || ev.Text != "路灯坏了" || !ev.At.Equal(time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", ev)
	}
	if ev := events[1]; ev.Key != "mo:1234567891" || ev.Extension != "7" || ev.Chat != events[0].Chat || !ev.At.IsZero() {
		t.Errorf("%+v", ev)
	}
	if ev := events[2]; ev.Extension != "" || len(ev.Key) != len("mo:")+64 {
		t.Errorf("%+v", ev)
	}
	events, err = c.reports(nil, []byte(`[
		{"phone_number":"13800138000","success":true,"err_code":"DELIVERED","err_msg":"用户接收成功","sms_size":"1","biz_id":"12345^0","out_id":"7"},
		{"phone_number":"13800138000","success":"false","err_code":"MK:0001","sms_size":1,"biz_id":"12346^0","out_id":"8"},
		{"phone_number":"13800138000","success":"","biz_id":"1","out_id":"9"},
		{"phone_number":"13800138000","success":true}]`))
	if err != nil || len(events) != 2 {
		t.Fatal(events, err)
	}
	want := []bots.Report{{ID: "12345^0", Key: "7", State: bots.ReportDelivered, Code: "DELIVERED"}, {ID: "12346^0", Key: "8", State: bots.ReportFailed, Code: "MK:0001"}}
	for i := range want {
		if !reflect.DeepEqual(*events[i].Report, want[i]) {
			t.Errorf("report %d is %+v", i, *events[i].Report)
		}
	}
	for _, bad := range []string{"", "{}", `[{"success":{}}]`, "null x"} {
		if _, err := c.reports(nil, []byte(bad)); err == nil {
			t.Errorf("%q is a list", bad)
		}
	}
}

func TestCheck(t *testing.T) {
	net := aliyunfake.New(token, number)
	defer net.Close()
	wrong := func(change func(*Config)) (out []string) {
		cfg := settings(t, net.URL())
		if change != nil {
			change(&cfg)
		}
		for _, f := range open(t, cfg, nil).Check(t.Context()) {
			if strings.Contains(f.What, token) || strings.Contains(f.What, aliyunfake.Secret) {
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
		"SignatureDoesNotMatch":    func(c *Config) { c.Secret = privacy.NewSecret("another") },
		"isv.SMS_TEMPLATE_ILLEGAL": func(c *Config) { c.Templates["x"] = Template{ID: "SMS_1"} },
		`wants the values ["code" "min"], params gives ["code"]`: func(c *Config) {
			c.Templates["code.send"] = Template{ID: aliyunfake.CodeSend, Params: map[string]string{"digits": "code"}}
		},
		"no connection": func(c *Config) { c.APIURL = "http://127.0.0.1:1" },
	} {
		if found := wrong(change); len(found) != 1 || !strings.Contains(found[0], want) {
			t.Errorf("%q, want %q", found, want)
		}
	}
	net.Review(aliyunfake.SignName, 10)
	net.Review(aliyunfake.Free, 10)
	if found := wrong(nil); len(found) != 2 || !strings.Contains(found[0], "may not be used") || !strings.Contains(found[1], "may not be used") {
		t.Errorf("reviews that were called off: %q", found)
	}
	net.Review(aliyunfake.SignName, 2)
	net.Review(aliyunfake.Free, 0)
	if found := wrong(nil); len(found) != 2 || !strings.Contains(found[0], "refused") || !strings.Contains(found[1], "being reviewed") {
		t.Errorf("%q", found)
	}
}

func TestConfig(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"access_key_id":     func(c *Config) { c.AccessKeyID = "" },
		"its secret":        func(c *Config) { c.Secret = privacy.Secret{} },
		"signature":         func(c *Config) { c.Signature = "" },
		"approved template": func(c *Config) { c.Templates, c.Free = nil, Free{} },
		"both id and param": func(c *Config) { c.Free.Param = "" },
		"has no id":         func(c *Config) { c.Templates["x"] = Template{} },
		"our name":          func(c *Config) { c.Templates["x"] = Template{ID: "SMS_1", Params: map[string]string{"a": ""}} },
		"callback token":    func(c *Config) { c.CallbackToken = privacy.Secret{} },
		"write https":       func(c *Config) { c.APIURL = "http://dysmsapi.aliyuncs.com" },
	} {
		cfg := settings(t, "")
		change(&cfg)
		if _, err := New(cfg, smsfake.Deps(t, nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if c := open(t, settings(t, ""), nil); c.api.String() != defaultAPI {
		t.Errorf("the default is %s", c.api)
	}
}

func FuzzPushes(f *testing.F) {
	c := open(f, settings(f, "http://127.0.0.1:1"), nil)
	f.Add(`[{"phone_number":"13800138000","send_time":"2026-03-03 09:00:00","content":"路灯坏了","dest_code":"07","sequence_id":1234567890}]`)
	f.Add(`[{"phone_number":"13800138000","success":true,"err_code":"DELIVERED","biz_id":"12345^0","out_id":"7"}]`)
	f.Add(`[{"phone_number":"13800138000","success":"false","biz_id":1}]`)
	f.Add(`[{"phone_number":"13800138000","content":"\u0000\ud800","sequence_id":"` + strings.Repeat("9", 300) + `"}]`)
	f.Add(`[null,{}]`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, decode := range []func(*http.Request, []byte) ([]bots.Event, error){c.ups, c.reports} {
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

func FuzzDetails(f *testing.F) {
	f.Add(`{"Code":"OK","SmsSendDetailDTOs":{"SmsSendDetailDTO":[{"OutId":"7","SendStatus":3,"ErrCode":"DELIVERED"}]}}`)
	f.Add(`{"Code":"isv.X"}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, body string) {
		if r, _, err := readDetails(200, []byte(body), "7"); err != nil && r.State != "" {
			t.Fatalf("%+v and %v", r, err)
		}
	})
}
