package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/flows"
	"shaoying/flows/words"
	"shaoying/internal/console"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// Issue 4, section 2: a complaint about a person or a unit never reaches that
// person or that unit. Whatever the ticket, whom it is about, what is done with
// it and what comes due: nothing that was queued, laid or planned goes to whom
// the ticket is about, nor to anybody who serves what it is about, and their desk
// page does not know it. And for all that it is always with somebody.
func TestComplaintNeverReachesWhomItIsAbout(t *testing.T) {
	c := newCourt(t)
	rng := rand.New(rand.NewPCG(4, 2))
	others, meant := 0, 0
	for range 14 {
		seen := one[int64](c.rig, `select coalesce(max(id), 0) from outbox`)
		id := c.complaint(rng)
		c.other = 0
		if rng.IntN(3) == 0 {
			c.other = c.files("li", ticket.Content{})
		}
		for range 3 + rng.IntN(5) {
			c.anything(rng, id)
			if c.other != 0 && rng.IntN(2) == 0 {
				c.anything(rng, c.other)
			}
		}
		c.check(id, seen)
		c.until(c.now().In(zone(t)).AddDate(0, 0, 1+rng.IntN(4)).Format("2006-01-02 15:04"))
		o, m := c.check(id, seen)
		others, meant = others+o, meant+m
		c.exec(`update ticket set state = 'closed', closed_at = coalesce(closed_at, product_now()) where state <> 'closed'`)
		c.exec(`update assignment set ended_at = product_now() where ended_at is null`)
		c.exec(`update due set state = 'cleared' where state = 'planned'`)
		c.exec(`update task set state = 'cleared' where state = 'open'`)
		c.exec(`update card set closed_at = product_now() where closed_at is null`)
	}
	t.Logf("%d messages to others, %d times somebody to keep it from; done: %v", others, meant, c.commands)
	if others < 40 || meant < 25 {
		t.Fatalf("%d messages reached somebody and there were %d people to keep it from: too few to say anything", others, meant)
	}
}

// A unit where everybody is whom a complaint is about does not get it, neither by
// the rules nor by the dispatcher's word; and where all dispatchers are, the next
// desk above is told in words.
func TestNoComplaintIsLeftWithNobody(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	file := func(persons ...int64) (id, task int64) {
		id = c.files("li", ticket.Content{Matter: "administrative_review", AgainstStaff: persons})
		if got := c.state(id); got != "received" {
			t.Fatalf("the ticket is %s", got)
		}
		c.held(id, c.meant(id))
		return id, one[int64](c.rig, `select id from task where ticket_id = $1 and kind = 'dispatch' and state = 'open'`, id)
	}
	judicial := c.everybody("judicial")
	id, task := file(judicial...)
	c.hears("pai", fmt.Sprintf("派 %d", task))
	c.holds(c.says("pai", fmt.Sprintf("派 %d", task)), "没有别人能接，请另派一处")
	c.holds(c.says("pai", "司法所"), "没有合适的人能接")
	if got := c.state(id); got != "received" {
		t.Errorf("the dispatcher's word made it %s", got)
	}
	if n := one[int64](c.rig, `select count(*) from task where kind = 'escalated'`); n != 0 {
		t.Error("somebody above is asked though a dispatcher is free")
	}
	c.heard("cai")
	id, _ = file(append(judicial, c.everybody("dispatchers")...)...)
	c.holds(c.heard("cai"))
	c.hears("ling", "提级到您这里")
	above := one[int64](c.rig, `select id from task where ticket_id = $1 and kind = 'escalated' and state = 'open'`, id)
	c.holds(c.says("ling", fmt.Sprintf("批示 %d", above)), "安排一位不相干的人")
}

// court is the rig with people of all roles, several of whom serve two desks,
// with work groups, and with the desk page.
type court struct {
	*rig
	page     http.Handler
	console  *console.Console
	commands map[string]int // what was done, refused commands left out
	other    int64          // a ticket about nobody, into which one may be merged
}

