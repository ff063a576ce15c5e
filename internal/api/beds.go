package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// beds registers what programs read and do about family beds. No answer holds a
// name, a telephone number, an address, an illness or the words of anybody: a
// hospital's system knows its patients by the number of the bed.
func (a *API) beds() {
	read(a, get("listBeds", "/beds", "Family beds of the token's clinic or hospital, the oldest first"), people.MayViewBeds, a.listBeds)
	read(a, get("getBed", "/beds/{id}", "One family bed"), people.MayViewBeds, a.getBed)
	read(a, get("listVisits", "/beds/{id}/visits", "The visits of a bed by day"), people.MayViewBeds, a.listVisits)
	read(a, get("getVisit", "/visits/{id}", "One visit"), people.MayViewBeds, a.getVisit)
	read(a, get("listOffers", "/visits/{id}/offers", "Times to which the visit may be moved now"), people.MayViewBeds, a.listOffers)
	read(a, get("listApplications", "/applications", "Applications for a family bed, the oldest first"), people.MayViewBeds, a.listApplications)
	read(a, get("getApplication", "/applications/{id}", "One application"), people.MayViewBeds, a.getApplication)
	a.bedCommands()
	a.visitCommands()
	a.applicationCommands()
	a.programmes()
}

// IDPath names a bed, a visit or an application in an address.
type IDPath struct {
	ID int64 `path:"id" minimum:"1"`
}

// Bed is a family bed.
type Bed struct {
	ID       int64      `json:"id"`
	Number   string     `json:"number,omitempty" doc:"as the clinic writes it"`
	Clinic   string     `json:"clinic" doc:"code of the clinic's unit"`
	Hospital string     `json:"hospital,omitempty"`
	Type     string     `json:"type"`
	State    string     `json:"state" doc:"pending, open, suspended, closed"`
	Reason   string     `json:"reason,omitempty" doc:"of a suspension"`
	Outcome  string     `json:"outcome,omitempty" doc:"of a closed bed"`
	Version  int        `json:"version" doc:"grows with every change"`
	Doctor   string     `json:"doctor,omitempty" doc:"short name of the staff member"`
	Nurse    string     `json:"nurse,omitempty"`
	OpenedAt *time.Time `json:"opened_at,omitempty"`
	Period   *BedPeriod `json:"period,omitempty" doc:"the running or last one"`
	// Consent is false while nobody of the family is written to.
	Consent bool     `json:"consent" doc:"an agreement stands: the family may be written to"`
	Patient int64    `json:"patient" doc:"id of the person"`
	Carers  []Carer  `json:"carers" doc:"in the order in which they are asked"`
	Orders  []Order  `json:"orders" doc:"those that run"`
	Allowed []string `json:"allowed" doc:"the commands that this token may give now"`
}

// BedPeriod is a term of a bed; both days belong to it.
type BedPeriod struct {
	From string `json:"from"`
	To   string `json:"to"`
	Left int    `json:"left" doc:"days left after today; below 0 it is over"`
}

// Carer is one of the family who is written to.
type Carer struct {
	Person    int64  `json:"person"`
	Relation  string `json:"relation"`
	Reachable bool   `json:"reachable" doc:"has an address and wants texts"`
}

// Order is what is done how often.
type Order struct {
	ID       int64          `json:"id"`
	Kind     string         `json:"kind"`
	Every    int            `json:"every,omitempty" doc:"days"`
	Weekdays []time.Weekday `json:"weekdays,omitempty" doc:"0 is Sunday"`
	Weeks    int            `json:"weeks,omitempty"`
	Staff    string         `json:"staff"`
	Window   string         `json:"window,omitempty"`
	Minutes  int            `json:"minutes"`
	From     string         `json:"from"`
	Until    string         `json:"until,omitempty"`
	Next     string         `json:"next,omitempty" doc:"nominal day of the next slot that is not settled"`
}

// orgs are the clinics and hospitals in whose beds the token may look.
func (a *API) orgs(ctx context.Context, v *visit) ([]int64, error) {
	return a.Care.ClinicsOf(ctx, v.Turn, v.staff, people.MayViewBeds)
}

// bedAt reads a bed that the token may see, and as what it may act there; the zero
// capacity where it may only look.
func (a *API) bedAt(ctx context.Context, v *visit, id int64) (*homecare.Bed, care.Actor, error) {
	b, err := a.Care.LoadBed(ctx, v.Turn, id)
	if err != nil {
		return nil, care.Actor{}, missing("load a bed", err)
	}
	by, err := a.actorAt(ctx, v, b, nil)
	return b, by, err
}

