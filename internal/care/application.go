package care

import (
	"slices"
	"strings"
	"time"
)

// ApplicationState is where an application 建床申请 stands.
type ApplicationState string

// The states of an application. The zero value is one that does not exist yet.
const (
	// Draft: a clerk completes it; the family was heard all the same.
	Draft ApplicationState = "draft"
	// Submitted: the clinic asks whether a bed is possible at all.
	Submitted ApplicationState = "submitted"
	// Returned: the family has to add something.
	Returned ApplicationState = "returned"
	// Eligible: waits for the assessment at home.
	Eligible ApplicationState = "eligible"
	// Accepted: assessed, waits for notice and agreement.
	Accepted ApplicationState = "accepted"
	// Registered: a bed stands in its place.
	Registered ApplicationState = "registered"
	// Rejected: not possible, and the family was told what is; or the patient has
	// died (Reason), and it was told nothing.
	Rejected ApplicationState = "rejected"
	// Withdrawn: the family no longer wants it.
	Withdrawn ApplicationState = "withdrawn"
)

// ApplicationStates lists the states in the order of a life.
func ApplicationStates() []ApplicationState {
	return []ApplicationState{Draft, Submitted, Returned, Eligible, Accepted, Registered, Rejected, Withdrawn}
}

// Open reports whether somebody still has to do something about it.
func (s ApplicationState) Open() bool {
	return s != "" && s != Registered && s != Rejected && s != Withdrawn
}

// Whereabouts is where the patient is, as far as is known.
type Whereabouts string

// The whereabouts of a patient.
const (
	AtHome   Whereabouts = "at_home"
	Admitted Whereabouts = "admitted" // 住院
	Away     Whereabouts = "away"
	Dead     Whereabouts = "dead"
)

// Patient is who is cared for, in ids and facts.
type Patient struct {
	Person int64
	// Address is the patient's own way to be written to, 0 for none.
	Address    int64
	Stopped    bool // wrote R on this topic, as Carer.Stopped
	Where      Whereabouts
	LivesAlone bool
	// Dependent: cannot care for himself, so that an adult must be there at
	// every visit (CHJ 四.8).
	Dependent bool
	Grid      string
}

func (p Patient) reachable() bool { return p.Address != 0 && !p.Stopped }

// Application is one wish for a family bed. Words (condition, diagnosis) lie
// sealed elsewhere.
type Application struct {
	ID        int64
	State     ApplicationState
	Patient   Patient
	Applicant int64 // person who asked
	Address   int64 // address it came by; every step is answered there
	Clinic    int64
	EnteredBy int64 // clerk who wrote down a call, 0 when the family wrote
	// Answers are the questions of Policy.Application.Questions by code.
	Answers map[string]bool
	// JustDischarged: the first visit comes sooner.
	JustDischarged bool
	Reason         string
	// Due is by when the side that has it takes the next step.
	Due        time.Time
	StateAt    time.Time
	FiledAt    time.Time
	AssessedBy int64 // staff who assessed, 0 while nobody did
	Version    int   // grows by one with every applied command
}

func (a Application) clone() Application {
	answers := make(map[string]bool, len(a.Answers))
	for k, v := range a.Answers {
		answers[k] = v
	}
	a.Answers = answers
	return a
}

// The commands of an application.
const (
	CmdApply    CommandName = "apply"
	CmdComplete CommandName = "complete"
	CmdReturn   CommandName = "return"
	CmdScreen   CommandName = "screen"
	CmdAssess   CommandName = "assess"
	CmdRegister CommandName = "register"
	CmdReject   CommandName = "reject"
	CmdWithdraw CommandName = "withdraw"
)

// ApplicationCommand is something that somebody wants done with an application.
type ApplicationCommand interface{ command[Application] }

// Apply files an application. What is not known yet (Complete false) makes a
// draft for a clerk: no wish is refused for its form.
type Apply struct {
	Patient        Patient
	Applicant      int64
	Address        int64
	Clinic         int64
	Complete       bool
	JustDischarged bool
	// HasBed: the patient has an open bed or application already.
	HasBed bool
}

