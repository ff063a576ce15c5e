package actions

import (
	"strings"
	"testing"
	"time"

	"shaoying/internal/care"
)

// family lets a wife in, with a chat and an open bed.
func (w *ward) family() (bed, visit int64) {
	w.t.Helper()
	w.says("wife", "你好")
	w.exec(`update conversation set flow = '', state = null where user_id = 'wife'`)
	bed = w.opens("wife")
	return bed, w.visit(bed, 0)
}

func TestVisitIsConfirmed(t *testing.T) {
	w := newWard(t)
	_, v := w.family()
	w.holds(w.asksAbout("wife", v), "上门，届时家中有人吗？", "核验码", "不收费、不要验证码", "[有人]")
	w.expect("wife", "在家", "好的，明天(3月4日)9:00-11:00见。")
	if w.state(v) != string(care.VisitConfirmed) {
		t.Errorf("it is %s", w.state(v))
	}
	// Who thinks better of it is heard, though the question was answered.
	w.expect("wife", "改期", "哪个合适？", "[都不行]")
	if w.state(v) != string(care.VisitMoveAsked) {
		t.Errorf("it is %s", w.state(v))
	}
	w.expect("wife", "1", "改好了，")
	if w.state(v) != string(care.VisitConfirmed) || one[int](w.rig, `select moves from visit where id = $1`, v) != 1 {
		t.Errorf("it is %s", w.state(v))
	}
}

func TestVisitIsDeclinedAndTheDeskRings(t *testing.T) {
	w := newWard(t)
	_, v := w.family()
	w.asksAbout("wife", v)
	w.expect("wife", "家里没人", "哪个合适？")
	w.expect("wife", "都不行", "先不去", "0799-2222222")
	if w.state(v) != string(care.VisitDeclined) || one[int64](w.rig, `select count(*) from due where kind = 'care.task' and key like 'call_declined%' and state = 'planned'`) != 1 {
		t.Errorf("it is %s, and nobody rings", w.state(v))
	}
}

// Done means 4: an answer to a dead visit is answered truthfully, after the prompt was
// closed with it too.
func TestDeadVisitIsAnsweredWithTheTruth(t *testing.T) {
	w := newWard(t)
	bed, v := w.family()
	w.asksAbout("wife", v)
	w.do(v, care.Cancel{Reason: "doctor"})
	if n := one[int64](w.rig, `select count(*) from prompt where closed_at is null`); n != 0 {
		t.Fatalf("%d prompts are open", n)
	}
	for _, said := range []string{"1", "有人", "家里有人"} {
		got := w.expect("wife", said, "已经取消了，不会有人来")
		if strings.Contains(strings.Join(got, ""), "见。") {
			t.Errorf("%q was confirmed", said)
		}
	}
	// Another story is none of that.
	got := strings.Join(w.says("wife", "昌盛小区3栋楼下垃圾没人收"), "\n")
	if strings.Contains(got, "取消") {
		t.Errorf("a report was taken for an answer: %s", got)
	}
	// A day later it is nothing any more.
	w.says("wife", "取消")
	w.advance(25 * time.Hour)
	if got := strings.Join(w.says("wife", "1"), "\n"); strings.Contains(got, "取消了，不会有人来") {
		t.Errorf("25 hours later: %s", got)
	}
	_ = bed
}

func TestMovedVisitIsAskedAboutAgain(t *testing.T) {
	w := newWard(t)
	_, v := w.family()
	w.asksAbout("wife", v)
	w.exec(`update visit set version = version + 1, starts = 870, ends = 990 where id = $1`, v)
	w.expect("wife", "有人", "时间改了，现在是明天(3月4日)14:30-16:30上门。那时家中有人吗？")
	if w.state(v) == string(care.VisitConfirmed) {
		t.Error("an answer to the old time confirmed the new one")
	}
	w.expect("wife", "有", "14:30-16:30见")
	if w.state(v) != string(care.VisitConfirmed) {
		t.Errorf("it is %s", w.state(v))
	}
}

func TestSeveralVisitsInOneQuestion(t *testing.T) {
	w := newWard(t)
	bed, v := w.family()
	second := w.visit(bed, 1)
	w.holds(w.asksAbout("wife", v, second), "、")
	w.expect("wife", "有人", "见。")
	if w.state(v) != "confirmed" || w.state(second) != "confirmed" {
		t.Errorf("they are %s and %s", w.state(v), w.state(second))
	}
	w.asksAbout("wife", v, second)
	w.expect("wife", "没人", "说的是哪一次？", "[都是]")
	w.expect("wife", "2", "哪个合适？")
	if w.state(v) != "confirmed" || w.state(second) != "declined" {
		t.Errorf("they are %s and %s", w.state(v), w.state(second))
	}
}

