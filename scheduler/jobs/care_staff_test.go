package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/scheduler"
)

// visitOf is the first open visit of a visitor.
func (w *ward) visitOf(staff int64) int64 {
	w.t.Helper()
	return one[int64](w.rig, `select id from visit where staff_id = $1 and state not in ('done', 'missed', 'cancelled', 'released') order by day, id limit 1`, staff)
}

func (w *ward) state(visit int64) string {
	w.t.Helper()
	return one[string](w.rig, `select state from visit where id = $1`, visit)
}

// expects sends a text and wants the pieces in what is answered.
func (w *ward) expects(user, text string, want ...string) string {
	w.t.Helper()
	got := strings.Join(w.says(user, text), "\n")
	for _, piece := range want {
		if !strings.Contains(got, piece) {
			w.t.Fatalf("%s says %q and hears %q, want %q in it", user, text, got, piece)
		}
	}
	return got
}

// The nurse's day in her chat: the list in the evening with place, phone and number,
// on the way, the code at the door, done with a line of record.
func TestNursesDayInChat(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.opens()
	visit := w.visitOf(w.nurse)
	day := one[string](w.rig, `select to_char(day, 'YYYY-MM-DD') from visit where id = $1`, visit)
	eve := one[string](w.rig, `select to_char(day - 1, 'YYYY-MM-DD') from visit where id = $1`, visit)
	w.until(eve + " 16:59")
	w.heard("nurse")
	w.until(eve + " 17:00")
	list := strings.Join(w.heard("nurse"), "\n")
	for _, want := range []string{fmt.Sprintf("#%d", visit), "昌盛小区3栋", "JC-1", "没回"} {
		if !strings.Contains(list, want) {
			t.Fatalf("the list at 17:00 is %q, want %q in it", list, want)
		}
	}
	if desk := strings.Join(w.heard("desk"), "\n"); !strings.Contains(desk, "王静") || strings.Contains(desk, "昌盛小区") {
		t.Errorf("the desk's list is %q, want visitors and no places", desk)
	}
	w.until(eve + " 20:45")
	if update := strings.Join(w.heard("nurse"), "\n"); !strings.Contains(update, "没回1") || strings.Contains(update, "昌盛小区") {
		t.Errorf("the update at 20:45 is %q", update)
	}

	w.until(day + " 08:50")
	n := fmt.Sprint(visit)
	w.expects("nurse", "上门", "#"+n, "昌盛小区3栋")
	if looks := one[int64](w.rig, `select count(*) from trail where kind = 'look.home'`); looks == 0 {
		t.Error("nobody wrote down who looked where the patient lives")
	}
	w.expects("nurse", "出发 "+n, "告诉家里了")
	w.expects("nurse", "到达", "核验码", "有大人在场吗")
	w.expects("nurse", "有", "到了")
	w.expects("nurse", "完成", "谁在场")
	w.expects("nurse", "1", "记一句")
	w.expects("nurse", "换了药，伤口干", "记录写好了")
	if got := w.state(visit); got != string(care.VisitDone) {
		t.Errorf("the visit is %s", got)
	}
	if !one[bool](w.rig, `select noted from visit where id = $1`, visit) {
		t.Error("the record is missing")
	}
	w.expects("nurse", "出发 "+n, "做完了") // an old number means the old visit
}

// A visit of somebody else is as one that does not exist, in chat as everywhere; the
// desk sees it and reports nothing in the visitor's place.
func TestVisitsOfOthersAreNone(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.opens()
	w.hire("other", people.RoleNurse, people.AreaUnit, "cli")
	w.exec(`insert into unit (code, name, kind) values ('far', '别处卫生院', 'clinic')`)
	w.exec(`insert into clinic (code, name, tier, phone) values ('far', '别处卫生院', 'clinic', '0799-3333333')`)
	w.hire("fardesk", people.RoleClinicDesk, people.AreaUnit, "far")
	n := fmt.Sprint(w.visitOf(w.nurse))
	for _, said := range []string{"出发 ", "到达 ", "无人 ", "求助 ", "改期 ", "换人 "} {
		for _, who := range []string{"other", "fardesk", "wang"} {
			got := strings.Join(w.says(who, said+n), "\n")
			none := strings.Join(w.says(who, said+"999999"), "\n")
			if got != none {
				t.Errorf("%s says %s%s and hears %q, of none %q", who, said, n, got, none)
			}
			w.says(who, "取消")
		}
	}
	w.expects("desk", "出发 "+n, "报不了")
	w.expects("fardesk", "家床", "没有家床")
	w.expects("desk", "家床", "JC-1", "余")
	w.expects("wang", "家床", "不归")
	w.expects("fardesk", "住院 JC-1", "没有这张床")
}

