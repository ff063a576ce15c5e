package gateway

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

const (
	welcome  = "您好，有事请直说。"
	question = "您有2条待回复，刚才回的是哪一条？"
)

// asked opens surveys about keys at a number and returns their codes.
func (m *manyRig) asked(user bots.UserID, keys ...string) (codes []string) {
	m.t.Helper()
	for _, k := range keys {
		m.plan("ask.survey", user, k, time.Time{})
		m.due()
		codes = append(codes, one[string](m.rig, `select extension from prompt where subject = $1`, k))
	}
	m.heard(user)
	return codes
}

// recorded are the subjects of the surveys that were answered, with the rating.
func (m *manyRig) recorded() (list []string) {
	for _, c := range m.acts.named("survey.record") {
		list = append(list, fmt.Sprint(c.subject, "=", c.args["rating"]))
	}
	return list
}

func (m *manyRig) wantRecorded(want ...string) {
	m.t.Helper()
	if got := m.recorded(); !slices.Equal(got, want) {
		m.t.Fatalf("recorded %q, want %q", got, want)
	}
}

// labels are what a question offers.
func labels(s said) string {
	var list []string
	for _, c := range s.Choices {
		list = append(list, c.Label)
	}
	return strings.Join(list, "|")
}

func TestAnAnswerFindsItsQuestion(t *testing.T) {
	t.Parallel()
	with := func(t *testing.T, keys ...string) (*manyRig, []string) {
		m := phoneRig(t)
		m.texts("n1", "您好", "")
		return m, m.asked("n1", keys...)
	}
	t.Run("by its code", func(t *testing.T) {
		t.Parallel()
		m, codes := with(t, "a", "b")
		if !slices.Equal(codes, []string{"1", "2"}) {
			t.Fatalf("codes %q", codes)
		}
		if got := one[string](m.rig, `select string_agg(extension, ' ' order by id) from outbox where question_turn > 0`); got != "1 2" {
			t.Fatalf("the questions carry %q", got)
		}
		m.want(m.texts("n1", "不满意", "2"), "哪里不好？")
		m.want(m.texts("n1", "灯还是不亮", "2"), thanks)
		m.want(m.texts("n1", "1", "1"), thanks)
		m.wantRecorded("b=bad", "a=good")
	})
	t.Run("without one, the only question", func(t *testing.T) {
		t.Parallel()
		m, _ := with(t, "a")
		m.want(m.texts("n1", "满意", ""), thanks)
		m.wantRecorded("a=good")
	})
	t.Run("without one, it is asked which", func(t *testing.T) {
		t.Parallel()
		m, _ := with(t, "a", "b")
		q := m.texts("n1", "2", "")
		m.want(q, question)
		if got := labels(q[0]); got != "编号 a 路灯|编号 b 路灯|都不是" {
			t.Fatalf("offered %q", got)
		}
		m.wantRecorded()
		m.want(m.texts("n1", "2", ""), "哪里不好？") // what was said is kept
		m.want(m.texts("n1", "灯还是不亮", ""), thanks)
		m.wantRecorded("b=bad")
		m.want(m.texts("n1", "1", ""), thanks) // one is left
		m.wantRecorded("b=bad", "a=good")
	})
	t.Run("it is none of them", func(t *testing.T) {
		t.Parallel()
		m, _ := with(t, "a", "b")
		m.texts("n1", "1", "")
		m.want(m.texts("n1", "都不是", ""), welcome)
		m.wantRecorded()
	})
	t.Run("it says it again with the code", func(t *testing.T) {
		t.Parallel()
		m, _ := with(t, "a", "b")
		m.texts("n1", "1", "")
		m.want(m.texts("n1", "1", "1"), thanks)
		m.wantRecorded("a=good")
		if f := m.flow("n1"); f != "" {
			t.Fatalf("dialogue %q is open", f)
		}
		m.want(m.texts("n1", "1", ""), thanks)
		m.wantRecorded("a=good", "b=good")
	})
	t.Run("it says something else instead", func(t *testing.T) {
		t.Parallel()
		m, _ := with(t, "a", "b")
		m.texts("n1", "1", "")
		m.want(m.texts("n1", "报修", ""), "请说说是什么事。")
		m.wantRecorded()
	})
	t.Run("the picked one is over", func(t *testing.T) {
		t.Parallel()
		m, _ := with(t, "a", "b")
		m.texts("n1", "1", "")
		m.exec(`update prompt set closed_at = product_now(), outcome = 'cleared' where subject = 'a'`)
		m.want(m.texts("n1", "1", ""), "这一条不用再回了，谢谢您。有事直接说就行。")
		m.wantRecorded()
	})
	t.Run("by words that fit one alone", func(t *testing.T) {
		t.Parallel()
		m, _ := with(t, "a")
		m.plan("ask.visit", "n1", "v", time.Time{})
		m.due()
		m.heard("n1")
		m.want(m.texts("n1", "改时间", ""), "记下了：改时间。")
		m.want(m.texts("n1", "满意", ""), thanks)
	})
	t.Run("with the code of something that is over", func(t *testing.T) {
		t.Parallel()
		m, _ := with(t, "a", "b")
		m.texts("n1", "满意", "1")
		m.want(m.texts("n1", "满意", "1"), "您有1条待回复，刚才回的是哪一条？")
		m.wantRecorded("a=good")
		m.want(m.texts("n1", "1", ""), thanks)
		m.wantRecorded("a=good", "b=good")
	})
	t.Run("with a code that nobody was given", func(t *testing.T) {
		t.Parallel()
		m, _ := with(t, "a")
		m.want(m.texts("n1", "满意", "3"), thanks)
	})
	t.Run("a new matter is no answer", func(t *testing.T) {
		t.Parallel()
		m, _ := with(t, "a", "b")
		m.want(m.texts("n1", "楼下水管爆了", "1"), welcome)
		m.want(m.texts("n1", "楼下水管爆了", ""), welcome)
		m.want(m.texts("n1", "报修", "2"), "请说说是什么事。")
		m.want(m.texts("n1", "楼下水管爆了", "2"), "在什么地方？") // in whichever thread
		m.want(m.texts("n1", "不满意", "2"), "哪里不好？")     // and a question is still answered
		m.want(m.texts("n1", "等了三天", "2"), "已受理，编号 1001。")
		m.wantRecorded()
	})
	t.Run("nor is one that names an option", func(t *testing.T) {
		t.Parallel()
		m, _ := with(t, "a")
		m.want(m.texts("n1", "我对物业很不满意，垃圾没人清", ""), welcome)
		m.want(m.texts("n1", "我对物业很不满意，垃圾没人清", "1"), welcome) // in the thread of the question
		m.wantRecorded()
		m.want(m.texts("n1", "不满意，灯还是不亮", "1"), "哪里不好？")
	})
	t.Run("stop and danger first", func(t *testing.T) {
		t.Parallel()
		m, _ := with(t, "a", "b")
		m.texts("n1", "1", "")
		m.want(m.texts("n1", "退订", "1"), "好的，不再发了。")
		m.want(m.texts("n1", "三楼着火了", "1")[:1], "请先打119，这里代替不了。")
		m.wantRecorded()
	})
}

