package jobs_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// lay writes a ticket of a resident as it may be after some time: the tests are
// about what is found, not about how it came.
func (r *rig) lay(user, matter string, when time.Time, more string) (id int64) {
	r.t.Helper()
	r.keys++
	id = one[int64](r, `insert into ticket (number, state, claim, matter, urgency, division, grid, words, reporter_id, address_id, conversation_id, version, received_at)
		select $1, 'dispatched', 'help', $2, 'general', $3, $4, $7, a.person_id, a.id, c.id, 1, $5 from address a join conversation c on c.address_id = a.id where a.user_id = $6 returning id`,
		fmt.Sprintf("%010d", r.keys), matter, village, grid, when, user, r.Keys.Seal([]byte("井盖松了"), "ticket.words"))
	if more != "" {
		r.exec(`update ticket set `+more+` where id = $1`, id)
	}
	return id
}

// residents lets so many people in.
func (r *rig) residents(n int) (users []string) {
	for i := range n {
		users = append(users, fmt.Sprintf("r%d", i))
		r.move(users[i], "resident")
	}
	return users
}

func (r *rig) ago(days float64) time.Time {
	return r.now().Add(-time.Duration(days * float64(24*time.Hour)))
}

func TestWhatLooksLikeOneCaseIsSuggestedOnce(t *testing.T) {
	r := newRig(t, "2026-03-09 12:00")
	users := r.residents(4)
	first := r.lay(users[0], "manhole", r.ago(4), "")
	second := r.lay(users[1], "manhole", r.ago(2), "")
	r.lay(users[2], "manhole", r.ago(1), "confidential = true")
	r.until("2026-03-10 09:00")
	if n := one[int64](r, `select count(*) from task where kind = 'merge'`); n != 0 {
		t.Fatal("two reporters and a private one are no case")
	}
	third := r.lay(users[3], "manhole", r.now(), "")
	r.until("2026-03-11 09:00")
	got := strings.Join(r.heard("pai"), "\n")
	if !strings.Contains(got, "井盖与地下管网有3人报，像同一件事") || !strings.Contains(got, "归并") {
		t.Fatalf("the dispatcher heard %q", got)
	}
	r.until("2026-03-13 09:00")
	if got := r.heard("pai"); strings.Contains(strings.Join(got, "\n"), "归并") {
		t.Errorf("it is suggested again: %q", got)
	}
	sheet := strings.Join(r.says("pai", "归并"), "\n")
	if strings.Count(sheet, "井盖") == 0 || !strings.Contains(sheet, "这几件是同一件事吗？") {
		t.Fatalf("the sheet is %q", sheet)
	}
	r.holds(r.says("pai", "1"), "并好了2件，跟着 "+ticket.Number(one[string](r, `select number from ticket where id = $1`, first)).Spoken())
	if n := one[int64](r, `select count(*) from ticket where id in ($1, $2) and state = 'merged' and master_id = $3`, second, third, first); n != 2 {
		t.Errorf("%d are merged", n)
	}
	if n := one[int64](r, `select count(*) from ticket where confidential and state = 'dispatched' and master_id is null`); n != 1 {
		t.Error("the private one was touched")
	}
}