// Complete adds what was missing.
type Complete struct{ Clinic int64 }

// Return asks the family for more.
type Return struct{ Reason string }

// Screen 资格 answers the questions of the policy; all of them, all with yes.
type Screen struct{ Answers map[string]bool }

// Assess 评估 is the look at the patient and the home.
type Assess struct{ Condition, Home bool }

// Register hands over to a bed, which waits for the signature.
type Register struct{}

// Reject ends an application that is not possible; the reason has a text that
// tells the family what is.
type Reject struct{ Reason string }

// Withdraw ends it at the family's wish.
type Withdraw struct{}

// PatientDied ends it because the patient is no more; the family is told nothing.
type PatientDied struct{}

// Name implements command.
func (Apply) Name() CommandName { return CmdApply }

// Name implements command.
func (Complete) Name() CommandName { return CmdComplete }

// Name implements command.
func (Return) Name() CommandName { return CmdReturn }

// Name implements command.
func (Screen) Name() CommandName { return CmdScreen }

// Name implements command.
func (Assess) Name() CommandName { return CmdAssess }

// Name implements command.
func (Register) Name() CommandName { return CmdRegister }

// Name implements command.
func (Reject) Name() CommandName { return CmdReject }

// Name implements command.
func (Withdraw) Name() CommandName { return CmdWithdraw }

// Name implements command.
func (PatientDied) Name() CommandName { return CmdDeath }

// Applications is the state machine of applications (reference family-bed 1.2,
// with the assessment of issue 7, item 1, as a state of its own: somebody waits
// there).
func Applications() Machine[ApplicationState] {
	family, clinic := []Capacity{AsFamily, AsDesk}, []Capacity{AsDesk, AsDoctor}
	return Machine[ApplicationState]{
		{CmdApply, []ApplicationState{""}, []Capacity{AsFamily, AsDesk, AsHospital}, []ApplicationState{Draft, Submitted}},
		{CmdComplete, []ApplicationState{Draft, Returned}, family, []ApplicationState{Submitted}},
		{CmdReturn, []ApplicationState{Submitted, Eligible}, clinic, []ApplicationState{Returned}},
		{CmdScreen, []ApplicationState{Submitted}, clinic, []ApplicationState{Eligible}},
		{CmdAssess, []ApplicationState{Eligible}, clinic, []ApplicationState{Accepted}},
		{CmdRegister, []ApplicationState{Accepted}, clinic, []ApplicationState{Registered}},
		{CmdReject, []ApplicationState{Draft, Submitted, Returned, Eligible, Accepted}, clinic, []ApplicationState{Rejected}},
		{CmdWithdraw, []ApplicationState{Draft, Submitted, Returned, Eligible, Accepted}, family, []ApplicationState{Withdrawn}},
		{CmdDeath, []ApplicationState{Draft, Submitted, Returned, Eligible, Accepted}, []Capacity{AsDesk, AsDoctor, AsSystem}, []ApplicationState{Rejected}},
	}
}

// Application runs one command. On refusal (*Refused) or failure what comes
// back is what went in.
func (r *Rules) Application(a Application, by Actor, c ApplicationCommand, now time.Time) (Application, []Event, error) {
	if a.State != "" && by.As == AsFamily && by.Person != a.Applicant && by.Person != a.Patient.Person {
		return a, nil, refuse(KeyNotYours, "command", string(c.Name()), "capacity", string(by.As))
	}
	next := a.clone()
	s := &step[Application]{Rules: r, t: &next, by: by, now: now}
	events, err := run(r.applications, s, func(a *Application) ApplicationState { return a.State }, c)
	if err != nil {
		return a, nil, err
	}
	next.Version++
	return next, events, nil
}

// enter sets the state and by when the next step is taken.
func (s *step[T]) enter(a *Application, state ApplicationState) {
	a.State, a.StateAt, a.Due = state, s.now, time.Time{}
	if limit, ok := s.policy.Application.Within[state]; ok {
		a.Due = limit.Deadline(s.now, s.work)
	}
}

