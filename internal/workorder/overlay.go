package workorder

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

// The words that go with overlays of a ticket: supervision, exclusion, merging.

const (
	// SealSupervision seals supervision.words: the desk's signed answer.
	SealSupervision = "supervision.words"
	// TaskExclusion lies before a reviewer who is independent of desk and
	// dispatch, TaskEscalated before the people of a higher level.
	TaskExclusion = "exclusion"
	TaskEscalated = "escalated"
)

// Excluder is the member of the staff as an actor of the desk that had the lead
// of a closed ticket last; ok is false for whoever does not belong to it.
func (s *Service) Excluder(t *gateway.Turn, staff people.Staff, o *Order) (by ticket.Actor, ok bool) {
	for _, a := range slices.Backward(o.Assignments) {
		if a.Role == ticket.RoleLead {
			by = ticket.Actor{As: ticket.AsHandler, Person: staff.PersonID, Staff: staff.ID, Desk: a.Desk}
			return by, s.serves(staff, people.MayAskExclusion, o, a.Desk, t.Now)
		}
	}
	return by, false
}

// serves reports whether the member of the staff belongs to a desk of the ticket
// and may give the command there.
func (s *Service) serves(staff people.Staff, c people.StaffCommand, o *Order, d ticket.Desk, now time.Time) bool {
	if d.Kind == ticket.DeskNamed && d.Staff != staff.ID {
		return false
	}
	return s.Rights.May(staff, c, seenFrom(o, d), now)
}

// AskExclusion 剔除 asks to leave a closed ticket out of its desk's figures. The
// evidence is a note of the staff, and lies before the reviewer.
func (s *Service) AskExclusion(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, reason, evidence string) (*Order, error) {
	o, err := s.Do(ctx, t, id, by, ticket.AskExclusion{Reason: reason, HasEvidence: evidence != ""})
	if err != nil {
		return nil, err
	}
	if err := s.Note(ctx, t, o.ID, "staff", evidence); err != nil {
		return nil, err
	}
	role := people.RoleSupervisor
	if o.Private() {
		role = people.RoleCallbackClerk
	}
	return o, s.AddTask(ctx, t, o, TaskExclusion, role, map[string]string{"reason": reason, "words": evidence})
}

// DecideExclusion keeps the reviewer's decision with its reason.
func (s *Service) DecideExclusion(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, granted bool, why string) (*Order, error) {
	o, err := s.Do(ctx, t, id, by, ticket.DecideExclusion{Granted: granted})
	if err != nil {
		return nil, err
	}
	if err := s.endTasks(ctx, t, o, TaskExclusion, "decided"); err != nil {
		return nil, err
	}
	return o, s.Note(ctx, t, o.ID, "staff", why)
}

// Supervise demands an answer of a desk that has a part in the ticket. It draws
// the number of the supervision. ticket.KeySupervised refuses a second one.
func (s *Service) Supervise(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, desk ticket.Desk, reason string) (*Order, error) {
	number, err := ticket.NewNumber(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("draw the number of a supervision: %w", err)
	}
	return s.Do(ctx, t, id, by, ticket.Supervise{Number: number, Desk: desk, Reason: reason})
}

// AnswerSupervision keeps the words of the member of the staff who signs for the
// desk that was supervised.
func (s *Service) AnswerSupervision(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, number ticket.Number, words string) (*Order, error) {
	o, err := s.Do(ctx, t, id, by, ticket.AnswerSupervision{Number: number, HasReply: words != ""})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(o.Supervisions, func(v ticket.Supervision) bool { return v.Number == number })
	if err := t.SetSupervisionWords(ctx, o.Supervisions[i].ID, t.Seal(SealSupervision, words)); err != nil {
		return nil, fmt.Errorf("keep the answer to a supervision: %w", err)
	}
	return o, nil
}

// Supervised is the open supervision that the member of the staff may answer;
// ok is false where there is none.
func (s *Service) Supervised(staff people.Staff, o *Order, now time.Time) (v ticket.Supervision, ok bool) {
	for _, v := range o.Supervisions {
		if v.Open() && s.serves(staff, people.MayAnswerFor, o, v.Desk, now) {
			return v, true
		}
	}
	return ticket.Supervision{}, false
}

// Merge puts a ticket behind a master. Both are locked, the lower id first.
func (s *Service) Merge(ctx context.Context, t *gateway.Turn, by ticket.Actor, child, master int64) (*Order, error) {
	var behind *Order
	for _, id := range []int64{min(child, master), max(child, master)} {
		o, err := s.Load(ctx, t, id, true)
		if err != nil {
			return nil, err
		}
		if id == master {
			behind = o
		}
	}
	led, err := t.TicketsMergedInto(ctx, child)
	if err != nil {
		return nil, fmt.Errorf("list what was merged into a ticket: %w", err)
	}
	return s.Do(ctx, t, child, by, ticket.Merge{Master: behind.Ticket, Leads: len(led) > 0})
}

// Unmerge gives a ticket back the state it had.
func (s *Service) Unmerge(ctx context.Context, t *gateway.Turn, by ticket.Actor, child int64) (*Order, error) {
	return s.Do(ctx, t, child, by, ticket.Unmerge{})
}

// Instruct keeps what the people of a higher level say about a ticket.
func (s *Service) Instruct(ctx context.Context, t *gateway.Turn, o *Order, staff people.Staff, words string) error {
	if err := s.Note(ctx, t, o.ID, "staff", words); err != nil {
		return err
	}
	return t.Record(ctx, "ticket.instructed", Subject(o.ID), map[string]any{"staff": staff.ID}, words)
}
