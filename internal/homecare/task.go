package homecare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/workorder"
)

// Outcome is what came of a task, mostly of a telephone call. Chat and desk page
// offer the same ones: Task.Outcomes.
type Outcome string

// The outcomes. Texts: care.outcome.*.
const (
	OutHome     Outcome = "home"      // 有人: somebody will be at home
	OutMove     Outcome = "move"      // 改到: another free window, agreed by telephone
	OutOff      Outcome = "off"       // 这次不来: this one visit is taken out
	OutNoAnswer Outcome = "no_answer" // 没接通: the task stays
	OutDone     Outcome = "done"      // settled by talking
	OutOpen     Outcome = "open"      // talked, not settled: the task stays
)

// Task is a task that a rung laid, in the hands of one of the staff. Its subject is
// locked, and so is its row.
type Task struct {
	Row db.Task
	// Rung is what it is about, as it is now.
	Rung *Rung
	// By is in what capacity the holder acts there; the zero Actor for who only
	// talks (the head of a clinic, a grid worker).
	By care.Actor
	// Words are what somebody of the family said, "" for none.
	Words    string
	Outcomes []Outcome
}

// MayRing reports whether the holder of a task reads numbers: whoever rings a family or
// a member does; who only looks in (a grid worker) or leads asks the desk.
func (k *Task) MayRing() bool { return k.By.As != "" || k.Rung.Due.Programme != care.FamilyBed }

// IsTask reports whether a kind of task is one that a rung lays.
func IsTask(kind string) bool { return strings.HasPrefix(kind, TaskKind("")) }

// HoldsTask reports whether a task lies before a member of the staff: before them
// alone, or before a role that they hold there. Who was rated is not asked here:
// HoldTask is.
func (s *Service) HoldsTask(who people.Staff, row db.Task) bool {
	if row.StaffID != nil {
		return *row.StaffID == who.ID
	}
	return slices.ContainsFunc(who.Grants, func(g people.Grant) bool {
		return string(g.Role) == row.Role && string(g.Area.Kind) == row.AreaKind && g.Area.Code == row.Area && s.Orders.Rights.Grantable(g)
	})
}

// HoldTask locks what a task is about and then the task: in the order in which a
// command about the subject ends its tasks. ErrNotYours for whoever it does not lie
// before.
func (s *Service) HoldTask(ctx context.Context, t *gateway.Turn, who people.Staff, id int64) (*Task, error) {
	row, err := t.GetTask(ctx, id)
	if errors.Is(err, postgres.ErrNoRows) || err == nil && (!IsTask(row.Kind) || !s.HoldsTask(who, row)) {
		return nil, ErrNotYours
	}
	if err != nil {
		return nil, fmt.Errorf("load task %d: %w", id, err)
	}
	k := &Task{}
	p, err := s.ProgrammeOf(ctx, t.Tx, row.Subject)
	if err != nil {
		return nil, err
	}
	if k.Rung, _, err = s.read(ctx, t, row.Subject, Due{Programme: p.Code, Rung: strings.TrimPrefix(row.Kind, TaskKind(""))}, true); err != nil {
		return nil, err
	}
	if k.Row, err = t.LockTask(ctx, id); err != nil {
		return nil, fmt.Errorf("lock task %d: %w", id, err)
	}
	if v := k.Rung.Visit; v != nil && k.Rung.Due.Rung == rungLowCall && !care.MayCallBack(*v, who.ID) {
		return nil, ErrNotYours
	}
	if k.By, err = s.actorAtTask(ctx, t, who, k.Rung); err != nil {
		return nil, err
	}
	k.By.Staff = who.ID
	if k.Words, err = s.wordsIn(t, k.Row); err != nil {
		return nil, err
	}
	k.Outcomes = outcomes(k)
	return k, nil
}

// rungLowCall is the call after a low answer: never by who was rated.
const rungLowCall = "low_call"

func (s *Service) wordsIn(t *gateway.Turn, row db.Task) (string, error) {
	body, err := t.Open(workorder.SealTask, row.Data)
	if err != nil || body == "" {
		return "", err
	}
	data := map[string]string{}
	if err := json.Unmarshal([]byte(body), &data); err != nil {
		return "", fmt.Errorf("read the data of a task: %w", err)
	}
	return data["words"], nil
}

func (s *Service) actorAtTask(ctx context.Context, t *gateway.Turn, who people.Staff, r *Rung) (by care.Actor, err error) {
	switch {
	case r.Bed != nil:
		by, _, err = s.ActorAt(ctx, t, who, r.Bed, r.Visit)
	case r.Application != nil:
		by, _, err = s.ActorFor(ctx, t, who, r.Application)
	}
	return by, err
}

