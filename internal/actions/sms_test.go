package actions

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/gateway"
	"shaoying/internal/workorder"
)

// A whole life by SMS: what each step costs, and the number in every text about
// the ticket.
func TestLifeBySMS(t *testing.T) {
	r := newRig(t)
	n := ""
	t.Run("report", func(t *testing.T) {
		n = r.filedBySMS(1)
		r.single(2, "水井盖松动了好多天", "在什么地方")
		r.single(2, "昌盛小区3栋", "编号", "已受理", "办，")
		r.single(3, "我要报修", "什么事、在哪里")
		r.single(3, "楼下的井盖松了，走上去会响", "编号", "已受理")
		// Whoever greets, answers nothing or thanks hears what can be done, once.
		for _, said := range []string{"1", "你好", "帮助", "菜单", "收到"} {
			r.single(4, said, "有事直接发短信", "找人回“人工”")
		}
		r.single(4, "人工", "转给工作人员了")
	})
	t.Run("danger", func(t *testing.T) {
		r.single(5, "昌盛小区3栋着火了", "119", "编号")
		got := r.single(6, "着火了快来人", "119", "编号", "请回复在哪里")
		if strings.Contains(got, "在什么地方？") {
			t.Errorf("two questions in %q", got)
		}
		r.single(6, "昌盛小区3栋", "编号 "+r.number(), "地点记下了", "只用来办这件事")
	})
	t.Run("callback", func(t *testing.T) {
		r.exec(`update ticket set state = 'handled', handled_at = product_now(), unit_result = 'resolved'`)
		r.asks(1, "callback")
		r.silent(1, "1")
		if s := one[string](r, `select state || ' ' || outcome || ' ' || contacted || '/' || solved || '/' || satisfied from ticket where id = 1`); s != "closed resolved //satisfied" {
			t.Errorf("the ticket is %s", s)
		}
		r.single(1, "1", "有事直接发短信") // nothing is open: not an answer, not an old ticket
		r.asks(2, "callback")
		r.single(2, "不满意", "现在怎么样了", "4没人联系过我")
		r.single(2, "4", "编号", "专人会来看")
		if s := one[string](r, `select state || ' ' || contacted || '/' || solved || '/' || satisfied from ticket where id = 2`); s != "callback no/no/dissatisfied" {
			t.Errorf("the ticket is %s", s)
		}
	})
	t.Run("survey", func(t *testing.T) {
		r.exec(`update ticket set state = 'closed', outcome = 'unconfirmed', closed_at = product_now() where id in (1, 3)`)
		r.exec(`insert into survey (kind, person_id, ticket_id) select 'rating', reporter_id, id from ticket where id in (1, 3)`)
		r.asks(1, "survey")
		r.silent(1, "２")
		r.asks(3, "survey")
		r.single(3, "3", "编号", "工作人员来问问")
		r.exec(`insert into survey (kind, person_id, ticket_id) select 'still_fine', reporter_id, id from ticket where id in (1, 3)`)
		r.asks(1, "still_fine")
		r.silent(1, "还好")
		r.asks(3, "still_fine")
		r.single(3, "又坏了", "编号", "重新办")
	})
	t.Run("a new matter while a question is open", func(t *testing.T) {
		before := r.tickets()
		r.exec(`update ticket set state = 'closed', closed_at = product_now() where id = 1`)
		r.asks(1, "survey")
		r.single(1, "昌盛小区3栋楼道灯也不亮了，来修一下", "已受理")
		if r.tickets() != before+1 || r.number() == n {
			t.Error("it fell into the old ticket")
		}
		r.silent(1, "满意") // the question is open still
		r.exec(`insert into survey (kind, person_id, ticket_id) select 'still_fine', reporter_id, id from ticket where id = 1 on conflict do nothing`)
		r.asks(1, "still_fine")
		r.single(1, "昌盛小区5栋路灯坏了", "已受理")
		if r.tickets() != before+2 || one[string](r, `select state from ticket where id = 1`) != "closed" {
			t.Error("it reopened the old ticket")
		}
	})
}

