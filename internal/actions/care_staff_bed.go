package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/flows"
	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
)

// Beds and applications in the hands of clinic desk, doctor and liaison. What needs
// papers or many fields (signing, opening, orders, the household) is done on /desk.

func (s *Set) bedActions() map[string]gateway.Action {
	return map[string]gateway.Action{
		"ward.task": s.wardTask, "ward.done": s.wardDone,
		"ward.beds": s.wardBeds, "ward.bed": s.wardBed, "ward.suspend": s.wardSuspend, "ward.resume": s.wardResume, "ward.renew": s.wardRenew,
		"ward.close": s.wardClose, "ward.death": s.wardDeath,
		"ward.applications": s.wardApplications, "ward.application": s.wardApplication, "ward.step": s.wardStep,
		"ward.pause": s.wardPause, "ward.unpause": s.wardUnpause,
	}
}

func bedDocs() map[string]flows.ActionDoc {
	bed := []string{"bed", "state", "to_month", "to_day"}
	return map[string]flows.ActionDoc{
		"ward.task":         {Results: []string{"task", "lines", "outcomes", "offers", "reasons", "rest"}},
		"ward.done":         {Results: []string{"stays"}},
		"ward.beds":         {Results: []string{"count", "lines"}},
		"ward.bed":          {Results: append([]string{"id", "rest", "reasons", "outcomes"}, bed...)},
		"ward.suspend":      {Results: bed},
		"ward.resume":       {Results: bed},
		"ward.renew":        {Results: bed},
		"ward.close":        {Results: bed},
		"ward.death":        {Results: bed},
		"ward.applications": {Results: []string{"count", "lines"}},
		"ward.application":  {Results: []string{"application", "state", "lines", "steps", "returns", "rejects"}},
		"ward.step":         {Results: []string{"state"}},
		"ward.pause":        {Results: []string{"done"}},
		"ward.unpause":      {Results: []string{"due", "expired"}},
	}
}

// bedsIn are the beds that the speaker may see, by their clinics or hospitals.
func (s *Set) bedsIn(ctx context.Context, t *gateway.Turn, who people.Staff) ([]*homecare.Bed, error) {
	clinics, err := s.Care.ClinicsOf(ctx, t, who, people.MayViewBeds)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, c := range clinics {
		for _, list := range []func(context.Context, *int64, int32) ([]int64, error){t.BedsOfClinic, t.BedsOfHospital} {
			more, err := list(ctx, &c, maxTasks)
			if err != nil {
				return nil, fmt.Errorf("list the beds of a clinic: %w", err)
			}
			ids = append(ids, more...)
		}
	}
	slices.Sort(ids)
	return t.LoadBeds(ctx, slices.Compact(ids), false)
}

// wardBeds lists beds with what is left of their period.
func (s *Set) wardBeds(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	beds, err := s.bedsIn(ctx, t, who)
	if err != nil {
		return nil, err
	}
	if len(beds) == 0 && !s.Orders.Rights.Anywhere(who, people.MayViewBeds, t.Now) {
		return fail("ward.no_care"), nil
	}
	lines, err := s.bedLines(t, beds)
	return result{"count": len(beds), "lines": lines}, err
}

func (s *Set) bedLines(t *gateway.Turn, beds []*homecare.Bed) (string, error) {
	lines := make([]string, len(beds))
	for i, b := range beds {
		state, err := t.Text("care.bed_state."+string(b.State), nil)
		if err != nil {
			return "", err
		}
		left := ""
		if days, asks := b.Renewal(s.Care.Today(t)); asks {
			key := "ward.left"
			if days < 0 {
				key = "ward.over"
			}
			if left, err = t.Text(key, map[string]string{"days": strconv.Itoa(max(days, -days))}); err != nil {
				return "", err
			}
		}
		if lines[i], err = t.Text("ward.bed", map[string]string{"bed": b.Number, "state": state, "left": left}); err != nil {
			return "", err
		}
	}
	return strings.Join(lines, "\n"), nil
}

