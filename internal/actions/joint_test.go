package actions

import (
	"fmt"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/internal/people"
)

const fight = "昌盛小区3栋楼下有人打牌赌钱，天天吵到半夜"

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
