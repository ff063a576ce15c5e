package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// as is the actor of whoever speaks in the turn.
func as(t *gateway.Turn, c ticket.Capacity) ticket.Actor {
	return ticket.Actor{As: c, Staff: t.Staff, Person: t.Person}
}

// signs takes the ticket for the grid.
func (r *rig) signs(id int64) {
	r.t.Helper()
	r.do("wang", func(ctx context.Context, t *gateway.Turn) error {
		by := as(t, ticket.AsHandler)
		by.Desk = ticket.Desk{Kind: ticket.DeskGrid, Code: grid}
		_, err := r.deps.Orders.Do(ctx, t, id, by, ticket.Take{})
		return err
	})
}

func (r *rig) state(id int64) string {
	r.t.Helper()
	return one[string](r, `select state from ticket where id = $1`, id)
}

// hears wants one message that holds every part.
func (r *rig) hears(user string, parts ...string) string {
	r.t.Helper()
	got := r.heard(user)
	for _, m := range got {
		all := true
		for _, p := range parts {
			all = all && strings.Contains(m, p)
		}
		if all {
			return m
		}
	}
	r.t.Errorf("%s heard %q, want one with %q", user, got, parts)
	return ""
}

// besides leaves out what is said of supervisions.
func (r *rig) besides(all []string) []string {
	var rest []string
	for _, m := range all {
		if !strings.HasPrefix(m, "督办 ") {
			rest = append(rest, m)
		}
	}
	return rest
}

// A desk that neither signs nor finishes is supervised at both times, but owes
// one answer at a time; the first lapses and the ticket climbs the ladder.
func TestSupervisionLapsesAndTheTicketIsRaised(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	r.hire("gui", people.RoleGridLeader, people.AreaVillage, village)
	r.hire("zhen", people.RoleLeader, people.AreaTownship, "360313001")
	id := r.files("li", ticket.Content{})
	r.heard("wang")
	r.until("2026-03-04 17:31") // the working day to sign is over
	if got := r.state(id); got != "signed" {
		t.Fatalf("the ticket is %s", got)
	}
	r.hears("wang", "督办", "到时没接单", "系统", "3月9日")
	r.hears("du", "已开督办")
	if n := one[int64](r, `select count(*) from supervision where reason = 'unsigned' and opened_by = 0 and desk = $1`, grid); n != 1 {
		t.Errorf("%d supervisions", n)
	}
	r.until("2026-03-09 16:00")
	r.hears("wang", "还没答复", "提级")
	r.until("2026-03-09 17:31")
	r.hears("du", "到期没有答复")
	if level := one[int](r, `select level from ticket where id = $1`, id); level != 1 {
		t.Errorf("level %d", level)
	}
	r.hears("gui", "提级")
	for _, said := range r.heard("zhen") { // the head of the township gets Monday's lines and nothing of this
		if !strings.Contains(said, "周一简报") {
			t.Errorf("the township hears %s", said)
		}
	}
	r.until("2026-03-10 17:31") // the deadline: one more demand is refused while the first is owed
	if n := one[int64](r, `select count(*) from supervision`); n != 1 {
		t.Errorf("%d supervisions of one desk", n)
	}
	// Who has been raised already is not raised again for the same round.
	r.until("2026-03-18 09:00")
	if level := one[int](r, `select level from ticket where id = $1`, id); level != 1 {
		t.Errorf("level %d", level)
	}
	if n := one[int64](r, `select count(*) from task where kind = 'escalated' and state = 'open'`); n != 1 {
		t.Errorf("%d open tasks for one raised ticket", n)
	}
}