// asks lets a pushed dialogue ask a number about its first ticket.
func (r *rig) asks(number int, flow string) {
	r.t.Helper()
	user := phoneUser(number)
	r.heard(user)
	r.exec(`delete from due where kind = 'test.ask'`)
	r.exec(`insert into due (kind, subject, key, due_at) select 'test.ask', 'ticket:' || min(k.id), $1, product_now() from ticket k join address a on a.id = k.address_id where a.user_id = $2`, flow, string(user))
	if n, err := r.ask.Once(r.t.Context()); err != nil || n == 0 {
		r.t.Fatalf("the push did not run: %d, %v", n, err)
	}
	got := r.heard(user)
	if len(got) != 1 || parts(got[0]) > 2 {
		r.t.Fatalf("a question of %s is %q", flow, got)
	}
	r.sent()
}

// Stop words in every dress; the confirmation comes, and what is silenced is the
// number alone.
func TestStopBySMS(t *testing.T) {
	r := newRig(t)
	for i, word := range []string{"退订", "TD", "td", "T", "R", "0000", "ＴＤ", "ｒ", "【退订】", " 退订 ", "R。", "退订！", "拒收", "stop"} {
		number := 100 + i
		r.filedBySMS(number)
		got := r.single(number, word, "这个号码", "想再收回“恢复”")
		if !strings.Contains(got, "急事") {
			t.Errorf("%q is answered by %q: what still comes is not said", word, got)
		}
		if s := one[string](r, `select state from address where user_id = $1`, string(phoneUser(number))); s != "stopped" {
			t.Errorf("after %q the number is %s", word, s)
		}
	}
	if n := one[int64](r, `select count(*) from opt_out`); n != 0 {
		t.Errorf("%d persons are silenced by texts that anybody can forge", n)
	}
	// Replies go on, and a report that only contains such a word is a report.
	r.single(100, "昌盛小区3栋楼下垃圾没人收", "已受理")
	r.single(100, "恢复", "恢复了")
	if s := one[string](r, `select state from address where user_id = $1`, string(phoneUser(100))); s != "active" {
		t.Errorf("the number is %s", s)
	}
}

// The first stop is about what the number was written about, the second about
// everything; 恢复 brings all of it back.
func TestStopByTopic(t *testing.T) {
	r := newRig(t)
	r.filedBySMS(1)
	r.exec(`update ticket set state = 'closed', closed_at = product_now(), outcome = 'unconfirmed'`)
	r.exec(`insert into survey (kind, person_id, ticket_id) select 'rating', reporter_id, id from ticket`)
	r.asks(1, "survey")
	r.exec(`update outbox set reason = 'rating' where reason = 'test.ask'`)
	// Another survey waits in the outbox, and so does news of a ticket.
	for _, reason := range []string{"rating", "notice"} {
		r.exec(`insert into outbox (channel, chat, conversation_id, address_id, class, source, text_key, text_version, lang, params, reason)
			select channel, chat, conversation_id, address_id, 'push', source, text_key, text_version, lang, params, $1 from outbox where reason = 'rating' limit 1`, reason)
	}
	r.heard(phoneUser(1))
	r.single(1, "R", "不再收到满意度短信", "再回R")
	if s := one[string](r, `select string_agg(reason || ' ' || state, ', ' order by reason) from outbox where class = 'push' and state <> 'sent'`); s != "notice queued, rating stale" {
		t.Errorf("the outbox: %s", s)
	}
	if n := one[int64](r, `select count(*) from prompt where closed_at is null`); n != 1 {
		t.Errorf("%d prompts are open: the one that was asked can still be answered", n)
	}
	conv, err := gateway.ReachFor(t.Context(), r.DB.Queries, "survey", []int64{one[int64](r, `select person_id from address where user_id = $1`, string(phoneUser(1)))}, one[int64](r, `select id from address where user_id = $1`, string(phoneUser(1))))
	if err != nil || len(conv) != 0 {
		t.Errorf("a survey would go to %v, %v", conv, err)
	}
	if s := one[string](r, `select state from address where user_id = $1`, string(phoneUser(1))); s != "active" {
		t.Errorf("the number is %s", s)
	}
	r.single(1, "R", "不再主动给这个号码发短信")
	r.single(1, "恢复", "恢复了")
	if n := one[int64](r, `select count(*) from address_stop`); n != 0 {
		t.Errorf("%d topics are still stopped", n)
	}
	// Long after the last text a stop word is about everything.
	r.advance(100 * time.Hour)
	r.single(1, "T", "不再主动给这个号码发短信")
}

