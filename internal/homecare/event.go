package homecare

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// Events of a programme: a free clinic, a course. Each who takes part is an occasion
// of their own. What becomes of an event reaches its parts in chunks: a due row does
// one and plans the next in the same transaction, so a kill repeats nothing and
// leaves nobody out, and a later change of the event ends the walk of an earlier one.

// Event is an event as it is kept.
type Event = db.CareEvent

// The states of an event.
const (
	EventPlanned   = "planned"
	EventDone      = "done"
	EventCancelled = "cancelled"
)

// EventSubject names an event.
func EventSubject(id int64) string { return subjectOf("event", id) }

// DueEvent takes what became of an event one chunk further: data EventDue.
const DueEvent = "care.event"

// eventChunk is how many who take part one transaction goes over.
const eventChunk = 500

// EventDue is where the walk over an event stands.
type EventDue struct {
	// Step is members (who joined becomes a part), parts, or over (the day is).
	Step string `json:"step"`
	// After is the id after which the chunk begins.
	After int64 `json:"after,omitempty"`
}

// The steps of a walk.
const (
	stepMembers = "members"
	stepParts   = "parts"
	stepOver    = "over"
)

// NewEvent is what has to be known of an event.
type NewEvent struct {
	Programme, Title, Place string
	At                      time.Time
	// By is who of the staff holds it.
	By int64
}

// HoldEvent announces an event. Where the programme needs joining, whoever has
// joined becomes a part of it; others are added (AddMembers, AddStaff).
func (s *Service) HoldEvent(ctx context.Context, t *gateway.Turn, n NewEvent) (Event, error) {
	p, ok := s.Rules.Programme(n.Programme)
	switch {
	case !ok || !p.OfEvents():
		return Event{}, fmt.Errorf("programme %q holds no events", n.Programme)
	case n.Title == "" || n.Place == "":
		return Event{}, &care.Refused{Key: care.KeyIncomplete}
	case !n.At.After(t.Now):
		return Event{}, &care.Refused{Key: care.KeyStarted}
	}
	var by *int64
	if n.By != 0 {
		by = &n.By
	}
	e, err := t.InsertEvent(ctx, db.InsertEventParams{Programme: n.Programme, Title: n.Title, Place: n.Place, HeldAt: n.At, ByStaff: by})
	if err != nil {
		return e, fmt.Errorf("announce an event: %w", err)
	}
	return e, s.changed(ctx, t, e, "held")
}

// MoveEvent gives an event another time or place. Who had been told hears of it.
func (s *Service) MoveEvent(ctx context.Context, t *gateway.Turn, id int64, place string, at time.Time) (Event, error) {
	return s.changeEvent(ctx, t, id, "moved", func(e *Event) error {
		switch {
		case !at.After(t.Now):
			return &care.Refused{Key: care.KeyStarted}
		case at.Equal(e.HeldAt) && place == e.Place:
			return &care.Refused{Key: care.KeySame}
		}
		e.HeldAt, e.Place = at, place
		return nil
	})
}

// CancelEvent calls an event off.
func (s *Service) CancelEvent(ctx context.Context, t *gateway.Turn, id int64) (Event, error) {
	return s.changeEvent(ctx, t, id, "cancelled", func(e *Event) error { e.State = EventCancelled; return nil })
}

// EndEvent says that an event took place. When its day is over and nobody has said
// otherwise it did.
func (s *Service) EndEvent(ctx context.Context, t *gateway.Turn, id int64) (Event, error) {
	return s.changeEvent(ctx, t, id, "done", func(e *Event) error { e.State = EventDone; return nil })
}

func (s *Service) changeEvent(ctx context.Context, t *gateway.Turn, id int64, what string, change func(*Event) error) (Event, error) {
	e, err := t.LockEvent(ctx, id)
	if err != nil {
		return e, fmt.Errorf("lock event %d: %w", id, err)
	}
	if e.State != EventPlanned {
		return e, &care.Refused{Key: care.KeyState, Params: map[string]string{"command": what, "state": e.State}}
	}
	if err := change(&e); err != nil {
		return e, err
	}
	if err := t.SaveEvent(ctx, db.SaveEventParams{ID: e.ID, Title: e.Title, Place: e.Place, HeldAt: e.HeldAt, State: e.State}); err != nil {
		return e, fmt.Errorf("change event %d: %w", id, err)
	}
	e.Version++
	return e, s.changed(ctx, t, e, what)
}

