package homecare

import (
	"cmp"
	"context"
	"errors"
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
	var out []Stop
	for _, v := range visits {
		if b := byID[v.BedID]; b.Programme == care.FamilyBed { // other programmes have lists of their own
			out = append(out, Stop{Visit: v, Bed: b})
		}
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

// ownDays is how far back a visitor's own visits are looked for: what was done
// yesterday may still want its record.
const ownDays = 3

// OwnStops are the visits of a visitor that a command without a number may mean:
// those of today in their order, then those that were done lately and have no record.
func (s *Service) OwnStops(ctx context.Context, t *gateway.Turn, staff int64) ([]Stop, error) {
	today, err := s.StopsOf(ctx, t, staff, s.Today(t))
	if err != nil {
		return nil, err
	}
	rows, err := t.UnnotedOf(ctx, staff, postgres.DayOf(s.Today(t).AddDays(-ownDays)))
	if err != nil {
		return nil, fmt.Errorf("read which visits have no record: %w", err)
	}
	lately, err := s.stops(ctx, t, postgres.VisitsOf(rows))
	return append(today, lately...), err
}

// MayVisit reports whether somebody may make visits of a bed. What other programmes
// plan is made by whoever it was given to.
func (s *Service) MayVisit(ctx context.Context, t *gateway.Turn, who people.Staff, b *Bed) (bool, error) {
	if b.Programme != care.FamilyBed {
		return true, nil
	}
	units, err := s.unitsOf(ctx, t, b.Clinic)
	return err == nil && s.Orders.Rights.May(who, people.MayVisit, unitOf(units[b.Clinic]), t.Now), err
}

// ClinicsOf are the organisations in whose unit the rights give a command.
func (s *Service) ClinicsOf(ctx context.Context, t *gateway.Turn, who people.Staff, c people.StaffCommand) ([]int64, error) {
	var out []int64
	for _, g := range who.Grants {
		if g.Area.Kind != people.AreaUnit || !s.Orders.Rights.May(who, c, unitOf(g.Area.Code), t.Now) {
			continue
		}
		row, err := t.ClinicByCode(ctx, g.Area.Code)
		if errors.Is(err, postgres.ErrNoRows) {
			continue // a unit that is no clinic
		}
		if err != nil {
			return nil, fmt.Errorf("load a clinic: %w", err)
		}
		if !slices.Contains(out, row.ID) {
			out = append(out, row.ID)
		}
	}
	return out, nil
}

// Visitors are the doctors and nurses of a clinic.
func (s *Service) Visitors(ctx context.Context, t *gateway.Turn, clinic int64) ([]Relief, error) {
	units, err := s.unitsOf(ctx, t, clinic)
	if err != nil {
		return nil, err
	}
	rows, err := t.StaffWith(ctx, []string{string(people.RoleDoctor), string(people.RoleNurse)}, []string{units[clinic]})
	if err != nil {
		return nil, fmt.Errorf("find who makes visits: %w", err)
	}
	var out []Relief
	for _, r := range rows {
		if !slices.ContainsFunc(out, func(o Relief) bool { return o.ID == r.ID }) {
			out = append(out, Relief{ID: r.ID, Name: r.Name})
		}
	}
	return out, nil
}
