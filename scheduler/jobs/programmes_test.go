package jobs_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
)

// holds an event of a programme as the clinic's desk.
func (w *ward) event(programme, title, when string) (id int64) {
	w.t.Helper()
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		e, err := w.deps.Care.HoldEvent(ctx, t, homecare.NewEvent{Programme: programme, Title: title, Place: "昌盛社区广场", At: at(w.t, when), By: w.desk().Staff})
		id = e.ID
		return err
	})
	return id
}

// enrols somebody with a rhythm.
func (w *ward) enrol(e homecare.Enrolment) (bed int64) {
	w.t.Helper()
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		b, err := w.deps.Care.Enrol(ctx, t, e)
		if err == nil {
			bed = b.ID
		}
		return err
	})
	return bed
}

func (w *ward) joins(person int64, programme string) {
	w.t.Helper()
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		at := one[int64](w.rig, `select coalesce((select id from address where person_id = $1 limit 1), 0)`, person)
		return w.deps.Care.Join(ctx, t, person, at, programme)
	})
}

func (w *ward) person(user string) int64 {
	w.t.Helper()
	return one[int64](w.rig, `select person_id from address where user_id = $1 order by id limit 1`, user)
}

func (w *ward) staffID(slug string) int64 {
	w.t.Helper()
	return one[int64](w.rig, `select id from staff where slug = $1`, slug)
}

// said is all that somebody heard since the last look, in one piece.
func (w *ward) said(user string) string {
	w.t.Helper()
	return strings.Join(w.heard(user), "\n")
}

func (w *ward) contains(user, want string) {
	w.t.Helper()
	if got := w.said(user); !strings.Contains(got, want) {
		w.t.Errorf("%s heard %q, want %q", user, got, want)
	}
}

// jump sets the clock over months in which nothing is looked at.
func (w *ward) jump(to string) {
	w.t.Helper()
	if err := w.DB.SetProductTime(w.t.Context(), at(w.t, to)); err != nil {
		w.t.Fatal(err)
	}
	w.drain()
}

func (w *ward) silent(user string) {
	w.t.Helper()
	if got := w.said(user); got != "" {
		w.t.Errorf("%s heard %q, want nothing", user, got)
	}
}

// 义诊: joined by one word and a yes, reminded twice, called off at once; nothing to
// who never joined, who left, and who died.
func TestProgrammeFreeClinic(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	for _, user := range []string{"ma", "hu", "qi"} {
		w.move(user, "resident")
	}
	w.holds(w.says("li", "义诊报名"), "要参加吗")
	if got := strings.Join(w.says("li", "参加"), "\n"); !strings.Contains(got, "有消息就告诉您") {
		t.Fatalf("joining was answered %q", got)
	}
	w.joins(w.person("hu"), "free_clinic")
	w.joins(w.person("qi"), "free_clinic")
	e := w.event("free_clinic", "春季义诊", "2026-03-10 09:00")
	w.until("2026-03-06 18:00")
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error { return w.deps.Care.Died(ctx, t, w.person("hu")) })
	w.says("qi", "退出义诊")
	w.says("qi", "退出")
	w.heard("hu")
	w.heard("qi")
	w.until("2026-03-07 11:00")
	w.contains("li", "春季义诊：3月10日周二09:00，昌盛社区广场")
	w.until("2026-03-09 18:00")
	w.contains("li", "明天(3月10日)")
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		_, err := w.deps.Care.CancelEvent(ctx, t, e)
		return err
	})
	w.until("2026-03-12 12:00")
	w.contains("li", "春季义诊取消了")
	w.silent("ma")
	w.silent("hu")
	w.silent("qi")
}

// An event that was moved tells the new time once, and reminds of it; when its day is
// over it took place, thanks its guests and asks for a mark.
func TestProgrammeEventIsMovedHeldAndMarked(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.joins(w.person("li"), "free_clinic")
	e := w.event("free_clinic", "春季义诊", "2026-03-06 09:00")
	w.until("2026-03-03 12:00")
	w.contains("li", "春季义诊：")
	for _, when := range []string{"2026-03-11 09:00", "2026-03-12 14:30"} {
		w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
			_, err := w.deps.Care.MoveEvent(ctx, t, e, "一院门口", at(w.t, when))
			return err
		})
	}
	w.until("2026-03-03 15:00")
	if got := w.heard("li"); len(got) != 1 || !strings.Contains(got[0], "春季义诊改到3月12日周四14:30，一院门口") {
		t.Fatalf("two moves were told as %q", got)
	}
	w.until("2026-03-12 12:00")
	w.contains("li", "明天(3月12日)14:30")
	w.joins(w.person("wife"), "free_clinic") // the same day: what is over is not said
	w.until("2026-03-13 11:00")
	w.contains("li", "办得怎么样")
	w.says("li", "5")
	if got := one[string](w.rig, `select answer from survey where kind = 'programme' and answered_at is not null`); got != "5" {
		t.Errorf("the mark is %q", got)
	}
}

