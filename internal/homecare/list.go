package homecare

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
)

// DueList tells one of the staff of visits: subject "staff:ID", data ListDue.
const DueList = "care.list"

// What a DueList says; its text is ward.list.WHAT.
const (
	ListEvening = "evening" // tomorrow's visits, before the families are asked
	ListUpdate  = "update"  // what the families have answered
	ListGiven   = "given"   // visits that came from a colleague
	ListTaken   = "taken"   // visits that a colleague makes instead
	ListRounds  = "rounds"  // rounds that are due this week, and overdue
)

// ListDue is the data of a DueList row.
type ListDue struct {
	What string `json:"what"`
	// Day is the day of the list; of rounds the day on which it is said.
	Day string `json:"day"`
	// Clinic is set where it is the list of a clinic's desk.
	Clinic int64 `json:"clinic,omitempty"`
	// Visits are those that changed hands.
	Visits []int64 `json:"visits,omitempty"`
}

// PlanList plans that one of the staff is told of visits, once for a key.
func (s *Service) PlanList(ctx context.Context, t *gateway.Turn, staff int64, key string, l ListDue) error {
	p := gateway.Plan{Kind: DueList, Subject: subjectOf("staff", staff), Key: l.What + "/" + key, At: t.Now, Data: l}
	if l.What == ListEvening || l.What == ListUpdate {
		day, err := scheduler.ParseDate(l.Day)
		if err != nil {
			return fmt.Errorf("read the day of a list: %w", err)
		}
		p.NotAfter = day.At(s.Rules.Policy().Windows.Of[0].Span.From, s.Orders.Work.Location())
	}
	return t.PlanDue(ctx, p)
}

// Hand gives a visit to a colleague. Both hear of it, but for who says so.
func (s *Service) Hand(ctx context.Context, t *gateway.Turn, id int64, by care.Actor, to int64) (*Bed, care.Visit, error) {
	_, was, err := s.LoadVisit(ctx, t, id)
	if err != nil {
		return nil, was, err
	}
	b, v, err := s.DoVisit(ctx, t, id, by, care.Reassign{Staff: to})
	if err != nil {
		return b, v, err
	}
	if err := s.handed(ctx, t, by.Staff, was.Staff, ListTaken, []care.Visit{v}); err != nil {
		return nil, v, err
	}
	return b, v, s.handed(ctx, t, by.Staff, to, ListGiven, []care.Visit{v})
}

// handed plans that somebody hears of visits that changed hands; who did it knows.
func (s *Service) handed(ctx context.Context, t *gateway.Turn, by, staff int64, what string, visits []care.Visit) error {
	if staff == by || len(visits) == 0 {
		return nil
	}
	l := ListDue{What: what, Day: s.Today(t).String()}
	key := make([]string, len(visits))
	for i, v := range visits {
		l.Visits, key[i] = append(l.Visits, v.ID), FormatAsked([]Asked{{Visit: v.ID, Version: v.Version}})
	}
	return s.PlanList(ctx, t, staff, strings.Join(key, " "), l)
}

// ListText is what a DueList row says to one of the staff: the values of its text,
// nil where there is nothing to say.
func (s *Service) ListText(ctx context.Context, t *gateway.Turn, staff int64, l ListDue) (map[string]string, error) {
	day, err := scheduler.ParseDate(l.Day)
	if err != nil {
		return nil, fmt.Errorf("read the day of a list: %w", err)
	}
	if l.What == ListRounds {
		return s.roundsText(ctx, t, staff, l.Clinic, day)
	}
	stops, err := s.listed(ctx, t, staff, l, day)
	if err != nil || len(stops) == 0 {
		return nil, err
	}
	p := answered(stops)
	if p["day"], err = s.Day(t, day); err != nil {
		return nil, err
	}
	lines, visitor := make([]string, 0, len(stops)), int64(0)
	for i, stop := range stops {
		// Who makes the visit needs to know where; desk and colleague do not.
		say := s.line
		if l.Clinic == 0 && l.What != ListTaken && l.What != ListUpdate {
			say = s.StopSheet
		}
		line, err := say(ctx, t, stop)
		if err != nil {
			return nil, err
		}
		switch {
		case len(l.Visits) > 0:
			when, err := s.Day(t, stop.Visit.Date)
			if err != nil {
				return nil, err
			}
			line = when + " " + line
		case l.Clinic == 0:
			line = strconv.Itoa(i+1) + ". " + line
		case stop.Visit.Staff != visitor:
			visitor = stop.Visit.Staff
			who, err := s.Orders.LoadStaff(ctx, t, visitor)
			if err != nil {
				return nil, err
			}
			lines = append(lines, who.Name)
		}
		lines = append(lines, line)
	}
	p["lines"] = strings.Join(lines, "\n")
	return p, nil
}

func (s *Service) line(_ context.Context, t *gateway.Turn, p Stop) (string, error) {
	return s.StopLine(t, p)
}

