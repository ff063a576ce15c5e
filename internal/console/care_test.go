package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestFamilyBedOnTheDesk goes from a call to a closed bed on the pages alone.
func TestFamilyBedOnTheDesk(t *testing.T) {
	w := newRig(t).ward()
	bed := w.opened()
	if got := w.text(`select state from bed`); got != "open" {
		t.Fatalf("the bed is %s", got)
	}
	if n := w.number(`select count(*) from visit where kind = 'nursing' and state = 'planned'`); n < 2 {
		t.Errorf("%d visits were planned", n)
	}
	if n := w.number(`select count(*) from address a join bed_carer c on c.address_id = a.id where a.channel = 'sms'`); n != 1 {
		t.Error("the daughter is not written to by SMS")
	}
	if got := w.text(`select patient ->> 'Grid' from bed`); got != grid {
		t.Errorf("the grid is %q", got)
	}
	visit := fmt.Sprintf("/desk/visit/%d", w.number(`select min(id) from visit where kind = 'nursing'`))
	if got := w.deeds(w.desk, visit); !strings.Contains(got, "confirm move reassign") {
		t.Errorf("the desk may %q", got)
	}
	w.send(w.desk, visit+"/do/move", url.Values{"on": {"2026-03-06"}, "window": {"14:30-16:30"}, "agreed": {"1"}})
	if got := w.text(`select state || day from visit where id = $1`, w.number(`select min(id) from visit where kind = 'nursing'`)); got != "confirmed2026-03-06" {
		t.Errorf("moved: %s", got)
	}
	if say := w.refused(w.desk, visit+"/do/move", url.Values{"on": {"2026-03-20"}, "window": {"09:00-11:00"}}); !strings.Contains(say, "2026-03-06") {
		t.Errorf("a day outside the ordered interval: %q", say)
	}
	w.send(w.desk, visit+"/do/cancel", url.Values{"reason": {"family"}})
	w.send(w.liaison, bed+"/do/suspend", url.Values{"reason": {"admission"}})
	if n := w.number(`select count(*) from visit where state = 'planned'`); n != 0 {
		t.Errorf("%d visits stand while the patient lies in hospital", n)
	}
	w.send(w.desk, bed+"/do/resume", url.Values{"discharged": {"1"}})
	w.send(w.doctor, bed+"/do/renew", url.Values{"to": {"2026-04-30"}})
	if say := w.refused(w.desk, bed+"/do/close", url.Values{"outcome": {"improved"}, "diagnosis": {"好转"}, "returns": {"2"}}); !strings.Contains(say, "2样") {
		t.Errorf("closing with things to be given back: %q", say)
	}
	w.send(w.desk, bed+"/do/close", url.Values{"outcome": {"improved"}, "diagnosis": {"好转"}})
	if got := w.text(`select state || outcome from bed`); got != "closedimproved" {
		t.Errorf("closed: %s", got)
	}
	if got := w.deeds(w.desk, bed); got != "" {
		t.Errorf("a closed bed offers %q", got)
	}
}

// TestDeathAsksTwice: the first form only asks, the second does it.
func TestDeathAsksTwice(t *testing.T) {
	w := newRig(t).ward()
	bed := w.opened()
	if body := w.send(w.desk, bed+"/do/death", url.Values{"form": {"death"}}); !strings.Contains(body, `name="sure"`) {
		t.Fatal("nothing was asked")
	}
	if got := w.text(`select state from bed`); got != "open" {
		t.Fatalf("after the question alone the bed is %s", got)
	}
	w.send(w.desk, bed+"/do/death", url.Values{"form": {"death"}, "sure": {"1"}})
	if got := w.text(`select state || outcome from bed`); got != "closeddied" {
		t.Errorf("the bed is %s", got)
	}
	if n := w.number(`select count(*) from due where state in ('planned', 'suppressed') and kind like 'care.%' and kind <> 'care.staff'`); n != 0 {
		t.Errorf("%d rows are still due to the family or as tasks", n)
	}
}

