package bench

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
)

// ward is an invented hospital with its clinics and as many family beds as are
// wanted: 100 at a clinic, with four nurses and two doctors there. Each bed has a
// nurse every seven days and a doctor every fourteen, spread evenly over the
// workdays; every other has a second carer, every fifth patient an own telephone.
type ward struct {
	db   *postgres.DB
	care *homecare.Service
	beds int
}

const (
	bedsAtClinic = 100
	nursesThere  = 4
	doctorsThere = 2
	staffThere   = nursesThere + doctorsThere
	// openedBefore is for how many days the beds have been open.
	openedBefore = 60
	// bedBatch is how many beds are written in one transaction.
	bedBatch = 500
)

func (w *ward) clinics() int { return (w.beds + bedsAtClinic - 1) / bedsAtClinic }

// Persons are numbered: staff first, then of each bed the patient and two carers.
func (w *ward) staff() int            { return w.clinics() * staffThere }
func (w *ward) person(bed, n int) int { return w.staff() + 3*bed + n + 1 }
func (w *ward) persons() int          { return w.staff() + 3*w.beds }
func (w *ward) nurse(bed int) int64 {
	return int64(bed/bedsAtClinic*staffThere + bed%nursesThere + 1)
}

func (w *ward) doctor(bed int) int64 {
	return int64(bed/bedsAtClinic*staffThere + nursesThere + bed%doctorsThere + 1)
}