// actorAt says as what the token may act at a bed, and at one of its visits; errNotFound
// where it may not even look.
func (a *API) actorAt(ctx context.Context, v *visit, b *homecare.Bed, one *care.Visit) (care.Actor, error) {
	orgs, err := a.orgs(ctx, v)
	if err != nil {
		return care.Actor{}, err
	}
	if b.Programme != care.FamilyBed || !contains(orgs, b.Clinic) && !contains(orgs, b.Hospital) {
		return care.Actor{}, errNotFound
	}
	by, _, err := a.Care.ActorAt(ctx, v.Turn, v.staff, b, one)
	return by, err
}

func contains(ids []int64, id int64) bool { return id != 0 && slices.Contains(ids, id) }

// slugs names staff, "" for 0.
func (a *API) slugs(ctx context.Context, v *visit, ids ...int64) (map[int64]string, error) {
	rows, err := v.StaffSlugsOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("name staff: %w", err)
	}
	names := make(map[int64]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Slug
	}
	return names, nil
}

func dayText(d scheduler.Date) string {
	if d == (scheduler.Date{}) {
		return ""
	}
	return d.String()
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func spanText(s scheduler.Span) string {
	if s == (scheduler.Span{}) {
		return ""
	}
	return s.String()
}

func (a *API) viewBed(ctx context.Context, v *visit, b *homecare.Bed, by care.Actor) (*Bed, error) {
	ids := []int64{b.Doctor, b.Nurse}
	for _, it := range b.Items {
		ids = append(ids, it.Staff)
	}
	names, err := a.slugs(ctx, v, ids...)
	if err != nil {
		return nil, err
	}
	out := &Bed{
		ID: b.ID, Number: b.Number, Type: b.Type, State: string(b.State), Reason: b.Reason, Outcome: b.Outcome, Version: b.Version,
		Doctor: names[b.Doctor], Nurse: names[b.Nurse], OpenedAt: moment(b.OpenedAt), Consent: a.Care.Rules.Consented(b.Bed),
		Patient: b.Patient.Person, Carers: []Carer{}, Orders: []Order{}, Allowed: []string{},
	}
	if out.Clinic, err = a.orgCode(ctx, v, b.Clinic); err != nil {
		return nil, err
	}
	if out.Hospital, err = a.orgCode(ctx, v, b.Hospital); err != nil {
		return nil, err
	}
	if p := b.Period(); p != (care.Period{}) {
		out.Period = &BedPeriod{From: p.From.String(), To: p.To.String(), Left: p.Left(a.Care.Today(v.Turn))}
	}
	for _, c := range b.Carers {
		out.Carers = append(out.Carers, Carer{Person: c.Person, Relation: c.Relation, Reachable: c.Address != 0 && !c.Stopped})
	}
	for _, it := range b.Items {
		if !it.EndedAt.IsZero() {
			continue
		}
		out.Orders = append(out.Orders, Order{
			ID: it.ID, Kind: it.Kind, Every: it.Every, Weekdays: it.Weekdays, Weeks: it.Weeks, Staff: names[it.Staff], Window: spanText(it.Window),
			Minutes: it.Minutes, From: it.From.String(), Until: dayText(it.Until), Next: dayText(it.Next),
		})
	}
	if by.As != "" {
		for _, c := range care.Beds().Allowed(b.State, by.As) {
			if a.offered["bed."+string(c)] {
				out.Allowed = append(out.Allowed, string(c))
			}
		}
	}
	return out, nil
}

func (a *API) orgCode(ctx context.Context, v *visit, id int64) (string, error) {
	if id == 0 {
		return "", nil
	}
	c, err := v.GetClinic(ctx, id)
	if err != nil {
		return "", fmt.Errorf("load a clinic: %w", err)
	}
	return c.Code, nil
}

type listBedsInput struct {
	Paging
	State string `query:"state" enum:"pending,open,suspended,closed" doc:"only beds in this state"`
}

func (a *API) listBeds(ctx context.Context, v *visit, in *listBedsInput) (*Page[Bed], error) {
	after, err := in.at("beds", 0)
	if err != nil {
		return nil, err
	}
	orgs, err := a.orgs(ctx, v)
	if err != nil {
		return nil, err
	}
	rows := a.rows(in.Paging)
	ids, err := v.BedPage(ctx, db.BedPageParams{After: after, Orgs: orgs, State: in.State, MaxRows: int32(rows)})
	if err != nil {
		return nil, fmt.Errorf("list beds: %w", err)
	}
	beds, err := v.LoadBeds(ctx, ids, false)
	if err != nil {
		return nil, err
	}
	page := &Page[Bed]{Items: []Bed{}}
	for _, b := range beds {
		by, _, err := a.Care.ActorAt(ctx, v.Turn, v.staff, b, nil)
		if err != nil {
			return nil, err
		}
		view, err := a.viewBed(ctx, v, b, by)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, *view)
	}
	if len(ids) == rows {
		page.Next = cursorOf("beds", ids[len(ids)-1])
	}
	return page, nil
}

