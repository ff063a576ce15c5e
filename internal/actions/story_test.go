package actions

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// report says something and answers what is asked until it is filed.
func (r *rig) report(user bots.UserID, said string) []string {
	r.t.Helper()
	got := r.says(user, said)
	for range 5 {
		last := got[len(got)-1]
		switch {
		case strings.Contains(last, "照片"), strings.Contains(last, "photo"):
			got = r.says(user, "跳过")
		case strings.Contains(last, "这属于哪一类？"):
			got = r.says(user, "1")
		case strings.Contains(last, "是不是这件事？"):
			got = r.says(user, "不是")
		case strings.Contains(last, "要不要给您保密"):
			got = r.says(user, "不用")
		case strings.Contains(last, "对吗？"), strings.Contains(last, "Right?"):
			got = r.says(user, "对")
		default:
			return got
		}
	}
	r.t.Fatalf("%q is not filed: %q", said, got)
	return nil
}

// garbage is a report of which nothing is missing but a photo.
const garbage = "昌盛小区3栋垃圾堆了半个月没人收"

// filed files the sample report for a user and returns its number.
func (r *rig) filed(user bots.UserID) string {
	r.t.Helper()
	got := r.report(user, "昌盛小区3栋楼下水井盖有些松动，走上去会响")
	r.holds(got, "已受理，编号 "+r.number(), "3月", "前答复您")
	return r.number()
}

func TestReport(t *testing.T) {
	r := newRig(t)
	r.expect("zhang", "你好", "要办什么？")
	r.expect("zhang", "昌盛小区3栋楼下水井盖有些松动，走上去会响", "方便的话拍张照片")
	r.expect("zhang", "跳过", "对吗？")
	got := r.says("zhang", "好的")
	r.holds(got, "已受理，编号 "+r.number(), "告诉您一声")
	if n := one[string](r, `select grid from ticket`); n != grid {
		t.Errorf("the grid is %q", n)
	}
	if s := one[string](r, `select matter || ' ' || claim || ' ' || state from ticket`); !strings.HasPrefix(s, "manhole help") {
		t.Errorf("filed as %s", s)
	}
	// The notice comes once per version.
	if got := strings.Join(r.report("zhang", garbage), "\n"); strings.Contains(got, "告诉您一声") || !strings.Contains(got, "已受理") {
		t.Errorf("the second filing says:\n%s", got)
	}
}

func TestPlaceIsAskedBack(t *testing.T) {
	r := newRig(t)
	r.expect("li", "桥头村水井盖松动了", "同名的有几处", "[湘东区东桥镇桥头村] [莲花县坊楼镇桥头村]")
	r.expect("li", "２", "方便的话拍张照片")
	r.holds(r.report("li", "没有"), "已受理")
	if d := one[string](r, `select division from ticket`); d != bridge2 {
		t.Errorf("filed in %s", d)
	}
}

func TestUnknownPlaceGoesToTheDispatcher(t *testing.T) {
	r := newRig(t)
	r.expect("li", "水井盖松动了好多天", "在什么地方？")
	r.expect("li", "湘东区修车铺后面", "方便的话")
	r.expect("li", "跳过", "地点：湘东区修车铺后面")
	r.expect("li", "对", "已受理")
	if s := one[string](r, `select division from ticket`); s != "360313" {
		t.Errorf("the county that was named is not kept: %q", s)
	}
	if s := one[string](r, `select area from task where kind = 'dispatch'`); s != "360313" {
		t.Errorf("the task lies in %q", s)
	}
}

func TestDanger(t *testing.T) {
	r := newRig(t)
	got := r.says("chen", "着火了，快来人")
	r.holds(got, "119", "已经按急件报上去了，编号 "+r.number(), "不能代替报警", "在什么地方？")
	if s := one[string](r, `select urgency || ' ' || danger from ticket`); s != "urgent fire" {
		t.Errorf("filed as %s", s)
	}
	r.expect("chen", "昌盛小区3栋", "地点记下了：昌盛小区3栋", "告诉您一声")
	if s := one[string](r, `select division from ticket`); s != village {
		t.Errorf("the place was not added: %q", s)
	}
	if r.tickets() != 1 {
		t.Errorf("%d tickets of one fire", r.tickets())
	}
}

