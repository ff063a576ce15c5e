package gateway

import (
	"context"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/internal/postgres"
)

// The groups of the tests.
const (
	workers   = bots.ChatID("-100work")
	residents = bots.ChatID("-100residents")
	unbound   = bots.ChatID("-100unbound")
)

// groupRig is a rig with a work group and a residents' group.
func groupRig(t testing.TB, change ...func(*Config, *Deps)) *rig {
	t.Helper()
	r := newRig(t, append([]func(*Config, *Deps){func(c *Config, _ *Deps) { c.FloodPerMinute = 1000 }}, change...)...)
	r.bind(workers, flows.GroupWork)
	r.bind(residents, flows.GroupResidents)
	r.hire("wang")
	r.exec(`update address set trust = 'verified' where user_id = 'wang'`)
	return r
}

// bind makes a group of the web channel that is bound.
func (r *rig) bind(chat bots.ChatID, as string) {
	r.t.Helper()
	r.bindOn(web, chat, as)
}

func (r *rig) bindOn(channel bots.ChannelID, chat bots.ChatID, as string) {
	r.t.Helper()
	r.exec(`with p as (insert into person (kind) values ('group') returning id),
		a as (insert into address (channel, user_id, chat, person_id, trust) select $1, $4 || $2, $2, id, 'none' from p returning id)
		insert into conversation (channel, chat, user_id, address_id, is_group, in_group, bound_as, area_kind, area)
		select $1, $2, $4, id, true, true, $3, 'grid', '360302001001001' from a`, string(channel), string(chat), as, groupUser)
}

// in is an event of a user in a group, addressed to us.
func (r *rig) in(chat bots.ChatID, user bots.UserID, text string) bots.Event {
	ev := r.text(user, text)
	ev.Chat, ev.Group = chat, true
	return ev
}

// addressed says something to us in a group.
func (r *rig) addressed(chat bots.ChatID, user bots.UserID, text string) []said {
	r.t.Helper()
	r.send(r.in(chat, user, text))
	return r.heard(bots.UserID(chat))
}

// mutters says something in a group that was not meant for us.
func (r *rig) mutters(chat bots.ChatID, user bots.UserID, text string) []said {
	r.t.Helper()
	ev := r.in(chat, user, text)
	ev.Overheard = true
	r.send(ev)
	return r.heard(bots.UserID(chat))
}

// kept counts what was kept of the words of a user in a chat.
func (r *rig) kept(chat bots.ChatID, user bots.UserID) int64 {
	r.t.Helper()
	return r.count(`select count(*) from message m join conversation c on c.id = m.conversation_id
		where c.chat = $1 and c.user_id = $2 and m.direction = 'in'`, string(chat), string(user))
}

func (r *rig) member(chat bots.ChatID, user bots.UserID, column string) (v string) {
	r.t.Helper()
	return one[string](r, `select coalesce(`+column+`::text, '') from conversation where chat = $1 and user_id = $2`, string(chat), string(user))
}

func TestAnUnboundGroupIsListenedToByNobody(t *testing.T) {
	t.Parallel()
	r := groupRig(t)
	for _, user := range []bots.UserID{"li", "wang"} {
		for _, text := range []string{"报修", "三楼着火了", "退订", "帮助", "接 3", "您好"} {
			r.want(r.addressed(unbound, user, text))
			r.want(r.mutters(unbound, user, text))
		}
		photo := r.in(unbound, user, "")
		photo.Kind, photo.Files = bots.KindPhoto, []bots.File{{MIME: "image/jpeg", Data: []byte("x")}}
		r.send(photo)
		if n := r.kept(unbound, user); n != 0 {
			t.Fatalf("%d words of %s were kept", n, user)
		}
	}
	if n := r.count(`select count(*) from blob`); n != 0 {
		t.Fatalf("%d files were kept", n)
	}
	r.want(r.addressed(unbound, "li", "绑定群")) // not of the staff
	r.want(r.mutters(unbound, "wang", "绑定群")) // not to us
	// A member of the staff binds it; the dialogue is theirs alone.
	r.want(r.addressed(unbound, "wang", "绑定群"), "管哪一片？")
	r.want(r.addressed(unbound, "li", "昌盛小区"))
	r.want(r.addressed(unbound, "wang", "昌盛小区"), "绑好了。")
	r.want(r.addressed(unbound, "wang", "昌盛小区"))
	if n := r.kept(unbound, "wang"); n != 2 {
		t.Fatalf("%d words of the dialogue were kept, want 2", n)
	}
}

