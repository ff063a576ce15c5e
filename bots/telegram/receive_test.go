package telegram

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"shaoying/bots"
	"shaoying/bots/telegram/telegramfake"
	"shaoying/internal/clock"
)

func newClock() *clock.Clock { return clock.New() }

func testJPEG(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, 16, 16)), nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var modes = []string{ModePoll, ModeWebhook}

func TestTapsAreAnswered(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			l := newLine(t, mode)
			l.run(nil)
			if _, err := l.send(bots.Message{Text: "对吗？", Choices: []bots.Choice{{Label: "对", Data: "y"}}}); err != nil {
				t.Fatal(err)
			}
			id := l.seen()[0].Message
			l.net.Fail("answerCallbackQuery", telegramfake.Fault{Kind: telegramfake.Internal})
			l.user(0).Taps(id, 0)
			l.user(0).TapsOld(id, 0)
			l.until("the second tap is answered", func() bool { n, _ := l.net.Answered(); return n == 1 })
			rows := l.sink.Rows()
			if len(rows) != 2 || rows[0].Choice != "y" || rows[0].Key == rows[1].Key || rows[0].ReplyTo != fmt.Sprint(id) {
				t.Errorf("taps came as %+v", rows)
			}
			if !strings.Contains(l.Log(), "its answer did not arrive") {
				t.Errorf("a tap without answer is not in the log:\n%s", l.Log())
			}
		})
	}
}

func TestAlbumsAndGroups(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			l := newLine(t, mode)
			l.run(nil)
			l.user(0).SendsAlbum("三张", testJPEG(t), testJPEG(t), testJPEG(t))
			l.until("the album is told", func() bool { return len(l.sink.Rows()) == 3 })
			for i, ev := range l.sink.Rows() {
				if ev.Kind != bots.KindPhoto || (ev.Text == "三张") != (i == 0) {
					t.Errorf("photo %d is %s %q", i, ev.Kind, ev.Text)
				}
			}
			li := l.group.Member(9, "李四")
			l.group.AddsBot(li)
			l.group.Joins(li)
			fresh := l.group.Migrates(li)
			l.until("the group has moved", func() bool { return len(l.sink.Rows()) == 6 })
			came := map[bots.Kind][]bots.Event{} // by webhook the two chats of a move are not in order
			for _, ev := range l.sink.Rows()[3:] {
				came[ev.Kind] = append(came[ev.Kind], ev)
			}
			joins, moved := came[bots.KindJoin], came[bots.KindMoved]
			if len(joins) != 2 || joins[1].From.User != "9" || !joins[1].Group {
				t.Errorf("joins came as %+v", joins)
			}
			if len(moved) != 1 || moved[0].Chat != chatID(firstGroup) || moved[0].NewChat != chatID(fresh.ID()) {
				t.Errorf("the move came as %+v", moved)
			}
			l.until("both tellings are taken", func() bool { return l.net.Waiting() == 0 })
			if n := len(l.sink.Rows()); n != 6 {
				t.Errorf("a move that is told twice makes %d rows", n)
			}
		})
	}
}

// One chat whose events cannot be taken holds up nobody else, and nothing of
// the batch is confirmed.
func TestABatchIsTakenAsAWhole(t *testing.T) {
	l := newLine(t, ModePoll)
	l.sink.Before(func(_ context.Context, _ int, events []bots.Event) error {
		if events[0].Chat == l.Address(0).Chat {
			return errors.New("the database is away")
		}
		return nil
	})
	for user := range 3 {
		l.user(user).Says("在吗")
	}
	l.run(nil)
	l.until("the others are taken", func() bool { return len(l.sink.Rows()) == 2 && l.net.Calls("getUpdates") > 2 })
	if n := l.net.Waiting(); n != 3 {
		t.Errorf("%d updates are not confirmed, want 3", n)
	}
	l.sink.Before(nil)
	l.until("all is taken", func() bool { return l.net.Waiting() == 0 })
	if n := len(l.sink.Rows()); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
	if log := l.Log(); strings.Count(log, "polling fails") != 1 || !strings.Contains(log, "works again") {
		t.Errorf("a row of failures is logged once, and its end:\n%s", log)
	}
}

// What cannot be read is passed over, or it would come again for ever.
func TestAPoisonedUpdateStopsNobody(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			l := newLine(t, mode)
			l.user(0).Sends(map[string]any{"text": map[string]any{"later": "Bot API"}})
			l.user(0).Sends(map[string]any{"location": map[string]any{"latitude": 1000, "longitude": 1}})
			l.user(0).Says("还在")
			l.run(nil)
			l.until("the next is taken", func() bool { return len(l.sink.Rows()) == 1 && l.net.Waiting() == 0 })
			if n := strings.Count(l.Log(), "passed over"); n != 2 {
				t.Errorf("%d updates were passed over in the log, want 2", n)
			}
		})
	}
}

func TestPollsTakeAForeignWebhookAway(t *testing.T) {
	l := newLine(t, ModePoll)
	l.net.SetWebhook("https://other.example/hook/7000:secret-of-another", "x")
	l.user(0).Says("在吗")
	l.run(nil)
	l.until("it polls", func() bool { return len(l.sink.Rows()) == 1 })
	if log := l.Log(); !strings.Contains(log, "other.example") || strings.Contains(log, "secret-of-another") {
		t.Errorf("the log says:\n%s", log)
	}
}

