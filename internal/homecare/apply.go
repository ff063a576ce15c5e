package homecare

import (
	"context"
	"errors"
	"fmt"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
)

// Wish is a wish for a family bed: by message, or as a clerk wrote it down.
type Wish struct {
	care.Apply
	// Words are what the family said, Home is where the patient lives.
	Words, Home string
	By          care.Actor
}

// Apply files an application. HasBed is looked up here. What the rules refuse
// comes back as *care.Refused and nothing is written.
func (s *Service) Apply(ctx context.Context, t *gateway.Turn, w Wish) (*Application, error) {
	has, err := t.CareOf(ctx, w.Patient.Person)
	if err != nil {
		return nil, fmt.Errorf("look for a bed of the patient: %w", err)
	}
	w.HasBed = has != ""
	next, events, err := s.Rules.Application(care.Application{}, w.By, w.Apply, t.Now)
	if err != nil {
		return nil, err
	}
	a := &Application{Application: next, Conversation: t.Conversation}
	if w.Words != "" {
		a.Words = t.Seal(SealWords, w.Words)
	}
	if w.Home != "" {
		a.Home = t.Seal(SealHome, w.Home)
	}
	if err := t.CreateApplication(ctx, a); err != nil {
		return nil, err
	}
	return a, s.applied(ctx, t, a, events)
}

// DoApplication runs a command on an application. Registering makes its bed:
// Register.
func (s *Service) DoApplication(ctx context.Context, t *gateway.Turn, id int64, by care.Actor, c care.ApplicationCommand) (*Application, error) {
	a, err := t.LoadApplication(ctx, id, true)
	if err != nil {
		return nil, err
	}
	return a, s.moveApplication(ctx, t, a, by, c)
}

// SetHome keeps where the patient lives, with the next command on the application.
func (s *Service) SetHome(t *gateway.Turn, a *Application, home string) {
	a.Home = t.Seal(SealHome, home)
}

// CompleteWith completes a draft or a returned application with what was missing.
func (s *Service) CompleteWith(ctx context.Context, t *gateway.Turn, id int64, by care.Actor, c care.Complete, patient care.Patient, home string) (*Application, error) {
	a, err := t.LoadApplication(ctx, id, true)
	if err != nil {
		return nil, err
	}
	patient.Person = a.Patient.Person
	a.Patient = patient
	if home != "" {
		s.SetHome(t, a, home)
	}
	return a, s.moveApplication(ctx, t, a, by, c)
}

func (s *Service) moveApplication(ctx context.Context, t *gateway.Turn, a *Application, by care.Actor, c care.ApplicationCommand) error {
	next, events, err := s.Rules.Application(a.Application, by, c, t.Now)
	if err != nil {
		return err
	}
	return s.saveApplication(ctx, t, a, next, events)
}

func (s *Service) saveApplication(ctx context.Context, t *gateway.Turn, a *Application, next care.Application, events []care.Event) error {
	a.Application = next
	if err := t.SaveApplication(ctx, a); err != nil {
		return err
	}
	return s.applied(ctx, t, a, events)
}

// applied does what follows from the events of an application: its trail, what is
// due, and that the family hears of each step that somebody else took.
func (s *Service) applied(ctx context.Context, t *gateway.Turn, a *Application, events []care.Event) error {
	if err := s.record(ctx, t, "application", ApplicationSubject(a.ID), events); err != nil {
		return err
	}
	for _, e := range events {
		if e.Kind == care.EventDied {
			return s.died(ctx, t, a.Patient.Person, 0)
		}
		if c, ok := care.Clears(e.Kind); ok && c.Subject == care.ClearApplication {
			if err := s.clearSubjects(ctx, t, []string{ApplicationSubject(a.ID)}, string(c.Reason)); err != nil {
				return err
			}
		}
		if e.Actor.As == care.AsFamily {
			continue
		}
		if err := s.news(ctx, t, a, e); err != nil {
			return err
		}
	}
	return s.syncApplication(ctx, t, a)
}

// NewBed is what a registered application becomes.
type NewBed struct {
	Type     string
	Number   string
	Hospital int64
	// Carers are written to from now on, in their order.
	Household care.Household
}

// Register hands an application over to a bed, which waits for the signature. What
// the rules refuse is refused before anything is written.
func (s *Service) Register(ctx context.Context, t *gateway.Turn, id int64, by care.Actor, n NewBed) (*Bed, error) {
	a, err := t.LoadApplication(ctx, id, true)
	if err != nil {
		return nil, err
	}
	next, events, err := s.Rules.Application(a.Application, by, care.Register{}, t.Now)
	if err != nil {
		return nil, err
	}
	made, err := s.Rules.NewBed(next, n.Type, n.Hospital)
	if err != nil {
		return nil, err
	}
	made, moved, err := s.Rules.Bed(made, by, n.Household, t.Now)
	if err != nil {
		return nil, err
	}
	if err := s.saveApplication(ctx, t, a, next, events); err != nil {
		return nil, err
	}
	b := &Bed{Bed: made, Programme: care.FamilyBed, Number: n.Number, Home: a.Home}
	if err := t.CreateBed(ctx, b); err != nil {
		return nil, err
	}
	if err := s.vouch(ctx, t, b); err != nil {
		return nil, err
	}
	return b, s.record(ctx, t, "bed", BedSubject(b.ID), moved)
}

// ApplicationOf finds an application by id.
func (s *Service) ApplicationOf(ctx context.Context, t *gateway.Turn, id int64) (*Application, error) {
	a, err := t.LoadApplication(ctx, id, false)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, ErrNotYours
	}
	return a, err
}
