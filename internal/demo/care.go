package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"shaoying/bots"
	"shaoying/configs"
	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// SettingCare marks the databases whose demo has its family beds.
const SettingCare = "demo_care"

const (
	careFile    = "demo/care.yaml"
	clinicsFile = "demo/clinics.csv"
)

// CarePlan is configs/demo/care.yaml: who works at the clinics, and the families.
type CarePlan struct {
	Source   string   `yaml:"source"`
	Staff    []Hired  `yaml:"staff"`
	Families []Family `yaml:"families"`
}

// Hired is a member of a clinic's or a hospital's staff. The name is invented.
type Hired struct {
	Slug       string      `yaml:"slug"`
	Role       people.Role `yaml:"role"`
	Unit       string      `yaml:"unit"`
	Substitute string      `yaml:"substitute"`
}

// Family is a household, whose first carer sits before a page of their own.
type Family struct {
	Slug     string    `yaml:"slug"`
	Name     string    `yaml:"name"`
	Relation string    `yaml:"relation"`
	Patient  string    `yaml:"patient"`
	Clinic   string    `yaml:"clinic"`
	Grid     string    `yaml:"grid"`
	Home     string    `yaml:"home"`
	Words    string    `yaml:"words"`
	Applied  time.Time `yaml:"applied"`
	// Bed is nil while the application waits.
	Bed *PlannedBed `yaml:"bed"`
}

// PlannedBed is a bed as it stands when the demo begins.
type PlannedBed struct {
	Number    string    `yaml:"number"`
	Type      string    `yaml:"type"`
	Diagnosis string    `yaml:"diagnosis"`
	Assessed  time.Time `yaml:"assessed"`
	Opened    time.Time `yaml:"opened"`
	Doctor    string    `yaml:"doctor"`
	Nurse     string    `yaml:"nurse"`
	First     struct {
		Left    time.Time `yaml:"left"`
		Arrived time.Time `yaml:"arrived"`
		Done    time.Time `yaml:"done"`
		Note    string    `yaml:"note"`
	} `yaml:"first"`
	Orders []struct {
		Kind  string `yaml:"kind"`
		Every int    `yaml:"every"`
		From  string `yaml:"from"`
		Staff string `yaml:"staff"`
	} `yaml:"orders"`
}

// ReadCarePlan reads the embedded plan.
func ReadCarePlan() (CarePlan, error) {
	var p CarePlan
	body, err := configs.Read(careFile)
	if err != nil {
		return p, fmt.Errorf("read embedded %s: %w", careFile, err)
	}
	if err := configs.Decode(careFile, body, &p); err != nil {
		return p, err
	}
	if len(p.Staff) == 0 || p.Staff[0].Role != people.RoleClinicDesk {
		return p, fmt.Errorf("%s: the first of the staff must be a clinic desk: it enters the beds", careFile)
	}
	return p, nil
}

// Ward lays the family beds of the demo. They go the way of every bed, through
// the commands of package homecare, with the product clock at the time of each
// step: so they have a past.
type Ward struct {
	Gateway *gateway.Gateway
	Care    *homecare.Service
	// Web is the channel account over which families chat.
	Web bots.ChannelID
}

// Lay lays the beds, unless they are there. A city that an older program laid has
// no clinics and stays as it is. Call it before what is due is run.
func (w Ward) Lay(ctx context.Context) error {
	plan, err := ReadCarePlan()
	if err != nil {
		return err
	}
	desk, err := w.Gateway.DB.StaffBySlug(ctx, plan.Staff[0].Slug)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the clinic's desk: %w", err)
	}
	err = w.Gateway.Desk(ctx, desk.ID, desk.PersonID, func(ctx context.Context, t *gateway.Turn) error {
		if _, err := t.Setting(ctx, SettingCare); !errors.Is(err, postgres.ErrNoRows) {
			return err // nil: they are there
		}
		now := t.Now
		for _, f := range plan.Families {
			if err := (household{w, t, f}).move(ctx); err != nil {
				return fmt.Errorf("lay the demo's family %s: %w", f.Slug, err)
			}
		}
		if err := setClock(ctx, t, now); err != nil {
			return err
		}
		return t.PutSetting(ctx, SettingCare, "1")
	})
	if err != nil {
		return err
	}
	return w.Gateway.DB.SyncClock(ctx)
}

