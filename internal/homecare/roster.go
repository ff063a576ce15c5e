package homecare

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// Stop is one visit of somebody's day, with its bed.
type Stop struct {
	Visit care.Visit
	Bed   *Bed
}

// Today is the day where the people are.
func (s *Service) Today(t *gateway.Turn) scheduler.Date { return s.day(t) }

// StopsOf are the visits of a visitor that a day still holds, in the order of the
// rules.
func (s *Service) StopsOf(ctx context.Context, t *gateway.Turn, staff int64, day scheduler.Date) ([]Stop, error) {
	rows, err := t.VisitsOfStaff(ctx, []int64{staff}, postgres.DayOf(day), postgres.DayOf(day))
	if err != nil {
		return nil, fmt.Errorf("read the visits of a day: %w", err)
	}
	return s.stops(ctx, t, s.Rules.Order(postgres.VisitsOf(rows)))
}

// StopsAt are the visits of a clinic's beds that a day still holds, by visitor and
// their order.
func (s *Service) StopsAt(ctx context.Context, t *gateway.Turn, clinic int64, day scheduler.Date) ([]Stop, error) {
	rows, err := t.VisitsOfClinic(ctx, &clinic, postgres.DayOf(day), postgres.DayOf(day))
	if err != nil {
		return nil, fmt.Errorf("read the visits of a clinic: %w", err)
	}
	visits := s.Rules.Order(postgres.VisitsOf(rows))
	slices.SortStableFunc(visits, func(a, b care.Visit) int { return cmp.Compare(a.Staff, b.Staff) })
	return s.stops(ctx, t, visits)
}

func (s *Service) stops(ctx context.Context, t *gateway.Turn, visits []care.Visit) ([]Stop, error) {
	ids := make([]int64, len(visits))
	for i, v := range visits {
		ids[i] = v.BedID
	}
	slices.Sort(ids)
	beds, err := t.LoadBeds(ctx, slices.Compact(ids), false)
	if err != nil {
		return nil, err
	}
	byID := map[int64]*Bed{}
	for _, b := range beds {
		byID[b.ID] = b
	}
	out := make([]Stop, len(visits))
	for i, v := range visits {
		out[i] = Stop{Visit: v, Bed: byID[v.BedID]}
	}
	return out, nil
}

// StopLine is a visit in one line for staff: number, window, kind, bed and where it
// stands. It names nobody and no place, so that it may be read in a group.
func (s *Service) StopLine(t *gateway.Turn, p Stop) (string, error) {
	kind, err := t.Text("care.kind."+p.Visit.Kind, nil)
	if err != nil {
		return "", err
	}
	state, err := t.Text("ward.state."+string(p.Visit.State), nil)
	if err != nil {
		return "", err
	}
	return t.Text("ward.stop", map[string]string{
		"visit": strconv.FormatInt(p.Visit.ID, 10), "window": Window(p.Visit.Window), "kind": kind, "bed": p.Bed.Number, "state": state,
	})
}

// noteShort is how many characters of the last record stand in a list.
const noteShort = 40

// StopSheet is a visit as its visitor needs it: the line, where, whom to ring, and
// the last record in short. The look is in the trail.
func (s *Service) StopSheet(ctx context.Context, t *gateway.Turn, p Stop) (string, error) {
	line, err := s.StopLine(t, p)
	if err != nil {
		return "", err
	}
	h, err := s.HouseholdOf(ctx, t, p.Bed)
	if err != nil {
		return "", err
	}
	lines := []string{line}
	add := func(key string, params map[string]string) error {
		more, err := t.Text(key, params)
		lines = append(lines, more)
		return err
	}
	if h.Home != "" {
		if err := add("ward.home", map[string]string{"home": h.Home}); err != nil {
			return "", err
		}
	}
	if len(h.Contacts) > 0 {
		if err := add("ward.contact", map[string]string{"relation": h.Contacts[0].Relation, "phone": h.Contacts[0].Phone}); err != nil {
			return "", err
		}
	}
	note, err := s.LastNoteOf(ctx, t, p.Bed.ID)
	if err != nil {
		return "", err
	}
	if note != "" {
		if r := []rune(note); len(r) > noteShort {
			note = string(r[:noteShort]) + "…"
		}
		if err := add("ward.note", map[string]string{"note": note}); err != nil {
			return "", err
		}
	}
	return strings.Join(lines, "\n"), nil
}

// Relief is a colleague who may make visits in somebody's place.
type Relief struct {
	ID   int64
	Name string
}

// Reliefs are the colleagues of the same calling at a clinic who are at work on
// those days: on duty, not away, and not who is to be replaced.
func (s *Service) Reliefs(ctx context.Context, t *gateway.Turn, staff, clinic int64, from, to scheduler.Date) ([]Relief, error) {
	units, err := s.unitsOf(ctx, t, clinic)
	if err != nil {
		return nil, err
	}
	own, err := t.GrantsOf(ctx, []int64{staff})
	if err != nil {
		return nil, fmt.Errorf("load the grants of who is replaced: %w", err)
	}
	var roles []string
	for _, g := range own {
		if g.Area == units[clinic] && (g.Role == string(people.RoleNurse) || g.Role == string(people.RoleDoctor)) {
			roles = append(roles, g.Role)
		}
	}
	rows, err := t.StaffWith(ctx, roles, []string{units[clinic]})
	if err != nil {
		return nil, fmt.Errorf("find colleagues: %w", err)
	}
	var out []Relief
	var ids []int64
	for _, r := range rows {
		if r.OnDuty && r.ID != staff && !slices.Contains(ids, r.ID) {
			out, ids = append(out, Relief{ID: r.ID, Name: r.Name}), append(ids, r.ID)
		}
	}
	away, err := t.AbsencesOf(ctx, ids, postgres.DayOf(from))
	if err != nil {
		return nil, fmt.Errorf("read who is away: %w", err)
	}
	return slices.DeleteFunc(out, func(r Relief) bool {
		return slices.ContainsFunc(away, func(a db.AbsencesOfRow) bool {
			return a.StaffID == r.ID && scheduler.DateOf(a.FromDay).Compare(to) <= 0
		})
	}), nil
}
