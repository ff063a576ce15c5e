// Package homecare keeps family beds and their visits, their trail and what is due
// around them in step.
//
// Package care says what may happen and what is due; this package makes it happen
// in the transaction of a turn: lock the bed, run the command, settle and plan its
// slots, write, clear what has ended, and make the due rows what the ladders say.
// Actions, due kinds, the desk page and the API all go through Service, so no two
// of them can disagree. It is to beds what package workorder is to tickets.
//
// # One lock
//
// Whatever changes a visit locks the row of its bed first and nothing else of
// another bed; several beds are locked in the order of their ids. Hours of a
// visitor are given out under an advisory lock of that visitor (LockStaffDays).
// Turn locks the conversation before, due rows come after (design 4).
//
// # What follows is a due row
//
// Nobody but the speaker is spoken to directly. Rows of the ladders are kept equal
// to care.Rules.Ladder by sync: each command ends with it. What a rule keeps back
// (no consent, nobody to write to, quiet hours) is a row in state "suppressed"
// with the reason, so the ledger can say why nothing was sent. News of an
// application are rows of their own kind, DueNews: they tell of one event and hang
// on no later state.
//
// # Clearing
//
// Death, admission, the end of a bed and withdrawn consent clear rows, open
// prompts and tasks in their own transaction (end.go). What lies in the outbox
// then is looked at once more before it goes (late binding: scheduler/jobs).
//
// # Pauses
//
// A paused programme plans and decides as ever; its rows wait. On resume each row
// is judged by its own end: what has lost its meaning expires with the reason
// "paused", the rest goes out over some minutes, soonest visit first. There is no
// flood, because a row that is too late is no row. Calls for help and wrong door codes
// are held by no pause.
package homecare

import (
	"context"
	"errors"
	"fmt"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// Application, Bed and Visit are what is kept, with their sealed words.
type (
	Application = postgres.SealedApplication
	Bed         = postgres.SealedBed
)

// The associated data under which words are sealed.
const (
	SealWords     = "care_application.words"
	SealHome      = "bed.home" // of applications as well
	SealDiagnosis = "bed.diagnosis"
	SealClosing   = "bed.closing"
	SealNote      = "visit_note.body"
)

// Service is immutable and safe for use by many goroutines.
type Service struct {
	Rules *care.Rules
	// Orders lays tasks before people and knows who holds which role.
	Orders *workorder.Service
	// Quiet spreads what a pause had held.
	Quiet scheduler.Quiet
}

// Subjects of due rows, prompts, tasks and the trail.
func subjectOf(kind string, id int64) string { return postgres.Subject(kind, id) }

// BedSubject names a bed.
func BedSubject(id int64) string { return subjectOf("bed", id) }

// VisitSubject names a visit.
func VisitSubject(id int64) string { return subjectOf("visit", id) }

// ApplicationSubject names an application.
func ApplicationSubject(id int64) string { return subjectOf("application", id) }

// ErrNotYours is returned where something exists but its reader may not see it:
// the answer is the same as for what does not exist.
var ErrNotYours = errors.New("no such bed or visit for this reader")

// System is the planner and what comes due.
func System() care.Actor { return care.Actor{As: care.AsSystem} }

// Family is the speaker of a turn as who applies; as one of a household: Member.
func Family(t *gateway.Turn) care.Actor { return care.Actor{As: care.AsFamily, Person: t.Person} }

// unitOf is the subject by which rights judge a bed: the clinic's unit.
func unitOf(clinic string) people.Subject { return people.Subject{Unit: clinic} }

// ActorAt is a member of the staff in the widest capacity that the rights give at
// a clinic; ok is false when there is none. A doctor who is the bed's own, and who
// makes a visit, are that first.
func (s *Service) ActorAt(ctx context.Context, t *gateway.Turn, staff people.Staff, b *Bed, v *care.Visit) (by care.Actor, ok bool, err error) {
	by = care.Actor{Staff: staff.ID}
	units, err := s.unitsOf(ctx, t, b.Clinic, b.Hospital)
	if err != nil {
		return by, false, err
	}
	may := func(c people.StaffCommand, unit string) bool {
		return unit != "" && s.Orders.Rights.May(staff, c, unitOf(unit), t.Now)
	}
	switch {
	case may(people.MayRunBeds, units[b.Clinic]):
		by.As = care.AsDesk
	case staff.ID == b.Doctor && may(people.MayTreat, units[b.Clinic]):
		by.As = care.AsDoctor
	case v != nil && staff.ID == v.Staff:
		by.As = care.AsVisitor
	case may(people.MayLiaise, units[b.Hospital]):
		by.As = care.AsHospital
	default:
		return by, false, nil
	}
	return by, true, nil
}

// AsVisitor is who makes the visit, whatever else they are.
func AsVisitor(staff int64) care.Actor { return care.Actor{As: care.AsVisitor, Staff: staff} }

// unitsOf are the unit codes of organisations by id; 0 has none.
func (s *Service) unitsOf(ctx context.Context, t *gateway.Turn, ids ...int64) (map[int64]string, error) {
	units := map[int64]string{}
	for _, id := range ids {
		if id == 0 || units[id] != "" {
			continue
		}
		c, err := t.GetClinic(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("load clinic %d: %w", id, err)
		}
		units[id] = c.Code
	}
	return units, nil
}

// LoadBed reads a bed.
func (s *Service) LoadBed(ctx context.Context, t *gateway.Turn, id int64) (*Bed, error) {
	return t.Tx.LoadBed(ctx, id, false)
}

// LoadVisit reads a visit and its bed.
func (s *Service) LoadVisit(ctx context.Context, t *gateway.Turn, id int64) (*Bed, care.Visit, error) {
	return t.VisitAt(ctx, id, false)
}

// DoorCode is the code that the visitor says at the door.
func (s *Service) DoorCode(v care.Visit) (string, error) {
	return care.DoorCode(s.Orders.Keys.Door(), v.ID)
}

// record writes events into the trail.
func (s *Service) record(ctx context.Context, t *gateway.Turn, prefix, subject string, events []care.Event) error {
	for _, e := range events {
		data := map[string]any{"as": e.Actor.As, "from": e.From, "to": e.To}
		if e.Actor.Staff != 0 {
			data["staff"] = e.Actor.Staff
		}
		if e.Actor.Person != 0 {
			data["person"], data["address"] = e.Actor.Person, t.Address
		}
		for k, v := range e.Data {
			data[k] = v
		}
		if err := t.Record(ctx, prefix+"."+string(e.Kind), subject, data, ""); err != nil {
			return err
		}
	}
	return nil
}