// A stop word is about the texts in whose thread it stands, not about the last one.
func TestStopInAThread(t *testing.T) {
	r := newRig(t)
	r.filedBySMS(1)
	r.exec(`update ticket set state = 'closed', closed_at = product_now(), outcome = 'unconfirmed'`)
	r.exec(`insert into survey (kind, person_id, ticket_id) select 'rating', reporter_id, id from ticket`)
	r.asks(1, "survey")
	r.exec(`update outbox set reason = 'rating', extension = '1' where reason = 'test.ask'`)
	r.exec(`insert into outbox (channel, chat, conversation_id, address_id, class, source, text_key, text_version, lang, params, reason)
		select channel, chat, conversation_id, address_id, 'push', source, text_key, text_version, lang, params, 'notice' from outbox where reason = 'rating'`)
	r.heard(phoneUser(1))
	r.sent()
	for _, tt := range []struct{ code, want string }{{"1", "满意度短信"}, {"2", "进度短信"}} {
		ev := r.text(1, "R")
		ev.Extension = tt.code
		r.holds(r.send(ev), tt.want)
	}
}

// Leaving texts never leaves care silently: somebody rings.
func TestStopInCare(t *testing.T) {
	r := newRig(t)
	tasks := func() int64 {
		return one[int64](r, `select count(*) from task where kind = 'person' and state = 'open'`)
	}
	n := r.filedBySMS(1)
	r.asks(1, "survey")
	r.exec(`update outbox set reason = 'care.ask' where reason = 'test.ask'`)
	r.single(1, "R", "上门提醒短信", "有人打电话")
	if tasks() != 1 {
		t.Errorf("%d tasks after %s left care texts", tasks(), n)
	}
	// Who stops everything weeks after a visit is in care as well.
	r.filedBySMS(2)
	r.asks(2, "survey")
	r.exec(`update outbox set reason = 'care.ask' where reason = 'test.ask'`)
	r.advance(14 * 24 * time.Hour)
	r.single(2, "退订", "不再主动给这个号码发短信")
	if tasks() != 2 {
		t.Errorf("%d tasks", tasks())
	}
	// Who was never in care is not rung up.
	r.filedBySMS(3)
	r.single(3, "退订", "不再主动")
	if tasks() != 2 {
		t.Errorf("%d tasks", tasks())
	}
}

// 恢复 by SMS does not undo what was said on WeChat or the page.
func TestStartBySMSUndoesNothingElsewhere(t *testing.T) {
	r := newRig(t)
	r.filedBySMS(1)
	r.exec(`insert into opt_out (person_id, topic) select person_id, 'all' from address where user_id = $1`, string(phoneUser(1)))
	r.single(1, "恢复", "这个号码恢复了", "请在那边回“恢复”")
	if n := one[int64](r, `select count(*) from opt_out`); n != 1 {
		t.Error("a text that anybody can forge undid an opt-out")
	}
}

// codeSent reads the digits of the last code that waits to be sent.
func (r *rig) codeSent() string {
	r.t.Helper()
	var due workorder.CodeDue
	r.open(`select data from due where kind = 'code' order by id desc limit 1`, &due)
	digits, err := r.Keys.Open(due.Digits, workorder.SealCode)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(digits)
}

