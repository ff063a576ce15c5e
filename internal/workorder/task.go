package workorder

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// Kinds of task.
const (
	TaskComplete  = "complete"  // a clerk completes a draft
	TaskVoice     = "voice"     // a clerk writes a recording down
	TaskDispatch  = "dispatch"  // a dispatcher decides the desk
	TaskPhone     = "phone"     // a callback clerk rings
	TaskJudge     = "judge"     // a callback clerk decides on an unhappy answer
	TaskCheck     = "check"     // another person checks a finding
	TaskPerson    = "person"    // a resident wants to speak to a person
	TaskLost      = "lost"      // a message that could not be delivered
	TaskDead      = "dead"      // an event that could not be run
	TaskLogin     = "login"     // a channel account that is logged out
	TaskUnplanned = "unplanned" // a bed whose visits could not be planned
)

// DueTask tells the people of a role that a task lies before them: TaskDue.
const DueTask = "task"

// TaskDue is the data of a DueTask row.
type TaskDue struct {
	Kind string `json:"kind"`
}

// CityCode is 萍乡市 (GB/T 2260).
const CityCode = "3603"

// AddTask lays a task before the people of a role whose area has the ticket.
func (s *Service) AddTask(ctx context.Context, t *gateway.Turn, o *Order, kind string, role people.Role, data map[string]string) error {
	return s.AddTaskOn(ctx, t, o, kind, Subject(o.ID), role, data)
}

// AddTaskOn is AddTask where there may be several of a kind about one ticket:
// the subject tells them apart.
func (s *Service) AddTaskOn(ctx context.Context, t *gateway.Turn, o *Order, kind, subject string, role people.Role, data map[string]string) error {
	p := db.AddTaskParams{Kind: kind, Subject: subject, TicketID: &o.ID, Role: string(role)}
	p.Area, p.AreaKind = s.taskArea(o)
	if due := s.taskDue(o, kind, t.Now); !due.IsZero() {
		p.DueAt = &due
	}
	return s.layTask(ctx, t, o, p, data)
}

// layTask writes a task about a ticket. Where everybody who could do it is whom the
// ticket is about, the next desk above hears in words that somebody else must be
// found: the task stays, for whoever that will be.
func (s *Service) layTask(ctx context.Context, t *gateway.Turn, o *Order, p db.AddTaskParams, data map[string]string) error {
	if err := s.addTask(ctx, t, p, int32(o.Version), data); err != nil || !o.AboutSomebody() {
		return err
	}
	there, err := s.Holding(ctx, t, o, people.Role(p.Role), p.Area, CityCode)
	if err != nil || len(there) > 0 {
		return err
	}
	rungs := s.Rules.Policy().Ladder.Rungs
	desk := slices.IndexFunc(rungs, func(r ticket.Rung) bool { return r.Role == string(people.RoleDispatcher) })
	return s.askRungs(ctx, t, o, rungs[desk+1:], "no_free")
}

// taskDue is until when a task about a ticket is to be done, zero where no limit
// says so: before a desk has the ticket the time to dispatch it, after a desk
// has reported the limits of configs/policies/callbacks.yaml.
func (s *Service) taskDue(o *Order, kind string, now time.Time) time.Time {
	callback := s.Rules.Callbacks().Callback
	switch kind {
	case TaskComplete, TaskVoice, TaskDispatch:
		return o.DispatchDue
	case TaskPhone, TaskCheck:
		return callback.PhoneWithin.Deadline(now, s.Work)
	case TaskJudge:
		return callback.JudgeWithin.Deadline(now, s.Work)
	}
	return time.Time{}
}

// AddCityTask lays a task that is about no ticket before the people of a role
// in the city.
func (s *Service) AddCityTask(ctx context.Context, t *gateway.Turn, kind, subject string, role people.Role, due time.Time, data map[string]string) error {
	p := db.AddTaskParams{Kind: kind, Subject: subject, Role: string(role), Area: CityCode, AreaKind: string(people.AreaCity)}
	if !due.IsZero() {
		p.DueAt = &due
	}
	return s.addTask(ctx, t, p, 0, data)
}

// AddTaskAt lays a task that is about no ticket before the people of a role in an
// area, or before one of the staff.
func (s *Service) AddTaskAt(ctx context.Context, t *gateway.Turn, p db.AddTaskParams, data map[string]string) error {
	return s.addTask(ctx, t, p, 0, data)
}

// addTask writes the task and plans that its people are told. A task that is
// open already keeps its row and gets the new data.
func (s *Service) addTask(ctx context.Context, t *gateway.Turn, p db.AddTaskParams, version int32, data map[string]string) error {
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("pack a task: %w", err)
	}
	p.Data = t.Seal(SealTask, string(body))
	id, err := t.Tx.AddTask(ctx, p)
	if err != nil {
		return fmt.Errorf("add task %s: %w", p.Kind, err)
	}
	return t.PlanDue(ctx, gateway.Plan{
		Kind: DueTask, Subject: p.Subject, Key: p.Kind + "/" + strconv.FormatInt(id, 10) + "/" + strconv.FormatInt(t.Now.Unix(), 10),
		Version: version, At: t.Now, Data: TaskDue{Kind: p.Kind},
	})
}

// taskArea is the area whose people get a ticket's tasks: its county, or the
// city while the place is unknown.
func (s *Service) taskArea(o *Order) (area, kind string) {
	if county := people.DivisionCode(o.Place.Division).At(people.LevelCounty); county != "" {
		return string(county), string(people.AreaCounty)
	}
	return CityCode, string(people.AreaCity)
}
