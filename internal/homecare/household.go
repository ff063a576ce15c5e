package homecare

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
)

// Contact is how one of a household is reached by telephone: with the relation
// (texts care.relation.*) in place of a name, which staff need not read aloud.
type Contact struct {
	Relation, Phone string
}

// Household is what who visits or rings has to know.
type Household struct {
	Home     string
	Contacts []Contact // in the order in which they are asked, the patient last
}

// HouseholdOf opens where a patient lives and how the family is reached. The look
// is in the trail; whoever calls has asked the rights.
func (s *Service) HouseholdOf(ctx context.Context, t *gateway.Turn, b *Bed) (Household, error) {
	var h Household
	var err error
	if h.Home, err = t.Open(SealHome, b.Home); err != nil {
		return h, fmt.Errorf("open where a patient lives: %w", err)
	}
	h.Home = strings.TrimSpace(h.Home)
	for _, c := range append(b.Carers, care.Carer{Person: b.Patient.Person, Relation: care.Self}) {
		phone, err := s.phoneOf(ctx, t, c.Person)
		if err != nil {
			return h, err
		}
		if phone == "" {
			continue
		}
		relation, err := t.Text("care.relation."+c.Relation, nil)
		if err != nil {
			return h, err
		}
		h.Contacts = append(h.Contacts, Contact{Relation: relation, Phone: phone})
	}
	return h, t.Record(ctx, "look.home", BedSubject(b.ID), nil, "")
}

// WordsOf opens what the family wrote and where the patient lives. The look is in the
// trail.
func (s *Service) WordsOf(ctx context.Context, t *gateway.Turn, a *Application) (words, home string, err error) {
	if words, err = t.Open(SealWords, a.Words); err != nil {
		return "", "", fmt.Errorf("open the words of an application: %w", err)
	}
	if home, err = t.Open(SealHome, a.Home); err != nil {
		return "", "", fmt.Errorf("open where a patient lives: %w", err)
	}
	return words, home, t.Record(ctx, "look.application", ApplicationSubject(a.ID), nil, "")
}

// PhoneOf opens the number of who applied or takes part, "" for none; the look is in
// the trail of what it is about. Whoever calls has asked the rights.
func (s *Service) PhoneOf(ctx context.Context, t *gateway.Turn, person int64, subject string) (string, error) {
	phone, err := s.phoneOf(ctx, t, person)
	if err != nil || phone == "" {
		return "", err
	}
	return phone, t.Record(ctx, "look.phone", subject, nil, "")
}

func (s *Service) phoneOf(ctx context.Context, t *gateway.Turn, person int64) (string, error) {
	faces, err := t.Faces(ctx, person)
	if err != nil {
		return "", fmt.Errorf("load a person: %w", err)
	}
	phone := ""
	for _, f := range faces {
		p, err := t.Open(workorder.SealPhone, f.Phone)
		if err != nil {
			return "", fmt.Errorf("open a telephone number: %w", err)
		}
		phone = cmp.Or(phone, p)
	}
	return phone, nil
}

// LastNoteOf is the last record of a bed, "" for none.
func (s *Service) LastNoteOf(ctx context.Context, t *gateway.Turn, bed int64) (string, error) {
	row, err := t.LastNote(ctx, bed)
	if errors.Is(err, postgres.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the last record of a bed: %w", err)
	}
	return t.Open(SealNote, row.Body)
}
