package homecare

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// eventsAhead bounds how many events somebody who joins becomes a part of.
const eventsAhead = 20

// Join lets a person take part in a programme: it may write to them, at first by the
// address by which they joined (0 for wherever they are known), and what it has
// announced is for them too.
func (s *Service) Join(ctx context.Context, t *gateway.Turn, person, address int64, programme string) error {
	p, ok := s.Rules.Programme(programme)
	if !ok {
		return fmt.Errorf("no programme is called %q", programme)
	}
	var by *int64
	if address != 0 {
		by = &address
	}
	if err := t.JoinProgramme(ctx, person, programme, by); err != nil {
		return fmt.Errorf("let somebody take part in %s: %w", programme, err)
	}
	if err := t.Record(ctx, "programme.joined", postgres.Subject("person", person), map[string]any{"programme": programme}, ""); err != nil {
		return err
	}
	if p.OfEvents() {
		events, err := t.EventsAhead(ctx, []string{programme}, t.Now, eventsAhead)
		if err != nil {
			return fmt.Errorf("look what %s has announced: %w", programme, err)
		}
		for _, e := range events {
			if _, err := s.insertParts(ctx, t, e, []int64{person}, []int64{0}); err != nil {
				return err
			}
		}
	}
	return s.syncPerson(ctx, t, person, programme)
}

// Leave ends what a programme does for a person: nothing more is said, what waits
// for an answer waits no longer, and what a cadence planned is taken out. It reports
// whether they took part.
func (s *Service) Leave(ctx context.Context, t *gateway.Turn, person int64, programme string) (bool, error) {
	n, err := t.LeaveProgramme(ctx, person, programme)
	if err != nil {
		return false, fmt.Errorf("take somebody out of %s: %w", programme, err)
	}
	beds, err := t.EnrolledIn(ctx, person, programme)
	if err != nil {
		return false, fmt.Errorf("look what is planned for somebody in %s: %w", programme, err)
	}
	for _, id := range beds {
		if err := s.endEnrolled(ctx, t, id); err != nil {
			return false, err
		}
	}
	if n == 0 && len(beds) == 0 {
		return false, nil
	}
	if err := t.Record(ctx, "programme.left", postgres.Subject("person", person), map[string]any{"programme": programme}, ""); err != nil {
		return true, err
	}
	rows, err := t.OccasionsOfPerson(ctx, person, programme)
	if err != nil {
		return true, fmt.Errorf("look what %s holds for somebody: %w", programme, err)
	}
	subjects := make([]string, len(rows))
	for i, r := range rows {
		subjects[i] = OccasionSubject(r.ID)
	}
	if err := t.ClosePromptsAbout(ctx, "left", subjects); err != nil {
		return true, fmt.Errorf("close what waits for an answer: %w", err)
	}
	return true, s.syncParts(ctx, t, rows)
}

// syncPerson looks again at what is due for a person in a programme.
func (s *Service) syncPerson(ctx context.Context, t *gateway.Turn, person int64, programme string) error {
	rows, err := t.OccasionsOfPerson(ctx, person, programme)
	if err != nil {
		return fmt.Errorf("look what %s holds for somebody: %w", programme, err)
	}
	if err := s.syncParts(ctx, t, rows); err != nil {
		return err
	}
	beds, err := t.EnrolledIn(ctx, person, programme)
	if err != nil || len(beds) == 0 {
		return err
	}
	changes, err := s.lock(ctx, t, beds)
	if err != nil {
		return err
	}
	return s.sync(ctx, t, changes)
}

// Enrolment is somebody for whom a cadence plans.
type Enrolment struct {
	Programme string
	Person    int64
	// Address is where they are written to first, 0 for wherever they are reached.
	Address int64
	// Staff is who calls on them, or answers for them.
	Staff  int64
	Clinic int64
	Grid   string
	// Home is where they live, sealed here; "" where nobody goes.
	Home string
	// Every is their own rhythm in days, 0 for that of the programme.
	Every int
	// From is the first day, To the last; zero for today and for as long as they
	// like.
	From, To scheduler.Date
	By       int64
}

// Enrol begins what a cadence plans for a person. Whether they may be written to is
// a matter of Join.
func (s *Service) Enrol(ctx context.Context, t *gateway.Turn, e Enrolment) (*Bed, error) {
	p, ok := s.Rules.Programme(e.Programme)
	if !ok || p.Cadence == nil {
		return nil, fmt.Errorf("programme %q has no cadence", e.Programme)
	}
	there, err := t.EnrolledIn(ctx, e.Person, e.Programme)
	if err != nil {
		return nil, fmt.Errorf("look what is planned for somebody in %s: %w", e.Programme, err)
	}
	living, err := t.LivingOf(ctx, []int64{e.Person})
	if err != nil {
		return nil, fmt.Errorf("look whom %s is for: %w", e.Programme, err)
	}
	switch {
	case len(there) > 0:
		return nil, &care.Refused{Key: care.KeyHasBed}
	case len(living) == 0:
		return nil, &care.Refused{Key: care.KeyDead}
	case e.Staff == 0:
		return nil, &care.Refused{Key: care.KeyIncomplete, Params: map[string]string{"what": "staff"}}
	}
	if e.Every != 0 {
		if p, err = p.Each(e.Every); err != nil {
			return nil, err
		}
	}
	if e.From == (scheduler.Date{}) {
		e.From = s.day(t)
	}
	item, err := t.NextItem(ctx)
	if err != nil {
		return nil, fmt.Errorf("number an order: %w", err)
	}
	who := care.Patient{Person: e.Person, Address: e.Address, Where: care.AtHome, Grid: e.Grid}
	made, err := p.Enrol(item, who, e.Staff, e.From, e.To)
	if err != nil {
		return nil, err
	}
	made.Clinic, made.OpenedAt, made.StateAt = e.Clinic, t.Now, t.Now
	b := &Bed{Bed: made, Programme: e.Programme}
	if e.Home != "" {
		b.Home = t.Seal(SealHome, e.Home)
	}
	if err := t.CreateBed(ctx, b); err != nil {
		return nil, err
	}
	opened := care.Event{Kind: care.EventOpened, Actor: care.Actor{As: care.AsDesk, Staff: e.By}, At: t.Now, To: string(care.BedOpen)}
	return b, s.settleBed(ctx, t, &change{bed: b, visits: map[int64]*care.Visit{}}, []care.Event{opened})
}

