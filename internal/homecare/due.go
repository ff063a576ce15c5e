package homecare

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// Kinds of due row that ladders make: data Due. Package scheduler/jobs runs them.
const (
	// DueTell tells the family, or a member of a programme.
	DueTell = "care.tell"
	// DueAsk asks them and waits for the answer.
	DueAsk = "care.ask"
	// DueSurvey asks how it was.
	DueSurvey = "care.survey"
	// DueStaff tells one of the staff, or those who hold a role.
	DueStaff = "care.staff"
	// DueTask lays a task before those who hold a role.
	DueTask = "care.task"
)

// Kinds that the ladders of other programmes make, with the same data: they stand
// apart, because nothing of them may be told, or asked, together with a visit.
const (
	// DueMember tells somebody who takes part.
	DueMember = "care.member"
	// DueQuestion asks them and waits for the answer.
	DueQuestion = "care.question"
	// DueMark asks how it was.
	DueMark = "care.mark"
)

// DueNews tells who applied of a step that somebody else took: data NewsDue.
const DueNews = "care.news"

// Kinds lists the kinds that ladders make.
func Kinds() []string { return append(FamilyKinds(), DueStaff, DueTask) }

// FamilyKinds lists those of them that speak to families and members.
func FamilyKinds() []string { return append(ProgrammeKinds(), DueTell, DueAsk, DueSurvey) }

// ProgrammeKinds lists those that speak for other programmes.
func ProgrammeKinds() []string { return []string{DueMember, DueQuestion, DueMark} }

// spokenKinds are the kinds of other packages that speak to a resident without
// their asking and decide nothing.
func spokenKinds() []string {
	return []string{"rating", "still_fine", "worry_poll", "topic.told", DueNews}
}

// Due is the data of a row that a ladder made. The text that it says is
// care.PROGRAMME.RUNG; what stands in it is read when it is said.
type Due struct {
	Programme string          `json:"programme"`
	Rung      string          `json:"rung"`
	Role      care.Role       `json:"role"`
	Staff     int64           `json:"staff,omitempty"`
	Address   int64           `json:"address,omitempty"`
	Neutral   bool            `json:"neutral,omitempty"`
	Class     scheduler.Class `json:"class"`
}

// NewsDue is the data of a DueNews row.
type NewsDue struct {
	// Event is what happened: the text is care.application.EVENT.
	Event care.EventKind `json:"event"`
	// Reason is a code of a reason, "" for none.
	Reason string `json:"reason,omitempty"`
}

// kindOf is the kind of row by which a rung is done. One of the staff who takes part
// in a programme is asked like anybody else, and told so where not every channel may
// carry it: lines for staff go wherever they are heard from.
func (s *Service) kindOf(d care.Due) string {
	p, _ := s.Rules.Programme(d.Programme)
	apart := d.To.Staff != 0 && (d.Asks || len(p.Channels) > 0)
	switch {
	case d.Task:
		return DueTask
	case d.To.Person == 0 && !apart:
		return DueStaff
	case d.Programme != care.FamilyBed && d.Asks && d.Class == scheduler.Survey:
		return DueMark
	case d.Programme != care.FamilyBed && d.Asks:
		return DueQuestion
	case d.Programme != care.FamilyBed:
		return DueMember
	case d.Asks && d.Class == scheduler.Survey:
		return DueSurvey
	case d.Asks:
		return DueAsk
	}
	return DueTell
}

// rowed is a due thing under the identity of its row.
func (s *Service) rowed(d care.Due) care.Due {
	d.Key = d.Kind + "/" + d.Key
	d.Kind = s.kindOf(d)
	d.At, d.NotAfter = d.At.Truncate(time.Microsecond), d.NotAfter.Truncate(time.Microsecond)
	return d
}

// rungOf is the rung of a row's key.
func rungOf(key string) string {
	rung, _, _ := strings.Cut(key, "/")
	return rung
}

// rows gathers what is to be written, so that any number of beds costs one
// statement.
type rows struct {
	db.PlanCareParams
	clear []int64
}

func (r *rows) add(d care.Due, rung string) error {
	data, err := json.Marshal(Due{
		Programme: d.Programme, Rung: rung, Role: d.To.Role, Staff: d.To.Staff, Address: d.To.Address, Neutral: d.To.Neutral, Class: d.Class,
	})
	if err != nil {
		return fmt.Errorf("pack what is due: %w", err)
	}
	r.Kinds, r.Subjects, r.Keys = append(r.Kinds, d.Kind), append(r.Subjects, d.Subject), append(r.Keys, d.Key)
	r.Persons, r.Versions = append(r.Persons, d.To.Person), append(r.Versions, int32(d.Version))
	r.Data, r.DueAts, r.NotAfters = append(r.Data, string(data)), append(r.DueAts, d.At), append(r.NotAfters, d.NotAfter)
	r.Whys = append(r.Whys, d.Why)
	return nil
}

// sync makes what is due around some beds what the ladders say: one reading, one
// clearing, one writing for all of them. Tasks whose rung has lost its meaning are
// taken from people's lists.
func (s *Service) sync(ctx context.Context, t *gateway.Turn, changes []*change) error {
	occasions, err := s.occasions(ctx, t, changes)
	if err != nil {
		return err
	}
	return s.syncOccasions(ctx, t, occasions)
}

func (s *Service) syncApplication(ctx context.Context, t *gateway.Turn, a *Application) error {
	return s.syncOccasions(ctx, t, []care.Occasion{s.Rules.OfApplication(a.Application)})
}

