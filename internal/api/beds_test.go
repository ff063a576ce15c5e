package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
)

// ward is a clinic with its hospital and an application that a clerk wrote down.
type ward struct {
	*rig
	care        *homecare.Service
	application int64
	wife        int64
}

func newWard(t *testing.T) *ward {
	t.Helper()
	w := &ward{rig: newRig(t)}
	w.care = careOf(t, w.orders)
	w.exec(`insert into unit (code, name, kind) values ('hos', '一院', 'hospital'), ('cli', '青山卫生院', 'clinic'), ('far', '白源卫生院', 'clinic')`)
	w.exec(`insert into clinic (code, name, tier, phone) values ('hos', '一院', 'hospital', '0799-1111111')`)
	w.exec(`insert into clinic (code, name, tier, phone, hospital_id, townships) values ('cli', '青山卫生院', 'clinic', '0799-2222222', 1, '{360313001}'), ('far', '白源卫生院', 'clinic', '0799-3', null, '{360302001}')`)
	for i, slug := range []string{"li-ping", "wang-jing"} {
		w.exec(`with p as (insert into person (kind) values ('resident') returning id) insert into staff (person_id, slug, name) select id, $1, '王静' from p`, slug)
		w.exec(`insert into staff_role (staff_id, role, area_kind, area) select id, $2, 'unit', 'cli' from staff where slug = $1`, slug, []string{"doctor", "nurse"}[i])
	}
	patient := w.number(`insert into person (kind) values ('resident') returning id`)
	w.wife = w.number(`insert into person (kind) values ('resident') returning id`)
	w.turn(func(ctx context.Context, t *gateway.Turn) error {
		a, err := w.care.Apply(ctx, t, homecare.Wish{
			Apply: care.Apply{Patient: care.Patient{Person: patient, Where: care.AtHome, Grid: grid}, Applicant: w.wife, Clinic: 2, Complete: true},
			Words: "瘫痪在床", Home: "昌盛小区3栋", By: w.desk(),
		})
		if err == nil {
			w.application = a.ID
		}
		return err
	})
	return w
}

func (w *ward) desk() care.Actor { return care.Actor{As: care.AsDesk, Staff: 1} }

func (w *ward) turn(f func(ctx context.Context, t *gateway.Turn) error) {
	w.t.Helper()
	if err := w.Desk(w.t.Context(), 1, 1, f); err != nil {
		w.t.Fatal(err)
	}
}

// registers makes the bed of the application, as the desk page does: it knows who
// cares.
func (w *ward) registers() (bed int64) {
	w.t.Helper()
	w.turn(func(ctx context.Context, t *gateway.Turn) error {
		b, err := w.care.Register(ctx, t, w.application, w.desk(), homecare.NewBed{
			Type: "treatment", Number: "JC-1", Hospital: 1,
			Household: care.Household{Carers: []care.Carer{{Person: w.wife, Relation: "spouse"}}, Dependent: true},
		})
		if err == nil {
			bed = b.ID
		}
		return err
	})
	return bed
}

// must gives a command that must be taken.
func (p *program) must(path string, body any) object {
	p.r.t.Helper()
	a := p.post(path, body)
	if a.Status != http.StatusOK {
		p.r.t.Fatalf("%s: %d %s", path, a.Status, a.Raw)
	}
	return a.Body
}