// TestAgreementIsSigned: paper needs its scan, the screen the signer's own name, and
// one tap takes it back.
func TestAgreementIsSigned(t *testing.T) {
	w := newRig(t).ward()
	bed := w.registered()
	daughter := fmt.Sprint(w.number(`select person_id from bed_carer limit 1`))
	form := url.Values{"form": {"sign"}, "form_of": {"paper"}, "person": {daughter}, "signed_at": {"2026-03-03T01:00"}}
	if say := w.refused(w.desk, bed+"/do/sign", form); !strings.Contains(say, "扫描") {
		t.Errorf("paper without a scan: %q", say)
	}
	form.Set("form_of", "screen")
	if say := w.refused(w.desk, bed+"/do/sign", form); !strings.Contains(say, "姓名") {
		t.Errorf("a screen without a signature: %q", say)
	}
	form.Set("signature", "王五")
	if say := w.refused(w.desk, bed+"/do/sign", form); !strings.Contains(say, "一致") {
		t.Errorf("somebody else's name: %q", say)
	}
	form.Set("signature", "刘小梅")
	w.send(w.desk, bed+"/do/sign", form)
	if n := w.number(`select count(*) from trail where kind = 'bed.signature' and digest is not null`); n != 1 {
		t.Error("the signature was not kept")
	}
	w.send(w.desk, bed+"/do/withdraw_consent", nil)
	form.Set("form_of", "paper")
	if status, body := w.sendWith(w.desk, bed+"/do/sign", form, "photo", "p.jpg", scan()); status != http.StatusOK {
		t.Fatalf("signed again: %d %s", status, trouble(body))
	}
	if n := w.number(`select count(*) from bed_agreement`); n != 3 {
		t.Errorf("%d versions of the agreement are kept", n)
	}
	file := fmt.Sprintf("%s/file/%s", bed, w.text(`select blob_id from bed_file`))
	if status, _ := w.get(w.desk, file); status != http.StatusOK {
		t.Errorf("the scan: %d", status)
	}
	if status, _ := w.get(w.stranger, file); status != http.StatusNotFound {
		t.Errorf("the scan for a stranger: %d", status)
	}
	if n := w.number(`select count(*) from trail where kind = 'look.agreement'`); n != 1 {
		t.Errorf("the look was written down %d times", n)
	}
}

// TestFormsCountOnce: a form of a bed sent twice is done once.
func TestFormsCountOnce(t *testing.T) {
	w := newRig(t).ward()
	bed := w.opened()
	form := url.Values{"once": {"word"}, "kind": {"wound"}, "every": {"3"}, "staff": {fmt.Sprint(w.nurseID)}, "from": {"2026-03-04"}}
	for range 2 {
		w.send(w.desk, bed+"/do/order", form)
	}
	if n := w.number(`select jsonb_array_length(items) from bed`); n != 3 {
		t.Errorf("%d orders, the first visit's and two", n)
	}
	wish := call()
	wish.Set("once", "wish")
	wish.Set("patient", "另一位")
	wish.Set("phone", "13900139000")
	for range 2 {
		w.send(w.clerk, "/desk/care/new", wish)
	}
	if n := w.number(`select count(*) from care_application`); n != 2 {
		t.Errorf("%d applications, one of the bed and one more", n)
	}
}

