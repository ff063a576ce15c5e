package actions

import (
	"context"
	"strconv"
	"strings"

	"shaoying/flows"
	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/scheduler"
)

// wardAbsence begins an absence: the speaker's own, or of somebody of the clinic
// whose desk it is, who is named first.
func (s *Set) wardAbsence(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	rest := text(args, "text")
	desks, err := s.Care.ClinicsOf(ctx, t, who, people.MayRunBeds)
	if err != nil {
		return nil, err
	}
	for _, c := range desks {
		visitors, err := s.Care.Visitors(ctx, t, c)
		if err != nil {
			return nil, err
		}
		for _, v := range visitors {
			if behind, ok := strings.CutPrefix(rest, v.Name); ok {
				return s.absenceOf(v.ID, v.Name, strings.TrimSpace(behind))
			}
		}
	}
	own, err := s.Care.ClinicsOf(ctx, t, who, people.MayVisit)
	if err != nil {
		return nil, err
	}
	if len(own) == 0 {
		return fail("ward.no_colleague"), nil
	}
	return s.absenceOf(who.ID, who.Name, rest)
}

func (s *Set) absenceOf(staff int64, name, rest string) (result, error) {
	r := result{"staff": strconv.FormatInt(staff, 10), "name": name}
	if rest != "" {
		r["rest"] = rest
	}
	return r, nil
}

// wardDays resolves from which day to which somebody is away, and offers who may
// take over meanwhile.
func (s *Set) wardDays(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if _, failed, err := s.worker(ctx, t); err != nil || failed != nil {
		return result{"status": flows.StatusReject, "say": "staff.only"}, err
	}
	staff, clinic, failed, err := s.absent(ctx, t, object(args, "vars"))
	if err != nil || failed != nil {
		return result{"status": flows.StatusReject, "say": "ward.no_colleague"}, err
	}
	from, to, ok := daysAway(first(text(args, "value"), text(args, "text")), s.Care.Today(t))
	if !ok {
		return result{"status": flows.StatusReject, "say": "ward.no_day"}, nil
	}
	label, err := s.Care.Day(t, from)
	if err != nil {
		return nil, err
	}
	if to != from {
		last, err := s.Care.Day(t, to)
		if err != nil {
			return nil, err
		}
		label += " - " + last
	}
	reliefs, err := s.reliefOptions(ctx, t, staff, clinic, from, to)
	return result{
		"status": flows.StatusOK, "reliefs": reliefs,
		"value": map[string]any{"from": from.String(), "to": to.String(), "label": label},
	}, err
}

// The words of a span of days, as staff write them.
const (
	wordToday, wordTomorrow, wordUntil = "today", "tomorrow", "到"
)

// maxAway bounds an absence that is entered in chat, in days.
const maxAway = 60

// daysAway reads 今天, 明天 (options today, tomorrow), 到3月8日, 3月5日到3月8日, 3天.
func daysAway(said string, today scheduler.Date) (from, to scheduler.Date, ok bool) {
	day := func(w string) (scheduler.Date, bool) {
		switch w = strings.TrimSpace(w); w {
		case "", wordToday, "今天", "今日":
			return today, true
		case wordTomorrow, "明天", "明日":
			return today.AddDays(1), true
		}
		return laterDay(w, today)
	}
	before, after, span := strings.Cut(strings.TrimSpace(said), wordUntil)
	if from, ok = day(before); !ok {
		return from, from, false
	}
	to = from
	if span {
		if to, ok = day(after); !ok {
			return from, to, false
		}
	}
	return from, to, from.Compare(to) <= 0 && to.Compare(today.AddDays(maxAway)) <= 0
}

// absent is whose absence a dialogue is about, asked again: the speaker, or one of a
// clinic whose desk it is.
func (s *Set) absent(ctx context.Context, t *gateway.Turn, args map[string]any) (staff, clinic int64, failed result, err error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return 0, 0, failed, err
	}
	staff, err = strconv.ParseInt(text(args, "staff"), 10, 64)
	if err != nil {
		return 0, 0, fail("ward.no_colleague"), nil
	}
	right := people.MayRunBeds
	if staff == who.ID {
		right = people.MayVisit
	}
	clinics, err := s.Care.ClinicsOf(ctx, t, who, right)
	if err != nil {
		return 0, 0, nil, err
	}
	for _, c := range clinics {
		visitors, err := s.Care.Visitors(ctx, t, c)
		if err != nil {
			return 0, 0, nil, err
		}
		for _, v := range visitors {
			if v.ID == staff {
				return staff, c, nil, nil
			}
		}
	}
	return 0, 0, fail("ward.no_colleague"), nil
}

// wardAway enters the absence. All visits of those days go to the colleague; each
// family hears of it in one message.
func (s *Set) wardAway(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	staff, clinic, failed, err := s.absent(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	days := object(args, "days")
	from, err := scheduler.ParseDate(text(days, "from"))
	if err != nil {
		return fail("ward.no_day"), nil
	}
	to, err := scheduler.ParseDate(text(days, "to"))
	if err != nil {
		return fail("ward.no_day"), nil
	}
	all, err := s.Care.Reliefs(ctx, t, staff, clinic, from, to)
	if err != nil {
		return nil, err
	}
	instead, name := reliefArg(args, all)
	given, left, err := s.Care.Away(ctx, t, homecare.Absence{
		Absence: care.Absence{Staff: staff, From: from, To: to}, Reason: text(args, "why"), By: t.Staff, Instead: instead,
	})
	return result{"name": name, "given": len(given), "left": len(left)}, err
}
