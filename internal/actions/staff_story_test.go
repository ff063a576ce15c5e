package actions

import (
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/internal/people"
	"shaoying/internal/workorder"
)

// The main story of issue 2, section 6: a resident's words become a card, the
// worker takes it, reaches for the resident and reports with a photo.
func TestStaffStory(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", garbage)
	o.is("dispatched")
	n := o.number()
	o.holds(o.laid("wang"), "【1】", "（待接单）", n, "地点：昌盛小区3栋", "居民说：", "前办结", "[接单]", "[退单]", "[转派]")
	o.expect("wang", "接1", "接好了：【1】", "联系 1", "办 1")
	o.is("signed")
	o.expect("wang", "接 1", "在办", "办不了这一步", "转派")
	o.exec(`update person set phone = $1 where id = (select reporter_id from ticket)`, o.set.Orders.Keys.Seal([]byte("13800001234"), "person.phone"))
	o.expect("wang", "联系 1", "怎么联系？")
	o.expect("wang", "看电话", "13800001234", "联系上了吗？")
	if n := one[int64](o.rig, `select count(*) from trail where kind = 'look.phone'`); n != 1 {
		t.Errorf("%d looks in the trail", n)
	}
	o.expect("wang", "联系上了", "记下了")
	if !one[bool](o.rig, `select contacted_at is not null from ticket`) {
		t.Error("the contact is not recorded")
	}
	o.holds(o.send(o.photo("wang", "办 1 垃圾清走了，地也冲了")), "结果是？")
	o.expect("wang", "办好了", n+" 办结了")
	o.is("handled")
	if n := one[int64](o.rig, `select count(*) from ticket_file where use = 'evidence'`); n != 1 {
		t.Errorf("%d photos of the work", n)
	}
	if n := one[int64](o.rig, `select count(*) from due where kind = 'notice' and data->>'key' = 'notice.handled' and data::text not like '%垃圾%'`); n != 1 {
		t.Errorf("%d sealed notices to the resident", n)
	}
	o.expect("wang", "我的", "手上没有工单")
	o.expect("wang", "详情 1", "没有这个号")
}

func TestFinishAsksForThePhotoThatTheMatterWants(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", garbage)
	o.laid("wang")
	o.says("wang", "接 1")
	o.expect("wang", "办 1", "告诉居民")
	o.expect("wang", "清走了", "结果是？")
	o.expect("wang", "1", "照片")
	o.holds(o.send(o.photo("wang", "")), "办结了")
	o.is("handled")
}

// A command stands above the question that is open (design 4).
func TestCommandInTheMiddle(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", garbage)
	o.laid("wang")
	o.says("wang", "接 1")
	o.expect("wang", "办 1", "告诉居民")
	o.expect("wang", "我的", "手上有1件", "【1】")
	o.is("signed")
}

func TestTransferToAColleagueNextDoorAndBack(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", garbage)
	o.laid("wang")
	o.expect("wang", "转 1 昌盛二网格", "给对方留句话")
	o.expect("wang", "在您那边", "转给", "昌盛二网格")
	if d := one[string](o.rig, `select desk from assignment where ended_at is null and role = 'lead'`); d != grid2 {
		t.Fatalf("it lies on %s", d)
	}
	o.expect("wang", "我的", "没有工单")
	o.holds(o.laid("li"), "【1】", "[接单]")
	o.expect("li", "退 1", "为什么退？", "地方不归我们管")
	o.expect("li", "1", "写一句依据")
	o.expect("li", "门牌是隔壁小区的", "等派单员定")
	o.is("disputed")
	o.grants("pai", "同意")
	o.is("received")
	// The dispatcher of the county sees why it came back.
	task := o.task("dispatch")
	o.expect("pai", "待办", "【"+task+"】派单")
	o.expect("pai", "派 "+task, "事情不归我们管", "门牌是隔壁小区的", "派给谁？")
	o.expect("pai", "城管局", "派给城市管理局了")
	o.is("dispatched")
	o.holds(o.laid("qiu"), "[接单]")
	o.expect("qiu", "接 1", "接好了")
	// The grid only knows of it.
	o.holds(o.laid("wang"), "知会", "您知道就行")
	o.expect("wang", "接 1", "这一步不归您")
}

