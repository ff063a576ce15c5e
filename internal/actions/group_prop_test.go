package actions

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// Whatever the tickets, the bindings and the members are: a residents' group and
// an unbound one never see a ticket, and a work group sees only what may lie in
// one, of a desk that works there, while everybody in it is verified staff.
func TestNoTicketWhereItMustNotBe(t *testing.T) {
	o := newHall(t)
	o.report("zhang", garbage)
	o.laid("wang")
	rng := rand.New(rand.NewPCG(3, 2))
	pick := func(all ...string) string { return all[rng.IntN(len(all))] }
	groups := []bots.ChatID{"g0", "g1", "g2", "g3", "g4", "g5"}
	for _, g := range groups {
		o.exec(`with p as (insert into person (kind) values ('group') returning id),
			a as (insert into address (channel, user_id, chat, person_id, trust) select 'web', 'group' || chr(9) || $1, $1, id, 'none' from p returning id)
			insert into conversation (channel, chat, user_id, address_id, is_group, in_group) select 'web', $1, 'group' || chr(9), id, true, true from a`, string(g))
	}
	areas := []string{"grid " + grid, "grid " + grid2, "village " + village, "township 360313001", "unit urban_management", "unit housing", "village " + bridge1}
	inWork, elsewhere := 0, 0
	seen := one[int64](o.rig, `select coalesce(max(id), 0) from outbox`)
	id := one[int64](o.rig, `select max(id) from ticket`)
	judge := func() {
		o.laid("nobody")
		in, out := o.judge(id, seen)
		inWork, elsewhere = inWork+in, elsewhere+out
		seen = one[int64](o.rig, `select coalesce(max(id), 0) from outbox`)
	}
	rebind := func() {
		for _, g := range groups {
			if rng.IntN(2) == 0 { // this one stays
				continue
			}
			o.exec(`update conversation set bound_as = '', area_kind = '', area = '' where chat = $1 and is_group`, string(g))
			o.exec(`insert into due (kind, subject, key, due_at) select 'group.members', 'conversation:' || id, '', product_now() from conversation where chat = $1 and is_group
				on conflict (kind, subject, key) do update set state = 'planned'`, string(g))
			judge()
			as := pick("", flows.GroupWork, flows.GroupWork, flows.GroupWork, flows.GroupResidents)
			kind, area, _ := strings.Cut(pick(areas...), " ")
			if as == "" {
				kind, area = "", ""
			}
			o.exec(`update conversation set bound_as = $2, area_kind = $3, area = $4, blocked_at = null where chat = $1 and is_group`, string(g), as, kind, area)
			o.exec(`delete from conversation where chat = $1 and not is_group`, string(g))
			for _, user := range []string{"wang", "li", pick("qiu", "zhang", "far", "wang")} {
				o.exec(`insert into conversation (channel, chat, user_id, address_id, in_group, left_at)
					select 'web', $1, user_id, id, true, case when $3 then product_now() end from address where user_id = $2 on conflict do nothing`,
					string(g), user, rng.IntN(4) == 0)
			}
		}
	}
	look := func() {
		judge()
		if rng.IntN(2) == 0 { // what is bound changes while cards lie there
			rebind()
		}
	}
	for range 60 {
		o.exec(`update ticket set state = 'closed' where state <> 'closed'`)
		o.exec(`update due set state = 'cleared' where state = 'planned'`)
		rebind()
		id = o.randomTicket(rng)
		if rng.IntN(3) == 0 {
			rebind()
		}
		look()
		o.supervises(id)
		if rng.IntN(3) == 0 { // a demand is on its way when the groups change
			rebind()
		}
		look()
		o.takes("wang", id) // and what follows when it changes
		look()
		o.exec(`update ticket set state = 'closed', version = version + 1 where id = $1`, id)
		o.as("wang", func(ctx context.Context, tn *gateway.Turn) error {
			_, err := tn.ChangeCards(ctx, db.ChangeCardsParams{Kind: workorder.DueCardEdit, TicketID: id, Editors: tn.Editors()})
			return err
		})
		look()
	}
	if inWork < 5 || elsewhere < 20 {
		t.Fatalf("the test saw %d cards in groups and %d in private chats: too few to say anything", inWork, elsewhere)
	}
}

