package homecare

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

func refused(err error) bool {
	var r *care.Refused
	return errors.As(err, &r)
}

func absenceRow(a Absence) db.AddAbsenceParams {
	p := db.AddAbsenceParams{StaffID: a.Staff, FromDay: postgres.DayOf(a.From), ToDay: postgres.DayOf(a.To), Reason: a.Reason}
	if a.By != 0 {
		p.ByStaff = &a.By
	}
	return p
}

// ends clears what an event of a bed has ended, in its transaction: rows, prompts
// and, when somebody died, everything that would be said to them in any programme.
// sync then writes what the new state calls for.
func (s *Service) ends(ctx context.Context, t *gateway.Turn, ch *change, events []care.Event) error {
	for _, e := range events {
		c, ok := care.Clears(e.Kind)
		if !ok {
			continue
		}
		kinds := Kinds()
		if c.Family {
			kinds = FamilyKinds()
		}
		if err := t.ClearBedDues(ctx, string(c.Reason), kinds, ch.bed.ID); err != nil {
			return fmt.Errorf("clear what was due around a bed: %w", err)
		}
		if err := t.CloseBedPrompts(ctx, "cleared:"+string(c.Reason), ch.bed.ID); err != nil {
			return fmt.Errorf("close what waits for an answer about a bed: %w", err)
		}
		if c.Subject == care.ClearPatient {
			if err := s.died(ctx, t, ch.bed.Patient.Person, ch.bed.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// Died writes down that a person has died: every application, bed and occasion of
// theirs ends, and nothing is sent to them any more, about tickets neither.
func (s *Service) Died(ctx context.Context, t *gateway.Turn, person int64) error {
	return s.died(ctx, t, person, 0)
}

func (s *Service) died(ctx context.Context, t *gateway.Turn, person, but int64) error {
	known, err := t.Tx.Died(ctx, person)
	if err != nil {
		return fmt.Errorf("write down a death: %w", err)
	}
	if _, err := t.ClearPersonDues(ctx, string(care.EventDied), person, slices.Concat(Kinds(), spokenKinds())); err != nil {
		return fmt.Errorf("clear what was due for who died: %w", err)
	}
	if err := t.ClosePersonPrompts(ctx, "cleared:"+string(care.EventDied), person); err != nil {
		return fmt.Errorf("close what waits for an answer of who died: %w", err)
	}
	if err := t.LeaveAll(ctx, person); err != nil {
		return fmt.Errorf("take who died out of programmes: %w", err)
	}
	occasions, err := t.EndOccasionsOf(ctx, person)
	if err != nil {
		return fmt.Errorf("end the occasions of who died: %w", err)
	}
	subjects := make([]string, len(occasions))
	for i, id := range occasions {
		subjects[i] = OccasionSubject(id)
	}
	if err := s.clearSubjects(ctx, t, subjects, string(care.EventDied)); err != nil {
		return err
	}
	if err := s.endApplications(ctx, t, person); err != nil {
		return err
	}
	others, err := t.OtherBedsOf(ctx, person, but)
	if err != nil {
		return fmt.Errorf("look what else is planned for who died: %w", err)
	}
	for _, id := range others {
		if _, err := s.DoBed(ctx, t, id, System(), care.Death{}); err != nil {
			return fmt.Errorf("end bed %d: %w", id, err)
		}
	}
	if known == 0 {
		return nil // this event follows from one that wrote it down
	}
	return t.Record(ctx, "person.died", postgres.Subject("person", person), nil, "")
}

// endApplications ends the wishes for a bed of who died: nothing is said about them
// any more, and nobody rings, about those that became a bed neither.
func (s *Service) endApplications(ctx context.Context, t *gateway.Turn, person int64) error {
	rows, err := t.ApplicationsOfPatient(ctx, person)
	if err != nil {
		return fmt.Errorf("look for applications of who died: %w", err)
	}
	subjects := make([]string, len(rows))
	for i, r := range rows {
		subjects[i] = ApplicationSubject(r.ID)
	}
	if err := s.clearSubjects(ctx, t, subjects, string(care.EventDied)); err != nil {
		return err
	}
	if err := s.clearTasks(ctx, t, subjects, func(db.OpenCareTasksRow) bool { return true }); err != nil {
		return err
	}
	for _, r := range rows {
		if !care.ApplicationState(r.State).Open() {
			continue
		}
		if _, err := s.DoApplication(ctx, t, r.ID, System(), care.PatientDied{}); err != nil {
			return fmt.Errorf("end application %d: %w", r.ID, err)
		}
	}
	return nil
}

// clearSubjects takes back what is planned about some subjects, and their open
// prompts.
func (s *Service) clearSubjects(ctx context.Context, t *gateway.Turn, subjects []string, why string) error {
	if len(subjects) == 0 {
		return nil
	}
	rows, err := t.CareDues(ctx, subjects, append(Kinds(), DueNews))
	if err != nil {
		return fmt.Errorf("read what is due: %w", err)
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID // ClearDues leaves alone what is over
	}
	if err := t.ClearDues(ctx, why, ids); err != nil {
		return fmt.Errorf("clear what is due: %w", err)
	}
	if err := t.ClosePromptsAbout(ctx, "cleared:"+why, subjects); err != nil {
		return fmt.Errorf("close what waits for an answer: %w", err)
	}
	return nil
}
