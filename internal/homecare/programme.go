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

// Occasion is what another programme holds for one person: part of an event, or
// something of their own.
type Occasion = postgres.Occasion

// ladderOf is an occasion as the rules see it.
func (s *Service) ladderOf(ctx context.Context, t *gateway.Turn, o *Occasion) (care.Occasion, error) {
	programme, ok := s.Rules.Programme(o.Programme)
	if !ok {
		return care.Occasion{}, fmt.Errorf("no programme is called %q", o.Programme)
	}
	is := care.Occasion{
		Programme: o.Programme, Of: care.OfOccasion, Subject: OccasionSubject(o.ID), Version: o.Version, State: o.State, StateAt: o.StateAt,
		Since: o.MadeAt, At: map[care.Anchor]time.Time{}, Consent: programme.Consent == care.NeedsNone,
		Who: map[care.Role]care.Recipient{care.ToDesk: {}, care.ToLead: {}, care.ToHospital: {}},
	}
	for name, at := range o.At {
		is.At[care.Anchor(name)] = at
	}
	if o.Staff != 0 {
		is.Who[care.ToStaff] = care.Recipient{Staff: o.Staff}
	}
	if o.Person != 0 {
		joined, err := t.Joined(ctx, o.Person, o.Programme)
		if err != nil {
			return is, fmt.Errorf("look whether somebody takes part in %s: %w", o.Programme, err)
		}
		is.Consent = is.Consent || joined
		is.Who[care.ToMember] = care.Recipient{Person: o.Person}
	}
	return is, nil
}

// occasionValues are what the texts of a programme may say.
func (s *Service) occasionValues(ctx context.Context, t *gateway.Turn, o *Occasion) (map[string]string, error) {
	p := map[string]string{"occasion": strconv.FormatInt(o.ID, 10), "title": "", "place": ""}
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