func (a *API) getBed(ctx context.Context, v *visit, in *IDPath) (*Bed, error) {
	b, by, err := a.bedAt(ctx, v, in.ID)
	if err != nil {
		return nil, err
	}
	return a.viewBed(ctx, v, b, by)
}

// Application is a wish for a family bed.
type Application struct {
	ID             int64      `json:"id"`
	State          string     `json:"state" doc:"draft, submitted, returned, eligible, accepted, registered, rejected, withdrawn"`
	Clinic         string     `json:"clinic,omitempty"`
	Reason         string     `json:"reason,omitempty"`
	Due            *time.Time `json:"due,omitempty" doc:"by when the next step is taken"`
	FiledAt        *time.Time `json:"filed_at"`
	JustDischarged bool       `json:"just_discharged"`
	Version        int        `json:"version"`
	Allowed        []string   `json:"allowed" doc:"the commands that this token may give now"`
}

func (a *API) viewApplication(ctx context.Context, v *visit, one *homecare.Application) (*Application, error) {
	code, err := a.orgCode(ctx, v, one.Clinic)
	if err != nil {
		return nil, err
	}
	out := &Application{
		ID: one.ID, State: string(one.State), Clinic: code, Reason: one.Reason, Due: moment(one.Due), FiledAt: moment(one.FiledAt),
		JustDischarged: one.JustDischarged, Version: one.Version, Allowed: []string{},
	}
	by, ok, err := a.Care.ActorFor(ctx, v.Turn, v.staff, one)
	if err != nil || !ok {
		return out, err
	}
	for _, c := range care.Applications().Allowed(one.State, by.As) {
		if a.offered["application."+string(c)] {
			out.Allowed = append(out.Allowed, string(c))
		}
	}
	return out, nil
}

type listApplicationsInput struct {
	Paging
	State string `query:"state" enum:"draft,submitted,returned,eligible,accepted,registered,rejected,withdrawn"`
}

func (a *API) listApplications(ctx context.Context, v *visit, in *listApplicationsInput) (*Page[Application], error) {
	after, err := in.at("applications", 0)
	if err != nil {
		return nil, err
	}
	orgs, err := a.orgs(ctx, v)
	if err != nil {
		return nil, err
	}
	rows := a.rows(in.Paging)
	ids, err := v.ApplicationPage(ctx, db.ApplicationPageParams{After: after, Orgs: orgs, State: in.State, MaxRows: int32(rows)})
	if err != nil {
		return nil, fmt.Errorf("list applications: %w", err)
	}
	page := &Page[Application]{Items: []Application{}}
	for _, id := range ids {
		one, err := a.Care.ApplicationOf(ctx, v.Turn, id)
		if err != nil {
			return nil, err
		}
		view, err := a.viewApplication(ctx, v, one)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, *view)
	}
	if len(ids) == rows {
		page.Next = cursorOf("applications", ids[len(ids)-1])
	}
	return page, nil
}

// applicationAt reads an application that the token may see.
func (a *API) applicationAt(ctx context.Context, v *visit, id int64) (*homecare.Application, error) {
	one, err := a.Care.ApplicationOf(ctx, v.Turn, id)
	if errors.Is(err, homecare.ErrNotYours) || errors.Is(err, postgres.ErrNoRows) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, err
	}
	orgs, err := a.orgs(ctx, v)
	if err != nil {
		return nil, err
	}
	if one.Clinic == 0 {
		return nil, errNotFound
	}
	c, err := v.GetClinic(ctx, one.Clinic)
	if err != nil {
		return nil, fmt.Errorf("load a clinic: %w", err)
	}
	if !contains(orgs, c.ID) && (c.HospitalID == nil || !contains(orgs, *c.HospitalID)) {
		return nil, errNotFound
	}
	return one, nil
}

func (a *API) getApplication(ctx context.Context, v *visit, in *IDPath) (*Application, error) {
	one, err := a.applicationAt(ctx, v, in.ID)
	if err != nil {
		return nil, err
	}
	return a.viewApplication(ctx, v, one)
}