// Overheard words are listened to only when they are a danger, an answer, or a
// whole command at work; the others are neither answered nor kept.
func TestOverheard(t *testing.T) {
	t.Parallel()
	r := groupRig(t)
	for _, c := range []struct {
		chat bots.ChatID
		user bots.UserID
		text string
		want []string
	}{
		{residents, "li", "今天天气不错", nil},
		{residents, "li", "报修", nil},
		{residents, "li", "帮助", nil},
		{residents, "li", "退订", nil},
		{residents, "wang", "接 3", nil},
		{workers, "wang", "明天开会", nil},
		{workers, "wang", "接电话的人不在", nil},
		{workers, "wang", "联系一下老李", nil},
		{workers, "wang", "接 3", []string{"接下了。"}},
		{workers, "wang", "接", []string{"接下了。"}},
		{workers, "li", "接 3", nil},
		{residents, "zhao", "三楼着火了", []string{"请先打119、110，这里代替不了。", "在哪里？"}},
	} {
		before := r.kept(c.chat, c.user)
		got := textsOf(r.mutters(c.chat, c.user, c.text))
		if strings.Join(got, "|") != strings.Join(c.want, "|") && c.user != "zhao" {
			t.Errorf("%s mutters %q in %s: %q, want %q", c.user, c.text, c.chat, got, c.want)
		}
		if c.user == "zhao" && len(got) != 2 {
			t.Errorf("a danger overheard: %q", got)
		}
		if kept := r.kept(c.chat, c.user) - before; (kept == 1) != (len(c.want) > 0) {
			t.Errorf("%q in %s: %d kept", c.text, c.chat, kept)
		}
	}
}

// A question in a group goes on with who was asked: by an option at any time, by
// free words only soon after.
func TestAnOverheardAnswer(t *testing.T) {
	t.Parallel()
	r := groupRig(t)
	r.want(r.addressed(residents, "li", "选一选"), "选哪一个？")
	r.want(r.mutters(residents, "zhao", "蓝的"))
	r.want(r.mutters(residents, "li", "晚上吃什么"))
	r.advance(time.Hour)
	r.want(r.mutters(residents, "li", "蓝的"), "选了蓝的。")

	r.want(r.addressed(residents, "li", "报修"), "请说说是什么事。")
	r.want(r.mutters(residents, "li", "楼道灯不亮"), "在什么地方？")
	r.advance(overheardAnswer + time.Second)
	r.want(r.mutters(residents, "li", "晚上吃什么"))
	r.want(r.addressed(residents, "li", "昌盛小区3栋"), "已受理，编号 1002。")
}

func TestWhoIsSpokenToInAGroup(t *testing.T) {
	t.Parallel()
	r := groupRig(t)
	ev := r.in(residents, "li", "选一选")
	ev.From.Name = "李大姐"
	r.send(ev)
	r.want(r.heard(bots.UserID(residents)), "李大姐，选哪一个？")
}

// Default deny: what does not say that it may run in this kind of group is asked
// to be said in private.
func TestWhatIsForPrivateChats(t *testing.T) {
	t.Parallel()
	r := groupRig(t)
	r.want(r.addressed(residents, "li", "六问"), "请私聊我。")
	r.want(r.addressed(residents, "li", "人工"), "请私聊我。")
	r.want(r.addressed(workers, "wang", "六问"), "请私聊我。")
	r.want(r.addressed(workers, "wang", "您好"), "接、办结、退回。")
	if f := r.member(residents, "li", "flow"); f != "" {
		t.Fatalf("dialogue %s runs", f)
	}
	// Among residents a member of the staff is one of them.
	r.want(r.addressed(residents, "wang", "接 3"), "请私聊我。")
	if n := len(r.acts.named("card.take")); n != 0 {
		t.Fatal("a command of the staff was done in a residents' group")
	}
	r.want(r.addressed(residents, "wang", "绑定群"), "管哪一片？")
}

