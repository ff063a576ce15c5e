package officialaccount

import (
	"errors"
	"strings"
	"testing"

	"shaoying/bots"
	fake "shaoying/bots/officialaccount/officialaccountfake"
	"shaoying/bots/weixin"
)

// What WeChat says in the body of a 200 is never taken for success.
func TestErrcodes(t *testing.T) {
	r := newRig(t, false)
	defer r.Close()
	for code, want := range map[int]bots.Class{
		-1: bots.ClassTemporary, 40001: bots.ClassTemporary, 42001: bots.ClassTemporary, 40014: bots.ClassTemporary,
		45015: bots.ClassClosed, 45047: bots.ClassClosed, 40003: bots.ClassGone, 43004: bots.ClassGone, 50002: bots.ClassGone,
		48001: bots.ClassLoggedOut, 48004: bots.ClassLoggedOut, 45009: bots.ClassThrottled, 45011: bots.ClassThrottled,
		47003: bots.ClassRejected, 45002: bots.ClassRejected, 99999: bots.ClassRejected, fake.Lost: bots.ClassUnknown,
	} {
		before := len(r.net.Sent())
		r.net.FailNext(code)
		receipt, err := r.adapter.Send(t.Context(), r.Address(0), bots.Message{Key: "1", Text: "您好"})
		var e *bots.Error
		if !errors.As(err, &e) || e.Class != want || receipt.ID != "" {
			t.Errorf("errcode %d: %q %v, want %s", code, receipt.ID, err, want)
		}
		if want == bots.ClassThrottled && e.After <= 0 {
			t.Errorf("errcode %d says not how long to wait", code)
		}
		if code != fake.Lost && len(r.net.Sent()) != before {
			t.Errorf("errcode %d was shown to somebody", code)
		}
		if err != nil && strings.Contains(err.Error(), "13800138000") {
			t.Errorf("an error repeats a number: %v", err)
		}
	}
	// A token that is refused is fetched anew by the next try.
	for range 2 {
		if _, err := r.adapter.Send(t.Context(), r.Address(0), bots.Message{Key: "1", Text: "您好"}); err != nil {
			t.Fatal(err)
		}
		tokens := r.net.Tokens()
		r.net.Expire()
		if _, err := r.adapter.Send(t.Context(), r.Address(0), bots.Message{Key: "1", Text: "您好"}); bots.ClassOf(err) != bots.ClassTemporary || weixin.CodeOf(err) != 40001 {
			t.Errorf("a token that is no longer valid: %v", err)
		}
		if _, err := r.adapter.Send(t.Context(), r.Address(0), bots.Message{Key: "1", Text: "您好"}); err != nil || r.net.Tokens() != tokens+1 {
			t.Errorf("after it: %v, %d tokens", err, r.net.Tokens()-tokens)
		}
	}
	// No message is at fault when no token can be had.
	r.net.SetSecret("another")
	r.net.Expire()
	for _, want := range []bots.Class{bots.ClassTemporary, bots.ClassLoggedOut, bots.ClassLoggedOut} {
		if _, err := r.adapter.Send(t.Context(), r.Address(0), bots.Message{Key: "1", Text: "您好"}); bots.ClassOf(err) != want {
			t.Errorf("with a wrong secret: %v, want %s", err, want)
		}
	}
}

// A photo and its words are two messages; what comes of the words is what comes of
// the send.
func TestPhotoWithWords(t *testing.T) {
	r := newRig(t, false)
	defer r.Close()
	photo := &bots.Photo{Name: "a", Data: []byte("\xff\xd8\xff jpeg")}
	send := func(m bots.Message) ([]fake.Message, error) {
		before := len(r.net.Sent())
		m.Key = "1"
		receipt, err := r.adapter.Send(t.Context(), r.Address(0), m)
		saw := r.net.Sent()[before:]
		if err == nil && receipt.Took != len(saw) {
			t.Errorf("%d customer messages were counted as %d", len(saw), receipt.Took)
		}
		return saw, err
	}
	offer := []bots.Choice{{Label: "满意", Data: "1"}}
	saw, err := send(bots.Message{Photo: photo})
	if err != nil || len(saw) != 1 || saw[0].Photo == nil {
		t.Errorf("a photo alone: %+v %v", saw, err)
	}
	saw, err = send(bots.Message{Photo: photo, Text: "修好了", Choices: offer})
	if err != nil || len(saw) != 2 || saw[0].Photo == nil || saw[1].Text != "修好了" || len(saw[1].Items) != 1 {
		t.Errorf("a photo with words and choices: %+v %v", saw, err)
	}
	r.net.FailNext(45015)
	if saw, err = send(bots.Message{Photo: photo, Text: "修好了"}); len(saw) != 0 || bots.ClassOf(err) != bots.ClassClosed {
		t.Errorf("a shut window: %+v %v", saw, err)
	}
	r.net.Right("/cgi-bin/media/upload", 45009)
	if saw, err = send(bots.Message{Photo: photo, Text: "修好了"}); len(saw) != 0 || bots.ClassOf(err) != bots.ClassThrottled {
		t.Errorf("no upload: %+v %v", saw, err)
	}
	// An upload that broke off has shown nobody anything.
	r.net.Right("/cgi-bin/media/upload", 0)
	r.net.Down(true)
	if _, err = send(bots.Message{Photo: photo}); bots.ClassOf(err) != bots.ClassTemporary {
		t.Errorf("an upload without an answer: %v", err)
	}
}

