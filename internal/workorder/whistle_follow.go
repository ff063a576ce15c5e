package workorder

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// Kinds of due row that follow from whistles; their subject is "whistle:ID".
const (
	// DueWhistleCall calls a unit, or changes what it was sent: WhistleCallDue.
	DueWhistleCall = "whistle.call"
	// DueWhistleCard keeps the status of a whistle in a work group: WhistleCallDue.
	DueWhistleCard = "whistle.card"
	// DueWhistleLate looks whether a step was done in time: WhistleLateDue.
	DueWhistleLate = "whistle.late"
	// DueWhistleNudge reminds a unit before that: WhistleLateDue.
	DueWhistleNudge = "whistle.nudge"
	// DueWhistleTell tells people a line: WhistleTellDue.
	DueWhistleTell = "whistle.tell"
)

// ReasonWhistleCover takes back what stood in a group.
const ReasonWhistleCover = "whistle.cover"

// WhistleCallDue is the data of DueWhistleCall (a unit's part, for one of the
// staff or for a group) and of DueWhistleCard (a group).
type WhistleCallDue struct {
	Unit  int64 `json:"unit,omitempty"`
	Staff int64 `json:"staff,omitempty"`
	Group int64 `json:"group,omitempty"`
}

// WhistleLateDue says which step was due, and of which unit where it is one of
// a unit.
type WhistleLateDue struct {
	What ticket.CommandName `json:"what"`
	Unit int64              `json:"unit,omitempty"`
}

// WhistleTellDue is a text key with whom it is for. The values of the text are
// those of the whistle as it then is, and Params: codes and names of units only.
type WhistleTellDue struct {
	Key    string            `json:"key"`
	Params map[string]string `json:"params,omitempty"`
	Staff  []int64           `json:"staff"`
}

// Kinds of task about whistles; their subject is "whistle:ID".
const (
	TaskWhistleBlow     = "whistle_blow"     // the head decides
	TaskWhistleAssign   = "whistle_assign"   // the county's desk calls units
	TaskWhistleAppraise = "whistle_appraise" // the head appraises and closes
	TaskWhistleRaised   = "whistle_raised"   // supervisors of the county step in
	TaskWhistleCity     = "whistle_city"     // those of the city do
)

// WhistleTasks lists them.
func WhistleTasks() []string {
	return []string{TaskWhistleBlow, TaskWhistleAssign, TaskWhistleAppraise, TaskWhistleRaised, TaskWhistleCity}
}

// followWhistle does what a step brings with it.
func (s *Service) followWhistle(ctx context.Context, t *gateway.Turn, w *Whistle, e ticket.WhistleEvent) error {
	var err error
	switch e.Command {
	case ticket.WhistlePropose, ticket.WhistleReturn:
		err = s.askHead(ctx, t, w, e)
	case ticket.WhistleBlow:
		err = s.onTask(ctx, t, w, TaskWhistleBlow, TaskWhistleAssign, DeskCircle(), people.RoleDispatcher, w.AssignDue, ticket.WhistleAssign)
	case ticket.WhistleAssign:
		err = s.called(ctx, t, w, e)
	case ticket.WhistleMisuse:
		err = s.misused(ctx, t, w, e)
	case ticket.WhistleRaise:
		err = s.raised(ctx, t, w)
	case ticket.WhistleDecline, ticket.WhistleClose:
		err = s.whistleOver(ctx, t, w, e)
	}
	if err != nil {
		return err
	}
	if e.To == ticket.WhistleHandled && e.From == ticket.WhistleAssigned {
		err := s.onTask(ctx, t, w, "", TaskWhistleAppraise, HeadCircle(), people.RoleLeader, w.AppraiseDue, ticket.WhistleAppraise)
		if err != nil {
			return err
		}
	}
	return s.changeWhistleCards(ctx, t, w)
}