func TestCodesOfANumber(t *testing.T) {
	t.Parallel()
	m := phoneRig(t)
	m.texts("n1", "您好", "")
	if got := m.asked("n1", "a", "b", "c"); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Fatalf("codes %q", got)
	}
	m.plan("ask.survey", "n1", "d", time.Time{})
	m.due()
	if s, why := m.dueRow("ask.survey", "d"); s != "planned" || why != "another prompt is open" {
		t.Fatalf("the fourth is %s: %s", s, why)
	}
	// A code that is free again is not the next one to be given.
	m.texts("n1", "满意", "2")
	m.texts("n1", "满意", "1")
	m.advance(busyRetry + time.Minute)
	m.due()
	if got := one[string](m.rig, `select extension from prompt where subject = 'd'`); got != "1" {
		t.Fatalf("d has code %q, want that used longest ago", got)
	}
	// One whose time is over stands in nobody's way.
	m.exec(`update prompt set open_until = product_now() where subject in ('c', 'd')`)
	if got := m.asked("n1", "e", "f", "g"); !slices.Equal(got, []string{"2", "3", "1"}) {
		t.Fatalf("codes %q", got)
	}
	// Where there are no codes a prompt has none.
	m.says("li", "您好")
	if got := m.asked("li", "w"); got[0] != "" {
		t.Fatalf("a code %q on the web page", got[0])
	}
}

