package actions

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
)

// editor is a network that can change what it sent.
type editor struct{ network }

func (editor) Edit(context.Context, bots.Address, bots.Receipt, bots.Message) error { return nil }

// The groups of the tests: chats of the one channel.
const hall, square = bots.ChatID("g-hall"), bots.ChatID("g-square")

// newHall is an office whose channel can change what it sent.
func newHall(t testing.TB) *office {
	o := newOffice(t)
	o.Deps.Channels[web] = editor{}
	return o
}

// in says something to us in a group and returns what the group then hears.
func (o *office) in(chat bots.ChatID, user bots.UserID, text string) []string {
	o.t.Helper()
	return o.groupEvent(chat, user, bots.KindText, text, false)
}

func (o *office) groupEvent(chat bots.ChatID, user bots.UserID, kind bots.Kind, text string, overheard bool) []string {
	o.t.Helper()
	ev := o.event(user, kind, text)
	ev.Chat, ev.Group, ev.Overheard = chat, true, overheard
	if err := o.Sink(o.t.Context(), []bots.Event{ev}); err != nil {
		o.t.Fatal(err)
	}
	if n := one[int64](o.rig, `select count(*) from inbox where state <> 'done'`); n != 0 {
		o.t.Fatalf("%q could not be run: %s", text, one[string](o.rig, `select error from inbox where state <> 'done' limit 1`))
	}
	return o.heard(bots.UserID(chat))
}

// bound binds a group as who holds the right.
func (o *office) bound(chat bots.ChatID, user bots.UserID, command string) {
	o.t.Helper()
	o.holds(o.in(chat, user, command), "绑好了")
	o.laid(bots.UserID(chat))
}

func (o *office) silent(got []string) {
	o.t.Helper()
	if len(got) != 0 {
		o.t.Fatalf("heard %q, want nothing", got)
	}
}

// The story of issue 3: one card in the group, whoever is on the roster takes it
// by words, and the card changes for all.
func TestWorkGroupStory(t *testing.T) {
	o := newHall(t)
	o.bound(hall, "wang", "绑定工作群")
	if n := one[int64](o.rig, `select count(*) from trail where kind = 'group.bound' and actor like 'staff:%' and data->>'area' = $1`, grid); n != 1 {
		t.Errorf("%d bindings in the trail", n)
	}
	o.exec(`update person set phone = $1 where id = (select person_id from address where user_id = 'pai')`, o.set.Orders.Keys.Seal([]byte("13800001234"), "person.phone"))
	o.report("zhang", "昌盛小区3栋2单元501门口垃圾堆了半个月没人收，我叫张小三，电话13812345678")
	o.silent(o.laid("wang")) // no card of their own
	got := o.heard(bots.UserID(hall))
	o.holds(got, "【1】", "（待接单）", "地点：昌盛小区3栋", "居民说：", "前办结", "[接单]", "[退单]", "[转派]")
	for _, secret := range []string{"13812345678", "张小三", "501", "反映人", "联系居民"} {
		if strings.Contains(strings.Join(got, ""), secret) {
			t.Errorf("the card in the group holds %s: %q", secret, got)
		}
	}
	if n := one[int64](o.rig, `select count(*) from outbox where text_key = 'card.lead'`); n != 1 {
		t.Fatalf("%d cards, want the group's alone", n)
	}
	// Who is on another roster gets a clear short answer.
	o.holds(o.in(hall, "li", "接 1"), "这件不归您办")
	o.silent(o.laid(bots.UserID(hall)))
	o.is("dispatched")
	// A grid leader of the village is on it.
	o.hire("zhou", people.RoleGridLeader, people.AreaVillage, village)
	o.seat("zhou", "verified")
	o.holds(o.in(hall, "zhou", "接 1"), "接好了：【1】")
	o.is("signed")
	o.holds(o.laid(bots.UserID(hall)), "【1】", "（在办，zhou）", "[退单]", "[延期]", "[挂起]", "[转派]", "[办结]")
	if e := one[int64](o.rig, `select count(*) from outbox e join outbox r on r.id = e.edits where e.reason = 'card.edit' and r.reason = 'card.group'`); e != 1 {
		t.Fatalf("%d changes of the group's card", e)
	}
	o.holds(o.in(hall, "wang", "接 1"), "在办", "办不了这一步")
	o.holds(o.in(hall, "wang", "我的"), "【1】")
	// To reach for the resident, and the way to the desk page, is for private chats.
	o.holds(o.in(hall, "zhou", "联系 1"), "私聊我")
	o.holds(o.in(hall, "zhou", "桌面"), "私聊我")
	o.set.Desk = func(_ context.Context, t *gateway.Turn) (string, error) {
		return fmt.Sprintf("/desk/in/of-%d", t.Staff), nil
	}
	o.expect("zhou", "桌面", "只能用一次", fmt.Sprintf("/desk/in/of-%d", one[int64](o.rig, `select id from staff where slug = 'zhou'`)))
	o.holds(o.in(hall, "zhou", "代报 路灯不亮"), "私聊我")
	o.holds(o.in(hall, "pai", "待办"), "私聊我")
	// 办 goes on with zhou alone, answered by words that were not addressed.
	o.holds(o.in(hall, "zhou", "办 1"), "告诉居民")
	o.silent(o.groupEvent(hall, "wang", bots.KindText, "清走了", true))
	o.holds(o.groupEvent(hall, "zhou", bots.KindText, "清走了", true), "结果是？")
	o.holds(o.in(hall, "zhou", "没办成"), "办结了")
	o.is("handled")
	o.holds(o.laid(bots.UserID(hall)), "【1】", "（办了，等回访，zhou）")
	o.exec(`update ticket set state = 'callback'`)
	o.exec(`update due set state = 'cleared' where state = 'planned'`)
	o.holds(o.in(hall, "zhou", "我的"), "没有工单")
}