// Design 4, Groups: of a confidential ticket the handler never learns who it
// was; words are passed on, and the answer comes back as a card.
func TestConfidentialIsRelayed(t *testing.T) {
	o := newOffice(t)
	o.report("wu", "昌盛小区3栋垃圾堆了半个月没人收，给我保密")
	o.exec(`update person set phone = $1 where id = (select reporter_id from ticket)`, o.set.Orders.Keys.Seal([]byte("13800001234"), "person.phone"))
	task := o.task("dispatch")
	if task != "0" {
		o.expect("pai", "派 "+task, "派给谁？")
		o.expect("pai", "城管局", "派给qiu了")
	}
	user := "qiu"
	o.holds(o.laid("qiu"), "这件保密")
	o.says("qiu", "接 1")
	got := strings.Join(o.says("qiu", "联系 1"), "\n")
	if strings.Contains(got, "看电话") || !strings.Contains(got, "转过去") {
		t.Fatalf("%s is asked: %s", user, got)
	}
	o.expect("qiu", "在几单元？", "转过去了")
	if got := o.call("qiu", "card.phone", map[string]any{"id": one[int64](o.rig, `select id from ticket`)}); got["fail"] != "contact.no_phone" {
		t.Errorf("the phone: %v", got)
	}
	o.expect("wu", "补充 2单元楼梯口", "补充好了")
	o.holds(o.laid("qiu"), "2单元楼梯口")
}

func TestClerkCompletesAndTranscribes(t *testing.T) {
	o := newOffice(t)
	ev := o.event("hu", bots.KindVoice, "")
	o.send(voiceOf(ev))
	o.is("draft")
	task := o.task("voice")
	o.expect("wen", "转写 "+task, "照着写下来")
	got := o.says("wen", "昌盛小区3栋垃圾堆了半个月没人收")
	for range 3 {
		if last := got[len(got)-1]; !strings.Contains(last, "属于哪一类") {
			break
		}
		got = o.says("wen", "1")
	}
	o.holds(got, "写好了")
	o.is("dispatched")
	if n := one[int64](o.rig, `select count(*) from task where state = 'open' and kind in ('voice', 'complete')`); n != 0 {
		t.Errorf("%d tasks are left", n)
	}
	if !one[bool](o.rig, `select bool_and(transcript is not null) from blob where kind = 'voice'`) {
		t.Error("the transcript is not kept")
	}
}

func TestDispatcherRejectsAndTheLawfulWayIsTold(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", garbage)
	o.laid("wang")
	o.says("wang", "退 1 这是两家打官司的事")
	o.says("wang", "1")
	o.grants("pai", "同意")
	task := o.task("dispatch")
	o.expect("pai", "不受理 "+task, "为什么不受理")
	o.expect("pai", "归法院管", "确定吗")
	o.expect("pai", "是", "不受理")
	o.is("rejected")
	if k := one[string](o.rig, `select data->>'key' from due where kind = 'notice' and state = 'planned'`); k != "notice.rejected.litigation" {
		t.Errorf("the resident is told %s", k)
	}
	o.expect("pai", "不受理 "+task, "已经办过")
}

// handledBy brings a fresh report to where the resident is asked.
func (o *office) handledBy() {
	o.t.Helper()
	o.report("zhang", garbage)
	o.laid("wang")
	o.says("wang", "接 1")
	o.holds(o.send(o.photo("wang", "办 1 清走了")), "结果是？")
	o.expect("wang", "1", "办结了")
}

func TestCallbackByPhoneAndJudge(t *testing.T) {
	o := newOffice(t)
	o.handledBy()
	o.exec(`insert into task (kind, subject, ticket_id, role, area_kind, area) select 'phone', 'ticket:' || id, id, 'callback_clerk', 'county', '360313' from ticket`)
	task := o.task("phone")
	o.expect("hui", "回访结果 "+task, "清走了", "打通了吗？")
	o.expect("hui", "没打通", "要问满3次")
	o.is("callback")
	o.says("hui", "回访 "+task)
	o.expect("hui", "没打通", "还没到时候") // tries are spread over half-days
	if n := one[int64](o.rig, `select count(*) from callback`); n != 1 {
		t.Errorf("%d tries count", n)
	}
	o.says("hui", "回访 "+task)
	o.says("hui", "打通了")
	o.says("hui", "没联系")
	o.expect("hui", "没解决", "满意吗")
	o.expect("hui", "不满意", "居民怎么说")
	o.expect("hui", "又堆起来了", "转给回访员裁定")
	judge := o.task("judge")
	o.expect("hui", "裁定 "+judge, "又堆起来了", "怎么定？")
	o.expect("hui", "有理", "写明理由")
	o.expect("hui", "清运没有排到这里，要重排", "要重办", "告诉居民")
	o.is("redo")
	o.holds(o.laid("wang"), "第1次重办")
	if k := one[string](o.rig, `select data->>'key' from due where kind = 'notice' and state = 'planned' order by id desc limit 1`); k != "notice.redo" {
		t.Errorf("the resident is told %s", k)
	}
}