// A topic from its proposal to the count 90 days later.
func TestTopic(t *testing.T) {
	r := newRig(t, "2026-03-02 12:00")
	r.hire("ling", people.RoleLeader, people.AreaCity, workorder.CityCode)
	r.hire("cheng", people.RoleHandler, people.AreaUnit, "urban_management")
	r.exec(`insert into unit (code, name, kind) values ('urban_management', '城市管理局', 'department')`)
	users := r.residents(6)
	for i := range 5 {
		r.lay(users[i], "manhole", r.ago(float64(10+3*i)), "")
	}
	r.lay(users[0], "manhole", r.ago(9), "") // two of one person
	secret := r.lay(users[5], "manhole", r.ago(9), "anonymous = true")
	r.until("2026-03-03 09:00")
	if got := strings.Join(r.heard("pai"), "\n"); !strings.Contains(got, "井盖与地下管网近来有6件，要不要立专项") {
		t.Fatalf("the dispatcher heard %q", got)
	}
	r.holds(r.says("pai", "立项"), "30天内6件")
	r.holds(r.says("pai", "立"), "谁来牵头")
	r.holds(r.says("pai", "城管局"), "打算怎么办")
	r.holds(r.says("pai", "两周内整条管网查一遍"), "连着6件、5人")

	// What comes later is linked by itself.
	r.move("late", "resident")
	r.lay("late", "manhole", r.now(), "")
	hidden := r.lay("late", "manhole", r.now(), "sensitive = true")
	r.until("2026-03-04 09:00")
	if n := one[int64](r, `select count(*) from topic_ticket`); n != 7 {
		t.Errorf("%d tickets are linked", n)
	}
	if n := one[int64](r, `select count(*) from topic_ticket where ticket_id in ($1, $2)`, secret, hidden); n != 0 {
		t.Error("a private ticket is linked")
	}
	r.holds(r.says("cheng", "专项 1"), "牵头：城市管理局")
	r.holds(r.says("ling", "专项"), "专项1")

	// Closed in the evening, told in the morning: quiet hours hold. One wants to
	// hear nothing any more, one was merged into another person.
	r.exec(`insert into opt_out (person_id, topic) select person_id, 'all' from address where user_id = $1`, users[1])
	r.exec(`update person set merged_into = (select person_id from address where user_id = $1) where id = (select person_id from address where user_id = $2)`, users[2], users[3])
	r.until("2026-03-10 21:00")
	for _, u := range append(users, "late") {
		r.heard(u)
	}
	r.holds(r.says("cheng", "专项办结 1 井盖都换了新的，以后每季度查一遍"), "发给5位报过的居民")
	r.holds(r.says("cheng", "对"), "告诉5位居民")
	if got := r.heard(users[0]); len(got) != 0 {
		t.Errorf("told in the night: %q", got)
	}
	if n := one[int64](r, `select count(*) from ticket where state <> 'dispatched'`); n != 0 {
		t.Errorf("%d tickets moved by the topic", n)
	}
	r.until("2026-03-11 09:00")
	heard := 0
	for _, u := range append(users, "late") {
		n := 0
		for _, text := range r.heard(u) {
			if strings.Contains(text, "井盖都换了新的，以后每季度查一遍") {
				n++
			}
		}
		if n > 1 || n == 1 && u == users[5] {
			t.Errorf("%s heard it %d times", u, n)
		}
		heard += n
	}
	// What r1 would be told stops at late binding, when it is sent: see below.
	if heard != 5 {
		t.Errorf("%d heard it", heard)
	}

	// 90 days later: before 6 (the private one is not counted), after 1.
	r.away("2026-04-20 09:00")
	r.lay("late", "manhole", r.now(), "")
	r.lay("late", "manhole", r.now(), "confidential = true")
	r.away("2026-06-08 09:00")
	r.until("2026-06-09 09:00")
	for _, u := range []string{"cheng", "ling"} {
		if got := strings.Join(r.heard(u), "\n"); !strings.Contains(got, "立项前90天6件，办结后90天1件") {
			t.Errorf("%s heard %q", u, got)
		}
	}
	r.holds(r.says("ling", "专项 1"), "立项前90天6件，办结后90天1件")
	r.holds(r.says("hui", "专项 1"), "没有这个专项")
}

// What is told of a topic is asked again before it goes: who wants silence gets
// none of it.
func TestWhoWantsSilenceIsNotToldOfATopic(t *testing.T) {
	r := newRig(t, "2026-03-02 12:00")
	id := one[int64](r, `select person_id from address where user_id = 'li'`)
	for _, want := range []bool{true, false} {
		ok, _, err := r.fresh(workorder.DueTopicTold, fmt.Sprintf("person:%d", id))
		if err != nil || ok != want {
			t.Errorf("fresh is %v, %v", ok, err)
		}
		r.exec(`insert into opt_out (person_id, topic) values ($1, 'all') on conflict do nothing`, id)
	}
}