func TestACardLeavesTheGroup(t *testing.T) {
	o := newHall(t)
	o.bound(hall, "wang", "绑定工作群")
	o.report("zhang", garbage)
	o.laid("wang")
	o.heard(bots.UserID(hall))
	o.holds(o.in(hall, "wang", "转 1 昌盛二网格"), "给对方留句话")
	o.holds(o.in(hall, "wang", "跳过"), "转给")
	o.holds(o.laid(bots.UserID(hall)), "【1】", "（转到别处了）")
	o.holds(o.laid("li"), "【1】", "[接单]") // no group serves that grid
	o.says("li", "退 1 门牌是隔壁小区的")
	o.expect("li", "1", "等派单员定")
	o.grants("pai", "同意")
	o.silent(o.laid(bots.UserID(hall))) // not the group's any more
	o.says("pai", "派 "+o.task("dispatch"))
	o.says("pai", "昌盛小区网格")
	o.holds(o.laid(bots.UserID(hall)), "【1】", "[接单]")
	o.holds(o.in(hall, "wang", "退 1"), "为什么退？")
	o.in(hall, "wang", "1")
	o.holds(o.in(hall, "wang", "路那边归隔壁网格"), "等派单员定")
	o.holds(o.laid(bots.UserID(hall)), "（退单审核中）")
	o.grants("pai", "同意")
	o.holds(o.laid(bots.UserID(hall)), "（回到派单员那里了）")
}

// Two changes before anything runs are one edit.
func TestQuickChangesAreOneEdit(t *testing.T) {
	o := newHall(t)
	o.bound(hall, "wang", "绑定工作群")
	o.report("zhang", garbage)
	o.laid("wang")
	o.heard(bots.UserID(hall))
	o.in(hall, "wang", "接 1")
	o.groupEvent(hall, "wang", bots.KindText, "办 1 清走了", false)
	o.in(hall, "wang", "没办成")
	o.is("handled")
	got := o.laid(bots.UserID(hall))
	o.holds(got, "办了，等回访")
	if len(got) != 1 {
		t.Fatalf("%d changes: %q", len(got), got)
	}
}

// A colleague's private card changes too where the channel can.
func TestPrivateCardsChange(t *testing.T) {
	for _, can := range []bool{true, false} {
		o := newOffice(t)
		if can {
			o.Deps.Channels[web] = editor{}
		}
		o.hire("wu", people.RoleHandler, people.AreaUnit, "urban_management")
		o.seat("wu", "verified")
		o.report("zhang", garbage)
		o.laid("wang")
		o.says("wang", "转 1 城管局")
		o.says("wang", "跳过")
		o.holds(o.laid("qiu"), "[接单]")
		o.holds(o.heard("wu"), "[接单]")
		o.heard("wang")
		o.says("qiu", "接 1")
		o.laid("qiu")
		got := strings.Join(o.heard("wu"), "")
		if can != strings.Contains(got, "（在办，qiu）") {
			t.Fatalf("can edit %t: wu sees %q", can, got)
		}
	}
}

