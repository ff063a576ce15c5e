package jobs_test

import (
	"context"
	"strings"
	"testing"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler/jobs"
)

// A general ticket has seven days. Dispatched on Thursday 26 February 2026 at
// 09:30 it has 44.5 hours of work: 5.5 that day, 6.5 on each of Friday, the
// make-up Saturday, Monday, Tuesday, Wednesday and Thursday; Sunday has none.
func TestNudgesCountWorkingTimeOverAWeekendAndAMakeUpDay(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-02-26 09:30")
	first := r.files("li", ticket.Content{})
	second := r.files("li", ticket.Content{})
	r.holds(r.heard("wang"), "", "") // two cards
	if got := one[string](r, `select string_agg(to_char(due_at at time zone 'Asia/Shanghai', 'MM-DD HH24:MI'), ' ' order by due_at) from due
		where kind = 'sla.nudge' and subject = $1`, workorder.Subject(first)); got != "03-02 14:45 03-04 15:06 03-05 17:30" {
		t.Errorf("nudges at %s", got)
	}
	r.until("2026-02-27 17:29")
	r.holds(r.heard("wang"), "早上好。手上2件")
	r.until("2026-02-27 17:31") // time to sign and time to contact are over
	signed := r.besides(r.heard("wang"))
	r.holds(signed, "有4件事")
	if strings.Count(signed[0], "没有人接") != 2 || strings.Count(signed[0], "还没联系") != 2 {
		t.Errorf("said %q", signed)
	}
	r.holds(r.besides(r.heard("du")), "有2件事")
	if state := one[string](r, `select state from ticket where id = $1`, second); state != "signed" {
		t.Errorf("the ticket is %s, want it signed for the desk", state)
	}
	r.until("2026-03-02 14:46")
	r.holds(r.besides(r.heard("wang")), "早上好", "早上好", "有2件事") // Saturday and Monday; Sunday is free
	r.handles(second)
	r.until("2026-03-04 15:07")
	r.holds(r.besides(r.heard("wang")), "早上好", "早上好", "时间已用80%")
	r.until("2026-03-05 17:32")
	r.holds(r.besides(r.heard("wang")), "今天到期1件", "已到期")
	if got := r.besides(r.heard("du")); len(got) != 1 || !strings.Contains(got[0], "到期还没办好") {
		t.Errorf("the supervisor heard %q", got)
	}
	r.handles(first)
	r.until("2026-03-08 23:00")
	if got := r.heard("wang"); len(got) != 0 {
		t.Errorf("after the report the desk heard %q", got)
	}
}

func TestCallbackTriesOverAHolidayThenAPhoneTask(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-02-13 09:00") // a Friday; Saturday is a make-up day, then nine days off
	id := r.files("li", ticket.Content{})
	r.handles(id)
	r.until("2026-02-14 09:59")
	r.holds(r.heard("li"))
	r.until("2026-02-14 10:00")
	r.holds(r.heard("li"), "联系过您吗")
	r.until("2026-02-23 20:00")
	r.holds(r.heard("li"))
	r.until("2026-02-24 10:00")
	r.holds(r.heard("li"), "联系过您吗")
	r.until("2026-02-25 15:29")
	r.holds(r.heard("li"))
	r.until("2026-02-25 15:30")
	r.holds(r.heard("li"), "联系过您吗")
	r.heard("hui")
	r.until("2026-02-26 15:31")
	r.holds(r.heard("li"))
	r.holds(r.heard("hui"), "请打电话回访")
	if n := one[int64](r, `select count(*) from callback where ticket_id = $1 and ended = 'unanswered'`, id); n != 3 {
		t.Errorf("%d tries ended unanswered, want 3", n)
	}
	if n := one[int64](r, `select count(*) from task where kind = 'phone' and state = 'open' and ticket_id = $1`, id); n != 1 {
		t.Errorf("%d phone tasks", n)
	}
	r.until("2026-03-05 12:00")
	r.holds(r.heard("li"))
}

func TestCallbackAnsweredEndsEverything(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	id := r.files("li", ticket.Content{})
	r.handles(id)
	r.until("2026-03-04 10:00")
	r.holds(r.heard("li"), "联系过您吗")
	r.holds(r.says("li", "1"), "解决了吗")
	r.holds(r.says("li", "1"), "满意吗")
	r.holds(r.says("li", "1"), "谢谢")
	if state := one[string](r, `select state from ticket where id = $1`, id); state != "closed" {
		t.Errorf("the ticket is %s", state)
	}
	if n := one[int64](r, `select count(*) from due where state = 'planned' and subject = $1`, workorder.Subject(id)); n != 0 {
		t.Errorf("%d rows are still planned for a closed ticket", n)
	}
	r.until("2026-03-10 12:00")
	r.holds(r.heard("li")) // who has rated is not asked again
}

func TestCallbackWaitsForADialogue(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	id := r.files("li", ticket.Content{})
	r.handles(id)
	r.until("2026-03-04 09:59")
	r.says("li", "报修")
	r.until("2026-03-04 10:05")
	r.holds(r.heard("li"))
	if got := one[string](r, `select reason from due where kind = 'callback' and state = 'planned'`); got != "a dialogue is open" {
		t.Errorf("put off because %q", got)
	}
}

