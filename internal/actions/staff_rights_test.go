package actions

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/internal/workorder"
)

// own are the actions about the speaker alone: every member of the staff may.
// A whistle's source without a ticket says nothing yet, and the stars of units are
// figures for whoever holds the right anywhere.
var own = []string{
	"staff.desk", "desk.link", "card.list", "task.list", "duty.off", "duty.on", "place.waiting", "whistle.list", "whistle.source", "whistle.stars",
	"topic.show", "ward.meant", "ward.unfeed",
	"round.hold",
}

// refusedResult reports whether an action said no, in the way of its kind.
func refusedResult(r result) bool {
	_, fails := r["fail"]
	return fails || r["status"] == "reject"
}

// everything is what a dialogue could hand over to any action: a real ticket, a
// real task, a desk and words.
func (o *office) everything(task string) map[string]any {
	desk := map[string]any{"desk": "unit|housing|0", "label": "住建局"}
	id := float64(one[int64](o.rig, `select max(id) from ticket`))
	number := float64(one[int64](o.rig, `select coalesce(max(id), 0) from task where kind = $1`, task))
	return map[string]any{
		"id": id, "task": number, "for": "finish", "to": desk, "value": desk["desk"], "reason": "not_our_duty", "result": "resolved",
		"reply": "办好了", "words": "话", "why": "因为这样", "verdict": "redo", "via": "phone", "reached": true, "solved": "yes", "what": "垃圾",
		"place": map[string]any{"label": "昌盛小区", "division": village, "grid": grid, "id": "1"}, "alias": "老粮站", "pick": "1|老粮站", "accept": true,
		"topic": float64(one[int64](o.rig, `select coalesce(max(id), 0) from topic`)), "outcome": "都修好了，请放心",
		"basis": "三定方案", "purpose": "ask_extension", "until": map[string]any{"at": "2026-03-12T09:30:00Z"}, "when": map[string]any{"at": "2026-03-12T09:30:00Z"},
		"co":   map[string]any{"desks": "unit|transport|0", "label": "交通局"},
		"vars": map[string]any{"id": id, "task": number}, "child": id, "master": id,
	}
}

// purposes are the tasks that each action is about.
var purposes = map[string]string{
	"task.dispatch": "dispatch", "task.desk": "dispatch", "task.reject": "dispatch", "task.hold": "dispatch", "task.complete": "complete",
	"task.voice": "voice", "task.phone": "phone", "task.judge": "judge", "task.check": "check", "task.settle": "person",
	"task.merge": "merge", "task.patrolled": "patrol", "topic.owner": "topic", "topic.decide": "topic",
	"ward.task": "care.held_call", "ward.done": "care.held_call",
	"task.decide": "review", "task.co": "dispatch",
	"task.answer": "dispatch", "task.refer": "dispatch", "task.instruct": "escalated", "task.review": "exclusion",
}

// Default deny: every staff action refuses who is not of the staff, whose
// address is not proven, and who has no right here; and then changes nothing.
func TestEveryStaffActionRefusesWithoutTheRight(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", garbage)
	o.laid("wang")
	o.exec(`insert into topic (matter, area, why, found, usual, state, owner_unit) values ('garbage', '360313', 'county', 10, 0, 'open', 'transport')`)
	for _, kind := range []string{"dispatch", "complete", "voice", "phone", "judge", "check", "person", "merge", "patrol", "topic", "review", "escalated", "exclusion"} {
		o.exec(`insert into task (kind, subject, ticket_id, role, area_kind, area) select $1, 'ticket:' || id, id, 'clerk', 'county', '360313' from ticket`, kind)
	}
	o.hire("yi", "doctor", "unit", "housing")
	o.seat("yi", "verified")
	o.hire("new", "grid_worker", "grid", grid)
	o.seat("new", "session") // the right person, but who says so?
	o.hire("gone", "grid_worker", "grid", grid)
	o.seat("gone", "verified")
	o.exec(`update staff set ended_at = product_now() where slug = 'gone'`)
	changes := func() string {
		return one[string](o.rig, `select (select count(*) from trail)::text || ' ' || (select sum(version) from ticket) || ' ' ||
			(select count(*) from ticket_note) || ' ' || (select count(*) from task where state = 'open') || ' ' || (select count(*) from place_alias) || ' ' || (select string_agg(state, '') from topic) || ' ' ||
			(select string_agg(on_duty::text, '') from staff)`)
	}
	before := changes()
	all := o.set.staff()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if name == "staff.join" { // how one becomes staff
			continue
		}
		task := purposes[name]
		if task == "" {
			task = "dispatch"
		}
		args := o.everything(task)
		if name == "task.hold" {
			args["for"] = "dispatch"
		}
		if name == "order.hold" {
			args["for"] = "supervise"
		}
		for _, user := range []bots.UserID{"zhang", "new", "gone", "ling", "far"} {
			// Whoever leads a grid holds programmes there: nothing of this one is shown.
			if user == "far" && slices.Contains([]string{"event.kinds", "event.when", "programme.kinds", "programme.staff"}, name) {
				continue
			}
			// A leader sees figures, and tickets of the area as a supervisor does.
			if user == "ling" && (strings.HasPrefix(name, "figures.") || name == "card.show" || name == "order.hold") {
				continue
			}
			if (user == "ling" || user == "far") && slices.Contains(own, name) || user == "far" && name == "duty.relief" || user == "ling" && name == "duty.relief" {
				continue
			}
			if got := o.call(user, name, args); !refusedResult(got) {
				t.Errorf("%s let %s in: %v", name, user, got)
			}
		}
	}
	if after := changes(); after != before {
		t.Errorf("something changed: %s, was %s", after, before)
	}
}

// Whom a claim is about learns nothing of it, whatever their roles.
func TestAgainstStaffSeesNothing(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", garbage)
	o.laid("wang")
	o.exec(`update ticket set against_staff = array[(select id from staff where slug = 'wang')]`)
	o.exec(`insert into staff_role (staff_id, role, area_kind, area) select id, 'dispatcher', 'city', $1 from staff where slug = 'wang'`, workorder.CityCode)
	args := o.everything("dispatch")
	for name := range o.set.cardActions() {
		if slices.Contains(own, name) {
			continue
		}
		if got := o.call("wang", name, args); !refusedResult(got) {
			t.Errorf("%s lets in whom it is about: %v", name, got)
		}
	}
	o.expect("wang", "详情 "+o.number(), "没有这个号")
}

// A ticket nobody may know of looks like one that does not exist.
func TestPrivateTicketsDoNotExistForOthers(t *testing.T) {
	o := newOffice(t)
	o.report("wu", "昌盛小区3栋垃圾堆了半个月没人收，给我保密")
	for _, user := range []bots.UserID{"wang", "li", "hou", "far"} {
		if got := o.call(user, "card.show", map[string]any{"text": o.number()}); got["fail"] != "staff.no_card" {
			t.Errorf("%s: %v", user, got)
		}
	}
}