// ActorFor is a member of the staff in the capacity that the rights give about an
// application. What has no clinic yet is the city's callback clerks'.
func (s *Service) ActorFor(ctx context.Context, t *gateway.Turn, staff people.Staff, a *Application) (by care.Actor, ok bool, err error) {
	by = care.Actor{Staff: staff.ID}
	units, err := s.unitsOf(ctx, t, a.Clinic)
	if err != nil {
		return by, false, err
	}
	may := func(c people.StaffCommand, on people.Subject) bool { return s.Orders.Rights.May(staff, c, on, t.Now) }
	at := unitOf(units[a.Clinic])
	switch {
	case a.Clinic == 0 && may(people.MayCallBack, people.Subject{Division: workorder.CityCode}), a.Clinic != 0 && may(people.MayRunBeds, at):
		by.As = care.AsDesk
	case a.Clinic != 0 && may(people.MayTreat, at):
		by.As = care.AsDoctor
	default:
		return by, false, nil
	}
	return by, true, nil
}

// outcomes are what may come of a task as it stands.
func outcomes(k *Task) []Outcome {
	v := k.Rung.Visit
	desk := k.By.As == care.AsDesk || k.By.As == care.AsDoctor
	switch {
	case k.Rung.Due.Programme != care.FamilyBed || k.Rung.Due.Rung == rungByPhone:
		return []Outcome{OutDone, OutNoAnswer}
	case k.Rung.Due.Rung == rungLowCall:
		return []Outcome{OutDone, OutOpen, OutNoAnswer}
	case v != nil && desk && v.State == care.VisitToMakeUp:
		return []Outcome{OutMove, OutOff, OutDone, OutNoAnswer}
	case v != nil && desk && v.State.Waiting() && strings.HasPrefix(k.Rung.Due.Rung, "late_"):
		return []Outcome{OutDone, OutMove, OutNoAnswer}
	case v != nil && desk && v.State.Waiting():
		return []Outcome{OutHome, OutMove, OutOff, OutNoAnswer}
	}
	return []Outcome{OutDone, OutNoAnswer}
}

// TaskDone is what somebody says came of a task.
type TaskDone struct {
	Outcome Outcome
	To      care.Offer // of OutMove: one of Offers
	Reason  string     // of OutOff: one of the policy's reasons to cancel
	Words   string     // for colleagues
}

// DoTask writes down what came of a task and does what it means. What nobody
// answered, and what is not settled, stays open. A refusal comes back as
// *care.Refused and nothing is written.
func (s *Service) DoTask(ctx context.Context, t *gateway.Turn, k *Task, d TaskDone) error {
	if !slices.Contains(k.Outcomes, d.Outcome) {
		return &care.Refused{Key: care.KeyReason}
	}
	if err := s.taskMeans(ctx, t, k, d); err != nil {
		return err
	}
	data := map[string]any{"task": k.Row.ID, "kind": k.Row.Kind, "outcome": d.Outcome}
	if err := t.Record(ctx, "task.settled", k.Row.Subject, data, d.Words); err != nil {
		return err
	}
	if d.Outcome == OutNoAnswer || d.Outcome == OutOpen {
		return nil
	}
	if err := t.EndCareTask(ctx, k.Row.ID, string(d.Outcome), &k.By.Staff); err != nil {
		return fmt.Errorf("end a task: %w", err)
	}
	if k.Rung.Visit == nil {
		return nil
	}
	return s.Resync(ctx, t, k.Rung.Visit.ID)
}

func (s *Service) taskMeans(ctx context.Context, t *gateway.Turn, k *Task, d TaskDone) (err error) {
	switch d.Outcome {
	case OutDone:
		err = s.settles(ctx, t, k, d.Words)
	case OutHome:
		_, _, err = s.DoVisit(ctx, t, k.Rung.Visit.ID, k.By, care.Confirm{})
	case OutMove:
		_, _, err = s.MoveTo(ctx, t, k.Rung.Visit.ID, k.By, d.To, true)
	case OutOff:
		_, _, err = s.DoVisit(ctx, t, k.Rung.Visit.ID, k.By, care.Cancel{Reason: d.Reason})
	}
	return err
}

// settles does what the end of a task of another programme leads to (Rung.Settled).
func (s *Service) settles(ctx context.Context, t *gateway.Turn, k *Task, words string) error {
	p, _ := s.Rules.Programme(k.Rung.Due.Programme)
	rung, _ := p.Rung(k.Rung.Due.Rung)
	if rung.Settled == "" {
		return nil
	}
	return s.Become(ctx, t, k.Row.Subject, care.Actor{As: care.AsDesk, Staff: k.By.Staff}, rung.Settled, words)
}
