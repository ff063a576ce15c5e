package actions

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"shaoying/flows"
	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// listedEvents and listedRounds bound what a list shows.
const (
	listedEvents = 20
	listedRounds = 30
)

func (s *Set) programmeStaffActions() map[string]gateway.Action {
	return map[string]gateway.Action{
		"event.kinds":     s.eventKinds,
		"event.when":      s.eventWhen,
		"event.hold":      s.holdEvent,
		"event.show":      s.showEvent,
		"event.move":      s.moveEvent,
		"event.cancel":    s.cancelEvent,
		"event.join":      s.joinEvent,
		"round.hold":      s.holdRound,
		"round.done":      s.doneRound,
		"round.end":       s.endRound,
		"programme.kinds": s.programmeKinds,
		"programme.staff": s.programmeStaff,
		"programme.enter": s.enterProgramme,
		"occasion.mark":   s.markOccasion,
		"occasion.done":   s.doneOccasion,
	}
}

func programmeStaffDocs() map[string]flows.ActionDoc {
	gist := []string{"status", "value", "options", "say"}
	return map[string]flows.ActionDoc{
		"event.kinds":     {Results: []string{"programme", "choices"}},
		"event.when":      {Results: gist},
		"event.hold":      {Results: []string{"event", "members"}},
		"event.show":      {Results: []string{"event", "title", "place", "held", "members", "lines"}},
		"event.move":      {Results: []string{"event", "held"}},
		"event.cancel":    {Results: []string{"event"}},
		"event.join":      {Results: []string{"title", "held", "place"}},
		"round.hold":      {Results: []string{"visit", "rest", "lines", "count"}},
		"round.done":      {Results: []string{"met", "number"}},
		"round.end":       {Results: []string{"number"}},
		"programme.kinds": {Results: []string{"programme", "choices", "title", "rhythm", "visits", "asked"}},
		"programme.staff": {Results: gist},
		"programme.enter": {Results: []string{"number", "title"}},
		"occasion.mark":   {Results: []string{"number", "what"}},
		"occasion.done":   {Results: []string{"number"}},
	}
}

// programmesOf are the programmes for which keep holds.
func (s *Set) programmesOf(keep func(care.Programme) bool) []care.Programme {
	return slices.DeleteFunc(s.Care.Rules.Programmes(), func(p care.Programme) bool { return p.Code == care.FamilyBed || !keep(p) })
}

// holder is a member of the staff who may hold programmes.
func (s *Set) holder(ctx context.Context, t *gateway.Turn) (people.Staff, result, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return who, failed, err
	}
	if !s.Orders.Rights.Anywhere(who, people.MayHold, t.Now) {
		return who, fail("staff.may_not"), nil
	}
	return who, nil, nil
}

func (s *Set) eventKinds(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if _, failed, err := s.holder(ctx, t); err != nil || failed != nil {
		return failed, err
	}
	return s.choose(t, s.programmesOf(care.Programme.OfEvents), text(args, "text"))
}

// clockForm is a time of day behind a day: 9:00, 上午9点半, 14时30分.
var clockForm = regexp.MustCompile(`(上午|早上|中午|下午|晚上)?\s*(\d{1,2})\s*[:点时]\s*(\d{1,2}|半)?分?$`)

// eventWhen reads day and time of an event: 3月10日上午9点, 周六14:30, 明天9点.
func (s *Set) eventWhen(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if _, failed, err := s.holder(ctx, t); err != nil || failed != nil {
		return result{"status": flows.StatusReject, "say": "staff.only"}, err
	}
	at, ok := s.dayAndTime(text(args, "text"), t.Now)
	if !ok {
		return result{"status": flows.StatusReject, "say": "event.unclear"}, nil
	}
	label, err := s.heldAt(t, at)
	return result{"status": flows.StatusOK, "value": result{"at": at.UTC().Format(time.RFC3339), "label": label}}, err
}

