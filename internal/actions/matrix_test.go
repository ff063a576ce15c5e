package actions

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
)

var update = flag.Bool("update", false, "write the golden matrix anew")

// wish is the command of a resident behind an action, as package people judges
// it; prompt says that it answers a question we asked. What is not here is a
// command of the staff: default deny.
type wish struct {
	command people.ResidentCommand
	prompt  bool
}

func wishes() map[string]wish {
	w := map[string]wish{
		"ticket.list_own": {people.CmdReadOwn, false}, "ticket.find_own": {people.CmdReadOwn, false},
		"ticket.withdraw": {people.CmdWithdrawTicket, false}, "ticket.relapse": {people.CmdRelapse, false},
		"callback.answer": {people.CmdAnswerCallback, true}, "survey.answer": {people.CmdAnswerSurvey, true}, "stillfine.answer": {people.CmdAnswerSurvey, true},
		"person.request": {people.CmdSpeakToPerson, false}, "person.stop": {people.CmdStop, false}, "person.start": {people.CmdStart, false},
		"rider.enrol": {people.CmdEnrol, false},
		"visit.meet":  {people.CmdConfirmVisit, true}, "visit.confirm": {people.CmdConfirmVisit, true},
		"visit.wish": {people.CmdAskVisitChange, true}, "visit.move": {people.CmdAskVisitChange, true},
		"visit.rate": {people.CmdAnswerSurvey, true}, "visit.why": {people.CmdAnswerSurvey, true},
		"care.leave": {people.CmdSpeakToPerson, false}, "care.visits": {people.CmdReadOwn, false}, "care.withdraw": {people.CmdWithdrawConsent, false},
		"poll.join": {people.CmdEnrol, false}, "poll.leave": {people.CmdStop, false}, "poll.answer": {people.CmdAnswerSurvey, true},
		"programme.join": {people.CmdEnrol, false}, "programme.leave": {people.CmdStop, false},
		"programme.answer": {people.CmdAnswerSurvey, true}, "programme.mark": {people.CmdAnswerSurvey, true},
	}
	for _, name := range []string{"ticket.add_place", "ticket.add_words", "ticket.add_photos"} {
		w[name] = wish{people.CmdAddToTicket, false}
	}
	// To report is open to everybody, and so is what goes with it: how a trust is
	// raised (a code, an invite) cannot ask for it.
	for _, name := range []string{
		"intake.classify", "intake.meant", gateway.ActionVoice, "place.find", "danger.advice", "ticket.near", "ticket.file", "ticket.file_incomplete",
		flows.ActionHandover, "notice.give", "person.language", "code.ask", "code.send", "code.check", "code.bind", "staff.join",
		"care.worse", "care.code", "care.apply", "care.costs", "programme.offer", "programme.about",
		"prompt.answer", // what follows is that question's own action
	} {
		w[name] = wish{people.CmdReport, false}
	}
	return w
}

// seated is where and as whom an action is called.
type seated struct {
	user    string
	trust   bots.Trust
	boundAs string // "" in a private chat
}

// cell says what became of a call: + let in, x refused, p asked to be said in
// private. A refusal by the rules of tickets is no refusal by the rights.
func cell(r result) string {
	fail, _ := r["fail"].(string)
	say, _ := r["say"].(string)
	switch {
	case fail == "group.private":
		return "p"
	case slices.Contains([]string{
		"staff.only", "staff.private_chat", "staff.may_not", "staff.may_not_here", "staff.no_card", "staff.not_yours", "group.blocked", "group.only", "task.none", "lookup.unknown", "whistle.none",
		"figures.no_right", "topic.none",
	}, fail):
		return "x"
	case r["status"] == flows.StatusReject && (say == "staff.only" || say == "desk.unknown" || say == "group.no_area"):
		return "x"
	}
	if r["in_care"] == false || r["what"] == "" && r["phone"] == "" {
		return "x"
	}
	if _, own := r["only"]; own && r["count"] == 0 { // nothing of the person is shown
		return "x"
	}
	return "+"
}

var errUndo = errors.New("undo it")

