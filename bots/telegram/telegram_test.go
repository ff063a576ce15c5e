package telegram

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/telegram/telegramfake"
	"shaoying/internal/privacy"
)

// line is an account on a fake network, with a recorder behind it.
type line struct {
	*rig
	sink *botstest.Recorder
}

func newLine(t *testing.T, mode string) *line {
	t.Helper()
	l := &line{newRig(t, mode), botstest.NewRecorder()}
	t.Cleanup(l.Close)
	return l
}

// run receives until the test ends; what Run returned is handed to ended.
func (l *line) run(ended func(error)) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	if hook, ok := l.adapter.(bots.Webhook); ok {
		server := httptest.NewServer(http.StripPrefix("/bots/tg", hook.Handler(l.sink.Sink)))
		l.net.Balance(server.URL)
		l.t.Cleanup(server.Close)
	}
	go func() {
		defer close(done)
		err := l.adapter.Run(ctx, l.sink.Sink)
		if ended != nil {
			ended(err)
		} else if err != nil {
			l.t.Errorf("Run returned %v", err)
		}
	}()
	l.t.Cleanup(func() {
		cancel()
		<-done
	})
}

func (l *line) until(what string, ok func() bool) {
	l.t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	limit := time.After(patience)
	for !ok() {
		select {
		case <-again.C:
		case <-limit:
			l.t.Fatalf("%s: it did not come to that; log:\n%s", what, l.Log())
		}
	}
}

func (l *line) send(m bots.Message) (bots.Receipt, error) {
	m.Key = "1"
	return l.adapter.Send(l.t.Context(), l.Address(0), m)
}

func (l *line) seen() []telegramfake.Seen { return l.user(0).Sees() }

