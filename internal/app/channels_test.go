package app

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shaoying/bots/telegram/telegramfake"
)

// withTelegram is an environment whose configuration has a Telegram account;
// more is added to its keys.
func withTelegram(t *testing.T, more ...string) Env {
	t.Helper()
	e := external(t)
	e.Config = filepath.Join(t.TempDir(), "shaoying.yaml")
	body := "privacy: {cross_border_assessment: 赣网办评〔2026〕1号}\nchannels:\n  - {id: web, kind: webchat}\n  - id: tg\n    kind: telegram\n    " + strings.Join(more, "\n    ") + "\n"
	if err := os.WriteFile(e.Config, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TG_TOKEN", telegramfake.DefaultToken)
	t.Setenv("TG_SECRET", "webhook-secret-0123456789")
	return e
}

func TestTelegramIsAbroad(t *testing.T) {
	for _, c := range []struct {
		name, api, assessment string
		demo                  bool
		want                  string // empty when it starts
	}{
		{"residents, nothing assessed", "", "", false, "PIPL art. 36"},
		{"residents, assessed", "", "赣网办评〔2026〕1号", false, ""},
		{"a server of the city's own passes it on", "api_url: http://10.1.1.1:8081", "", false, "cross_border_assessment"},
		{"a server on this machine passes it on too", "api_url: http://127.0.0.1:8081", "", false, "serve --demo"},
		{"the demo on this machine", "api_url: http://127.0.0.1:8081", "", true, ""},
		{"the demo abroad", "", "赣网办评〔2026〕1号", true, "--demo talks to this machine only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := withTelegram(t, "token_env: TG_TOKEN", c.api)
			e.Demo = c.demo
			h := open(t, e)
			h.Process.Privacy.CrossBorderAssessment = c.assessment
			_, err := h.build()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestABadTelegramAccountIsNamed(t *testing.T) {
	for _, c := range []struct {
		want string
		keys []string
	}{
		{"token_env", []string{"mode: poll"}},
		{"TG_NONE", []string{"token_env: TG_NONE"}},
		{`unknown key "tokn_env"`, []string{"tokn_env: TG_TOKEN"}},
		{"write poll", []string{"token_env: TG_TOKEN", "mode: pull"}},
		{"https://city.example/bots/tg", []string{"token_env: TG_TOKEN", "mode: webhook", "webhook_secret_env: TG_SECRET"}},
	} {
		h := open(t, withTelegram(t, append(c.keys, "api_url: http://127.0.0.1:1")...))
		if _, err := h.build(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want it to say %q", c.keys, err, c.want)
		}
	}
}

// Webhooks are mounted in every process, and not for an account that polls.
func TestWebhooksAreMounted(t *testing.T) {
	for _, c := range []struct {
		keys    []string
		mounted bool
	}{
		{[]string{"mode: webhook", "webhook_url: https://city.example/bots/tg", "webhook_secret_env: TG_SECRET"}, true},
		{[]string{"mode: poll"}, false},
	} {
		s, err := open(t, withTelegram(t, append(c.keys, "token_env: TG_TOKEN", "api_url: http://127.0.0.1:1")...)).build()
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		if err := s.pages(mux); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/bots/tg", "/bots/tg/anything"} {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}")))
			if mounted := w.Code == http.StatusUnauthorized; mounted != c.mounted {
				t.Errorf("%s: POST %s answers %d", c.keys[0], path, w.Code)
			}
		}
	}
}

func TestChannelsCheck(t *testing.T) {
	net := telegramfake.New(telegramfake.Config{})
	defer net.Close()
	h := open(t, withTelegram(t, "token_env: TG_TOKEN", "api_url: "+net.URL()))
	reports := h.CheckChannels(t.Context())
	if len(reports) != 2 || !reports[0].OK || reports[1].ID != "tg" || !reports[1].OK || len(reports[1].Notes) == 0 {
		t.Fatalf("all is well, and the reports are %+v", reports)
	}
	net.SetWebhook("https://other.example/x", "")
	if r := h.CheckChannels(t.Context())[1]; r.OK || !strings.Contains(r.Wrong[0], "other.example") {
		t.Errorf("a foreign webhook: %+v", r)
	}
	t.Setenv("TG_TOKEN", "")
	if r := h.CheckChannels(t.Context())[1]; r.OK || !strings.Contains(r.Wrong[0], "TG_TOKEN") {
		t.Errorf("no token: %+v", r)
	}
}
