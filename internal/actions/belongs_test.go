package actions

import (
	"strings"
	"testing"

	"shaoying/bots"
)

// photo is a picture of a user of the page.
func (r *rig) photo(user bots.UserID) bots.Event {
	ev := r.event(user, bots.KindPhoto, "")
	ev.Files = []bots.File{{MIME: "image/jpeg", Data: []byte("jpeg")}}
	return ev
}

func (r *rig) recording(user bots.UserID) bots.Event {
	ev := r.event(user, bots.KindVoice, "")
	ev.Files = []bots.File{{MIME: "audio/amr", Data: []byte("amr")}}
	return ev
}

// What was reported by SMS gets a photo, a recording and a position from the page,
// once both are known to be the same person's: one question at most.
func TestWhatBelongsToAnOpenTicketReachesIt(t *testing.T) {
	r := newRig(t)
	r.set.Phone = sms
	known := r.Keys.Pseudonym("phone", "+8613800000001")
	bySMS := r.event(bots.UserID(known), bots.KindText, "昌盛小区3栋楼下水井盖有些松动，走上去会响")
	bySMS.Channel, bySMS.From.Trust, bySMS.From.Phone = sms, bots.TrustNone, "+8613800000001"
	r.holds(r.send(bySMS), "已受理")
	n := r.number()

	// Before that the page has nothing to do with it.
	r.holds(r.send(r.photo("li")), "请说说是什么事")
	r.expect("li", "取消", "取消")
	r.expect("li", "绑定", "手机号")
	r.expect("li", "13800000001", "验证码")
	r.expect("li", r.codeSent(), "绑定好了")
	files := func(use string) int64 {
		return one[int64](r, `select count(*) from ticket_file f join ticket t on t.id = f.ticket_id where f.use = $1 and t.number = $2`, use, strings.ReplaceAll(n, " ", ""))
	}

	r.holds(r.send(r.photo("li")), "哪一件", n)
	r.expect("li", "1", "补充到 "+n)
	if files("report") != 1 {
		t.Errorf("the ticket has %d photos", files("report"))
	}
	r.holds(r.send(r.recording("li")), "录音收到了", n)
	if files("voice") != 1 || one[int64](r, `select count(*) from task where kind = 'voice'`) != 1 {
		t.Errorf("the ticket has %d recordings", files("voice"))
	}
	at := r.event("li", bots.KindPlace, "")
	at.Place = &bots.Place{Lat: 27.64, Lon: 113.73, Datum: bots.DatumWGS84}
	r.holds(r.send(at), "哪一件", n)
	r.expect("li", "1", "补充到 "+n)
	if got := one[int64](r, `select count(*) from ticket`); got != 1 {
		t.Errorf("%d tickets", got)
	}
	if got := one[int64](r, `select count(*) from trail where kind = 'ticket.words_added'`); got != 1 {
		t.Errorf("the position was added %d times", got)
	}

	// Something new is something new, and said without choosing too.
	r.holds(r.send(r.photo("li")), "哪一件")
	r.expect("li", "昌盛小区的垃圾没人收", "对吗")
	r.expect("li", "对", "已受理")
	if got := one[int64](r, `select count(*) from ticket`); got != 2 {
		t.Errorf("%d tickets", got)
	}
	// With two that are open nobody guesses about a recording.
	r.holds(r.send(r.recording("li")), "录音收到了")
	if files("voice") != 1 {
		t.Error("a recording was laid to one of two tickets")
	}
}

// A stranger is offered nobody's ticket.
func TestNobodyAddsToTheTicketOfAnother(t *testing.T) {
	r := newRig(t)
	r.report("li", "昌盛小区3栋楼道灯坏了")
	for _, ev := range []bots.Event{r.photo("zhao"), r.recording("qian")} {
		if got := strings.Join(r.send(ev), ""); strings.Contains(got, r.number()) && one[int64](r, `select count(*) from ticket`) == 1 {
			t.Errorf("a stranger is told %q", got)
		}
	}
}

// An id that does not last reads nothing before it was bound; it may report.
func TestAnIdThatDoesNotLastReadsNothing(t *testing.T) {
	r := newRig(t)
	r.report("li", "昌盛小区3栋楼道灯坏了")
	n := r.number()
	r.exec(`update address set trust = 'none' where user_id = 'li'`)
	if got := strings.Join(r.expect("li", "我的工单", "绑定"), ""); strings.Contains(got, n) {
		t.Errorf("it is told %q", got)
	}
	r.expect("li", "撤回", "绑定")
}
