package console_test

import (
	"net/http"
	"strings"
	"testing"
)

// The figures of a month are a table of the clinics that who asks may see; by person
// only for who leads the people, and then nobody's satisfaction from few answers.
func TestFiguresOfBeds(t *testing.T) {
	w := newRig(t).ward()
	bed := w.number(`insert into bed (clinic_id, hospital_id, person_id, patient, state, opened_at, state_at, version)
		select $1, $2, id, '{}', 'open', product_now() - interval '40 days', product_now(), 1 from person order by id limit 1 returning id`, w.clinic, w.hospital)
	for slot, state := range []string{"done", "done", "done", "missed"} {
		w.exec(`insert into visit (bed_id, item_id, slot, kind, state, version, day, starts, ends, minutes, staff_id, nominal, earliest, latest, made_at, state_at)
			values ($1, 1, $2, 'nursing', $3, 1, '2026-02-10', 540, 660, 40, $4, '2026-02-10', '2026-02-10', '2026-02-10', now(), now())`, bed, slot, state, w.nurseID)
	}
	w.exec(`insert into survey (kind, person_id, subject, answered_at, answer) select 'visit', 1, 'visit:' || id, now(), '1' from visit where state = 'done'`)
	page := func(c *http.Client, path string) (int, string) { return w.get(c, path) }
	status, body := page(w.desk, "/desk/care/figures?month=2026-02")
	if status != http.StatusOK || !strings.Contains(body, "2026年2月") || !strings.Contains(body, "青山卫生院") || !strings.Contains(body, "75.0% 3/4") || strings.Contains(body, "远山") {
		t.Errorf("the desk reads %d %s", status, body)
	}
	if _, people, ok := strings.Cut(body, "按人"); !ok || !strings.Contains(people, "王静") || strings.Contains(people, "0.0%") {
		t.Errorf("by person: %s", people)
	}
	if status, body = page(w.liaison, "/desk/care/figures?month=2026-02"); status != http.StatusOK || strings.Contains(body, "王静") {
		t.Errorf("the hospital reads %d %s", status, body)
	}
	if status, body = page(w.desk, "/desk/care/figures"); status != http.StatusOK || !strings.Contains(body, "2026年3月") {
		t.Errorf("this month: %d", status)
	}
	for _, path := range []string{"/desk/care/figures?month=2026-13", "/desk/care/figures?month=2027-01"} {
		if status, _ = page(w.desk, path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ = page(w.clerk, "/desk/care/figures"); status != http.StatusNotFound {
		t.Errorf("a clerk reads %d", status)
	}
}