// fresh asks a late-binding check.
func (r *rig) fresh(reason, subject string) (ok bool, why string, err error) {
	r.t.Helper()
	r.do("li", func(ctx context.Context, t *gateway.Turn) error {
		ok, why, err = r.Fresh[reason](ctx, t.Tx, subject, 0)
		return nil
	})
	return ok, why, err
}

// A rise against the area's own past is proposed although it is below the
// threshold; and what was declined rests.
func TestARiseIsProposedAndADeclinedOneRests(t *testing.T) {
	r := newRig(t, "2026-03-02 12:00")
	users := r.residents(5)
	r.lay(users[0], "garbage", r.ago(400), "")
	for i := range 4 {
		r.lay(users[i], "manhole", r.ago(float64(9+4*i)), "")
	}
	r.until("2026-03-03 09:00")
	if why := one[string](r, `select why || ' ' || found || ' ' || state from topic where matter = 'manhole'`); why != "rise 4 proposed" {
		t.Fatalf("the topic is %s", why)
	}
	r.heard("pai")
	r.holds(r.says("pai", "立项"), "比平常多得多：28天4件，往常0.0件")
	r.holds(r.says("pai", "不立"), "短期内不再提")
	r.lay(users[4], "manhole", r.ago(1), "")
	r.exec(`update ticket set received_at = received_at - interval '2 days' where matter = 'garbage'`)
	r.until("2026-03-05 09:00")
	// Five now, and unusual still: it is proposed again.
	if n := one[int64](r, `select count(*) from topic where state = 'proposed'`); n != 1 {
		t.Errorf("%d are proposed", n)
	}
	r.exec(`update topic set state = 'declined', decided_at = product_now() where state = 'proposed'`)
	// Without a past nothing is unusual, and the declined one rests.
	r.exec(`delete from ticket where matter = 'garbage'`)
	r.until("2026-03-06 09:00")
	if n := one[int64](r, `select count(*) from topic where state = 'proposed'`); n != 0 {
		t.Errorf("%d are proposed", n)
	}
}

// 未诉先办: what came in July of last year is walked in July of this one.
func TestSeason(t *testing.T) {
	r := newRig(t, "2026-06-20 12:00")
	r.exec(`insert into division (code, level, name) values ('3603', 'city', '萍乡市'), ('360313', 'county', '湘东区'), ('360313001', 'township', '峡山口街道'), ($1, 'village', '昌盛社区居委会')`, village)
	r.exec(`insert into grid (id, village, name) values ($1, $2, '昌盛小区网格')`, grid, village)
	for i := range 4 {
		r.lay("li", "manhole", at(t, fmt.Sprintf("2025-07-%02d 10:00", 3+5*i)), "state = 'closed'")
	}
	for i := range 3 {
		r.lay("li", "noise", at(t, fmt.Sprintf("2025-07-%02d 10:00", 3+5*i)), "state = 'closed', confidential = true")
	}
	for i := range 2 {
		r.lay("li", "garbage", at(t, fmt.Sprintf("2025-07-%02d 10:00", 3+5*i)), "state = 'closed'")
	}
	r.until("2026-06-22 09:00")
	r.holds(r.heard("wang"), "昌盛小区网格去年7月常有井盖与地下管网，请提前巡一遍")
	r.holds(r.says("wang", "待办"), "提前巡查：昌盛小区网格 井盖与地下管网")
	r.holds(r.says("wang", "巡完 1"), "井盖与地下管网 4件\n看得怎样")
	r.holds(r.says("wang", "都看了，没有松的"), "照片")
	r.holds(r.says("wang", "跳过"), "昌盛小区网格巡完了")
	if s := one[string](r, `select state || ' ' || outcome from task where kind = 'patrol'`); s != "done patrolled" {
		t.Errorf("the task is %s", s)
	}
	r.until("2026-07-22 09:00")
	if n := one[int64](r, `select count(*) from task where kind = 'patrol'`); n != 1 {
		t.Errorf("%d patrols", n)
	}
}
