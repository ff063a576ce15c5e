package console

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
)

// bedShown is a bed on its page.
type bedShown struct {
	ID                    int64
	Number, State, Type   string
	Reason                string
	Clinic, Hospital      string
	Patient               string
	PatientPhone          string
	Where                 string
	LivesAlone, Dependent bool
	Carers                []carerShown
	Doctor, Nurse         string
	From, To              string
	Left                  int
	HasPeriod             bool
	Outcome               string
	Consented             bool
	Agreement             *agreementShown
	Before                []agreementShown
	Orders                []orderShown
	Coming, Past          []visitLine
	Skips                 []skipShown
	Looked                bool
	Home, Diagnosis       string
	Closing               string
	Notes                 []noteShown
	Forms                 []careForm
	Trail                 []careMoment
	Action                string // where its forms go
}

type carerShown struct {
	Name, Phone, Relation   string
	Writes, Stopped, Shared bool
}

type agreementShown struct {
	ID                         int64
	Form, Relation             string
	Notice, Terms              int
	SignedAt, WithdrawnAt      time.Time
	EnteredBy                  string
	GridWorker, Stands, IsNote bool
	Scans                      []string
}

type orderShown struct {
	ID                          int64
	Kind, Rhythm, Window, Staff string
	From, Until, Next, Interval string
	Ended                       bool
	Missed                      int
}

type skipShown struct{ Day, Reason string }

type noteShown struct {
	At               time.Time
	Who, Kind, Words string
}

func bedPath(id int64) string { return fmt.Sprintf("/desk/bed/%d", id) }

func (c *Console) showBed(ctx context.Context, v *visit) (answer, error) {
	return c.readBed(ctx, v, false)
}

// lookAtBed shows whole names and numbers, where the patient lives, the diagnosis and
// the last records, once, for a reason that is kept.
func (c *Console) lookAtBed(ctx context.Context, v *visit) (answer, error) {
	return c.readBed(ctx, v, true)
}

func (c *Console) readBed(ctx context.Context, v *visit, whole bool) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	on, err := c.bedAt(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	if whole {
		if err := v.looks(ctx, homecare.BedSubject(id), "look.bed"); err != nil {
			return answer{}, err
		}
	}
	p, err := c.bedPage(ctx, v, on, whole)
	return answer{page: "care_bed", data: p}, err
}

func (c *Console) bedPage(ctx context.Context, v *visit, on *bedside, whole bool) (*bedShown, error) {
	b := on.bed
	p := &bedShown{
		ID: b.ID, Number: b.Number, State: string(b.State), Type: b.Type, Reason: c.careReason(b.Reason), Where: string(b.Patient.Where),
		LivesAlone: b.Patient.LivesAlone, Dependent: b.Patient.Dependent, Outcome: b.Outcome, Consented: c.Care.Rules.Consented(b.Bed),
		Looked: whole, Action: bedPath(b.ID),
	}
	if period := b.Period(); period != (care.Period{}) {
		p.HasPeriod, p.Left = true, period.Left(c.today(v))
		p.From, p.To = period.From.String(), period.To.String()
	}
	for _, add := range []func(context.Context, *visit, *bedside, *bedShown) error{
		c.addHousehold, c.addTeam, c.addAgreements, c.addOrders, c.addVisits, c.addSealed,
	} {
		if err := add(ctx, v, on, p); err != nil {
			return nil, err
		}
	}
	var err error
	if p.Forms, err = c.careForms(ctx, v, on, bedDeeds(), care.Beds().Allowed(b.State, on.by.As)); err != nil {
		return nil, err
	}
	p.Trail, err = c.careTrail(ctx, v, homecare.BedSubject(b.ID))
	return p, err
}