// bedOf finds the bed that a command names: by the id that a dialogue holds, by its
// number (住院 JC-1), or as the only one of the speaker's.
func (s *Set) bedOf(ctx context.Context, t *gateway.Turn, args map[string]any) (b *homecare.Bed, by care.Actor, rest string, failed result, err error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return nil, by, "", failed, err
	}
	id, rest := int64(number(args, "id")), text(args, "text")
	if id == 0 {
		beds, err := s.bedsIn(ctx, t, who)
		if err != nil {
			return nil, by, "", nil, err
		}
		name, behind, _ := strings.Cut(rest, " ")
		name = strings.TrimSuffix(strings.TrimLeft(name, "#＃"), "号")
		i := slices.IndexFunc(beds, func(b *homecare.Bed) bool { return b.Number != "" && b.Number == name })
		switch {
		case i >= 0:
			id, rest = beds[i].ID, strings.TrimSpace(behind)
		case name == "" && len(beds) == 1:
			id = beds[0].ID
		case name == "" && len(beds) > 1:
			lines, err := s.bedLines(t, beds)
			return nil, by, "", result{"fail": "ward.which_bed", "params": map[string]any{"lines": lines}}, err
		default:
			return nil, by, "", fail("ward.no_bed"), nil
		}
	}
	b, err = s.Care.LoadBed(ctx, t, id)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, by, "", fail("ward.no_bed"), nil
	}
	if err != nil {
		return nil, by, "", nil, err
	}
	by, ok, err := s.Care.ActorAt(ctx, t, who, b, nil)
	if err == nil && !ok {
		failed = fail("ward.no_bed")
	}
	return b, by, rest, failed, err
}

func (s *Set) bedSaid(t *gateway.Turn, b *homecare.Bed) (result, error) {
	state, err := t.Text("care.bed_state."+string(b.State), nil)
	to := b.Period().To
	return result{"bed": b.Number, "state": state, "to_month": int(to.Month), "to_day": to.Day}, err
}

// wardBed begins a dialogue about a bed.
func (s *Set) wardBed(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	b, _, rest, failed, err := s.bedOf(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	r, err := s.bedSaid(t, b)
	if err != nil {
		return nil, err
	}
	r["id"] = float64(b.ID)
	if rest != "" {
		r["rest"] = rest
	}
	if text(args, "for") != "close" {
		return r, nil
	}
	beds := s.Care.Rules.Policy().Beds
	var outcomes []any
	for _, o := range beds.Outcomes {
		if o == beds.Died {
			continue // 去世 is a word of its own
		}
		label, err := t.Text("care.bed_outcome."+o, nil)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, option(o, label))
	}
	r["outcomes"] = outcomes
	return r, nil
}