// 退订 in a group stops who said it, and not the group.
func TestStopInAGroup(t *testing.T) {
	t.Parallel()
	r := groupRig(t)
	var who int64
	r.acts.on("address.stop", func(_ context.Context, t *Turn) error { who = t.Address; return nil })
	r.want(r.addressed(residents, "li", "退订"), "好的，不再发了。")
	if li := r.count(`select id from address where user_id = 'li'`); who != li {
		t.Fatalf("address %d was stopped, want %d", who, li)
	}
}

func TestMembersAreLearned(t *testing.T) {
	t.Parallel()
	r := groupRig(t)
	look := func(want int64, after string) {
		t.Helper()
		if n := r.exec(`delete from due where kind = $1`, KindMembers); n != want {
			t.Fatalf("%s: %d looks at the members, want %d", after, n, want)
		}
	}
	join := func(user bots.UserID, kind bots.Kind) {
		t.Helper()
		ev := r.in(workers, user, "")
		ev.Kind = kind
		r.send(ev)
	}
	join("wang", bots.KindJoin)
	look(0, "a member of the staff joins")
	join("li", bots.KindJoin)
	look(1, "a stranger joins")
	r.mutters(workers, "zhao", "大家好")
	look(1, "a stranger speaks")
	r.exec(`update conversation set blocked_at = now() where is_group and bound_as = 'work'`)
	r.mutters(workers, "zhao", "大家好")
	look(0, "it was told already")
	join("zhao", bots.KindLeave)
	look(1, "a stranger leaves")
	if r.member(workers, "zhao", "left_at") == "" {
		t.Fatal("who left is still there")
	}
	if s := one[string](r, `select state from address where user_id = 'zhao'`); s != "active" {
		t.Fatalf("leaving a group made the private address %s", s)
	}
	r.mutters(workers, "wang", "都走了")
	look(1, "the staff speak in a group that was not fit")
	r.mutters(workers, "zhao", "我又来了")
	if r.member(workers, "zhao", "left_at") != "" {
		t.Fatal("who came back is not there")
	}
	// Whoever was heard in groups only has no chat to be written to.
	zhao := r.count(`select person_id from address where user_id = 'zhao'`)
	if list, err := Reach(t.Context(), r.DB.Queries, []int64{zhao}, 0); err != nil || len(list) != 0 {
		t.Fatalf("a push would go into a group: %v, %v", list, err)
	}
	r.want(r.heard(bots.UserID(workers)))
}

// Whatever comes due, nobody is written to in a group: not by a push, not by a
// nudge, and what a question leaves when it runs out goes to the private chat.
func TestNoPushInAGroup(t *testing.T) {
	t.Parallel()
	r := groupRig(t, func(_ *Config, d *Deps) { d.Kinds = append(d.Kinds, telling("")) })
	r.says("li", "您好")
	r.heard("li")
	r.want(r.addressed(residents, "li", "报修"), "请说说是什么事。")
	r.want(r.addressed(residents, "li", "楼道灯不亮"), "在什么地方？")
	conv := r.count(`select id from conversation where chat = $1 and user_id = 'li'`, string(residents))
	r.plansDue(Plan{Kind: "tell", Subject: postgres.Subject("conversation", conv), Key: "x", At: r.now()})
	r.due()
	r.want(r.heard(bots.UserID(residents)))
	row := r.outbox(string(residents))
	for _, kind := range []string{KindNudge, KindExpire} {
		r.plansDue(Plan{Kind: kind, Subject: postgres.Subject("conversation", conv), Key: "q", At: r.now(), Data: questionDue{Turn: row.QuestionTurn}})
		r.due()
	}
	r.want(r.heard(bots.UserID(residents)))
	r.want(r.heard("li"), "先记下了，编号 1001。")
}

