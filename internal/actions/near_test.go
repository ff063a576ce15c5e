package actions

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shaoying/bots"
	"shaoying/internal/ticket"
)

// loose is a report that is local, not urgent and no complaint.
const loose = "昌盛小区3栋楼下水井盖有些松动，走上去会响"

// asked says a report up to where a near ticket would be offered.
func (r *rig) asked(user bots.UserID, said string) string {
	r.t.Helper()
	got := r.says(user, said)
	if strings.Contains(got[len(got)-1], "照片") {
		got = r.says(user, "跳过")
	}
	return got[len(got)-1]
}

func TestNearTicketIsOffered(t *testing.T) {
	r := newRig(t)
	first := r.filed("zhang")
	got := r.asked("li", loose)
	if want := "1. 井盖与地下管网，昌盛小区3栋，3月3日有人报了\n是不是这件事？回复1跟进。 [是这件，跟进] [不是，另外报]"; got != want {
		t.Fatalf("offered is %q, want %q", got, want)
	}
	said := r.says("li", "1")
	r.holds(said, "跟着一起办", "已受理，编号 "+r.number(), "告诉您一声")
	if r.number() == first {
		t.Error("who follows has no number of their own")
	}
	if s := one[string](r, `select m.state || ' ' || f.state || ' ' || (f.master_id = m.id) from ticket m, ticket f where f.id = (select max(id) from ticket) and m.id = (select min(id) from ticket)`); s != "dispatched merged true" {
		t.Errorf("master and follower are %s", s)
	}
	if n := one[int64](r, `select count(*) from due where kind = 'notice' and key = 'merged'`); n != 0 {
		t.Error("who follows is told twice that they do")
	}
	// The next sees the master, also while its desk objects, not the follower, and
	// means something else.
	r.exec(`update ticket set state = 'disputed' where state = 'dispatched'`)
	got = r.asked("zhao", loose)
	if strings.Contains(got, "2. ") {
		t.Errorf("a follower is offered too: %q", got)
	}
	r.expect("zhao", "不是", "对吗？")
	r.holds(r.report("zhao", "对"), "已受理")
	if n := one[int64](r, `select count(*) from ticket where state = 'merged'`); n != 1 {
		t.Errorf("%d tickets are merged", n)
	}
}

// What is offered stays open for a while; when it is answered it may be over.
func TestAnOfferThatIsOverIsFiledAlone(t *testing.T) {
	r := newRig(t)
	r.filed("zhang")
	r.asked("li", loose)
	r.exec(`update ticket set state = 'closed'`)
	r.holds(r.says("li", "1"), "已受理", "告诉您一声")
	if s := one[string](r, `select state from ticket order by id desc limit 1`); s != "dispatched" {
		t.Errorf("the ticket is %s", s)
	}
}

// The offer names matter, public place and day, and nothing that somebody said.
func TestNothingIsOfferedThatIsNobodysBusiness(t *testing.T) {
	tests := []struct {
		name string
		sql  string // what becomes of the first ticket
		said string
	}{
		{"confidential", `update ticket set confidential = true`, loose},
		{"anonymous", `update ticket set anonymous = true`, loose},
		{"sensitive", `update ticket set sensitive = true`, loose},
		{"about a unit", `update ticket set against = '{housing}'`, loose},
		{"about somebody", `update ticket set against_staff = '{1}'`, loose},
		{"a complaint", `update ticket set claim = 'complaint'`, loose},
		{"a finding", `update ticket set finding = true`, loose},
		{"over", `update ticket set state = 'closed'`, loose},
		{"long ago", `update ticket set received_at = received_at - interval '31 days'`, loose},
		{"another matter", `update ticket set matter = 'garbage'`, loose},
		{"another building", `update ticket set place_id = 7`, loose},
		{"another village", `update ticket set division = '360313103001'`, loose},
		{"who asks complains", ``, "投诉昌盛小区3栋楼下水井盖松动没人管"},
		{"who asks wants to be kept out of it", ``, "昌盛小区3栋楼下水井盖有些松动，给我保密"},
	}
	r := newRig(t)
	r.filed("zhang")
	restore := `update ticket set confidential = false, anonymous = false, sensitive = false, against = '{}', against_staff = '{}', claim = 'help', finding = false,
		state = 'dispatched', received_at = product_now(), matter = 'manhole', place_id = 2, division = '` + village + `'`
	for _, tt := range tests {
		r.exec(restore)
		if tt.sql != "" {
			r.exec(tt.sql)
		}
		if got := r.asked("li", tt.said); strings.Contains(got, "是不是这件事") {
			t.Errorf("%s: offered %q", tt.name, got)
		}
		r.says("li", "不报了")
	}
	r.exec(restore)
	if got := r.asked("li", loose); !strings.Contains(got, "是不是这件事") {
		t.Errorf("the control is not offered: %q", got)
	}
}

