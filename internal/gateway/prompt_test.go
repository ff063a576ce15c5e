package gateway

import (
	"context"
	"slices"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
)

const (
	surveyQuestion = "编号 77，您满意吗？"
	thanks         = "谢谢您。"
)

// asking is a due kind that opens a prompt with one of the push dialogues.
func asking(flow string, until time.Duration) Kind {
	return Kind{
		Name: "ask." + flow, Workers: 4, Class: scheduler.Survey, Opens: true, Target: toConversation,
		Run: func(ctx context.Context, t *Turn, d Due) (Outcome, error) {
			err := t.Ask(ctx, d, Ask{
				Flow: flow, Vars: map[string]any{"number": "77", "ticket": map[string]any{"number": d.Key, "matter": "路灯"}}, Reason: "ask", Subject: d.Key, Version: d.Version, Until: t.Now.Add(until),
			})
			return Done, err
		},
	}
}

// telling is a due kind that only says something.
func telling(class scheduler.Class) Kind {
	return Kind{
		Name: "tell", Workers: 4, Class: class, Target: toConversation,
		Run: func(_ context.Context, t *Turn, d Due) (Outcome, error) {
			return Done, t.Tell("tell", d.Subject, d.Version, "note.told", map[string]string{"what": d.Key})
		},
	}
}

func toConversation(_ context.Context, _ *postgres.DB, d Due) (int64, error) {
	return d.SubjectID("conversation")
}

func pushRig(t testing.TB, change ...func(*Config, *Deps)) *rig {
	kinds := func(_ *Config, d *Deps) {
		d.Kinds = append(d.Kinds, asking("survey", 48*time.Hour), asking("visit", 2*time.Hour), telling(""))
	}
	return newRig(t, append([]func(*Config, *Deps){kinds}, change...)...)
}

// plan writes a due row for a user's conversation.
func (r *rig) plan(kind string, user bots.UserID, key string, notAfter time.Time) {
	r.t.Helper()
	at := r.now().Add(-time.Second) // the clocks of two sessions may differ by a little
	p := Plan{Kind: kind, Subject: postgres.Subject("conversation", r.conversation(user)), Key: key, At: at, NotAfter: notAfter}
	params, err := dueRows([]Plan{p})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.DB.PlanDues(r.t.Context(), params); err != nil {
		r.t.Fatal(err)
	}
}

// dueRow tells what became of a due row.
func (r *rig) dueRow(kind, key string) (state, reason string) {
	r.t.Helper()
	return one[string](r, `select state from due where kind = $1 and key = $2`, kind, key),
		one[string](r, `select reason from due where kind = $1 and key = $2`, kind, key)
}

func TestAPromptIsAnsweredAfterAnotherDialogue(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "您好")
	r.plan("ask.survey", "li", "ticket:5", time.Time{})
	r.due()
	q := r.heard("li")
	r.want(q, surveyQuestion)
	if q[0].Row.Class != "push" || q[0].Row.Reason != "ask" || q[0].Row.Subject != "ticket:5" || q[0].Row.PromptID == 0 {
		t.Fatalf("the row is %+v", q[0].Row)
	}
	if codes := one[string](r, `select codes::text from prompt`); codes != `{"1": "good", "2": "bad"}` {
		t.Fatalf("the codes mean %s", codes)
	}
	r.want(r.says("li", "报修"), "请说说是什么事。")
	r.want(r.says("li", "1"), "在什么地方？") // an answer to the dialogue, not to the prompt
	r.want(r.says("li", "昌盛小区"), "已受理，编号 1001。")
	r.want(r.says("li", "不满意"), "哪里不好？")
	r.want(r.says("li", "灯又坏了"), thanks)
	c := r.acts.named("survey.record")
	if len(c) != 1 || c[0].args["rating"] != "bad" || c[0].subject != "ticket:5" {
		t.Fatalf("recorded %v", c)
	}
	if o := one[string](r, `select outcome from prompt where closed_at is not null`); o != "answered" {
		t.Fatalf("the prompt ended as %q", o)
	}
	r.want(r.says("li", "1"), "您好，有事请直说。") // nothing is open any more
}

func TestAPromptsButtonWorksInsideAnotherDialogue(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "您好")
	r.plan("ask.survey", "li", "a", time.Time{})
	r.due()
	q := r.heard("li")
	r.says("li", "报修")
	r.want(r.taps("li", q[0].Choices[0].Data), thanks)
	if f := r.flow("li"); f != "report" {
		t.Fatalf("dialogue %q, want the report to go on", f)
	}
	r.want(r.taps("li", q[0].Choices[0].Data), staleText)
	if n := len(r.acts.named("survey.record")); n != 1 {
		t.Fatalf("recorded %d times", n)
	}
}

