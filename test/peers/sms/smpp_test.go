//go:build peers

package sms

import (
	"bytes"
	"context"
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
	"shaoying/test/world"
)

const (
	ours = "10690123"
	hers = "8613800138000"
)

// line is our channel alone on a centre of others, into a recorder.
type line struct {
	*centre
	channel *smpp.Channel
	sink    *botstest.Recorder
	book    sms.Book
}

func newLine(t *testing.T) *line {
	t.Helper()
	c := newCentre(t)
	keys, err := privacy.NewKeys(bytes.Repeat([]byte{7}, privacy.MasterSize))
	world.Must(t, err)
	root, err := world.Root()
	world.Must(t, err)
	body, err := os.ReadFile(root + "/configs/policies/smpp.yaml")
	world.Must(t, err)
	cfg := smpp.Defaults("sms")
	world.Must(t, yaml.Unmarshal(body, &cfg.Limits))
	cfg.Addr, cfg.SystemID, cfg.Password = c.addr(), account.SystemID, privacy.NewSecret(account.Password)
	cfg.From, cfg.ExtensionDigits = ours, 2
	cfg.Limits.Answer = time.Second
	channel, err := smpp.New(cfg, smpp.Deps{Parts: smppfake.NewParts(), Keys: keys, Clock: clock.New(), Log: slog.New(slog.DiscardHandler)})
	world.Must(t, err)
	l := &line{centre: c, channel: channel, sink: botstest.NewRecorder(), book: sms.Book{Keys: keys}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- channel.Run(ctx, l.sink.Sink) }()
	t.Cleanup(func() {
		cancel()
		world.Must(t, <-done)
		for _, err := range l.sink.Invalid() {
			t.Error(err)
		}
	})
	return l
}

func (l *line) send(key, text string) (bots.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.Background(), world.Patience)
	defer cancel()
	return l.channel.Send(ctx, bots.Address{Channel: "sms", Chat: l.book.Chat("+" + hers)}, bots.Message{Key: key, Text: text, Extension: "7"})
}

func (l *line) rows(n int) []bots.Event {
	l.t.Helper()
	until(l.t, fmt.Sprintf("event %d", n), func() bool { return len(l.sink.Rows()) >= n })
	return l.sink.Rows()
}

func TestLongChineseTextThroughNodeSMPP(t *testing.T) {
	l := newLine(t)
	text := strings.Repeat("路灯修好了", 36) + "谢谢您。"
	if n := len([]rune(text)); n != 184 {
		t.Fatalf("%d characters", n)
	}
	receipt, err := l.send("77", text)
	world.Must(t, err)
	until(t, "three parts", func() bool { return len(l.sent("")) == 3 })
	parts := l.sent("")
	var got string
	for i, p := range parts {
		got += p.Text
		if want := fmt.Sprintf("000301%02x%02x", 3, i+1); p.UDH != want || p.Coding != 8 || p.Registered != 1 || p.To != hers || p.From != ours+"07" {
			t.Errorf("part %d is %+v, want header %s", i+1, p, want)
		}
	}
	if got != text || receipt.ID != parts[2].ID {
		t.Errorf("it came as %q, receipt %q", got, receipt.ID)
	}
	for _, i := range []int{2, 0, 1} {
		l.report(parts[i], 2, "DELIVRD")
	}
	rows := l.rows(3)
	for i, want := range []bots.ReportState{bots.ReportBuffered, bots.ReportBuffered, bots.ReportDelivered} {
		if r := rows[i].Report; r == nil || r.Key != "77" || r.ID != receipt.ID || r.State != want {
			t.Errorf("report %d is %+v, want %s", i+1, r, want)
		}
	}
}

func TestLongTextsOfUsersThroughNodeSMPP(t *testing.T) {
	l := newLine(t)
	text := strings.Repeat("昌盛小区3栋楼下的路灯坏了🙂", 9)
	for i, how := range []string{"8 bit", "16 bit", "payload"} {
		l.saysLong(hers, ours+"07", text, how)
		if ev := l.rows(i + 1)[i]; ev.Text != text || ev.Extension != "7" || ev.From.Phone != "+"+hers {
			t.Errorf("%s: %q for %q", how, ev.Text, ev.Extension)
		}
	}
	l.says(hers, ours, "谢谢")
	if ev := l.rows(4)[3]; ev.Text != "谢谢" || ev.Extension != "" {
		t.Errorf("%+v", ev)
	}
}

// The centre is killed again and again: of what users say nothing is lost or
// doubled, and every submit that was not answered ends unknown and then settled.
func TestCentreKilledAndBack(t *testing.T) {
	l := newLine(t)
	until(t, "a bind", func() bool { return l.binds() == 1 })
	const rounds, each = 3, 20
	for round := range rounds {
		for i := range each {
			l.says(fmt.Sprint(8613800138000+i%5), ours, fmt.Sprintf("第%d轮 %02d", round, i))
		}
		l.order(map[string]any{"do": "mute", "count": 1})
		key := fmt.Sprintf("key-%d", round)
		done := make(chan error, 1)
		go func() {
			_, err := l.send(key, key)
			done <- err
		}()
		until(t, "the submit", func() bool { return len(l.sent(key)) == 1 })
		l.kill()
		if err := <-done; bots.ClassOf(err) != bots.ClassUnknown {
			t.Errorf("a submit without an answer is %v", err)
		}
		l.start()
		until(t, "a bind", func() bool { return l.binds() == round+2 })
		l.report(l.sent(key)[0], 2, "DELIVRD")
	}
	until(t, "all is taken", func() bool { return l.left() == 0 })
	seen, settled := map[string]int{}, map[string]bool{}
	next := map[bots.ChatID]string{}
	for _, ev := range l.sink.Rows() {
		if ev.Kind == bots.KindReport {
			settled[ev.Report.ID] = ev.Report.State == bots.ReportDelivered
			continue
		}
		seen[ev.Text]++
		if ev.Text <= next[ev.Chat] {
			t.Errorf("%q came after %q", ev.Text, next[ev.Chat])
		}
		next[ev.Chat] = ev.Text
	}
	for round := range rounds {
		for i := range each {
			if text := fmt.Sprintf("第%d轮 %02d", round, i); seen[text] != 1 {
				t.Errorf("%q came %d times", text, seen[text])
			}
		}
		if key := fmt.Sprintf("key-%d", round); !settled[l.sent(key)[0].ID] {
			t.Errorf("%s is not settled", key)
		}
	}
}
