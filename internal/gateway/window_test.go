package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
)

// windowed is a network with a push window that approved notices.
type windowed struct {
	*network
	notices []bots.Message
	// approved names the texts; nil for every one. refuse decides about each notice.
	approved []string
	refuse   func() error
}

func (n *windowed) HasNotice(t bots.Template) bool {
	return t.Key != "" && (n.approved == nil || slices.Contains(n.approved, t.Key))
}

func (n *windowed) Notice(_ context.Context, _ bots.Address, m bots.Message) (bots.Receipt, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse != nil {
		if err := n.refuse(); err != nil {
			return bots.Receipt{}, err
		}
	}
	n.notices = append(n.notices, m)
	return bots.Receipt{ID: fmt.Sprint("n", len(n.notices))}, nil
}

// windowRig is greeted with an Official Account in the place of the web page: 48
// hours, two messages. li was heard there, and has a number as well.
func windowRig(t *testing.T, change ...func(*windowed)) (*manyRig, *windowed) {
	t.Helper()
	oa := &windowed{network: newNetwork()}
	oa.caps.Window, oa.caps.WindowQuota = 48*time.Hour, 2
	for _, f := range change {
		f(oa)
	}
	m := newManyRig(t, func(_ *Config, d *Deps) { d.Channels[web] = oa })
	m.nets[web] = oa.network
	m.says("li", "您好")
	m.flush()
	m.also("li", sms, "li-sms", bots.TrustVerified)
	m.send(m.text("li", "您好"))
	m.exec(`delete from outbox`)
	oa.sent = nil
	return m, oa
}

// tell pushes a line of its own to li and sends all there is.
func (m *manyRig) tell(words string) {
	m.t.Helper()
	m.plan("tell", "li", words, time.Time{})
	m.due()
	m.flush()
}

func TestBehindTheQuotaTheNoticeGoes(t *testing.T) {
	t.Parallel()
	m, oa := windowRig(t)
	for i := range 3 {
		m.tell(fmt.Sprint("第", i, "条"))
	}
	if got := oa.to("li"); len(got) != 2 || len(oa.notices) != 1 {
		t.Fatalf("%d messages and %d notices, want 2 and 1", len(got), len(oa.notices))
	}
	n := oa.notices[0]
	if n.Text != "" || n.Template.Params["text"] != "第2条" && !strings.Contains(fmt.Sprint(n.Template.Params), "第2条") || n.Key == "" {
		t.Errorf("the notice is %+v", n)
	}
	if got := m.ends(); !slices.Equal(got, []string{"web:sent", "web:sent", "web:sent"}) {
		t.Errorf("rows %q", got)
	}
	// A word of the user opens the window again, within the minute too.
	m.says("li", "您好")
	m.flush()
	if got := oa.to("li"); len(got) != 3 || len(oa.notices) != 1 {
		t.Errorf("after a word: %d messages, %d notices", len(got), len(oa.notices))
	}
}

// What went as the answer to a push is counted nowhere.
func TestWhatTheNetworkDoesNotCountIsFree(t *testing.T) {
	t.Parallel()
	m, oa := windowRig(t, func(n *windowed) { n.free = "免费" })
	for _, words := range []string{"免费一", "第一条", "免费二", "第二条", "第三条"} {
		m.tell(words)
	}
	if got := oa.to("li"); len(got) != 4 || len(oa.notices) != 1 {
		t.Fatalf("%d messages and %d notices, want 4 and 1", len(got), len(oa.notices))
	}
}

// What does not fit in what is left goes as one notice, not in halves.
func TestALongTextIsOneNotice(t *testing.T) {
	t.Parallel()
	m, oa := windowRig(t, func(n *windowed) { n.caps.MaxText = 8 })
	m.tell("一二三。")
	before := len(oa.to("li"))
	m.tell("一二三四五六七八九十。")
	if len(oa.to("li")) != before || len(oa.notices) != 1 {
		t.Fatalf("%q went, and %d notices", oa.to("li")[before:], len(oa.notices))
	}
}

func TestAWindowThatIsOverIsKnown(t *testing.T) {
	t.Parallel()
	m, oa := windowRig(t)
	m.advance(49 * time.Hour)
	oa.on(func(context.Context, bots.Address, bots.Message) error {
		t.Error("it was tried in vain")
		return nil
	})
	m.tell("灯修好了")
	if len(oa.notices) != 1 || len(m.nets[sms].all()) != 0 {
		t.Fatalf("%d notices, %d by SMS", len(oa.notices), len(m.nets[sms].all()))
	}
}

// The network knows better: 45015 and the notice are one try.
func TestClosedIsNoticedAtOnce(t *testing.T) {
	t.Parallel()
	for _, long := range []bool{false, true} {
		m, oa := windowRig(t, func(n *windowed) {
			if long {
				n.caps.MaxText, n.caps.WindowQuota = 8, 9
			}
		})
		m.fails(web, bots.ClassClosed)
		m.tell("一二三四五六七八九十。")
		if len(oa.notices) != 1 || len(m.nets[sms].all()) != 0 {
			t.Fatalf("long %v: %d notices, %d by SMS; rows %q", long, len(oa.notices), len(m.nets[sms].all()), m.ends())
		}
		if got := m.count(`select tries from outbox`); got != 1 {
			t.Errorf("long %v: %d tries", long, got)
		}
	}
}

// Notice, next address, people: each once, and a question goes along.
func TestWhereNoNoticeGoes(t *testing.T) {
	t.Parallel()
	closed := func() error { return &bots.Error{Class: bots.ClassClosed, Err: errBroken} }
	for name, change := range map[string]func(*windowed){
		"none is approved":       func(n *windowed) { n.approved = []string{} },
		"the user did not agree": func(n *windowed) { n.refuse = closed },
		"the template was deleted": func(n *windowed) {
			n.refuse = func() error { return &bots.Error{Class: bots.ClassRejected, Err: errBroken} }
		},
		"the network says it first": func(n *windowed) { n.refuse = closed; n.caps.Window, n.caps.WindowQuota = 0, 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, oa := windowRig(t, change)
			m.advance(49 * time.Hour)
			m.fails(web, bots.ClassClosed)
			m.plan("ask.survey", "li", "ticket:5", time.Time{})
			m.due()
			m.flush()
			if got := m.nets[sms].all(); len(got) != 1 || len(oa.notices) != 0 {
				t.Fatalf("%d by SMS, %d notices; rows %q", len(got), len(oa.notices), m.ends())
			}
			if n := m.count(`select count(*) from prompt where closed_at is null and conversation_id = $1`, m.conversation("li-sms")); n != 1 {
				t.Error("the prompt stayed behind")
			}
			m.fails(sms, bots.ClassGone)
			m.tell("灯修好了")
			if got := m.lost.all(); !slices.Equal(got, []string{"gone"}) {
				t.Errorf("people heard %q; rows %q", got, m.ends())
			}
		})
	}
}

// Where the network counts nothing, nothing is written.
func TestOnlyQuotasAreCounted(t *testing.T) {
	t.Parallel()
	m := greeted(t)
	m.tell("灯修好了")
	if n := m.count(`select max(window_used) from address`); n != 0 {
		t.Errorf("%d counted", n)
	}
}
