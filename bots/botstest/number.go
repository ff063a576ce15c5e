package botstest

import (
	"strconv"
	"strings"

	"shaoying/bots"
)

// What only networks of phone numbers have: reports, extension codes, parts.
// The others prove that they have none.

// 19
func reports(b *bench) {
	b.start()
	for n, state := range []bots.ReportState{bots.ReportDelivered, bots.ReportFailed, bots.ReportBuffered} {
		m := bots.Message{Key: "77/" + strconv.Itoa(n), Text: "收到没有"}
		before, seen := len(b.reported()), len(b.rig.Sent())
		receipt, err := b.send(0, m)
		if err != nil {
			b.Fatalf("send: %v", err)
		}
		if !b.rig.Reports(seen, state) {
			continue
		}
		if !b.sink.until(b.patience, func() bool { return len(b.reported()) > before }) {
			b.Fatalf("no report %s arrived", state)
		}
		ev := b.reported()[before]
		r := ev.Report
		if r.State != state {
			b.Errorf("the network reported %s, the event says %s", state, r.State)
		}
		if r.ID != receipt.ID && r.Key != m.Key {
			b.Errorf("a report names message %q (%q), want %q (%q)", r.ID, r.Key, receipt.ID, m.Key)
		}
		if ev.Chat != b.rig.Address(0).Chat {
			b.Errorf("a report is about chat %q, want %q", ev.Chat, b.rig.Address(0).Chat)
		}
	}
	if !b.caps.SendOnly {
		b.mark(0)
	}
}

// reported are the reports taken so far.
func (b *bench) reported() (out []bots.Event) {
	for _, ev := range b.sink.Rows() {
		if ev.Kind == bots.KindReport {
			out = append(out, ev)
		}
	}
	return out
}

// 20
func extensions(b *bench) {
	if !b.hears() {
		return
	}
	codes := []string{""}
	for n := range b.caps.Extensions {
		codes = append(codes, strconv.Itoa(n+1))
	}
	if len(codes) > 3 {
		codes = append(codes[:2], codes[len(codes)-1])
	}
	for _, code := range codes {
		b.delivers(0, bots.Message{Text: "满意吗？", Extension: code})
		n := len(b.sink.Rows())
		if !b.rig.UserAnswers(0, "满意") {
			b.Fatalf("users cannot answer on this network, but Caps.SendOnly is false")
		}
		if ev := b.row(n); ev.Extension != code {
			b.Errorf("an answer to extension %q came as %q", code, ev.Extension)
		}
	}
	if b.caps.Extensions > 0 {
		b.rejects("an extension that there is not", bots.Message{Text: "满意吗？", Extension: strconv.Itoa(b.caps.Extensions + 1)})
	}
}

// 21
func parts(b *bench) {
	b.start()
	meter, ok := b.rig.Adapter().(bots.Metered)
	if !ok {
		return // case 17 holds that it is free then
	}
	for _, text := range []string{
		"a", strings.Repeat("a", 161), "{" + strings.Repeat("a", 159), strings.Repeat("路", 71), strings.Repeat("路", 150),
		strings.Repeat("🙂", 36), strings.Repeat("👨‍👩‍👧", 9),
	} {
		if size(text, b.caps.TextUnit) > b.caps.MaxText {
			continue
		}
		// delivers compares what Parts says with what came.
		if got := b.delivers(0, bots.Message{Text: text}); got.Text != text {
			b.Errorf("a text of %d parts was changed on its way", meter.Parts(bots.Message{Text: text}))
		}
	}
}

// size is the length of a text in a unit.
func size(text string, unit bots.TextUnit) (n int) {
	for _, r := range text {
		switch {
		case unit == bots.Bytes:
			n += len(string(r))
		case unit == bots.UTF16 && r > 0xffff:
			n += 2
		default:
			n++
		}
	}
	return n
}