// as runs f as a turn of a member of the staff, outside any chat.
func (o *office) as(slug string, f func(context.Context, *gateway.Turn) error) {
	o.t.Helper()
	staff, person := one[int64](o.rig, `select id from staff where slug = $1`, slug), one[int64](o.rig, `select person_id from staff where slug = $1`, slug)
	if err := o.Desk(o.t.Context(), staff, person, f); err != nil {
		o.t.Fatal(err)
	}
}

// supervises demands an answer of the desk that has the ticket, where there is
// one.
func (o *office) supervises(id int64) {
	o.t.Helper()
	o.as("cai", func(ctx context.Context, tn *gateway.Turn) error {
		k, err := o.set.Orders.Load(ctx, tn, id, false)
		if err != nil {
			return err
		}
		lead, ok := k.Lead()
		if !ok {
			return nil
		}
		_, err = o.set.Orders.Supervise(ctx, tn, id, ticket.Actor{As: ticket.AsSystem}, lead.Desk, "leader")
		return err
	})
}

// takes signs for a ticket where the rules let the member of the staff.
func (o *office) takes(slug string, id int64) {
	o.t.Helper()
	o.as(slug, func(ctx context.Context, tn *gateway.Turn) error {
		k, err := o.set.Orders.Load(ctx, tn, id, false)
		if err != nil {
			return err
		}
		if lead, ok := k.Lead(); ok {
			_, err = o.set.Orders.Do(ctx, tn, id, ticket.Actor{As: ticket.AsHandler, Staff: tn.Staff, Desk: lead.Desk}, ticket.Take{})
		}
		if refused := (*ticket.Refused)(nil); errors.As(err, &refused) {
			return nil
		}
		return err
	})
}

// randomTicket files a ticket of any kind and, where the rules leave it to a
// dispatcher, sends it to a random desk.
func (o *office) randomTicket(rng *rand.Rand) (id int64) {
	o.t.Helper()
	maybe := func(n int) bool { return rng.IntN(n) == 0 }
	var matters []string
	for _, m := range o.set.Orders.Matters.All() {
		matters = append(matters, m.Code)
	}
	place := ticket.PlaceRef{Division: village, Grid: grid, Label: "昌盛小区3栋"}
	if maybe(4) {
		place.Grid = grid2
	}
	c := ticket.Content{
		Claim: "help", Matter: matters[rng.IntN(len(matters))], Urgency: ticket.General, Place: place,
		Confidential: maybe(5), Anonymous: maybe(6), Sensitive: maybe(6),
	}
	if maybe(6) {
		c.Against = []string{"urban_management"}
	}
	if maybe(6) {
		c.AgainstStaff = []int64{one[int64](o.rig, `select id from staff where slug = 'li'`)}
	}
	conv, addr := one[int64](o.rig, `select id from conversation where user_id = 'zhang' and not in_group`), one[int64](o.rig, `select id from address where user_id = 'zhang'`)
	desks := []ticket.Desk{
		{Kind: ticket.DeskGrid, Code: grid},
		{Kind: ticket.DeskGrid, Code: grid2},
		{Kind: ticket.DeskUnit, Code: "urban_management"},
		{Kind: ticket.DeskUnit, Code: "housing"},
		{Kind: ticket.DeskNamed, Code: "housing", Staff: one[int64](o.rig, `select id from staff where slug = 'hou'`)},
	}
	o.as("cai", func(ctx context.Context, tn *gateway.Turn) error {
		tn.Conversation, tn.Address = conv, addr
		tn.Person = one[int64](o.rig, `select person_id from address where user_id = 'zhang'`)
		tn.Own = tn.Person
		k, err := o.set.Orders.File(ctx, tn, workorder.Filing{Words: "楼道的灯不亮", Content: c, By: ticket.Actor{As: ticket.AsReporter, Person: tn.Person}})
		if err != nil {
			return err
		}
		id = k.ID
		if k.State != ticket.Received {
			return nil
		}
		_, err = o.set.Orders.Do(ctx, tn, id, ticket.Actor{As: ticket.AsDispatcher, Staff: tn.Staff}, ticket.Dispatch{
			Lead: desks[rng.IntN(len(desks))], Co: desks[:rng.IntN(2)*rng.IntN(len(desks))],
		})
		if refused := (*ticket.Refused)(nil); errors.As(err, &refused) {
			return nil
		}
		return err
	})
	return id
}

