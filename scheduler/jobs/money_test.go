package jobs_test

import (
	"context"
	"strings"
	"testing"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/workorder"
	"shaoying/scheduler/jobs"
)

// Administrators hear that the money of a day is nearly gone, and that it is
// gone: each once, however often it is told, the second before all else.
func TestMoneyIsToldOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 15:00")
	r.hire("guan", people.RoleAdmin, people.AreaCity, workorder.CityCode)
	tell := func(full bool) []string {
		r.do("li", func(ctx context.Context, t *gateway.Turn) error {
			return jobs.Overspent(r.deps)(ctx, t, gateway.Spent{Day: "2026-03-03", Full: full, Limit: 100000})
		})
		r.drain()
		return r.heard("guan")
	}
	if got := tell(true); len(got) != 1 || !strings.Contains(got[0], "用完了") {
		t.Errorf("told %q", got)
	}
	if got := tell(true); len(got) != 0 {
		t.Errorf("told again: %q", got)
	}
	if rank := one[int64](r, `select max(rank) from outbox where chat = 'guan'`); rank != 0 {
		t.Errorf("the alarm went at rank %d", rank)
	}
	if got := append(tell(false), tell(false)...); len(got) != 1 || !strings.Contains(got[0], "快用完了") {
		t.Errorf("told %q", got)
	}
}

// A number that had its messages of the day becomes one task that day, also when
// the clerk is done with it.
func TestALimitIsOneTaskADay(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	meet := func(day string) int64 {
		r.do("li", func(ctx context.Context, t *gateway.Turn) error {
			return jobs.Undelivered(r.deps)(ctx, t, gateway.Undelivered{Class: "closed", Capped: day})
		})
		return one[int64](r, `select count(*) from task where kind = 'lost'`)
	}
	if n := meet("2026-03-03") + meet("2026-03-03"); n != 2 {
		t.Errorf("%d tasks, want one", n-1)
	}
	r.exec(`update task set state = 'done'`)
	if n := meet("2026-03-03"); n != 1 || one[string](r, `select state from task where kind = 'lost'`) != "done" {
		t.Errorf("%d tasks; what was done lies there again", n)
	}
	if n := meet("2026-03-04"); n != 2 {
		t.Errorf("%d tasks after another day, want 2", n)
	}
}
