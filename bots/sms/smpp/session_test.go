package smpp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/sms/smpp"
	"shaoying/bots/sms/smpp/smppfake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 40 * time.Second

// running is a rig whose channel runs into a recorder.
type running struct {
	*rig
	sink *botstest.Recorder
	stop func()
}

func run(t *testing.T, change func(*smpp.Config)) *running {
	t.Helper()
	r := &running{rig: newRig(t, change), sink: botstest.NewRecorder()}
	r.begin()
	t.Cleanup(func() {
		r.stop()
		r.net.Close()
		for _, err := range r.sink.Invalid() {
			t.Error(err)
		}
	})
	return r
}

func (r *running) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	channel := r.channel
	go func() { done <- channel.Run(ctx, r.sink.Sink) }()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("Run: %v", err)
		}
		r.stop = func() {}
	}
}

// kill is a kill and a new process.
func (r *running) kill() {
	r.stop()
	r.Restart()
	r.begin()
}

func (r *running) until(what string, ok func() bool) {
	r.t.Helper()
	look, limit := time.NewTicker(2*time.Millisecond), time.NewTimer(patience)
	defer look.Stop()
	defer limit.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-limit.C:
			r.t.Fatalf("%s did not come about; %d rows", what, len(r.sink.Rows()))
		}
	}
}

func (r *running) rows(n int) []bots.Event {
	r.t.Helper()
	r.until(fmt.Sprintf("%d rows", n), func() bool { return len(r.sink.Rows()) >= n })
	return r.sink.Rows()
}

func (r *running) texts() (out []string) {
	for _, ev := range r.sink.Rows() {
		out = append(out, ev.Text)
	}
	return out
}

func (r *running) send(key, text string) (bots.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return r.channel.Send(ctx, r.Address(0), bots.Message{Key: key, Text: text})
}

func quick(c *smpp.Config) { c.Limits.Answer = 150 * time.Millisecond }

func TestLongTextIsReportedAsAWhole(t *testing.T) {
	r := run(t, nil)
	text := strings.Repeat("灯", 184)
	receipt, err := r.send("77", text)
	if err != nil {
		t.Fatal(err)
	}
	m := r.net.Shown()[0]
	if m.Text != text || m.Parts != 3 || receipt.ID != m.IDs[2] || string(m.Registered) != "\x01\x01\x01" {
		t.Fatalf("%+v, receipt %+v", m, receipt)
	}
	r.net.Report(0, 2, "DELIVRD")
	rows := r.rows(3)
	for i, want := range []bots.ReportState{bots.ReportBuffered, bots.ReportBuffered, bots.ReportDelivered} {
		if got := rows[i].Report; got.State != want || got.Key != "77" || got.ID != receipt.ID {
			t.Errorf("report %d is %+v, want %s", i, got, want)
		}
	}
}

func TestEveryWayOfLongTexts(t *testing.T) {
	for _, long := range []string{smpp.LongUDH, smpp.LongSAR, smpp.LongPayload} {
		r := run(t, func(c *smpp.Config) { c.Long = long; c.National = true; c.Signature = "萍乡哨应" })
		text := strings.Repeat("灯坏了🙂", 30)
		if _, err := r.send("1", text); err != nil {
			t.Fatal(err)
		}
		if m := r.net.Shown()[0]; m.Text != "【萍乡哨应】"+text || m.To != "13800138000" {
			t.Errorf("%s: %+v", long, m)
		}
	}
}

func TestATryGoesOnWhereItStopped(t *testing.T) {
	r := run(t, nil)
	r.net.Fail(smppfake.Fault{})
	r.net.Fail(smppfake.Fault{Status: 0x14})
	text := strings.Repeat("灯", 184)
	if _, err := r.send("77", text); bots.ClassOf(err) != bots.ClassThrottled {
		t.Fatalf("the queue of the centre is full: %v", err)
	}
	receipt, err := r.send("77", text)
	if err != nil {
		t.Fatal(err)
	}
	if m := r.net.Shown()[0]; m.Parts != 3 || m.Text != text || m.IDs[2] != receipt.ID {
		t.Errorf("paid for %d parts: %+v", m.Parts, m)
	}
}