func (s *Set) doBed(ctx context.Context, t *gateway.Turn, args map[string]any, c care.BedCommand, d homecare.Draft) (result, error) {
	b, by, _, failed, err := s.bedOf(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	if b, err = s.Care.DoBedWith(ctx, t, b.ID, by, c, d); err != nil {
		return s.refusedCare(t, err)
	}
	return s.bedSaid(t, b)
}

func (s *Set) wardSuspend(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	return s.doBed(ctx, t, args, care.Suspend{Reason: text(args, "reason")}, homecare.Draft{})
}

func (s *Set) wardResume(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	return s.doBed(ctx, t, args, care.Resume{Discharged: truth(args, "discharged")}, homecare.Draft{})
}

func (s *Set) wardRenew(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	return s.doBed(ctx, t, args, care.Renew{}, homecare.Draft{})
}

// wardClose ends a bed; the diagnosis at its end is kept sealed and not repeated.
func (s *Set) wardClose(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	words := text(args, "words")
	return s.doBed(ctx, t, args, care.Close{Outcome: text(args, "outcome"), HasDiagnosis: words != ""}, homecare.Draft{Closing: words})
}

func (s *Set) wardDeath(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	return s.doBed(ctx, t, args, care.Death{}, homecare.Draft{})
}

// wardApplications lists what waits for a bed 待建床, the most pressing first.
func (s *Set) wardApplications(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	clinics, err := s.Care.ClinicsOf(ctx, t, who, people.MayViewBeds)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, c := range clinics {
		rows, err := t.OpenApplications(ctx, &c, maxTasks)
		if err != nil {
			return nil, fmt.Errorf("list applications: %w", err)
		}
		for _, row := range rows {
			a, err := postgres.ApplicationOf(row)
			if err != nil {
				return nil, err
			}
			line, err := s.applicationLine(ctx, t, a)
			if err != nil {
				return nil, err
			}
			lines = append(lines, line)
		}
	}
	if len(clinics) == 0 {
		return fail("ward.no_care"), nil
	}
	return result{"count": len(lines), "lines": strings.Join(lines, "\n")}, nil
}

func (s *Set) applicationLine(ctx context.Context, t *gateway.Turn, a *homecare.Application) (string, error) {
	p, err := s.Care.ValuesOf(ctx, t, &homecare.Rung{Application: a})
	if err != nil {
		return "", err
	}
	if p["state"], err = t.Text("care.application_state."+string(a.State), nil); err != nil {
		return "", err
	}
	key := "ward.application"
	if p["by"] == "" {
		key = "ward.application_no_time"
	}
	return t.Text(key, p)
}

// applicationSheet is an application as who decides reads it; the looks are in the
// trail.
func (s *Set) applicationSheet(ctx context.Context, t *gateway.Turn, a *homecare.Application) (string, error) {
	line, err := s.applicationLine(ctx, t, a)
	if err != nil {
		return "", err
	}
	line, _, _ = strings.Cut(line, "　")
	lines := []string{line}
	words, home, err := s.Care.WordsOf(ctx, t, a)
	if err != nil {
		return "", err
	}
	phone, err := s.Care.PhoneOf(ctx, t, a.Applicant, homecare.ApplicationSubject(a.ID))
	if err != nil {
		return "", err
	}
	for _, more := range []struct{ key, name, value string }{
		{"ward.home", "home", home}, {"ward.sheet_words", "words", words}, {"ward.sheet_phone", "phone", phone},
	} {
		if more.value == "" {
			continue
		}
		line, err := t.Text(more.key, map[string]string{more.name: more.value})
		if err != nil {
			return "", err
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n"), nil
}

// applicationOf finds the application that a command names.
func (s *Set) applicationOf(ctx context.Context, t *gateway.Turn, args map[string]any) (*homecare.Application, care.Actor, result, error) {
	none := care.Actor{}
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return nil, none, failed, err
	}
	id := int64(number(args, "application"))
	if id == 0 {
		id, _, _ = leadingVisit(text(args, "text"))
	}
	a, err := s.Care.ApplicationOf(ctx, t, id)
	if errors.Is(err, homecare.ErrNotYours) {
		return nil, none, fail("ward.no_application"), nil
	}
	if err != nil {
		return nil, none, nil, err
	}
	by, ok, err := s.Care.ActorFor(ctx, t, who, a)
	if err == nil && !ok {
		failed = fail("ward.no_application")
	}
	return a, by, failed, err
}

// The steps of an application that are taken in chat.
const stepScreen, stepAssess, stepReturn, stepReject = "screen", "assess", "return", "reject"

// wardApplication shows an application and which steps it may take.
func (s *Set) wardApplication(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	a, by, failed, err := s.applicationOf(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	r := result{"application": float64(a.ID)}
	if r["state"], err = t.Text("care.application_state."+string(a.State), nil); err != nil {
		return nil, err
	}
	if r["lines"], err = s.applicationSheet(ctx, t, a); err != nil {
		return nil, err
	}
	var steps []any
	for _, c := range care.Applications().Allowed(a.State, by.As) {
		if !slices.Contains([]string{stepScreen, stepAssess, stepReturn, stepReject}, string(c)) {
			continue
		}
		label, err := t.Text("ward.step."+string(c), nil)
		if err != nil {
			return nil, err
		}
		steps = append(steps, option(string(c), label))
	}
	r["steps"] = steps
	reasons := s.Care.Rules.Policy().Reasons
	if r["returns"], err = s.careReasons(t, "return", reasons.Return); err != nil {
		return nil, err
	}
	r["rejects"], err = s.careReasons(t, "reject", reasons.Reject)
	return r, err
}

// wardStep takes one step of an application. Passing the questions says yes to each
// of them: the dialogue has read them out.
func (s *Set) wardStep(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	a, by, failed, err := s.applicationOf(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	var c care.ApplicationCommand
	switch step := text(args, "step"); step {
	case stepScreen:
		answers := map[string]bool{}
		for _, q := range s.Care.Rules.Policy().Application.Questions {
			answers[q] = true
		}
		c = care.Screen{Answers: answers}
	case stepAssess:
		c = care.Assess{Condition: true, Home: true}
	case stepReturn:
		c = care.Return{Reason: text(args, "reason")}
	case stepReject:
		c = care.Reject{Reason: text(args, "reason")}
	default:
		return nil, fmt.Errorf("ward.step: %q is no step", step)
	}
	if a, err = s.Care.DoApplication(ctx, t, a.ID, by, c); err != nil {
		return s.refusedCare(t, err)
	}
	state, err := t.Text("care.application_state."+string(a.State), nil)
	return result{"state": state}, err
}

// wardPause makes reminders stand still, wardUnpause lets them go on.
func (s *Set) wardPause(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if failed, err := s.mayPause(ctx, t); err != nil || failed != nil {
		return failed, err
	}
	done, err := s.Care.Pause(ctx, t.Tx, t.Staff, care.FamilyBed, text(args, "why"))
	return result{"done": done}, err
}

func (s *Set) wardUnpause(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	if failed, err := s.mayPause(ctx, t); err != nil || failed != nil {
		return failed, err
	}
	r, err := s.Care.Resume(ctx, t.Tx, t.Staff, care.FamilyBed)
	return result{"due": r.Due, "expired": r.Expired}, err
}

func (s *Set) mayPause(ctx context.Context, t *gateway.Turn) (result, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	if !s.Orders.Rights.Anywhere(who, people.MayPauseCare, t.Now) {
		return fail("staff.may_not"), nil
	}
	return nil, nil
}