// Whatever a ticket is: the view of what may be shared and the rule agree, and
// what is private is never in it.
func TestSharedViewAgreesWithTheRule(t *testing.T) {
	r := newRig(t)
	r.filed("zhang")
	rapid.Check(t, func(p *rapid.T) {
		k := ticket.Ticket{
			State:        rapid.SampledFrom(ticket.States()).Draw(p, "state"),
			Confidential: rapid.Bool().Draw(p, "confidential"), Anonymous: rapid.Bool().Draw(p, "anonymous"), Sensitive: rapid.Bool().Draw(p, "sensitive"),
			Against: []string{}, AgainstStaff: []int64{},
		}
		if rapid.Bool().Draw(p, "unit") {
			k.Against = []string{"housing"}
		}
		if rapid.Bool().Draw(p, "staff") {
			k.AgainstStaff = []int64{1}
		}
		r.exec(`update ticket set state = $1, confidential = $2, anonymous = $3, sensitive = $4, against = $5, against_staff = $6`,
			string(k.State), k.Confidential, k.Anonymous, k.Sensitive, k.Against, k.AgainstStaff)
		shared := one[int64](r, `select count(*) from shared_ticket`) == 1
		if shared != k.Shared() || shared && k.Private() {
			p.Fatalf("%+v: the view says %v, the rule %v", k, shared, k.Shared())
		}
	})
}

// A filing turn looks for near tickets by the index, also while the table is
// young and nobody has analysed it.
func TestNearIsFoundByItsIndex(t *testing.T) {
	r := newRig(t)
	r.filed("zhang")
	r.exec(`insert into ticket (number, state, claim, matter, urgency, division, place_id, words, reporter_id, address_id, conversation_id, version, received_at)
		select 'n' || g, 'dispatched', 'help', 'm' || g % 40, 'general', '360313' || lpad((g % 900)::text, 6, '0'), 0, '', k.reporter_id, k.address_id, k.conversation_id, 1,
			product_now() - make_interval(hours => g % 8000) from generate_series(1, 6000) g, (select * from ticket limit 1) k`)
	for _, prepare := range []string{`select 1`, `analyze ticket`} {
		r.exec(prepare)
		rows, err := r.sql.Query(t.Context(), `explain select t.id, t.place_id, t.received_at from shared_ticket t
			where t.matter = 'm1' and t.division = any(array['`+village+`', '360313000041']) and t.received_at > product_now() - interval '30 days'
			and t.place_id = any(array[1, 2]::bigint[]) and t.claim <> all(array['complaint']) and not t.finding and t.state in ('received', 'dispatched', 'disputed', 'signed', 'redo', 'suspended')
			order by t.received_at desc limit 2`)
		if err != nil {
			t.Fatal(err)
		}
		plan := ""
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			plan += line + "\n"
		}
		if !strings.Contains(plan, "ticket_matter") || strings.Contains(plan, "Seq Scan") {
			t.Errorf("after %s the plan is\n%s", prepare, plan)
		}
	}
}