func TestDangerInTheMiddleOfAReport(t *testing.T) {
	r := newRig(t)
	r.expect("chen", "昌盛小区3栋楼下水井盖有些松动", "方便的话")
	r.holds(r.says("chen", "着火了！"), "119", "编号 "+r.number())
	if n := r.tickets(); n != 1 {
		t.Errorf("%d tickets", n)
	}
	if s := one[string](r, `select grid || ' ' || danger from ticket`); s != grid+" fire" {
		t.Errorf("what was known is not carried over: %s", s)
	}
}

func TestSixthReportInAnHour(t *testing.T) {
	r := newRig(t)
	for range 5 {
		r.holds(r.report("zhou", garbage), "已受理")
	}
	r.holds(r.report("zhou", garbage), "您这一小时报的件数已满")
	// Danger is never limited.
	r.expect("zhou", "昌盛小区3栋着火了", "编号")
	if n := r.tickets(); n != 6 {
		t.Errorf("%d tickets", n)
	}
	r.advance(61 * time.Minute)
	r.holds(r.report("zhou", garbage), "已受理")
}

// S4: a number of somebody else and one that does not exist get the same
// words, and who guesses is locked out.
func TestNumbersCannotBeWalked(t *testing.T) {
	r := newRig(t)
	theirs := r.filed("zhang")
	foreign := r.says("spy", "撤回 "+theirs)
	free, err := ticket.NewNumber(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	unknown := r.says("spy", "撤回 "+free.Spoken())
	if len(foreign) != 1 || !slices.Equal(foreign, unknown) {
		t.Errorf("they differ: %q, %q", foreign, unknown)
	}
	for range 6 {
		r.says("spy", "撤回 "+theirs)
	}
	r.expect("spy", "撤回 "+theirs, "编号错了好几次")
	r.advance(11 * time.Minute)
	r.expect("spy", "撤回 "+theirs, "没有找到这件")
	if s := one[string](r, `select state from ticket`); s == "withdrawn" {
		t.Error("a stranger withdrew it")
	}
}

func TestMyTicketsAddWithdraw(t *testing.T) {
	r := newRig(t)
	r.expect("zhang", "我的工单", "还没有您的工单")
	n := r.filed("zhang")
	r.expect("zhang", "我的工单", n, "派下去了")
	r.expect("zhang", "补充：昨天又掉下去一块", "补充好了，编号 "+n)
	o, err := r.set.Orders.Keys.Open(one[[]byte](r, `select words from ticket`), "ticket.words")
	if err != nil || !strings.Contains(string(o), "昨天又掉下去一块") {
		t.Errorf("the words are %q, %v", o, err)
	}
	r.expect("zhang", "撤回", "真的要撤吗")
	r.expect("zhang", "不用了", "接着办")
	r.expect("zhang", "撤回", "真的要撤吗")
	r.expect("zhang", "是", n+" 撤回了")
	r.expect("zhang", "撤回", "没有可以撤回的工单")
	r.expect("zhang", "撤回 "+n, "真的要撤吗")
	r.expect("zhang", "是", "撤不了")
}

func TestDangerCannotBeWithdrawn(t *testing.T) {
	r := newRig(t)
	r.says("chen", "昌盛小区3栋着火了")
	r.expect("chen", "撤回", "真的要撤吗")
	r.expect("chen", "是", "有危险，撤不了")
}

func TestConfidentialAndAnonymous(t *testing.T) {
	r := newRig(t)
	r.holds(r.report("wu", "昌盛小区3栋楼下打麻将太吵了，给我保密"), "已受理", "这件给您保密", "看不到您的姓名和电话")
	if !one[bool](r, `select confidential from ticket`) {
		t.Error("it is not confidential")
	}
	r.holds(r.report("wu", "匿名说一句，昌盛小区3栋半夜放鞭炮"), "这件是匿名的")
	if !one[bool](r, `select anonymous from ticket order by id desc limit 1`) {
		t.Error("it is not anonymous")
	}
}

func TestComplaintNeverReachesWhomItIsAbout(t *testing.T) {
	r := newRig(t)
	r.report("wu", "投诉昌盛小区3栋的网格员态度恶劣，垃圾没人管")
	if a := one[[]string](r, `select against from ticket`); len(a) != 1 || a[0] != grid {
		t.Errorf("against %v", a)
	}
	if n := one[int64](r, `select count(*) from assignment where desk = $1`, grid); n != 0 {
		t.Error("it lies on the desk that it is about")
	}
}

func TestVoice(t *testing.T) {
	r := newRig(t)
	voice := func() []string {
		ev := r.event("hu", bots.KindVoice, "")
		ev.Files = []bots.File{{MIME: "audio/webm", Data: []byte("sound")}}
		return r.send(ev)
	}
	r.holds(voice(), "录音收到了，编号 "+r.number())
	r.holds(voice(), r.number())
	if n := r.tickets(); n != 1 {
		t.Errorf("%d tickets of two recordings that follow each other", n)
	}
	if n := one[int64](r, `select count(*) from ticket_file where use = 'voice'`); n != 2 {
		t.Errorf("%d recordings kept", n)
	}
	if n := one[int64](r, `select count(*) from task where kind = 'voice' and state = 'open'`); n != 1 {
		t.Errorf("%d tasks", n)
	}
	// In the middle of a report the dialogue stays as it is.
	r.expect("zhang", "水井盖松动了好多天", "在什么地方？")
	ev := r.event("zhang", bots.KindVoice, "")
	ev.Files = []bots.File{{MIME: "audio/webm", Data: []byte("sound")}}
	r.holds(r.send(ev), "录音收到了")
	r.expect("zhang", "昌盛小区3栋", "方便的话拍张照片")
	// A transcript of the network is words.
	ev = r.event("hu2", bots.KindVoice, garbage)
	ev.Files = []bots.File{{MIME: "audio/webm", Data: []byte("sound")}}
	r.holds(r.send(ev), "方便的话拍张照片")
}

func TestPersonStopStart(t *testing.T) {
	r := newRig(t)
	r.expect("he", "人工", "转给工作人员了，3月3日", "先说说是什么事")
	r.expect("he", "低保的事", "记下了")
	if n := one[int64](r, `select count(*) from task where kind = 'person' and state = 'open'`); n != 1 {
		t.Errorf("%d tasks", n)
	}
	r.expect("he", "退订", "不再主动发消息")
	if s := one[string](r, `select state from address where user_id = 'he'`); s != "stopped" {
		t.Errorf("the address is %s", s)
	}
	r.expect("he", "恢复", "恢复了")
	if s := one[string](r, `select state from address where user_id = 'he'`); s != "active" {
		t.Errorf("the address is %s", s)
	}
	r.expect("he", "人工湖栏杆坏了", "在什么地方？")
	r.expect("he2", "健身房退订不了，老板跑了", "在什么地方？")
}

func TestEnglish(t *testing.T) {
	r := newRig(t)
	r.expect("joe", "English please", "English from now on", "What can we do?")
	r.expect("joe", "1", "What is wrong?")
	r.holds(r.report("joe", garbage), "Filed, number "+r.number(), "A word on privacy")
}

func TestReportFor(t *testing.T) {
	r := newRig(t)
	r.expect("son", "替我妈报个事，昌盛小区3栋垃圾堆了半个月没人收", "替谁反映？")
	r.holds(r.report("son", "周阿姨，3栋201"), "已受理")
	plain, err := r.Keys.Open(one[[]byte](r, `select reported_for from ticket`), "ticket.reported_for")
	if err != nil || string(plain) != "周阿姨，3栋201" {
		t.Errorf("reported for %q, %v", plain, err)
	}
}

func TestRider(t *testing.T) {
	r := newRig(t)
	r.expect("zhou", "我是骑士", "您送什么？")
	r.expect("zhou", "外卖", "怎么称呼您？")
	r.expect("zhou", "小周", "手机号")
	r.expect("zhou", "138 0000 0000", "小周，登记好了", "告诉您一声")
	if s := one[string](r, `select platform || ' ' || kind from rider join person on id = person_id`); s != "food rider" {
		t.Errorf("enrolled as %s", s)
	}
}

func TestHandoverKeepsWhatWasSaid(t *testing.T) {
	r := newRig(t)
	r.says("wei", garbage)
	r.expect("wei", "跳过", "对吗？")
	r.expect("wei", "你们几点下班", "没看明白")
	r.expect("wei", "我问你们几点下班", "会有人联系您")
	if s := one[string](r, `select state from ticket`); s != "draft" {
		t.Errorf("the ticket is %s", s)
	}
}

// A word that leads elsewhere does not drop a report that was begun.
func TestAbandonedReportIsKept(t *testing.T) {
	r := newRig(t)
	r.expect("wei", "水井盖松动了好多天", "在什么地方？")
	r.holds(r.says("wei", "人工"), "刚才没说完的先记下了，编号 "+r.number(), "转给工作人员了")
	if s := one[string](r, `select state from ticket`); s != "draft" {
		t.Errorf("the ticket is %s", s)
	}
	// 取消 is a wish to drop it.
	r.expect("wu", "水井盖松动了好多天", "在什么地方？")
	r.expect("wu", "取消", "取消了")
	if n := r.tickets(); n != 1 {
		t.Errorf("%d tickets", n)
	}
}

func TestBindCode(t *testing.T) {
	r := newRig(t)
	r.expect("old", "我是骑士", "您送什么？")
	r.says("old", "1")
	r.says("old", "小周")
	r.says("old", "13800000000")
	r.expect("new", "绑定", "手机号")
	known := r.says("new", "13800000000")
	r.expect("other", "绑定", "手机号")
	if unknown := r.says("other", "13900000000"); strings.Join(unknown, "") != strings.Join(known, "") {
		t.Errorf("a number that is known can be told from others: %q, %q", known, unknown)
	}
	r.expect("other", "123456", "数字不对")
	r.expect("other", "123456", "验证码不对")
	if n := one[int64](r, `select count(*) from due where kind = 'code'`); n != 1 {
		t.Fatalf("%d codes on their way", n)
	}
	var due workorder.CodeDue
	r.open(`select data from due where kind = 'code'`, &due)
	digits, err := r.Keys.Open(due.Digits, workorder.SealCode)
	if err != nil {
		t.Fatal(err)
	}
	r.expect("new", string(digits), "绑定好了")
	if s := one[string](r, `select trust from address where user_id = 'new'`); s != bots.TrustVerified.String() {
		t.Errorf("trust is %s", s)
	}
	if n := one[int64](r, `select count(distinct coalesce(p.merged_into, p.id)) from address a join person p on p.id = a.person_id where a.user_id in ('old', 'new')`); n != 1 {
		t.Error("they are still two persons")
	}
}

// handled brings the last ticket to where the resident is asked.
func (r *rig) handled() {
	r.exec(`update ticket set state = 'handled', handled_at = product_now(), unit_result = 'resolved'`)
}

func TestCallback(t *testing.T) {
	for _, c := range []struct {
		name                       string
		answers                    []string
		end, state, facts, outcome string
	}{
		{"content", []string{"1", "解决了", "满意"}, "谢谢您，记下了", "closed", "yes yes satisfied", "resolved"},
		{"partly", []string{"没联系", "修了一半", "凑合"}, "谢谢您，记下了", "closed", "no partly fairly_satisfied", "partly"},
		{"unhappy", []string{"1", "没解决", "不满意", "对", "老样子，没人来"}, "会有专人来看", "callback", "yes no dissatisfied", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.filed("zhang")
			r.handled()
			r.push("callback")
			r.holds(r.heard("zhang"), "办事的人联系过您吗")
			var got []string
			for _, a := range c.answers {
				got = r.says("zhang", a)
			}
			r.holds(got, c.end)
			if s := one[string](r, `select state from ticket`); s != c.state {
				t.Errorf("the ticket is %s", s)
			}
			if s := one[string](r, `select contacted || ' ' || solved || ' ' || satisfied from ticket`); s != c.facts {
				t.Errorf("the facts are %s", s)
			}
			if s := one[string](r, `select outcome from ticket`); s != c.outcome {
				t.Errorf("the outcome is %q", s)
			}
			if n := one[int64](r, `select count(*) from prompt where closed_at is null`); n != 0 {
				t.Error("the prompt is still open")
			}
			if n := one[int64](r, `select count(*) from task where kind = 'judge' and state = 'open'`); n != map[bool]int64{true: 1}[c.outcome == ""] {
				t.Errorf("%d tasks to judge", n)
			}
		})
	}
}

