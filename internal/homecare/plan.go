package homecare

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
)

// planned is what planning a bed found.
type planned struct {
	*change
	made     []*care.Visit
	changed  []*care.Visit
	skipped  []care.Skip
	events   []care.Event                 // of the bed
	told     map[*care.Visit][]care.Event // of visits
	bedMoved bool
}

// Replan settles what time has passed over and plans the horizon of some beds: the
// planner's daily work, and after an import or an absence. Beds are locked in the
// order of their ids.
func (s *Service) Replan(ctx context.Context, t *gateway.Turn, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	changes, err := s.lock(ctx, t, ids)
	if err != nil {
		return err
	}
	return s.replan(ctx, t, changes)
}

func (s *Service) replan(ctx context.Context, t *gateway.Turn, changes []*change) error {
	load, err := s.load(ctx, t, changes)
	if err != nil {
		return err
	}
	plans := make([]*planned, len(changes))
	for i, ch := range changes {
		plans[i] = s.plan(ch, load, t)
	}
	if err := s.write(ctx, t, plans); err != nil {
		return err
	}
	return s.sync(ctx, t, changes)
}

// load counts what the visitors of some beds have to do, and when they are away.
// Their hours are given out by one planner at a time.
func (s *Service) load(ctx context.Context, t *gateway.Turn, changes []*change) (*care.Load, error) {
	var staff []int64
	for _, ch := range changes {
		for _, it := range ch.bed.Items {
			staff = append(staff, it.Staff)
		}
		for _, v := range ch.visits {
			staff = append(staff, v.Staff)
		}
	}
	slices.Sort(staff)
	staff = slices.Compact(staff)
	return s.loadOf(ctx, t, staff)
}

func (s *Service) loadOf(ctx context.Context, t *gateway.Turn, staff []int64) (*care.Load, error) {
	if err := t.LockStaffDays(ctx, staff); err != nil {
		return nil, fmt.Errorf("lock the days of visitors: %w", err)
	}
	today := postgres.DayOf(s.day(t))
	rows, err := t.VisitLoad(ctx, staff, today)
	if err != nil {
		return nil, fmt.Errorf("count what visitors have to do: %w", err)
	}
	var busy []care.Visit
	for _, r := range rows {
		v := care.Visit{
			Staff: r.StaffID, Date: scheduler.DateOf(r.Day), Window: scheduler.Span{From: scheduler.TimeOfDay(r.Starts)}, State: care.VisitPlanned,
		}
		for range r.N {
			busy = append(busy, v)
		}
	}
	absences, err := t.AbsencesOf(ctx, staff, today)
	if err != nil {
		return nil, fmt.Errorf("read when visitors are away: %w", err)
	}
	away := make([]care.Absence, len(absences))
	for i, a := range absences {
		away[i] = care.Absence{Staff: a.StaffID, From: scheduler.DateOf(a.FromDay), To: scheduler.DateOf(a.ToDay)}
	}
	return care.NewLoad(busy, away), nil
}

// day is today where the people are.
func (s *Service) day(t *gateway.Turn) scheduler.Date { return s.dayOf(t.Now) }

func (s *Service) dayOf(at time.Time) scheduler.Date {
	return scheduler.DateOf(at.In(s.Orders.Work.Location()))
}

// plan runs the rules on one bed and brings its change up to date.
func (s *Service) plan(ch *change, load *care.Load, t *gateway.Turn) *planned {
	p := s.Rules.Plan(ch.bed.Bed, ch.list(), load, t.Now)
	out := &planned{change: ch, skipped: p.Skipped, events: p.Events, told: map[*care.Visit][]care.Event{}, bedMoved: !reflect.DeepEqual(p.Bed.Items, ch.bed.Items)}
	ch.bed.Bed = p.Bed
	for _, c := range p.Changes {
		v := c.After
		if c.New() {
			out.made = append(out.made, &v)
		} else {
			out.changed = append(out.changed, &v)
			ch.visits[v.ID] = &v
		}
		out.told[&v] = c.Events
	}
	return out
}

// write writes what planning found: beds, visits, skipped slots and the trail.
// That a visit was planned is told by its row; the trail holds what happens to it.
func (s *Service) write(ctx context.Context, t *gateway.Turn, plans []*planned) error {
	var made, changed []*care.Visit
	for _, p := range plans {
		made, changed = append(made, p.made...), append(changed, p.changed...)
	}
	// What frees a slot comes before what takes it.
	if err := t.UpdateVisits(ctx, changed); err != nil {
		return err
	}
	if err := t.InsertVisits(ctx, made); err != nil {
		return err
	}
	for _, p := range plans {
		for _, v := range p.made {
			p.visits[v.ID] = v
		}
		if p.bedMoved {
			if err := t.SaveBed(ctx, p.bed); err != nil {
				return err
			}
		}
		if err := t.AddSkips(ctx, p.bed.ID, p.skipped); err != nil {
			return err
		}
		if err := s.record(ctx, t, "bed", BedSubject(p.bed.ID), p.events); err != nil {
			return err
		}
		for _, v := range slices.Concat(p.changed, p.made) {
			events := slices.DeleteFunc(p.told[v], func(e care.Event) bool { return e.Kind == care.EventPlanned })
			if err := s.record(ctx, t, "visit", VisitSubject(v.ID), events); err != nil {
				return err
			}
		}
	}
	return nil
}
