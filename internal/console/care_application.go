package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
)

// careDue is by when something is to be done.
type careDue struct {
	At   time.Time
	Late bool
}

// wishShown is an application on its page.
type wishShown struct {
	ID                    int64
	State, Reason         string
	Clinic                string
	Patient, Applicant    string
	Phone                 string
	Writes                bool
	Due                   careDue
	Filed                 time.Time
	JustDischarged        bool
	LivesAlone, Dependent bool
	Looked                bool
	Words, Home           string
	Forms                 []careForm
	Trail                 []careMoment
	Action                string // where its forms go
}

// applicationAt loads an application for who may look at it.
func (c *Console) applicationAt(ctx context.Context, v *visit) (*bedside, error) {
	id, err := v.id("id")
	if err != nil {
		return nil, err
	}
	if c.Care == nil {
		return nil, errNotHere
	}
	a, err := c.Care.ApplicationOf(ctx, v.Turn, id)
	if errors.Is(err, homecare.ErrNotYours) {
		return nil, errNotHere
	}
	if err != nil {
		return nil, err
	}
	by, acts, err := c.Care.ActorFor(ctx, v.Turn, v.staff, a)
	if err != nil {
		return nil, err
	}
	if !acts {
		looks, err := c.clinics(ctx, v, people.MayViewBeds)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(looks, func(k db.Clinic) bool { return k.ID == a.Clinic }) {
			return nil, errNotHere
		}
	}
	return &bedside{by: by, application: a}, nil
}

func (c *Console) showApplication(ctx context.Context, v *visit) (answer, error) {
	on, err := c.applicationAt(ctx, v)
	if err != nil {
		return answer{}, err
	}
	p, err := c.applicationPage(ctx, v, on, false)
	return answer{page: "care_application", data: p}, err
}

// lookAtApplication shows what was said and where the patient lives, once, for a
// reason that is kept.
func (c *Console) lookAtApplication(ctx context.Context, v *visit) (answer, error) {
	on, err := c.applicationAt(ctx, v)
	if err != nil {
		return answer{}, err
	}
	if err := v.looks(ctx, homecare.ApplicationSubject(on.application.ID), "look.application"); err != nil {
		return answer{}, err
	}
	p, err := c.applicationPage(ctx, v, on, true)
	return answer{page: "care_application", data: p}, err
}

// looks writes down that somebody reads what is sealed, and why.
func (v *visit) looks(ctx context.Context, subject, kind string) error {
	if v.form("reason") == "" {
		return errForm
	}
	return v.Record(ctx, kind, subject, nil, v.form("reason"))
}

func (c *Console) applicationPage(ctx context.Context, v *visit, on *bedside, whole bool) (*wishShown, error) {
	a := on.application
	p := &wishShown{
		ID: a.ID, State: string(a.State), Reason: c.careReason(a.Reason), Writes: a.Address != 0, Filed: a.FiledAt, Looked: whole,
		Due:            careDue{a.Due, a.State.Open() && !a.Due.IsZero() && v.Now.After(a.Due)},
		JustDischarged: a.JustDischarged, LivesAlone: a.Patient.LivesAlone, Dependent: a.Patient.Dependent,
		Action: fmt.Sprintf("/desk/care/application/%d", a.ID),
	}
	var err error
	if p.Patient, _, err = c.personShown(ctx, v, a.Patient.Person, whole); err != nil {
		return nil, err
	}
	if p.Applicant, p.Phone, err = c.personShown(ctx, v, a.Applicant, whole); err != nil {
		return nil, err
	}
	if whole {
		if p.Words, err = v.Open(homecare.SealWords, a.Words); err != nil {
			return nil, err
		}
		if p.Home, err = v.Open(homecare.SealHome, a.Home); err != nil {
			return nil, err
		}
	}
	if a.Clinic != 0 {
		k, err := v.GetClinic(ctx, a.Clinic)
		if err != nil {
			return nil, fmt.Errorf("load a clinic: %w", err)
		}
		p.Clinic = k.Name
	}
	if p.Forms, err = c.careForms(ctx, v, on, applicationDeeds(), care.Applications().Allowed(a.State, on.by.As)); err != nil {
		return nil, err
	}
	p.Trail, err = c.careTrail(ctx, v, homecare.ApplicationSubject(a.ID))
	return p, err
}

