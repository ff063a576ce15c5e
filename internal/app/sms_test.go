package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/bots/sms/aliyun/aliyunfake"
	"shaoying/configs"
)

// carriers are accounts that start, with URL for the server.
var carriers = map[string]string{
	"kannel": `{id: k, kind: kannel, send_url: URL/cgi-bin/sendsms, username: gov, password_env: SMS_SECRET, from: "10690123", extension_digits: 2,
     signature: 萍乡哨应, callback_url: "http://127.0.0.1:8080/bots/k", callback_token_env: SMS_TOKEN, callback_from: [127.0.0.0/8]}`,
	"aliyun": `{id: a, kind: aliyun, api_url: URL, access_key_id: LTAI-of-the-tests, access_key_secret_env: SMS_SECRET, signature: 萍乡哨应,
     templates: {code.send: {id: SMS_123, params: {digits: code, minutes: min}}}, callback_url: "https://city.example/bots/a", callback_token_env: SMS_TOKEN}`,
	"tencent": `{id: t, kind: tencent, api_url: URL, secret_id: AKID, secret_key_env: SMS_SECRET, sdk_app_id: "1400006666", signature: 萍乡哨应, pull: 1m,
     templates: {code.send: {id: "123", params: [digits, minutes]}}, free: {id: "900"}, callback_url: "https://city.example/bots/t", callback_token_env: SMS_TOKEN}`,
	"twilio": `{id: w, kind: twilio, api_url: URL, account_sid: AC0123456789abcdef, auth_token_env: SMS_SECRET, from: "+8610690123",
     callback_url: "https://city.example/bots/w", max_parts: 2, per_second: 10, countries: ["86", "852"]}`,
}

func accounts(t *testing.T, list string) []configs.Channel {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shaoying.yaml")
	if err := os.WriteFile(path, []byte("channels:\n  - {id: web, kind: webchat}\n  - "+list+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := configs.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return p.Channels
}

func TestCarriers(t *testing.T) {
	t.Setenv("SMS_SECRET", "secret-of-the-tests")
	t.Setenv("SMS_TOKEN", "callback-token-of-the-tests-0123456789")
	h := open(t, external(t))
	start := func(kind, server, change, to string) (bots.Adapter, error) {
		list := strings.ReplaceAll(strings.ReplaceAll(carriers[kind], "URL", server), change, to)
		return h.channel(accounts(t, list)[1])
	}
	for kind := range carriers {
		t.Run(kind, func(t *testing.T) {
			h.Env.Demo, h.Process.Privacy.CrossBorderAssessment = true, ""
			a, err := start(kind, "http://127.0.0.1:9", "\x00", "")
			if err != nil {
				t.Fatal(err)
			}
			caps := a.Caps()
			if _, hook := a.(bots.Webhook); !hook || !caps.Paid || !caps.Phone || caps.Redelivers == 0 || caps.Rate.PerSecond == 0 {
				t.Errorf("%+v", caps)
			}
			for what, want := range map[string][2]string{
				"SMS_SECRET":            {"SMS_NOTHING", "SMS_NOTHING"},
				"callback_url":          {"callback_link", `unknown key "callback_link"`},
				"http://127.0.0.1:9":    {"https://sms.example", "--demo talks to this machine only"},
				"id: " + kind[:1] + ",": {"id: " + kind[:1] + ", colour: red,", `unknown key "colour"`},
			} {
				if kind == "twilio" && strings.HasPrefix(what, "id:") {
					continue // its id is another letter
				}
				if _, err := start(kind, "http://127.0.0.1:9", what, want[0]); err == nil || !strings.Contains(err.Error(), want[1]) {
					t.Errorf("%s: %v, want %q", what, err, want[1])
				}
			}
			h.Env.Demo = false
			_, err = start(kind, "https://sms.example", "\x00", "")
			if abroad := kind == "twilio"; abroad != (err != nil && strings.Contains(err.Error(), "PIPL")) {
				t.Errorf("for residents: %v", err)
			}
		})
	}
}

// channels check names the texts that a carrier of approved templates cannot say.
func TestTextsWithoutTemplate(t *testing.T) {
	t.Setenv("SMS_SECRET", aliyunfake.Secret)
	t.Setenv("SMS_TOKEN", "callback-token-of-the-tests-0123456789")
	net := aliyunfake.New("callback-token-of-the-tests-0123456789", "10690123")
	defer net.Close()
	h := open(t, external(t))
	h.Process.Channels = accounts(t, strings.ReplaceAll(carriers["aliyun"], "URL", net.URL()))
	r := h.CheckChannels(t.Context())[1]
	notes := strings.Join(r.Notes, "\n")
	if !r.OK || !strings.Contains(notes, "flow:report/") || !strings.Contains(notes, "have no approved template") || strings.Contains(notes, "code.send") || strings.Contains(notes, "staff_") {
		t.Errorf("%v %v", r.Wrong, notes)
	}
	h.Process.Channels = accounts(t, strings.ReplaceAll(strings.ReplaceAll(carriers["aliyun"], "URL", net.URL()), "templates:", "free: {id: SMS_900, param: text}, templates:"))
	if r := h.CheckChannels(t.Context())[1]; !r.OK || strings.Contains(strings.Join(r.Notes, "\n"), "have no approved template") {
		t.Errorf("with a free template: %+v", r)
	}
}

// Every account in the guide for counties starts as it stands there.
func TestTheGuideStarts(t *testing.T) {
	guide, err := os.ReadFile("../../docs/zh/sms.md")
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, external(t))
	h.Process.Privacy.CrossBorderAssessment = "赣网办评〔2026〕1号"
	var kinds []string
	for i, block := range strings.Split(string(guide), "```yaml\n") {
		if i == 0 {
			continue
		}
		block, _, _ = strings.Cut(block, "```")
		block = strings.ReplaceAll(block[strings.Index(block, "  - id: "):], "…", "0123456789abcdef")
		for _, line := range strings.Split(block, "\n") {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && strings.HasSuffix(key, "_env") {
				name, _, _ := strings.Cut(value, " ")
				secret := "callback-token-of-the-tests-0123456789"
				if key == "password_env" {
					secret = "12345678"
				}
				t.Setenv(name, secret)
			}
		}
		c := accounts(t, strings.TrimPrefix(strings.TrimSpace(block), "- "))[1]
		if _, err := h.channel(c); err != nil {
			t.Errorf("the account of kind %s in the guide: %v", c.Kind, err)
		}
		kinds = append(kinds, c.Kind)
	}
	if got := strings.Join(kinds, " "); got != "kannel smpp aliyun tencent twilio" {
		t.Errorf("the guide shows %s", got)
	}
}