// 绑定 on the page sends a code to the number; then both are one person, whose
// tickets are where they were and are seen from both.
func TestBindByCodeToANumber(t *testing.T) {
	r := newRig(t)
	r.set.Phone = sms
	known := r.Keys.Pseudonym("phone", "+8613800000001")
	bySMS := r.event(bots.UserID(known), bots.KindText, "昌盛小区3栋楼下水井盖有些松动，走上去会响")
	bySMS.Channel, bySMS.From.Trust, bySMS.From.Phone = sms, bots.TrustNone, "+8613800000001"
	r.holds(r.send(bySMS), "已受理")
	n := r.number()
	r.report("li", "昌盛小区3栋楼道灯坏了")

	r.expect("li", "绑定", "手机号")
	first := r.expect("li", "13800000001", "验证码已用短信发到这个手机", "别告诉任何人")
	r.expect("stranger", "绑定", "手机号")
	if other := r.says("stranger", "13800009999"); strings.Join(other, "") != strings.Join(first, "") {
		t.Errorf("a number that is known can be told from others: %q, %q", first, other)
	}
	if s := one[int64](r, `select count(*) from address where channel = 'sms'`); s != 2 {
		t.Errorf("%d numbers: one that never wrote to us gets a code as well", s)
	}
	if s := one[int64](r, `select count(*) from person where phone_index is not null`); s != 2 {
		t.Errorf("%d persons have a number", s)
	}
	var due workorder.CodeDue
	r.open(`select d.data from due d join address a on d.subject = 'address:' || a.id where a.user_id = '`+known+`'`, &due)
	digits, err := r.Keys.Open(due.Digits, workorder.SealCode)
	if err != nil {
		t.Fatal(err)
	}
	r.expect("stranger", string(digits), "数字不对") // bound to who asked
	r.expect("li", "1"+string(digits[1:])+"0", "数字不对")
	r.expect("li", string(digits), "绑定好了")
	if s := one[string](r, `select string_agg(trust, ' ' order by id) from address where user_id in ($1, 'li')`, known); s != "verified verified" {
		t.Errorf("trust is %s", s)
	}
	if s := one[int64](r, `select count(*) from trail where kind in ('person.merged', 'address.bound')`); s != 2 {
		t.Errorf("%d rows in the trail", s)
	}
	if s := one[int64](r, `select count(distinct address_id) from ticket`); s != 2 {
		t.Error("tickets were moved")
	}
	r.expect("li", "我的工单", n, r.number())   // both
	r.expect("li", "1", r.number(), "昌盛小区") // that of who they were before, too
	// Un-merging clears merged_into, and everybody has what they had.
	r.exec(`update person set merged_into = null`)
	r.exec(`update address set trust = 'session' where user_id = 'li'`)
	got := strings.Join(r.expect("li", "我的工单", r.number()), "")
	if strings.Contains(got, n) {
		t.Error("it is not undone")
	}
}

// Codes cost money, so a number gets a few in an hour whoever asks, and an address
// asks for a few. What is said does not tell.
func TestCodesAreFew(t *testing.T) {
	r := newRig(t)
	r.set.Phone = sms
	codes := func() int64 { return one[int64](r, `select count(*) from due where kind = 'code'`) }
	for i := range 5 {
		user := bots.UserID(fmt.Sprintf("asker-%d", i))
		r.expect(user, "绑定", "手机号")
		r.expect(user, "13800000001", "验证码已用短信发到这个手机")
	}
	if codes() != 3 {
		t.Errorf("%d codes went to one number", codes())
	}
	for i := range 3 {
		r.exec(`update conversation set flow = '', state = null where user_id = 'asker-9'`)
		r.expect("asker-9", "绑定", "手机号")
		r.expect("asker-9", fmt.Sprintf("1390000000%d", i), "验证码已用短信发到这个手机")
	}
	r.expect("asker-9", "取消", "取消了")
	r.expect("asker-9", "绑定", "手机号")
	r.expect("asker-9", "13900000009", "要得太多")
	r.expect("asker-8", "绑定", "手机号")
	r.expect("asker-8", "0799-6666666", "只能发到手机")
	if codes() != 6 {
		t.Errorf("%d codes", codes())
	}
	// By SMS too, each answer being a text that costs.
	r.filedBySMS(1)
	for range 3 {
		r.single(1, "撤回", "验证码")
		r.single(1, "取消")
	}
	r.single(1, "撤回", "要得太多")
}

