package jobs_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler/jobs"
)

// group makes a work group of the grid with the given members and returns its
// conversation.
func (r *rig) group(members ...string) int64 {
	r.t.Helper()
	r.exec(`update address set trust = 'verified' where person_id in (select person_id from staff)`)
	r.exec(`with p as (insert into person (kind) values ('group') returning id),
		a as (insert into address (channel, user_id, chat, person_id, trust) select 'web', 'group' || chr(9) || 'hall', 'hall', id, 'none' from p returning id)
		insert into conversation (channel, chat, user_id, address_id, is_group, in_group, bound_as, area_kind, area, bound_by)
		select 'web', 'hall', 'group' || chr(9), a.id, true, true, 'work', 'grid', $1, s.id from a, staff s where s.slug = 'wang'`, grid)
	for _, m := range members {
		r.joins(m)
	}
	return one[int64](r, `select id from conversation where is_group`)
}

func (r *rig) joins(user string) {
	r.t.Helper()
	r.exec(`insert into conversation (channel, chat, user_id, address_id, in_group) select 'web', 'hall', user_id, id, true from address where user_id = $1`, user)
}

// A card for a group is read again before it goes out: whoever came in the
// meantime keeps it out.
func TestAGroupCardIsReadAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	g := r.group("wang", "pai")
	id := r.files("li", ticket.Content{})
	r.holds(r.heard("hall"), "（待接单）")
	r.holds(r.heard("wang"))
	ask := func(reason string) (ok bool, why string) {
		t.Helper()
		err := r.DB.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) (err error) {
			ok, why, err = jobs.Fresh(r.deps)[reason](ctx, tx, workorder.CardSubject(id, g), 0)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return ok, why
	}
	for _, reason := range []string{workorder.ReasonGroupCard, workorder.DueCardEdit} {
		if ok, why := ask(reason); !ok {
			t.Errorf("%s is stale: %s", reason, why)
		}
	}
	r.joins("li")
	for _, reason := range []string{workorder.ReasonGroupCard, workorder.DueCardEdit} {
		if ok, why := ask(reason); ok || !strings.Contains(why, "no verified staff") {
			t.Errorf("%s with a stranger: %t %q", reason, ok, why)
		}
	}
	r.exec(`update conversation set left_at = product_now() where chat = 'hall' and user_id = 'li'`)
	r.exec(`update ticket set state = 'closed' where id = $1`, id)
	if ok, _ := ask(workorder.ReasonGroupCard); ok {
		t.Error("the card of a closed ticket goes out")
	}
	if ok, why := ask(workorder.DueCardEdit); !ok {
		t.Errorf("that it is closed is not shown: %s", why)
	}
}

// A group that cannot be written to keeps nothing: what lies there goes to the
// private chats, and so does what comes.
func TestAGroupThatIsGone(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	g := r.group("wang")
	r.files("li", ticket.Content{})
	r.heard("hall")
	r.exec(`update address set state = 'gone' where chat = 'hall'`)
	r.exec(`insert into due (kind, subject, key, due_at) values ($1, 'conversation:' || $2::text, '', product_now())`, gateway.KindMembers, strconv.FormatInt(g, 10))
	r.drain()
	r.holds(r.heard("wang"), "（待接单）")
	r.files("li", ticket.Content{})
	r.holds(r.heard("wang"), "（待接单）")
	r.holds(r.heard("hall"))
}

// What was reported in a group is answered in the private chat of the same
// address; where there is none, a person does it.
func TestWhoReportedInAGroupIsToldInPrivate(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	id := r.files("li", ticket.Content{})
	r.heard("li")
	r.joins("li")
	r.exec(`update ticket set conversation_id = (select id from conversation where chat = 'hall' and user_id = 'li')`)
	r.handles(id)
	r.until("2026-03-04 18:00")
	r.holds(r.heard("li"), "联系")
	r.holds(r.heard("hall"))
	r.exec(`delete from prompt`)
	r.exec(`delete from conversation where user_id = 'li' and not in_group`)
	r.until("2026-03-06 18:00")
	if n := one[int64](r, `select count(*) from task where kind = 'phone' and state = 'open'`); n != 1 {
		t.Errorf("%d calls for a clerk", n)
	}
	r.holds(r.heard("hall"))
}