// doApplication does the next step of an application. Registering leads to the bed.
func (c *Console) doApplication(ctx context.Context, v *visit) (answer, error) {
	on, err := c.applicationAt(ctx, v)
	if err != nil {
		return answer{}, err
	}
	if on.by.As == "" {
		return answer{}, &care.Refused{Key: care.KeyNotYours}
	}
	a, err := c.doCare(ctx, v, on, applicationDeeds(), fmt.Sprintf("/desk/care/application/%d", on.application.ID))
	if err != nil {
		return a, err
	}
	if on.bed != nil {
		a.to = bedPath(on.bed.ID)
	} else if _, err := c.applicationAt(ctx, v); errors.Is(err, errNotHere) {
		a.to = "/desk/care" // it has become a clinic's
	}
	return a, nil
}

// applicationDeeds are the steps of an application in their order.
func applicationDeeds() []careDeed {
	return []careDeed{
		{name: care.CmdComplete, ask: askComplete, do: complete},
		{name: care.CmdScreen, ask: askScreen, do: screen},
		{name: care.CmdAssess, ask: func(_ context.Context, c *Console, _ *visit, _ *bedside) ([]field, error) {
			return []field{c.yesNo("condition"), c.yesNo("home_fit")}, nil
		}, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.step(ctx, v, on, care.Assess{Condition: v.form("condition") == "yes", Home: v.form("home_fit") == "yes"})
		}},
		{name: care.CmdRegister, ask: askRegister, do: register},
		{name: care.CmdReturn, ask: func(_ context.Context, c *Console, _ *visit, _ *bedside) ([]field, error) {
			return []field{c.codes("reason", "care.reason.return", c.Care.Rules.Policy().Reasons.Return, "")}, nil
		}, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.step(ctx, v, on, care.Return{Reason: v.form("reason")})
		}},
		{name: care.CmdReject, ask: func(_ context.Context, c *Console, _ *visit, _ *bedside) ([]field, error) {
			return []field{c.codes("reason", "care.reason.reject", c.Care.Rules.Policy().Reasons.Reject, "")}, nil
		}, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.step(ctx, v, on, care.Reject{Reason: v.form("reason")})
		}},
		{name: care.CmdDeath, sure: true, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.step(ctx, v, on, care.PatientDied{})
		}},
	}
}

func (c *Console) step(ctx context.Context, v *visit, on *bedside, command care.ApplicationCommand) error {
	_, err := c.Care.DoApplication(ctx, v.Turn, on.application.ID, on.by, command)
	return err
}

// yesNo is a question that has to be answered.
func (c *Console) yesNo(name string) field {
	return c.codes(name, "care.desk.answer", []string{"yes", "no"}, "")
}

func askComplete(ctx context.Context, c *Console, v *visit, on *bedside) ([]field, error) {
	all, err := v.Clinics(ctx)
	if err != nil {
		return nil, fmt.Errorf("list clinics: %w", err)
	}
	clinic := field{Name: "clinic", Kind: "pick", Label: "care_clinic", Required: true, Value: idText(on.application.Clinic)}
	for _, k := range all {
		if k.Tier == "clinic" {
			clinic.Options = append(clinic.Options, choice{idText(k.ID), k.Name})
		}
	}
	p := on.application.Patient
	return []field{
		clinic, lineField("patient", "", false), lineField("place", "", on.application.Home == nil), tick("lives_alone", p.LivesAlone), tick("dependent", p.Dependent),
	}, nil
}

func complete(ctx context.Context, c *Console, v *visit, on *bedside) error {
	p := on.application.Patient
	p.LivesAlone, p.Dependent = v.form("lives_alone") != "", v.form("dependent") != ""
	where := v.form("place")
	if where == "" && on.application.Home == nil {
		return errForm
	}
	if where != "" {
		if place, _ := c.place(where, ""); place != nil {
			p.Grid = place.Grid
		}
	}
	if err := c.setName(ctx, v, p.Person, v.form("patient")); err != nil {
		return err
	}
	_, err := c.Care.CompleteWith(ctx, v.Turn, on.application.ID, on.by, care.Complete{Clinic: v.number("clinic")}, p, where)
	return err
}

func askScreen(_ context.Context, c *Console, _ *visit, _ *bedside) ([]field, error) {
	var list []field
	for _, q := range c.Care.Rules.Policy().Application.Questions {
		f := c.yesNo("q_" + q)
		f.Label = ""
		f.Say = c.text("care.question." + q)
		list = append(list, f)
	}
	return list, nil
}

