package actions

import (
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/internal/people"
)

// Who may see figures has them of their own area in chat; others are told so.
// What is counted is right at once, before any night has passed.
func TestFiguresInChat(t *testing.T) {
	o := newOffice(t)
	o.hire("xu", people.RoleLeader, people.AreaUnit, "housing")
	o.seat("xu", "verified")
	o.handledBy()
	for user, want := range map[bots.UserID]string{"pai": "计入1件", "ling": "计入1件", "xu": "计入0件"} {
		got := strings.Join(o.says(user, "数据"), "\n")
		if !strings.Contains(got, want) || !strings.Contains(got, "3月 数据") {
			t.Errorf("%s reads %q", user, got)
		}
	}
	if got := strings.Join(o.says("ling", "数据 上月"), "\n"); !strings.Contains(got, "2月 数据") || !strings.Contains(got, "计入0件") {
		t.Errorf("last month: %q", got)
	}
	if got := strings.Join(o.says("ling", "星级"), "\n"); !strings.Contains(got, "样本不足") || !strings.Contains(got, "不与任何人待遇挂钩") || strings.Contains(got, "★") {
		t.Errorf("stars of one ticket: %q", got)
	}
	// One ticket is a small cell: nobody learns where it was.
	if got := strings.Join(o.says("ling", "烦恼"), "\n"); !strings.Contains(got, "少于5件") || strings.Contains(got, "1件 ") {
		t.Errorf("worries: %q", got)
	}
	o.expect("wang", "数据", "权限")
}

// The monthly question offers the nine worries of the policy.
func TestTheMonthlyQuestionHasTheNineWorries(t *testing.T) {
	set := newSet(t, nil, nil)
	body := string(config(t, "flows/worry_poll.yaml"))
	for _, worry := range set.Tally.Policy.Worry.Names {
		if strings.Count(body, "value: "+worry+",") != 1 {
			t.Errorf("%s is not among the answers", worry)
		}
		found := false
		for _, m := range set.Orders.Matters.All() {
			found = found || m.Worry == worry
		}
		if !found {
			t.Errorf("no matter is a worry of the kind %s", worry)
		}
	}
	if n := strings.Count(body, "- {value:"); n != len(set.Tally.Policy.Worry.Names) {
		t.Errorf("%d answers", n)
	}
}

// Figures of beds are for those at a clinic, its hospital and the leaders above.
func TestCareFiguresInChat(t *testing.T) {
	o := newOffice(t)
	o.exec(`insert into unit (code, name, kind) values ('hos', '一院', 'hospital'), ('cli', '青山卫生院', 'clinic') on conflict do nothing`)
	o.exec(`insert into clinic (code, name, tier, phone) values ('hos', '一院', 'hospital', '0799-1111111')`)
	o.exec(`insert into clinic (code, name, tier, phone, hospital_id) select 'cli', '青山卫生院', 'clinic', '0799-2222222', id from clinic where code = 'hos'`)
	o.exec(`with p as (insert into person (kind) values ('resident') returning id)
		insert into bed (clinic_id, person_id, patient, state, opened_at, state_at, version)
		select c.id, p.id, '{}', 'open', product_now(), product_now(), 1 from clinic c, p where c.code = 'cli'`)
	o.hire("mei", people.RoleClinicDesk, people.AreaUnit, "cli")
	o.hire("lian", people.RoleLiaison, people.AreaUnit, "hos")
	for _, user := range []string{"mei", "lian"} {
		o.seat(user, "verified")
		got := strings.Join(o.says(bots.UserID(user), "家床数据"), "\n")
		if !strings.Contains(got, "青山卫生院") || !strings.Contains(got, "家床1张") {
			t.Errorf("%s reads %q", user, got)
		}
	}
	if got := strings.Join(o.says("mei", "家床数据 上月"), "\n"); !strings.Contains(got, "还没有家床") {
		t.Errorf("last month: %q", got)
	}
	o.expect("wang", "家床数据", "权限")
}