func newCourt(t testing.TB) *court {
	c := &court{rig: newRig(t, "2026-03-03 09:00"), commands: map[string]int{}}
	units := must(t, "units.yaml", ticket.ParseUnits)
	for _, u := range units.All() {
		c.exec(`insert into unit (code, name, kind) values ($1, $2, $3) on conflict do nothing`, u.Code, u.Name, string(u.Kind))
	}
	c.exec(`insert into division (code, level, name) values ('3603', 'city', '萍乡市'), ('360313', 'county', '湘东区'), ('360313001', 'township', '峡山口街道'), ($1, 'village', '砚田居委会') on conflict do nothing`, village)
	c.exec(`insert into grid (id, village, name) values ($1, $2, '第一网格') on conflict do nothing`, grid, village)
	for _, h := range []struct {
		slug string
		role people.Role
		kind people.AreaKind
		area string
	}{
		{"zhang", people.RoleGridLeader, people.AreaVillage, village},
		{"jing", people.RoleCommunityPolice, people.AreaTownship, "360313001"},
		{"fu", people.RoleAuxiliary, people.AreaTownship, "360313001"},
		{"qiu", people.RoleHandler, people.AreaUnit, "urban_management"},
		{"qin", people.RoleHandler, people.AreaUnit, "urban_management"},
		{"hou", people.RoleHandler, people.AreaUnit, "housing"},
		{"gong", people.RoleHandler, people.AreaUnit, "public_security"},
		{"si", people.RoleHandler, people.AreaUnit, "judicial"},
		{"cai", people.RoleDispatcher, people.AreaCounty, "360313"},
		{"wen", people.RoleClerk, people.AreaCity, workorder.CityCode},
		{"hua", people.RoleCallbackClerk, people.AreaCounty, "360313"},
		{"ling", people.RoleLeader, people.AreaCity, workorder.CityCode},
		{"xiang", people.RoleLeader, people.AreaTownship, "360313001"},
		{"ti", people.RoleHandler, people.AreaUnit, "housing"},
	} {
		c.hire(h.slug, h.role, h.kind, h.area)
	}
	// Who serves two: a supervisor, a dispatcher and a clerk of units besides.
	for _, g := range [][4]string{
		{"du", "handler", "unit", "urban_management"},
		{"cai", "handler", "unit", "housing"},
		{"hua", "handler", "unit", "public_security"},
		{"hou", "handler", "unit", "judicial"},
		{"wang", "aide", "grid", grid},
	} {
		c.exec(`insert into staff_role (staff_id, role, area_kind, area) select id, $2, $3, $4 from staff where slug = $1`, g[0], g[1], g[2], g[3])
	}
	c.exec(`update staff set on_duty = false, substitute = (select id from staff where slug = 'ti') where slug = 'qin'`)
	for chat, area := range map[string]string{"g-grid": "grid " + grid, "g-unit": "unit urban_management"} {
		kind, code, _ := strings.Cut(area, " ")
		c.exec(`with p as (insert into person (kind) values ('group') returning id),
			a as (insert into address (channel, user_id, chat, person_id, trust) select 'web', 'group' || chr(9) || $1, $1, id, 'none' from p returning id)
			insert into conversation (channel, chat, user_id, address_id, is_group, in_group, bound_as, area_kind, area)
			select 'web', $1, 'group' || chr(9), id, true, true, $2, $3, $4 from a`, chat, flows.GroupWork, kind, code)
		c.exec(`insert into conversation (channel, chat, user_id, address_id, in_group) select 'web', $1, user_id, id, true from address where user_id in ('wang', 'qiu')`, chat)
	}
	var err error
	places := people.NewGazetteer(nil, nil, nil)
	c.console, err = console.New(console.Deps{
		Gateway: c.Gateway, Orders: c.deps.Orders, Units: units, Places: func() *people.Gazetteer { return places }, Photos: c.deps.Photos,
		Guess: c.set.Guess, Filing: c.set.Filing, Safety: must(t, "safety.yaml", words.ParseSafety),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	c.console.Routes(mux)
	c.page = mux
	return c
}

func (c *court) staff(slug string) int64 {
	return one[int64](c.rig, `select id from staff where slug = $1`, slug)
}

// complaint files a ticket against somebody, some unit, some grid, or several; now
// and then against everybody who answers for a desk, or who dispatches.
func (c *court) complaint(rng *rand.Rand) int64 {
	maybe := func(n int) bool { return rng.IntN(n) == 0 }
	var against []string
	var persons []int64
	for len(against)+len(persons) == 0 {
		for _, code := range []string{"urban_management", "housing", "public_security", "judicial", "village", grid} {
			if maybe(5) {
				against = append(against, code)
			}
		}
		for _, slug := range []string{"wang", "zhang", "jing", "qiu", "hou", "gong", "cai", "pai", "du", "hui", "hua", "wen"} {
			if maybe(9) {
				persons = append(persons, c.staff(slug))
			}
		}
	}
	matters := c.deps.Orders.Matters.All()
	var of string
	switch rng.IntN(4) {
	case 0:
		of = []string{"urban_management", "housing", "public_security", "judicial", grid}[rng.IntN(5)]
		matters = slices.DeleteFunc(matters, func(m ticket.Matter) bool { return m.Unit != of && !(of == grid && m.GridFirst) })
	case 1:
		of = "dispatchers"
		against = append(against, "judicial", "transport")
		matters = slices.DeleteFunc(matters, func(m ticket.Matter) bool { return m.Unit != "judicial" && m.Unit != "transport" })
	}
	if of != "" {
		persons = append(persons, c.everybody(of)...)
	}
	content := ticket.Content{
		Matter: matters[rng.IntN(len(matters))].Code, Against: against, AgainstStaff: persons,
		Urgency:   []ticket.Urgency{ticket.Urgent, ticket.General, ticket.Utilities}[rng.IntN(3)],
		Sensitive: maybe(4), Confidential: maybe(6), Anonymous: maybe(8),
	}
	return c.files("li", content)
}

// everybody is who serves a unit or a grid, or who dispatches.
func (c *court) everybody(of string) (all []int64) {
	return one[[]int64](c.rig, `select array_agg(distinct x) from (
		select unnest(array[s.id, s.substitute]) as x from staff_role r join staff s on s.id = r.staff_id where r.area = $1 or $1 = 'dispatchers' and r.role = 'dispatcher') a where x is not null`, of)
}

// desks are all the places where somebody might put a ticket.
func (c *court) desks() []ticket.Desk {
	named := func(code, slug string) ticket.Desk {
		return ticket.Desk{Kind: ticket.DeskNamed, Code: code, Staff: c.staff(slug)}
	}
	return []ticket.Desk{
		{Kind: ticket.DeskGrid, Code: grid},
		{Kind: ticket.DeskUnit, Code: "urban_management"},
		{Kind: ticket.DeskUnit, Code: "housing"},
		{Kind: ticket.DeskUnit, Code: "public_security"},
		{Kind: ticket.DeskUnit, Code: "judicial"},
		named("urban_management", "qiu"),
		named("housing", "hou"),
		named("housing", "ti"),
		named("public_security", "gong"),
		named(grid, "wang"),
		named("360313001", "jing"),
	}
}

// deed is a command and who might give it.
type deed struct {
	who func() (string, ticket.Actor)
	c   ticket.Command
}

// anything does one random thing to a ticket, as one of those who might. What
// the rules refuse is not done, and that is right.
func (c *court) anything(rng *rand.Rand, id int64) {
	o := c.load(id)
	desks := c.desks()
	desk := func() ticket.Desk { return desks[rng.IntN(len(desks))] }
	as := func(cap ticket.Capacity, slugs ...string) (string, ticket.Actor) {
		slug := slugs[rng.IntN(len(slugs))]
		return slug, ticket.Actor{As: cap, Staff: c.staff(slug)}
	}
	handler := func() (string, ticket.Actor) {
		slug, by := as(ticket.AsHandler, "wang", "qiu", "hou", "ti", "gong", "si", "du", "cai")
		if lead, ok := o.Lead(); ok {
			by.Desk = lead.Desk
		}
		return slug, by
	}
	dispatcher := func() (string, ticket.Actor) { return as(ticket.AsDispatcher, "pai", "cai") }
	clerk := func() (string, ticket.Actor) { return as(ticket.AsCallback, "hui", "hua") }
	deeds := []deed{
		{dispatcher, ticket.Dispatch{Lead: desk(), Co: []ticket.Desk{desk(), desk()}, Informed: []ticket.Desk{desk(), {Kind: ticket.DeskGrid, Code: grid}}}},
		{dispatcher, ticket.Dispatch{Lead: desk()}},
		{handler, ticket.Take{}},
		{handler, ticket.Transfer{To: desk(), Reason: "other_unit"}},
		{handler, ticket.Return{Reason: "not_our_duty"}},
		{handler, ticket.Finish{Result: ticket.UnitResolved, HasReply: true, Photos: 1}},
		{clerk, ticket.CallbackResult{Facts: ticket.Facts{Solved: ticket.No}}},
		{clerk, ticket.Judge{Reasonable: true}},
	}
	deeds = append(deeds, c.more(rng, o, desk)...)
	// Only what the rules let pass now, by somebody who may know of it.
	var possible []deed
	meant := c.meant(id)
	for _, d := range deeds {
		slug, by := d.who()
		if _, _, err := c.deps.Orders.Rules.Apply(o.Ticket, by, d.c, c.now()); err == nil && !slices.Contains(meant, slug) {
			possible = append(possible, deed{func() (string, ticket.Actor) { return slug, by }, d.c})
		}
	}
	if len(possible) == 0 {
		return
	}
	d := possible[rng.IntN(len(possible))]
	slug, by := d.who()
	c.do(slug, func(ctx context.Context, t *gateway.Turn) error {
		_, err := c.deps.Orders.Do(ctx, t, id, by, d.c)
		if refused := (*ticket.Refused)(nil); errors.As(err, &refused) {
			return nil
		}
		if err == nil {
			c.commands[string(d.c.Name())]++
		}
		return err
	})
}

func (c *court) load(id int64) (o *workorder.Order) {
	c.do("pai", func(ctx context.Context, t *gateway.Turn) (err error) {
		o, err = c.deps.Orders.Load(ctx, t, id, false)
		return err
	})
	return o
}

// check looks at all that was queued, laid and planned since, and at the desk
// pages. It returns how much others heard of the ticket, and how many there are
// who must not.
func (c *court) check(id, seen int64) (others, kept int) {
	c.t.Helper()
	number := ticket.Number(one[string](c.rig, `select number from ticket where id = $1`, id)).Spoken()
	meant := c.meant(id)
	rows, err := c.sql.Query(c.t.Context(), `select source, text_key, text_version, lang, params, reason, subject, chat from outbox where id > $1 order by id`, seen)
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var version int
		var source, key, lang, reason, subject, chat string
		var sealed []byte
		if err := rows.Scan(&source, &key, &version, &lang, &sealed, &reason, &subject, &chat); err != nil {
			c.t.Fatal(err)
		}
		text := c.render(source, key, version, lang, sealed)
		about := strings.Contains(text, number) || subject == workorder.Subject(id) || reason == jobsDigest && c.other == 0
		switch {
		case about && slices.Contains(meant, chat):
			c.t.Fatalf("ticket %d is about %s, who hears %q (%s)", id, chat, text, reason)
		case about && strings.HasPrefix(chat, "g-"):
			c.t.Fatalf("ticket %d is a complaint and lies in group %s: %q", id, chat, text)
		case about:
			others++
		}
	}
	if n := one[int64](c.rig, `select count(*) from card k join conversation v on v.id = k.conversation_id where k.ticket_id = $1 and v.chat = any($2)`, id, meant); n != 0 {
		c.t.Fatalf("ticket %d is about %v and lies in their chats", id, meant)
	}
	for _, slug := range meant {
		c.blind(slug, id, number)
	}
	c.held(id, meant)
	return others, len(meant)
}

// held wants that an open ticket is in the hands of somebody whom it is not about:
// who answers for its desk, who has an open task for it, or the resident who is
// being asked.
func (c *court) held(id int64, meant []string) {
	c.t.Helper()
	n := one[int64](c.rig, `with holders as (
			select r.staff_id, r.role, r.area from staff_role r
			union select off.substitute, r.role, r.area from staff off join staff_role r on r.staff_id = off.id where off.substitute is not null and not off.on_duty)
		select (select count(*) from holders h join staff s on s.id = h.staff_id, assignment a
				where a.ticket_id = $1 and a.ended_at is null and a.role = 'lead' and s.slug <> all($2) and s.ended_at is null
				and (a.desk_staff = s.id or a.desk_staff = 0 and h.area = a.desk and h.role in ('handler', 'grid_worker', 'grid_leader')))
			+ (select count(*) from holders h join staff s on s.id = h.staff_id, task k
				where k.ticket_id = $1 and k.state = 'open' and k.role = h.role and s.slug <> all($2) and s.ended_at is null
				and (starts_with(k.area, h.area) or starts_with(h.area, k.area)))
			+ (select count(*) from due d where d.subject = 'ticket:' || $1 and d.kind = 'callback' and d.state in ('planned', 'running'))
			+ (select count(*) from prompt p where p.subject = 'ticket:' || $1 and p.closed_at is null)
			+ (select count(*) from ticket t where t.id = $1 and t.state in ('merged', 'closed', 'rejected', 'referred', 'answered', 'withdrawn'))`, id, meant)
	if n == 0 {
		c.t.Fatalf("ticket %d (%s) is about %v and is with nobody: %s", id, c.rig.state(id), meant,
			one[string](c.rig, `select coalesce(string_agg(a.role || ' ' || a.desk_kind || ' ' || a.desk || ' ' || a.desk_staff || ' ' || a.state, ', '), '') from assignment a where a.ticket_id = $1 and a.ended_at is null`, id)+"; "+
				one[string](c.rig, `select coalesce(string_agg(kind || ' ' || role || ' ' || area || ' ' || state, ', '), '') from task where ticket_id = $1`, id))
	}
}

// jobsDigest is the reason of the morning figures; without another ticket nothing
// else is open that they could be about.
const jobsDigest = "digest"

// meant lists, by the rows alone, whom a ticket must not reach: named, of what is
// named, or standing in there.
func (c *court) meant(id int64) []string {
	var all []string
	rows, err := c.sql.Query(c.t.Context(), `select distinct s.slug from ticket t, staff s where t.id = $1 and (s.id = any(t.against_staff)
		or exists (select 1 from staff_role r where r.staff_id = s.id and r.area = any(t.against))
		or exists (select 1 from staff off join staff_role r on r.staff_id = off.id where off.substitute = s.id and not off.on_duty and r.area = any(t.against))) order by 1`, id)
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var slug string
		if err := rows.Scan(&slug); err != nil {
			c.t.Fatal(err)
		}
		all = append(all, slug)
	}
	return all
}

