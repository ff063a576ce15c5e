package actions

import (
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// dispatched brings a fresh report back to the dispatcher and sends it where
// words say.
func (o *office) dispatched(words string) {
	o.t.Helper()
	o.report("zhang", garbage)
	o.laid("wang")
	o.says("pai", "收回 "+o.number())
	o.says("pai", "1")
	o.expect("pai", "跳过", "收回来了")
	o.is("received")
	o.expect("pai", "派 "+o.task("dispatch")+" "+words, "派给")
	o.is("dispatched")
}

// One lead, two co-handlers: each has its own card and time; what they reply is
// the lead's to read and never the resident's.
func TestSeveralDesks(t *testing.T) {
	o := newOffice(t)
	o.hire("jiao", people.RoleHandler, people.AreaUnit, "transport")
	o.seat("jiao", "verified")
	o.dispatched("城管局 协办 交通局 住建局")
	o.holds(o.laid("qiu"), "【1】", "协办交通运输局", "协办住房和城乡建设局", "[接单]")
	card := o.laid("jiao")
	o.holds(card, "协办：", "主办：城市管理局", "前答复主办", "[接协办]", "[协办答复]")
	if all := strings.Join(card, ""); strings.Contains(all, "反映人") || strings.Contains(all, "[接单]") || strings.Contains(all, "[办结]") {
		t.Errorf("the co-handler sees %q", card)
	}
	o.holds(o.laid("hou"), "协办：", "[接协办]")
	o.expect("qiu", "接 1", "接好了")
	o.expect("jiao", "接 1", "这一步不归您")
	o.expect("jiao", "接协办 1", "接好了：【1】", "前答复主办")
	o.expect("jiao", "协办答复 1 路面是我们修的，周五开工", "答复给主办了")
	o.expect("jiao", "协办答复 "+o.number(), "这一步已经办过了")
	o.expect("jiao", "我的", "没有工单")
	o.holds(o.laid("qiu"), "协办答复来了", "路面是我们修的，周五开工")
	o.expect("qiu", "详情 1", "协办交通运输局答复：路面是我们修的", "协办住房和城乡建设局：")
	// 加派 puts one more beside the lead.
	o.hire("fang", people.RoleHandler, people.AreaUnit, "ecology")
	o.seat("fang", "verified")
	o.expect("pai", "加派 "+o.number()+" 生态环境局", "请生态环境局协办")
	o.holds(o.laid("fang"), "协办：", "[接协办]")
	o.expect("pai", "加派 "+o.number()+" 生态环境局", "本来就在那里")
	// Both texts of the report: the one for colleagues stays with them.
	o.says("qiu", "办 1 已经清走，路面周五修。内部说明：交通局催一下")
	o.expect("qiu", "没办成", "办结了")
	o.is("handled")
	if got := one[string](o.rig, `select string_agg(state, ' ' order by id) from assignment where role = 'co'`); got != "finished waiting waiting" {
		t.Errorf("the co-handlers are %s", got)
	}
	for _, secret := range []string{"交通局催一下", "路面是我们修的"} {
		o.neverTold("zhang", secret)
	}
	if n := one[int64](o.rig, `select count(*) from ticket where internal_reply is not null`); n != 1 {
		t.Error("the words for colleagues are not kept")
	}
}

// neverTold looks through everything that was ever said to a user, and all that
// is planned to be.
func (o *office) neverTold(user bots.UserID, secret string) {
	o.t.Helper()
	o.seen[user] = 0
	for _, said := range o.heard(user) {
		if strings.Contains(said, secret) {
			o.t.Errorf("the resident reads %q", said)
		}
	}
	rows, err := o.sql.Query(o.t.Context(), `select decode(data->>'words', 'base64') from due where kind = 'notice' and data ? 'words'`)
	if err != nil {
		o.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var sealed []byte
		if err := rows.Scan(&sealed); err != nil {
			o.t.Fatal(err)
		}
		plain, err := o.Keys.Open(sealed, workorder.SealNotice)
		if err != nil {
			o.t.Fatal(err)
		}
		if strings.Contains(string(plain), secret) {
			o.t.Errorf("the resident will read %q", plain)
		}
	}
}

// A refused objection is final; the desk hears why and must sign.
func TestObjectionRefused(t *testing.T) {
	o := newOffice(t)
	o.dispatched("城管局")
	o.holds(o.laid("qiu"), "[接单]", "[退单]")
	deadline := one[time.Time](o.rig, `select deadline from ticket`)
	o.expect("qiu", "退 1", "为什么退？")
	o.expect("qiu", "事情不归我们管", "写一句依据")
	o.expect("qiu", "三定方案第五条", "期限不停")
	o.is("disputed")
	o.expect("qiu", "接 1", "退单审核中", "办不了这一步")
	o.expect("qiu", "办 1", "退单审核中")
	task := o.task("review")
	o.expect("pai", "待办", "【"+task+"】审核")
	o.expect("pai", "审核 "+task, "城市管理局要退单：事情不归我们管", "还在走", "依据：三定方案第五条", "怎么定？")
	o.expect("pai", "不同意", "写句话")
	o.expect("pai", "清单里写明归你们", "没有同意", "待接单")
	o.is("dispatched")
	o.holds(o.laid("qiu"), "退单没有同意", "清单里写明归你们")
	if !one[bool](o.rig, `select deadline = $1 and sign_due is not null from ticket`, deadline) {
		t.Error("the deadline moved, or nobody has to sign")
	}
	if n := one[int64](o.rig, `select count(*) from due where kind = 'sla.sign' and state = 'planned'`); n != 1 {
		t.Errorf("%d clocks to sign", n)
	}
	o.expect("qiu", "退 1", "已经退过一次单")
	o.expect("qiu", "接 1", "接好了")
	if n := one[int64](o.rig, `select count(*) from assignment where basis is not null and octet_length(basis) > 20 and objection = 'refused'`); n != 1 {
		t.Errorf("%d sealed bases", n)
	}
}

// A dispatcher grants: the ticket is theirs again with reason and basis; the
// third unit that refuses raises it.
func TestThreeUnitsRefuse(t *testing.T) {
	o := newOffice(t)
	o.hire("jiao", people.RoleHandler, people.AreaUnit, "transport")
	o.seat("jiao", "verified")
	o.dispatched("城管局")
	for i, unit := range []struct{ user, next string }{{"qiu", "住建局"}, {"hou", "交通局"}, {"jiao", ""}} {
		user := bots.UserID(unit.user)
		o.holds(o.laid(user), "[退单]")
		o.says(user, "退 1 清单里没有我们")
		if unit.next == "" {
			o.expect(user, "事情不归我们管", "提到上一级")
			break
		}
		o.expect(user, "事情不归我们管", "等派单员定")
		o.grants("pai", "同意")
		o.holds(o.laid(user), "退单同意了")
		o.expect(user, "我的", "没有工单")
		o.is("received")
		o.expect("pai", "派 "+o.task("dispatch"), "事情不归我们管", "清单里没有我们")
		o.expect("pai", unit.next, "派给")
		if i == 0 && one[int64](o.rig, `select count(*) from due where kind = 'sla.dispatch' and state = 'planned'`) != 0 {
			t.Error("a dispatched ticket still has the clock of a dispatcher")
		}
	}
	o.is("received")
	if level := one[int](o.rig, `select level from ticket`); level < 1 {
		t.Errorf("level %d", level)
	}
	o.expect("pai", "派 "+o.task("dispatch"), "清单里没有我们")
	if n := one[int64](o.rig, `select count(*) from due where kind = 'sla.dispatch' and state = 'planned'`); n != 1 {
		t.Errorf("%d clocks of a dispatcher", n)
	}
}

func TestExtension(t *testing.T) {
	o := newOffice(t)
	o.hire("du", people.RoleSupervisor, people.AreaCity, workorder.CityCode)
	o.seat("du", "verified")
	o.report("zhang", garbage)
	o.laid("wang")
	o.says("wang", "接 1")
	before := one[time.Time](o.rig, `select deadline from ticket`)
	o.expect("wang", "延期 1 3天", "为什么要延期？")
	o.expect("wang", "等材料或配件", "延到3月13日", "派单员批")
	o.expect("wang", "延期 1", "在等审核")
	o.expect("wang", "详情 1", "申请延到3月13日")
	o.grants("pai", "同意")
	after := one[time.Time](o.rig, `select deadline from ticket`)
	if d := after.Sub(before); d != 72*time.Hour {
		t.Errorf("three days are %s", d)
	}
	o.holds(o.laid("wang"), "延期同意了，新期限3月13日")
	if n := one[int64](o.rig, `select count(*) from due where kind = 'sla.nudge' and state = 'planned' and due_at = $1`, after); n != 1 {
		t.Errorf("%d nudges at the new deadline", n)
	}
	if k := one[string](o.rig, `select (data->>'key') || ' ' || (data->'params'->>'day') from due where kind = 'notice' and state = 'planned' order by id desc limit 1`); k != "notice.extended.materials 13" {
		t.Errorf("the reporter is told %s", k)
	}
	// A second one is a supervisor's.
	o.expect("wang", "延期 1", "为什么要延期？")
	o.expect("wang", "天气原因", "延到哪天？")
	o.expect("wang", "以后", "没看懂")
	o.expect("wang", "3月16日", "延到3月16日", "督办员批")
	task := o.task("review")
	o.expect("pai", "审核 "+task, "没有这个待办")
	o.expect("du", "待办", "审核")
	o.expect("du", "审核 "+task, "要延期：天气原因", "3月16日17:30", "怎么定？")
	o.expect("du", "不同意", "写句话")
	o.expect("du", "跳过", "没有同意")
	o.holds(o.laid("wang"), "延期没有同意", "3月13日")
	o.expect("wang", "延期 1 2天", "为什么要延期？")
	o.expect("wang", "天气原因", "督办员批")
	o.grants("du", "同意")
	o.expect("wang", "延期 1", "次数用完了")
}

func TestSuspensionAndResume(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", garbage)
	o.laid("wang")
	o.says("wang", "接 1")
	before := one[time.Time](o.rig, `select deadline from ticket`)
	o.expect("wang", "挂起 1 90天", "等什么？")
	o.expect("wang", "等施工或改造", "挂起最多30天")
	o.expect("wang", "挂起 1 10天", "等什么？")
	o.expect("wang", "等施工或改造", "挂到3月13日")
	o.grants("pai", "同意")
	o.is("suspended")
	o.holds(o.laid("wang"), "挂起同意了，到3月13日")
	if n := one[int64](o.rig, `select count(*) from due where kind like 'sla.%' and kind not in ('sla.resume', 'sla.escalate') and state = 'planned'`); n != 0 {
		t.Errorf("%d clocks run on", n)
	}
	if k := one[string](o.rig, `select data->>'key' from due where kind = 'notice' and state = 'planned' order by id desc limit 1`); k != "notice.suspended.works" {
		t.Errorf("the reporter is told %s", k)
	}
	o.expect("wang", "我的", "挂起")
	o.expect("wang", "办 1 好了", "挂起", "办不了这一步", "恢复办理")
	o.advance(48 * time.Hour)
	o.expect("wang", "恢复 1", "接着办，3月12日17:30前办结")
	o.is("signed")
	if d := one[time.Time](o.rig, `select deadline from ticket`).Sub(before); d < 48*time.Hour || d > 49*time.Hour {
		t.Errorf("two days of waiting moved the deadline by %s", d)
	}
	if n := one[int64](o.rig, `select count(*) from due where kind = 'sla.nudge' and state = 'planned'`); n == 0 {
		t.Error("no nudge is planned any more")
	}
	if k := one[string](o.rig, `select data->>'key' from due where kind = 'notice' and state = 'planned' order by id desc limit 1`); k != "notice.resumed" {
		t.Errorf("the reporter is told %s", k)
	}
}

// What staff write for a later day, seen on Tuesday 3 March 2026. Eight March
// is a Sunday: a day off ends with the next workday.
func TestUntil(t *testing.T) {
	s := plainSet(t)
	for said, want := range map[string]string{
		"5天": "03-09 17:30", "３天": "03-06 17:30", "三天": "03-06 17:30", "3": "03-06 17:30", "延10天": "03-13 17:30", "2个工作日": "03-05 17:30",
		"3月20日": "03-20 17:30", "3.20": "03-20 17:30", "到3月20号前": "03-20 17:30", "20号": "03-20 17:30", "周五": "03-06 17:30", "下周三": "03-11 17:30",
		"下周日": "03-16 17:30", "星期四": "03-05 17:30", "2月1日": "02-01 17:30",
		"": "", "过一阵": "", "0天": "", "周一": "", "13月1日": "", "2月30日": "", "等一等": "",
	} {
		at, ok := s.until(said, tuesday(), tuesday())
		got := ""
		if ok {
			got = at.In(s.Orders.Work.Location()).Format("01-02 15:04")
		}
		if got != want {
			t.Errorf("%q is %q, want %q", said, got, want)
		}
	}
}

// A co-handler who is a named person gets a private ticket's card alone.
func TestPrivateTicketsHaveNamedCoHandlers(t *testing.T) {
	o := newOffice(t)
	o.report("wu", "昌盛小区3栋垃圾堆了半个月没人收，给我保密")
	o.expect("pai", "加派 "+o.number()+" 住建局", "请hou协办")
	o.holds(o.laid("hou"), "协办：", "这件保密")
	if d := one[string](o.rig, `select desk_kind from assignment where role = 'co'`); d != string(ticket.DeskNamed) {
		t.Errorf("the co-handler is a %s", d)
	}
	o.hire("hao", people.RoleHandler, people.AreaUnit, "housing")
	o.seat("hao", "verified")
	o.expect("hao", "协办答复 "+o.number()+" 看过了", "没有这个号")
	o.expect("hou", "协办答复 1 看过了", "答复给主办了")
}