// While somebody in the group is no verified staff nothing of a ticket is there:
// the cards go to the private chats, and everybody concerned is told once.
func TestAStrangerInTheWorkGroup(t *testing.T) {
	o := newHall(t)
	o.bound(hall, "wang", "绑定工作群")
	o.report("zhang", garbage)
	o.laid("wang")
	o.heard(bots.UserID(hall))
	o.silent(o.groupEvent(hall, "passer", bots.KindJoin, "", false))
	o.laid(bots.UserID("nobody"))
	got := o.heard(bots.UserID(hall))
	o.holds(got, "群里有1位不是工作人员", "退群", "【1】这张卡收起来了")
	if n := strings.Count(strings.Join(got, ""), "群里有"); n != 1 {
		t.Fatalf("the group was told %d times", n)
	}
	o.holds(o.heard("wang"), "昌盛小区网格的工作群里有1位", "【1】", "[接单]")
	o.silent(o.groupEvent(hall, "passer", bots.KindText, "大家好", true))
	o.silent(o.laid(bots.UserID(hall)))
	o.holds(o.in(hall, "wang", "接 1"), "还有人没加入工作人员")
	o.holds(o.in(hall, "wang", "详情 "+o.number()), "还有人没加入工作人员")
	o.is("dispatched")
	o.report("zhang2", garbage)
	o.holds(o.laid("wang"), "[接单]")
	o.silent(o.heard(bots.UserID(hall)))
	o.groupEvent(hall, "passer", bots.KindLeave, "", false)
	o.holds(o.laid(bots.UserID(hall)), "群里都是工作人员了")
	o.report("zhang3", garbage)
	o.silent(o.laid("wang"))
	o.holds(o.heard(bots.UserID(hall)), "[接单]")
	// A member of the staff whose service ends is a stranger from then on.
	o.groupEvent(hall, "li", bots.KindText, "好", true)
	o.exec(`update staff set ended_at = product_now() where slug = 'li'`)
	o.report("zhang4", garbage)
	o.holds(o.laid("wang"), "[接单]")
	got = o.heard(bots.UserID(hall))
	o.holds(got, "群里有1位不是工作人员", "收起来了")
	if strings.Contains(strings.Join(got, ""), "[接单]") {
		t.Errorf("a card went into the group: %q", got)
	}
}

func TestUnbinding(t *testing.T) {
	o := newHall(t)
	o.bound(hall, "wang", "绑定工作群")
	o.report("zhang", garbage)
	o.laid("wang")
	o.heard(bots.UserID(hall))
	o.holds(o.in(hall, "li", "解绑"), "不归您这边管")
	o.holds(o.in(hall, "wang", "绑定居民群"), "已经绑定了")
	o.holds(o.in(hall, "wang", "解绑"), "昌盛小区网格", "真的要解绑吗？")
	o.holds(o.in(hall, "wang", "是"), "解绑了")
	o.holds(o.laid("wang"), "【1】", "[接单]")
	o.holds(o.heard(bots.UserID(hall)), "收起来了")
	o.silent(o.in(hall, "wang", "接 1"))
	if n := one[int64](o.rig, `select count(*) from trail where kind = 'group.unbound'`); n != 1 {
		t.Errorf("%d in the trail", n)
	}
	// One work group an area.
	o.bound(hall, "wang", "绑定工作群")
	o.holds(o.in(square, "wang", "绑定工作群"), "已经有工作群了")
	o.holds(o.in(square, "wang", "绑定居民群"), "绑好了")
}