// addHousehold adds patient and carers, whole when somebody looks.
func (c *Console) addHousehold(ctx context.Context, v *visit, on *bedside, p *bedShown) (err error) {
	b := on.bed
	if p.Patient, p.PatientPhone, err = c.personShown(ctx, v, b.Patient.Person, p.Looked); err != nil {
		return err
	}
	for _, k := range b.Carers {
		line := carerShown{Relation: k.Relation, Writes: k.Address != 0, Stopped: k.Stopped, Shared: k.Shared}
		if line.Name, line.Phone, err = c.personShown(ctx, v, k.Person, p.Looked); err != nil {
			return err
		}
		p.Carers = append(p.Carers, line)
	}
	return nil
}

// addTeam adds who is responsible, and the organisations.
func (c *Console) addTeam(ctx context.Context, v *visit, on *bedside, p *bedShown) error {
	b := on.bed
	all, err := v.Clinics(ctx)
	if err != nil {
		return fmt.Errorf("list clinics: %w", err)
	}
	names := clinicNames(all)
	p.Clinic, p.Hospital = names[b.Clinic], names[b.Hospital]
	staff, err := c.staffNames(ctx, v, b.Doctor, b.Nurse)
	p.Doctor, p.Nurse = staff[b.Doctor], staff[b.Nurse]
	return err
}

// staffNames are the names of some of the staff by id.
func (c *Console) staffNames(ctx context.Context, v *visit, ids ...int64) (map[int64]string, error) {
	rows, err := v.StaffNames(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("load the names of the staff: %w", err)
	}
	names := map[int64]string{}
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, nil
}

// addAgreements adds what was signed and withdrawn, the last first.
func (c *Console) addAgreements(ctx context.Context, v *visit, on *bedside, p *bedShown) error {
	rows, err := v.Agreements(ctx, on.bed.ID)
	if err != nil {
		return fmt.Errorf("list the agreements of a bed: %w", err)
	}
	for i, r := range rows {
		var a care.Agreement
		if err := json.Unmarshal(r.Body, &a); err != nil {
			return fmt.Errorf("read an agreement: %w", err)
		}
		names, err := c.staffNames(ctx, v, a.EnteredBy)
		if err != nil {
			return err
		}
		shown := agreementShown{
			ID: r.ID, Form: string(a.Form), Relation: a.Relation, Notice: a.Notice, Terms: a.Terms, SignedAt: a.SignedAt, WithdrawnAt: a.WithdrawnAt,
			EnteredBy: names[a.EnteredBy], GridWorker: a.GridWorker, Stands: a.Stands(), Scans: strings.Fields(a.Scan),
		}
		if i == 0 {
			p.Agreement = &shown
		} else {
			p.Before = append(p.Before, shown)
		}
	}
	return nil
}

// addOrders adds the plan.
func (c *Console) addOrders(ctx context.Context, v *visit, on *bedside, p *bedShown) error {
	var ids []int64
	for _, it := range on.bed.Items {
		ids = append(ids, it.Staff)
	}
	names, err := c.staffNames(ctx, v, ids...)
	if err != nil {
		return err
	}
	for _, it := range on.bed.Items {
		o := orderShown{
			ID: it.ID, Kind: it.Kind, Rhythm: c.rhythm(it), Staff: names[it.Staff], From: it.From.String(), Ended: !it.EndedAt.IsZero(), Missed: it.Missed,
			Interval: c.text("care.desk.interval", "early", fmt.Sprint(it.Early), "late", fmt.Sprint(it.Late)),
		}
		if it.Window != (scheduler.Span{}) {
			o.Window = homecare.Window(it.Window)
		}
		if it.Until != (scheduler.Date{}) {
			o.Until = it.Until.String()
		}
		if it.Next != (scheduler.Date{}) && !o.Ended {
			o.Next = it.Next.String()
		}
		p.Orders = append(p.Orders, o)
	}
	return nil
}

// rhythm says how often.
func (c *Console) rhythm(it care.Item) string {
	switch {
	case it.Every > 0:
		return c.text("care.desk.every", "n", fmt.Sprint(it.Every))
	case len(it.Weekdays) > 0:
		var days []string
		for _, d := range it.Weekdays {
			days = append(days, c.text(fmt.Sprintf("care.weekday.%d", d)))
		}
		said := strings.Join(days, c.text("care.and"))
		if it.Weeks > 1 {
			return c.text("care.desk.weeks", "n", fmt.Sprint(it.Weeks), "days", said)
		}
		return said
	}
	return c.text("care.desk.once")
}

