package actions

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"shaoying/flows"
	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
)

// What nurses, doctors, clinic desks and liaisons do in chat. A visit is named by
// its number (#12), which no other visit ever has: an old number finds the old visit
// or nothing. Without a number the only visit is meant that fits the command; of
// several it is asked which. Who a visit or a bed is none of is told the same as of
// one that does not exist.

// wardActions are those about visits; bedActions those about beds and tasks.
func (s *Set) wardActions() map[string]gateway.Action {
	return map[string]gateway.Action{
		"ward.list": s.wardList, "ward.hold": s.wardHold, "ward.leave": s.wardLeave, "ward.arrive": s.wardArrive, "ward.finish": s.wardFinish,
		"ward.note": s.wardNote, "ward.nobody": s.wardNobody, "ward.help": s.wardHelp, "ward.move": s.wardMove, "ward.hand": s.wardHand,
		"ward.relief": s.wardRelief, "ward.meant": s.wardMeant,
		"ward.absence": s.wardAbsence, "ward.days": s.wardDays, "ward.away": s.wardAway,
		"ward.feed": s.wardFeed, "ward.unfeed": s.wardUnfeed,
	}
}

func wardDocs(gist []string) map[string]flows.ActionDoc {
	at := []string{"visit", "when", "bed", "phone"}
	return map[string]flows.ActionDoc{
		"ward.list":    {Results: []string{"count", "day", "lines"}},
		"ward.hold":    {Results: append([]string{"rest", "asks", "code", "people", "offers", "reliefs"}, at...)},
		"ward.leave":   {Results: at},
		"ward.arrive":  {Results: append([]string{"code"}, at...)},
		"ward.finish":  {Results: append([]string{"noted"}, at...)},
		"ward.note":    {Results: at},
		"ward.nobody":  {Results: at},
		"ward.help":    {Results: at},
		"ward.move":    {Results: at},
		"ward.hand":    {Results: append([]string{"name"}, at...)},
		"ward.relief":  {Results: gist},
		"ward.meant":   {Results: []string{"visit", "rest", "absence"}},
		"ward.absence": {Results: []string{"staff", "name", "rest", "reliefs"}},
		"ward.days":    {Results: gist},
		"ward.away":    {Results: []string{"name", "given", "left"}},
		"ward.feed":    {Results: []string{"path"}},
		"ward.unfeed":  {Results: []string{"count"}},
	}
}

// round is a visit in the hands of one of the staff.
type round struct {
	staff people.Staff
	homecare.Stop
	// by is in what capacity the speaker acts; AsVisitor where it is their own.
	by   care.Actor
	rest string
}

var visitFirst = regexp.MustCompile(`^[\s#＃第]*([0-9０-９]{1,12})(?:号|次)?(?:[\s:：,，、.。]+|$)`)

// leadingVisit reads the number of a visit, an application or a bed at the beginning.
func leadingVisit(said string) (id int64, rest string, ok bool) {
	m := visitFirst.FindStringSubmatch(said)
	if m == nil {
		return 0, said, false
	}
	id, err := strconv.ParseInt(norm.NFKC.String(m[1]), 10, 64)
	return id, strings.TrimSpace(strings.TrimPrefix(said, m[0])), err == nil
}

// roundOf finds the visit that a command is about: by the id that a dialogue holds,
// by its number, or as the only one of the speaker's that fits.
func (s *Set) roundOf(ctx context.Context, t *gateway.Turn, args map[string]any, fits func(*gateway.Turn, care.Visit) bool) (*round, result, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return nil, failed, err
	}
	id, rest := int64(number(args, "visit")), text(args, "text")
	if id == 0 {
		if id, err = strconv.ParseInt(text(args, "visit"), 10, 64); err != nil {
			id = 0
		}
	}
	if id == 0 {
		var ok bool
		if id, rest, ok = leadingVisit(rest); !ok {
			return s.onlyRound(ctx, t, who, rest, fits)
		}
	}
	bed, v, err := s.Care.LoadVisit(ctx, t, id)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, fail("ward.none"), nil
	}
	if err != nil {
		return nil, nil, err
	}
	r := &round{staff: who, Stop: homecare.Stop{Visit: v, Bed: bed}, rest: rest}
	ok, err := s.mayRound(ctx, t, r)
	if err != nil || !ok {
		return nil, fail("ward.none"), err
	}
	return r, nil, nil
}