// A question that goes to a number gets a code there, and loses it elsewhere.
func TestAPromptMovesToACode(t *testing.T) {
	t.Parallel()
	m := phoneRig(t)
	m.says("li", "您好")
	m.also("li", sms, "n1", bots.TrustVerified)
	m.texts("n1", "您好", "")
	m.flush()
	m.asked("n1", "first")
	m.fails(web, bots.ClassGone)
	m.plan("ask.survey", "li", "a", time.Time{})
	m.due()
	m.flush()
	if got := one[string](m.rig, `select p.extension || o.extension from prompt p join outbox o on o.prompt_id = p.id and o.channel = 'sms' where p.subject = 'a'`); got != "22" {
		t.Fatalf("the prompt and its question have codes %q", got)
	}
	m.want(m.texts("n1", "满意", "2")[1:], thanks)
	m.wantRecorded("a=good")
}

// Both clocks of one question, and a reminder that nobody pays for.
func TestClocksOfSeveralPrompts(t *testing.T) {
	t.Parallel()
	m := phoneRig(t)
	m.texts("n1", "您好", "")
	m.asked("n1", "a")
	m.advance(time.Hour)
	m.asked("n1", "b")
	m.flush()
	if n := m.count(`select count(*) from due where kind = $1`, KindNudge); n != 0 {
		t.Fatalf("%d reminders are planned", n)
	}
	m.advance(23*time.Hour + time.Minute) // b was sent an hour later, as a was in this test
	m.exec(`update due set due_at = product_now() - interval '1 second' where kind = $1 and data->>'prompt' = (select id::text from prompt where subject = 'a')`, KindExpire)
	m.due()
	if got := one[string](m.rig, `select subject from prompt where closed_at is null`); got != "b" {
		t.Fatalf("open: %q", got)
	}
	m.want(m.heard("n1"))
	m.want(m.texts("n1", "满意", "2"), thanks)
}

// Whatever happens in whatever order: an answer reaches the question that it was
// for, or it is asked; never two of them, and never another one.
func TestAnswersNeverGoAstray(t *testing.T) {
	t.Parallel()
	m := phoneRig(t)
	for seed := range uint64(12) {
		w := &wanderer{manyRig: m, rand: rand.New(rand.NewPCG(seed, 5)), user: bots.UserID(fmt.Sprintf("p%d", seed))}
		m.texts(w.user, "您好", "")
		m.texts(w.user+"x", "您好", "")
		for range 14 {
			w.step()
			if t.Failed() {
				t.Fatalf("seed %d: %s", seed, strings.Join(w.log, ", "))
			}
		}
	}
}

// wanderer is a resident with a number, and what was done with them so far.
type wanderer struct {
	*manyRig
	rand *rand.Rand
	user bots.UserID
	log  []string
	n    int
	// why are prompts that have asked back; last is the one that did so in the
	// last turn of the conversation.
	why  map[string]bool
	last string
	// list is what the open question which prompt offers, said what it keeps.
	list []db.Prompt
	said string
	// over are codes whose prompt is closed, to its key.
	over map[string]string
}