func TestCancelUnderAVisitIsAnAnswer(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "您好")
	r.plan("ask.visit", "li", "a", time.Time{})
	r.due()
	r.heard("li")
	r.want(r.says("li", "取消"), "记下了：取消上门。")
	if c := r.acts.named("visit.answer"); len(c) != 1 || c[0].args["answer"] != "cancel" {
		t.Fatalf("answered %v", c)
	}
}

func TestStopAndDangerComeBeforeAPrompt(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "您好")
	r.plan("ask.survey", "li", "a", time.Time{})
	r.due()
	r.heard("li")
	r.want(r.says("li", "退订"), "好的，不再发了。")
	r.want(r.says("li", "三楼着火了")[:1], "请先打119，这里代替不了。")
	r.want(r.says("li", "3栋"), "记下了。")
	r.want(r.says("li", "满意"), thanks) // the prompt is still there
}

func TestOnePromptAtATime(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "您好")
	r.plan("ask.survey", "li", "one", time.Time{})
	r.due()
	r.plan("ask.survey", "li", "two", time.Time{})
	r.due()
	r.want(r.heard("li"), surveyQuestion)
	if s, why := r.dueRow("ask.survey", "two"); s != "planned" || why != "another prompt is open" {
		t.Fatalf("the second is %s: %s", s, why)
	}
	r.want(r.says("li", "满意"), thanks)
	r.advance(busyRetry + time.Minute)
	r.due()
	r.want(r.heard("li"), surveyQuestion)
}

func TestAPushNeverBreaksIntoADialogue(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "报修")
	r.heard("li")
	r.plan("ask.survey", "li", "a", time.Time{})
	r.plan("ask.visit", "li", "b", r.now().Add(busyRetry/2))
	r.plan("tell", "li", "灯修好了", time.Time{})
	r.due()
	r.want(r.heard("li"), "通知：灯修好了") // opens nothing, so it may speak
	if s, why := r.dueRow("ask.survey", "a"); s != "planned" || why != "a dialogue is open" {
		t.Fatalf("the survey is %s: %s", s, why)
	}
	if s, _ := r.dueRow("ask.visit", "b"); s != "expired" {
		t.Fatalf("a push that cannot wait is %s, want expired", s)
	}
	r.says("li", "取消")
	r.advance(busyRetry + time.Minute)
	r.due()
	if got := r.heard("li"); got[len(got)-1].Text != surveyQuestion {
		t.Fatalf("said %q", textsOf(got))
	}
}

func TestAPromptThatIsOverIsNoLongerAnswered(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "您好")
	r.plan("ask.visit", "li", "a", time.Time{})
	r.due()
	q := r.heard("li")
	r.advance(3 * time.Hour) // it was open for two
	r.want(r.taps("li", q[0].Choices[0].Data), staleText)
	r.want(r.says("li", "可以"), "您好，有事请直说。")
	r.plan("ask.visit", "li", "b", time.Time{})
	r.due()
	r.want(r.heard("li"), "明天上门，可以吗？") // and stands in nobody's way
	if o := one[string](r, `select outcome from prompt where closed_at is not null`); o != "expired" {
		t.Fatalf("the first ended as %q", o)
	}
}