// mayRound sets in what capacity the speaker acts: for a visit of their own that of
// the visitor.
func (s *Set) mayRound(ctx context.Context, t *gateway.Turn, r *round) (bool, error) {
	if r.Visit.Staff == r.staff.ID {
		r.by = homecare.AsVisitor(r.staff.ID)
		return s.Care.MayVisit(ctx, t, r.staff, r.Bed)
	}
	by, ok, err := s.Care.ActorAt(ctx, t, r.staff, r.Bed, &r.Visit)
	r.by = by
	return ok, err
}

// onlyRound is the one visit of the speaker's that fits; of several it asks for the
// number.
func (s *Set) onlyRound(ctx context.Context, t *gateway.Turn, who people.Staff, rest string, fits func(*gateway.Turn, care.Visit) bool) (*round, result, error) {
	stops, err := s.Care.OwnStops(ctx, t, who.ID)
	if err != nil {
		return nil, nil, err
	}
	stops = slices.DeleteFunc(stops, func(p homecare.Stop) bool { return !fits(t, p.Visit) })
	switch len(stops) {
	case 0:
		return nil, fail("ward.none_now"), nil
	case 1:
		r := &round{staff: who, Stop: stops[0], rest: rest}
		ok, err := s.mayRound(ctx, t, r)
		if err != nil || !ok {
			return nil, fail("ward.none"), err
		}
		return r, nil, nil
	}
	lines, err := s.stopLines(t, stops)
	return nil, result{"fail": "ward.which", "params": map[string]any{"lines": lines}}, err
}

func (s *Set) stopLines(t *gateway.Turn, stops []homecare.Stop) (string, error) {
	lines := make([]string, len(stops))
	for i, p := range stops {
		var err error
		if lines[i], err = s.Care.StopLine(t, p); err != nil {
			return "", err
		}
	}
	return strings.Join(lines, "\n"), nil
}

// ownRound is roundOf for what only who makes the visit says.
func (s *Set) ownRound(ctx context.Context, t *gateway.Turn, args map[string]any, fits func(*gateway.Turn, care.Visit) bool) (*round, result, error) {
	r, failed, err := s.roundOf(ctx, t, args, fits)
	if err == nil && failed == nil && r.by.As != care.AsVisitor {
		return nil, fail("ward.not_visitor"), nil
	}
	return r, failed, err
}

// at is what a dialogue says of a visit: its number, when, the bed and the phone of
// the desk. No name and no place.
func (s *Set) at(ctx context.Context, t *gateway.Turn, r *round) (result, error) {
	p, err := s.Care.Values(ctx, t, r.Bed, &r.Visit, false)
	if err != nil {
		return nil, err
	}
	return result{"visit": p["visit"], "when": p["when"], "bed": p["number"], "phone": p["phone"]}, nil
}

// refusedCare turns a refusal of the rules into its text for staff; other errors stay
// errors.
func (s *Set) refusedCare(t *gateway.Turn, err error) (result, error) {
	var r *care.Refused
	if !errors.As(err, &r) {
		return nil, err
	}
	params := map[string]any{"allowed": ""}
	for k, v := range r.Params {
		params[k] = v
	}
	if state := r.Params["state"]; state != "" {
		for _, group := range []string{"ward.state.", "care.bed_state.", "care.application_state."} {
			name, textErr := t.Text(group+state, nil)
			if textErr == nil {
				params["state"] = name
				break
			}
			if !errors.Is(textErr, gateway.ErrNoDefinition) {
				return nil, textErr
			}
		}
	}
	return result{"fail": r.Key, "params": params}, nil
}
