package jobs_test

import (
	"context"
	"strings"
	"testing"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/scheduler"
)

// ward is a clinic with its hospital, a desk, a doctor and a nurse, and the family
// of a patient: a wife with a chat of her own.
type ward struct {
	*rig
	clinic, hospital int64
	patient, wife    int64
	wifeAt           int64
	doctor, nurse    int64
}

func newWard(t testing.TB, start string) *ward {
	t.Helper()
	w := &ward{rig: newRig(t, start)}
	w.exec(`insert into unit (code, name, kind) values ('hos', '一院', 'hospital'), ('cli', '青山卫生院', 'clinic') on conflict do nothing`)
	w.exec(`insert into clinic (code, name, tier, phone) values ('hos', '一院', 'hospital', '0799-1111111')`)
	w.exec(`insert into clinic (code, name, tier, phone, hospital_id) select 'cli', '青山卫生院', 'clinic', '0799-2222222', id from clinic where code = 'hos'`)
	w.hospital, w.clinic = one[int64](w.rig, `select id from clinic where code = 'hos'`), one[int64](w.rig, `select id from clinic where code = 'cli'`)
	w.hire("desk", people.RoleClinicDesk, people.AreaUnit, "cli")
	w.hire("doc", people.RoleDoctor, people.AreaUnit, "cli")
	w.hire("nurse", people.RoleNurse, people.AreaUnit, "cli")
	w.hire("liaison", people.RoleLiaison, people.AreaUnit, "hos")
	w.exec(`update staff set name = '王静' where slug = 'nurse'`)
	w.exec(`update staff set name = '李平' where slug = 'doc'`)
	w.doctor, w.nurse = one[int64](w.rig, `select id from staff where slug = 'doc'`), one[int64](w.rig, `select id from staff where slug = 'nurse'`)
	w.move("wife", "resident")
	w.wife, w.wifeAt = one[int64](w.rig, `select person_id from address where user_id = 'wife'`), one[int64](w.rig, `select id from address where user_id = 'wife'`)
	w.patient = one[int64](w.rig, `insert into person (kind) values ('resident') returning id`)
	return w
}

func (w *ward) desk() care.Actor {
	return care.Actor{As: care.AsDesk, Staff: one[int64](w.rig, `select id from staff where slug = 'desk'`)}
}

// opens goes from the wish to an open bed and returns its id.
func (w *ward) opens() (bed int64) {
	w.t.Helper()
	return w.opensFor("wife", "JC-1", w.patient, scheduler.Date{}, care.Item{Kind: "nursing", Every: 7, From: day("2026-03-09")})
}

// opensFor is opens for the patient of somebody who has a chat; the period ends on a
// day, and the nurse comes for some orders besides the first visit.
func (w *ward) opensFor(user, number string, patient int64, to scheduler.Date, orders ...care.Item) (bed int64) {
	w.t.Helper()
	carer, where := one[int64](w.rig, `select person_id from address where user_id = $1`, user), one[int64](w.rig, `select id from address where user_id = $1`, user)
	var id int64
	w.do(user, func(ctx context.Context, t *gateway.Turn) error {
		a, err := w.deps.Care.Apply(ctx, t, homecare.Wish{
			Apply: care.Apply{
				Patient: care.Patient{Person: patient, Where: care.AtHome, Grid: grid}, Applicant: carer, Address: where, Clinic: w.clinic, Complete: true,
			},
			Words: "瘫痪在床十九年", Home: "昌盛小区3栋", By: homecare.Family(t),
		})
		if err == nil {
			id = a.ID
		}
		return err
	})
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		for _, c := range []care.ApplicationCommand{
			care.Screen{Answers: map[string]bool{"stable": true, "housebound": true, "served": true, "adult": true}}, care.Assess{Condition: true, Home: true},
		} {
			if _, err := w.deps.Care.DoApplication(ctx, t, id, w.desk(), c); err != nil {
				return err
			}
		}
		b, err := w.deps.Care.Register(ctx, t, id, w.desk(), homecare.NewBed{
			Type: "treatment", Number: number, Hospital: w.hospital,
			Household: care.Household{Carers: []care.Carer{{Person: carer, Relation: "spouse", Address: where}}, Dependent: true},
		})
		if err != nil {
			return err
		}
		bed = b.ID
		commands := []care.BedCommand{
			care.Sign{Agreement: care.Agreement{Form: care.OnPaper, Notice: 1, Terms: 1, Signer: carer, Relation: "spouse", SignedAt: t.Now, Scan: "blob"}},
			care.Open{Doctor: w.doctor, Nurse: w.nurse, HasDiagnosis: true, FirstVisitID: w.item(), To: to},
		}
		for _, it := range orders {
			it.ID, it.Staff = w.item(), w.nurse
			commands = append(commands, care.Order{Item: it})
		}
		for _, c := range commands {
			if _, err := w.deps.Care.DoBed(ctx, t, bed, w.desk(), c); err != nil {
				return err
			}
		}
		return nil
	})
	return bed
}

func (w *ward) item() int64 { return one[int64](w.rig, `select nextval('bed_item')`) }

func day(s string) scheduler.Date {
	d, err := scheduler.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func TestBedIsOpenedAndItsVisitAsked(t *testing.T) {
	w := newWard(t, "2026-03-03 09:00")
	bed := w.opens()
	if n := one[int64](w.rig, `select count(*) from visit where bed_id = $1`, bed); n < 2 {
		t.Fatalf("%d visits were planned", n)
	}
	w.until("2026-03-03 19:00")
	if got := one[string](w.rig, `select state from visit where bed_id = $1 order by id limit 1`, bed); got != string(care.VisitNotified) {
		t.Errorf("the first visit is %s after the evening's question", got)
	}
	got := w.heard("wife")
	if len(got) != 3 {
		t.Errorf("%d messages %q, want the step, one with everything that begins, and the question", len(got), got)
	}
	if n := one[int64](w.rig, `select count(*) from due where reason like 'told with %'`); n != 2 {
		t.Errorf("%d rows were told together with another, want the notices of two orders", n)
	}
	if !strings.Contains(strings.Join(got, "\n"), "有人吗") {
		t.Errorf("the family heard %q", got)
	}
}
