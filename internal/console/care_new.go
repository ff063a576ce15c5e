package console

import (
	"context"
	"fmt"
	"slices"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// wishPage is the form by which a clerk takes down a caller's wish for a family bed.
type wishPage struct {
	Clinics []db.Clinic
	// Clinic is the one that serves the place, Places are to choose from.
	Clinic  int64
	Places  []string
	Unclear bool
	// Writes: numbers are written to by SMS.
	Writes bool
}

// mayApply: whoever takes callers' matters down, and the duty desk of a clinic.
func (c *Console) mayApply(v *visit) bool {
	return c.Care != nil && (c.mayFileSomewhere(v) || c.Orders.Rights.Anywhere(v.staff, people.MayRunBeds, v.Now))
}

func (c *Console) newApplication(ctx context.Context, v *visit) (answer, error) {
	if !c.mayApply(v) {
		return answer{}, errNotHere
	}
	p, _, err := c.wishPage(ctx, v)
	return answer{page: "care_new", data: p}, err
}

// wishPage reads what was typed as far as it goes.
func (c *Console) wishPage(ctx context.Context, v *visit) (*wishPage, *ticket.PlaceRef, error) {
	all, err := v.Clinics(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("list clinics: %w", err)
	}
	p := &wishPage{Writes: c.Phone != "", Clinic: v.number("clinic")}
	p.Clinics = slices.DeleteFunc(all, func(k db.Clinic) bool { return k.Tier != "clinic" })
	where := v.form("place")
	if where == "" {
		return p, nil, nil
	}
	place, options := c.place(where, v.pick(where))
	p.Places, p.Unclear = options, place == nil
	if place == nil || p.Clinic != 0 {
		return p, place, nil
	}
	serves, err := v.ClinicsFor(ctx, divisionsOf(place.Division))
	if err != nil {
		return nil, nil, fmt.Errorf("find the clinic of a place: %w", err)
	}
	if len(serves) == 1 {
		p.Clinic = serves[0].ID
	}
	return p, place, nil
}

// divisionsOf are a division and those in which it lies (GB/T 2260 and 10114: county
// 6 digits, township 9, village 12).
func divisionsOf(code string) []string {
	var list []string
	for _, n := range []int{12, 9, countyDigits} {
		if len(code) >= n {
			list = append(list, code[:n])
		}
	}
	return list
}

// fileApplication takes the wish down. A place that is not clear is asked again; a
// wish without a clinic is a draft that a clerk completes, none is refused for its
// form.
func (c *Console) fileApplication(ctx context.Context, v *visit) (answer, error) {
	if !c.mayApply(v) {
		return answer{}, errNotHere
	}
	p, place, err := c.wishPage(ctx, v)
	if err != nil {
		return answer{}, err
	}
	switch {
	case v.form("patient") == "":
		return answer{}, &badForm{"care.desk.problem.patient"}
	case people.E164(v.form("phone")) == "":
		return answer{}, &badForm{"console.problem.phone"}
	case p.Unclear && v.form("unplaced") == "":
		return answer{page: "care_new", data: p}, nil
	}
	w, err := c.wish(ctx, v, place)
	if err != nil {
		return answer{}, err
	}
	w.Clinic, w.Complete = p.Clinic, p.Clinic != 0 && v.form("place") != ""
	a, err := c.Care.Apply(ctx, v.Turn, w)
	if err != nil {
		return answer{}, err
	}
	return answer{to: fmt.Sprintf("/desk/care/filed/%d", a.ID)}, nil
}

// wish is what the form says, with the persons it speaks of.
func (c *Console) wish(ctx context.Context, v *visit, place *ticket.PlaceRef) (homecare.Wish, error) {
	w := homecare.Wish{Words: v.form("words"), Home: v.form("place"), By: care.Actor{As: care.AsDesk, Staff: v.staff.ID}}
	caller, err := c.householdPerson(ctx, v, v.form("name"), v.form("phone"), v.form("answer") == "sms")
	if err != nil {
		return w, err
	}
	patient := caller
	if v.form("self") == "" {
		if patient, err = c.householdPerson(ctx, v, v.form("patient"), v.form("patient_phone"), true, caller.Person); err != nil {
			return w, err
		}
	} else if err := c.nameOnce(ctx, v, patient.Person, v.form("patient")); err != nil {
		return w, err
	}
	w.Apply = care.Apply{
		Patient: care.Patient{
			Person: patient.Person, Address: patient.Address, Where: care.AtHome,
			LivesAlone: v.form("lives_alone") != "", Dependent: v.form("dependent") != "",
		},
		Applicant: caller.Person, Address: caller.Address, JustDischarged: v.form("just_discharged") != "",
	}
	if v.form("admitted") != "" {
		w.Patient.Where = care.Admitted
	}
	if place != nil {
		w.Patient.Grid = place.Grid
		if place.Label != w.Home {
			w.Home += " (" + place.Label + ")"
		}
	}
	return w, nil
}

// filedPage tells the clerk what to read out.
type filedPage struct {
	ID            int64
	Clinic, Phone string
	Draft, Writes bool
	By            careDue
}

// filedApplication is read by who took the call: the clinic's pages are not theirs.
func (c *Console) filedApplication(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	if !c.mayApply(v) {
		return answer{}, errNotHere
	}
	a, err := v.LoadApplication(ctx, id, false)
	if err != nil {
		return answer{}, err
	}
	if a.EnteredBy != v.staff.ID {
		return answer{}, errNotHere
	}
	p := &filedPage{ID: id, Draft: a.State == care.Draft, Writes: a.Address != 0, By: careDue{At: a.Due}}
	if a.Clinic != 0 {
		k, err := v.GetClinic(ctx, a.Clinic)
		if err != nil {
			return answer{}, fmt.Errorf("load a clinic: %w", err)
		}
		p.Clinic, p.Phone = k.Name, k.Phone
	}
	return answer{page: "care_filed", data: p}, nil
}
