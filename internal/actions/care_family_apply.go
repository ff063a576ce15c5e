package actions

import (
	"context"
	"errors"
	"fmt"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// consentHealth is the separate consent to keep words about somebody's health (PIPL
// art. 29), asked before an application is filed.
const consentHealth = "health"

// applyCare files the wish for a family bed, or completes the one that was sent back.
// Without consent no word about health is kept: a person rings. What is not known
// makes a draft for the desk; no wish is refused for its form. status is filed,
// added, running (one is in hand) or bed.
func (s *Set) applyCare(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	place := placeArg(args, "place")
	clinic, err := s.clinicAt(ctx, t, place.Division)
	if err != nil {
		return nil, err
	}
	if beds, err := s.beds(ctx, t, people.CmdReport); err != nil || len(beds) > 0 {
		if err != nil {
			return nil, err
		}
		phone, err := s.phoneOf(ctx, t, beds[0])
		return result{"status": "bed", "phone": phone, "by": ""}, err
	}
	id, err := t.OpenApplicationOf(ctx, t.Person)
	if err == nil {
		return s.addToApplication(ctx, t, id, args, clinic)
	}
	if !errors.Is(err, postgres.ErrNoRows) {
		return nil, fmt.Errorf("look for an application: %w", err)
	}
	agreed := truth(args, "agreed")
	words, err := s.wishWords(t, args, agreed)
	if err != nil {
		return nil, err
	}
	if agreed {
		if err := t.ConsentTo(ctx, db.ConsentToParams{Person: t.Own, Kind: consentHealth, Version: int32(s.Orders.Rights.NoticeVersion), Address: t.Address}); err != nil {
			return nil, fmt.Errorf("keep a consent: %w", err)
		}
	}
	patient := care.Patient{Person: t.Person, Address: t.Address, Where: care.AtHome, Grid: place.Grid}
	if text(args, "who") != "self" {
		patient.Address = 0
		if patient.Person, err = t.NewPerson(ctx); err != nil {
			return nil, fmt.Errorf("make a person of who is to be cared for: %w", err)
		}
	}
	a, err := s.Care.Apply(ctx, t, homecare.Wish{
		Apply: care.Apply{Patient: patient, Applicant: t.Person, Address: t.Address, Clinic: clinic, Complete: agreed && clinic != 0},
		Words: words, Home: place.Label, By: homecare.Family(t),
	})
	if err != nil {
		return nil, fmt.Errorf("file an application: %w", err)
	}
	return s.applicationResult(ctx, t, a, "filed")
}

// wishWords are what the desk reads: the story, for whom, whom to ring.
func (s *Set) wishWords(t *gateway.Turn, args map[string]any, agreed bool) (string, error) {
	who, err := t.Text("care.wish.who."+first(text(args, "who"), "family"), nil)
	if err != nil {
		return "", err
	}
	story := text(args, "what")
	if !agreed {
		if story, err = t.Text("care.wish.unsaid", nil); err != nil {
			return "", err
		}
	}
	phone := text(args, "phone")
	if phone == "" && t.Forgeable() {
		phone, err = t.Text("care.wish.this_number", nil)
	}
	if err != nil {
		return "", err
	}
	return t.Text("care.wish.words", map[string]string{"words": story, "who": who, "phone": phone})
}

// addToApplication completes what was sent back or never complete; of one that is in
// hand it only says so. What was said is kept in either case.
func (s *Set) addToApplication(ctx context.Context, t *gateway.Turn, id int64, args map[string]any, clinic int64) (map[string]any, error) {
	a, err := s.Care.ApplicationOf(ctx, t, id)
	if err != nil {
		return nil, err
	}
	if truth(args, "agreed") && text(args, "what") != "" {
		if err := t.Record(ctx, "application.words", homecare.ApplicationSubject(id), nil, text(args, "what")); err != nil {
			return nil, err
		}
	}
	by, ok, err := s.Care.Applicant(ctx, t, a)
	if err != nil {
		return nil, err
	}
	if !ok || a.State != care.Draft && a.State != care.Returned || clinic == 0 && a.Clinic == 0 {
		return s.applicationResult(ctx, t, a, "running")
	}
	place := placeArg(args, "place")
	patient := a.Patient
	patient.Grid = first(place.Grid, patient.Grid)
	if a, err = s.Care.CompleteWith(ctx, t, id, by, care.Complete{Clinic: clinic}, patient, place.Label); err != nil {
		return nil, fmt.Errorf("complete an application: %w", err)
	}
	return s.applicationResult(ctx, t, a, "added")
}

func (s *Set) applicationResult(ctx context.Context, t *gateway.Turn, a *homecare.Application, status string) (result, error) {
	values, err := s.Care.NewsValues(ctx, t, a, homecare.NewsDue{})
	return result{"status": status, "by": values["by"], "phone": values["phone"]}, err
}

// withdrawApplication takes back what was applied for.
func (s *Set) withdrawApplication(ctx context.Context, t *gateway.Turn) (what string, err error) {
	id, err := t.OpenApplicationOf(ctx, t.Person)
	if errors.Is(err, postgres.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for an application: %w", err)
	}
	a, err := s.Care.ApplicationOf(ctx, t, id)
	if err != nil {
		return "", err
	}
	by, _, err := s.Care.Applicant(ctx, t, a)
	if err != nil {
		return "", err
	}
	if _, err := s.Care.DoApplication(ctx, t, id, by, care.Withdraw{}); err != nil {
		return "", fmt.Errorf("withdraw an application: %w", err)
	}
	return "application", nil
}

// clinicAt is the clinic that serves a division, 0 when none does or the place is
// not known.
func (s *Set) clinicAt(ctx context.Context, t *gateway.Turn, division string) (int64, error) {
	var around []string
	for _, level := range []people.DivisionLevel{people.LevelVillage, people.LevelTownship, people.LevelCounty} {
		if at := people.DivisionCode(division).At(level); at != "" {
			around = append(around, string(at))
		}
	}
	if len(around) == 0 {
		return 0, nil
	}
	found, err := t.ClinicsFor(ctx, around)
	if err != nil {
		return 0, fmt.Errorf("look which clinic serves a place: %w", err)
	}
	if len(found) == 0 {
		return 0, nil
	}
	return found[0].ID, nil
}

// careCosts is what visits cost and what insurance pays, as the clinic has written it:
// that of the family's bed or application, else the one that serves the place.
func (s *Set) careCosts(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	clinic, err := s.clinicAt(ctx, t, placeArg(args, "place").Division)
	if err != nil {
		return nil, err
	}
	if clinic == 0 {
		if clinic, err = s.clinicOf(ctx, t); err != nil {
			return nil, err
		}
	}
	r := result{"known": clinic != 0, "costs": "", "phone": ""}
	if clinic == 0 {
		return r, nil
	}
	c, err := t.GetClinic(ctx, clinic)
	if err != nil {
		return nil, fmt.Errorf("load a clinic: %w", err)
	}
	r["costs"], r["phone"] = c.Costs, c.Phone
	if t.Paid() {
		r["costs"] = clip(c.Costs, s.Policy.CostsPaid)
	}
	return r, nil
}

// clinicOf is the clinic of the speaker's bed or application, 0 for none.
func (s *Set) clinicOf(ctx context.Context, t *gateway.Turn) (int64, error) {
	beds, err := s.beds(ctx, t, people.CmdReport)
	if err != nil {
		return 0, err
	}
	if len(beds) > 0 {
		return beds[0].Clinic, nil
	}
	id, err := t.OpenApplicationOf(ctx, t.Person)
	if errors.Is(err, postgres.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look for an application: %w", err)
	}
	a, err := s.Care.ApplicationOf(ctx, t, id)
	if err != nil {
		return 0, err
	}
	return a.Clinic, nil
}