// blind wants that nothing on somebody's desk page knows the ticket.
func (c *court) blind(slug string, id int64, number string) {
	c.t.Helper()
	cookie, err := c.console.Open(c.t.Context(), c.DB.Queries, c.staff(slug))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, path := range []string{"/desk", "/desk?q=" + url.QueryEscape(strings.ReplaceAll(number, " ", "")), fmt.Sprintf("/desk/ticket/%d", id)} {
		req := httptest.NewRequestWithContext(c.t.Context(), http.MethodGet, path, http.NoBody)
		req.AddCookie(cookie)
		w := httptest.NewRecorder()
		c.page.ServeHTTP(w, req)
		body, err := io.ReadAll(w.Body)
		if err != nil {
			c.t.Fatal(err)
		}
		if w.Code >= http.StatusInternalServerError || w.Code == http.StatusUnauthorized {
			c.t.Fatalf("%s of %s: %d", path, slug, w.Code)
		}
		if strings.Contains(string(body), number) {
			c.t.Fatalf("ticket %d is about %s, whose page %s shows it", id, slug, path)
		}
	}
}

// more are the deeds of work orders with several desks.
func (c *court) more(rng *rand.Rand, o *workorder.Order, desk func() ticket.Desk) []deed {
	pick := func(as ticket.Capacity, slugs ...string) func() (string, ticket.Actor) {
		return func() (string, ticket.Actor) {
			slug := slugs[rng.IntN(len(slugs))]
			return slug, ticket.Actor{As: as, Staff: c.staff(slug)}
		}
	}
	of := func(as ticket.Capacity, d ticket.Desk) func() (string, ticket.Actor) {
		return func() (string, ticket.Actor) {
			slug, by := pick(as, "wang", "jing", "qiu", "hou", "ti", "gong", "si", "du", "cai")()
			by.Desk = d
			return slug, by
		}
	}
	number, err := ticket.NewNumber(rand.NewChaCha8([32]byte{byte(rng.IntN(256)), byte(rng.IntN(256)), byte(rng.IntN(256))}))
	if err != nil {
		c.t.Fatal(err)
	}
	dispatcher, supervisor := pick(ticket.AsDispatcher, "pai", "cai"), pick(ticket.AsSupervisor, "du", "ling")
	deeds := []deed{
		{dispatcher, ticket.Involve{Co: []ticket.Desk{desk()}}},
		{supervisor, ticket.Supervise{Number: number, Desk: desk(), Reason: "leader"}},
		{dispatcher, ticket.Decide{Granted: rng.IntN(2) == 0}},
	}
	if rng.IntN(5) == 0 { // it is possible at every moment
		deeds = append(deeds, deed{supervisor, ticket.Escalate{Reason: "leader"}})
	}
	for _, a := range o.Assignments {
		if a.EndedAt.IsZero() && a.Role == ticket.RoleCo {
			deeds = append(deeds, deed{of(ticket.AsCoHandler, a.Desk), ticket.CoSign{}}, deed{of(ticket.AsCoHandler, a.Desk), ticket.CoReply{HasReply: true}})
		}
	}
	if lead, ok := o.Lead(); ok {
		handler := of(ticket.AsHandler, lead.Desk)
		deeds = append(
			deeds,
			deed{supervisor, ticket.Supervise{Number: number, Desk: lead.Desk, Reason: "overdue"}},
			deed{handler, ticket.Object{Reason: "not_our_duty", HasBasis: true}},
			deed{handler, ticket.AskExtension{Until: o.Deadline.Add(time.Hour), Reason: "materials"}},
			deed{handler, ticket.AskSuspension{Until: c.now().Add(48 * time.Hour), Reason: "weather"}},
			deed{handler, ticket.Resume{}},
		)
	}
	for _, v := range o.Supervisions {
		deeds = append(deeds, deed{of(ticket.AsSupervised, v.Desk), ticket.AnswerSupervision{Number: v.Number, HasReply: true}})
	}
	if c.other != 0 && c.other != o.ID {
		deeds = append(deeds, deed{dispatcher, ticket.Merge{Master: c.load(c.other).Ticket}}, deed{dispatcher, ticket.Unmerge{}})
	}
	return deeds
}
