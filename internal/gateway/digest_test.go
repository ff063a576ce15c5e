package gateway

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// robot is a rig whose network is a group robot, with one chat, "group".
func robot(t *testing.T, change ...func(*Config, *Deps)) *rig {
	t.Helper()
	r := newRig(t, change...)
	r.net.caps = bots.Caps{MaxText: 2048, TextUnit: bots.Bytes, PhotoOut: 1 << 20, SendOnly: true, Digest: true, Rate: bots.Rate{PerSecond: 0.25}}
	r.says("group", "您好") // makes the conversation
	r.exec(`delete from outbox`)
	return r
}

// queue writes a row for the group that says what, and returns its id.
func (r *rig) queue(what string, p saidParams, reason string) int64 {
	r.t.Helper()
	if p.Params == nil {
		p.Params = map[string]string{}
	}
	p.Params["what"] = what
	params, err := r.sealSaid(p)
	if err != nil {
		r.t.Fatal(err)
	}
	name, version, err := r.Library.TextSource("note.told")
	if err != nil {
		r.t.Fatal(err)
	}
	return one[int64](r, `insert into outbox (channel, chat, conversation_id, address_id, class, source, text_key, text_version, lang, params, reason, subject)
		select c.channel, c.chat, c.id, c.address_id, 'push', $1, 'note.told', $2, 'zh-Hans', $3, $4, '' from conversation c where c.user_id = 'group' returning id`,
		"texts:"+name, version, params, reason)
}

// rounds is an owner whose rounds a test makes one by one, under a clock of the
// test's own.
type rounds struct {
	*sending
	r   *rig
	now time.Time
}

func (r *rig) rounds() *rounds {
	r.t.Helper()
	own, err := r.DB.TryOwn(r.t.Context(), string(web))
	if err != nil || own == nil {
		r.t.Fatalf("own the channel: %v", err)
	}
	r.t.Cleanup(own.Release)
	c := channel(r.t, r.Gateway)
	s := &rounds{r: r, now: time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC)}
	c.pace = newPace(r.net.caps, func() time.Time { return s.now })
	s.sending = newSending(c, own.Epoch)
	return s
}

// claimed takes what may go now.
func (s *rounds) claimed() []db.ClaimOutboxRow {
	s.r.t.Helper()
	room, _ := s.pace.room(s.most)
	if room <= 0 {
		return nil
	}
	heads, err := s.g.DB.ClaimOutbox(s.r.t.Context(), s.epoch, string(web), int32(room))
	if err != nil {
		s.r.t.Fatal(err)
	}
	return s.join(s.r.t.Context(), heads)
}

// sent prepares and sends rows, and returns what they came to.
func (s *rounds) sent(rows []db.ClaimOutboxRow) (ended []outcome) {
	for _, o := range s.prepare(s.r.t.Context(), rows) {
		if o.state == "" {
			o = s.perform(s.r.t.Context(), o)
		}
		ended = append(ended, o)
	}
	return ended
}

func (s *rounds) round() {
	s.r.t.Helper()
	ended := apart(s.sent(s.claimed()))
	if len(ended) == 0 {
		return
	}
	if err := s.mark(s.r.t.Context(), s.epoch, ended); err != nil {
		s.r.t.Fatal(err)
	}
}

var numbered3 = regexp.MustCompile(`第(\d+)件`)

// numbers reads which rows the group saw, in order.
func (r *rig) numbers() (list []string) {
	for _, text := range r.net.to("group") {
		for _, m := range numbered3.FindAllStringSubmatch(text, -1) {
			list = append(list, m[1])
		}
	}
	return list
}

func counted(from, to int) (list []string) {
	for i := from; i <= to; i++ {
		list = append(list, fmt.Sprint(i))
	}
	return list
}

// Sixty nudges in a minute to one robot: at most 20 calls in any minute, none
// lost, in order, each row marked with the receipt of the call that had it.
func TestSixtyNudgesInAMinute(t *testing.T) {
	t.Parallel()
	r := robot(t)
	s := r.rounds()
	for i := range 60 {
		r.queue(fmt.Sprintf("第%d件快到期了，请在今天下班前办好。", i+1), saidParams{}, "")
		s.round()
		s.now = s.now.Add(time.Second)
	}
	calls := len(r.net.all())
	for range 10 {
		s.now = s.now.Add(4 * time.Second)
		s.round()
	}
	if calls > 20 || calls < 10 {
		t.Errorf("%d calls in a minute, want 10 to 20", calls)
	}
	if got, want := r.numbers(), counted(1, 60); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the group saw %v", got)
	}
	if n := r.count(`select count(*) from outbox where state = 'sent' and receipt <> '' and tries = 1`); n != 60 {
		t.Errorf("%d rows are sent at the first try, want 60", n)
	}
	if n := r.count(`select count(distinct receipt) from outbox`); int(n) != len(r.net.all()) {
		t.Errorf("%d receipts of %d calls", n, len(r.net.all()))
	}
	if n := r.count(`select count(*) from message where direction = 'out'`); n != 60 {
		t.Errorf("%d messages are kept, want 60", n)
	}
	for _, d := range r.net.all() {
		if len(d.text) > r.net.caps.MaxText || strings.Count(d.text, "要办，请私聊我。") != 1 || !strings.HasSuffix(d.text, "\n要办，请私聊我。") {
			t.Errorf("%d bytes: %q", len(d.text), d.text)
		}
	}
}

