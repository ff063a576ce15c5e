package smpp_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/sms/smpp"
	"shaoying/bots/sms/smpp/smppfake"
	"shaoying/internal/privacy"
)

// unnamed says something without an id of the centre.
func (r *running) unnamed(user int, text string) { r.net.Says(r.number(user), ours, text, false) }

// A text whose acknowledgement was lost comes again on the next connection.
func TestKilledBetweenCommitAndAnswer(t *testing.T) {
	r := run(t, nil)
	r.unnamed(0, "头一句")
	r.rows(1)
	r.until("the first is taken", func() bool { return r.net.Waiting() == 0 })
	took := make(chan struct{})
	r.sink.Before(func(_ context.Context, call int, _ []bots.Event) error {
		if call == 2 {
			r.net.Cut() // the answer cannot be heard any more
			close(took)
		}
		return nil
	})
	r.unnamed(0, "路灯坏了")
	<-took
	r.until("it is taken on the next connection", func() bool { return r.net.Waiting() == 0 })
	r.kill()
	r.unnamed(0, "末一句")
	r.until("the last is taken", func() bool { return r.net.Waiting() == 0 })
	if got := strings.Join(r.texts(), " "); got != "头一句 路灯坏了 末一句" {
		t.Errorf("rows are %s", got)
	}
}

// The sink failed, or said so, although it had taken the text.
func TestSinkThatTookAndFailed(t *testing.T) {
	r := run(t, func(c *smpp.Config) { c.Limits.Doubtful = time.Nanosecond })
	failed := false
	sink := r.sink
	r.stop()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- r.channel.Run(ctx, func(ctx context.Context, events []bots.Event) error {
			err := sink.Sink(ctx, events)
			if !failed {
				failed = true
				return errors.New("the answer to the commit was lost")
			}
			return err
		})
	}()
	r.stop = func() { cancel(); <-done }
	r.unnamed(0, "只一遍")
	r.until("it is taken", func() bool { return r.net.Waiting() == 0 })
	if n := len(r.sink.Rows()); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

// Without ids, the same words twice are two texts all the same.
func TestEqualTextsAreTwo(t *testing.T) {
	for name, doubtful := range map[string]time.Duration{"early in a session": time.Minute, "later": time.Nanosecond} {
		r := run(t, func(c *smpp.Config) { c.Limits.Doubtful = doubtful })
		for range 3 {
			r.unnamed(0, "1")
			r.until("it is taken", func() bool { return r.net.Waiting() == 0 })
		}
		if n := len(r.sink.Rows()); n != 3 {
			t.Errorf("%s: %d rows, want 3", name, n)
		}
	}
}

func TestUserMessageReference(t *testing.T) {
	r := run(t, func(c *smpp.Config) { c.UserMessageReference = true })
	for _, ref := range []byte{1, 1, 2} {
		r.net.Deliver(smppfake.Delivery{From: r.number(0), To: ours, Coding: 8, Data: smppfake.UCS2("1"), Parameters: smppfake.Parameter(0x0204, 0, ref)})
	}
	r.until("all are taken", func() bool { return r.net.Waiting() == 0 })
	if n := len(r.sink.Rows()); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}

// long is a text of a user with an emoji that stands across two pieces.
const long = "昌盛小区3栋楼下的路灯坏了三天🙂晚上老人出门看不清"

// pieces cuts a text as a bad phone does: by bytes.
func pieces(r *running, wide bool, ref byte, text string, size int) (out []smppfake.Delivery) {
	data := smppfake.UCS2(text)
	total := (len(data) + size - 1) / size
	for i := range total {
		head := []byte{5, 0, 3, ref, byte(total), byte(i + 1)}
		if wide {
			head = []byte{6, 8, 4, 1, ref, byte(total), byte(i + 1)}
		}
		part := data[i*size : min((i+1)*size, len(data))]
		out = append(out, smppfake.Delivery{From: r.number(0), To: ours + "07", ESM: 0x40, Coding: 8, Data: append(head, part...)})
	}
	return out
}

