package jobs_test

import (
	"context"
	"testing"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

const township = "360313001"

// blown lets the head of a township blow a whistle of a kind.
func (r *rig) blown(kind ticket.WhistleKind) (id int64) {
	r.t.Helper()
	r.hire("zhen", people.RoleLeader, people.AreaTownship, township)
	r.hire("xian", people.RoleDispatcher, people.AreaCounty, "360313")
	r.hire("qiu", people.RoleHandler, people.AreaUnit, "urban_management")
	r.exec(`insert into unit (code, name, kind) values ('urban_management', '城市管理局', 'department')`)
	r.do("wang", func(ctx context.Context, t *gateway.Turn) error {
		w, err := r.deps.Orders.ProposeWhistle(ctx, t, workorder.Proposal{
			Kind: kind, Source: ticket.SourcePatrol, Place: ticket.PlaceRef{Division: village, Grid: grid, Label: "昌盛小区"},
			Words: "夜市占道", By: ticket.Actor{As: ticket.AsProposer, Staff: t.Staff},
		})
		if err == nil {
			id = w.ID
		}
		return err
	})
	r.deed("zhen", id, ticket.AsHead, ticket.Deed{Command: ticket.WhistleBlow})
	return id
}

func (r *rig) deed(user string, id int64, as ticket.Capacity, d ticket.Deed) {
	r.t.Helper()
	r.do(user, func(ctx context.Context, t *gateway.Turn) error {
		by := ticket.Actor{As: as, Staff: t.Staff}
		if as == ticket.AsUnit {
			by.Desk = d.Unit
		}
		_, err := r.deps.Orders.DoWhistle(ctx, t, id, by, d, "")
		return err
	})
}

// Over a weekend: nothing is late on a day off, the unit is reminded before its
// time is over, and every lateness is told once.
func TestWhistleClocks(t *testing.T) {
	urban := ticket.Desk{Kind: ticket.DeskUnit, Code: "urban_management"}
	r := newRig(t, "2026-03-06 10:00") // Friday
	id := r.blown(ticket.WhistleMajor)
	r.holds(r.heard("xian"), "请分给单位")
	r.heard("zhen")
	r.until("2026-03-09 08:00")
	r.holds(r.heard("xian"))
	r.until("2026-03-09 18:00") // the working day to assign is over
	r.holds(r.heard("xian"), "还没分给单位")
	r.holds(r.heard("du"), "还没分给单位")
	r.until("2026-03-10 09:00")
	r.heard("xian")
	r.deed("xian", id, ticket.AsCounty, ticket.Deed{Command: ticket.WhistleAssign, Lead: urban})
	r.until("2026-03-10 09:01")
	r.holds(r.heard("qiu"), "请城市管理局报到")
	r.deed("qiu", id, ticket.AsUnit, ticket.Deed{Command: ticket.WhistleAnswer, Unit: urban})
	r.until("2026-03-12 12:00")
	r.holds(r.heard("qiu"), "请在3月12日17:30前到场", "请在3月12日17:30前到场")
	r.until("2026-03-12 18:00")
	r.holds(r.heard("qiu"), "过了时间还没到场")
	r.holds(r.heard("du"), "提级到县区领导，请督办")
	if n := one[int64](r, `select count(*) from trail where kind = 'whistle.raised'`); n != 1 {
		t.Errorf("raised %d times", n)
	}
	r.deed("qiu", id, ticket.AsUnit, ticket.Deed{Command: ticket.WhistleArrive, Unit: urban})
	r.deed("qiu", id, ticket.AsUnit, ticket.Deed{Command: ticket.WhistleHandle, Unit: urban})
	r.heard("zhen")
	r.until("2026-03-20 08:00")
	said := r.heard("zhen")
	r.holds(said[len(said)-1:], "还没评哨")
	r.heard("qiu")
	r.until("2026-04-20 09:00")
	r.away("2026-05-30 09:00")
	r.holds(r.heard("qiu"))
	if n := one[int64](r, `select count(*) from due where subject like 'whistle:%' and state in ('planned', 'running', 'failed')`); n != 0 {
		t.Errorf("%d rows stay", n)
	}
	if s := one[string](r, `select level::text from whistle`); s != "4" {
		t.Errorf("level %s: what is handled in time is not overdue", s)
	}
}

// A unit that nobody of can be written to is the county desk's to call.
func TestWhistleUnreached(t *testing.T) {
	r := newRig(t, "2026-03-03 09:30")
	id := r.blown(ticket.WhistleEmergency)
	r.exec(`update address set state = 'gone' where user_id = 'qiu'`)
	r.heard("xian")
	r.deed("xian", id, ticket.AsCounty, ticket.Deed{Command: ticket.WhistleAssign, Lead: ticket.Desk{Kind: ticket.DeskUnit, Code: "urban_management"}})
	r.until("2026-03-03 09:31")
	r.holds(r.heard("xian"), "没有地址能送到城市管理局")
}

// What was due stays unsaid once the whistle is over.
func TestWhistleOverIsSilent(t *testing.T) {
	r := newRig(t, "2026-03-03 09:30")
	id := r.blown(ticket.WhistleEmergency)
	r.deed("zhen", id, ticket.AsHead, ticket.Deed{Command: ticket.WhistleDecline, Reason: "later"})
	r.holds(r.heard("wang"), "没有吹：先自己办")
	r.heard("xian")
	r.heard("zhen")
	r.until("2026-03-04 09:30")
	r.holds(r.heard("xian"))
	r.holds(r.heard("zhen"))
	// What was said of it is forgotten with the words of tickets.
	kept := func() string {
		return one[string](r, `select (words is not null)::text || (place_label is not null)::text from whistle`)
	}
	r.do("wang", func(ctx context.Context, t *gateway.Turn) error { _, err := t.ForgetWhistles(ctx, 30, 10); return err })
	if got := kept(); got != "truetrue" {
		t.Errorf("the words are gone too soon: %s", got)
	}
	r.do("wang", func(ctx context.Context, t *gateway.Turn) error { _, err := t.ForgetWhistles(ctx, 0, 10); return err })
	if got := kept(); got != "falsefalse" {
		t.Errorf("the words stay: %s", got)
	}
}
