package actions

import (
	"strings"
	"testing"

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
// and the grid as well, each by name and in private.
func TestPoliceAndGridHandleTogether(t *testing.T) {
	for _, c := range []struct {
		said, want string
	}{
		{fight, "lead named gong, co named jing, co named wang"},
		{"昌盛小区3栋楼上漏水，和邻居吵架，邻里纠纷没人调解", "lead named si, co named jing, co named wang"},
	} {
		o := newCourt(t)
		o.report("zhang", c.said)
		if got := o.parts(); got != c.want {
			t.Errorf("%s lies with %q, not %q", c.said, got, c.want)
		}
		if n := one[int64](o.rig, `select count(*) from trail where kind = 'ticket.involved'`); n != 2 {
			t.Errorf("the trail tells of %d who were involved", n)
		}
	}
}

// Who is off duty is stood in for, and whom it is about never takes part.
func TestWhoTakesPart(t *testing.T) {
	for name, c := range map[string]struct{ prepare, want string }{
		"the officer is off duty": {
			`update staff set on_duty = false where slug = 'jing'`, "lead named gong, co named wang",
		},
		"the worker is off duty, li stands in": {
			`update staff set on_duty = false, substitute = (select id from staff where slug = 'li') where slug = 'wang'`, "lead named gong, co named jing, co named li",
		},
		"the officer serves the unit it is about": {
			`insert into staff_role (staff_id, role, area_kind, area) select id, 'handler', 'unit', 'urban_management' from staff where slug = 'jing'`,
			"lead named gong, co named wang",
		},
		"an officer of the village is nearer": {
			`with p as (insert into person (kind) values ('staff') returning id), s as (insert into staff (person_id, slug, name) select id, 'cunjing', 'cunjing' from p returning id)
			insert into staff_role (staff_id, role, area_kind, area) select id, 'community_police', 'village', '` + village + `' from s`,
			"lead named gong, co named cunjing, co named wang",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newCourt(t)
			o.exec(c.prepare)
			said := fight
			if strings.Contains(name, "about") {
				said = "投诉城市管理局工作人员态度恶劣，昌盛小区3栋楼下打架打人也不管"
			}
			o.report("zhang", said)
			if got := o.parts(); got != c.want {
				t.Errorf("%q, not %q", got, c.want)
			}
		})
	}
}