// An invite is not spent on a number that anybody can write.
func TestNobodyJoinsTheStaffBySMS(t *testing.T) {
	r := newRig(t)
	r.single(1, "加入 7KQ2 M9XD", "短信号码可能被人冒用", "激活码")
	if n := one[int64](r, `select count(*) from lookup_guard`); n != 0 {
		t.Error("a miss was counted: which codes exist could be told")
	}
}

// Nobody becomes staff by a telephone in the hand.
func TestBindingMakesNobodyStaff(t *testing.T) {
	r := newRig(t)
	r.set.Phone = sms
	r.expect("thief", "绑定", "手机号")
	r.expect("thief", "13800000001", "验证码")
	r.exec(`update address set person_id = (select person_id from staff where slug = 'wang') where channel = 'sms'`)
	r.expect("thief", r.codeSent(), "请发“加入”和激活码")
	if n := one[int64](r, `select count(*) from person where merged_into is not null`); n != 0 {
		t.Error("somebody became staff")
	}
	// The other way round the number becomes the colleague's, and stays for replies.
	r.exec(`insert into address (channel, user_id, chat, person_id, trust) select 'web', 'wang', 'wang', person_id, 'verified' from staff where slug = 'wang'`)
	r.expect("wang", "绑定", "手机号")
	r.expect("wang", "13800000002", "验证码")
	r.exec(`insert into address (channel, user_id, chat, person_id, trust) select 'sms', 'older', 'older', person_id, 'verified' from staff where slug = 'wang'`)
	r.expect("wang", r.codeSent(), "绑定好了")
	if n := one[int64](r, `select count(*) from address where channel = 'sms' and trust <> 'none'`); n != 0 {
		t.Errorf("%d numbers of a colleague are bound: cards would go there", n)
	}
	var staff int64
	err := r.Desk(t.Context(), 0, 0, func(ctx context.Context, turn *gateway.Turn) error {
		p, err := turn.RootPerson(ctx, one[int64](r, `select person_id from address where channel = 'sms' order by id desc limit 1`))
		if err != nil {
			return err
		}
		s, err := turn.StaffByPerson(ctx, p)
		staff = s.ID
		return err
	})
	if err != nil || staff == 0 {
		t.Errorf("the number belongs to staff %d, %v", staff, err)
	}
	if s := one[string](r, `select trust from address where channel = 'sms' order by id desc limit 1`); s != "none" {
		t.Errorf("trust is %s: their cards would go out by SMS", s)
	}
}

// Who has a number that was silent for 90 days is somebody else: nothing of what
// was filed by it before is told or changed, code or no code.
func TestANumberThatIsSomebodyElsesNow(t *testing.T) {
	r := newRig(t)
	n := r.filedBySMS(1)
	r.advance(91 * 24 * time.Hour)
	for _, said := range []string{"我的工单", "补充", "撤回", "补充 " + n, "撤回 " + n} {
		for _, text := range r.texts(1, said) {
			if strings.Contains(text, n) || strings.Contains(text, "验证码") {
				t.Errorf("%s is answered by %q", said, text)
			}
		}
	}
	if s := one[string](r, `select state from ticket where id = 1`); s == "withdrawn" {
		t.Error("they withdrew it")
	}
	mine := r.filedBySMS(1)
	code := digitsOf(t, r.single(1, "我的工单", "验证码"))
	if got := strings.Join(r.texts(1, code), ""); !strings.Contains(got, mine) || strings.Contains(got, n) {
		t.Errorf("their tickets are %q", got)
	}
}
