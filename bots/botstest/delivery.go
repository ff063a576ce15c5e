package botstest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"shaoying/bots"
)

// 08
func duplicates(b *bench) {
	if !b.hears() {
		return
	}
	first := b.says(0, "只说一遍")
	for range 50 {
		b.rig.Redeliver()
	}
	b.mark(0)
	if n := len(b.sink.Rows()); n != 2 {
		b.Errorf("one message delivered 51 times and a mark are %d rows, want 2", n)
	}
	b.restart()
	b.rig.Redeliver()
	b.mark(0)
	if n := len(b.sink.Rows()); n != 3 {
		b.Errorf("a delivery after a restart made rows: %d, want 3 (first key %q)", n, first.Key)
	}
}

func failing(context.Context, int, []bots.Event) error { return errSink }

// 09
func sinkError(b *bench) {
	if !b.hears() {
		return
	}
	b.sink.Before(failing)
	b.rig.UserSays(0, "请记下来")
	if !b.sink.until(b.patience, func() bool { return b.sink.Calls() > 0 }) {
		b.Fatalf("the sink was never called")
	}
	b.stop()
	if n := b.rig.Waiting(); n != 1 {
		b.Errorf("the sink failed, and the network holds %d messages, want 1: it was told that the message was taken", n)
	}
	b.sink.Before(nil)
	b.rig.Restart()
	b.start()
	if ev := b.row(0); ev.Text != "请记下来" {
		b.Errorf("after a restart %q arrives", ev.Text)
	}
	b.mark(0)
	if n := len(b.sink.Rows()); n != 2 {
		b.Errorf("%d rows, want 2", n)
	}
	b.drained()
}

// drained checks that the network comes to hold nothing: it was told.
func (b *bench) drained() {
	b.Helper()
	look, timeout := time.NewTicker(5*time.Millisecond), time.NewTimer(b.patience)
	defer look.Stop()
	defer timeout.Stop()
	for b.rig.Waiting() > 0 {
		select {
		case <-look.C:
		case <-timeout.C:
			b.Errorf("everything was taken, but the network still holds %d messages", b.rig.Waiting())
			return
		}
	}
}

// 10
func killed(b *bench) {
	if !b.hears() {
		return
	}
	inside, severed := make(chan struct{}, 1), make(chan struct{})
	b.severed = func() { close(severed) }
	b.sink.Before(func(ctx context.Context, _ int, _ []bots.Event) error {
		select {
		case inside <- struct{}{}:
		default:
		}
		// The turn never ends; the process is killed. A handler that has not
		// read its request to the end is not told that the connection is cut.
		select {
		case <-ctx.Done():
		case <-severed:
		}
		return context.Canceled
	})
	for i := range 3 {
		b.rig.UserSays(i, fmt.Sprintf("第%d句", i))
	}
	timeout := time.NewTimer(b.patience)
	defer timeout.Stop()
	select {
	case <-inside:
	case <-timeout.C:
		b.Fatalf("the sink was never called")
	}
	b.stop()
	b.sink.Before(nil)
	b.rig.Restart()
	b.start()
	b.row(2)
	for i := range 3 {
		b.mark(i)
	}
	if n := len(b.sink.Rows()); n != 6 {
		b.Errorf("3 messages and 3 marks are %d rows after a kill, want 6", n)
	}
}

// 11
func order(b *bench) {
	if !b.hears() {
		return
	}
	const chats, each = 20, 10
	// The first message of every third chat takes long: whoever hands over
	// the next one meanwhile shows it by overlapping.
	b.sink.Before(func(ctx context.Context, _ int, events []bots.Event) error {
		for _, ev := range events {
			var chat, n int
			if _, err := fmt.Sscanf(ev.Text, "%d %d", &chat, &n); err == nil && n == 0 && chat%3 == 0 {
				slow := time.NewTimer(5 * time.Millisecond)
				<-slow.C
			}
		}
		return nil
	})
	for n := range each {
		for chat := range chats {
			b.rig.UserSays(chat, fmt.Sprintf("%d %d", chat, n))
		}
	}
	b.row(chats*each - 1)
	next := map[bots.ChatID]int{}
	for _, ev := range b.sink.Rows() {
		var chat, n int
		if _, err := fmt.Sscanf(ev.Text, "%d %d", &chat, &n); err != nil || b.rig.Address(chat).Chat != ev.Chat {
			b.Errorf("%q stands in chat %q", ev.Text, ev.Chat)
			continue
		}
		if n != next[ev.Chat] {
			b.Errorf("chat %d: message %d came where %d was due", chat, n, next[ev.Chat])
		}
		next[ev.Chat] = n + 1
	}
	if b.sink.Overlapped() {
		b.Errorf("two calls of the sink held messages of one chat at once: their order is luck")
	}
}