// changed begins the walk over those who take part.
func (s *Service) changed(ctx context.Context, t *gateway.Turn, e Event, what string) error {
	if err := t.Record(ctx, "event."+what, EventSubject(e.ID), map[string]any{"programme": e.Programme, "held": e.HeldAt, "version": e.Version}, ""); err != nil {
		return err
	}
	first := EventDue{Step: stepParts}
	if p, _ := s.Rules.Programme(e.Programme); p.Consent == care.NeedsJoining && e.State == EventPlanned {
		first.Step = stepMembers
	}
	if err := s.planStep(ctx, t, e, first, t.Now); err != nil || e.State != EventPlanned {
		return err
	}
	over := s.dayOf(e.HeldAt).AddDays(1).At(0, s.Orders.Work.Location())
	return s.planStep(ctx, t, e, EventDue{Step: stepOver}, over)
}

func (s *Service) planStep(ctx context.Context, t *gateway.Turn, e Event, d EventDue, at time.Time) error {
	return t.PlanDue(ctx, gateway.Plan{
		Kind: DueEvent, Subject: EventSubject(e.ID), Key: fmt.Sprintf("v%d/%s/%d", e.Version, d.Step, d.After), Version: e.Version, At: at, Data: d,
	})
}

// Walk does one step of the walk over an event and plans the next; why is set when
// a later change has taken over.
func (s *Service) Walk(ctx context.Context, t *gateway.Turn, id int64, version int32, d EventDue) (why string, err error) {
	e, err := t.LockEvent(ctx, id)
	if err != nil {
		return "", fmt.Errorf("lock event %d: %w", id, err)
	}
	if e.Version != version {
		return "the event was changed again", nil
	}
	switch d.Step {
	case stepOver:
		_, err := s.EndEvent(ctx, t, id)
		return "", err
	case stepMembers:
		return "", s.walkMembers(ctx, t, e, d.After)
	case stepParts:
		return "", s.walkParts(ctx, t, e, d.After)
	}
	return "", fmt.Errorf("no step of an event is called %q", d.Step)
}

func (s *Service) walkMembers(ctx context.Context, t *gateway.Turn, e Event, after int64) error {
	members, err := t.MembersAfter(ctx, e.Programme, after, eventChunk)
	if err != nil {
		return fmt.Errorf("list who takes part in %s: %w", e.Programme, err)
	}
	if _, err := s.insertParts(ctx, t, e, members, make([]int64, len(members))); err != nil {
		return err
	}
	next := EventDue{Step: stepParts}
	if len(members) == eventChunk {
		next = EventDue{Step: stepMembers, After: members[len(members)-1]}
	}
	return s.planStep(ctx, t, e, next, t.Now)
}

func (s *Service) walkParts(ctx context.Context, t *gateway.Turn, e Event, after int64) error {
	rows, err := t.OccasionsOfEvent(ctx, &e.ID, after, eventChunk)
	if err != nil {
		return fmt.Errorf("list who takes part in event %d: %w", e.ID, err)
	}
	if len(rows) == 0 {
		return nil
	}
	last, full := rows[len(rows)-1].ID, len(rows) == eventChunk
	if e.Version > 1 { // a new one is what its parts were made of
		if rows, err = s.spread(ctx, t, e, rows); err != nil {
			return err
		}
	}
	if err := s.syncParts(ctx, t, rows); err != nil || !full {
		return err
	}
	return s.planStep(ctx, t, e, EventDue{Step: stepParts, After: last}, t.Now)
}

