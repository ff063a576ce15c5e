package wecom_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/wecom"
	"shaoying/bots/wecom/wecomfake"
)

func often(cfg *wecom.Config) { cfg.Limits.KF.Poll = 20 * time.Millisecond }

// Pages are read to the last, also behind empty ones, in order, and not again.
func TestPages(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	r.net.Page(7)
	const n = 50
	for i := range n {
		r.customer(i % 3).Says(fmt.Sprint(i))
	}
	h := r.serve(t)
	h.row(t, n-1)
	last := map[bots.ChatID]int{}
	for _, ev := range h.sink.Rows() {
		var i int
		if _, err := fmt.Sscan(ev.Text, &i); err != nil || i < last[ev.Chat] {
			t.Errorf("%q came after %d", ev.Text, last[ev.Chat])
		}
		last[ev.Chat] = i
	}
	eventually(t, "the cursor", func() bool { return r.Waiting() == 0 })
	calls := h.sink.Calls()
	r.customer(0).Says("又一句")
	h.row(t, n)
	if got := h.sink.Calls() - calls; got != 1 {
		t.Errorf("one more message took %d calls of the sink", got)
	}
}

// A callback that is lost delays and loses nothing.
func TestLostCallbacks(t *testing.T) {
	r := newRig(t, wecom.ModeKF, often)
	defer r.Close()
	h := r.serve(t)
	r.net.LoseCallbacks(1000)
	for i := range 3 {
		r.customer(0).Says(fmt.Sprint(i))
		h.row(t, i)
	}
}

// A cursor that went back brings the same messages under the same keys.
func TestCursorGoesBack(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	h := r.serve(t)
	for i := range 5 {
		r.customer(i).Says(fmt.Sprint(i))
	}
	h.row(t, 4)
	eventually(t, "the cursor", func() bool { return r.Waiting() == 0 })
	if err := r.state.Save(t.Context(), "cursor", []byte("cursor-2")); err != nil {
		t.Fatal(err)
	}
	r.customer(9).Says("新的")
	if ev := h.row(t, 5); ev.Text != "新的" || len(h.sink.Rows()) != 6 {
		t.Errorf("%d rows, the last is %q", len(h.sink.Rows()), ev.Text)
	}
}

// Without a place to keep the cursor nothing is acknowledged.
func TestNoStateNoCursor(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	h := r.serve(t)
	r.customer(0).Says("一")
	h.row(t, 0)
	eventually(t, "the cursor", func() bool { return r.Waiting() == 0 })
	r.state.Fail(true)
	r.customer(0).Says("二")
	r.state.Fail(false)
	h.row(t, 1)
	eventually(t, "the cursor", func() bool { return r.Waiting() == 0 })
}

// A network that is away for two seconds is asked fewer than 20 times.
func TestDownForTwoSeconds(t *testing.T) {
	r := newRig(t, wecom.ModeKF, often)
	defer r.Close()
	h := r.serve(t)
	r.customer(0).Says("一")
	h.row(t, 0)
	r.net.Down(true)
	before := r.net.Requests()
	timer := time.NewTimer(2 * time.Second)
	<-timer.C
	if n := r.net.Requests() - before; n >= 20 || n == 0 {
		t.Errorf("%d requests in two seconds", n)
	}
	r.net.Down(false)
	r.customer(0).Says("二")
	h.row(t, 1)
}

// A process that does not read the account lets WeCom call again.
func TestCallbackElsewhere(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	h := r.serve(t)
	h.row0(t)
	other := httpServer(t, r.open().(bots.Webhook).Handler(h.sink.Sink))
	target, body := r.net.Sealed(other, "<xml><Event>kf_msg_or_event</Event><Token>x</Token><OpenKfId>"+wecomfake.OpenKFID+"</OpenKfId></xml>")
	if status := post(t, target, body); status != 503 {
		t.Errorf("answered %d", status)
	}
	target, body = r.net.Sealed(other, "<xml><Event>kf_msg_or_event</Event><Token>x</Token><OpenKfId>wkAnother</OpenKfId></xml>")
	if status := post(t, target, body); status != 200 {
		t.Errorf("a callback of another account is answered %d", status)
	}
}

// A token of a callback that is not taken is not tried for ever.
func TestForgottenTicket(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	h := r.serve(t)
	h.row0(t)
	target, body := r.net.Sealed(h.url, "<xml><Event>kf_msg_or_event</Event><Token>not-a-ticket</Token><OpenKfId>"+wecomfake.OpenKFID+"</OpenKfId></xml>")
	syncs := r.net.Syncs()
	if status := post(t, target, body); status != 200 {
		t.Fatal(status)
	}
	eventually(t, "another read", func() bool { return r.net.Syncs() >= syncs+2 })
	r.net.LoseCallbacks(0)
	r.customer(0).Says("二")
	h.row(t, 1)
}

// A report names the message that did not arrive, and whom it was for.
func TestSendFailed(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	h := r.serve(t)
	receipt := ok(t, r, bots.Message{Key: "5/0", Text: "您好"})
	r.net.Loses(r.net.Sent()[0])
	ev := h.row(t, 0)
	if ev.Kind != bots.KindReport || ev.Report.ID != receipt.ID || ev.Report.Code != "fail_type 10" || ev.Chat != r.Address(0).Chat {
		t.Errorf("%+v", ev)
	}
}