// Who handled it never judges it, whatever other roles they hold.
func TestOwnWorkIsJudgedByOthers(t *testing.T) {
	o := newOffice(t)
	o.handledBy()
	o.exec(`insert into staff_role (staff_id, role, area_kind, area) select id, 'callback_clerk', 'county', '360313' from staff where slug = 'wang'`)
	o.exec(`insert into task (kind, subject, ticket_id, role, area_kind, area) select 'phone', 'ticket:' || id, id, 'callback_clerk', 'county', '360313' from ticket`)
	o.says("wang", "回访 "+o.task("phone"))
	o.says("wang", "打通了")
	o.says("wang", "1")
	o.says("wang", "1")
	o.expect("wang", "1", "要由别人来评")
	o.is("handled")
}

func TestFindingIsCheckedByAnother(t *testing.T) {
	o := newOffice(t)
	o.expect("wang", "巡查 昌盛小区3栋垃圾堆了一地没人收", "属于哪一类")
	o.expect("wang", "1", "报上去了")
	o.expect("wang", "跳过", "没有照片也照办")
	if !one[bool](o.rig, `select finding from ticket`) {
		t.Fatal("it is no finding")
	}
	o.laid("wang")
	o.says("wang", "接 1")
	o.send(o.photo("wang", "办 1 清走了"))
	o.expect("wang", "1", "办结了")
	task := o.task("check")
	o.expect("wang", "核查 "+task, "没有这个待办")
	o.expect("hui", "核查 "+task, "去看过了吗")
	o.expect("hui", "办好了", "照片")
	o.expect("hui", "跳过", "已结案")
	o.is("closed")
}

func TestReportForAResident(t *testing.T) {
	o := newOffice(t)
	o.says("wang", "代报 昌盛小区3栋垃圾堆了半个月没人收")
	o.says("wang", "周阿姨")
	o.says("wang", "13800001234")
	o.expect("wang", "跳过", "代报好了，编号 ")
	if one[bool](o.rig, `select reported_for is null from ticket`) {
		t.Error("who it is for is not kept")
	}
	o.laid("wang")
	o.says("wang", "接 1")
	// The worker who wrote it down is not asked: a clerk rings the resident.
	o.send(o.photo("wang", "办 "+o.number()+" 清走了"))
	o.expect("wang", "1", "办结了")
	task := o.task("phone")
	o.expect("hui", "回访 "+task, "13800001234")
}

func TestDutyAndSubstitute(t *testing.T) {
	o := newOffice(t)
	o.expect("wang", "休息", "谁替您接单")
	o.expect("wang", "li", "新单发给li")
	o.report("zhang", garbage)
	o.holds(o.laid("li"), "【1】", "[接单]")
	o.expect("li", "接 1", "接好了")
	o.is("signed")
	o.expect("wang", "值班", "您在值班")
	// Back on duty, the substitute has the right no longer.
	o.report("zhang2", garbage)
	o.expect("li", "接 "+o.number(), "没有这个号")
}

func TestAlias(t *testing.T) {
	o := newOffice(t)
	o.says("wang", "叫法")
	o.says("wang", "昌盛小区")
	o.expect("wang", "老粮站", "提上去了：老粮站")
	o.says("li", "叫法")
	o.says("li", "昌盛小区")
	o.expect("li", "粮站", "不归您这边管")
	o.expect("pai", "新叫法", "老粮站 → 昌盛小区")
	o.says("pai", "1")
	o.expect("pai", "对", "找得到")
	if !one[bool](o.rig, `select accepted_at is not null from place_alias`) {
		t.Error("the name is not accepted")
	}
	o.expect("pai", "新叫法", "没有等着定")
}

func TestPersonTaskIsSettled(t *testing.T) {
	o := newOffice(t)
	o.says("zhang", "人工")
	o.says("zhang", "低保的事，电话13800001234")
	task := o.task("person")
	o.expect("hua", "待办", "有人要找工作人员")
	o.expect("hui", "完成 "+task, "没有这个待办") // the county is not the city
	o.expect("hua", "完成 "+task, "低保的事", "怎么办的")
	o.expect("hua", "打过电话，讲清楚了", "完成了")
	if s := one[string](o.rig, `select state || ' ' || outcome from task where kind = 'person'`); s != "done settled" {
		t.Errorf("the task is %s", s)
	}
}

