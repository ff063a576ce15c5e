package homecare

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/scheduler"
)

// Values are what texts about a bed and one of its visits may say. None of them
// names an illness or a patient:
//
//	when          day and window together
//	day, window   "明天" or "3月5日周四", "9:00-11:00"
//	who           王护士; where others read the phone, only that somebody comes
//	code          上门核验码, four digits
//	phone, clinic of the duty desk
//	left, to      days left of the period (or over), its last day
//	number        of the bed as the clinic writes it, for staff
func (s *Service) Values(ctx context.Context, t *gateway.Turn, b *Bed, v *care.Visit, neutral bool) (map[string]string, error) {
	p := map[string]string{"number": b.Number, "bed": strconv.FormatInt(b.ID, 10)}
	if err := s.clinicValues(ctx, t, b.Clinic, p); err != nil {
		return nil, err
	}
	if period := b.Period(); period != (care.Period{}) {
		left := period.Left(s.day(t))
		p["left"], p["over"] = strconv.Itoa(max(left, 0)), strconv.Itoa(max(-left, 0))
		p["to_month"], p["to_day"] = strconv.Itoa(int(period.To.Month)), strconv.Itoa(period.To.Day)
	}
	if v == nil {
		return p, nil
	}
	p["visit"] = strconv.FormatInt(v.ID, 10)
	var err error
	if p["day"], err = s.Day(t, v.Date); err != nil {
		return nil, err
	}
	p["window"] = Window(v.Window)
	if p["kind"], err = t.Text("care.kind."+v.Kind, nil); err != nil {
		return nil, err
	}
	if p["who"], err = s.who(ctx, t, *v, neutral); err != nil {
		return nil, err
	}
	if p["code"], err = s.DoorCode(*v); err != nil {
		return nil, err
	}
	p["when"], err = t.Text("care.when", p)
	return p, err
}

func (s *Service) clinicValues(ctx context.Context, t *gateway.Turn, clinic int64, p map[string]string) error {
	if clinic == 0 {
		p["phone"], p["clinic"] = "", ""
		return nil
	}
	c, err := t.GetClinic(ctx, clinic)
	if err != nil {
		return fmt.Errorf("load clinic %d: %w", clinic, err)
	}
	p["phone"], p["clinic"], p["costs"], p["hours"] = c.Phone, c.Name, c.Costs, c.Hours
	return nil
}

// Window is the time of day as people read it: "9:00-11:00".
func Window(w scheduler.Span) string { return clockOf(w.From) + "-" + clockOf(w.To) }

func clockOf(at scheduler.TimeOfDay) string { return fmt.Sprintf("%d:%02d", int(at)/60, int(at)%60) }

// Day names a day near today, else by date and weekday.
func (s *Service) Day(t *gateway.Turn, d scheduler.Date) (string, error) {
	today := s.day(t)
	for i, name := range []string{"today", "tomorrow", "after_tomorrow"} {
		if d == today.AddDays(i) {
			return t.Text("care.day."+name, map[string]string{"month": strconv.Itoa(int(d.Month)), "day": strconv.Itoa(d.Day)})
		}
	}
	return s.Date(t, d)
}

// Date names a day by date and weekday, whatever today is.
func (s *Service) Date(t *gateway.Turn, d scheduler.Date) (string, error) {
	weekday, err := t.Text("care.weekday."+strconv.Itoa(int(d.Weekday())), nil)
	if err != nil {
		return "", err
	}
	return t.Text("care.day.date", map[string]string{"month": strconv.Itoa(int(d.Month)), "day": strconv.Itoa(d.Day), "weekday": weekday})
}

// who is the visitor as a family may know them: surname and calling. Where others
// read the phone, only that somebody comes.
func (s *Service) who(ctx context.Context, t *gateway.Turn, v care.Visit, neutral bool) (string, error) {
	if neutral {
		return t.Text("care.who.neutral", nil)
	}
	staff, err := t.Visitor(ctx, v.Staff)
	if err != nil {
		return "", fmt.Errorf("load who makes a visit: %w", err)
	}
	calling := "visitor"
	for _, role := range []people.Role{people.RoleDoctor, people.RoleNurse} {
		if slices.Contains(staff.Roles, string(role)) {
			calling = string(role)
		}
	}
	return t.Text("care.who."+calling, map[string]string{"surname": s.surname(staff.Name)})
}

// surname is the first character of a name, or the first two where they are one of
// the policy's.
func (s *Service) surname(name string) string {
	_, n := utf8.DecodeRuneInString(name)
	if _, m := utf8.DecodeRuneInString(name[n:]); slices.Contains(s.Rules.Policy().Surnames.OfTwo, name[:n+m]) {
		return name[:n+m]
	}
	return name[:n]
}

// Clock is a time of day where the people are, "18:30".
func (s *Service) Clock(at time.Time) string {
	return at.In(s.Orders.Work.Location()).Format("15:04")
}
