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

// An order that ends takes tomorrow's visit out and leaves the bed: whoever had been
// told hears that this one visit is off, the visitor hears no more than that, and a
// late answer is told the same.
func TestAnEndedOrderIsNoEndOfTheBed(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	bed := w.opens()
	w.until("2026-03-08 18:30")
	visit := w.visitOf(w.nurse)
	item := one[int64](w.rig, `select item_id from visit where id = $1`, visit)
	if got := w.state(visit); got != string(care.VisitNotified) {
		t.Fatalf("the visit is %s on the evening before", got)
	}
	w.heard("wife")
	w.heard("nurse")
	w.onBed(bed, w.desk(), care.EndOrder{ItemID: item})
	w.until("2026-03-08 18:45")
	if got := strings.Join(w.heard("wife"), "\n"); !strings.Contains(got, "不会有人来") {
		t.Errorf("the family heard %q", got)
	}
	if got := strings.Join(w.heard("nurse"), "\n"); !strings.Contains(got, "不用去了") || strings.Contains(got, "床停了") {
		t.Errorf("the visitor heard %q", got)
	}
	if got := strings.Join(w.says("wife", "1"), "\n"); strings.Contains(got, "停着") || !strings.Contains(got, "取消") {
		t.Errorf("a late answer is met by %q", got)
	}
}

// Nobody of the family can be written to: the desk has one call about a visit at a
// time, not one for each text that would have gone.
func TestOneCallAboutAVisit(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.opens()
	w.exec(`update address set state = 'gone' where id = $1`, w.wifeAt)
	calls, most := map[string]bool{}, int64(0)
	for _, now := range []string{"2026-03-03 18:31", "2026-03-03 20:01", "2026-03-04 07:31", "2026-03-04 07:59", "2026-03-04 08:59"} {
		w.until(now)
		visit := one[int64](w.rig, `select min(id) from visit`)
		most = max(most, one[int64](w.rig, `select count(*) from task where subject = $1 and state = 'open'`, homecare.VisitSubject(visit)))
		calls[one[string](w.rig, `select coalesce(max(kind), '') from task where subject = $1 and state = 'open'`, homecare.VisitSubject(visit))] = true
	}
	if most != 1 {
		t.Errorf("%d calls were open at one time", most)
	}
	if !calls["care.ask"] || !calls["care.call_morning"] {
		t.Errorf("the calls were %v", calls)
	}
}

// News of an application that nobody could send for three days are no news: the desk
// rings, once, about the last step.
func TestOldNewsAreACall(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	id := w.applies()
	w.step(id, eligible)
	w.step(id, care.Assess{Condition: true, Home: true})
	w.exec(`update due set not_after = product_now() - interval '1 hour', due_at = product_now() where kind = 'care.news' and state in ('planned', 'done')`)
	w.exec(`update due set state = 'planned', done_at = null where kind = 'care.news'`)
	w.heard("wife")
	w.drain()
	if got := w.heard("wife"); len(got) != 0 {
		t.Errorf("the family heard %q", got)
	}
	if n := one[int64](w.rig, `select count(*) from task where kind = 'care.ring_applicant' and state = 'open'`); n != 1 {
		t.Errorf("%d calls were laid, want one", n)
	}
}

// The same when they lay in the outbox for as long.
func TestOldNewsInTheOutboxAreACall(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.step(w.applies(), eligible)
	w.drain()
	if err := w.DB.SetProductTime(t.Context(), at(t, "2026-03-06 09:00")); err != nil {
		t.Fatal(err)
	}
	if got := w.sends().texts("wife"); strings.Contains(got, "初步看可以办") {
		t.Errorf("the family was sent %q", got)
	}
	w.drain()
	if n := one[int64](w.rig, `select count(*) from task where kind = 'care.ring_applicant' and state = 'open'`); n != 1 {
		t.Errorf("%d calls were laid, want one", n)
	}
}

// Two of one household are told together; one has changed before the message goes
// out: the other is told all the same.
func TestHalfOfAMessage(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	bed := w.opens()
	w.drain()
	notices := one[int64](w.rig, `select count(*) from due where reason like 'told with %'`)
	if notices == 0 {
		t.Fatal("nothing was told together")
	}
	item := one[int64](w.rig, `select item_id from visit where id = $1`, w.visitOf(w.nurse))
	w.onBed(bed, w.desk(), care.EndOrder{ItemID: item})
	net := w.sends()
	got := net.texts("wife")
	if n := one[int64](w.rig, `select count(*) from outbox where error = 'the ladder no longer holds it'`); n != 1 {
		t.Fatalf("%d messages were held back", n)
	}
	if !strings.Contains(got, "3月4日") || strings.Contains(got, "3月9日") && !strings.Contains(got, "取消") {
		t.Errorf("the family was sent %q", got)
	}
}

// What a night leaves no time to say is said by a person, whether that is seen when
// it is planned or when it comes due.
func TestNightLeavesNoTime(t *testing.T) {
	for name, leaves := range map[string]string{"planned": "22:05", "due": "21:59"} {
		t.Run(name, func(t *testing.T) {
			w := newWard(t, "2026-03-03 09:00")
			w.opens()
			visit := w.visitOf(w.nurse)
			date := one[string](w.rig, `select to_char(day, 'YYYY-MM-DD') from visit where id = $1`, visit)
			w.until(date + " " + leaves)
			w.visit(visit, homecare.AsVisitor(w.nurse), care.Leave{})
			if err := w.DB.SetProductTime(t.Context(), at(t, date+" 22:06")); err != nil {
				t.Fatal(err)
			}
			w.exec(`update due set state = 'planned', done_at = null where kind = 'care.tell' and key like 'coming/%'`)
			w.drain()
			if n := one[int64](w.rig, `select count(*) from task where kind = 'care.by_phone' and state = 'open'`); n != 1 {
				t.Errorf("%d calls were laid", n)
			}
			w.visit(visit, homecare.AsVisitor(w.nurse), care.Arrive{Adult: true})
			if n := one[int64](w.rig, `select count(*) from task where kind = 'care.by_phone' and state = 'open'`); n != 0 {
				t.Errorf("%d calls are open when the visitor is there", n)
			}
		})
	}
}

// What was said for a wish that became no bed is forgotten as the words of tickets are;
// what became one stays with it.
func TestWordsOfApplicationsAreForgotten(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	w.opens()
	w.exec(`insert into care_application (state, person_id, patient, applicant_id, state_at, filed_at, version, words, home)
		select s, person_id, patient, applicant_id, product_now() - interval '10 years', filed_at, 1, words, home from care_application, unnest(array['rejected', 'submitted']) s`)
	w.exec(`update care_application set state_at = product_now() - interval '10 years'`)
	w.until("2026-03-05 09:00")
	if got := one[string](w.rig, `select string_agg(state, ' ' order by state) from care_application where words is not null and home is not null`); got != "registered submitted" {
		t.Errorf("words are kept of applications that are %s", got)
	}
}
