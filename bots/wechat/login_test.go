package wechat

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/wechat/wechatfake"
)

func slogTo(b *bench) *slog.Logger { return slog.New(slog.NewTextHandler(b.log, nil)) }

// The way in, step by step; a code that nobody scanned is followed by a new one.
func TestScan(t *testing.T) {
	b := newBench(t)
	b.start()
	first := b.shows(bots.StandingScan)
	if !strings.HasPrefix(first.QR, scanAddress) || first.Why != "" || first.Since.IsZero() {
		t.Errorf("at first it stands %+v", first)
	}
	b.net.Scan(wechatfake.Expired)
	second := b.shows(bots.StandingScan)
	if second.QR == first.QR {
		t.Error("a code that has run out is shown again")
	}
	b.class("a send before anybody scanned", b.send("00000000@x", bots.Message{Key: "1", Text: "在"}), bots.ClassLoggedOut)
	b.net.Scan(wechatfake.Scanned)
	if s := b.shows(bots.StandingConfirm); s.QR != "" {
		t.Error("a code that was scanned is shown on")
	}
	b.net.Scan(wechatfake.Confirmed)
	b.shows(bots.StandingOnline)
	b.stop()
	if s, err := b.a.Standing(t.Context()); err != nil || s.State != bots.StandingStarting {
		t.Errorf("after its end it stands %+v, %v", s, err)
	}
}

// Somebody ends the login: a new code with the reason, and the ids of the old login
// are nobody's. Whoever had a remark is known by it, whoever lost it is not.
func TestKickedOut(t *testing.T) {
	b := newBench(t)
	b.cfg.Limits.RemarkEvery = time.Nanosecond
	li := b.net.Person("李阿姨")
	b.login()
	li.Says("一")
	first := b.hears(1)
	if len(first.From.Hints) != 1 {
		t.Fatalf("the first word has hints %q", first.From.Hints)
	}
	b.within("the remark", func() bool { return li.Remark() != "" })
	b.net.Kick(1101)
	s := b.shows(bots.StandingScan)
	if s.QR == "" || s.Why == "" {
		t.Errorf("after a kick it stands %+v", s)
	}
	b.class("a send while nobody is logged in", b.send(first.Chat, bots.Message{Key: "1", Text: "在"}), bots.ClassLoggedOut)
	b.net.Scan(wechatfake.Confirmed)
	if s := b.shows(bots.StandingOnline); s.Why != "" {
		t.Errorf("online, because %q", s.Why)
	}
	b.class("a send to a chat of the old login", b.send(first.Chat, bots.Message{Key: "1", Text: "在"}), bots.ClassGone)
	li.Says("二")
	second := b.hears(2)
	if second.Chat == first.Chat || second.From.User == first.From.User {
		t.Error("ids outlive their login")
	}
	if !slices.Equal(first.From.Hints, second.From.Hints) {
		t.Errorf("the hint was %q and is %q", first.From.Hints, second.From.Hints)
	}
	b.net.Fault(wechatfake.Faults{RemarksLost: true})
	b.net.Kick(1100)
	b.shows(bots.StandingScan)
	b.net.Scan(wechatfake.Confirmed)
	b.shows(bots.StandingOnline)
	li.Says("三")
	if third := b.hears(3); slices.Equal(third.From.Hints, first.From.Hints) {
		t.Error("a hint outlived its remark")
	}
}

// An account that WeChat refuses is left alone: no code, no questions.
func TestRefused(t *testing.T) {
	b := newBench(t)
	b.cfg.Limits.RefusedPause = time.Hour
	b.net.Fault(wechatfake.Faults{Refused: true})
	b.net.AutoLogin(true)
	b.start()
	if s := b.shows(bots.StandingOut); s.Why == "" || s.QR != "" {
		t.Errorf("it stands %+v", s)
	}
	b.class("a send", b.send("00000000@x", bots.Message{Key: "1", Text: "在"}), bots.ClassLoggedOut)
	b.stop()
	if n := b.net.Codes(); n != 1 {
		t.Errorf("%d codes were asked for", n)
	}
}

// Thrown out again before it was up: a new code with the reason, no end of the
// channel.
func TestKickedOutWhileItComesUp(t *testing.T) {
	b := newBench(t)
	b.net.Fault(wechatfake.Faults{ShortLived: true})
	b.start()
	first := b.shows(bots.StandingScan)
	b.net.Scan(wechatfake.Confirmed)
	second := b.shows(bots.StandingScan)
	if second.Why == "" || second.QR == first.QR {
		t.Errorf("after a kick on the way in it stands %+v, and stood %+v", second, first)
	}
	b.class("a send", b.send("00000000@x", bots.Message{Key: "1", Text: "在"}), bots.ClassLoggedOut)
	b.net.Fault(wechatfake.Faults{})
	b.net.Scan(wechatfake.Confirmed)
	if s := b.shows(bots.StandingOnline); s.Why != "" {
		t.Errorf("online, because %q", s.Why)
	}
}