// TestBedsAreNobodyElses: rights at the clinic decide, and what may not be seen is not
// there.
func TestBedsAreNobodyElses(t *testing.T) {
	w := newRig(t).ward()
	bed := w.opened()
	visit := fmt.Sprintf("/desk/visit/%d", w.number(`select min(id) from visit`))
	application := fmt.Sprintf("/desk/care/application/%d", w.number(`select id from care_application`))
	for _, page := range []string{bed, visit, application, "/desk/bed/999", "/desk/visit/999", "/desk/care/application/999"} {
		if status, _ := w.get(w.stranger, page); status != http.StatusNotFound {
			t.Errorf("%s for another clinic: %d", page, status)
		}
	}
	for _, post := range []string{bed + "/do/close", bed + "/look", visit + "/do/cancel", application + "/do/reject", application + "/look"} {
		if status, _ := w.post(w.stranger, post, url.Values{"reason": {"family"}}); status != http.StatusNotFound {
			t.Errorf("%s by another clinic: %d", post, status)
		}
	}
	for name, c := range map[string]*http.Client{"nurse": w.nurse, "liaison": w.liaison} {
		if got := w.deeds(c, bed); strings.Contains(got, "order") || strings.Contains(got, "sign") {
			t.Errorf("the %s may %q", name, got)
		}
		if status, _ := w.post(c, bed+"/do/order", url.Values{"kind": {"nursing"}, "every": {"2"}, "staff": {fmt.Sprint(w.nurseID)}}); status == http.StatusOK {
			t.Errorf("the %s gave an order", name)
		}
	}
	if status, _ := w.get(w.clerk, bed); status != http.StatusNotFound {
		t.Errorf("the city's clerk reads a bed: %d", status)
	}
	for _, page := range []string{"/desk/care/away", "/desk/care/import"} {
		if status, _ := w.get(w.nurse, page); status != http.StatusNotFound {
			t.Errorf("%s for a nurse: %d", page, status)
		}
	}
	if status, body := w.get(w.nurse, "/desk/care?tab=beds"); status != http.StatusOK || !strings.Contains(body, "JC-1") {
		t.Errorf("the nurse's list: %d", status)
	}
	if _, body := w.get(w.stranger, "/desk/care?tab=beds"); strings.Contains(body, "JC-1") {
		t.Error("another clinic lists the bed")
	}
}

// TestSealedWordsAreLookedAt: names and numbers are masked, and what is sealed is
// read for a reason that is kept.
func TestSealedWordsAreLookedAt(t *testing.T) {
	w := newRig(t).ward()
	bed := w.opened()
	secrets := []string{"刘大山", "13800138000", "脑梗", "昌盛小区"}
	_, body := w.get(w.desk, bed)
	for _, s := range secrets {
		if strings.Contains(body, s) {
			t.Errorf("the page says %q to whoever opens it", s)
		}
	}
	if status, _ := w.post(w.desk, bed+"/look", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("a look without a reason: %d", status)
	}
	body = w.send(w.desk, bed+"/look", url.Values{"reason": {"值班台核对"}})
	for _, s := range secrets {
		if !strings.Contains(body, s) {
			t.Errorf("the look does not show %q", s)
		}
	}
	if n := w.number(`select count(*) from trail where kind = 'look.bed' and digest is not null`); n != 1 {
		t.Errorf("the look was written down %d times", n)
	}
	body = w.send(w.desk, fmt.Sprintf("/desk/care/application/%d/look", w.number(`select id from care_application`)), url.Values{"reason": {"核对"}})
	if !strings.Contains(body, "瘫在床上") {
		t.Error("the look does not show what was said")
	}
}