func TestWorseIsHeardAtAnyTime(t *testing.T) {
	w := newWard(t)
	bed, v := w.family()
	w.asksAbout("wife", v)
	w.expect("wife", "有人，不过他从昨晚发烧", "打120！", "0799-2222222")
	subject := "bed:" + one[string](w.rig, `select $1::bigint::text`, bed)
	if one[int64](w.rig, `select count(*) from task where subject = $1 and state = 'open' and kind in ('care.worse', 'care.worse_doctor')`, subject) != 2 {
		t.Error("desk and doctor were not told")
	}
	if n := w.tickets(); n != 0 {
		t.Errorf("%d tickets", n)
	}
	w.expect("wife", "有人", "见。") // the question is still open
	// What the ladders look at again takes no wish of the family away.
	w.do(v, care.Confirm{})
	if one[int64](w.rig, `select count(*) from task where subject = $1 and state = 'open'`, subject) != 2 {
		t.Error("the tasks are gone")
	}
	// A stranger's fever is a report like any other.
	got := strings.Join(w.says("zhang", "我家小孩发烧，卫生院不接诊"), "\n")
	if strings.Contains(got, "已经告诉服务站") {
		t.Errorf("who has no bed is told %s", got)
	}
}

func TestDangerReachesTheDeskOfABed(t *testing.T) {
	w := newWard(t)
	w.family()
	w.expect("wife", "我老伴喘不上气了", "120")
	if w.tickets() != 1 || one[int64](w.rig, `select count(*) from task where kind = 'care.worse'`) != 1 {
		t.Error("ticket and task are both wanted")
	}
}

func TestWrongCodeAtTheDoor(t *testing.T) {
	w := newWard(t)
	_, v := w.family()
	w.expect("wife", "门口的人核验码不对", "先别开门", "0799-2222222", "110")
	if one[int64](w.rig, `select count(*) from task where kind = 'care.stranger'`) != 1 {
		t.Error("nobody was sent today, and the desk does not hear")
	}
	w.advance(24 * time.Hour)
	w.expect("wife", "核验码不对", "先别开门")
	if one[int64](w.rig, `select count(*) from due where kind = 'care.task' and key like 'wrong_code%'`) != 1 {
		t.Error("the desk does not hear of the wrong code")
	}
	code, err := w.set.Care.DoorCode(care.Visit{ID: v})
	if err != nil {
		t.Fatal(err)
	}
	w.expect("wife", "核验码是"+code+"吗", "这个码是对的")
}

// By SMS too: the code goes to this number, so that it is right may go there as well.
// Another number learns nothing.
func TestRightCodeBySMS(t *testing.T) {
	w := newWard(t)
	w.filedBySMS(1)
	v := w.visit(w.opens(phoneUser(1)), 0)
	w.advance(24 * time.Hour)
	code, err := w.set.Care.DoorCode(care.Visit{ID: v})
	if err != nil {
		t.Fatal(err)
	}
	w.single(1, "核验码是"+code+"吗", "这个码是对的")
	wrong := code[:3] + string('0'+(code[3]-'0'+1)%10)
	w.single(1, "核验码是"+wrong+"吗", "先别开门", "0799-2222222")
	if one[int64](w.rig, `select count(*) from due where kind = 'care.task' and key like 'wrong_code%'`) != 1 {
		t.Error("the desk hears of one wrong code, and of no right one")
	}
	w.single(2, "核验码是"+code+"吗", "先别开门", "12345")
}

func TestConsentIsWithdrawnInOneWord(t *testing.T) {
	w := newWard(t)
	bed, v := w.family()
	w.asksAbout("wife", v)
	w.expect("wife", "撤回同意", "已经撤回", "上门先停下")
	if got := one[string](w.rig, `select state || ' ' || reason from bed where id = $1`, bed); got != "suspended consent" {
		t.Errorf("the bed is %s", got)
	}
	if one[int64](w.rig, `select count(*) from prompt where closed_at is null`) != 0 {
		t.Error("a question is still open")
	}
	w.expect("wife", "有人", "现在停着")
	w.expect("wife", "撤回同意", "已经撤回")
}

func TestLeavingCareIsTheDesks(t *testing.T) {
	w := newWard(t)
	bed, _ := w.family()
	w.expect("wife", "以后都不用上门了", "工作人员打电话跟您商量")
	if one[int64](w.rig, `select count(*) from task where kind = 'care.leave' and area = 'cli'`) != 1 || one[string](w.rig, `select state from bed where id = $1`, bed) != "open" {
		t.Error("the clinic's desk rings, and the bed stays open")
	}
}

func TestMyVisitsAndTheirCosts(t *testing.T) {
	w := newWard(t)
	w.family()
	w.expect("wife", "我的上门", "明天(3月4日)9:00-11:00", "核验码", "0799-2222222")
	w.expect("wife", "医保报不报", "上门一次30元", "0799-2222222")
	w.expect("zhang", "我的上门", "这里没有您家的上门服务")
	w.expect("zhang", "上门多少钱", "住在哪个小区或村")
	w.expect("zhang", "昌盛小区", "上门一次30元")
}

