package jobs_test

import (
	"context"
	"strings"
	"testing"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
)

// applies files the wish of the patient's wife.
func (w *ward) applies() (application int64) {
	w.t.Helper()
	w.do("wife", func(ctx context.Context, t *gateway.Turn) error {
		a, err := w.deps.Care.Apply(ctx, t, homecare.Wish{
			Apply: care.Apply{Patient: care.Patient{Person: w.patient, Where: care.AtHome, Grid: grid}, Applicant: w.wife, Address: w.wifeAt, Clinic: w.clinic, Complete: true},
			By:    homecare.Family(t),
		})
		if err == nil {
			application = a.ID
		}
		return err
	})
	return application
}

func (w *ward) step(application int64, c care.ApplicationCommand) {
	w.t.Helper()
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		_, err := w.deps.Care.DoApplication(ctx, t, application, w.desk(), c)
		return err
	})
}

var eligible = care.Screen{Answers: map[string]bool{"stable": true, "housebound": true, "served": true, "adult": true}}

// Who dies before there was a bed leaves an application: it ends with them, nobody
// of the family hears of it again, and nobody is asked to ring them about it.
func TestApplicationEndsWithThePatient(t *testing.T) {
	ends := map[string]func(*ward, int64){
		"said of the person": func(w *ward, _ int64) {
			w.do("desk", func(ctx context.Context, t *gateway.Turn) error { return w.deps.Care.Died(ctx, t, w.patient) })
		},
		"said of the application": func(w *ward, id int64) { w.step(id, care.PatientDied{}) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			w := newWard(t, "2026-03-03 20:40")
			id := w.applies()
			w.step(id, eligible) // its news waits for the morning
			w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
				return w.deps.Care.RingApplicant(ctx, t, homecare.ApplicationSubject(id))
			})
			end(w, id)
			w.until("2026-03-20 18:00")
			if got := w.heard("wife"); len(got) != 0 {
				t.Errorf("the family heard %q", got)
			}
			if got := one[string](w.rig, `select state || ' ' || reason from care_application`); got != "rejected died" {
				t.Errorf("the application is %q", got)
			}
			if n := one[int64](w.rig, `select count(*) from task where subject like 'application:%' and state = 'open'`); n != 0 {
				t.Errorf("%d tasks about it are open", n)
			}
			if n := one[int64](w.rig, `select count(*) from due where subject like 'application:%' and state = 'planned'`); n != 0 {
				t.Errorf("%d rows about it are planned", n)
			}
			if n := one[int64](w.rig, `select count(*) from trail where kind = 'person.died'`); n != 1 {
				t.Errorf("the death was written down %d times", n)
			}
		})
	}
}

// A text about an application that lies in the outbox when the patient dies stays
// there, also when the application had become a bed.
func TestNewsOfTheDeadStayInTheOutbox(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	id := w.applies()
	w.step(id, eligible)
	w.drain()
	w.exec(`update person set died_at = product_now() where id = $1`, w.patient)
	if got := w.sends().texts("wife"); strings.Contains(got, "初步看可以办") {
		t.Errorf("the family was sent %q", got)
	}
}
