package care_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/internal/care"
	"shaoying/scheduler"
)

// The complaints of reference family-bed 4, by their numbers, as far as rules
// without a database can catch them. 6 (the daily job did not run) is package
// scheduler's, 11 (failed sends retried unseen) the gateway's.

// 1: the same text again and again (cht-core#10802). The key of a row is the
// same however often the ladder is looked at, and no two rows share one.
func TestComplaint01TheSameTextAgain(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	first := w.ladder(1, at("2026-03-04 09:00"))
	sent := map[string]bool{}
	for now := at("2026-03-04 09:00"); now.Before(at("2026-03-10 09:00")); now = now.Add(5 * time.Minute) {
		for _, d := range w.ladder(1, now) {
			if !slices.ContainsFunc(first, func(f care.Due) bool { return id(f) == id(d) && f.At.Equal(d.At) }) {
				t.Fatalf("at %s a new row: %+v", now, d)
			}
		}
	}
	for _, d := range first {
		if sent[id(d)] {
			t.Errorf("twice: %+v", d)
		}
		sent[id(d)] = true
	}
	// Two of the household on one phone are one text (ottehr#3980).
	w.bed.Carers[0].Address, w.bed.Patient.Address = 111, 111
	n := 0
	for _, d := range w.ladder(1, at("2026-03-04 09:00")) {
		if d.Kind == "ask" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d questions to one phone", n)
	}
}

// 2: a reminder after cancel or move (rdv-service-public#3144, cal.diy#6905).
func TestComplaint02AReminderAfterCancelOrMove(t *testing.T) {
	w := planned(t, care.Item{Kind: "round", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	now := at("2026-03-04 09:00")
	pending := sends(w.ladder(1, now))
	w.must(1, desk, care.Move{Date: date("2026-03-12"), Window: span("09:00-11:00"), Free: true}, now)
	clear, add := care.Reconcile(pending, w.ladder(1, now))
	if len(clear) != len(pending) || len(add) == 0 {
		t.Errorf("moved: of %d old rows %d are cleared, %d new", len(pending), len(clear), len(add))
	}
	w.must(1, desk, care.Cancel{Reason: "family"}, now)
	if clear, _ = care.Reconcile(add, w.ladder(1, now)); len(clear) != len(add) {
		t.Errorf("cancelled: of %d rows %d are cleared", len(add), len(clear))
	}
	// Asking for another time does not let the old reminders run on.
	w.must(2, daughter, care.AskMove{}, now)
	for _, d := range w.ladder(2, now) {
		if d.Kind == "nudge" || d.Kind == "ask_early" || d.Kind == "ask" {
			t.Errorf("asked to move, and still due: %s", d.Kind)
		}
	}
}

func sends(all []care.Due) []care.Due {
	return slices.DeleteFunc(slices.Clone(all), func(d care.Due) bool { return !d.Sends() })
}

// 3: messages at night (citygram#246).
func TestComplaint03NothingAtNight(t *testing.T) {
	w := planned(t, care.Item{Kind: "infusion", Every: 1, From: date("2026-03-04")}, "2026-03-03")
	_, q := quiet(t)
	for id := range w.visits {
		for hour := range 48 {
			now := at("2026-03-03 00:30").Add(time.Duration(hour) * time.Hour)
			for _, d := range w.ladder(int64(id+1), now) {
				if d.Sends() && !d.Task && !q.Open(d.At, d.Class) {
					t.Fatalf("at night: %+v", d)
				}
			}
		}
	}
}

// 4: a backlog goes on next morning with stale text (Spoke#1293).
func TestComplaint04NoStaleTextNextMorning(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	for _, c := range []struct{ now, gone string }{
		{"2026-03-09 20:30", "ask"}, {"2026-03-09 18:00", "ask_early"}, {"2026-03-10 09:00", "call_morning"}, {"2026-03-10 13:00", "late_desk"},
	} {
		for _, d := range w.ladder(1, at(c.now)) {
			if d.Kind == c.gone {
				t.Errorf("at %s still due: %+v", c.now, d)
			}
		}
	}
}

// 5: "yes" to a dead appointment answered "confirmed" (Grins#129).
func TestComplaint05YesToADeadVisit(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	w.must(1, desk, care.Cancel{Reason: "doctor"}, at("2026-03-09 17:00"))
	if got := w.r.Reply(w.bed, w.visits[0], 1, at("2026-03-09 19:00")); got != care.Cancelled {
		t.Errorf("answered %s", got)
	}
	if _, _, err := w.r.Visit(w.bed, w.visits[0], daughter, care.Confirm{}, at("2026-03-09 19:00")); key(err) != care.KeyState {
		t.Errorf("confirmed: %v", err)
	}
}

// 7: changing a rule does not move what is planned (mautic#838), and a rule of
// the past fires or not by an explicit choice (rapidpro#482).
func TestComplaint07AChangedOrderMovesWhatIsPlanned(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	err := w.onBed(doctor, care.Order{Item: care.Item{ID: 2, Kind: "wound", Every: 3, Staff: nurseID, From: date("2026-03-10")}}, at("2026-03-04 09:00"))
	if got := days(w); err != nil || got != "03-10 03-13 03-16" {
		t.Errorf("planned %s, %v", got, err)
	}
	// Planned the evening before: what was due three days before is skipped, the
	// morning call is not.
	late := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-09")
	got := strings.Join(late.due(1, at("2026-03-09 08:00")), "\n")
	if strings.Contains(got, "ask_early") || !strings.Contains(got, "03-10 07:30 call_morning") {
		t.Errorf("due\n%s", got)
	}
}

// 8: messages to the dead (simple-server#993), and to who has come already.
func TestComplaint08NoMessagesToTheDead(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 2, From: date("2026-03-10")}, "2026-03-03")
	visit(w, 1, "2026-03-10 09:10")
	now := at("2026-03-10 12:00")
	if err := w.onBed(hospital, care.Death{}, now); err != nil {
		t.Fatal(err)
	}
	for _, v := range w.visits {
		for _, d := range w.r.Ladder(w.r.OfVisit(w.bed, v, care.History{Survey: true}), now) {
			if d.Sends() && d.To.Person != 0 {
				t.Errorf("to the family of the dead: %+v", d)
			}
		}
	}
	if c, ok := care.Clears(w.events[len(w.events)-1].Kind); !ok || c.Subject != care.ClearVisit {
		t.Errorf("the last event clears %+v", c)
	}
	if c, _ := care.Clears(care.EventDied); c.Subject != care.ClearPatient || c.Family {
		t.Errorf("death clears %+v", c)
	}
}