func TestConfigurationIsRefusedWithWhatToDo(t *testing.T) {
	poll := settings(t, ModePoll, "", "123456:ABC-def_GHI")
	hook := settings(t, ModeWebhook, "", "123456:ABC-def_GHI")
	for _, c := range []struct {
		name   string
		base   Config
		change func(*Config)
		want   string
	}{
		{"poll", poll, func(*Config) {}, ""},
		{"webhook", hook, func(*Config) {}, ""},
		{"default mode", poll, func(c *Config) { c.Mode = "" }, ""},
		{"unknown mode", poll, func(c *Config) { c.Mode = "push" }, "write poll, or webhook"},
		{"no id", poll, func(c *Config) { c.ID = "" }, "id is needed"},
		{"no token", poll, func(c *Config) { c.Token = privacy.Secret{} }, "@BotFather"},
		{"half a token", poll, func(c *Config) { c.Token = privacy.NewSecret("123456") }, "@BotFather"},
		{"api without scheme", poll, func(c *Config) { c.APIURL = "api.telegram.org" }, "api_url"},
		{"api over http", poll, func(c *Config) { c.APIURL = "http://tg.example" }, "https"},
		{"api of the city", poll, func(c *Config) { c.APIURL = "http://10.1.2.3:8081" }, ""},
		{"api on this machine", poll, func(c *Config) { c.APIURL = "http://localhost:8081" }, ""},
		{"webhook keys for polls", poll, func(c *Config) { c.WebhookURL = "https://city.example/bots/tg" }, "mode: webhook"},
		{"no webhook address", hook, func(c *Config) { c.WebhookURL = "" }, "https://city.example/bots/tg"},
		{"webhook without path", hook, func(c *Config) { c.WebhookURL = "https://city.example/" }, "https://city.example/bots/tg"},
		{"webhook over http", hook, func(c *Config) { c.WebhookURL = "http://city.example/bots/tg" }, "https only"},
		{"short secret", hook, func(c *Config) { c.WebhookSecret = privacy.NewSecret("geheim") }, "openssl rand"},
		{"secret with other signs", hook, func(c *Config) { c.WebhookSecret = privacy.NewSecret("0123456789abcdef!") }, "openssl rand"},
		{"no limits", poll, func(c *Config) { c.Limits = Limits{} }, "max_text"},
		{"a poll too long", poll, func(c *Config) { c.Limits.LongPoll = time.Hour }, "long_poll"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := c.base
			c.change(&cfg)
			a, err := New(cfg, Deps{Clock: newClock(), Log: slog.New(slog.DiscardHandler)})
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got := fmt.Sprintf("%+v", accountOf(a).cfg); strings.Contains(got, "ABC-def_GHI") || strings.Contains(got, testSecret) {
					t.Errorf("a printed configuration shows a secret: %s", got)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "ABC-def") {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}

func TestSecretsAreReadFromWhereTheyAre(t *testing.T) {
	t.Setenv("TG_TOKEN", " 123456:ABC \n")
	cfg := Config{ID: "tg", Mode: ModeWebhook, TokenEnv: "TG_TOKEN", WebhookSecretFile: "/no/such/file"}
	if err := cfg.Secrets(); err == nil || !strings.Contains(err.Error(), "webhook_secret_file") {
		t.Errorf("a file that is not there: %v", err)
	}
	if cfg.Mode = ModePoll; cfg.Secrets() != nil || cfg.Token.Reveal() != "123456:ABC" {
		t.Errorf("the token is %q", cfg.Token.Reveal())
	}
	if err := (&Config{ID: "tg"}).Secrets(); err == nil || !strings.Contains(err.Error(), "token_env") {
		t.Errorf("no token: %v", err)
	}
}

func TestOnlyThisMachineIsLocal(t *testing.T) {
	for api, local := range map[string]bool{
		"http://127.0.0.1:9000": true, "http://localhost:1": true, "http://[::1]:1": true, "http://127.5.6.7": true,
		"https://api.telegram.org": false, "http://10.0.0.1": false, "https://localhost.example": false,
		"https://127.0.0.1.example": false, "": false, "http://user@127.0.0.1@example.com": false,
	} {
		if got := (Config{APIURL: api}).Local(); got != local {
			t.Errorf("%q is local: %v", api, got)
		}
	}
}

// Promise S7: users see what was said, whatever markup it looks like, and the
// fake refuses what Telegram would not parse.
func TestWordsAreNeverMarkup(t *testing.T) {
	l := newLine(t, ModePoll)
	picture := &bots.Photo{Name: "a.jpg", Data: testJPEG(t)}
	for _, text := range []string{
		"<b>粗</b> <a href='tg://user?id=1'>点我</a>", "*_`[x](http://e.example)", "&lt;&amp;", "3.5 元/吨 (约) - 好!", "@admin /ban #1 https://e.example",
		"\u0000\u0001中", "a\u202eb", "{{.}} ${x} %s",
	} {
		for _, m := range []bots.Message{{Text: text}, {Text: text, Photo: picture}, {Text: "选", Choices: []bots.Choice{{Label: text, Data: "d"}}}} {
			if _, err := l.send(m); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			last := l.seen()[len(l.seen())-1]
			shown := last.Text
			if len(m.Choices) > 0 {
				shown = last.Flat()[0].Label
			}
			visible := strings.NewReplacer("\u0000", " ", "\u0001", " ", "\u202e", "").Replace(text)
			if len(m.Choices) == 0 && shown != strings.TrimSpace(visible) || len(m.Choices) > 0 && shown != text {
				t.Errorf("we said %q, the user saw %q", text, shown)
			}
		}
	}
}

func TestAPhotoWithManyWords(t *testing.T) {
	l := newLine(t, ModePoll)
	picture := &bots.Photo{Name: "a.jpg", Data: testJPEG(t)}
	offer := []bots.Choice{{Label: "接", Data: "d"}}
	short, err := l.send(bots.Message{Text: strings.Repeat("字", 1024), Photo: picture, Choices: offer})
	if err != nil || len(l.seen()) != 1 || len(l.seen()[0].Flat()) != 1 || short.ID != "p1" {
		t.Fatalf("words that fit: %v, receipt %q, %d messages", err, short.ID, len(l.seen()))
	}
	long := strings.Repeat("字", 1025)
	r, err := l.send(bots.Message{Text: long, Photo: picture, Choices: offer})
	seen := l.seen()
	if err != nil || len(seen) != 3 || seen[1].Photo == nil || seen[1].Text != "" || seen[2].Text != long || len(seen[2].Flat()) != 1 || r.ID != "3" {
		t.Fatalf("words that do not fit: %v, receipt %q, %d messages", err, r.ID, len(seen))
	}
	l.net.Fail("sendMessage", telegramfake.Fault{Kind: telegramfake.TooMany, RetryAfter: 2})
	if _, err := l.send(bots.Message{Text: long, Photo: picture}); bots.ClassOf(err) != bots.ClassThrottled {
		t.Errorf("the words failed: %v, want throttled", err)
	}
}

func TestEdits(t *testing.T) {
	l := newLine(t, ModePoll)
	offer := []bots.Choice{{Label: "接", Data: "d"}}
	text, err := l.send(bots.Message{Text: "谁接？", Choices: offer})
	if err != nil {
		t.Fatal(err)
	}
	photo, err := l.send(bots.Message{Text: "谁接？", Choices: offer, Photo: &bots.Photo{Data: testJPEG(t)}})
	if err != nil {
		t.Fatal(err)
	}
	editor := l.adapter.(bots.Editor)
	edit := func(id, words string) error {
		return editor.Edit(t.Context(), l.Address(0), bots.Receipt{ID: id}, bots.Message{Key: "2", Text: words})
	}
	for _, id := range []string{text.ID, photo.ID} {
		for range 2 { // the second time nothing is modified, which is success
			if err := edit(id, "李四接了"); err != nil {
				t.Errorf("edit %q: %v", id, err)
			}
		}
		last := l.seen()[len(l.seen())-1]
		if !last.Edit || last.Text != "李四接了" || len(last.Flat()) != 0 {
			t.Errorf("after the edit of %q the user sees %+v", id, last)
		}
	}
	for id, words := range map[string]string{"99": "x", "p99": "x", "": "x", "1x": "x", "-1": "x", photo.ID: strings.Repeat("字", 1025), text.ID: strings.Repeat("字", 4097)} {
		if err := edit(id, words); bots.ClassOf(err) != bots.ClassRejected || err == nil {
			t.Errorf("edit %q: %v, want rejected", id, err)
		}
	}
}

func TestReplies(t *testing.T) {
	l := newLine(t, ModePoll)
	l.run(nil)
	id := l.user(0).Says("灯坏了")
	if _, err := l.send(bots.Message{Text: "哪里？", ReplyTo: receiptID(id, false)}); err != nil {
		t.Fatal(err)
	}
	if last := l.seen()[0]; last.ReplyTo != id {
		t.Errorf("the answer is to message %d, want %d", last.ReplyTo, id)
	}
	// A message that is not there any more keeps nothing back.
	if _, err := l.send(bots.Message{Text: "哪里？", ReplyTo: "999"}); err != nil {
		t.Error(err)
	}
	l.user(0).Replies(l.seen()[0].Message, "3栋")
	l.until("the reply is told", func() bool { return len(l.sink.Rows()) == 2 })
	if ev := l.sink.Rows()[1]; ev.ReplyTo != fmt.Sprint(l.seen()[0].Message) {
		t.Errorf("a reply to %q", ev.ReplyTo)
	}
}

func TestButtonsStandSideBySideWhenTheyAreShort(t *testing.T) {
	l := newLine(t, ModePoll)
	for want, labels := range map[string][]string{
		"[2 1]":   {"满意", "不满意", "一般"},
		"[1 1]":   {"对", "不对，我要改一下地点"},
		"[2 2]":   {"1", "2", "3", "4"},
		"[1 1 1]": {"urban management", "b", "c"},
	} {
		var offer []bots.Choice
		for _, label := range labels {
			offer = append(offer, bots.Choice{Label: label, Data: "d"})
		}
		if _, err := l.send(bots.Message{Text: "？", Choices: offer}); err != nil {
			t.Fatal(err)
		}
		var rows []int
		for _, row := range l.seen()[len(l.seen())-1].Buttons {
			rows = append(rows, len(row))
		}
		if fmt.Sprint(rows) != want {
			t.Errorf("%v stand in rows of %v, want %s", labels, rows, want)
		}
	}
}

func TestClasses(t *testing.T) {
	l := newLine(t, ModePoll)
	for _, c := range []struct {
		fault telegramfake.Fault
		class bots.Class
	}{
		{telegramfake.Fault{Kind: telegramfake.TooMany, RetryAfter: 7}, bots.ClassThrottled},
		{telegramfake.Fault{Kind: telegramfake.Blocked}, bots.ClassGone},
		{telegramfake.Fault{Kind: telegramfake.Kicked}, bots.ClassGone},
		{telegramfake.Fault{Kind: telegramfake.Muted}, bots.ClassClosed},
		{telegramfake.Fault{Kind: telegramfake.Migrated, NewChat: -77}, bots.ClassMoved},
		{telegramfake.Fault{Kind: telegramfake.Unauthorized}, bots.ClassLoggedOut},
		{telegramfake.Fault{Kind: telegramfake.BadGateway}, bots.ClassUnknown},
		{telegramfake.Fault{Kind: telegramfake.Internal}, bots.ClassUnknown},
		{telegramfake.Fault{Kind: telegramfake.DropBefore}, bots.ClassUnknown}, // nobody can tell it from the next one
		{telegramfake.Fault{Kind: telegramfake.DropAfter}, bots.ClassUnknown},
	} {
		t.Run(string(c.fault.Kind), func(t *testing.T) {
			l.net.Fail("sendMessage", c.fault)
			_, err := l.send(bots.Message{Text: "电话13812345678"})
			var e *bots.Error
			if !errors.As(err, &e) || e.Class != c.class {
				t.Fatalf("%v, want %s", err, c.class)
			}
			if c.class == bots.ClassThrottled && e.After != 7*time.Second || c.class == bots.ClassMoved && e.NewChat != "-77" {
				t.Errorf("after %s, new chat %q", e.After, e.NewChat)
			}
			for _, secret := range append(l.Secrets(), "13812345678", "html", "nginx") {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error tells %q: %v", secret, err)
				}
			}
		})
	}
	stranger := bots.Address{Channel: "tg", Chat: "123"}
	if _, err := l.adapter.Send(t.Context(), stranger, bots.Message{Key: "1", Text: "x"}); bots.ClassOf(err) != bots.ClassGone {
		t.Errorf("a chat that is not there: %v, want gone", err)
	}
}

// What a proxy or a wrong api_url answers is not taken for Telegram.
func TestAnswersOfSomebodyElse(t *testing.T) {
	var status int
	var body string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	defer proxy.Close()
	a := open(t, settings(t, ModePoll, proxy.URL, telegramfake.DefaultToken), slog.New(slog.DiscardHandler))
	defer accountOf(a).close()
	for _, c := range []struct {
		status int
		body   string
		class  bots.Class
	}{
		{403, "<html>forbidden by company policy</html>", bots.ClassTemporary},
		{404, "nginx", bots.ClassTemporary},
		{302, "", bots.ClassTemporary},
		{503, "try later", bots.ClassUnknown},
		{200, "<html>welcome to the hotel</html>", bots.ClassUnknown},
		{200, `{"success":true}`, bots.ClassUnknown},
		{200, `{"ok":true,"result":"sent"}`, bots.ClassUnknown},
		{400, `{"ok":false,"error_code":400,"description":"Bad Request: 您的话里有 13812345678"}`, bots.ClassRejected},
	} {
		status, body = c.status, c.body
		_, err := a.Send(t.Context(), bots.Address{Channel: "tg", Chat: "5"}, bots.Message{Key: "1", Text: "x"})
		if err == nil || bots.ClassOf(err) != c.class || strings.Contains(err.Error(), "hotel") || strings.Contains(err.Error(), "您") {
			t.Errorf("%d %s: %v, want %s", c.status, c.body, err, c.class)
		}
	}
	// A message that was taken is taken, whatever else a later Bot API says of it.
	status, body = 200, `{"ok":true,"result":{"message_id":5,"chat":"?","reply_to_message":{"forward_origin":{"type":"telepathy"}}}}`
	r, err := a.Send(t.Context(), bots.Address{Channel: "tg", Chat: "5"}, bots.Message{Key: "1", Text: "x"})
	if err != nil || r.ID != "5" {
		t.Errorf("an answer of a later Bot API: %q, %v", r.ID, err)
	}
}

func TestNoConnectionIsTemporary(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	a := open(t, settings(t, ModePoll, "http://"+addr, telegramfake.DefaultToken), slog.New(slog.DiscardHandler))
	if _, err := a.Send(t.Context(), bots.Address{Channel: "tg", Chat: "5"}, bots.Message{Key: "1", Text: "x"}); bots.ClassOf(err) != bots.ClassTemporary {
		t.Errorf("nobody listens: %v, want temporary", err)
	}
}

func TestOutOfTimeIsUnknown(t *testing.T) {
	l := newLine(t, ModePoll)
	l.net.Fail("sendMessage", telegramfake.Fault{Kind: telegramfake.Slow, Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := l.adapter.Send(ctx, l.Address(0), bots.Message{Key: "1", Text: "x"})
		done <- err
	}()
	l.until("the call is under way", func() bool { return l.net.Calls("sendMessage") == 1 })
	cancel()
	if err := <-done; bots.ClassOf(err) != bots.ClassUnknown {
		t.Errorf("%v, want unknown", err)
	}
}

func TestFilesThatAreTooLarge(t *testing.T) {
	l := newLine(t, ModePoll)
	for name, f := range map[string]bots.File{
		"says so":   {Key: "x", Size: 21 << 20},
		"no key":    {},
		"not there": {Key: "no-such-file"},
	} {
		if r, err := l.adapter.Fetch(t.Context(), f); err == nil || bots.ClassOf(err) != bots.ClassRejected {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}