func TestRelapse(t *testing.T) {
	r := newRig(t)
	n := r.filed("zhang")
	r.exec(`update ticket set state = 'closed', closed_at = product_now(), outcome = 'resolved'`)
	r.advance(5 * 24 * time.Hour)
	r.expect("zhang", "井盖又坏了", "是以前报过的哪一件？", n)
	r.expect("zhang", "1", n+" 重新办")
	if s := one[int32](r, `select relapses from ticket`); s != 1 {
		t.Errorf("%d relapses", s)
	}
	r.exec(`update ticket set state = 'closed', closed_at = product_now(), outcome = 'resolved'`)
	r.advance(20 * 24 * time.Hour)
	r.expect("zhang", n+" 又坏了", "结束太久了")
	r.holds(r.report("zhang", "昌盛小区3栋下水道又堵了"), "已受理")
}

func TestStillFine(t *testing.T) {
	r := newRig(t)
	n := r.filed("zhang")
	r.exec(`update ticket set state = 'closed', closed_at = product_now(), outcome = 'resolved'`)
	r.exec(`insert into survey (kind, person_id, ticket_id) select 'still_fine', reporter_id, id from ticket`)
	r.advance(28 * 24 * time.Hour)
	r.push("still_fine")
	r.heard("zhang")
	r.expect("zhang", "又坏了", n+" 重新办")
	if s := one[string](r, `select answer from survey`); s != "broken" {
		t.Errorf("the answer is %q", s)
	}
}

