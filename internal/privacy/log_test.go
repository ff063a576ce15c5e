package privacy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func newLog() (*slog.Logger, *bytes.Buffer) {
	var out bytes.Buffer
	return slog.New(NewLogHandler(&out, slog.LevelDebug, LogKeys())), &out
}

// oneLine returns the only record that was written.
func oneLine(t interface{ Fatalf(string, ...any) }, out *bytes.Buffer) map[string]any {
	text := out.String()
	if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		t.Fatalf("not one line: %q", text)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		t.Fatalf("not JSON: %v in %q", err, text)
	}
	return line
}

// canaries are personal data and secrets as they come by mistake.
var canaries = []string{
	"13812345678", "+8613912345678", "86-159 1234 5678", "138 1234 5678", "１３８１２３４５６７８", "0799-6331234",
	"360302199001011234", "36030219900101123X", "36030219900101123x",
	"张三丰", "昌盛小区3栋2单元501室", "王大妈家的水管漏了", "冯桂兰，高血压",
	"grandma@example.com", "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
	"Bearer abcdef0123456789", "token=abcdef", "password: hunter2", `"secret":"abc,"`, "postgres://shao:pass@db/x",
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
}

func TestScrub(t *testing.T) {
	for in, want := range map[string]string{
		"call 13812345678 now":                "call [phone] now",
		"x13812345678y":                       "x[phone]y",
		"tel +86 138 1234 5678.":              "tel [phone].",
		"tel 0799-6331234":                    "tel [phone]",
		"id 36030219900101123X":               "id [id]",
		"ticket 4821093760 version 3":         "ticket 4821093760 version 3",
		"at 2026-03-03T09:00:00Z took 1.5ms":  "at 2026-03-03T09:00:00Z took 1.5ms",
		"resident 张三 wrote":                   "resident [text] wrote",
		"昌盛小区3栋2单元":                           "[text]",
		"a@b.cn":                              "[email]",
		"dial postgres://u:p@h:5432/d failed": "dial postgres://[secret]@h:5432/d failed",
		"GET /x?token=abc&n=1":                "GET /x?token=[secret]&n=1",
		"POST /bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe": "POST /bot[secret]/getMe",
		"Authorization: Bearer abc.def":                               "Authorization: [secret] abc.def",
		"a\x1b[31mred\u202e\u009bb":                                   "a [31mred  b",
		"open /var/lib/shaoying: denied":                              "open /var/lib/shaoying: denied",
		"":                                                            "",
	} {
		if got := Scrub(in); got != want {
			t.Errorf("Scrub(%q) = %q, want %q", in, got, want)
		}
	}
}

// Promises P5 and S10: no canary is written, however it comes.
func TestP5CanariesNeverShow(t *testing.T) {
	for _, canary := range canaries {
		for name, write := range map[string]func(*slog.Logger){
			"message":        func(l *slog.Logger) { l.Info("resident " + canary + " wrote") },
			"unknown key":    func(l *slog.Logger) { l.Info("x", "text", canary) },
			"known key":      func(l *slog.Logger) { l.Info("x", "reason", "because of "+canary) },
			"error":          func(l *slog.Logger) { l.Info("x", "err", fmt.Errorf("send to %s: %w", canary, errors.New("gone"))) },
			"error, any key": func(l *slog.Logger) { l.Info("x", "whatever", errors.New(canary)) },
			"struct":         func(l *slog.Logger) { l.Info("x", "person", struct{ Name string }{canary}) },
			"list":           func(l *slog.Logger) { l.Info("x", "names", []string{canary}) },
			"map":            func(l *slog.Logger) { l.Info("x", "reason", map[string]string{"k": canary}) },
			"bytes":          func(l *slog.Logger) { l.Info("x", "body", []byte(canary)) },
			"key":            func(l *slog.Logger) { l.Info("x", canary, 1) },
			"with":           func(l *slog.Logger) { l.With("user", canary).Info("x") },
			"group":          func(l *slog.Logger) { l.WithGroup("g").Info("x", slog.Group("h", "reason", canary, "q", canary)) },
			"value":          func(l *slog.Logger) { l.Info("x", "who", valuer(canary)) },
			"secret":         func(l *slog.Logger) { l.Info("x", "reason", NewSecret(canary)) },
			"bare argument":  func(l *slog.Logger) { l.Info("x", []any{canary}...) },
		} {
			log, out := newLog()
			write(log)
			oneLine(t, out)
			if strings.Contains(out.String(), canary) {
				t.Errorf("%s as %s: %s", canary, name, out)
			}
		}
	}
}

type valuer string

func (v valuer) LogValue() slog.Value { return slog.StringValue(string(v)) }

func TestPhoneAsANumber(t *testing.T) {
	log, out := newLog()
	log.Info("x", "phone", 13812345678, "u", uint64(8613812345678), "f", 13812345678.0, "count", 42, "ticket_id", 13812345678, "id", 7)
	line := oneLine(t, out)
	if line["phone"] != withheld || line["u"] != withheld || line["f"] != withheld {
		t.Errorf("a phone shows: %s", out)
	}
	if line["count"] != 42.0 || line["ticket_id"] != 13812345678.0 || line["id"] != 7.0 {
		t.Errorf("a plain number is gone: %s", out)
	}
}

func TestUsefulThingsStay(t *testing.T) {
	log, out := newLog()
	log.With("component", "sender").Warn("send failed", "channel", "web", "class", "temporary", "err", errors.New("connection refused"),
		"took", 1500*time.Millisecond, "ok", true, "flow", "report", "nothing", nil)
	line := oneLine(t, out)
	for key, want := range map[string]any{
		"msg": "send failed", "level": "WARN", "component": "sender", "channel": "web", "class": "temporary",
		"err": "connection refused", "took": 1.5e9, "ok": true, "flow": "report", "nothing": nil,
	} {
		if line[key] != want {
			t.Errorf("%s = %v, want %v", key, line[key], want)
		}
	}
	if _, err := time.Parse(time.RFC3339Nano, line["time"].(string)); err != nil {
		t.Errorf("time: %v", err)
	}
}

// Promise S13: whatever a value holds, one record is one parseable line.
func TestS13LogsCannotBeForged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Just("x\n{\"level\":\"ERROR\",\"msg\":\"forged\"}\n"), rapid.Just("\x1b[2J\r\n\u2028\u009b")).Draw(t, "text")
		log, out := newLog()
		log.Info(text, "reason", text, text, text, "err", errors.New(text))
		line := oneLine(t, out)
		if line["level"] != "INFO" {
			t.Fatalf("the level is %v", line["level"])
		}
		if strings.ContainsAny(out.String(), "\x1b\r\u009b\u2028\u202e") {
			t.Fatalf("a steering character is written: %q", out)
		}
	})
}

func FuzzScrub(f *testing.F) {
	for _, c := range canaries {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Scrub("a 13812345678 " + s + " 36030219900101123X b")
		if strings.Contains(got, "13812345678 ") && !strings.Contains(s, "13812345678") {
			t.Fatalf("%q leaves the phone: %q", s, got)
		}
	})
}
