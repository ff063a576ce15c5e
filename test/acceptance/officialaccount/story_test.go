//go:build acceptance

package officialaccount

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/officialaccount/officialaccountfake"
	"shaoying/test/world"
)

// resident is one follower with a story.
type resident struct {
	name  string
	net   *officialaccountfake.Server
	user  *officialaccountfake.User
	story *world.Story
}

// TestResidents: four residents report to one city over WeChat. One is asked and
// answers inside the window; for three it is shut when the question comes: one gets
// the notice, one refused notices and gets a text message, one has no phone and
// becomes somebody's task.
func TestResidents(t *testing.T) {
	lap := laps(t)
	c := newCity(t)
	lap("the city")
	troubles := world.Troubles()
	var all []*resident
	for i, r := range []*resident{{name: "taps", net: c.safe}, {name: "notice", net: c.plain}, {name: "sms", net: c.safe}, {name: "nobody", net: c.safe}} {
		r.user = r.net.Stranger("oResident-" + r.name)
		r.story = &world.Story{
			Resident: phone(r.user), Staff: world.OnFake(c.staff.User(int64(7001+i), "师傅"+r.name)), Trouble: troubles[i], Where: "昌盛小区",
		}
		all = append(all, r)
	}
	for _, r := range all {
		r.story.Join(t, c.World, "李师傅"+r.name)
		r.user.Follows("poster-3")
		r.story.Resident.Expect(t, "哨应")
	}
	lap("everybody follows")
	taps, notice, sms, nobody := all[0], all[1], all[2], all[3]
	report(t, taps)
	for _, r := range all[1:] {
		r.user.Clicks("报事") // the menu says what a resident would say
		r.story.Resident.Expect(t, "什么事")
		r.story.Report(t)
	}
	bind(t, c, sms, number)
	lap("reports")
	for _, r := range all {
		r.story.Work(t)
	}
	lap("the staff works")
	if n := passive(c.safe) + passive(c.plain); n < len(all) {
		t.Errorf("%d replies went as the answer to a push", n)
	}

	notice.net.Shut(notice.user.ID, 45015)
	for _, r := range []*resident{sms, nobody} {
		r.net.Shut(r.user.ID, 45015)
		r.net.Refuse(r.user.ID, 43101)
	}
	called := func() bool {
		return taps.story.Called() && noticed(notice) && strings.Contains(c.textsTo(number), sms.story.Number) && c.lost(t) > 0
	}
	for range 60 {
		if called() || world.Soon(called) {
			break
		}
		c.server.Next(t)
	}
	if !called() {
		t.Fatalf("asked: %v, noticed: %v, texts: %q, tasks: %d", taps.story.Called(), noticed(notice), c.textsTo(number), c.lost(t))
	}

	lap("the callbacks")
	t.Run("the answers by taps", func(t *testing.T) { taps.story.Rate(t) })
	t.Run("the notice is answered", func(t *testing.T) {
		notice.net.Shut(notice.user.ID, 0) // who writes opens the window
		notice.user.Says("联系了")
		notice.story.Resident.Tap(t, notice.story.Resident.Expect(t, "解决了吗"), "解决了")
		notice.story.Resident.Tap(t, notice.story.Resident.Expect(t, "满意"), "满意")
		notice.story.Resident.Expect(t, "谢谢您")
	})
	t.Run("the text message is answered", func(t *testing.T) {
		p := c.mobile(number)
		p.Expect(t, sms.story.Number)
		c.answers(t, number, "1")
		until(t, "the next question, or the end, by SMS", func() bool { _, ok := p.Comes(""); return ok })
	})
	t.Run("a person calls", func(t *testing.T) {
		if n := c.one(t, `select count(*) from task t join ticket k on k.id = t.ticket_id where t.kind = 'lost' and k.number = $1`, world.Plain(nobody.story.Number)); n != 1 {
			t.Errorf("%d tasks for who can be reached nowhere", n)
		}
	})
	t.Run("nothing is left", func(t *testing.T) { settled(t, c) })
	t.Run("channels check", func(t *testing.T) { checked(t, c) })
}

// laps says how long each part took.
func laps(t *testing.T) func(string) {
	began := time.Now()
	return func(part string) {
		t.Logf("%s: %s", part, time.Since(began).Round(time.Millisecond))
		began = time.Now()
	}
}