// askHead lays a proposal, or what the county's desk gave back, before the head.
func (s *Service) askHead(ctx context.Context, t *gateway.Turn, w *Whistle, e ticket.WhistleEvent) error {
	done := ""
	if e.Command == ticket.WhistleReturn {
		done = TaskWhistleAssign
	}
	return s.onTask(ctx, t, w, done, TaskWhistleBlow, HeadCircle(), people.RoleLeader, w.BlowDue, ticket.WhistleBlow)
}

// onTask ends one task, lays the next before the people of a circle and plans
// what happens when it is not done in time.
func (s *Service) onTask(
	ctx context.Context, t *gateway.Turn, w *Whistle, done, kind string, c Circle, role people.Role, due time.Time, what ticket.CommandName,
) error {
	if done != "" {
		if err := s.endWhistleTasks(ctx, t, w, done, done); err != nil {
			return err
		}
	}
	data, err := json.Marshal(map[string]string{"whistle": strconv.FormatInt(w.ID, 10)})
	if err != nil {
		return fmt.Errorf("pack a task: %w", err)
	}
	p := db.AddTaskParams{
		Kind: kind, Subject: WhistleSubject(w.ID), Role: string(role), AreaKind: string(c.level), Area: s.whistleArea(w, c.level),
		Data: t.Seal(SealTask, string(data)),
	}
	if !due.IsZero() {
		p.DueAt = &due
	}
	if _, err := t.Tx.AddTask(ctx, p); err != nil {
		return fmt.Errorf("add task %s: %w", kind, err)
	}
	to, err := s.WhistlePeople(ctx, t, w, c)
	if err != nil {
		return err
	}
	if err := s.tellWhistle(ctx, t, w, "whistle.task."+kind, nil, to); err != nil || due.IsZero() {
		return err
	}
	return s.planLate(ctx, t, w, what, 0, due)
}

func (s *Service) endWhistleTasks(ctx context.Context, t *gateway.Turn, w *Whistle, why string, kinds ...string) error {
	if err := t.ClearTasksOn(ctx, why, WhistleSubject(w.ID), kinds); err != nil {
		return fmt.Errorf("clear the tasks of a whistle: %w", err)
	}
	return nil
}

func (s *Service) planLate(ctx context.Context, t *gateway.Turn, w *Whistle, what ticket.CommandName, unit int64, at time.Time) error {
	key := string(what) + "/v" + strconv.Itoa(w.Version) + "/u" + strconv.FormatInt(unit, 10)
	return t.PlanDue(ctx, whistlePlan(w, DueWhistleLate, key, at, WhistleLateDue{What: what, Unit: unit}))
}

func whistlePlan(w *Whistle, kind, key string, at time.Time, data any) gateway.Plan {
	return gateway.Plan{Kind: kind, Subject: WhistleSubject(w.ID), Key: key, Version: int32(w.Version), Data: data, At: at}
}

// tellWhistle plans a line for the people given, at once.
func (s *Service) tellWhistle(ctx context.Context, t *gateway.Turn, w *Whistle, key string, params map[string]string, to []int64) error {
	if len(to) == 0 {
		return nil
	}
	return t.PlanDue(ctx, whistlePlan(w, DueWhistleTell, "v"+strconv.Itoa(w.Version)+"/"+key, t.Now, WhistleTellDue{Key: key, Params: params, Staff: to}))
}

// called sends each newly called unit its message and starts its clocks.
func (s *Service) called(ctx context.Context, t *gateway.Turn, w *Whistle, e ticket.WhistleEvent) error {
	if e.From == ticket.WhistleBlown {
		if err := s.endWhistleTasks(ctx, t, w, TaskWhistleAssign, TaskWhistleAssign); err != nil {
			return err
		}
		if err := s.planLate(ctx, t, w, ticket.WhistleHandle, 0, w.Deadline); err != nil {
			return err
		}
		heads, err := s.WhistlePeople(ctx, t, w, HeadCircle())
		if err != nil {
			return err
		}
		if err := s.tellWhistle(ctx, t, w, "whistle.told.assigned", nil, heads); err != nil {
			return err
		}
	}
	for _, p := range w.Parts {
		if !p.CalledAt.Equal(e.At) {
			continue
		}
		if err := s.PlanCalls(ctx, t, w, p, true); err != nil {
			return err
		}
		for what, at := range map[ticket.CommandName]time.Time{ticket.WhistleAnswer: p.AnswerDue, ticket.WhistleArrive: p.ArriveDue} {
			if err := s.planLate(ctx, t, w, what, p.ID, at); err != nil {
				return err
			}
		}
		for i, n := range s.Whistles.Nudges(w.Whistle, p) {
			key := fmt.Sprintf("%s/u%d/%d", n.What, p.ID, i)
			if err := t.PlanDue(ctx, whistlePlan(w, DueWhistleNudge, key, n.At, WhistleLateDue{What: n.What, Unit: p.ID})); err != nil {
				return err
			}
		}
	}
	return nil
}