func TestSupervisionIsAnsweredWithAName(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	id := r.files("li", ticket.Content{})
	r.signs(id)
	r.heard("wang")
	number := ticket.Number(one[string](r, `select number from ticket where id = $1`, id)).Spoken()
	r.holds(r.says("du", "督办 "+number+" 多人反映"), "要在3月6日")
	r.drain()
	r.hears("wang", "多人反映", "督办人：du")
	r.holds(r.says("du", "督办 "+number+" 领导批示"), "已经有一件督办")
	if sheet := strings.Join(r.says("wang", "详情 "+number), "\n"); !strings.Contains(sheet, "前答复") {
		t.Errorf("the card does not show that it is supervised: %s", sheet)
	}
	r.holds(r.says("wang", "督办答复 "+number), "多人反映")
	r.holds(r.says("wang", "灯头周四到货，周五换好"), "署名wang")
	r.drain()
	r.hears("du", "wang答复了", "灯头周四到货")
	if n := one[int64](r, `select count(*) from due where kind in ('supervision', 'supervision.lapse') and state = 'planned'`); n != 0 {
		t.Errorf("%d rows are still planned for an answered supervision", n)
	}
	if n := one[int64](r, `select count(*) from supervision where words is not null and signed_by <> 0 and position(convert_to('周四', 'UTF8') in words) = 0`); n != 1 {
		t.Errorf("%d sealed answers", n)
	}
	r.until("2026-03-09 12:00")
	if level := one[int](r, `select level from ticket where id = $1`, id); level != 0 {
		t.Errorf("an answered supervision raised the ticket to %d", level)
	}
}

// Each rung of the ladder reaches its own person, and nobody else.
func TestEachRungReachesItsOwnPerson(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	rungs := []struct {
		slug string
		role people.Role
		kind people.AreaKind
		area string
	}{
		{"cun", people.RoleGridLeader, people.AreaVillage, village},
		{"zhen", people.RoleLeader, people.AreaTownship, "360313001"},
		{"ban", people.RoleDispatcher, people.AreaCounty, "360313"},
		{"xian", people.RoleLeader, people.AreaCounty, "360313"},
		{"shi", people.RoleLeader, people.AreaCity, workorder.CityCode},
	}
	for _, h := range rungs {
		r.hire(h.slug, h.role, h.kind, h.area)
	}
	if want := r.deps.Orders.Rules.Policy().Ladder.Rungs[1:]; len(want) != len(rungs) {
		t.Fatalf("the ladder has the rungs %v above the grid", want)
	}
	id := r.files("li", ticket.Content{})
	r.signs(id)
	for level, h := range rungs {
		for _, other := range rungs {
			r.heard(other.slug)
		}
		r.do("du", func(ctx context.Context, t *gateway.Turn) error {
			_, err := r.deps.Orders.Do(ctx, t, id, as(t, ticket.AsSupervisor), ticket.Escalate{Reason: "leader"})
			return err
		})
		for _, other := range rungs {
			if got := strings.Join(r.heard(other.slug), "\n"); strings.Contains(got, "提级到您这里") != (other.slug == h.slug) {
				t.Errorf("level %d: %s hears %q", level+1, other.slug, got)
			}
		}
		if got := one[string](r, `select role || ' ' || area from task where kind = 'escalated' and state = 'open'`); got != string(h.role)+" "+h.area {
			t.Errorf("level %d lies before %s", level+1, got)
		}
	}
}

// Nobody whom the ticket is about is told of it, at whatever level; the next one
// up is. Private tickets show a leader their number only.
func TestRaisedTicketsPassByWhomTheyAreAbout(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	r.hire("zhen", people.RoleLeader, people.AreaTownship, "360313001")
	r.hire("xian", people.RoleLeader, people.AreaCounty, "360313")
	zhen := one[int64](r, `select id from staff where slug = 'zhen'`)
	id := r.files("li", ticket.Content{AgainstStaff: []int64{zhen}})
	r.signs(id)
	r.do("du", func(ctx context.Context, t *gateway.Turn) error {
		for range 2 {
			if _, err := r.deps.Orders.Do(ctx, t, id, as(t, ticket.AsSupervisor), ticket.Escalate{Reason: "safety"}); err != nil {
				return err
			}
		}
		return nil
	})
	r.until("2026-03-03 09:05")
	r.holds(r.heard("zhen"))
	if role := one[string](r, `select role || ' ' || area from task where kind = 'escalated' and state = 'open'`); role != "leader 360313" {
		t.Errorf("the task lies before %s", role)
	}
	m := r.hears("xian", "提级到您这里")
	task := one[int64](r, `select id from task where kind = 'escalated' and state = 'open'`)
	if !strings.Contains(m, fmt.Sprint(task)) {
		t.Errorf("the task is not named: %s", m)
	}
	r.holds(r.says("zhen", fmt.Sprintf("批示 %d", task)), "没有这个待办")
	r.holds(r.says("xian", fmt.Sprintf("批示 %d", task)), "有安全问题")
	r.holds(r.says("xian", "三天内办好"), "告诉在办的人")
	r.drain()
	r.hears("wang", "xian批示：三天内办好")
	private := r.files("li", ticket.Content{Confidential: true})
	r.do("du", func(ctx context.Context, t *gateway.Turn) error {
		o, err := r.deps.Orders.Load(ctx, t, private, false)
		if err != nil {
			return err
		}
		for o.Level < 4 {
			if o, err = r.deps.Orders.Do(ctx, t, private, as(t, ticket.AsSupervisor), ticket.Escalate{Reason: "safety"}); err != nil {
				return err
			}
		}
		return nil
	})
	r.heard("xian")
	task = one[int64](r, `select id from task where kind = 'escalated' and state = 'open' and ticket_id = $1`, private)
	got := r.says("xian", fmt.Sprintf("批示 %d", task))
	if len(got) != 1 || !strings.Contains(got[0], "保密的单") || strings.Contains(got[0], "楼道的灯") {
		t.Errorf("of a private ticket a leader saw %q", got)
	}
}

