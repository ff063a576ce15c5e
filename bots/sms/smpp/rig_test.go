package smpp_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/sms"
	"shaoying/bots/sms/smpp"
	"shaoying/bots/sms/smpp/smppfake"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

func TestConformance(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig { return newRig(t, nil) })
}

const (
	ours     = "10690123"
	password = "pass-08!"
)

// rig is a fake centre and one account on it.
type rig struct {
	t       *testing.T
	net     *smppfake.Server
	parts   *smppfake.Parts
	book    sms.Book
	cfg     smpp.Config
	log     *botstest.Log
	channel *smpp.Channel
}

func newRig(t *testing.T, change func(*smpp.Config)) *rig {
	t.Helper()
	net, err := smppfake.New(password)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := privacy.NewKeys(bytes.Repeat([]byte{7}, privacy.MasterSize))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, net: net, parts: smppfake.NewParts(), book: sms.Book{Keys: keys}, log: &botstest.Log{}}
	r.cfg = settings(t, net.Addr())
	if change != nil {
		change(&r.cfg)
	}
	r.Restart()
	return r
}

// settings are what serve would use, but that nothing waits for long.
func settings(t *testing.T, addr string) smpp.Config {
	t.Helper()
	body, err := os.ReadFile("../../../configs/policies/smpp.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cfg := smpp.Defaults("sms")
	cfg.Addr, cfg.SystemID, cfg.Password, cfg.From, cfg.ExtensionDigits = addr, "shaoying", privacy.NewSecret(password), ours, 2
	cfg.Throughput = 10_000
	if err := yaml.Unmarshal(body, &cfg.Limits); err != nil {
		t.Fatal(err)
	}
	cfg.Limits.ReconnectMax = time.Second
	return cfg
}

func (r *rig) number(user int) string { return fmt.Sprint(8613800138000 + user) }

func (r *rig) user(number string) int {
	var n int
	if _, err := fmt.Sscan(number, &n); err != nil {
		r.t.Fatal(err)
	}
	return n - 8613800138000
}

func (r *rig) Adapter() bots.Adapter { return r.channel }
func (r *rig) Listen(string)         { r.t.Error("SMPP has no webhook") }

func (r *rig) Restart() {
	var err error
	r.channel, err = smpp.New(r.cfg, smpp.Deps{
		Parts: r.parts, Keys: r.book.Keys, Clock: clock.New(), Log: slog.New(slog.NewTextHandler(r.log, nil)),
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) Close() { r.net.Close() }

func (r *rig) Address(user int) bots.Address {
	return bots.Address{Channel: "sms", Chat: r.book.Chat("+" + r.number(user))}
}

func (r *rig) UserSays(user int, text string) bool {
	r.net.Says(r.number(user), ours, text, true)
	return true
}

func (r *rig) UserAnswers(user int, text string) bool {
	to := ours
	for _, m := range r.net.Shown() {
		if m.To == r.number(user) {
			to = m.From
		}
	}
	r.net.Says(r.number(user), to, text, true)
	return true
}

func (r *rig) UserTaps(int, int) bool                            { return false }
func (r *rig) UserSendsPlace(int, float64, float64, string) bool { return false }
func (r *rig) UserSendsPhoto(int, []byte, string) bool           { return false }
func (r *rig) UserSendsVoice(int, []byte) bool                   { return false }
func (r *rig) GroupSays(int, string) bool                        { return false }
func (r *rig) Echo() bool                                        { return false }
func (r *rig) Forgeries() []botstest.Forgery                     { return nil }

func (r *rig) Reports(n int, state bots.ReportState) bool {
	switch state {
	case bots.ReportDelivered:
		r.net.Report(n, 2, "DELIVRD")
	case bots.ReportFailed:
		r.net.Report(n, 5, "UNDELIV")
	default:
		r.net.Report(n, 1, "ENROUTE")
	}
	return true
}

func (r *rig) Sent() []botstest.Sent {
	var out []botstest.Sent
	for _, m := range r.net.Shown() {
		out = append(out, botstest.Sent{User: r.user(m.To), Text: m.Text, Parts: m.Parts})
	}
	return out
}

func (r *rig) Fail(class bots.Class) bool {
	f, ok := map[bots.Class]smppfake.Fault{
		bots.ClassTemporary: {Status: 0x08},
		bots.ClassThrottled: {Status: 0x58},
		bots.ClassGone:      {Status: 0x0B},
		bots.ClassLoggedOut: {Status: 0x0A},
		bots.ClassUnknown:   {Cut: true},
	}[class]
	if ok {
		r.net.Fail(f)
	}
	return ok
}

func (r *rig) Redeliver()     { r.net.Redeliver() }
func (r *rig) Waiting() int   { return r.net.Waiting() }
func (r *rig) Down(down bool) { r.net.Down(down) }
func (r *rig) Requests() int  { return r.net.Requests() }
func (r *rig) Log() string    { return r.log.String() }

// Secrets: numbers too must not show.
func (r *rig) Secrets() []string {
	return []string{password, strings.TrimPrefix(r.number(0), "86"), strings.TrimPrefix(r.number(1), "86")}
}