// Who opens the chat is greeted, once; nothing else may be said before they write.
func TestGreeting(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	r.net.Strict()
	h := r.serve(t)
	c := r.customer(0)
	c.Opens()
	eventually(t, "a greeting", func() bool { return len(c.Sees()) == 1 })
	if got := c.Sees()[0].Text; !strings.HasPrefix(got, "您好") {
		t.Errorf("%q", got)
	}
	_, err := send(t, r, bots.Message{Key: "2/0", Text: "还在吗？"})
	class(t, err, bots.ClassClosed) // nothing was written yet, and the session cannot be had
	c.Says("井盖坏了")
	h.row(t, 0)
	c.Opens()
	c.Says("在吗")
	if ev := h.row(t, 1); ev.Text != "在吗" || len(c.Sees()) != 1 {
		t.Errorf("opened again: %+v, shown %d", ev, len(c.Sees()))
	}
}

// Five messages may follow one of the resident's; the sixth finds the window shut.
func TestQuota(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	r.net.Strict()
	r.serve(t)
	r.customer(0).Says("井盖坏了")
	for i := range 5 {
		ok(t, r, bots.Message{Key: fmt.Sprint(i), Text: "答"})
	}
	_, err := send(t, r, bots.Message{Key: "6", Text: "答"})
	class(t, err, bots.ClassClosed)
	r.net.FailNext(wecomfake.TooLate)
	_, err = send(t, r, bots.Message{Key: "7", Text: "答"})
	class(t, err, bots.ClassClosed)
}

// A session in the queue is taken back; one that a person holds is not.
func TestSessions(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	r.net.Strict()
	c := r.customer(0)
	c.Says("井盖坏了")
	c.Stands(2)
	ok(t, r, bots.Message{Key: "1", Text: "答"})
	c.Stands(3)
	_, err := send(t, r, bots.Message{Key: "2", Text: "答"})
	class(t, err, bots.ClassClosed)
	if n := len(c.Sees()); n != 1 {
		t.Errorf("shown %d", n)
	}
}

// A message whose answer was lost is sent again and shown once.
func TestLostAnswersKF(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	for i, m := range []bots.Message{{Text: "收到"}, {Text: "对吗？", Choices: yesNo}, {Photo: &bots.Photo{Data: []byte("jpeg-jpeg")}}} {
		m.Key = fmt.Sprint(i)
		r.net.FailNext(wecomfake.Lost)
		_, err := send(t, r, m)
		class(t, err, bots.ClassUnknown)
		ok(t, r, m)
		if n := len(r.net.Sent()); n != i+1 {
			t.Errorf("%d: shown %d times", i, n)
		}
	}
}

// What broke off in the middle goes on where it broke off: the parts that WeCom
// has are not shown again, and their refusal does not cost the rest.
func TestHalfSentKF(t *testing.T) {
	for _, fault := range []wecomfake.Fault{wecomfake.Busy, wecomfake.Lost} {
		r := newRig(t, wecom.ModeKF)
		m := bots.Message{Key: "7/0", Text: strings.Repeat("长", 400), Choices: yesNo, Photo: &bots.Photo{Data: bytes.Repeat([]byte("j"), 100)}}
		for range 2 {
			r.net.FailAt(3, fault)
			_, err := send(t, r, m)
			if bots.ClassOf(err) == bots.ClassRejected || err == nil {
				t.Errorf("%v broke off with %v", fault, err)
			}
			if fault == wecomfake.Lost {
				break
			}
		}
		ok(t, r, m)
		var types []string
		for _, s := range r.net.Sent() {
			types = append(types, s.Type)
		}
		if got := strings.Join(types, " "); got != "image text msgmenu" {
			t.Errorf("%v: shown %s", fault, got)
		}
		r.Close()
	}
}

// A menu with a long text above it, and what a tap on it says.
func TestMenu(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	h := r.serve(t)
	ok(t, r, bots.Message{Key: "1", Text: strings.Repeat("长", 400), Choices: yesNo})
	sent := r.net.Sent()
	if len(sent) != 2 || sent[0].Type != "text" || sent[1].Type != "msgmenu" || sent[1].Text != "请点下面的选项" {
		t.Fatalf("%+v", sent)
	}
	r.customer(0).Taps(sent[1], "退单")
	if ev := h.row(t, 0); ev.Kind != bots.KindChoice || ev.Choice != "return" || ev.Text != "退单" {
		t.Errorf("%+v", ev)
	}
	_, err := send(t, r, bots.Message{Key: "2", Text: "？", Choices: []bots.Choice{{Label: strings.Repeat("长", 43), Data: "x"}}})
	class(t, err, bots.ClassRejected)
}

// One sink that fails for one chat holds up no other chat, and is called again.
func TestOneChatFails(t *testing.T) {
	r := newRig(t, wecom.ModeKF)
	defer r.Close()
	for i := range 4 {
		r.customer(i).Says(fmt.Sprint(i))
	}
	s := r.serveWith(t, func(_ context.Context, call int, events []bots.Event) error {
		if call <= 4 && events[0].Chat == r.Address(1).Chat {
			return errors.New("not now")
		}
		return nil
	})
	s.row(t, 3)
	eventually(t, "the cursor", func() bool { return r.Waiting() == 0 })
}