// Five neighbours report one thing. Each keeps number, notice and callback; one
// that is taken out again goes its own way.
func TestMergedTicketsFollowTheirMaster(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	users := []string{"a", "b", "c", "d"}
	for _, u := range users {
		r.move(u, "resident")
	}
	master := r.files("li", ticket.Content{})
	children := map[string]int64{}
	for _, u := range users {
		children[u] = r.files(u, ticket.Content{})
	}
	r.heard("wang")
	r.do("pai", func(ctx context.Context, t *gateway.Turn) error {
		ids := []int64{children["d"], children["a"], children["c"], children["b"], master}
		merged, refused, err := r.deps.Orders.MergeAll(ctx, t, as(t, ticket.AsDispatcher), ids, master)
		if err == nil && (len(merged) != 4 || refused[master] == nil || refused[master].Key != ticket.KeyMergeMaster) {
			return fmt.Errorf("merged %d, refused %v", len(merged), refused)
		}
		return err
	})
	for _, u := range users {
		r.holds(r.heard(u), "并在一起办")
		if n := one[int64](r, `select count(*) from due where subject = $1 and state = 'planned' and kind like 'sla.%' and kind <> 'sla.escalate'`, workorder.Subject(children[u])); n != 0 {
			t.Errorf("%d clocks of a merged ticket run", n)
		}
	}
	r.holds(r.heard("li"))
	// What a reporter adds is shown to who works on the master.
	r.signs(master)
	r.heard("wang")
	words := r.says("a", "补充 晚上完全看不见")
	r.holds(words, "补充好了")
	r.drain()
	r.hears("wang", "有人补充：", "晚上完全看不见")
	number := func(id int64) string {
		return ticket.Number(one[string](r, `select number from ticket where id = $1`, id)).Spoken()
	}
	r.holds(r.says("b", "我的工单"), "和同一件事并在一起办")
	r.holds(r.says("pai", "拆单 "+number(children["d"])), "拆出来了：待接单")
	r.drain()
	r.hears("wang", "【") // its card lies there again
	if n := one[int64](r, `select count(*) from due where subject = $1 and state = 'planned' and kind = 'sla.nudge'`, workorder.Subject(children["d"])); n == 0 {
		t.Error("the clocks of a ticket that was taken out do not run")
	}
	r.do("wang", func(ctx context.Context, t *gateway.Turn) error {
		by := as(t, ticket.AsHandler)
		by.Desk = ticket.Desk{Kind: ticket.DeskGrid, Code: grid}
		o, err := r.deps.Orders.Do(ctx, t, master, by, ticket.Finish{Result: ticket.UnitResolved, HasReply: true, Photos: 1})
		if err != nil {
			return err
		}
		return r.deps.Orders.SetReplies(ctx, t, o, "灯换好了", "")
	})
	for _, u := range []string{"a", "b", "c"} {
		if s := r.state(children[u]); s != "handled" {
			t.Errorf("the ticket of %s is %s", u, s)
		}
		r.holds(r.heard(u), "灯换好了")
	}
	if s := r.state(children["d"]); s != "dispatched" {
		t.Errorf("the one taken out is %s", s)
	}
	r.do("pai", func(ctx context.Context, t *gateway.Turn) error {
		_, err := r.deps.Orders.Unmerge(ctx, t, as(t, ticket.AsDispatcher), children["a"])
		if refused := (*ticket.Refused)(nil); !errors.As(err, &refused) || refused.Key != ticket.KeyState {
			return fmt.Errorf("un-merged after it was handled: %w", err)
		}
		return nil
	})
	r.until("2026-03-04 10:00")
	for _, u := range []string{"li", "a", "b", "c"} {
		r.holds(r.heard(u), "联系过您吗")
	}
	r.holds(r.heard("d"))
	// One says no: that one is judged alone.
	r.says("a", "2")
	r.says("a", "没解决")
	if s := r.state(children["b"]); s != "callback" {
		t.Errorf("the neighbour's ticket is %s", s)
	}
}

