//go:build peers

package sms

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/goccy/go-yaml"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/sms"
	"shaoying/bots/sms/kannel"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
	"shaoying/test/world"
)

func utf16BE(text string) (out []byte) {
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}

// kannelLine is our channel alone on Kannel, into a recorder. Behind Kannel is
// node-smpp.
type kannelLine struct {
	*centre
	*gateway
	channel *kannel.Channel
	sink    *botstest.Recorder
	book    sms.Book
}

func newKannelLine(t *testing.T) *kannelLine {
	t.Helper()
	needKannel(t)
	l := &kannelLine{centre: newCentre(t), sink: botstest.NewRecorder()}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	l.gateway = startKannel(t, server.URL+"/bots/kannel", l.centre)
	keys, err := privacy.NewKeys(bytes.Repeat([]byte{7}, privacy.MasterSize))
	world.Must(t, err)
	l.book = sms.Book{Keys: keys}
	root, err := world.Root()
	world.Must(t, err)
	body, err := os.ReadFile(root + "/configs/policies/sms.yaml")
	world.Must(t, err)
	var policies sms.Policies
	world.Must(t, yaml.Unmarshal(body, &policies))
	l.channel, err = kannel.New(kannel.Config{
		Account: sms.Account{
			ID: "kannel", From: ours, ExtensionDigits: 2, CallbackURL: server.URL + "/bots/kannel", CallbackToken: privacy.NewSecret(callbackToken),
		},
		SendURL: l.send, Username: user, Password: privacy.NewSecret(userPass), Limits: policies.Limits["kannel"],
	}, sms.Deps{Clock: clock.New(), Log: slog.New(slog.DiscardHandler), Keys: keys})
	world.Must(t, err)
	mux.Handle("/bots/kannel/", http.StripPrefix("/bots/kannel", l.channel.Handler(l.sink.Sink)))
	t.Cleanup(func() {
		l.channel.Close()
		for _, err := range l.sink.Invalid() {
			t.Error(err)
		}
	})
	return l
}

func (l *kannelLine) rows(n int) []bots.Event {
	l.t.Helper()
	until(l.t, fmt.Sprintf("event %d", n), func() bool { return len(l.sink.Rows()) >= n })
	return l.sink.Rows()
}

func TestLongChineseTextThroughKannel(t *testing.T) {
	l := newKannelLine(t)
	text := strings.Repeat("路灯修好了", 36) + "谢谢您。"
	ctx, cancel := context.WithTimeout(context.Background(), world.Patience)
	defer cancel()
	to := bots.Address{Channel: "kannel", Chat: l.book.Chat("+" + hers)}
	receipt, err := l.channel.Send(ctx, to, bots.Message{Key: "77", Text: text, Extension: "7"})
	world.Must(t, err)
	until(t, "three parts", func() bool { return len(l.sent("")) == 3 })
	var got string
	for i, p := range l.sent("") {
		got += p.Text
		if p.To != hers || p.From != ours+"07" || p.Coding != 8 || !strings.HasSuffix(p.UDH, fmt.Sprintf("%02x%02x", 3, i+1)) {
			t.Errorf("part %d is %+v", i+1, p)
		}
	}
	if got != text {
		t.Errorf("it came as %q", got)
	}
	for _, p := range l.sent("") {
		if p.Registered != 0 {
			l.report(p, 2, "DELIVRD")
		}
	}
	until(t, "delivered", func() bool {
		for _, ev := range l.sink.Rows() {
			if ev.Report != nil && ev.Report.State == bots.ReportDelivered && ev.Report.Key == "77" && ev.Report.ID == receipt.ID && ev.Chat == to.Chat {
				return true
			}
		}
		return false
	})
}

func TestTextsOfUsersThroughKannel(t *testing.T) {
	l := newKannelLine(t)
	text := strings.Repeat("昌盛小区3栋楼下的路灯坏了🙂", 9)
	for i, how := range []string{"8 bit", "16 bit", "payload"} {
		l.saysLong(hers, ours+"07", text, how)
		if ev := l.rows(i + 1)[i]; ev.Text != text || ev.Extension != "7" || ev.From.Phone != "+"+hers {
			t.Errorf("%s: %q for %q", how, ev.Text, ev.Extension)
		}
	}
	// The program that Kannel brings along.
	cmd := exec.Command(fakesmsc, "-H", "127.0.0.1", "-r", strings.TrimPrefix(l.fakes, "127.0.0.1:"), "-i", "0.1", "-m", "1",
		"8613900000001 "+ours+" ucs2 %8D%EF%70%6F%57%4F%4E%86")
	world.Must(t, cmd.Start())
	if ev := l.rows(4)[3]; ev.Text != "路灯坏了" || ev.From.Phone != "+8613900000001" || ev.Extension != "" {
		t.Errorf("%+v", ev)
	}
	world.Must(t, cmd.Process.Kill()) // Kannel takes one at a time
	_ = cmd.Wait()                    // its exit code says that
	f := l.fake(t)
	for i := range 50 {
		f.says(t, "8613900000002", ours, fmt.Sprint("第 ", i))
	}
	rows := l.rows(54)[4:]
	for i, ev := range rows {
		if want := fmt.Sprint("第 ", i); ev.Text != want {
			t.Errorf("%q came where %q was due", ev.Text, want)
		}
	}
}
