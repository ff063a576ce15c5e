package actions

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// waiting brings a report to where a dispatcher decides.
func (o *office) waiting(user bots.UserID, words string) (task string) {
	o.t.Helper()
	o.report(user, words)
	o.exec(`update assignment set ended_at = product_now(), state = 'returned' where ticket_id = (select max(id) from ticket)`)
	o.exec(`update ticket set state = 'received', claim = 'consultation' where id = (select max(id) from ticket)`)
	o.exec(`insert into task (kind, subject, ticket_id, role, area_kind, area)
		select 'dispatch', 'ticket:' || id, id, 'dispatcher', 'county', '360313' from ticket order by id desc limit 1`)
	return o.task("dispatch")
}

func (o *office) lastNotice() string {
	o.t.Helper()
	return one[string](o.rig, `select data->>'key' from due where kind = 'notice' order by id desc limit 1`)
}

// What is answered or referred at once never reaches a desk; the resident reads
// the words, or the number and the way.
func TestAnsweredAndReferredAtOnce(t *testing.T) {
	o := newOffice(t)
	task := o.waiting("zhang", garbage)
	o.expect("pai", "直接答复 "+task, "怎么答？")
	o.expect("pai", "垃圾车每周二、周五来收", "答复了")
	o.is("answered")
	if key := o.lastNotice(); key != "notice.answered" {
		t.Errorf("the resident is told %s", key)
	}
	o.expect("zhang", "我的工单", "已经答复您了", "垃圾车每周二、周五来收")
	task = o.waiting("hong", garbage)
	o.exec(`update ticket set danger = 'fire' where state = 'received'`)
	o.expect("pai", "转介 "+task, "转介给谁？", "市场监管 12315")
	o.expect("pai", "市场监管 12315", "确定吗")
	o.expect("pai", "确定", "先去办")
	o.is("received")
	o.exec(`update ticket set danger = '' where state = 'received'`)
	o.expect("pai", "转介 "+task, "转介给谁？")
	o.expect("pai", "法院 12368", "确定吗")
	o.expect("pai", "是", "已经告诉居民怎么办")
	o.is("referred")
	if key := o.lastNotice(); key != "notice.referred.court" {
		t.Errorf("the resident is told %s", key)
	}
	o.expect("pai", "直接答复 "+task, "已经办过")
}

// A matter that names who must deal with it is referred as it is filed, and the
// answer itself tells the way. What is dangerous comes first; what is about
// somebody is looked at by a dispatcher, unless the way is independent of them.
func TestMatterIsReferredAtOnce(t *testing.T) {
	o := newOffice(t)
	last := func() string {
		return one[string](o.rig, `select state || ' ' || matter || ' ' || referred_to from ticket order by id desc limit 1`)
	}
	for i, c := range []struct{ said, state, way string }{
		{"法院判决下来了，对方不给钱", "referred court_case court", "打12368"},
		{"我家电动车被偷了", "referred crime_report 110", "请打110"},
		{"举报城市管理局局长贪污受贿", "referred discipline discipline", "打12388"},
	} {
		user := bots.UserID(fmt.Sprint("way", i))
		o.holds(o.says(user, c.said), c.way, "告诉您一声")
		if got := last(); got != c.state {
			t.Errorf("%s: %s", c.said, got)
		}
	}
	if n := one[int64](o.rig, `select count(*) from due where kind in ('notice', 'card', 'task') and state = 'planned'`); n != 0 {
		t.Errorf("%d rows are planned for what was said and done", n)
	}
	o.expect("way1", "我的工单", "已告诉您去哪办")
	// What may be about somebody here is asked for first.
	o.expect("careful", "投诉网格员偷了我家的三轮车，三轮车被偷没人管", "在什么地方？")
	o.says("careful", "取消")
	// Danger speaks first, and its ticket goes to a desk.
	if got := strings.Join(o.says("brave", "昌盛小区3栋进了小偷，拿刀砍人"), "\n"); !strings.Contains(got, "先打110") || strings.Contains(got, "派出所报案") {
		t.Errorf("of a thief with a knife: %s", got)
	}
	if got := last(); got != "dispatched public_security " && got != "received public_security " {
		t.Errorf("the danger is %s", got)
	}
	file := func(c ticket.Content) (state string) {
		c.Claim, c.Matter, c.Urgency = "complaint", "online_purchase", ticket.General
		c.Place = ticket.PlaceRef{Division: village, Grid: grid, Label: "昌盛小区"}
		o.as("wang", func(ctx context.Context, tn *gateway.Turn) error {
			tn.Address, tn.Conversation = one[int64](o.rig, `select address_id from conversation where chat = 'wang'`), one[int64](o.rig, `select id from conversation where chat = 'wang'`)
			k, err := o.set.Orders.File(ctx, tn, workorder.Filing{Words: "网上买的东西坏了", Content: c, By: ticket.Actor{As: ticket.AsReporter, Person: tn.Person}})
			if err == nil {
				state = string(k.State)
			}
			return err
		})
		return state
	}
	for _, c := range []struct {
		content ticket.Content
		want    string
	}{
		{ticket.Content{}, "referred"},
		{ticket.Content{Danger: "fire"}, "dispatched"},
		{ticket.Content{Against: []string{"market_supervision"}}, "received"},
	} {
		if got := file(c.content); got != c.want {
			t.Errorf("%+v is %s, want %s", c.content, got, c.want)
		}
	}
	// Filed by somebody else than a dialogue, it is told by a notice.
	if n := one[int64](o.rig, `select count(*) from due where kind = 'notice' and data->>'key' = 'notice.referred.12315' and state = 'planned'`); n != 1 {
		t.Errorf("%d residents are told the way", n)
	}
}