func (w *ward) load(ctx context.Context) error {
	if err := w.people(ctx); err != nil {
		return err
	}
	if err := w.houses(ctx); err != nil {
		return err
	}
	now, err := w.db.ProductNow(ctx)
	if err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	for from := 0; from < w.beds; from += bedBatch {
		err := w.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			for i := from; i < min(from+bedBatch, w.beds); i++ {
				b, err := w.bed(i, now)
				if err != nil {
					return err
				}
				if err := tx.CreateBed(ctx, b); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return w.db.Tidy(ctx, "person", "address", "conversation", "staff", "staff_role", "clinic", "bed", "bed_carer", "visit", "due")
}

// people writes everybody, each with a telephone.
func (w *ward) people(ctx context.Context) error {
	err := w.db.Load(ctx, "person", []string{"id", "kind", "phone_index"}, w.persons(), func(i int) ([]any, error) {
		index := sha256.Sum256([]byte(strconv.Itoa(i)))
		return []any{int64(i + 1), "resident", index[:]}, nil
	})
	if err != nil {
		return err
	}
	err = w.db.Load(ctx, "address", strings.Fields("id channel user_id chat person_id trust"), w.persons(), func(i int) ([]any, error) {
		user := strconv.Itoa(i + 1)
		return []any{int64(i + 1), string(smsChannel), user, user, int64(i + 1), "stable"}, nil
	})
	if err != nil {
		return err
	}
	err = w.db.Load(ctx, "conversation", strings.Fields("id channel chat user_id address_id"), w.persons(), func(i int) ([]any, error) {
		user := strconv.Itoa(i + 1)
		return []any{int64(i + 1), string(smsChannel), user, user, int64(i + 1)}, nil
	})
	if err != nil {
		return err
	}
	return w.db.Load(ctx, "staff", []string{"id", "person_id", "slug", "name"}, w.staff(), func(i int) ([]any, error) {
		return []any{int64(i + 1), int64(i + 1), "s" + strconv.Itoa(i+1), "王静"}, nil
	})
}

// houses writes hospital and clinics with the roles of their staff.
func (w *ward) houses(ctx context.Context) error {
	units := func(i int) (code, kind string) {
		if i == 0 {
			return "bench-hospital", string(care.TierHospital)
		}
		return "bench-clinic-" + strconv.Itoa(i), string(care.TierClinic)
	}
	err := w.db.Load(ctx, "unit", []string{"code", "name", "kind"}, 1+w.clinics(), func(i int) ([]any, error) {
		code, kind := units(i)
		return []any{code, code, kind}, nil
	})
	if err != nil {
		return err
	}
	err = w.db.Load(ctx, "clinic", strings.Fields("id code name tier hospital_id phone"), 1+w.clinics(), func(i int) ([]any, error) {
		code, kind := units(i)
		var hospital *int64
		if i > 0 {
			hospital = new(int64(1))
		}
		return []any{int64(i + 1), code, code, kind, hospital, "0799-6000000"}, nil
	})
	if err != nil {
		return err
	}
	return w.db.Load(ctx, "staff_role", strings.Fields("staff_id role area_kind area"), w.staff(), func(i int) ([]any, error) {
		role := people.RoleNurse
		if i%staffThere >= nursesThere {
			role = people.RoleDoctor
		}
		code, _ := units(1 + i/staffThere)
		return []any{int64(i + 1), string(role), string(people.AreaUnit), code}, nil
	})
}

// bed is the i-th: what the rules make of a wish, a signature and two orders.
func (w *ward) bed(i int, now time.Time) (*homecare.Bed, error) {
	rules, by := w.care.Rules, care.Actor{As: care.AsDesk, Staff: w.doctor(i)}
	patient := care.Patient{Person: int64(w.person(i, 0)), Where: care.AtHome, Grid: strconv.Itoa(i % 20), Dependent: true}
	if i%5 == 0 {
		patient.Address = patient.Person
	}
	b, err := rules.NewBed(care.Application{State: care.Registered, Patient: patient, Clinic: int64(2 + i/bedsAtClinic)}, rules.Policy().Beds.Types[0], 1)
	if err != nil {
		return nil, err
	}
	carer := func(n int) care.Carer {
		id := int64(w.person(i, n))
		return care.Carer{Person: id, Address: id, Relation: rules.Policy().Consent.Relations[0]}
	}
	carers := []care.Carer{carer(1)}
	if i%2 == 0 {
		carers = append(carers, carer(2))
	}
	zone := w.care.Orders.Work.Location()
	opened := now.AddDate(0, 0, -openedBefore)
	sign := care.Agreement{
		Form: care.OnScreen, Notice: rules.Policy().Consent.Notice, Terms: rules.Policy().Consent.Terms,
		Signer: carers[0].Person, Relation: carers[0].Relation, SignedAt: opened,
	}
	id := int64(3*i + 1)
	for _, c := range []care.BedCommand{
		care.Household{Carers: carers, Dependent: true},
		care.Sign{Agreement: sign},
		care.Open{Doctor: w.doctor(i), Nurse: w.nurse(i), HasDiagnosis: true, FirstVisitID: id, To: scheduler.DateOf(opened.In(zone)).AddDays(rules.Policy().Period.Most - 1)},
	} {
		if b, _, err = rules.Bed(b, by, c, opened); err != nil {
			return nil, fmt.Errorf("make a bed: %w", err)
		}
	}
	b.Items = nil // its first visit was long ago
	days := w.workdays(scheduler.DateOf(now.In(zone)).AddDays(2), 10)
	for _, it := range []care.Item{
		{ID: id + 1, Kind: "nursing", Every: 7, Staff: w.nurse(i), From: days[i/4%5]},
		{ID: id + 2, Kind: "round", Every: 14, Staff: w.doctor(i), From: days[(i/10)%10]},
	} {
		if b, _, err = rules.Bed(b, by, care.Order{Item: it}, now); err != nil {
			return nil, fmt.Errorf("order a visit: %w", err)
		}
	}
	for j := range b.Items {
		b.Items[j].Seq = 1 // nor is this the first visit of its orders
	}
	return &homecare.Bed{Bed: b, Programme: care.FamilyBed, Number: "JC-" + strconv.Itoa(i+1)}, nil
}

// workdays are n from a day on.
func (w *ward) workdays(from scheduler.Date, n int) []scheduler.Date {
	var days []scheduler.Date
	for d := from; len(days) < n; d = d.AddDays(1) {
		if w.care.Orders.Work.Calendar().IsWorkday(d) {
			days = append(days, d)
		}
	}
	return days
}
