package actions

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"shaoying/bots"
)

// sms is a network of phone numbers in the tests: it carries words alone, each
// text costs money, and anybody can write any number as the sender.
const sms = bots.ChannelID("sms")

type texter struct{ network }

func (texter) Caps() bots.Caps {
	return bots.Caps{MaxText: 670, TextUnit: bots.UTF16, Phone: true, Paid: true}
}

// signature is what providers set before each text of ours.
const signature = "【萍乡哨应】"

// parts is how many messages a text is billed as: 70 UTF-16 units, 67 of several
// (3GPP TS 23.040, UCS-2 with a 6 octet header).
func parts(text string) int {
	n := len(utf16.Encode([]rune(signature + text)))
	if n <= 70 {
		return 1
	}
	return (n + 66) / 67
}

// texts sends an SMS from a number and returns what is answered. No answer has
// more than two parts.
func (r *rig) texts(number int, said string) []string {
	r.t.Helper()
	got := r.send(r.text(number, said))
	for _, text := range got {
		if n := parts(text); n > 2 {
			r.t.Errorf("%d parts: %s", n, text)
		}
	}
	return got
}

func (r *rig) text(number int, said string) bots.Event {
	user := phoneUser(number)
	ev := r.event(user, bots.KindText, said)
	ev.Channel, ev.From.Trust, ev.From.Phone = sms, bots.TrustNone, phone(number)
	return ev
}

func phone(number int) string          { return fmt.Sprintf("+86138%08d", number) }
func phoneUser(number int) bots.UserID { return bots.UserID(fmt.Sprintf("number-%d", number)) }

// single is the only text that was answered.
func (r *rig) single(number int, said string, want ...string) string {
	r.t.Helper()
	got := r.texts(number, said)
	if len(got) != 1 {
		r.t.Fatalf("%q is answered by %d texts: %q", said, len(got), got)
	}
	r.holds(got, want...)
	return got[0]
}

// silent says something that costs no answer.
func (r *rig) silent(number int, said string) {
	r.t.Helper()
	if got := r.texts(number, said); len(got) != 0 {
		r.t.Fatalf("%q is answered by %q", said, got)
	}
}

var sixDigits = regexp.MustCompile(`验证码 ?(\d{6})`)

func digitsOf(t testing.TB, text string) string {
	t.Helper()
	m := sixDigits.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("there is no code in %q", text)
	}
	return m[1]
}

// sent notes all that is in the outbox as sent, as the sender would.
func (r *rig) sent() {
	r.exec(`insert into message (conversation_id, direction, outbox_id, kind, body) select conversation_id, 'out', id, 'text', params from outbox where state = 'queued'`)
	r.exec(`update outbox set state = 'sent' where state = 'queued'`)
}

// filedBySMS files a report from a number and returns its number as it is told.
func (r *rig) filedBySMS(number int) string {
	r.t.Helper()
	r.single(number, "昌盛小区3栋楼下水井盖有些松动，走上去会响", "编号", "已受理")
	n := r.number()
	if !strings.Contains(n, " ") {
		r.t.Fatalf("%q is no spoken number", n)
	}
	return n
}
