package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
)

// What families say about their beds unasked. Whoever writes from a number may be
// anybody, so what is only laid before people (worse, a wrong code, no more visits) is
// open; what is read, and consent, needs what package people says.

// beds are the beds of the speaker that a command may reach at the trust of the
// address: those of the person, or those whose household has this very address.
func (s *Set) beds(ctx context.Context, t *gateway.Turn, c people.ResidentCommand) ([]*homecare.Bed, error) {
	reach := people.Allowed(c, t.Trust, false)
	if reach != people.Allow && reach != people.AllowOwn {
		return nil, nil
	}
	ids, err := t.BedsOf(ctx, t.Person)
	if err != nil {
		return nil, fmt.Errorf("look for the beds of a family: %w", err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	all, err := t.LoadBeds(ctx, ids, false)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(b *homecare.Bed) bool {
		return b.Programme != care.FamilyBed || reach == people.AllowOwn && !readAt(b, t.Address)
	}), nil
}

// readAt reports whether texts about a bed go to an address.
func readAt(b *homecare.Bed, address int64) bool {
	return b.Patient.Address == address || slices.ContainsFunc(b.Carers, func(c care.Carer) bool { return c.Address == address })
}

// worse lays it before desk and doctor that somebody at home is worse. in_care is
// false for whoever has no bed.
func (s *Set) worse(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	beds, err := s.beds(ctx, t, people.CmdReport)
	if err != nil {
		return nil, err
	}
	r := result{"in_care": len(beds) > 0, "phone": ""}
	for _, b := range beds {
		until := t.Now.Add(s.Care.Rules.Policy().Changes.AtOnce)
		if err := s.Care.Lay(ctx, t, b, "worse", care.Recipient{Role: care.ToDesk}, scheduler.Emergency, text(args, "text"), until); err != nil {
			return nil, err
		}
		if b.Doctor != 0 {
			if err := s.Care.Lay(ctx, t, b, "worse_doctor", care.Recipient{Staff: b.Doctor}, scheduler.Emergency, text(args, "text"), until); err != nil {
				return nil, err
			}
		}
		if r["phone"], err = s.phoneOf(ctx, t, b); err != nil {
			return nil, err
		}
		if err := t.Record(ctx, "bed.worse", homecare.BedSubject(b.ID), nil, text(args, "text")); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (s *Set) phoneOf(ctx context.Context, t *gateway.Turn, b *homecare.Bed) (string, error) {
	values, err := s.Care.Values(ctx, t, b, nil, true)
	return values["phone"], err
}

// doorCode hears what the family says about the digits at the door. That they are
// right is only told to an address that may read about the visit, or that the code
// itself is sent to (a forged number hears nothing: the answer goes to the true
// one), and only as often as the policy says; everything else goes to the desk.
func (s *Set) doorCode(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	beds, err := s.beds(ctx, t, people.CmdReport)
	if err != nil {
		return nil, err
	}
	r := result{"in_care": len(beds) > 0, "phone": "", "right": false}
	reads := people.Allowed(people.CmdReadOwn, t.Trust, false)
	for _, b := range beds {
		if r["phone"], err = s.phoneOf(ctx, t, b); err != nil {
			return nil, err
		}
		v, found, err := s.visitToday(ctx, t, b)
		if err != nil {
			return nil, err
		}
		if !found { // somebody stands at the door and nobody was sent
			if err := s.Care.Lay(ctx, t, b, "stranger", care.Recipient{Role: care.ToDesk}, scheduler.Emergency, text(args, "text"), t.Now.Add(time.Hour)); err != nil {
				return nil, err
			}
			continue
		}
		said := text(args, "text")
		mayRead := reads == people.Allow || readAt(b, t.Address)
		if strings.ContainsAny(said, "0123456789") && mayRead {
			right, err := s.rightCode(ctx, t, v, said)
			if err != nil {
				return nil, err
			}
			if right {
				r["right"] = true
				return r, nil
			}
		}
		by, _, err := s.Care.Member(ctx, t, b)
		if err != nil {
			return nil, err
		}
		if _, _, err := s.Care.DoVisit(ctx, t, v.ID, by, care.WrongCode{}); err != nil {
			return nil, fmt.Errorf("note a wrong code at the door: %w", err)
		}
	}
	return r, nil
}

func (s *Set) rightCode(ctx context.Context, t *gateway.Turn, v care.Visit, said string) (bool, error) {
	before, err := t.TryDoorCode(ctx, v.ID)
	if err != nil {
		return false, fmt.Errorf("count a code at the door: %w", err)
	}
	verdict, err := s.Care.Rules.Verify(s.Orders.Keys.Door(), v, said, int(before), t.Now)
	return verdict == care.Right, err
}

// visitToday is the visit of a bed that is on today: who is on the way first.
func (s *Set) visitToday(ctx context.Context, t *gateway.Turn, b *homecare.Bed) (care.Visit, bool, error) {
	visits, err := s.visitsOf(ctx, t, b, 0)
	if err != nil || len(visits) == 0 {
		return care.Visit{}, false, err
	}
	if i := slices.IndexFunc(visits, func(v care.Visit) bool { return v.State.UnderWay() }); i >= 0 {
		return visits[i], true, nil
	}
	return visits[0], true, nil
}

// visitsOf are the visits of a bed that are to come from today to so many days on.
func (s *Set) visitsOf(ctx context.Context, t *gateway.Turn, b *homecare.Bed, days int) ([]care.Visit, error) {
	today := scheduler.DateOf(t.Now.In(s.Orders.Work.Location()))
	rows, err := t.VisitsOfBed(ctx, b.ID, postgres.DayOf(today), postgres.DayOf(today.AddDays(days)))
	if err != nil {
		return nil, fmt.Errorf("list the visits of a bed: %w", err)
	}
	return slices.DeleteFunc(postgres.VisitsOf(rows), func(v care.Visit) bool { return !v.State.Waiting() && !v.State.UnderWay() }), nil
}

// ownVisits lists the visits that are planned for the speaker's family, with the code
// at the door of the next.
func (s *Set) ownVisits(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	beds, err := s.beds(ctx, t, people.CmdReadOwn)
	if err != nil {
		return nil, err
	}
	r := result{"in_care": len(beds) > 0, "visits": "", "count": 0, "phone": "", "code": ""}
	listed, key, count, lines := s.Policy.Listed, "care.visit_line", 0, []string{}
	if t.Paid() {
		listed, key = s.Policy.ListedPaid, "care.when"
	}
	for _, b := range beds {
		if r["phone"], err = s.phoneOf(ctx, t, b); err != nil {
			return nil, err
		}
		visits, err := s.visitsOf(ctx, t, b, s.Care.Rules.Policy().Plan.Horizon)
		if err != nil {
			return nil, err
		}
		for _, v := range visits {
			if count == listed {
				break
			}
			values, err := s.Care.Values(ctx, t, b, &v, false)
			if err != nil {
				return nil, err
			}
			if count++; count == 1 {
				r["code"] = values["code"]
			}
			line, err := t.Text(key, values)
			if err != nil {
				return nil, err
			}
			lines = append(lines, line)
		}
	}
	r["count"], r["visits"] = count, strings.Join(lines, "\n")
	return r, nil
}

// withdrawCare takes consent back at once, as easily as it was given (个人信息保护法
// art. 15): texts end, visits are held, the desk rings. Before there is a bed it takes
// the application back. what is bed, application, or empty.
func (s *Set) withdrawCare(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	beds, err := s.beds(ctx, t, people.CmdWithdrawConsent)
	if err != nil {
		return nil, err
	}
	r := result{"what": "", "phone": ""}
	for _, b := range beds {
		by, _, err := s.Care.Member(ctx, t, b)
		if err != nil {
			return nil, err
		}
		if r["phone"], err = s.phoneOf(ctx, t, b); err != nil {
			return nil, err
		}
		if _, err := s.Care.DoBed(ctx, t, b.ID, by, care.WithdrawConsent{}); err != nil && !refusedCare(err) {
			return nil, err
		}
		r["what"] = "bed"
	}
	if d := people.Allowed(people.CmdWithdrawConsent, t.Trust, false); len(beds) == 0 && (d == people.Allow || d == people.AllowOwn) {
		if r["what"], err = s.withdrawApplication(ctx, t); err != nil {
			return nil, err
		}
	}
	if r["what"] != "" {
		if _, err := t.WithdrawConsentTo(ctx, consentHealth, t.Person); err != nil {
			return nil, fmt.Errorf("take a consent back: %w", err)
		}
	}
	return r, nil
}

func refusedCare(err error) bool {
	var r *care.Refused
	return errors.As(err, &r)
}

// leaveCare lays it before the clinic's desk that no more visits are wanted, or
// before the callback clerks for whoever has no bed. Nothing ends by a message.
func (s *Set) leaveCare(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	beds, err := s.beds(ctx, t, people.CmdReport)
	if err != nil {
		return nil, err
	}
	if len(beds) == 0 {
		return s.requestPerson(ctx, t, args)
	}
	until := s.Policy.Person.Within.Deadline(t.Now, s.Orders.Work)
	for _, b := range beds {
		if err := s.Care.Lay(ctx, t, b, "leave", care.Recipient{Role: care.ToDesk}, scheduler.Normal, first(text(args, "words"), text(args, "text")), until); err != nil {
			return nil, err
		}
	}
	r := result{}
	s.addWhen(r, until)
	return r, nil
}