func TestLongTexts(t *testing.T) {
	r := run(t, nil)
	narrow, wide := pieces(r, false, 7, long, 30), pieces(r, true, 7, long, 32)
	if len(narrow) < 2 || len(wide) < 2 {
		t.Fatal("one piece")
	}
	for i := len(narrow) - 1; i >= 0; i-- { // in the wrong order, and each twice
		r.net.Deliver(narrow[i])
		r.net.Deliver(narrow[i])
	}
	r.rows(1)
	for _, d := range wide {
		r.net.Deliver(d)
	}
	r.rows(2)
	data := smppfake.UCS2(long)
	for i := range 2 {
		r.net.Deliver(smppfake.Delivery{From: r.number(0), To: ours + "07", Coding: 8, Data: data[i*20 : len(data)*i+20*(1-i)], Parameters: append(append(
			smppfake.Parameter(0x020C, 0, 9), smppfake.Parameter(0x020E, 2)...), smppfake.Parameter(0x020F, byte(i+1))...)})
	}
	r.rows(3)
	r.net.Deliver(smppfake.Delivery{From: r.number(0), To: ours + "07", Coding: 8, Parameters: smppfake.Parameter(0x0424, data...)})
	r.rows(4)
	r.until("all are taken", func() bool { return r.net.Waiting() == 0 })
	for i, ev := range r.sink.Rows() {
		if ev.Text != long || ev.Extension != "7" || ev.From.Phone != "+"+r.number(0) {
			t.Errorf("text %d is %q for %q", i, ev.Text, ev.Extension)
		}
	}
	if n := len(r.sink.Rows()); n != 4 {
		t.Errorf("%d rows, want 4", n)
	}
}

// The reference comes round: another text with the same one is no repetition.
func TestReferenceComesRound(t *testing.T) {
	r := run(t, nil)
	texts := []string{strings.Repeat("甲", 40), strings.Repeat("乙", 40), strings.Repeat("丙", 40)}
	for i, text := range texts {
		for n, d := range pieces(r, false, 7, text, 30) {
			if i == 1 && n == 2 {
				continue // of the second the last piece is lost
			}
			r.net.Deliver(d)
			r.until("it is taken", func() bool { return r.net.Waiting() == 0 })
		}
	}
	want := []string{texts[0], texts[1][:30*3] + r.cfg.Limits.MissingPart, texts[2]}
	r.rows(3)
	if got := r.texts(); !slices.Equal(got, want) {
		t.Errorf("rows are %q", got)
	}
}

func TestAPieceThatNeverComes(t *testing.T) {
	r := run(t, func(c *smpp.Config) { c.Limits.PartWait = 200 * time.Millisecond })
	all := pieces(r, false, 7, strings.Repeat("灯", 90), 60)
	r.net.Deliver(all[0])
	r.net.Deliver(all[2])
	want := strings.Repeat("灯", 30) + r.cfg.Limits.MissingPart + strings.Repeat("灯", 30)
	if ev := r.rows(1)[0]; ev.Text != want {
		t.Errorf("got %q", ev.Text)
	}
	r.UserSays(0, "好")
	r.rows(2)
}

// A kill after the pieces were kept loses none, and one before the answer to
// the last doubles none.
func TestPiecesOutliveAKill(t *testing.T) {
	r := run(t, nil)
	all := pieces(r, false, 7, long, 30)
	for _, d := range all[:len(all)-1] {
		r.net.Deliver(d)
	}
	r.until("they are kept", func() bool { return r.net.Waiting() == 0 })
	r.kill()
	r.sink.Before(func(_ context.Context, call int, _ []bots.Event) error {
		if call == 1 {
			return errors.New("away")
		}
		r.net.Cut()
		return nil
	})
	r.net.Deliver(all[len(all)-1])
	r.rows(1)
	r.sink.Before(nil)
	r.kill()
	r.until("it is taken", func() bool { return r.net.Waiting() == 0 })
	if got := r.texts(); len(got) != 1 || got[0] != long {
		t.Errorf("rows are %q", got)
	}
}