func TestTheWebhookIsSetAndAForeignOneReplaced(t *testing.T) {
	l := newLine(t, ModeWebhook)
	l.net.SetWebhook("https://other.example/hook", "x")
	l.run(nil)
	l.until("it is ours", func() bool { return l.net.Webhook() == "https://city.example/bots/tg" })
	if !strings.Contains(l.Log(), "another webhook was set") {
		t.Errorf("the log says:\n%s", l.Log())
	}
	l.user(0).Says("在吗")
	l.until("an update comes", func() bool { return len(l.sink.Rows()) == 1 })
}

// A process that does not own the account takes webhooks too, also when it
// does not know the bot's name yet.
func TestAWebhookWaitsForTheName(t *testing.T) {
	l := newLine(t, ModeWebhook)
	l.net.Fail("getMe", telegramfake.Fault{Kind: telegramfake.BadGateway})
	handler := l.adapter.(bots.Webhook).Handler(l.sink.Sink)
	post := func(body string) int {
		req := httptest.NewRequest(http.MethodPost, "/bots/tg", strings.NewReader(body))
		req.Header.Set(secretHeader, testSecret)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		return w.Code
	}
	const update = `{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":5,"type":"private"},"from":{"id":5,"first_name":"x"},"text":"x"}}`
	if code := post(update); code != http.StatusServiceUnavailable || len(l.sink.Rows()) != 0 {
		t.Errorf("without a name: %d", code)
	}
	if code := post(update); code != http.StatusOK || len(l.sink.Rows()) != 1 {
		t.Errorf("with it: %d", code)
	}
	if code := post(`{oops`); code != http.StatusBadRequest {
		t.Errorf("broken JSON: %d", code)
	}
}

func TestWhatAnOperatorHasToMendIsSaid(t *testing.T) {
	for _, c := range []struct {
		mode, method string
		kind         telegramfake.FaultKind
		want         string
	}{
		{ModePoll, "getMe", telegramfake.Unauthorized, "does not know the token"},
		{ModePoll, "getUpdates", telegramfake.Unauthorized, "does not know the token"},
		{ModePoll, "getUpdates", telegramfake.Conflict, "another program polls"},
		{ModeWebhook, "setWebhook", telegramfake.Unauthorized, "does not know the token"},
		{ModeWebhook, "setWebhook", telegramfake.Muted, "channels check"}, // any 400
	} {
		t.Run(c.mode+" "+c.method+" "+string(c.kind), func(t *testing.T) {
			l := newLine(t, c.mode)
			l.net.Chance(c.method, 1, telegramfake.Fault{Kind: c.kind})
			var early atomic.Bool
			l.run(func(err error) { early.Store(err != nil) })
			l.until("it is said", func() bool { return strings.Contains(l.Log(), c.want) })
			calls := l.net.Calls(c.method)
			if calls > 2 || early.Load() {
				t.Errorf("%d calls; returned at once: %v", calls, early.Load())
			}
		})
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name, mode string
		arrange    func(*line)
		wrong      string // empty when nothing is
	}{
		{"polls well", ModePoll, func(*line) {}, ""},
		{"revoked", ModePoll, func(l *line) {
			l.net.Chance("", 1, telegramfake.Fault{Kind: telegramfake.Unauthorized})
		}, "@BotFather"},
		{"away", ModePoll, func(l *line) { l.net.Down(true) }, "cannot be reached"},
		{"polls beside a webhook", ModePoll, func(l *line) { l.net.SetWebhook("https://other.example/x", "") }, "other.example"},
		{"no webhook", ModeWebhook, func(*line) {}, "no webhook is set"},
		{"a foreign webhook", ModeWebhook, func(l *line) { l.net.SetWebhook("https://other.example/x", "") }, "another program"},
		{"our webhook", ModeWebhook, func(l *line) { l.net.SetWebhook("https://city.example/bots/tg", "") }, ""},
		{"nobody answers the webhook", ModeWebhook, func(l *line) {
			dead := httptest.NewServer(http.NotFoundHandler())
			l.t.Cleanup(dead.Close)
			l.net.Balance(dead.URL)
			l.net.SetWebhook("https://city.example/bots/tg", "")
			l.user(0).Says("在吗")
			l.until("it failed", func() bool { return strings.Contains(l.net.WebhookError(), "404") })
		}, "could not deliver"},
		{"many wait", ModePoll, func(l *line) {
			for range manyWaiting {
				l.user(0).Says("在吗")
			}
		}, "is `serve` running"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLine(t, c.mode)
			c.arrange(l)
			var wrong []string
			found := l.adapter.(bots.Checker).Check(t.Context())
			for _, f := range found {
				if f.Wrong {
					wrong = append(wrong, f.What)
				}
				for _, secret := range l.Secrets() {
					if strings.Contains(f.What, secret) {
						t.Errorf("a finding tells a secret: %s", f.What)
					}
				}
			}
			said := strings.Join(wrong, "\n")
			if c.wrong == "" && said != "" || !strings.Contains(said, c.wrong) || len(found) == 0 {
				t.Errorf("found wrong %q, want %q", said, c.wrong)
			}
		})
	}
}