func screen(ctx context.Context, c *Console, v *visit, on *bedside) error {
	answers := map[string]bool{}
	for _, q := range c.Care.Rules.Policy().Application.Questions {
		if said := v.form("q_" + q); said != "" {
			answers[q] = said == "yes"
		}
	}
	return c.step(ctx, v, on, care.Screen{Answers: answers})
}

func askRegister(ctx context.Context, c *Console, v *visit, on *bedside) ([]field, error) {
	a := on.application
	list := []field{c.codes("type", "care.desk.type", c.Care.Rules.Policy().Beds.Types, ""), lineField("number", "", true)}
	hospital := field{Name: "hospital", Kind: "pick", Label: "care_hospital"}
	all, err := v.Clinics(ctx)
	if err != nil {
		return nil, fmt.Errorf("list clinics: %w", err)
	}
	for _, k := range all {
		if k.ID == a.Clinic && k.HospitalID != nil {
			hospital.Value = idText(*k.HospitalID)
		}
		if k.Tier == "hospital" {
			hospital.Options = append(hospital.Options, choice{idText(k.ID), k.Name})
		}
	}
	list = append(list, hospital)
	household, err := c.askHousehold(ctx, v, c.applicants(a))
	if err != nil {
		return nil, err
	}
	return append(append(list, household...), tick("lives_alone", a.Patient.LivesAlone), tick("dependent", a.Patient.Dependent)), nil
}

// applicants is who applied as the first carer, unless the patient did.
func (c *Console) applicants(a *homecare.Application) []care.Carer {
	if a.Applicant == a.Patient.Person {
		return nil
	}
	return []care.Carer{{Person: a.Applicant, Address: a.Address}}
}

func register(ctx context.Context, c *Console, v *visit, on *bedside) error {
	a := on.application
	h, err := c.household(ctx, v, c.applicants(a), a.Patient.Person)
	if err != nil {
		return err
	}
	number := v.form("number")
	if number == "" {
		return errForm
	}
	if err := c.freeNumber(ctx, v, number); err != nil {
		return err
	}
	on.bed, err = c.Care.Register(ctx, v.Turn, a.ID, on.by, homecare.NewBed{
		Type: v.form("type"), Number: number, Hospital: v.number("hospital"), Household: h,
	})
	return err
}

// freeNumber refuses the number of another bed.
func (c *Console) freeNumber(ctx context.Context, v *visit, number string) error {
	taken, err := v.NumberTaken(ctx, &number)
	switch {
	case err != nil:
		return fmt.Errorf("look for a bed of a number: %w", err)
	case taken:
		return &badForm{"care.desk.problem.taken"}
	}
	return nil
}

// askHousehold asks for carers: those that are known, and two more.
func (c *Console) askHousehold(ctx context.Context, v *visit, known []care.Carer) ([]field, error) {
	var list []field
	relations := c.Care.Rules.Policy().Consent.Relations
	for i, k := range known {
		n := strconv.Itoa(i + 1)
		name, phone, err := c.masked(ctx, v, k.Person)
		if err != nil {
			return nil, err
		}
		order := field{Name: "order_" + n, Kind: "number", Value: n, Say: c.text("care.desk.carer", "name", name, "phone", phone)}
		relation := c.codes("relation_"+n, "care.relation", relations, k.Relation)
		relation.Label, relation.Required = "care_relation", false
		again := lineField("phone_"+n, "", false)
		again.Label = "care_new_phone"
		shared := tick("shared_"+n, k.Shared)
		shared.Label = "care_shared"
		list = append(list, order, relation, again, shared)
	}
	for _, n := range []string{"new1", "new2"} {
		name := lineField("name_"+n, "", false)
		name.Label = "care_carer_" + n
		phone := lineField("phone_"+n, "", false)
		phone.Label = "care_carer_phone"
		relation := c.codes("relation_"+n, "care.relation", relations, "")
		relation.Label, relation.Required = "care_relation", false
		shared := tick("shared_"+n, false)
		shared.Label = "care_shared"
		list = append(list, name, phone, relation, shared)
	}
	return list, nil
}

// clinicNames are the names of organisations by id.
func clinicNames(list []db.Clinic) map[int64]string {
	names := map[int64]string{}
	for _, k := range list {
		names[k.ID] = k.Name
	}
	return names
}