// misused tells the township and the county's desk that a unit does not think
// the whistle is one.
func (s *Service) misused(ctx context.Context, t *gateway.Turn, w *Whistle, e ticket.WhistleEvent) error {
	unit, err := s.UnitName(ctx, t, e.Unit)
	if err != nil {
		return err
	}
	why, err := t.Text("reason.whistle_misuse."+e.Data["reason"], nil)
	if err != nil {
		return err
	}
	var to []int64
	for _, c := range []Circle{HeadCircle(), DeskCircle()} {
		list, err := s.WhistlePeople(ctx, t, w, c)
		if err != nil {
			return err
		}
		to = append(to, list...)
	}
	return s.tellWhistle(ctx, t, w, "whistle.told.misuse", map[string]string{"unit": unit, "why": why}, to)
}

// raised lays the whistle before supervisors, tells the leaders beside them, and
// the township that it was raised.
func (s *Service) raised(ctx context.Context, t *gateway.Turn, w *Whistle) error {
	kind, c := TaskWhistleRaised, OverseerCircle(w.Level)
	if c.level == people.LevelCity {
		kind = TaskWhistleCity
	}
	if err := s.onTask(ctx, t, w, "", kind, c, people.RoleSupervisor, time.Time{}, ""); err != nil {
		return err
	}
	heads, err := s.WhistlePeople(ctx, t, w, HeadCircle())
	if err != nil {
		return err
	}
	return s.tellWhistle(ctx, t, w, "whistle.told.raised", nil, heads)
}

// whistleOver ends everything that was planned around a whistle and tells who
// proposed it.
func (s *Service) whistleOver(ctx context.Context, t *gateway.Turn, w *Whistle, e ticket.WhistleEvent) error {
	if _, err := t.ClearDue(ctx, e.Kind, WhistleSubject(w.ID), []string{DueWhistleLate, DueWhistleNudge}); err != nil {
		return fmt.Errorf("clear what was due: %w", err)
	}
	if err := s.endWhistleTasks(ctx, t, w, e.Kind, WhistleTasks()...); err != nil {
		return err
	}
	proposer, err := s.LoadStaff(ctx, t, w.ProposedBy)
	if err != nil {
		return err
	}
	if !s.MayWhistle(proposer, people.MayProposeWhistle, w, t.Now) && !s.MayWhistle(proposer, people.MayViewWhistle, w, t.Now) {
		return nil
	}
	params := map[string]string{}
	if e.Command == ticket.WhistleDecline {
		if params["why"], err = t.Text("reason.whistle_decline."+w.Reason, nil); err != nil {
			return err
		}
	}
	return s.tellWhistle(ctx, t, w, "whistle.told."+e.Kind, params, []int64{w.ProposedBy})
}