func TestAPieceThatCannotBeKeptIsRefused(t *testing.T) {
	r := run(t, nil)
	r.parts.SetFail(errors.New("no database"))
	all := pieces(r, false, 7, long, 30)
	for _, d := range all {
		r.net.Deliver(d)
	}
	r.until("refusals", func() bool { return r.net.Refusals() >= len(all) })
	r.parts.SetFail(nil)
	if ev := r.rows(1)[0]; ev.Text != long {
		t.Errorf("got %q", ev.Text)
	}
}

func TestWhatIsNoTextOfAPerson(t *testing.T) {
	r := run(t, nil)
	for _, d := range []smppfake.Delivery{
		{From: "10086", To: ours, Data: []byte("advertising")},
		{From: "BANK", To: ours, Data: []byte("advertising")},
		{From: r.number(0), To: ours, ESM: 0x04, Data: []byte("a receipt that says nothing")},
		{From: "10086", To: "95588", ESM: 0x04, Data: []byte("id:1 stat:DELIVRD")},
		{From: r.number(0), To: ours, ESM: 0x08, Data: []byte("read by somebody")},
	} {
		r.net.Deliver(d)
	}
	r.until("nobody wants them again", func() bool { return r.net.Waiting() == 0 })
	if n := len(r.sink.Rows()); n != 0 {
		t.Errorf("%d rows", n)
	}
	r.net.Deliver(smppfake.Delivery{From: r.number(0), To: ours, Coding: 4, Data: []byte{1, 2, 3}})
	if ev := r.rows(1)[0]; ev.Kind != bots.KindOther {
		t.Errorf("bytes that are no text are %s", ev.Kind)
	}
	// Addresses the other way round.
	r.net.Deliver(smppfake.Delivery{From: ours, To: r.number(1), ESM: 0x04, Data: []byte("id:9 stat:EXPIRED err:003")})
	if ev := r.rows(2)[1]; ev.Kind != bots.KindReport || ev.Chat != r.Address(1).Chat || ev.Report.Code != "EXPIRED 003" || ev.Report.ID != "9" {
		t.Errorf("%+v %+v", ev, ev.Report)
	}
}

// What cannot be read is refused for good, and everything else goes on.
func TestBrokenBytes(t *testing.T) {
	r := run(t, nil)
	r.net.Raw([]byte{0, 1})
	r.until("it is refused", func() bool { return r.net.Refusals() > 0 })
	r.UserSays(0, "好的")
	r.rows(1)
}

func TestConfig(t *testing.T) {
	r := newRig(t, nil)
	defer r.Close()
	for want, change := range map[string]func(*smpp.Config){
		"addr":                   func(c *smpp.Config) { c.Addr = "smsc" },
		"system_id":              func(c *smpp.Config) { c.SystemID = "" },
		"1 to 8 characters":      func(c *smpp.Config) { c.Password = privacy.NewSecret("123456789") },
		"from":                   func(c *smpp.Config) { c.From = "+86" },
		"window":                 func(c *smpp.Config) { c.Window = 0 },
		"throughput":             func(c *smpp.Config) { c.Throughput = 0 },
		"alphabet":               func(c *smpp.Config) { c.Alphabet = "utf8" },
		"long":                   func(c *smpp.Config) { c.Long = "16bit" },
		"enquire_link":           func(c *smpp.Config) { c.EnquireLink = 0 },
		"signature":              func(c *smpp.Config) { c.Signature = "【哨应】" },
		"extension_digits":       func(c *smpp.Config) { c.ExtensionDigits = 5 },
		"countries":              func(c *smpp.Config) { c.Countries = []string{"+86"} },
		"max_parts":              func(c *smpp.Config) { c.Limits.MaxParts = 300 },
		"missing_part":           func(c *smpp.Config) { c.Limits.MissingPart = "" },
		"a channel id is needed": func(c *smpp.Config) { c.ID = "" },
	} {
		cfg := r.cfg
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want it to say %q", err, want)
		}
	}
}
