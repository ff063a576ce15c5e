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