// presence refuses what the patient's whereabouts forbid. HIS refuses both ways
// in its own words ("在院病人不能家床申请", reference 1.2).
func presence(p Patient) error {
	switch p.Where {
	case Dead:
		return refuse(KeyDead)
	case Admitted:
		return refuse(KeyInpatient)
	}
	return nil
}

func (c Apply) apply(s *step[Application]) error {
	if err := presence(c.Patient); err != nil {
		return err
	}
	switch {
	case c.HasBed:
		return refuse(KeyHasBed)
	case c.Patient.Person == 0 || c.Applicant == 0:
		return refuse(KeyIncomplete, "what", "patient")
	case s.by.As == AsFamily && s.by.Person != c.Applicant:
		return refuse(KeyNotYours, "command", string(CmdApply), "capacity", string(s.by.As))
	}
	*s.t = Application{
		ID: s.t.ID, Patient: c.Patient, Applicant: c.Applicant, Address: c.Address, Clinic: c.Clinic,
		EnteredBy: s.by.Staff, JustDischarged: c.JustDischarged, FiledAt: s.now, Answers: map[string]bool{},
	}
	state := Draft
	if c.Complete && c.Clinic != 0 {
		state = Submitted
	}
	s.enter(s.t, state)
	s.event(EventApplied)
	return nil
}

func (c Complete) apply(s *step[Application]) error {
	if c.Clinic != 0 {
		s.t.Clinic = c.Clinic
	}
	if s.t.Clinic == 0 {
		return refuse(KeyIncomplete, "what", "clinic")
	}
	s.t.Reason = ""
	s.enter(s.t, Submitted)
	s.event(EventCompleted)
	return nil
}

func (c Return) apply(s *step[Application]) error {
	if err := among(c.Reason, s.policy.Reasons.Return); err != nil {
		return err
	}
	s.t.Reason = c.Reason
	s.enter(s.t, Returned)
	s.event(EventReturned, "reason", c.Reason)
	return nil
}

func (c Screen) apply(s *step[Application]) error {
	if err := presence(s.t.Patient); err != nil {
		return err
	}
	for _, q := range s.policy.Application.Questions {
		yes, known := c.Answers[q]
		if !known {
			return refuse(KeyIncomplete, "what", q)
		}
		if !yes {
			return refuse(KeyIneligible, "question", q)
		}
		s.t.Answers[q] = true
	}
	s.enter(s.t, Eligible)
	s.event(EventScreened)
	return nil
}

func (c Assess) apply(s *step[Application]) error {
	if err := presence(s.t.Patient); err != nil {
		return err
	}
	if !c.Condition || !c.Home {
		return refuse(KeyUnfit)
	}
	s.t.AssessedBy = s.by.Staff
	s.enter(s.t, Accepted)
	s.event(EventAssessed)
	return nil
}

func (Register) apply(s *step[Application]) error {
	if err := presence(s.t.Patient); err != nil {
		return err
	}
	s.enter(s.t, Registered)
	s.event(EventRegistered)
	return nil
}

func (c Reject) apply(s *step[Application]) error {
	if err := among(c.Reason, s.policy.Reasons.Reject); err != nil {
		return err
	}
	s.t.Reason = c.Reason
	s.enter(s.t, Rejected)
	s.event(EventRejected, "reason", c.Reason)
	return nil
}

func (Withdraw) apply(s *step[Application]) error {
	s.enter(s.t, Withdrawn)
	s.event(EventWithdrawn)
	return nil
}

func (PatientDied) apply(s *step[Application]) error {
	s.t.Patient.Where, s.t.Reason = Dead, s.policy.Beds.Died
	s.enter(s.t, Rejected)
	s.event(EventDied)
	return nil
}

func among(reason string, allowed []string) error {
	if slices.Contains(allowed, reason) {
		return nil
	}
	return refuse(KeyReason, "allowed", strings.Join(allowed, " "))
}