// 9: shared phones and STOP (carlos#3842, cht-core#476): who stops leaves the
// messages, not the care, and not for the others.
func TestComplaint09StopOnASharedPhone(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	w.plan(at("2026-03-10 02:00"))
	before := len(w.open())
	now := at("2026-03-10 03:00")
	son := care.Actor{As: care.AsFamily, Person: sonID}
	if err := w.onBed(son, care.Texts{Person: daughterID, Stop: true}, now); key(err) != care.KeyNotYours {
		t.Errorf("the son stopped his sister's texts: %v", err)
	}
	if err := w.onBed(daughter, care.Texts{Person: daughterID, Stop: true}, now); err != nil {
		t.Fatal(err)
	}
	if err := w.onBed(daughter, care.Texts{Person: daughterID, Stop: true}, now); key(err) != care.KeySame {
		t.Errorf("twice: %v", err)
	}
	if got := lines(w.r.Ladder(w.r.OfBed(w.bed), now)); !slices.Contains(got, "03-10 03:00 stopped_call desk") {
		t.Errorf("nobody rings: %v", got)
	}
	if len(w.open()) != before {
		t.Error("a stopped text took visits away")
	}
	if got := asked(w.ladder(2, at("2026-03-16 09:00"))); !slices.Equal(got, []int64{sonID}) {
		t.Errorf("asked %v", got)
	}
	for _, d := range w.ladder(2, at("2026-03-16 09:00")) {
		if d.To.Person == sonID && !d.To.Neutral {
			t.Errorf("a shared phone reads of care: %+v", d)
		}
	}
	// On one phone with him she would go on reading them: it is left alone, the
	// desk asks, and coming back is for both.
	w.bed.Carers[0].Stopped, w.bed.Carers[0].Address = false, sonPhone
	if err := w.onBed(daughter, care.Texts{Person: daughterID, Stop: true}, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := w.due(2, at("2026-03-16 09:00")); !slices.Contains(got, "03-16 18:30 ask desk") || !slices.Equal(asked(w.ladder(2, at("2026-03-16 09:00"))), []int64{0}) {
		t.Errorf("one phone: %v", got)
	}
	if err := w.onBed(son, care.Texts{Person: sonID}, now.Add(2*time.Hour)); err != nil || w.bed.Carers[0].Stopped {
		t.Errorf("came back: %v, %+v", err, w.bed.Carers)
	}
}

// 10: one bad record stops everyone (Bahmni ReminderForAppointment).
func TestComplaint10OneWithoutAPhone(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	w.bed.Carers[0].Address = 0
	if got := asked(w.ladder(1, at("2026-03-04 09:00"))); !slices.Equal(got, []int64{sonID}) {
		t.Errorf("asked %v", got)
	}
	w.bed.Carers = nil
	got := w.due(1, at("2026-03-04 09:00"))
	if !slices.Contains(got, "03-09 18:30 ask desk") || !slices.Contains(got, "03-10 09:15 late_visitor visitor") {
		t.Errorf("with nobody to write to: %v", got)
	}
}

// 12: zones scattered or by offset (cht-core#488): there is one, and the process
// may stand anywhere.
func TestComplaint12OneZone(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	want := w.due(1, at("2026-03-04 09:00"))
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("elsewhere", -9*3600)} {
		if got := w.due(1, at("2026-03-04 09:00").In(zone)); !slices.Equal(got, want) {
			t.Errorf("in %s: %v", zone, got)
		}
		other := &world{TB: t, r: w.r, bed: w.bed}
		other.plan(at("2026-03-03 23:30").In(zone))
		if v := other.visits[0]; v.Date != (scheduler.Date{Year: 2026, Month: time.March, Day: 10}) {
			t.Errorf("in %s planned for %s", zone, v.Date)
		}
	}
}