// A master that ends without being handled lets the others go; one that must
// not stand for another lets that one go.
func TestMergedTicketsAreLetGo(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	r.move("a", "resident")
	r.move("b", "resident")
	master, a := r.files("li", ticket.Content{}), r.files("a", ticket.Content{})
	b := r.files("b", ticket.Content{})
	r.do("pai", func(ctx context.Context, t *gateway.Turn) error {
		_, refused, err := r.deps.Orders.MergeAll(ctx, t, as(t, ticket.AsDispatcher), []int64{a, b}, master)
		if err == nil && len(refused) > 0 {
			return fmt.Errorf("refused %v", refused)
		}
		return err
	})
	// The worker who signs for the master turns out to be whom b is about.
	r.exec(`update ticket set against_staff = array[(select id from staff where slug = 'wang')] where id = $1`, b)
	r.handles(master)
	if got := r.state(a) + " " + r.state(b); got != "handled dispatched" {
		t.Errorf("they are %s", got)
	}
	next, c := r.files("li", ticket.Content{}), r.files("a", ticket.Content{})
	r.do("pai", func(ctx context.Context, t *gateway.Turn) error {
		_, err := r.deps.Orders.Merge(ctx, t, as(t, ticket.AsDispatcher), c, next)
		return err
	})
	r.do("li", func(ctx context.Context, t *gateway.Turn) error {
		_, err := r.deps.Orders.Do(ctx, t, next, as(t, ticket.AsReporter), ticket.Withdraw{})
		return err
	})
	if got := r.state(next) + " " + r.state(c); got != "withdrawn dispatched" {
		t.Errorf("they are %s", got)
	}
}

// What waited at a level is raised once, a whole limit after the deadline.
func TestRaisedOnceAWholeLimitLater(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	id := r.files("li", ticket.Content{Urgency: ticket.Utilities}) // a day to handle
	r.signs(id)
	r.until("2026-03-04 09:01")
	if n := one[int64](r, `select count(*) from supervision where reason = 'overdue'`); n != 1 {
		t.Errorf("%d supervisions at the deadline", n)
	}
	r.until("2026-03-05 08:59")
	if level := one[int](r, `select level from ticket where id = $1`, id); level != 0 {
		t.Errorf("level %d before the time", level)
	}
	r.until("2026-03-05 09:05")
	if level := one[int](r, `select level from ticket where id = $1`, id); level != 1 {
		t.Errorf("level %d", level)
	}
	r.handles(id)
	r.until("2026-03-06 12:00")
	if level := one[int](r, `select level from ticket where id = $1`, id); level != 1 {
		t.Errorf("level %d after it was handled", level)
	}
}

// A ticket that nobody has put on a desk goes before the dispatcher of its new
// level, and back up to where there is one.
func TestRaisedWithoutADesk(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	r.hire("jie", people.RoleDispatcher, people.AreaTownship, "360313001")
	r.exec(`update staff set on_duty = false where slug = 'wang'`) // nobody of the grid
	id := r.files("li", ticket.Content{})
	if s := r.state(id); s != "received" {
		t.Fatalf("the ticket is %s", s)
	}
	for _, want := range []string{"360313001", "360313001", "3603"} {
		r.do("du", func(ctx context.Context, t *gateway.Turn) error {
			_, err := r.deps.Orders.Do(ctx, t, id, as(t, ticket.AsSupervisor), ticket.Escalate{Reason: "repeat"})
			return err
		})
		if area := one[string](r, `select area from task where kind = 'dispatch' and state = 'open'`); area != want {
			t.Errorf("it waits in %s, want %s", area, want)
		}
	}
}
