package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/flows"
	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
)

// programmeKinds offers the programmes into which staff enter people.
func (s *Set) programmeKinds(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if _, failed, err := s.holder(ctx, t); err != nil || failed != nil {
		return failed, err
	}
	if t.Group {
		return fail("staff.private_chat"), nil
	}
	all := s.programmesOf(func(p care.Programme) bool { return p.Cadence != nil || len(p.Marks()) > 0 })
	if code := text(args, "programme"); code != "" {
		all = slices.DeleteFunc(all, func(p care.Programme) bool { return p.Code != code })
	}
	r, err := s.choose(t, all, text(args, "text"))
	if err != nil || r["programme"] == "" {
		return r, err
	}
	p, _ := s.Care.Rules.Programme(r["programme"].(string))
	r["title"], r["rhythm"], r["visits"] = p.Title, p.Cadence != nil, p.Cadence != nil && p.Cadence.Minutes > 0
	r["asked"] = p.Consent != care.NeedsNone
	return r, nil
}

// programmeStaff finds who is to call on somebody by their name.
func (s *Set) programmeStaff(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if _, failed, err := s.holder(ctx, t); err != nil || failed != nil {
		return result{"status": flows.StatusReject, "say": "staff.only"}, err
	}
	if picked := text(args, "value"); picked != "" {
		if _, err := strconv.ParseInt(picked, 10, 64); err != nil {
			return result{"status": flows.StatusReject}, nil
		}
		return result{"status": flows.StatusOK, "value": map[string]any{"id": picked, "label": text(args, "text")}}, nil
	}
	name := text(args, "text")
	if len([]rune(name)) < 2 {
		return result{"status": flows.StatusReject}, nil
	}
	rows, err := t.StaffNamed(ctx, name, workorder.CityCode, maxTargets)
	if err != nil {
		return nil, fmt.Errorf("find staff by name: %w", err)
	}
	options := make([]any, len(rows))
	for i, p := range rows {
		options[i] = option(count(p.ID), p.Name)
	}
	return resolved("id", options, "programme.nobody"), nil
}