// try calls an action as somebody would and takes everything back.
func (o *office) try(at seated, name string, args map[string]any) result {
	o.t.Helper()
	chat, group := at.user, int64(0)
	if at.boundAs != "" {
		chat = "g-" + at.boundAs
		group = one[int64](o.rig, `select coalesce((select id from conversation where chat = $1 and is_group), 0)`, chat)
	}
	var staff, person, conv, addr int64
	err := o.sql.QueryRow(o.t.Context(), `select coalesce(s.id, 0), a.person_id, c.id, a.id from address a
		join conversation c on c.address_id = a.id and c.chat = $2 left join staff s on s.person_id = a.person_id and s.ended_at is null where a.user_id = $1`,
		at.user, chat).Scan(&staff, &person, &conv, &addr)
	if err != nil {
		o.t.Fatal(err)
	}
	var got result
	err = o.Desk(o.t.Context(), staff, person, func(ctx context.Context, t *gateway.Turn) error {
		t.Channel, t.Chat, t.User, t.Conversation, t.Address = web, bots.ChatID(chat), bots.UserID(at.user), conv, addr
		t.Own = t.Person
		t.Trust, t.Lang = at.trust, flows.BaseLang
		t.Group, t.GroupID = at.boundAs != "", group
		if at.boundAs != flows.GroupUnbound {
			t.BoundAs = at.boundAs
		}
		if wishes()[name].prompt {
			t.PromptSubject = fmt.Sprintf("ticket:%.0f", args["id"])
			if strings.HasPrefix(name, "visit.") {
				t.PromptSubject = one[string](o.rig, `select 'visit:' || min(id) from visit`)
			}
			if strings.HasPrefix(name, "programme.") {
				t.PromptSubject = one[string](o.rig, `select 'occasion:' || min(id) from care_occasion`)
			}
			if name == "poll.answer" {
				t.PromptSubject = postgres.Subject("person", person)
			}
		}
		var err error
		if got, err = o.acts[name](ctx, t, args); err != nil {
			return fmt.Errorf("%s as %s: %w", name, at.user, err)
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		o.t.Fatal(err)
	}
	return got
}

// matrixOffice is an office with a resident who has a ticket, one member of the
// staff who holds every role, and a group of each kind.
func matrixOffice(t testing.TB) *office {
	o := newOffice(t)
	o.set.Desk = func(context.Context, *gateway.Turn) (string, error) { return "/desk", nil }
	o.report("zhang", garbage)
	o.laid("wang")
	w := &ward{rig: o.rig}
	w.lay()
	w.opens("zhang")
	o.exec(`insert into care_occasion (programme, person_id) select 'care_free', person_id from address where user_id = 'zhang'`)
	o.exec(`insert into topic (matter, area, why, found, usual, state, owner_unit) values ('garbage', '360313', 'county', 10, 0, 'open', 'transport')`)
	o.hire("all", people.RoleGridWorker, people.AreaGrid, grid)
	o.seat("all", "verified")
	for _, g := range [][3]string{
		{"grid_leader", "village", village},
		{"handler", "unit", "housing"},
		{"dispatcher", "city", "3603"},
		{"clerk", "city", "3603"},
		{"callback_clerk", "city", "3603"},
		{"admin", "city", "3603"},
		{"leader", "township", "360313001"},
		{"dispatcher", "county", "360313"},
		{"supervisor", "city", "3603"},
		{"clinic_desk", "unit", "cli"},
		{"doctor", "unit", "cli"},
	} {
		o.exec(`insert into staff_role (staff_id, role, area_kind, area) select id, $1, $2, $3 from staff where slug = 'all'`, g[0], g[1], g[2])
	}
	for _, kind := range []string{"dispatch", "complete", "voice", "phone", "judge", "check", "person", "merge", "patrol", "topic", "review", "escalated", "exclusion"} {
		o.exec(`insert into task (kind, subject, ticket_id, role, area_kind, area) select $1, 'ticket:' || id, id, 'callback_clerk', 'city', '3603' from ticket`, kind)
	}
	o.exec(`insert into task (kind, subject, role, area_kind, area) select 'care.held_call', 'bed:' || id, 'clinic_desk', 'unit', 'cli' from bed`)
	o.exec(`insert into whistle (id, kind, source, state, division, version, level, proposed_at, changed_at, deadline) overriding system value
		select id, 'major', 'patrol', 'assigned', $1, 1, 3, product_now(), product_now(), product_now() from ticket`, village)
	o.exec(`insert into whistle_unit (whistle_id, desk_kind, desk, state, called_at, answer_due, arrive_due)
		select id, 'unit', 'housing', 'called', product_now(), product_now(), product_now() from whistle`)
	o.exec(`insert into assignment (ticket_id, role, desk_kind, desk, state, dispatched_at, deadline)
		select id, 'co', 'unit', 'housing', 'waiting', product_now(), product_now() + interval '1 day' from ticket`)
	o.exec(`insert into supervision (number, ticket_id, desk_kind, desk, reason, opened_at, deadline)
		select '5120447813', id, 'grid', $1, 'leader', product_now(), product_now() + interval '3 days' from ticket`, grid)
	o.exec(`update ticket set supervisions = 1`)
	for _, as := range []string{flows.GroupWork, flows.GroupResidents, flows.GroupUnbound} {
		chat := "g-" + as
		if as != flows.GroupUnbound {
			o.exec(`with p as (insert into person (kind) values ('group') returning id),
				a as (insert into address (channel, user_id, chat, person_id, trust) select 'web', 'group' || chr(9) || $1, $1, id, 'none' from p returning id)
				insert into conversation (channel, chat, user_id, address_id, is_group, in_group, bound_as, area_kind, area)
				select 'web', $1, 'group' || chr(9), id, true, true, $2, 'grid', $3 from a`, chat, as, grid)
		}
		o.exec(`insert into conversation (channel, chat, user_id, address_id, in_group, left_at)
			select 'web', $1, user_id, id, true, case when user_id = 'zhang' then product_now() end from address where user_id in ('zhang', 'all')`, chat)
	}
	return o
}

// Every action, called for real over a database with each trust and in each kind
// of chat: the cells are reviewed, and in private chats they are what package
// people says.
func TestTrustMatrixOfActions(t *testing.T) {
	o := matrixOffice(t)
	trusts := []bots.Trust{bots.TrustNone, bots.TrustSession, bots.TrustStable, bots.TrustVerified}
	places := []string{"", flows.GroupWork, flows.GroupResidents, flows.GroupUnbound}
	var b strings.Builder
	b.WriteString("# + let in, x refused, p asked to say it in private; four trusts: none session stable verified\n")
	b.WriteString("# action               speaker  | private | work    | residents | unbound\n")
	known := wishes()
	for _, name := range slices.Sorted(maps.Keys(o.acts)) {
		task := purposes[name]
		if task == "" {
			task = "dispatch"
		}
		args := o.everything(task)
		args["number"], args["text"], args["platform"], args["name"] = o.number(), "话", "food", "张三"
		args["phone"], args["digits"], args["contacted"], args["fine"], args["rating"] = "13800001234", "123456", "yes", "fine", "satisfied"
		args["area"], args["as"], args["satisfied"], args["code"] = map[string]any{"area": "grid|" + grid2}, "work", "satisfied", "fire"
		if name == "task.hold" || name == "group.hold" {
			args["for"] = map[string]string{"task.hold": "dispatch", "group.hold": "bind"}[name]
		}
		args["ids"], args["slot"] = one[string](o.rig, `select min(id) || '.1' from visit`), "2026-03-04 14:30-16:30"
		if strings.HasPrefix(name, "visit.") {
			args["kind"], args["rating"] = "nobody", "5"
		}
		if strings.HasPrefix(name, "programme.") {
			args["programme"], args["rung"], args["answer"], args["version"], args["mark"] = "care_free", "day_two", "fine", "1", "5"
		}
		args["worry"], args["month"] = o.set.Tally.Policy.Worry.Names[0], "2026-03"
		if name == "order.hold" {
			args["for"] = "supervise"
		}
		if name == "event.hold" {
			args["programme"] = "free_clinic"
		}
		if name == "group.area" {
			args["value"] = "grid|" + grid2
		}
		w, residents := known[name]
		for _, user := range []string{"zhang", "all"} {
			if residents && user == "all" {
				continue
			}
			row := fmt.Sprintf("%-22s %-8s", name, map[string]string{"zhang": "resident", "all": "staff"}[user])
			for _, place := range places {
				row += " | "
				for _, trust := range trusts {
					c := cell(o.try(seated{user, trust, place}, name, args))
					row += c
					if place != "" {
						continue
					}
					d := people.Allowed(people.CmdStaff, trust, false)
					if residents {
						d = people.Allowed(w.command, trust, w.prompt)
					} else if user == "zhang" {
						d = people.Deny
					}
					if in := d == people.Allow || d == people.AllowOwn; in != (c == "+") && !elsewhere(name) {
						t.Errorf("%s by a %s: the matrix says %s, what happens is %s", name, trust, d, c)
					}
				}
			}
			b.WriteString(row + "\n")
		}
	}
	goldenFile(t, "testdata/actions.golden", b.String())
}

// elsewhere are the actions that a private chat refuses to everybody.
func elsewhere(name string) bool { return strings.HasPrefix(name, "group.") }

// What must hold whatever the cells are: without a proven address nobody is
// staff; among residents and in an unbound group staff do nothing but bind.
func TestActionsInGroupsAreDeniedByDefault(t *testing.T) {
	where := inGroups()
	for name := range newSetOfActions() {
		residents := slices.Contains(where[name], flows.GroupResidents) || slices.Contains(where[name], flows.GroupUnbound)
		_, open := wishes()[name]
		if residents && !open && !strings.HasPrefix(name, "group.") {
			t.Errorf("%s is for staff and may run where residents read along", name)
		}
		if slices.Contains(where[name], flows.GroupUnbound) && !strings.HasPrefix(name, "group.") {
			t.Errorf("%s may run in a group that is not bound", name)
		}
	}
	for name := range where {
		if _, ok := newSetOfActions()[name]; !ok {
			t.Errorf("%s may run in groups and is no action", name)
		}
	}
}

func newSetOfActions() map[string]gateway.Action { return (&Set{}).All() }

// goldenFile compares a generated matrix with what was reviewed.
func goldenFile(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wants := strings.Split(string(want), "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(wants) || line != wants[i] {
			t.Fatalf("%s line %d: what is let in changed; review, then go test ./internal/actions -run Matrix -update\n got %s\nwant %s", path, i+1, line, append(wants, "")[min(i, len(wants))])
		}
	}
	if len(wants) != len(strings.Split(got, "\n")) {
		t.Fatalf("%s: actions were removed; review, then go test ./internal/actions -run Matrix -update", path)
	}
}