// A desk asks to leave a closed ticket out; somebody independent decides, once.
func TestExclusionIsReviewedByAnother(t *testing.T) {
	o := newOffice(t)
	o.hire("du", people.RoleSupervisor, people.AreaCounty, "360313")
	o.seat("du", "verified")
	o.handledBy()
	o.exec(`update ticket set state = 'closed', closed_at = product_now(), outcome = 'resolved'`)
	o.exec(`update assignment set ended_at = product_now()`)
	n := o.number()
	o.expect("li", "申请剔除 "+n, "没有这个号") // another grid
	o.expect("wang", "申请剔除 "+n, "为什么剔除？")
	o.expect("wang", "反映不属实", "写明依据")
	o.expect("wang", "现场没有垃圾，社区书记在场", "审好告诉您")
	if leaked := one[int64](o.rig, `select count(*) from ticket_note where position(convert_to('书记', 'UTF8') in body) > 0`); leaked != 0 {
		t.Error("the evidence lies unsealed")
	}
	o.expect("wang", "申请剔除 "+n, "只能申请一次", "")
	task := o.task("exclusion")
	o.expect("pai", "审剔除 "+task, "没有这个待办")
	o.expect("wang", "审剔除 "+task, "没有这个待办")
	o.expect("du", "审剔除 "+task, "反映不属实", "现场没有垃圾", "要不要从统计里剔除")
	o.expect("du", "1", "写明理由")
	o.expect("du", "照片和证人都对得上", "定了")
	if got := one[string](o.rig, `select exclusion from ticket`); got != "granted" {
		t.Errorf("the exclusion is %q", got)
	}
	o.holds(o.told("wang"), "剔除通过了", "照片和证人都对得上")
}

// The third time a ticket would be redone it goes up instead; the dialogue says
// so before and after, and the resident is told.
func TestThirdRedoIsRaised(t *testing.T) {
	o := newOffice(t)
	o.handledBy()
	o.exec(`update ticket set redos = 2, state = 'callback', solved = 'no', satisfied = 'dissatisfied'`)
	o.exec(`insert into task (kind, subject, ticket_id, role, area_kind, area) select 'judge', 'ticket:' || id, id, 'callback_clerk', 'county', '360313' from ticket`)
	judge := o.task("judge")
	o.expect("hui", "裁定 "+judge, "已经重办2次", "提到上一级", "怎么定？")
	o.expect("hui", "有理", "写明理由")
	o.expect("hui", "要换个办法，请上面协调", "提到上一级重新派单")
	o.is("received")
	if level := one[int](o.rig, `select level from ticket`); level != 1 {
		t.Errorf("level %d", level)
	}
	if keys := one[string](o.rig, `select string_agg(data->>'key', ' ') from due where kind = 'notice' and data->>'key' <> 'notice.handled'`); keys != "notice.raised" {
		t.Errorf("the resident is told %s", keys)
	}
	if data := one[string](o.rig, `select string_agg(kind || ' ' || role || ' ' || area, ', ' order by kind) from task where state = 'open'`); data != "dispatch dispatcher 360313, escalated dispatcher 360313" {
		t.Errorf("it lies before %s", data)
	}
	o.expect("pai", "派 "+o.task("dispatch"), "已经提级", "派给谁？")
	o.expect("pai", "城管局", "派给城市管理局了")
	if n := one[int64](o.rig, `select count(*) from task where kind = 'escalated' and state = 'open'`); n != 1 {
		t.Error("the level forgets a ticket that was dispatched again")
	}
}

// Dispatchers merge by words; what they may not see they cannot merge.
func TestMergeByWords(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", garbage)
	master := o.number()
	task := o.waiting("hong", garbage)
	child := o.number()
	o.expect("wang", "并单 "+child+" 到 "+master, "不归您这个岗位")
	o.expect("pai", "并单 "+task+" 到 "+master, child, "并到 "+master, "对吗？")
	o.expect("pai", "是", child+" 并好了", "拆单")
	o.is("merged")
	if n := one[int64](o.rig, `select count(*) from task where kind = 'dispatch' and state = 'open'`); n != 0 {
		t.Error("a merged ticket still waits for a dispatcher")
	}
	o.expect("pai", "并单 "+master, "并到哪一件？")
	o.expect("pai", child, "对吗？")
	o.expect("pai", "是", "不能并到那一件")
	o.expect("hong", "我的工单", "和同一件事并在一起办")
	o.expect("pai", "拆单 "+child, "待派单")
	o.is("received")
	o.exec(`update ticket set confidential = true where state = 'received'`)
	o.expect("pai", "并单 "+child+"到"+master, "对吗？")
	o.expect("pai", "是", "不并案")
	o.expect("pai", "拆单", "没看到编号")
}

// told runs what is due and returns what somebody was told.
func (o *office) told(user string) []string { return o.laid(bots.UserID(user)) }