// judge looks at all that was queued since seen.
func (o *office) judge(id, seen int64) (inWork, elsewhere int) {
	o.t.Helper()
	rows, err := o.sql.Query(o.t.Context(), `select o.id, o.source, o.text_key, o.text_version, o.lang, o.params, o.reason, o.class, c.is_group, c.in_group,
		coalesce(g.id, 0), coalesce(g.bound_as, ''), coalesce(g.area, ''), c.chat
		from outbox o join conversation c on c.id = o.conversation_id
		left join conversation g on g.channel = c.channel and g.chat = c.chat and g.is_group and c.in_group
		where o.id > $1 order by o.id`, seen)
	if err != nil {
		o.t.Fatal(err)
	}
	defer rows.Close()
	type said struct {
		text, reason, boundAs, area, chat string
		group                             int64
		own, inGroup                      bool
	}
	var all []said
	for rows.Next() {
		var row, group int64
		var version int
		var source, key, lang, reason, class, boundAs, area, chat string
		var sealed []byte
		var own, inGroup bool
		if err := rows.Scan(&row, &source, &key, &version, &lang, &sealed, &reason, &class, &own, &inGroup, &group, &boundAs, &area, &chat); err != nil {
			o.t.Fatal(err)
		}
		all = append(all, said{o.render(source, key, version, lang, sealed), reason, boundAs, area, chat, group, own, inGroup})
	}
	number := ticket.Number(one[string](o.rig, `select number from ticket where id = $1`, id)).Spoken()
	for _, s := range all {
		shows := strings.Contains(s.text, number)
		switch {
		case !s.inGroup:
			if shows {
				elsewhere++
			}
			continue
		case !s.own:
			o.t.Fatalf("a member is written to in group %s: %q", s.chat, s.text)
		case s.boundAs != flows.GroupWork && (shows || strings.HasPrefix(s.reason, "card") && s.reason != workorder.ReasonCover):
			o.t.Fatalf("a group that is %q sees %q", s.boundAs, s.text)
		case shows:
			o.mayLie(id, s.group, s.area)
			inWork++
		}
	}
	return inWork, elsewhere
}

// mayLie checks by the rows alone, and not by the code under test, that a ticket
// may lie in a work group.
func (o *office) mayLie(id, group int64, area string) {
	o.t.Helper()
	if one[bool](o.rig, `select confidential or anonymous or sensitive or against <> '{}' or against_staff <> '{}' from ticket where id = $1`, id) {
		o.t.Fatalf("ticket %d is private and lies in a group", id)
	}
	if one[bool](o.rig, `select exists (select 1 from assignment where ticket_id = $1 and ended_at is null and role = 'lead' and desk_kind = 'named')`, id) {
		o.t.Fatalf("ticket %d is for a named person and lies in a group", id)
	}
	desks := strings.Fields(one[string](o.rig, `select coalesce(string_agg(desk, ' '), '') from assignment where ticket_id = $1 and ended_at is null`, id))
	if !slices.ContainsFunc(desks, func(d string) bool {
		return d == area || people.GridCode(d).Valid() && strings.HasPrefix(d, area)
	}) {
		o.t.Fatalf("ticket %d of the desks %v lies in the group of %s", id, desks, area)
	}
	strangers := one[int64](o.rig, `select count(*) from conversation g join conversation m on m.chat = g.chat and not m.is_group and m.left_at is null
		join address a on a.id = m.address_id left join staff s on s.person_id = a.person_id and s.ended_at is null
		where g.id = $1 and (s.id is null or a.trust <> 'verified')`, group)
	if strangers > 0 {
		o.t.Fatal(fmt.Sprint(strangers, " strangers see ticket ", id))
	}
}
