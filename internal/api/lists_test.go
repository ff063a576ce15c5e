package api_test

import (
	"net/http"
	"strings"
	"testing"

	"shaoying/internal/people"
)

// hire makes a member of the staff with one grant.
func (r *rig) hire(slug, role, kind, area string) {
	r.t.Helper()
	r.exec(`with p as (insert into person (kind) values ('staff') returning id), s as (insert into staff (person_id, slug, name, on_duty) select id, $1, $1, true from p returning id)
		insert into staff_role (staff_id, role, area_kind, area) select id, $2, $3, $4 from s`, slug, role, kind, area)
}

// A deliberation's program proposes a source; who may read whistles as a person
// reads them as a program, and private ones are in no list.
func TestWhistlesOfAProgram(t *testing.T) {
	r := newRig(t)
	clerk := r.program(people.RoleClerk, people.AreaCity, "3603")
	leader := r.program(people.RoleLeader, people.AreaTownship, "360313001")
	county := r.program(people.RoleDispatcher, people.AreaCounty, county)
	other := r.program(people.RoleDispatcher, people.AreaCounty, "360302")
	unit := r.program(people.RoleHandler, people.AreaUnit, "housing")
	source := object{"kind": "enforcement", "source": "deliberation", "place": object{"grid": grid, "text": "昌盛小区"}, "words": "议事会提出：占道经营要几家一起清"}

	leader.post("/whistles", source).problem(t, http.StatusConflict, "refused") // nobody who could approve
	if a := leader.post("/whistles", source); a.Body["rule"] != "no_head" {
		t.Errorf("refused by %v", a.Body["rule"])
	}
	r.hire("zhen", "leader", "township", "360313001")
	clerk.post("/whistles", source).problem(t, http.StatusForbidden, "forbidden")
	clerk.get("/whistles").problem(t, http.StatusForbidden, "forbidden")
	a := leader.post("/whistles", source)
	if a.Status != http.StatusCreated || a.Body["state"] != "proposed" || a.Body["source"] != "deliberation" || a.Body["words"] != source["words"] {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	id := a.Body["id"].(string)
	if n := r.number(`select count(*) from task where kind like 'whistle%' and state = 'open'`); n == 0 {
		t.Error("no head has it before them")
	}
	elsewhere := object{"kind": "enforcement", "source": "deliberation", "place": object{"division": "360302001001"}, "words": "占道经营"}
	leader.post("/whistles", elsewhere).problem(t, http.StatusForbidden, "forbidden")
	leader.post("/whistles", object{"kind": "enforcement", "place": object{"grid": grid}, "words": "占道经营"}).problem(t, http.StatusConflict, "refused")

	// Over a ticket: once at a time, and with what it keeps from whom.
	number := clerk.file(report)
	a = leader.post("/whistles", object{"kind": "major", "ticket": number, "words": "要几家一起"})
	if a.Status != http.StatusCreated || a.Body["source"] != "ticket" || a.Body["ticket"] != number {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	over := a.Body["id"].(string)
	if a = leader.post("/whistles", object{"kind": "major", "ticket": number, "words": "再提一次"}); a.Body["rule"] != "running" {
		t.Errorf("twice: %d %s", a.Status, a.Raw)
	}
	leader.post("/whistles", object{"kind": "major", "ticket": "2000000000", "words": "没有"}).problem(t, http.StatusUnprocessableEntity, "invalid")

	// Lists: by area, by the unit that is called, newest first, in pages.
	first := county.get("/whistles?limit=1")
	if list := items(t, first); len(list) != 1 || list[0]["id"] != over || list[0]["words"] != nil {
		t.Fatalf("%s", first.Raw)
	}
	if list := items(t, county.get("/whistles?limit=1&cursor="+first.Body["next"].(string))); len(list) != 1 || list[0]["id"] != id {
		t.Fatalf("%v", list)
	}
	if list := items(t, unit.get("/whistles")); len(list) != 0 {
		t.Errorf("a unit that is not called lists %v", list)
	}
	unit.get("/whistles/"+id).problem(t, http.StatusNotFound, "not_found")
	r.exec(`insert into whistle_unit (whistle_id, lead, desk_kind, desk, desk_staff, state, called_at, answer_due, arrive_due)
		values ($1, true, 'unit', 'housing', 0, 'called', product_now(), product_now(), product_now())`, id)
	if list := items(t, unit.get("/whistles?state=proposed")); len(list) != 1 || list[0]["units"].([]any)[0].(object)["unit"] != "housing" {
		t.Errorf("a unit that is called lists %v", list)
	}
	if got := unit.get("/whistles/" + id).Body["words"]; got != source["words"] {
		t.Errorf("it reads %v", got)
	}
	if list := items(t, other.get("/whistles")); len(list) != 0 {
		t.Errorf("another county lists %v", list)
	}
	other.get("/whistles/"+id).problem(t, http.StatusNotFound, "not_found")
	county.get("/whistles/77").problem(t, http.StatusNotFound, "not_found")
	county.get("/whistles?state=loud").problem(t, http.StatusUnprocessableEntity, "invalid")
	county.get("/whistles?cursor=dGlja2V0czoy").problem(t, http.StatusBadRequest, "cursor")

	// Its ticket became private: no list has it any more.
	r.exec(`update ticket set sensitive = true where number = $1`, number)
	r.exec(`update whistle set private = true where id = $1`, id)
	for _, p := range []*program{leader, county, unit} {
		if list := items(t, p.get("/whistles")); len(list) != 0 {
			t.Errorf("private ones in a list: %v", list)
		}
	}
}

func TestTopicsOfAProgram(t *testing.T) {
	r := newRig(t)
	clerk := r.program(people.RoleClerk, people.AreaCity, "3603")
	county, other := r.program(people.RoleDispatcher, people.AreaCounty, county), r.program(people.RoleDispatcher, people.AreaCounty, "360302")
	owner, unit := r.program(people.RoleHandler, people.AreaUnit, "urban_management"), r.program(people.RoleHandler, people.AreaUnit, "housing")
	for range 3 {
		clerk.file(report)
	}
	clerk.file(object{"words": "昌盛小区路灯不亮，请保密", "matter": "street_light", "place": object{"text": "昌盛小区"}, "confidential": true})
	for _, row := range [][2]string{{village, "open"}, {"360313", "closed"}, {village, "declined"}, {"360302", "proposed"}} {
		r.exec(`insert into topic (matter, area, why, found, usual, state, owner_unit, plan, decided_at, proposed_at)
			values ('street_light', $1, 'village', 3, 0.5, $2, 'urban_management', $3, product_now(), product_now() - interval '1 day')`,
			row[0], row[1], r.Keys.Seal([]byte("逐灯排查"), "topic.plan"))
	}
	list := items(t, county.get("/topics"))
	if len(list) != 2 || list[0]["state"] != "closed" || list[1]["state"] != "open" || list[1]["plan"] != nil {
		t.Fatalf("listed: %v", list)
	}
	got := county.get("/topics/" + list[1]["id"].(string)).Body
	if got["tickets"].(float64) != 3 || got["open_tickets"].(float64) != 3 || got["reporters"].(float64) != 1 || got["plan"] != "逐灯排查" || got["matter_name"] != "路灯与楼道照明" {
		t.Fatalf("one: %v", got)
	}
	if n := len(items(t, owner.get("/topics?state=open"))); n != 1 {
		t.Errorf("its owner lists %d", n)
	}
	for _, p := range []*program{other, unit, clerk} {
		if list := items(t, p.get("/topics")); len(list) != 0 {
			t.Errorf("listed elsewhere: %v", list)
		}
		p.get("/topics/"+list[1]["id"].(string)).problem(t, http.StatusNotFound, "not_found")
	}
	county.get("/topics/4").problem(t, http.StatusNotFound, "not_found") // is only proposed
	county.get("/topics?cursor=x").problem(t, http.StatusBadRequest, "cursor")
	county.get("/topics?state=declined").problem(t, http.StatusUnprocessableEntity, "invalid")
}

func TestFiguresOfAProgram(t *testing.T) {
	r := newRig(t)
	d := &desks{
		r, r.program(people.RoleClerk, people.AreaCity, "3603"), nil, r.program(people.RoleHandler, people.AreaUnit, "urban_management"), nil,
		r.program(people.RoleSupervisor, people.AreaCity, "3603"), r.program(people.RoleCallbackClerk, people.AreaCity, "3603"),
	}
	county := r.program(people.RoleSupervisor, people.AreaCounty, county)
	other := r.program(people.RoleSupervisor, people.AreaCounty, "360302")
	unit := r.program(people.RoleLeader, people.AreaUnit, "urban_management")
	for i, solved := range []string{"yes", "partly", "no"} {
		number := d.clerk.file(report)
		d.unit.do(number, "take", object{})
		d.unit.do(number, "contact", object{"via": "phone", "reached": true})
		d.unit.do(number, "finish", object{"result": "resolved", "reply": "路灯已修好"})
		satisfied := []string{"very_satisfied", "satisfied", "very_dissatisfied"}[i]
		d.callback.do(number, "callback_result", object{"contacted": "yes", "solved": solved, "satisfied": satisfied})
	}
	// The rates of the month, with what they are made of.
	list := items(t, d.supervisor.get("/figures"))
	if len(list) != 1 || list[0]["month"] != "2026-03" {
		t.Fatalf("by month: %v", list)
	}
	rate := func(f object, name string) object { return f["rates"].(object)[name].(object) }
	f := list[0]
	if got := rate(f, "resolution_by_unit"); got["value"].(float64) != 1 || got["denominator"].(float64) != 3 || got["n"].(float64) != 3 || got["excluded"].(float64) != 0 {
		t.Errorf("by the unit's word: %v", got)
	}
	if got := rate(f, "resolution_by_resident"); got["numerator"].(float64) != 1.5 || got["denominator"].(float64) != 3 || f["gap"].(float64) != 0.5 {
		t.Errorf("by the residents' word: %v, gap %v", got, f["gap"])
	}
	if f["contradicted"].(float64) != 1 || f["score"].(float64) != 60 || f["times"].(object)["n"].(float64) != 3 {
		t.Errorf("%v", f)
	}
	if _, has := rate(f, "objection_granted")["value"]; has {
		t.Error("a rate of nothing has a value")
	}
	// By unit and by area, the same sums; elsewhere nothing.
	list = items(t, county.get("/figures?by=unit&from=2026-03&to=2026-04"))
	if len(list) != 1 || list[0]["unit"] != "urban_management" || list[0]["n"].(float64) != 3 || list[0]["name"] == "" {
		t.Errorf("by unit: %v", list)
	}
	if list = items(t, d.supervisor.get("/figures?by=area")); len(list) != 1 || list[0]["area"] != "360313" {
		t.Errorf("by county: %v", list)
	}
	list = items(t, county.get("/figures?by=area"))
	if len(list) != 1 || list[0]["area"] != "360313001" || list[0]["name"] != "峡山口街道" {
		t.Errorf("by area: %v", list)
	}
	if list = items(t, county.get("/figures?by=area&area=360313001&unit=urban_management")); len(list) != 1 || list[0]["area"] != "360313001" {
		t.Errorf("of a township: %v", list)
	}
	if n := len(items(t, other.get("/figures?by=unit"))); n != 0 {
		t.Errorf("another county has %d units", n)
	}
	if n := len(items(t, county.get("/figures?from=2025-01&to=2025-12"))); n != 0 {
		t.Errorf("%d months of last year", n)
	}
	other.get("/figures?area=360313").problem(t, http.StatusForbidden, "forbidden")
	unit.get("/figures?unit=housing").problem(t, http.StatusForbidden, "forbidden")
	d.unit.get("/figures").problem(t, http.StatusForbidden, "forbidden")
	d.clerk.get("/figures/stars").problem(t, http.StatusForbidden, "forbidden")
	for _, bad := range []string{"from=2026-13", "from=2026-03&to=2026-02", "from=2020-01&to=2026-01", "by=weekday", "area=x"} {
		county.get("/figures?"+bad).problem(t, http.StatusUnprocessableEntity, "invalid")
	}
	county.get("/figures?cursor=x").problem(t, http.StatusBadRequest, "cursor")

	// Too few tickets have no stars; too small cells are hidden.
	list = items(t, d.supervisor.get("/figures/stars"))
	if len(list) != 1 || list[0]["thin"] != true || list[0]["stars"] != nil || list[0]["total"] != nil || list[0]["n"].(float64) != 3 {
		t.Errorf("stars: %v", list)
	}
	list = items(t, d.supervisor.get("/figures/worries?month=2026-03"))
	if len(list) != 1 || list[0]["area"] != "360313" || len(list[0]["cells"].([]any)) != 9 || list[0]["all"].(object)["hidden"] != true {
		t.Fatalf("worries: %v", list)
	}
	for range 4 {
		d.clerk.file(report)
	}
	a := d.supervisor.get("/figures/worries")
	if all := items(t, a)[0]["all"].(object); all["n"].(float64) != 7 || all["hidden"] != nil || !strings.Contains(a.Raw, `"worry":"生活配套","n":7`) {
		t.Errorf("worries: %s", a.Raw)
	}
	d.supervisor.get("/figures/worries?from=2026-01").problem(t, http.StatusUnprocessableEntity, "invalid")

	// Whistle stars stand apart.
	r.exec(`insert into whistle (kind, source, state, division, grid, place_label, words, private, version, level, proposed_by, proposed_at, changed_at)
		select 'major', 'grid', 'closed', '360313001', '', '', '', n > 3, 1, 3, 1, product_now(), product_now() from generate_series(1, 4) n`)
	r.exec(`insert into whistle_unit (whistle_id, lead, desk_kind, desk, desk_staff, state, called_at, answer_due, arrive_due, arrived_at, appraised_at, speed, quality)
		select id, true, 'unit', 'housing', 0, 'appraised', product_now(), product_now(), product_now(), product_now(), product_now(), 'good', 'excellent' from whistle`)
	list = items(t, county.get("/figures/whistles"))
	if len(list) != 1 || list[0]["unit"] != "housing" || list[0]["n"].(float64) != 3 || list[0]["mean"].(float64) != 92 {
		t.Errorf("whistle stars: %v", list)
	}
}