// report is a report with everything: words, a position by a Chinese map, a photo,
// a tap.
func report(t *testing.T, r *resident) {
	t.Helper()
	p := r.story.Resident
	r.user.Says(r.story.What)
	p.Expect(t, "什么地方")
	lat, lon := bots.ToGCJ02(27.6402, 113.7301)
	r.user.SendsPlace(lat, lon, "昌盛小区")
	p.Expect(t, "照片")
	r.user.SendsPhoto(world.Photo(320, 240))
	p.Tap(t, p.Expect(t, "对吗", "昌盛小区"), "对")
	r.story.Told(t, p.Expect(t, "已受理", "编号"))
}

const number = "+8613800138003"

var sixDigits = regexp.MustCompile(`\d{6}`)

// bind makes a phone number the same person's: from then on a text message reaches
// who WeChat does not.
func bind(t *testing.T, c *city, r *resident, number string) {
	t.Helper()
	p := r.story.Resident
	r.user.Says("绑定")
	p.Expect(t, "手机号")
	r.user.Says(strings.TrimPrefix(number, "+86"))
	p.Expect(t, "验证码")
	r.user.Says(sixDigits.FindString(c.mobile(number).Expect(t, "验证码").Text))
	p.Expect(t, "绑定好了")
}

// passive counts replies that went as the answer to a push.
func passive(net *officialaccountfake.Server) (n int) {
	for _, m := range net.Sent() {
		if m.Passive {
			n++
		}
	}
	return n
}

// noticed reports whether a resident was sent the notice of the callback.
func noticed(r *resident) bool {
	for _, m := range r.user.Sees() {
		if m.Notice == "sub-1" && m.Fields["character_string1"] == r.story.Number && m.Fields["phrase3"] == "来评一评" {
			return true
		}
	}
	return false
}

func (c *city) textsTo(number string) string {
	var all []string
	for _, l := range c.mobile(number).Lines() {
		all = append(all, l.Text)
	}
	return strings.Join(all, "\n")
}

// lost is how many messages became somebody's task.
func (c *city) lost(t *testing.T) int {
	return c.one(t, `select count(*) from task where kind = 'lost'`)
}

// settled: every push was answered, none refused, and what came is done.
func settled(t *testing.T, c *city) {
	for _, net := range []*officialaccountfake.Server{c.safe, c.plain} {
		until(t, "the answer to every push", func() bool { return net.Waiting() == 0 })
		for _, refusal := range net.Refusals() {
			t.Errorf("an honest push was refused: %s", refusal)
		}
	}
	// One of the resident, one of each result: fetched by media id, or from the staff.
	if n := c.one(t, `select count(*) from blob where kind = 'photo' and body is not null`); n < 5 {
		t.Errorf("%d photos are kept", n)
	}
	for what, query := range map[string]string{
		"events that wait":      `select count(*) from inbox where state in ('waiting', 'dead')`,
		"messages nobody knows": `select count(*) from outbox where state = 'unknown'`,
		"tokens in the clear":   `select count(*) from channel_state where encode(value, 'escape') like '%access-token%'`,
	} {
		if n := c.one(t, query); n > 0 {
			t.Errorf("%s: %d", what, n)
		}
	}
	for _, secret := range []string{officialaccountfake.Secret, officialaccountfake.AESKey, "access-token-of-the-tests"} {
		if strings.Contains(c.Logs(), secret) {
			t.Error("a secret stands in the log")
		}
	}
}

// checked runs `channels check` beside the server: all is well; then one account's
// machine is no longer on the list, and the other's secret was changed.
func checked(t *testing.T, c *city) {
	if out, err := c.Run("channels", "check"); err != nil || strings.Contains(out, "WRONG") {
		t.Errorf("channels check: %v\n%s", err, out)
	}
	c.safe.Unlist()
	c.plain.SetSecret("another")
	out, err := c.Run("channels", "check")
	if err == nil || !strings.Contains(out, "oa-safe (officialaccount): WRONG") || !strings.Contains(out, "203.0.113.7") || !strings.Contains(out, "AppSecret is wrong") {
		t.Errorf("channels check: %v\n%s", err, out)
	}
}
