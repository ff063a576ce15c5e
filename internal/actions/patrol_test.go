package actions

import (
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/people"
)

const looseCover = "巡查 井盖松动，走上去会响\n昌盛小区3栋"

// Issue 4, section 4: two lines and a photo in one message are a finding, and
// nothing is asked.
func TestPatrolInOneMessage(t *testing.T) {
	o := newOffice(t)
	got := o.send(o.photo("wang", looseCover))
	if len(got) != 1 {
		t.Fatalf("the worker hears %q, not one line", got)
	}
	o.holds(got, "报上去了，编号 "+o.number())
	if g := one[string](o.rig, `select matter || ' ' || grid || ' ' || finding from ticket`); g != "manhole "+grid+" true" {
		t.Errorf("filed is %s", g)
	}
	if n := one[int64](o.rig, `select count(*) from ticket_file where use = 'report'`); n != 1 {
		t.Errorf("%d photos", n)
	}
	id := one[int64](o.rig, `select id from ticket`)
	o.holds(o.laid("qiu"), "巡查看到：井盖松动", "昌盛小区3栋")
	if id == 0 || o.state() != "dispatched" {
		t.Errorf("ticket %d is %s", id, o.state())
	}
}

// The photo may come with the next message; the finding is filed before it.
func TestPatrolPhotoAfterwards(t *testing.T) {
	o := newOffice(t)
	o.expect("wang", looseCover, "报上去了，编号 ", "照片发来就加上")
	o.is("dispatched")
	o.holds(o.laid("qiu"), "井盖松动")
	o.holds(o.send(o.photo("wang", "")), "照片加上了")
	if n := one[int64](o.rig, `select count(*) from ticket_file where use = 'report'`); n != 1 {
		t.Errorf("%d photos", n)
	}
	o.holds(o.laid("qiu"), "井盖松动") // the desk sees it
	if o.tickets() != 1 {
		t.Errorf("%d tickets", o.tickets())
	}
}

// The next finding does not wait for the photo of the one before.
func TestPatrolsOneAfterTheOther(t *testing.T) {
	o := newOffice(t)
	o.expect("wang", looseCover, "报上去了")
	if got := o.expect("wang", "巡查 路灯不亮\n昌盛小区3栋", "报上去了"); len(got) != 1 {
		t.Errorf("the worker hears %q, not one line", got)
	}
	o.holds(o.send(o.photo("wang", "")), "照片加上了")
	if n := one[int64](o.rig, `select count(*) from ticket where finding`); n != 2 {
		t.Fatalf("%d findings", n)
	}
	if m := one[string](o.rig, `select matter from ticket join ticket_file f on f.ticket_id = ticket.id`); m != "street_light" {
		t.Errorf("the photo is with %s", m)
	}
}

// Only what is missing is asked.
func TestPatrolAsksWhatIsMissing(t *testing.T) {
	o := newOffice(t)
	o.holds(o.send(o.photo("wang", "巡查 井盖松动，走上去会响")), "在什么地方")
	if o.tickets() != 0 {
		t.Fatal("it was filed without a place")
	}
	o.expect("wang", "昌盛小区3栋", "报上去了")
	if n := one[int64](o.rig, `select count(*) from ticket_file`); n != 1 {
		t.Errorf("%d photos", n)
	}
}

// Auxiliaries 辅警 and aides see and report; they sign for nothing. Whoever may
// not patrol there files nothing.
func TestWhoPatrols(t *testing.T) {
	o := newOffice(t)
	o.hire("fu", people.RoleAuxiliary, people.AreaTownship, "360313001")
	o.hire("xie", people.RoleAide, people.AreaGrid, grid)
	for _, slug := range []string{"fu", "xie"} {
		o.seat(slug, "verified")
		o.holds(o.send(o.photo(bots.UserID(slug), looseCover)), "报上去了")
	}
	o.says("far", looseCover)
	if n := one[int64](o.rig, `select count(*) from ticket`); n != 2 {
		t.Errorf("%d findings", n)
	}
	o.hire("qi", people.RoleAuxiliary, people.AreaGrid, grid)
	o.seat("qi", "verified")
	o.expect("qi", "接 "+o.number(), "这一步不归您")
}

// The figure of patrol events: handled of those that were due, by month and
// area; a check that finds it undone takes it back.
func TestPatrolFigures(t *testing.T) {
	o := newOffice(t)
	o.exec(`insert into division (code, level, name, parent) values ('360302', 'county', '安源区', '3603') on conflict do nothing`)
	o.expect("ling", "巡查数据", "2026年3月没有到期的巡查件")
	lay := func(n int, division, state, solved, handled, deadline string, finding bool) {
		for range n {
			o.send(o.photo("wang", looseCover))
			o.exec(`update ticket set division = $1, state = $2, solved = $3, handled_at = nullif($4, '')::timestamptz, deadline = $5::timestamptz, finding = $6
				where id = (select max(id) from ticket)`, division, state, solved, handled, deadline, finding)
		}
	}
	lay(3, village, "closed", "yes", "2026-02-10 10:00+08", "2026-02-12 17:30+08", true)  // in time
	lay(1, village, "handled", "", "2026-02-20 10:00+08", "2026-02-12 17:30+08", true)    // late, not yet checked
	lay(1, village, "callback", "no", "2026-02-10 10:00+08", "2026-02-12 17:30+08", true) // the check says: undone
	lay(1, village, "withdrawn", "", "", "2026-02-12 17:30+08", true)                     // out
	lay(1, village, "closed", "yes", "2026-01-31 23:59+08", "2026-02-03 17:30+08", true)  // handled in January
	lay(1, village, "closed", "yes", "2026-02-10 10:00+08", "2026-02-12 17:30+08", false) // no finding
	lay(1, "360302002007", "signed", "", "", "2026-02-28 17:30+08", true)                 // overdue elsewhere
	lay(1, "360302002007", "signed", "", "", "2026-03-31 17:30+08", true)                 // not due yet
	got := o.says("ling", "巡查数据 2月")
	o.holds(got, "2026年2月巡查办结率 66.6%（办结4／应办6），目标99%", "还差32.3个百分点", "逾期才办结1件", "核查3件", "不计入1件", "安源区 0.0%（0／1）", "80.0%（4／5）")
	if strings.Contains(strings.Join(got, ""), "undefined") {
		t.Error(got)
	}
	o.expect("ling", "巡查数据 2026-01", "100.0%（办结1／应办1），目标99%，达到了")
	o.expect("ling", "巡查数据", "2026年3月没有到期的巡查件")
	o.advance(29 * 24 * time.Hour)
	o.expect("ling", "巡查数据 3月", "0.0%（办结0／应办1）")
	o.expect("ling", "巡查数据 13月", "月份看不懂")
	o.expect("ling", "巡查数据 2027-01", "这个月还没有到")
	o.expect("pai", "巡查数据 2月", "80.0%（办结4／应办5）") // of a county
	o.expect("wang", "巡查数据", "这一步不归您")
}
