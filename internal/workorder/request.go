package workorder

import (
	"context"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

// What a desk asks for: objection 退单, extension 延期, suspension 挂起. It makes a
// task for whoever decides; the clock runs on until then.

// TaskReview is the task of deciding on what the lead desk asks for. What that
// is stands in the ticket itself.
const TaskReview = "review"

// DueResume ends a suspension at its day.
const DueResume = "sla.resume"

// Object raises an objection with its basis in words. A refusal keeps nothing.
func (s *Service) Object(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, reason, basis string) (*Order, error) {
	return s.saying(ctx, t, id, by, ticket.Object{Reason: reason, HasBasis: basis != ""}, func(o *Order) error {
		lead, _ := o.Lead()
		return t.SetAssignmentBasis(ctx, lead.ID, t.Seal(sealBasis, basis))
	})
}

// Basis opens what the desk that has the lead wrote for its objection.
func (s *Service) Basis(ctx context.Context, t *gateway.Turn, o *Order) (string, error) {
	lead, ok := o.Lead()
	if !ok {
		return "", nil
	}
	_, bases, err := s.deskWords(ctx, t, o)
	return bases[lead.ID], err
}

// Decide rules on what the lead desk asked for and tells the desk, with the
// words of who decided; they may be empty. It is the one way to decide.
func (s *Service) Decide(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, granted bool, why string) (*Order, error) {
	o, err := s.Load(ctx, t, id, true)
	if err != nil {
		return nil, err
	}
	asked := o.Request.Kind
	lead, _ := o.Lead()
	if err := s.apply(ctx, t, o, by, ticket.Decide{Granted: granted}); err != nil {
		return nil, err
	}
	word := TellDue{Key: "tell." + string(asked) + "_refused", Open: true}
	if granted {
		word.Key = "tell." + string(asked) + "_granted"
	}
	if why != "" {
		if err := s.Note(ctx, t, id, "staff", why); err != nil {
			return nil, err
		}
		word.Words = t.Seal(SealNotice, why)
	}
	return o, s.tellDesk(ctx, t, o, lead, "decided", word)
}

// Decider is the member of the staff as who rules on what the lead desk asked
// for; ok is false for who may not. What is a supervisor's to grant is theirs to
// refuse; a dispatcher who tries is told so by the rules.
func (s *Service) Decider(staff people.Staff, o *Order, now time.Time) (by ticket.Actor, ok bool) {
	by = ticket.Actor{As: ticket.AsDispatcher, Person: staff.PersonID, Staff: staff.ID}
	ok = staff.Has(people.RoleDispatcher)
	if s.BySupervisor(o) && staff.Has(people.RoleSupervisor) {
		by.As, ok = ticket.AsSupervisor, true
	}
	return by, ok && s.May(staff, people.MayDecide, o, now)
}

// toDispatcher lays a ticket that left its desk before the dispatchers.
func (s *Service) toDispatcher(ctx context.Context, t *gateway.Turn, o *Order, data map[string]string) error {
	if err := s.quiet(ctx, t, o, "back to the dispatcher"); err != nil {
		return err
	}
	if err := s.uncard(ctx, t, o); err != nil {
		return err
	}
	if err := s.endTasks(ctx, t, o, TaskReview, "decided"); err != nil {
		return err
	}
	if err := s.AddTask(ctx, t, o, TaskDispatch, people.RoleDispatcher, data); err != nil {
		return err
	}
	return t.PlanDue(ctx, plan(o, DueDispatch, "", o.DispatchDue, nil)...)
}

// followRequest does what follows from asking and from deciding.
func (s *Service) followRequest(ctx context.Context, t *gateway.Turn, o *Order, e ticket.Event) error {
	switch e.Kind {
	case ticket.EventObjected:
		if o.State == ticket.Received { // one unit too many: nobody reviews it
			return s.objectionStands(ctx, t, o, e)
		}
		if err := s.clear(ctx, t, o, "objected", DueSign); err != nil {
			return err
		}
		return s.askReview(ctx, t, o)
	case ticket.EventExtensionAsked, ticket.EventSuspensionAsked:
		return s.askReview(ctx, t, o)
	case ticket.EventObjectionGranted:
		return s.objectionStands(ctx, t, o, e)
	}
	if err := s.endTasks(ctx, t, o, TaskReview, "decided"); err != nil {
		return err
	}
	switch e.Kind {
	case ticket.EventObjectionRefused:
		return t.PlanDue(ctx, plan(o, DueSign, "", o.SignDue, nil)...)
	case ticket.EventExtensionGranted:
		return s.extended(ctx, t, o, e)
	case ticket.EventSuspended:
		return s.suspended(ctx, t, o, e)
	case ticket.EventResumed:
		return s.resumed(ctx, t, o, e)
	}
	return nil
}

// askReview lays what was asked for before who may decide: a dispatcher, and a
// supervisor for one extension more than a dispatcher may grant. The two are
// tasks of their own, because a task keeps the role it was made for.
func (s *Service) askReview(ctx context.Context, t *gateway.Turn, o *Order) error {
	data := map[string]string{"request": string(o.Request.Kind)}
	if s.BySupervisor(o) {
		return s.AddTaskOn(ctx, t, o, TaskReview, "supervisor/"+Subject(o.ID), people.RoleSupervisor, data)
	}
	return s.AddTask(ctx, t, o, TaskReview, people.RoleDispatcher, data)
}

// BySupervisor reports whether what the ticket waits for, or would wait for
// with one more extension, is a supervisor's to grant.
func (s *Service) BySupervisor(o *Order) bool {
	return o.Request.Kind == ticket.RequestExtension && o.Extensions >= s.Rules.Policy().Extensions.Max
}

// objectionStands gives the ticket to the dispatcher with the reason and the
// basis of the desk that let it go.
func (s *Service) objectionStands(ctx context.Context, t *gateway.Turn, o *Order, e ticket.Event) error {
	basis, err := s.lastBasis(ctx, t, o)
	if err != nil {
		return err
	}
	return s.toDispatcher(ctx, t, o, map[string]string{"reason": e.Data["reason"], "words": basis})
}

// lastBasis opens what the lead that objected last gave as its basis.
func (s *Service) lastBasis(ctx context.Context, t *gateway.Turn, o *Order) (string, error) {
	_, bases, err := s.deskWords(ctx, t, o)
	if err != nil {
		return "", err
	}
	words := ""
	for _, a := range o.Assignments {
		if a.Role == ticket.RoleLead && bases[a.ID] != "" {
			words = bases[a.ID]
		}
	}
	return words, nil
}

// extended lets the clocks count to the new deadline and tells the reporter.
func (s *Service) extended(ctx context.Context, t *gateway.Turn, o *Order, e ticket.Event) error {
	if err := s.clear(ctx, t, o, "extended", DueNudge); err != nil {
		return err
	}
	if err := t.PlanDue(ctx, s.nudges(o, t.Now)...); err != nil {
		return err
	}
	return s.Notify(ctx, t, o, "extended", NoticeDue{Key: "notice.extended." + e.Data["reason"], Params: s.promise(o)})
}

// suspended stops every clock of the desks until the day that was granted.
func (s *Service) suspended(ctx context.Context, t *gateway.Turn, o *Order, e ticket.Event) error {
	if err := s.quiet(ctx, t, o, "suspended"); err != nil {
		return err
	}
	if err := t.PlanDue(ctx, plan(o, DueResume, "", o.SuspendedUntil, nil)...); err != nil {
		return err
	}
	params := s.when(o.SuspendedUntil)
	params["number"] = o.Number.Spoken()
	return s.Notify(ctx, t, o, "suspended", NoticeDue{Key: "notice.suspended." + e.Data["reason"], Params: params})
}

// resumed starts the clocks again, later by the time that was waited. A desk
// that did not do it itself is told.
func (s *Service) resumed(ctx context.Context, t *gateway.Turn, o *Order, e ticket.Event) error {
	if err := s.clear(ctx, t, o, "resumed", DueResume); err != nil {
		return err
	}
	plans := append(s.nudges(o, t.Now), s.coClocks(o, t.Now)...)
	if o.ContactDue.After(t.Now) {
		plans = append(plans, plan(o, DueContact, "", o.ContactDue, nil)...)
	}
	if err := t.PlanDue(ctx, plans...); err != nil {
		return err
	}
	if lead, ok := o.Lead(); ok && e.Actor.As != ticket.AsHandler {
		if err := s.tellDesk(ctx, t, o, lead, "resumed", TellDue{Key: "tell.resumed", Open: true}); err != nil {
			return err
		}
	}
	return s.Notify(ctx, t, o, "resumed", NoticeDue{Key: "notice.resumed", Params: s.promise(o)})
}

// nudges are the reminders of the lead that are still to come at now.
func (s *Service) nudges(o *Order, now time.Time) []gateway.Plan {
	var plans []gateway.Plan
	for _, n := range s.Rules.Nudges(o.Ticket) {
		if n.At.After(now) {
			plans = append(plans, plan(o, DueNudge, strconv.FormatFloat(n.Share, 'f', 2, 64), n.At, NudgeDue{Share: n.Share})...)
		}
	}
	return plans
}

// requestLines say on a card what the desk waits for.
func (s *Service) requestLines(o *Order, part Part, view map[ticket.Field]ticket.Show, c *sheet) {
	if part == InformedPart || part == CoPart || view[ticket.FieldDesks] != ticket.Full {
		return
	}
	switch o.Request.Kind {
	case ticket.RequestExtension, ticket.RequestSuspension:
		c.add("card.asked."+string(o.Request.Kind), s.when(o.Request.Until))
	}
	if o.State == ticket.Suspended {
		c.add("card.suspended_until", s.when(o.SuspendedUntil))
	}
}