// All that waits goes in as few messages as MaxText allows, and no more rows are
// taken than fit: the others keep their tries.
func TestADigestIsNoLongerThanTheNetworkAllows(t *testing.T) {
	t.Parallel()
	r := robot(t)
	s := r.rounds()
	for i := range 60 {
		r.queue(fmt.Sprintf("第%d件%s", i+1, strings.Repeat("井盖", 30)), saidParams{}, "")
	}
	for range 40 {
		s.now = s.now.Add(4 * time.Second)
		s.round()
	}
	if fmt.Sprint(r.numbers()) != fmt.Sprint(counted(1, 60)) || len(r.net.all()) > 8 {
		t.Errorf("%d calls, the group saw %v", len(r.net.all()), r.numbers())
	}
	if n := r.count(`select count(*) from outbox where state = 'sent' and tries = 1`); n != 60 {
		t.Errorf("%d rows are sent at the first try", n)
	}
}

// The line that says where it is done has its place in every message, also where ten
// rows fill one to the last byte.
func TestADigestHasRoomForItsEnd(t *testing.T) {
	t.Parallel()
	r := robot(t)
	s := r.rounds()
	for i := range 20 {
		r.queue(fmt.Sprintf("第%d件%s", i+10, strings.Repeat("盖", 62)), saidParams{}, "")
	}
	for range 10 {
		s.now = s.now.Add(4 * time.Second)
		s.round()
	}
	if fmt.Sprint(r.numbers()) != fmt.Sprint(counted(10, 29)) {
		t.Errorf("the group saw %v", r.numbers())
	}
	for _, text := range r.net.to("group") {
		if len(text) > r.net.caps.MaxText || !strings.HasSuffix(text, "\n要办，请私聊我。") {
			t.Errorf("a message of %d bytes ends with %q", len(text), text[len(text)-30:])
		}
	}
}