// TestWishIsTakenDown: no wish is refused for its form, a place is asked again, and
// who cannot be written to is rung.
func TestWishIsTakenDown(t *testing.T) {
	w := newRig(t).ward()
	form := call()
	form.Set("form", "wish")
	form.Set("place", "不知道哪里")
	if body := w.send(w.clerk, "/desk/care/new", form); !strings.Contains(body, `name="unplaced"`) || !strings.Contains(body, "瘫在床上") {
		t.Error("an unknown place is not asked again with what was typed")
	}
	form.Set("unplaced", "1")
	form.Set("phone", "0799-6666666")
	body := w.send(w.clerk, "/desk/care/new", form)
	if !strings.Contains(body, "还差卫生院") {
		t.Error("the clerk is not told what to read out")
	}
	page := fmt.Sprintf("/desk/care/application/%d", w.number(`select id from care_application where state = 'draft' and address_id is null`))
	if got := w.deeds(w.clerk, page); got != "complete reject death" {
		t.Errorf("the city's clerk may %q", got)
	}
	w.send(w.clerk, page+"/do/complete", url.Values{"clinic": {fmt.Sprint(w.clinic)}, "place": {"昌盛小区"}})
	if got := w.text(`select state from care_application`); got != "submitted" {
		t.Errorf("completed: %s", got)
	}
	if status, _ := w.get(w.clerk, page); status != http.StatusNotFound {
		t.Errorf("the clinic's application is read by the city's clerk: %d", status)
	}
	if say := w.refused(w.desk, page+"/do/screen", url.Values{"q_stable": {"no"}, "q_housebound": {"yes"}, "q_served": {"yes"}, "q_adult": {"yes"}}); say == "" {
		t.Error("no reason was given")
	}
	w.send(w.desk, page+"/do/return", url.Values{"reason": {"papers"}})
	if got := w.text(`select state || reason from care_application`); got != "returnedpapers" {
		t.Errorf("returned: %s", got)
	}
	if status, _ := w.post(w.clerk, "/desk/care/new", url.Values{"phone": {"13800138000"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a wish for nobody: %d", status)
	}
	if status, _ := w.get(w.nurse, "/desk/care/new"); status != http.StatusNotFound {
		t.Errorf("a nurse takes wishes down: %d", status)
	}
}

// TestPlansAreImported: a bad line stops the file and is named, what would change is
// shown first, and the same file twice changes nothing.
func TestPlansAreImported(t *testing.T) {
	w := newRig(t).ward()
	w.opened()
	bad := "bed,kind,frequency,staff,from\nJC-1,nursing,3d,nurse,2026-03-05\nJC-9,dancing,3d,nobody,2026-03-05\n"
	status, body := w.sendWith(w.desk, "/desk/care/import", nil, "plan", "p.csv", []byte(bad))
	if status != http.StatusOK || !strings.Contains(body, "第3行") || strings.Contains(body, "确认导入") {
		t.Fatalf("a bad line: %d", status)
	}
	good := "bed,kind,frequency,staff,from\nJC-1,nursing,3d,nurse,2026-03-05\nJC-1,rehabilitation,\"tue,thu\",nurse2,2026-03-05\n"
	status, body = w.sendWith(w.desk, "/desk/care/import", nil, "plan", "p.csv", []byte(good))
	if status != http.StatusOK || !strings.Contains(body, "替换“每7天”") || !strings.Contains(body, "新加") {
		t.Fatalf("what would change: %d %s", status, trouble(body))
	}
	if n := w.number(`select jsonb_array_length(items) from bed`); n != 2 {
		t.Fatalf("looking changed the plan: %d orders", n)
	}
	form := url.Values{"body": {good}, "go": {"apply"}, "once": {"import"}}
	for range 2 {
		w.send(w.desk, "/desk/care/import", form)
	}
	if n := w.number(`select jsonb_array_length(items) from bed`); n != 3 {
		t.Errorf("%d orders after the import", n)
	}
	if n := w.number(`select count(*) from visit where kind = 'rehabilitation' and staff_id = $1`, w.otherID); n == 0 {
		t.Error("nothing was planned")
	}
	_, body = w.sendWith(w.desk, "/desk/care/import", nil, "plan", "p.csv", []byte(good))
	if strings.Count(body, "没有变") != 2 {
		t.Error("the same file changes something")
	}
}

// TestSickNurse gives all her visits away and each family one notice.
func TestSickNurse(t *testing.T) {
	w := newRig(t).ward()
	w.opened()
	visit := w.number(`select min(id) from visit where kind = 'nursing'`)
	w.send(w.desk, fmt.Sprintf("/desk/visit/%d/do/confirm", visit), nil)
	form := url.Values{"staff": {fmt.Sprint(w.nurseID)}, "from": {"2026-03-03"}, "until": {"2026-03-10"}, "reason": {"sick"}, "instead": {fmt.Sprint(w.nurseID)}}
	if say := w.refused(w.desk, "/desk/care/away", form); say == "" {
		t.Error("she stands in for herself")
	}
	form.Set("instead", fmt.Sprint(w.otherID))
	w.send(w.desk, "/desk/care/away", form)
	if _, body := w.get(w.desk, fmt.Sprintf("/desk/visit/%d", visit)); !strings.Contains(body, "陈芳") || !strings.Contains(body, "换了人") {
		t.Error("the visit does not show who comes instead")
	}
	if got := w.number(`select staff_id from visit where id = $1`, visit); got != w.otherID {
		t.Errorf("the visit is still made by %d", got)
	}
	if n := w.number(`select count(*) from due where state = 'planned' and key like 'changed/%'`); n != 1 {
		t.Errorf("%d notices of the change", n)
	}
	if _, body := w.get(w.nurse, "/desk/care?tab=absence"); !strings.Contains(body, "王静") || !strings.Contains(body, "生病") {
		t.Error("the absence is not shown")
	}
}

// TestEveryWordHasItsText opens the pages and looks for keys without a text.
func TestEveryWordHasItsText(t *testing.T) {
	w := newRig(t).ward()
	application := w.applied()
	look := func(c *http.Client, pages ...string) {
		t.Helper()
		for _, p := range pages {
			status, body := w.get(c, p)
			if found := wordless.FindAllString(body, -1); status != http.StatusOK || len(found) > 0 {
				t.Errorf("%s: %d %q", p, status, found)
			}
		}
	}
	look(w.desk, application, "/desk/care", "/desk/care/new", "/desk/care/import", "/desk/care/away", "/desk")
	w.exec(`delete from care_application`)
	w.exec(`delete from due`)
	bed := w.opened()
	visit := fmt.Sprintf("/desk/visit/%d", w.number(`select min(id) from visit`))
	look(w.desk, bed, visit, "/desk/care?tab=beds", "/desk/care?tab=visits", "/desk/care?tab=absence")
	w.exec(`update visit set state = 'arrived', arrived_at = product_now()`)
	look(w.desk, visit)
	w.exec(`update visit set state = 'done', done_at = product_now()`)
	look(w.nurse, visit)
	w.exec(`update visit set state = 'to_make_up', reason = 'nobody_home'`)
	look(w.desk, visit, "/desk/care?tab=visits")
}

// TestProgrammesStandStill: the clinic's desk pauses one and lets it go on.
func TestProgrammesStandStill(t *testing.T) {
	w := newRig(t).ward()
	if status, _ := w.get(w.nurse, "/desk/care/pause"); status != http.StatusNotFound {
		t.Errorf("a nurse pauses: %d", status)
	}
	if say := w.refused(w.desk, "/desk/care/pause/pause", url.Values{"programme": {"family_bed"}}); say == "" {
		t.Error("paused without a reason")
	}
	body := w.send(w.desk, "/desk/care/pause/pause", url.Values{"programme": {"family_bed"}, "reason": {"短信内容有误"}})
	if !strings.Contains(body, "短信内容有误") || w.number(`select count(*) from care_pause`) != 1 {
		t.Error("the programme goes on")
	}
	if status, _ := w.post(w.desk, "/desk/care/pause/pause", url.Values{"programme": {"nothing"}, "reason": {"x"}}); status != http.StatusNotFound {
		t.Errorf("an unknown programme: %d", status)
	}
	w.send(w.desk, "/desk/care/pause/resume", url.Values{"programme": {"family_bed"}})
	if n := w.number(`select count(*) from care_pause`); n != 0 {
		t.Error("the programme still stands")
	}
}

// TestTaskOfALadder: the desk rings about a visit, finds the number on the page of
// its task, and what came of the call is done to the visit.
func TestTaskOfALadder(t *testing.T) {
	w := newRig(t).ward()
	w.opened()
	visit := w.number(`select min(id) from visit where kind = 'nursing'`)
	task := w.number(`insert into task (kind, subject, role, area, area_kind) values ('care.call_morning', 'visit:' || $1::text, 'clinic_desk', 'cli', 'unit') returning id`, fmt.Sprint(visit))
	page := fmt.Sprintf("/desk/task/%d", task)
	if _, body := w.get(w.desk, "/desk"); !strings.Contains(body, page) || !strings.Contains(body, "JC-1") {
		t.Error("the task is not in the desk's list")
	}
	for _, c := range []*http.Client{w.nurse, w.stranger} {
		if status, _ := w.get(c, page); status != http.StatusNotFound {
			t.Errorf("the task lies before somebody else: %d", status)
		}
	}
	status, body := w.get(w.desk, page)
	if found := wordless.FindAllString(body, -1); status != http.StatusOK || len(found) > 0 || strings.Contains(body, "13800138000") {
		t.Fatalf("the task: %d %q", status, found)
	}
	if body := w.send(w.desk, page+"/look", nil); !strings.Contains(body, "13800138000") {
		t.Error("the number is not shown")
	}
	// Who only looks in asks the desk for numbers.
	w.exec(`insert into task (kind, subject, staff_id, role, area, area_kind) select 'care.nobody_grid', 'visit:' || $1::text, id, 'grid_worker', '360313001', 'grid' from staff where slug = 'far-desk'`, fmt.Sprint(visit))
	grid := fmt.Sprintf("/desk/task/%d", w.number(`select id from task where kind = 'care.nobody_grid'`))
	if _, body := w.get(w.stranger, grid); strings.Contains(body, grid+"/look") {
		t.Error("numbers are offered to who only looks in")
	}
	if status, body := w.post(w.stranger, grid+"/look", nil); status != http.StatusNotFound || strings.Contains(body, "13800138000") {
		t.Errorf("numbers are shown to who only looks in: %d", status)
	}
	if n := w.number(`select count(*) from trail where kind = 'look.home'`); n != 1 {
		t.Errorf("the look was written down %d times", n)
	}
	w.send(w.desk, page, url.Values{"outcome_of": {"no_answer"}})
	if got := w.text(`select state from task where id = $1`, task); got != "open" {
		t.Errorf("after a call that nobody answered the task is %s", got)
	}
	if say := w.refused(w.desk, page, url.Values{"outcome_of": {"move"}}); say == "" {
		t.Error("moved to no time")
	}
	w.send(w.desk, page, url.Values{"outcome_of": {"home"}})
	if got := w.text(`select state from visit where id = $1`, visit); got != "confirmed" {
		t.Errorf("the visit is %s", got)
	}
	if status, _ := w.get(w.desk, page); status != http.StatusNotFound {
		t.Errorf("the task is still there: %d", status)
	}
}

// TestLedger: what is due around a bed is read by the day and ahead, at the clinics
// of who asks alone, and a changed rule shows what it would change without changing it.
func TestLedger(t *testing.T) {
	w := newRig(t).ward()
	bed := w.opened()
	for _, page := range []string{bed + "/ledger?day=2026-03-04", bed + "/ahead", "/desk/care/ahead"} {
		status, body := w.get(w.desk, page)
		if found := wordless.FindAllString(body, -1); status != http.StatusOK || len(found) > 0 || !strings.Contains(body, "问有没有人在家") && !strings.Contains(page, "ledger") {
			t.Errorf("%s: %d %q", page, status, found)
		}
		if status, body := w.get(w.stranger, page); status != http.StatusNotFound && strings.Contains(body, "JC-1") {
			t.Errorf("%s for another clinic: %d", page, status)
		}
	}
	before := w.number(`select count(*) from due where state = 'planned'`)
	rules := string(must(t, "programmes/family_bed.yaml", func(_ string, b []byte) ([]byte, error) { return b, nil }))
	rules = strings.Replace(rules, `at: "18:30"`, `at: "19:00"`, 1)
	status, body := w.sendWith(w.desk, "/desk/care/dry", nil, "rules", "family_bed.yaml", []byte(rules))
	if found := wordless.FindAllString(body, -1); status != http.StatusOK || len(found) > 0 || !strings.Contains(body, "问有没有人在家") || !strings.Contains(body, "19:00") {
		t.Errorf("the dry run: %d %q", status, found)
	}
	if n := w.number(`select count(*) from due where state = 'planned'`); n != before {
		t.Error("the dry run changed what is due")
	}
	if _, body = w.sendWith(w.desk, "/desk/care/dry", nil, "rules", "x.yaml", []byte("nothing: 1")); !strings.Contains(body, "读不懂") {
		t.Error("a file of nothing was taken")
	}
	if status, _ := w.get(w.nurse, "/desk/care/dry"); status != http.StatusNotFound {
		t.Errorf("a nurse tries rules: %d", status)
	}
}