// A nurse who is sick gives all her visits to a colleague, who hears where to go.
func TestSickNurse(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.opens()
	w.hire("min", people.RoleNurse, people.AreaUnit, "cli")
	w.exec(`update staff set name = '李敏' where slug = 'min'`)
	visit := w.visitOf(w.nurse)
	day := one[string](w.rig, `select to_char(day, 'YYYY-MM-DD') from visit where id = $1`, visit)
	w.until(day + " 07:00")
	w.heard("wife")
	w.expects("nurse", "请病假", "王静哪几天不在")
	w.expects("nurse", "今天", "换谁去")
	w.expects("nurse", "李敏", "1次上门换李敏去")
	w.drain()
	if got := one[string](w.rig, `select s.slug from visit v join staff s on s.id = v.staff_id where v.id = $1`, visit); got != "min" {
		t.Errorf("the visit is %s's", got)
	}
	w.until(day + " 08:00")
	if got := strings.Join(w.heard("min"), "\n"); !strings.Contains(got, "接过来的上门") || !strings.Contains(got, "昌盛小区3栋") {
		t.Errorf("the colleague heard %q", got)
	}
	if n := one[int64](w.rig, `select count(*) from staff_absence where staff_id = $1`, w.nurse); n != 1 {
		t.Errorf("%d absences were entered", n)
	}
}

// The desk takes up the morning's call, and what the family says on the phone counts.
func TestDeskDoesTheMorningsCall(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.opens()
	visit := w.visitOf(w.nurse)
	day := one[string](w.rig, `select to_char(day, 'YYYY-MM-DD') from visit where id = $1`, visit)
	w.until(day + " 07:31")
	task := one[int64](w.rig, `select id from task where kind = 'care.call_morning' and subject = $1 and state = 'open'`, fmt.Sprintf("visit:%d", visit))
	w.expects("desk", "待办", fmt.Sprintf("【%d】", task), "处理")
	w.expects("wang", fmt.Sprintf("处理 %d", task), "没有这个待办")
	w.expects("desk", fmt.Sprintf("处理 %d", task), "怎么样")
	w.expects("desk", "没接通", "记一句")
	w.expects("desk", "跳过", "还留在待办里")
	w.expects("desk", fmt.Sprintf("处理 %d", task), "怎么样")
	w.expects("desk", "有人", "记一句")
	w.expects("desk", "跳过", "完成了")
	if got := w.state(visit); got != string(care.VisitConfirmed) {
		t.Errorf("the visit is %s", got)
	}
	if got := one[string](w.rig, `select state || ' ' || outcome from task where id = $1`, task); got != "done home" {
		t.Errorf("the task is %s", got)
	}
}