// A hospital's system takes a bed through its life: from the questions to the end.
func TestBedThroughItsLife(t *testing.T) {
	w := newWard(t)
	desk := w.program(people.RoleClinicDesk, people.AreaUnit, "cli")
	app := fmt.Sprintf("/applications/%d", w.application)
	if got := items(t, desk.get("/applications?state=submitted")); len(got) != 1 || got[0]["clinic"] != "cli" {
		t.Fatalf("applications: %v", got)
	}
	a := desk.post(app+"/commands/screen", object{"answers": object{"stable": true, "housebound": true, "served": true}})
	a.problem(t, http.StatusConflict, "refused")
	if a.Body["rule"] != "incomplete" {
		t.Errorf("rule %v", a.Body["rule"])
	}
	desk.must(app+"/commands/screen", object{"answers": object{"stable": true, "housebound": true, "served": true, "adult": true}})
	if got := desk.must(app+"/commands/assess", object{"condition": true, "home": true}); got["state"] != "accepted" {
		t.Fatalf("assessed: %v", got)
	}
	bed := fmt.Sprintf("/beds/%d", w.registers())
	a = desk.post(bed+"/commands/open", object{"doctor": "li-ping", "nurse": "wang-jing", "diagnosis": "偏瘫"})
	a.problem(t, http.StatusConflict, "refused")
	if a.Body["rule"] != "consent" {
		t.Errorf("an agreement is not asked for: %s", a.Raw)
	}
	sign := object{"signer": w.wife, "relation": "spouse", "signed_at": "2026-03-03T00:30:00Z", "notice": 1, "terms": 1}
	if got := desk.must(bed+"/commands/sign", sign); got["state"] != "pending" {
		t.Errorf("signed: %v", got)
	}
	desk.post(bed+"/commands/open", object{"doctor": "nobody", "nurse": "wang-jing"}).problem(t, http.StatusUnprocessableEntity, "invalid")
	got := desk.must(bed+"/commands/open", object{"doctor": "li-ping", "nurse": "wang-jing", "diagnosis": "偏瘫"})
	if got["state"] != "open" || got["doctor"] != "li-ping" || got["consent"] != true || got["hospital"] != "hos" {
		t.Fatalf("opened: %v", got)
	}
	key := "the-same-order"
	order := object{"kind": "nursing", "every": 7, "staff": "wang-jing", "from": "2026-03-09"}
	first := desk.send("POST", bed+"/commands/order", key, order)
	again := desk.send("POST", bed+"/commands/order", key, order)
	if first.Status != http.StatusOK || again.Raw != first.Raw || again.Header.Get("Idempotency-Replayed") != "true" {
		t.Fatalf("an order given twice: %d %s, %d %s", first.Status, first.Raw, again.Status, again.Raw)
	}
	if n := len(again.Body["orders"].([]any)); n != 2 {
		t.Errorf("%d orders", n)
	}
	if strings.Contains(first.Raw, "偏瘫") || strings.Contains(first.Raw, "昌盛") {
		t.Errorf("an answer holds sealed words: %s", first.Raw)
	}
	visits := items(t, desk.get(bed+"/visits"))
	if len(visits) < 2 || visits[0]["kind"] != "first" || visits[0]["staff"] != "li-ping" {
		t.Fatalf("visits: %v", visits)
	}
	visit := fmt.Sprintf("/visits/%.0f", visits[1]["id"])
	offers := items(t, desk.get(visit+"/offers"))
	if len(offers) == 0 {
		t.Fatal("nothing is offered")
	}
	offers[0]["agreed"] = true
	if got = desk.must(visit+"/commands/move", offers[0]); got["state"] != "confirmed" || got["day"] != offers[0]["day"] {
		t.Errorf("moved: %v", got)
	}
	if got = desk.must(visit+"/commands/reassign", object{"staff": "li-ping"}); got["staff"] != "li-ping" || got["state"] != "confirmed" {
		t.Errorf("reassigned: %v", got)
	}
	desk.post(visit+"/commands/cancel", object{"reason": "mood"}).problem(t, http.StatusConflict, "refused")
	if got = desk.must(visit+"/commands/cancel", object{"reason": "family"}); got["state"] != "cancelled" {
		t.Errorf("cancelled: %v", got)
	}
	desk.must(bed+"/commands/suspend", object{"reason": "admission"})
	if got = desk.must(bed+"/commands/resume", object{"discharged": true}); got["state"] != "open" {
		t.Errorf("resumed: %v", got)
	}
	if got = desk.must(bed+"/commands/renew", object{}); got["period"].(object)["left"].(float64) < 30 {
		t.Errorf("renewed: %v", got["period"])
	}
	desk.post(bed+"/commands/close", object{"outcome": "improved"}).problem(t, http.StatusConflict, "refused")
	got = desk.must(bed+"/commands/close", object{"outcome": "improved", "diagnosis": "好转"})
	if got["state"] != "closed" || len(got["allowed"].([]any)) != 0 {
		t.Errorf("closed: %v", got)
	}
	if events := desk.get("/care/ledger?bed=1"); events.Status != http.StatusOK || !strings.Contains(events.Raw, "bed.closed") {
		t.Errorf("ledger: %d %s", events.Status, events.Raw)
	}
}

