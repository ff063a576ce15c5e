package care

import (
	"slices"
	"strconv"
	"time"

	"shaoying/scheduler"
)

// BedState is where a family bed stands.
type BedState string

// The states of a bed. What is expiring or overdue is no state: Period.Left.
const (
	// BedPending: made from an application, waits for the signature.
	BedPending BedState = "pending"
	// BedOpen: visits are planned and the family is written to.
	BedOpen BedState = "open"
	// BedSuspended: in hospital, away, refused or consent withdrawn. Nothing
	// is planned; time that passes is written down slot by slot.
	BedSuspended BedState = "suspended"
	// BedClosed 撤床.
	BedClosed BedState = "closed"
)

// BedStates lists the states in the order of a life.
func BedStates() []BedState { return []BedState{BedPending, BedOpen, BedSuspended, BedClosed} }

// The reasons of a suspension that the rules themselves use; the others are in
// Policy.Reasons.Suspend.
const (
	SuspendAdmission = "admission" // 住院
	SuspendAway      = "away"      // 外出
	SuspendConsent   = "consent"   // withdrawn
)

// Period 建床周期 is one term of a bed; both days belong to it.
type Period struct {
	From, To scheduler.Date
}

// Left returns the days left after today: 余N天, negative 超N天.
func (p Period) Left(today scheduler.Date) int { return daysBetween(today, p.To) }

// Bed 家床 with its household, its periods and its orders.
type Bed struct {
	ID          int64
	Application int64
	Patient     Patient
	Clinic      int64 // organisation with the duty desk
	Hospital    int64
	Type        string // treatment, rehabilitation, palliative
	State       BedState
	Reason      string // of the suspension
	Doctor      int64
	Nurse       int64
	Agreement   Agreement
	Carers      []Carer // in the order in which they are asked
	Periods     []Period
	Items       []Item
	Pauses      []Pause // suspensions, the last one perhaps running
	// JustDischarged: the first visit comes sooner.
	JustDischarged bool
	Outcome        string // 转归
	OpenedAt       time.Time
	StateAt        time.Time
	ConsentLostAt  time.Time
	StoppedAt      time.Time // when somebody of the family last left messages
	Version        int       // grows by one with every applied command
}

func (b Bed) clone() Bed {
	b.Carers, b.Periods = slices.Clone(b.Carers), slices.Clone(b.Periods)
	b.Items, b.Pauses = slices.Clone(b.Items), slices.Clone(b.Pauses)
	return b
}

// Period returns the running or last period; the zero Period before the first.
func (b Bed) Period() Period {
	if len(b.Periods) == 0 {
		return Period{}
	}
	return b.Periods[len(b.Periods)-1]
}

func (b Bed) item(id int64) int {
	return slices.IndexFunc(b.Items, func(i Item) bool { return i.ID == id })
}

// family reports whether the person is of the household.
func (b Bed) family(person int64) bool {
	return person != 0 && (person == b.Patient.Person || slices.ContainsFunc(b.Carers, func(c Carer) bool { return c.Person == person }))
}

// The commands of a bed.
const (
	CmdSign            CommandName = "sign"
	CmdOpen            CommandName = "open"
	CmdWithdrawConsent CommandName = "withdraw_consent"
	CmdSuspend         CommandName = "suspend"
	CmdResume          CommandName = "resume"
	CmdRenew           CommandName = "renew"
	CmdHousehold       CommandName = "household"
	CmdTexts           CommandName = "texts"
	CmdTeam            CommandName = "team"
	CmdOrder           CommandName = "order"
	CmdEndOrder        CommandName = "end_order"
	CmdClose           CommandName = "close"
	CmdDeath           CommandName = "death"
)

// BedCommand is something that somebody wants done with a bed.
type BedCommand interface{ command[Bed] }

// Sign enters the agreement. While it is missing or withdrawn nobody of the
// family is written to.
type Sign struct{ Agreement Agreement }

// Open 建床 starts the first period, with a first visit ordered by the policy.
type Open struct {
	Doctor, Nurse int64
	HasDiagnosis  bool // the words lie sealed elsewhere
	To            scheduler.Date
	FirstVisitID  int64 // id of the item that orders it
}

// WithdrawConsent takes effect at once, whoever of the family taps it: it is as
// easy as giving (个人信息保护法 art. 15). Messages end, visits are held, the
// desk rings; care itself is ended by the desk.
type WithdrawConsent struct{}

// Suspend holds the bed. Admission is one of the reasons and is accepted from
// whoever says so first.
type Suspend struct{ Reason string }

// Resume goes on after a suspension; Discharged orders the next visits as after
// a discharge.
type Resume struct{ Discharged bool }

// Renew 续床 adds a period after the running one.
type Renew struct{ To scheduler.Date }

// Household replaces carers and what is known about the patient at home.
type Household struct {
	Carers     []Carer
	LivesAlone bool
	Dependent  bool
}