// spread gives a chunk of the parts what the event has become.
func (s *Service) spread(ctx context.Context, t *gateway.Turn, e Event, rows []db.CareOccasion) ([]db.CareOccasion, error) {
	open := slices.DeleteFunc(care.OccasionStates(), func(s string) bool { return !care.OccasionOpen(s) })
	p := db.SpreadEventParams{State: e.State, FromStates: open}
	at := map[string]time.Time{string(care.AnchorHeld): e.HeldAt}
	switch e.State {
	case EventPlanned:
		at[string(care.AnchorMoved)] = t.Now
	case EventDone: // who said no was not there
		p.FromStates = slices.DeleteFunc(open, func(s string) bool { return s == care.OccasionDeclined })
	}
	for _, r := range rows {
		p.Ids = append(p.Ids, r.ID)
	}
	var err error
	if p.At, err = json.Marshal(at); err != nil {
		return nil, fmt.Errorf("pack the times of event %d: %w", e.ID, err)
	}
	changed, err := t.SpreadEvent(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("give the parts of event %d what it became: %w", e.ID, err)
	}
	subjects := make([]string, len(changed))
	for i, r := range changed {
		subjects[i] = OccasionSubject(r.ID)
	}
	if err := t.ClosePromptsAbout(ctx, "changed", subjects); err != nil {
		return nil, fmt.Errorf("close what waits for an answer: %w", err)
	}
	return changed, nil
}

// AddMembers adds persons to an event and returns how many are new. Who is no more,
// or was never there, is left out; it stops nobody else.
func (s *Service) AddMembers(ctx context.Context, t *gateway.Turn, event int64, persons []int64) (int, error) {
	living, err := t.LivingOf(ctx, persons)
	if err != nil {
		return 0, fmt.Errorf("look who is to take part: %w", err)
	}
	return s.addParts(ctx, t, event, living, make([]int64, len(living)))
}

// AddStaff is AddMembers for members of the staff.
func (s *Service) AddStaff(ctx context.Context, t *gateway.Turn, event int64, staff []int64) (int, error) {
	here, err := t.StaffOf(ctx, staff)
	if err != nil {
		return 0, fmt.Errorf("look who is to take part: %w", err)
	}
	return s.addParts(ctx, t, event, make([]int64, len(here)), here)
}

func (s *Service) addParts(ctx context.Context, t *gateway.Turn, event int64, persons, staff []int64) (int, error) {
	e, err := t.LockEvent(ctx, event)
	if err != nil {
		return 0, fmt.Errorf("lock event %d: %w", event, err)
	}
	if e.State != EventPlanned {
		return 0, &care.Refused{Key: care.KeyState, Params: map[string]string{"command": "add", "state": e.State}}
	}
	made, err := s.insertParts(ctx, t, e, persons, staff)
	if err != nil {
		return 0, err
	}
	for chunk := range slices.Chunk(made, eventChunk) {
		if err := s.syncParts(ctx, t, chunk); err != nil {
			return 0, err
		}
	}
	return len(made), nil
}

// insertParts makes persons, or staff, parts of an event; 0 stands in the other
// list.
func (s *Service) insertParts(ctx context.Context, t *gateway.Turn, e Event, persons, staff []int64) ([]db.CareOccasion, error) {
	at, err := json.Marshal(map[string]time.Time{string(care.AnchorHeld): e.HeldAt})
	if err != nil {
		return nil, fmt.Errorf("pack the times of event %d: %w", e.ID, err)
	}
	made, err := t.InsertOccasions(ctx, db.InsertOccasionsParams{Programme: e.Programme, Event: &e.ID, At: at, Persons: persons, Staff: staff})
	if err != nil {
		return nil, fmt.Errorf("let people take part in event %d: %w", e.ID, err)
	}
	return made, nil
}

// syncParts makes what is due around a chunk what the ladder says. A row that cannot
// be read stops nobody else: it is written down.
func (s *Service) syncParts(ctx context.Context, t *gateway.Turn, rows []db.CareOccasion) error {
	var parts []*Occasion
	var broken []string
	for _, r := range rows {
		o, err := postgres.OccasionOf(r)
		if err != nil {
			broken = append(broken, OccasionSubject(r.ID))
			if err := t.Record(ctx, "occasion.unreadable", OccasionSubject(r.ID), nil, ""); err != nil {
				return err
			}
			continue
		}
		parts = append(parts, o)
	}
	if err := s.clearSubjects(ctx, t, broken, "unreadable"); err != nil {
		return err
	}
	ladders, err := s.ladders(ctx, t, parts)
	if err != nil {
		return err
	}
	return s.syncOccasions(ctx, t, ladders)
}