func TestCallbackOfSomebodyWhoStoppedIsRung(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	id := r.files("li", ticket.Content{})
	r.handles(id)
	r.exec(`insert into opt_out (person_id, topic) select reporter_id, 'all' from ticket`)
	// Whoever was rung as often as the policy asks for is not asked in chat.
	r.move("a", "resident")
	rung := r.files("a", ticket.Content{})
	r.handles(rung)
	r.exec(`update ticket set tries = 3 where id = $1`, rung)
	r.heard("a")
	r.heard("hui")
	r.until("2026-03-04 10:00")
	r.holds(r.heard("li"))
	r.holds(r.heard("a"))
	r.holds(r.heard("hui"), "请打电话回访")
	if n := one[int64](r, `select count(*) from task where kind = 'phone' and state = 'open' and ticket_id in ($1, $2)`, id, rung); n != 2 {
		t.Errorf("%d calls lie before the clerk, want 2", n)
	}
}

func TestSurveyAsksAPersonOnceInFourteenDays(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	one1, one2 := r.files("li", ticket.Content{}), r.files("li", ticket.Content{})
	r.exec(`update ticket set state = 'closed', outcome = 'unconfirmed', closed_at = product_now(), version = version + 1`)
	r.exec(`update due set state = 'cleared' where state = 'planned'`)
	r.until("2026-03-03 10:00")
	r.holds(r.heard("li"), "您满意吗")
	r.holds(r.says("li", "1"), "谢谢")
	r.until("2026-03-03 10:30")
	spared := one[string](r, `select reason from due where kind = 'rating' and state = 'dropped'`)
	if spared != "the person was asked not long ago" {
		t.Errorf("the second ticket was spared because %q", spared)
	}
	r.until("2026-03-31 09:00")
	r.holds(r.heard("li"))
	r.until("2026-03-31 10:00") // 28 days after
	r.holds(r.heard("li"), "还好吗")
	r.holds(r.says("li", "2"), "重新办")
	if n := one[int64](r, `select count(*) from ticket where relapses = 1 and state = 'dispatched' and id in ($1, $2)`, one1, one2); n != 1 {
		t.Errorf("%d tickets were reopened and dispatched", n)
	}
	r.until("2026-04-20 12:00")
	for _, text := range r.heard("li") {
		if strings.Contains(text, "满意吗") || strings.Contains(text, "还好吗") {
			t.Errorf("asked again: %q", text)
		}
	}
}

func TestWithdrawalClearsEverything(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	id := r.files("li", ticket.Content{})
	r.heard("wang")
	r.do("li", func(ctx context.Context, t *gateway.Turn) error {
		_, err := r.deps.Orders.Do(ctx, t, id, ticket.Actor{As: ticket.AsReporter, Person: t.Person}, ticket.Withdraw{})
		return err
	})
	if n := one[int64](r, `select count(*) from due where state in ('planned', 'running') and subject = $1`, workorder.Subject(id)); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	r.until("2026-03-20 20:00")
	r.holds(r.heard("wang"))
	r.holds(r.heard("li"))
}

func TestCardWaitsForTheMorningUnlessThereIsDanger(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 22:30")
	r.files("li", ticket.Content{})
	r.holds(r.heard("wang"))
	r.files("li", ticket.Content{Urgency: ticket.Urgent, Danger: "gas"})
	r.holds(r.heard("wang"), "")
	r.until("2026-03-04 08:00")
	if got := r.heard("wang"); len(got) < 1 {
		t.Errorf("in the morning the worker heard %q", got)
	}
}

func TestCardOfATicketThatAColleagueTookIsDropped(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 22:30")
	r.hire("zhao", "grid_worker", "grid", grid)
	id := r.files("li", ticket.Content{})
	r.do("zhao", func(ctx context.Context, t *gateway.Turn) error {
		by := ticket.Actor{As: ticket.AsHandler, Staff: t.Staff, Desk: ticket.Desk{Kind: ticket.DeskGrid, Code: grid}}
		_, err := r.deps.Orders.Do(ctx, t, id, by, ticket.Take{})
		return err
	})
	r.until("2026-03-04 08:10")
	r.holds(r.heard("wang"))
}

func TestCardOfADeskWithoutAChatBecomesATask(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	r.exec(`update address set state = 'gone' where user_id = 'wang'`)
	r.files("li", ticket.Content{})
	r.holds(r.heard("pai"), "没送到")
}

func TestFreshKnowsEveryReason(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	id := r.files("li", ticket.Content{})
	fresh := jobs.Fresh(r.deps)
	ask := func(reason string, version int32) (ok bool, why string) {
		t.Helper()
		err := r.DB.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) (err error) {
			ok, why, err = fresh[reason](ctx, tx, workorder.Subject(id), version)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return ok, why
	}
	version := one[int32](r, `select version from ticket where id = $1`, id)
	cases := []struct {
		reason string
		moved  int32
		want   bool
	}{
		{"card", 0, true},
		{"card", -1, false},
		{"sla.nudge", -1, true},
		{"sla.contact", 0, true},
		{"sla.dispatch", 0, false},
		{"callback", 0, false},
		{"notice", 0, true},
		{"rating", 0, false},
		{"still_fine", 0, false},
	}
	for _, c := range cases {
		if ok, why := ask(c.reason, version+c.moved); ok != c.want || ok == (why != "") {
			t.Errorf("%s at %+d: %t %q, want %t", c.reason, c.moved, ok, why, c.want)
		}
	}
	// A card that was laid while the ticket waits goes out as well.
	r.exec(`update ticket set state = 'suspended'`)
	if ok, why := ask("card", version); !ok {
		t.Errorf("the card of a suspended ticket: %s", why)
	}
	r.exec(`insert into opt_out (person_id, topic) select reporter_id, 'all' from ticket`)
	if ok, why := ask("notice", version); ok || why == "" {
		t.Errorf("who stopped is told: %q", why)
	}
}