// 12
func errorClasses(b *bench) {
	b.start()
	tried := 0
	for _, class := range bots.Classes() {
		if class == bots.ClassRejected || !b.rig.Fail(class) {
			continue // rejected is case 17; a network need not have the others
		}
		tried++
		n := len(b.rig.Sent())
		_, err := b.send(0, bots.Message{Text: "会失败"})
		if err == nil || bots.ClassOf(err) != class {
			b.Errorf("the network's %s came as %v", class, err)
			continue
		}
		e, ok := err.(*bots.Error)
		switch {
		case !ok && class != bots.ClassUnknown:
			b.Errorf("%s is not a *bots.Error: %T", class, err)
		case class == bots.ClassThrottled && e.After <= 0:
			b.Errorf("throttled without how long to wait")
		case class == bots.ClassMoved && e.NewChat == "":
			b.Errorf("moved without the new chat")
		}
		if class.Certain() && len(b.rig.Sent()) != n {
			b.Errorf("%s says surely not sent, but the user saw it", class)
		}
	}
	if tried == 0 {
		b.Errorf("the rig has no failing send: there is no network that never fails")
	}
	b.delivers(0, bots.Message{Text: "又好了"})
}

// 13
func ends(b *bench) {
	if b.hears() {
		b.mark(0)
	}
	b.delivers(0, bots.Message{Text: "再见"})
	b.stop() // looks at the time; finish at what is left behind
}

// outage is how long the network is away in case 14.
const outage = 2 * time.Second

// 14
func down(b *bench) {
	b.start()
	b.rig.Down(true)
	if _, err := b.send(0, bots.Message{Text: "没有网"}); err == nil {
		b.Errorf("a send over a dead network succeeded")
	} else if c := bots.ClassOf(err); c != bots.ClassTemporary && c != bots.ClassUnknown {
		b.Errorf("a dead network is class %s, want temporary or unknown", c)
	}
	_, hook := b.rig.Adapter().(bots.Webhook)
	if !hook {
		before := b.rig.Requests()
		wait := time.NewTimer(outage)
		<-wait.C
		if n := b.rig.Requests() - before; n >= 20 {
			b.Errorf("%d requests in %s against a dead network, want fewer than 20", n, outage)
		}
	}
	b.rig.Down(false)
	b.delivers(0, bots.Message{Text: "网通了"})
	if b.caps.SendOnly {
		return
	}
	if hook {
		b.sinkAway()
	}
	b.mark(0)
}

// sinkAway is the dead network of a webhook: we are the ones who are away. The
// adapter calls the sink once for each delivery and leaves trying again to the
// network.
func (b *bench) sinkAway() {
	b.Helper()
	const failures = 5
	b.sink.Before(func(_ context.Context, call int, _ []bots.Event) error {
		if call <= failures {
			return errSink
		}
		return nil
	})
	for i := range 3 {
		b.rig.UserSays(0, fmt.Sprintf("第%d句", i))
	}
	b.row(2)
	for i, ev := range b.sink.Rows() {
		if want := fmt.Sprintf("第%d句", i); ev.Text != want {
			b.Errorf("message %d after an outage is %q, want %q", i, ev.Text, want)
		}
	}
	if n := b.sink.Calls(); n > failures+3 {
		b.Errorf("%d calls of the sink for %d failures and 3 messages", n, failures)
	}
}