// Texts is a person of the family leaving messages (R, STOP) or coming back to
// them, and with him whoever of the household reads the same phone: one phone
// cannot be written to and left alone. It changes nothing about the care.
type Texts struct {
	Person int64
	Stop   bool
}

// Team replaces the responsible doctor and nurse.
type Team struct{ Doctor, Nurse int64 }

// Order adds an item to the plan, or replaces the one with its id.
type Order struct{ Item Item }

// EndOrder ends an item from today on.
type EndOrder struct{ ItemID int64 }

// Close 撤床. The counts are what the records say; each of them refuses.
type Close struct {
	Outcome      string
	HasDiagnosis bool
	UnderWay     int // visits between departure and end
	Unwritten    int // done visits without a record
	Returns      int // drugs and things to be given back
}

// Death closes at once: nothing that is missing holds it up.
type Death struct{}

// Name implements command.
func (Sign) Name() CommandName { return CmdSign }

// Name implements command.
func (Open) Name() CommandName { return CmdOpen }

// Name implements command.
func (WithdrawConsent) Name() CommandName { return CmdWithdrawConsent }

// Name implements command.
func (Suspend) Name() CommandName { return CmdSuspend }

// Name implements command.
func (Resume) Name() CommandName { return CmdResume }

// Name implements command.
func (Renew) Name() CommandName { return CmdRenew }

// Name implements command.
func (Household) Name() CommandName { return CmdHousehold }

// Name implements command.
func (Texts) Name() CommandName { return CmdTexts }

// Name implements command.
func (Team) Name() CommandName { return CmdTeam }

// Name implements command.
func (Order) Name() CommandName { return CmdOrder }

// Name implements command.
func (EndOrder) Name() CommandName { return CmdEndOrder }

// Name implements command.
func (Close) Name() CommandName { return CmdClose }

// Name implements command.
func (Death) Name() CommandName { return CmdDeath }

// Beds is the state machine of beds (reference family-bed 1.2).
func Beds() Machine[BedState] {
	clinic := []Capacity{AsDesk, AsDoctor}
	alive := []BedState{BedPending, BedOpen, BedSuspended}
	running := []BedState{BedOpen, BedSuspended}
	return Machine[BedState]{
		{CmdSign, alive, clinic, alive},
		{CmdOpen, []BedState{BedPending}, clinic, []BedState{BedOpen}},
		{CmdWithdrawConsent, alive, []Capacity{AsFamily, AsDesk}, []BedState{BedPending, BedSuspended}},
		{CmdSuspend, running, []Capacity{AsDesk, AsDoctor, AsHospital, AsSystem}, []BedState{BedSuspended}},
		{CmdResume, []BedState{BedSuspended}, []Capacity{AsDesk, AsDoctor, AsHospital}, []BedState{BedOpen}},
		{CmdRenew, running, clinic, running},
		{CmdHousehold, alive, clinic, alive},
		{CmdTexts, alive, []Capacity{AsFamily, AsDesk, AsSystem}, alive},
		{CmdTeam, running, clinic, running},
		{CmdOrder, running, clinic, running},
		{CmdEndOrder, running, clinic, running},
		{CmdClose, alive, clinic, []BedState{BedClosed}},
		{CmdDeath, alive, []Capacity{AsDesk, AsDoctor, AsHospital, AsSystem}, []BedState{BedClosed}},
	}
}

// NewBed is the bed that a registered application becomes. Its carers are
// entered by the Household command before anybody signs.
func (r *Rules) NewBed(a Application, kind string, hospital int64) (Bed, error) {
	switch {
	case a.State != Registered:
		return Bed{}, refuse(KeyState, "command", "new_bed", "state", string(a.State))
	case !slices.Contains(r.policy.Beds.Types, kind):
		return Bed{}, among(kind, r.policy.Beds.Types)
	}
	return Bed{
		Application: a.ID, Patient: a.Patient, Clinic: a.Clinic, Hospital: hospital, Type: kind, State: BedPending,
		JustDischarged: a.JustDischarged, StateAt: a.StateAt,
	}, nil
}

// Bed runs one command. On refusal (*Refused) or failure what comes back is
// what went in. What the command ends is cleared by Clears of its events and by
// the next Plan and Ladder, in the same transaction.
func (r *Rules) Bed(b Bed, by Actor, c BedCommand, now time.Time) (Bed, []Event, error) {
	if by.As == AsFamily && !b.family(by.Person) || by.As == AsDoctor && b.Doctor != 0 && by.Staff == 0 {
		return b, nil, refuse(KeyNotYours, "command", string(c.Name()), "capacity", string(by.As))
	}
	next := b.clone()
	s := &step[Bed]{Rules: r, t: &next, by: by, now: now}
	events, err := run(r.beds, s, func(b *Bed) BedState { return b.State }, c)
	if err != nil {
		return b, nil, err
	}
	next.Version++
	return next, events, nil
}