func (s *Set) dayAndTime(said string, now time.Time) (time.Time, bool) {
	said = strings.TrimSpace(norm.NFKC.String(said))
	m := clockForm.FindStringSubmatch(said)
	if m == nil {
		return time.Time{}, false
	}
	hour, _ := strconv.Atoi(m[2]) // digits only
	minute, _ := strconv.Atoi(m[3])
	if m[3] == "半" {
		minute = 30
	}
	if (m[1] == "下午" || m[1] == "晚上") && hour < 12 {
		hour += 12
	}
	if hour > 23 || minute > 59 {
		return time.Time{}, false
	}
	loc := s.Orders.Work.Location()
	today := scheduler.DateOf(now.In(loc))
	before := strings.TrimSpace(strings.TrimSuffix(said, m[0]))
	day, ok := laterDay(before, today)
	for n, word := range []string{"今天", "明天", "后天"} {
		if before == word {
			day, ok = today.AddDays(n), true
		}
	}
	return day.At(scheduler.TimeOfDay(hour*60+minute), loc), ok
}

// heldAt is a day and time as staff read it.
func (s *Set) heldAt(t *gateway.Turn, at time.Time) (string, error) {
	day, err := s.Care.Day(t, scheduler.DateOf(at.In(s.Orders.Work.Location())))
	return day + s.Care.Clock(at), err
}

// heldArg reads the time that eventWhen made of what was said.
func heldArg(args map[string]any) (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339, text(object(args, "when"), "at"))
	return at, err == nil
}

