package jobs_test

import (
	"testing"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
)

// A number that the desk typed in and that never writes is not counted as silent while
// the family is visited: its reminders would end though nothing is wrong. Once it was
// silent for too long, no visit makes it anybody's again.
func TestNumbersOfAVisitedHousehold(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.opens()
	known := func() string {
		return one[string](w.rig, `select to_char(coalesce(greatest(last_inbound_at, proven_at), created_at) at time zone 'Asia/Shanghai', 'YYYY-MM-DD') from address where id = $1`, w.wifeAt)
	}
	made := func(ago string) {
		w.exec(`update address set last_inbound_at = null, proven_at = null, created_at = product_now() - $2::interval where id = $1`, w.wifeAt, ago)
	}
	visits := func() {
		visit := w.visitOf(w.nurse)
		date := one[string](w.rig, `select to_char(day, 'YYYY-MM-DD') from visit where id = $1`, visit)
		w.until(date + " 09:30")
		for _, c := range []care.VisitCommand{care.Leave{}, care.Arrive{Adult: true}, care.Finish{Present: w.wife, Noted: true}} {
			w.visit(visit, homecare.AsVisitor(w.nurse), c)
		}
	}
	made("80 days")
	visits()
	if got, want := known(), w.now().In(zone(t)).Format("2006-01-02"); got != want {
		t.Errorf("the number was last known on %s, want %s", got, want)
	}
	if got := one[string](w.rig, `select trust from address where id = $1`, w.wifeAt); got != "session" {
		t.Errorf("a visit made the address %s", got)
	}
	made("100 days")
	visits()
	if got, today := known(), w.now().In(zone(t)).Format("2006-01-02"); got == today {
		t.Error("a number that was silent for too long is known again")
	}
}
