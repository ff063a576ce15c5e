package actions

import (
	"context"
	"testing"

	"shaoying/bots"
	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// ward is a clinic with its people, and families with open beds.
type ward struct {
	*rig
	clinic, hospital    int64
	desk, doctor, nurse int64
}

func newWard(t testing.TB) *ward {
	t.Helper()
	w := &ward{rig: newRig(t)}
	w.lay()
	return w
}

func (w *ward) lay() {
	w.t.Helper()
	w.exec(`insert into unit (code, name, kind) values ('hos', '一院', 'hospital'), ('cli', '青山卫生院', 'clinic') on conflict do nothing`)
	w.exec(`insert into clinic (code, name, tier, phone) values ('hos', '一院', 'hospital', '0799-1111111')`)
	w.exec(`insert into clinic (code, name, tier, phone, hospital_id, townships, costs)
		select 'cli', '青山卫生院', 'clinic', '0799-2222222', id, array['360313001'], '上门一次30元，医保按门诊报。' from clinic where code = 'hos'`)
	w.hire("desk", people.RoleClinicDesk, people.AreaUnit, "cli")
	w.hire("doc", people.RoleDoctor, people.AreaUnit, "cli")
	w.hire("nurse", people.RoleNurse, people.AreaUnit, "cli")
	w.exec(`update staff set name = '王静' where slug = 'nurse'`)
	w.exec(`update staff set name = '李平' where slug = 'doc'`)
	w.known()
}

// known finds the clinic and its people in a city that has them.
func (w *ward) known() *ward {
	w.t.Helper()
	w.hospital, w.clinic = one[int64](w.rig, `select id from clinic where code = 'hos'`), one[int64](w.rig, `select id from clinic where code = 'cli'`)
	w.desk, w.doctor, w.nurse = w.staffID("desk"), w.staffID("doc"), w.staffID("nurse")
	return w
}

func (w *ward) staffID(slug string) int64 {
	return one[int64](w.rig, `select id from staff where slug = $1`, slug)
}

func (w *ward) byDesk() care.Actor { return care.Actor{As: care.AsDesk, Staff: w.desk} }

// does runs f as a turn outside any chat.
func (w *ward) does(f func(ctx context.Context, t *gateway.Turn) error) {
	w.t.Helper()
	if err := w.Desk(w.t.Context(), w.desk, 0, f); err != nil {
		w.t.Fatal(err)
	}
}

// opens opens a bed whose only carer is somebody who has an address, and returns it.
func (w *ward) opens(user bots.UserID) (bed int64) {
	w.t.Helper()
	carer, at := one[int64](w.rig, `select person_id from address where user_id = $1`, string(user)), one[int64](w.rig, `select id from address where user_id = $1`, string(user))
	patient := one[int64](w.rig, `insert into person (kind) values ('resident') returning id`)
	w.does(func(ctx context.Context, t *gateway.Turn) error {
		a, err := w.set.Care.Apply(ctx, t, homecare.Wish{
			Apply: care.Apply{Patient: care.Patient{Person: patient, Where: care.AtHome, Grid: grid}, Applicant: carer, Address: at, Clinic: w.clinic, Complete: true},
			Words: "瘫痪在床十九年", Home: "昌盛小区3栋", By: w.byDesk(),
		})
		if err != nil {
			return err
		}
		for _, c := range []care.ApplicationCommand{
			care.Screen{Answers: map[string]bool{"stable": true, "housebound": true, "served": true, "adult": true}}, care.Assess{Condition: true, Home: true},
		} {
			if _, err := w.set.Care.DoApplication(ctx, t, a.ID, w.byDesk(), c); err != nil {
				return err
			}
		}
		b, err := w.set.Care.Register(ctx, t, a.ID, w.byDesk(), homecare.NewBed{
			Type: "treatment", Hospital: w.hospital, Household: care.Household{Carers: []care.Carer{{Person: carer, Relation: "spouse", Address: at}}},
		})
		if err != nil {
			return err
		}
		bed = b.ID
		for _, c := range []care.BedCommand{
			care.Sign{Agreement: care.Agreement{Form: care.OnScreen, Notice: 1, Terms: 1, Signer: carer, Relation: "spouse", SignedAt: t.Now}},
			care.Open{Doctor: w.doctor, Nurse: w.nurse, HasDiagnosis: true, FirstVisitID: w.item()},
			care.Order{Item: care.Item{ID: w.item(), Kind: "nursing", Every: 7, Staff: w.nurse, From: scheduler.Date{Year: 2026, Month: 3, Day: 9}}},
		} {
			if _, err := w.set.Care.DoBed(ctx, t, bed, w.byDesk(), c); err != nil {
				return err
			}
		}
		return nil
	})
	return bed
}

func (w *ward) item() int64 { return one[int64](w.rig, `select nextval('bed_item')`) }

// visit is the first visit of a bed that is still to come, or the n-th.
func (w *ward) visit(bed int64, n int) int64 {
	w.t.Helper()
	return one[int64](w.rig, `select id from visit where bed_id = $1 and state <> 'released' order by day, id offset $2 limit 1`, bed, n)
}

func (w *ward) state(visit int64) string {
	w.t.Helper()
	return one[string](w.rig, `select state from visit where id = $1`, visit)
}

func (w *ward) do(visit int64, c care.VisitCommand) {
	w.t.Helper()
	w.does(func(ctx context.Context, t *gateway.Turn) error {
		_, _, err := w.set.Care.DoVisit(ctx, t, visit, w.byDesk(), c)
		return err
	})
}

// asksAbout asks the household at an address about visits, and returns what they read.
func (w *ward) asksAbout(user bots.UserID, visits ...int64) []string {
	w.t.Helper()
	w.heard(user)
	w.exec(`delete from due where kind = 'test.visit'`)
	ids := ""
	for _, v := range visits {
		ids += one[string](w.rig, `select id || '.' || version || ' ' from visit where id = $1`, v)
	}
	w.exec(`insert into due (kind, subject, key, person_id, due_at, data) select 'test.visit', 'visit:' || $1::bigint, $2, person_id, product_now(), jsonb_build_object('at', id) from address where user_id = $3`,
		visits[0], ids, string(user))
	if n, err := w.ask.Once(w.t.Context()); err != nil || n == 0 {
		w.t.Fatalf("the question did not run: %d, %v", n, err)
	}
	return w.heard(user)
}

// askingVisits are kinds that ask as package scheduler/jobs does: about visits (key),
// and how one was.
func (r *rig) askingVisits() []gateway.Kind {
	at := func(ctx context.Context, d *postgres.DB, due gateway.Due) (int64, error) {
		return one[int64](r, `select c.id from conversation c join due u on (u.data->>'at')::bigint = c.address_id where u.id = $1`, due.ID), nil
	}
	return []gateway.Kind{
		{
			Name: "test.visit", Opens: true, Replaces: "visit_confirm", Target: at,
			Run: func(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
				about, err := homecare.ParseIDs(due.Key)
				if err != nil {
					return gateway.Outcome{}, err
				}
				bed, first, err := r.set.Care.LoadVisit(ctx, t, about[0].Visit)
				if err != nil {
					return gateway.Outcome{}, err
				}
				vars, until, err := r.set.Care.Question(ctx, t, about, &homecare.Rung{Bed: bed, Visit: &first})
				if err != nil {
					return gateway.Outcome{}, err
				}
				return gateway.Done, t.Ask(ctx, due, gateway.Ask{Flow: "visit_confirm", Vars: vars, Subject: due.Subject, Reason: "care.ask", Until: until})
			},
		},
		{
			Name: "test.rate", Opens: true, Target: at,
			Run: func(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
				if _, err := t.AddCareSurvey(ctx, db.AddCareSurveyParams{Kind: SurveyVisit, PersonID: due.Person, Subject: due.Subject}); err != nil {
					return gateway.Outcome{}, err
				}
				return gateway.Done, t.Ask(ctx, due, gateway.Ask{
					Flow: "visit_survey", Vars: map[string]any{"visit": map[string]any{"id": "1", "day": "今天"}}, Subject: due.Subject, Reason: "care.survey", Until: t.Now.AddDate(0, 0, 3),
				})
			},
		},
	}
}