func (s *Set) holdEvent(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.holder(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	at, ok := heldArg(args)
	if !ok {
		return fail("event.unclear"), nil
	}
	code := text(args, "programme")
	if p, ok := s.Care.Rules.Programme(code); !ok || !p.OfEvents() {
		return fail("programme.none"), nil
	}
	e, err := s.Care.HoldEvent(ctx, t, homecare.NewEvent{Programme: code, Title: text(args, "title"), Place: text(args, "place"), At: at, By: who.ID})
	if err != nil {
		return careRefusal(err)
	}
	members, err := t.CountMembers(ctx, code)
	if err != nil {
		return nil, fmt.Errorf("count who takes part in %s: %w", code, err)
	}
	return result{"event": e.ID, "members": members}, nil
}

// careRefusal is the text of a refusal; other errors stay errors.
func careRefusal(err error) (result, error) {
	var r *care.Refused
	if !errors.As(err, &r) {
		return nil, err
	}
	if r.Key == care.KeyState {
		return fail("programme.over"), nil
	}
	return fail(r.Key), nil
}

// heldEvent is the event that a member of the staff names, if it is theirs: they
// announced it, or may do so wherever who announced it may.
func (s *Set) heldEvent(ctx context.Context, t *gateway.Turn, args map[string]any) (e homecare.Event, who people.Staff, failed result, err error) {
	who, failed, err = s.holder(ctx, t)
	if err != nil || failed != nil {
		return e, who, failed, err
	}
	id := int64(number(args, "event"))
	if id == 0 {
		n, _, ok := leadingHandle(text(args, "text"))
		if !ok {
			lines, err := s.eventLines(ctx, t)
			return e, who, result{"fail": "event.which", "params": map[string]any{"lines": lines}}, err
		}
		id = int64(n)
	}
	e, err = t.GetEvent(ctx, id)
	if errors.Is(err, postgres.ErrNoRows) {
		return e, who, fail("event.none"), nil
	}
	if err != nil {
		return e, who, nil, fmt.Errorf("load event %d: %w", id, err)
	}
	mine, err := s.holds(ctx, t, e, who)
	if err == nil && !mine {
		failed = fail("staff.may_not")
	}
	return e, who, failed, err
}

func (s *Set) holds(ctx context.Context, t *gateway.Turn, e homecare.Event, who people.Staff) (bool, error) {
	if e.ByStaff == nil || *e.ByStaff == who.ID {
		return true, nil
	}
	by, err := s.Orders.LoadStaff(ctx, t, *e.ByStaff)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(by.Grants, func(g people.Grant) bool {
		return s.Orders.Rights.May(who, people.MayHold, g.Area.Subject(), t.Now)
	}), nil
}

func (s *Set) eventLines(ctx context.Context, t *gateway.Turn) (string, error) {
	var codes []string
	for _, p := range s.programmesOf(care.Programme.OfEvents) {
		codes = append(codes, p.Code)
	}
	events, err := t.EventsAhead(ctx, codes, t.Now, listedEvents)
	if err != nil {
		return "", fmt.Errorf("list events: %w", err)
	}
	lines := make([]string, len(events))
	for i, e := range events {
		held, err := s.heldAt(t, e.HeldAt)
		if err != nil {
			return "", err
		}
		if lines[i], err = t.Text("event.line", map[string]string{"event": count(e.ID), "title": e.Title, "place": e.Place, "held": held}); err != nil {
			return "", err
		}
	}
	if len(lines) == 0 {
		return t.Text("event.nothing", nil)
	}
	return strings.Join(lines, "\n"), nil
}

// showEvent shows the event that is named, or lists what is ahead: 活动, 活动 3.
func (s *Set) showEvent(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if text(args, "text") == "" && truth(args, "list") {
		if _, failed, err := s.worker(ctx, t); err != nil || failed != nil {
			return failed, err
		}
		lines, err := s.eventLines(ctx, t)
		return result{"event": 0, "lines": lines}, err
	}
	e, _, failed, err := s.heldEvent(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	if e.State != homecare.EventPlanned {
		return fail("programme.over"), nil
	}
	parts, err := t.CountOccasions(ctx, &e.ID)
	if err != nil {
		return nil, fmt.Errorf("count who takes part: %w", err)
	}
	held, err := s.heldAt(t, e.HeldAt)
	return result{"event": e.ID, "title": e.Title, "place": e.Place, "held": held, "members": parts, "lines": ""}, err
}

func (s *Set) moveEvent(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, _, failed, err := s.heldEvent(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	at, ok := heldArg(args)
	if !ok {
		return fail("event.unclear"), nil
	}
	if e, err = s.Care.MoveEvent(ctx, t, e.ID, first(text(args, "place"), e.Place), at); err != nil {
		return careRefusal(err)
	}
	held, err := s.heldAt(t, e.HeldAt)
	return result{"event": e.ID, "held": held}, err
}

func (s *Set) cancelEvent(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, _, failed, err := s.heldEvent(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	if _, err := s.Care.CancelEvent(ctx, t, e.ID); err != nil {
		return careRefusal(err)
	}
	return result{"event": e.ID}, nil
}

// joinEvent signs the speaker up for a course: 培训报名 3. Nobody sees who else did.
func (s *Set) joinEvent(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	n, _, ok := leadingHandle(text(args, "text"))
	if !ok {
		lines, err := s.eventLines(ctx, t)
		return result{"fail": "event.which", "params": map[string]any{"lines": lines}}, err
	}
	e, err := t.GetEvent(ctx, int64(n))
	if errors.Is(err, postgres.ErrNoRows) {
		return fail("event.none"), nil
	}
	if err != nil {
		return nil, fmt.Errorf("load event %d: %w", n, err)
	}
	if p, _ := s.Care.Rules.Programme(e.Programme); p.Consent != care.NeedsNone {
		return fail("event.none"), nil // its members are residents
	}
	if _, err := s.Care.AddStaff(ctx, t, e.ID, []int64{who.ID}); err != nil {
		return careRefusal(err)
	}
	held, err := s.heldAt(t, e.HeldAt)
	return result{"title": e.Title, "held": held, "place": e.Place}, err
}

// holdRound lists whom the speaker calls on, or takes up the one that is named: 走访,
// 走访 12, 走访 12 人在，身体还好. Names and homes are shown in private only.
func (s *Set) holdRound(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	if t.Group {
		return fail("staff.private_chat"), nil
	}
	if n, rest, ok := leadingHandle(text(args, "text")); ok {
		if _, _, failed, err := s.round(ctx, t, who, int64(n), false); err != nil || failed != nil {
			return failed, err
		}
		r := result{"visit": n, "count": 1, "lines": ""}
		if rest != "" {
			r["rest"] = rest
		}
		return r, nil
	}
	lines, n, err := s.roundLines(ctx, t, who)
	return result{"visit": 0, "count": n, "lines": lines}, err
}

func (s *Set) roundLines(ctx context.Context, t *gateway.Turn, who people.Staff) (string, int, error) {
	to := scheduler.DateOf(t.Now.In(s.Orders.Work.Location())).AddDays(7)
	rows, err := t.ProgrammeVisits(ctx, who.ID, postgres.DayOf(to), listedRounds)
	if err != nil {
		return "", 0, fmt.Errorf("list whom somebody calls on: %w", err)
	}
	beds := make([]int64, len(rows))
	for i, r := range rows {
		beds[i] = r.BedID
	}
	names, err := t.ProgrammeNames(ctx, beds)
	if err != nil {
		return "", 0, fmt.Errorf("read whom somebody calls on: %w", err)
	}
	type home struct{ name, home string }
	at := map[int64]home{}
	for _, n := range names {
		var h home
		if n.Name != nil {
			if h.name, err = t.Open(workorder.SealName, n.Name); err != nil {
				return "", 0, err
			}
		}
		if n.Home != nil {
			if h.home, err = t.Open(homecare.SealHome, n.Home); err != nil {
				return "", 0, err
			}
		}
		at[n.ID] = h
	}
	lines := make([]string, len(rows))
	for i, r := range rows {
		day, err := s.Care.Day(t, scheduler.DateOf(r.Day))
		if err != nil {
			return "", 0, err
		}
		if lines[i], err = t.Text("round.line", map[string]string{"number": count(r.ID), "name": at[r.BedID].name, "home": at[r.BedID].home, "day": day}); err != nil {
			return "", 0, err
		}
		if err := t.Record(ctx, "bed.looked", homecare.BedSubject(r.BedID), map[string]any{"staff": who.ID}, ""); err != nil {
			return "", 0, err
		}
	}
	return strings.Join(lines, "\n"), len(rows), nil
}

// round is a visit that a cadence planned, in the hands of who makes it or of a desk
// that may act for them.
func (s *Set) round(ctx context.Context, t *gateway.Turn, who people.Staff, id int64, ends bool) (*homecare.Bed, care.Visit, result, error) {
	b, v, err := s.Care.LoadVisit(ctx, t, id)
	if errors.Is(err, postgres.ErrNoRows) || err == nil && b.Programme == care.FamilyBed {
		return nil, v, fail("round.none"), nil
	}
	if err != nil {
		return nil, v, nil, err
	}
	if v.Staff == who.ID && !ends {
		return b, v, nil, nil
	}
	may, err := s.mayProgramme(ctx, t, who, b.Clinic, b.Patient.Grid)
	if err == nil && !may {
		return nil, v, fail("round.none"), nil
	}
	return b, v, nil, err
}

// mayProgramme reports whether somebody acts for a programme at a clinic, or where
// it lies with a grid; without both the city's clerks do, before whom its tasks lie.
func (s *Set) mayProgramme(ctx context.Context, t *gateway.Turn, who people.Staff, clinic int64, grid string) (bool, error) {
	if grid != "" && s.Orders.Rights.May(who, people.MayHold, people.Subject{Grid: grid}, t.Now) {
		return true, nil
	}
	if clinic == 0 {
		return who.Has(people.RoleCallbackClerk), nil
	}
	c, err := t.GetClinic(ctx, clinic)
	if err != nil {
		return false, fmt.Errorf("load clinic %d: %w", clinic, err)
	}
	on := people.Subject{Unit: c.Code}
	return s.Orders.Rights.May(who, people.MayRunBeds, on, t.Now) || s.Orders.Rights.May(who, people.MayHold, on, t.Now), nil
}

// doneRound writes the result down. Who was not met is called on again.
func (s *Set) doneRound(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	id, words := int64(number(args, "visit")), text(args, "words")
	_, v, failed, err := s.round(ctx, t, who, id, false)
	if err != nil || failed != nil {
		return failed, err
	}
	unmet, err := t.Text("round.unmet", nil)
	if err != nil {
		return nil, err
	}
	met := !slices.ContainsFunc(strings.Fields(unmet), func(w string) bool { return strings.HasPrefix(words, w) })
	by := care.Actor{As: care.AsVisitor, Staff: who.ID}
	if v.Staff != who.ID {
		by.As = care.AsDesk
	}
	if met {
		err = s.Care.Become(ctx, t, homecare.VisitSubject(id), by, care.OccasionDone, words)
	} else {
		err = s.Care.Unmet(ctx, t, id, by)
	}
	if err != nil {
		return careRefusal(err)
	}
	return result{"met": met, "number": id}, nil
}

// endRound takes somebody out of a programme with a rhythm: 停止走访 12. Who only
// calls on them may not.
func (s *Set) endRound(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	n, _, ok := leadingHandle(text(args, "text"))
	if !ok {
		return fail("round.none"), nil
	}
	b, _, failed, err := s.round(ctx, t, who, int64(n), true)
	if err != nil || failed != nil {
		return failed, err
	}
	_, err = s.Care.Leave(ctx, t, b.Patient.Person, b.Programme)
	return result{"number": n}, err
}