// open are the open prompts, oldest first.
func (w *wanderer) open() (list []db.Prompt) {
	rows, err := w.sql.Query(w.t.Context(), `select p.id, p.subject, p.flow, p.extension, p.address_id, p.conversation_id from prompt p join address a on a.id = p.address_id
		where a.user_id = $1 and p.closed_at is null and p.open_until > product_now() order by p.id`, string(w.user))
	if err != nil {
		w.t.Fatal(err)
	}
	for rows.Next() {
		var p db.Prompt
		if err := rows.Scan(&p.ID, &p.Subject, &p.Flow, &p.Extension, &p.AddressID, &p.ConversationID); err != nil {
			w.t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func (w *wanderer) step() {
	open := w.open()
	switch n := w.rand.IntN(10); {
	case n < 3:
		w.ask()
	case n < 8 && len(open) > 0:
		w.answer(open, open[w.rand.IntN(len(open))])
	case n == 8 && len(open) > 0:
		w.close(open[w.rand.IntN(len(open))])
	default:
		w.other(open)
	}
}

func (w *wanderer) ask() {
	w.n++
	kind := []string{"survey", "visit"}[w.rand.IntN(2)]
	w.log = append(w.log, "ask "+kind)
	before := w.open()
	busy := w.flow(w.user) != ""
	w.plan("ask."+kind, w.user, fmt.Sprintf("%s/%d", w.user, w.n), w.now().Add(time.Minute))
	w.due()
	w.heard(w.user)
	after := w.open()
	want := len(before)
	if !busy && want < 3 {
		want++
		w.last = ""
	}
	if len(after) != want {
		w.t.Errorf("%d prompts are open, want %d", len(after), want)
	}
	codes := map[string]bool{}
	for _, p := range after {
		if p.Extension == "" || codes[p.Extension] {
			w.t.Errorf("code %q twice, or none", p.Extension)
		}
		codes[p.Extension] = true
	}
}

// fits reports whether a text is one of the options that a prompt offers now.
func (w *wanderer) fits(p db.Prompt, text string) bool {
	switch {
	case w.why[p.Subject]:
		return false
	case text == "1" || text == "2":
		return true
	}
	return (p.Flow == "survey") == (text == "满意" || text == "不满意")
}

// answer answers one of the open prompts, with its code or without one.
func (w *wanderer) answer(open []db.Prompt, to db.Prompt) {
	text := map[string][]string{"survey": {"满意", "不满意", "1", "2"}, "visit": {"可以", "改时间", "1", "2"}}[to.Flow][w.rand.IntN(4)]
	if w.why[to.Subject] {
		text = "还没有弄好呀"
	}
	code := ""
	if w.rand.IntN(2) == 0 {
		code = to.Extension
	}
	w.log = append(w.log, fmt.Sprintf("%s to %s by %q", text, to.Subject, code))
	picked := w.list
	w.list = nil
	var fit []db.Prompt
	for _, p := range open {
		if w.fits(p, text) {
			fit = append(fit, p)
		}
	}
	heard := w.say(text, code)
	switch {
	case code != "": // it reaches the one that it names
		w.reached(to, text, heard)
	case picked != nil && (text == "1" || text == "2"): // it answers which one is meant
		i, _ := strconv.Atoi(text)
		if i > len(picked) { // none of them
			w.nothing(heard)
			return
		}
		if !slices.ContainsFunc(open, func(p db.Prompt) bool { return p.ID == picked[i-1].ID }) {
			w.nothing(heard)
			return
		}
		w.reached(picked[i-1], w.said, heard)
	case w.why[to.Subject]:
		if w.last == to.Subject {
			w.reached(to, text, heard)
		} else {
			w.nothing(heard)
		}
	case len(fit) == 1:
		w.reached(fit[0], text, heard)
	default:
		w.nothing(heard)
		if len(heard) != 1 || !strings.HasPrefix(heard[0].Text, fmt.Sprintf("您有%d条", len(fit))) {
			w.t.Errorf("%d fit and it is not asked which: %q", len(fit), textsOf(heard))
		}
		w.list, w.said = fit, text
	}
}

func (w *wanderer) say(text, code string) []said {
	w.send(w.mo(w.user, text, code))
	return w.heard(w.user)
}

// reached checks that a text reached a prompt, and no other one.
func (w *wanderer) reached(p db.Prompt, text string, heard []said) {
	bad := text == "不满意" || text == "2"
	if len(heard) == 0 || heard[0].Row.PromptID != p.ID {
		w.t.Errorf("%q did not reach %s: %q", text, p.Subject, textsOf(heard))
		return
	}
	for _, s := range heard {
		if s.Row.PromptID != 0 && s.Row.PromptID != p.ID {
			w.t.Errorf("%q reached two prompts", text)
		}
		if s.Row.Extension != p.Extension {
			w.t.Errorf("%q of code %q goes out under %q", s.Text, p.Extension, s.Row.Extension)
		}
	}
	if w.last = ""; p.Flow == "survey" && bad && !w.why[p.Subject] {
		if w.why == nil {
			w.why = map[string]bool{}
		}
		w.why[p.Subject], w.last = true, p.Subject
	}
}

// nothing checks that no prompt was reached.
func (w *wanderer) nothing(heard []said) {
	w.last = ""
	for _, s := range heard {
		if s.Row.PromptID != 0 {
			w.t.Errorf("a prompt was reached: %q", s.Text)
		}
	}
}

// close ends a prompt otherwise: its time is over, or it moved to another number
// (because its question could not be sent here, so nobody knows that code).
func (w *wanderer) close(p db.Prompt) {
	if w.rand.IntN(2) == 0 {
		if w.over == nil {
			w.over = map[string]string{}
		}
		w.over[p.Extension] = p.Subject
		w.log = append(w.log, "expire "+p.Subject)
		w.exec(`update prompt set open_until = product_now() where id = $1`, p.ID)
		return
	}
	w.log = append(w.log, "move "+p.Subject)
	var to db.ReachRow
	if err := w.sql.QueryRow(w.t.Context(), `select c.id, c.channel, c.address_id from conversation c where c.user_id = $1`, string(w.user+"x")).
		Scan(&to.ID, &to.Channel, &to.AddressID); err != nil {
		w.t.Fatal(err)
	}
	err := w.DB.InTx(w.t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		row := db.ClaimOutboxRow{QuestionTurn: 1, PromptID: p.ID, AddressID: p.AddressID}
		moved, err := w.takeQuestion(ctx, tx, row, to)
		if err == nil && !moved {
			return postgres.ErrNoRows
		}
		return err
	})
	if err != nil && err != postgres.ErrNoRows && !strings.Contains(err.Error(), "free extension code") {
		w.t.Errorf("move: %v", err)
	}
}

// other says something that answers nothing, or comes with a code that is over.
func (w *wanderer) other(open []db.Prompt) {
	w.list = nil
	for code, subject := range w.over {
		if slices.ContainsFunc(open, func(p db.Prompt) bool { return p.Extension == code }) {
			continue
		}
		w.log = append(w.log, "1 by the code of "+subject)
		heard := w.say("1", code)
		w.nothing(heard)
		for _, p := range open {
			if w.fits(p, "1") {
				w.list = append(w.list, p)
			}
		}
		w.said = "1"
		return
	}
	w.log = append(w.log, "a new matter")
	heard := w.say("楼下水管爆了半天没人来", "")
	for _, p := range open {
		if p.Subject == w.last { // it was asked what is wrong, and this is what was said next
			w.reached(p, "", heard)
			return
		}
	}
	w.nothing(heard)
}