// Who binds what: an area they hold, named where it is not clear.
func TestWhoBinds(t *testing.T) {
	o := newHall(t)
	for _, c := range []struct {
		user      bots.UserID
		said      string
		want      []string
		kind, who string
	}{
		{"zhang", "绑定工作群", nil, "", ""},
		{"ling", "绑定工作群", []string{"不归您这个岗位办"}, "", ""}, // a leader looks
		{"hui", "绑定工作群", []string{"不归您这个岗位办"}, "", ""},
		{"wang", "绑定工作群 城管局", []string{"这个群管哪一片？"}, "", ""},
		{"wang", "绑定工作群 昌盛二网格", []string{"这个群管哪一片？"}, "", ""},
		{"pai", "绑定工作群 桥头村", []string{"绑好了", "桥头村委会"}, "village", bridge1}, // not the one of the other county
		{"cai", "绑定工作群 桥头村", []string{"是哪一个？", "东桥镇桥头村委会", "坊楼镇桥头村委会"}, "", ""},
		{"cai", "绑定工作群 东桥镇", []string{"绑好了"}, "township", "360313103"},
		{"cai", "绑定工作群 城管局", []string{"绑好了"}, "unit", "urban_management"},
		{"qiu", "绑定工作群", []string{"绑好了"}, "unit", "urban_management"},
		{"far", "绑定居民群", []string{"绑好了", "桥头村委会"}, "village", bridge2},
		{"li", "绑定工作群", []string{"绑好了"}, "grid", grid2},
	} {
		chat := bots.ChatID(fmt.Sprintf("g-%s-%s", c.user, c.said))
		got := o.in(chat, c.user, c.said)
		if c.want == nil {
			o.silent(got)
		} else {
			o.holds(got, c.want...)
		}
		bound := one[string](o.rig, `select coalesce((select area_kind || ' ' || area from conversation where chat = $1 and is_group and bound_as <> ''), '')`, string(chat))
		if bound != strings.TrimSpace(c.kind+" "+c.who) {
			t.Errorf("%s says %s: bound to %q", c.user, c.said, bound)
		}
		o.exec(`update conversation set bound_as = '', area = '' where is_group`)
	}
	// Outside a group, and by an address that is not proven, nothing is bound.
	o.expect("wang", "绑定工作群", "要在群里说")
	o.hire("new", people.RoleGridWorker, people.AreaGrid, grid)
	o.seat("new", "session")
	o.holds(o.in(square, "new", "绑定工作群"), "这是工作人员用的")
}

// A residents' group: a report is a dialogue there; what is private is not
// spoken of, and commands of the staff do nothing.
func TestResidentsGroup(t *testing.T) {
	o := newHall(t)
	o.bound(square, "far", "绑定居民群")
	o.silent(o.groupEvent(square, "zhang", bots.KindText, "昌盛小区3栋垃圾堆了半个月没人收", true))
	got := o.in(square, "zhang", "报事 昌盛小区3栋楼道灯不亮")
	for range 3 {
		switch last := got[len(got)-1]; {
		case strings.Contains(last, "对吗"):
			got = o.in(square, "zhang", "对")
		case strings.Contains(last, "属于哪一类"), strings.Contains(last, "保密"):
			got = o.in(square, "zhang", "1")
		case strings.Contains(last, "照片"):
			got = o.in(square, "zhang", "跳过")
		}
	}
	o.holds(got, "已受理，编号")
	o.silent(o.laid(bots.UserID(square)))
	for _, said := range []string{"我的工单", "撤回", "补充 还没来", "人工", "绑定", "替我妈报个事", "骑士登记", "加入 ABCD2345", "又坏了"} {
		o.holds(o.in(square, "zhang", said), "私聊我")
	}
	before := o.tickets()
	for _, said := range []string{"举报村干部贪污", "昌盛小区3栋垃圾没人收，给我保密", "匿名反映社区的低保名单"} {
		o.holds(o.in(square, "zhang", said), "私聊我")
	}
	if n := o.tickets(); n != before {
		t.Errorf("%d private matters were filed in a group", n-before)
	}
	o.expect("far", "我的", "没有工单")
	for _, said := range []string{"接 1", "我的", "待办", "详情 " + o.number(), "桌面", "休息"} {
		if got := strings.Join(o.in(square, "far", said), ""); strings.Contains(got, "【") || strings.Contains(got, "http") {
			t.Errorf("%s in a residents' group: %q", said, got)
		}
	}
	if !one[bool](o.rig, `select on_duty from staff where slug = 'far'`) {
		t.Error("a command of the staff was done among residents")
	}
	o.holds(o.groupEvent(square, "hu", bots.KindText, "昌盛小区3栋着火了", true), "119", "编号")
	// 退订 is the resident's own.
	o.holds(o.in(square, "zhang", "退订"), "好的")
	if s := one[string](o.rig, `select string_agg(a.state, ' ' order by a.user_id) from address a join conversation c on c.address_id = a.id where c.chat = $1 and (c.is_group or c.user_id = 'zhang')`, string(square)); s != "active stopped" {
		t.Errorf("states %s", s)
	}
	if n := one[int64](o.rig, `select count(*) from outbox o join conversation c on c.id = o.conversation_id where c.chat = $1 and o.class = 'push'`, string(square)); n != 0 {
		t.Errorf("%d pushes into a residents' group", n)
	}
}