// What a bed's page shows of its visits: so many days back and ahead.
const (
	daysBack, daysAhead = 60, 120
	maxSkips, maxNotes  = 20, 5
)

// addVisits adds the visits to come and those that are over.
func (c *Console) addVisits(ctx context.Context, v *visit, on *bedside, p *bedShown) error {
	today := c.today(v)
	rows, err := v.VisitsOfBed(ctx, on.bed.ID, postgres.DayOf(today.AddDays(-daysBack)), postgres.DayOf(today.AddDays(daysAhead)))
	if err != nil {
		return fmt.Errorf("list the visits of a bed: %w", err)
	}
	visits := postgres.VisitsOf(rows)
	ids := make([]int64, len(visits))
	for i, one := range visits {
		ids[i] = one.Staff
	}
	names, err := c.staffNames(ctx, v, ids...)
	if err != nil {
		return err
	}
	for _, one := range visits {
		l, err := c.visitLine(v, one, "", names[one.Staff])
		if err != nil {
			return err
		}
		if one.State.Open() {
			p.Coming = append(p.Coming, l)
		} else {
			p.Past = append(p.Past, l)
		}
	}
	slices.Reverse(p.Past)
	skips, err := v.SkipsOfBed(ctx, on.bed.ID, maxSkips)
	if err != nil {
		return fmt.Errorf("list the skipped slots of a bed: %w", err)
	}
	for _, s := range skips {
		p.Skips = append(p.Skips, skipShown{scheduler.DateOf(s.Nominal).String(), c.careReason(s.Reason)})
	}
	return nil
}

// addSealed adds what is read for a reason only.
func (c *Console) addSealed(ctx context.Context, v *visit, on *bedside, p *bedShown) error {
	if !p.Looked {
		return nil
	}
	b := on.bed
	for _, w := range []struct {
		into   *string
		what   string
		sealed []byte
	}{{&p.Home, homecare.SealHome, b.Home}, {&p.Diagnosis, homecare.SealDiagnosis, b.Diagnosis}, {&p.Closing, homecare.SealClosing, b.Closing}} {
		var err error
		if *w.into, err = v.Open(w.what, w.sealed); err != nil {
			return err
		}
	}
	rows, err := v.NotesOfBed(ctx, b.ID, maxNotes)
	if err != nil {
		return fmt.Errorf("list the records of a bed: %w", err)
	}
	for _, r := range rows {
		names, err := c.staffNames(ctx, v, r.StaffID)
		if err != nil {
			return err
		}
		words, err := v.Open(homecare.SealNote, r.Body)
		if err != nil {
			return err
		}
		p.Notes = append(p.Notes, noteShown{At: r.At, Who: names[r.StaffID], Kind: r.Kind, Words: words})
	}
	return nil
}

// doBed does what a form of the bed's page says.
func (c *Console) doBed(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	on, err := c.bedAt(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	if on.by.As == "" {
		return answer{}, &care.Refused{Key: care.KeyNotYours}
	}
	return c.doCare(ctx, v, on, bedDeeds(), bedPath(id))
}

// bedFile serves a scan of an agreement.
func (c *Console) bedFile(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	if _, err := c.bedAt(ctx, v, id); err != nil {
		return answer{}, err
	}
	files, err := v.BedFiles(ctx, id)
	if err != nil {
		return answer{}, fmt.Errorf("list the files of a bed: %w", err)
	}
	blob := v.r.PathValue("blob")
	if !slices.Contains(files, blob) {
		return answer{}, errNotHere
	}
	if err := v.Record(ctx, "look.agreement", homecare.BedSubject(id), nil, ""); err != nil {
		return answer{}, err
	}
	mime, data, err := c.Gateway.OpenBlob(ctx, v.Queries, blob)
	return answer{mime: mime, file: data}, err
}
