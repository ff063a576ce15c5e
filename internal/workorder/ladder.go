package workorder

import (
	"context"
	"fmt"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// DueRaise raises a ticket that is a whole limit over its deadline: RaiseDue. It
// reads the deadline again, so nobody who stops a clock has to take it back.
const DueRaise = "sla.escalate"

// RaiseDue is the data of a DueRaise row: the level that the ticket had. Each is
// left once, however often the ticket changed desks there.
type RaiseDue struct {
	Level int `json:"level"`
}

// TaskEscalated lies before the people of the level that a ticket was raised to.
const TaskEscalated = "escalated"

// deskClocks are the clocks of the desk that has the lead, but for those that
// have run out already; what is due at the deadline comes in any case.
func (s *Service) deskClocks(t *gateway.Turn, o *Order) ([]gateway.Plan, error) {
	var plans []gateway.Plan
	for _, n := range s.Rules.Nudges(o.Ticket) {
		if n.Share < 1 && n.At.Before(t.Now) {
			continue
		}
		plans = append(plans, plan(o, DueNudge, strconv.FormatFloat(n.Share, 'f', 2, 64), n.At, NudgeDue{Share: n.Share})...)
	}
	plans = append(plans, plan(o, DueSign, "", o.SignDue, nil)...)
	if o.ContactedAt.IsZero() {
		plans = append(plans, plan(o, DueContact, "", o.ContactDue, nil)...)
	}
	at, err := s.Rules.RaiseAt(o.Ticket)
	if err != nil {
		return nil, err
	}
	return append(plans, plan(o, DueRaise, "", at, RaiseDue{Level: o.Level})...), nil
}

// escalated lays a raised ticket before the people of its new level. One that
// lies on no desk, or was taken off it, waits for the dispatcher of that level.
func (s *Service) escalated(ctx context.Context, t *gateway.Turn, o *Order, e ticket.Event) error {
	if err := s.endTasks(ctx, t, o, TaskEscalated, "raised"); err != nil {
		return err
	}
	if err := s.askLevel(ctx, t, o, e.Data["reason"]); err != nil {
		return err
	}
	if o.State != ticket.Received {
		return nil
	}
	area, err := s.dispatchArea(ctx, t, o)
	if err != nil {
		return err
	}
	// What a third refusal takes off its desk has its clocks already.
	if e.From != ticket.Received && e.Data["reason"] != ticket.EscalateRefusals {
		if err := s.quiet(ctx, t, o, "escalated"); err != nil {
			return err
		}
		if err := s.uncard(ctx, t, o); err != nil {
			return err
		}
		if err := t.PlanDue(ctx, plan(o, DueDispatch, "", o.DispatchDue, nil)...); err != nil {
			return err
		}
	}
	data := map[string]string{"reason": "raised_" + e.Data["reason"]}
	if e.Data["reason"] == ticket.EscalateRefusals {
		if data["words"], err = s.lastBasis(ctx, t, o); err != nil {
			return err
		}
	}
	return s.layTask(ctx, t, o, db.AddTaskParams{
		Kind: TaskDispatch, Subject: Subject(o.ID), TicketID: &o.ID, Role: string(people.RoleDispatcher), Area: area.Code, AreaKind: string(area.Kind),
	}, data)
}

// askLevel lays the task before the ticket's own level: askRungs.
func (s *Service) askLevel(ctx context.Context, t *gateway.Turn, o *Order, reason string) error {
	return s.askRungs(ctx, t, o, s.Rules.Rungs(o.Ticket), reason)
}

// askRungs lays the task before the first of the levels that somebody holds whom
// the ticket is not about; before the dispatchers where there is none at all.
func (s *Service) askRungs(ctx context.Context, t *gateway.Turn, o *Order, rungs []ticket.Rung, reason string) error {
	p := db.AddTaskParams{
		Kind: TaskEscalated, Subject: fmt.Sprintf("level/%d/%s", o.Level, Subject(o.ID)), TicketID: &o.ID, Role: string(people.RoleDispatcher),
	}
	p.Area, p.AreaKind = s.taskArea(o)
	for _, r := range rungs {
		area := areaOf(o, people.AreaKind(r.Area))
		if area.Code == "" {
			continue
		}
		there, err := s.Holding(ctx, t, o, people.Role(r.Role), area.Code)
		if err != nil {
			return err
		}
		if len(there) > 0 {
			p.Role, p.Area, p.AreaKind = r.Role, area.Code, string(area.Kind)
			break
		}
	}
	return s.addTask(ctx, t, p, int32(o.Version), map[string]string{"reason": reason})
}

// dispatchArea is where the dispatchers of the ticket's level sit: that of its
// own rung, else the next one up where there is a dispatcher.
func (s *Service) dispatchArea(ctx context.Context, t *gateway.Turn, o *Order) (people.Area, error) {
	kinds := []people.AreaKind{people.AreaTownship, people.AreaCounty, people.AreaCity}
	rung := s.Rules.Rungs(o.Ticket)[0]
	switch people.AreaKind(rung.Area) {
	case people.AreaCounty:
		kinds = kinds[1:]
	case people.AreaCity:
		kinds = kinds[2:]
	}
	for _, kind := range kinds {
		area := areaOf(o, kind)
		if area.Code == "" {
			continue
		}
		there, err := s.Holding(ctx, t, o, people.RoleDispatcher, area.Code)
		if err != nil || len(there) > 0 {
			return area, err
		}
	}
	code, kind := s.taskArea(o)
	return people.Area{Kind: people.AreaKind(kind), Code: code}, nil
}

// HoldsLevel reports whether a task of kind TaskEscalated is for the member of
// the staff: it goes to one role in one area, and to nobody above or below.
func HoldsLevel(staff people.Staff, task db.Task) bool {
	for _, g := range staff.Grants {
		if string(g.Role) == task.Role && string(g.Area.Kind) == task.AreaKind && g.Area.Code == task.Area {
			return true
		}
	}
	return false
}

// Instruct 批示 keeps what the people of a higher level say about a ticket that
// was raised to them, and tells whoever has it.
func (s *Service) Instruct(ctx context.Context, t *gateway.Turn, o *Order, staff people.Staff, words string) error {
	if err := s.Note(ctx, t, o.ID, "staff", words); err != nil {
		return err
	}
	if err := t.Record(ctx, "ticket.instructed", Subject(o.ID), map[string]any{"level": o.Level}, words); err != nil {
		return err
	}
	var to []int64
	var err error
	if lead, ok := o.Lead(); ok {
		to, err = s.holders(ctx, t, lead)
	} else if o.State == ticket.Received {
		to, err = s.Holding(ctx, t, o, people.RoleDispatcher, areaOf(o, people.AreaCounty).Code, CityCode)
	}
	if err != nil {
		return err
	}
	d := TellDue{Key: "tell.instructed", Params: map[string]string{"name": staff.Name}, Words: t.Seal(SealNotice, words)}
	return s.tell(ctx, t, o, "instructed/"+strconv.FormatInt(t.Now.Unix(), 10), d, to)
}
