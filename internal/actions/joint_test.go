package actions

import (
	"fmt"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/internal/people"
	"shaoying/internal/workorder"
)

const fight = "昌盛小区3栋楼下有人打牌赌钱，天天吵到半夜"

// Whoever handles a dispute together with the lead reads what it is about and never
// who reported it (policies/tickets.yaml, joint); the lead sees the name masked.
// The reporter is told so, and the trail keeps who took part and what they said.
func TestWhoHandlesTogetherDoesNotLearnWhoReported(t *testing.T) {
	o := newCourt(t)
	o.says("lan", "你好")
	seal := func(what, words string) []byte { return o.Keys.Seal([]byte(words), what) }
	o.exec(`update person set name = $1, phone = $2 where id = (select person_id from address where user_id = 'lan')`, seal(workorder.SealName, "兰秀英"), seal(workorder.SealPhone, "13800001234"))
	o.holds(o.report("lan", "昌盛小区3栋楼上漏水，和邻居吵架，邻里纠纷没人调解"), "由专人办，不进群", "社区民警和网格员一起办，他们看得到这件事，看不到您的姓名和电话", "告诉您一声")
	for slug, named := range map[string]bool{"si": true, "jing": false, "wang": false} {
		card := strings.Join(append(o.laid(bots.UserID(slug)), o.says(bots.UserID(slug), "详情 1")...), "\n")
		if !strings.Contains(card, "和邻居吵架") {
			t.Errorf("%s does not read what it is about: %s", slug, card)
		}
		if got := strings.Contains(card, "兰*"); got != named || strings.Contains(card, "秀英") || strings.Contains(card, "1380000") {
			t.Errorf("%s reads %s", slug, card)
		}
	}
	// The lead met them: a picture shows it, or a sentence does.
	o.expect("si", "接 1", "接好了")
	o.expect("si", "联系 1", "怎么联系？")
	o.expect("si", "已经上门见过", "拍张照片作凭据")
	o.expect("si", "跳过", "见到谁、说了什么？")
	o.expect("si", "见到兰大姐，说好周三调解", "已经上门见过")
	o.expect("si", "联系 1", "怎么联系？")
	o.expect("si", "上门", "拍张照片作凭据")
	o.holds(o.send(o.photo("si", "")), "已经上门见过")
	if got := one[string](o.rig, `select (select count(*) from ticket_note where audience = 'staff') || ' words, ' || (select count(*) from ticket_file where use = 'evidence') || ' picture'`); got != "1 words, 1 picture" {
		t.Errorf("the proof of the visit is %s", got)
	}
	o.expect("wang", "接协办 1", "协办答复 1")
	o.expect("wang", "协办答复 1 两家都在，约了周三晚上调解", "答复给主办了")
	if got := one[string](o.rig, `select string_agg(kind, ' ' order by id) from trail where kind in ('ticket.involved', 'ticket.co_signed', 'ticket.co_replied')`); got != "ticket.involved ticket.involved ticket.co_signed ticket.co_replied" {
		t.Errorf("of the joint handling the trail tells %s", got)
	}
}

// court is an office with the police of the place, and named handlers for
// public security and disputes.
func newCourt(t testing.TB) *office {
	o := newOffice(t)
	o.hire("gong", people.RoleHandler, people.AreaUnit, "public_security")
	o.hire("si", people.RoleHandler, people.AreaUnit, "judicial")
	o.hire("jing", people.RoleCommunityPolice, people.AreaTownship, "360313001")
	o.hire("fu", people.RoleAuxiliary, people.AreaTownship, "360313001")
	o.hire("zhangzhang", people.RoleGridLeader, people.AreaGrid, grid)
	for _, slug := range []string{"gong", "si", "jing", "fu", "zhangzhang"} {
		o.seat(slug, "verified")
	}
	return o
}

// desks are the running parts of the last ticket: role, desk, whom.
func (o *office) parts() string {
	o.t.Helper()
	return one[string](o.rig, `select coalesce(string_agg(a.role || ' ' || a.desk_kind || ' ' || coalesce(s.slug, a.desk), ', ' order by a.role desc, a.id), '')
		from assignment a left join staff s on s.id = a.desk_staff where a.ticket_id = (select max(id) from ticket) and a.ended_at is null`)
}

// Issue 4, section 4: matters of public security and disputes reach the police
// and the grid as well, each by name and in private. Who is off duty is stood in
// for, and whom it is about never takes part.
func TestPoliceAndGridHandleTogether(t *testing.T) {
	o := newCourt(t)
	duty := func(slug string, on bool, substitute string) {
		o.exec(`update staff set on_duty = $2, substitute = (select id from staff where slug = nullif($3, '')) where slug = $1`, slug, on, substitute)
	}
	for i, c := range []struct {
		name, said, want string
		prepare, undo    func()
	}{
		{name: "public security", said: fight, want: "lead named gong, co named jing, co named wang"},
		{name: "a dispute", said: "昌盛小区3栋楼上漏水，和邻居吵架，邻里纠纷没人调解", want: "lead named si, co named jing, co named wang"},
		{
			"the officer is off duty", fight, "lead named gong, co named wang",
			func() { duty("jing", false, "") }, func() { duty("jing", true, "") },
		},
		{
			"the worker is off duty, li stands in", fight, "lead named gong, co named jing, co named li",
			func() { duty("wang", false, "li") }, func() { duty("wang", true, "") },
		},
		{
			"an officer of the village is nearer", fight, "lead named gong, co named cunjing, co named wang",
			func() { o.hire("cunjing", people.RoleCommunityPolice, people.AreaVillage, village) },
			func() { duty("cunjing", false, "") },
		},
		{
			"the officer serves the unit it is about", "投诉城市管理局工作人员态度恶劣，昌盛小区3栋楼下打架打人也不管", "lead named gong, co named wang",
			func() {
				o.exec(`insert into staff_role (staff_id, role, area_kind, area) select id, 'handler', 'unit', 'urban_management' from staff where slug = 'jing'`)
			}, nil,
		},
	} {
		if c.prepare != nil {
			c.prepare()
		}
		o.report(bots.UserID(fmt.Sprint("ju", i)), c.said)
		if got := o.parts(); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
		co := int64(strings.Count(c.want, "co "))
		if n := one[int64](o.rig, `select count(*) from trail where kind = 'ticket.involved' and subject = 'ticket:' || (select max(id) from ticket)`); n != co {
			t.Errorf("%s: the trail tells of %d who were involved, not %d", c.name, n, co)
		}
		if c.undo != nil {
			c.undo()
		}
	}
}
