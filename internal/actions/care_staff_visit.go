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

// The day of a visitor.

func waiting(_ *gateway.Turn, v care.Visit) bool { return v.State.Waiting() }

func underWay(_ *gateway.Turn, v care.Visit) bool { return v.State.UnderWay() }

func inside(_ *gateway.Turn, v care.Visit) bool { return v.State == care.VisitArrived }

func unnoted(_ *gateway.Turn, v care.Visit) bool { return v.State == care.VisitDone && !v.Noted }

// arriving is what may be arrived at: who is on the way, or went without saying so.
func arriving(_ *gateway.Turn, v care.Visit) bool {
	return v.State == care.VisitEnRoute || v.State.Waiting()
}

// wardList lists the visits of today or tomorrow: the speaker's own with place and
// phone, else those of the clinic whose desk it is.
func (s *Set) wardList(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	day := s.Care.Today(t)
	if text(args, "day") == "tomorrow" {
		day = day.AddDays(1)
	}
	name, err := s.Care.Day(t, day)
	if err != nil {
		return nil, err
	}
	stops, err := s.Care.StopsOf(ctx, t, who.ID, day)
	if err != nil {
		return nil, err
	}
	var lines []string
	for i, p := range stops {
		sheet, err := s.Care.StopSheet(ctx, t, p)
		if err != nil {
			return nil, err
		}
		lines = append(lines, strconv.Itoa(i+1)+". "+sheet)
	}
	if len(stops) > 0 {
		return result{"count": len(stops), "day": name, "lines": strings.Join(lines, "\n")}, nil
	}
	clinics, err := s.Care.ClinicsOf(ctx, t, who, people.MayRunBeds)
	if err != nil {
		return nil, err
	}
	if len(clinics) == 0 && !who.Has(people.RoleNurse) && !who.Has(people.RoleDoctor) {
		return fail("ward.no_care"), nil
	}
	for _, c := range clinics {
		more, err := s.clinicLines(ctx, t, c, day)
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
	return result{"count": len(lines), "day": name, "lines": strings.Join(lines, "\n")}, nil
}

func (s *Set) clinicLines(ctx context.Context, t *gateway.Turn, clinic int64, day scheduler.Date) ([]string, error) {
	stops, err := s.Care.StopsAt(ctx, t, clinic, day)
	if err != nil {
		return nil, err
	}
	lines := make([]string, len(stops))
	for i, p := range stops {
		visitor, err := s.Orders.LoadStaff(ctx, t, p.Visit.Staff)
		if err != nil {
			return nil, err
		}
		line, err := s.Care.StopLine(t, p)
		if err != nil {
			return nil, err
		}
		lines[i] = line + " " + visitor.Name
	}
	return lines, nil
}

// wardHold begins a dialogue about a visit: what it may show and offer.
func (s *Set) wardHold(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	purpose := text(args, "for")
	find, fits := s.ownRound, waiting
	switch purpose {
	case "arrive":
		fits = arriving
	case "finish":
		fits = inside
	case "note":
		fits = unnoted
	case "move", "hand":
		find = s.roundOf
	}
	h, failed, err := find(ctx, t, args, fits)
	if err != nil || failed != nil {
		return failed, err
	}
	r, err := s.at(ctx, t, h)
	if err != nil {
		return nil, err
	}
	if h.rest != "" {
		r["rest"] = h.rest
	}
	switch purpose {
	case "arrive":
		r["asks"] = s.Care.Rules.NeedsAdult(h.Bed.Bed, h.Visit)
		if !t.Group {
			r["code"], err = s.Care.DoorCode(h.Visit)
		}
	case "finish":
		r["people"], err = s.present(t, h.Bed)
	case "move":
		r["asks"] = h.by.As != care.AsVisitor
		var offers []any
		if offers, err = s.offers(ctx, t, h.Visit.ID); err == nil && len(offers) == 0 {
			return fail("ward.no_offer"), nil
		}
		r["offers"] = offers
	case "hand":
		var all []any
		if all, err = s.reliefOptions(ctx, t, h.Visit.Staff, h.Bed.Clinic, h.Visit.Date, h.Visit.Date); err == nil && len(all) == 0 {
			return fail("ward.no_relief"), nil
		}
		r["reliefs"] = all
	}
	return r, err
}

// present offers who of the household may have been there, the patient alone last.
func (s *Set) present(t *gateway.Turn, b *homecare.Bed) ([]any, error) {
	var options []any
	for _, c := range append(b.Carers, care.Carer{Relation: care.Self}) {
		label, err := t.Text("care.relation."+c.Relation, nil)
		if err != nil {
			return nil, err
		}
		options = append(options, option(strconv.FormatInt(c.Person, 10), label))
	}
	return options, nil
}

func (s *Set) offers(ctx context.Context, t *gateway.Turn, visit int64) ([]any, error) {
	free, err := s.Care.Offers(ctx, t, visit)
	if err != nil {
		return nil, err
	}
	options := make([]any, len(free))
	for i, o := range free {
		day, err := s.Care.Date(t, o.Date)
		if err != nil {
			return nil, err
		}
		options[i] = option(o.String(), day+homecare.Window(o.Window))
	}
	return options, nil
}

// visited runs a command of the visitor.
func (s *Set) visited(ctx context.Context, t *gateway.Turn, args map[string]any, fits func(*gateway.Turn, care.Visit) bool, c care.VisitCommand) (result, error) {
	h, failed, err := s.ownRound(ctx, t, args, fits)
	if err != nil || failed != nil {
		return failed, err
	}
	if _, h.Visit, err = s.Care.DoVisit(ctx, t, h.Visit.ID, h.by, c); err != nil {
		return s.refusedCare(t, err)
	}
	return s.at(ctx, t, h)
}

func (s *Set) wardLeave(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	return s.visited(ctx, t, args, waiting, care.Leave{})
}

// wardArrive says too which code the family waits for; the visitor says it.
func (s *Set) wardArrive(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	return s.visited(ctx, t, args, arriving, care.Arrive{Adult: truth(args, "adult")})
}

func (s *Set) wardNobody(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	return s.visited(ctx, t, args, underWay, care.NobodyHome{})
}

func (s *Set) wardHelp(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	return s.visited(ctx, t, args, underWay, care.Help{})
}

// wardFinish ends a visit, with its record where one was given.
func (s *Set) wardFinish(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.ownRound(ctx, t, args, inside)
	if err != nil || failed != nil {
		return failed, err
	}
	c := care.Finish{}
	if c.Present, err = strconv.ParseInt(text(args, "present"), 10, 64); err != nil {
		return s.refusedCare(t, &care.Refused{Key: care.KeyPresent})
	}
	c.Alone = c.Present == 0
	words := text(args, "words")
	if _, h.Visit, err = s.Care.Finish(ctx, t, h.Visit.ID, h.by, c, words); err != nil {
		return s.refusedCare(t, err)
	}
	r, err := s.at(ctx, t, h)
	if err == nil {
		r["noted"] = words != ""
	}
	return r, err
}

func (s *Set) wardNote(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.ownRound(ctx, t, args, unnoted)
	if err != nil || failed != nil {
		return failed, err
	}
	if _, h.Visit, err = s.Care.Note(ctx, t, h.Visit.ID, h.by, text(args, "words")); err != nil {
		return s.refusedCare(t, err)
	}
	return s.at(ctx, t, h)
}

// wardMove gives a visit another of its free windows. agreed: the family said yes on
// the telephone; otherwise it hears of it.
func (s *Set) wardMove(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.roundOf(ctx, t, args, waiting)
	if err != nil || failed != nil {
		return failed, err
	}
	to, err := care.ParseOffer(text(args, "to"))
	if err != nil {
		return s.refusedCare(t, &care.Refused{Key: care.KeyTaken})
	}
	if _, h.Visit, err = s.Care.MoveTo(ctx, t, h.Visit.ID, h.by, to, truth(args, "agreed")); err != nil {
		return s.refusedCare(t, err)
	}
	return s.at(ctx, t, h)
}

// wardHand gives a visit to a colleague.
func (s *Set) wardHand(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.roundOf(ctx, t, args, waiting)
	if err != nil || failed != nil {
		return failed, err
	}
	all, err := s.Care.Reliefs(ctx, t, h.Visit.Staff, h.Bed.Clinic, h.Visit.Date, h.Visit.Date)
	if err != nil {
		return nil, err
	}
	to, name := reliefArg(args, all)
	if to == 0 {
		return fail("ward.no_colleague"), nil
	}
	if _, h.Visit, err = s.Care.Hand(ctx, t, h.Visit.ID, h.by, to); err != nil {
		return s.refusedCare(t, err)
	}
	r, err := s.at(ctx, t, h)
	if err == nil {
		r["name"] = name
	}
	return r, err
}

// reliefArg is the colleague that ward.relief resolved, if still one of those.
func reliefArg(args map[string]any, all []homecare.Relief) (id int64, name string) {
	said := first(text(object(args, "relief"), "staff"), text(args, "relief"))
	for _, r := range all {
		if strconv.FormatInt(r.ID, 10) == said {
			return r.ID, r.Name
		}
	}
	return 0, ""
}

func (s *Set) reliefOptions(ctx context.Context, t *gateway.Turn, staff, clinic int64, from, to scheduler.Date) ([]any, error) {
	all, err := s.Care.Reliefs(ctx, t, staff, clinic, from, to)
	options := make([]any, 0, len(all))
	for _, r := range all[:min(len(all), maxTargets)] {
		options = append(options, option(strconv.FormatInt(r.ID, 10), r.Name))
	}
	return options, err
}

// wardRelief resolves a colleague of those that were offered, by choice or name.
func (s *Set) wardRelief(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if _, failed, err := s.worker(ctx, t); err != nil || failed != nil {
		return result{"status": flows.StatusReject, "say": "staff.only"}, err
	}
	offered, _ := object(args, "vars")["reliefs"].([]any)
	chosen, said := text(args, "value"), text(args, "text")
	for _, o := range offered {
		m, _ := o.(map[string]any)
		value, label := text(m, "value"), text(m, "label")
		if value == chosen || chosen == "" && said != "" && strings.HasPrefix(said, label) {
			return result{"status": flows.StatusOK, "value": map[string]any{"staff": value, "label": label}}, nil
		}
	}
	if len(offered) == 0 {
		return result{"status": flows.StatusReject, "say": "ward.no_relief"}, nil
	}
	return result{"status": flows.StatusAsk, "options": offered}, nil
}

// wardMeant tells what a word means that tickets and visits share: 完成 ends the visit
// at whose home the speaker is, 请假 is of visitors and desks.
func (s *Set) wardMeant(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	if text(args, "for") == "absence" {
		clinics, err := s.Care.ClinicsOf(ctx, t, who, people.MayRunBeds)
		if err != nil {
			return nil, err
		}
		visits, err := s.Care.ClinicsOf(ctx, t, who, people.MayVisit)
		return result{"absence": len(clinics)+len(visits) > 0}, err
	}
	stops, err := s.Care.OwnStops(ctx, t, who.ID)
	if err != nil {
		return nil, err
	}
	id, rest, named := leadingVisit(text(args, "text"))
	for _, p := range stops {
		if p.Visit.State == care.VisitArrived && (!named || p.Visit.ID == id) {
			return result{"visit": strconv.FormatInt(p.Visit.ID, 10), "rest": rest}, nil
		}
	}
	return result{}, nil
}
