package jobs_test

import (
	"strings"
	"testing"

	"shaoying/internal/people"
	"shaoying/scheduler/jobs"
)

// On the first workday of a month the hospital's liaison and the head of the health
// commission hear of the month that is over, once; other leaders do not.
func TestMonthOfBedsIsTold(t *testing.T) {
	t.Parallel()
	w := newWard(t, "2026-03-30 10:00")
	w.hire("wei", people.RoleLeader, people.AreaUnit, "health")
	w.hire("zhu", people.RoleLeader, people.AreaUnit, "housing")
	w.opens()
	w.until("2026-04-01 08:59")
	for _, user := range []string{"liaison", "wei", "zhu"} {
		w.heard(user)
	}
	w.until("2026-04-01 09:01")
	for _, user := range []string{"liaison", "wei"} {
		if got := strings.Join(w.heard(user), "\n"); !strings.Contains(got, "青山卫生院 2026年3月") || !strings.Contains(got, "家床1张（新开1") {
			t.Errorf("%s heard %q", user, got)
		}
	}
	if got := strings.Join(w.heard("zhu"), "\n"); strings.Contains(got, "家床") {
		t.Errorf("another leader heard %q", got)
	}
	if n := one[int64](w.rig, `select count(*) from due where kind = $1`, jobs.DueCareMonthly); n != 2 {
		t.Errorf("%d rows for two readers", n)
	}
}