// A kept login that is refused leads to no scan and asks no phone: either would make
// it worse.
func TestBannedWhileAway(t *testing.T) {
	b := newBench(t)
	b.cfg.Limits.RefusedPause = time.Hour
	b.login()
	b.stop()
	b.net.Kick(1203)
	b.start()
	if s := b.shows(bots.StandingOut); s.Why == "" {
		t.Errorf("it stands %+v", s)
	}
	b.stop()
	if codes, asked := b.net.Codes(), b.net.Hits("webwxpushloginurl"); codes != 1 || asked != 0 {
		t.Errorf("%d codes were asked for, and the phone %d times", codes, asked)
	}
}

// "Too often" is kept to at a hot login, and for remarks.
func TestTooOften(t *testing.T) {
	b := newBench(t)
	b.cfg.Limits.TooOften, b.cfg.Limits.RemarkEvery = time.Hour, time.Nanosecond
	li := b.net.Person("李阿姨")
	b.login()
	b.net.Fault(wechatfake.Faults{TooOften: true})
	for n := range 5 { // each round could write a remark
		li.Says("一")
		b.hears(1 + n)
	}
	if n := b.net.Hits("webwxoplog"); n > 1 {
		t.Errorf("%d remarks were tried", n)
	}
	b.stop()
	b.net.Kick(1205)
	before := b.net.Hits("webwxinit")
	b.start()
	b.within("the pause", func() bool { return strings.Contains(b.log.String(), "left alone") })
	b.stop()
	if n := b.net.Hits("webwxinit") - before; n != 1 {
		t.Errorf("the kept login was tried %d times", n)
	}
}

// Banned while it works: the same, and it goes on once the pause is over.
func TestBannedWhileOnline(t *testing.T) {
	b := newBench(t)
	b.cfg.Limits.RefusedPause = time.Millisecond
	b.login()
	b.net.Kick(1203)
	if s := b.shows(bots.StandingOut); s.Why == "" {
		t.Errorf("it stands %+v", s)
	}
	b.shows(bots.StandingScan)
	b.net.Scan(wechatfake.Confirmed)
	b.shows(bots.StandingOnline)
}

// A kept login that ran out asks the phone for a tap, and shows a code where that
// is not to be had.
func TestPushLogin(t *testing.T) {
	b := newBench(t)
	b.login()
	b.stop()
	b.net.Kick(1102)
	b.start()
	if s := b.shows(bots.StandingConfirm); s.Why == "" {
		t.Errorf("it stands %+v", s)
	}
	b.net.Scan(wechatfake.Confirmed)
	b.shows(bots.StandingOnline)
	b.stop()
	b.net.Kick(1102)
	b.net.Fault(wechatfake.Faults{NoPush: true})
	b.start()
	b.shows(bots.StandingScan)
}

// What is kept and cannot be read costs a scan, no more.
func TestKeptLoginIsBroken(t *testing.T) {
	for _, raw := range []string{"{", "{}", `{"info":{},"request":{},"domain":"wx.qq.com"}`} {
		b := newBench(t)
		if err := b.state.Save(t.Context(), stateLogin, []byte(raw)); err != nil {
			t.Fatal(err)
		}
		b.start()
		b.shows(bots.StandingScan)
		b.stop()
	}
}

// A person's own remark stays, with the hint behind it where there is room; what
// cannot be written is tried later and harms nothing.
func TestRemarks(t *testing.T) {
	b := newBench(t)
	b.cfg.Limits.RemarkEvery = time.Nanosecond
	wang, long, bare := b.net.Person("王师傅"), b.net.Person("赵"), b.net.Person("李")
	wang.SetRemark("老王")
	long.SetRemark("三号楼二单元的赵大爷")
	b.net.Fault(wechatfake.Faults{NoRemark: true})
	b.login()
	wang.Says("一")
	long.Says("二")
	bare.Says("三")
	b.hears(3)
	for n := range 6 { // each round writes one
		bare.Says("催")
		b.hears(4 + n)
		if n == 1 {
			b.within("two tries", func() bool { return b.net.Hits("webwxoplog") >= 2 })
			b.net.Fault(wechatfake.Faults{})
		}
	}
	b.within("both remarks", func() bool {
		return strings.HasPrefix(wang.Remark(), "老王 r:") && hintShape.MatchString(bare.Remark())
	})
	if got := long.Remark(); got != "三号楼二单元的赵大爷" {
		t.Errorf("a long remark became %q", got)
	}
	if n := strings.Count(b.log.String(), "remark could not"); n != 1 {
		t.Errorf("the failure is logged %d times", n)
	}
}