// The words of users are never a link of ours, whichever way they go.
func TestNeverALink(t *testing.T) {
	r := newRig(t, false)
	defer r.Close()
	for _, m := range []bots.Message{
		{Text: `看<a href="http://x">这里</a>`},
		{Text: "对吗？", Choices: []bots.Choice{{Label: `<a href="http://x">对</a>`, Data: "1"}}},
	} {
		m.Key = "1"
		if _, err := r.adapter.Send(t.Context(), r.Address(0), m); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range r.net.Sent() {
		for _, text := range append([]string{m.Text}, itemsOf(m)...) {
			if strings.Contains(text, "<a") {
				t.Errorf("%q", text)
			}
		}
	}
}

func itemsOf(m fake.Message) (out []string) {
	for _, it := range m.Items {
		out = append(out, it.Content)
	}
	return out
}

func TestNotices(t *testing.T) {
	r := newRig(t, false)
	defer r.Close()
	notice := func(key string, params map[string]string) (fake.Message, bots.Receipt, error) {
		before := len(r.net.Sent())
		receipt, err := r.adapter.Notice(t.Context(), r.Address(0), bots.Message{Key: "42", Text: "x", Template: bots.Template{Source: "texts:x", Key: key, Params: params}})
		if sent := r.net.Sent(); len(sent) > before {
			return sent[before], receipt, err
		}
		return fake.Message{}, receipt, err
	}
	long := "昌盛小区三栋二单元楼下的水井盖松动了走上去会响"
	saw, receipt, err := notice("visit.remind", map[string]string{"what": long + "\n请看", "when": "2026年3月5日 09:00"})
	if err != nil || receipt.ID != "kf:42" || saw.Fields["thing1"] != string([]rune(long)[:19])+"…" || saw.Fields["phrase3"] != "待上门" {
		t.Errorf("%+v %q %v", saw, receipt.ID, err)
	}
	saw, receipt, err = notice("ticket.done", map[string]string{"number": "4821093760", "what": "井盖"})
	if err != nil || receipt.ID != noticeID(saw.ID) || saw.ID == "" {
		t.Errorf("%+v %q %v", saw, receipt.ID, err)
	}
	for what, c := range map[string]struct {
		params map[string]string
		code   int
		want   bots.Class
	}{
		"a value is missing":      {map[string]string{"number": "1"}, 0, bots.ClassRejected},
		"a number is not cut":     {map[string]string{"number": strings.Repeat("1", 33), "what": "x"}, 0, bots.ClassRejected},
		"the user did not agree":  {map[string]string{"number": "1", "what": "x"}, 43101, bots.ClassClosed},
		"the user left":           {map[string]string{"number": "1", "what": "x"}, 43004, bots.ClassGone},
		"no right to notices":     {map[string]string{"number": "1", "what": "x"}, 48001, bots.ClassClosed},
		"the template is gone":    {map[string]string{"number": "1", "what": "x"}, 40037, bots.ClassRejected},
		"a value is not accepted": {map[string]string{"number": "1", "what": "x"}, 47003, bots.ClassRejected},
		"the answer is lost":      {map[string]string{"number": "1", "what": "x"}, fake.Lost, bots.ClassUnknown},
	} {
		if c.code != 0 {
			r.net.FailNext(c.code)
		}
		if _, receipt, err := notice("ticket.done", c.params); bots.ClassOf(err) != c.want || receipt.ID != "" {
			t.Errorf("%s: %q %v, want %s", what, receipt.ID, err, c.want)
		}
	}
	if r.adapter.HasNotice(bots.Template{Source: "flow:x", Key: "visit.remind"}) != true {
		t.Error("a text of the catalogue that a dialogue says has no notice")
	}
}