// PlanCalls plans the one message of a unit: into its work group, or into the
// chats of its people where no group may have it. Its boards show it too.
func (s *Service) PlanCalls(ctx context.Context, t *gateway.Turn, w *Whistle, p ticket.Part, group bool) error {
	unit := "u" + strconv.FormatInt(p.ID, 10)
	if group && ForWhistleGroups(w) && p.Desk.Kind != ticket.DeskNamed {
		at := people.Area{Kind: people.AreaUnit, Code: p.Desk.Code}
		rows, err := workGroups(ctx, t, at)
		if err != nil {
			return err
		}
		home, groups := rows.of(at)
		if home != 0 {
			groups = append(groups, home)
		}
		for _, id := range groups {
			plan := whistlePlan(w, DueWhistleCall, unit+"/g"+strconv.FormatInt(id, 10), t.Now, WhistleCallDue{Unit: p.ID, Group: id})
			if err := t.ReplanDue(ctx, plan); err != nil {
				return err
			}
		}
		if home != 0 {
			return nil
		}
	}
	all, err := s.AtDesk(ctx, t, p.Desk)
	if err != nil {
		return err
	}
	staff, err := s.mayAttend(ctx, t, w, all)
	if err != nil {
		return err
	}
	for _, id := range staff {
		key := unit + "/s" + strconv.FormatInt(id, 10)
		if err := t.ReplanDue(ctx, whistlePlan(w, DueWhistleCall, key, t.Now, WhistleCallDue{Unit: p.ID, Staff: id})); err != nil {
			return err
		}
	}
	return nil
}

// ForWhistleGroups reports whether a whistle may lie in work groups: no private
// one, and none that is about a person or a unit.
func ForWhistleGroups(w *Whistle) bool {
	return !w.Private && len(w.Against) == 0 && len(w.AgainstStaff) == 0
}

// PartBoards are the boards of a unit that is called to a whistle.
func (s *Service) PartBoards(ctx context.Context, t *gateway.Turn, w *Whistle, p ticket.Part) ([]int64, error) {
	if !ForWhistleGroups(w) || p.Desk.Kind == ticket.DeskNamed {
		return nil, nil
	}
	at := people.Area{Kind: people.AreaUnit, Code: p.Desk.Code}
	rows, err := workGroups(ctx, t, at)
	if err != nil {
		return nil, err
	}
	_, boards := rows.of(at)
	return boards, nil
}

// changeWhistleCards plans that every message of the whistle shows how it now
// stands, and lays its status into the township's work group, and onto its boards,
// once it is blown.
func (s *Service) changeWhistleCards(ctx context.Context, t *gateway.Turn, w *Whistle) error {
	if !w.BlownAt.IsZero() && ForWhistleGroups(w) {
		township := w.Township()
		areas := []people.Area{{Kind: people.AreaTownship, Code: township}}
		if village := people.DivisionCode(w.Place.Division).At(people.LevelVillage); village != "" {
			areas = append(areas, people.Area{Kind: people.AreaVillage, Code: string(village)})
		}
		if w.Place.Grid != "" {
			areas = append(areas, people.Area{Kind: people.AreaGrid, Code: w.Place.Grid})
		}
		rows, err := workGroups(ctx, t, areas...)
		if err != nil {
			return err
		}
		home, groups := rows.of(areas...)
		if home != 0 {
			groups = append(groups, home)
		}
		for _, id := range groups {
			plan := whistlePlan(w, DueWhistleCard, "g"+strconv.FormatInt(id, 10), t.Now, WhistleCallDue{Group: id})
			if err := t.ReplanDue(ctx, plan); err != nil {
				return err
			}
		}
	}
	n, err := t.ChangeWhistleCalls(ctx, int32(w.Version), []string{DueWhistleCall, DueWhistleCard}, WhistleSubject(w.ID))
	if err != nil {
		return fmt.Errorf("plan that the messages of a whistle change: %w", err)
	}
	if n > 0 {
		t.WakeDue()
	}
	return nil
}

// UnitName names the unit of a desk.
func (s *Service) UnitName(ctx context.Context, t *gateway.Turn, d ticket.Desk) (string, error) {
	name, err := s.AreaName(ctx, t.Queries, people.Area{Kind: people.AreaUnit, Code: d.Code})
	if err != nil || d.Kind != ticket.DeskNamed {
		return name, err
	}
	who, err := t.GetStaff(ctx, d.Staff)
	if err != nil {
		return "", fmt.Errorf("load %s: %w", postgres.Subject("staff", d.Staff), err)
	}
	return name + who.Name, nil
}
