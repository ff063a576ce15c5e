package telegram

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/telegram/telegramfake"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

func TestConformancePoll(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig { return newRig(t, ModePoll) })
}

func TestConformanceWebhook(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig { return newRig(t, ModeWebhook) })
}

const (
	firstUser  = 5_000_000_001
	firstGroup = -4_000_000_001
	testSecret = "webhook-secret_of-the-tests-0123456789"
)

// rig is the fake Bot API and one account on it.
type rig struct {
	t       *testing.T
	mode    string
	net     *telegramfake.Server
	log     *botstest.Log
	adapter bots.Adapter
	group   *telegramfake.Group
}

func newRig(t *testing.T, mode string) *rig {
	r := &rig{t: t, mode: mode, net: telegramfake.New(telegramfake.Config{}), log: &botstest.Log{}}
	r.group = r.net.Group(firstGroup, "昌盛小区3栋")
	for user := range 20 {
		r.user(user) // who has never pressed Start cannot be written to
	}
	r.Restart()
	return r
}

// settings are what serve would use, for the account at api.
func settings(t *testing.T, mode, api, token string) Config {
	t.Helper()
	body, err := os.ReadFile("../../configs/policies/telegram.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{ID: "tg", Mode: mode, APIURL: api, Token: privacy.NewSecret(token)}
	if err := yaml.Unmarshal(body, &cfg.Limits); err != nil {
		t.Fatal(err)
	}
	if mode == ModeWebhook {
		cfg.WebhookURL, cfg.WebhookSecret = "https://city.example/bots/tg", privacy.NewSecret(testSecret)
	}
	return cfg
}

func open(t *testing.T, cfg Config, log *slog.Logger) bots.Adapter {
	t.Helper()
	a, err := New(cfg, Deps{Clock: clock.New(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// accountOf is what poller and hook share.
func accountOf(a bots.Adapter) *account {
	if h, ok := a.(*Hook); ok {
		return h.account
	}
	return a.(*Poller).account
}

func (r *rig) user(n int) *telegramfake.Speaker {
	return r.net.User(firstUser+int64(n), fmt.Sprintf("居民 %d", n))
}

func (r *rig) Adapter() bots.Adapter { return r.adapter }

func (r *rig) Restart() {
	if r.adapter != nil {
		accountOf(r.adapter).close()
	}
	r.adapter = open(r.t, settings(r.t, r.mode, r.net.URL(), r.net.Token()), slog.New(slog.NewTextHandler(r.log, nil)))
}

func (r *rig) Close() {
	accountOf(r.adapter).close()
	r.net.Close()
}

func (r *rig) Listen(url string) { r.net.Balance(url) }

func (r *rig) Address(user int) bots.Address {
	return bots.Address{Channel: "tg", Chat: chatID(r.user(user).Chat())}
}

func (r *rig) UserSays(user int, text string) bool { r.user(user).Says(text); return true }

func (r *rig) UserTaps(user, n int) bool {
	seen := r.user(user).Sees()
	return len(seen) > 0 && r.user(user).Taps(seen[len(seen)-1].Message, n)
}

func (r *rig) UserSendsPlace(user int, lat, lon float64, label string) bool {
	if label == "" {
		r.user(user).SendsPlace(lat, lon)
	} else {
		r.user(user).SendsVenue(lat, lon, label, "萍乡市安源区")
	}
	return true
}

func (r *rig) UserSendsPhoto(user int, jpeg []byte, caption string) bool {
	r.user(user).SendsPhoto(jpeg, caption)
	return true
}

func (r *rig) UserSendsVoice(user int, amr []byte) bool { r.user(user).SendsVoice(amr); return true }

func (r *rig) UserAnswers(user int, text string) bool { return r.UserSays(user, text) }
func (r *rig) Reports(int, bots.ReportState) bool     { return false } // it never says

func (r *rig) GroupSays(user int, text string) bool {
	r.group.Member(r.user(user).ID(), "").Says(text)
	return true
}

func (r *rig) Echo() bool   { return r.user(0).Echo() }
func (r *rig) Redeliver()   { r.net.Redeliver() }
func (r *rig) Waiting() int { return r.net.Waiting() }

func (r *rig) Sent() []botstest.Sent {
	var out []botstest.Sent
	for _, v := range r.net.Seen() {
		s := botstest.Sent{User: int(v.Chat - firstUser), Text: v.Text, Photo: v.Photo}
		for _, b := range v.Flat() {
			s.Choices = append(s.Choices, bots.Choice{Label: b.Label, Data: b.Data})
		}
		out = append(out, s)
	}
	return out
}

// Fail: Telegram itself has no failure that is surely temporary; a connection
// that is not made is in TestNoConnectionIsTemporary.
func (r *rig) Fail(class bots.Class) bool {
	f, ok := map[bots.Class]telegramfake.Fault{
		bots.ClassThrottled: {Kind: telegramfake.TooMany, RetryAfter: 3},
		bots.ClassClosed:    {Kind: telegramfake.Muted},
		bots.ClassGone:      {Kind: telegramfake.Blocked},
		bots.ClassMoved:     {Kind: telegramfake.Migrated, NewChat: -1004000000001},
		bots.ClassLoggedOut: {Kind: telegramfake.Unauthorized},
		bots.ClassUnknown:   {Kind: telegramfake.DropAfter},
	}[class]
	if ok {
		r.net.Fail("sendMessage", f)
	}
	return ok
}

func (r *rig) Down(down bool) { r.net.Down(down) }
func (r *rig) Requests() int  { return r.net.Requests() }
func (r *rig) Log() string    { return r.log.String() }

// Secrets: in a private chat the chat's id is the person's.
func (r *rig) Secrets() []string {
	return []string{r.net.Token(), testSecret, fmt.Sprint(r.user(0).Chat()), fmt.Sprint(r.user(1).Chat())}
}

func (r *rig) Forgeries() []botstest.Forgery {
	if r.mode == ModePoll {
		return nil
	}
	good := `{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":5,"type":"private"},"from":{"id":5,"first_name":"x"},"text":"x"}}`
	forge := func(name, method, path, body string, headers ...string) botstest.Forgery {
		return botstest.Forgery{Name: name, Make: func(url string) (*http.Request, error) {
			req, err := http.NewRequest(method, url+path, strings.NewReader(body))
			if err != nil {
				return nil, err
			}
			req.Header.Set("Content-Type", "application/json")
			for i := 0; i < len(headers); i += 2 {
				req.Header.Set(headers[i], headers[i+1])
			}
			return req, nil
		}}
	}
	return []botstest.Forgery{
		forge("no secret", http.MethodPost, "", good),
		forge("empty secret", http.MethodPost, "", good, secretHeader, ""),
		forge("wrong secret", http.MethodPost, "", good, secretHeader, "another-secret-0123456789"),
		forge("a part of it", http.MethodPost, "", good, secretHeader, testSecret[:len(testSecret)-1]),
		forge("more than it", http.MethodPost, "", good, secretHeader, testSecret+"0"),
		forge("in capitals", http.MethodPost, "", good, secretHeader, strings.ToUpper(testSecret)),
		forge("the token for the secret", http.MethodPost, "", good, secretHeader, r.net.Token()),
		forge("the secret as bearer", http.MethodPost, "", good, "Authorization", "Bearer "+testSecret),
		forge("the secret in the query", http.MethodPost, "?secret_token="+testSecret, good),
		forge("the secret in the path", http.MethodPost, "/"+testSecret, good),
		forge("the secret in the body", http.MethodPost, "", `{"secret_token":"`+testSecret+`"}`),
		forge("broken body without secret", http.MethodPost, "", `{oops`),
		forge("5 MB without secret", http.MethodPost, "", strings.Repeat("x", 5<<20)),
		forge("wrong method", http.MethodGet, "", "", secretHeader, testSecret),
		forge("another wrong method", http.MethodPut, "", good, secretHeader, testSecret),
		forge("5 MB", http.MethodPost, "", `{"update_id":1,"x":"`+strings.Repeat("x", 5<<20)+`"}`, secretHeader, testSecret),
	}
}

const patience = 40 * time.Second