// listed are the visits of a list. What changed hands again is left out.
func (s *Service) listed(ctx context.Context, t *gateway.Turn, staff int64, l ListDue, day scheduler.Date) ([]Stop, error) {
	switch {
	case len(l.Visits) > 0:
		rows, err := t.VisitsByID(ctx, l.Visits)
		if err != nil {
			return nil, fmt.Errorf("read the visits of a list: %w", err)
		}
		var visits []care.Visit
		for _, v := range postgres.VisitsOf(rows) {
			if v.State.Open() && (v.Staff == staff) == (l.What == ListGiven) {
				visits = append(visits, v)
			}
		}
		return s.stops(ctx, t, visits)
	case l.Clinic != 0:
		return s.StopsAt(ctx, t, l.Clinic, day)
	}
	return s.StopsOf(ctx, t, staff, day)
}

// answered counts what the families have said.
func answered(stops []Stop) map[string]string {
	var home, moves, silent, off int
	for _, p := range stops {
		switch p.Visit.State {
		case care.VisitConfirmed:
			home++
		case care.VisitMoveAsked:
			moves++
		case care.VisitDeclined:
			off++
		case care.VisitPlanned, care.VisitNotified:
			silent++
		}
	}
	n := strconv.Itoa
	return map[string]string{"count": n(len(stops)), "home": n(home), "moves": n(moves), "off": n(off), "silent": n(silent)}
}

// roundKinds are the visits of a doctor that the week is looked at for.
func roundKinds() []string { return []string{"round", "senior_round"} }

// roundsText counts the rounds of a doctor, or of each doctor of a clinic, that are
// due this week and those that are overdue.
func (s *Service) roundsText(ctx context.Context, t *gateway.Turn, staff, clinic int64, day scheduler.Date) (map[string]string, error) {
	rows, err := t.RoundsDue(ctx, postgres.DayOf(day), roundKinds(), postgres.DayOf(day.AddDays(6)))
	if err != nil {
		return nil, fmt.Errorf("count the rounds of a week: %w", err)
	}
	var lines []string
	for _, r := range rows {
		if clinic != 0 && r.Clinic != clinic || clinic == 0 && r.StaffID != staff {
			continue
		}
		who, err := s.Orders.LoadStaff(ctx, t, r.StaffID)
		if err != nil {
			return nil, err
		}
		line, err := t.Text("ward.rounds", map[string]string{"name": who.Name, "due": strconv.Itoa(int(r.Due)), "overdue": strconv.Itoa(int(r.Overdue))})
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return nil, nil
	}
	return map[string]string{"lines": strings.Join(lines, "\n")}, nil
}

// RoundsFor are the doctors and clinics of whom rounds are due or overdue in the
// week that begins with day.
func (s *Service) RoundsFor(ctx context.Context, t *gateway.Turn, day scheduler.Date) (doctors, clinics []int64, err error) {
	rows, err := t.RoundsDue(ctx, postgres.DayOf(day), roundKinds(), postgres.DayOf(day.AddDays(6)))
	if err != nil {
		return nil, nil, fmt.Errorf("count the rounds of a week: %w", err)
	}
	for _, r := range rows {
		doctors, clinics = append(doctors, r.StaffID), append(clinics, r.Clinic)
	}
	slices.Sort(clinics)
	return slices.Compact(doctors), slices.Compact(clinics), nil
}

// DeskOf are the people of a clinic's duty desk.
func (s *Service) DeskOf(ctx context.Context, t *gateway.Turn, clinic int64) ([]int64, error) {
	units, err := s.unitsOf(ctx, t, clinic)
	if err != nil {
		return nil, err
	}
	rows, err := t.StaffWith(ctx, []string{string(people.RoleClinicDesk)}, []string{units[clinic]})
	if err != nil {
		return nil, fmt.Errorf("find the desk of a clinic: %w", err)
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids, nil
}

// FitStaff is asked once more just before a line for staff goes out: its subject has
// not moved on. Unlike a family, staff hear of what has ended.
func (s *Service) FitStaff(ctx context.Context, tx *postgres.Tx, subject string, version int) (ok bool, why string, err error) {
	kind, id, err := cut(subject)
	if err != nil {
		return false, "", err
	}
	now := version
	switch kind {
	case "application":
		a, err := tx.LoadApplication(ctx, id, false)
		if err != nil {
			return false, "", err
		}
		now = a.Version
	case "bed":
		b, err := tx.LoadBed(ctx, id, false)
		if err != nil {
			return false, "", err
		}
		now = len(b.Periods)
	case "visit":
		row, err := tx.GetVisit(ctx, id)
		if err != nil {
			return false, "", fmt.Errorf("load visit %d: %w", id, err)
		}
		now = int(row.Version)
	case "occasion":
		o, err := tx.LoadOccasion(ctx, id, false)
		if err != nil {
			return false, "", err
		}
		now = o.Version
	}
	return now == version, "it has moved on", nil
}