// setClock moves the product clock of the transaction and the turn in it.
func setClock(ctx context.Context, t *gateway.Turn, at time.Time) error {
	wall, err := t.DatabaseNow(ctx)
	if err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	if err := t.SetClockShift(ctx, at.Sub(wall).Seconds()); err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	t.Now = at
	return nil
}

// household moves one family in.
type household struct {
	Ward
	*gateway.Turn
	Family
}

func (h household) move(ctx context.Context) error {
	if err := setClock(ctx, h.Turn, h.Applied); err != nil {
		return err
	}
	carer, err := h.person(ctx, h.Name)
	if err != nil {
		return err
	}
	patient, err := h.person(ctx, h.Patient)
	if err != nil {
		return err
	}
	address, conversation, err := h.seat(ctx, carer)
	if err != nil {
		return err
	}
	clinic, err := h.ClinicByCode(ctx, h.Clinic)
	if err != nil {
		return fmt.Errorf("look for clinic %s: %w", h.Clinic, err)
	}
	h.Turn.Conversation = conversation
	a, err := h.Care.Apply(ctx, h.Turn, homecare.Wish{
		Apply: care.Apply{
			Patient:   care.Patient{Person: patient, Where: care.AtHome, Grid: h.Grid},
			Applicant: carer, Address: address, Clinic: clinic.ID, Complete: true,
		},
		Words: h.Words, Home: h.Home, By: care.Actor{As: care.AsFamily, Person: carer},
	})
	h.Turn.Conversation = 0
	if err != nil || h.Bed == nil {
		return err
	}
	who := care.Carer{Person: carer, Relation: h.Relation, Address: address}
	return h.open(ctx, a.ID, *clinic.HospitalID, who)
}

func (h household) person(ctx context.Context, name string) (int64, error) {
	id, err := h.NewPerson(ctx)
	if err != nil {
		return 0, fmt.Errorf("make a person: %w", err)
	}
	if err := h.SetPersonName(ctx, id, h.Seal(workorder.SealName, name)); err != nil {
		return 0, fmt.Errorf("keep a name: %w", err)
	}
	return id, nil
}

// seat gives the carer a place before the web page.
func (h household) seat(ctx context.Context, carer int64) (address, conversation int64, err error) {
	chat := string(seatOf(h.Gateway.Keys, h.Slug))
	address, err = h.NewAddress(ctx, db.NewAddressParams{
		Channel: string(h.Web), UserID: chat, Chat: chat, PersonID: carer, Trust: bots.TrustSession.String(),
	})
	if err != nil {
		return 0, 0, fmt.Errorf("give a family its address: %w", err)
	}
	conversation, err = h.NewConversation(ctx, db.NewConversationParams{Channel: string(h.Web), Chat: chat, UserID: chat, AddressID: address})
	if err != nil {
		return 0, 0, fmt.Errorf("give a family its conversation: %w", err)
	}
	return address, conversation, nil
}