// What lies at a clinic is the clinic's and its hospital's; nobody else learns that
// it is there.
func TestBedsOfOthersAreNotThere(t *testing.T) {
	w := newWard(t)
	desk := w.program(people.RoleClinicDesk, people.AreaUnit, "cli")
	desk.must(fmt.Sprintf("/applications/%d/commands/screen", w.application), object{"answers": object{"stable": true, "housebound": true, "served": true, "adult": true}})
	desk.must(fmt.Sprintf("/applications/%d/commands/assess", w.application), object{"condition": true, "home": true})
	bed := w.registers()
	hospital, far := w.program(people.RoleLiaison, people.AreaUnit, "hos"), w.program(people.RoleClinicDesk, people.AreaUnit, "far")
	if got := items(t, hospital.get("/beds")); len(got) != 1 || got[0]["number"] != "JC-1" {
		t.Errorf("the hospital sees %v", got)
	}
	if got := items(t, far.get("/beds")); len(got) != 0 {
		t.Errorf("another clinic sees %v", got)
	}
	for _, path := range []string{fmt.Sprintf("/beds/%d", bed), fmt.Sprintf("/beds/%d/visits", bed), fmt.Sprintf("/applications/%d", w.application), fmt.Sprintf("/care/ledger?bed=%d", bed), fmt.Sprintf("/care/due?bed=%d", bed)} {
		if a := far.get(path); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d for another clinic", path, a.Status)
		}
	}
	far.post(fmt.Sprintf("/beds/%d/commands/death", bed), object{}).problem(t, http.StatusNotFound, "not_found")
	// A liaison may say that somebody has died, but orders nothing.
	hospital.post(fmt.Sprintf("/beds/%d/commands/close", bed), object{"outcome": "improved"}).problem(t, http.StatusConflict, "refused")
	if got := hospital.must(fmt.Sprintf("/beds/%d/commands/death", bed), object{}); got["state"] != "closed" {
		t.Errorf("death: %v", got)
	}
	if n := w.number(`select count(*) from person where died_at is not null`); n != 1 {
		t.Errorf("%d persons have died", n)
	}
	w.program(people.RoleClerk, people.AreaCity, "3603").get("/beds").problem(t, http.StatusForbidden, "forbidden")
}

// A programme is paused and goes on; what will be said lists the own beds only.
func TestCareStandsStillAndGoesOn(t *testing.T) {
	w := newWard(t)
	desk := w.program(people.RoleClinicDesk, people.AreaUnit, "cli")
	if got := items(t, desk.get("/care/pauses")); len(got) != 0 {
		t.Errorf("pauses: %v", got)
	}
	body := object{"programme": "family_bed", "reason": "台风"}
	if got := desk.must("/care/pause", body); got["done"] != true {
		t.Errorf("paused: %v", got)
	}
	if got := desk.must("/care/pause", body); got["done"] != false {
		t.Errorf("paused twice: %v", got)
	}
	if got := items(t, desk.get("/care/pauses")); len(got) != 1 || got[0]["reason"] != "台风" {
		t.Errorf("pauses: %v", got)
	}
	desk.post("/care/pause", object{"programme": "nonsense"}).problem(t, http.StatusUnprocessableEntity, "invalid")
	if got := desk.must("/care/resume", object{"programme": "family_bed"}); got["done"] != true {
		t.Errorf("resumed: %v", got)
	}
	due := desk.get("/care/due?days=14")
	if due.Status != http.StatusOK || !strings.Contains(due.Raw, "application:") {
		t.Errorf("due: %d %s", due.Status, due.Raw)
	}
	if far := w.program(people.RoleClinicDesk, people.AreaUnit, "far").get("/care/due"); strings.Contains(far.Raw, "application:") {
		t.Errorf("another clinic reads %s", far.Raw)
	}
}

// Figures are those of the clinics that the token may see.
func TestCareFigures(t *testing.T) {
	w := newWard(t)
	w.exec(`insert into bed (clinic_id, hospital_id, person_id, patient, state, opened_at, state_at, version) select 2, 1, id, '{}', 'open', product_now(), product_now(), 1 from person order by id limit 1`)
	for area, want := range map[string]int{"cli": 1, "far": 0} {
		a := w.program(people.RoleClinicDesk, people.AreaUnit, area).get("/care/figures")
		if got := items(t, a); len(got) != want || want == 1 && (got[0]["beds"] != 1.0 || got[0]["month"] != "2026-03" || got[0]["rates"] == nil) {
			t.Errorf("%s reads %s", area, a.Raw)
		}
	}
	leader := w.program(people.RoleLeader, people.AreaUnit, "health")
	if got := items(t, leader.get("/care/figures?from=2026-02&to=2026-03")); len(got) != 1 {
		t.Errorf("the health commission reads %v", got)
	}
	w.program(people.RoleClerk, people.AreaCity, "3603").get("/care/figures").problem(t, http.StatusForbidden, "forbidden")
	leader.get("/care/figures?from=2025-01&to=2026-03").problem(t, http.StatusUnprocessableEntity, "invalid")
}
