package homecare

import (
	"context"
	"errors"
	"fmt"

	"shaoying/bots"
	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
)

// ImportBeds takes over the open beds of a hospital's file (care.Rules.ParseBeds):
// all of them, or none with an *people.ImportError that names every bad line. A bed
// whose number is there already stays as it is: what changes is done at the desk. by
// is the member of the staff who answers for the file, phones the account by which
// numbers are written to, "" for none. It returns how many beds the file has and how
// many are new.
func (s *Service) ImportBeds(ctx context.Context, t *gateway.Turn, by int64, phones bots.ChannelID, f people.File) (read, fresh int, err error) {
	known, clinics, err := s.bedsKnown(ctx, t)
	if err != nil {
		return 0, 0, err
	}
	rows, err := s.Rules.ParseBeds(f, known)
	if err != nil {
		return 0, 0, err
	}
	bad := &people.ImportError{File: f.Name}
	var made []int64
	for _, row := range rows {
		taken, err := t.NumberTaken(ctx, &row.Number)
		if err != nil {
			return 0, 0, fmt.Errorf("look for bed %s: %w", row.Number, err)
		}
		if taken {
			continue
		}
		id, err := s.importBed(ctx, t, clinics[row.Clinic], row, care.Actor{As: care.AsDesk, Staff: by}, phones)
		var refused *care.Refused
		if errors.As(err, &refused) {
			bad.Rows = append(bad.Rows, people.RowError{Line: row.Line, Reason: refused.Error()})
			continue
		}
		if err != nil {
			return 0, 0, fmt.Errorf("import bed %s: %w", row.Number, err)
		}
		made = append(made, id)
	}
	if len(bad.Rows) > 0 {
		return 0, 0, bad
	}
	return len(rows), len(made), s.Replan(ctx, t, made)
}

// org is a clinic with the hospital behind it.
type org struct{ id, hospital int64 }

func (s *Service) bedsKnown(ctx context.Context, t *gateway.Turn) (known care.BedsKnown, clinics map[string]org, err error) {
	known.Today, clinics = s.day(t), map[string]org{}
	rows, err := t.Clinics(ctx)
	if err != nil {
		return known, nil, fmt.Errorf("read the clinics: %w", err)
	}
	for _, c := range rows {
		if c.Tier != string(care.TierClinic) {
			continue
		}
		o := org{id: c.ID}
		if c.HospitalID != nil {
			o.hospital = *c.HospitalID
		}
		clinics[c.Code], known.Clinics = o, append(known.Clinics, c.Code)
	}
	if known.Staff, err = t.StaffSlugs(ctx); err != nil {
		return known, nil, fmt.Errorf("read the staff: %w", err)
	}
	grids, err := t.Grids(ctx)
	if err != nil {
		return known, nil, fmt.Errorf("read the grids: %w", err)
	}
	for _, g := range grids {
		known.Grids = append(known.Grids, g.ID)
	}
	return known, clinics, nil
}

