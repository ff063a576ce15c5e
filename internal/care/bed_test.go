package care_test

import (
	"slices"
	"testing"
	"time"

	"shaoying/internal/care"
)

func TestConsentIsSignedNotTexted(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-03 09:00")
	b := pendingBed(t, r, now)
	with := func(f func(*care.Agreement)) care.Agreement { a := agreement(now); f(&a); return a }
	for _, c := range []struct {
		name string
		by   care.Actor
		a    care.Agreement
		want string
	}{
		{"an answer by message", desk, with(func(a *care.Agreement) { a.Form = "sms" }), care.KeyForm},
		{"no form", desk, with(func(a *care.Agreement) { a.Form = "" }), care.KeyForm},
		{"paper without its scan", desk, with(func(a *care.Agreement) { a.Scan = "" }), care.KeyNoScan},
		{"an old notice", desk, with(func(a *care.Agreement) { a.Notice = 0 }), care.KeyConsent},
		{"nobody signed", desk, with(func(a *care.Agreement) { a.Signer = 0 }), care.KeyIncomplete},
		{"signed tomorrow", desk, with(func(a *care.Agreement) { a.SignedAt = now.Add(24 * time.Hour) }), care.KeyIncomplete},
		{"a stranger signed", desk, with(func(a *care.Agreement) { a.Signer = strangerID }), care.KeyRelation},
		{"a daughter as son", desk, with(func(a *care.Agreement) { a.Relation = "son" }), care.KeyRelation},
		{"a daughter as the patient", desk, with(func(a *care.Agreement) { a.Relation = care.Self }), care.KeyRelation},
		{"the patient as daughter", desk, with(func(a *care.Agreement) { a.Signer = patientID }), care.KeyRelation},
		{"the family by itself", daughter, agreement(now), care.KeyNotYours},
	} {
		if _, _, err := r.Bed(b, c.by, care.Sign{Agreement: c.a}, now); key(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	screen := with(func(a *care.Agreement) {
		a.Form, a.Scan, a.Signer, a.Relation = care.OnScreen, "", patientID, care.Self
	})
	if b = bedDo(t, r, b, desk, care.Sign{Agreement: screen}, now); b.Agreement.EnteredBy != deskID || !b.Agreement.Stands() {
		t.Errorf("agreement %+v", b.Agreement)
	}
}

func TestOpeningAndItsGuards(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-03 09:00")
	pending := pendingBed(t, r, now)
	signed := bedDo(t, r, pending, desk, care.Sign{Agreement: agreement(now)}, now)
	open := care.Open{Doctor: doctorID, Nurse: nurseID, HasDiagnosis: true, FirstVisitID: 1}
	with := func(f func(*care.Open)) care.Open { o := open; f(&o); return o }
	admitted := signed
	admitted.Patient.Where = care.Admitted
	for _, c := range []struct {
		name string
		b    care.Bed
		c    care.Open
		want string
	}{
		{"unsigned", pending, open, care.KeyConsent},
		{"in hospital", admitted, open, care.KeyInpatient},
		{"no diagnosis", signed, with(func(o *care.Open) { o.HasDiagnosis = false }), care.KeyDiagnosis},
		{"no doctor", signed, with(func(o *care.Open) { o.Doctor = 0 }), care.KeyNoDoctor},
		{"too long a period", signed, with(func(o *care.Open) { o.To = date("2026-06-01") }), care.KeyPeriod},
		{"a period that is over", signed, with(func(o *care.Open) { o.To = date("2026-03-02") }), care.KeyPeriod},
	} {
		if _, _, err := r.Bed(c.b, desk, c.c, now); key(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	b := bedDo(t, r, signed, desk, open, now)
	if p := b.Period(); p.From != date("2026-03-03") || p.To != date("2026-04-01") || p.Left(date("2026-03-30")) != 2 || p.Left(date("2026-04-03")) != -2 {
		t.Errorf("period %+v", p)
	}
	if left, asks := b.Renewal(date("2026-03-25")); left != 7 || !asks {
		t.Errorf("renewal %d %t", left, asks)
	}
	w := &world{TB: t, r: r, bed: b}
	w.plan(now)
	if got := w.open(); !slices.Equal(got, []string{"2026-03-04 first"}) {
		t.Errorf("first visit %v", got)
	}
	b = bedDo(t, r, b, desk, care.Renew{}, now)
	if p := b.Period(); p.From != date("2026-04-02") || p.To != date("2026-05-01") {
		t.Errorf("renewed %+v", p)
	}
	if _, _, err := r.Bed(b, desk, care.Renew{To: date("2026-12-01")}, now); key(err) != care.KeyPeriod {
		t.Errorf("renewed for too long: %v", err)
	}
}

func TestClosingIsRefusedWhileSomethingIsOpen(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-03 09:00")
	b := openBed(t, r, now, true)
	ok := care.Close{Outcome: "improved", HasDiagnosis: true}
	with := func(f func(*care.Close)) care.Close { c := ok; f(&c); return c }
	for _, c := range []struct {
		name, want string
		c          care.Close
	}{
		{"a visit under way", care.KeyOrdersOpen, with(func(c *care.Close) { c.UnderWay = 1 })},
		{"a visit without record", care.KeyNotesOpen, with(func(c *care.Close) { c.Unwritten = 1 })},
		{"things to give back", care.KeyReturns, with(func(c *care.Close) { c.Returns = 2 })},
		{"no diagnosis", care.KeyDiagnosis, with(func(c *care.Close) { c.HasDiagnosis = false })},
		{"no outcome", care.KeyOutcome, with(func(c *care.Close) { c.Outcome = "" })},
		{"a death by the way", care.KeyOutcome, with(func(c *care.Close) { c.Outcome = "died" })},
	} {
		if _, _, err := r.Bed(b, doctor, c.c, now); key(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if closed := bedDo(t, r, b, doctor, ok, now); closed.State != care.BedClosed || closed.Outcome != "improved" {
		t.Errorf("closed %+v", closed)
	}
	dead := bedDo(t, r, b, hospital, care.Death{}, now)
	if dead.State != care.BedClosed || dead.Outcome != "died" || dead.Patient.Where != care.Dead {
		t.Errorf("dead %+v", dead)
	}
	if dues := r.Ladder(r.OfBed(dead), now); len(dues) != 0 {
		t.Errorf("due for the dead: %v", lines(dues))
	}
}

func TestHouseholdAndTeam(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-03 09:00")
	b := openBed(t, r, now, true)
	for _, c := range []struct {
		name, want string
		c          care.BedCommand
	}{
		{"a carer twice", care.KeyNoContact, care.Household{Carers: []care.Carer{carers[0], carers[0]}}},
		{"the patient as carer", care.KeyNoContact, care.Household{Carers: []care.Carer{{Person: patientID, Relation: "son"}}}},
		{"no relation", care.KeyReason, care.Household{Carers: []care.Carer{{Person: sonID}}}},
		{"nobody", care.KeyNoContact, care.Household{}},
		{"no nurse", care.KeyNoDoctor, care.Team{Doctor: doctorID}},
	} {
		if _, _, err := r.Bed(b, desk, c.c, now); key(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	b = bedDo(t, r, b, desk, care.Household{Carers: carers[1:], LivesAlone: true}, now)
	if len(b.Carers) != 1 || !b.Patient.LivesAlone {
		t.Errorf("%+v", b)
	}
	if b = bedDo(t, r, b, desk, care.Team{Doctor: otherID, Nurse: nurseID}, now); b.Doctor != otherID {
		t.Errorf("%+v", b)
	}
}

// One tap of any of the family ends the messages; only a new signature lets the
// bed go on.
func TestConsentIsWithdrawnInOneTap(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-03 09:00")
	w := &world{TB: t, r: r, bed: openBed(t, r, now, true)}
	if err := w.onBed(desk, care.Order{Item: round(7)}, now); err != nil {
		t.Fatal(err)
	}
	if got := w.due(1, now); len(got) == 0 {
		t.Fatal("nothing is due")
	}
	if err := w.onBed(care.Actor{As: care.AsFamily, Person: strangerID}, care.WithdrawConsent{}, now); key(err) != care.KeyNotYours {
		t.Errorf("a stranger withdrew: %v", err)
	}
	now = now.Add(time.Hour)
	if err := w.onBed(daughter, care.WithdrawConsent{}, now); err != nil {
		t.Fatal(err)
	}
	if w.bed.State != care.BedSuspended || w.bed.Reason != care.SuspendConsent || len(w.open()) != 0 {
		t.Errorf("%s %s, open %v", w.bed.State, w.bed.Reason, w.open())
	}
	for id := range w.visits {
		for _, d := range w.ladder(int64(id+1), now) {
			if d.Kind != "released_visitor" { // who would have gone there hears of it
				t.Errorf("still due: %+v", d)
			}
		}
	}
	if got := lines(r.Ladder(r.OfBed(w.bed), now)); !slices.Contains(got, "03-03 10:00 consent_call desk") || !slices.Contains(got, "03-03 10:00 consent_doctor doctor") {
		t.Errorf("nobody rings: %v", got)
	}
	if err := w.onBed(daughter, care.WithdrawConsent{}, now); key(err) != care.KeyConsent {
		t.Errorf("twice: %v", err)
	}
	if err := w.onBed(desk, care.Resume{}, now); key(err) != care.KeyConsent {
		t.Errorf("resumed without a signature: %v", err)
	}
	now = now.Add(time.Hour)
	if err := w.onBed(desk, care.Sign{Agreement: agreement(now)}, now); err != nil {
		t.Fatal(err)
	}
	if err := w.onBed(desk, care.Resume{}, now); err != nil || len(w.open()) == 0 {
		t.Errorf("resumed: %v, open %v", err, w.open())
	}
}

func TestSuspensionOnAdmission(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-03 09:00")
	w := &world{TB: t, r: r, bed: openBed(t, r, now, true)}
	if err := w.onBed(desk, care.Order{Item: round(7)}, now); err != nil {
		t.Fatal(err)
	}
	w.must(1, desk, care.Confirm{}, at("2026-03-03 09:30"))
	w.must(1, nurse, care.Arrive{Adult: true}, at("2026-03-03 10:00").AddDate(0, 0, daysUntil(w.visits[0].Date.String(), "2026-03-03")))
	day := w.visits[0].Date
	w.must(1, nurse, care.Finish{Present: daughterID, Noted: true}, day.At(11*60, shanghai))
	now = day.At(12*60, shanghai)
	before := w.open()
	if len(before) < 1 {
		t.Fatalf("planned %v", before)
	}
	if err := w.onBed(hospital, care.Suspend{Reason: care.SuspendAdmission}, now); err != nil {
		t.Fatal(err)
	}
	if w.bed.Patient.Where != care.Admitted || len(w.open()) != 0 {
		t.Errorf("%+v, open %v", w.bed.Patient, w.open())
	}
	if err := w.onBed(desk, care.Suspend{Reason: care.SuspendAdmission}, now); key(err) != care.KeySame {
		t.Errorf("twice: %v", err)
	}
	if err := w.onBed(desk, care.Suspend{Reason: "tired"}, now); key(err) != care.KeyReason {
		t.Errorf("for no reason: %v", err)
	}
	home := now.AddDate(0, 0, 20)
	if err := w.onBed(hospital, care.Resume{Discharged: true}, home); err != nil {
		t.Fatal(err)
	}
	open := w.open()
	if len(open) == 0 || open[0] > day.AddDays(24).String() {
		t.Errorf("after the discharge: %v", open)
	}
	for _, s := range w.skips {
		if s.Reason != care.SuspendAdmission {
			t.Errorf("skipped for %s", s.Reason)
		}
	}
	if len(w.skips) == 0 {
		t.Error("what was left out in hospital is written down nowhere")
	}
}

func daysUntil(to, from string) int {
	return int(at(to+" 00:00").Sub(at(from+" 00:00")) / (24 * time.Hour))
}