// Admission by the liaison clears what is planned, and the visitor of the day hears
// that nobody goes there; death is asked twice.
func TestLiaisonAdmitsAndDeskWritesDownADeath(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	bed := w.opens()
	visit := w.visitOf(w.nurse)
	eve := one[string](w.rig, `select to_char(day - 1, 'YYYY-MM-DD') from visit where id = $1`, visit)
	w.until(eve + " 17:30")
	w.heard("nurse")
	w.expects("liaison", "续床 JC-1", "续一个周期")
	w.expects("liaison", "对", "不归您办")
	w.expects("liaison", "住院 JC-1", "住院了？")
	w.expects("liaison", "对", "停了")
	w.drain()
	if got := w.state(visit); got != string(care.VisitReleased) {
		t.Errorf("the visit is %s", got)
	}
	if got := strings.Join(w.heard("nurse"), "\n"); !strings.Contains(got, "不用去了") {
		t.Errorf("the visitor heard %q", got)
	}
	w.expects("desk", "去世 JC-1", "去世了？")
	w.expects("desk", "对", "再看一遍")
	if got := one[string](w.rig, `select state from bed where id = $1`, bed); got != string(care.BedSuspended) {
		t.Errorf("after one yes the bed is %s", got)
	}
	w.expects("desk", "对", "不会再给这家发消息")
	if got := one[string](w.rig, `select state from bed where id = $1`, bed); got != string(care.BedClosed) {
		t.Errorf("the bed is %s", got)
	}
}

// Who was rated does not ring about it.
func TestLowAnswerIsNotCalledByWhoWasRated(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.opens()
	visit := w.visitOf(w.nurse)
	w.exec(`insert into staff_role (staff_id, role, area_kind, area) values ($1, 'clinic_desk', 'unit', 'cli')`, w.nurse)
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		bed, v, err := w.deps.Care.LoadVisit(ctx, t, visit)
		if err != nil {
			return err
		}
		due := homecare.Due{Programme: care.FamilyBed, Rung: "low_call", Role: care.ToQuality}
		return w.deps.Care.LayTask(ctx, t, &homecare.Rung{Due: due, Subject: homecare.VisitSubject(visit), Bed: bed, Visit: &v}, nil)
	})
	task := one[int64](w.rig, `select max(id) from task`)
	w.expects("nurse", fmt.Sprintf("处理 %d", task), "没有这个待办")
	w.expects("desk", fmt.Sprintf("处理 %d", task), "怎么样")
}

// The address of a calendar is shown once; revoked and for who has left it says
// nothing, and it names nobody.
func TestCalendarOfAVisitor(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.opens()
	got := w.expects("nurse", "日历", "/feed/")
	path := got[strings.Index(got, "/feed/"):]
	token := strings.TrimPrefix(path[:strings.Index(path, ".ics")], "/feed/")
	read := func() string {
		text := func(key string, params map[string]string) (string, error) {
			return w.deps.Library.Text(key, "zh-Hans", params)
		}
		body, err := w.deps.Care.Feed(t.Context(), w.DB, token, text, w.now())
		if err != nil {
			return err.Error()
		}
		return string(body)
	}
	body := read()
	if !strings.Contains(body, fmt.Sprintf("visit-%d@", w.visitOf(w.nurse))) {
		t.Fatalf("the calendar is %q", body)
	}
	for _, secret := range []string{"昌盛", "JC-1", "瘫痪", "护理"} {
		if strings.Contains(body, secret) {
			t.Errorf("the calendar holds %q", secret)
		}
	}
	given := w.visitOf(w.nurse)
	w.visit(given, w.desk(), care.Reassign{Staff: w.doctor})
	event := read()
	event = event[strings.Index(event, fmt.Sprintf("UID:visit-%d@", given)):]
	if event = event[:strings.Index(event, "END:VEVENT")]; !strings.Contains(event, "STATUS:CANCELLED") || !strings.Contains(event, "SEQUENCE:5") {
		t.Errorf("a visit that was given to the doctor is %q", event)
	}
	w.visit(given, w.desk(), care.Reassign{Staff: w.nurse})
	if body := read(); strings.Count(body, fmt.Sprintf("visit-%d@", given)) != 1 || strings.Contains(body, "STATUS:CANCELLED") {
		t.Errorf("after it was given back the calendar is %q", body)
	}
	w.exec(`update staff set ended_at = product_now() where slug = 'nurse'`)
	if got := read(); got != "no such calendar" {
		t.Errorf("who has left still reads %q", got)
	}
	w.exec(`update staff set ended_at = null where slug = 'nurse'`)
	w.expects("nurse", "停用日历", "停用了")
	if got := read(); got != "no such calendar" {
		t.Errorf("a revoked calendar says %q", got)
	}
	w.expects("pai", "日历", "不归您")
}

