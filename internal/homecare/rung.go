package homecare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// Rung is a row that comes due, with what it is about as it is now. Bed is set for
// beds and visits, Visit for visits, Application and Occasion for theirs.
type Rung struct {
	Due         Due
	Subject     string
	Bed         *Bed
	Visit       *care.Visit
	Application *Application
	Occasion    *Occasion
	// Words are what somebody of the family said, where a task is laid for them.
	Words string
	// At is when the ladder wants it.
	At time.Time
}

// Key is the text that the rung says.
func (r *Rung) Key() string { return "care." + r.Due.Programme + "." + r.Due.Rung }

// StillDue reads the subject of a row and asks its ladder whether the row is still
// in it; nil when it is not. Beds and visits are read under the lock of the bed, so
// that what is said and what is written down about it are one.
func (s *Service) StillDue(ctx context.Context, t *gateway.Turn, subject string, d Due, kind, key string) (*Rung, error) {
	r, o, err := s.read(ctx, t, subject, d, true)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	is, ok := s.inLadder(o, kind, key, t.Now)
	if !ok {
		return nil, nil
	}
	r.At = is.At
	return r, nil
}

// Stands asks the same once more when the sender takes what the row said, without a
// lock: visit, version, state, consent, whereabouts and end of the rung are judged
// as they are now. That it was asked is the row's own doing and no change.
func (s *Service) Stands(ctx context.Context, tx *postgres.Tx, subject string, d Due, kind, key string, now time.Time) (bool, error) {
	_, o, err := s.read(ctx, &gateway.Turn{Tx: tx, Now: now}, subject, d, false)
	if errors.Is(err, postgres.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, ok := s.inLadder(o, kind, key, now)
	if !ok && (o.State == string(care.VisitNotified) || o.State == "asked") {
		o.State = "planned"
		_, ok = s.inLadder(o, kind, key, now)
	}
	return ok, nil
}

func (s *Service) inLadder(o care.Occasion, kind, key string, now time.Time) (care.Due, bool) {
	for _, due := range s.Rules.Ladder(o, now) {
		if is := s.rowed(due); is.Key == key && is.Sends() && is.Kind == kind {
			return is, true
		}
	}
	return care.Due{}, false
}

// read reads what a row is about, with lock under its lock.
func (s *Service) read(ctx context.Context, t *gateway.Turn, subject string, d Due, lock bool) (*Rung, care.Occasion, error) {
	r := &Rung{Due: d, Subject: subject}
	kind, id, err := cut(subject)
	if err != nil {
		return nil, care.Occasion{}, err
	}
	switch kind {
	case "application":
		if r.Application, err = t.LoadApplication(ctx, id, lock); err != nil {
			return nil, care.Occasion{}, err
		}
		return r, s.Rules.OfApplication(r.Application.Application), nil
	case "bed":
		if r.Bed, err = t.Tx.LoadBed(ctx, id, lock); err != nil {
			return nil, care.Occasion{}, err
		}
		return r, s.Rules.OfBed(r.Bed.Bed), nil
	case "visit":
		if r.Bed, r.Visit, err = s.visitAt(ctx, t, id, lock); err != nil {
			return nil, care.Occasion{}, err
		}
		list, err := s.occasions(ctx, t, []*change{(&change{bed: r.Bed}).only(r.Visit)})
		if err != nil {
			return nil, care.Occasion{}, err
		}
		return r, list[len(list)-1], nil
	case "occasion":
		o, err := t.LoadOccasion(ctx, id, lock)
		if err != nil {
			return nil, care.Occasion{}, err
		}
		r.Occasion = o
		is, err := s.ladderOf(ctx, t, o)
		return r, is, err
	}
	return nil, care.Occasion{}, fmt.Errorf("nothing of a programme is called %q", subject)
}

// visitAt reads a visit and its bed; with lock under the lock of the bed.
func (s *Service) visitAt(ctx context.Context, t *gateway.Turn, id int64, lock bool) (*Bed, *care.Visit, error) {
	b, v, err := t.VisitAt(ctx, id, lock)
	return b, &v, err
}

func cut(subject string) (kind string, id int64, err error) {
	kind, rest, _ := strings.Cut(subject, ":")
	if id, err = strconv.ParseInt(rest, 10, 64); err != nil {
		return "", 0, fmt.Errorf("%q is no subject: %w", subject, err)
	}
	return kind, id, nil
}

// ValuesOf are the values of the text that a rung says.
func (s *Service) ValuesOf(ctx context.Context, t *gateway.Turn, r *Rung) (map[string]string, error) {
	switch {
	case r.Due.Programme != care.FamilyBed:
		return s.programmeValues(ctx, t, r)
	case r.Bed != nil:
		return s.Values(ctx, t, r.Bed, r.Visit, r.Due.Neutral)
	case r.Application != nil:
		return s.applicationValues(ctx, t, r.Application)
	}
	return nil, fmt.Errorf("nothing is known of %s", r.Subject)
}

func (s *Service) applicationValues(ctx context.Context, t *gateway.Turn, a *Application) (map[string]string, error) {
	p := map[string]string{"application": strconv.FormatInt(a.ID, 10), "by": ""}
	if err := s.clinicValues(ctx, t, a.Clinic, p); err != nil {
		return nil, err
	}
	if !a.Due.IsZero() {
		local := a.Due.In(s.Orders.Work.Location())
		var err error
		p["by"], err = t.Text("care.by", map[string]string{"month": strconv.Itoa(int(local.Month())), "day": strconv.Itoa(local.Day()), "clock": local.Format("15:04")})
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// NewsValues are those of a step of an application, with its reason in words.
func (s *Service) NewsValues(ctx context.Context, t *gateway.Turn, a *Application, n NewsDue) (map[string]string, error) {
	p, err := s.applicationValues(ctx, t, a)
	if err != nil || n.Reason == "" {
		return p, err
	}
	group := map[care.EventKind]string{care.EventReturned: "return", care.EventRejected: "reject"}[n.Event]
	p["reason"], err = t.Text("care.reason."+group+"."+n.Reason, nil)
	return p, err
}

// Told writes down that the family was told of a visit, and with asked that it was
// asked whether somebody will be at home. r is of StillDue: its bed is locked. Rungs
// about no visit leave no trace but their row.
func (s *Service) Told(ctx context.Context, t *gateway.Turn, r *Rung, asked bool) error {
	if r.Occasion != nil && asked && care.OccasionMay(r.Occasion.State, care.OccasionAsked) {
		return s.Become(ctx, t, r.Subject, System(), care.OccasionAsked, "")
	}
	v := r.Visit
	if v == nil || !v.State.Waiting() {
		return nil
	}
	if v.Told && (!asked || !v.AskedAt.IsZero() && v.State != care.VisitPlanned) {
		return nil // the second of the family to hear of it
	}
	_, _, err := s.moveVisit(ctx, t, (&change{bed: r.Bed}).only(r.Visit), r.Visit, System(), care.Tell{Asked: asked})
	if refused(err) {
		return nil
	}
	return err
}

// PostAt finds where the role of a rung sits.
func (s *Service) PostAt(ctx context.Context, t *gateway.Turn, r *Rung) (Post, error) {
	switch {
	case r.Bed != nil:
		return s.PostOf(ctx, t, r.Due, r.Bed.Clinic, r.Bed.Hospital, r.Bed.Patient.Grid)
	case r.Application != nil:
		hospital, err := s.hospitalOf(ctx, t, r.Application.Clinic)
		if err != nil {
			return Post{}, err
		}
		return s.PostOf(ctx, t, r.Due, r.Application.Clinic, hospital, r.Application.Patient.Grid)
	}
	hospital, err := s.hospitalOf(ctx, t, r.Occasion.Clinic)
	if err != nil {
		return Post{}, err
	}
	return s.PostOf(ctx, t, r.Due, r.Occasion.Clinic, hospital, "")
}

func (s *Service) hospitalOf(ctx context.Context, t *gateway.Turn, clinic int64) (int64, error) {
	if clinic == 0 {
		return 0, nil
	}
	c, err := t.GetClinic(ctx, clinic)
	if err != nil {
		return 0, fmt.Errorf("load clinic %d: %w", clinic, err)
	}
	if c.HospitalID == nil {
		return 0, nil
	}
	return *c.HospitalID, nil
}

// RungCall names the task to ring a member of a programme who could not be asked.
const RungCall = "call_member"

// LayTask lays a rung before people as a task: its kind as tasksOf says, its subject
// that of the rung. A task that is open keeps its number.
func (s *Service) LayTask(ctx context.Context, t *gateway.Turn, r *Rung, until *time.Time) error {
	post, err := s.PostAt(ctx, t, r)
	if err != nil {
		return err
	}
	p := db.AddTaskParams{Kind: s.taskOf(r.Due.Programme, r.Due.Rung), Subject: r.Subject, Role: string(post.Role), Area: post.Area.Code, AreaKind: string(post.Area.Kind), DueAt: until}
	if post.Staff != 0 {
		who, err := t.Visitor(ctx, post.Staff)
		if err != nil {
			return fmt.Errorf("load who a task is for: %w", err)
		}
		p.StaffID, p.AreaKind = &post.Staff, string(people.AreaUnit)
		if len(who.Roles) > 0 {
			p.Role = who.Roles[0]
		}
	}
	if err := s.clearCalls(ctx, t, r); err != nil {
		return err
	}
	data, err := s.taskData(t, r)
	if err != nil {
		return err
	}
	return s.Orders.AddTaskAt(ctx, t, p, data)
}

// rungByPhone is the task to say on the telephone what no text could say in time.
const rungByPhone = "by_phone"

// tasksOf are the kinds of task by which the rungs of a ladder are laid before
// people. A text that quiet hours leave no time for becomes a call, whatever it would
// have said, and so does a question of another programme that nobody could be asked.
func (s *Service) tasksOf(programme, ladder string) map[string]string {
	p, _ := s.Rules.Programme(programme)
	kinds := map[string]string{}
	for _, g := range p.Ladders[ladder] {
		switch {
		case g.Task, g.Asks && programme == care.FamilyBed:
			kinds[g.Kind] = TaskKind(g.Kind)
		case g.Asks:
			kinds[g.Kind] = TaskKind(RungCall)
		default:
			kinds[g.Kind] = TaskKind(rungByPhone)
		}
	}
	return kinds
}

// taskOf is the kind of task of one rung, which may stand in no ladder.
func (s *Service) taskOf(programme, rung string) string {
	p, _ := s.Rules.Programme(programme)
	for ladder := range p.Ladders {
		if kind, ok := s.tasksOf(programme, ladder)[rung]; ok {
			return kind
		}
	}
	return TaskKind(rung)
}

// rungsOfCalls are the calls of a desk about whether a visit can be made.
var rungsOfCalls = []string{"ask_early", "ask", "ask_second", "nudge", "call_morning", "call_move", "call_declined"}

// clearCalls takes an older call to the same family about the same visit back: the
// one that is laid now has the same to ask, and knows more.
func (s *Service) clearCalls(ctx context.Context, t *gateway.Turn, r *Rung) error {
	if r.Visit == nil || r.Due.Programme != care.FamilyBed || !slices.Contains(rungsOfCalls, r.Due.Rung) {
		return nil
	}
	return s.clearTasks(ctx, t, []string{r.Subject}, func(k db.OpenCareTasksRow) bool {
		rung := strings.TrimPrefix(k.Kind, TaskKind(""))
		return rung != r.Due.Rung && slices.Contains(rungsOfCalls, rung)
	})
}

// taskData is what the line of a task says: the number of the bed and the day by its
// date, because the line is read on other days too; disturbs is the class of its line.
func (s *Service) taskData(t *gateway.Turn, r *Rung) (map[string]string, error) {
	data := map[string]string{"programme": r.Due.Programme, "rung": r.Due.Rung, "disturbs": string(r.Due.Class), "bed": "", "when": ""}
	if r.Words != "" {
		data["words"] = r.Words
	}
	if r.Bed != nil {
		data["bed"] = r.Bed.Number
	}
	if r.Visit == nil {
		return data, nil
	}
	day, err := s.Date(t, r.Visit.Date)
	data["when"] = day + Window(r.Visit.Window)
	return data, err
}

// RingApplicant lays the news of an application that nobody could be told before
// the desk.
func (s *Service) RingApplicant(ctx context.Context, t *gateway.Turn, subject string) error {
	_, id, err := cut(subject)
	if err != nil {
		return err
	}
	a, err := t.LoadApplication(ctx, id, false)
	if err != nil {
		return err
	}
	r := &Rung{Due: Due{Programme: care.FamilyBed, Rung: "ring_applicant", Role: care.ToDesk}, Subject: subject, Application: a}
	return s.LayTask(ctx, t, r, nil)
}

// Fit is asked once more just before a text goes out: the subject is what it was
// when the text was written, and the family may still be written to.
func (s *Service) Fit(ctx context.Context, tx *postgres.Tx, subject string, version int) (ok bool, why string, err error) {
	kind, id, err := cut(subject)
	if err != nil {
		return false, "", err
	}
	switch kind {
	case "application":
		a, err := tx.LoadApplication(ctx, id, false)
		if err != nil {
			return false, "", err
		}
		dead, err := tx.HasDied(ctx, a.Patient.Person)
		if err != nil {
			return false, "", fmt.Errorf("look whether a patient lives: %w", err)
		}
		return a.Version == version && !dead, "the application has moved on", nil
	case "bed":
		b, err := tx.LoadBed(ctx, id, false)
		if err != nil {
			return false, "", err
		}
		return len(b.Periods) == version && b.State != care.BedClosed, "the bed is " + string(b.State), nil
	case "visit":
		row, err := tx.GetVisit(ctx, id)
		if err != nil {
			return false, "", fmt.Errorf("load visit %d: %w", id, err)
		}
		return int(row.Version) == version && row.State != string(care.VisitReleased), fmt.Sprintf("the visit is %s at version %d", row.State, row.Version), nil
	case "occasion":
		return s.fitOccasion(ctx, tx, id, version)
	}
	return false, "nothing of a programme is called so", nil
}