// enterProgramme enters somebody: a cadence begins to plan for them, or the first of
// a programme's moments has come (admitted, donated). Only with their agreement are
// they written to.
func (s *Set) enterProgramme(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.holder(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	p, ok := s.Care.Rules.Programme(text(args, "programme"))
	if !ok || p.Code == care.FamilyBed || p.OfEvents() {
		return fail("programme.none"), nil
	}
	person, address, err := s.somebody(ctx, t, text(args, "name"), text(args, "phone"))
	if err != nil {
		return nil, err
	}
	clinic, grid, err := s.placeOf(ctx, t, who)
	if err != nil {
		return nil, err
	}
	if text(args, "agreed") == "yes" {
		if err := s.Care.Join(ctx, t, person, address, p.Code); err != nil {
			return nil, err
		}
	}
	if p.Cadence == nil {
		at := map[care.Anchor]time.Time{p.Marks()[0]: t.Now}
		o, err := s.Care.Enter(ctx, t, homecare.Entry{Programme: p.Code, Person: person, Clinic: clinic, At: at})
		if err != nil {
			return careRefusal(err)
		}
		return result{"number": o.ID, "title": p.Title}, nil
	}
	visitor := who
	if id, err := idOf("staff:"+text(object(args, "who"), "id"), "staff"); err == nil {
		if visitor, err = s.Orders.LoadStaff(ctx, t, id); err != nil {
			return nil, err
		}
		if _, of, err := s.placeOf(ctx, t, visitor); err != nil {
			return nil, err
		} else if of != "" {
			grid = of
		}
	}
	b, err := s.Care.Enrol(ctx, t, homecare.Enrolment{
		Programme: p.Code, Person: person, Address: address, Staff: visitor.ID, Clinic: clinic, Grid: grid, Home: text(args, "home"),
		Every: int(number(args, "every")), By: who.ID,
	})
	if err != nil {
		return careRefusal(err)
	}
	return result{"number": b.ID, "title": p.Title}, nil
}

// somebody is the person of a phone number, or a new one, under the name that was
// given.
func (s *Set) somebody(ctx context.Context, t *gateway.Turn, name, phone string) (person, address int64, err error) {
	number := people.E164(phone)
	for _, index := range s.Orders.Keys.Indexes(gateway.IndexPhone, number) {
		if number == "" || person != 0 {
			break
		}
		found, err := t.PersonsByPhone(ctx, index)
		if err != nil {
			return 0, 0, fmt.Errorf("look a phone number up: %w", err)
		}
		if len(found) > 0 {
			person = found[0]
		}
	}
	switch {
	case person != 0:
		return person, 0, nil
	case number != "" && s.Phone != "":
		address, person, err = t.ReachNumber(ctx, s.Phone, number)
	default:
		if person, err = t.NewPerson(ctx); err == nil && number != "" {
			err = t.KeepPhone(ctx, person, number)
		}
	}
	if err != nil {
		return 0, 0, fmt.Errorf("enter somebody new: %w", err)
	}
	if err := t.SetPersonName(ctx, person, t.Seal(workorder.SealName, name)); err != nil {
		return 0, 0, fmt.Errorf("keep a name: %w", err)
	}
	return person, address, nil
}

// placeOf is the clinic and the grid at which somebody works, zero for none.
func (s *Set) placeOf(ctx context.Context, t *gateway.Turn, who people.Staff) (clinic int64, grid string, err error) {
	for _, g := range who.Grants {
		switch g.Area.Kind {
		case people.AreaGrid:
			grid = g.Area.Code
		case people.AreaUnit:
			c, err := t.ClinicByCode(ctx, g.Area.Code)
			if errors.Is(err, postgres.ErrNoRows) {
				continue
			}
			if err != nil {
				return 0, "", fmt.Errorf("load clinic %s: %w", g.Area.Code, err)
			}
			clinic = c.ID
		}
	}
	return clinic, grid, nil
}

// namedOccasion is the occasion that a member of the staff names, with what stands
// behind its number.
func (s *Set) namedOccasion(ctx context.Context, t *gateway.Turn, args map[string]any) (o *homecare.Occasion, who people.Staff, rest string, failed result, err error) {
	who, failed, err = s.worker(ctx, t)
	if err != nil || failed != nil {
		return nil, who, "", failed, err
	}
	n, rest, ok := leadingHandle(text(args, "text"))
	if !ok {
		return nil, who, "", fail("occasion.which"), nil
	}
	o, err = t.LoadOccasion(ctx, int64(n), false)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, who, "", fail("occasion.none"), nil
	}
	if err != nil {
		return nil, who, "", nil, err
	}
	may, err := s.mayProgramme(ctx, t, who, o.Clinic, "")
	if err == nil && !may {
		failed = fail("occasion.none")
	}
	return o, who, rest, failed, err
}

// markOccasion says that the next of a programme's moments has come: 记时间 12 after
// a discharge.
func (s *Set) markOccasion(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	o, _, _, failed, err := s.namedOccasion(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	p, _ := s.Care.Rules.Programme(o.Programme)
	i := slices.IndexFunc(p.Marks(), func(a care.Anchor) bool { _, known := o.At[string(a)]; return !known })
	if i < 0 {
		return fail("occasion.complete"), nil
	}
	mark := p.Marks()[i]
	if _, err := s.Care.Mark(ctx, t, o.ID, mark, t.Now); err != nil {
		return careRefusal(err)
	}
	what, err := t.Text("care.moment."+string(mark), nil)
	return result{"number": o.ID, "what": what}, err
}

// doneOccasion writes down what a call brought: 项目回访 12 恢复得好.
func (s *Set) doneOccasion(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	o, who, words, failed, err := s.namedOccasion(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	if strings.TrimSpace(words) == "" {
		return fail("occasion.words"), nil
	}
	if err := s.Care.Become(ctx, t, homecare.OccasionSubject(o.ID), care.Actor{As: care.AsDesk, Staff: who.ID}, care.OccasionDone, words); err != nil {
		return careRefusal(err)
	}
	return result{"number": o.ID}, nil
}