// endEnrolled takes out what a cadence planned.
func (s *Service) endEnrolled(ctx context.Context, t *gateway.Turn, id int64) error {
	all, err := s.lock(ctx, t, []int64{id})
	if err != nil {
		return err
	}
	b := all[0].bed
	closed := care.Event{Kind: care.EventClosed, Actor: System(), At: t.Now, From: string(b.State), To: string(care.BedClosed)}
	b.State, b.Reason, b.StateAt = care.BedClosed, "", t.Now
	return s.settleBed(ctx, t, all[0], []care.Event{closed})
}

// Entry is a moment of somebody's own in a programme without events: a stay in
// hospital, a donation.
type Entry struct {
	Programme      string
	Person, Clinic int64
	// At are the moments known now (care.Programme.Marks).
	At map[care.Anchor]time.Time
}

// Enter begins an occasion. What the programme held for them before ends: there is
// one stay, one donation at a time.
func (s *Service) Enter(ctx context.Context, t *gateway.Turn, e Entry) (*Occasion, error) {
	p, ok := s.Rules.Programme(e.Programme)
	if !ok {
		return nil, fmt.Errorf("no programme is called %q", e.Programme)
	}
	if err := marked(p, slices.Collect(maps.Keys(e.At))...); err != nil {
		return nil, err
	}
	living, err := t.LivingOf(ctx, []int64{e.Person})
	if err != nil {
		return nil, fmt.Errorf("look whom %s is for: %w", e.Programme, err)
	}
	if len(living) == 0 {
		return nil, &care.Refused{Key: care.KeyDead}
	}
	if e.At == nil {
		e.At = map[care.Anchor]time.Time{}
	}
	at, err := json.Marshal(e.At)
	if err != nil {
		return nil, fmt.Errorf("pack the times of an occasion: %w", err)
	}
	var clinic *int64
	if e.Clinic != 0 {
		clinic = &e.Clinic
	}
	rows, err := t.InsertOccasions(ctx, db.InsertOccasionsParams{Programme: e.Programme, Clinic: clinic, At: at, Persons: []int64{e.Person}, Staff: []int64{0}})
	if err != nil {
		return nil, fmt.Errorf("enter somebody into %s: %w", e.Programme, err)
	}
	before, err := t.SupersedeOccasions(ctx, e.Person, e.Programme, rows[0].ID)
	if err != nil {
		return nil, fmt.Errorf("end what %s held before: %w", e.Programme, err)
	}
	subjects := make([]string, len(before))
	for i, id := range before {
		subjects[i] = OccasionSubject(id)
	}
	if err := s.clearSubjects(ctx, t, subjects, "superseded"); err != nil {
		return nil, err
	}
	o, err := postgres.OccasionOf(rows[0])
	if err != nil {
		return nil, err
	}
	if err := t.Record(ctx, "occasion.entered", OccasionSubject(o.ID), map[string]any{"programme": o.Programme}, ""); err != nil {
		return nil, err
	}
	return o, s.syncParts(ctx, t, rows)
}

// marked refuses moments that the programme does not know.
func marked(p care.Programme, names ...care.Anchor) error {
	for _, a := range names {
		if !slices.Contains(p.Marks(), a) {
			return &care.Refused{Key: care.KeyReason, Params: map[string]string{"reason": string(a)}}
		}
	}
	return nil
}

// Mark says when a moment came that an occasion waits for, or corrects it.
func (s *Service) Mark(ctx context.Context, t *gateway.Turn, id int64, name care.Anchor, at time.Time) (*Occasion, error) {
	o, err := t.LoadOccasion(ctx, id, true)
	if err != nil {
		return nil, err
	}
	p, _ := s.Rules.Programme(o.Programme)
	if err := marked(p, name); err != nil {
		return o, err
	}
	was, known := o.At[string(name)]
	switch {
	case !care.OccasionOpen(o.State) && o.State != care.OccasionDone:
		return o, &care.Refused{Key: care.KeyState, Params: map[string]string{"command": string(name), "state": o.State}}
	case known && was.Equal(at):
		return o, &care.Refused{Key: care.KeySame}
	case known: // what was said of the other time is wrong
		o.Version++
	}
	o.At = maps.Clone(o.At)
	o.At[string(name)] = at
	if err := t.KeepOccasion(ctx, o); err != nil {
		return o, err
	}
	if err := t.Record(ctx, "occasion."+string(name), OccasionSubject(o.ID), map[string]any{"at": at}, ""); err != nil {
		return o, err
	}
	return o, s.syncOne(ctx, t, o)
}

func (s *Service) syncOne(ctx context.Context, t *gateway.Turn, o *Occasion) error {
	is, err := s.ladderOf(ctx, t, o)
	if err != nil {
		return err
	}
	return s.syncOccasions(ctx, t, []care.Occasion{is})
}
