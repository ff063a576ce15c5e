package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

var (
	onGrid    = ticket.Desk{Kind: ticket.DeskGrid, Code: grid}
	atHousing = ticket.Desk{Kind: ticket.DeskUnit, Code: "housing"}
)

// acts gives a command as one of the staff.
func (r *rig) acts(who string, id int64, by ticket.Actor, c ticket.Command) {
	r.t.Helper()
	r.do(who, func(ctx context.Context, t *gateway.Turn) error {
		if by.As != ticket.AsSystem {
			by.Staff = t.Staff
		}
		_, err := r.deps.Orders.Do(ctx, t, id, by, c)
		return err
	})
}

// planned lists the instants at which rows of a kind are due.
func (r *rig) planned(kind string, id int64) string {
	r.t.Helper()
	return one[string](r, `select coalesce(string_agg(to_char(due_at at time zone 'Asia/Shanghai', 'MM-DD HH24:MI'), ' ' order by due_at), '') from due
		where kind = $1 and subject = $2 and state = 'planned'`, kind, workorder.Subject(id))
}

// A co-handler has six tenths of the lead's time, is reminded at four fifths of
// that, and supervised at its end; the lead is not. Who has replied hears
// neither.
func TestSilentCoHandlerIsSupervised(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	r.hire("hou", people.RoleHandler, people.AreaUnit, "housing")
	r.hire("jiao", people.RoleHandler, people.AreaUnit, "transport")
	id := r.files("li", ticket.Content{})
	r.acts("pai", id, ticket.Actor{As: ticket.AsDispatcher}, ticket.Involve{Co: []ticket.Desk{atHousing, {Kind: ticket.DeskUnit, Code: "transport"}}})
	r.holds(r.heard("hou"), "协办：")
	r.holds(r.heard("jiao"), "协办：")
	r.acts("wang", id, ticket.Actor{As: ticket.AsHandler, Desk: onGrid}, ticket.Take{})
	r.do("jiao", func(ctx context.Context, t *gateway.Turn) error {
		by := ticket.Actor{As: ticket.AsCoHandler, Staff: t.Staff, Desk: ticket.Desk{Kind: ticket.DeskUnit, Code: "transport"}}
		_, err := r.deps.Orders.CoReply(ctx, t, id, by, "路面周五修")
		if err != nil {
			return err
		}
		// A second reply is refused and changes no words.
		refused := (*ticket.Refused)(nil)
		if _, err = r.deps.Orders.CoReply(ctx, t, id, by, "别的话"); !errors.As(err, &refused) {
			return errors.New("a second reply was taken")
		}
		return nil
	})
	if got := strings.Join(r.heard("wang"), "\n"); !strings.Contains(got, "协办答复来了") || !strings.Contains(got, "路面周五修") {
		t.Errorf("the lead hears %q", got)
	}
	if clear := one[int64](r, `select count(*) from due where kind = 'staff.tell' and data::text like '%路面%'`); clear != 0 {
		t.Error("words lie unsealed in a due row")
	}
	if got := r.planned(workorder.DueCoSilent, id); got != "03-06 15:06 03-06 15:06" {
		t.Errorf("co-handlers have until %s", got)
	}
	r.until("2026-03-06 15:05")
	r.holds(r.heard("hou"), "主办在等您这边的协办答复")
	for _, said := range r.heard("jiao") {
		t.Errorf("who has replied hears %q", said)
	}
	r.until("2026-03-06 15:07")
	if got := one[string](r, `select string_agg(desk || ' ' || reason || ' ' || opened_by, ',') from supervision where ticket_id = $1`, id); got != "housing co_silent 0" {
		t.Errorf("supervised: %s", got)
	}
}