func TestSurvey(t *testing.T) {
	r := newRig(t)
	r.filed("zhang")
	r.exec(`update ticket set state = 'closed', closed_at = product_now(), outcome = 'unconfirmed'`)
	r.exec(`insert into survey (kind, person_id, ticket_id) select 'rating', reporter_id, id from ticket`)
	r.push("survey")
	r.heard("zhang")
	r.expect("zhang", "不太满意", "您说“不满意”，对吗？")
	r.expect("zhang", "对", "会有工作人员来问问您")
	if n := one[int64](r, `select count(*) from task where kind = 'person' and state = 'open'`); n != 1 {
		t.Errorf("%d tasks", n)
	}
}

// 取消 while a visit waits for its answer asks which is meant.
func TestCancelUnderAVisit(t *testing.T) {
	w := newWard(t)
	_, v := w.family()
	w.asksAbout("wife", v)
	w.expect("wife", "取消", "您说的取消，是哪一种？")
	w.expect("wife", "只是这一次不用来", "先不去")
	if w.state(v) != "declined" {
		t.Errorf("it is %s: one word cancels no visit", w.state(v))
	}
}

func TestEveryActionIsDocumented(t *testing.T) {
	all, docs := (&Set{}).All(), Docs()
	for name := range all {
		if _, ok := docs[name]; !ok {
			t.Errorf("%s is not in Docs", name)
		}
	}
	for name := range docs {
		if all[name] == nil {
			t.Errorf("%s is documented and does not exist", name)
		}
	}
}
