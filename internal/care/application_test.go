package care_test

import (
	"slices"
	"testing"

	"shaoying/internal/care"
)

func TestApplicationIsAnsweredAtEveryStep(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-03 09:00") // a Tuesday
	a := applied(t, r, now)
	steps := []struct {
		c     care.ApplicationCommand
		state care.ApplicationState
		due   string
	}{
		{care.Return{Reason: "papers"}, care.Returned, "2026-03-10 17:30"},
		{care.Complete{}, care.Submitted, "2026-03-04 17:30"},
		{care.Screen{Answers: yes()}, care.Eligible, "2026-03-06 17:30"},
		{care.Assess{Condition: true, Home: true}, care.Accepted, "2026-03-10 17:30"},
		{care.Register{}, care.Registered, ""},
	}
	if !a.Due.Equal(at("2026-03-04 17:30")) || a.State != care.Submitted {
		t.Fatalf("filed: %s until %s", a.State, a.Due)
	}
	for _, s := range steps {
		next, events, err := r.Application(a, desk, s.c, now)
		a = must(t, next, events, err)
		if a.State != s.state || s.due == "" != a.Due.IsZero() || s.due != "" && !a.Due.Equal(at(s.due)) {
			t.Fatalf("%s: %s until %s, want %s until %s", s.c.Name(), a.State, a.Due, s.state, s.due)
		}
		for _, e := range events {
			if !slices.Contains(care.ApplicationEvents(), e.Kind) {
				t.Errorf("the family hears nothing of %s", e.Kind)
			}
		}
	}
}

func yes() map[string]bool {
	return map[string]bool{"stable": true, "housebound": true, "served": true, "adult": true}
}

func TestApplicationRefusals(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-03 09:00")
	home := care.Patient{Person: patientID, Where: care.AtHome}
	file := care.Apply{Patient: home, Applicant: daughterID, Clinic: 7, Complete: true}
	with := func(f func(*care.Apply)) care.Apply { c := file; f(&c); return c }
	no := func(q string, known bool) map[string]bool {
		m := yes()
		if m[q] = false; !known {
			delete(m, q)
		}
		return m
	}
	submitted := applied(t, r, now)
	eligible, _, err := r.Application(submitted, desk, care.Screen{Answers: yes()}, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		a    care.Application
		by   care.Actor
		c    care.ApplicationCommand
		want string
	}{
		{"an inpatient cannot apply", care.Application{}, daughter, with(func(a *care.Apply) { a.Patient.Where = care.Admitted }), care.KeyInpatient},
		{"nor the dead", care.Application{}, daughter, with(func(a *care.Apply) { a.Patient.Where = care.Dead }), care.KeyDead},
		{"who has a bed", care.Application{}, daughter, with(func(a *care.Apply) { a.HasBed = true }), care.KeyHasBed},
		{"for nobody", care.Application{}, daughter, with(func(a *care.Apply) { a.Patient.Person = 0 }), care.KeyIncomplete},
		{"in another's name", care.Application{}, care.Actor{As: care.AsFamily, Person: strangerID}, file, care.KeyNotYours},
		{"a doctor does not apply", care.Application{}, doctor, file, care.KeyNotYours},
		{"no stranger withdraws", submitted, care.Actor{As: care.AsFamily, Person: strangerID}, care.Withdraw{}, care.KeyNotYours},
		{"a question open", submitted, desk, care.Screen{Answers: no("served", false)}, care.KeyIncomplete},
		{"not stable", submitted, desk, care.Screen{Answers: no("stable", true)}, care.KeyIneligible},
		{"nobody at home", submitted, desk, care.Screen{Answers: no("adult", true)}, care.KeyIneligible},
		{"reason unknown", submitted, desk, care.Reject{Reason: "because"}, care.KeyReason},
		{"reason of return unknown", submitted, desk, care.Return{}, care.KeyReason},
		{"home not fit", eligible, doctor, care.Assess{Condition: true}, care.KeyUnfit},
		{"before the assessment", submitted, desk, care.Register{}, care.KeyState},
		{"twice", eligible, desk, care.Screen{Answers: yes()}, care.KeyState},
	} {
		after, events, err := r.Application(c.a, c.by, c.c, now)
		if key(err) != c.want || events != nil {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if after.State != c.a.State || after.Version != c.a.Version {
			t.Errorf("%s: changed by a refusal", c.name)
		}
	}
	if _, err := r.NewBed(submitted, "treatment", 9); key(err) != care.KeyState {
		t.Errorf("a bed without registration: %v", err)
	}
}

// A wish without a clinic is a draft of a clerk, not a refusal.
func TestADraftIsCompleted(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-03 09:00")
	a, _, err := r.Application(care.Application{}, desk, care.Apply{Patient: care.Patient{Person: patientID, Where: care.AtHome}, Applicant: daughterID}, now)
	if err != nil || a.State != care.Draft || a.EnteredBy != deskID || a.Due.IsZero() {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, _, err := r.Application(a, desk, care.Complete{}, now); key(err) != care.KeyIncomplete {
		t.Errorf("completed without a clinic: %v", err)
	}
	if a, _, err = r.Application(a, daughter, care.Complete{Clinic: 7}, now); err != nil || a.State != care.Submitted {
		t.Errorf("%s, %v", a.State, err)
	}
	if a, _, err = r.Application(a, daughter, care.Withdraw{}, now); err != nil || a.State != care.Withdrawn || !a.Due.IsZero() {
		t.Errorf("%s, %v", a.State, err)
	}
}

func TestMachinesAreSound(t *testing.T) {
	sound(t, care.Applications(), care.ApplicationStates(), func(s care.ApplicationState) bool { return s.Open() })
	sound(t, care.Visits(), care.VisitStates(), func(s care.VisitState) bool { return s.Open() })
	sound(t, care.Beds(), care.BedStates(), func(s care.BedState) bool { return s != care.BedClosed })
}

// sound holds that every state can be reached and every open one left, and that
// no command stands twice. Beds begin as pending, visits as planned.
func sound[S ~string](t *testing.T, m care.Machine[S], states []S, open func(S) bool) {
	t.Helper()
	reached, left, seen := map[S]bool{}, map[S]bool{}, map[care.CommandName]bool{}
	reached[states[0]] = true
	for _, row := range m {
		if seen[row.Command] {
			t.Errorf("%s stands twice", row.Command)
		}
		seen[row.Command] = true
		for _, to := range row.To {
			reached[to] = true
			for _, from := range row.From {
				left[from] = left[from] || from != to
			}
		}
	}
	for _, s := range states {
		if !reached[s] {
			t.Errorf("no command leads to %s", s)
		}
		if open(s) && !left[s] {
			t.Errorf("no command leads out of %s", s)
		}
	}
}