// 无偿献血: thanked the same day, asked again after six months; a second donation
// takes the place of the first.
func TestProgrammeBloodDonation(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	li := w.person("li")
	enter := func() {
		w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
			_, err := w.deps.Care.Enter(ctx, t, homecare.Entry{Programme: "blood_donation", Person: li, At: map[care.Anchor]time.Time{"donated": t.Now}})
			return err
		})
	}
	enter()
	w.until("2026-03-04 12:00")
	w.silent("li") // has not joined
	w.joins(li, "blood_donation")
	w.until("2026-04-01 09:00")
	enter()
	w.until("2026-04-01 20:00")
	w.contains("li", "谢谢您今天献血")
	w.jump("2026-10-01 09:00")
	w.silent("li") // six months after the second one
	w.until("2026-10-03 12:00")
	w.contains("li", "已满六个月")
}

// 免陪照护: asked on the second day, a call for help becomes the desk's, and so does
// the call after the discharge; then one mark.
func TestProgrammeCareFree(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	var stay int64
	w.joins(w.wife, "care_free")
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		o, err := w.deps.Care.Enter(ctx, t, homecare.Entry{Programme: "care_free", Person: w.wife, Clinic: w.clinic, At: map[care.Anchor]time.Time{"admitted": t.Now}})
		if err == nil {
			stay = o.ID
		}
		return err
	})
	w.until("2026-03-04 10:30")
	w.contains("wife", "照护第二天了")
	w.holds(w.says("wife", "要帮忙"), "马上跟您联系")
	w.until("2026-03-04 11:00")
	w.contains("desk", "要帮忙")
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error { return t.KeepPhone(ctx, w.wife, "+8613800138000") })
	task := one[int64](w.rig, `select id from task where kind = 'care.help_wanted'`)
	w.expects("desk", "待办", fmt.Sprintf("【%d】", task), "要帮忙")
	w.expects("desk", fmt.Sprintf("处理 %d", task), "要帮忙", "13800138000")
	w.says("desk", "取消")
	w.taskDone("help_wanted", "叫了护工")
	w.until("2026-03-06 09:00")
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		_, err := w.deps.Care.Mark(ctx, t, stay, "discharged", t.Now)
		return err
	})
	w.until("2026-03-09 11:00")
	w.contains("desk", "出院三天")
	w.taskDone("discharge_call", "恢复得好")
	w.until("2026-03-09 17:00")
	w.contains("wife", "照护怎么样")
	w.says("wife", "1")
	w.until("2026-03-10 09:00")
	w.contains("desk", "评价低")
}

// taskDone ends the open task of a rung as the desk.
func (w *ward) taskDone(rung, words string) {
	w.t.Helper()
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		id := one[int64](w.rig, `select id from task where kind = $1 and state = 'open'`, homecare.TaskKind(rung))
		who, err := w.deps.Orders.LoadStaff(ctx, t, t.Staff)
		if err != nil {
			return err
		}
		k, err := w.deps.Care.HoldTask(ctx, t, who, id)
		if err != nil {
			return err
		}
		return w.deps.Care.DoTask(ctx, t, k, homecare.TaskDone{Outcome: homecare.OutDone, Words: words})
	})
}

// 慢病随访: one question, one more after three days, then a call; who is well is
// asked again in ninety days.
func TestProgrammeChronicFollowUp(t *testing.T) {
	w := newWard(t, "2026-03-03 08:00")
	for _, user := range []string{"li", "wife"} {
		w.joins(w.person(user), "chronic_follow_up")
		w.enrol(homecare.Enrolment{Programme: "chronic_follow_up", Person: w.person(user), Staff: w.nurse, Clinic: w.clinic})
	}
	w.until("2026-03-04 11:00")
	w.contains("wife", "身体还好吗")
	w.holds(w.says("wife", "没问题"), "记下了")
	if got := w.heard("li"); len(got) != 1 {
		t.Fatalf("the silent one heard %q", got)
	}
	w.until("2026-03-08 10:00")
	w.contains("li", "前几天问过您")
	w.contains("desk", "没有回话")
	w.taskDone("trace", "电话里说都好")
	w.jump("2026-05-30 12:00")
	w.silent("li")
	w.until("2026-06-09 12:00")
	w.contains("wife", "身体还好吗")
	w.contains("li", "身体还好吗")
}