// A suspension stops every clock of the desks, ends by itself, and moves what
// was promised by the time that was waited.
func TestSuspensionEndsByItself(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	r.hire("hou", people.RoleHandler, people.AreaUnit, "housing")
	id := r.files("li", ticket.Content{})
	lead, dispatcher := ticket.Actor{As: ticket.AsHandler, Desk: onGrid}, ticket.Actor{As: ticket.AsDispatcher}
	r.acts("pai", id, dispatcher, ticket.Involve{Co: []ticket.Desk{atHousing}})
	r.acts("wang", id, lead, ticket.Take{})
	r.heard("wang")
	r.acts("wang", id, lead, ticket.AskSuspension{Until: at(t, "2026-03-09 17:30"), Reason: "works"})
	r.holds(r.heard("pai"), "有申请等您审核")
	r.do("pai", func(ctx context.Context, t *gateway.Turn) error {
		_, err := r.deps.Orders.Decide(ctx, t, id, ticket.Actor{As: ticket.AsDispatcher, Staff: t.Staff}, true, "")
		return err
	})
	r.holds(r.heard("wang"), "挂起同意了，到3月9日")
	r.holds(r.heard("li"), "要等施工或改造，先停到3月9日")
	for _, kind := range []string{workorder.DueNudge, workorder.DueContact, workorder.DueCoNudge, workorder.DueCoSilent} {
		if got := r.planned(kind, id); got != "" {
			t.Errorf("%s runs on: %s", kind, got)
		}
	}
	r.heard("hou")
	r.until("2026-03-09 17:29")
	for _, said := range append(r.heard("li"), r.heard("hou")...) {
		if !strings.Contains(said, "早上好") {
			t.Errorf("while it is suspended somebody hears %q", said)
		}
	}
	r.heard("wang")
	r.until("2026-03-09 17:31")
	r.holds(r.heard("wang"), "挂起到时了")
	r.holds(r.heard("li"), "接着办了")
	if state := one[string](r, `select state from ticket where id = $1`, id); state != "signed" {
		t.Errorf("the ticket is %s", state)
	}
	// Six days and eight and a half hours were waited, less the time that the
	// test took to ask.
	waited := func(now, then string, from time.Time) {
		t.Helper()
		if d := one[time.Time](r, now, id).Sub(from); d > 152*time.Hour+31*time.Minute || d < 152*time.Hour+20*time.Minute {
			t.Errorf("%s moved by %s", then, d)
		}
	}
	waited(`select deadline from ticket where id = $1`, "the deadline", at(t, "2026-03-10 17:30"))
	waited(`select max(due_at) from due where kind = 'sla.nudge' and state = 'planned' and subject = 'ticket:' || $1::bigint`, "the last nudge", at(t, "2026-03-10 17:30"))
	waited(`select max(due_at) from due where kind = 'sla.co.silent' and state = 'planned' and subject = 'ticket:' || $1::bigint`, "the co-handler's time", at(t, "2026-03-06 15:06"))
}

// An objection stops the clock to sign and nothing else: nudges go on while it
// is disputed. A ticket that comes back has the clock of a dispatcher again.
func TestNudgesGoOnWhileDisputed(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	id := r.files("li", ticket.Content{})
	r.heard("wang")
	r.do("wang", func(ctx context.Context, t *gateway.Turn) error {
		_, err := r.deps.Orders.Object(ctx, t, id, ticket.Actor{As: ticket.AsHandler, Staff: t.Staff, Desk: onGrid}, "not_our_duty", "不在清单里")
		return err
	})
	r.holds(r.heard("pai"), "有申请等您审核")
	if got := r.planned(workorder.DueSign, id); got != "" {
		t.Errorf("the clock to sign runs on: %s", got)
	}
	r.until("2026-03-07 10:00")
	if got := strings.Join(r.heard("wang"), "\n"); !strings.Contains(got, "时间已用50%") || !strings.Contains(got, "手上1件") {
		t.Errorf("while it is disputed the desk hears %q", got)
	}
	r.do("pai", func(ctx context.Context, t *gateway.Turn) error {
		_, err := r.deps.Orders.Decide(ctx, t, id, ticket.Actor{As: ticket.AsDispatcher, Staff: t.Staff}, true, "归水利")
		return err
	})
	if got := strings.Join(r.heard("wang"), "\n"); !strings.Contains(got, "退单同意了") || !strings.Contains(got, "归水利") {
		t.Errorf("the desk hears %q", got)
	}
	if got := r.planned(workorder.DueNudge, id); got != "" {
		t.Errorf("the desk that is rid of it is nudged at %s", got)
	}
	if got := r.planned(workorder.DueDispatch, id); got != "03-08 10:00" {
		t.Errorf("the dispatcher has until %s", got)
	}
	r.until("2026-03-09 09:00")
	if got := strings.Join(r.heard("pai"), "\n"); !strings.Contains(got, "还没派出去") {
		t.Errorf("the dispatcher hears %q", got)
	}
}

// Every row of the table of clocks (reference civic-tickets 1.3) comes due: to
// dispatch, to sign, to contact, to handle, by urgency.
func TestEveryLimitHasItsClock(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	for urgency, want := range map[ticket.Urgency][3]string{
		ticket.Urgent:    {"03-03 09:30", "03-03 11:00", "03-03 11:00"},
		ticket.Utilities: {"03-03 11:00", "03-04 09:00", "03-04 09:00"},
		ticket.General:   {"03-04 17:30", "03-04 17:30", "03-10 17:30"},
		ticket.Complex:   {"03-04 17:30", "03-04 17:30", "03-18 17:30"},
	} {
		id := r.files("li", ticket.Content{Urgency: urgency})
		got := [3]string{r.planned(workorder.DueSign, id), r.planned(workorder.DueContact, id), r.planned(workorder.DueNudge, id)}
		if got[0] != want[0] || got[1] != want[1] || !strings.HasSuffix(got[2], want[2]) {
			t.Errorf("%s: %v, want %v", urgency, got, want)
		}
		lost := r.files("li", ticket.Content{Urgency: urgency, Against: []string{grid}})
		if due := one[bool](r, `select count(*) = 1 and bool_and(d.due_at = k.dispatch_due) from due d join ticket k on 'ticket:' || k.id = d.subject
			where d.kind = 'sla.dispatch' and k.id = $1`, lost); !due {
			t.Errorf("%s: no clock to dispatch", urgency)
		}
	}
}