// open goes from the application to the open bed and its first visit.
func (h household) open(ctx context.Context, application, hospital int64, carer care.Carer) error {
	by, b := care.Actor{As: care.AsDesk, Staff: h.Staff}, h.Bed
	doctor, err := h.staff(ctx, b.Doctor)
	if err != nil {
		return err
	}
	nurse, err := h.staff(ctx, b.Nurse)
	if err != nil {
		return err
	}
	if err := setClock(ctx, h.Turn, b.Assessed); err != nil {
		return err
	}
	answers := map[string]bool{}
	for _, q := range h.Care.Rules.Policy().Application.Questions {
		answers[q] = true
	}
	for _, c := range []care.ApplicationCommand{care.Screen{Answers: answers}, care.Assess{Condition: true, Home: true}} {
		if _, err := h.Care.DoApplication(ctx, h.Turn, application, by, c); err != nil {
			return err
		}
	}
	if err := setClock(ctx, h.Turn, b.Opened); err != nil {
		return err
	}
	bed, err := h.Care.Register(ctx, h.Turn, application, by, homecare.NewBed{
		Type: b.Type, Number: b.Number, Hospital: hospital, Household: care.Household{Carers: []care.Carer{carer}, Dependent: true},
	})
	if err != nil {
		return err
	}
	consent := h.Care.Rules.Policy().Consent
	first, err := h.NextItem(ctx)
	if err != nil {
		return fmt.Errorf("number an order: %w", err)
	}
	commands := []care.BedCommand{
		care.Sign{Agreement: care.Agreement{
			Form: care.OnScreen, Notice: consent.Notice, Terms: consent.Terms, Signer: carer.Person, Relation: carer.Relation, SignedAt: h.Now,
		}},
		care.Open{Doctor: doctor, Nurse: nurse, HasDiagnosis: true, FirstVisitID: first},
	}
	for _, o := range b.Orders {
		it := care.Item{Kind: o.Kind, Every: o.Every}
		if it.ID, err = h.NextItem(ctx); err != nil {
			return fmt.Errorf("number an order: %w", err)
		}
		if it.Staff, err = h.staff(ctx, o.Staff); err != nil {
			return err
		}
		if it.From, err = scheduler.ParseDate(o.From); err != nil {
			return err
		}
		commands = append(commands, care.Order{Item: it})
	}
	for _, c := range commands {
		if _, err := h.Care.DoBedWith(ctx, h.Turn, bed.ID, by, c, homecare.Draft{Diagnosis: b.Diagnosis}); err != nil {
			return err
		}
	}
	// What the family was told of its steps was told then.
	if _, err := h.ClearDue(ctx, "demo", homecare.ApplicationSubject(application), []string{homecare.DueNews}); err != nil {
		return fmt.Errorf("clear what was told: %w", err)
	}
	return h.visit(ctx, bed.ID, first, doctor, carer.Person)
}

// visit makes the first visit, as its visitor would.
func (h household) visit(ctx context.Context, bed, item, doctor, carer int64) error {
	visits, err := h.VisitsOfBed(ctx, bed, postgres.DayOf(scheduler.DateOf(h.Bed.Opened)), postgres.DayOf(scheduler.DateOf(h.Bed.First.Done)))
	if err != nil {
		return fmt.Errorf("read the visits of a bed: %w", err)
	}
	i := slices.IndexFunc(visits, func(v db.Visit) bool { return v.ItemID == item })
	if i < 0 {
		return errors.New("no first visit was planned")
	}
	id := visits[i].ID
	by, first := homecare.AsVisitor(doctor), h.Bed.First
	for _, step := range []struct {
		at time.Time
		do care.VisitCommand
	}{{first.Left, care.Leave{}}, {first.Arrived, care.Arrive{Adult: true}}} {
		if err := setClock(ctx, h.Turn, step.at); err != nil {
			return err
		}
		if _, _, err := h.Care.DoVisit(ctx, h.Turn, id, by, step.do); err != nil {
			return err
		}
	}
	if err := setClock(ctx, h.Turn, first.Done); err != nil {
		return err
	}
	_, _, err = h.Care.Finish(ctx, h.Turn, id, by, care.Finish{Present: carer}, first.Note)
	return err
}

func (h household) staff(ctx context.Context, slug string) (int64, error) {
	s, err := h.StaffBySlug(ctx, slug)
	if err != nil {
		return 0, fmt.Errorf("look for %s: %w", slug, err)
	}
	return s.ID, nil
}