func (s *Service) importBed(ctx context.Context, t *gateway.Turn, at org, row care.BedRow, by care.Actor, phones bots.ChannelID) (int64, error) {
	var team care.Team
	for _, m := range []struct {
		slug string
		into *int64
	}{{row.Doctor, &team.Doctor}, {row.Nurse, &team.Nurse}} {
		staff, err := t.StaffBySlug(ctx, m.slug)
		if err != nil {
			return 0, fmt.Errorf("load staff %s: %w", m.slug, err)
		}
		*m.into = staff.ID
	}
	person, address, err := s.householdPerson(ctx, t, phones, row.Patient)
	if err != nil {
		return 0, err
	}
	has, err := t.CareOf(ctx, person)
	if err != nil {
		return 0, fmt.Errorf("look for a bed of the patient: %w", err)
	}
	if has != "" {
		return 0, &care.Refused{Key: care.KeyHasBed}
	}
	carers := make([]care.Carer, len(row.Carers))
	for i, c := range row.Carers {
		carers[i] = care.Carer{Relation: c.Relation, Shared: c.Shared}
		if carers[i].Person, carers[i].Address, err = s.householdPerson(ctx, t, phones, c.PersonRow); err != nil {
			return 0, err
		}
	}
	made, err := s.Rules.BedOf(row, at.id, at.hospital, team, care.Patient{Person: person, Address: address}, carers, by)
	if err != nil {
		return 0, err
	}
	b := &Bed{Bed: made, Programme: care.FamilyBed, Number: row.Number}
	s.keep(t, b, Draft{Diagnosis: row.Diagnosis, Home: row.Home})
	if err := t.CreateBed(ctx, b); err != nil {
		return 0, err
	}
	if err := s.keepAgreement(ctx, t, b); err != nil {
		return 0, err
	}
	if err := s.vouch(ctx, t, b); err != nil {
		return 0, err
	}
	return b.ID, t.Record(ctx, "bed.imported", BedSubject(b.ID), map[string]any{"staff": by.Staff}, "")
}

// householdPerson finds or makes somebody by name and number. A mobile number is
// written to by the account for numbers; nothing is proven by it. Whoever has no
// number, or one that several have, is a new person.
func (s *Service) householdPerson(ctx context.Context, t *gateway.Turn, phones bots.ChannelID, p care.PersonRow) (person, address int64, err error) {
	switch {
	case p.Phone == "":
	case phones != "" && people.Mobile(p.Phone):
		address, person, err = t.ReachNumber(ctx, phones, p.Phone)
	default:
		person, err = t.PersonByNumber(ctx, p.Phone)
	}
	if err != nil {
		return 0, 0, err
	}
	if person == 0 {
		if person, err = t.AddCaller(ctx, nil, nil); err != nil {
			return 0, 0, fmt.Errorf("make a person: %w", err)
		}
		if p.Phone != "" {
			if err := t.KeepPhone(ctx, person, p.Phone); err != nil {
				return 0, 0, err
			}
		}
	}
	if person, err = t.RootPerson(ctx, person); err != nil {
		return 0, 0, fmt.Errorf("find who has a number: %w", err)
	}
	row, err := t.GetPerson(ctx, person)
	if err != nil {
		return 0, 0, fmt.Errorf("load a person: %w", err)
	}
	if row.Name == nil {
		if err := t.SetPersonName(ctx, person, t.Seal(workorder.SealName, p.Name)); err != nil {
			return 0, 0, fmt.Errorf("keep a name: %w", err)
		}
	}
	return person, address, nil
}

// ImportPlans reads a file of orders and gives those that change something, all or
// none. by answers for the file.
func (s *Service) ImportPlans(ctx context.Context, t *gateway.Turn, by int64, f people.File) (read, changed int, err error) {
	clinics, err := t.Clinics(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("read the clinics: %w", err)
	}
	orders, err := s.ReadPlans(ctx, t, clinics, f)
	if err != nil {
		return 0, 0, err
	}
	changed, err = s.ApplyPlans(ctx, t, orders, func(*Bed) (care.Actor, error) { return care.Actor{As: care.AsDesk, Staff: by}, nil })
	return len(orders), changed, err
}

// ErrNoStaff: nobody on the staff is called so.
var ErrNoStaff = errors.New("nobody on the staff has this short name")

// AnswersFor finds the member of the staff who answers for an import.
func (s *Service) AnswersFor(ctx context.Context, q *postgres.Tx, slug string) (int64, error) {
	staff, err := q.StaffBySlug(ctx, slug)
	if errors.Is(err, postgres.ErrNoRows) || err == nil && staff.EndedAt != nil {
		return 0, fmt.Errorf("%q: %w", slug, ErrNoStaff)
	}
	if err != nil {
		return 0, fmt.Errorf("look for %s: %w", slug, err)
	}
	return staff.ID, nil
}