// 走访关注人员: a line in the morning, one line back; who was not met is called on
// again; what was missed reaches who leads. The visited hear nothing.
func TestProgrammeGridRounds(t *testing.T) {
	w := newWard(t, "2026-03-03 08:00")
	w.hire("zhang", people.RoleGridLeader, people.AreaVillage, village)
	w.move("old", "resident")
	w.enrol(homecare.Enrolment{Programme: "grid_rounds", Person: w.person("old"), Staff: w.staffID("wang"), Grid: grid, Home: "昌盛小区3栋", Every: 7})
	w.until("2026-03-04 09:00")
	visit := one[int64](w.rig, `select min(v.id) from visit v`)
	w.contains("wang", fmt.Sprintf("今天要走访%d号", visit))
	w.holds(w.says("wang", "走访"), "昌盛小区3栋")
	w.holds(w.says("wang", fmt.Sprintf("走访 %d 没人", visit)), "没见到人")
	w.until("2026-03-05 12:00")
	w.contains("wang", "今天要走访")
	w.holds(w.says("wang", fmt.Sprintf("走访 %d 人在，身体还好", visit)), "记下了")
	if got := one[string](w.rig, `select state from visit where id = $1`, visit); got != "done" {
		t.Fatalf("the visit is %s", got)
	}
	w.silent("zhang")
	w.until("2026-03-20 12:00") // the second one is forgotten
	w.contains("zhang", "没有走成")
	next := one[int64](w.rig, `select max(id) from visit`)
	w.says("wang", fmt.Sprintf("停止走访 %d", next))
	w.holds(w.says("wang", "是"), "不归您") // who only calls on them may not
	w.says("zhang", fmt.Sprintf("停止走访 %d", next))
	w.holds(w.says("zhang", "是"), "停了")
	if n := one[int64](w.rig, `select count(*) from due where kind like 'care.%' and state = 'planned' and subject like 'visit:%'`); n != 0 {
		t.Errorf("%d rows are still planned", n)
	}
	w.silent("old")
}

// 结对帮扶: the household hears a day before and may say no; the helper then makes
// another appointment, and what was not done is the desk's.
func TestProgrammePairing(t *testing.T) {
	w := newWard(t, "2026-03-03 08:00")
	w.joins(w.person("li"), "pairing")
	w.enrol(homecare.Enrolment{Programme: "pairing", Person: w.person("li"), Staff: w.staffID("wang"), From: day("2026-03-10")})
	w.until("2026-03-09 12:00")
	w.contains("wang", "先打电话约好")
	w.until("2026-03-09 19:00")
	w.contains("li", "家里有人吗")
	w.holds(w.says("li", "不方便"), "改天再来")
	w.until("2026-03-10 09:00")
	w.contains("wang", "不方便")
	w.until("2026-03-25 12:00")
	if n := one[int64](w.rig, `select count(*) from task where kind = 'care.missed' and state = 'open'`); n != 1 {
		t.Errorf("%d tasks were laid for a visit that was missed", n)
	}
}

// 培训安排: only by the channels of the programme; who has none of them is kept back
// with the reason, and hears nothing elsewhere.
func TestProgrammeTrainingGoesByItsChannelsOnly(t *testing.T) {
	w := newWard(t, "2026-03-03 08:00")
	w.exec(`with a as (insert into address (channel, user_id, chat, person_id, trust) select 'work', 'wang-w', 'wang-w', person_id, 'verified' from address where user_id = 'wang' returning id)
		insert into conversation (channel, chat, user_id, address_id) select 'work', 'wang-w', 'wang-w', id from a`)
	e := w.event("training", "带教安排", "2026-03-10 14:30")
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		n, err := w.deps.Care.AddStaff(ctx, t, e, []int64{w.staffID("wang"), w.nurse, 999999})
		if err == nil && n != 2 {
			return fmt.Errorf("%d take part", n)
		}
		return err
	})
	w.until("2026-03-09 18:00")
	w.contains("wang-w", "带教安排：明天(3月10日)14:30，昌盛社区广场。能来吗")
	w.silent("wang")
	w.silent("nurse")
	if got := one[string](w.rig, `select reason from due where kind = 'care.question' and state = 'suppressed'`); got != "no_channel" {
		t.Errorf("the other one was kept back because of %q", got)
	}
}