func (s *Service) syncOccasions(ctx context.Context, t *gateway.Turn, occasions []care.Occasion) error {
	if len(occasions) == 0 {
		return nil
	}
	subjects := make([]string, len(occasions))
	for i, o := range occasions {
		subjects[i] = o.Subject
	}
	have, err := t.CareDues(ctx, subjects, Kinds())
	if err != nil {
		return fmt.Errorf("read what is due: %w", err)
	}
	pending := map[string][]db.CareDuesRow{}
	for _, h := range have {
		pending[h.Subject] = append(pending[h.Subject], h)
	}
	var out rows
	ladders := map[[2]string]map[string]string{}
	meant := map[string]bool{} // whether a task of a ladder still means something, by subject and kind
	for _, o := range occasions {
		tasks, known := ladders[[2]string{o.Programme, o.Of}]
		if !known {
			tasks = s.tasksOf(o.Programme, o.Of)
			ladders[[2]string{o.Programme, o.Of}] = tasks
		}
		for _, kind := range tasks {
			meant[o.Subject+"/"+kind] = false
		}
		wanted := s.Rules.Ladder(o, t.Now)
		for _, d := range wanted {
			meant[o.Subject+"/"+tasks[d.Kind]] = true // what could not be said or asked became a call
		}
		if err := out.reconcile(pending[o.Subject], wanted, s.rowed); err != nil {
			return err
		}
	}
	if len(out.clear) > 0 {
		if err := t.ClearDues(ctx, "the plan has changed", out.clear); err != nil {
			return fmt.Errorf("clear what is no longer due: %w", err)
		}
	}
	if len(out.Keys) > 0 {
		if err := t.PlanCare(ctx, out.PlanCareParams); err != nil {
			return fmt.Errorf("plan what is due: %w", err)
		}
		t.WakeDue()
	}
	// What no ladder makes, such as a wish of the family, stays until somebody has
	// done it.
	return s.clearTasks(ctx, t, subjects, func(k db.OpenCareTasksRow) bool {
		means, rung := meant[k.Subject+"/"+k.Kind]
		return rung && !means
	})
}

// reconcile compares the rows of one subject with its ladder (care.Reconcile).
// What is kept back with a reason stands beside what is planned.
func (r *rows) reconcile(have []db.CareDuesRow, wanted []care.Due, rowed func(care.Due) care.Due) error {
	type id struct{ kind, key string }
	rungs := map[id]string{}
	want := make([]care.Due, len(wanted))
	kept := map[id]care.Due{}
	for i, d := range wanted {
		want[i] = rowed(d)
		k := id{want[i].Kind, want[i].Key}
		rungs[k] = d.Kind
		if !d.Sends() {
			kept[k] = want[i]
		}
	}
	var pending []care.Due
	ids, over := map[id]int64{}, map[id]bool{}
	for _, h := range have {
		k := id{h.Kind, h.Key}
		ids[k] = h.ID
		if h.State != "planned" && h.State != "suppressed" {
			over[k] = true // done, too late, or at work just now
			continue
		}
		if h.State == "suppressed" {
			if d, ok := kept[k]; ok && d.Why == h.Reason {
				delete(kept, k)
			} else if _, sends := rungs[k]; !sends {
				r.clear = append(r.clear, h.ID)
			}
			continue
		}
		d := care.Due{Kind: h.Kind, Subject: h.Subject, Key: h.Key, At: h.DueAt}
		if h.NotAfter != nil {
			d.NotAfter = *h.NotAfter
		}
		pending = append(pending, d)
	}
	clear, add := care.Reconcile(pending, want)
	for _, d := range clear {
		if _, again := rungs[id{d.Kind, d.Key}]; !again { // else it is written over
			r.clear = append(r.clear, ids[id{d.Kind, d.Key}])
		}
	}
	for _, d := range add {
		if over[id{d.Kind, d.Key}] {
			continue
		}
		if err := r.add(d, rungs[id{d.Kind, d.Key}]); err != nil {
			return err
		}
	}
	for _, d := range want {
		if k := (id{d.Kind, d.Key}); !kept[k].At.IsZero() && !over[k] {
			if err := r.add(d, rungs[id{d.Kind, d.Key}]); err != nil {
				return err
			}
		}
	}
	return nil
}

// TaskKind is the kind of task that a rung lays before people.
func TaskKind(rung string) string { return "care." + rung }

// clearTasks takes those open tasks about some subjects back that are over.
func (s *Service) clearTasks(ctx context.Context, t *gateway.Turn, subjects []string, isOver func(db.OpenCareTasksRow) bool) error {
	if len(subjects) == 0 {
		return nil
	}
	open, err := t.OpenCareTasks(ctx, subjects)
	if err != nil {
		return fmt.Errorf("read the open tasks of beds: %w", err)
	}
	var over []int64
	for _, k := range open {
		if isOver(k) {
			over = append(over, k.ID)
		}
	}
	if len(over) == 0 {
		return nil
	}
	if err := t.ClearTasks(ctx, "settled", over); err != nil {
		return fmt.Errorf("clear tasks of beds: %w", err)
	}
	return nil
}

// news plans that who applied hears of a step that somebody else took.
func (s *Service) news(ctx context.Context, t *gateway.Turn, a *Application, e care.Event) error {
	if a.Address == 0 {
		return nil // by telephone: who took the step rings
	}
	key := fmt.Sprintf("v%d/%s", a.Version, e.Kind)
	return t.PlanDue(ctx, gateway.Plan{
		Kind: DueNews, Subject: ApplicationSubject(a.ID), Key: key, Person: a.Applicant, Version: int32(a.Version), At: t.Now,
		NotAfter: t.Now.Add(s.Rules.Policy().Application.News),
		Data:     NewsDue{Event: e.Kind, Reason: e.Data["reason"]},
	})
}