// pause starts a suspension, or gives the running one another reason.
func (s *step[T]) pause(b *Bed, reason string) {
	if n := len(b.Pauses); b.State == BedSuspended && n > 0 {
		b.Pauses[n-1].To = s.today()
	}
	b.Pauses = append(b.Pauses, Pause{Reason: reason, From: s.today()})
	s.enterBed(b, BedSuspended, reason)
}

func (s *step[T]) enterBed(b *Bed, state BedState, reason string) {
	b.State, b.Reason, b.StateAt = state, reason, s.now
}

func (c Sign) apply(s *step[Bed]) error {
	if err := s.sign(*s.t, c.Agreement); err != nil {
		return err
	}
	c.Agreement.EnteredBy, c.Agreement.WithdrawnAt, c.Agreement.WithdrawnBy = s.by.Staff, time.Time{}, 0
	s.t.Agreement, s.t.ConsentLostAt = c.Agreement, time.Time{}
	s.event(EventSigned, "form", string(c.Agreement.Form), "relation", c.Agreement.Relation)
	return nil
}

func (WithdrawConsent) apply(s *step[Bed]) error {
	b := s.t
	if !b.Agreement.Stands() {
		return refuse(KeyConsent)
	}
	b.Agreement.WithdrawnAt, b.Agreement.WithdrawnBy = s.now, max(s.by.Person, s.by.Staff)
	b.ConsentLostAt = s.now
	if b.State == BedOpen {
		s.pause(b, SuspendConsent)
	}
	s.event(EventConsentWithdrawn)
	return nil
}

func (c Suspend) apply(s *step[Bed]) error {
	b := s.t
	if err := among(c.Reason, s.policy.Reasons.Suspend); err != nil {
		return err
	}
	if b.State == BedSuspended && b.Reason == c.Reason {
		return refuse(KeySame)
	}
	switch c.Reason {
	case SuspendAdmission:
		b.Patient.Where = Admitted
	case SuspendAway:
		b.Patient.Where = Away
	}
	s.pause(b, c.Reason)
	s.event(EventSuspended, "reason", c.Reason)
	return nil
}

func (c Resume) apply(s *step[Bed]) error {
	b := s.t
	if !b.Agreement.Stands() {
		return refuse(KeyConsent)
	}
	today := s.today()
	b.Patient.Where = AtHome
	b.Pauses[len(b.Pauses)-1].To = today
	s.enterBed(b, BedOpen, "")
	for i := range b.Items {
		b.Items[i].resume(today, s.firstVisit(c.Discharged))
	}
	s.event(EventResumed, "discharged", strconv.FormatBool(c.Discharged))
	return nil
}

func (c Household) apply(s *step[Bed]) error {
	for i, k := range c.Carers {
		twice := slices.ContainsFunc(c.Carers[:i], func(o Carer) bool { return o.Person == k.Person })
		if k.Person == 0 || k.Person == s.t.Patient.Person || twice {
			return refuse(KeyNoContact)
		}
		if err := among(k.Relation, s.policy.Consent.Relations); err != nil {
			return err
		}
	}
	if len(c.Carers) == 0 && s.t.Patient.Address == 0 {
		return refuse(KeyNoContact)
	}
	s.t.Carers = slices.Clone(c.Carers)
	s.t.Patient.LivesAlone, s.t.Patient.Dependent = c.LivesAlone, c.Dependent
	s.event(EventHousehold, "carers", strconv.Itoa(len(c.Carers)))
	return nil
}

func (c Texts) apply(s *step[Bed]) error {
	b := s.t
	if !b.family(c.Person) || s.by.As == AsFamily && s.by.Person != c.Person {
		return refuse(KeyNotYours, "command", string(CmdTexts), "capacity", string(s.by.As))
	}
	phone, stopped := b.Patient.Address, b.Patient.Stopped
	for _, k := range b.Carers {
		if k.Person == c.Person {
			phone, stopped = k.Address, k.Stopped
		}
	}
	if stopped == c.Stop {
		return refuse(KeySame)
	}
	same := func(person, address int64) bool { return person == c.Person || address != 0 && address == phone }
	if same(b.Patient.Person, b.Patient.Address) {
		b.Patient.Stopped = c.Stop
	}
	for i, k := range b.Carers {
		if same(k.Person, k.Address) {
			b.Carers[i].Stopped = c.Stop
		}
	}
	if c.Stop {
		b.StoppedAt = s.now
	}
	s.event(EventTexts, "stop", strconv.FormatBool(c.Stop))
	return nil
}

func (c Team) apply(s *step[Bed]) error {
	if c.Doctor == 0 || c.Nurse == 0 {
		return refuse(KeyNoDoctor)
	}
	s.t.Doctor, s.t.Nurse = c.Doctor, c.Nurse
	s.event(EventTeam)
	return nil
}