// A broadcast goes over its members in chunks. A kill between two of them repeats
// nothing and leaves nobody out, and a record that cannot be read stops nobody else.
func TestProgrammeBroadcastInChunks(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	const members = 1200
	w.exec(`with p as (insert into person (kind) select 'resident' from generate_series(1, $1::int) returning id)
		insert into care_member (person_id, programme) select id, 'free_clinic' from p`, members)
	e := w.event("free_clinic", "春季义诊", "2026-03-20 09:00")
	if n := one[int64](w.rig, `select count(*) from care_occasion where event_id = $1`, e); n != members {
		t.Fatalf("%d take part", n)
	}
	w.exec(`update care_occasion set at = '{"held": "soon"}' where id = (select min(id) + 7 from care_occasion)`)
	w.exec(`update care_occasion set at = '[1]' where id = (select min(id) + 8 from care_occasion)`)
	var version int32
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		ev, err := w.deps.Care.CancelEvent(ctx, t, e)
		version = ev.Version
		return err
	})
	// A worker that died did its chunk, and its row is claimed again.
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		_, err := w.deps.Care.Walk(ctx, t, e, version, homecare.EventDue{Step: "parts"})
		return err
	})
	if n := one[int64](w.rig, `select count(distinct subject) from due where key like 'called_off/%'`); n < members-2 {
		t.Errorf("%d of %d are told", n, members)
	}
	if n := one[int64](w.rig, `select count(*) from due where key like 'called_off/%'`); n > members {
		t.Errorf("%d rows for %d members", n, members)
	}
	if n := one[int64](w.rig, `select count(*) from due where kind = 'care.member' and state = 'planned' and key not like 'called_off/%'`); n != 0 {
		t.Errorf("%d reminders of a cancelled event are still planned", n)
	}
}

const eighth = `programme: reading_room
title: 读书会
consent: programme
open: true
source: "a test"
ladders:
  occasion:
    - {kind: tomorrow, due: {of: held, days: -1, at: "17:00"}, until: {of: held}, to: [member], while: [planned], late: skip, class: normal, on_quiet: later, asks: true, answers: [{value: "yes", to: confirmed}, {value: "no", to: declined}]}
    - {kind: seat, due: {of: held, plus: -2h}, until: {of: held}, to: [member], while: [confirmed], late: skip, class: normal, on_quiet: drop}
`

const eighthTexts = `care.called.reading_room: 读书
care.about.reading_room: 有读书会就告诉您。
care.reading_room:
  tomorrow: "{{title}}：{{day}}{{clock}}，{{place}}。来吗？"
  seat: "给您留了座，{{clock}}见。"
care.answer.reading_room: {"yes": 来, "no": 不来}
care.said.reading_room: {"yes": 好的，留了座。, "no": 好的，下次再来。}
`

// A new programme is two files: its ladder and its texts.
func TestProgrammeIsConfigurationOnly(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	p, err := care.ParseProgramme("reading_room.yaml", []byte(eighth))
	if err != nil {
		t.Fatal(err)
	}
	rules := w.deps.Care.Rules
	if w.deps.Care.Rules, err = care.NewRules(rules.Policy(), append(rules.Programmes(), p), w.deps.Orders.Work, w.deps.Quiet); err != nil {
		t.Fatal(err)
	}
	w.exec(`insert into definition (kind, name, version, sha, body, source) values ('texts', 'care_reading', 1, '\x00', $1, 'file')`, eighthTexts)
	if err := w.deps.Library.Reload(t.Context(), w.DB); err != nil {
		t.Fatal(err)
	}
	w.says("li", "参加项目")
	w.says("li", "读书会")
	if got := strings.Join(w.says("li", "参加"), "\n"); !strings.Contains(got, "读书会有消息就告诉您") {
		t.Fatalf("joining was answered %q", got)
	}
	w.event("reading_room", "春天的诗", "2026-03-10 14:30")
	w.until("2026-03-09 18:00")
	w.contains("li", "来吗")
	w.holds(w.says("li", "来"), "留了座")
	w.until("2026-03-10 14:00")
	w.contains("li", "14:30见")
}