// The buttons of a card in a group are the group's; those of a question are for
// who was asked (S12).
func TestButtonsInAGroup(t *testing.T) {
	t.Parallel()
	r := groupRig(t)
	r.hire("zhou")
	r.bind("-100other", flows.GroupWork)
	r.acts.on("card.reply", func(_ context.Context, t *Turn) error {
		return t.Lay(Laid{
			Reason: "card", Subject: "ticket:1", Key: "card.lead", Params: map[string]string{"handle": "1"},
			Options: []flows.Option{{Value: CommandPrefix + "take 17", Label: "接单"}},
		})
	})
	tap := func(chat bots.ChatID, user bots.UserID, data string) []said {
		t.Helper()
		ev := r.in(chat, user, "")
		ev.Kind, ev.Choice = bots.KindChoice, data
		r.send(ev)
		return r.heard(bots.UserID(chat))
	}
	r.addressed(workers, "wang", "回复居民")
	card := r.addressed(workers, "wang", "好")[0]
	if c := card.Row.ConversationID; c != r.count(`select id from conversation where chat = $1 and is_group`, string(workers)) || len(card.Choices) != 1 {
		t.Fatalf("the card is %+v", card)
	}
	button := card.Choices[0].Data
	r.want(tap(workers, "zhou", button), "接下了。")
	r.want(tap(workers, "li", button), "这是工作人员用的。")
	r.want(tap("-100other", "wang", button), "这个按钮是问别人的。")
	r.want(tap(residents, "wang", button), "这个按钮是问别人的。")
	r.want(r.taps("wang", button), staleText)
	if c := r.acts.named("card.take"); len(c) != 1 || c[0].args["card_id"] != "17" {
		t.Fatalf("taken %v", c)
	}
	// The group goes on under another id: its buttons stay good.
	r.exec(`update conversation set chat = '-100moved' where chat = $1`, string(workers))
	r.want(tap("-100moved", "wang", button), "接下了。")

	q := r.addressed(residents, "li", "选一选")[0]
	blue := q.Choices[2].Data
	r.want(tap(residents, "zhao", blue), "这个按钮是问别人的。")
	r.want(r.taps("li", blue), staleText) // asked in the group, not here
	r.want(tap(residents, "li", blue), "选了蓝的。")
	r.want(tap(residents, "li", blue), staleText)
}

// What a dead letter leaves is not said where nobody was listened to.
func TestNoApologyWhereNobodyIsHeard(t *testing.T) {
	t.Parallel()
	r := groupRig(t)
	r.acts.on("poll.take", broken)
	r.addressed(residents, "li", "选一选")
	r.addressed(residents, "li", "蓝的")
	r.exec(`update conversation set bound_as = '', area = '' where chat = $1 and is_group`, string(residents))
	r.drain(maxEventTries)
	r.want(r.heard(bots.UserID(residents)))
}

func TestPaceOfGroups(t *testing.T) {
	now := time.Now()
	p := newPace(bots.Caps{Rate: bots.Rate{PerGroupPerMinute: 20}}, func() time.Time { return now })
	for i := range 100 {
		if w := p.wait("private", false); w != 0 {
			t.Fatalf("private message %d waits %v", i, w)
		}
	}
	for i := range 20 {
		if w := p.wait("group", true); w != 0 {
			t.Fatalf("message %d of the group waits %v", i, w)
		}
	}
	if w := p.wait("group", true); w < 2*time.Second || w > 4*time.Second {
		t.Fatalf("message 21 of the group waits %v, want 3 s", w)
	}
	if w := p.wait("another", true); w != 0 {
		t.Fatalf("another group waits %v", w)
	}
}

// plansDue writes a due row past the gateway.
func (r *rig) plansDue(p Plan) {
	r.t.Helper()
	rows, err := dueRows([]Plan{p})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.DB.PlanDues(r.t.Context(), rows); err != nil {
		r.t.Fatal(err)
	}
}