// The rounds of the week on Monday, and reminders that stand still.
func TestMondayRoundsAndPause(t *testing.T) {
	w := newWard(t, "2026-03-06 09:00")
	bed := w.opens()
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		_, err := w.deps.Care.DoBed(ctx, t, bed, w.desk(), care.Order{Item: care.Item{ID: w.item(), Kind: "round", Every: 7, Staff: w.doctor, From: day("2026-03-11")}})
		return err
	})
	w.until("2026-03-09 08:29")
	w.heard("doc")
	w.until("2026-03-09 08:31")
	if got := strings.Join(w.heard("doc"), "\n"); !strings.Contains(got, "李平：本周应查1次") {
		t.Errorf("on Monday the doctor heard %q", got)
	}
	w.expects("nurse", "暂停提醒", "为什么停")
	w.expects("nurse", "下雪", "停吗")
	w.expects("nurse", "对", "不归您")
	w.expects("desk", "暂停提醒", "为什么停")
	w.expects("desk", "下雪", "停吗")
	w.expects("desk", "对", "停了")
	w.expects("desk", "恢复提醒", "恢复了")
}

// Every rung that speaks to staff has its text, every task its two lines and what
// may come of it.
func TestStaffRungsHaveTexts(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	staff := []care.Role{care.ToVisitor, care.ToDoctor, care.ToDesk, care.ToLead, care.ToHospital, care.ToGrid, care.ToQuality}
	tasks := []string{"worse", "worse_doctor", "stranger", "leave", homecare.RungCall} // no rung lays these
	var keys []string
	for _, programme := range w.deps.Care.Rules.Programmes() {
		for _, ladder := range programme.Ladders {
			for _, g := range ladder {
				switch {
				case g.Task || g.Asks && programme.Code == care.FamilyBed:
					tasks = append(tasks, g.Kind)
				case programme.Code == care.FamilyBed && slices.Contains(staff, g.To[0]):
					keys = append(keys, "care.family_bed."+g.Kind)
				}
			}
		}
	}
	for _, rung := range tasks {
		keys = append(keys, "task.care."+rung, "todo.care."+rung, "console.task.care."+rung)
	}
	for _, key := range keys {
		if _, err := w.deps.Library.Text(key, "zh-Hans", map[string]string{}); errors.Is(err, gateway.ErrNoDefinition) {
			t.Errorf("text %s: %v", key, err)
		}
	}
	if len(keys) < 40 {
		t.Errorf("only %d keys were looked at", len(keys))
	}
}

// What a family writes unasked reaches desk and doctor with its words, in the line, in
// the list and on the sheet.
func TestDeskReadsWhatAFamilyWrites(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	bed := w.opens()
	said := map[string]string{"worse": "他从昨晚发烧", "worse_doctor": "他从昨晚发烧", "leave": "以后都不用上门了"}
	w.do("wife", func(ctx context.Context, t *gateway.Turn) error {
		b, err := w.deps.Care.LoadBed(ctx, t, bed)
		for what, to := range map[string]care.Recipient{"worse": {Role: care.ToDesk}, "worse_doctor": {Staff: w.doctor}, "leave": {Role: care.ToDesk}} {
			if err == nil {
				err = w.deps.Care.Lay(ctx, t, b, what, to, scheduler.Emergency, said[what], t.Now.Add(time.Hour))
			}
		}
		return err
	})
	w.until("2026-03-03 09:05")
	for _, who := range []string{"desk", "doc"} {
		w.contains(who, "情况变差")
	}
	for kind, words := range map[string]string{"care.worse": "他从昨晚发烧", "care.leave": "以后都不用上门了"} {
		task := one[int64](w.rig, `select id from task where kind = $1`, kind)
		w.expects("desk", "待办", fmt.Sprintf("【%d】", task))
		w.expects("desk", fmt.Sprintf("处理 %d", task), words, "怎么样")
		w.expects("desk", "办好了", "记一句")
		w.expects("desk", "跳过", "完成了")
	}
}