// 15
func forgeries(b *bench) {
	if b.hears() {
		b.mark(0)
	}
	all := b.rig.Forgeries()
	if b.server == nil {
		if len(all) > 0 {
			b.Errorf("forged requests for an adapter without a webhook")
		}
		return
	}
	if len(all) < 12 {
		b.Errorf("%d forgeries, want at least 12", len(all))
	}
	calls, large := b.sink.Calls(), false
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, f := range all {
		req, err := f.Make(b.server.URL)
		if err != nil {
			b.Fatalf("%s: %v", f.Name, err)
		}
		resp, err := client.Do(req)
		if err != nil {
			// A server may cut a body that is too large before it is read.
			large = large || strings.Contains(err.Error(), "reset") || strings.Contains(err.Error(), "broken pipe")
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		b.errs = append(b.errs, string(body))
		switch resp.StatusCode {
		case http.StatusRequestEntityTooLarge:
			large = true
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed:
		default:
			b.Errorf("%s: answered %d, want 401, 403, 405 or 413", f.Name, resp.StatusCode)
		}
		if n := b.sink.Calls(); n != calls {
			b.Errorf("%s: reached the sink", f.Name)
			calls = n
		}
	}
	if !large {
		b.Errorf("no forgery was answered 413: is the body limited?")
	}
}

// 16
func secrets(b *bench) {
	if len(b.rig.Secrets()) == 0 {
		b.Errorf("the rig names no secret to look for")
	}
	const phone = "13812345678"
	hears := b.hears()
	if hears {
		b.says(0, "我的电话是"+phone)
	}
	b.delivers(0, bots.Message{Text: "您的电话是" + phone})
	b.rejects("a text far too long", bots.Message{Text: phone + filled(b.caps.MaxText+1, b.caps.TextUnit)})
	for _, class := range bots.Classes() {
		if class != bots.ClassRejected && b.rig.Fail(class) {
			if _, err := b.send(0, bots.Message{Text: "电话" + phone}); err == nil {
				b.Errorf("a send that fails with %s succeeded", class)
			}
		}
	}
	b.rig.Down(true)
	if _, err := b.send(0, bots.Message{Text: "电话" + phone}); err == nil {
		b.Errorf("a send over a dead network succeeded")
	}
	b.rig.Down(false)
	if hears {
		b.sink.Before(failing)
		calls := b.sink.Calls()
		b.rig.UserSays(0, "电话"+phone)
		b.sink.until(b.patience, func() bool { return b.sink.Calls() > calls })
		b.sink.Before(nil)
		b.mark(0)
	}
	b.stop()
	if said := b.rig.Log() + strings.Join(b.errs, "\n"); strings.Contains(said, phone) {
		b.Errorf("a phone number stands in a log or an error")
	}
	// The rig's secrets are looked for at the end of every case.
}

// 17
func capsAreTrue(b *bench) {
	b.start()
	c := b.caps
	if c.TextUnit < bots.Runes || c.TextUnit > bots.Bytes {
		b.Errorf("Caps.TextUnit is %d", c.TextUnit)
	}
	if c.Trust < bots.TrustNone || c.Trust > bots.TrustStable {
		b.Errorf("Caps.Trust is %s: that is not for a network to give", c.Trust)
	}
	if (c.Choices == 0) != (c.ChoiceBytes == 0) {
		b.Errorf("Caps.Choices %d goes ill with ChoiceBytes %d", c.Choices, c.ChoiceBytes)
	}
	if c.Phone && c.Trust != bots.TrustNone {
		b.Errorf("Caps.Phone, but Caps.Trust is %s: anybody can write any number as the sender", c.Trust)
	}
	if _, metered := b.rig.Adapter().(bots.Metered); c.Paid != metered {
		b.Errorf("Caps.Paid is %v, but bots.Metered %v: what costs money is counted before it is sent", c.Paid, metered)
	}
	if c.SendOnly && (c.PlaceIn || c.PhotoIn || c.VoiceIn || c.Group) {
		b.Errorf("Caps.SendOnly, but something may come in: %+v", c)
	}
	b.rejects("an empty message", bots.Message{})
	b.rejects("a text that is not UTF-8", bots.Message{Text: "\xff\xfe"})
	photo := testPhoto()
	if c.PhotoOut == 0 {
		b.rejects("a photo where Caps has none", bots.Message{Text: "看", Photo: &bots.Photo{Name: "a.jpg", Data: photo}})
	} else {
		got := b.delivers(0, bots.Message{Text: "看", Photo: &bots.Photo{Name: "a.jpg", Data: photo}})
		b.samePicture(photo, got.Photo)
		b.rejects("a photo one byte too large", bots.Message{Text: "看", Photo: &bots.Photo{Data: make([]byte, c.PhotoOut+1)}})
	}
	foreign := bots.Address{Channel: "another", Chat: b.rig.Address(0).Chat}
	ctx, cancel := context.WithTimeout(context.Background(), b.patience)
	defer cancel()
	if _, err := b.rig.Adapter().Send(ctx, foreign, bots.Message{Key: "1", Text: "走错了"}); bots.ClassOf(err) != bots.ClassRejected {
		b.Errorf("an address of another channel: %v, want class rejected", err)
	}
	if c.SendOnly {
		return
	}
	// What comes in though Caps denies it is found when the case ends.
	b.rig.UserSendsPlace(0, 27.6, 113.8, "")
	b.rig.UserSendsPhoto(0, photo, "")
	b.rig.UserSendsVoice(0, []byte("#!AMR\n\x3c"))
	b.rig.GroupSays(0, "大家好")
	b.mark(0)
}

// 18
func panics(b *bench) {
	if !b.hears() {
		return
	}
	b.sink.Before(func(_ context.Context, call int, _ []bots.Event) error {
		if call == 1 {
			panic("the sink panicked on purpose")
		}
		return nil
	})
	b.rig.UserSays(0, "有毒的话")
	if ev := b.row(0); ev.Text != "有毒的话" {
		b.Errorf("after a panic %q arrives first", ev.Text)
	}
	b.mark(0)
	b.drained()
}
