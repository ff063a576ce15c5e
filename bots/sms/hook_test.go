package sms

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

const testToken = "callback-token-of-the-tests-0123456789"

func testLine(t testing.TB, change func(*Account)) *Line {
	t.Helper()
	server, err := wire.NewEndpoint("sms", "url", "http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	a := Account{ID: "sms", From: "10690123", ExtensionDigits: 2, CallbackURL: "https://city.example/bots/sms", CallbackToken: privacy.NewSecret(testToken)}
	if change != nil {
		change(&a)
	}
	limits := Limits{MaxParts: 4, PerSecond: 1, PerChatPerSecond: 1, Redelivers: time.Second, MaxBody: 100, Call: time.Second}
	l, err := NewLine("test", a, limits, server, Deps{Clock: clock.New(), Log: slog.New(slog.DiscardHandler), Keys: testKeys(t)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestHook(t *testing.T) {
	l := testLine(t, func(a *Account) { a.CallbackFrom = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	var taken []bots.Event
	sink := func(_ context.Context, events []bots.Event) error {
		if events[0].Text == "毒" {
			panic("13800138000")
		}
		taken = append(taken, events...)
		return nil
	}
	hook := l.Hook(sink, map[string]Push{"mo": {
		Method: http.MethodPost, Type: "application/json", Answer: "{}",
		Decode: func(_ *http.Request, body []byte) ([]bots.Event, error) {
			switch string(body) {
			case "bad":
				return nil, errors.New("it is bad")
			case "nothing":
				return nil, nil
			}
			ev, err := l.Words("1", "13800138000", "", string(body), time.Time{})
			return []bots.Event{ev}, err
		},
	}})
	for _, c := range []struct {
		name, method, path, from, body string
		want, taken                    int
	}{
		{"honest", http.MethodPost, "/mo/" + testToken, "10.1.1.1:5", "你好", 200, 1},
		{"nothing in it", http.MethodPost, "/mo/" + testToken, "10.1.1.1:5", "nothing", 200, 0},
		{"from elsewhere", http.MethodPost, "/mo/" + testToken, "192.0.2.1:5", "你好", 403, 0},
		{"from nowhere", http.MethodPost, "/mo/" + testToken, "", "你好", 403, 0},
		{"mapped", http.MethodPost, "/mo/" + testToken, "[::ffff:10.1.1.1]:5", "你好", 200, 1},
		{"no token", http.MethodPost, "/mo/", "10.1.1.1:5", "你好", 401, 0},
		{"no path", http.MethodPost, "/", "10.1.1.1:5", "你好", 401, 0},
		{"another push", http.MethodPost, "/other/" + testToken, "10.1.1.1:5", "你好", 404, 0},
		{"another method", http.MethodGet, "/mo/" + testToken, "10.1.1.1:5", "", 405, 0},
		{"too large", http.MethodPost, "/mo/" + testToken, "10.1.1.1:5", strings.Repeat("x", 101), 413, 0},
		{"unreadable", http.MethodPost, "/mo/" + testToken, "10.1.1.1:5", "bad", 400, 0},
		{"a sink that panics", http.MethodPost, "/mo/" + testToken, "10.1.1.1:5", "毒", 503, 0},
	} {
		taken = nil
		req := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		req.RemoteAddr = c.from
		w := httptest.NewRecorder()
		hook.ServeHTTP(w, req)
		if w.Code != c.want || len(taken) != c.taken || w.Code == 200 && w.Body.String() != "{}" {
			t.Errorf("%s: %d %q, %d events, want %d and %d", c.name, w.Code, w.Body, len(taken), c.want, c.taken)
		}
	}
}

func TestKey(t *testing.T) {
	if got := Key("mo", "12", "3"); got != "mo:12:3" {
		t.Errorf("a key is %q", got)
	}
	for _, name := range []string{strings.Repeat("9", 200), "with space", "中", "\x00"} {
		if got := Key("mo", name); len(got) != len("mo:")+64 {
			t.Errorf("the key of %q is %q", name, got)
		}
	}
}

// A carrier whose messages have no names repeats second and words.
func TestWordsWithoutAName(t *testing.T) {
	l := testLine(t, nil)
	at := time.Unix(1772413200, 0)
	key := func(from, text string, at time.Time) string {
		ev, err := l.Words("", from, "", text, at)
		if err != nil {
			t.Fatal(err)
		}
		return ev.Key
	}
	one := key("13800138000", "在吗", at)
	if key("+8613800138000", "在吗", at) != one {
		t.Error("the same message has two names")
	}
	for name, other := range map[string]string{
		"another second": key("13800138000", "在吗", at.Add(time.Second)), "other words": key("13800138000", "在", at), "another person": key("13800138001", "在吗", at),
	} {
		if other == one {
			t.Errorf("%s: the same name", name)
		}
	}
}

func TestExtended(t *testing.T) {
	l := testLine(t, nil)
	for said, want := range map[string]string{"07": "7", "1069012307": "7", "10690123": "", "": "", "007": "", "1": "", "1234": ""} {
		if got := l.Extended(said); got != want {
			t.Errorf("%q is code %q, want %q", said, got, want)
		}
	}
	if got, err := l.Extend("7"); got != "07" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if bare := testLine(t, func(a *Account) { a.From, a.ExtensionDigits = "", 0 }); bare.Extended("07") != "" || bare.Caps().Extensions != 0 {
		t.Error("there are codes where there are none")
	}
}
