package actions

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
)

// findingPhotos adds photos to a finding that its finder has just filed.
func (s *Set) findingPhotos(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	o, err := s.Orders.Load(ctx, t, int64(number(args, "id")), true)
	if err != nil {
		return nil, fmt.Errorf("load a finding: %w", err)
	}
	if !o.State.Open() || o.ReporterID != who.PersonID {
		return fail("finding.late"), nil
	}
	if _, err := s.attach(ctx, t, o, args); err != nil {
		return nil, err
	}
	return result{"number": o.Number.Spoken()}, s.tellHolders(ctx, t, o)
}

// findingUnfinished ends a patrol that nobody goes on with. What was filed goes
// its way without a photo; what was not yet becomes a draft for a clerk, still a
// finding, so that another person checks it.
func (s *Set) findingUnfinished(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if n := text(object(args, "ticket"), "number"); n != "" {
		// Not as "number": who goes on to something else hears nothing of it.
		return result{"filed": n, "say": "no_photo"}, nil
	}
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	f := s.filing(t, args)
	switch {
	case !s.mayFile(who, people.MayFileFinding, t, f):
		return result{"fail": "staff.may_not_here", "say": "staff.may_not_here"}, nil
	case f.Words == "" && len(f.Photos) == 0:
		return result{"say": "nothing"}, nil
	}
	f.Finding, f.Incomplete, f.By.Staff = true, true, who.ID
	o, err := s.Orders.File(ctx, t, f)
	if err != nil {
		return nil, fmt.Errorf("keep an unfinished finding: %w", err)
	}
	return result{"number": o.Number.Spoken(), "say": "kept"}, nil
}

// patrolFigures says which share of the findings that were due in a month was
// handled, with numerator, denominator and what is left out, in the widest area
// of the speaker and in each area right below it.
func (s *Set) patrolFigures(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	area, width := s.figuresArea(who, t.Now)
	if width == 0 {
		return fail("staff.may_not"), nil
	}
	since, ok := monthOf(text(args, "text"), t.Now.In(s.Orders.Work.Location()))
	switch {
	case !ok:
		return fail("patrol.month"), nil
	case since.After(t.Now):
		return fail("patrol.future"), nil
	}
	until := since.AddDate(0, 1, 0)
	if until.After(t.Now) { // what is not yet due is not yet failed
		until = t.Now
	}
	rows, err := t.PatrolHandled(ctx, db.PatrolHandledParams{Width: width, Since: &since, Until: &until, Division: area.Code})
	if err != nil {
		return nil, fmt.Errorf("count the findings of a month: %w", err)
	}
	lines, err := s.patrolLines(ctx, t, area, since, rows)
	return result{"lines": strings.Join(lines, "\n")}, err
}

// figuresArea is the widest division whose figures the staff member may see,
// and the length of the codes one level below; 0 for none.
func (s *Set) figuresArea(who people.Staff, now time.Time) (area people.Area, width int32) {
	widths := map[people.AreaKind]int32{people.AreaCity: 6, people.AreaCounty: 9, people.AreaTownship: 12}
	for _, g := range who.Grants {
		w := widths[g.Area.Kind]
		if w == 0 || width != 0 && w >= width {
			continue
		}
		alone := who
		alone.Grants = []people.Grant{g}
		if s.Orders.Rights.May(alone, people.MaySeeFigures, people.Subject{Division: g.Area.Code}, now) {
			area, width = g.Area, w
		}
	}
	return area, width
}

var numbers = regexp.MustCompile(`[0-9]+`)

// monthOf reads "", "2月", "2026年2月" or "2026-02": the beginning of the month,
// in now's location. A month without a year is the last one of that number.
func monthOf(said string, now time.Time) (time.Time, bool) {
	year, month := now.Year(), int(now.Month())
	found := numbers.FindAllString(said, -1)
	switch len(found) {
	case 0:
		if said != "" {
			return time.Time{}, false
		}
	case 1:
		month, _ = strconv.Atoi(found[0])
		if month > int(now.Month()) {
			year--
		}
	case 2:
		year, _ = strconv.Atoi(found[0])
		month, _ = strconv.Atoi(found[1])
	default:
		return time.Time{}, false
	}
	first := time.Date(year, time.Month(month), 1, 0, 0, 0, 0, now.Location())
	return first, month >= 1 && month <= 12 && year >= 2000 && year < 10000
}

// patrolLines are the total and one line for each area that had something due,
// in the order of their codes: they are not ranked.
func (s *Set) patrolLines(ctx context.Context, t *gateway.Turn, area people.Area, month time.Time, rows []db.PatrolHandledRow) ([]string, error) {
	name, err := s.Orders.AreaName(ctx, t.Queries, area)
	if err != nil {
		return nil, err
	}
	var sum db.PatrolHandledRow
	var lines []string
	for _, r := range rows {
		sum.Due, sum.Handled, sum.Late = sum.Due+r.Due, sum.Handled+r.Handled, sum.Late+r.Late
		sum.Checked, sum.Excluded = sum.Checked+r.Checked, sum.Excluded+r.Excluded
		if r.Due == 0 {
			continue
		}
		if r.Name == "" {
			if r.Name, err = t.Text("patrol.nowhere", nil); err != nil {
				return nil, err
			}
		}
		line, err := t.Text("patrol.area", map[string]string{
			"area": r.Name, "rate": percent(r.Handled, r.Due), "handled": count(r.Handled), "due": count(r.Due),
		})
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	total, err := s.patrolTotal(t, name, month, sum)
	return append([]string{total}, lines...), err
}

func (s *Set) patrolTotal(t *gateway.Turn, area string, month time.Time, sum db.PatrolHandledRow) (string, error) {
	p := map[string]string{"area": area, "year": strconv.Itoa(month.Year()), "month": strconv.Itoa(int(month.Month()))}
	if sum.Due == 0 {
		return t.Text("patrol.none", p)
	}
	target := s.Policy.Patrol.Handled
	key, short := "patrol.reached", map[string]string{}
	if missing := target - float64(sum.Handled)/float64(sum.Due); missing > 0 {
		key, short = "patrol.missed", map[string]string{"short": strconv.FormatFloat(missing*100, 'f', 1, 64)}
	}
	verdict, err := t.Text(key, short)
	if err != nil {
		return "", err
	}
	p["verdict"], p["target"] = verdict, strconv.FormatFloat(target*100, 'f', -1, 64)
	p["rate"], p["handled"], p["due"] = percent(sum.Handled, sum.Due), count(sum.Handled), count(sum.Due)
	p["late"], p["checked"], p["excluded"] = count(sum.Late), count(sum.Checked), count(sum.Excluded)
	return t.Text("patrol.total", p)
}

// percent is a share with one decimal, cut and not rounded: 99.96 % is not 100.
func percent(n, of int64) string {
	tenths := n * 1000 / of
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}

func count(n int64) string { return strconv.FormatInt(n, 10) }
