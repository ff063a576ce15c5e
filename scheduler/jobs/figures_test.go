package jobs_test

import (
	"slices"
	"strings"
	"testing"

	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/scheduler/jobs"
)

// A leader gets ten lines on Monday at 08:30, of the month in which the week
// began that is over; who may see no figures gets none. At night the figures are
// rolled up, and a ticket that changes later is right all the same. Where the chat
// shows no pictures, the chart comes as a table below.
func TestLeadersGetTenLinesOnMonday(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-02 10:00") // a Monday
	r.hire("ling", people.RoleLeader, people.AreaCounty, "360313")
	first := r.files("li", ticket.Content{})
	r.files("li", ticket.Content{})
	r.handles(first)
	r.until("2026-03-09 08:29")
	if n := one[int64](r, `select count(*) from figure_month where month = '2026-03-01'`); n == 0 {
		t.Error("nothing was rolled up at night")
	}
	r.heard("ling")
	r.until("2026-03-09 08:31")
	heard := r.heard("ling")
	if len(heard) != 1 {
		t.Fatalf("the leader heard %q", heard)
	}
	lines := strings.Split(heard[0], "\n")
	if len(lines) != 12 || lines[10] != "月份　响应率　解决率（居民说）　满意率" || !strings.HasPrefix(lines[11], "3月　") || !strings.Contains(lines[1], "计入1件") || !strings.Contains(lines[9], "不与任何人待遇挂钩") {
		t.Errorf("ten lines: %q", lines)
	}
	if n := one[int64](r, `select count(*) from due where kind = $1`, jobs.DueMonday); n != 1 {
		t.Errorf("%d rows for one leader", n)
	}
	// The second one becomes overdue by itself: its deadline was 09:59 today.
	r.until("2026-03-16 08:31")
	if heard = r.heard("ling"); len(heard) != 1 || !strings.Contains(heard[0], "计入2件") || !strings.Contains(heard[0], "逾期50.0%") {
		t.Errorf("a week later: %q", heard)
	}
}

// Who joined is asked once a month, by one tap; who did not join, who left and
// who wants silence is not.
func TestTheMonthlyQuestion(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-02-27 12:00") // a slot belongs to the first of its month
	for _, user := range []string{"ma", "zhou", "wu"} {
		r.move(user, "resident")
	}
	for _, user := range []string{"ma", "zhou", "wu"} {
		r.says(user, "参与调查")
		r.says(user, map[string]string{"ma": "2", "zhou": "1", "wu": "1"}[user])
	}
	r.says("zhou", "退出调查")
	r.says("wu", "退订")
	r.files("ma", ticket.Content{})
	r.until("2026-03-04 10:05") // the third workday
	if got := r.heard("ma"); !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "每月一问") }) {
		t.Errorf("who joined heard %q", got)
	}
	for _, user := range []string{"li", "zhou", "wu"} {
		if got := r.heard(user); slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "每月一问") }) {
			t.Errorf("%s heard %q", user, got)
		}
	}
	r.holds(r.says("ma", "3"), "记下了")
	if got := one[string](r, `select worry || ' ' || kind || ' ' || area || ' ' || month from worry_answer`); got != "出行停车 firm 360313001 2026-03-01" {
		t.Errorf("kept as %s", got)
	}
	r.exec(`insert into due (kind, subject, key, due_at) select kind, subject, 'again', product_now() from due where kind = $1 and state = 'done'`, jobs.DueWorryPoll)
	r.drain()
	if got := one[string](r, `select reason from due where kind = $1 and key = 'again'`, jobs.DueWorryPoll); got != "asked this month already" {
		t.Errorf("asked twice in a month: %s", got)
	}
	r.away("2026-03-31 09:00")
	r.until("2026-04-08 10:00")
	r.away("2026-04-30 10:00")
	if n := one[int64](r, `select count(*) from worry_answer`); n != 2 {
		t.Errorf("%d questions in two months", n)
	}
}