func TestVisitIsRated(t *testing.T) {
	w := newWard(t)
	_, v := w.family()
	w.advance(26 * time.Hour)
	w.exec(`update visit set state = 'done', done_at = product_now(), arrived_at = product_now(), noted = true where id = $1`, v)
	w.exec(`insert into due (kind, subject, key, person_id, due_at, data) select 'test.rate', 'visit:' || $1::bigint, 'r', person_id, product_now(), jsonb_build_object('at', id) from address where user_id = 'wife'`, v)
	if _, err := w.ask.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.holds(w.heard("wife"), "您满意吗？")
	w.expect("wife", "2", "哪里没做好？")
	if one[int64](w.rig, `select count(*) from due where kind = 'care.task' and key like 'low_call%' and state = 'planned'`) != 1 {
		t.Error("nobody rings about a low answer")
	}
	w.expect("wife", "迟到", "记下了")
	if got := one[string](w.rig, `select answer from survey where kind = 'visit'`); got != "2" {
		t.Errorf("the answer is %q", got)
	}
}

func TestApplyByMessage(t *testing.T) {
	w := newWard(t)
	w.expect("son", "我妈瘫痪在床，想请医生上门看病", "给谁申请")
	w.expect("son", "家里人", "住在哪里")
	w.expect("son", "昌盛小区3栋", "打哪个电话")
	w.expect("son", "13800001234", "同意保存吗")
	w.expect("son", "同意", "申请收到了", "前工作人员给您答复")
	if got := one[string](w.rig, `select state || ' ' || coalesce(clinic_id, 0) from care_application`); !strings.HasPrefix(got, "submitted ") || strings.HasSuffix(got, " 0") {
		t.Errorf("it is %s", got)
	}
	if one[int64](w.rig, `select count(*) from consent where kind = 'health'`) != 1 {
		t.Error("the consent is not kept")
	}
	w.expect("son", "申请上门", "给谁申请")
}

func TestApplyBySMS(t *testing.T) {
	w := newWard(t)
	w.single(1, "老伴瘫痪在床，要人上门换药", "要上门服务，请回住在哪里")
	w.single(1, "昌盛小区3栋", "申请收到了")
	if got := one[string](w.rig, `select state from care_application`); got != "submitted" {
		t.Errorf("it is %s", got)
	}
	w.single(2, "老伴瘫痪在床，要人上门换药", "要上门服务")
	w.single(2, "不同意", "申请收到了")
	if one[int64](w.rig, `select count(*) from care_application where state = 'draft'`) != 1 || one[int64](w.rig, `select count(*) from consent where kind = 'health'`) != 1 {
		t.Error("who does not agree is rung up, and nothing is kept")
	}
	if one[int64](w.rig, `select count(*) from care_application where state = 'draft' and home is null`) != 1 {
		t.Error("the answer is kept for a home")
	}
}

// Leaving texts is not leaving care: the desk rings, 恢复 brings them back.
func TestStopOfACarer(t *testing.T) {
	w := newWard(t)
	w.filedBySMS(1)
	bed := w.opens(phoneUser(1))
	w.asksAbout(phoneUser(1), w.visit(bed, 0))
	w.sent()
	w.single(1, "R", "上门提醒短信")
	if !one[bool](w.rig, `select stopped from bed_carer where bed_id = $1`, bed) || one[int64](w.rig, `select count(*) from due where kind = 'care.task' and key like 'stopped_call%' and state = 'planned'`) != 1 {
		t.Error("the carer is still on the ladder, or nobody rings")
	}
	w.single(1, "恢复", "恢复了")
	if one[bool](w.rig, `select stopped from bed_carer where bed_id = $1`, bed) {
		t.Error("the carer is not back")
	}
}

// By SMS what is read and what consent is about needs a code; confirming does not.
func TestFamilyBySMS(t *testing.T) {
	w := newWard(t)
	w.filedBySMS(1)
	bed := w.opens(phoneUser(1))
	v := w.visit(bed, 0)
	if got := w.asksAbout(phoneUser(1), v); len(got) != 1 || parts(got[0]) > 2 || strings.Contains(got[0], "护士") {
		t.Errorf("the question is %q", got)
	}
	w.silent(1, "1")
	if w.state(v) != "confirmed" {
		t.Errorf("it is %s", w.state(v))
	}
	code := digitsOf(t, w.single(1, "我的上门", "验证码"))
	w.single(1, code, "明天(3月4日)9:00-11:00")
	code = digitsOf(t, w.single(1, "撤回同意", "验证码"))
	if got := one[string](w.rig, `select state from bed where id = $1`, bed); got != "open" {
		t.Errorf("a forged text made the bed %s", got)
	}
	w.single(1, code, "已经撤回")
}
