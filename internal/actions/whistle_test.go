package actions

import (
	"fmt"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/configs"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

const township = "360313001"

// newWhistles is an office with the head of a township and a supervisor.
func newWhistles(t testing.TB) *office {
	t.Helper()
	o := newHall(t)
	o.hire("zhen", people.RoleLeader, people.AreaTownship, township)
	o.hire("du", people.RoleSupervisor, people.AreaCounty, "360313")
	o.hire("jing", people.RoleCommunityPolice, people.AreaTownship, township)
	for _, slug := range []string{"zhen", "du", "jing"} {
		o.seat(slug, "verified")
	}
	return o
}

// proposed lets wang propose a whistle from the card of a ticket and returns
// its number.
func (o *office) proposed() string {
	o.t.Helper()
	o.report("zhang", garbage)
	o.laid("wang")
	o.expect("wang", "提哨 "+o.number(), "哪一种哨？", "[综合执法哨]")
	o.expect("wang", "1", "为什么")
	o.expect("wang", "占道经营，要几家一起清", "提上去了")
	return fmt.Sprint(one[int64](o.rig, `select max(id) from whistle`))
}

// called lets the head blow and the county's desk call two units.
func (o *office) called() string {
	o.t.Helper()
	id := o.proposed()
	o.holds(o.laid("zhen"), "哨"+id, "请定吹不吹")
	o.expect("zhen", "吹哨 "+id, "占道经营", "吹吗？")
	o.expect("zhen", "是", "吹响了")
	o.holds(o.laid("pai"), "哨"+id, "请分给单位")
	o.expect("pai", "分哨 "+id+" 城管局、住建局", "分给城市管理局、住房和城乡建设局了")
	return id
}

func (o *office) whistle(column string) string {
	o.t.Helper()
	return one[string](o.rig, `select `+column+`::text from whistle order by id desc limit 1`)
}

func (o *office) pass(d time.Duration) {
	o.t.Helper()
	o.advance(d)
	o.laid("nobody")
}

// From a card to the end: approve, assign, answer, arrive with position and
// photo, handle, appraise, close.
func TestWhistleFromCardToClose(t *testing.T) {
	o := newWhistles(t)
	id := o.called()
	o.holds(o.laid("qiu"), "【哨"+id+"】综合执法哨，请城市管理局报到（主办，待应哨）", "占道经营", "前应哨", "一起来的：住房和城乡建设局", "[应哨]", "[报到]", "[认为是乱吹]")
	o.holds(o.laid("hou"), "请住房和城乡建设局报到（协办，待应哨）")
	o.expect("wang", "提哨 1", "哪一种哨？")
	o.expect("wang", "3", "为什么")
	o.expect("wang", "同一件事又提一次", "已经有一个哨在走")

	o.expect("qiu", "应哨 "+id, "应了")
	o.holds(o.laid("qiu"), "（主办，已应哨）", "[报到]") // the message changes
	o.expect("qiu", "报到", "发个定位")
	place := o.event("qiu", bots.KindPlace, "")
	place.Place = &bots.Place{Lat: 27.64, Lon: 113.73, Datum: bots.DatumWGS84, Label: "昌盛小区"}
	o.holds(o.send(place), "现场照片")
	o.holds(o.send(o.photo("qiu", "")), "报到记下了")
	if n := one[int64](o.rig, `select count(*) from whistle_unit u join whistle_file f on f.unit_id = u.id
		where u.state = 'arrived' and u.position is not null and f.use = 'arrival' and u.arrived_by = (select id from staff where slug = 'qiu')`); n != 1 {
		t.Fatal("place, photo and person of the arrival are not kept")
	}
	o.expect("qiu", "办哨 "+id+" 摊位都清走了", "照片")
	o.expect("qiu", "跳过", "办结记下了")

	// The other unit says it is misuse, and comes all the same.
	o.expect("hou", "乱吹 "+id, "为什么认为是乱吹", "[乡镇自己能办]")
	o.expect("hou", "1", "还有话说")
	o.expect("hou", "跳过", "记下了")
	o.holds(o.laid("zhen"), "住房和城乡建设局认为是乱吹，乡镇自己能办")
	o.holds(o.laid("pai"), "认为是乱吹")
	o.expect("zhen", "销哨 "+id, "单位在办", "办不了这一步")
	o.expect("hou", "报到 "+id, "发个定位")
	o.expect("hou", "跳过", "现场照片")
	o.expect("hou", "跳过", "报到记下了")
	o.expect("zhen", "评哨 "+id, "城市管理局：已办结", "快不快", "[很快]")
	o.expect("zhen", "很快", "怎么样")
	o.expect("zhen", "很好", "还有话说")
	o.expect("zhen", "跳过", "还有1家没评")
	o.expect("zhen", "评哨 "+id, "还不能评")
	o.expect("hou", "办哨 "+id+" 围挡修好了", "照片")
	o.expect("hou", "没有", "办结记下了")
	o.holds(o.laid("zhen"), "请评哨")
	o.expect("zhen", "待办", "【哨"+id+"】评哨")
	o.expect("zhen", "评哨 "+id, "住房和城乡建设局", "（认为是乱吹）")
	o.expect("zhen", "没来", "怎么样")
	o.expect("zhen", "差", "还有话说")
	o.expect("zhen", "叫了两次才来", "都评好了")
	o.expect("zhen", "销哨 "+id, "解决了吗？")
	o.expect("zhen", "解决了", "销了")
	o.holds(o.laid("wang"), "您提的哨"+id+"办完了")
	if s := o.whistle("state || ' ' || solved || ' ' || level"); s != "closed yes 3" {
		t.Errorf("the whistle is %s", s)
	}
	want := "proposed blown assigned answered arrived handled misuse_marked arrived appraised handled appraised closed"
	got := one[string](o.rig, `select string_agg(substr(kind, 9), ' ' order by id) from trail where kind like 'whistle.%'`)
	if got != want {
		t.Errorf("the trail holds %s\nwant %s", got, want)
	}
	if n := one[int64](o.rig, `select count(*) from task where kind like 'whistle%' and state = 'open'`); n != 0 {
		t.Errorf("%d tasks stay open", n)
	}
	o.expect("zhen", "待办", "没有待办")
	o.expect("zhen", "哨单", "没有在走的哨")
	// One appraisal shows no star; the township's misuse stands beside.
	o.expect("zhen", "哨星", "城市管理局 样本不足（评了1次）", "峡山口街道：吹哨1次，其中1次被认为是乱吹")
	o.exec(`insert into whistle_unit (whistle_id, desk_kind, desk, desk_staff, state, called_at, answer_due, arrive_due, arrived_at, appraised_at, speed, quality)
		select $1, 'unit', 'urban_management', n, 'appraised', product_now(), product_now(), product_now(), product_now(), product_now(), 'good', 'good' from generate_series(1, 2) n`, one[int64](o.rig, `select max(id) from whistle`))
	o.expect("qiu", "哨星", "住房和城乡建设局 样本不足", "城市管理局 ★★★★☆ 87分（评了3次")
}

// Who is late is told, and so are those above; who does not turn up raises it.
func TestWhistleLate(t *testing.T) {
	o := newWhistles(t)
	id := o.called()
	for _, slug := range []bots.UserID{"zhen", "pai", "qiu", "hou", "du"} {
		o.laid(slug)
	}
	o.expect("qiu", "应哨 "+id, "应了")
	o.pass(33 * time.Hour) // over the next working day
	o.pass(time.Minute)
	o.holds(o.heard("hou"), "住房和城乡建设局还没应哨")
	o.holds(o.heard("zhen"), "住房和城乡建设局还没应哨")
	if s := o.whistle("level"); s != "3" {
		t.Fatalf("level %s", s)
	}
	o.expect("qiu", "报到 "+id, "发个定位")
	o.expect("qiu", "跳过", "照片")
	o.expect("qiu", "跳过", "记下了")
	o.pass(24 * time.Hour)
	o.pass(time.Minute)
	o.holds(o.heard("zhen"), "住房和城乡建设局过了时间还没到场")
	o.holds(o.heard("du"), "提级到县区领导，请督办")
	if s := o.whistle("level || ' ' || state"); s != "4 assigned" {
		t.Fatalf("%s", s)
	}
	o.expect("du", "待办", "督办哨"+id)
	o.expect("du", "哨单 "+id, "已提级到县区领导", "协办 住房和城乡建设局：待应哨", "【超时】")
	task := o.task("whistle_raised")
	o.expect("du", "完成 "+task, "")
	o.expect("du", "打过电话，明天来", "")
	if s := one[string](o.rig, `select state from task where kind = 'whistle_raised'`); s != "done" {
		t.Errorf("the task is %s", s)
	}
	// A unit that never came is appraised when it is late.
	o.expect("zhen", "评哨 "+id, "住房和城乡建设局：待应哨")
	o.expect("zhen", "没来", "怎么样")
	o.expect("zhen", "差", "还有话说")
	o.expect("zhen", "跳过", "还有1家没评")
	o.expect("hou", "报到 "+id, "已评哨", "办不了这一步")
	o.pass(15 * 24 * time.Hour)
	o.pass(time.Minute)
	if s := o.whistle("level || ' ' || state"); s != "5 assigned" {
		t.Fatalf("after the deadline: %s", s)
	}
}

func TestWhistleGoesBackAndIsNotBlown(t *testing.T) {
	o := newWhistles(t)
	id := o.proposed()
	o.expect("wang", "吹哨 "+id, "不归您这个岗位办")
	o.expect("pai", "分哨 "+id+" 城管局", "等乡镇批准", "办不了这一步")
	o.expect("zhen", "吹哨 "+id, "吹吗？")
	o.expect("zhen", "是", "吹响了")
	o.expect("pai", "退哨 "+id, "为什么退")
	o.expect("pai", "说得不清楚", "退给乡镇了")
	o.holds(o.laid("zhen"), "县区退回", "请定吹不吹")
	o.expect("zhen", "不吹", "县区退回：说得不清楚", "为什么不吹")
	o.expect("zhen", "先自己办，办不了再吹", "不吹了")
	o.holds(o.laid("wang"), "没有吹：先自己办")
	o.pass(10 * 24 * time.Hour)
	if n := one[int64](o.rig, `select count(*) from due where subject like 'whistle:%' and state = 'planned'`); n != 0 {
		t.Errorf("%d rows stay due", n)
	}
}

// An ordinary report becomes a ticket at once, whoever reports: no township
// approves it. Only a whistle asks one.
func TestReportsNeedNoApproval(t *testing.T) {
	o := newWhistles(t)
	o.report("zhang", garbage)
	o.expect("rider", "我是骑士")
	o.report("wu", garbage)
	if n := one[int64](o.rig, `select count(*) from ticket where state = 'dispatched'`); n != 2 {
		t.Errorf("%d tickets are on a desk at once, want 2", n)
	}
	if n := one[int64](o.rig, `select count(*) from task`); n != 0 {
		t.Errorf("%d tasks ask for somebody's word", n)
	}
}

// Free proposals; who may not propose, or has no head above, hears so.
func TestWhistleFreeProposal(t *testing.T) {
	o := newWhistles(t)
	o.expect("hui", "提哨 夜市占道几家都要来", "不归您这个岗位办")
	o.expect("jing", "提哨 夜市占道几家都要来", "哪一种哨？")
	o.expect("jing", "应急", "从哪里来")
	o.expect("jing", "议事会", "什么地方")
	o.expect("jing", "昌盛小区", "提上去了")
	if s := o.whistle("kind || ' ' || source || ' ' || coalesce(ticket_id, 0)"); s != "emergency deliberation 0" {
		t.Errorf("the whistle is %s", s)
	}
	// An emergency runs on other clocks: half an hour to approve.
	o.laid("zhen")
	o.pass(31 * time.Minute)
	o.holds(o.laid("zhen"), "【急】", "还没定吹不吹")
}

// In work groups: one message a unit, and one status in the township's group
// that changes in place.
func TestWhistleInGroups(t *testing.T) {
	o := newWhistles(t)
	o.hire("tou", people.RoleHandler, people.AreaTownship, township)
	o.seat("tou", "verified")
	o.bound(hall, "tou", "绑定工作群 峡山口街道")
	o.bound(square, "qiu", "绑定工作群")
	id := o.called()
	o.holds(o.laid(bots.UserID(square)), "请城市管理局报到（主办，待应哨）", "[应哨]")
	o.silent(o.heard("qiu")) // one message: the group's
	o.holds(o.heard(bots.UserID(hall)), "主办 城市管理局：待应哨", "协办 住房和城乡建设局：待应哨")
	o.holds(o.heard("hou"), "请住房和城乡建设局报到")
	o.holds(o.in(square, "qiu", "应哨 "+id), "应了")
	o.holds(o.laid(bots.UserID(square)), "已应哨", "[报到]")
	o.holds(o.heard(bots.UserID(hall)), "主办 城市管理局：已应哨")
	for _, reason := range []string{"whistle.card", "whistle.call"} {
		if n := one[int64](o.rig, `select count(*) from outbox where reason = $1 and edits = 0 and chat in ($2, $3)`, reason, string(hall), string(square)); n != 1 {
			t.Errorf("%d messages of %s in groups, want one that is changed", n, reason)
		}
	}
	// A stranger comes: what lies there is covered, and the people hear in private.
	o.in(square, "mallory", "你好")
	o.exec(`update whistle_unit set desk_staff = 0`)
	o.expect("hou", "应哨 "+id, "应了")
	o.holds(o.laid(bots.UserID(square)), "收起来了")
	o.holds(o.heard("qiu"), "请城市管理局报到")
}

// A private whistle goes to named people only, never into a group.
func TestWhistleOverPrivateTicket(t *testing.T) {
	o := newWhistles(t)
	o.hire("tou", people.RoleHandler, people.AreaTownship, township)
	o.seat("tou", "verified")
	o.bound(hall, "tou", "绑定工作群 峡山口街道")
	o.bound(square, "qiu", "绑定工作群")
	id := o.proposed()
	o.heard(bots.UserID(hall)) // the card of the ticket, while it was not private
	o.exec(`update ticket set sensitive = true`)
	o.expect("zhen", "吹哨 "+id, "吹吗？")
	o.expect("zhen", "是", "吹响了")
	o.expect("pai", "分哨 "+id+" 城管局", "分给qiu了")
	o.silent(o.laid(bots.UserID(hall)))
	o.silent(o.heard(bots.UserID(square)))
	o.holds(o.heard("qiu"), "请城市管理局qiu报到")
	o.holds(o.in(square, "qiu", "应哨 "+id), "请单独发给我")
	o.expect("wang", "哨单", "【哨"+id+"】") // who proposed it may follow it
	o.expect("jing", "哨单 "+id, "没有这个哨")
}

// A complaint never reaches the unit or the person it is about, not even by
// way of a whistle.
func TestWhistleNeverReachesWhomItIsAbout(t *testing.T) {
	o := newWhistles(t)
	id := o.proposed()
	o.exec(`update ticket set against = '{urban_management}', against_staff = array[(select id from staff where slug = 'pai')]`)
	o.expect("zhen", "吹哨 "+id, "吹吗？")
	o.expect("zhen", "是", "吹响了")
	o.silent(o.laid("pai"))
	o.expect("pai", "哨单", "没有在走的哨")
	o.expect("pai", "分哨 "+id+" 住建局", "没有这个哨")
	o.hire("bao", people.RoleDispatcher, people.AreaCounty, "360313")
	o.seat("bao", "verified")
	o.expect("bao", "分哨 "+id+" 城管局", "这件不能交给那边")
	o.expect("bao", "分哨 "+id+" 住建局", "分给住房和城乡建设局了")
	o.silent(o.laid("qiu"))
	// Where the only head is meant, nobody can be asked.
	o.exec(`update whistle set state = 'declined'; update ticket set against_staff = array[(select id from staff where slug = 'zhen')]`)
	o.heard("zhen")
	o.expect("wang", "提哨 1", "哪一种哨？")
	o.expect("wang", "1", "为什么")
	o.expect("wang", "几家单位都要到场", "没有能批的乡镇负责人")
	o.silent(o.laid("zhen"))
}

// Every key that the rules and the policy can lead to has its text.
func TestWhistleTexts(t *testing.T) {
	o := newWhistles(t)
	body, err := configs.Read("policies/whistle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ticket.ParseWhistlePolicy("whistle.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	keys := ticket.WhistleRefusalKeys()
	add := func(prefix string, codes []string) {
		for _, c := range codes {
			keys = append(keys, prefix+c)
		}
	}
	add("reason.whistle_decline.", p.Reasons.Decline)
	add("reason.whistle_return.", p.Reasons.Return)
	add("reason.whistle_misuse.", p.Reasons.Misuse)
	add("reason.whistle_raise.", p.Reasons.Escalate)
	add("whistle.task.", workorder.WhistleTasks())
	add("todo.", workorder.WhistleTasks())
	for _, row := range ticket.WhistleTransitions() {
		keys = append(keys, "whistle.button."+string(row.Command))
	}
	for _, s := range ticket.WhistleStates() {
		keys = append(keys, "whistle.state."+string(s))
	}
	for _, s := range ticket.PartStates() {
		keys = append(keys, "whistle.part."+string(s))
	}
	for _, k := range keys {
		if _, _, err := o.set.Library.TextSource(k); err != nil {
			t.Errorf("%s: %v", k, err)
		}
	}
	for _, row := range ticket.WhistleTransitions() {
		if flow := "staff_" + string(row.Command); !o.set.Library.Has(flow) {
			t.Errorf("no dialogue %s", flow)
		}
	}
}