// Late binding holds for each row of a message; a row with a picture goes alone,
// a long one too, and nothing overtakes anything.
func TestEachRowOfADigestIsBoundForItself(t *testing.T) {
	t.Parallel()
	var asked []string
	stale := func(_ context.Context, _ *postgres.Tx, subject string, _ int32) (bool, string, error) {
		asked = append(asked, subject)
		return false, "it is done", nil
	}
	r := robot(t, func(_ *Config, d *Deps) { d.Fresh["done"] = stale })
	s := r.rounds()
	var photo string
	err := r.DB.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) (err error) {
		photo, err = (&Turn{Tx: tx, g: r.Gateway}).KeepPhoto(ctx, []byte("jpeg"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r.queue("第1件", saidParams{}, "done") // the head itself is stale
	r.queue("第2件", saidParams{}, "")
	r.queue("第3件", saidParams{}, "done")
	r.queue("第4件", saidParams{}, "")
	r.queue("第5件", saidParams{Photo: photo}, "")
	r.queue("第6件", saidParams{}, "")
	r.queue("第7件"+strings.Repeat("长", 1500), saidParams{}, "")
	r.queue("第8件", saidParams{}, "")
	for range 8 {
		s.now = s.now.Add(8 * time.Second)
		s.round()
	}
	var got []string
	for _, d := range r.net.all() {
		word := strings.TrimPrefix(strings.ReplaceAll(strings.SplitN(d.text, "长", 2)[0], "\n", " "), "通知：")
		got = append(got, fmt.Sprintf("%s photo=%v", word, d.m.Photo != nil))
	}
	want := "第2件  通知：第4件 要办，请私聊我。 photo=false|第5件 要办，请私聊我。 photo=true|第6件 要办，请私聊我。 photo=false|第7件 photo=false|"
	if all := strings.Join(got, "|"); !strings.HasPrefix(all, want) || !strings.HasSuffix(all, "|第8件 要办，请私聊我。 photo=false") {
		t.Errorf("the group saw %s", all)
	}
	if n := r.count(`select count(*) from outbox where state = 'stale' and error = 'it is done'`); n != 2 || len(asked) != 2 {
		t.Errorf("%d rows are stale, %d were asked for", n, len(asked))
	}
	if n := r.count(`select count(*) from outbox where state = 'sent'`); n != 6 {
		t.Errorf("%d rows are sent, want 6", n)
	}
}

// Killed between the call and the marks: the next owner sends all of it again, in
// one message, and what came meanwhile behind it.
func TestKilledBetweenADigestAndItsMarks(t *testing.T) {
	t.Parallel()
	r := robot(t)
	s := r.rounds()
	for i := range 5 {
		r.queue(fmt.Sprintf("第%d件", i+1), saidParams{}, "")
	}
	if ended := apart(s.sent(s.claimed())); len(ended) != 5 || len(r.net.all()) != 1 {
		t.Fatalf("%d rows in %d calls", len(ended), len(r.net.all()))
	}
	r.queue("第6件", saidParams{}, "")
	r.killOwner()
	var next *rounds
	r.until("the lock is free", func() bool {
		own, err := r.DB.TryOwn(t.Context(), string(web))
		if err != nil || own == nil {
			return false
		}
		own.Release()
		return true
	})
	next = r.rounds()
	next.round()
	want := append(counted(1, 5), counted(1, 6)...)
	if fmt.Sprint(r.numbers()) != fmt.Sprint(want) || len(r.net.all()) != 2 {
		t.Errorf("the group saw %v in %d calls", r.numbers(), len(r.net.all()))
	}
	if n := r.count(`select count(*) from outbox where state = 'sent'`); n != 6 {
		t.Errorf("%d rows are sent", n)
	}
	// What the dead owner still writes is nobody's business.
	if err := s.mark(t.Context(), s.epoch, nil); err != nil {
		t.Error(err)
	}
}

// What the network says of a message holds for each row of it.
func TestAFailedDigest(t *testing.T) {
	t.Parallel()
	for class, want := range map[bots.Class]string{
		bots.ClassThrottled: "queued 0", bots.ClassLoggedOut: "queued 0", bots.ClassTemporary: "queued 1", bots.ClassUnknown: "queued 1", bots.ClassRejected: "failed 1",
	} {
		r := robot(t)
		s := r.rounds()
		for i := range 3 {
			r.queue(fmt.Sprintf("第%d件", i+1), saidParams{}, "")
		}
		r.net.on(func(context.Context, bots.Address, bots.Message) error {
			return &bots.Error{Class: class, After: time.Minute, Err: errBroken}
		})
		s.round()
		if n := r.count(`select count(*) from outbox where state || ' ' || tries = $1 and error_class = $2`, want, class.String()); n != 3 {
			t.Errorf("%s: %d of 3 rows are %q", class, n, want)
		}
		if class == bots.ClassRejected {
			if got := r.lost.all(); len(got) != 3 {
				t.Errorf("people heard of %v", got)
			}
			continue
		}
		r.net.on(nil)
		r.hurry()
		s.now = s.now.Add(2 * time.Minute)
		s.round()
		if fmt.Sprint(r.numbers()) != fmt.Sprint(counted(1, 3)) || len(r.net.all()) != 1 {
			t.Errorf("%s: then the group saw %v in %d calls", class, r.numbers(), len(r.net.all()))
		}
	}
}

// A row whose time has not come is not overtaken, and one that is being sent is
// not taken twice.
func TestNothingOvertakesInADigest(t *testing.T) {
	t.Parallel()
	r := robot(t)
	s := r.rounds()
	r.queue("第1件", saidParams{}, "")
	later := r.queue("第2件", saidParams{}, "")
	r.queue("第3件", saidParams{}, "")
	r.exec(`update outbox set not_before = now() + interval '1 hour' where id = $1`, later)
	rows := s.claimed()
	if len(rows) != 1 || len(s.claimed()) != 0 {
		t.Fatalf("%d rows were claimed", len(rows))
	}
	if err := s.mark(t.Context(), s.epoch, apart(s.sent(rows))); err != nil {
		t.Fatal(err)
	}
	if s.now = s.now.Add(time.Minute); len(s.claimed()) != 0 {
		t.Error("the third overtook the second")
	}
	r.hurry()
	s.round()
	if fmt.Sprint(r.numbers()) != fmt.Sprint(counted(1, 3)) || len(r.net.all()) != 2 {
		t.Errorf("the group saw %v in %d calls", r.numbers(), len(r.net.all()))
	}
}

// Nobody can answer a robot: options are left out, the last line says where.
func TestWhereNobodyCanAnswer(t *testing.T) {
	t.Parallel()
	r := robot(t, func(c *Config, _ *Deps) { c.Desk = "https://desk.example/desk" })
	r.queue("请接单", saidParams{Options: []flows.Option{{Value: "!take 1", Label: "接"}}}, "")
	stop := r.sender()
	r.until("it is sent", r.outboxEmpty)
	stop()
	if got := r.net.to("group"); len(got) != 1 || got[0] != "通知：请接单\n要办，请打开 https://desk.example/desk" {
		t.Errorf("the group saw %q", got)
	}
}