func TestUnansweredIsUnknown(t *testing.T) {
	r := run(t, quick)
	for name, f := range map[string]smppfake.Fault{"mute": {Mute: true}, "cut": {Cut: true}} {
		r.net.Fail(f)
		if _, err := r.send(name, name); bots.ClassOf(err) != bots.ClassUnknown {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLateAnswerIsAReport(t *testing.T) {
	r := run(t, quick)
	r.net.Fail(smppfake.Fault{Late: 400 * time.Millisecond})
	if _, err := r.send("77", "晚"); bots.ClassOf(err) != bots.ClassUnknown {
		t.Fatalf("not answered in time: %v", err)
	}
	ev := r.rows(1)[0]
	if ev.Kind != bots.KindReport || ev.Report.Key != "77" || ev.Report.State != bots.ReportBuffered || ev.Report.ID != r.net.Shown()[0].IDs[0] {
		t.Errorf("%+v %+v", ev, ev.Report)
	}
	r.net.Report(0, 2, "DELIVRD")
	if got := r.rows(2)[1].Report; got.Key != "77" || got.State != bots.ReportDelivered {
		t.Errorf("%+v", got)
	}
}

func TestReceiptBeforeTheAnswer(t *testing.T) {
	r := run(t, nil)
	r.net.EarlyReceipts(true)
	r.net.Fail(smppfake.Fault{Late: 200 * time.Millisecond})
	receipt, err := r.send("77", "快")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.rows(1)[0].Report; got.ID != receipt.ID || got.State != bots.ReportDelivered {
		t.Errorf("%+v", got)
	}
}

// The answer was lost with the connection; the receipt comes on the next one.
func TestReceiptOfALostAnswer(t *testing.T) {
	r := run(t, nil)
	r.net.Fail(smppfake.Fault{Cut: true})
	if _, err := r.send("77", "断了"); bots.ClassOf(err) != bots.ClassUnknown {
		t.Fatalf("cut: %v", err)
	}
	r.net.Report(0, 2, "DELIVRD")
	if got := r.rows(1)[0].Report; got.ID != r.net.Shown()[0].IDs[0] || got.State != bots.ReportDelivered {
		t.Errorf("%+v", got)
	}
}

func TestADeadPeerIsLeft(t *testing.T) {
	r := run(t, func(c *smpp.Config) { quick(c); c.EnquireLink = time.Second })
	if _, err := r.send("1", "在"); err != nil {
		t.Fatal(err)
	}
	before := r.net.Requests()
	r.net.Silence(true)
	r.until("another bind", func() bool { return r.net.Requests() > before })
	r.net.Silence(false)
	r.UserSays(0, "又好了")
	r.rows(1)
}

func TestRefusedAccount(t *testing.T) {
	r := run(t, func(c *smpp.Config) { quick(c); c.Limits.BindWait = 300 * time.Millisecond })
	if found := r.channel.Check(context.Background()); len(found) != 1 || found[0].Wrong {
		t.Errorf("Check: %+v", found)
	}
	r.net.RefuseBinds(0x0D)
	if found := r.channel.Check(context.Background()); len(found) != 1 || !found[0].Wrong || !strings.Contains(found[0].What, "ESME_RBINDFAIL") {
		t.Errorf("Check: %+v", found)
	}
	r.net.Cut()
	r.until("logged out", func() bool { _, err := r.send("1", "x"); return bots.ClassOf(err) == bots.ClassLoggedOut })
	r.net.RefuseBinds(0)
	r.until("bound again", func() bool { _, err := r.send("1", "x"); return err == nil })
}

func TestNoRunIsTemporary(t *testing.T) {
	r := newRig(t, func(c *smpp.Config) { c.Limits.BindWait = 20 * time.Millisecond })
	defer r.Close()
	_, err := r.channel.Send(context.Background(), r.Address(0), bots.Message{Key: "1", Text: "x"})
	if bots.ClassOf(err) != bots.ClassTemporary {
		t.Errorf("got %v", err)
	}
}

func TestSettle(t *testing.T) {
	r := run(t, nil)
	receipt, err := r.send("77", "好")
	if err != nil {
		t.Fatal(err)
	}
	settle := func(r2 bots.Receipt) (bots.Report, error) {
		return r.channel.Settle(context.Background(), r.Address(0), "77", r2, time.Time{})
	}
	if _, err := settle(bots.Receipt{}); !errors.Is(err, bots.ErrNoReport) {
		t.Errorf("no id: %v", err)
	}
	if _, err := settle(receipt); !errors.Is(err, bots.ErrNoReport) {
		t.Errorf("the centre knows nothing: %v", err)
	}
	for state, want := range map[byte]bots.ReportState{1: bots.ReportBuffered, 2: bots.ReportDelivered, 3: bots.ReportFailed, 8: bots.ReportFailed} {
		r.net.SetState(receipt.ID, state)
		if got, err := settle(receipt); err != nil || got.State != want || got.ID != receipt.ID || got.Key != "77" {
			t.Errorf("state %d: %+v, %v", state, got, err)
		}
	}
}

// Sends go on while the gateway takes its time with a text.
func TestSendsGoOnWhileTheSinkWaits(t *testing.T) {
	r := run(t, nil)
	free := make(chan struct{})
	r.sink.Before(func(ctx context.Context, _ int, _ []bots.Event) error {
		select {
		case <-free:
		case <-ctx.Done():
		}
		return nil
	})
	r.UserSays(0, "慢慢来")
	r.until("the sink is called", func() bool { return r.sink.Calls() == 1 })
	for i := range 20 {
		if _, err := r.send(fmt.Sprint(i), "不等"); err != nil {
			t.Fatal(err)
		}
	}
	close(free)
	r.rows(1)
}

func TestFullHouseIsRefused(t *testing.T) {
	r := run(t, func(c *smpp.Config) { c.Limits.MaxQueued = 5 })
	free := make(chan struct{})
	r.sink.Before(func(ctx context.Context, _ int, _ []bots.Event) error {
		select {
		case <-free:
		case <-ctx.Done():
		}
		return nil
	})
	for i := range 30 {
		r.UserSays(i%3, fmt.Sprint(i))
	}
	r.until("refusals", func() bool { return r.net.Refusals() > 20 })
	close(free)
	r.rows(30)
	r.until("all is taken", func() bool { return r.net.Waiting() == 0 })
	if n := len(r.sink.Rows()); n != 30 {
		t.Errorf("%d rows", n)
	}
}

// When a text fails, those that wait behind it in its chat are refused with it
// and come again in their order.
func TestOrderAfterAFailure(t *testing.T) {
	r := run(t, nil)
	all := make(chan struct{})
	var tried atomic.Bool
	r.sink.Before(func(_ context.Context, _ int, events []bots.Event) error {
		switch events[0].Text {
		case "0":
			if tried.Swap(true) {
				return nil
			}
			<-all
			return errors.New("away")
		case "last":
			close(all) // the others were read before it
		}
		return nil
	})
	for i := range 12 {
		r.UserSays(0, fmt.Sprint(i))
	}
	r.UserSays(1, "last")
	r.rows(13)
	if got := strings.Join(r.texts()[1:], " "); got != "0 1 2 3 4 5 6 7 8 9 10 11" {
		t.Errorf("the order is %s", got)
	}
	if r.net.Refusals() < 12 {
		t.Errorf("%d refusals", r.net.Refusals())
	}
}