func TestQuietHoursPutAPushOff(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("CST", 8*3600)
	hours, err := scheduler.ParseHours("hours.yaml", configFile(t, "policies/hours.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	quiet, err := scheduler.NewQuiet(hours, zone)
	if err != nil {
		t.Fatal(err)
	}
	r := pushRig(t, func(_ *Config, d *Deps) { d.Quiet = quiet; d.Kinds[len(d.Kinds)-1].Class = scheduler.Normal })
	night := time.Date(2026, 3, 3, 23, 0, 0, 0, zone)
	if err := r.DB.SetProductTime(t.Context(), night); err != nil {
		t.Fatal(err)
	}
	r.want(r.says("li", "您好"), "您好，有事请直说。") // quiet hours bind no reply
	r.plan("tell", "li", "morning", time.Time{})
	r.plan("tell", "li", "tonight only", night.Add(time.Hour))
	r.due()
	r.want(r.heard("li"))
	if s, why := r.dueRow("tell", "morning"); s != "planned" || why != "quiet hours" {
		t.Fatalf("put off: %s, %s", s, why)
	}
	if at := one[time.Time](r, `select due_at from due where key = 'morning'`); !at.Equal(night.Add(9 * time.Hour)) {
		t.Fatalf("put off to %v, want 08:00", at.In(zone))
	}
	if s, _ := r.dueRow("tell", "tonight only"); s != "expired" {
		t.Fatalf("a push that means nothing in the morning is %s, want expired", s)
	}
	r.advance(9*time.Hour + time.Minute)
	r.due()
	r.want(r.heard("li"), "通知：morning")
}

func TestAPushThatIsTooLate(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "您好")
	r.heard("li")
	r.plan("tell", "li", "a", r.now().Add(time.Hour))
	r.advance(2 * time.Hour)
	r.due()
	r.want(r.heard("li"))
	if s, _ := r.dueRow("tell", "a"); s != "expired" {
		t.Fatalf("the row is %s, want expired", s)
	}
}

// The clocks of a question start when it was sent, not when it was written.
func TestNudgeAndExpiryCountFromTheSend(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "报修")
	r.says("li", "楼道灯坏了")
	r.advance(time.Hour)
	r.due()
	r.want(r.heard("li")) // not sent yet: nothing is counted
	stop := r.sender()
	r.until("all is sent", r.outboxEmpty)
	stop()
	if n := r.count(`select count(*) from due where kind in ($1, $2)`, KindNudge, KindExpire); n != 4 {
		t.Fatalf("%d clocks, want 2 for each question", n)
	}
	r.advance(6 * time.Minute)
	r.due()
	r.want(r.heard("li"), "您还在吗？") // once, and only for the open question
	if n := r.count(`select count(*) from due where kind = $1 and reason = 'the question was answered'`, KindNudge); n != 1 {
		t.Fatalf("%d nudges dropped, want that of the first question", n)
	}
	r.advance(10 * time.Minute)
	r.due()
	r.want(r.heard("li"), "先记下了，编号 1001。")
	if f := r.flow("li"); f != "" {
		t.Fatalf("dialogue %q is still open", f)
	}
	if c := r.acts.named("ticket.file_incomplete"); len(c) != 1 || c[0].args["what"] != "楼道灯坏了" {
		t.Fatalf("kept %v", c)
	}
}

func TestAnAnswerMakesTheClocksStale(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "报修")
	stop := r.sender()
	r.until("all is sent", r.outboxEmpty)
	stop()
	r.says("li", "楼道灯坏了")
	r.says("li", "昌盛小区")
	r.heard("li")
	r.advance(24 * time.Hour)
	r.due()
	r.want(r.heard("li"))
	if n := r.count(`select count(*) from due where state <> 'dropped'`); n != 0 {
		t.Fatalf("%d clocks were not dropped", n)
	}
}

func TestAPromptIsNudgedAndExpires(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "您好")
	r.plan("ask.survey", "li", "a", time.Time{})
	r.due()
	r.heard("li")
	stop := r.sender()
	r.until("all is sent", r.outboxEmpty)
	stop()
	r.advance(61 * time.Minute)
	r.due()
	r.want(r.heard("li"), "等您回话。")
	r.advance(23 * time.Hour)
	r.due()
	if n := r.count(`select count(*) from prompt where closed_at is null`); n != 0 {
		t.Fatal("the prompt is still open")
	}
	if n := len(r.acts.named("survey.record")); n != 0 {
		t.Fatal("silence was recorded as an answer")
	}
}

func TestAClosedPromptTakesNoAnswer(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "您好")
	r.plan("ask.survey", "li", "ticket:5", time.Time{})
	r.due()
	q := r.heard("li")
	if n := r.exec(`update prompt set closed_at = product_now(), outcome = 'cleared' where subject = 'ticket:5'`); n != 1 {
		t.Fatal("no prompt to close")
	}
	r.want(r.taps("li", q[0].Choices[0].Data), staleText)
	r.want(r.says("li", "满意"), "您好，有事请直说。")
}

func TestPushesToAnAddressThatIsGone(t *testing.T) {
	t.Parallel()
	r := pushRig(t, func(_ *Config, d *Deps) { d.Kinds[len(d.Kinds)-1].Class = scheduler.Normal })
	r.says("li", "您好")
	r.send(r.event("li", bots.KindLeave))
	r.heard("li")
	r.plan("tell", "li", "a", time.Time{})
	r.due()
	r.want(r.heard("li"))
	if s, why := r.dueRow("tell", "a"); s != "dropped" || why != "the address is gone" {
		t.Fatalf("%s: %s", s, why)
	}
}

func TestCodesOfAPromptFollowItsQuestion(t *testing.T) {
	t.Parallel()
	r := pushRig(t)
	r.says("li", "您好")
	r.plan("ask.survey", "li", "a", time.Time{})
	r.due()
	r.says("li", "2")
	if codes := one[string](r, `select codes::text from prompt`); codes != `{}` {
		t.Fatalf("a question without options has codes %s", codes)
	}
	if got := textsOf(r.heard("li")); !slices.Contains(got, "哪里不好？") && len(got) != 0 {
		t.Fatalf("said %q", got)
	}
}
