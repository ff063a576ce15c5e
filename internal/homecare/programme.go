package homecare

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
)

// Other programmes. What one holds for somebody is an occasion: part of an event
// (event.go), a moment of their own (partake.go), or, with a cadence, the visits of a
// bed that has one order and no family. All of them move through Become.

// Occasion is what another programme holds for one person: part of an event, or
// something of their own.
type Occasion = postgres.Occasion

// ladderOf is an occasion as the rules see it.
func (s *Service) ladderOf(ctx context.Context, t *gateway.Turn, o *Occasion) (care.Occasion, error) {
	all, err := s.ladders(ctx, t, []*Occasion{o})
	if err != nil {
		return care.Occasion{}, err
	}
	return all[0], nil
}

// ladders are occasions of one programme as the rules see them.
func (s *Service) ladders(ctx context.Context, t *gateway.Turn, parts []*Occasion) ([]care.Occasion, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	programme, ok := s.Rules.Programme(parts[0].Programme)
	if !ok {
		return nil, fmt.Errorf("no programme is called %q", parts[0].Programme)
	}
	persons := make([]int64, len(parts))
	for i, o := range parts {
		persons[i] = o.Person
	}
	members, err := t.JoinedOf(ctx, persons, programme.Code)
	if err != nil {
		return nil, fmt.Errorf("look who takes part in %s: %w", programme.Code, err)
	}
	joined, address := map[int64]bool{}, map[int64]int64{}
	for _, m := range members {
		if joined[m.PersonID] = true; m.AddressID != nil {
			address[m.PersonID] = *m.AddressID
		}
	}
	out := make([]care.Occasion, len(parts))
	for i, o := range parts {
		is := care.Occasion{
			Programme: o.Programme, Of: care.OfOccasion, Subject: OccasionSubject(o.ID), Version: o.Version, State: o.State, StateAt: o.StateAt,
			Since: o.MadeAt, At: map[care.Anchor]time.Time{}, Consent: programme.Consent == care.NeedsNone || joined[o.Person],
			Who: map[care.Role]care.Recipient{care.ToDesk: {}, care.ToLead: {}, care.ToHospital: {}},
			Is:  map[care.Flag]bool{care.IfLowest: s.lowest(o.Answer)},
		}
		for name, at := range o.At {
			is.At[care.Anchor(name)] = at
		}
		if o.Staff != 0 {
			is.Who[care.ToStaff] = care.Recipient{Staff: o.Staff}
		}
		if o.Person != 0 {
			is.Who[care.ToMember] = care.Recipient{Person: o.Person, Address: address[o.Person]}
		}
		out[i] = is
	}
	return out, nil
}

// lowest reports whether the answer to a survey is one after which somebody rings.
func (s *Service) lowest(answer string) bool {
	mark, err := strconv.Atoi(answer)
	return err == nil && mark <= s.Rules.Policy().Survey.Lowest
}

// programmeValues are what the texts of another programme may say:
//
//	number        by which staff name it: of the visit, or of the occasion
//	title, place  of the event
//	day, clock    of the event; of a visit its day
//	phone, clinic of the duty desk, where there is one
func (s *Service) programmeValues(ctx context.Context, t *gateway.Turn, r *Rung) (map[string]string, error) {
	p := map[string]string{"title": "", "place": "", "day": "", "clock": ""}
	var err error
	if r.Visit != nil {
		p["number"] = strconv.FormatInt(r.Visit.ID, 10)
		if err = s.clinicValues(ctx, t, r.Bed.Clinic, p); err != nil {
			return nil, err
		}
		p["day"], err = s.Day(t, r.Visit.Date)
		return p, err
	}
	o := r.Occasion
	p["number"] = strconv.FormatInt(o.ID, 10)
	if err := s.clinicValues(ctx, t, o.Clinic, p); err != nil {
		return nil, err
	}
	if o.Event == 0 {
		return p, nil
	}
	e, err := t.GetEvent(ctx, o.Event)
	if err != nil {
		return nil, fmt.Errorf("load event %d: %w", o.Event, err)
	}
	p["title"], p["place"], p["clock"] = e.Title, e.Place, s.Clock(e.HeldAt)
	p["day"], err = s.Day(t, s.dayOf(e.HeldAt))
	return p, err
}

// ProgrammeOf is the programme that a subject belongs to.
func (s *Service) ProgrammeOf(ctx context.Context, tx *postgres.Tx, subject string) (care.Programme, error) {
	code := care.FamilyBed
	kind, id, err := cut(subject)
	if err != nil {
		return care.Programme{}, err
	}
	switch kind {
	case "occasion":
		o, err := tx.LoadOccasion(ctx, id, false)
		if err != nil {
			return care.Programme{}, err
		}
		code = o.Programme
	case "visit":
		bed, err := tx.BedOfVisit(ctx, id)
		if err != nil {
			return care.Programme{}, fmt.Errorf("look for the bed of visit %d: %w", id, err)
		}
		b, err := tx.LoadBed(ctx, bed, false)
		if err != nil {
			return care.Programme{}, err
		}
		code = b.Programme
	}
	p, ok := s.Rules.Programme(code)
	if !ok {
		return p, fmt.Errorf("no programme is called %q", code)
	}
	return p, nil
}

// fitOccasion is Fit of an occasion: it is what the text says, and who has left
// since, or has died, is not written to.
func (s *Service) fitOccasion(ctx context.Context, tx *postgres.Tx, id int64, version int) (ok bool, why string, err error) {
	o, err := tx.LoadOccasion(ctx, id, false)
	if err != nil {
		return false, "", err
	}
	if o.Version != version {
		return false, "it has moved on", nil
	}
	if p, _ := s.Rules.Programme(o.Programme); o.Person == 0 || p.Consent == care.NeedsNone {
		return true, "", nil
	}
	joined, err := tx.Joined(ctx, o.Person, o.Programme)
	if err != nil {
		return false, "", fmt.Errorf("look whether somebody takes part in %s: %w", o.Programme, err)
	}
	return joined, "they take part no more", nil
}
