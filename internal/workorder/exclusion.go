package workorder

import (
	"context"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

// TaskExclusion lies before a reviewer who is independent of desk and dispatch.
const TaskExclusion = "exclusion"

// Excluder is the member of the staff as an actor of the desk that had the lead
// of a closed ticket last; ok is false for whoever does not belong to it.
func (s *Service) Excluder(t *gateway.Turn, staff people.Staff, o *Order) (by ticket.Actor, ok bool) {
	lead, held := o.LastLead()
	if !held || !s.serves(staff, people.MayAskExclusion, o, lead.Desk, t.Now) {
		return by, false
	}
	return ticket.Actor{As: ticket.AsHandler, Person: staff.PersonID, Staff: staff.ID, Desk: lead.Desk}, true
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
	return o, s.reviewTask(ctx, t, o, evidence)
}

// reviewTask lays the question before the supervisors; one about a private
// ticket before the callback clerks, who may see it.
func (s *Service) reviewTask(ctx context.Context, t *gateway.Turn, o *Order, evidence string) error {
	role := people.RoleSupervisor
	if o.Private() {
		role = people.RoleCallbackClerk
	}
	return s.AddTask(ctx, t, o, TaskExclusion, role, map[string]string{"reason": o.ExclusionReason, "words": evidence})
}

// DecideExclusion keeps the reviewer's decision and tells who asked.
func (s *Service) DecideExclusion(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, granted bool, why string) (*Order, error) {
	o, err := s.Load(ctx, t, id, true)
	if err != nil {
		return nil, err
	}
	asker := o.Request.Staff
	if err := s.apply(ctx, t, o, by, ticket.DecideExclusion{Granted: granted}); err != nil {
		return nil, err
	}
	if err := s.Note(ctx, t, o.ID, "staff", why); err != nil {
		return nil, err
	}
	d := TellDue{Key: "tell.exclusion_refused", Words: t.Seal(SealNotice, why)}
	if granted {
		d.Key = "tell.exclusion_granted"
	}
	return o, s.tell(ctx, t, o, "exclusion", d, []int64{asker})
}