func TestNotesAreForStaff(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", garbage)
	o.laid("wang")
	o.expect("wang", "备注 1 约了周四", "记下了")
	if a := one[string](o.rig, `select audience from ticket_note`); a != "staff" {
		t.Errorf("the note is for %s", a)
	}
	o.expect("wang", "详情", "【1】", "[接单]", "备注")
	o.expect("hui", "详情 "+o.number(), "垃圾", "昌盛小区3栋")
}

func TestJoin(t *testing.T) {
	o := newOffice(t)
	code, err := people.NewInviteCode(strings.NewReader("abcdefghijklmnopqrstuvwxyz"))
	if err != nil {
		t.Fatal(err)
	}
	invite := func(c people.InviteCode, days int) {
		o.exec(`insert into invite (hash, name, role, area_kind, area, created_by, expires_at) values ($1, '周网格', 'grid_worker', 'grid', $2, 'test', product_now() + make_interval(days => $3))`,
			c.Hash(o.set.Orders.Keys), grid, days)
	}
	invite(code, 7)
	o.says("zhou", "您好")
	o.says("zhou", "取消")
	o.exec(`insert into address (channel, user_id, chat, person_id, trust) select 'sms', 'zhou-phone', 'zhou-phone', person_id, 'verified' from address where user_id = 'zhou'`)
	o.expect("zhou", "加入 "+code.Spoken(), "周网格，您好，加入好了")
	if s := one[string](o.rig, `select a.trust || ' ' || r.role || ' ' || r.area from address a join staff s on s.person_id = a.person_id join staff_role r on r.staff_id = s.id where a.user_id = 'zhou'`); s != "verified grid_worker "+grid {
		t.Errorf("joined as %s", s)
	}
	if s := one[string](o.rig, `select trust from address where user_id = 'zhou-phone'`); s != "none" {
		t.Errorf("the number of a colleague is %s: cards would go there", s)
	}
	o.expect("zhou", "怎么用", "周网格，手上0件", "接 3")
	o.expect("lu", "加入 "+string(code), "激活码不对")
	late := people.InviteCode("23456789")
	invite(late, -1)
	o.expect("lu", "激活码 "+string(late), "激活码不对")
	// 加入 in a sentence is no wish to join.
	o.expect("gan", "我们村想加入自来水管网，一直没有人来管", "在什么地方")
	for range o.set.Policy.Lookup.Misses {
		o.says("lu", "加入 ABCDEFGH")
	}
	o.expect("lu", "加入 ABCDEFGH", "请过十分钟再试")
	if n := one[int64](o.rig, `select count(*) from staff where slug like 'p%' and slug <> 'pai'`); n != 1 {
		t.Errorf("%d joined", n)
	}
}

// What could not be delivered is told by telephone: the clerk sees the resident's
// number, the dispatcher that of the colleague.
func TestWhatWasLostIsToldByTelephone(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", garbage)
	o.exec(`update person set phone = $1 where id = (select reporter_id from ticket)`, o.set.Orders.Keys.Seal([]byte("13800001234"), workorder.SealPhone))
	lost := func(role, data string) string {
		o.exec(`update task set state = 'done'`)
		o.exec(`insert into task (kind, subject, ticket_id, role, area_kind, area, data) select 'lost', $1, id, $1, 'county', '360313', $2 from ticket`,
			role, o.set.Orders.Keys.Seal([]byte(data), workorder.SealTask))
		return o.task("lost")
	}
	task := lost("callback_clerk", `{"reason":"lost"}`)
	o.expect("hui", "待办", "有话没送到")
	o.expect("hui", "完成 "+task, "13800001234", "请打电话", "怎么办的")
	o.expect("hui", "打过电话了", "完成了")
	if n := one[int64](o.rig, `select count(*) from trail where kind = 'look.phone'`); n != 1 {
		t.Errorf("%d looks in the trail", n)
	}
	task = lost("dispatcher", `{"reason":"lost_staff","who":"老王","phone":"07991234567"}`)
	got := o.expect("pai", "完成 "+task, "没送到工作人员老王", "07991234567", "怎么办的")
	if strings.Contains(strings.Join(got, "\n"), "1380000") {
		t.Errorf("the dispatcher saw the resident's number: %q", got)
	}
}
